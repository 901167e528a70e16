package main

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"time"

	"github.com/skylite-go/skylite/kv"
)

// mirror compares two namespaces, key by key in their order, and makes the second equal to
// the first if it is to write.
type mirror struct {
	from, to kv.Namespace
	prefix   string
	write    bool
	rows     func(n int64)
	found    found
}

// found counts keys: the same on both sides, wanting or different in the second, extra
// there, or ending so soon that they are left out.
type found struct {
	same, wanting, different, extra, ending int
	example                                 string // a key that is not the same
	lost                                    string // one that is different or extra
}

func (m *mirror) walk(ctx context.Context) error {
	m.found = found{}
	there := newKeys(ctx, m.to, m.prefix)
	for page := (kv.Page{}); !page.Complete; {
		var err error
		if page, err = m.from.List(ctx, kv.ListOptions{Prefix: m.prefix, Cursor: page.Cursor, Limit: kv.MaxGetKeys}); err != nil {
			return err
		}
		if len(page.Keys) == 0 {
			continue
		}
		others, err := there.upTo(page.Keys[len(page.Keys)-1].Name)
		if err == nil {
			err = m.some(ctx, page.Keys, others)
		}
		if err != nil {
			return err
		}
		m.rows(int64(len(page.Keys)))
	}
	for {
		rest, err := there.next(kv.MaxListKeys)
		if err != nil || len(rest) == 0 {
			return err
		}
		if err := m.remove(ctx, rest); err != nil {
			return err
		}
	}
}

// some compares a page of keys with those of the other side in the same stretch.
func (m *mirror) some(ctx context.Context, keys, others []kv.Key) error {
	have := make(map[string]kv.Key, len(others))
	for _, key := range others {
		have[key.Name] = key
	}
	var wanted, compared []kv.Key
	soon := time.Now().Add(kv.MinTTL + 5*time.Second)
	for _, key := range keys {
		_, there := have[key.Name]
		switch {
		case !key.Expiration.IsZero() && key.Expiration.Before(soon):
			m.found.ending++
		case there:
			compared = append(compared, key)
		default:
			wanted = append(wanted, key)
		}
		delete(have, key.Name)
	}
	different, err := m.compare(ctx, compared)
	if err != nil {
		return err
	}
	m.found.note(&m.found.wanting, wanted, &m.found.example)
	m.found.note(&m.found.different, different, &m.found.example, &m.found.lost)
	if m.write {
		if _, err := kv.CopyKeys(ctx, m.to, m.from, append(wanted, different...)); err != nil {
			return err
		}
	}
	var extra []kv.Key
	for _, key := range others {
		if _, left := have[key.Name]; left {
			extra = append(extra, key)
		}
	}
	return m.remove(ctx, extra)
}

func (f *found) note(counter *int, keys []kv.Key, examples ...*string) {
	*counter += len(keys)
	for _, example := range examples {
		if len(keys) > 0 && *example == "" {
			*example = keys[0].Name
		}
	}
}

// compare returns the keys whose entries are not the same on both sides.
func (m *mirror) compare(ctx context.Context, keys []kv.Key) (different []kv.Key, err error) {
	mine, err := kv.ReadKeys(ctx, m.from, keys)
	if err != nil {
		return nil, err
	}
	yours, err := kv.ReadKeys(ctx, m.to, keys)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		a, b := mine[key.Name], yours[key.Name]
		switch {
		case a == nil: // gone meanwhile
		case b != nil && bytes.Equal(a.Value, b.Value) && sameJSON(a.Metadata, b.Metadata) && kv.Seconds(a.Expiration) == kv.Seconds(b.Expiration):
			m.found.same++
		default:
			different = append(different, key)
		}
	}
	return different, nil
}

// sameJSON reports whether two texts are the same JSON, however it is written.
func sameJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	for text, value := range map[*json.RawMessage]*any{&a: &x, &b: &y} {
		dec := json.NewDecoder(bytes.NewReader(*text))
		dec.UseNumber()
		if dec.Decode(value) != nil {
			return false
		}
	}
	return reflect.DeepEqual(x, y)
}

// remove deletes keys that only the second namespace has.
func (m *mirror) remove(ctx context.Context, keys []kv.Key) error {
	now := time.Now()
	var writes []kv.Write
	for _, key := range keys {
		if !key.Expiration.IsZero() && key.Expiration.Before(now.Add(kv.MinTTL)) {
			continue // it goes by itself
		}
		m.found.note(&m.found.extra, []kv.Key{key}, &m.found.example, &m.found.lost)
		writes = append(writes, kv.Write{Key: key.Name, Delete: true})
	}
	if !m.write || len(writes) == 0 {
		return nil
	}
	return kv.WriteAll(ctx, m.to, writes)
}

// keyReader gives the keys of a namespace in order, in parts.
type keyReader struct {
	ctx      context.Context
	ns       kv.Namespace
	prefix   string
	page     kv.Page
	complete bool
}

func newKeys(ctx context.Context, ns kv.Namespace, prefix string) *keyReader {
	return &keyReader{ctx: ctx, ns: ns, prefix: prefix}
}

// fill reads a page if there are no keys left of the one before.
func (r *keyReader) fill() error {
	for len(r.page.Keys) == 0 && !r.complete {
		page, err := r.ns.List(r.ctx, kv.ListOptions{Prefix: r.prefix, Cursor: r.page.Cursor})
		if err != nil {
			return err
		}
		r.page, r.complete = page, page.Complete
	}
	return nil
}

// upTo returns the keys that are left up to a name.
func (r *keyReader) upTo(name string) (keys []kv.Key, err error) {
	for {
		if err := r.fill(); err != nil || len(r.page.Keys) == 0 || r.page.Keys[0].Name > name {
			return keys, err
		}
		keys = append(keys, r.page.Keys[0])
		r.page.Keys = r.page.Keys[1:]
	}
}

// next returns some of the keys that are left.
func (r *keyReader) next(n int) ([]kv.Key, error) {
	if err := r.fill(); err != nil {
		return nil, err
	}
	keys := r.page.Keys[:min(n, len(r.page.Keys))]
	r.page.Keys = r.page.Keys[len(keys):]
	return keys, nil
}
