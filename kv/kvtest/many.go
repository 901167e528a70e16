package kvtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/kv"
)

func sorted(keys []string) []string {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	return keys
}

func testMany(t *testing.T, s suite) {
	ns := s.open(t)
	put(t, ns, "a", "1", kv.PutOptions{Metadata: map[string]int{"n": 1}})
	put(t, ns, "empty", "", kv.PutOptions{Metadata: false})
	put(t, ns, "long", strings.Repeat("x", 100_000))
	put(t, ns, "short life", "v", kv.PutOptions{TTL: time.Hour})
	keys := []string{"long", "a", "missing", "empty", "a", "short life"}
	values, err := ns.GetMany(t.Context(), keys)
	if err != nil || len(values) != 5 {
		t.Fatalf("%d values, %v", len(values), err)
	}
	for key, want := range map[string]string{"a": "1", "empty": "", "long": strings.Repeat("x", 100_000), "short life": "v"} {
		if got := values[key]; got == nil || string(got) != want {
			t.Errorf("%s: %.60q", key, got)
		}
	}
	if got, ok := values["missing"]; got != nil || !ok {
		t.Errorf("the missing key: %q, %v", got, ok)
	}
	entries, err := ns.GetManyWithMetadata(t.Context(), keys)
	if err != nil || len(entries) != 5 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	if got, ok := entries["missing"]; got != nil || !ok {
		t.Errorf("the missing key: %v, %v", got, ok)
	}
	if e := entries["a"]; e == nil || string(e.Value) != "1" || string(e.Metadata) != `{"n":1}` {
		t.Errorf("a: %v", e)
	}
	if e := entries["empty"]; e == nil || e.Value == nil || len(e.Value) != 0 || string(e.Metadata) != "false" {
		t.Errorf("empty: %v", e)
	}
	if e := entries["long"]; e == nil || len(e.Value) != 100_000 || e.Metadata != nil {
		t.Errorf("long: %.60q", e)
	}
	all, err := ns.GetMany(t.Context(), []string{"x", "y"})
	if err != nil || len(all) != 2 || all["x"] != nil {
		t.Errorf("all missing: %v, %v", all, err)
	}
	binary, err := s.binary(t)
	if err != nil {
		t.Error(err)
	} else if string(binary) != everyByte() {
		t.Errorf("binary: %q", binary)
	}
}

// binary reads bytes that are no UTF-8 together with others. Workers KV reads many keys as
// texts, so a place that stands on it must read such a value again, or say that it cannot.
func (s suite) binary(t *testing.T) ([]byte, error) {
	ns := s.open(t)
	put(t, ns, "binary", everyByte())
	put(t, ns, "text", "\uFFFD")
	values, err := ns.GetMany(t.Context(), []string{"text", "binary"})
	if err == nil && string(values["text"]) != "\uFFFD" {
		t.Errorf("text beside binary: %q", values["text"])
	}
	return values["binary"], err
}

func testManyRules(t *testing.T, s suite) {
	ns := s.open(t)
	put(t, ns, "k7", "7")
	var keys []string
	for i := range 101 {
		keys = append(keys, fmt.Sprint("k", i))
	}
	values, err := ns.GetMany(t.Context(), keys[:100])
	if err != nil || len(values) != 100 || string(values["k7"]) != "7" {
		t.Errorf("100 keys: %d values, %v", len(values), err)
	}
	_, err = ns.GetMany(t.Context(), keys)
	wantError(t, err, 400, "You can request a maximum of 100 keys")
	_, err = ns.GetManyWithMetadata(t.Context(), keys)
	wantError(t, err, 400, "You can request a maximum of 100 keys")
	_, err = ns.GetMany(t.Context(), nil)
	wantError(t, err, 400, "You must request a minimum of 1 key")
	if s.opts.MaxValue < kv.MaxValueBytes {
		return
	}
	half := strings.Repeat("x", kv.MaxGetBytes/2+1)
	put(t, ns, "half", half)
	put(t, ns, "other half", half)
	_, err = ns.GetMany(t.Context(), []string{"half", "other half"})
	wantError(t, err, 413, "Total size of request exceeds the limit of 25MB")
}
