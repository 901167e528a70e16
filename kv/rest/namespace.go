package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/kv"
)

// Namespace is a Workers KV namespace over the REST API. It is safe for concurrent use.
type Namespace struct {
	client *cloudflare.Client
	owned  bool
	path   string
	writer *coalescer // nil unless puts leave together
	now    func() time.Time

	mu     sync.RWMutex
	closed bool
	active sync.WaitGroup
}

var _ kv.Batcher = (*Namespace)(nil)

// Open returns the namespace that the Config names. Nothing is sent before the first
// request.
func Open(cfg Config) (*Namespace, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	client, err := cfg.client()
	if err != nil {
		return nil, err
	}
	ns := &Namespace{client: client, owned: cfg.Client == nil, now: time.Now,
		path: namespacesPath(cfg.AccountID) + "/" + url.PathEscape(cfg.NamespaceID)}
	if cfg.Coalesce {
		ns.writer = &coalescer{send: ns.batch}
	}
	return ns, nil
}

func namespacesPath(account string) string {
	return "/accounts/" + url.PathEscape(account) + "/storage/kv/namespaces"
}

// Close waits for requests under way.
func (ns *Namespace) Close() error {
	ns.mu.Lock()
	ns.closed = true
	ns.mu.Unlock()
	ns.active.Wait()
	if ns.owned {
		ns.client.Close()
	}
	return nil
}

// enter counts a request in, unless it is known not to be wanted any more: its context has ended,
// or the Namespace is closed.
func (ns *Namespace) enter(ctx context.Context, op, key string) error {
	if err := ctx.Err(); err != nil {
		return &kv.Error{Op: op, Key: key, Outcome: kv.OutcomeUnsent, Err: err}
	}
	ns.mu.RLock()
	defer ns.mu.RUnlock()
	if ns.closed {
		return &kv.Error{Op: op, Key: key, Message: "namespace is closed", Outcome: kv.OutcomeUnsent, Err: kv.ErrClosed}
	}
	ns.active.Add(1)
	return nil
}

// escape writes a key as one segment of a path. url.PathEscape leaves characters alone that
// a server may take apart, and encodeURIComponent, which the service expects, does not.
func escape(key string) string {
	return strings.ReplaceAll(url.QueryEscape(key), "+", "%20")
}

func (ns *Namespace) value(key string) string { return ns.path + "/values/" + escape(key) }

// Get implements [kv.Namespace].
func (ns *Namespace) Get(ctx context.Context, key string) ([]byte, error) {
	value, _, err := ns.get(ctx, key)
	return value, err
}

// get reads a value as the bytes that it is, and when it ends.
func (ns *Namespace) get(ctx context.Context, key string) ([]byte, time.Time, error) {
	const op = "get"
	if err := kv.CheckKey(op, key); err != nil {
		return nil, time.Time{}, err
	}
	if err := ns.enter(ctx, op, key); err != nil {
		return nil, time.Time{}, err
	}
	defer ns.active.Done()
	value, resp, err := ns.client.Whole(ctx, cloudflare.Call{Path: ns.value(key)}, kv.MaxValueBytes)
	if err != nil {
		return nil, time.Time{}, convert(op, key, err)
	}
	if value == nil {
		value = []byte{}
	}
	seconds, _ := strconv.ParseFloat(resp.Header.Get("Expiration"), 64) // 0 if it never ends
	return value, kv.FromSeconds(seconds), nil
}

// Put implements [kv.Namespace].
func (ns *Namespace) Put(ctx context.Context, key string, value []byte, opts kv.PutOptions) error {
	const op = "put"
	metadata, err := kv.CheckPut(op, key, value, opts, ns.now(), kv.MinTTL)
	if err != nil {
		return err
	}
	if err := ns.enter(ctx, op, key); err != nil {
		return err
	}
	defer ns.active.Done()
	if ns.writer != nil {
		return ns.writer.put(ctx, op, kv.Write{Key: key, Value: value, PutOptions: opts}, metadata)
	}
	call := cloudflare.Call{Method: http.MethodPut, Path: ns.value(key), Query: url.Values{},
		Class: cloudflare.ClassIdempotent, Body: value, ContentType: "application/octet-stream"}
	switch {
	case opts.TTL != 0:
		call.Query.Set("expiration_ttl", strconv.FormatInt(int64(opts.TTL/time.Second), 10))
	case !opts.Expiration.IsZero():
		call.Query.Set("expiration", strconv.FormatInt(opts.Expiration.Unix(), 10))
	}
	if value == nil {
		call.Body = []byte{}
	}
	if metadata != nil {
		if call.Body, call.ContentType, err = form(value, metadata); err != nil {
			return err
		}
	}
	_, err = ns.client.Request(ctx, call, nil)
	return convert(op, key, err)
}

// form is the body of a put with metadata.
func form(value []byte, metadata json.RawMessage) (body []byte, contentType string, err error) {
	var b bytes.Buffer
	b.Grow(len(value) + len(metadata) + 512)
	w := multipart.NewWriter(&b)
	for _, part := range []struct {
		name string
		data []byte
	}{{"metadata", metadata}, {"value", value}} {
		out, err := w.CreateFormField(part.name)
		if err == nil {
			_, err = out.Write(part.data)
		}
		if err != nil {
			return nil, "", err
		}
	}
	err = w.Close()
	return b.Bytes(), w.FormDataContentType(), err
}

// Delete implements [kv.Namespace].
func (ns *Namespace) Delete(ctx context.Context, key string) error {
	const op = "delete"
	if err := kv.CheckKey(op, key); err != nil {
		return err
	}
	if err := ns.enter(ctx, op, key); err != nil {
		return err
	}
	defer ns.active.Done()
	if ns.writer != nil {
		return ns.writer.put(ctx, op, kv.Write{Key: key, Delete: true}, nil)
	}
	_, err := ns.client.Request(ctx, cloudflare.Call{Method: http.MethodDelete, Path: ns.value(key), Class: cloudflare.ClassIdempotent}, nil)
	return convert(op, key, err)
}

// List implements [kv.Namespace].
func (ns *Namespace) List(ctx context.Context, opts kv.ListOptions) (kv.Page, error) {
	const op = "list"
	if err := kv.CheckList(opts); err != nil {
		return kv.Page{}, err
	}
	if err := ns.enter(ctx, op, opts.Prefix); err != nil {
		return kv.Page{}, err
	}
	defer ns.active.Done()
	query := url.Values{}
	for name, value := range map[string]string{"prefix": opts.Prefix, "cursor": opts.Cursor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if opts.Limit > 0 {
		query.Set("limit", strconv.Itoa(opts.Limit))
	}
	var keys []struct {
		Name       string          `json:"name"`
		Expiration float64         `json:"expiration"`
		Metadata   json.RawMessage `json:"metadata"`
	}
	info, err := ns.client.Request(ctx, cloudflare.Call{Path: ns.path + "/keys", Query: query}, &keys)
	if err != nil {
		return kv.Page{}, convert(op, opts.Prefix, err)
	}
	page := kv.Page{Keys: make([]kv.Key, len(keys)), Cursor: info.Cursor, Complete: info.Cursor == ""}
	for i, key := range keys {
		page.Keys[i] = kv.Key{Name: key.Name, Expiration: kv.FromSeconds(key.Expiration), Metadata: orNone(key.Metadata)}
	}
	return page, nil
}

// orNone is metadata, of which null means none.
func orNone(metadata json.RawMessage) json.RawMessage {
	if len(metadata) == 0 || string(metadata) == "null" {
		return nil
	}
	return metadata
}
