package sqltext_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/internal/sqltext"
)

func TestKind(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, sql string
		want      string // kind, verb, and "rows" and "explain" where they hold
	}{
		{"select", "/* a */ SELECT 1", "read SELECT rows"},
		{"lower case", "select 1", "read SELECT rows"},
		{"values", "VALUES (1)", "read VALUES rows"},
		{"with select", "WITH a AS (SELECT 1) SELECT * FROM a", "read SELECT rows"},
		{"with values", "WITH a AS (SELECT 1) VALUES (1)", "read VALUES rows"},
		{"with many", "WITH RECURSIVE a(x, y) AS NOT MATERIALIZED (SELECT 1, (2)), b AS MATERIALIZED (SELECT 3) DELETE FROM t", "write DELETE"},
		{"with keywords as names", "WITH replace AS (SELECT 1), update_ AS (SELECT 1), [select] AS (SELECT 1) INSERT INTO t SELECT 1", "write INSERT"},
		{"with quoted as", "WITH a(\"as\") AS (SELECT 1) UPDATE t SET a = 1", "write UPDATE"},
		{"with replace", "WITH a AS (SELECT 1) REPLACE INTO t SELECT 1", "write REPLACE"},
		{"with nothing", "WITH a AS (SELECT 1)", "unknown WITH"},
		{"with alone", "WITH", "unknown WITH"},
		{"with create", "WITH a AS (SELECT 1) CREATE TABLE t (a)", "unknown CREATE"},
		{"with with", "WITH a AS (SELECT 1) WITH b AS (SELECT 1) SELECT 1", "unknown WITH"},
		{"explain", "EXPLAIN SELECT 1", "read SELECT rows explain"},
		{"explain write", "explain delete from t", "read DELETE rows explain"},
		{"explain query plan", "EXPLAIN QUERY PLAN WITH a AS (SELECT 1) INSERT INTO t SELECT 1", "read INSERT rows explain"},
		{"explain schema", "EXPLAIN DROP TABLE t", "read DROP rows explain"},
		{"explain alone", "EXPLAIN", "read EXPLAIN rows explain"},
		{"explain query plan alone", "EXPLAIN QUERY PLAN", "read EXPLAIN rows explain"},
		{"insert", "INSERT INTO t VALUES (1)", "write INSERT"},
		{"insert or", "INSERT OR REPLACE INTO t VALUES (1)", "write INSERT"},
		{"insert select", "INSERT INTO t SELECT 1", "write INSERT"},
		{"replace", "REPLACE INTO t VALUES (1)", "write REPLACE"},
		{"update", "UPDATE t SET a = 1", "write UPDATE"},
		{"delete", "DELETE FROM t", "write DELETE"},
		{"returning", "INSERT INTO t VALUES (1) RETURNING *", "write INSERT rows"},
		{"returning lower case", "with a as (select 1) delete from t returning a", "write DELETE rows"},
		{"returning in a string", "DELETE FROM t WHERE a = 'x RETURNING y'", "write DELETE"},
		{"returning quoted", "DELETE FROM t WHERE a = \"returning\"", "write DELETE"},
		{"returning in a comment", "DELETE FROM t -- RETURNING a", "write DELETE"},
		{"returning in parentheses", "INSERT INTO t (a) VALUES (returning)", "write INSERT"},
		{"create", "CREATE TABLE t (a)", "schema CREATE"},
		{"create trigger", "CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; END", "schema CREATE"},
		{"alter", "ALTER TABLE t RENAME TO u", "schema ALTER"},
		{"drop", "DROP TABLE t", "schema DROP"},
		{"reindex", "REINDEX", "schema REINDEX"},
		{"analyze", "ANALYZE", "schema ANALYZE"},
		{"vacuum", "VACUUM", "schema VACUUM"},
		{"pragma get", "PRAGMA foreign_keys", "pragma PRAGMA rows"},
		{"pragma set", "PRAGMA foreign_keys = ON", "pragma PRAGMA"},
		{"pragma call", "PRAGMA table_info(t)", "pragma PRAGMA rows"},
		{"pragma equals", "PRAGMA main.table_info = t", "pragma PRAGMA rows"},
		{"pragma quoted", "PRAGMA main . \"Table_List\"", "pragma PRAGMA rows"},
		{"pragma unknown", "PRAGMA no_such_pragma", "pragma PRAGMA"},
		{"pragma long", "PRAGMA " + strings.Repeat("a", 50), "pragma PRAGMA"},
		{"pragma alone", "PRAGMA", "pragma PRAGMA"},
		{"begin", "BEGIN IMMEDIATE", "transaction BEGIN"},
		{"commit", "COMMIT", "transaction COMMIT"},
		{"end", "End", "transaction END"},
		{"rollback", "ROLLBACK TO a", "transaction ROLLBACK"},
		{"savepoint", "SAVEPOINT a", "transaction SAVEPOINT"},
		{"release", "RELEASE a", "transaction RELEASE"},
		{"attach", "ATTACH 'a' AS b", "attach ATTACH"},
		{"detach", "DETACH b", "attach DETACH"},
		{"unknown", "foo bar", "unknown FOO"},
		{"long s is no s", "ſelect 1", "unknown ſELECT"},
		{"quoted", "\"select\" 1", "unknown "},
		{"parenthesis", "(SELECT 1)", "unknown "},
		{"number", "1", "unknown "},
		{"illegal", "!", "unknown "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			st, err := sqltext.Parse(tt.sql)
			if err != nil {
				t.Fatal(err)
			}
			got := st.Kind.String() + " " + st.Verb
			if st.ReturnsRows {
				got += " rows"
			}
			if st.Explain {
				got += " explain"
			}
			if got != tt.want {
				t.Errorf("Parse(%q) = %q, want %q", tt.sql, got, tt.want)
			}
		})
	}
}

