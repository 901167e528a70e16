package kvtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skylite-go/skylite/kv"
)

func testSwap(t *testing.T, s suite) {
	ns := as[kv.Swapper](t, s)
	ctx := t.Context()
	long := strings.Repeat("long", 5000)
	swap := func(old kv.Version, value string) kv.Version {
		t.Helper()
		v, err := ns.CompareAndSwap(ctx, "k", old, []byte(value), kv.PutOptions{Metadata: len(value)})
		if err != nil || v == kv.Absent {
			t.Fatalf("swap %.20q: %q, %v", old, v, err)
		}
		wantValue(t, ns, "k", value)
		if entry, err := ns.GetWithMetadata(ctx, "k"); err != nil || entry.Version != v || string(entry.Metadata) != fmt.Sprint(len(value)) {
			t.Errorf("entry %.60v, %v; want version %s", entry, err, v)
		}
		return v
	}
	conflict := func(old kv.Version) {
		t.Helper()
		before, errBefore := ns.Get(ctx, "k")
		for _, value := range []string{"lost", long + "lost"} {
			if _, err := ns.CompareAndSwap(ctx, "k", old, []byte(value), kv.PutOptions{}); !errors.Is(err, kv.ErrConflict) {
				t.Errorf("swap %q: %v; want a conflict", old, err)
			}
		}
		after, errAfter := ns.Get(ctx, "k")
		if string(before) != string(after) || (errBefore == nil) != (errAfter == nil) {
			t.Errorf("a conflict changed %.20q to %.20q", before, after)
		}
	}
	conflict("123456")
	conflict("no version")
	v1 := swap(kv.Absent, "one")
	conflict(kv.Absent)
	v2 := swap(v1, long)
	conflict(v1)
	put(t, ns, "k", "put") // which changes the version too
	conflict(v2)
	entry, err := ns.GetWithMetadata(ctx, "k")
	if err != nil {
		t.Fatal(err)
	}
	v3 := swap(entry.Version, "three")
	if err := ns.CompareAndDelete(ctx, "k", v2); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("delete of another version: %v", err)
	}
	if err := ns.CompareAndDelete(ctx, "k", v3); err != nil {
		t.Error(err)
	}
	if err := ns.CompareAndDelete(ctx, "k", v3); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("deleted twice: %v", err)
	}
	if err := ns.CompareAndDelete(ctx, "k", kv.Absent); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("delete of nothing: %v", err)
	}
	conflict(v3) // a version never comes back
	v4 := swap(kv.Absent, long)
	if v4 == v1 || v4 == v2 || v4 == v3 {
		t.Errorf("the version %s has come back", v4)
	}
	_, err = ns.CompareAndSwap(ctx, "", kv.Absent, nil, kv.PutOptions{})
	wantError(t, err, 400, "Key names must not be empty")
	_, err = ns.CompareAndSwap(ctx, "k", v4, nil, kv.PutOptions{TTL: -1})
	wantError(t, err, 400, "Invalid expiration_ttl")
	swapExpired(t, ns)
}

// swapExpired: a key that has expired is absent.
func swapExpired(t *testing.T, ns kv.Swapper) {
	e, ok := ns.(kv.Expirer)
	if !ok || e.MinTTL() >= kv.MinTTL {
		return
	}
	ctx := t.Context()
	v, err := ns.CompareAndSwap(ctx, "e", kv.Absent, []byte("v"), kv.PutOptions{TTL: e.MinTTL()})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the key has expired", func() bool { _, err := ns.Get(ctx, "e"); return errors.Is(err, kv.ErrNotFound) })
	if _, err := ns.CompareAndSwap(ctx, "e", v, []byte("x"), kv.PutOptions{}); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("swap of what has expired: %v", err)
	}
	if err := ns.CompareAndDelete(ctx, "e", v); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("delete of what has expired: %v", err)
	}
	if err := e.Touch(ctx, "e", kv.PutOptions{}); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("touch of what has expired: %v", err)
	}
	if _, err := ns.CompareAndSwap(ctx, "e", kv.Absent, []byte("new"), kv.PutOptions{}); err != nil {
		t.Error(err)
	}
	wantValue(t, ns, "e", "new")
}

