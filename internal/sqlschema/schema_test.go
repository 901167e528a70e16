package sqlschema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/internal/sqlschema"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// resolve returns a statement's columns as "name type null", with a star for what is stored.
func resolve(t testing.TB, s *sqlschema.Schema, sql string) string {
	t.Helper()
	parsed, err := sqltext.Parse(sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	st := sqlschema.Parse(parsed)
	if st == nil {
		return "untyped"
	}
	columns, ok := s.Resolve(st)
	if !ok {
		return "unknown"
	}
	var all []string
	for _, c := range columns {
		text := strings.Join(strings.Fields(c.Name+" "+c.Type+" "+[...]string{"?", "null", "not null"}[c.Null]), " ")
		if c.Stored {
			text += "*"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func TestResolve(t *testing.T) {
	t.Parallel()
	_, s := openDB(t)
	for _, tt := range []struct{ sql, want string }{
		{"SELECT id, name, joined FROM users", "id INTEGER not null*, name TEXT not null*, joined DATETIME null*"},
		{"SELECT rowid, a FROM made", "INTEGER not null*, a INTEGER null*"},
		{"SELECT * FROM tags", "post_id INTEGER not null*, tag TEXT not null*, added TIMESTAMP null*"},
		{"SELECT a, c FROM strict_one", "a INT not null*, c TEXT not null*"},
		{"SELECT * FROM falling", "id INTEGER null*, at DATE null*"},
		{"SELECT * FROM tabled", "id INTEGER not null*, at DATE null*"},
		{"SELECT u.id, p.id FROM users u LEFT JOIN posts p", "id INTEGER not null*, id INTEGER null*"},
		{"SELECT u.id, p.id FROM users u RIGHT JOIN posts p ON 1", "id INTEGER null*, id INTEGER not null*"},
		{"SELECT u.id, p.id FROM users u FULL JOIN posts p ON 1", "id INTEGER null*, id INTEGER null*"},
		{"SELECT u.id, p.id, a.id FROM users u LEFT JOIN (posts p JOIN a) ON 1", "id INTEGER not null*, id INTEGER null*, id INTEGER null*"},
		{"SELECT (SELECT id FROM users), id FROM users", "(SELECT id FROM users) INTEGER null*, id INTEGER not null*"},
		{"SELECT id FROM users UNION SELECT 1", "id INTEGER ?"},
		{"SELECT id FROM users UNION SELECT user_id FROM posts", "id INTEGER not null"},
		{"SELECT id FROM users UNION SELECT rating FROM posts", "id INTEGER null"},
		{"SELECT p, q FROM named", "p INTEGER not null*, q DateTime not null*"},
		{"INSERT INTO users (name) VALUES (1) RETURNING id, joined, max(1, 2), joined AS j", "id INTEGER not null*, joined DATETIME null*, max(1, 2) ?, j DATETIME null*"},
		{"INSERT OR IGNORE INTO main.posts AS p (id) SELECT 1 FROM users ON CONFLICT DO UPDATE SET id = 2 RETURNING p.published, *",
			"published DateTime not null*, id INTEGER not null*, user_id INTEGER not null*, title TEXT null*, published DateTime not null*, rating REAL null*, flags weird \"type\" null*, tags list of text null*"},
		{"REPLACE INTO a (x) VALUES (1) RETURNING rowid, x", "INTEGER not null*, x DATE null*"},
		{"UPDATE OR REPLACE a SET x = 1 FROM b WHERE b.id = a.id RETURNING x, a.y, id + 1", "x DATE null*, y TEXT null*, id + 1 ?"},
		{"WITH q AS (SELECT 1) DELETE FROM a WHERE id IN q RETURNING x", "x DATE null*"},
		{"DELETE FROM a RETURNING (SELECT joined FROM users)", "(SELECT joined FROM users) DATETIME null*"},
		{"DELETE FROM a RETURNING id ORDER BY x LIMIT 1", "id INTEGER not null*"},
		{"INSERT INTO recent (id) VALUES (1) RETURNING since", "since ?"},
		{"INSERT INTO nowhere VALUES (1) RETURNING *", "unknown"},
		{"INSERT INTO a VALUES (1) RETURNING 1", "untyped"}, {"INSERT INTO a VALUES (1)", "untyped"},
		{"SELECT 1", "untyped"}, {"SELECT count(*) FROM a", "untyped"}, {"VALUES (1)", "untyped"}, {"PRAGMA table_info(a)", "untyped"}, {"EXPLAIN SELECT x FROM a", "untyped"},
		{"SELECT * FROM nowhere", "unknown"}, {"SELECT x, y FROM nowhere, a", "x DATE null*, y TEXT null*"}, {"SELECT x FROM temp.a", "x ?"},
	} {
		if got := resolve(t, s, tt.sql); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.sql, got, tt.want)
		}
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	_, s := openDB(t)
	got, ok := s.Columns("USERS")
	if !ok || len(got) != 12 || got[2].Name != "email" || got[2].Type != "varchar( 255 )" || got[9].Type != "TIMESTAMP WITH TIME ZONE" || got[10].Type != "" {
		t.Errorf("%v %v", got, ok)
	}
	var names []string
	views, _ := s.Columns("named")
	for _, c := range views {
		names = append(names, c.Name)
	}
	if diff := cmp.Diff([]string{"p", "q", "r"}, names); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"nowhere", ""} {
		if _, ok := s.Columns(name); ok {
			t.Errorf("%q has columns", name)
		}
	}
}

// TestHostile reads schemas and statements that would take for ever if every part of them were
// followed to its end.
func TestHostile(t *testing.T) {
	t.Parallel()
	var objects []sqlschema.Object
	add := func(kind, name, sql string) {
		objects = append(objects, sqlschema.Object{Type: kind, Name: name, SQL: sql})
	}
	add("table", "v0", "CREATE TABLE v0 (a DATE, b)")
	for i := range 60 {
		add("view", fmt.Sprint("v", i+1), fmt.Sprintf("CREATE VIEW v%d AS SELECT x.a, y.b, x.*, y.* FROM v%d x, v%d y", i+1, i, i))
		add("view", fmt.Sprint("w", i+1), fmt.Sprintf("CREATE VIEW w%d AS SELECT x.a FROM w%d x, w%d y", i+1, i, i))
	}
	add("view", "w0", "CREATE VIEW w0 AS SELECT a FROM w60")
	add("view", "self", "CREATE VIEW self AS SELECT * FROM self")
	for _, bad := range []string{"", "CREATE", "CREATE TABLE", "CREATE TABLE x", "CREATE TABLE x (", "CREATE TABLE x ()", "CREATE TABLE x (,)", "CREATE TABLE x (a,,b)", "CREATE VIEW", "CREATE VIEW x AS", "CREATE VIRTUAL TABLE x USING", "CREATE VIRTUAL TABLE x USING fts5", "CREATE VIRTUAL TABLE x USING rtree()", "\x00"} {
		add("table", "x", bad)
		add("view", "y", bad)
	}
	s := sqlschema.New(objects)
	deep := func(open, inner, closing string, n int) string {
		return "SELECT " + strings.Repeat(open, n) + inner + strings.Repeat(closing, n) + " FROM v0"
	}
	for _, sql := range []string{
		"SELECT * FROM v60", "SELECT a FROM w60", "SELECT * FROM self", "SELECT * FROM x, y",
		deep("(", "a", ")", 30_000), deep("(SELECT ", "a", ")", 10_000), deep("((SELECT a FROM v0)", "", ")", 9_000),
		"SELECT a FROM " + strings.Repeat("(", 40_000) + "v0" + strings.Repeat(")", 40_000),
		"SELECT a FROM " + strings.Repeat("(SELECT * FROM ", 6_000) + "v0" + strings.Repeat(")", 6_000),
		"SELECT a" + strings.Repeat(", a", 30_000) + " FROM v0" + strings.Repeat(", v0", 20_000),
		"SELECT *" + strings.Repeat(", *", 30_000) + " FROM v0",
		"WITH " + strings.Repeat("q AS (SELECT * FROM q x, q y), ", 3_000) + "r AS (SELECT * FROM q) SELECT * FROM r",
		"SELECT a FROM v0" + strings.Repeat(" UNION SELECT a FROM v0", 4_000),
		"SELECT a FROM v0" + strings.Repeat(" NATURAL JOIN v0", 6_000),
	} {
		resolve(t, s, sql)
	}
}

func FuzzResolve(f *testing.F) {
	for _, sql := range statements {
		f.Add(schema, sql)
	}
	f.Fuzz(func(t *testing.T, schema, sql string) {
		var objects []sqlschema.Object
		for _, st := range sqltext.Split(schema) {
			for _, kind := range []string{"table", "view"} {
				objects = append(objects, sqlschema.Object{Type: kind, Name: "users", SQL: st.Text}, sqlschema.Object{Type: kind, Name: st.Verb, SQL: st.Text})
			}
		}
		s := sqlschema.New(objects)
		s.Columns("users")
		for _, st := range sqltext.Split(sql) {
			if parsed := sqlschema.Parse(st); parsed != nil {
				first, ok := s.Resolve(parsed)
				again, same := s.Resolve(parsed)
				if ok != same || len(first) != len(again) {
					t.Fatalf("%d columns, then %d", len(first), len(again))
				}
			}
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	_, s := openDB(b)
	parsed, err := sqltext.Parse("SELECT u.*, p.title, p.published, count(*) FROM users u JOIN posts p ON p.user_id = u.id WHERE u.id = ? GROUP BY p.id")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.Resolve(sqlschema.Parse(parsed)); !ok {
			b.Fatal("unknown")
		}
	}
}
