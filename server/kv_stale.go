package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/skylite-go/skylite/kv"
)

// stale makes reads as old as those of Workers KV may be: what was read, or was not there, is
// answered again until the window has passed, whatever has been written since.
type stale struct {
	window time.Duration
	now    func() time.Time

	mu   sync.Mutex
	seen map[staleKey]staleEntry
	size int // of the values
}

type staleKey struct{ namespace, key string }

type staleEntry struct {
	entry *kv.Entry // nil if there was none
	until time.Time
}

// maxStale bounds what is remembered.
const maxStale = 256 << 20

// around returns a namespace whose reads may be stale, or the namespace itself if there is no
// window.
func (s *stale) around(id string, ns kv.Batcher) kv.Batcher {
	if s.window <= 0 {
		return ns
	}
	return &staleNamespace{Batcher: ns, cache: s, id: id}
}

func (s *stale) get(k staleKey) (staleEntry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.seen[k]
	if !ok || !s.now().Before(e.until) {
		return staleEntry{}, false
	}
	// What has expired is expired everywhere.
	if e.entry != nil && !e.entry.Expiration.IsZero() && !s.now().Before(e.entry.Expiration) {
		e.entry = nil
	}
	return e, true
}

func (s *stale) put(k staleKey, entry *kv.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil || s.size > maxStale {
		s.seen, s.size = map[staleKey]staleEntry{}, 0
	}
	s.seen[k] = staleEntry{entry: entry, until: s.now().Add(s.window)}
	s.size += 256 + len(k.key)
	if entry != nil {
		s.size += len(entry.Value) + len(entry.Metadata)
	}
}

type staleNamespace struct {
	kv.Batcher
	cache *stale
	id    string
}

// GetWithMetadata implements [kv.Namespace].
func (n *staleNamespace) GetWithMetadata(ctx context.Context, key string) (kv.Entry, error) {
	k := staleKey{n.id, key}
	if e, ok := n.cache.get(k); ok {
		if e.entry == nil {
			return kv.Entry{}, kv.NotFound("get", key)
		}
		return *e.entry, nil
	}
	entry, err := n.Batcher.GetWithMetadata(ctx, key)
	switch {
	case err == nil:
		n.cache.put(k, &entry)
	case errors.Is(err, kv.ErrNotFound):
		n.cache.put(k, nil)
	}
	return entry, err
}

// GetManyWithMetadata implements [kv.Namespace].
func (n *staleNamespace) GetManyWithMetadata(ctx context.Context, keys []string) (map[string]*kv.Entry, error) {
	if err := kv.CheckKeys("get", keys); err != nil {
		return nil, err
	}
	entries := make(map[string]*kv.Entry, len(keys))
	var left []string
	for _, key := range keys {
		e, ok := n.cache.get(staleKey{n.id, key})
		if entries[key] = e.entry; !ok {
			left = append(left, key)
		}
	}
	if len(left) == 0 {
		return entries, nil
	}
	fresh, err := n.Batcher.GetManyWithMetadata(ctx, left)
	for key, entry := range fresh {
		entries[key] = entry
		n.cache.put(staleKey{n.id, key}, entry)
	}
	return entries, err
}
