package ond1_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/ond1"
)

// FuzzKeys puts a key and a value and finds them again in every way, among others; what may
// not be a key is refused everywhere.
func FuzzKeys(f *testing.F) {
	for _, seed := range []string{"", ".", "..", "a", "a/b?c#d %", "ключ", "\x00", "a\x00b", "\xff", "\xed\xa0\x80", "\uFEFF", "\U0010FFFF",
		"'\"`", "k%_*", strings.Repeat("x", 512), strings.Repeat("x", 513)} {
		f.Add(seed, "value", "a")
		f.Add("k", seed, seed)
	}
	ns := open(f, database(f, ""), ond1.Config{PurgeEvery: -1})
	f.Fuzz(func(t *testing.T, key, value, prefix string) {
		ctx := t.Context()
		others := []string{"a", "a\U0010FFFF", "b", "\uE000"}
		for _, other := range others {
			if err := ns.Put(ctx, other, nil, kv.PutOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		err := ns.Put(ctx, key, []byte(value), kv.PutOptions{Metadata: strings.ToValidUTF8(value[:min(len(value), 100)], "?")})
		valid := key != "" && key != "." && key != ".." && len(key) <= kv.MaxKeyBytes && utf8.ValidString(key)
		if valid != (err == nil) {
			t.Fatalf("put %q: %v", key, err)
		}
		if e, ok := errors.AsType[*kv.Error](err); err != nil && (!ok || !kv.Unsent(e)) {
			t.Fatalf("put %q: %v", key, err)
		}
		want := slices.Clone(others)
		if valid {
			want = append(want, key)
			got, err := ns.Get(ctx, key)
			many, manyErr := ns.GetMany(ctx, []string{"none", key})
			if err != nil || manyErr != nil || string(got) != value || string(many[key]) != value || many[key] == nil {
				t.Errorf("%q: %q, %q, %v, %v", key, got, many[key], err, manyErr)
			}
		}
		slices.Sort(want)
		want = slices.DeleteFunc(slices.Compact(want), func(k string) bool { return !strings.HasPrefix(k, prefix) })
		var listed []string
		for k, err := range kv.All(ctx, ns, kv.ListOptions{Prefix: prefix, Limit: 2}) {
			if err != nil {
				if len(prefix) <= kv.MaxKeyBytes && utf8.ValidString(prefix) {
					t.Fatal(err)
				}
				want = nil
				break
			}
			listed = append(listed, k.Name)
		}
		if !slices.Equal(listed, want) {
			t.Errorf("prefix %q: %q; want %q", prefix, listed, want)
		}
		if valid && !slices.Contains(others, key) {
			if err := ns.Delete(ctx, key); err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzCursors gives lists cursors that nobody has given out: an error that says so, or a part
// of the list.
func FuzzCursors(f *testing.F) {
	for _, seed := range []string{"", "a", "YQ==", "?", "/w==", "AAAA", "YQ", base64.StdEncoding.EncodeToString([]byte("b"))} {
		f.Add(seed, "")
		f.Add(seed, "b")
	}
	ns := open(f, database(f, ""), ond1.Config{})
	for _, key := range []string{"a", "b", "ba", "c"} {
		if err := ns.Put(f.Context(), key, nil, kv.PutOptions{}); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, cursor, prefix string) {
		page, err := ns.List(t.Context(), kv.ListOptions{Cursor: cursor, Prefix: prefix})
		if err != nil {
			if e, ok := errors.AsType[*kv.Error](err); !ok || !kv.Unsent(e) {
				t.Errorf("cursor %q: %v", cursor, err)
			}
			return
		}
		for _, key := range page.Keys {
			if !strings.HasPrefix(key.Name, prefix) {
				t.Errorf("cursor %q, prefix %q: %q", cursor, prefix, key.Name)
			}
		}
	})
}

// FuzzParseDSN reads any name. What it does not take it leaves to the database, and no error
// repeats a value.
func FuzzParseDSN(f *testing.F) {
	for _, dsn := range []string{
		"file:app.db?namespace=n&table=t&auto_create=false&strict=true&sync=off", "d1://a/b?namespace=%zz", "?&&=", "file:a?b?c", "file:a?table=", "file:a?strict=perhaps",
	} {
		f.Add(dsn)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		const secret = "s3cretT0ken"
		before, after, found := strings.Cut(dsn, "?")
		if found {
			dsn = before + "?token=" + secret + "&" + after
		}
		database, cfg, err := ond1.ParseDSN(dsn)
		if strings.Contains(fmt.Sprint(err), secret) || strings.Contains(fmt.Sprintf("%#v", cfg), secret) {
			t.Errorf("%q: the token is told: %v", dsn, err)
		}
		if err == nil && (!strings.HasPrefix(database, before) || found && !strings.Contains(database, "token="+secret)) {
			t.Errorf("%q becomes %q", dsn, database)
		}
	})
}
