package sqltext_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/internal/sqltext"
)

func texts(s sqltext.Statement, spans []sqltext.Span) []string {
	var all []string
	for _, span := range spans {
		all = append(all, s.Text[span.Start:span.End])
	}
	return all
}

func TestInsertRows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		sql  string
		want string // the rows with bars between them
	}{
		{"INSERT INTO t VALUES (?, ?), (?, 1)", "(?, ?)|(?, 1)"},
		{"insert or ignore into [my].\"t\" as x (a, b) values(?,?),/* c */(f(?),(1+2)) -- end", "(?,?)|(f(?),(1+2))"},
		{"REPLACE INTO t VALUES (?), (?) ON CONFLICT (a) DO UPDATE SET a = excluded.a WHERE ? RETURNING a", "(?)|(?)"},
		{"INSERT INTO t VALUES (?) RETURNING *", "(?)"},
		{"INSERT INTO t VALUES (1 IN (1, 2)), ('select'), (x'00')", "(1 IN (1, 2))|('select')|(x'00')"},
		{"/* c */ INSERT INTO t (\"values\") VALUES (?)", "(?)"},
		{"INSERT INTO t SELECT ?, ?", ""},
		{"INSERT INTO t DEFAULT VALUES", ""},
		{"WITH q AS (SELECT 1) INSERT INTO t VALUES (?), (?)", ""},
		{"EXPLAIN INSERT INTO t VALUES (?), (?)", ""},
		{"INSERT INTO t VALUES (?), (?) UNION SELECT 1", ""},
		{"INSERT INTO t VALUES (?), (?) ORDER BY 1", ""},
		{"INSERT INTO t VALUES (?), ((SELECT count(*) FROM t))", ""},
		{"INSERT INTO t VALUES (?), ((VALUES (1)))", ""},
		{"INSERT INTO t VALUES (?), (1 IN t)", ""},
		{"INSERT INTO t VALUES (?), (last_insert_rowid())", ""},
		{"INSERT INTO t VALUES (?), (\"Total_Changes\"())", ""},
		{"INSERT INTO t VALUES (?), (?) RETURNING changes()", ""},
		{"INSERT INTO t VALUES (?), (?) RETURNING (SELECT 1)", ""},
		{"INSERT INTO t VALUES (?), (?", ""},
		{"INSERT INTO t VALUES (?),", ""},
		{"INSERT INTO t VALUES (?), (?), '", ""},
		{"SELECT 1", ""},
		{"UPDATE t SET a = ?", ""},
	} {
		s, err := sqltext.Parse(tt.sql)
		if err != nil {
			t.Fatal(err)
		}
		rows, ok := s.InsertRows()
		if got := strings.Join(texts(s, rows), "|"); got != tt.want && (ok || tt.want != "") || ok != (tt.want != "") {
			t.Errorf("%s: got %q, %t", tt.sql, got, ok)
		}
	}
}

func TestInLists(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		sql  string
		want []string
	}{
		{"SELECT a FROM t WHERE a IN (?, ?2 , :c) AND b NOT IN(?)", []string{"(?, ?2 , :c)", "(?)"}},
		{"DELETE FROM t WHERE a IN /* c */ ( ? -- d\n, ? ) RETURNING a IN (?)", []string{"( ? -- d\n, ? )"}},
		{"WITH q AS (SELECT a FROM t WHERE a IN (?)) SELECT * FROM q WHERE a IN (?, ?)", []string{"(?)", "(?, ?)"}},
		{"SELECT a FROM t WHERE a IN (SELECT b FROM u WHERE b IN (?, ?))", []string{"(?, ?)"}},
		{"INSERT INTO t SELECT a IN (?), 1 FROM t WHERE b IN (?, ?)", []string{"(?)", "(?, ?)"}},
		{"UPDATE t SET a = b IN (?, ?) WHERE c IN (?)", []string{"(?, ?)", "(?)"}},
		{"SELECT a FROM t WHERE a IN (?, 1) OR b IN (SELECT ?) OR c IN u OR d IN ()", nil},
		{"SELECT a IN (?), a IS DISTINCT FROM b IN (?) FROM t", nil},
		{"SELECT (SELECT a FROM t WHERE a IN (?)) FROM t", nil},
		{"SELECT * FROM (SELECT a IN (?) FROM t)", nil},
		{"WITH q AS (SELECT a IN (?) FROM t) SELECT * FROM q", nil},
		{"SELECT 1 UNION SELECT a IN (?) FROM t WHERE b IN (?)", []string{"(?)"}},
		{"CREATE VIEW v AS SELECT a FROM t WHERE a IN (?)", nil},
		{"PRAGMA IN (?)", nil},
		{"SELECT a FROM t WHERE a IN (?, ", nil},
		{"SELECT a FROM t WHERE a IN (?) '", nil},
		{"SELECT ) FROM t WHERE a IN (?)", []string{"(?)"}},
	} {
		s, err := sqltext.Parse(tt.sql)
		if err != nil {
			t.Fatal(err)
		}
		lists, named := s.InLists()
		if diff := cmp.Diff(tt.want, texts(s, lists)); diff != "" || named {
			t.Errorf("%s: %s, named %t", tt.sql, diff, named)
		}
	}
	for _, sql := range []string{"SELECT ?1", "SELECT a, b + :b FROM t", "SELECT * FROM (SELECT ?2)", "DELETE FROM t RETURNING $a"} {
		s, err := sqltext.Parse(sql)
		if err != nil {
			t.Fatal(err)
		}
		if _, named := s.InLists(); !named {
			t.Errorf("%s: not named", sql)
		}
	}
}

func FuzzRowsAndLists(f *testing.F) {
	for _, sql := range []string{
		"INSERT INTO t VALUES (?, ?), (?, 1) ON CONFLICT DO NOTHING", "SELECT a FROM t WHERE a IN (?, ?2 , :c) AND b NOT IN(?)",
		"REPLACE INTO t(a)VALUES((((?))),(1)RETURNING a IN(?)", "SELECT)IN(?)", "INSERT VALUES()", "VALUES(?IN(?,?",
	} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		s, err := sqltext.Parse(sql)
		if err != nil {
			return
		}
		rows, _ := s.InsertRows()
		end := 0
		lists, _ := s.InLists()
		for _, span := range append(rows, lists...) {
			if span.End <= end { // the lists begin anew
				end = 0
			}
			if span.Start < end || span.End > len(s.Text) || s.Text[span.Start] != '(' || s.Text[span.End-1] != ')' {
				t.Fatalf("%q: %v", sql, span)
			}
			end = span.End
		}
	})
}
