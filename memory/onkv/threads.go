package onkv

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/memory"
)

func decodeThread(value []byte) (t memory.Thread, err error) {
	if err = json.Unmarshal(value, &t); err != nil {
		err = fmt.Errorf("memory: the value of a thread: %w", err)
	}
	return t, err
}

// threads reads threads, with the times at which their messages changed.
func (s *Store) threads(ctx context.Context, ids []string) (map[string]memory.Thread, error) {
	var keys []string
	for _, id := range ids {
		keys = append(keys, s.threadKey(id), s.touchedKey(id))
	}
	entries, err := readMany(ctx, s.Threads, keys)
	if err != nil {
		return nil, err
	}
	all := make(map[string]memory.Thread, len(ids))
	for _, id := range ids {
		entry := entries[s.threadKey(id)]
		if entry == nil {
			continue
		}
		t, err := decodeThread(entry.Value)
		if err != nil {
			return nil, err
		}
		if touched := entries[s.touchedKey(id)]; touched != nil {
			if at, err := time.Parse(time.RFC3339, string(touched.Value)); err == nil && at.After(t.UpdatedAt) {
				t.UpdatedAt = at
			}
		}
		all[id] = t
	}
	return all, nil
}

// GetThread implements [memory.Store].
func (s *Store) GetThread(ctx context.Context, id string) (memory.Thread, error) {
	if err := memory.CheckID("the thread's id", id); err != nil {
		return memory.Thread{}, err
	}
	all, err := s.threads(ctx, []string{id})
	if err != nil {
		return memory.Thread{}, err
	}
	t, ok := all[id]
	if !ok {
		return memory.Thread{}, memory.NotFound("thread", id)
	}
	return t, nil
}

// SaveThread implements [memory.Store].
func (s *Store) SaveThread(ctx context.Context, t memory.Thread) (memory.Thread, error) {
	t, err := t.Check(s.now())
	if err != nil {
		return memory.Thread{}, err
	}
	value, err := memory.EncodeJSON(t)
	if err != nil {
		return memory.Thread{}, err
	}
	before, err := s.threads(ctx, []string{t.ID})
	if err != nil {
		return memory.Thread{}, err
	}
	c := s.changes()
	c.put(s.Threads, s.threadKey(t.ID), value, nil)
	c.put(s.Threads, s.resourceKey(t.ResourceID, t.ID), nil, nil)
	if old, ok := before[t.ID]; ok {
		c.remove(s.Threads, s.touchedKey(t.ID))
		if old.ResourceID != t.ResourceID {
			c.remove(s.Threads, s.resourceKey(old.ResourceID, t.ID))
		}
	}
	if err := c.commit(ctx); err != nil {
		return memory.Thread{}, err
	}
	return t, nil
}

// update changes the value of a key: with compare and swap, where the place can.
func update(ctx context.Context, ns kv.Namespace, key string, change func(old []byte) ([]byte, error)) error {
	if swapper, ok := ns.(kv.Swapper); ok {
		return kv.Update(ctx, swapper, key, func(entry *kv.Entry) ([]byte, kv.PutOptions, error) {
			var old []byte
			if entry != nil {
				old = entry.Value
			}
			value, err := change(old)
			return value, kv.PutOptions{}, err
		})
	}
	old, err := ns.Get(ctx, key)
	if err != nil && !errors.Is(err, kv.ErrNotFound) {
		return err
	}
	value, err := change(old)
	if err != nil {
		return err
	}
	return ns.Put(ctx, key, value, kv.PutOptions{})
}

// UpdateThread implements [memory.Store].
func (s *Store) UpdateThread(ctx context.Context, id string, u memory.ThreadUpdate) (memory.Thread, error) {
	err := memory.CheckID("the thread's id", id)
	if err == nil {
		u, err = u.Check()
	}
	if err != nil {
		return memory.Thread{}, err
	}
	now, err := s.GetThread(ctx, id) // for the time of its messages
	if err != nil {
		return memory.Thread{}, err
	}
	var changed memory.Thread
	err = update(ctx, s.Threads, s.threadKey(id), func(old []byte) ([]byte, error) {
		if old == nil {
			return nil, memory.NotFound("thread", id)
		}
		t, err := decodeThread(old)
		if err != nil {
			return nil, err
		}
		if now.UpdatedAt.After(t.UpdatedAt) {
			t.UpdatedAt = now.UpdatedAt
		}
		if u.Title != nil {
			t.Title = *u.Title
		}
		t.Metadata = merged(t.Metadata, u.Metadata)
		if u.Title != nil || u.Metadata != nil {
			t.UpdatedAt = s.later(t.UpdatedAt)
		}
		if u.ArchivedAt != nil {
			if t.ArchivedAt = u.ArchivedAt; t.ArchivedAt.IsZero() {
				t.ArchivedAt = nil
			}
		}
		value, err := memory.EncodeJSON(t)
		if err != nil {
			return nil, err
		}
		changed, err = decodeThread(value)
		return value, err
	})
	return changed, err
}

