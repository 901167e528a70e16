package ond1_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/ond1"
)

func TestNames(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	for _, tt := range []struct {
		name string
		cfg  ond1.Config
		want string // the table, or part of the error
	}{
		{"default", ond1.Config{}, "_kv_entries"},
		{"namespace", ond1.Config{Namespace: "sessions"}, "sessions_kv_entries"},
		{"digit", ond1.Config{Namespace: "1abc"}, "1abc_kv_entries"},
		{"other characters", ond1.Config{Namespace: "user:sess-ions"}, "_kv_entries"},
		{"reserved", ond1.Config{Namespace: "sqlite"}, "_kv_entries"},
		{"reserved by Cloudflare", ond1.Config{Namespace: "_cf"}, "_kv_entries"},
		{"long", ond1.Config{Namespace: strings.Repeat("n", 200)}, "_kv_entries"},
		{"given", ond1.Config{Namespace: "a", Table: ond1.Table{Name: "select"}}, "select"},
		{"injection", ond1.Config{Table: ond1.Table{Name: "kv; DROP TABLE users;"}}, `invalid table name "kv; DROP TABLE users;"`},
		{"quote", ond1.Config{Table: ond1.Table{Name: `a"b`}}, "invalid table name"},
		{"unicode", ond1.Config{Table: ond1.Table{Name: "ключ"}}, "invalid table name"},
		{"SQLite's", ond1.Config{Table: ond1.Table{Name: "sqlite_x"}}, "reserved"},
		{"Cloudflare's", ond1.Config{Table: ond1.Table{Name: "_CF_KV"}}, "reserved"},
		{"too long", ond1.Config{Table: ond1.Table{Name: strings.Repeat("t", 129)}}, "129 bytes"},
		{"bad UTF-8", ond1.Config{Namespace: "\xff"}, "not valid UTF-8"},
		{"long namespace", ond1.Config{Namespace: strings.Repeat("n", 513)}, "513 bytes"},
	} {
		ns, err := ond1.New(db, tt.cfg)
		got := ""
		if err != nil {
			got = err.Error()
		} else if got = ns.Table(); got != tt.want {
			t.Errorf("%s: table %s", tt.name, got)
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
	if _, err := ond1.New(nil, ond1.Config{}); err == nil {
		t.Error("a namespace without a database")
	}
	// Names that SQL would not take as they are.
	for _, cfg := range []ond1.Config{{Namespace: "1abc"}, {Table: ond1.Table{Name: "select"}}, {Namespace: "it's\x00 a \"name\""}} {
		ns := open(t, db, cfg)
		if err := ns.Put(t.Context(), "k", []byte(cfg.Namespace), kv.PutOptions{Metadata: 1}); err != nil {
			t.Error(err)
		}
		if got, err := kv.GetString(t.Context(), ns, "k"); err != nil || got != cfg.Namespace {
			t.Errorf("%q, %v", got, err)
		}
		for key, err := range ns.Query(t.Context(), "metadata = ?", "1") {
			if err != nil || key.Name != "k" {
				t.Errorf("%v, %v", key, err)
			}
		}
	}
}

// TestIsolation shares one table among namespaces.
func TestIsolation(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	ctx := t.Context()
	var all []*ond1.Namespace
	for _, name := range []string{"", "a", "A", "b:c", "ключ"} {
		ns := open(t, db, ond1.Config{Namespace: name, Table: ond1.Table{Name: "kv"}})
		all = append(all, ns)
		if err := ns.Put(ctx, "k", []byte(name), kv.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := all[1].Batch(ctx, []kv.Write{{Key: "k", Delete: true}, {Key: "own"}}); err != nil {
		t.Fatal(err)
	}
	for i, ns := range all {
		page, err := ns.List(ctx, kv.ListOptions{})
		want := "k"
		if i == 1 {
			want = "own"
		}
		if err != nil || len(page.Keys) != 1 || page.Keys[0].Name != want {
			t.Errorf("%q: %v, %v", ns.Name(), page.Keys, err)
		}
		if got, err := ns.Get(ctx, "k"); i != 1 && (err != nil || string(got) != ns.Name()) {
			t.Errorf("%q: %q, %v", ns.Name(), got, err)
		}
	}
}

// counting counts requests, and fails some.
type counting struct {
	d1.Querier
	n    atomic.Int32
	fail atomic.Int32 // this many
}

func (c *counting) Do(ctx context.Context, req d1.Request) (*d1.Results, error) {
	c.n.Add(1)
	if c.fail.Add(-1) >= 0 {
		return nil, d1.NewError("Network connection lost.")
	}
	return c.Querier.Do(ctx, req)
}

// TestRequests counts what each operation takes, once the table is there: one.
func TestRequests(t *testing.T) {
	t.Parallel()
	db := &counting{Querier: database(t, "")}
	ns := open(t, db, ond1.Config{PurgeEvery: -1})
	ctx := t.Context()
	if err := ns.Put(ctx, "k", []byte("v"), kv.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := db.n.Load(); n > 4 {
		t.Errorf("the first put took %d requests", n)
	}
	long := []byte(strings.Repeat("x", 3_000_000))
	keys := make([]string, 100)
	writes := make([]kv.Write, 1000)
	for i := range writes {
		writes[i] = kv.Write{Key: fmt.Sprint("k", i), Value: []byte("v")}
		keys[i%100] = writes[i].Key
	}
	for name, call := range map[string]func() error{
		"put":      func() error { return ns.Put(ctx, "a", nil, kv.PutOptions{TTL: time.Hour, Metadata: 1}) },
		"put long": func() error { return ns.Put(ctx, "l", long, kv.PutOptions{}) },
		"get":      func() error { _, err := ns.Get(ctx, "k"); return err },
		"get long": func() error { _, err := ns.Get(ctx, "k"); return err },
		"many":     func() error { _, err := ns.GetManyWithMetadata(ctx, keys); return err },
		"list":     func() error { _, err := ns.List(ctx, kv.ListOptions{Prefix: "k"}); return err },
		"delete":   func() error { return ns.Delete(ctx, "none") },
		"batch":    func() error { return ns.Batch(ctx, writes) },
		"add":      func() error { _, err := ns.Add(ctx, "n", 1, kv.PutOptions{}); return err },
		"swap": func() error {
			_, err := ns.CompareAndSwap(ctx, fmt.Sprint("s", time.Now()), kv.Absent, long, kv.PutOptions{})
			return err
		},
		"touch": func() error { return ns.Touch(ctx, "k", kv.PutOptions{}) },
		"purge": func() error { _, err := ns.Purge(ctx, 10); return err },
	} {
		before := db.n.Load()
		if err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n := db.n.Load() - before; n != 1 {
			t.Errorf("%s takes %d requests", name, n)
		}
	}
}

func TestAutoCreate(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	t.Run("reading makes nothing", func(t *testing.T) {
		t.Parallel()
		db := database(t, "")
		ns := open(t, db, ond1.Config{})
		if _, err := ns.Get(ctx, "k"); !errors.Is(err, kv.ErrNotFound) {
			t.Error(err)
		}
		if page, err := ns.List(ctx, kv.ListOptions{}); err != nil || !page.Complete || page.Keys == nil {
			t.Errorf("%v, %v", page, err)
		}
		if err := ns.Delete(ctx, "k"); err != nil {
			t.Error(err)
		}
		if n, err := d1.First[int](ctx, db, "SELECT count(*) FROM sqlite_master"); err != nil || n != 0 {
			t.Errorf("%d, %v", n, err)
		}
	})
	t.Run("not wanted", func(t *testing.T) {
		t.Parallel()
		db := database(t, "")
		ns := open(t, db, ond1.Config{Table: ond1.Table{NoAutoCreate: true}})
		if _, err := ns.Get(ctx, "k"); err == nil || errors.Is(err, kv.ErrNotFound) || !strings.Contains(err.Error(), "no such table") {
			t.Error(err)
		}
		if err := ns.Put(ctx, "k", nil, kv.PutOptions{}); err == nil || !strings.Contains(err.Error(), "no such table: _kv_entries") {
			t.Error(err)
		}
		// Made by a migration, it works.
		statements, err := ond1.Schema("_kv_entries")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(ctx, strings.Join(statements, ";\n")); err != nil {
			t.Fatal(err)
		}
		if err := ns.Put(ctx, "k", nil, kv.PutOptions{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("tried again", func(t *testing.T) {
		t.Parallel()
		db := &counting{Querier: database(t, "")}
		ns := open(t, db, ond1.Config{})
		for n := range int32(4) {
			db.fail.Store(1)
			if n > 0 {
				_ = ns.Create(ctx) // fails at its first request
			}
		}
		db.fail.Store(0)
		if err := ns.Put(ctx, "k", []byte("v"), kv.PutOptions{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("many at once", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "test.db")
		one, two := database(t, path), database(t, path)
		var wg sync.WaitGroup
		for i := range 24 {
			ns := open(t, []d1.Querier{one, two}[i%2], ond1.Config{Namespace: "n"})
			wg.Go(func() {
				if err := ns.Put(ctx, fmt.Sprint("k", i), []byte("v"), kv.PutOptions{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if page, err := open(t, one, ond1.Config{Namespace: "n"}).List(ctx, kv.ListOptions{}); err != nil || len(page.Keys) != 24 {
			t.Errorf("%d keys, %v", len(page.Keys), err)
		}
	})
	t.Run("another's table", func(t *testing.T) {
		t.Parallel()
		db := database(t, "")
		if _, err := db.Exec(ctx, "CREATE TABLE _kv_entries (a, b)"); err != nil {
			t.Fatal(err)
		}
		ns := open(t, db, ond1.Config{})
		if err := ns.Put(ctx, "k", nil, kv.PutOptions{}); err == nil || !strings.Contains(err.Error(), "choose another Table.Name") {
			t.Error(err)
		}
	})
}

// TestNothingIsLeftBehind looks for chunks without a key, after writes of every kind.
func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	ns := open(t, db, ond1.Config{PurgeEvery: -1})
	ctx := t.Context()
	value := func(n int) []byte { return []byte(strings.Repeat("x", n)) }
	sizes := []int{10, 1000, 2_000_000, 300, 3_000_000, 0, 983_040, 983_041}
	for i, size := range sizes {
		key := fmt.Sprint("k", i%3)
		if err := ns.Put(ctx, key, value(size), kv.PutOptions{TTL: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if _, err := ns.CompareAndSwap(ctx, key, "1", value(size+7), kv.PutOptions{}); !errors.Is(err, kv.ErrConflict) {
			t.Error(err)
		}
		if err := ns.Touch(ctx, key, kv.PutOptions{}); err != nil {
			t.Error(err)
		}
		if got, err := ns.Get(ctx, key); err != nil || len(got) != size {
			t.Errorf("%d bytes of %d, %v", len(got), size, err)
		}
	}
	if err := ns.Batch(ctx, []kv.Write{{Key: "k0", Value: value(5000)}, {Key: "k0", Value: value(6000)}, {Key: "k1", Delete: true}}); err != nil {
		t.Fatal(err)
	}
	check := func(want int) {
		t.Helper()
		n, err := d1.First[int](ctx, db, "SELECT count(*) FROM _kv_entries_chunks")
		wanted, err2 := d1.First[int](ctx, db, "SELECT coalesce(sum(chunks), 0) FROM _kv_entries")
		if err != nil || err2 != nil || n != wanted || want >= 0 && n != want {
			t.Errorf("%d chunks, keys have %d, %v, %v", n, wanted, err, err2)
		}
	}
	check(-1)
	for _, key := range []string{"k0", "k1", "k2"} {
		if err := ns.Delete(ctx, key); err != nil {
			t.Fatal(err)
		}
	}
	check(0)
}

// TestPurging writes keys that live short: the rows do not pile up.
func TestPurging(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	c := newClock()
	ns := open(t, db, ond1.Config{PurgeEvery: 10, Now: c.Now})
	ctx := t.Context()
	const least, most = 500, 20_000
	for i := range most {
		if err := ns.Put(ctx, fmt.Sprint("k", i), nil, kv.PutOptions{TTL: time.Second}); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Second)
		if i < least || i%10 > 0 {
			continue
		}
		n, err := d1.First[int](ctx, db, "SELECT count(*) FROM _kv_entries")
		if err != nil {
			t.Fatal(err)
		}
		if n < 100 {
			return
		}
	}
	t.Error("nothing is purged")
}

// TestSwapStorm counts with 64 goroutines, each with connections and a Namespace of its own.
func TestSwapStorm(t *testing.T) {
	t.Parallel()
	db := database(t, filepath.Join(t.TempDir(), "test.db"))
	const goroutines, rounds = 64, 4
	var wg sync.WaitGroup
	for range goroutines {
		ns := open(t, db, ond1.Config{Namespace: "n"})
		wg.Go(func() {
			for range rounds {
				err := kv.Update(t.Context(), ns, "n", func(e *kv.Entry) ([]byte, kv.PutOptions, error) {
					n := 0
					if e != nil {
						_, _ = fmt.Sscan(string(e.Value), &n)
					}
					return []byte(fmt.Sprint(n + 1)), kv.PutOptions{}, nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got, err := kv.GetString(t.Context(), open(t, db, ond1.Config{Namespace: "n"}), "n"); err != nil || got != fmt.Sprint(goroutines*rounds) {
		t.Errorf("the sum is %s, %v; want %d", got, err, goroutines*rounds)
	}
}

func TestDSN(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "app.db")
	ns, err := kv.Open("file:" + path + "?sync=off&namespace=my+sessions&table=kv")
	if err != nil {
		t.Fatal(err)
	}
	if err := ns.Put(ctx, "k", []byte("v"), kv.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := ns.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := kv.Open("file:" + path + "?namespace=my%20sessions&table=kv&strict=true&auto_create=false")
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got, err := kv.GetString(ctx, again, "k"); err != nil || got != "v" {
		t.Errorf("%q, %v", got, err)
	}
	if err := again.Put(ctx, "k", nil, kv.PutOptions{TTL: time.Second}); err == nil {
		t.Error("strict takes a second")
	}
	for dsn, want := range map[string]string{
		"file:x.db?nope=1":              "unknown option",
		"file:x.db?table=a-b":           "invalid table name",
		"file:x.db?table=":              "cannot be read",
		"file:x.db?strict=secret":       "strict",
		"file:x.db?namespace=%zzsecret": "namespace",
		"nope:x":                        "no imported package opens",
		"app.db":                        "has no scheme",
	} {
		ns, err := kv.Open(dsn)
		if err == nil {
			ns.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	if left, _ := filepath.Glob("x.db*"); len(left) > 0 {
		t.Errorf("made: %q", left)
	}
}

func TestSchemaIsStatements(t *testing.T) {
	t.Parallel()
	if _, err := ond1.Schema("a b"); err == nil {
		t.Error("a name that is none")
	}
	statements, err := ond1.Schema("kv")
	if err != nil || len(statements) != 5 || slices.Contains(statements, "") {
		t.Errorf("%q, %v", statements, err)
	}
}

// TestExpiryBoundary: a key is dead from its very millisecond on.
func TestExpiryBoundary(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, strict := range []bool{false, true} {
		c := newClock() // at 123 ms past the second
		ns := open(t, database(t, ""), ond1.Config{Now: c.Now, Strict: strict})
		if err := ns.Put(ctx, "k", []byte("v"), kv.PutOptions{TTL: time.Minute}); err != nil {
			t.Fatal(err)
		}
		life := time.Minute
		if strict { // KV counts from the beginning of the second
			life -= 123 * time.Millisecond
		}
		c.Advance(life - time.Millisecond)
		if _, err := ns.Get(ctx, "k"); err != nil {
			t.Errorf("strict %v: a millisecond before: %v", strict, err)
		}
		if page, err := ns.List(ctx, kv.ListOptions{}); err != nil || len(page.Keys) != 1 {
			t.Errorf("strict %v: a millisecond before: %v, %v", strict, page, err)
		}
		c.Advance(time.Millisecond)
		if _, err := ns.Get(ctx, "k"); !errors.Is(err, kv.ErrNotFound) {
			t.Errorf("strict %v: at its end: %v", strict, err)
		}
		if page, err := ns.List(ctx, kv.ListOptions{}); err != nil || len(page.Keys) != 0 {
			t.Errorf("strict %v: at its end: %v, %v", strict, page, err)
		}
	}
}
