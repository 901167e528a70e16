package embedded_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// raw runs statements on a file past the package.
func raw(t testing.TB, path, script string) {
	t.Helper()
	c, err := sqlite3.Open("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Exec(script); err != nil {
		t.Fatal(err)
	}
}

// TestSchemaChanges checks that statements that were compiled before a change of the
// schema give their new columns, whoever has made the change.
func TestSchemaChanges(t *testing.T) {
	t.Parallel()
	for _, change := range []string{"by itself", "by another"} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			db := d1.New(open(t, embedded.Config{Path: path, Sync: embedded.SyncOff}))
			other := db
			if change == "by another" {
				other = d1.New(open(t, embedded.Config{Path: path, Sync: embedded.SyncOff}))
			}
			must(t, db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)")
			reads := []string{"SELECT * FROM t LIMIT 1", "SELECT *, last_insert_rowid() > 0 FROM t LIMIT 1", "INSERT INTO t (a) VALUES (1) RETURNING *"}
			answers := func() string {
				var all []string
				for _, sql := range reads {
					result, err := db.All(t.Context(), sql)
					if err != nil {
						t.Fatalf("%s: %v", sql, err)
					}
					all = append(all, fmt.Sprint(result.Columns, result.Rows))
				}
				return strings.Join(all, " ")
			}
			const extra = "last_insert_rowid() > 0"
			for _, tt := range []struct{ change, want string }{
				{"SELECT 1", "[a] [[1]] [a " + extra + "] [[1 1]] [a] [[1]]"},
				{"ALTER TABLE t ADD COLUMN b DEFAULT 2", "[a b] [[1 2]] [a b " + extra + "] [[1 2 1]] [a b] [[1 2]]"},
				{"ALTER TABLE t RENAME COLUMN b TO c", "[a c] [[1 2]] [a c " + extra + "] [[1 2 1]] [a c] [[1 2]]"},
				{"ALTER TABLE t DROP COLUMN c", "[a] [[1]] [a " + extra + "] [[1 1]] [a] [[1]]"},
				{"DROP TABLE t; CREATE TABLE t (x, a, y DEFAULT 'z'); INSERT INTO t (a) VALUES (1)",
					"[x a y] [[<nil> 1 z]] [x a y " + extra + "] [[<nil> 1 z 1]] [x a y] [[<nil> 1 z]]"},
			} {
				must(t, other, tt.change)
				if got := answers(); got != tt.want {
					t.Errorf("after %s:\n%s, want\n%s", tt.change, got, tt.want)
				}
			}
			must(t, other, "DROP TABLE t")
			for _, sql := range reads {
				if _, err := db.Run(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "no such table: t: SQLITE_ERROR") {
					t.Errorf("%s: error %v", sql, err)
				}
			}
		})
	}
}

// TestForeignOffsets checks errors whose offset lies in another text than the
// statement's own.
func TestForeignOffsets(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("/* a comment */", 5000)
	db := d1.New(open(t, embedded.Config{}))
	must(t, db, "CREATE TABLE t (a, b); CREATE TABLE u (a, b); INSERT INTO t VALUES (1, 2)")
	must(t, db, "CREATE TRIGGER g AFTER DELETE ON t BEGIN "+long+" INSERT INTO u (a) SELECT b FROM (SELECT a, b FROM u); END")
	must(t, db, "CREATE VIEW v AS "+long+" SELECT a, b FROM u")
	must(t, db, "CREATE TABLE c (a, CONSTRAINT positive CHECK (a > 0))")
	for _, sql := range []string{
		"ALTER TABLE u DROP COLUMN b", "ALTER TABLE t DROP CONSTRAINT nope", "ALTER TABLE c DROP CONSTRAINT positive", "ALTER TABLE u RENAME COLUMN b TO a",
		"ALTER TABLE t ADD CONSTRAINT c CHECK (nope > 0)", "ALTER TABLE t DROP COLUMN nope",
	} {
		_, err := db.Run(t.Context(), sql)
		if err == nil || strings.Contains(err.Error(), "memory") {
			t.Errorf("%s: error %v", sql, err)
		}
	}
	must(t, db, "DROP VIEW v; PRAGMA legacy_alter_table = ON; DROP TABLE u; CREATE TABLE u (a)")
	for _, sql := range []string{"DELETE FROM t", "DELETE FROM t LIMIT 1", "DELETE FROM t ORDER BY a LIMIT 1"} {
		_, err := db.Run(t.Context(), sql)
		if err == nil || !strings.Contains(err.Error(), "no such column: b") {
			t.Errorf("%s: error %v", sql, err)
		}
	}
	if got := column(t, db, "SELECT a FROM t"); got != "1" {
		t.Errorf("rows %s", got)
	}
}

