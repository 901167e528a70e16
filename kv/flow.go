package kv

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"
)

// All yields every key of a list, page after page. opts.Limit is the size of a page, and
// opts.Cursor where to begin. An error is yielded last, with a zero Key.
func All(ctx context.Context, ns Namespace, opts ListOptions) iter.Seq2[Key, error] {
	return func(yield func(Key, error) bool) {
		for {
			page, err := ns.List(ctx, opts)
			if err != nil {
				yield(Key{}, err)
				return
			}
			for _, key := range page.Keys {
				if !yield(key, nil) {
					return
				}
			}
			if page.Complete || page.Cursor == "" {
				return
			}
			opts.Cursor = page.Cursor
		}
	}
}

// Update reads a key, gives its entry to change (nil if it does not exist), and stores what
// that returns, if nobody has written the key meanwhile; if somebody has, it begins again,
// after a short random pause, until the context ends. An error of change ends it, and is
// returned. change must be free to run more than once.
func Update(ctx context.Context, ns Swapper, key string, change func(*Entry) ([]byte, PutOptions, error)) error {
	for n := 0; ; n++ {
		entry, err := entryOf(ns.GetWithMetadata(ctx, key))
		if err != nil {
			return err
		}
		version := Absent
		if entry != nil {
			version = entry.Version
		}
		value, opts, err := change(entry)
		if err != nil {
			return err
		}
		if _, err = ns.CompareAndSwap(ctx, key, version, value, opts); !errors.Is(err, ErrConflict) {
			return err
		}
		if err := pause(ctx, n); err != nil {
			return fmt.Errorf("kv: update %q: %w", key, err)
		}
	}
}

func entryOf(entry Entry, err error) (*Entry, error) {
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &entry, nil
}

// pause waits for a random time that grows with each conflict, to 100 ms.
func pause(ctx context.Context, n int) error {
	most := min(100*time.Millisecond, time.Millisecond<<min(n, 10))
	timer := time.NewTimer(rand.N(most))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Copy puts every key of one namespace into another, with its metadata and its expiry, and
// returns how many it has put. prefix chooses keys. Keys that expire meanwhile, or have
// less of their life left than the other place takes, are left out. It does not delete
// what is only in the other place, and can be run again after an error.
func Copy(ctx context.Context, to, from Namespace, prefix string) (int, error) {
	n := 0
	for page := (Page{}); !page.Complete; {
		var err error
		page, err = from.List(ctx, ListOptions{Prefix: prefix, Cursor: page.Cursor, Limit: MaxGetKeys})
		if err != nil {
			return n, err
		}
		copied, err := CopyKeys(ctx, to, from, page.Keys)
		n += len(copied)
		if err != nil {
			return n, err
		}
		if page.Cursor == "" {
			break
		}
	}
	return n, nil
}

// CopyKeys is [Copy] for up to [MaxGetKeys] keys of a list. It returns those that it has put.
func CopyKeys(ctx context.Context, to, from Namespace, keys []Key) ([]string, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	entries, err := ReadKeys(ctx, from, keys)
	if err != nil {
		return nil, err
	}
	writes := make([]Write, 0, len(keys))
	copied := make([]string, 0, len(keys))
	soon := time.Now().Add(minTTL(to) + time.Second)
	for _, key := range keys {
		entry := entries[key.Name]
		if entry == nil || !key.Expiration.IsZero() && key.Expiration.Before(soon) {
			continue
		}
		w := Write{Key: key.Name, Value: entry.Value, PutOptions: PutOptions{Expiration: key.Expiration}}
		if entry.Metadata != nil {
			w.Metadata = entry.Metadata
		}
		writes = append(writes, w)
		copied = append(copied, key.Name)
	}
	if err := WriteAll(ctx, to, writes); err != nil {
		return nil, err
	}
	return copied, nil
}

// ReadKeys reads the entries of up to [MaxGetKeys] keys of a list: at once or, if their values
// are too long together, one by one. A key that is gone is nil.
func ReadKeys(ctx context.Context, ns Namespace, list []Key) (map[string]*Entry, error) {
	keys := make([]string, len(list))
	for i, key := range list {
		keys[i] = key.Name
	}
	if len(keys) == 0 {
		return nil, nil
	}
	entries, err := ns.GetManyWithMetadata(ctx, keys)
	e, ok := errors.AsType[*Error](err)
	if err == nil || !ok || e.Status != 413 && e.Status != 400 {
		return entries, err
	}
	entries = make(map[string]*Entry, len(keys))
	for _, key := range keys {
		if entries[key], err = entryOf(ns.GetWithMetadata(ctx, key)); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

func minTTL(ns Namespace) time.Duration {
	if e, ok := ns.(Expirer); ok {
		return e.MinTTL()
	}
	return MinTTL
}

// WriteAll does writes in a namespace: as a batch where it is a [Batcher], else one after
// the other, and then an error is a [*BatchError].
func WriteAll(ctx context.Context, ns Namespace, writes []Write) error {
	if b, ok := ns.(Batcher); ok {
		return b.Batch(ctx, writes)
	}
	for i, w := range writes {
		var err error
		if w.Delete {
			err = ns.Delete(ctx, w.Key)
		} else {
			err = ns.Put(ctx, w.Key, w.Value, w.PutOptions)
		}
		if err != nil {
			failed := &BatchError{Done: i, Err: err}
			for _, left := range writes[i:] {
				failed.Keys = append(failed.Keys, left.Key)
			}
			return failed
		}
	}
	return nil
}
