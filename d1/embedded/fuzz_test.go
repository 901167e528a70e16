package embedded_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

const fuzzSchema = `CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE, c, d REAL CHECK (d > 0));
	CREATE TABLE w (k PRIMARY KEY, v REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED) WITHOUT ROWID;
	CREATE INDEX i ON t (c, b) WHERE d IS NOT NULL; CREATE VIEW v AS SELECT a, upper(b) AS u FROM t;
	CREATE TRIGGER g AFTER UPDATE ON t BEGIN INSERT INTO w VALUES (new.a, old.a); END;
	CREATE VIRTUAL TABLE f USING fts5 (x, y); CREATE VIRTUAL TABLE r USING rtree (id, x0, x1);
	INSERT INTO t VALUES (1, 'one', x'01', 1.5), (2, 'two', NULL, NULL), (3, 'three', 3, 4);
	INSERT INTO w VALUES (1, 1); INSERT INTO f VALUES ('hello', 'world'); INSERT INTO r VALUES (1, 0, 1)`

// FuzzStatement runs any text with a few arguments. It may fail, but not break anything.
func FuzzStatement(f *testing.F) {
	for _, sql := range []string{
		"SELECT * FROM t WHERE a = ?", "INSERT INTO t (b, c) VALUES (?, ?) RETURNING *", "UPDATE t SET c = ?1 ORDER BY a LIMIT 1",
		"DELETE FROM t WHERE b = :x RETURNING a ORDER BY a LIMIT 2", "INSERT OR ROLLBACK INTO t VALUES (1, 'one', 2, 3)",
		"ALTER TABLE t RENAME COLUMN b TO e", "ALTER TABLE t DROP CONSTRAINT c", "ALTER TABLE t ADD COLUMN z GENERATED ALWAYS AS (a + 1)",
		"ALTER TABLE t RENAME TO u", "CREATE TRIGGER h BEFORE DELETE ON t BEGIN SELECT raise(ROLLBACK, 'x'); END", "DROP TABLE t",
		"WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT 10) SELECT json_group_array(i) FROM c",
		"PRAGMA table_info(t)", "PRAGMA foreign_keys = OFF", "PRAGMA optimize", "PRAGMA defer_foreign_keys = ON", "ANALYZE", "REINDEX", "VACUUM",
		"BEGIN", "EXPLAIN QUERY PLAN SELECT 1", "EXPLAIN PRAGMA case_sensitive_like = ON", "SELECT last_insert_rowid(), changes()",
		"INSERT INTO f (f, rank) VALUES ('rebuild', 1)", "INSERT INTO f (f) VALUES ('integrity-check')", "SELECT snippet(f, 0, '', '', '', 3) FROM f('hello')",
		"DELETE FROM f", "SELECT rtreecheck('r')", "UPDATE sqlite_master SET sql = 'x'", "INSERT INTO sqlite_stat1 VALUES (1, 2, 3)",
		"INSERT INTO f_data VALUES (1, x'00')", "DROP TABLE f_idx", "SELECT * FROM pragma_quick_check", "CREATE TABLE _cf_x (a)",
		"SELECT printf('%.*c', 100, 'x'), ? -> '$.a', jsonb(?)", "CREATE TABLE x AS SELECT * FROM t", "SELECT 1;\x00", "SELECT * FROM generate_series(1, 3)",
		"REPLACE INTO t VALUES (1, 'two', 1, 1)", "SELECT 'a' LIKE ? ESCAPE '\\'", "/* c", "SELECT \"x\" FROM t GROUP BY 1 HAVING count(*) > ?", "VALUES (1), (2)",
	} {
		f.Add(sql, "text", int64(7), []byte{1, 0, 255}, len(sql)%2 == 0)
	}
	f.Fuzz(func(t *testing.T, sql, text string, number int64, blob []byte, file bool) {
		cfg := embedded.Config{Sync: embedded.SyncOff, Timeout: 300 * time.Millisecond}
		if file {
			cfg.Path = filepath.Join(t.TempDir(), "fuzz.db")
		}
		backend := open(t, cfg)
		db := d1.New(backend)
		must(t, db, fuzzSchema)
		all := []any{text, number, blob, nil, float64(number) / 3}
		for n := range len(all) + 1 {
			runFuzzed(t, backend, d1.Statement{SQL: sql, Args: all[:n]})
		}
		runFuzzed(t, backend, d1.Statement{SQL: "INSERT INTO w VALUES (77, NULL)"}, d1.Statement{SQL: sql}, d1.Statement{SQL: "SELECT 1"})
		if got := column(t, db, "PRAGMA quick_check"); got != "ok" {
			t.Errorf("quick_check: %s", got)
		}
		for _, pragma := range []string{"foreign_keys", "recursive_triggers", "defer_foreign_keys", "ignore_check_constraints",
			"legacy_alter_table", "reverse_unordered_selects"} {
			want := "0"
			if pragma == "foreign_keys" {
				want = "1"
			}
			if got := column(t, db, "PRAGMA "+pragma); got != want {
				t.Errorf("%s is %s", pragma, got)
			}
		}
		if got := column(t, db, "SELECT 'a' LIKE 'A'"); got != "1" {
			t.Error("LIKE minds the case")
		}
		must(t, db, "CREATE TABLE IF NOT EXISTS fuzz_after (a); INSERT INTO fuzz_after VALUES (1)")
	})
}

func runFuzzed(t *testing.T, backend d1.Backend, statements ...d1.Statement) {
	t.Helper()
	results, err := backend.Do(t.Context(), d1.Request{Statements: statements})
	if err == nil {
		for n := 0; results.NextResult(); n = 0 {
			for n < 1000 && results.Next() {
				if len(results.Row()) != len(results.Columns()) {
					t.Errorf("%d values in %d columns", len(results.Row()), len(results.Columns()))
				}
				n++
			}
			_ = results.Meta()
		}
		err = results.Close()
	}
	if err == nil {
		return
	}
	e, ok := err.(*d1.Error)
	if !ok || e.Message == "" {
		t.Fatalf("error %#v", err)
	}
	const memory = "exceeded its memory limit"
	if strings.Contains(e.Message, memory) && !strings.Contains(e.Message, "out of memory") && !strings.Contains(e.Message, "128 MiB") {
		t.Errorf("the engine panicked: %s", e.Message)
	}
	if e.Code == 11 || e.Code == 21 { // corrupt, misuse
		t.Errorf("error %v", err)
	}
}
