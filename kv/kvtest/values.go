package kvtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/kv"
)

// everyByte holds every byte, and so is no UTF-8.
func everyByte() string {
	var b []byte
	for c := range 256 {
		b = append(b, byte(c))
	}
	return string(b)
}

func testValues(t *testing.T, s suite) {
	ns := s.open(t)
	for name, value := range map[string]string{
		"text":       "value",
		"empty":      "",
		"bytes":      "\x00\x01\x02\x7f\x80\xfe\xff",
		"every byte": everyByte(),
		"unicode":    "žluťoučký kůň 😀 \U0010FFFF",
		"controls":   "\x01\x02\x1b\x7f\u0085\u2028\u2029",
		"NUL":        "a\x00b",
		"only NULs":  "\x00\x00",
		"mark":       "\uFEFFmark",
		"replaced":   "\uFFFD",
		"quotes":     `'"` + "`\\/",
		"newlines":   "\r\n\n\r",
		"null":       "null",
		"number":     "12345678901234567890",
		"looks hex":  "0x41",
		"JSON":       `{"a":[1,2,{"b":null}],"c":"<&>"}`,
		"255 bytes":  strings.Repeat("a", 255),
		"256 bytes":  strings.Repeat("b", 256),
		"257 bytes":  strings.Repeat("c", 257),
		"1003 bytes": strings.Repeat("d", 1003),
		"257 binary": strings.Repeat("\xff", 257),
	} {
		put(t, ns, name, value)
		wantValue(t, ns, name, value)
		entry, err := ns.GetWithMetadata(t.Context(), name)
		if err != nil || string(entry.Value) != value || entry.Value == nil || entry.Metadata != nil || !entry.Expiration.IsZero() {
			t.Errorf("%s: entry %.80q, %v", name, entry, err)
		}
	}
	wantMissing(t, ns, "missing")
	_, err := ns.GetWithMetadata(t.Context(), "missing")
	if !errors.Is(err, kv.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a miss is %v", err)
	}
	wantError(t, err, 404, "")
	// What was given is not kept, and what is returned is the caller's.
	value := []byte("mine")
	if err := ns.Put(t.Context(), "mine", value, kv.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	copy(value, "xxxx")
	got, err := ns.Get(t.Context(), "mine")
	if err != nil {
		t.Fatal(err)
	}
	copy(got, "yyyy")
	wantValue(t, ns, "mine", "mine")
}

func testLengths(t *testing.T, s suite) {
	ns := s.open(t)
	const chunk = 983_040
	for name, value := range map[string][]byte{
		"text across chunks":  []byte(strings.Repeat("a", chunk-1) + "ž😀" + strings.Repeat("b", chunk)),
		"bytes across chunks": bytes.Repeat([]byte{0xff, 0, 0x80}, chunk/2),
		"longest":             bytes.Repeat([]byte("0123456789abcdef"), s.opts.MaxValue/16),
	} {
		if len(value) > s.opts.MaxValue {
			continue
		}
		put(t, ns, name, string(value))
		wantValue(t, ns, name, string(value))
		put(t, ns, name, "short")
		wantValue(t, ns, name, "short")
	}
	err := ns.Put(t.Context(), "over", make([]byte, kv.MaxValueBytes+1), kv.PutOptions{})
	wantError(t, err, 413, "Value length of 26214401 exceeds limit of 26214400.")
	wantMissing(t, ns, "over")
}

// keys are those that go wrong somewhere.
func keys() []string {
	return []string{
		"a", "KEY", "key", "a/b?c#d %", "ключ", " ", "  ", "a b", "a//b", "/lead", "trail/", "//", "%", "%2F", "%zz", "a%00b", "+", "a+b",
		"?", "#", "a;b", "a,b", "a&b=c", "a:b", "@", "[x]", "...", ".a", "..a", "1", "01", "0", "-1", "4294967295", "1.5",
		"__proto__", "constructor", "toString", "length", "\x00", "a\x00b", "a\nb", "\r", "\t", "\x7f", "\u0085", "\u2028",
		"\uD7FF", "\uE000", "\uFEFF", "\uFEFFa", "\uFFFD", "\uFFFF", "\U00010000", "\U0010FFFF", "a\U0010FFFF", "é", "e\u0301", "😀",
		`"`, "'", "`", `\`, `\u0041`, "a'b\"c", "key_%", "key*", "null", "undefined", "true", "<b>&", strings.Repeat("x", 512), strings.Repeat("é", 256),
	}
}

func testKeys(t *testing.T, s suite) {
	ns := s.open(t)
	all := keys()
	for _, key := range all {
		put(t, ns, key, "value of "+key, kv.PutOptions{Metadata: key})
	}
	for _, key := range all {
		wantValue(t, ns, key, "value of "+key)
	}
	entries, err := ns.GetManyWithMetadata(t.Context(), all)
	if err != nil || len(entries) != len(all) {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, key := range all {
		entry := entries[key]
		if entry == nil || string(entry.Value) != "value of "+key {
			t.Errorf("many: %.40q: %v", key, entry)
			continue
		}
		if name, err := kv.DecodeMetadata[string](entry.Metadata); err != nil || name != key {
			t.Errorf("many: %.40q has the metadata %.60q, %v", key, entry.Metadata, err)
		}
	}
	page := list(t, ns, kv.ListOptions{})
	if got, want := names(page.Keys), sorted(all); !cmp.Equal(got, want) {
		t.Errorf("list: %s", cmp.Diff(want, got))
	}
	for _, key := range all {
		if err := ns.Delete(t.Context(), key); err != nil {
			t.Errorf("delete %.40q: %v", key, err)
		}
	}
	if page := list(t, ns, kv.ListOptions{}); len(page.Keys) > 0 {
		t.Errorf("left: %q", names(page.Keys))
	}
}

func testKeyRules(t *testing.T, s suite) {
	ns := s.open(t)
	ctx := t.Context()
	for _, tt := range []struct {
		name, key string
		status    int
		text      string
	}{
		{"empty", "", 400, "Key names must not be empty"},
		{"dot", ".", 400, `Illegal key name "."`},
		{"dots", "..", 400, `Illegal key name ".."`},
		{"long", strings.Repeat("x", 513), 414, "UTF-8 encoded length of 513 exceeds key length limit of 512."},
		{"long in UTF-8", strings.Repeat("é", 257), 414, "UTF-8 encoded length of 514 exceeds key length limit of 512."},
		{"bad UTF-8", "a\xff", 400, "Could not URL-decode key name"},
		{"surrogate", "\xed\xa0\x80", 400, "Could not URL-decode key name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ns.Get(ctx, tt.key)
			wantError(t, err, tt.status, tt.text)
			_, err = ns.GetWithMetadata(ctx, tt.key)
			wantError(t, err, tt.status, tt.text)
			_, err = ns.GetMany(ctx, []string{"a", tt.key})
			wantError(t, err, tt.status, tt.text)
			wantError(t, ns.Put(ctx, tt.key, nil, kv.PutOptions{}), tt.status, tt.text)
			wantError(t, ns.Delete(ctx, tt.key), tt.status, tt.text)
		})
	}
	if page := list(t, ns, kv.ListOptions{}); len(page.Keys) > 0 {
		t.Errorf("stored nevertheless: %q", names(page.Keys))
	}
}

func testMetadata(t *testing.T, s suite) {
	ns := s.open(t)
	for _, tt := range []struct {
		name     string
		metadata any
		want     string // JSON, or "" for none
	}{
		{"none", nil, ""},
		{"null", json.RawMessage("null"), ""},
		{"nil pointer", (*int)(nil), ""},
		{"empty raw", json.RawMessage(""), ""},
		{"text", "string-metadata", `"string-metadata"`},
		{"empty text", "", `""`},
		{"number", 12345, `12345`},
		{"zero", 0, `0`},
		{"fraction", 0.5, `0.5`},
		{"true", true, `true`},
		{"false", false, `false`},
		{"object", map[string]any{}, `{}`},
		{"array", []int{}, `[]`},
		{"fields", map[string]any{"key": "value", "n": 1}, `{"key":"value","n":1}`},
		{"nested", map[string]any{"a": []any{1, map[string]any{"b": nil}}}, `{"a":[1,{"b":null}]}`},
		{"raw", json.RawMessage(` {"a" : [1, 2] } `), `{"a":[1,2]}`},
		{"unicode", "ключ 😀 <&>\u2028\x00", "\"ключ 😀 <&>\u2028\x00\""},
		{"longest", strings.Repeat("x", 1022), `"` + strings.Repeat("x", 1022) + `"`},
		{"longest, bytes counted", strings.Repeat("é", 511), `"` + strings.Repeat("é", 511) + `"`},
	} {
		put(t, ns, tt.name, "", kv.PutOptions{Metadata: tt.metadata})
		entry, err := ns.GetWithMetadata(t.Context(), tt.name)
		if err != nil || !sameJSON(t, entry.Metadata, tt.want) || len(entry.Value) != 0 || entry.Value == nil {
			t.Errorf("%s: %q, %q, %v; want %q", tt.name, entry.Value, entry.Metadata, err, tt.want)
		}
		page := list(t, ns, kv.ListOptions{Prefix: tt.name, Limit: 10})
		if len(page.Keys) == 0 || page.Keys[0].Name != tt.name || !sameJSON(t, page.Keys[0].Metadata, tt.want) {
			t.Errorf("%s: listed as %q", tt.name, page.Keys)
		}
	}
}

// sameJSON compares by meaning, since an implementation may escape as it likes.
func sameJSON(t *testing.T, got json.RawMessage, want string) bool {
	t.Helper()
	if want == "" {
		return got == nil
	}
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		return false
	}
	want = strings.ReplaceAll(want, "\x00", `\u0000`)
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	return cmp.Equal(a, b)
}

func testMetadataRules(t *testing.T, s suite) {
	ns := s.open(t)
	for _, tt := range []struct {
		name     string
		metadata any
		status   int
		text     string
	}{
		{"one byte over", strings.Repeat("x", 1023), 413, "Metadata length of 1025 exceeds limit of 1024."},
		{"no JSON", json.RawMessage("{nope"), 400, "Metadata could not be serialized to JSON"},
		{"two values", json.RawMessage("1 2"), 400, "Metadata could not be serialized to JSON"},
		{"bad UTF-8", json.RawMessage("\"\xff\""), 400, "Metadata could not be serialized to JSON"},
		{"function", func() {}, 400, "Metadata could not be serialized to JSON"},
		{"channel", make(chan int), 400, "Metadata could not be serialized to JSON"},
	} {
		wantError(t, ns.Put(t.Context(), "k", []byte("v"), kv.PutOptions{Metadata: tt.metadata}), tt.status, tt.text)
		wantMissing(t, ns, "k")
	}
}

func testOverwrite(t *testing.T, s suite) {
	ns := s.open(t)
	put(t, ns, "k", "first", kv.PutOptions{Metadata: 1, TTL: time.Hour})
	put(t, ns, "k", strings.Repeat("second", 1000), kv.PutOptions{Metadata: 2})
	entry, err := ns.GetWithMetadata(t.Context(), "k")
	if err != nil || len(entry.Value) != 6000 || string(entry.Metadata) != "2" || !entry.Expiration.IsZero() {
		t.Errorf("entry %.60q, %v", entry, err)
	}
	put(t, ns, "k", "third")
	entry, err = ns.GetWithMetadata(t.Context(), "k")
	if err != nil || string(entry.Value) != "third" || entry.Metadata != nil {
		t.Errorf("entry %.60q, %v", entry, err)
	}
	if page := list(t, ns, kv.ListOptions{}); len(page.Keys) != 1 || page.Keys[0].Metadata != nil || !page.Keys[0].Expiration.IsZero() {
		t.Errorf("listed as %v", page.Keys)
	}
}

func testDelete(t *testing.T, s suite) {
	ns := s.open(t)
	if err := ns.Delete(t.Context(), "missing"); err != nil {
		t.Errorf("delete of a key that does not exist: %v", err)
	}
	put(t, ns, "k", strings.Repeat("v", 5000))
	put(t, ns, "kk", "other")
	for range 2 {
		if err := ns.Delete(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
	}
	wantMissing(t, ns, "k")
	wantValue(t, ns, "kk", "other")
	put(t, ns, "k", "again")
	wantValue(t, ns, "k", "again")
}
