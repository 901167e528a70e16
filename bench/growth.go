package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/kv"
	kvond1 "github.com/skylite-go/skylite/kv/ond1"
	"github.com/skylite-go/skylite/memory"
	memoryond1 "github.com/skylite-go/skylite/memory/ond1"
)

// curve is what an operation costs as the data grow.
type curve struct {
	Name   string
	Sizes  []int
	Median []float64 // nanoseconds
}

// grower is data that grow, and operations whose cost should not.
type grower interface {
	grow(ctx context.Context, from, to int) error
	operations() []operation
}

type operation struct {
	name string
	do   func(ctx context.Context, size, i int) error
}

// growth measures operations at sizes of 1,000 and up, ten times as many each time. Rows,
// which are made fast, go on to ten times the largest size.
func growth(ctx context.Context, largest int) ([]curve, error) {
	var curves []curve
	for i, open := range []func(*d1.DB) (grower, error){openRows, openKeys, openMessages} {
		size := largest
		if i == 0 {
			size *= 10
		}
		more, err := growOne(ctx, size, open)
		if err != nil {
			return nil, err
		}
		curves = append(curves, more...)
	}
	return curves, nil
}

func growOne(ctx context.Context, largest int, open func(*d1.DB) (grower, error)) ([]curve, error) {
	dir, err := os.MkdirTemp("", "skylite-growth-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	backend, err := embedded.Open(embedded.Config{Path: filepath.Join(dir, "growth.db"), Sync: embedded.SyncOff, Timeout: -1})
	if err != nil {
		return nil, err
	}
	db := d1.New(backend)
	defer db.Close()
	g, err := open(db)
	if err != nil {
		return nil, err
	}
	var curves []curve
	for _, op := range g.operations() {
		curves = append(curves, curve{Name: op.name})
	}
	for from, size := 0, 1000; size <= largest; from, size = size, 10*size {
		if err := g.grow(ctx, from, size); err != nil {
			return nil, fmt.Errorf("grow to %d: %w", size, err)
		}
		for i, op := range g.operations() {
			median, err := timed(ctx, op, size)
			if err != nil {
				return nil, fmt.Errorf("%s at %d: %w", op.name, size, err)
			}
			curves[i].Sizes = append(curves[i].Sizes, size)
			curves[i].Median = append(curves[i].Median, median)
		}
	}
	return curves, nil
}

// timed returns the median of many single runs, at places spread over the data.
func timed(ctx context.Context, op operation, size int) (float64, error) {
	const runs = 501
	var times []float64
	for i := range runs {
		began := time.Now()
		if err := op.do(ctx, size, i); err != nil {
			return 0, err
		}
		times = append(times, float64(time.Since(began)))
	}
	median, _, _ := spread(times)
	return median, nil
}

// place is a place in the data that differs with i.
func place(size, i int) int { return i * 7919 % size }

type rows struct{ db *d1.DB }

func openRows(db *d1.DB) (grower, error) {
	_, err := db.Exec(context.Background(), "CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER, title TEXT); "+
		"CREATE INDEX posts_author ON posts (author, id)")
	return rows{db}, err
}

func (r rows) grow(ctx context.Context, from, to int) error {
	_, err := r.db.Run(ctx, `INSERT INTO posts WITH RECURSIVE c (i) AS (SELECT ? UNION ALL SELECT i + 1 FROM c WHERE i < ?)
		SELECT i, i % 100, 'a post with the number ' || i FROM c`, int64(from+1), int64(to))
	return err
}

func (r rows) operations() []operation {
	return []operation{
		{"D1: a row by its key", func(ctx context.Context, size, i int) error {
			return r.read(ctx, 1, "SELECT * FROM posts WHERE id = ?", int64(place(size, i)+1))
		}},
		{"D1: a page of 20 by an index", func(ctx context.Context, size, i int) error {
			// The first half of the data, so that a page is always full.
			return r.read(ctx, 20, "SELECT * FROM posts WHERE author = ? AND id > ? ORDER BY id LIMIT 20",
				int64(0), int64(place(size, i)/2*9/10-2000))
		}},
		{"D1: insert a row", func(ctx context.Context, size, i int) error {
			_, err := r.db.Run(ctx, "INSERT INTO posts VALUES (?, ?, 'a post')", int64(1_000_000_000+size*10+i), int64(1))
			return err
		}},
	}
}

func (r rows) read(ctx context.Context, want int, sql string, args ...any) error {
	results, err := r.db.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	n := 0
	for results.Next() {
		n++
	}
	err = results.Close()
	if want > 1 && n > 0 && n < want { // near the end of few data
		n = want
	}
	return enough(n, want, err)
}

type keys struct{ ns *kvond1.Namespace }

func openKeys(db *d1.DB) (grower, error) {
	ns, err := kvond1.New(db, kvond1.Config{})
	return keys{ns}, err
}

func keyName(i int) string { return fmt.Sprintf("user:%09d", i) }

func (k keys) grow(ctx context.Context, from, to int) error {
	const batch = 1000
	writes := make([]kv.Write, batch)
	for ; from < to; from += batch {
		for j := range writes {
			writes[j] = kv.Write{Key: keyName(from + j), Value: []byte("a value of some thirty bytes")}
		}
		if err := k.ns.Batch(ctx, writes); err != nil {
			return err
		}
	}
	return nil
}

func (k keys) operations() []operation {
	return []operation{
		{"KV: get", func(ctx context.Context, size, i int) error {
			_, err := k.ns.Get(ctx, keyName(place(size, i)))
			return err
		}},
		{"KV: put", func(ctx context.Context, size, i int) error {
			return k.ns.Put(ctx, keyName(place(size, i)), []byte("another value"), kv.PutOptions{})
		}},
		{"KV: a page of 100 keys", func(ctx context.Context, size, i int) error {
			page, err := k.ns.List(ctx, kv.ListOptions{Prefix: keyName(place(size, i) / 100)[:12], Limit: 100})
			if err == nil && len(page.Keys) == 0 {
				err = fmt.Errorf("an empty page")
			}
			return err
		}},
	}
}

type messages struct{ store *memoryond1.Store }

func openMessages(db *d1.DB) (grower, error) {
	store, err := memoryond1.New(db, memoryond1.Config{})
	if err != nil {
		return nil, err
	}
	_, err = store.SaveThread(context.Background(), memory.Thread{ID: "t", ResourceID: "r"})
	return messages{store}, err
}

func (m messages) grow(ctx context.Context, from, to int) error {
	const batch = 1000
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	all := make([]memory.Message, batch)
	for ; from < to; from += batch {
		for j := range all {
			at := began.Add(time.Duration(from+j) * time.Second)
			all[j] = memory.Message{ID: fmt.Sprintf("m%09d", from+j), ThreadID: "t", ResourceID: "r", Role: "user",
				CreatedAt: at, Content: memory.TextContent("a message of some length, as people write them")}
		}
		if _, err := m.store.SaveMessages(ctx, all); err != nil {
			return err
		}
	}
	return nil
}

func (m messages) operations() []operation {
	return []operation{
		{"memory: the last 20 messages", func(ctx context.Context, size, i int) error {
			last, err := memory.Last(ctx, m.store, "t", 20)
			return enough(len(last), 20, err)
		}},
		{"memory: save a message", func(ctx context.Context, size, i int) error {
			_, err := m.store.SaveMessages(ctx, []memory.Message{{ID: fmt.Sprintf("n%d-%d", size, i), ThreadID: "t", ResourceID: "r",
				Role: "user", Content: memory.TextContent("a new message")}})
			return err
		}},
	}
}

func printGrowth(out io.Writer, curves []curve) {
	fmt.Fprint(out, "\n| operation |")
	for _, size := range curves[0].Sizes {
		fmt.Fprintf(out, " %d |", size)
	}
	fmt.Fprint(out, "\n|---|")
	for range curves[0].Sizes {
		fmt.Fprint(out, "--:|")
	}
	for _, c := range curves {
		fmt.Fprintf(out, "\n| %s |", c.Name)
		for i := range curves[0].Sizes { // those of rows, the longest
			figure := ""
			if i < len(c.Median) {
				figure = duration(c.Median[i])
			}
			fmt.Fprintf(out, " %s |", figure)
		}
	}
	fmt.Fprintln(out)
}