// testUpdate counts from many goroutines at once.
func testUpdate(t *testing.T, s suite) {
	ns := as[kv.Swapper](t, s)
	const goroutines, rounds = 16, 4
	increment := func(entry *kv.Entry) ([]byte, kv.PutOptions, error) {
		n := 0
		if entry != nil {
			var err error
			if n, err = strconv.Atoi(string(entry.Value)); err != nil {
				return nil, kv.PutOptions{}, err
			}
		}
		return strconv.AppendInt(nil, int64(n+1), 10), kv.PutOptions{}, nil
	}
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range rounds {
				if err := kv.Update(t.Context(), ns, "n", increment); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wantValue(t, ns, "n", fmt.Sprint(goroutines*rounds))
	stop := errors.New("stop")
	err := kv.Update(t.Context(), ns, "n", func(*kv.Entry) ([]byte, kv.PutOptions, error) { return nil, kv.PutOptions{}, stop })
	if !errors.Is(err, stop) {
		t.Errorf("an error of the function: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := kv.Update(ctx, ns, "n", increment); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
}

func testBatch(t *testing.T, s suite) {
	ns := as[kv.Batcher](t, s)
	ctx := t.Context()
	if err := ns.Batch(ctx, nil); err != nil {
		t.Errorf("an empty batch: %v", err)
	}
	put(t, ns, "gone", strings.Repeat("x", 3000))
	put(t, ns, "stays", "v")
	writes := []kv.Write{
		{Key: "a", Value: []byte("first")},
		{Key: "a", Value: []byte("last"), PutOptions: kv.PutOptions{Metadata: map[string]string{"m": "<&>\u2028"}}},
		{Key: "binary", Value: []byte(everyByte())},
		{Key: "NUL\x00", Value: []byte("a\x00b")},
		{Key: "empty"},
		{Key: "long", Value: []byte(strings.Repeat("ž", 5000))},
		{Key: "ttl", Value: []byte("v"), PutOptions: kv.PutOptions{TTL: time.Hour}},
		{Key: "gone", Delete: true},
		{Key: "never was", Delete: true},
		{Key: "put, then deleted", Value: []byte("v")},
		{Key: "put, then deleted", Delete: true},
		{Key: "deleted, then put", Delete: true},
		{Key: "deleted, then put", Value: []byte("v")},
	}
	if err := ns.Batch(ctx, writes); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"a": "last", "binary": everyByte(), "NUL\x00": "a\x00b", "empty": "", "long": strings.Repeat("ž", 5000),
		"ttl": "v", "stays": "v", "deleted, then put": "v",
	}
	for key, value := range want {
		wantValue(t, ns, key, value)
	}
	page := list(t, ns, kv.ListOptions{})
	if len(page.Keys) != len(want) {
		t.Errorf("keys %q", names(page.Keys))
	}
	for _, key := range page.Keys {
		if key.Name == "a" && !sameJSON(t, key.Metadata, `{"m":"<&>\u2028"}`) || (key.Name == "ttl") == key.Expiration.IsZero() {
			t.Errorf("listed as %v", key)
		}
	}
	// One that is refused keeps all of them from being done.
	for _, bad := range []kv.Write{{Key: ""}, {Key: "x", PutOptions: kv.PutOptions{TTL: -1}}, {Key: ".", Delete: true},
		{Key: "x", Value: make([]byte, kv.MaxValueBytes+1)}, {Key: "x", PutOptions: kv.PutOptions{Metadata: strings.Repeat("m", 2000)}}} {
		if err := ns.Batch(ctx, []kv.Write{{Key: "other", Value: []byte("v")}, bad}); err == nil {
			t.Errorf("%.40q was accepted", bad.Key)
		}
		wantMissing(t, ns, "other")
	}
	err := ns.Batch(ctx, make([]kv.Write, kv.MaxBatch+1))
	wantError(t, err, 400, "max allowed per request is: 10000")
	testBatchOfMany(t, ns)
	if ns.Atomic() {
		testAtomic(t, ns)
	}
}

func testBatchOfMany(t *testing.T, ns kv.Batcher) {
	writes := make([]kv.Write, 1500)
	for i := range writes {
		writes[i] = kv.Write{Key: fmt.Sprintf("many%04d", i), Value: []byte(strings.Repeat("v", i%300))}
	}
	if err := ns.Batch(t.Context(), writes); err != nil {
		t.Fatal(err)
	}
	n := 0
	for key, err := range kv.All(t.Context(), ns, kv.ListOptions{Prefix: "many"}) {
		if err != nil || key.Name != writes[n].Key {
			t.Fatalf("%v, %v", key, err)
		}
		n++
	}
	if n != len(writes) {
		t.Errorf("%d keys", n)
	}
	wantValue(t, ns, "many0299", strings.Repeat("v", 299))
	for i := range writes {
		writes[i].Delete = true
	}
	if err := ns.Batch(t.Context(), writes); err != nil {
		t.Fatal(err)
	}
	if page := list(t, ns, kv.ListOptions{Prefix: "many"}); len(page.Keys) > 0 {
		t.Errorf("%d are left", len(page.Keys))
	}
}

// testAtomic moves a token between two keys: readers of both always see it once.
func testAtomic(t *testing.T, ns kv.Batcher) {
	ctx := t.Context()
	put(t, ns, "token1", "here")
	var done atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		defer done.Store(true)
		for i := range 30 {
			here, there := "token1", "token2"
			if i%2 == 1 {
				here, there = there, here
			}
			if err := ns.Batch(ctx, []kv.Write{{Key: here, Delete: true}, {Key: there, Value: []byte("here")}}); err != nil {
				t.Error(err)
			}
		}
	})
	for !done.Load() {
		values, err := ns.GetMany(ctx, []string{"token1", "token2"})
		if err != nil || (values["token1"] == nil) == (values["token2"] == nil) {
			t.Errorf("%q, %v", values, err)
		}
	}
	wg.Wait()
}

