package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// screen is a terminal on which a shell runs.
type screen struct {
	t   *testing.T
	end *os.File

	mu    sync.Mutex
	shown bytes.Buffer
	seen  int // of shown
}

// typeAt starts a shell on a terminal of its own, with a home of its own.
func typeAt(t *testing.T, binary, home string, args ...string) (*screen, *exec.Cmd) {
	t.Helper()
	end, keyboard, err := openTerminal()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, append([]string{"d1", "shell"}, args...)...)
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "TERM=xterm", "NO_COLOR=1", "PATH=" + os.Getenv("PATH")}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = keyboard, keyboard, keyboard
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := keyboard.Close(); err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, end: end}
	go func() { _, _ = io.Copy(s, end) }() // which ends with the process
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = end.Close() })
	return s, cmd
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.Write(p)
}

// wait waits until a text has been shown, behind what was waited for before, and returns
// what was shown up to it.
func (s *screen) wait(text string) string {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		shown := s.shown.String()
		s.mu.Unlock()
		if i := strings.Index(shown[s.seen:], text); i >= 0 {
			before := shown[s.seen : s.seen+i]
			s.seen += i + len(text)
			return before
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%q did not come; there is %q", text, shown[s.seen:])
		}
	}
}

func (s *screen) enter(keys string) {
	s.t.Helper()
	if _, err := s.end.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

func TestShellOnTerminal(t *testing.T) {
	t.Parallel()
	binary, home := build(t), t.TempDir()
	s, cmd := typeAt(t, binary, home, "file:new.sqlite")
	s.wait("Ctrl-D leaves.")
	s.wait("file> ")

	// A statement of several lines.
	s.enter("CREATE TABLE persons (id INTEGER PRIMARY KEY,\r")
	s.wait(" ...> ")
	s.enter(" name TEXT); INSERT INTO persons (name) VALUES ('Ada'), (NULL);\r")
	s.wait("0 rows, 2 changes in ")
	s.wait("file> ")

	// Completion: a keyword, a table, a column, a dot command.
	s.enter("sel\t")
	s.wait("select")
	s.enter(" nam\t FROM per\t;\r")
	s.wait("persons;")
	s.wait("│ <NULL> │")
	s.wait("2 rows, 0 changes in ")
	s.wait("file> ")
	s.enter(".inde\t\r")
	s.wait(".indexes")
	s.wait("file> ")
	s.enter(".s\t")
	s.wait(".schema  .session")
	s.enter("chema per\t\r")
	s.wait("CREATE TABLE persons")
	s.wait("file> ")

	// An error ends neither the shell nor what is known.
	s.enter("SELECT nmae FROM persons; SELECT 'never';\r")
	s.wait("error: no such column: nmae at offset 7: SQLITE_ERROR\r\n  SELECT nmae FROM persons\r\n         ^\r\n")
	s.wait("file> ")

	// Ctrl-C abandons a line, and a statement of several.
	s.enter("SELECT 'aban\x03")
	s.wait("^C\r\n")
	s.wait("file> ")
	s.enter("SELECT\r")
	s.wait(" ...> ")
	s.enter("\x03")
	s.wait("^C\r\n")
	s.wait("file> ")

	// Ctrl-C interrupts a statement, twice.
	for range 2 {
		s.enter("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c;\r")
		s.wait("FROM c;\r\n")
		time.Sleep(300 * time.Millisecond) // it may come early: then the line is abandoned
		s.enter("\x03")
		s.wait("^C")
		if !strings.Contains(s.wait("file> "), "interrupted") {
			t.Log("Ctrl-C came when nothing ran")
		}
	}

	// What was typed comes back; a line with a space before it does not.
	s.enter(" SELECT 'secret';\r")
	s.wait("│ secret")
	s.wait("file> ")
	s.enter("\x1b[A")
	s.wait("WITH RECURSIVE")
	s.enter("\x15SELECT 6*7;\r")
	s.wait("│  42 │")
	s.wait("file> ")
	s.enter("\x04")
	if err := cmd.Wait(); err != nil {
		t.Errorf("the shell ended with %v", err)
	}
	checkHistory(t, filepath.Join(home, ".local/state/skylite/history"))
}

// checkHistory checks the file of what was typed.
func checkHistory(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "secret") || strings.Contains(string(text), "aban") || !strings.Contains(string(text), "SELECT 6*7;\n") {
		t.Errorf("the history is %s", text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the history's mode is %v, %v", info.Mode(), err)
	}
}

// TestShellEndsBySignal checks that a terminal is left as it was.
func TestShellEndsBySignal(t *testing.T) {
	t.Parallel()
	s, cmd := typeAt(t, build(t), t.TempDir())
	s.wait("memory> ")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.wait("\x1b[?2004l") // pasting is as before
	if err := cmd.Wait(); err == nil {
		t.Error("it ended as if all went well")
	}
}
