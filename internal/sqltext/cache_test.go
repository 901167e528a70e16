package sqltext

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestCacheForgetsLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	c := NewCache(2)
	for _, sql := range []string{"SELECT 1", "SELECT 2", "SELECT 1", "SELECT 3"} {
		if st, err := c.Parse(sql); err != nil || st.Text != sql {
			t.Fatalf("Parse(%q) = %q, %v", sql, st.Text, err)
		}
	}
	for sql, want := range map[string]bool{"SELECT 1": true, "SELECT 2": false, "SELECT 3": true} {
		if _, got := c.get(sql); got != want {
			t.Errorf("%s is in the cache: %t", sql, got)
		}
	}
	if c.Len() != 2 {
		t.Errorf("%d statements in the cache", c.Len())
	}
}

func TestCacheSizes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		cache *Cache
		want  int
	}{
		{"zero value", new(Cache), DefaultCacheSize},
		{"default", NewCache(0), DefaultCacheSize},
		{"one", NewCache(1), 1},
		{"none", NewCache(-1), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for i := range 2 * DefaultCacheSize {
				if _, err := tt.cache.Parse(fmt.Sprint("SELECT ", i)); err != nil {
					t.Fatal(err)
				}
			}
			if got := tt.cache.Len(); got != tt.want {
				t.Errorf("%d statements in the cache", got)
			}
		})
	}
}

func TestCacheKeepsOut(t *testing.T) {
	t.Parallel()
	var c Cache
	if _, err := c.Parse("SELECT 1; SELECT 2"); !errors.Is(err, ErrMany) {
		t.Errorf("got error %v", err)
	}
	if _, err := c.Parse("SELECT '" + strings.Repeat("x", maxCachedText) + "'"); err != nil {
		t.Error(err)
	}
	if c.Len() != 0 {
		t.Errorf("%d statements in the cache", c.Len())
	}
}

func TestCacheHitDoesNotAllocate(t *testing.T) {
	var c Cache
	const sql = "SELECT * FROM t WHERE a = ? AND b = :b"
	if n := testing.AllocsPerRun(100, func() { _, _ = c.Parse(sql) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCacheConcurrently(t *testing.T) {
	t.Parallel()
	c := NewCache(4)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 500 {
				sql := fmt.Sprintf("SELECT ?, %d", (i*7+g)%9)
				if st, err := c.Parse(sql); err != nil || st.Text != sql || len(st.Params) != 1 {
					t.Errorf("Parse(%q) = %v, %v", sql, st, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if c.Len() != 4 {
		t.Errorf("%d statements in the cache", c.Len())
	}
}
