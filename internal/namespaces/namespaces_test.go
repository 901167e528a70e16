package namespaces_test

import (
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
	"github.com/skylite-go/skylite/internal/namespaces"
	"github.com/skylite-go/skylite/kv"
)

func open(t *testing.T, cfg namespaces.Config) *namespaces.Catalog {
	t.Helper()
	c := namespaces.New(cfg)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func create(t *testing.T, c *namespaces.Catalog, title string) namespaces.Namespace {
	t.Helper()
	ns, err := c.Create(t.Context(), title)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

func TestLifeOfANamespace(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"memory": "", "folder": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			c := open(t, namespaces.Config{Dir: dir})
			a, b := create(t, c, "Alpha"), create(t, c, "beta")
			if _, err := c.Create(ctx, "beta"); !errors.Is(err, namespaces.ErrExists) {
				t.Errorf("a title was given twice: %v", err)
			}
			if got, err := c.Get(ctx, strings.ToUpper(a.ID)); err != nil || got != a {
				t.Errorf("by id: %v, %v", got, err)
			}
			if got, err := c.ByTitle(ctx, "beta"); err != nil || got != b {
				t.Errorf("by title: %v, %v", got, err)
			}
			if _, err := c.Rename(ctx, a.ID, "beta"); !errors.Is(err, namespaces.ErrExists) {
				t.Errorf("renamed to a title that is taken: %v", err)
			}
			if got, err := c.Rename(ctx, a.ID, "zeta"); err != nil || got.Title != "zeta" {
				t.Errorf("renamed: %v, %v", got, err)
			}
			page, total, err := c.List(ctx, namespaces.Order{ByTitle: true, Descending: true}, 0, 1)
			if err != nil || total != 2 || len(page) != 1 || page[0].Title != "zeta" {
				t.Errorf("list: %v of %d, %v", page, total, err)
			}
			na, err := c.Open(ctx, a.ID)
			if err != nil {
				t.Fatal(err)
			}
			if err := na.Put(ctx, "k", []byte("a"), kv.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			nb, err := c.Open(ctx, b.ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := nb.Get(ctx, "k"); !errors.Is(err, kv.ErrNotFound) {
				t.Errorf("one namespace sees another's key: %v", err)
			}
			if err := c.Delete(ctx, a.ID); err != nil {
				t.Fatal(err)
			}
			for _, err := range []error{c.Delete(ctx, a.ID), errOf(c.Open(ctx, a.ID)), errOf(c.Get(ctx, a.ID)), errOf(c.Rename(ctx, a.ID, "x"))} {
				if !errors.Is(err, namespaces.ErrNotFound) {
					t.Errorf("after its end: %v", err)
				}
			}
			create(t, c, "zeta")
		})
	}
}

func errOf[T any](_ T, err error) error { return err }

// TestDeletionGoesOn deletes a namespace and closes at once: the rest is done after opening.
func TestDeletionGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := open(t, namespaces.Config{Dir: dir})
	ns := create(t, c, "big")
	n, err := c.Open(t.Context(), ns.ID)
	if err != nil {
		t.Fatal(err)
	}
	writes := make([]kv.Write, 5000)
	for i := range writes {
		writes[i] = kv.Write{Key: fmt.Sprint(i), Value: []byte(strings.Repeat("v", 300))}
	}
	if err := n.Batch(t.Context(), writes); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), ns.ID); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, namespaces.Config{Dir: dir})
	if _, total, err := again.List(t.Context(), namespaces.Order{}, 0, 10); err != nil || total != 0 {
		t.Errorf("%d, %v", total, err)
	}
	look := d1open(t, filepath.Join(dir, "kv.sqlite"))
	for end := time.Now().Add(30 * time.Second); ; {
		left, err := d1.First[int](t.Context(), look, "SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM entries_chunks) + (SELECT count(*) FROM namespaces)")
		if err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d rows are left", left)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func d1open(t *testing.T, path string) *d1.DB {
	t.Helper()
	db, err := d1.Open("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestTwoOnOneFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two := open(t, namespaces.Config{Dir: dir}), open(t, namespaces.Config{Dir: dir})
	var wg sync.WaitGroup
	var made atomic.Int32
	for i := range 8 {
		wg.Go(func() {
			_, err := []*namespaces.Catalog{one, two}[i%2].Create(t.Context(), "same")
			if err == nil {
				made.Add(1)
			} else if !errors.Is(err, namespaces.ErrExists) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Fatalf("the title was taken %d times", made.Load())
	}
	ns, err := two.ByTitle(t.Context(), "same")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := one.Open(t.Context(), ns.ID); err != nil {
		t.Fatal(err)
	}
	if err := two.Delete(t.Context(), ns.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := one.Open(t.Context(), ns.ID); !errors.Is(err, namespaces.ErrNotFound) {
		t.Errorf("the other still has it: %v", err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := open(t, namespaces.Config{Max: 1})
	create(t, c, "a")
	if _, err := c.Create(ctx, "b"); !errors.Is(err, namespaces.ErrFull) {
		t.Errorf("got %v", err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "kv.sqlite")
	if err := os.WriteFile(path, []byte(strings.Repeat("junk", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := open(t, namespaces.Config{Dir: dir})
	for range 2 {
		if _, err := broken.Create(ctx, "a"); err == nil || !strings.Contains(err.Error(), "not a database") {
			t.Errorf("got %v", err)
		}
	}
	if err := os.Remove(path); err != nil { // and what failed is tried again
		t.Fatal(err)
	}
	create(t, broken, "a")
}
