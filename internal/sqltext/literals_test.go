package sqltext_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/internal/sqltext"
)

func TestLiterals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, sql, text string
		values          []any
	}{
		{"all kinds", `INSERT INTO "t" ("a",b) VALUES(1, -2, 1.5, -1e-3, 'it''s', X'0aff', NULL) `,
			`INSERT INTO "t" ("a",b) VALUES(?,?,?,?,?,?,?)`,
			[]any{int64(1), int64(-2), 1.5, -1e-3, "it's", []byte{0x0a, 0xff}, nil}},
		{"the ends of the integers", "insert into t values(-9223372036854775808,9223372036854775807)",
			"insert into t values(?,?)", []any{int64(-1 << 63), int64(1<<63 - 1)}},
		{"a text with line ends", `REPLACE INTO t VALUES(replace(replace('a\nb\r','\r',char(13)),'\n',char(10)),2)`,
			`REPLACE INTO t VALUES( replace( replace(?,'\r', char(13)),'\n', char(10)),?)`, []any{`a\nb\r`, int64(2)}},
		{"a cast", "INSERT OR IGNORE INTO main.t VALUES(CAST(X'00' AS TEXT))",
			"INSERT OR IGNORE INTO main.t VALUES( CAST(? AS TEXT))", []any{[]byte{0}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var l sqltext.Literals
			if !l.Read(test.sql) {
				t.Fatalf("%s is not taken apart", test.sql)
			}
			if diff := cmp.Diff(test.text, string(l.SQL)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.values, l.Values); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLiteralsLeavesAlone(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, sql string }{
		{"nothing", ""}, {"another verb", "UPDATE t SET a = 1"}, {"a query", "INSERT INTO t SELECT 1 FROM b WHERE VALUES(1)"},
		{"two rows", "INSERT INTO t VALUES(1),(2)"}, {"RETURNING", "INSERT INTO t VALUES(1) RETURNING a"},
		{"an expression", "INSERT INTO t VALUES(1+1)"}, {"a column", "INSERT INTO t VALUES(a)"}, {"a double-quoted text", `INSERT INTO t VALUES("a")`},
		{"a parameter", "INSERT INTO t VALUES(?)"}, {"a hexadecimal number", "INSERT INTO t VALUES(0x10)"},
		{"a separated number", "INSERT INTO t VALUES(1_0)"}, {"an integer out of range", "INSERT INTO t VALUES(9223372036854775808)"},
		{"a real out of range", "INSERT INTO t VALUES(9e999)"}, {"many digits", "INSERT INTO t VALUES(0.123456789012345678901)"},
		{"no comma", "INSERT INTO t VALUES(replace('a' 1,'b','c'))"}, {"no end", "INSERT INTO t VALUES(1"},
		{"turned round", "INSERT INTO t VALUES)1("}, {"a comment", "INSERT INTO t VALUES(1) --"}, {"two minuses", "INSERT INTO t VALUES(- -1)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var l sqltext.Literals
			if l.Read(test.sql) {
				t.Errorf("%s became %s", test.sql, l.SQL)
			}
		})
	}
}

func FuzzLiterals(f *testing.F) {
	f.Add("INSERT INTO t VALUES(1,-2.5,'a',X'00',NULL,replace('a','b',char(10)))")
	f.Fuzz(func(t *testing.T, sql string) {
		var l sqltext.Literals
		if !l.Read(sql) {
			return
		}
		st, err := sqltext.Parse(string(l.SQL))
		if err != nil || st.Fault.Refused() || st.NumParams() != len(l.Values) || len(st.Params) != len(l.Values) {
			t.Errorf("%q became %q with %d values: %v, %v", sql, l.SQL, len(l.Values), err, st)
		}
		if strings.Count(sql, "(") != strings.Count(string(l.SQL), "(") && !strings.Contains(sql, "'") {
			t.Errorf("%q became %q", sql, l.SQL)
		}
	})
}
