package rest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/rest"
	"github.com/skylite-go/skylite/internal/faults"
	"github.com/skylite-go/skylite/server"
)

// ledger is a database on a real server, whose table shows what has been written, and what
// the writers were told.
type ledger struct {
	url, id string
	front   *httptest.Server
	clean   *d1.DB // without faults

	mu   sync.Mutex
	told map[string]told
}

// told is what became of the rows with a token, by the client.
type told struct {
	rows int
	err  error
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	srv, err := server.New(server.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	l := &ledger{front: httptest.NewServer(srv), told: make(map[string]told)}
	t.Cleanup(l.front.Close)
	l.url = l.front.URL + "/client/v4"
	inProcess := cloudflare.Config{APIToken: token, BaseURL: l.url, HTTPClient: &http.Client{Transport: srv.Transport()}}
	list, err := rest.NewDatabases(rest.Config{API: inProcess, AccountID: account})
	if err != nil {
		t.Fatal(err)
	}
	made, err := list.Create(t.Context(), "ledger", rest.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l.id = made.UUID
	l.clean = d1.New(openAt(t, rest.Config{API: inProcess, DatabaseID: l.id}))
	if _, err := l.clean.Exec(t.Context(), "CREATE TABLE ledger (token TEXT); CREATE TABLE counter (n); INSERT INTO counter VALUES (0)"); err != nil {
		t.Fatal(err)
	}
	return l
}

// client returns the database over a transport.
func (l *ledger) client(t *testing.T, next http.RoundTripper, group rest.Grouping) *d1.DB {
	cfg := rest.Config{DatabaseID: l.id, Group: group}
	cfg.API.BaseURL, cfg.API.HTTPClient = l.url, &http.Client{Transport: next}
	cfg.API.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return d1.New(openAt(t, cfg))
}

func (l *ledger) note(token string, rows int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told[token] = told{rows, err}
}

// check compares what is in the ledger with what was told, when all is quiet. It returns
// how often which was told, and what had become of it.
func (l *ledger) check(t *testing.T, twice func(token string) bool) map[string]int {
	t.Helper()
	l.front.Close() // waits for what is still under way
	r, err := l.clean.All(t.Context(), "SELECT token, count(*) FROM ledger GROUP BY token")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]int)
	for _, row := range r.Rows {
		rows[row[0].(string)] = int(row[1].(int64))
	}
	seen := make(map[string]int)
	for token, told := range l.told {
		got := rows[token]
		if twice(token) && got == 2*told.rows {
			got = told.rows
		}
		done := "none"
		if got == told.rows && got > 0 {
			done = "all"
		}
		kind := "refused"
		switch {
		case told.err == nil:
			kind = "done"
		case d1.Unsent(told.err):
			kind = "unsent"
		case d1.Ambiguous(told.err):
			kind = "ambiguous"
		}
		seen[kind+" "+done]++
		if got != 0 && got != told.rows || kind == "done" && got != told.rows || kind != "done" && kind != "ambiguous" && got != 0 {
			t.Errorf("%s: %d rows of %d, and the writer was told %v", token, rows[token], told.rows, told.err)
		}
		if _, ok := errors.AsType[*d1.Error](told.err); told.err != nil && !ok {
			t.Errorf("%s: not an error of d1: %v", token, told.err)
		}
	}
	var counted, entered int
	if err := l.clean.First(t.Context(), "SELECT n, (SELECT count(*) FROM ledger WHERE token LIKE 'commit%') FROM counter").Scan(&counted, &entered); err != nil || counted != entered {
		t.Errorf("%d transactions were counted and %d entered, %v", counted, entered, err)
	}
	t.Logf("%v", seen)
	return seen
}

// operations are what is done in chaos, each with the rows that it enters: what begins it,
// and what ends it, which is what is cut.
var operations = []struct {
	name  string
	rows  int
	begin func(ctx context.Context, db *d1.DB, token string) (end func() error, err error)
}{
	{"write", 1, func(ctx context.Context, db *d1.DB, token string) (func() error, error) {
		return func() error {
			_, err := db.Run(ctx, "INSERT INTO ledger VALUES (?)", token)
			return err
		}, nil
	}},
	{"read", 0, func(ctx context.Context, db *d1.DB, token string) (func() error, error) {
		return func() error {
			r, err := db.All(ctx, "SELECT ?, n >= 0 FROM counter", token)
			if err == nil && fmt.Sprint(r.Rows) != "[["+token+" 1]]" {
				return fmt.Errorf("read %v", r.Rows)
			}
			return err
		}, nil
	}},
	{"batch", 2, func(ctx context.Context, db *d1.DB, token string) (func() error, error) {
		return func() error {
			insert := db.Prepare("INSERT INTO ledger VALUES (?)").Bind(token)
			_, err := db.Batch(ctx, insert, db.Prepare("SELECT 1"), insert)
			return err
		}, nil
	}},
	{"commit", 1, func(ctx context.Context, db *d1.DB, token string) (func() error, error) {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return nil, err
		}
		var n int
		if err = tx.First(ctx, "SELECT n FROM counter").Scan(&n); err == nil {
			if _, err = tx.Run(ctx, "UPDATE counter SET n = ?", n+1); err == nil {
				_, err = tx.Exec(ctx, "INSERT INTO ledger VALUES (?)", token)
			}
		}
		if err != nil {
			return nil, errors.Join(err, tx.Rollback())
		}
		return func() error { return tx.Commit(ctx) }, nil
	}},
}

