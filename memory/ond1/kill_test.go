//go:build unix

package ond1_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/memory"
	"github.com/skylite-go/skylite/memory/ond1"
)

const childEnv = "SKYLITE_MEMORY_TEST_CHILD"

// TestMain makes the test binary another process that saves messages without end, if it
// is told a database's path.
func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		fmt.Println("child:", child(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// perCall is how many messages a call of the child saves.
const perCall = 20

// child saves messages and prints a line for each call that was acknowledged.
func child(path string) error {
	backend, err := embedded.Open(embedded.Config{Path: path})
	if err != nil {
		return err
	}
	s, err := ond1.New(d1.New(backend), ond1.Config{Large: ond1.LargeChunk})
	if err != nil {
		return err
	}
	ctx := context.Background()
	if _, err := s.SaveThread(ctx, memory.Thread{ID: "t", ResourceID: "r"}); err != nil {
		return err
	}
	for call := 0; ; call++ {
		messages := many("t", call*perCall, perCall)
		// One of them is in chunks, so that a call writes to several tables.
		messages[0].Content = []byte(`"` + strings.Repeat("x", 2_500_000) + `"`)
		if _, err := s.SaveMessages(ctx, messages); err != nil {
			return err
		}
		fmt.Println(call)
	}
}

// TestKill kills a process in the middle of saving: of each call all is there, or nothing,
// and what was acknowledged is there.
func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kill.db")
	saved := 0
	for round := range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		acknowledged := 0
		for acknowledged <= round && lines.Scan() {
			acknowledged++
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it said before it ended
			acknowledged++
		}
		_ = cmd.Wait()
		if acknowledged == 0 {
			t.Fatal("the child saved nothing")
		}
		s := open(t, database(t, path), ond1.Config{})
		page, err := s.ListMessages(t.Context(), memory.MessageQuery{ThreadIDs: []string{"t"}, PerPage: memory.All})
		if err != nil {
			t.Fatal(err) // chunks that are missing are an error too
		}
		if n := len(page.Messages); n%perCall != 0 || n < acknowledged*perCall || n < saved {
			t.Errorf("%d messages are there; %d calls of %d were acknowledged", n, acknowledged, perCall)
		}
		saved = len(page.Messages)
	}
}
