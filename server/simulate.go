package server

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Simulation makes a server fail as the real service does under load, so that what a
// program does then can be tested. The zero value fails nowhere. What fails is never run.
type Simulation struct {
	// RateLimit is how many calls of the API there may be in RateWindow; the next ones
	// are refused for as long a time. The service allows 1,200. 0 means any number.
	RateLimit int
	// RateWindow is 5 minutes if it is 0, as on the service.
	RateWindow time.Duration
	// Overload is the share, from 0 to 1, of queries to a D1 database that are answered
	// with one of D1's errors of overload.
	Overload float64
	// OverloadEvery makes every n-th query such a one, beginning with the n-th; 0 none.
	OverloadEvery int
	// Latency is how long every call takes at least.
	Latency time.Duration
	// Seed chooses which queries fail, and how: the same ones for the same seed, if they
	// come in the same order.
	Seed uint64
}

// simulator carries out a Simulation.
type simulator struct {
	cfg Simulation
	now func() time.Time

	mu      sync.Mutex
	random  *rand.Rand
	queries int       // since the start
	calls   int       // in the window
	ends    time.Time // of the window, or of the time in which all is refused
}

func newSimulator(cfg Simulation, now func() time.Time) *simulator {
	setDefault(&cfg.RateWindow, 5*time.Minute)
	return &simulator{cfg: cfg, now: now, random: rand.New(rand.NewPCG(cfg.Seed, 0))}
}

func (cfg Simulation) check() error {
	if cfg.RateLimit < 0 || cfg.RateWindow < 0 || cfg.Overload < 0 || cfg.Overload > 1 || cfg.OverloadEvery < 0 || cfg.Latency < 0 {
		return fmt.Errorf("the simulation is none: Overload must be from 0 to 1, and nothing negative")
	}
	return nil
}

// before delays a call, and decides whether it fails.
func (m *simulator) before(w http.ResponseWriter, r *http.Request, path string) *apiError {
	if m.cfg.Latency > 0 {
		timer := time.NewTimer(m.cfg.Latency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cfg.RateLimit > 0 {
		if err := m.limit(w.Header()); err != nil {
			return err
		}
	}
	if strings.Contains(path, "/d1/database/") && (strings.HasSuffix(path, "/query") || strings.HasSuffix(path, "/raw")) {
		return m.overload()
	}
	return nil
}

const codeThrottled = 971

// limit counts a call, and refuses it if there were too many.
func (m *simulator) limit(h http.Header) *apiError {
	now := m.now()
	if !now.Before(m.ends) {
		m.calls, m.ends = 0, now.Add(m.cfg.RateWindow)
	}
	m.calls++
	if m.calls == m.cfg.RateLimit+1 {
		m.ends = now.Add(m.cfg.RateWindow)
	}
	seconds := strconv.FormatInt(int64((m.ends.Sub(now)+time.Second-1)/time.Second), 10)
	h.Set("X-Ratelimit-Limit", strconv.Itoa(m.cfg.RateLimit))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(max(m.cfg.RateLimit-m.calls, 0)))
	h.Set("X-Ratelimit-Reset", seconds)
	if m.calls <= m.cfg.RateLimit {
		return nil
	}
	h.Set("Retry-After", seconds)
	return fail(http.StatusTooManyRequests, codeThrottled, "Please wait and consider throttling your request speed")
}

// overload decides whether a query meets a database that has too much to do.
func (m *simulator) overload() *apiError {
	m.queries++
	every := m.cfg.OverloadEvery > 0 && m.queries%m.cfg.OverloadEvery == 0
	if !every && (m.cfg.Overload == 0 || m.random.Float64() >= m.cfg.Overload) {
		return nil
	}
	texts := [...]string{queuedTooLong, tooMany, "D1 DB exceeded its CPU time limit and was reset.",
		"D1 DB storage operation exceeded timeout which caused object to be reset."}
	return fail(http.StatusTooManyRequests, codeOverload, texts[m.random.IntN(len(texts))])
}
