package d1test

import (
	"errors"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
)

func testErrors(t *testing.T, s suite) {
	db := s.db(t, `CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b NOT NULL DEFAULT 1, c CHECK (c > 0));
		CREATE TABLE child (id INTEGER REFERENCES t (id)); CREATE TABLE st (a INT) STRICT;
		CREATE TRIGGER g BEFORE INSERT ON t WHEN new.a = 'no' BEGIN SELECT raise(ABORT, 'no insert'); END;
		INSERT INTO t (id, a) VALUES (1, 'x')`)
	for _, tt := range []struct {
		name, sql, message string
		extended, offset   int
	}{
		{"syntax", "SELECT from t", `near "from": syntax error at offset 7: SQLITE_ERROR`, 1, 7},
		{"incomplete", "SELECT (", "incomplete input: SQLITE_ERROR", 1, -1},
		{"token", "SELECT 'a", `unrecognized token: "'a" at offset 7: SQLITE_ERROR`, 1, 7},
		{"table", "SELECT * FROM nope", "no such table: nope: SQLITE_ERROR", 1, -1},
		{"column", "SELECT nope FROM t", "no such column: nope at offset 7: SQLITE_ERROR", 1, 7},
		{"function", "SELECT uuid()", "no such function: uuid at offset 7: SQLITE_ERROR", 1, 7},
		{"exists", "CREATE TABLE t (a)", "table t already exists at offset 13: SQLITE_ERROR", 1, 13},
		{"unique", "INSERT INTO t (a) VALUES ('x')",
			"UNIQUE constraint failed: t.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)", 2067, -1},
		{"primary key", "INSERT INTO t (id) VALUES (1)",
			"UNIQUE constraint failed: t.id: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)", 1555, -1},
		{"not null", "INSERT INTO t (b) VALUES (NULL)",
			"NOT NULL constraint failed: t.b: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_NOTNULL)", 1299, -1},
		{"check", "INSERT INTO t (c) VALUES (-1)",
			"CHECK constraint failed: c > 0: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_CHECK)", 275, -1},
		{"foreign key", "INSERT INTO child VALUES (9)",
			"FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)", 787, -1},
		{"trigger", "INSERT INTO t (a) VALUES ('no')",
			"no insert: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_TRIGGER)", 1811, -1},
		{"strict", "INSERT INTO st VALUES ('x')",
			"cannot store TEXT value in INT column st.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_DATATYPE)", 3091, -1},
		{"mismatch", "INSERT INTO t (id) VALUES ('x')", "datatype mismatch: SQLITE_MISMATCH", 20, -1},
		{"JSON", "SELECT json('x')", "malformed JSON: SQLITE_ERROR", 1, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := db.Run(t.Context(), tt.sql)
			e, ok := errors.AsType[*d1.Error](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			if e.Message != tt.message || e.ExtendedCode != tt.extended || e.Code != tt.extended&0xff || e.Offset != tt.offset {
				t.Errorf("%q, code %d, extended %d, offset %d; want %q, %d, %d",
					e.Message, e.Code, e.ExtendedCode, e.Offset, tt.message, tt.extended, tt.offset)
			}
			if d1.Retryable(err) || d1.Ambiguous(err) {
				t.Error("it is said to be retryable or ambiguous")
			}
		})
	}
}

func testRefusals(t *testing.T, s suite) {
	db := s.db(t, "CREATE TABLE t (a)")
	const transaction, auth = "To execute a transaction, please use", "not authorized: SQLITE_AUTH"
	for _, tt := range []struct{ sql, message string }{
		{"BEGIN", transaction}, {"COMMIT", transaction}, {"ROLLBACK", transaction},
		{"SAVEPOINT a", transaction}, {"RELEASE a", transaction},
		{"ATTACH ':memory:' AS x", auth}, {"DETACH main", auth}, {"CREATE TEMP TABLE x (a)", auth},
		{"VACUUM", "cannot VACUUM from within a transaction: SQLITE_ERROR"},
		{"PRAGMA journal_mode", auth}, {"PRAGMA user_version = 3", auth}, {"PRAGMA foreign_keys = 2", auth},
		{"PRAGMA writable_schema = ON", auth}, {"CREATE VIRTUAL TABLE v USING dbstat", auth},
		{"SELECT sqlite_version()", "not authorized to use function: sqlite_version at offset 7: SQLITE_ERROR"},
		{"CREATE TABLE _cf_x (a)", auth}, {"ALTER TABLE t RENAME TO _CF_y", auth},
	} {
		_, err := db.Run(t.Context(), tt.sql)
		e, ok := errors.AsType[*d1.Error](err)
		if !ok || !strings.HasPrefix(e.Message, tt.message) {
			t.Errorf("%s: error %v", tt.sql, err)
		}
	}
}

