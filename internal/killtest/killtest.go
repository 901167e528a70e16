// Package killtest is for tests that kill processes in the middle of their work with
// SIGKILL, and look at what is left. SKYLITE_KILLS says how often; a few times if nothing
// does.
package killtest

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Work is what a process does to a file until it is killed. After each piece of work that
// was acknowledged it calls done with a line that says which. It may do so from several
// goroutines.
type Work func(path string, done func(line string)) error

// childEnv holds the file of a process that is to be killed.
const childEnv = "SKYLITE_KILLTEST_FILE"

// Child does the work and ends the process, if it is one that is to be killed. It is for
// TestMain.
func Child(work Work) {
	path := os.Getenv(childEnv)
	if path == "" {
		return
	}
	var mu sync.Mutex
	err := work(path, func(line string) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = os.Stdout.WriteString(line + "\n")
	})
	_, _ = fmt.Fprintln(os.Stderr, "the process should have been killed:", err)
	os.Exit(1)
}

// Rounds returns how often to kill, or few if nobody says so.
func Rounds(few int) int {
	if n, err := strconv.Atoi(os.Getenv("SKYLITE_KILLS")); err == nil {
		return n
	}
	return few
}

// perFile is how many processes in a row find the same file, and so what was left of the one
// before.
const perFile = 20

// Run starts processes that work on a file, kills each at a random moment, and has the file
// checked. lines are those of all the processes that had the file.
func Run(t *testing.T, check func(t *testing.T, path string, lines []string)) {
	t.Helper()
	rounds, acknowledged := Rounds(5), 0
	for done := 0; done < rounds && !t.Failed(); {
		path := filepath.Join(t.TempDir(), "killed.db")
		var lines []string
		for range min(perFile, rounds-done) {
			added := kill(t, path)
			lines = append(lines, added...)
			acknowledged += len(added)
			if _, err := os.Stat(path); err == nil { // else it was killed before it made it
				t.Run(fmt.Sprint("kill ", done+1), func(t *testing.T) { check(t, path, lines) })
			}
			done++
		}
	}
	if acknowledged == 0 {
		t.Error("nothing was acknowledged")
	}
	t.Logf("%d kills; %d pieces of work had been acknowledged", rounds, acknowledged)
}

// kill starts a process, kills it, and returns its lines. One in four is killed before it
// has done anything: while it opens the file and mends what is left of the one before.
func kill(t *testing.T, path string) (lines []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var timer *time.Timer
	end := func(within time.Duration) {
		timer = time.AfterFunc(rand.N(within), func() { _ = cmd.Process.Kill() })
	}
	if rand.N(4) == 0 {
		end(100 * time.Millisecond)
	}
	for scanner := bufio.NewScanner(out); scanner.Scan(); { // also what it said before it ended
		if timer == nil {
			end(150 * time.Millisecond)
		}
		lines = append(lines, scanner.Text())
	}
	if err := cmd.Wait(); cmd.ProcessState.Exited() {
		t.Errorf("the process ended by itself: %v\n%s", err, &stderr)
	}
	if timer != nil {
		timer.Stop()
	}
	return lines
}
