package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

const endless = "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT count(*) FROM c"

// asked is a context that tells when it has been asked often, as it is by a request that
// waits inside the engine.
type asked struct {
	context.Context
	times atomic.Int32
	often chan struct{}
}

func (a *asked) Err() error {
	if a.times.Add(1) == 20 {
		close(a.often)
	}
	return a.Context.Err()
}

// holdWriter keeps the writer busy until release is called, so that the requests that come
// meanwhile make a group: the file is locked.
func holdWriter(t *testing.T, backend *embedded.DB, path string) (release func()) {
	t.Helper()
	unlock := lock(t, path)
	first, done := &asked{Context: t.Context(), often: make(chan struct{})}, make(chan struct{})
	go func() {
		defer close(done)
		if _, err := d1.New(backend).Run(first, "DELETE FROM t WHERE false"); err != nil {
			t.Errorf("the first request: %v", err)
		}
	}()
	<-first.often
	return func() {
		unlock()
		<-done
	}
}

// openPatient opens a database that waits long for a file that is locked.
func openPatient(t *testing.T, cfg embedded.Config) *embedded.DB {
	t.Helper()
	backend, err := embedded.OpenWithWaits(cfg, 5*time.Minute, time.Second, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { backend.Close() })
	return backend
}

// awaitQueue waits until n requests wait for the writer to take them.
func awaitQueue(t *testing.T, backend *embedded.DB, n int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); backend.Queued() != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d requests are waiting, want %d", backend.Queued(), n)
		}
	}
}

// runGroup runs requests that are together in a group, and returns their errors.
func runGroup(t *testing.T, backend *embedded.DB, path string, scripts []string) []error {
	t.Helper()
	release := holdWriter(t, backend, path)
	errs := make([]error, len(scripts))
	var wg sync.WaitGroup
	for i, script := range scripts {
		wg.Go(func() { _, errs[i] = d1.New(backend).Exec(t.Context(), script) })
	}
	awaitQueue(t, backend, len(scripts))
	release()
	wg.Wait()
	return errs
}

// TestGroups checks that requests that share a commit each succeed or fail alone.
func TestGroups(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, bad, message string // message is part of the bad request's error, if it has one
	}{
		{"all well", "INSERT INTO t VALUES (100)", ""},
		{"constraint", "INSERT INTO t VALUES (100); INSERT INTO t VALUES (0)", "UNIQUE constraint failed"},
		{"syntax", "INSERT INTO t VALUES (100); PUT", "syntax error"},
		{"OR ROLLBACK", "INSERT INTO t VALUES (100); INSERT OR ROLLBACK INTO t VALUES (0)", "UNIQUE constraint failed"},
		{"OR FAIL", "INSERT OR FAIL INTO t VALUES (100), (0)", "UNIQUE constraint failed"},
		{"RAISE(ROLLBACK)", "INSERT INTO t VALUES (100); INSERT INTO r VALUES (1)", "no way"},
		{"deferred foreign key", "INSERT INTO d VALUES (100)", "FOREIGN KEY constraint failed"},
		{"deferred foreign key made good", "INSERT INTO d VALUES (100); INSERT INTO t VALUES (100)", ""},
		{"pragma", "PRAGMA defer_foreign_keys = ON; INSERT INTO i VALUES (100); INSERT INTO t VALUES (100)", ""},
		{"pragma left violated", "PRAGMA defer_foreign_keys = ON; INSERT INTO i VALUES (100)", "FOREIGN KEY constraint failed"},
		{"pragma with a fault", "PRAGMA ignore_check_constraints = ON; INSERT INTO k VALUES (-1); PUT", "syntax error"},
		{"too large", "INSERT INTO t VALUES (100); INSERT INTO big VALUES (zeroblob(4000000))", "database or disk is full"},
		{"too slow", "INSERT INTO t VALUES (100); INSERT INTO big " + endless, "exceeded timeout"},
		{"schema", "CREATE TABLE new (a); INSERT INTO t VALUES (100)", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			backend := openPatient(t, embedded.Config{Path: path,
				Sync: embedded.SyncOff, MaxBytes: 1 << 20, Timeout: 300 * time.Millisecond})
			db := d1.New(backend)
			must(t, db, `CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (0);
				CREATE TABLE d (a REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED); CREATE TABLE i (a REFERENCES t (a));
				CREATE TABLE r (a); CREATE TABLE k (a CHECK (a > 0)); CREATE TABLE big (a);
				CREATE TRIGGER g AFTER INSERT ON r BEGIN SELECT raise(ROLLBACK, 'no way'); END`)
			scripts := []string{tt.bad}
			for i := range 10 {
				scripts = append(scripts, fmt.Sprintf("INSERT INTO t VALUES (%d)", i+1))
			}
			for i, err := range runGroup(t, backend, path, scripts) {
				switch {
				case i == 0 && tt.message != "":
					if err == nil || !strings.Contains(err.Error(), tt.message) {
						t.Errorf("error %v, want %q", err, tt.message)
					}
				case err != nil:
					t.Errorf("request %d: %v", i, err)
				}
			}
			want := "0,1,2,3,4,5,6,7,8,9,10"
			if tt.message == "" {
				want += ",100"
			}
			if got := column(t, db, "SELECT a FROM t ORDER BY a"); got != want {
				t.Errorf("rows %s, want %s", got, want)
			}
			if _, err := db.Run(t.Context(), "INSERT INTO k VALUES (-1)"); err == nil {
				t.Error("a setting outlived its request")
			}
		})
	}
}

