package binding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall/js"
	"time"

	"github.com/skylite-go/skylite/internal/edge"
	"github.com/skylite-go/skylite/kv"
)

// Namespace is a namespace behind a binding. It is safe for concurrent use.
type Namespace struct {
	binding js.Value

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

var _ kv.Namespace = (*Namespace)(nil)

// Open returns the namespace that a Worker has under a name.
func Open(name string) (kv.Namespace, error) {
	v, err := edge.Binding(name, "KV")
	if err != nil {
		return nil, fmt.Errorf("kv: %w", err)
	}
	return &Namespace{binding: v}, nil
}

// call runs an operation.
func (ns *Namespace) call(ctx context.Context, op, key string, writes bool, name string, args ...any) (js.Value, error) {
	if err := ctx.Err(); err != nil {
		return js.Undefined(), unsent(op, key, err)
	}
	ns.mu.Lock()
	closed := ns.closed
	if !closed {
		ns.running.Add(1)
	}
	ns.mu.Unlock()
	if closed {
		e := unsent(op, key, kv.ErrClosed)
		e.Message = "namespace is closed"
		return js.Undefined(), e
	}
	defer ns.running.Done()
	v, err := edge.Call(ctx, name, append([]any{ns.binding}, args...)...)
	if err != nil {
		return v, failure(op, key, writes, err)
	}
	return v, nil
}

func unsent(op, key string, cause error) *kv.Error {
	return &kv.Error{Op: op, Key: key, Message: cause.Error(), Outcome: kv.OutcomeUnsent, Err: cause}
}

// answered is the runtime's text of an answer of the service.
var answered = regexp.MustCompile(`(?s)^KV \w+ failed: (\d{3}) ?(.*)$`)

func failure(op, key string, writes bool, err error) *kv.Error {
	e := &kv.Error{Op: op, Key: key, Message: err.Error(), Err: err}
	_, begun := errors.AsType[*edge.Begun](err)
	if match := answered.FindStringSubmatch(e.Message); match != nil {
		e.Status, _ = strconv.Atoi(match[1])
		e.Message = match[2]
	}
	switch {
	case e.Status == 429:
		e.Outcome, e.Transient = kv.OutcomeUnsent, true
	case e.Status >= 500:
		e.Transient = true
		fallthrough
	case e.Status == 0 || begun:
		if writes {
			e.Outcome = kv.OutcomeUnknown
		}
	}
	return e
}

// Close waits for calls under way.
func (ns *Namespace) Close() error {
	ns.mu.Lock()
	ns.closed = true
	ns.mu.Unlock()
	ns.running.Wait()
	return nil
}

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
	const op = "get"
	if err := kv.CheckKey(op, key); err != nil {
		return kv.Entry{}, err
	}
	v, err := ns.call(ctx, op, key, false, "kvGet", edge.Array([]byte(key)))
	if err != nil {
		return kv.Entry{}, err
	}
	if entry := entryOf(v); entry != nil {
		return *entry, nil
	}
	return kv.Entry{}, kv.NotFound(op, key)
}

// entryOf reads what the JavaScript side says of a key.
func entryOf(v js.Value) *kv.Entry {
	if v.IsNull() {
		return nil
	}
	entry := &kv.Entry{Value: edge.Bytes(v.Get("value"))}
	if metadata := v.Get("metadata").String(); metadata != "" {
		entry.Metadata = json.RawMessage(metadata)
	}
	return entry
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
	const op = "get"
	if err := kv.CheckKeys(op, keys); err != nil {
		return nil, err
	}
	args := make([]any, len(keys))
	for i, key := range keys {
		args[i] = edge.Array([]byte(key))
	}
	v, err := ns.call(ctx, op, "", false, "kvGetMany", args...)
	if err != nil {
		return nil, err
	}
	entries := make(map[string]*kv.Entry, len(keys))
	for i, key := range keys {
		if _, again := entries[key]; !again {
			entries[key] = entryOf(v.Index(i))
		}
	}
	return entries, nil
}

// Put implements [kv.Namespace].
func (ns *Namespace) Put(ctx context.Context, key string, value []byte, opts kv.PutOptions) error {
	const op = "put"
	metadata, err := kv.CheckPut(op, key, value, opts, time.Now(), kv.MinTTL)
	if err != nil {
		return err
	}
	ttl, expiration := int64(opts.TTL/time.Second), int64(0)
	if opts.TTL == 0 && !opts.Expiration.IsZero() {
		expiration = opts.Expiration.Unix()
	}
	_, err = ns.call(ctx, op, key, true, "kvPut", edge.Array([]byte(key)), edge.Array(value), ttl, expiration, edge.Array(metadata))
	return err
}

// Delete implements [kv.Namespace].
func (ns *Namespace) Delete(ctx context.Context, key string) error {
	const op = "delete"
	if err := kv.CheckKey(op, key); err != nil {
		return err
	}
	_, err := ns.call(ctx, op, key, true, "kvDelete", edge.Array([]byte(key)))
	return err
}

// List implements [kv.Namespace].
func (ns *Namespace) List(ctx context.Context, opts kv.ListOptions) (kv.Page, error) {
	const op = "list"
	if err := kv.CheckList(opts); err != nil {
		return kv.Page{}, err
	}
	// workerd finds nothing for a prefix with a NUL in it.
	prefix, _, _ := strings.Cut(opts.Prefix, "\x00")
	v, err := ns.call(ctx, op, "", false, "kvList", edge.Array([]byte(prefix)), opts.Limit, opts.Cursor)
	if err != nil {
		return kv.Page{}, err
	}
	var answer struct {
		Keys []struct {
			Name       string
			Expiration float64
			Metadata   json.RawMessage
		}
		Complete bool `json:"list_complete"`
		Cursor   string
	}
	if err := json.Unmarshal(edge.Bytes(v), &answer); err != nil {
		return kv.Page{}, &kv.Error{Op: op, Message: "the binding's answer is not as expected", Err: err}
	}
	page := kv.Page{Complete: answer.Complete, Cursor: answer.Cursor, Keys: make([]kv.Key, 0, len(answer.Keys))}
	for _, found := range answer.Keys {
		if !strings.HasPrefix(found.Name, opts.Prefix) {
			continue
		}
		key := kv.Key{Name: found.Name, Expiration: kv.FromSeconds(found.Expiration)}
		if string(found.Metadata) != "null" {
			key.Metadata = found.Metadata
		}
		page.Keys = append(page.Keys, key)
	}
	return page, nil
}
