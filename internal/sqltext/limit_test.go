package sqltext_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// keys is what a caller would find out about the tables of the schema.
func keys(_, table string) []string {
	switch strings.ToLower(table) {
	case "w":
		return []string{"a", "b"}
	case "k":
		return []string{"name"}
	case "s":
		return []string{"_rowid_"}
	case "v":
		return []string{} // a view has no rows of its own
	}
	return nil
}

func TestRewriteLimit(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, sql, want string }{
		{"limit", "DELETE FROM t LIMIT 1", "DELETE FROM t WHERE rowid IN (SELECT rowid FROM t LIMIT 1)"},
		{"all clauses", "DELETE FROM t WHERE a = ? RETURNING b ORDER BY c LIMIT 2 OFFSET 1;",
			"DELETE FROM t WHERE rowid IN (SELECT rowid FROM t WHERE a = ? ORDER BY c LIMIT 2 OFFSET 1) RETURNING b "},
		{"update", "update t set a = ? where b order by c limit 1, 2",
			"update t set a = ? WHERE rowid IN (SELECT rowid FROM t where b order by c limit 1, 2)"},
		{"update or", "UPDATE OR REPLACE main.\"my table\" AS x SET a = 1 LIMIT 1",
			"UPDATE OR REPLACE main.\"my table\" AS x SET a = 1 WHERE rowid IN (SELECT rowid FROM main.\"my table\" AS x LIMIT 1)"},
		{"with", "WITH a(x) AS (SELECT 1 LIMIT 1) DELETE FROM t WHERE a IN a LIMIT 1",
			"WITH a(x) AS (SELECT 1 LIMIT 1) DELETE FROM t WHERE rowid IN (SELECT rowid FROM t WHERE a IN a LIMIT 1)"},
		{"explain", "EXPLAIN QUERY PLAN DELETE FROM t LIMIT 1",
			"EXPLAIN QUERY PLAN DELETE FROM t WHERE rowid IN (SELECT rowid FROM t LIMIT 1)"},
		{"indexed by", "DELETE FROM t INDEXED BY t_a WHERE a > 0 LIMIT 1",
			"DELETE FROM t WHERE rowid IN (SELECT rowid FROM t INDEXED BY t_a WHERE a > 0 LIMIT 1)"},
		{"not indexed", "DELETE FROM t AS x NOT INDEXED WHERE a > 0 LIMIT 1",
			"DELETE FROM t AS x NOT INDEXED WHERE rowid IN (SELECT rowid FROM t AS x NOT INDEXED WHERE a > 0 LIMIT 1)"},
		{"one key column", "DELETE FROM k LIMIT 1", "DELETE FROM k WHERE `name` IN (SELECT `name` FROM k LIMIT 1)"},
		{"two key columns", "DELETE FROM main.[w] LIMIT 1",
			"DELETE FROM main.[w] WHERE (`a`, `b`) IN (SELECT `a`, `b` FROM main.[w] LIMIT 1)"},
		{"shadowed rowid", "DELETE FROM s LIMIT 1", "DELETE FROM s WHERE `_rowid_` IN (SELECT `_rowid_` FROM s LIMIT 1)"},
		{"distinct from", "DELETE FROM t WHERE a IS DISTINCT FROM 1 LIMIT 1",
			"DELETE FROM t WHERE rowid IN (SELECT rowid FROM t WHERE a IS DISTINCT FROM 1 LIMIT 1)"},
		{"parameters stay", "UPDATE t SET a = ? WHERE b = :b RETURNING 'x' ORDER BY ? LIMIT ?",
			"UPDATE t SET a = ? WHERE rowid IN (SELECT rowid FROM t WHERE b = :b ORDER BY ? LIMIT ?) RETURNING 'x' "},
		{"parameters move", "UPDATE t SET a = ? WHERE b = :b RETURNING ? ORDER BY c LIMIT ?",
			"UPDATE t SET a = ?1 WHERE rowid IN (SELECT rowid FROM t WHERE b = ?2 ORDER BY c LIMIT ?4) RETURNING ?3 "},
		{"comments", "DELETE FROM t -- a\nWHERE b -- c\nRETURNING d /*e*/ LIMIT 1 -- f",
			"DELETE FROM t -- a\nWHERE rowid IN (SELECT rowid FROM t WHERE b -- c\nLIMIT 1) RETURNING d /*e*/ "},
		{"alias in returning", "DELETE FROM t RETURNING a AS b LIMIT 1",
			"DELETE FROM t WHERE rowid IN (SELECT rowid FROM t LIMIT 1) RETURNING a AS b "},
		{"update from", "UPDATE t SET a = u.b FROM u WHERE u.id = t.id LIMIT 1",
			`UPDATE t SET a = "limited rows"."limited rows 1" FROM (SELECT t."rowid" AS "limited rows 0", ` +
				`u.b AS "limited rows 1" FROM t, u WHERE u.id = t.id GROUP BY t."rowid" LIMIT 1) AS "limited rows" ` +
				`WHERE t."rowid" = "limited rows"."limited rows 0"`},
		{"update from several tables", "UPDATE w AS x SET (a, b) = (?, f(1, 2)) FROM u, k AS l RETURNING ? ORDER BY 1 LIMIT ?",
			`UPDATE w AS x SET a = "limited rows"."limited rows 2", b = "limited rows"."limited rows 3" FROM (SELECT ` +
				`x."a" AS "limited rows 0", x."b" AS "limited rows 1", ?1 AS "limited rows 2", f(1, 2) AS "limited rows 3" ` +
				`FROM w AS x, ( u, k AS l ) GROUP BY x."a", x."b" ORDER BY 1 LIMIT ?3) AS "limited rows" ` +
				`WHERE x."a" = "limited rows"."limited rows 0" AND x."b" = "limited rows"."limited rows 1" RETURNING ?2 `},

		{"no limit", "DELETE FROM t WHERE a = (SELECT 1 ORDER BY 1 LIMIT 1)", ""},
		{"limit in a string", "DELETE FROM t WHERE a = 'x LIMIT 1'", ""},
		{"quoted limit", "DELETE FROM t WHERE \"limit\"", ""},
		{"select", "SELECT 1 LIMIT 1", ""},
		{"insert", "INSERT INTO t SELECT 1 LIMIT 1", ""},
		{"trigger", "CREATE TRIGGER x DELETE ON t BEGIN DELETE FROM t LIMIT 1; END", ""},
		{"two statements", "DELETE FROM t LIMIT 1; SELECT 1", ""},
		{"nothing", "", ""},
		{"update from a subquery of several columns", "UPDATE t SET (a, b) = (SELECT 1, 2) FROM u LIMIT 1", ""},
		{"update from, too many values", "UPDATE t SET (a, b) = (1, 2, 3) FROM u LIMIT 1", ""},
		{"update from without a value", "UPDATE t SET a = FROM u LIMIT 1", ""},
		{"update from a view", "UPDATE v SET a = 1 FROM u LIMIT 1", ""},
		{"view", "DELETE FROM v LIMIT 1", ""},
		{"fault", "DELETE FROM t WHERE ! LIMIT 1", ""},
		{"alias without AS, which SQLite refuses", "DELETE FROM t x LIMIT 1", ""},
		{"unbalanced", "DELETE FROM t WHERE a) OR rowid IN (SELECT rowid FROM t LIMIT 1", ""},
		{"open parenthesis", "DELETE FROM t LIMIT 1 + (", ""},
		{"union", "DELETE FROM t WHERE a UNION SELECT 1 LIMIT 1", ""},
		{"group", "DELETE FROM t WHERE a GROUP BY a LIMIT 1", ""},
		{"window", "DELETE FROM t WHERE a WINDOW w AS () LIMIT 1", ""},
		{"where after order", "DELETE FROM t ORDER BY a WHERE b LIMIT 1", ""},
		{"order after limit", "DELETE FROM t LIMIT 1 ORDER BY a", ""},
		{"two wheres", "DELETE FROM t WHERE a WHERE b LIMIT 1", ""},
		{"two returnings", "DELETE FROM t RETURNING a RETURNING b LIMIT 1", ""},
		{"two limits", "DELETE FROM t LIMIT 1 LIMIT 2", ""},
		{"no from", "DELETE t LIMIT 1", ""},
		{"no table", "DELETE FROM", ""},
		{"no second name", "DELETE FROM t.(x) LIMIT 1", ""},
		{"no alias", "DELETE FROM t AS (x) LIMIT 1", ""},
		{"half an index", "DELETE FROM t INDEXED t_a LIMIT 1", ""},
		{"no index", "DELETE FROM t INDEXED BY (x) LIMIT 1", ""},
		{"not what", "DELETE FROM t NOT LIMIT 1", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok, err := sqltext.RewriteLimit(tt.sql, keys)
			if err != nil || ok != (tt.want != "") || got.Text != tt.want {
				t.Errorf("RewriteLimit(%q)\n got %q, %t, %v\nwant %q", tt.sql, got.Text, ok, err, tt.want)
			}
		})
	}
}

func TestRewriteLimitErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, sql, want string
		offset          int
	}{
		{"delete", "DELETE FROM t ORDER BY a", "ORDER BY without LIMIT on DELETE", -1},
		{"update", "update t set a = 1 order by a", "ORDER BY without LIMIT on UPDATE", -1},
		{"update from", "UPDATE t SET a = 1 FROM u ORDER BY a", "ORDER BY without LIMIT on UPDATE", -1},
		{"late returning", "DELETE FROM t LIMIT 1 returning a", `near "returning": syntax error`, 22},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, ok, err := sqltext.RewriteLimit(tt.sql, nil)
			var refused *sqltext.LimitError
			if ok || !errors.As(err, &refused) || err.Error() != tt.want || refused.Offset != tt.offset {
				t.Errorf("got %t, %#v", ok, err)
			}
		})
	}
}

func TestRewriteOriginal(t *testing.T) {
	t.Parallel()
	const sql = "UPDATE t SET a = ? WHERE b = :bee RETURNING ? ORDER BY cee LIMIT dee"
	r, ok, err := sqltext.RewriteLimit(sql, nil)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	for _, word := range []string{"UPDATE", "SET", "WHERE b", "RETURNING", "ORDER", "cee", "dee"} {
		if got, want := r.Original(strings.Index(r.Text, word)), strings.Index(sql, word); got != want {
			t.Errorf("%s: got %d, want %d", word, got, want)
		}
	}
	tests := []struct {
		name      string
		got, want int
	}{
		{"parameter", r.Original(strings.Index(r.Text, "?2")), strings.Index(sql, ":bee")},
		{"inside a parameter", r.Original(strings.Index(r.Text, "?2") + 1), strings.Index(sql, ":bee")},
		{"new text", r.Original(strings.Index(r.Text, "IN (")), strings.Index(sql, "ORDER")},
		{"before the start", r.Original(-1), -1},
		{"start", r.Original(0), 0},
		{"zero value", sqltext.Rewrite{}.Original(3), 0},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, tt.got, tt.want)
		}
	}
}

