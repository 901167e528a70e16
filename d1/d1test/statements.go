package d1test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
)

func testBatch(t *testing.T, s suite) {
	db := s.db(t, colours)
	ctx := t.Context()
	t.Run("in order", func(t *testing.T) {
		results, err := db.Batch(ctx,
			db.Prepare("INSERT INTO colours VALUES (?, ?, ?)").Bind(4, "yellow", 0xffff00),
			db.Prepare("SELECT name FROM colours ORDER BY id"))
		if err != nil {
			t.Fatal(err)
		}
		names, err := d1.Into[string](results[1])
		if err != nil || strings.Join(names, " ") != "red green blue yellow" {
			t.Errorf("got %v, %v", names, err)
		}
		if len(results[0].Rows) != 0 || results[0].Meta.Changes != 1 {
			t.Errorf("the insert gave %+v", results[0])
		}
	})
	for name, bad := range map[string]string{
		"syntax error": "PUT IN colours", "constraint": "INSERT INTO colours VALUES (1, 'x', 1)",
		"error while running": "SELECT json('no JSON')",
	} {
		t.Run(name+" undoes all", func(t *testing.T) {
			_, err := db.Batch(ctx, db.Prepare("INSERT INTO colours VALUES (50, 'lost', 0)"),
				db.Prepare(bad), db.Prepare("INSERT INTO colours VALUES (70, 'lost', 0)"))
			e, ok := errors.AsType[*d1.Error](err)
			if !ok || e.Outcome != d1.OutcomeRefused {
				t.Fatalf("error %v", err)
			}
			n, err := d1.First[int](ctx, db, "SELECT count(*) FROM colours WHERE name = 'lost'")
			if err != nil || n != 0 {
				t.Errorf("%d rows are left, %v", n, err)
			}
		})
	}
	t.Run("a thousand", func(t *testing.T) {
		var batch []*d1.Stmt
		for i := range 1000 {
			batch = append(batch, db.Prepare("INSERT INTO colours VALUES (?, 'many', ?)").Bind(1000+i, i))
		}
		results, err := db.Batch(ctx, batch...)
		if err != nil || len(results) != 1000 {
			t.Errorf("%d results, %v", len(results), err)
		}
	})
	t.Run("empty", func(t *testing.T) {
		if _, err := db.Batch(ctx); !d1.Unsent(err) {
			t.Errorf("error %v", err)
		}
	})
}

func testExec(t *testing.T, s suite) {
	db := s.db(t)
	ctx := t.Context()
	result, err := db.Exec(ctx, "CREATE TABLE a (x);\n-- a comment; with a semicolon\nINSERT INTO a VALUES ('a;b');\n"+
		"CREATE TRIGGER g AFTER INSERT ON a BEGIN UPDATE a SET x = 'c' WHERE x = 'd'; END;\nINSERT INTO a VALUES ('d');")
	if err != nil || result.Count != 4 {
		t.Fatalf("%d statements, %v", result.Count, err)
	}
	if got := texts(t, db, "SELECT x FROM a ORDER BY rowid"); strings.Join(got, "|") != "a;b|c" {
		t.Errorf("got %v", got)
	}
	if _, err := db.Exec(ctx, "INSERT INTO a VALUES (1); INSERT INTO nope VALUES (1)"); err == nil {
		t.Error("no error")
	}
	if n, err := d1.First[int](ctx, db, "SELECT count(*) FROM a"); err != nil || n != 2 {
		t.Errorf("%d rows, %v: the script was not undone", n, err)
	}
}

