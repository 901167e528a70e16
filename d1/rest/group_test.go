package rest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/rest"
)

// queue is a database over a server that keeps the requests of hold until pass.
type queue struct {
	*d1.DB
	rest *rest.DB
	t    *testing.T
	next http.Handler
	all  sync.WaitGroup

	mu     sync.Mutex
	open   chan bool // closed when the request of hold may pass
	held   int
	bodies []string // of what came but the request of hold
}

func newQueue(t *testing.T, cfg rest.Config, next http.Handler) *queue {
	t.Helper()
	q := &queue{t: t, next: next}
	server := httptest.NewServer(q)
	t.Cleanup(server.Close)
	cfg.API.BaseURL, cfg.DatabaseID = server.URL, uuid
	cfg.API.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	if cfg.GroupWait == 0 {
		cfg.GroupWait = time.Hour
	}
	q.rest = openAt(t, cfg)
	q.DB = d1.New(q.rest)
	return q
}

func (q *queue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	q.mu.Lock()
	open := q.open
	if strings.Contains(string(body), "hold") {
		q.held++
	} else {
		q.bodies = append(q.bodies, string(body))
		open = nil
	}
	q.mu.Unlock()
	if open != nil {
		<-open
		io.WriteString(w, selected)
		return
	}
	q.next.ServeHTTP(w, r)
}

// sent returns what came since it was last called.
func (q *queue) sent() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	bodies := q.bodies
	q.bodies = nil
	return bodies
}

// until waits for something that other goroutines are about to do.
func (q *queue) until(done func() bool) {
	q.t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); runtime.Gosched() {
		if time.Now().After(end) {
			q.t.Fatal("waited in vain")
		}
	}
}

// hold sends a request that stays under way until pass.
func (q *queue) hold(sql string) {
	q.t.Helper()
	q.mu.Lock()
	q.open, q.held = make(chan bool), 0
	q.mu.Unlock()
	q.all.Go(func() {
		if _, err := q.Run(q.t.Context(), sql); err != nil {
			q.t.Errorf("%s: %v", sql, err)
		}
	})
	q.until(func() bool { q.mu.Lock(); defer q.mu.Unlock(); return q.held > 0 })
}

const (
	holdRead  = "SELECT 'hold'"
	holdWrite = "DELETE FROM hold"
)

// add makes a request wait behind the one that is held.
func (q *queue) add(request func()) {
	q.t.Helper()
	before := q.rest.Waiting()
	q.all.Go(request)
	q.until(func() bool { return q.rest.Waiting() > before })
}

// pass lets the request that is held end, and waits for all.
func (q *queue) pass() {
	close(q.open)
	q.all.Wait()
}

// waits reports whether a request waits for the one that is held; another one is answered.
func (q *queue) waits(request func()) bool {
	done := make(chan bool)
	q.all.Go(func() { request(); close(done) })
	waits := false
	q.until(func() bool {
		waits = q.rest.Waiting() > 0
		select {
		case <-done:
			return true
		default:
			return waits
		}
	})
	return waits
}

