package d1test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
)

// testArguments checks which SQL value each Go value becomes.
func testArguments(t *testing.T, s suite) {
	db := s.db(t)
	seven := 7
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.FixedZone("", 3600))
	for _, tt := range []struct {
		name     string
		arg      any
		kind, as string // typeof(?) and quote(?)
	}{
		{"nil", nil, "null", "NULL"},
		{"int", 5, "integer", "5"},
		{"negative int", -5, "integer", "-5"},
		{"int8", int8(-3), "integer", "-3"},
		{"uint16", uint16(65535), "integer", "65535"},
		{"pointer", &seven, "integer", "7"},
		{"nil pointer", (*int)(nil), "null", "NULL"},
		{"true", true, "integer", "1"},
		{"false", false, "integer", "0"},
		{"largest int64", int64(math.MaxInt64), "integer", "9223372036854775807"},
		{"smallest int64", int64(math.MinInt64), "integer", "-9223372036854775808"},
		{"2^53+1", int64(1<<53 + 1), "integer", "9007199254740993"},
		{"float64", 1.5, "real", "1.5"},
		{"whole float64", 2.0, "real", "2.0"},
		{"large float64", 1e300, "real", "1.0e+300"},
		{"text", "it's", "text", "'it''s'"},
		{"empty text", "", "text", "''"},
		{"blob", []byte{1, 0, 255}, "blob", "X'0100FF'"},
		{"empty blob", []byte{}, "blob", "X''"},
		{"nil blob", []byte(nil), "null", "NULL"},
		{"time", at, "text", "'2026-01-02T02:04:05.000006000Z'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var kind, quoted string
			err := db.First(t.Context(), "SELECT typeof(?1), quote(?1)", tt.arg).Scan(&kind, &quoted)
			if err != nil {
				t.Fatal(err)
			}
			if kind != tt.kind || quoted != tt.as {
				t.Errorf("typeof %s, quote %s; want %s, %s", kind, quoted, tt.kind, tt.as)
			}
		})
	}
	for name, arg := range map[string]any{
		"NaN": math.NaN(), "infinity": math.Inf(1), "invalid UTF-8": "\xff",
		"large uint64": uint64(math.MaxUint64), "struct": struct{}{},
	} {
		if _, err := db.Run(t.Context(), "SELECT ?", arg); !d1.Unsent(err) {
			t.Errorf("%s: error %v, want one that says it was not sent", name, err)
		}
	}
}

