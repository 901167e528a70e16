package d1test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
)

func testTxReturning(t *testing.T, s suite) {
	const schema = `CREATE TABLE t (id INTEGER PRIMARY KEY, "a b" TEXT UNIQUE, n INT DEFAULT 5, g AS (n * 2));
		CREATE TABLE w (k TEXT PRIMARY KEY, rowid INT) WITHOUT ROWID;
		CREATE TABLE parent (id INTEGER PRIMARY KEY, up REFERENCES parent (id) ON DELETE CASCADE, n INT);
		CREATE TRIGGER touch AFTER UPDATE OF n ON parent BEGIN UPDATE parent SET up = NULL WHERE id = new.id; END;
		CREATE VIEW v AS SELECT id, n FROM t;
		CREATE TRIGGER into_v INSTEAD OF UPDATE ON v BEGIN UPDATE t SET n = new.n WHERE id = old.id; END;
		CREATE TRIGGER insert_v INSTEAD OF INSERT ON v BEGIN INSERT INTO t (n) VALUES (new.n); END;
		INSERT INTO t (id, "a b") VALUES (1, 'one'), (2, 'two'); INSERT INTO w VALUES ('x', 1), ('y', 2);
		INSERT INTO parent VALUES (1, NULL, 0), (2, 1, 0)`
	for _, tt := range []struct {
		name, sql     string
		args          []any
		columns, rows string
		refused       string
	}{
		{name: "one row", sql: "INSERT INTO t (\"a b\") VALUES (?) RETURNING id", args: []any{"x"}, columns: "[id]", rows: "[[3]]"},
		{name: "expressions", sql: "INSERT INTO t (\"a b\", n) VALUES (?, 1) RETURNING \"a b\" || ? AS joined, t.n + 1 more, g -- and so on",
			args: []any{"x", "y"}, columns: "[joined more g]", rows: "[[xy 2 2]]"},
		{name: "a star", sql: "INSERT INTO t (n) VALUES (7) RETURNING *, n", columns: "[id a b n g n]", rows: "[[3 <nil> 7 14 7]]"},
		{name: "defaults", sql: "INSERT INTO t DEFAULT VALUES RETURNING n", columns: "[n]", rows: "[[5]]"},
		{name: "many rows", sql: "INSERT INTO t (\"a b\", n) VALUES ('x', ?), ('y', ?) RETURNING id, n", args: []any{1, 2},
			columns: "[id n]", rows: "[[3 1] [4 2]]"},
		{name: "a select", sql: "INSERT INTO t (n) SELECT n + id FROM t RETURNING n, id", columns: "[n id]", rows: "[[6 3] [7 4]]"},
		{name: "nothing done", sql: "INSERT INTO t (\"a b\") VALUES ('one') ON CONFLICT DO NOTHING RETURNING id", columns: "[id]", rows: "[]"},
		{name: "an upsert", sql: "INSERT INTO t (\"a b\") VALUES ('one') ON CONFLICT DO UPDATE SET n = n + 1 RETURNING id, n",
			columns: "[id n]", rows: "[[1 6]]"},
		{name: "upserts", sql: "INSERT INTO t (\"a b\") VALUES ('one'), ('x') ON CONFLICT DO UPDATE SET n = n + 1 RETURNING id, n",
			columns: "[id n]", rows: "[[1 6] [3 5]]"},
		{name: "replace", sql: "REPLACE INTO t (id, n) VALUES (2, 1), (9, 2) RETURNING id, \"a b\"", columns: "[id a b]", rows: "[[2 <nil>] [9 <nil>]]"},
		{name: "update", sql: "UPDATE t SET n = ? WHERE id > ? RETURNING *", args: []any{3, 0},
			columns: "[id a b n g]", rows: "[[1 one 3 6] [2 two 3 6]]"},
		{name: "an update of none", sql: "UPDATE t SET n = 1 WHERE id > 5 RETURNING n", columns: "[n]", rows: "[]"},
		{name: "an update through another table", sql: "UPDATE t SET n = w.rowid FROM w WHERE t.id = w.rowid RETURNING t.n",
			columns: "[n]", rows: "[[1] [2]]"},
		{name: "an update with LIMIT", sql: "UPDATE t SET n = 1 RETURNING id ORDER BY id DESC LIMIT ?", args: []any{1}, columns: "[id]", rows: "[[2]]"},
		{name: "delete", sql: "DELETE FROM t RETURNING \"a b\", rowid", columns: "[a b rowid]", rows: "[[one 1] [two 2]]"},
		{name: "an alias", sql: "UPDATE t AS q SET n = q.n + 1 RETURNING t.id, n", columns: "[id n]", rows: "[[1 6] [2 6]]"},
		{name: "an alias that SQLite does not know there", sql: "INSERT INTO t AS q DEFAULT VALUES RETURNING q.id", refused: "no such column: q.id"},
		{name: "a WITH", sql: "WITH x (i) AS (SELECT 2) DELETE FROM t WHERE id IN (SELECT i FROM x) RETURNING id", columns: "[id]", rows: "[[2]]"},
		{name: "WITHOUT ROWID", sql: "UPDATE w SET rowid = 5 RETURNING rowid", columns: "[rowid]", rows: "[[5] [5]]"},
		{name: "a row into a view", sql: "INSERT INTO v (n) VALUES (8) RETURNING n, id", columns: "[n id]", rows: "[[8 <nil>]]"},
		{name: "a constraint", sql: "INSERT INTO t (\"a b\") VALUES ('one') RETURNING id", refused: "UNIQUE constraint failed"},
		{name: "no such table", sql: "UPDATE nope SET a = 1 RETURNING a", refused: "no such table: nope"},
		{name: "no such column", sql: "INSERT INTO t DEFAULT VALUES RETURNING nope", refused: "no such column: nope"},
		{name: "a trigger that changes the table", sql: "UPDATE parent SET n = 1 RETURNING id", refused: "cannot foresee"},
		{name: "a cascade into the table", sql: "DELETE FROM parent WHERE id = 1 RETURNING id", refused: "cannot foresee"},
		{name: "a view", sql: "UPDATE v SET n = 1 RETURNING id", refused: "cannot foresee"},
		{name: "parameters for many rows", sql: "UPDATE t SET n = 1 RETURNING id + ?", args: []any{1}, refused: "takes no parameters"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := s.db(t, schema)
			const all = "SELECT (SELECT json_group_array(json_array(id, \"a b\", n)) FROM t), (SELECT json_group_array(rowid) FROM w), " +
				"(SELECT group_concat(name) FROM sqlite_master)"
			tx := begin(t, db, nil)
			tx.exec("UPDATE w SET rowid = rowid WHERE 0") // so that there is something to read behind
			r, err := tx.All(t.Context(), tt.sql, tt.args...)
			if tt.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refused) || d1.Conflict(err) {
					t.Errorf("error %v, want %q", err, tt.refused)
				}
				tx.commit() // and it goes on without the statement
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if columns, rows := fmt.Sprint(r.Columns), fmt.Sprint(r.Rows); columns != tt.columns || rows != tt.rows {
				t.Errorf("got %s %s, want %s %s", columns, rows, tt.columns, tt.rows)
			}
			foreseen := tx.rows(all)
			tx.commit()
			wantRows(t, db, foreseen, all)
		})
	}
}

