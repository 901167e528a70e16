package kvtest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/kv"
)

func testListEmpty(t *testing.T, s suite) {
	ns := s.open(t)
	for _, prefix := range []string{"", "a"} {
		page := list(t, ns, kv.ListOptions{Prefix: prefix})
		if !page.Complete || page.Keys == nil || len(page.Keys) != 0 {
			t.Errorf("an empty namespace, prefix %q: %+v", prefix, page)
		}
	}
}

func testListOrder(t *testing.T, s suite) {
	ns := s.open(t)
	want := []string{"\x00", "\x00a", " ", "!", "!a", ", ", "A", "B", "a", "a\x00", "a!", "aa", "b", "é", "\uD7FF", "\uE000", "\uFFFD", "\uFFFF", "\U00010000", "\U0010FFFF"}
	for i := range want {
		put(t, ns, want[(i*7)%len(want)], "v")
	}
	if got := names(list(t, ns, kv.ListOptions{}).Keys); !cmp.Equal(got, want) {
		t.Errorf("%s", cmp.Diff(want, got))
	}
	var paged []string
	for opts := (kv.ListOptions{Limit: 3}); ; {
		page := list(t, ns, opts)
		paged = append(paged, names(page.Keys)...)
		if opts.Cursor = page.Cursor; page.Complete || len(paged) > 100 {
			break
		}
	}
	if !cmp.Equal(paged, want) {
		t.Errorf("in pages: %s", cmp.Diff(want, paged))
	}
}

func testListPrefix(t *testing.T, s suite) {
	ns := s.open(t)
	all := []string{
		"section1key1", "section1key2", "section2key1", "SECTION1", "key1", `key\_%1`, `key\_%2`, "key_%", "keyxx",
		"a", "a\x00", "a\x00b", "ab", "a\uD7FF", "a\uD7FFz", "a\uE000", "a\uFFFFz", "a\U00010000", "a\U0010FFFF", "a\U0010FFFFz",
		"\U0010FFFF", "\U0010FFFF\U0010FFFF", "\U0010FFFF\U0010FFFFz", strings.Repeat("x", 512), strings.Repeat("L", 60) + "1", strings.Repeat("L", 60) + "2",
	}
	for _, key := range all {
		put(t, ns, key, "v")
	}
	for _, prefix := range []string{
		"", "section1", "SECTION", "key", `key\_%`, "key_", "%", "_", "none", "section1key1", "section1key1x", "a", "a\x00", "a\x00b",
		"a\uD7FF", "a\uFFFF", "a\U00010000", "a\U0010FFFF", "\U0010FFFF", "\U0010FFFF\U0010FFFF", "\U0010FFFF\U0010FFFF\U0010FFFF",
		strings.Repeat("x", 512), strings.Repeat("x", 511), strings.Repeat("L", 60), ".", "..",
	} {
		var want []string
		for _, key := range sorted(all) {
			if strings.HasPrefix(key, prefix) {
				want = append(want, key)
			}
		}
		page := list(t, ns, kv.ListOptions{Prefix: prefix})
		if got := names(page.Keys); !slices.Equal(got, want) || !page.Complete {
			t.Errorf("prefix %.20q: %s", prefix, cmp.Diff(want, got))
		}
		var paged []string
		for key, err := range kv.All(t.Context(), ns, kv.ListOptions{Prefix: prefix, Limit: 10}) {
			if err != nil {
				t.Fatal(err)
			}
			paged = append(paged, key.Name)
		}
		if !slices.Equal(paged, want) {
			t.Errorf("prefix %.20q in pages: %s", prefix, cmp.Diff(want, paged))
		}
	}
}

// fill puts n keys, k000 and on.
func fill(t *testing.T, ns kv.Namespace, n int) (keys []string) {
	t.Helper()
	writes := make([]kv.Write, n)
	for i := range writes {
		writes[i] = kv.Write{Key: fmt.Sprintf("k%03d", i), Value: []byte(fmt.Sprint("v", i))}
		keys = append(keys, writes[i].Key)
	}
	if err := kv.WriteAll(t.Context(), ns, writes); err != nil {
		t.Fatal(err)
	}
	return keys
}

