package jsjson_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/skylite-go/skylite/internal/jsjson"
)

// vectors are what JSON.stringify of Node 20 wrote: doubles by their bits, and the
// strings that TextDecoder made of bytes.
func vectors(t *testing.T) (v struct{ Numbers, Strings [][2]string }) {
	t.Helper()
	data, err := os.ReadFile("testdata/javascript.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAppendFloatIsJavaScripts(t *testing.T) {
	t.Parallel()
	for _, pair := range vectors(t).Numbers {
		bits, err := strconv.ParseUint(pair[0], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(jsjson.AppendFloat(nil, math.Float64frombits(bits))); got != pair[1] {
			t.Errorf("%s: got %s, want %s", pair[0], got, pair[1])
		}
	}
}

func TestAppendStringIsJavaScripts(t *testing.T) {
	t.Parallel()
	for _, pair := range vectors(t).Strings {
		raw, err := hex.DecodeString(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := string(jsjson.AppendText(nil, raw)); got != pair[1] {
			t.Errorf("%s: got %s, want %s", pair[0], got, pair[1])
		}
		if got := string(jsjson.AppendString(nil, string(raw))); got != pair[1] {
			t.Errorf("%s as a string: got %s, want %s", pair[0], got, pair[1])
		}
	}
}

func TestAppendInt(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0", -1: "-1", 1 << 53: "9007199254740992", 1<<53 + 1: "9007199254740992",
		-(1<<53 + 1): "-9007199254740992", 1<<53 + 3: "9007199254740996",
		math.MaxInt64: "9223372036854776000", math.MinInt64: "-9223372036854776000",
	} {
		if got := string(jsjson.AppendInt(nil, n)); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

func TestAppendBlob(t *testing.T) {
	t.Parallel()
	all := make([]byte, 256)
	var want []string
	for i := range all {
		all[i] = byte(i)
		want = append(want, strconv.Itoa(i))
	}
	if got := string(jsjson.AppendBlob(nil, all)); got != "["+strings.Join(want, ",")+"]" {
		t.Errorf("got %s", got)
	}
	if got := string(jsjson.AppendBlob(nil, nil)); got != "[]" {
		t.Errorf("empty: got %s", got)
	}
}

// value reads any value the way encoding/json represents it.
func value(r *jsjson.Reader) any {
	switch r.Kind() {
	case jsjson.Object:
		m := map[string]any{}
		r.Object(func(key string) { m[key] = value(r) })
		return m
	case jsjson.Array:
		a := []any{}
		r.Array(func(int) { a = append(a, value(r)) })
		return a
	case jsjson.String:
		return r.String()
	case jsjson.Number:
		return r.Number()
	case jsjson.Boolean:
		return r.Bool()
	}
	r.Skip()
	return nil
}

func TestReaderErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, doc, want string }{
		{"empty", "", "Unexpected end of JSON input"},
		{"cut object", `{"a"`, "Unexpected end of JSON input"},
		{"cut string", `"a`, "Unexpected end of JSON input"},
		{"cut escape", `"\u12`, "Unexpected end of JSON input"},
		{"trailing comma", `[1,]`, "Unexpected token ']' in JSON at position 3"},
		{"trailing text", `1 x`, "Unexpected token 'x' in JSON at position 2"},
		{"leading zero", `01`, "Unexpected token '1' in JSON at position 1"},
		{"bare minus", `-`, "Unexpected end of JSON input"},
		{"point", `1.`, "Unexpected end of JSON input"},
		{"word", `nul`, "Unexpected end of JSON input"},
		{"wrong word", `trve`, "Unexpected token 'v' in JSON at position 2"},
		{"control", "\"\n\"", "Bad control character in string literal in JSON at position 1"},
		{"escape", `"\x"`, "Bad escaped character in JSON at position 2"},
		{"invalid UTF-8", "\"\xff\"", "invalid UTF-8 in JSON at position 1"},
		{"surrogate in UTF-8", "\"\xed\xa0\x80\"", "invalid UTF-8 in JSON at position 1"},
		{"deep", strings.Repeat("[", 40), "JSON nested deeper than 32 at position 33"},
		{"NUL", "\x00", "Unexpected token in JSON at position 0"},
		{"single quotes", `{'a':1}`, `Unexpected token ''' in JSON at position 1`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := jsjson.NewReader([]byte(tt.doc), 32)
			value(r)
			var syntax *jsjson.SyntaxError
			if err := r.End(); !errors.As(err, &syntax) || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		`{"sql":"SELECT ?","params":[1,-0,1e400,1.5E-3,true,null,"\u00e9\ud83d\ude48\ud800x\n"]}`,
		`[[],{},"",0]`, `"\ud800\u0041"`, `"\ud800\ud800\udc00"`, ` [ 1 , 2 ] `, `{"a":1,"a":2}`, `-`, `1.e`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		r := jsjson.NewReader(doc, 1000)
		got := value(r)
		err := r.End()
		var want any
		wantErr := json.Unmarshal(doc, &want)
		if wantErr != nil && strings.Contains(wantErr.Error(), "cannot unmarshal number") {
			return // an infinity here
		}
		if !utf8.Valid(doc) {
			if err == nil {
				t.Fatalf("invalid UTF-8 accepted: %q", doc)
			}
			return
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: got %v, encoding/json %v", doc, err, wantErr)
		}
		if err != nil {
			return
		}
		a, errA := json.Marshal(got)
		b, errB := json.Marshal(want)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Fatalf("%q: got %s, encoding/json %s", doc, a, b)
		}
	})
}

func FuzzAppendText(f *testing.F) {
	f.Add([]byte("a\"\\\x00\x1f\u2028\xff\xe2\x82"))
	f.Fuzz(func(t *testing.T, text []byte) {
		out := jsjson.AppendText(nil, text)
		var back string
		if err := json.Unmarshal(out, &back); err != nil || !utf8.Valid(out) {
			t.Fatalf("%q gives %q: %v", text, out, err)
		}
		if utf8.Valid(text) && back != string(text) {
			t.Fatalf("%q came back as %q", text, back)
		}
		r := jsjson.NewReader(out, 1)
		if got := r.String(); r.End() != nil || got != back {
			t.Fatalf("%q is read as %q, %v", out, got, r.Err())
		}
	})
}

func FuzzAppendFloat(f *testing.F) {
	f.Add(uint64(0))
	f.Fuzz(func(t *testing.T, bits uint64) {
		n := math.Float64frombits(bits)
		out := jsjson.AppendFloat(nil, n)
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return
		}
		want, _ := json.Marshal(n + 0) // ES6 form but for -0
		if n != 0 && string(out) != string(want) {
			t.Fatalf("got %s, want %s", out, want)
		}
		r := jsjson.NewReader(out, 1)
		if got := r.Number(); r.End() != nil || got != n {
			t.Fatalf("%s is read as %v, %v", out, got, r.Err())
		}
	})
}

func BenchmarkAppendText(b *testing.B) {
	text := []byte(strings.Repeat("plain text with é and \"quotes\" ", 8))
	buf := make([]byte, 0, 1<<10)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		buf = jsjson.AppendText(buf[:0], text)
	}
}

func BenchmarkAppendFloat(b *testing.B) {
	buf := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		buf = jsjson.AppendFloat(buf[:0], 3.141592653589793)
	}
}
