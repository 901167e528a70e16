package kvtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/kv"
)

func testHelpers(t *testing.T, s suite) {
	ns := s.open(t)
	ctx := t.Context()
	type user struct {
		Name string
		Age  int
	}
	if err := kv.PutJSON(ctx, ns, "json", user{"Ada <&>", 36}, kv.PutOptions{Metadata: user{"m", 1}}); err != nil {
		t.Fatal(err)
	}
	wantValue(t, ns, "json", `{"Name":"Ada <&>","Age":36}`)
	got, err := kv.GetJSON[user](ctx, ns, "json")
	if err != nil || got != (user{"Ada <&>", 36}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := kv.GetJSON[int](ctx, ns, "json"); err == nil || !strings.Contains(err.Error(), `get "json"`) {
		t.Errorf("JSON of another type: %v", err)
	}
	if _, err := kv.GetJSON[user](ctx, ns, "missing"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("a miss: %v", err)
	}
	if err := kv.PutJSON(ctx, ns, "bad", func() {}, kv.PutOptions{}); err == nil {
		t.Error("a function became JSON")
	}
	if err := kv.PutString(ctx, ns, "text", "привет", kv.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if text, err := kv.GetString(ctx, ns, "text"); text != "привет" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	testReaders(t, ns)
}

func testReaders(t *testing.T, ns kv.Namespace) {
	ctx := t.Context()
	if err := kv.PutReader(ctx, ns, "reader", iotest.HalfReader(strings.NewReader("some text")), kv.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	r, err := kv.GetReader(ctx, ns, "reader")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); string(text) != "some text" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	broken := errors.New("broken")
	if err := kv.PutReader(ctx, ns, "reader", iotest.ErrReader(broken), kv.PutOptions{}); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
	err = kv.PutReader(ctx, ns, "reader", io.LimitReader(zeros{}, kv.MaxValueBytes+7), kv.PutOptions{})
	wantError(t, err, 413, "Value length of 26214407 exceeds limit of 26214400.")
	wantValue(t, ns, "reader", "some text")
	wantError(t, kv.PutReader(ctx, ns, "", iotest.ErrReader(broken), kv.PutOptions{}), 400, "Key names must not be empty")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func testCopy(t *testing.T, s suite) {
	from, to := s.open(t), s.open(t)
	ctx := t.Context()
	fill(t, from, 130)
	put(t, from, "binary", everyByte(), kv.PutOptions{Metadata: map[string]any{"a": 1.5}})
	put(t, from, "ttl", "v", kv.PutOptions{TTL: time.Hour})
	put(t, from, "long", strings.Repeat("x", 300_000))
	put(t, from, "NUL\x00", "")
	put(t, to, "own", "stays")
	n, err := kv.Copy(ctx, to, from, "")
	if err != nil || n != 134 {
		t.Fatalf("copied %d, %v", n, err)
	}
	put(t, from, "own", "stays")
	var want, got []kv.Key
	for i, ns := range []kv.Namespace{from, to} {
		for key, err := range kv.All(ctx, ns, kv.ListOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			if key.Expiration = key.Expiration.Truncate(time.Second); i == 0 {
				want = append(want, key)
			} else {
				got = append(got, key)
			}
		}
	}
	if !cmp.Equal(got, want) {
		t.Errorf("%s", cmp.Diff(want, got))
	}
	wantValue(t, to, "binary", everyByte())
	wantValue(t, to, "long", strings.Repeat("x", 300_000))
	wantValue(t, to, "k077", "v77")
	if n, err := kv.Copy(ctx, to, from, "k01"); n != 10 || err != nil {
		t.Errorf("copied %d, %v", n, err)
	}
}

func testContexts(t *testing.T, s suite) {
	ns := s.open(t)
	put(t, ns, "k", "v")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls := map[string]func() error{
		"get":    func() error { _, err := ns.Get(ctx, "k"); return err },
		"many":   func() error { _, err := ns.GetMany(ctx, []string{"k"}); return err },
		"put":    func() error { return ns.Put(ctx, "k", []byte("x"), kv.PutOptions{}) },
		"delete": func() error { return ns.Delete(ctx, "k") },
		"list":   func() error { _, err := ns.List(ctx, kv.ListOptions{}); return err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, context.Canceled) || kv.Retryable(err) {
			t.Errorf("%s with a context that has ended: %v", name, err)
		}
	}
	wantValue(t, ns, "k", "v")
}

// testConcurrency writes whole values from many goroutines while others read: nobody may
// see a part of one.
func testConcurrency(t *testing.T, s suite) {
	ns := s.open(t)
	ctx := t.Context()
	value := func(n int) []byte { return bytes.Repeat([]byte(fmt.Sprintf("%04d", n)), 1+(n%5)*20_000) }
	put(t, ns, "k", string(value(0)))
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 8 {
				if err := ns.Put(ctx, "k", value(g*100+i), kv.PutOptions{Metadata: g*100 + i}); err != nil {
					t.Error(err)
				}
				if err := ns.Put(ctx, fmt.Sprint("other", g, i), nil, kv.PutOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 12 {
				entry, err := ns.GetWithMetadata(ctx, "k")
				if err != nil || len(entry.Value) < 4 {
					t.Errorf("%d bytes, %v", len(entry.Value), err)
					continue
				}
				var n int
				if _, err := fmt.Sscanf(string(entry.Value[:4]), "%04d", &n); err != nil || !bytes.Equal(entry.Value, value(n)) {
					t.Errorf("a torn value of %d bytes that begins %q", len(entry.Value), entry.Value[:4])
				}
				if m, err := kv.DecodeMetadata[int](entry.Metadata); err != nil || m != n {
					t.Errorf("value %d has the metadata %s", n, entry.Metadata)
				}
			}
		})
	}
	wg.Wait()
	if page := list(t, ns, kv.ListOptions{Prefix: "other"}); len(page.Keys) != 32 {
		t.Errorf("%d keys are left", len(page.Keys))
	}
}

func testClose(t *testing.T, s suite) {
	ns := s.open(t)
	put(t, ns, "k", "v")
	for range 2 {
		if err := ns.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := ns.Get(t.Context(), "k"); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("get after close: %v", err)
	}
	if err := ns.Put(t.Context(), "k", nil, kv.PutOptions{}); !errors.Is(err, kv.ErrClosed) || !kv.Unsent(err) {
		t.Errorf("put after close: %v", err)
	}
}