func TestFault(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, sql string
		kind      sqltext.FaultKind
		text      string
	}{
		{"none", "SELECT 'a' /* b */ -- c", sqltext.NoFault, ""},
		{"string", "SELECT 'a", sqltext.OpenQuote, "'a"},
		{"identifier", "SELECT \"a", sqltext.OpenQuote, "\"a"},
		{"bracket", "SELECT [a", sqltext.OpenQuote, "[a"},
		{"blob", "SELECT x'0", sqltext.OpenQuote, "x'0"},
		{"blob start", "SELECT x'", sqltext.OpenQuote, "x'"},
		{"odd blob", "SELECT x'0'", sqltext.BadToken, "x'0'"},
		{"comment", "SELECT 1 /* a", sqltext.OpenComment, "/* a"},
		{"comment of three bytes", "SELECT 1 /*/", sqltext.OpenComment, "/*/"},
		{"token", "SELECT 1 ! 2 ^ 3", sqltext.BadToken, "!"},
		{"number", "SELECT 12ab", sqltext.BadToken, "12ab"},
		{"NUL", "SELECT 1\x00", sqltext.NULByte, "\x00"},
		{"NUL in a string", "SELECT 'a\x00b'", sqltext.NULByte, "\x00"},
		{"NUL in a bracket", "SELECT [\x00]", sqltext.NULByte, "\x00"},
		{"NUL in a blob", "SELECT x'\x00'", sqltext.NULByte, "\x00"},
		{"NUL in a comment", "SELECT 1 /* \x00 */", sqltext.NULByte, "\x00"},
		{"NUL in a line comment", "SELECT 1 -- \x00", sqltext.NULByte, "\x00"},
		{"parameter zero", "SELECT ?0", sqltext.BadParamNumber, "?0"},
		{"parameter too large", "SELECT ?32767", sqltext.BadParamNumber, "?32767"},
		{"parameter enormous", "SELECT ?99999999999999999999999", sqltext.BadParamNumber, "?99999999999999999999999"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// A statement before it shows that offsets count from Text.
			sts := sqltext.Split("SELECT 0;" + tt.sql)
			st := sts[len(sts)-1]
			f := st.Fault
			if f.Kind != tt.kind || st.Text[f.Start:f.End] != tt.text {
				t.Errorf("%q: got %v %q", tt.sql, f.Kind, st.Text[f.Start:f.End])
			}
			want := tt.kind != sqltext.NoFault && tt.kind != sqltext.OpenComment
			if f.Refused() != want {
				t.Errorf("%q: Refused() = %t", tt.sql, f.Refused())
			}
		})
	}
}

