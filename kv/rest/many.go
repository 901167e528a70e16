package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/kv"
)

// parallel is how many keys are read at the same time when they must be read one by one.
const parallel = 6

// codeNotText is the service's code if one of many keys has bytes that are no text.
const codeNotText = 10029

// bulkEntry is an element of what reading many keys gives.
type bulkEntry struct {
	Value      *string         `json:"value"`
	Metadata   json.RawMessage `json:"metadata"`
	Expiration float64         `json:"expiration"`
}

// GetWithMetadata implements [kv.Namespace]. The value and the metadata of a text come in one
// answer, and so belong together.
func (ns *Namespace) GetWithMetadata(ctx context.Context, key string) (kv.Entry, error) {
	if err := kv.CheckKey("get", key); err != nil {
		return kv.Entry{}, err
	}
	entries, err := ns.GetManyWithMetadata(ctx, []string{key})
	switch {
	case err != nil:
		return kv.Entry{}, err
	case entries[key] == nil:
		return kv.Entry{}, kv.NotFound("get", key)
	}
	return *entries[key], nil
}

// GetMany implements [kv.Namespace].
func (ns *Namespace) GetMany(ctx context.Context, keys []string) (map[string][]byte, error) {
	entries, err := ns.GetManyWithMetadata(ctx, keys)
	if err != nil {
		return nil, err
	}
	return kv.Values(entries), nil
}

// GetManyWithMetadata implements [kv.Namespace].
func (ns *Namespace) GetManyWithMetadata(ctx context.Context, keys []string) (map[string]*kv.Entry, error) {
	const op = "get"
	if err := kv.CheckKeys(op, keys); err != nil {
		return nil, err
	}
	if err := ns.enter(ctx, op, ""); err != nil {
		return nil, err
	}
	defer ns.active.Done()
	var result struct {
		Values map[string]*bulkEntry `json:"values"`
	}
	_, err := ns.client.Request(ctx, cloudflare.Call{
		Method: http.MethodPost, Path: ns.path + "/bulk/get", Class: cloudflare.ClassRead,
		Body: map[string]any{"keys": keys, "type": "text", "withMetadata": true},
	}, &result)
	entries := make(map[string]*kv.Entry, len(keys))
	if e, ok := errors.AsType[*cloudflare.APIError](err); ok && e.HasCode(codeNotText) && strings.Contains(e.Message(), "non-text") {
		return entries, ns.readSingly(ctx, unique(keys), entries)
	}
	if err != nil {
		return nil, convert(op, "", err)
	}
	var again []string
	for _, key := range unique(keys) {
		found, there := result.Values[key]
		switch {
		case found == nil || found.Value == nil:
			// One that is not in the answer at all may have been lost on its way.
			if entries[key] = nil; !there {
				again = append(again, key)
			}
		case strings.ContainsRune(*found.Value, '\uFFFD'):
			again = append(again, key) // perhaps bytes that are no text
		default:
			entries[key] = &kv.Entry{Value: []byte(*found.Value), Metadata: orNone(found.Metadata),
				Expiration: kv.FromSeconds(found.Expiration)}
		}
	}
	return entries, ns.readSingly(ctx, again, entries)
}

func unique(keys []string) []string {
	seen := make(map[string]bool, len(keys))
	all := make([]string, 0, len(keys))
	for _, key := range keys {
		if !seen[key] {
			seen[key] = true
			all = append(all, key)
		}
	}
	return all
}

// readSingly reads keys one by one, several at the same time. A key that is written meanwhile
// may get the value of one write and the metadata of another.
func (ns *Namespace) readSingly(ctx context.Context, keys []string, into map[string]*kv.Entry) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0
	slots := make(chan struct{}, parallel)
	for _, key := range keys {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			entry, err := ns.single(ctx, key)
			mu.Lock()
			defer mu.Unlock()
			into[key] = entry
			if entry != nil {
				total += len(entry.Value)
			}
			if err == nil && total > kv.MaxGetBytes {
				err = &kv.Error{Op: "get", Status: 413, Message: "Total size of request exceeds the limit of 25MB"}
			}
			if err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// single reads the value and the metadata of a key; nil means that it does not exist.
func (ns *Namespace) single(ctx context.Context, key string) (*kv.Entry, error) {
	value, expiration, err := ns.get(ctx, key)
	if err != nil {
		if errors.Is(err, kv.ErrNotFound) {
			err = nil
		}
		return nil, err
	}
	var metadata json.RawMessage
	_, err = ns.client.Request(ctx, cloudflare.Call{Path: ns.path + "/metadata/" + escape(key)}, &metadata)
	if err = convert("get", key, err); errors.Is(err, kv.ErrNotFound) {
		return nil, nil
	}
	return &kv.Entry{Value: value, Metadata: orNone(metadata), Expiration: expiration}, err
}
