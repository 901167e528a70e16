package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/internal/catalog"
)

func open(t *testing.T, cfg catalog.Config) *catalog.Catalog {
	t.Helper()
	c, err := catalog.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func create(t *testing.T, c *catalog.Catalog, name string) catalog.Database {
	t.Helper()
	db, err := c.Create(t.Context(), catalog.Database{Name: name, Region: "WEUR", Replication: "disabled"})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func run(t *testing.T, c *catalog.Catalog, id, sql string) {
	t.Helper()
	h, err := c.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	results, err := h.Do(t.Context(), d1.Request{Statements: []d1.Statement{{SQL: sql}}})
	if err != nil {
		t.Fatal(err)
	}
	for results.NextResult() {
	}
	if err := results.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLifeOfADatabase(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"", filepath.Join(t.TempDir(), "new", "data")} {
		t.Run("in "+filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			c := open(t, catalog.Config{Dir: dir})
			a, b := create(t, c, "Alpha"), create(t, c, "beta")
			if _, err := c.Create(ctx, catalog.Database{Name: "beta"}); !errors.Is(err, catalog.ErrExists) {
				t.Errorf("a name was given twice: %v", err)
			}
			run(t, c, a.ID, "CREATE TABLE t (x)")
			if got, err := c.ByName(ctx, "Alpha"); err != nil || got != a {
				t.Errorf("by name: %+v, %v; want %+v", got, err, a)
			}
			if got, err := c.Get(ctx, strings.ToUpper(b.ID)); err != nil || got != b {
				t.Errorf("by id: %+v, %v", got, err)
			}
			page, total, err := c.List(ctx, catalog.Filter{Contains: "A"}, 1, 10)
			if err != nil || total != 2 || len(page) != 1 || page[0] != b {
				t.Errorf("list: %+v of %d, %v", page, total, err)
			}
			if got, err := c.SetReplication(ctx, a.ID, "auto"); err != nil || got.Replication != "auto" {
				t.Errorf("update: %+v, %v", got, err)
			}
			if err := c.Delete(ctx, a.ID); err != nil {
				t.Error(err)
			}
			if err := c.Delete(ctx, a.ID); !errors.Is(err, catalog.ErrNotFound) {
				t.Errorf("deleted twice: %v", err)
			}
			if _, err := c.Open(ctx, a.ID); !errors.Is(err, catalog.ErrNotFound) {
				t.Errorf("opened after its end: %v", err)
			}
			create(t, c, "Alpha")
		})
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	c := open(t, catalog.Config{Dir: dir})
	db := create(t, c, "a")
	run(t, c, db.ID, "CREATE TABLE t (x)")
	n := 0
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		want := os.FileMode(0o600)
		if err == nil && info.IsDir() {
			want = 0o700
		}
		if n++; err == nil && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil || n < 5 {
		t.Errorf("%d files, %v", n, err)
	}
	if err := c.Delete(t.Context(), db.ID); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "d1", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := open(t, catalog.Config{Dir: dir})
	db := create(t, c, "a")
	run(t, c, db.ID, "CREATE TABLE t (x)")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, catalog.Config{Dir: dir})
	if got, err := again.ByName(t.Context(), "a"); err != nil || got != db {
		t.Errorf("got %+v, %v", got, err)
	}
	run(t, again, db.ID, "SELECT * FROM t")
}

func TestTwoOnOneFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two := open(t, catalog.Config{Dir: dir}), open(t, catalog.Config{Dir: dir})
	var wg sync.WaitGroup
	var made atomic.Int32
	for i := range 8 {
		wg.Go(func() {
			c := []*catalog.Catalog{one, two}[i%2]
			_, err := c.Create(context.Background(), catalog.Database{Name: "same"})
			if err == nil {
				made.Add(1)
			} else if !errors.Is(err, catalog.ErrExists) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Fatalf("the name was taken %d times", made.Load())
	}
	db, err := two.ByName(t.Context(), "same")
	if err != nil {
		t.Fatal(err)
	}
	run(t, one, db.ID, "CREATE TABLE t (x)")
	run(t, two, db.ID, "INSERT INTO t VALUES (1)")
	if err := one.Delete(t.Context(), db.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Open(t.Context(), db.ID); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("the other process still has it: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "d1", "*.sqlite*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// counted counts how many backends are open.
type counted struct {
	d1.Backend
	open *atomic.Int32
}

func (c counted) Close() error {
	c.open.Add(-1)
	return c.Backend.Close()
}

func TestBoundedAndNeverClosedInUse(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int32
	c := open(t, catalog.Config{
		Dir: t.TempDir(), MaxOpen: 3, Wait: 50 * time.Millisecond,
		OpenFile: func(path string, _ catalog.Database) (d1.Backend, error) {
			b, err := embedded.Open(embedded.Config{Path: path, Sync: embedded.SyncOff})
			if err != nil {
				return nil, err
			}
			most.Store(max(most.Load(), now.Add(1)))
			return counted{b, &now}, nil
		},
	})
	var ids []string
	for i := range 6 {
		ids = append(ids, create(t, c, fmt.Sprint("db", i)).ID)
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for _, id := range ids {
				run(t, c, id, "CREATE TABLE IF NOT EXISTS t (x)")
			}
		})
	}
	wg.Wait()
	if most.Load() > 3 {
		t.Errorf("%d were open at once", most.Load())
	}
	var handles []*catalog.Handle
	for _, id := range ids[:3] {
		h, err := c.Open(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		handles = append(handles, h)
	}
	if _, err := c.Open(t.Context(), ids[5]); !errors.Is(err, catalog.ErrBusy) {
		t.Errorf("got %v", err)
	}
	time.AfterFunc(10*time.Millisecond, func() { handles[0].Close(); handles[0].Close() })
	h, err := c.Open(t.Context(), ids[5])
	if err != nil {
		t.Fatal(err)
	}
	h.Close()
	// What is deleted while it is in use goes on until it is given back.
	if err := c.Delete(t.Context(), ids[1]); err != nil {
		t.Fatal(err)
	}
	results, err := handles[1].Do(t.Context(), d1.Request{Statements: []d1.Statement{{SQL: "SELECT * FROM t"}}})
	if err != nil {
		t.Fatal(err)
	}
	results.Close()
	before := now.Load()
	handles[1].Close()
	handles[2].Close()
	if now.Load() != before-1 {
		t.Errorf("the deleted database is still open")
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	c := open(t, catalog.Config{MaxDatabases: 1})
	create(t, c, "a")
	if _, err := c.Create(t.Context(), catalog.Database{Name: "b"}); !errors.Is(err, catalog.ErrFull) {
		t.Errorf("got %v", err)
	}
}

func TestBadFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	junk := strings.Repeat("this is no database ", 100)
	write("junk/catalog.sqlite", junk)
	write("inner/d1", "")
	tests := []struct{ name, dir, want string }{
		{"a file", write("file", ""), "is a file, not a folder"},
		{"a file inside", filepath.Join(dir, "inner"), "is a file, not a folder"},
		{"a list that is no database", filepath.Join(dir, "junk"), "not a database"},
		{"no place for folders", "/proc/skylite", "/proc/skylite"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := catalog.New(catalog.Config{Dir: tt.dir})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := open(t, catalog.Config{Dir: dir, MaxOpen: 1})
	a, b, other := create(t, c, "a"), create(t, c, "b"), create(t, c, "other")
	run(t, c, other.ID, "SELECT 1") // and so a and b are closed
	path := filepath.Join(dir, "d1", a.ID+".sqlite")
	if err := os.WriteFile(path, []byte(strings.Repeat("junk", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "d1", b.ID+".sqlite")); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{a.ID: "not a database", b.ID: "its file is missing"} {
		for range 2 {
			if _, err := c.Open(t.Context(), id); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	}
	run(t, c, other.ID, "SELECT 1")
}

// TestDeletedWhileOpened deletes a database in another process between a look at its
// file and its opening, which makes the file anew, for a client that has left.
func TestDeletedWhileOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := open(t, catalog.Config{Dir: dir})
	db := create(t, other, "a")
	ctx, leave := context.WithCancel(t.Context())
	c := open(t, catalog.Config{Dir: dir, OpenFile: func(path string, _ catalog.Database) (d1.Backend, error) {
		if err := other.Delete(t.Context(), db.ID); err != nil {
			t.Error(err)
		}
		leave()
		return embedded.Open(embedded.Config{Path: path})
	}})
	if h, err := c.Open(ctx, db.ID); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("opened: %v", err)
		if err == nil {
			h.Close()
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "d1", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestNothingIsLeftOfAFailure makes a database on a disk that is full.
func TestNothingIsLeftOfAFailure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	full := errors.New("no space left on device")
	c := open(t, catalog.Config{Dir: dir, OpenFile: func(path string, _ catalog.Database) (d1.Backend, error) {
		return nil, errors.Join(full, os.WriteFile(path, []byte("SQLite"), 0o600))
	}})
	if _, err := c.Create(t.Context(), catalog.Database{Name: "a"}); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "d1", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, total, err := c.List(t.Context(), catalog.Filter{}, 0, 10); err != nil || total != 0 {
		t.Errorf("%d are listed, %v", total, err)
	}
}

// TestDeletedIsDeleted deletes a database whose file cannot be removed: it is off the
// list, and so it is gone.
func TestDeletedIsDeleted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := open(t, catalog.Config{Dir: dir})
	db := create(t, c, "a")
	path := filepath.Join(dir, "d1", db.ID+".sqlite")
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "not empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), db.ID); err != nil {
		t.Error(err)
	}
	if _, err := c.Get(t.Context(), db.ID); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestNewerFormat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "catalog.sqlite")
	list := func() *d1.DB {
		backend, err := embedded.Open(embedded.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		return d1.New(backend)
	}
	newer := list()
	if _, err := newer.Exec(t.Context(), "CREATE TABLE settings (name TEXT PRIMARY KEY, value); INSERT INTO settings VALUES ('format', 2)"); err != nil {
		t.Fatal(err)
	}
	if err := newer.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := catalog.New(catalog.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "newer version (format 2") {
		t.Errorf("got %v", err)
	}
	again := list()
	defer again.Close()
	if n, err := d1.First[int](t.Context(), again, "SELECT count(*) FROM sqlite_master WHERE type = 'table'"); err != nil || n != 1 {
		t.Errorf("it has %d tables now, %v", n, err)
	}
}
