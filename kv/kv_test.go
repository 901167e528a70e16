package kv_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/kv"
)

func TestError(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, tt := range []struct {
		err                          error
		text                         string
		retryable, unsent, ambiguous bool
	}{
		{kv.NotFound("get", "k"), `kv: get "k": key not found`, false, false, false},
		{kv.Conflict("compare and swap", "k"), `kv: compare and swap "k": the key has another version`, false, false, false},
		{&kv.Error{Op: "put", Key: "k", Message: "text", Code: 10013, RayID: "r"}, `kv: put "k": text [code 10013] [ray r]`, false, false, false},
		{&kv.Error{Op: "list", Err: cause, Transient: true}, `kv: list: cause`, true, false, false},
		{&kv.Error{Op: "put", Err: cause, Transient: true, Outcome: kv.OutcomeUnknown}, `kv: put: cause`, false, false, true},
		{&kv.Error{Op: "put", Err: context.Canceled, Transient: true, Outcome: kv.OutcomeUnsent}, `kv: put: context canceled`, false, true, false},
		{&kv.Error{Op: "put", Key: strings.Repeat("k", 9999), Err: cause}, `kv: put "` + strings.Repeat("k", 64) + `…": cause`, false, false, false},
		{&kv.BatchError{Keys: []string{"a"}, Done: 2, Err: cause}, "kv: batch: 1 of 3 writes were not done: cause", false, false, false},
	} {
		wrapped := fmt.Errorf("outer: %w", tt.err)
		if tt.err.Error() != tt.text {
			t.Errorf("%s; want %s", tt.err, tt.text)
		}
		if kv.Retryable(wrapped) != tt.retryable || kv.Unsent(wrapped) != tt.unsent || kv.Ambiguous(wrapped) != tt.ambiguous {
			t.Errorf("%s: retryable %v, unsent %v, ambiguous %v", tt.err, kv.Retryable(wrapped), kv.Unsent(wrapped), kv.Ambiguous(wrapped))
		}
	}
	if !errors.Is(&kv.BatchError{Err: cause}, cause) {
		t.Error("a BatchError hides its cause")
	}
}

func TestSeconds(t *testing.T) {
	t.Parallel()
	if got := kv.Seconds(time.Time{}); got != 0 {
		t.Error(got)
	}
	for seconds, want := range map[float64]string{0: "0001-01-01", -5: "0001-01-01", 1e9: "2001-09-09", 1e300: "9999-12-31"} {
		if got := kv.FromSeconds(seconds).Format(time.DateOnly); got != want {
			t.Errorf("%v: %s; want %s", seconds, got, want)
		}
	}
	if got := kv.FromSeconds(1.5).UnixMilli(); got != 1500 {
		t.Error(got)
	}
}

func TestRegisterTwice(t *testing.T) {
	t.Parallel()
	kv.Register("test-once", func(string) (kv.Namespace, error) { return nil, errors.New("opened") })
	if _, err := kv.Open("test-once:x"); err == nil || err.Error() != "opened" {
		t.Error(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	kv.Register("test-once", nil)
}

// few is no Batcher, and fails at one of its puts.
type few struct {
	kv.Namespace
	failAt int
	puts   int
}

func (f *few) Put(ctx context.Context, key string, value []byte, opts kv.PutOptions) error {
	if f.puts++; f.puts == f.failAt {
		return &kv.Error{Op: "put", Key: key, Message: "full"}
	}
	return f.Namespace.Put(ctx, key, value, opts)
}

// TestWriteAll writes one by one where there is no Batcher, and says how far it came.
func TestWriteAll(t *testing.T) {
	t.Parallel()
	ns, err := kv.Open("file::memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	writes := []kv.Write{{Key: "a"}, {Key: "b"}, {Key: "a", Delete: true}, {Key: "c"}}
	if err := kv.WriteAll(t.Context(), &few{Namespace: ns}, writes); err != nil {
		t.Fatal(err)
	}
	page, err := ns.List(t.Context(), kv.ListOptions{})
	if err != nil || len(page.Keys) != 2 {
		t.Errorf("%v, %v", page, err)
	}
	err = kv.WriteAll(t.Context(), &few{Namespace: ns, failAt: 2}, writes)
	e, ok := errors.AsType[*kv.BatchError](err)
	if !ok || e.Done != 1 || strings.Join(e.Keys, " ") != "b a c" {
		t.Errorf("got %v", err)
	}
}