func testTxValues(t *testing.T, s suite) {
	values := []any{
		nil, int64(0), int64(math.MaxInt64), int64(math.MinInt64), int64(1)<<53 + 1, 0.1, -1.5e300, 5e-324, 1.0, math.MaxFloat64,
		"", "it's; ''quoted'', -- \"so\"", "NUL \x00 in the middle", "\x00", "ключ 🔑", "line\nline", "NULL", "#'", "]};",
		[]byte{}, []byte{0, 1, 255}, []byte("text"),
	}
	marks := "(?" + strings.Repeat("), (?", len(values)-1) + ")"
	check := func(t *testing.T, db *d1.DB, tx transaction) {
		r, err := tx.All(t.Context(), "SELECT v FROM v ORDER BY rowid")
		if err != nil {
			t.Fatal(err)
		}
		var got []any
		for _, row := range r.Rows {
			got = append(got, row[0])
		}
		if !reflect.DeepEqual(got, values) {
			t.Errorf("got %#v, want %#v", got, values)
		}
		tx.exec("UPDATE t SET a = 1")
		tx.commit()
	}
	db := s.db(t, "CREATE TABLE v (v); CREATE TABLE t (a)")
	mustRun(t, db, "INSERT INTO v VALUES "+marks, values...)
	t.Run("read", func(t *testing.T) { check(t, db, begin(t, db, nil)) })
	t.Run("read behind a write", func(t *testing.T) {
		mustRun(t, db, "DELETE FROM v")
		tx := begin(t, db, nil)
		tx.exec("INSERT INTO v VALUES "+marks, values...)
		check(t, db, tx)
	})
	t.Run("returned", func(t *testing.T) {
		mustRun(t, db, "DELETE FROM v")
		tx := begin(t, db, nil)
		for _, v := range values {
			r, err := tx.All(t.Context(), "INSERT INTO v VALUES (?) RETURNING v", v)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(r.Rows, [][]any{{v}}) {
				t.Errorf("got %#v, want %#v", r.Rows, v)
			}
		}
		check(t, db, tx)
	})
	t.Run("the clock and infinity", func(t *testing.T) {
		tx := begin(t, db, nil)
		tx.exec("INSERT INTO t VALUES (1e999)")
		if got := tx.rows("SELECT a, -a FROM t WHERE a > 9"); got != "[[+Inf -Inf]]" {
			t.Errorf("got %s", got)
		}
		tx.commit()
	})
	t.Run("large", func(t *testing.T) { testTxLarge(t, s) })
}

