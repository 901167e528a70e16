package embedded_test

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// open opens a database in a file, and closes it at the end of the test.
func openFile(t *testing.T) *embedded.DB {
	t.Helper()
	db, err := embedded.Open(embedded.Config{Path: t.TempDir() + "/a.db", Sync: embedded.SyncOff, SystemTable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func importText(t *testing.T, db *embedded.DB, script string) d1.Imported {
	t.Helper()
	done, err := db.Import(t.Context(), strings.NewReader(script), d1.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func exportText(t *testing.T, db *embedded.DB, opts d1.ExportOptions) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := db.Export(t.Context(), &out, opts); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func run(t *testing.T, db *embedded.DB, sql string, args ...any) [][]string {
	t.Helper()
	results, err := db.Do(t.Context(), d1.Request{Statements: []d1.Statement{{SQL: sql, Args: args}}})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer results.Close()
	var rows [][]string
	for results.NextResult() {
		for results.Next() {
			var row []string
			for _, v := range results.Row() {
				row = append(row, cell(v))
			}
			rows = append(rows, row)
		}
	}
	if err := results.Close(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return rows
}

// cell is a value that shows its type and every bit.
func cell(v d1.Value) string {
	switch v.Kind() {
	case d1.KindReal:
		f, _ := v.Float64()
		return fmt.Sprintf("real %x", math.Float64bits(f))
	case d1.KindText:
		return strconv.Quote(string(v.Bytes()))
	case d1.KindBlob:
		return fmt.Sprintf("blob %x", v.Bytes())
	}
	whole, err := v.Any()
	return fmt.Sprint(whole, err)
}

// everything is a script of every kind of object, in an order that only a careful export
// can keep.
const everything = `
CREATE TABLE child (id INTEGER PRIMARY KEY, code TEXT REFERENCES "the parent"(code), up INTEGER REFERENCES child(id));
CREATE TABLE "the parent" (code TEXT, "odd ""name""" INTEGER, gen INTEGER GENERATED ALWAYS AS ("odd ""name""" * 2) VIRTUAL,
	kept TEXT AS (code || '!') STORED) -- a comment
;
CREATE UNIQUE INDEX "by code" ON "the parent"(code);
CREATE INDEX partial ON "the parent"("odd ""name""") WHERE code > 'a';
CREATE INDEX expression ON "the parent"(lower(code) COLLATE NOCASE DESC);
CREATE TABLE plain (a, b);
CREATE INDEX covering ON plain(b, a);
CREATE TABLE strict (i INT NOT NULL CHECK (i <> 7), r REAL, t TEXT NOT NULL DEFAULT 'x', b BLOB, x ANY, PRIMARY KEY (t, i)) STRICT, WITHOUT ROWID;
CREATE INDEX strict_i ON strict(i);
CREATE TABLE auto (id INTEGER PRIMARY KEY AUTOINCREMENT, v);
CREATE VIEW seen AS SELECT id, v FROM auto;
CREATE VIEW twice AS SELECT * FROM seen;
CREATE TRIGGER seen_insert INSTEAD OF INSERT ON seen BEGIN INSERT INTO auto (v) VALUES (NEW.v); END;
CREATE TRIGGER logged AFTER INSERT ON plain BEGIN INSERT INTO auto (v) VALUES (CASE WHEN NEW.a THEN ';' ELSE 'end' END); END;
CREATE VIRTUAL TABLE words USING fts5(title, body, kind UNINDEXED, prefix = '2 3', tokenize = 'porter unicode61');
CREATE VIRTUAL TABLE over USING fts5(v, content = 'auto', content_rowid='id');
CREATE VIRTUAL TABLE empty USING fts5(v, content = '');
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, row);
CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, y0, y1, +name TEXT, +data BLOB);
CREATE VIRTUAL TABLE whole USING rtree_i32(id, x0, x1);
INSERT INTO "the parent" (code, "odd ""name""") VALUES ('b', 2), ('a', 1), (NULL, NULL);
INSERT INTO child VALUES (3, 'a', NULL), (1, 'b', 3), (9223372036854775807, NULL, 1), (-9223372036854775808, NULL, NULL);
INSERT INTO plain VALUES (2, 'z'), (1, 'a'), (0, '');
DELETE FROM auto WHERE id = 2;
INSERT INTO auto VALUES (10, 'ten');
DELETE FROM auto WHERE id = 10;
INSERT INTO seen (v) VALUES ('through a view');
INSERT INTO words (rowid, title, body, kind) VALUES (7, 'a title', 'the running body', 1), (-2, NULL, 'more', X'00ff'), (3, 4.0, '', 'k');
INSERT INTO words (words, rank) VALUES ('rank', 'bm25(10.0, 5.0)'), ('pgsz', 1000);
INSERT INTO over (over) VALUES ('rebuild');
INSERT INTO boxes VALUES (5, 0.1, 0.2, -1e30, 1e30, 'five', X'05'), (2, 0, 0, 0, 0, NULL, 'it''s');
INSERT INTO whole VALUES (1, -2147483648, 2147483647);
ANALYZE;
`

// values are those that dumps are known to change.
func values() []any {
	long := strings.Repeat("é'\n\\n", 40_000)
	return []any{
		nil, int64(0), int64(math.MaxInt64), int64(math.MinInt64), int64(1<<53 + 1),
		0.0, 1.0, -1.0, 1e15, 1e16, 1e21, 1e100, 0.1, 1.0 / 3, 5e-324, math.MaxFloat64, math.Copysign(0, -1),
		math.Inf(1), math.Inf(-1), 123456789012345680.0, 2.2250738585072014e-308,
		"", "it's", "'", "a\nb", "a\rb", "a\r\nb", "\\n", "a\n\\n", "\r\\r\n\\n(\\n0)", "\\\n", "\\\r\nn", "a\x00b", "\x00", "\xff\xfe", "é\U0001f648",
		"-- no comment", "/* nor this", ";", "\ufeff", "x'00'", strings.Repeat("\n", 70_000), long,
		strings.Repeat("a\x00", 60_000), strings.Repeat("\xc3", 99_999), strings.Repeat("(\\n0)\n\\n", 30_000),
		[]byte{}, []byte{0}, []byte("text"), bytes.Repeat([]byte{0, 1, 255}, 333_333), "1", "1.0", "0x10", "1e3",
	}
}

func fill(t *testing.T, db *embedded.DB) {
	t.Helper()
	importText(t, db, everything)
	for i, v := range values() {
		run(t, db, "INSERT INTO plain VALUES (?, ?)", v, int64(i))
		run(t, db, "INSERT INTO strict (i, t, x) VALUES (?, ?, ?)", int64(i+100), key(v, i), v)
		run(t, db, "INSERT INTO words (title, body) VALUES (?, ?)", v, "row")
	}
	both := strings.Repeat("y", 60_000)
	run(t, db, "INSERT INTO strict (i, t, b, x) VALUES (?, ?, ?, ?)", int64(1), both, []byte(both), both)
	run(t, db, "ANALYZE")
	run(t, db, "INSERT INTO over (over) VALUES ('rebuild')")
}

// key is a text that is unlike the others.
func key(v any, i int) string {
	if text, ok := v.(string); ok {
		return text
	}
	return strings.Repeat("k", i)
}

func TestExportImportExport(t *testing.T) {
	t.Parallel()
	first, second := openFile(t), openFile(t)
	fill(t, first)
	script := exportText(t, first, d1.ExportOptions{})
	importText(t, second, script)
	again := exportText(t, second, d1.ExportOptions{})
	if script != again {
		t.Errorf("the export of an import differs (-first +second):\n%s", cmp.Diff(lines(script), lines(again)))
	}
	// What the export does not show must be the same too.
	for _, sql := range []string{
		"SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name",
		"SELECT a, b FROM plain", "SELECT * FROM strict ORDER BY t, i",
		"SELECT gen, kept FROM \"the parent\"", "SELECT * FROM sqlite_sequence", "SELECT * FROM sqlite_stat1",
		"SELECT rowid, title, typeof(kind) FROM words WHERE words MATCH 'run'", "SELECT * FROM vocabulary", "SELECT rowid FROM over WHERE over MATCH 'view'",
		"SELECT *, typeof(data) FROM boxes WHERE x0 >= 0 ORDER BY id", "SELECT * FROM whole", "SELECT * FROM twice",
	} {
		if diff := cmp.Diff(run(t, first, sql), run(t, second, sql)); diff != "" {
			t.Errorf("%s differs (-first +second):\n%.1000s", sql, diff)
		}
	}
	if diff := cmp.Diff([][]string{{`"ok"`}}, run(t, second, "PRAGMA quick_check")); diff != "" {
		t.Error(diff)
	}
	for _, line := range lines(script) {
		if len(line) > d1.MaxStatementBytes+1 {
			t.Errorf("a line of %d bytes: %.60s", len(line), line)
		}
	}
}

func lines(script string) []string { return strings.Split(script, "\n") }
