package d1test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
)

const endless = "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT count(*) FROM c"

func testContexts(t *testing.T, s suite) {
	db := s.db(t, "CREATE TABLE t (a)")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.Run(cancelled, "INSERT INTO t VALUES (1)"); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: error %v", err)
	}
	for name, sql := range map[string]string{"read": endless, "write": "INSERT INTO t " + endless} {
		if s.opts.Uninterruptible {
			break
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := db.Run(ctx, sql)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: error %v, want the context's", name, err)
		}
	}
	if n, err := d1.First[int](t.Context(), db, "SELECT count(*) FROM t"); err != nil || n != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
	if _, err := db.Run(t.Context(), "INSERT INTO t VALUES (1)"); err != nil {
		t.Errorf("after an interrupted write: %v", err)
	}
}

const numbers = "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d) SELECT i, 'row ' || i FROM c"

func testStreams(t *testing.T, s suite) {
	db := s.db(t, "CREATE TABLE t (a)")
	ctx := t.Context()
	t.Run("many rows", func(t *testing.T) {
		n, sum := 0, int64(0)
		type row struct {
			I    int64
			Text string `d1:"'row ' || i"`
		}
		for r, err := range d1.Each[row](ctx, db, fmt.Sprintf(numbers, 10_000)) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			sum += r.I
			if r.Text != fmt.Sprint("row ", r.I) {
				t.Fatalf("row %d has %q", n, r.Text)
			}
		}
		if n != 10_000 || sum != 50_005_000 {
			t.Errorf("%d rows, sum %d", n, sum)
		}
	})
	t.Run("left early", func(t *testing.T) {
		for range 20 {
			for _, err := range d1.Each[map[string]any](ctx, db, fmt.Sprintf(numbers, 2_000)) {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
		}
	})
	t.Run("writing while reading", func(t *testing.T) {
		for r, err := range d1.Each[map[string]any](ctx, db, fmt.Sprintf(numbers, 100)) {
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Run(ctx, "INSERT INTO t VALUES (?)", r["i"]); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := d1.First[int](ctx, db, "SELECT count(*) FROM t"); err != nil || n != 100 {
			t.Errorf("%d rows, %v", n, err)
		}
	})
	t.Run("an error after some rows", func(t *testing.T) {
		sql := "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 50) " +
			"SELECT CASE WHEN i < 40 THEN i ELSE json('no JSON') END FROM c"
		if _, err := d1.All[int](ctx, db, sql); err == nil {
			t.Error("no error")
		}
	})
	t.Run("a batch read result by result", func(t *testing.T) {
		results, err := db.Do(ctx, d1.Request{Statements: []d1.Statement{
			{SQL: fmt.Sprintf(numbers, 10)}, {SQL: "SELECT 5"}, {SQL: fmt.Sprintf(numbers, 3)},
		}})
		if err != nil {
			t.Fatal(err)
		}
		var counts []int
		for results.NextResult() {
			n := 0
			for n < 4 && results.Next() {
				n++
			}
			counts = append(counts, n)
		}
		if err := results.Close(); err != nil || fmt.Sprint(counts) != "[4 1 3]" {
			t.Errorf("rows %v, %v", counts, err)
		}
	})
}

func testConcurrency(t *testing.T, s suite) {
	db := s.db(t, "CREATE TABLE t (id INTEGER PRIMARY KEY, who INTEGER UNIQUE, n INTEGER); INSERT INTO t VALUES (0, -1, 0)")
	ctx := t.Context()
	const workers, rounds = 8, 20
	var wg sync.WaitGroup
	failed := make(chan error, workers*rounds*3)
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				if _, err := db.Batch(ctx,
					db.Prepare("INSERT INTO t (who, n) VALUES (?, 1)").Bind(w*rounds+i),
					db.Prepare("UPDATE t SET n = n + 1 WHERE id = 0")); err != nil {
					failed <- err
				}
				if _, err := db.Batch(ctx, // fails, and must take nothing with it
					db.Prepare("UPDATE t SET n = n + 1000 WHERE id = 0"),
					db.Prepare("INSERT INTO t (who, n) VALUES (-1, 1)")); err == nil {
					failed <- errors.New("a broken constraint was accepted")
				}
				result, err := db.Batch(ctx, db.Prepare("SELECT count(*) - 1 FROM t"), db.Prepare("SELECT n FROM t WHERE id = 0"))
				if err != nil {
					failed <- err
				} else if result[0].Rows[0][0] != result[1].Rows[0][0] {
					failed <- fmt.Errorf("a batch of reads saw two states: %v, %v", result[0].Rows, result[1].Rows)
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	if n, err := d1.First[int](ctx, db, "SELECT n FROM t WHERE id = 0"); err != nil || n != workers*rounds {
		t.Errorf("the counter is %d, want %d; %v", n, workers*rounds, err)
	}
}

func testSessions(t *testing.T, s suite) {
	db := s.db(t, "CREATE TABLE t (a)")
	for _, start := range []d1.Bookmark{"", d1.FirstPrimary, d1.FirstUnconstrained} {
		session := db.WithSession(start)
		if b := session.Bookmark(); b != "" {
			t.Errorf("a new session has the bookmark %q", b)
		}
		var last d1.Bookmark
		for i := range 3 {
			if _, err := session.Run(t.Context(), "INSERT INTO t VALUES (?)", i); err != nil {
				t.Fatal(err)
			}
			n, err := d1.First[int](t.Context(), session, "SELECT count(*) FROM t")
			if err != nil || n != i+1 {
				t.Errorf("the session reads %d rows after writing %d, %v", n, i+1, err)
			}
			if b := session.Bookmark(); b < last {
				t.Errorf("the bookmark went back from %q to %q", last, b)
			} else {
				last = b
			}
		}
		if _, err := db.Run(t.Context(), "DELETE FROM t"); err != nil {
			t.Fatal(err)
		}
	}
}

func testClose(t *testing.T, s suite) {
	db := s.db(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
	if _, err := db.Run(t.Context(), "SELECT 1"); !errors.Is(err, d1.ErrClosed) || !d1.Unsent(err) {
		t.Errorf("after Close: error %v", err)
	}
}
