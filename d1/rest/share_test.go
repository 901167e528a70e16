package rest_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/rest"
)

func TestNeighboursAreNotSpoiled(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	q := newQueue(t, rest.Config{}, f)
	q.hold(holdRead)
	for i := range 30 {
		q.add(func() {
			if i%10 == 3 {
				_, err := q.All(t.Context(), "SELECT ?, nowhere", i)
				e, _ := errors.AsType[*d1.Error](err)
				if e == nil || e.Offset != len("SELECT ?, ") || e.Statement != 0 || !strings.Contains(e.Message, "nowhere") {
					t.Errorf("request %d: %+v", i, err)
				}
				return
			}
			var n int
			if err := q.First(t.Context(), "SELECT ? * 2", i).Scan(&n); err != nil || n != 2*i {
				t.Errorf("request %d: got %d, %v", i, n, err)
			}
		})
	}
	q.pass()
	// All 30, 4 of 8, and of each with a bad one 4 of 2, then both of these alone.
	if n := len(q.sent()); n > 1+4+3*4+3*2 {
		t.Errorf("%d requests", n)
	}
	// What has failed is let in again when it has done better, though only its first row is read.
	bad := func() { q.First(t.Context(), "SELECT ?, nowhere", 1).Scan(new(int), new(int)) }
	waits := func() bool {
		q.hold(holdRead)
		defer q.pass()
		return q.waits(bad)
	}
	if waits() {
		t.Error("what had failed shares")
	}
	f.mu.Lock()
	f.rewrite = strings.NewReplacer("nowhere", "1 AS nowhere")
	f.mu.Unlock()
	if waits() || !waits() {
		t.Error("what has done better does not share, or does too soon")
	}
}

func TestSharedWrites(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.conn.Exec("CREATE TABLE t (id INTEGER PRIMARY KEY)")
	q := newQueue(t, rest.Config{Group: rest.GroupAll}, f)
	q.hold(holdWrite)
	for i := range 20 {
		q.add(func() {
			meta, err := q.Run(t.Context(), "INSERT INTO t VALUES (?)", max(i, 2)) // 0, 1 and 2 are the same
			switch {
			case err == nil && (meta.LastRowID != int64(max(i, 2)) || meta.Changes != 1):
				t.Errorf("write %d: %+v", i, meta)
			case i > 2 && err != nil, err != nil && !strings.Contains(err.Error(), "UNIQUE"):
				t.Errorf("write %d: %v", i, err)
			}
		})
	}
	q.pass()
	if n := len(q.sent()); n > 1+4+4+5+4 {
		t.Errorf("%d requests", n)
	}
	if r, err := q.All(t.Context(), "SELECT count(*), min(id), max(id) FROM t"); err != nil || fmt.Sprint(r.Rows) != "[[18 2 19]]" {
		t.Errorf("got %v, %v", r, err)
	}
}

// TestSharedWritesOfUnknownOutcome: the answer is lost, and nothing is sent again.
func TestSharedWritesOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"dropped": drop, "cut": cut, "5xx": status(502, "<html>"), "no JSON": status(200, "nothing"),
		"reset":           status(429, apiFailure(7429, "D1 DB exceeded its CPU time limit and was reset.")),
		"too few results": status(200, written),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, rest.Config{Group: rest.GroupAll}, handler)
			q.hold(holdWrite)
			for range 5 {
				q.add(func() {
					if _, err := q.Run(t.Context(), "DELETE FROM t"); !d1.Ambiguous(err) || d1.Retryable(err) {
						t.Errorf("got %+v", err)
					}
				})
			}
			q.pass()
			if n := len(q.sent()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestSharedFaults: what befalls a POST of reads.
func TestSharedFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		handler   http.HandlerFunc
		requests  int // of 8 reads
		retryable bool
	}{
		{"auth", status(401, apiFailure(10000, "Authentication error")), 1, false},
		{"quota", status(400, apiFailure(7500, "Your account has exceeded D1's free tier daily row read limit. …")), 1, false},
		{"5xx storm", status(502, "<html>"), 4, true},
		{"limited", status(429, apiFailure(971, "Please wait")), 4, true},
		{"cut", cut, 4, true},
		{"html", status(200, "<html>"), 1, false},
		{"sql", status(400, apiFailure(7500, "no such table: t: SQLITE_ERROR")), 1 + 4 + 8, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, rest.Config{}, tt.handler)
			q.hold(holdRead)
			for range 8 {
				q.add(func() {
					_, err := q.All(t.Context(), "SELECT * FROM t")
					if err == nil || d1.Retryable(err) != tt.retryable || d1.Ambiguous(err) {
						t.Errorf("got %+v", err)
					}
				})
			}
			q.pass()
			if n := len(q.sent()); n != tt.requests {
				t.Errorf("%d requests, want %d", n, tt.requests)
			}
		})
	}
}

