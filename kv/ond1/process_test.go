//go:build unix

package ond1_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/internal/killtest"
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/ond1"
)

// TestMain lets the test be the process that is killed.
func TestMain(m *testing.M) {
	killtest.Child(writeBatches)
	os.Exit(m.Run())
}

const (
	batchWriters = 3
	batchKeys    = 40
)

func openFile(path string) (*d1.DB, *ond1.Namespace, error) {
	backend, err := embedded.Open(embedded.Config{Path: path})
	if err != nil {
		return nil, nil, err
	}
	db := d1.New(backend)
	ns, err := ond1.New(db, ond1.Config{})
	return db, ns, err
}

// writeBatches has several writers. Each writes one number to many keys at once, and then
// the next, and makes a line of each that it has written.
func writeBatches(path string, done func(line string)) error {
	_, ns, err := openFile(path)
	if err != nil {
		return err
	}
	ends := make(chan error)
	for who := range batchWriters {
		go func() {
			first, err := lastBatch(ns, who)
			for n := first + 1; err == nil; n++ {
				if err = ns.Batch(context.Background(), batch(who, n)); err == nil {
					done(fmt.Sprint(who, " ", n))
				}
			}
			ends <- err
		}()
	}
	return <-ends
}

func batchKey(who, i int) string { return fmt.Sprintf("w%d/k%d", who, i) }

func batch(who, n int) []kv.Write {
	writes := make([]kv.Write, batchKeys)
	for i := range writes {
		// Some are in chunks.
		writes[i] = kv.Write{Key: batchKey(who, i), Value: []byte(fmt.Sprintf("%d %s", n, strings.Repeat("x", i*50)))}
	}
	if n%2 == 0 {
		return append(writes, kv.Write{Key: batchKey(who, -1), Delete: true})
	}
	return append(writes, kv.Write{Key: batchKey(who, -1), Value: []byte(fmt.Sprint(n))})
}

// lastBatch returns the number of the batch that is there. An error says that it is not whole.
func lastBatch(ns *ond1.Namespace, who int) (int, error) {
	var keys []string
	for i := range batchKeys + 1 {
		keys = append(keys, batchKey(who, i-1))
	}
	values, err := ns.GetMany(context.Background(), keys)
	if err != nil || values[keys[1]] == nil {
		return 0, err
	}
	last := 0
	if _, err := fmt.Sscan(string(values[keys[1]]), &last); err != nil {
		return 0, err
	}
	for _, write := range batch(who, last) {
		if got := values[write.Key]; (got == nil) != write.Delete || string(got) != string(write.Value) {
			return 0, fmt.Errorf("batch %d of writer %d is not whole: the key %s has %.20q", last, who, write.Key, got)
		}
	}
	return last, nil
}

// TestKills kills writers of batches: each is there as a whole or not at all, and what was
// acknowledged is there.
func TestKills(t *testing.T) {
	t.Parallel()
	killtest.Run(t, func(t *testing.T, path string, lines []string) {
		db, ns, err := openFile(path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var acknowledged [batchWriters]int
		for _, line := range lines {
			var who, n int
			if _, err := fmt.Sscan(line, &who, &n); err != nil {
				t.Fatal(err)
			}
			acknowledged[who] = max(acknowledged[who], n)
		}
		for who, want := range acknowledged {
			if last, err := lastBatch(ns, who); err != nil || last < want {
				t.Errorf("writer %d was acknowledged %d batches, and the last is %d; %v", who, want, last, err)
			}
		}
		if len(lines) == 0 { // perhaps there are no tables yet
			return
		}
		const orphans = "SELECT (SELECT count(*) FROM _kv_entries_chunks) - (SELECT sum(chunks) FROM _kv_entries)"
		if n, err := d1.First[int](t.Context(), db, orphans); err != nil || n != 0 {
			t.Errorf("%d chunks without a key, %v", n, err)
		}
		if got, err := d1.First[string](t.Context(), db, "PRAGMA quick_check"); err != nil || got != "ok" {
			t.Errorf("quick_check: %s, %v", got, err)
		}
	})
}
