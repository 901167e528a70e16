//go:build unix

package embedded_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

const childEnv = "SKYLITE_EMBEDDED_TEST_CHILD"

// TestMain makes the test binary another process that uses a database, if it is told
// so: the database's path, who it is, and how many rows it writes (0 for no end).
func TestMain(m *testing.M) {
	if task := os.Getenv(childEnv); task != "" {
		if err := child(strings.Split(task, "\n")); err != nil {
			fmt.Println("child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child writes rows, reads each back, and prints a line for each that was acknowledged.
func child(task []string) error {
	if len(task) == 2 {
		return travelChild(task[0], task[1])
	}
	path, who := task[0], task[1]
	rows, _ := strconv.Atoi(task[2])
	syscall.Umask(0)
	backend, err := embedded.Open(embedded.Config{Path: path})
	if err != nil {
		return err
	}
	db := d1.New(backend)
	ctx := context.Background()
	if _, err := db.Exec(ctx, "CREATE TABLE IF NOT EXISTS t (who, n, UNIQUE (who, n))"); err != nil {
		return err
	}
	for i := 1; rows == 0 || i <= rows; i++ {
		if _, err := db.Run(ctx, "INSERT INTO t (who, n) VALUES (?, ?)", who, i); err != nil {
			return fmt.Errorf("write %d: %w", i, err)
		}
		fmt.Println(i)
		n, err := d1.First[int](ctx, db, "SELECT count(*) FROM t WHERE who = ?", who)
		if err != nil || n != i {
			return fmt.Errorf("read %d: %d rows, %w", i, n, err)
		}
	}
	return db.Close()
}

func startChild(t *testing.T, path, who string, rows int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	return runChild(t, path, who, strconv.Itoa(rows))
}

func runChild(t *testing.T, task ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join(task, "\n"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, bufio.NewScanner(out)
}

// TestProcesses runs several processes on one new file, which all begin at once.
func TestProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	const processes, rows = 4, 40
	var wg sync.WaitGroup
	for p := range processes {
		cmd, lines := startChild(t, path, fmt.Sprint("child ", p), rows)
		wg.Go(func() {
			last := ""
			for lines.Scan() {
				last = lines.Text()
			}
			if err := cmd.Wait(); err != nil || last != strconv.Itoa(rows) {
				t.Errorf("process %d: %v, last line %q", p, err, last)
			}
		})
	}
	wg.Wait()
	db := d1.New(open(t, embedded.Config{Path: path}))
	if got := column(t, db, "SELECT count(*) FROM t"); got != strconv.Itoa(processes*rows) {
		t.Errorf("%s rows, want %d", got, processes*rows)
	}
	checkModes(t, dir, 3)
}

// TestKilledProcess kills a process that writes, while this one reads and writes too.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	db := d1.New(open(t, embedded.Config{Path: path}))
	must(t, db, "CREATE TABLE t (who, n, UNIQUE (who, n))")
	for round := range 3 {
		who := fmt.Sprint("child ", round)
		cmd, lines := startChild(t, path, who, 0)
		acknowledged, begun := make(chan int), make(chan bool)
		go func() {
			last := 0
			for lines.Scan() {
				if n, err := strconv.Atoi(lines.Text()); err == nil {
					if last == 0 {
						close(begun)
					}
					last = n
				}
			}
			if last == 0 {
				close(begun)
			}
			acknowledged <- last
		}()
		<-begun
		for i := range 20 {
			if _, err := db.Run(t.Context(), "INSERT INTO t (who, n) VALUES (?, ?)", "parent "+who, i); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		last := <-acknowledged
		_ = cmd.Wait()
		if last == 0 {
			t.Error("the child wrote nothing")
		}
		if got := column(t, db, "SELECT count(*) FROM t WHERE who = ? AND n <= ?", who, last); got != strconv.Itoa(last) {
			t.Errorf("of %d acknowledged rows %s are there", last, got)
		}
		must(t, db, "INSERT INTO t VALUES ('after', "+strconv.Itoa(round)+")")
	}
	checkModes(t, dir, 3)
	if got := column(t, db, "PRAGMA quick_check"); got != "ok" {
		t.Errorf("quick_check: %s", got)
	}
	if got := column(t, db, "SELECT count(*) FROM t WHERE who LIKE 'parent%'"); got != "60" {
		t.Errorf("%s rows of the parent's", got)
	}
}

// TestLocked checks that a writer that another process keeps out says so in the end, and
// lets the callers go that no longer want to wait.
func TestLocked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	backend, err := embedded.OpenWithLockWait(embedded.Config{Path: path, Sync: embedded.SyncOff}, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	db := d1.New(backend)
	must(t, db, "CREATE TABLE t (a)")
	unlock := lock(t, path)
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := db.Run(ctx, "INSERT INTO t VALUES (1)"); !d1.Unsent(err) || time.Since(began) > 4*time.Second {
		t.Errorf("error %v after %v", err, time.Since(began))
	}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			_, err := db.Run(t.Context(), "INSERT INTO t VALUES (2)")
			if !d1.Unsent(err) || !d1.Retryable(err) || !strings.Contains(err.Error(), "locked by another process") {
				t.Errorf("error %v", err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	unlock()
	must(t, db, "INSERT INTO t VALUES (3)")
	if got := column(t, db, "SELECT a FROM t"); got != "3" {
		t.Errorf("rows %s", got)
	}
}
