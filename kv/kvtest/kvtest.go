// Package kvtest has the tests that every [kv.Namespace] passes.
//
//	func TestConformance(t *testing.T) {
//		kvtest.Run(t, kvtest.Options{}, func(t *testing.T) kv.Namespace { … })
//	}
//
// It imports no place, and so runs inside a Worker too.
package kvtest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/kv"
)

// Options say what a place cannot do. The zero value is a place that can do all of KV.
// What is beyond KV is tested where the place has the interface.
type Options struct {
	// NoExpiration says that GetWithMetadata does not tell when a key ends, as KV's binding
	// does not.
	NoExpiration bool
	// MaxValue is how long the longest value of the tests is, for a place to which 25 MiB
	// take too long; 0 means [kv.MaxValueBytes].
	MaxValue int
	// Advance lets time pass for the place, without waiting. nil means that nobody can, and
	// that expiry after KV's 60 seconds and more is not tested; where the place is a
	// [kv.Expirer], shorter times are.
	Advance func(d time.Duration)
	// Now is the place's clock, if it is not the system's.
	Now func() time.Time
}

// Run runs the conformance suite. open returns a new, empty namespace, and sees to its
// closing.
func Run(t *testing.T, opts Options, open func(t *testing.T) kv.Namespace) {
	if opts.MaxValue == 0 {
		opts.MaxValue = kv.MaxValueBytes
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	for _, part := range []struct {
		name string
		run  func(t *testing.T, s suite)
	}{
		{"Values", testValues},
		{"Lengths", testLengths},
		{"Keys", testKeys},
		{"KeyRules", testKeyRules},
		{"Metadata", testMetadata},
		{"MetadataRules", testMetadataRules},
		{"Overwrite", testOverwrite},
		{"Delete", testDelete},
		{"Many", testMany},
		{"ManyRules", testManyRules},
		{"Expiry", testExpiry},
		{"ExpiryRules", testExpiryRules},
		{"ExpiryPasses", testExpiryPasses},
		{"ListEmpty", testListEmpty},
		{"ListOrder", testListOrder},
		{"ListPrefix", testListPrefix},
		{"ListPages", testListPages},
		{"ListChanges", testListChanges},
		{"ListRules", testListRules},
		{"All", testAll},
		{"Helpers", testHelpers},
		{"Copy", testCopy},
		{"Contexts", testContexts},
		{"Concurrency", testConcurrency},
		{"Swap", testSwap},
		{"Update", testUpdate},
		{"Batch", testBatch},
		{"Count", testCount},
		{"ShortLives", testShortLives},
		{"Touch", testTouch},
		{"Purge", testPurge},
		{"Query", testQuery},
		{"Close", testClose},
	} {
		t.Run(part.name, func(t *testing.T) {
			part.run(t, suite{opts: opts, open: open})
		})
	}
}

type suite struct {
	opts Options
	open func(t *testing.T) kv.Namespace
}

// as opens a namespace that can do more than KV, or ends the test: the place does not claim
// to have the interface.
func as[T kv.Namespace](t *testing.T, s suite) T {
	t.Helper()
	ns, ok := s.open(t).(T)
	if !ok {
		t.Skipf("the place is no %s", strings.TrimPrefix(fmt.Sprintf("%T", new(T)), "*"))
	}
	return ns
}

func put(t *testing.T, ns kv.Namespace, key, value string, opts ...kv.PutOptions) {
	t.Helper()
	if err := ns.Put(t.Context(), key, []byte(value), append(opts, kv.PutOptions{})[0]); err != nil {
		t.Fatalf("put %.40q: %v", key, err)
	}
}

func wantValue(t *testing.T, ns kv.Namespace, key, want string) {
	t.Helper()
	got, err := ns.Get(t.Context(), key)
	switch {
	case err != nil:
		t.Errorf("get %.40q: %v", key, err)
	case got == nil:
		t.Errorf("get %.40q: nil", key)
	case !bytes.Equal(got, []byte(want)):
		t.Errorf("get %.40q: %d bytes %.60q; want %d bytes %.60q", key, len(got), got, len(want), want)
	}
}

func wantMissing(t *testing.T, ns kv.Namespace, key string) {
	t.Helper()
	if got, err := ns.Get(t.Context(), key); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("get %.40q: %.60q, %v; want a miss", key, got, err)
	}
}

// wantError checks an error's text, which is KV's, and that nothing was sent.
func wantError(t *testing.T, err error, status int, text string) {
	t.Helper()
	e, ok := errors.AsType[*kv.Error](err)
	switch {
	case !ok:
		t.Errorf("error %v; want %s", err, text)
	case e.Status != status || !strings.Contains(e.Message, text):
		t.Errorf("error %d %q; want %d %q", e.Status, e.Message, status, text)
	case kv.Ambiguous(err) || kv.Retryable(err):
		t.Errorf("%v is said to be ambiguous or retryable", err)
	}
}

func names(keys []kv.Key) []string {
	all := make([]string, len(keys))
	for i, key := range keys {
		all[i] = key.Name
	}
	return all
}

func list(t *testing.T, ns kv.Namespace, opts kv.ListOptions) kv.Page {
	t.Helper()
	page, err := ns.List(t.Context(), opts)
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	if page.Complete != (page.Cursor == "") {
		t.Errorf("complete is %v, and the cursor %q", page.Complete, page.Cursor)
	}
	return page
}

// eventually waits until a condition holds, which the passing of time brings.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("never came true: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