func testCount(t *testing.T, s suite) {
	ns := as[kv.Counter](t, s)
	ctx := t.Context()
	add := func(key string, delta, want int64, opts kv.PutOptions) {
		t.Helper()
		if got, err := ns.Add(ctx, key, delta, opts); err != nil || got != want {
			t.Errorf("add %d to %s: %d, %v; want %d", delta, key, got, err, want)
		}
		wantValue(t, ns, key, fmt.Sprint(want))
	}
	add("n", 5, 5, kv.PutOptions{Metadata: "m", TTL: time.Hour})
	add("n", -7, -2, kv.PutOptions{Metadata: "other"})
	add("n", 0, -2, kv.PutOptions{})
	entry, err := ns.GetWithMetadata(ctx, "n")
	if err != nil || string(entry.Metadata) != `"m"` || !s.opts.NoExpiration && !nearly(entry.Expiration, s.opts.Now().Add(time.Hour)) {
		t.Errorf("entry %v, %v", entry, err)
	}
	put(t, ns, "big", fmt.Sprint(math.MaxInt64-1))
	add("big", 1, math.MaxInt64, kv.PutOptions{})
	put(t, ns, "small", fmt.Sprint(math.MinInt64+1))
	add("small", -1, math.MinInt64, kv.PutOptions{})
	add("least", math.MinInt64, math.MinInt64, kv.PutOptions{})
	add("9007199254740993", 9007199254740993, 9007199254740993, kv.PutOptions{})
	for key, value := range map[string]string{"over": fmt.Sprint(math.MaxInt64), "text": "twelve", "empty": "", "fraction": "1.5",
		"space": " 1", "zero": "01", "plus": "+1", "huge": "9223372036854775808", "binary": "\xff", "long": strings.Repeat("1", 1000)} {
		put(t, ns, key, value)
		if got, err := ns.Add(ctx, key, 1, kv.PutOptions{}); err == nil {
			t.Errorf("%s: %d", key, got)
		}
		wantValue(t, ns, key, value)
	}
	_, err = ns.Add(ctx, "..", 1, kv.PutOptions{})
	wantError(t, err, 400, "Illegal key name")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if _, err := ns.Add(ctx, "together", 1, kv.PutOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	add("together", 0, 40, kv.PutOptions{})
}

func testQuery(t *testing.T, s suite) {
	ns := as[kv.Querier](t, s)
	type meta struct {
		Role string `json:"role"`
		Age  int    `json:"age"`
	}
	put(t, ns, "ada", "12345", kv.PutOptions{Metadata: meta{"admin", 36}, TTL: time.Hour})
	put(t, ns, "bob", "1", kv.PutOptions{Metadata: meta{"user", 20}})
	put(t, ns, "eve", strings.Repeat("x", 5000), kv.PutOptions{Metadata: meta{"user", 40}})
	put(t, ns, "zoe", "")
	other := s.open(t)
	put(t, other, "not seen", "", kv.PutOptions{Metadata: meta{"user", 1}})
	for _, tt := range []struct {
		where string
		args  []any
		want  []string
	}{
		{"", nil, []string{"ada", "bob", "eve", "zoe"}},
		{"metadata->>'$.role' = ? ORDER BY name DESC", []any{"user"}, []string{"eve", "bob"}},
		{"metadata->>'$.age' > ? ORDER BY name LIMIT ?", []any{30, 1}, []string{"ada"}},
		{"size >= 5 ORDER BY size", nil, []string{"ada", "eve"}},
		{"metadata IS NULL", nil, []string{"zoe"}},
		{"expiration IS NOT NULL", nil, []string{"ada"}},
		{"name >= 'b' AND name < 'f' ORDER BY name", nil, []string{"bob", "eve"}},
		{"false", nil, nil},
	} {
		var got []string
		for key, err := range ns.Query(t.Context(), tt.where, tt.args...) {
			if err != nil {
				t.Fatalf("%s: %v", tt.where, err)
			}
			got = append(got, key.Name)
			if key.Name == "ada" && !nearly(key.Expiration, s.opts.Now().Add(time.Hour)) {
				t.Errorf("ada ends at %v", key.Expiration)
			}
		}
		if tt.where == "" {
			slices.Sort(got)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q; want %q", tt.where, got, tt.want)
		}
	}
	for range ns.Query(t.Context(), "") {
		break // and everything is freed
	}
	for _, bad := range []string{"nope = 1", "name = ", "name = ?"} {
		var last error
		for _, err := range ns.Query(t.Context(), bad) {
			last = err
		}
		if last == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}
