//go:build unix

package embedded_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// travelChild writes until it is killed, or 40 rows if it is told to end, and prints who
// it is, a number, and the bookmark of each state that it has made. Some of its writes do
// not fit into the engine's cache.
func travelChild(path, who string) error {
	backend, err := embedded.Open(embedded.Config{Path: path, Retention: time.Hour})
	if err != nil {
		return err
	}
	db := d1.New(backend)
	for i := 1; !strings.HasPrefix(who, "ends") || i <= 40; i++ {
		session := db.WithSession(d1.FirstPrimary)
		statements := []*d1.Stmt{session.Prepare("INSERT INTO log (who, n) VALUES (?, ?)").Bind(who, i)}
		if i%7 == 0 {
			statements = append(statements, session.Prepare(`INSERT INTO big WITH RECURSIVE c (i) AS (
				SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 900) SELECT randomblob(3000) FROM c`))
		}
		if i%7 == 2 {
			statements = append(statements, session.Prepare("DELETE FROM big"))
		}
		if _, err := session.Batch(context.Background(), statements...); err != nil {
			return err
		}
		fmt.Println(who, i, session.Bookmark())
	}
	return db.Close()
}

// travelers is a database whose states several processes make.
type travelers struct {
	t     *testing.T
	path  string
	mu    sync.Mutex
	marks []mark // dump is who wrote last, and what
}

func newTravelers(t *testing.T) *travelers {
	tr := &travelers{t: t, path: filepath.Join(t.TempDir(), "test.db")}
	db := d1.New(tr.open())
	must(t, db, "CREATE TABLE log (id INTEGER PRIMARY KEY, who, n); CREATE TABLE big (data)")
	db.Close()
	return tr
}

func (tr *travelers) open() *embedded.DB {
	return open(tr.t, embedded.Config{Path: tr.path, Retention: time.Hour})
}

// run runs a child, and calls a function for each state that it has made. It returns when
// the child has ended.
func (tr *travelers) run(who string, made func(n int, kill func() error)) {
	cmd, lines := runChild(tr.t, tr.path, who)
	for n := 1; lines.Scan(); n++ {
		parts := strings.Split(lines.Text(), " ")
		if len(parts) != 3 {
			tr.t.Errorf("line %q", lines.Text())
			continue
		}
		tr.mu.Lock()
		tr.marks = append(tr.marks, mark{bookmark: d1.Bookmark(parts[2]), dump: parts[0] + " " + parts[1]})
		tr.mu.Unlock()
		made(n, cmd.Process.Kill)
	}
	_ = cmd.Wait()
}

// check goes to some of the states, and back to the newest.
func (tr *travelers) check(states int) {
	tr.t.Helper()
	backend := tr.open()
	defer backend.Close()
	newest, err := backend.BookmarkAt(tr.t.Context(), time.Time{})
	if err != nil {
		tr.t.Fatal(err)
	}
	for range states {
		m := tr.marks[rand.IntN(len(tr.marks))]
		if _, err := backend.Restore(tr.t.Context(), m.bookmark); err != nil {
			tr.t.Fatalf("restore %s: %v", m.dump, err)
		}
		if got := column(tr.t, d1.New(backend), "SELECT who || ' ' || n FROM log ORDER BY id DESC LIMIT 1"); got != m.dump {
			tr.t.Errorf("state %q, want %q", got, m.dump)
		}
		dump(tr.t, tr.path)
	}
	if _, err := backend.Restore(tr.t.Context(), newest); err != nil {
		tr.t.Fatal(err)
	}
}

// TestTravelAfterKill kills a process that writes, again and again: its history stays
// whole. SKYLITE_KILLS says how often.
func TestTravelAfterKill(t *testing.T) {
	t.Parallel()
	kills := 4
	if n, err := strconv.Atoi(os.Getenv("SKYLITE_KILLS")); err == nil {
		kills = n
	}
	tr := newTravelers(t)
	for round := range kills {
		after := 1 + rand.IntN(30)
		tr.run(fmt.Sprintf("round%d", round), func(n int, kill func() error) {
			if n == after {
				time.Sleep(time.Duration(rand.IntN(4000)) * time.Microsecond)
				if err := kill(); err != nil {
					t.Error(err)
				}
			}
		})
		tr.check(3)
	}
}

// TestTravelAmongProcesses lets processes write to one file at the same time, which have
// one history.
func TestTravelAmongProcesses(t *testing.T) {
	t.Parallel()
	tr := newTravelers(t)
	var wg sync.WaitGroup
	for p := range 3 {
		wg.Go(func() { tr.run(fmt.Sprint("ends", p), func(int, func() error) {}) })
	}
	wg.Wait()
	if len(tr.marks) != 120 {
		t.Errorf("%d states", len(tr.marks))
	}
	tr.check(20)
}
