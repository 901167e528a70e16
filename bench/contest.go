package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// Contest is a piece of work that several subjects do.
type Contest struct {
	Name string
	// Units is how many of them a run of the work has, rows for instance; 0 means 1.
	Units int
	// Allocs says that the subjects run in this process, so that their allocations count.
	Allocs bool
	// Once says that a turn is one run, however short it is.
	Once bool
	// Open prepares the subjects. The ratios are to the first.
	Open func(*Env) ([]Subject, error)
}

// Subject is one of those who do the work.
type Subject struct {
	Name string
	// Run does the work n times.
	Run func(ctx context.Context, n int) error
	// Memory is how many bytes the subject holds, if somebody has measured it.
	Memory func() int64
}

// errMissing means that what a contest needs is not installed.
var errMissing = errors.New("not installed")

type settings struct {
	Rounds int
	Turn   time.Duration
}

// result is what was measured of a subject: a figure for each turn.
type result struct {
	Subject string
	Times   []float64 // nanoseconds of a unit
	Allocs  []float64 // allocations of a unit
	Ratios  []float64 // to the first subject, in the same turn
	Memory  int64
}

func (c Contest) measure(env *Env, s settings) ([]result, error) {
	closing := env.mark()
	defer closing()
	subjects, err := c.Open(env)
	if err != nil {
		return nil, err
	}
	results := make([]result, len(subjects))
	times := make([]int, len(subjects))
	for i, subject := range subjects {
		results[i].Subject = subject.Name
		if times[i], err = c.calibrate(env.ctx, subject, s.Turn); err != nil {
			return nil, fmt.Errorf("%s: %w", subject.Name, err)
		}
	}
	for round := range s.Rounds {
		for i := range subjects {
			i = (i + round) % len(subjects)
			if err := c.turn(env.ctx, subjects[i], times[i], &results[i]); err != nil {
				return nil, fmt.Errorf("%s: %w", subjects[i].Name, err)
			}
		}
		for i := range results {
			results[i].Ratios = append(results[i].Ratios, results[i].Times[round]/results[0].Times[round])
		}
	}
	for i, subject := range subjects {
		if subject.Memory != nil {
			results[i].Memory = subject.Memory()
		}
	}
	return results, nil
}

// calibrate finds how often the work is done in a turn.
func (c Contest) calibrate(ctx context.Context, s Subject, turn time.Duration) (int, error) {
	if c.Once {
		return 1, nil
	}
	for n := 1; ; n *= 2 {
		began := time.Now()
		if err := s.Run(ctx, n); err != nil {
			return 0, err
		}
		if took := time.Since(began); took > turn/4 {
			return max(1, int(float64(n)*float64(turn)/float64(took))), nil
		}
	}
}

func (c Contest) turn(ctx context.Context, s Subject, n int, r *result) error {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	if err := s.Run(ctx, n); err != nil {
		return err
	}
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	units := float64(n * max(c.Units, 1))
	r.Times = append(r.Times, float64(took)/units)
	r.Allocs = append(r.Allocs, float64(after.Mallocs-before.Mallocs)/units)
	return nil
}

// spread is the median of some figures, the least and the greatest.
func spread(figures []float64) (median, least, greatest float64) {
	sorted := slices.Sorted(slices.Values(figures))
	if len(sorted) == 0 {
		return 0, 0, 0
	}
	return sorted[len(sorted)/2], sorted[0], sorted[len(sorted)-1]
}
