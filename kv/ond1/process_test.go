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
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/ond1"
)

const writerVariable = "SKYLITE_TEST_KV_WRITER"

// TestMain lets the test be the process that is killed.
func TestMain(m *testing.M) {
	if path := os.Getenv(writerVariable); path != "" {
		if err := writeBatches(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1) // it should have been killed
	}
	os.Exit(m.Run())
}

const batchKeys = 40

// writeBatches writes one number to many keys at once, and then the next, and says which it
// has written.
func writeBatches(path string) error {
	backend, err := embedded.Open(embedded.Config{Path: path})
	if err != nil {
		return err
	}
	ns, err := ond1.New(d1.New(backend), ond1.Config{})
	if err != nil {
		return err
	}
	for n := 1; n < 100_000; n++ {
		writes := make([]kv.Write, batchKeys)
		for i := range writes {
			// Some are in chunks.
			writes[i] = kv.Write{Key: fmt.Sprint("k", i), Value: []byte(fmt.Sprintf("%d %s", n, strings.Repeat("x", i*50)))}
		}
		if err := ns.Batch(context.Background(), writes); err != nil {
			return err
		}
		fmt.Println(n)
	}
	return nil
}

// TestKilledInBatches kills a process that writes batches: each is there as a whole or not
// at all, and what was acknowledged is there.
func TestKilledInBatches(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	for round := range 4 {
		acknowledged := killWriter(t, path, 3+5*round)
		backend, err := embedded.Open(embedded.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		db := d1.New(backend)
		ns, err := ond1.New(db, ond1.Config{})
		if err != nil {
			t.Fatal(err)
		}
		keys := make([]string, batchKeys)
		for i := range keys {
			keys[i] = fmt.Sprint("k", i)
		}
		values, err := ns.GetMany(t.Context(), keys)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{}
		for _, value := range values {
			n := 0
			if _, err := fmt.Sscan(string(value), &n); err != nil {
				t.Errorf("value %.20q: %v", value, err)
			}
			seen[n] = true
			if n < acknowledged {
				t.Errorf("batch %d was acknowledged, and %d is there", acknowledged, n)
			}
		}
		if len(seen) != 1 {
			t.Errorf("parts of batches: %v", seen)
		}
		if orphans, err := d1.First[int](t.Context(), db, "SELECT (SELECT count(*) FROM _kv_entries_chunks) - (SELECT sum(chunks) FROM _kv_entries)"); err != nil || orphans != 0 {
			t.Errorf("%d chunks without a key, %v", orphans, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killWriter runs a writer until it has acknowledged some batches, kills it, and returns the
// last that it acknowledged.
func killWriter(t *testing.T, path string, batches int) (last int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), writerVariable+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == batches {
			cancel() // kill -9, while it writes the next; what it has printed is still read
		}
		_, _ = fmt.Sscan(lines.Text(), &last)
	}
	_ = cmd.Wait()
	if last < batches {
		t.Fatalf("it wrote %d batches", last)
	}
	return last
}