func TestThousandReadsLeaveTogether(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	if err := f.conn.Exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, v);
		WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999) INSERT INTO t SELECT i, 'row ' || i FROM n`); err != nil {
		t.Fatal(err)
	}
	var sent atomic.Int64
	db := d1.New(open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent.Add(1)
		time.Sleep(10 * time.Millisecond)
		f.ServeHTTP(w, r)
	})))
	var all sync.WaitGroup
	begin := make(chan bool)
	for i := range 1000 {
		all.Go(func() {
			<-begin
			var v string
			if err := db.First(t.Context(), "SELECT v FROM t WHERE id = ?", i).Scan(&v); err != nil || v != fmt.Sprint("row ", i) {
				t.Errorf("row %d: got %q, %v", i, v, err)
			}
		})
	}
	close(begin)
	all.Wait()
	t.Logf("%d requests", sent.Load())
	if sent.Load() > 20 {
		t.Errorf("1,000 reads left in %d requests", sent.Load())
	}
}

func TestNeighboursAreNotSpoiled(t *testing.T) {
	t.Parallel()
	q := newQueue(t, rest.Config{}, newFake(t))
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
	// What has failed is let in again when it has done better.
	q.hold(holdRead)
	bad := func() { q.All(t.Context(), "SELECT ?, nowhere", 1) }
	if q.waits(bad) {
		t.Error("what had failed shares")
	}
	q.pass()
}

func TestWhatWaits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		group rest.Grouping
		hold  string
		sql   []string
		want  bool
	}{
		{"a read behind a read", rest.GroupReads, holdRead, []string{"SELECT 1"}, true},
		{"two reads", rest.GroupReads, holdRead, []string{"SELECT 1", "SELECT 2"}, true},
		{"grouping off", rest.GroupNone, holdRead, []string{"SELECT 1"}, false},
		{"a pragma", rest.GroupReads, holdRead, []string{"PRAGMA case_sensitive_like(1)"}, false},
		{"a pragma that SQLite obeys when it is explained", rest.GroupReads, holdRead, []string{"EXPLAIN PRAGMA case_sensitive_like(1)"}, false},
		{"a semicolon that D1 may stumble over", rest.GroupReads, holdRead, []string{"SELECT 1 /* ; */"}, false},
		{"a long text", rest.GroupReads, holdRead, []string{"SELECT '" + strings.Repeat("x", 80_000) + "'"}, false},
		{"a read behind a write", rest.GroupAll, holdWrite, []string{"SELECT 1"}, false},
		{"a write behind a read", rest.GroupAll, holdRead, []string{"DELETE FROM t"}, false},
		{"a write behind a write", rest.GroupAll, holdWrite, []string{"DELETE FROM t"}, true},
		{"a write, unasked", rest.GroupReads, holdWrite, []string{"DELETE FROM t"}, false},
		{"a batch", rest.GroupAll, holdWrite, []string{"DELETE FROM t", "DELETE FROM t"}, false},
		{"a schema", rest.GroupAll, holdWrite, []string{"CREATE TABLE IF NOT EXISTS t (i)"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.conn.Exec("CREATE TABLE t (i)")
			q := newQueue(t, rest.Config{Group: tt.group}, f)
			q.hold(tt.hold)
			got := q.waits(func() {
				var batch []*d1.Stmt
				for _, sql := range tt.sql {
					batch = append(batch, q.Prepare(sql))
				}
				if _, err := q.Batch(t.Context(), batch...); err != nil {
					t.Error(err)
				}
			})
			if got != tt.want {
				t.Errorf("waits: %v", got)
			}
			q.pass()
		})
	}
}

func TestFreshnessIsNotMixed(t *testing.T) {
	t.Parallel()
	q := newQueue(t, rest.Config{}, newFake(t))
	q.hold(holdRead)
	if q.waits(func() { q.WithSession(d1.FirstUnconstrained).Run(t.Context(), "SELECT 1") }) {
		t.Error("a session waits for a read of the primary")
	}
	if !q.waits(func() { q.WithSession(d1.FirstPrimary).Run(t.Context(), "SELECT 1") }) {
		t.Error("a session on the primary does not share")
	}
	q.pass()
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

func TestWhoGivesUpStopsNobody(t *testing.T) {
	t.Parallel()
	arrived, ended := make(chan bool), make(chan bool)
	f := newFake(t)
	q := newQueue(t, rest.Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- true
		select {
		case <-ended:
			f.ServeHTTP(w, r)
		case <-r.Context().Done():
			arrived <- false
		}
	}))
	read := func(ctx context.Context, sql string, outcome d1.Outcome) func() {
		return func() {
			_, err := q.All(ctx, sql)
			e, _ := errors.AsType[*d1.Error](err)
			if ctx.Err() != nil && (!errors.Is(err, ctx.Err()) || e == nil || e.Outcome != outcome || d1.Retryable(err)) || ctx.Err() == nil && err != nil {
				t.Errorf("%s: got %+v", sql, err)
			}
		}
	}
	t.Run("some", func(t *testing.T) {
		waits, gone := context.WithCancel(t.Context())
		flies, landed := context.WithCancel(t.Context())
		q.hold(holdRead)
		q.add(read(waits, "SELECT 'gone before'", d1.OutcomeUnsent))
		q.add(read(flies, "SELECT 'gone meanwhile'", d1.OutcomeRefused))
		q.add(read(t.Context(), "SELECT 'stays'", 0))
		gone()
		q.until(func() bool { return q.rest.Waiting() == 2 })
		close(q.open)
		<-arrived
		landed()
		ended <- true
		q.all.Wait()
		if sent := q.sent(); len(sent) != 1 || strings.Contains(sent[0], "before") || !strings.Contains(sent[0], "stays") {
			t.Errorf("sent %q", sent)
		}
	})
	t.Run("all", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		q.hold(holdRead)
		q.add(read(ctx, "SELECT 1", d1.OutcomeRefused))
		q.add(read(ctx, "SELECT 2", d1.OutcomeRefused))
		close(q.open)
		<-arrived
		cancel()
		if <-arrived {
			t.Error("the request goes on")
		}
		q.all.Wait()
	})
}

// TestNobodyWaitsForLong: a slow request holds the others up for GroupWait.
func TestNobodyWaitsForLong(t *testing.T) {
	t.Parallel()
	q := newQueue(t, rest.Config{GroupWait: time.Millisecond}, newFake(t))
	q.hold(holdRead)
	var others sync.WaitGroup
	for range 10 {
		others.Go(func() {
			if _, err := q.All(t.Context(), "SELECT 1"); err != nil {
				t.Error(err)
			}
		})
	}
	others.Wait() // while the first is still under way
	q.pass()
}

// TestFullGroupsLeave: what fills a POST waits for nothing.
func TestFullGroupsLeave(t *testing.T) {
	t.Parallel()
	q := newQueue(t, rest.Config{}, newFake(t))
	q.hold(holdRead)
	var others sync.WaitGroup
	for range 400 {
		others.Go(func() {
			if _, err := q.All(t.Context(), "SELECT 1"); err != nil {
				t.Error(err)
			}
		})
	}
	others.Wait()
	if n := len(q.sent()); n != 2 {
		t.Errorf("%d requests", n)
	}
	q.pass()
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

// BenchmarkLone measures what grouping costs a request that has no company.
func BenchmarkLone(b *testing.B) {
	for name, group := range map[string]rest.Grouping{"grouped": rest.GroupReads, "apart": rest.GroupNone} {
		b.Run(name, func(b *testing.B) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				io.WriteString(w, selected)
			}))
			b.Cleanup(server.Close)
			cfg := rest.Config{DatabaseID: uuid, Group: group}
			cfg.API.BaseURL = server.URL
			db := d1.New(openAt(b, cfg))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := db.Run(b.Context(), "SELECT ?", 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
