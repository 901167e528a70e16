package embedded

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skylite-go/skylite/d1"
)

// TestBeforeWrite refuses writes, alone and in groups, and lets reads through.
func TestBeforeWrite(t *testing.T) {
	t.Parallel()
	errNo := errors.New("not now")
	var refuse atomic.Bool
	backend, err := Open(Config{Path: filepath.Join(t.TempDir(), "a.sqlite"), BeforeWrite: func() error {
		if refuse.Load() {
			return errNo
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	defer db.Close()
	if _, err := db.Exec(t.Context(), "CREATE TABLE t (a); INSERT INTO t VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	refuse.Store(true)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for _, sql := range []string{"INSERT INTO t VALUES (2)", "PRAGMA foreign_keys = OFF", fmt.Sprintf("CREATE TABLE t%d (a)", i)} {
				if _, err := db.Run(t.Context(), sql); !errors.Is(err, errNo) || !d1.Unsent(err) {
					t.Errorf("%s: %v", sql, err)
				}
			}
			if n, err := d1.First[int](t.Context(), db, "SELECT count(*) FROM t"); err != nil || n != 1 {
				t.Errorf("%d rows, %v", n, err)
			}
		})
	}
	wg.Wait()
	refuse.Store(false)
	if _, err := db.Run(t.Context(), "INSERT INTO t VALUES (2)"); err != nil {
		t.Errorf("after it: %v", err)
	}
	if n, err := d1.First[int](t.Context(), db, "SELECT count(*) FROM sqlite_master"); err != nil || n != 1 {
		t.Errorf("%d tables, %v", n, err)
	}
}