func testTxLarge(t *testing.T, s suite) {
	db := s.db(t, "CREATE TABLE big (id INTEGER PRIMARY KEY, v)", "INSERT INTO big VALUES (1, ''), (2, '')")
	text := strings.Repeat("'ü", 400_000) // its quotes are doubled twice
	tx := begin(t, db, nil)
	tx.exec("UPDATE big SET v = ? WHERE id = 1", text)
	got, err := d1.First[string](t.Context(), tx, "SELECT v FROM big WHERE id = 1")
	if err != nil || got != text {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	tx.commit()
	t.Run("columns and parameters", func(t *testing.T) {
		names, marks, args := make([]string, 100), make([]string, 100), make([]any, 100)
		for i := range names {
			names[i], marks[i], args[i] = fmt.Sprint("c", i), "?", i
		}
		tx := begin(t, db, nil)
		tx.exec("CREATE TABLE wide (" + strings.Join(names, ", ") + ")")
		tx.exec("INSERT INTO wide VALUES ("+strings.Join(marks, ", ")+")", args...)
		r, err := tx.All(t.Context(), "SELECT * FROM wide WHERE c0 IN ("+strings.Join(marks, ", ")+")", args...)
		if err != nil || len(r.Rows) != 1 || r.Rows[0][99] != int64(99) || r.Columns[99] != "c99" {
			t.Errorf("%v, %v", r, err)
		}
		tx.commit()
	})
	t.Run("too large to come back", func(t *testing.T) {
		tx := begin(t, db, nil)
		tx.exec("UPDATE big SET v = zeroblob(1900000)")
		_, err := tx.All(t.Context(), "SELECT v, v FROM big")
		if err == nil || d1.Conflict(err) || !strings.Contains(err.Error(), "too big") {
			t.Errorf("error %.200v", err)
		}
		_ = tx.Rollback()
	})
	t.Run("too large to make sure of", func(t *testing.T) {
		mustRun(t, db, "UPDATE big SET v = zeroblob(1900000)")
		tx := begin(t, db, nil)
		_, err := tx.All(t.Context(), "SELECT v, v FROM big")
		if err == nil || !d1.Unsent(err) && !strings.Contains(err.Error(), "too big") {
			t.Errorf("error %.200v", err)
		}
		_ = tx.Rollback()
	})
	t.Run("large enough", func(t *testing.T) {
		mustRun(t, db, "UPDATE big SET v = zeroblob(1500000)")
		tx := begin(t, db, nil)
		if n := len(tx.rows("SELECT v FROM big")); n < 3_000_000 {
			t.Errorf("%d characters", n)
		}
		tx.exec("UPDATE big SET v = NULL")
		tx.commit()
	})
}

func testSavepoints(t *testing.T, s suite) {
	db := s.db(t, accounts)
	tx := begin(t, db, nil)
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	tx.exec("UPDATE accounts SET balance = 1 WHERE id = 1")
	step(tx.Savepoint("a"))
	tx.exec("UPDATE accounts SET balance = 2 WHERE id = 1")
	step(tx.Savepoint("b"))
	gone := tx.exec("UPDATE accounts SET balance = -1 WHERE id = 1") // would fail
	step(tx.RollbackTo("B"))
	tx.want("[[2]]", "SELECT balance FROM accounts WHERE id = 1")
	step(tx.RollbackTo("b"))
	step(tx.Release("b"))
	if err := tx.Release("b"); err == nil || !strings.Contains(err.Error(), "no such savepoint: b") {
		t.Errorf("released twice: %v", err)
	}
	if _, err := gone.RowsAffected(t.Context()); !errors.Is(err, d1.ErrTxDone) {
		t.Errorf("the effect of what was taken back: %v", err)
	}
	step(tx.RollbackTo("a"))
	tx.want("[[1]]", "SELECT balance FROM accounts WHERE id = 1")
	tx.exec("UPDATE accounts SET balance = balance + 5 WHERE id = 1")
	step(tx.Release("a"))
	tx.commit()
	wantRows(t, db, "[[6]]", "SELECT balance FROM accounts WHERE id = 1")
	t.Run("what was read there stays guarded", func(t *testing.T) {
		tx := begin(t, db, nil)
		_ = tx.Savepoint("a")
		tx.rows("SELECT balance FROM accounts WHERE id = 2")
		tx.exec("DELETE FROM accounts")
		_ = tx.RollbackTo("a")
		tx.exec("UPDATE accounts SET balance = 0")
		mustRun(t, db, "UPDATE accounts SET balance = 51 WHERE id = 2")
		tx.conflicts()
	})
}

func testReadOnly(t *testing.T, s suite) {
	db, requests := s.counted(t, accounts)
	tx := begin(t, db, &d1.TxOptions{ReadOnly: true})
	tx.want("[[100]]", "SELECT balance FROM accounts WHERE id = 1")
	if _, err := tx.Exec(t.Context(), "DELETE FROM accounts"); !d1.Unsent(err) || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("a write: %v", err)
	}
	tx.want("[[50]]", "SELECT balance FROM accounts WHERE id = 2")
	tx.commit()
	if n := requests.n.Load(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
	tx = begin(t, db, &d1.TxOptions{ReadOnly: true})
	tx.rows("SELECT balance FROM accounts WHERE id = 1")
	mustRun(t, db, "UPDATE accounts SET balance = balance + 1")
	if _, err := tx.All(t.Context(), "SELECT balance FROM accounts WHERE id = 2"); !d1.Conflict(err) {
		t.Errorf("a read of another state: %v", err)
	}
}

func testTxErrors(t *testing.T, s suite) {
	db := s.db(t, accounts)
	ctx := t.Context()
	tx := begin(t, db, nil)
	for _, tt := range []struct {
		sql, message string
		offset       int
	}{
		{"SELECT nope FROM accounts", "no such column: nope at offset 7: SQLITE_ERROR", 7},
		{"SELECT id FROM nope", "no such table: nope: SQLITE_ERROR", -1},
		{"SELECT json('x') FROM accounts", "malformed JSON: SQLITE_ERROR", -1},
		{"SELECT json_extract('{}', 'skylite conflict') FROM accounts", "bad JSON path: 'skylite conflict': SQLITE_ERROR", -1},
		{"SELECT id FROM", "incomplete input: SQLITE_ERROR", -1},
	} {
		for range 2 { // before a write, and behind one
			_, err := tx.All(ctx, tt.sql)
			e, ok := errors.AsType[*d1.Error](err)
			if !ok || e.Offset != tt.offset && e.Offset != -1 || !strings.HasPrefix(e.Message, strings.SplitN(tt.message, " at offset", 2)[0]) {
				t.Errorf("%s: error %v, want %s", tt.sql, err, tt.message)
			}
			tx.exec("UPDATE accounts SET balance = balance")
		}
		tx = begin(t, db, nil)
	}
	t.Run("a failed statement is no part of it", func(t *testing.T) {
		tx := begin(t, db, nil)
		if _, err := tx.Run(ctx, "INSERT INTO accounts VALUES (1, 'x', 0)"); err == nil {
			t.Error("no error")
		}
		if _, err := tx.Batch(ctx, tx.Prepare("UPDATE accounts SET balance = 9"), tx.Prepare("SELECT nope")); err == nil {
			t.Error("no error")
		}
		tx.exec("UPDATE accounts SET balance = balance + 1 WHERE id = 2")
		tx.commit()
		wantRows(t, db, "[[100] [51]]", "SELECT balance FROM accounts ORDER BY id")
	})
	t.Run("late", func(t *testing.T) {
		tx := begin(t, db, nil)
		tx.exec("UPDATE accounts SET balance = 9")
		tx.exec("INSERT INTO accounts VALUES (1, 'x', 0)") // nobody looks
		_, err := tx.All(ctx, "SELECT id FROM accounts")
		e, ok := errors.AsType[*d1.Error](err)
		if !ok || e.ExtendedCode != 1555 || !strings.Contains(err.Error(), "an earlier statement of the transaction failed") {
			t.Errorf("a read behind it: %v", err)
		}
		err = tx.Commit(ctx)
		if e, ok := errors.AsType[*d1.Error](err); !ok || e.ExtendedCode != 1555 || d1.Ambiguous(err) || d1.Conflict(err) {
			t.Errorf("commit: %v", err)
		}
		wantRows(t, db, "[[100] [51]]", "SELECT balance FROM accounts ORDER BY id")
	})
	t.Run("unsent", func(t *testing.T) {
		tx := begin(t, db, nil)
		for _, sql := range []string{"PRAGMA temp.table_info(accounts)", "BEGIN", "COMMIT", "SELECT ?", "SELECT 1; SELECT 2", ""} {
			if _, err := tx.Exec(ctx, sql); !d1.Unsent(err) {
				t.Errorf("%q: error %v", sql, err)
			}
		}
		if _, err := tx.Exec(ctx, "UPDATE accounts SET balance = ?", make(chan int)); !d1.Unsent(err) {
			t.Errorf("a channel: %v", err)
		}
	})
}

func testTxSchema(t *testing.T, s suite) {
	db := s.db(t, accounts)
	const master = "SELECT group_concat(name) FROM sqlite_master WHERE substr(name, 1, 4) <> '_cf_'"
	tx := begin(t, db, nil)
	tx.exec("CREATE TABLE notes (id INTEGER PRIMARY KEY, at TEXT DEFAULT (date('2020-01-01')), account REFERENCES accounts (id))")
	tx.want("[[1 2020-01-01]]", "INSERT INTO notes (account) VALUES (1) RETURNING id, at")
	tx.want("[[2] [3]]", "INSERT INTO notes (account) SELECT id FROM accounts RETURNING id")
	tx.exec("ALTER TABLE notes ADD COLUMN text")
	tx.want("[[1 2020-01-01 1 <nil>]]", "SELECT * FROM notes WHERE id = 1")
	tx.want("[[0 0 accounts account id NO ACTION NO ACTION NONE]]", "PRAGMA foreign_key_list(notes)")
	tx.want("[]", "PRAGMA foreign_key_check")
	tx.want("[[1]]", "PRAGMA foreign_keys")
	tx.exec("PRAGMA defer_foreign_keys = on")
	tx.exec("INSERT INTO notes (account) VALUES (77)")
	tx.exec("INSERT INTO accounts VALUES (77, 'late', 0)")
	if _, err := tx.All(t.Context(), "EXPLAIN SELECT 1"); !d1.Unsent(err) {
		t.Errorf("EXPLAIN: %v", err)
	}
	tx.commit()
	wantRows(t, db, "[[4]]", "SELECT count(*) FROM notes")
	wantRows(t, db, "[[accounts,sqlite_autoindex_accounts_1,notes]]", master) // no trace of anything else
	tx = begin(t, db, nil)
	if r, err := tx.All(t.Context(), "EXPLAIN QUERY PLAN SELECT id FROM notes"); err != nil || len(r.Rows) == 0 {
		t.Errorf("EXPLAIN: %v, %v", r, err)
	}
	tx.want("[[4]]", "SELECT * FROM (SELECT count(*) FROM notes)")
	mustRun(t, db, "ALTER TABLE notes ADD COLUMN more") // a star becomes wider
	tx.exec("DROP TABLE notes")
	tx.commit()
	wantRows(t, db, "[[accounts,sqlite_autoindex_accounts_1]]", master)
}