// TestLimits checks UPDATE and DELETE with LIMIT on every kind of table.
func TestUpdateLimit(t *testing.T) {
	t.Parallel()
	db := d1.New(open(t, embedded.Config{}))
	for _, tt := range []struct{ name, make string }{
		{"table", "CREATE TABLE t (k, n)"},
		{"WITHOUT ROWID", "CREATE TABLE t (k PRIMARY KEY, n) WITHOUT ROWID"},
		{"WITHOUT ROWID, two columns", "CREATE TABLE t (k, n, z DEFAULT 1, PRIMARY KEY (z, k)) WITHOUT ROWID"},
		{"a column named rowid", "CREATE TABLE t (k, n, rowid DEFAULT 7)"},
		{"columns named rowid and oid", "CREATE TABLE t (k, n, rowid DEFAULT 7, OID DEFAULT 8)"},
		{"a primary key named rowid", "CREATE TABLE t (k, n, rowid INTEGER PRIMARY KEY)"},
		{"full text", "CREATE VIRTUAL TABLE t USING fts5 (k, n)"},
	} {
		must(t, db, tt.make+"; INSERT INTO t (k, n) VALUES (1, 10), (2, 20), (3, 30), (4, 40)")
		must(t, db, "UPDATE t SET n = 0 WHERE k > 1 ORDER BY k LIMIT 2; DELETE FROM t WHERE k > 1 ORDER BY k DESC LIMIT 1; DELETE FROM t LIMIT 0")
		if got := column(t, db, "SELECT k || '=' || n FROM t ORDER BY k"); got != "1=10,2=0,3=0" {
			t.Errorf("%s: %s", tt.name, got)
		}
		if _, err := db.Run(t.Context(), "UPDATE t SET nope = 1 ORDER BY k LIMIT 1"); err == nil ||
			!strings.Contains(err.Error(), "no such column: nope") {
			t.Errorf("%s: error %v", tt.name, err)
		}
		must(t, db, "DROP TABLE t")
	}
	must(t, db, "CREATE TABLE t (k); CREATE VIEW v AS SELECT k FROM t; CREATE TRIGGER g INSTEAD OF DELETE ON v BEGIN DELETE FROM t WHERE k = old.k; END")
	if _, err := db.Run(t.Context(), "DELETE FROM v LIMIT 1"); err == nil {
		t.Error("a view: no error")
	}
	_, err := db.Run(t.Context(), "DELETE FROM t WHERE nope = 1 ORDER BY k LIMIT 1")
	if e, ok := err.(*d1.Error); !ok || e.Offset != len("DELETE FROM t WHERE ") {
		t.Errorf("error %v, offset %d", err, e.Offset)
	}
}

// TestMemory checks that a request that needs too much memory fails, and leaves the
// database as it was.
func TestMemory(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", filepath.Join(t.TempDir(), "test.db")} {
		backend := open(t, embedded.Config{Path: path, Sync: embedded.SyncOff})
		db := d1.New(backend)
		must(t, db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)")
		blobs := strings.TrimSuffix(strings.Repeat("CAST(zeroblob(8000000) AS TEXT),", 60), ",")
		var args []any
		for range 90 {
			args = append(args, bytes.Repeat([]byte("x"), 4_000_000))
		}
		params := "?" + strings.Repeat(",?", len(args)-1)
		for _, s := range []d1.Statement{
			{SQL: "SELECT " + blobs},
			{SQL: "INSERT INTO t SELECT coalesce(" + blobs + ") RETURNING " + blobs},
			{SQL: "SELECT " + params, Args: args}, {SQL: "INSERT INTO t VALUES (max(" + params + "))", Args: args},
			{SQL: "INSERT INTO t WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 40) " +
				"SELECT i FROM c RETURNING CAST(zeroblob(8000000) AS TEXT)"},
		} {
			results, err := backend.Do(t.Context(), d1.Request{Statements: []d1.Statement{s}})
			if err == nil {
				for results.NextResult() {
				}
				err = results.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "memory") && !strings.Contains(err.Error(), "SQLITE_") {
				t.Errorf("%q %.60s: error %v", path, s.SQL, err)
			}
			if got := column(t, db, "SELECT a FROM t"); got != "1" {
				t.Fatalf("%q %.60s: rows %.100s", path, s.SQL, got)
			}
		}
		must(t, db, "UPDATE t SET a = 2")
	}
}

// TestBackendArguments gives a Backend what only a careless caller does.
func TestBackendArguments(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", filepath.Join(t.TempDir(), "test.db")} {
		backend := open(t, embedded.Config{Path: path})
		for _, s := range []d1.Statement{
			{SQL: "SELECT ?", Args: []any{1}}, {SQL: "SELECT ?", Args: []any{struct{}{}}}, {SQL: "SELECT ?"},
			{SQL: "SELECT 1", Args: []any{int64(1)}}, {SQL: "SELECT ?", Args: []any{make([]byte, 9_000_000)}},
			{SQL: "SELECT ?", Args: []any{strings.Repeat("x", 9_000_000)}}, {SQL: "SELECT 1\x00"}, {SQL: ""},
			{SQL: ";"}, {SQL: "-- nothing"}, {SQL: "SELECT 1; SELECT 2"}, {SQL: strings.Repeat(" ", 100_001)},
			{SQL: "CREATE TABLE t (a) -- \x00"}, {SQL: "UPDATE t SET a = ? LIMIT 1", Args: []any{1}},
		} {
			results, err := backend.Do(t.Context(), d1.Request{Statements: []d1.Statement{s}})
			if err == nil {
				for results.NextResult() {
				}
				err = results.Close()
			}
			if _, ok := err.(*d1.Error); !ok {
				t.Errorf("%.40q with %.20v: error %v", s.SQL, s.Args, err)
			}
		}
		if _, err := backend.Do(t.Context(), d1.Request{}); !d1.Unsent(err) {
			t.Errorf("no statements: error %v", err)
		}
		if got := column(t, d1.New(backend), "SELECT ?", "a\x00b"); got != "a\x00b" {
			t.Errorf("a text with a NUL came back as %q", got)
		}
	}
}

// lock takes the right to write away from everybody else.
func lock(t *testing.T, path string) (unlock func()) {
	t.Helper()
	c, err := sqlite3.Open("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = c.Exec("ROLLBACK")
		_ = c.Close()
	}
}