func testMeta(t *testing.T, s suite) {
	db := s.db(t, colours)
	ctx := t.Context()
	for _, tt := range []struct {
		name, sql       string
		changes, lastID int64
		changed         bool
	}{
		{"select", "SELECT * FROM colours", 0, 3, false},
		{"insert", "INSERT INTO colours VALUES (10, 'a', 1)", 1, 10, true},
		{"insert returning", "INSERT INTO colours VALUES (11, 'b', 1), (12, 'c', 2) RETURNING *", 2, 12, true},
		{"update", "UPDATE colours SET rgb = 0 WHERE id > 9", 3, 12, true},
		{"update nothing", "UPDATE colours SET rgb = 0 WHERE id > 99", 0, 12, false},
		{"ignored insert", "INSERT OR IGNORE INTO colours VALUES (10, 'a', 1)", 0, 12, false},
		{"delete", "DELETE FROM colours WHERE id = 10", 1, 12, true},
		{"create", "CREATE TABLE other (a)", 0, 12, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := db.Run(ctx, tt.sql)
			if err != nil {
				t.Fatal(err)
			}
			if m.Changes != tt.changes || m.LastRowID != tt.lastID || m.ChangedDB != tt.changed {
				t.Errorf("changes %d, last row id %d, changed %t; want %d, %d, %t",
					m.Changes, m.LastRowID, m.ChangedDB, tt.changes, tt.lastID, tt.changed)
			}
			if m.SizeAfter < 4096 || m.ServedBy == "" || !m.ServedByPrimary || m.TotalAttempts < 1 || m.Duration < 0 {
				t.Errorf("meta %+v", m)
			}
		})
	}
	m, err := db.Run(ctx, "SELECT * FROM colours")
	if err != nil || m.RowsRead != 5 || m.RowsWritten != 0 {
		t.Errorf("a scan of 5 rows read %d and wrote %d, %v", m.RowsRead, m.RowsWritten, err)
	}
}

func testColumns(t *testing.T, s suite) {
	db := s.db(t, colours)
	ctx := t.Context()
	for _, tt := range []struct{ sql, want string }{
		{"SELECT 1 AS a, 2 AS b, 3 AS a", "a b a"},
		{"SELECT name, id FROM colours WHERE 0", "name id"},
		{"SELECT * FROM colours x JOIN colours y USING (id)", "id name rgb name rgb"},
		{"INSERT INTO colours VALUES (9, 'x', 1) RETURNING name, id", "name id"},
		{"DELETE FROM colours WHERE id = 9", ""},
		{`SELECT 1 AS ""`, ""},
		{"SELECT 1 -- comment", "1 -- comment"},
	} {
		result, err := db.All(ctx, tt.sql)
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
			continue
		}
		if got := strings.Join(result.Columns, " "); got != tt.want {
			t.Errorf("%s: columns %q, want %q", tt.sql, got, tt.want)
		}
	}
	type colour struct {
		ID   int64
		Name string
		RGB  int `d1:"rgb"`
	}
	got, err := d1.All[colour](ctx, db, "SELECT rgb, name, id FROM colours WHERE id = ?", 2)
	if err != nil || len(got) != 1 || got[0] != (colour{2, "green", 65280}) {
		t.Errorf("got %+v, %v", got, err)
	}
	var name string
	if err := db.First(ctx, "SELECT name FROM colours WHERE id = 77").Scan(&name); err != sql.ErrNoRows {
		t.Errorf("error %v, want sql.ErrNoRows", err)
	}
}

func testParameters(t *testing.T, s suite) {
	db := s.db(t, "CREATE TABLE c (id INTEGER, name TEXT, rgb INTEGER)")
	ctx := t.Context()
	if _, err := db.Run(ctx, "INSERT INTO c (id, name, rgb) VALUES (?3, ?1, ?2)", "yellow", 0xffff00, 4); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, db, "SELECT id || name || rgb FROM c WHERE id = ?1 AND name = $n AND rgb = :r", 4, "yellow", 0xffff00); len(got) != 1 || got[0] != "4yellow16776960" {
		t.Errorf("got %v", got)
	}
	for name, args := range map[string][]any{"too few": {1}, "too many": {1, 2, 3}, "none": nil} {
		_, err := db.Run(ctx, "SELECT ?, ?", args...)
		if err == nil || !strings.Contains(err.Error(), "Wrong number of parameter bindings") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := db.Run(ctx, "SELECT 1; SELECT 2"); !d1.Unsent(err) {
		t.Errorf("two statements: error %v", err)
	}
	hundred := make([]any, 100)
	for i := range hundred {
		hundred[i] = i
	}
	sql := "SELECT ?" + strings.Repeat(", ?", 99)
	result, err := db.All(ctx, sql, hundred...)
	if err != nil || fmt.Sprint(result.Rows[0]...) != fmt.Sprint(int64s(100)...) {
		t.Errorf("a hundred parameters: %v", err)
	}
	if _, err := db.Run(ctx, sql+", ?", append(hundred, 1)...); err == nil || !strings.Contains(err.Error(), "too many SQL variables") {
		t.Errorf("101 parameters: error %v", err)
	}
}

func int64s(n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = int64(i)
	}
	return all
}