// Each statement must do what the one written by hand does.
func TestRewriteLimitRuns(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, sql, byHand string
		args              []int
	}{
		{"plain", "DELETE FROM t ORDER BY b DESC LIMIT 2", "DELETE FROM t WHERE id IN (4, 5)", nil},
		{"offset", "DELETE FROM t ORDER BY b LIMIT 2 OFFSET 1", "DELETE FROM t WHERE id IN (2, 3)", nil},
		{"offset, comma form", "DELETE FROM t ORDER BY b LIMIT 1, 2", "DELETE FROM t WHERE id IN (2, 3)", nil},
		{"negative limit", "DELETE FROM t LIMIT -1", "DELETE FROM t", nil},
		{"limit zero", "DELETE FROM t LIMIT 0", "DELETE FROM t WHERE 0", nil},
		{"where", "UPDATE t SET c = 'new' WHERE a = 2 ORDER BY id DESC LIMIT 1", "UPDATE t SET c = 'new' WHERE id = 3", nil},
		{"where with or", "DELETE FROM t WHERE a = 1 OR a = 5 ORDER BY id LIMIT 1", "DELETE FROM t WHERE id = 1", nil},
		{"parameters", "UPDATE t SET c = ? WHERE a = ? ORDER BY id LIMIT ? OFFSET ?", "UPDATE t SET c = ?1 WHERE ?2 AND ?3 AND ?4 AND id = 3", []int{7, 2, 1, 1}},
		{"parameters move", "UPDATE t SET c = ? WHERE a = :a RETURNING id, ? + :x ORDER BY id LIMIT ? OFFSET :y",
			"UPDATE t SET c = ?1 WHERE id = 3 AND ?2 AND ?5 AND ?6 RETURNING id, ?3 + ?4", []int{7, 2, 30, 40, 1, 1}},
		{"cte", "WITH big(x) AS (SELECT a FROM t WHERE a > ?) DELETE FROM t WHERE a IN big RETURNING id ORDER BY a DESC LIMIT ?",
			"DELETE FROM t WHERE id = 5 AND ?1 AND ?2 RETURNING id", []int{2, 1}},
		{"alias", "DELETE FROM t AS x WHERE x.a IN (SELECT a FROM u WHERE u.a = x.a) ORDER BY x.id DESC LIMIT 2", "DELETE FROM t WHERE id IN (2, 3)", nil},
		{"schema and index", "DELETE FROM main.t INDEXED BY t_a WHERE a > 1 ORDER BY a DESC LIMIT 1 RETURNING_", "", nil},
		{"index", "DELETE FROM main.t INDEXED BY t_a WHERE a > 1 ORDER BY a DESC LIMIT 1", "DELETE FROM t WHERE id = 5", nil},
		{"without rowid", "DELETE FROM w WHERE c <> 'p' RETURNING * ORDER BY c LIMIT 2", "DELETE FROM w WHERE c IN ('q', 'r') RETURNING *", nil},
		{"without rowid, one column", "UPDATE k SET v = v * 10 ORDER BY v DESC LIMIT 2", "UPDATE k SET v = v * 10 WHERE v > 1", nil},
		{"shadowed rowid", "DELETE FROM s ORDER BY a DESC LIMIT 1", "DELETE FROM s WHERE a = 3", nil},
		{"quoted table", "UPDATE \"my table\" SET a = 0 ORDER BY \"my key\" DESC LIMIT 1", "UPDATE \"my table\" SET a = 0 WHERE \"my key\" = 3", nil},
		{"update the key", "UPDATE t SET id = id + 100 RETURNING id ORDER BY id LIMIT 2", "UPDATE t SET id = id + 100 WHERE id < 3 RETURNING id", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, ok, err := sqltext.RewriteLimit(tt.sql, keys)
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			got, err := effect(t, r.Text, tt.args)
			if tt.byHand == "" {
				if err == nil {
					t.Fatalf("SQLite accepts %q", r.Text)
				}
				return
			}
			if err != nil {
				t.Fatalf("%q: %v", r.Text, err)
			}
			want, err := effect(t, tt.byHand, tt.args)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%q\n got %s\nwant %s", r.Text, got, want)
			}
		})
	}
}

// effect runs a statement on a fresh database and returns its rows and what is
// in the tables then.
func effect(t *testing.T, sql string, args []int) (string, error) {
	t.Helper()
	db := openDB(t)
	stmt, _, err := db.Prepare(sql)
	if err != nil {
		return "", err
	}
	defer stmt.Close()
	if stmt.BindCount() != len(args) {
		t.Fatalf("%q has %d parameters", sql, stmt.BindCount())
	}
	for i, arg := range args {
		if err := stmt.BindInt(i+1, arg); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	if err := rows(&b, stmt); err != nil {
		return "", err
	}
	for _, table := range []string{"t", "w", "k", "s", "\"my table\""} {
		stmt, _, err := db.Prepare("SELECT * FROM " + table)
		if err != nil {
			t.Fatal(err)
		}
		if err := rows(&b, stmt); err != nil {
			t.Fatal(err)
		}
		stmt.Close()
	}
	return b.String(), nil
}

func rows(b *strings.Builder, stmt *sqlite3.Stmt) error {
	for stmt.Step() {
		for i := range stmt.ColumnCount() {
			b.WriteString(stmt.ColumnText(i) + ",")
		}
		b.WriteString(" ")
	}
	b.WriteString("/ ")
	return stmt.Err()
}