func merged(o, change memory.Object) memory.Object {
	if change == nil {
		return o
	}
	all := maps.Clone(o)
	if all == nil {
		all = memory.Object{}
	}
	maps.Copy(all, change)
	return all
}

// DeleteThread implements [memory.Store].
func (s *Store) DeleteThread(ctx context.Context, id string) error {
	if err := memory.CheckID("the thread's id", id); err != nil {
		return err
	}
	places, err := s.list(ctx, s.threadPrefix(id), id, "", nil)
	if err != nil {
		return err
	}
	before, err := s.threads(ctx, []string{id})
	if err != nil {
		return err
	}
	c := s.changes()
	for _, p := range places {
		c.remove(s.Messages, s.ownedKey(p), s.indexKey(p.id), s.messageKey(p))
	}
	c.remove(s.Threads, s.touchedKey(id), s.threadKey(id))
	if t, ok := before[id]; ok {
		c.remove(s.Threads, s.resourceKey(t.ResourceID, id))
	}
	return c.commit(ctx)
}

// ListThreads implements [memory.Store]. It reads all the threads of the resource, or of
// the store.
func (s *Store) ListThreads(ctx context.Context, q memory.ThreadQuery) (memory.ThreadPage, error) {
	q, err := q.Check()
	if err != nil {
		return memory.ThreadPage{}, err
	}
	page := memory.ThreadPage{Page: q.Page, PerPage: q.PerPage, Total: -1}
	if q.PerPage == memory.None {
		page.Total = 0
		return page, nil
	}
	prefix := s.prefix + "threads:"
	if q.ResourceID != "" {
		prefix = s.resourceKey(q.ResourceID, "")
	}
	var ids []string
	for key, err := range kv.All(ctx, s.Threads, kv.ListOptions{Prefix: prefix}) {
		if err != nil {
			return memory.ThreadPage{}, err
		}
		ids = append(ids, unescaper.Replace(strings.TrimPrefix(key.Name, prefix)))
	}
	byID, err := s.threads(ctx, ids)
	if err != nil {
		return memory.ThreadPage{}, err
	}
	var all []memory.Thread
	for _, t := range byID {
		if (q.ResourceID == "" || t.ResourceID == q.ResourceID) && (q.Archived == nil || *q.Archived == (t.ArchivedAt != nil)) && matches(t.Metadata, q.Metadata) {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b memory.Thread) int {
		c := a.CreatedAt.Compare(b.CreatedAt)
		if q.OrderBy == memory.ByUpdatedAt {
			c = a.UpdatedAt.Compare(b.UpdatedAt)
		}
		if c = cmp.Or(c, cmp.Compare(a.ID, b.ID)); q.Order == memory.Descending {
			c = -c
		}
		return c
	})
	if q.Total || q.PerPage == memory.All {
		page.Total = len(all)
	}
	if q.PerPage == memory.All {
		page.Threads = all
		return page, nil
	}
	from := min(q.Page*q.PerPage, len(all))
	to := min(from+q.PerPage, len(all))
	page.Threads, page.HasMore = all[from:to:to], to < len(all)
	return page, nil
}

// matches reports whether an object has all members of a filter, with their types.
func matches(o, filter memory.Object) bool {
	for key, want := range filter {
		got, ok := o[key]
		if !ok {
			return false
		}
		switch got.(type) {
		case map[string]any, []any:
			return false
		}
		text, err := memory.EncodeJSON(map[string]any{"v": want})
		var asRead memory.Object
		if err != nil || json.Unmarshal(text, &asRead) != nil || asRead["v"] != got {
			return false
		}
	}
	return true
}
