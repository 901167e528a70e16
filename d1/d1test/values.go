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
		{"-2^53-1", int64(-1<<53 - 1), "integer", "-9007199254740993"},
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
		"NaN": math.NaN(), "infinity": math.Inf(1), "negative infinity": math.Inf(-1), "float32 NaN": float32(math.NaN()),
		"invalid UTF-8": "\xff", "a surrogate": "\xed\xa0\x80", "year 10000": time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC),
		"map": map[string]int{}, "channel": make(chan int), "slice": []int{1},
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
		{"a bool", "SELECT typeof(?) || ? || ?", []any{true, true, false}, "integer10"},
		{"negated smallest", "SELECT typeof(-?)", []any{int64(math.MinInt64)}, "real"},
		{"ORDER BY out of range", "SELECT name FROM colours ORDER BY ?, id", []any{99}, "red,green,blue"},
		{"GROUP BY out of range", "SELECT count(*) FROM colours GROUP BY ?", []any{99}, "3"},
		{"negative LIMIT", "SELECT name FROM colours ORDER BY id LIMIT ?", []any{-1}, "red,green,blue"},
		{"HAVING", "SELECT count(*) FROM colours GROUP BY id > ? HAVING count(*) = ?", []any{1, 2}, "2"},
		{"ORDER BY in a subquery", "SELECT (SELECT name FROM colours ORDER BY ?, id DESC LIMIT ?)", []any{1, 1}, "blue"},
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
	t.Run("a column's name", func(t *testing.T) {
		result, err := db.All(t.Context(), "SELECT ?, ? AS b, ?+1", 1, 2, 3)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(result.Columns, " "); got != "? b ?+1" {
			t.Errorf("columns %q", got)
		}
		result, err = db.All(t.Context(), "SELECT :id, $name||?2, max(:id, @n)", 1, "x", 3)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(result.Columns, " "); got != ":id $name||?2 max(:id, @n)" {
			t.Errorf("columns %q", got)
		}
	})
}