// TestCutAtEveryByte cuts a connection at every byte of what is sent and of what is
// received: a new one, and at every seventh byte, or with SKYLITE_CHAOS every one, a
// connection that has served before and loses what it is given in silence.
func TestCutAtEveryByte(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	t.Run("all", func(t *testing.T) {
		for _, op := range operations {
			t.Run(op.name, func(t *testing.T) {
				t.Parallel()
				for _, used := range []bool{false, true} {
					step := 1
					if testing.Short() || used && os.Getenv("SKYLITE_CHAOS") == "" {
						step = 7
					}
					token := func(what string, i int) string { return fmt.Sprintf("%s, %s %d, used %v", op.name, what, i, used) }
					sent, received := l.cutOne(t, token("whole", 0), op.rows, op.begin, faults.Whole, used)
					for i := 0; i <= sent; i += step {
						l.cutOne(t, token("sent", i), op.rows, op.begin, faults.Cut{Sent: i, Received: -1, Silent: used}, used)
					}
					for i := 0; i <= received; i += step {
						l.cutOne(t, token("received", i), op.rows, op.begin, faults.Cut{Sent: -1, Received: i}, used)
					}
				}
			})
		}
	})
	seen := l.check(t, func(string) bool { return false })
	for _, kind := range []string{"done all", "ambiguous all", "ambiguous none"} {
		if seen[kind] == 0 {
			t.Errorf("nothing was %s; the faults are not what they should be", kind)
		}
	}
}

// cutOne does an operation, and ends it over a connection that is cut and whole ones after it.
func (l *ledger) cutOne(t *testing.T, token string, rows int, begin func(context.Context, *d1.DB, string) (func() error, error), cut faults.Cut, used bool) (sent, received int) {
	var next atomic.Pointer[faults.Cut]
	wire := &faults.Wire{Next: func() faults.Cut {
		if cut := next.Swap(nil); cut != nil {
			return *cut
		}
		return faults.Whole
	}}
	transport := &http.Transport{DialContext: wire.DialContext}
	defer transport.CloseIdleConnections()
	db := l.client(t, transport, rest.GroupReads)
	if used {
		if err := db.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	end, err := begin(t.Context(), db, token)
	if err != nil {
		t.Fatal(err)
	}
	if wire.CutNow(cut) == 0 {
		next.Store(&cut)
	}
	wire.Bytes()
	err = end()
	l.note(token, rows, err)
	if rows == 0 && err != nil && !d1.Retryable(err) {
		t.Errorf("%s: a read: %v", token, err)
	}
	return wire.Bytes()
}

// TestStorm does a mixture of everything while everything goes wrong. SKYLITE_CHAOS is how
// many operations there are, and SKYLITE_SEED repeats a storm.
func TestStorm(t *testing.T) {
	t.Parallel()
	number, seed := 400, rand.Uint64()
	if n, err := strconv.Atoi(os.Getenv("SKYLITE_CHAOS")); err == nil {
		number = n
	}
	if n, err := strconv.ParseUint(os.Getenv("SKYLITE_SEED"), 10, 64); err == nil {
		seed = n
	}
	for name, group := range map[string]rest.Grouping{"none": rest.GroupNone, "reads": rest.GroupReads, "all": rest.GroupAll} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Logf("SKYLITE_SEED=%d", seed)
			l := newLedger(t)
			wire, storm := storming(seed)
			db := l.client(t, storm, group)
			var all sync.WaitGroup
			for worker := range 16 {
				dice := rand.New(rand.NewPCG(seed, uint64(worker)))
				all.Go(func() {
					for i := range number / 16 {
						op := operations[dice.IntN(len(operations))]
						token := fmt.Sprintf("%s %d.%d;", op.name, worker, i)
						if dice.IntN(20) == 0 {
							wire.CloseAll()
						}
						ctx, cancel := context.WithCancel(t.Context())
						if dice.IntN(10) == 0 { // somebody who does not wait
							ctx, cancel = context.WithTimeout(ctx, time.Duration(dice.IntN(3000))*time.Microsecond)
						}
						err := d1.Retry(ctx, 50, func() error {
							end, err := op.begin(ctx, db, token)
							if err != nil {
								return err
							}
							return end()
						})
						cancel()
						if op.rows == 0 && (d1.Ambiguous(err) || err != nil && strings.HasPrefix(err.Error(), "read ")) {
							t.Errorf("%s: %v", token, err)
						}
						l.note(token, op.rows, err)
					}
				})
			}
			all.Wait()
			l.check(t, storm.Twice)
			t.Log(storm.Counts())
		})
	}
}

// storming returns a transport in which everything goes wrong, and the wire below it.
func storming(seed uint64) (*faults.Wire, *faults.Storm) {
	var mu sync.Mutex
	dice := rand.New(rand.NewPCG(seed, 1<<32))
	wire := &faults.Wire{Next: func() faults.Cut {
		mu.Lock()
		defer mu.Unlock()
		cut := faults.Whole
		switch dice.IntN(6) {
		case 0:
			cut = faults.Cut{Sent: dice.IntN(2000), Received: -1, Silent: dice.IntN(2) == 0}
		case 1:
			cut = faults.Cut{Sent: -1, Received: dice.IntN(4000)}
		}
		return cut
	}}
	storm := faults.NewStorm(&http.Transport{DialContext: wire.DialContext, MaxIdleConnsPerHost: 16}, seed, 0.4)
	storm.Duplicates = true
	return wire, storm
}