// TestGivenUp checks that a request whose context ends while it waits returns at once,
// and leaves no trace.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	backend := openPatient(t, embedded.Config{Path: path, Sync: embedded.SyncOff, Timeout: -1})
	db := d1.New(backend)
	must(t, db, "CREATE TABLE t (a)")
	release := holdWriter(t, backend, path)
	ctx, cancel := context.WithCancel(t.Context())
	slow := make(chan error, 1)
	go func() { // the first of the group that comes next
		_, err := db.Run(ctx, "INSERT INTO t "+endless)
		slow <- err
	}()
	awaitQueue(t, backend, 1)
	waiting := make(chan error, 3)
	short, cancelShort := context.WithCancel(t.Context())
	for range 3 {
		go func() {
			_, err := db.Run(short, "INSERT INTO t VALUES (1)")
			waiting <- err
		}()
	}
	awaitQueue(t, backend, 4)
	release()
	awaitQueue(t, backend, 0) // the slow one runs now, the others wait in its group
	cancelShort()
	for range 3 {
		select {
		case err := <-waiting:
			if !errors.Is(err, context.Canceled) || !d1.Unsent(err) {
				t.Errorf("error %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("a request waits though its context has ended")
		}
	}
	cancel()
	if err := <-slow; !errors.Is(err, context.Canceled) {
		t.Errorf("the slow request: %v", err)
	}
	if got := column(t, db, "SELECT count(*) FROM t"); got != "0" {
		t.Errorf("%s rows were written", got)
	}
}

// TestTimeout checks the limit on a request's time, which does not count the time that
// a caller takes between two rows.
func TestTimeout(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", filepath.Join(t.TempDir(), "test.db")} {
		db := d1.New(open(t, embedded.Config{Path: path, Sync: embedded.SyncOff, Timeout: 150 * time.Millisecond}))
		must(t, db, "CREATE TABLE t (a)")
		for _, sql := range []string{endless, "INSERT INTO t " + endless} {
			began := time.Now()
			_, err := db.Run(t.Context(), sql)
			if err == nil || !strings.Contains(err.Error(), "exceeded timeout") || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: error %v", sql, err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("%s: it took %v", sql, took)
			}
		}
		results, err := db.Do(t.Context(), d1.Request{Statements: []d1.Statement{
			{SQL: "SELECT 1 UNION ALL SELECT 2"}, {SQL: "SELECT 3"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for results.NextResult() {
			for results.Next() {
				n++
				time.Sleep(100 * time.Millisecond)
			}
		}
		if err := results.Close(); err != nil || n != 3 {
			t.Errorf("%d rows, %v", n, err)
		}
	}
}

// TestBusyReaders checks that writes need no reader, and that a read waits for one no
// longer than its context says.
func TestBusyReaders(t *testing.T) {
	t.Parallel()
	db := d1.New(open(t, embedded.Config{Path: filepath.Join(t.TempDir(), "test.db"), Sync: embedded.SyncOff, Readers: 2}))
	must(t, db, "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)")
	var open []*d1.Results
	for range 2 {
		results, err := db.Query(t.Context(), "SELECT * FROM t")
		if err != nil || !results.Next() {
			t.Fatal(err)
		}
		open = append(open, results)
	}
	must(t, db, "INSERT INTO t VALUES (3)")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := db.Run(ctx, "SELECT 1"); !errors.Is(err, context.DeadlineExceeded) || !d1.Unsent(err) {
		t.Errorf("error %v", err)
	}
	done := make(chan error)
	go func() {
		_, err := db.Run(t.Context(), "SELECT 1")
		done <- err
	}()
	for _, results := range open {
		if n := rest(results); n != 1 {
			t.Errorf("a reader saw %d rows more, want its snapshot's 1", n)
		}
		if err := results.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func rest(results *d1.Results) (n int) {
	for results.Next() {
		n++
	}
	return n
}

func must(t testing.TB, db *d1.DB, script string) {
	t.Helper()
	if _, err := db.Exec(context.Background(), script); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

// column returns the first column of a query's rows.
func column(t testing.TB, db *d1.DB, sql string, args ...any) string {
	t.Helper()
	got, err := d1.All[string](context.Background(), db, sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return strings.Join(got, ",")
}