func testListPages(t *testing.T, s suite) {
	ns := s.open(t)
	keys := fill(t, ns, 35)
	page := list(t, ns, kv.ListOptions{Limit: 10})
	if !slices.Equal(names(page.Keys), keys[:10]) || page.Complete {
		t.Fatalf("the first page: %q, %v", names(page.Keys), page.Complete)
	}
	// The limit may change from page to page.
	second := list(t, ns, kv.ListOptions{Limit: 20, Cursor: page.Cursor})
	if !slices.Equal(names(second.Keys), keys[10:30]) || second.Complete {
		t.Errorf("the second page: %q", names(second.Keys))
	}
	third := list(t, ns, kv.ListOptions{Limit: 20, Cursor: second.Cursor})
	if !slices.Equal(names(third.Keys), keys[30:]) || !third.Complete {
		t.Errorf("the last page: %q", names(third.Keys))
	}
	// A page that is just full is the last, if nothing follows it.
	if exact := list(t, ns, kv.ListOptions{Limit: 35}); len(exact.Keys) != 35 || !exact.Complete {
		t.Errorf("a full page: %d, %v", len(exact.Keys), exact.Complete)
	}
	// A cursor can be used again.
	if again := list(t, ns, kv.ListOptions{Limit: 20, Cursor: page.Cursor}); !slices.Equal(names(again.Keys), keys[10:30]) {
		t.Errorf("the second page again: %q", names(again.Keys))
	}
	prefixed := list(t, ns, kv.ListOptions{Prefix: "k01", Limit: 10})
	if !slices.Equal(names(prefixed.Keys), keys[10:20]) || !prefixed.Complete {
		t.Errorf("with a prefix: %q", names(prefixed.Keys))
	}
}

func testListChanges(t *testing.T, s suite) {
	ns := s.open(t)
	keys := fill(t, ns, 30)
	page := list(t, ns, kv.ListOptions{Limit: 10})
	put(t, ns, "k0005", "before the cursor")
	put(t, ns, "k0155", "behind the cursor")
	if err := ns.Delete(t.Context(), keys[9]); err != nil { // the cursor's own
		t.Fatal(err)
	}
	if err := ns.Delete(t.Context(), keys[20]); err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(keys[10:16], []string{"k0155"}, keys[16:20], keys[21:])
	if got := names(list(t, ns, kv.ListOptions{Cursor: page.Cursor}).Keys); !slices.Equal(got, want) {
		t.Errorf("%s", cmp.Diff(want, got))
	}
	for _, key := range want {
		if err := ns.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if rest := list(t, ns, kv.ListOptions{Cursor: page.Cursor}); len(rest.Keys) > 0 || !rest.Complete {
		t.Errorf("behind the cursor nothing is left, and yet %v", rest)
	}
}

func testListRules(t *testing.T, s suite) {
	ns := s.open(t)
	ctx := t.Context()
	put(t, ns, "k", "v")
	for _, tt := range []struct {
		name   string
		opts   kv.ListOptions
		status int
		text   string
	}{
		{"negative limit", kv.ListOptions{Limit: -1}, 400, "Invalid key_count_limit of -1. Please specify an integer greater than 0."},
		{"limit over", kv.ListOptions{Limit: 1001}, 400, "Invalid key_count_limit of 1001. Please specify an integer less than 1000."},
		{"long prefix", kv.ListOptions{Prefix: strings.Repeat("x", 513)}, 414, "UTF-8 encoded length of 513 exceeds key length limit of 512."},
		{"bad prefix", kv.ListOptions{Prefix: "\xff"}, 400, "Could not URL-decode key name"},
	} {
		_, err := ns.List(ctx, tt.opts)
		wantError(t, err, tt.status, tt.text)
	}
	if page := list(t, ns, kv.ListOptions{Limit: 1000}); len(page.Keys) != 1 {
		t.Errorf("limit 1000: %v", page)
	}
	// A cursor that no list has given is an error or a place in the order; it never shows
	// what a list would not.
	for _, cursor := range []string{"?", "AAAA====", "/w==", base64.StdEncoding.EncodeToString([]byte("zzz")), strings.Repeat("A", 10_000)} {
		page, err := ns.List(ctx, kv.ListOptions{Cursor: cursor})
		if e, ok := errors.AsType[*kv.Error](err); err != nil && (!ok || kv.Retryable(e)) {
			t.Errorf("cursor %.20q: %v", cursor, err)
		} else if err == nil && len(page.Keys) > 1 {
			t.Errorf("cursor %.20q: %v", cursor, page)
		}
	}
}

func testAll(t *testing.T, s suite) {
	ns := s.open(t)
	keys := fill(t, ns, 60)
	var got []string
	for key, err := range kv.All(t.Context(), ns, kv.ListOptions{Limit: 13}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, key.Name)
	}
	if !slices.Equal(got, keys) {
		t.Errorf("%s", cmp.Diff(keys, got))
	}
	for key, err := range kv.All(t.Context(), ns, kv.ListOptions{Limit: 13}) {
		if err != nil || key.Name != keys[0] {
			t.Errorf("%v, %v", key, err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	var last error
	for _, err := range kv.All(ctx, ns, kv.ListOptions{Limit: 20}) {
		if n++; n == 20 {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("after a cancel: %d keys, %v", n, last)
	}
	cancel()
}