// testStorage checks what columns of all affinities keep, and that a value comes back
// as it went in.
func testStorage(t *testing.T, s suite) {
	db := s.db(t, "CREATE TABLE v (id INTEGER PRIMARY KEY, i INTEGER, t TEXT, n, r REAL, b BLOB, m NUMERIC)")
	ctx := t.Context()
	type row struct{ i, t, n, r, b, m string } // quote() of each
	for _, tt := range []struct {
		name string
		arg  any
		want row
	}{
		{"2^63-1", int64(math.MaxInt64), row{"9223372036854775807", "'9223372036854775807'", "9223372036854775807",
			"9.22337203685477580e+18", "9223372036854775807", "9223372036854775807"}},
		{"-2^63", int64(math.MinInt64), row{"-9223372036854775808", "'-9223372036854775808'", "-9223372036854775808",
			"-9.22337203685477580e+18", "-9223372036854775808", "-9223372036854775808"}},
		{"seven", 7, row{"7", "'7'", "7", "7.0", "7", "7"}},
		{"true", true, row{"1", "'1'", "1", "1.0", "1", "1"}},
		{"7.0", 7.0, row{"7", "'7.0'", "7.0", "7.0", "7.0", "7"}},
		{"1.5", 1.5, row{"1.5", "'1.5'", "1.5", "1.5", "1.5", "1.5"}},
		{"nil", nil, row{"NULL", "NULL", "NULL", "NULL", "NULL", "NULL"}},
		{"empty text", "", row{"''", "''", "''", "''", "''", "''"}},
		{"empty blob", []byte{}, row{"X''", "X''", "X''", "X''", "X''", "X''"}},
		{"digits", "12", row{"12", "'12'", "'12'", "12.0", "'12'", "12"}},
		{"digits in a blob", []byte("12"), row{"X'3132'", "X'3132'", "X'3132'", "X'3132'", "X'3132'", "X'3132'"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := db.Run(ctx, "INSERT OR REPLACE INTO v VALUES (1, ?1, ?1, ?1, ?1, ?1, ?1)", tt.arg); err != nil {
				t.Fatal(err)
			}
			var got row
			err := db.First(ctx, "SELECT quote(i), quote(t), quote(n), quote(r), quote(b), quote(m) FROM v").
				Scan(&got.i, &got.t, &got.n, &got.r, &got.b, &got.m)
			if strings.HasSuffix(got.r, "+18") { // how many digits there are is SQLite's affair
				got.r = tt.want.r
			}
			if err != nil || got != tt.want {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
		})
	}
	t.Run("nothing is not empty", func(t *testing.T) {
		var blob, text, null []byte
		var equal int
		err := db.First(ctx, "SELECT ?1, ?2, ?3, (?1 IS ?2) + (?2 IS ?3) + (?1 IS ?3)", []byte{}, "", nil).Scan(&blob, &text, &null, &equal)
		if err != nil || blob == nil || text == nil || null != nil || equal != 0 {
			t.Errorf("got %#v %#v %#v, %d are equal, %v", blob, text, null, equal, err)
		}
	})
	t.Run("a NUL in a text", func(t *testing.T) {
		const text = "a\x00b"
		if _, err := db.Run(ctx, "INSERT OR REPLACE INTO v (id, t) VALUES (1, ?)", text); err != nil {
			t.Fatal(err)
		}
		var got, hex string
		if err := db.First(ctx, "SELECT t, hex(t) FROM v WHERE t = ?", text).Scan(&got, &hex); err != nil || got != text || hex != "610062" {
			t.Errorf("got %q, %s, %v", got, hex, err)
		}
	})
	t.Run("a large blob", func(t *testing.T) {
		blob := bytes.Repeat([]byte{0, 1, 2, 250}, 1<<18)
		if _, err := db.Run(ctx, "INSERT OR REPLACE INTO v (id, n, b) VALUES (1, ?1, ?1)", blob); err != nil {
			t.Fatal(err)
		}
		var n, b []byte
		if err := db.First(ctx, "SELECT n, b FROM v WHERE b = ?", blob).Scan(&n, &b); err != nil || !bytes.Equal(n, blob) || !bytes.Equal(b, blob) {
			t.Errorf("they did not survive: %d and %d bytes, %v", len(n), len(b), err)
		}
	})
}

// testTimes checks that a time comes back from every column that may hold one, whoever
// wrote it.
func testTimes(t *testing.T, s suite) {
	db := s.db(t, "CREATE TABLE times (id INTEGER PRIMARY KEY, d DATE, dt DATETIME, ts TIMESTAMP DEFAULT CURRENT_TIMESTAMP)")
	ctx := t.Context()
	at := time.Date(2026, 2, 3, 4, 5, 6, 123456789, time.FixedZone("", -2*3600))
	for _, tt := range []struct {
		name, sql string
		args      []any
		want      time.Time
	}{
		{"ours", "?1, ?1, ?1", []any{at}, at},
		{"SQLite's", "datetime('2026-02-03 06:05:06'), datetime('2026-02-03 06:05:06'), datetime('2026-02-03 06:05:06')", nil, at.Truncate(time.Second)},
		{"with an offset", "?1, ?1, ?1", []any{at.Format("2006-01-02 15:04:05.999999999-07:00")}, at},
		{"in UTC with an offset", "?1, ?1, ?1", []any{at.UTC().Format("2006-01-02 15:04:05.999999999-07:00")}, at},
		{"a date", "?1, ?1, ?1", []any{"2026-02-03"}, time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := db.Run(ctx, "INSERT OR REPLACE INTO times VALUES (1, "+tt.sql+")", tt.args...); err != nil {
				t.Fatal(err)
			}
			var d, dt, ts time.Time
			err := db.First(ctx, "SELECT d, dt, ts FROM times").Scan(&d, &dt, &ts)
			if err != nil || !d.Equal(tt.want) || !dt.Equal(tt.want) || !ts.Equal(tt.want) {
				t.Errorf("got %v %v %v, %v; want %v", d, dt, ts, err, tt.want)
			}
		})
	}
	t.Run("CURRENT_TIMESTAMP", func(t *testing.T) {
		if _, err := db.Run(ctx, "INSERT OR REPLACE INTO times (id, d, dt) VALUES (1, CURRENT_DATE, CURRENT_TIMESTAMP)"); err != nil {
			t.Fatal(err)
		}
		var d, dt, ts time.Time
		var same bool
		if err := db.First(ctx, "SELECT d, dt, ts, dt = ts FROM times").Scan(&d, &dt, &ts, &same); err != nil ||
			!same || !dt.Equal(ts) || !d.Equal(dt.Truncate(24*time.Hour)) || dt.IsZero() {
			t.Errorf("got %v %v %v, %v", d, dt, ts, err)
		}
	})
	t.Run("text order is time order", func(t *testing.T) {
		times := []any{at, at.Add(time.Nanosecond), at.Add(time.Hour).UTC(), at.Add(-time.Hour), at.Truncate(time.Second)}
		var inOrder bool
		err := db.First(ctx, "SELECT ?4 < ?5 AND ?5 < ?1 AND ?1 < ?2 AND ?2 < ?3", times...).Scan(&inOrder)
		if err != nil || !inOrder {
			t.Errorf("in order: %t, %v", inOrder, err)
		}
	})
	t.Run("SQLite reads ours", func(t *testing.T) {
		got := texts(t, db, "SELECT datetime(?)", at)
		if len(got) != 1 || got[0] != "2026-02-03 06:05:06" {
			t.Errorf("got %v", got)
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
	t.Run("integers that lose nothing", func(t *testing.T) {
		var most, least string
		err := db.First(t.Context(), "SELECT CAST(? AS TEXT), CAST(? AS TEXT)", int64(math.MaxInt64), int64(math.MinInt64)).Scan(&most, &least)
		if err != nil || most != "9223372036854775807" || least != "-9223372036854775808" {
			t.Errorf("got %s, %s, %v", most, least, err)
		}
		for _, n := range []int64{math.MaxInt64, math.MinInt64, 1<<53 + 1, -1<<53 - 1, 1 << 53} {
			var got int64
			err := db.First(t.Context(), "SELECT ?", n).Scan(&got)
			if _, inexact := errors.AsType[*d1.InexactError](err); got != n && !inexact || s.opts.JSON != inexact {
				t.Errorf("%d came back as %d, %v", n, got, err)
			}
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