func TestParams(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, sql, want string }{
		{"none", "SELECT '?', \"?\", [?] -- ?", ""},
		{"anonymous", "SELECT ?, ?", "?=1 ?=2"},
		{"numbered", "SELECT ?3, ?, ?1, ?", "?3=3 ?=4 ?1=1 ?=5"},
		{"leading zero", "SELECT ?05, ?", "?05=5 ?=6"},
		{"named", "SELECT :a, @a, $a, :a, :A", ":a=1 @a=2 $a=3 :a=1 :A=4"},
		{"mixed", "SELECT ?, :a, ?7, :b, :a", "?=1 :a=2 ?7=7 :b=8 :a=2"},
		{"number of a name", "SELECT :a, ?1", ":a=1 ?1=1"},
		{"refused number", "SELECT ?0, ?", "?0=0 ?=1"},
		{"tcl", "SELECT $a::b(c), $a::b(d)", "$a::b(c)=1 $a::b(d)=2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			st, err := sqltext.Parse(tt.sql)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			largest := 0
			for _, p := range st.Params {
				if st.Text[p.Start:p.End] != p.String() {
					t.Errorf("%v is not at %d to %d", p, p.Start, p.End)
				}
				got = append(got, fmt.Sprintf("%v=%d", p, p.Number))
				largest = max(largest, p.Number)
			}
			if got := strings.Join(got, " "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if n := st.NumParams(); n != largest {
				t.Errorf("NumParams() = %d", n)
			}
		})
	}
}

// Many names go through a map.
func TestManyParams(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("SELECT ?")
	for i := range 200 {
		fmt.Fprintf(&b, ", :p%d", i%100)
	}
	st, err := sqltext.Parse(b.String())
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range st.Params[1:] {
		if p.Number != i%100+2 {
			t.Fatalf("%s has number %d", p.Name, p.Number)
		}
	}
	if n := st.NumParams(); n != 101 {
		t.Errorf("NumParams() = %d", n)
	}
}

func TestReplaceParams(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, sql string
		replace   string // for each parameter; = keeps it
		want      string
	}{
		{"none", "SELECT 1", "x", "SELECT 1"},
		{"keep", "SELECT ?, :a FROM t", "=", "SELECT ?, :a FROM t"},
		{"literal", "SELECT ?, :a FROM t", "'x'", "SELECT 'x', 'x' FROM t"},
		{"nothing", "SELECT f(?)", "", "SELECT f()"},
		{"word before", "SELECT:a", "5", "SELECT 5"},
		{"word behind", "SELECT ?and 1", "5", "SELECT 5 and 1"},
		{"minus", "SELECT 1-?", "-5", "SELECT 1- -5"},
		{"plus", "SELECT 1+?", "-5", "SELECT 1+-5"},
		{"neighbours", "SELECT ?:a", "5", "SELECT 5 5"},
		{"at the ends", "?+?", "5", "5+5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			st, err := sqltext.Parse(tt.sql)
			if err != nil {
				t.Fatal(err)
			}
			got := st.ReplaceParams(func(p sqltext.Param) string {
				if tt.replace == "=" {
					return p.String()
				}
				return tt.replace
			})
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
