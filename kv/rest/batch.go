package rest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/kv"
)

// maxBulkBytes keeps the body of a bulk put under the service's limit of 100 MB.
const maxBulkBytes = 90 << 20

// Atomic implements [kv.Batcher]: a batch is not.
func (ns *Namespace) Atomic() bool { return false }

// Batch implements [kv.Batcher]: the puts are one request, or several if they are long, and
// the deletions another.
func (ns *Namespace) Batch(ctx context.Context, writes []kv.Write) error {
	metadata, err := kv.CheckBatch(writes, ns.now(), kv.MinTTL)
	if err != nil || len(writes) == 0 {
		return err
	}
	if err := ns.enter(ctx, "batch", ""); err != nil {
		return err
	}
	defer ns.active.Done()
	return ns.batch(ctx, writes, metadata)
}

// pair is an element of a bulk put.
type pair struct {
	Key           string          `json:"key"`
	Value         string          `json:"value"`
	Base64        bool            `json:"base64,omitempty"`
	Expiration    int64           `json:"expiration,omitempty"`
	ExpirationTTL int64           `json:"expiration_ttl,omitempty"`
	Metadata      json.RawMessage `json:"metadata,omitempty"`
}

func pairOf(w kv.Write, metadata json.RawMessage) pair {
	p := pair{Key: w.Key, Metadata: metadata}
	if p.Base64 = !utf8.Valid(w.Value); p.Base64 {
		p.Value = base64.StdEncoding.EncodeToString(w.Value)
	} else {
		p.Value = string(w.Value)
	}
	switch {
	case w.TTL != 0:
		p.ExpirationTTL = int64(w.TTL / time.Second)
	case !w.Expiration.IsZero():
		p.Expiration = w.Expiration.Unix()
	}
	return p
}

// batch does writes that have been checked. Of several of one key the last counts.
func (ns *Namespace) batch(ctx context.Context, writes []kv.Write, metadata []json.RawMessage) error {
	last := make(map[string]int, len(writes))
	for i, w := range writes {
		last[w.Key] = i
	}
	var requests []bulk
	var pairs, deletions bulk
	for i, w := range writes {
		switch {
		case last[w.Key] != i:
		case w.Delete:
			deletions.keys = append(deletions.keys, w.Key)
		default:
			if size := 6*len(w.Value)/5 + len(w.Key) + 1200; pairs.size+size > maxBulkBytes && len(pairs.keys) > 0 {
				requests = append(requests, pairs)
				pairs = bulk{}
			} else {
				pairs.size += size
			}
			pairs.keys = append(pairs.keys, w.Key)
			pairs.pairs = append(pairs.pairs, pairOf(w, metadata[i]))
		}
	}
	for _, b := range []bulk{pairs, deletions} {
		if len(b.keys) > 0 {
			requests = append(requests, b)
		}
	}
	return ns.sendAll(ctx, requests)
}

// bulk is one request: pairs to put, or else keys to delete.
type bulk struct {
	keys  []string
	pairs []pair
	size  int
}

// sendAll sends requests one after the other. After a failure the rest is not sent.
func (ns *Namespace) sendAll(ctx context.Context, requests []bulk) error {
	done := 0
	for i, b := range requests {
		failed, err := ns.send(ctx, b)
		if err == nil && len(failed) == 0 {
			done += len(b.keys)
			continue
		}
		done += len(b.keys) - len(failed)
		for _, left := range requests[i+1:] {
			failed = append(failed, left.keys...)
		}
		if err == nil {
			err = &kv.Error{Op: "batch", Message: "the service did not write some of the keys", Transient: true}
		}
		if done == 0 && len(requests) == 1 {
			return err // nothing was done, which the error itself can say
		}
		return &kv.BatchError{Keys: failed, Done: done, Err: err}
	}
	return nil
}

// send sends a request, and once more for keys that the service says it did not write.
func (ns *Namespace) send(ctx context.Context, b bulk) (failed []string, err error) {
	for range 2 {
		call := cloudflare.Call{Method: http.MethodPost, Path: ns.path + "/bulk/delete", Class: cloudflare.ClassIdempotent, Body: b.keys}
		if b.pairs != nil {
			call = cloudflare.Call{Method: http.MethodPut, Path: ns.path + "/bulk", Class: cloudflare.ClassIdempotent, Body: b.pairs}
		}
		var result struct {
			Unsuccessful []string `json:"unsuccessful_keys"`
		}
		if _, err := ns.client.Request(ctx, call, &result); err != nil {
			return b.keys, convert("batch", "", err)
		}
		if failed = result.Unsuccessful; len(failed) == 0 {
			return nil, nil
		}
		b.keys = failed
		if b.pairs != nil {
			b.pairs = slices.DeleteFunc(slices.Clone(b.pairs), func(p pair) bool { return !slices.Contains(failed, p.Key) })
		}
	}
	return failed, nil
}