// testIntegers checks that an integer means an integer wherever a parameter stands.
func testIntegers(t *testing.T, s suite) {
	db := s.db(t, colours, "CREATE TABLE v (id INTEGER PRIMARY KEY, n, t TEXT, r REAL, i INTEGER)")
	for _, tt := range []struct {
		name, sql string
		args      []any
		want      string // group_concat of the first column
	}{
		{"division", "SELECT 7 / ?", []any{2}, "3"},
		{"after a minus sign", "SELECT 5-?", []any{3}, "2"},
		{"negative after a minus sign", "SELECT 5-?", []any{-3}, "8"},
		{"negated", "SELECT CAST(-? AS TEXT)", []any{int64(math.MinInt64 + 1)}, "9223372036854775807"},
		{"concatenated", "SELECT ? || 'x'", []any{1}, "1x"},
		{"ORDER BY", "SELECT name FROM colours ORDER BY ?, id DESC", []any{1}, "blue,green,red"},
		{"GROUP BY", "SELECT count(*) FROM colours GROUP BY ?", []any{1}, "3"},
		{"LIMIT", "SELECT name FROM colours ORDER BY id LIMIT ? OFFSET ?", []any{1, 1}, "green"},
		{"compared with text", "SELECT '1' = ?", []any{1}, "0"},
		{"twice", "SELECT ?1 + ?1", []any{int64(4)}, "8"},
		{"out of order", "SELECT ?2 || ?1 || ?3", []any{1, "a", 2}, "a12"},
		{"named", "SELECT :a - :b + :a", []any{5, 3}, "7"},
		{"IN", "SELECT name FROM colours WHERE id IN (?, ?) ORDER BY id", []any{1, 3}, "red,blue"},
		{"CASE", "SELECT CASE ? WHEN 1 THEN 'one' END", []any{1}, "one"},
		{"in JSON", "SELECT json_array(?, ?)", []any{1, 1.5}, "[1,1.5]"},
		{"CAST", "SELECT CAST(? AS TEXT)", []any{int64(1<<53 + 1)}, "9007199254740993"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(texts(t, db, tt.sql, tt.args...), ",")
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	t.Run("stored", func(t *testing.T) {
		const big = int64(math.MaxInt64)
		if _, err := db.Run(t.Context(), "INSERT INTO v VALUES (1, ?1, ?1, 1, ?1)", big); err != nil {
			t.Fatal(err)
		}
		got := texts(t, db, "SELECT quote(n) || quote(t) || quote(i) FROM v")
		if want := "9223372036854775807'9223372036854775807'9223372036854775807"; got[0] != want {
			t.Errorf("got %s, want %s", got[0], want)
		}
	})
	t.Run("a column's name", func(t *testing.T) {
		result, err := db.All(t.Context(), "SELECT ?, ? AS b, ?+1", 1, 2, 3)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(result.Columns, " "); got != "? b ?+1" {
			t.Errorf("columns %q", got)
		}
	})
}

// texts returns the first column of a query, each value cast to text by Go.
func texts(t *testing.T, db *d1.DB, sql string, args ...any) []string {
	t.Helper()
	got, err := d1.All[string](t.Context(), db, sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// testResults checks what comes back.
func testResults(t *testing.T, s suite) {
	db := s.db(t)
	for _, tt := range []struct {
		name, sql string
		want      any
	}{
		{"NULL", "SELECT NULL", nil},
		{"integer", "SELECT 42", int64(42)},
		{"negative integer", "SELECT -42", int64(-42)},
		{"2^53-1", "SELECT 9007199254740991", int64(1<<53 - 1)},
		{"real", "SELECT 1.5", 1.5},
		{"small real", "SELECT 1e-7", 1e-7},
		{"text", "SELECT 'héllo 🙈'", "héllo 🙈"},
		{"empty text", "SELECT ''", ""},
		{"text with quotes", `SELECT 'a"b\c' || char(10, 9, 13, 8232)`, "a\"b\\c\n\t\r\u2028"},
		{"text with NUL", "SELECT 'a' || char(0) || 'b'", "a\x00b"},
		{"blob", "SELECT x'0001ff'", []byte{0, 1, 255}},
		{"empty blob", "SELECT x''", []byte{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			result, err := db.All(t.Context(), tt.sql)
			if err != nil {
				t.Fatal(err)
			}
			if got := result.Rows[0][0]; !equal(got, tt.want) {
				t.Errorf("got %#v, want %#v", got, tt.want)
			}
		})
	}
	t.Run("large blob and text", func(t *testing.T) {
		blob := bytes.Repeat([]byte{0, 1, 2, 250}, 1<<18)
		text := strings.Repeat("é\x00\"\n", 1<<17)
		var gotBlob []byte
		var gotText string
		if err := db.First(t.Context(), "SELECT ?, ?", blob, text).Scan(&gotBlob, &gotText); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(gotBlob, blob) || gotText != text {
			t.Error("they did not survive")
		}
	})
	t.Run("an integer beyond 2^53", func(t *testing.T) {
		var n int64
		err := db.First(t.Context(), "SELECT 9007199254740993").Scan(&n)
		_, inexact := errors.AsType[*d1.InexactError](err)
		switch {
		case s.opts.JSON && !inexact:
			t.Errorf("got %d, %v; want an InexactError", n, err)
		case !s.opts.JSON && (err != nil || n != 1<<53+1):
			t.Errorf("got %d, %v", n, err)
		}
	})
}

func equal(a, b any) bool {
	if blob, ok := b.([]byte); ok {
		got, isBlob := a.([]byte)
		return isBlob && got != nil && bytes.Equal(got, blob)
	}
	return a == b
}