// TestSharedResultsAreCounted: should the service see another number of statements than were
// sent, nobody is given another's rows.
func TestSharedResultsAreCounted(t *testing.T) {
	t.Parallel()
	q := newQueue(t, rest.Config{}, status(200, selected))
	q.hold(holdRead)
	for range 6 {
		q.add(func() {
			if r, err := q.All(t.Context(), "SELECT * FROM t"); err != nil || fmt.Sprint(r.Rows) != "[[1 x]]" {
				t.Errorf("got %v, %v", r, err)
			}
		})
	}
	q.pass()
	if n := len(q.sent()); n != 1+3+6 {
		t.Errorf("%d requests", n)
	}
}

// TestLongAnswersGoAlone: an answer that is too long to be shared costs its neighbours one
// request, once.
func TestLongAnswersGoAlone(t *testing.T) {
	t.Parallel()
	q := newQueue(t, rest.Config{}, newFake(t))
	const long = "SELECT printf('%.*c', ?, 'x')"
	q.hold(holdRead)
	for i := range 12 {
		q.add(func() {
			if i != 5 {
				if _, err := q.All(t.Context(), "SELECT ?", i); err != nil {
					t.Error(err)
				}
				return
			}
			var text string
			if err := q.First(t.Context(), long, rest.MaxSharedAnswer+1).Scan(&text); err != nil || len(text) != rest.MaxSharedAnswer+1 {
				t.Errorf("%d bytes, %v", len(text), err)
			}
		})
	}
	q.pass()
	if sent := q.sent(); len(sent) != 3 {
		t.Errorf("%d requests: %.300q", len(sent), sent)
	}
	for _, tt := range []struct {
		bytes int
		waits bool
	}{{5, false}, {5, true}, {100_000, true}, {5, false}} {
		q.hold(holdRead)
		if waits := q.waits(func() { q.Run(t.Context(), long, tt.bytes) }); waits != tt.waits {
			t.Errorf("%d bytes: waits %v, want %v", tt.bytes, waits, tt.waits)
		}
		q.pass()
	}
}

// TestSlowReaderHoldsNobodyUp: what several share is in memory when the first reads it.
func TestSlowReaderHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	q := newQueue(t, rest.Config{}, newFake(t))
	results := make([]*d1.Results, 3)
	q.hold(holdRead)
	for i := range results {
		q.add(func() {
			var err error
			if results[i], err = q.Query(t.Context(), "SELECT ? UNION ALL SELECT 'a\"b'", i); err != nil {
				t.Error(err)
			}
		})
	}
	q.pass()
	for _, i := range slices.Backward([]int{0, 1, 2}) {
		var got []string
		for results[i].Next() {
			v, _ := results[i].Row()[0].Any()
			got = append(got, fmt.Sprint(v))
		}
		if err := results[i].Close(); err != nil || fmt.Sprint(got) != fmt.Sprintf("[%d a\"b]", i) {
			t.Errorf("reader %d: %v, %v", i, got, err)
		}
	}
}
