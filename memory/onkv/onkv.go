package onkv

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/memory"
)

// Bindings are a namespace for each table.
type Bindings struct {
	// Threads holds threads, Messages messages, and Metadata what is remembered of
	// resources.
	Threads, Messages, Metadata kv.Namespace
}

// Config says which namespaces hold the conversations.
type Config struct {
	// Namespace holds all tables. Either it or all of Bindings must be set.
	Namespace kv.Namespace
	// Bindings holds each table by itself.
	Bindings Bindings
	// KeyPrefix stands before all keys, with a colon; empty means neither. It must be
	// valid UTF-8.
	KeyPrefix string
	// Now is the clock; nil means the system's.
	Now func() time.Time
}

// Store keeps conversations in KV. It is safe for concurrent use.
type Store struct {
	Bindings
	prefix string
	now    func() time.Time
	last   atomic.Int64 // the last order that was given
}

var _ memory.Store = (*Store)(nil)

// New returns a Store in namespaces. Nothing is sent. The namespaces stay the caller's to
// close.
func New(cfg Config) (*Store, error) {
	b := cfg.Bindings
	if cfg.Namespace != nil {
		if b != (Bindings{}) {
			return nil, memory.Invalidf("Namespace and Bindings cannot be used together")
		}
		b = Bindings{cfg.Namespace, cfg.Namespace, cfg.Namespace}
	}
	for _, table := range []struct {
		name string
		ns   kv.Namespace
	}{{"threads", b.Threads}, {"messages", b.Messages}, {"metadata", b.Metadata}} {
		if table.ns == nil {
			return nil, memory.Invalidf("Missing KV binding for table: %s", table.name)
		}
	}
	if err := kv.CheckPrefix(cfg.KeyPrefix); err != nil {
		return nil, err
	}
	s := &Store{Bindings: b, prefix: cfg.KeyPrefix, now: cfg.Now}
	if s.prefix != "" {
		s.prefix += ":"
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// order returns a number above all before it, of this store and of others that began
// earlier.
func (s *Store) order() int64 {
	for {
		last := s.last.Load()
		next := max(last+1, time.Now().UnixNano())
		if s.last.CompareAndSwap(last, next) {
			return next
		}
	}
}

// readMany reads any number of keys. Those that do not exist are not in the map.
func readMany(ctx context.Context, ns kv.Namespace, keys []string) (map[string]*kv.Entry, error) {
	all := make(map[string]*kv.Entry, len(keys))
	for part := range slices.Chunk(keys, kv.MaxGetKeys) {
		list := make([]kv.Key, len(part))
		for i, key := range part {
			list[i].Name = key
		}
		entries, err := kv.ReadKeys(ctx, ns, list)
		if err != nil {
			return nil, err
		}
		for key, entry := range entries {
			if entry != nil {
				all[key] = entry
			}
		}
	}
	return all, nil
}

// changes are writes to be done, in the namespaces they belong to.
type changes struct {
	store  *Store
	writes map[kv.Namespace][]kv.Write
	spaces []kv.Namespace // in order
}

func (s *Store) changes() *changes {
	return &changes{store: s, writes: map[kv.Namespace][]kv.Write{}}
}

func (c *changes) add(ns kv.Namespace, w kv.Write) {
	if c.writes[ns] == nil {
		c.spaces = append(c.spaces, ns)
	}
	c.writes[ns] = append(c.writes[ns], w)
}

func (c *changes) put(ns kv.Namespace, key string, value []byte, metadata any) {
	c.add(ns, kv.Write{Key: key, Value: value, PutOptions: kv.PutOptions{Metadata: metadata}})
}

func (c *changes) remove(ns kv.Namespace, keys ...string) {
	for _, key := range keys {
		c.add(ns, kv.Write{Key: key, Delete: true})
	}
}

// commit does the writes, the messages' first. All are checked before any is sent.
func (c *changes) commit(ctx context.Context) error {
	slices.SortStableFunc(c.spaces, func(a, b kv.Namespace) int {
		switch c.store.Messages {
		case a:
			return -1
		case b:
			return 1
		}
		return 0
	})
	for _, ns := range c.spaces {
		for part := range slices.Chunk(c.writes[ns], kv.MaxBatch) {
			if _, err := kv.CheckBatch(part, time.Now(), 0); err != nil {
				return tooLarge(err)
			}
		}
	}
	for _, ns := range c.spaces {
		for part := range slices.Chunk(c.writes[ns], kv.MaxBatch) {
			if err := kv.WriteAll(ctx, ns, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// tooLarge adds what is to be done about a limit.
func tooLarge(err error) error {
	if e, ok := errors.AsType[*kv.Error](err); ok && strings.Contains(e.Message, "key") {
		return memory.Invalidf("an id is too long for a key: %v", err)
	}
	return err
}

// later is the present, or a millisecond after a time that is not before it.
func (s *Store) later(after time.Time) time.Time {
	now := s.now().UTC().Truncate(time.Millisecond)
	if !after.Before(now) {
		return after.Add(time.Millisecond)
	}
	return now
}
