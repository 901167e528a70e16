package server_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/server"
)

// large is a number from the environment, or few in an ordinary run.
func large(variable string, few int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return few
}

// connections are few, or SKYLITE_CONNECTIONS.
func connections(few int) int { return large("SKYLITE_CONNECTIONS", few) }

// resources tells what this process holds, where the system says so.
func resources() string {
	files, _ := os.ReadDir("/proc/self/fd")
	status, _ := os.ReadFile("/proc/self/status")
	rss := "?"
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			rss = strings.TrimSpace(value)
		}
	}
	return fmt.Sprintf("%d files, %s resident, %d goroutines", len(files), rss, runtime.NumGoroutine())
}

func openFiles(t *testing.T) int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("the system does not say which files are open")
	}
	return len(files)
}

// TestManyDatabases makes databases in one folder, 10,000 if SKYLITE_DATABASES says so, and
// uses each. It is not parallel, since it counts the files that the process has open.
func TestManyDatabases(t *testing.T) {
	n := large("SKYLITE_DATABASES", 60)
	const maxOpen = 8
	before := openFiles(t)
	dir := t.TempDir()
	a, stop := serve(t, server.Config{DataDir: dir, MaxOpen: maxOpen})
	lap := laps(t, n)
	ids := make([]string, n)
	for i := range ids {
		ids[i] = a.create(fmt.Sprint("db-", i))
	}
	lap("made")
	for i, id := range ids {
		a.mustSQL(id, fmt.Sprintf("CREATE TABLE t (x); INSERT INTO t VALUES (%d)", i))
	}
	lap("written to")
	for i, id := range ids {
		if got := a.mustSQL(id, "SELECT x FROM t"); !strings.Contains(got, fmt.Sprintf(`{"x":%d}`, i)) {
			t.Fatalf("database %d: %s", i, got)
		}
	}
	lap("read from")
	// A connection has three files, and each open database at most a writer and a few readers.
	if most := before + 3*4*maxOpen + 40; openFiles(t) > most {
		t.Errorf("%d files are open, %d at most were to be", openFiles(t), most)
	}
	status, got := a.do("GET", databases+"?per_page=100&page=1", "")
	if status != 200 || !strings.Contains(got, fmt.Sprintf(`"total_count":%d`, n)) {
		t.Errorf("%d %.300s", status, got)
	}
	lap("listed (100 of them)")
	if err := stop(); err != nil {
		t.Error(err)
	}
	again, _ := serve(t, server.Config{DataDir: dir, MaxOpen: maxOpen})
	if got := again.mustSQL(ids[n-1], "SELECT x FROM t"); !strings.Contains(got, fmt.Sprintf(`{"x":%d}`, n-1)) {
		t.Errorf("after a restart: %s", got)
	}
	lap("stopped, started and read from one")
}

// laps returns what logs the time since it was called last, for all and for each of n.
func laps(t *testing.T, n int) func(what string) {
	last := time.Now()
	return func(what string) {
		t.Helper()
		took := time.Since(last)
		t.Logf("%d databases %s: %v, %v each; %s", n, what, took.Round(time.Millisecond),
			(took / time.Duration(n)).Round(time.Microsecond), resources())
		last = time.Now()
	}
}

// TestLargeDatabase fills a database with as many MB as SKYLITE_LARGE_MB says, 10,000 for as
// large as D1's may be, and reads all of it through the API.
func TestLargeDatabase(t *testing.T) {
	mb := large("SKYLITE_LARGE_MB", 64)
	a, _ := serve(t, server.Config{DataDir: t.TempDir(), QueryTimeout: -1})
	id := a.create("large")
	a.mustSQL(id, "CREATE TABLE t (id INTEGER PRIMARY KEY, x)")
	lap := laps(t, 1)
	for written := 0; written < mb; written += 32 {
		a.mustSQL(id, "INSERT INTO t (x) WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c LIMIT 32) SELECT zeroblob(1000000) FROM c")
	}
	lap(fmt.Sprint("with ", mb, " MB written"))
	rows := (mb + 31) / 32 * 32
	if got := a.mustSQL(id, "SELECT count(*) n, sum(length(x)) bytes FROM t"); !strings.Contains(got, fmt.Sprintf(`{"n":%d,"bytes":%d}`, rows, rows*1_000_000)) {
		t.Errorf("got %s", got)
	}
	lap("summed up")
	for _, at := range []int{1, rows / 2, rows} {
		if got := a.mustSQL(id, fmt.Sprintf("SELECT length(x) n FROM t WHERE id = %d", at)); !strings.Contains(got, `{"n":1000000}`) {
			t.Errorf("row %d: %s", at, got)
		}
	}
	lap("read from in three places")
	a.mustSQL(id, "DELETE FROM t WHERE id % 2 = 0; CREATE INDEX i ON t (length(x))")
	lap("with half deleted and an index made")
	if got := a.mustSQL(id, "PRAGMA quick_check"); !strings.Contains(got, `"ok"`) {
		t.Errorf("got %s", got)
	}
	lap("checked")
}
