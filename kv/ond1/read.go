package ond1

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/kv"
)

// Get implements [kv.Namespace].
func (ns *Namespace) Get(ctx context.Context, key string) ([]byte, error) {
	entry, err := ns.get(ctx, key)
	return entry.Value, err
}

// GetWithMetadata implements [kv.Namespace].
func (ns *Namespace) GetWithMetadata(ctx context.Context, key string) (kv.Entry, error) {
	return ns.get(ctx, key)
}

func (ns *Namespace) get(ctx context.Context, key string) (kv.Entry, error) {
	if err := kv.CheckKey("get", key); err != nil {
		return kv.Entry{}, err
	}
	var found *kv.Entry
	err := ns.run(ctx, "get", key, false, func(l *layout) ([]d1.Statement, error) {
		return []d1.Statement{{SQL: l.get, Args: ns.args(l, key)}}, nil
	}, func(results *d1.Results) error {
		found = nil
		if !results.NextResult() {
			return results.Err()
		}
		for results.Next() {
			if found == nil {
				found = new(kv.Entry)
			}
			addRow(found, results.Row())
		}
		return results.Err()
	})
	switch {
	case err != nil && !errors.Is(err, errNoTable):
		return kv.Entry{}, err
	case found == nil:
		return kv.Entry{}, kv.NotFound("get", key)
	}
	return *found, nil
}

// args puts the namespace before the arguments of a statement, if the layout has namespaces.
func (ns *Namespace) args(l *layout, args ...any) []any {
	if !l.namespaced {
		return args
	}
	return append([]any{ns.cfg.Namespace}, args...)
}

// addRow adds a row of a key to its entry: there is one for each chunk of the value. The
// columns are those of layout.get.
func addRow(entry *kv.Entry, row []d1.Value) {
	data := row[0] // beside the key, or else in a chunk
	if data.IsNull() {
		data = row[1]
	}
	if entry.Value != nil {
		entry.Value = append(entry.Value, data.Bytes()...)
		return
	}
	size, _ := row[5].Int64() // of all the chunks; 0 where it is not known
	size = max(int64(len(data.Bytes())), min(size, kv.MaxValueBytes))
	entry.Value = append(make([]byte, 0, size), data.Bytes()...)
	entry.Metadata = metadataOf(row[2])
	entry.Expiration = timeOf(row[3])
	entry.Version = kv.Version(row[4].Bytes())
}

func metadataOf(v d1.Value) json.RawMessage {
	if b := v.Bytes(); len(b) > 0 && string(b) != "null" {
		return bytes.Clone(b)
	}
	return nil
}

func timeOf(v d1.Value) time.Time {
	ms, ok := v.Int64()
	if !ok {
		if f, isNumber := v.Float64(); isNumber {
			return kv.FromSeconds(f / 1000)
		}
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// GetMany implements [kv.Namespace].
func (ns *Namespace) GetMany(ctx context.Context, keys []string) (map[string][]byte, error) {
	entries, err := ns.GetManyWithMetadata(ctx, keys)
	if err != nil {
		return nil, err
	}
	values := make(map[string][]byte, len(entries))
	for key, entry := range entries {
		values[key] = nil
		if entry != nil {
			values[key] = entry.Value
		}
	}
	return values, nil
}

// GetManyWithMetadata implements [kv.Namespace].
func (ns *Namespace) GetManyWithMetadata(ctx context.Context, keys []string) (map[string]*kv.Entry, error) {
	if err := kv.CheckKeys("get", keys); err != nil {
		return nil, err
	}
	entries := make(map[string]*kv.Entry, len(keys))
	err := ns.run(ctx, "get", "", false, func(l *layout) ([]d1.Statement, error) {
		clear(entries)
		unique := make([]string, 0, len(keys))
		for _, key := range keys {
			if _, twice := entries[key]; !twice {
				entries[key] = nil
				unique = append(unique, key)
			}
		}
		args := []any{jsonOf(unique)}
		if l.namespaced {
			args = append(args, ns.cfg.Namespace)
		}
		return []d1.Statement{{SQL: l.many, Args: args}}, nil
	}, func(results *d1.Results) error {
		return readMany(results, entries)
	})
	if err != nil && !errors.Is(err, errNoTable) {
		return nil, err
	}
	return entries, nil
}

func readMany(results *d1.Results, entries map[string]*kv.Entry) error {
	total := 0
	var entry *kv.Entry
	var name string
	if !results.NextResult() {
		return results.Err()
	}
	for results.Next() {
		row := results.Row()
		if entry == nil || string(row[0].Bytes()) != name {
			name = string(row[0].Bytes())
			entry = new(kv.Entry)
			entries[name] = entry
		} else {
			total -= len(entry.Value)
		}
		addRow(entry, row[1:])
		if total += len(entry.Value); total > kv.MaxGetBytes {
			return &kv.Error{Op: "get", Status: 413, Message: "Total size of request exceeds the limit of 25MB"}
		}
	}
	return results.Err()
}

// jsonOf writes strings as a JSON array. They are valid UTF-8.
func jsonOf(texts []string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(texts) // strings always encode
	return strings.TrimSuffix(b.String(), "\n")
}
