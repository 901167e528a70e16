package ond1_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/kvtest"
	"github.com/skylite-go/skylite/kv/ond1"
)

func database(t testing.TB, path string) *d1.DB {
	t.Helper()
	backend, err := embedded.Open(embedded.Config{Path: path, Sync: embedded.SyncOff})
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func open(t testing.TB, db d1.Querier, cfg ond1.Config) *ond1.Namespace {
	t.Helper()
	ns, err := ond1.New(db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ns.Close(); err != nil {
			t.Error(err)
		}
	})
	return ns
}

// clock is a time that only Advance lets pass.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock {
	return &clock{now: time.Now().Truncate(time.Second).Add(123 * time.Millisecond)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// short is enough for values of several chunks, where the longest have been tested elsewhere.
const short = 3 << 20

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		kvtest.Run(t, kvtest.Options{MaxValue: short}, func(t *testing.T) kv.Namespace {
			return open(t, database(t, ""), ond1.Config{})
		})
	})
	t.Run("file, one table", func(t *testing.T) {
		t.Parallel()
		db := database(t, filepath.Join(t.TempDir(), "test.db"))
		n := 0
		kvtest.Run(t, kvtest.Options{}, func(t *testing.T) kv.Namespace {
			n++ // each is another namespace of the same table
			return open(t, db, ond1.Config{Namespace: string(rune('a' + n)), Table: ond1.Table{Name: "kv"}, PurgeEvery: -1})
		})
	})
	t.Run("strict, own clock", func(t *testing.T) {
		t.Parallel()
		c := newClock()
		kvtest.Run(t, kvtest.Options{Now: c.Now, Advance: c.Advance, MaxValue: short}, func(t *testing.T) kv.Namespace {
			return open(t, database(t, ""), ond1.Config{Namespace: "s", Strict: true, Now: c.Now, InlineBytes: -1})
		})
	})
}
