package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// overlap reads without a pause until stop is called: the next Results are open before the
// last are closed, so there is never a moment without a reader.
func overlap(t *testing.T, db *d1.DB, sql string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		var last *d1.Results
		for ctx.Err() == nil {
			next, err := db.Query(context.Background(), sql)
			if err != nil || !next.Next() {
				t.Errorf("%s: %v", sql, err)
				break
			}
			if last != nil {
				last.Close()
			}
			last = next
			time.Sleep(time.Millisecond)
		}
		if last != nil {
			last.Close()
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

func walBytes(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestWALStaysSmall writes 120 MB while others read without a pause, also from replicas.
// The WAL begins anew each time it has some 16 MB.
func TestWALStaysSmall(t *testing.T) {
	t.Parallel()
	for _, replicas := range []int{0, 2} {
		t.Run(fmt.Sprint(replicas, " replicas"), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			db := d1.New(open(t, embedded.Config{Path: path, Sync: embedded.SyncOff, Replicas: replicas, Lag: time.Hour}))
			must(t, db, "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, zeroblob(400000)), (2, 2), (3, 3)")
			for range 2 {
				defer overlap(t, db, "SELECT id FROM t")()
			}
			const mb = 1 << 20
			most := int64(0)
			for i := range 300 {
				must(t, db, fmt.Sprintf("UPDATE t SET a = zeroblob(%d) WHERE id = 1", 400_000+i))
				most = max(most, walBytes(t, path))
			}
			t.Logf("the WAL had %d MB at most", most/mb)
			if most > 60*mb {
				t.Errorf("the WAL grew to %d MB", most/mb)
			}
		})
	}
}

// TestReadersDoNotWaitForTheWAL lets the writer wait for a reader, for as long as it likes.
func TestReadersDoNotWaitForTheWAL(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	backend, err := embedded.OpenWithWaits(embedded.Config{Path: path, Sync: embedded.SyncOff}, time.Second, time.Hour, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	must(t, db, "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)")
	held, err := db.Query(t.Context(), "SELECT a FROM t")
	if err != nil || !held.Next() {
		t.Fatal(err)
	}
	must(t, db, "CREATE TABLE big (a); INSERT INTO big WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT 20) SELECT zeroblob(1000000) FROM c")
	written := make(chan error, 1)
	go func() { // waits for the writer, who waits for the reader
		_, err := db.Run(context.Background(), "INSERT INTO t VALUES (3)")
		written <- err
	}()
	for range 100 {
		if got := column(t, db, "SELECT count(*) FROM big"); got != "20" {
			t.Errorf("%s rows", got)
		}
	}
	select {
	case err := <-written:
		t.Fatalf("the writer has not waited: %v", err)
	default:
	}
	if n := rest(held); n != 1 {
		t.Errorf("the reader saw %d rows more", n)
	}
	held.Close()
	if err := <-written; err != nil {
		t.Error(err)
	}
	if size := walBytes(t, path); size > 70<<20 {
		t.Errorf("the WAL has %d bytes", size)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// TestClose closes a database with Results that nobody closes, and with statements that
// have no end.
func TestClose(t *testing.T) {
	t.Parallel()
	for _, replicas := range []int{0, 1} {
		path := filepath.Join(t.TempDir(), "test.db")
		raw(t, path, "CREATE TABLE t (a); INSERT INTO t VALUES ('one'), ('two')")
		backend, err := embedded.OpenWithWaits(embedded.Config{Path: path, Timeout: -1, Replicas: replicas},
			time.Second, 0, 50*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		db := d1.New(backend)
		session := db.WithSession(d1.FirstUnconstrained)
		forgotten, err := session.Query(t.Context(), "SELECT a FROM t ORDER BY a")
		if err != nil || !forgotten.Next() {
			t.Fatal(err)
		}
		ends := make(chan error, 2)
		for _, sql := range []string{endless, "INSERT INTO t " + endless} {
			go func() {
				_, err := db.Run(context.Background(), sql)
				ends <- err
			}()
		}
		if err := db.Close(); err == nil || !strings.Contains(err.Error(), "Results that nobody has closed") {
			t.Errorf("close: %v", err)
		}
		for range 2 {
			if err := <-ends; !errors.Is(err, d1.ErrClosed) {
				t.Errorf("a statement without end: %v", err)
			}
		}
		if got := string(forgotten.Row()[0].Bytes()); got != "one" {
			t.Errorf("the forgotten row became %q", got)
		}
		if forgotten.Next() || !errors.Is(forgotten.Err(), d1.ErrClosed) {
			t.Errorf("the forgotten Results go on: %v", forgotten.Err())
		}
		forgotten.Close()
		if _, err := db.Run(t.Context(), "SELECT 1"); !errors.Is(err, d1.ErrClosed) {
			t.Errorf("afterwards: %v", err)
		}
		if left, _ := filepath.Glob(path + "-*"); len(left) > 0 {
			t.Errorf("a connection is still open: %v", left)
		}
	}
}
