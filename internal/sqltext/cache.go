package sqltext

import "sync"

// DefaultCacheSize is how many statements the zero value of [Cache] holds.
const DefaultCacheSize = 256

// maxCachedText keeps a few huge statements, which are seldom sent twice, from
// filling the memory.
const maxCachedText = 64 << 10

// A Cache remembers statements it has parsed, and forgets the least recently
// used ones first. The zero value is ready to use and holds
// [DefaultCacheSize] statements. A Cache is safe for concurrent use; it must
// not be copied after its first use.
type Cache struct {
	mu      sync.Mutex
	limit   int
	entries map[string]*entry
	// recent is the head of a ring of entries: recent.next was used last,
	// recent.prev is the first to go.
	recent entry
}

type entry struct {
	prev, next *entry
	st         Statement
	key        string
}

// NewCache returns a cache for n statements. For n = 0 it takes
// [DefaultCacheSize]; a negative n makes a cache that holds none.
func NewCache(n int) *Cache { return &Cache{limit: n} }

// Parse is like the function [Parse], but remembers what it returns. Errors are
// not remembered, nor are statements of more than 64 KiB. The slice in
// Statement.Params is shared by all who ask for the same text.
func (c *Cache) Parse(sql string) (Statement, error) {
	if st, ok := c.get(sql); ok {
		return st, nil
	}
	st, err := Parse(sql)
	if err == nil && len(sql) <= maxCachedText {
		c.put(sql, st)
	}
	return st, err
}

// Len returns how many statements the cache holds.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

func (c *Cache) get(sql string) (Statement, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[sql]
	if !ok {
		return Statement{}, false
	}
	e.unlink()
	c.link(e)
	return e.st, true
}

func (c *Cache) put(sql string, st Statement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.init()
	}
	if _, ok := c.entries[sql]; ok || c.limit < 0 {
		return
	}
	if len(c.entries) >= c.limit {
		oldest := c.recent.prev
		oldest.unlink()
		delete(c.entries, oldest.key)
	}
	e := &entry{st: st, key: sql}
	c.entries[sql] = e
	c.link(e)
}

func (c *Cache) init() {
	if c.limit == 0 {
		c.limit = DefaultCacheSize
	}
	c.entries = make(map[string]*entry)
	c.recent.prev, c.recent.next = &c.recent, &c.recent
}

// link makes e the entry used last.
func (c *Cache) link(e *entry) {
	e.prev, e.next = &c.recent, c.recent.next
	e.prev.next, e.next.prev = e, e
}

func (e *entry) unlink() {
	e.prev.next, e.next.prev = e.next, e.prev
}
