package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/rest"
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/kvtest"
	"github.com/skylite-go/skylite/kv/ond1"
)

// bill adds up the rows that D1 says it has read and written.
type bill struct{ read, written atomic.Int64 }

// workerdD1 starts workerd's D1 engine and returns a database in it, behind a handler that
// puts the API's envelope around its answers.
func workerdD1(t *testing.T) (*d1.DB, *bill) {
	t.Helper()
	needNPM(t)
	engine := startOracle(t)
	total := new(bill)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := total.ask(engine, r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			answer = encode(t, map[string]any{"success": false, "result": nil, "messages": []any{},
				"errors": []any{map[string]any{"code": 7500, "message": err.Error()}}})
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(proxy.Close)
	backend, err := rest.Open(rest.Config{API: cloudflare.Config{APIToken: token, BaseURL: proxy.URL}, AccountID: account,
		DatabaseID: "00000000-0000-4000-8000-000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	t.Cleanup(func() { _ = db.Close() })
	return db, total
}

// ask sends the body of a call of the API to workerd.
func (b *bill) ask(url string, body io.Reader) (string, error) {
	var call struct {
		SQL    string
		Params json.RawMessage
		Batch  json.RawMessage
	}
	if err := json.NewDecoder(body).Decode(&call); err != nil {
		return "", err
	}
	query := call.Batch
	if query == nil {
		var err error
		if query, err = json.Marshal([]any{map[string]any{"sql": call.SQL, "params": call.Params}}); err != nil {
			return "", err
		}
	}
	resp, err := http.Post(url+"/query", "application/json", bytes.NewReader(query))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if bytes.HasPrefix(data, []byte("[")) {
		var results []struct {
			Meta struct {
				RowsRead    int64 `json:"rows_read"`
				RowsWritten int64 `json:"rows_written"`
			}
		}
		if err := json.Unmarshal(data, &results); err != nil {
			return "", err
		}
		for _, r := range results {
			b.read.Add(r.Meta.RowsRead)
			b.written.Add(r.Meta.RowsWritten)
		}
		return `{"success":true,"errors":[],"messages":[],"result":` + string(data) + `}`, nil
	}
	var failure struct{ Error string }
	if err := json.Unmarshal(data, &failure); err != nil || failure.Error == "" {
		return "", fmt.Errorf("workerd: %s", data)
	}
	return "", fmt.Errorf("%s", failure.Error)
}

// TestKVOnWorkerd runs the conformance suite on a namespace in workerd's own D1.
func TestKVOnWorkerd(t *testing.T) {
	t.Parallel()
	db, _ := workerdD1(t)
	var n atomic.Int32
	// A value that is longer would travel as lists of numbers for too long.
	kvtest.Run(t, kvtest.Options{MaxValue: 3 << 20}, func(t *testing.T) kv.Namespace {
		ns, err := ond1.New(db, ond1.Config{Namespace: fmt.Sprint("n", n.Add(1)), Table: ond1.Table{Name: "kv"}, PurgeEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ns.Close() })
		return ns
	})
}

// TestKVOverREST runs the conformance suite on a namespace in a D1 database of the server's.
func TestKVOverREST(t *testing.T) {
	t.Parallel()
	f := serveFiles(t)
	backend, err := rest.Open(rest.Config{API: cloudflare.Config{APIToken: token, BaseURL: f.base, Timeout: -1}, AccountID: account,
		DatabaseID: f.create(t, "kv")})
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	t.Cleanup(func() { _ = db.Close() })
	var n atomic.Int32
	kvtest.Run(t, kvtest.Options{MaxValue: 3 << 20}, func(t *testing.T) kv.Namespace {
		ns, err := ond1.New(db, ond1.Config{Namespace: fmt.Sprint("n", n.Add(1)), Table: ond1.Table{Name: "kv"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ns.Close() })
		return ns
	})
}

// kvCost says how many rows an operation reads and writes, as docs/kv.md does.
type kvCost struct {
	name          string
	read, written int64
	run           func() error
}

// TestKVCosts counts the rows that workerd's D1 reads and writes for each operation.
func TestKVCosts(t *testing.T) {
	t.Parallel()
	db, total := workerdD1(t)
	ctx := t.Context()
	ns, err := ond1.New(db, ond1.Config{PurgeEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	long, longer := []byte(strings.Repeat("x", 10_000)), []byte(strings.Repeat("x", 2_000_000))
	writes := make([]kv.Write, 5500)
	for i := range writes {
		writes[i] = kv.Write{Key: fmt.Sprintf("page%05d", i), Value: []byte("v")}
	}
	for range 2 { // 11,000 keys
		if err := ns.Batch(ctx, writes); err != nil {
			t.Fatal(err)
		}
		for i := range writes {
			writes[i].Key = fmt.Sprintf("page%05d", i+5500)
		}
	}
	hundred := make([]string, 100)
	for i := range hundred {
		hundred[i] = fmt.Sprintf("page%05d", i*3)
	}
	put := func(key string, value []byte, opts kv.PutOptions) func() error {
		return func() error { return ns.Put(ctx, key, value, opts) }
	}
	get := func(key string) func() error {
		return func() error { _, _ = ns.Get(ctx, key); return nil }
	}
	thousand := func(first int, delete bool) func() error {
		return func() error {
			some := make([]kv.Write, 1000)
			for i := range some {
				some[i] = kv.Write{Key: fmt.Sprintf("batch%05d", i+first), Value: []byte("v"), Delete: delete}
			}
			return ns.Batch(ctx, some)
		}
	}
	list := func(cursor string) func() error {
		return func() error { _, err := ns.List(ctx, kv.ListOptions{Prefix: "page", Cursor: cursor}); return err }
	}
	var version kv.Version
	for _, c := range []kvCost{
		{"put, new", 0, 1, put("a", []byte("v"), kv.PutOptions{})},
		{"put, over another", 0, 1, put("a", []byte("w"), kv.PutOptions{})},
		{"put with a TTL, new", 0, 2, put("t", []byte("v"), kv.PutOptions{TTL: time.Hour})},
		{"put with a TTL, over another", 0, 2, put("t", []byte("w"), kv.PutOptions{TTL: time.Hour})},
		{"put 10 KB, new", 1, 2, put("l", long, kv.PutOptions{})},
		{"put 10 KB, over another", 3, 3, put("l", long, kv.PutOptions{})},
		{"put 2 MB, new", 3, 4, put("m", longer, kv.PutOptions{})},
		{"get", 1, 0, get("a")},
		{"get 10 KB", 3, 0, get("l")},
		{"get 2 MB", 4, 0, get("m")},
		{"get, none", 0, 0, get("none")},
		{"get 100 keys", 200, 0, func() error { _, err := ns.GetMany(ctx, hundred); return err }},
		{"list 1,000 keys", 1001, 0, list("")},
		{"list 1,000 keys behind 10,000", 1001, 0, list("cGFnZTA5OTk5")}, // page09999
		{"batch of 1,000 puts", 1000, 1000, thousand(0, false)},
		{"batch of 1,000 deletions", 4000, 1000, thousand(0, true)},
		{"add, new", 1, 1, func() error { _, err := ns.Add(ctx, "n", 1, kv.PutOptions{}); return err }},
		{"add", 1, 1, func() error { _, err := ns.Add(ctx, "n", 1, kv.PutOptions{}); return err }},
		{"compare and swap, absent", 1, 1, func() (err error) {
			version, err = ns.CompareAndSwap(ctx, "s", kv.Absent, []byte("v"), kv.PutOptions{})
			return err
		}},
		{"compare and swap", 2, 1, func() (err error) {
			version, err = ns.CompareAndSwap(ctx, "s", version, []byte("v"), kv.PutOptions{})
			return err
		}},
		{"touch", 2, 2, func() error { return ns.Touch(ctx, "a", kv.PutOptions{TTL: time.Hour}) }},
		{"delete", 1, 1, func() error { return ns.Delete(ctx, "a") }},
		{"delete 10 KB", 3, 2, func() error { return ns.Delete(ctx, "l") }},
		{"delete, none", 0, 0, func() error { return ns.Delete(ctx, "none") }},
		{"purge, nothing to do", 4, 0, func() error { _, err := ns.Purge(ctx, 100); return err }},
	} {
		total.read.Store(0)
		total.written.Store(0)
		if err := c.run(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		read, written := total.read.Load(), total.written.Load()
		t.Logf("%-32s read %4d, written %4d", c.name, read, written)
		if read != c.read || written != c.written {
			t.Errorf("%s: read %d and written %d rows; want %d and %d", c.name, read, written, c.read, c.written)
		}
	}
}