func testLimits(t *testing.T, s suite) {
	db := s.db(t)
	columns := func(n int) string { return "1" + strings.Repeat(", 1", n-1) }
	depth := func(n int) string { return strings.Repeat("(", n) + "1" + strings.Repeat("+1)", n) }
	for _, tt := range []struct{ name, ok, bad, message string }{
		{"statement", pad(d1.MaxStatementBytes), pad(d1.MaxStatementBytes + 1), "statement too long: SQLITE_TOOBIG"},
		{"columns", "SELECT " + columns(100), "SELECT " + columns(101), "too many columns in result set: SQLITE_ERROR"},
		{"compound", "SELECT 1" + strings.Repeat(" UNION SELECT 1", 4), "SELECT 1" + strings.Repeat(" UNION SELECT 1", 5),
			"too many terms in compound SELECT: SQLITE_ERROR"},
		{"pattern", "SELECT 'a' LIKE '" + strings.Repeat("a", 50) + "'", "SELECT 'a' LIKE '" + strings.Repeat("a", 51) + "'",
			"LIKE or GLOB pattern too complex: SQLITE_ERROR"},
		{"depth", "SELECT " + depth(90), "SELECT " + depth(101), "Expression tree is too large (maximum depth 100): SQLITE_ERROR"},
	} {
		if _, err := db.Run(t.Context(), tt.ok); err != nil {
			t.Errorf("%s at the limit: %v", tt.name, err)
		}
		_, err := db.Run(t.Context(), tt.bad)
		if e, ok := errors.AsType[*d1.Error](err); !ok || e.Message != tt.message {
			t.Errorf("%s over the limit: error %v", tt.name, err)
		}
	}
	if _, err := db.Run(t.Context(), "SELECT ?", make([]byte, d1.MaxValueBytes+1)); !d1.Unsent(err) {
		t.Errorf("a blob over the limit: error %v", err)
	}
}

func pad(n int) string {
	const sql = "SELECT 1"
	return sql + strings.Repeat(" ", n-len(sql))
}

func testRules(t *testing.T, s suite) {
	db := s.db(t, colours, `CREATE TABLE parent (id INTEGER PRIMARY KEY);
		CREATE TABLE child (id INTEGER REFERENCES parent (id) ON DELETE CASCADE);
		INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1)`)
	ctx := t.Context()
	for _, tt := range []struct{ name, sql, want string }{
		{"double-quoted strings", `SELECT "nope"`, "nope"},
		{"UPDATE with LIMIT", "UPDATE colours SET name = 'x' WHERE id < 9 RETURNING id ORDER BY id DESC LIMIT 1", "3"},
		{"DELETE with LIMIT", "DELETE FROM colours RETURNING id ORDER BY id LIMIT 1", "1"},
		{"cascades", "DELETE FROM parent", ""},
		{"cascaded", "SELECT count(*) FROM child", "0"},
		{"foreign keys cannot be turned off", "PRAGMA foreign_keys = OFF", ""},
		{"foreign keys are on", "PRAGMA foreign_keys", "1"},
		{"last_insert_rowid", "SELECT last_insert_rowid()", "1"},
		{"table_info", "SELECT name FROM pragma_table_info('child')", "id"},
		{"full text", "SELECT count(*) FROM (SELECT 1 FROM pragma_table_list WHERE name = 'docs')", "0"},
	} {
		if got := strings.Join(texts(t, db, tt.sql), ","); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	_, err := db.Exec(ctx, "PRAGMA defer_foreign_keys = ON; INSERT INTO child VALUES (5); INSERT INTO parent VALUES (5)")
	if err != nil {
		t.Errorf("a deferred foreign key: %v", err)
	}
	_, err = db.Exec(ctx, "PRAGMA defer_foreign_keys = ON; INSERT INTO child VALUES (6)")
	if e, ok := errors.AsType[*d1.Error](err); !ok || e.ExtendedCode != 787 && !s.opts.VagueCommit {
		t.Errorf("a deferred foreign key left violated: %v", err)
	}
	if _, err := db.Run(ctx, "INSERT INTO child VALUES (6)"); err == nil {
		t.Error("a pragma outlived its request")
	}
	if _, err := db.Exec(ctx, "CREATE VIRTUAL TABLE docs USING fts5 (body); INSERT INTO docs VALUES ('hello world')"); err != nil {
		t.Errorf("fts5: %v", err)
	} else if got := texts(t, db, "SELECT snippet(docs, 0, '[', ']', '', 5) FROM docs WHERE docs MATCH ?", "world"); len(got) != 1 || got[0] != "hello [world]" {
		t.Errorf("fts5: %v", got)
	}
}
