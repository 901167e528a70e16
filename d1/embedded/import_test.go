package embedded_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

func TestImport(t *testing.T) {
	t.Parallel()
	db := openFile(t)
	done := importText(t, db, "\ufeff-- a comment;\nCREATE TABLE a(id INTEGER PRIMARY KEY, n);;\nINSERT INTO a VALUES (7, 1);SELECT * FROM a;\n"+
		"CREATE INDEX i ON a(n); INSERT INTO a(n) VALUES (2) -- done")
	if done.Statements != 5 || done.Tables != 1 || done.Meta.Changes != 2 || done.Meta.LastRowID != 8 || !done.Meta.ChangedDB {
		t.Errorf("imported %+v", done)
	}
	if done.Meta.RowsWritten < 4 || done.Meta.RowsRead == 0 || done.Meta.SizeAfter == 0 || done.Meta.Duration <= 0 {
		t.Errorf("imported %+v", done.Meta)
	}
	results, err := db.Do(t.Context(), d1.Request{Statements: []d1.Statement{{SQL: "SELECT n FROM a"}}, Bookmark: done.Bookmark})
	if err != nil || done.Bookmark == "" {
		t.Fatalf("reading at %q: %v", done.Bookmark, err)
	}
	results.Close()
}

func TestImportErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, script, want string }{
		{"nothing", " -- a comment", "No SQL statements detected."},
		{"syntax", "INSERT INTO t VALUES (1);\n\n  SELEC 2;", `line 3, byte 29 (SELEC 2): near "SELEC": syntax error at offset 0: SQLITE_ERROR`},
		{"a constraint", "INSERT INTO t VALUES (1);\nINSERT INTO t\nVALUES (1);",
			"line 2, byte 26 (INSERT INTO t VALUES (1)): UNIQUE constraint failed: t.id: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)"},
		{"a long statement", "SELECT '" + strings.Repeat("x", 100_000) + "'", "byte 0 (SELECT 'xxx"},
		{"a very long statement", "SELECT 1; SELECT '" + strings.Repeat("x", 3_000_000), "line 1, byte 9: statement too long: SQLITE_TOOBIG"},
		{"no end", "INSERT INTO t VALUES ('a", `unrecognized token: "'a" at offset 22: SQLITE_ERROR`},
		{"BEGIN", "BEGIN TRANSACTION; SELECT 1", "line 1, byte 0 (BEGIN TRANSACTION): To execute a transaction, please use"},
		{"COMMIT", "INSERT INTO t VALUES (2); COMMIT", "To execute a transaction, please use"},
		{"ROLLBACK", "INSERT INTO t VALUES (2); ROLLBACK", "To execute a transaction, please use"},
		{"ATTACH", "ATTACH 'a' AS b", "not authorized: SQLITE_AUTH"},
		{"a reserved name", "CREATE TABLE _cf_x(a)", "not authorized: SQLITE_AUTH"},
		{"a parameter", "INSERT INTO t VALUES (?)", "Wrong number of parameter bindings"},
		{"a deferred key", "PRAGMA defer_foreign_keys=ON; INSERT INTO u VALUES (9)", "FOREIGN KEY constraint failed: SQLITE_CONSTRAINT"},
		{"a NUL byte", "INSERT INTO t VALUES (2);\nSELECT 'a\x00'", "line 2, byte 26 (SELECT 'a\x00'): the statement has a NUL byte"},
		{"no UTF-8", "INSERT INTO t VALUES ('a\xff')", "is not valid UTF-8"},
		{"a pragma", "PRAGMA journal_mode=DELETE", "not authorized: SQLITE_AUTH"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			db := openFile(t)
			importText(t, db, "CREATE TABLE t(id PRIMARY KEY) WITHOUT ROWID; CREATE TABLE u(id REFERENCES t)")
			before := exportText(t, db, d1.ExportOptions{})
			_, err := db.Import(t.Context(), strings.NewReader(test.script), d1.ImportOptions{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v\nwant %s", err, test.want)
			}
			if diff := cmp.Diff(before, exportText(t, db, d1.ExportOptions{})); diff != "" {
				t.Errorf("the database has changed:\n%s", diff)
			}
			importText(t, db, "INSERT INTO t VALUES (1)")
		})
	}
}

// A table is made again without its children going with the old one.
func TestImportWithoutForeignKeys(t *testing.T) {
	t.Parallel()
	db := openFile(t)
	importText(t, db, "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(p REFERENCES p ON DELETE CASCADE); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)")
	const again = "CREATE TABLE new(id INTEGER PRIMARY KEY, more); INSERT INTO new(id) SELECT id FROM p; DROP TABLE p; ALTER TABLE new RENAME TO p;"
	importText(t, db, "SELECT 1; PRAGMA foreign_keys = off; "+again+" PRAGMA foreign_keys=ON;")
	one := [][]string{{"1 <nil>"}}
	if diff := cmp.Diff(one, run(t, db, "SELECT count(*) FROM c")); diff != "" {
		t.Error(diff)
	}
	// It holds for this import alone, and the PRAGMA that turns them on is obeyed too.
	for _, script := range []string{"INSERT INTO c VALUES (5)", "PRAGMA foreign_keys(0); INSERT INTO c VALUES (6); PRAGMA foreign_keys('1'); INSERT INTO c VALUES (7)"} {
		if _, err := db.Import(t.Context(), strings.NewReader(script), d1.ImportOptions{}); err == nil || !strings.Contains(err.Error(), "FOREIGN KEY") {
			t.Errorf("%s: %v", script, err)
		}
	}
	if diff := cmp.Diff(one, run(t, db, "SELECT count(*) FROM c")); diff != "" {
		t.Error(diff)
	}
}

// slowScript is a script that does something on the way.
type slowScript struct {
	do   func()
	left int // of reads until then
	at   int
}

func (e *slowScript) Read(p []byte) (int, error) {
	if e.left--; e.left == 0 {
		e.do()
	}
	const one = "SELECT 1;"
	for i := range p {
		p[i] = one[e.at%len(one)]
		e.at++
	}
	return len(p), nil
}

func (e *slowScript) Seek(int64, int) (int64, error) { return 0, nil }

// Readers read while an import runs, which ends with its context.
func TestImportEnds(t *testing.T) {
	t.Parallel()
	db := openFile(t)
	importText(t, db, "CREATE TABLE t(a)")
	ctx, cancel := context.WithCancel(t.Context())
	script := &slowScript{func() { run(t, db, "SELECT count(*) FROM t"); cancel() }, 3, 0}
	if _, err := db.Import(ctx, script, d1.ImportOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error of a cancelled import is %v", err)
	}
	broken := errors.New("broken")
	_, err := db.Import(t.Context(), struct {
		io.Reader
		io.Seeker
	}{io.MultiReader(strings.NewReader("INSERT INTO t VALUES (1);\nSELECT"), iotest.ErrReader(broken)), &slowScript{}}, d1.ImportOptions{})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "read the script, from line 1 on") {
		t.Errorf("the error of a script that cannot be read is %v", err)
	}
	if diff := cmp.Diff([][]string{{"0 <nil>"}}, run(t, db, "SELECT count(*) FROM t")); diff != "" {
		t.Error(diff)
	}
}

// An INSERT of literals runs compiled once for all rows; it must do what it does alone.
func FuzzImportOfLiterals(f *testing.F) {
	for _, row := range []string{
		"1, 'a'", "-9223372036854775808, 9223372036854775808", "1.0, 12345678901234567.0", "-0.0, 1e400", "'1', ' 1 '", "NULL, NULL",
		"X'31', CAST(X'3100' AS TEXT)", `replace('a\nb','\n',char(10)), char(1,2)`, "1e5, 0.00000000000000001234567890123456",
		"'9223372036854775807', '1e3'", "01, 1.e3", ".5, -.5", "1, 2, 3", "'a' 1", "a, b", `"a", 'b'`, "1+1, - 1",
		"CAST('12x' AS BLOB), CAST(NULL AS TEXT)", "replace(1,2,3), replace(NULL, 'a', 'b')", "12345678901234567, 123456789012345678.0",
	} {
		f.Add(row)
	}
	tables := []string{
		"t(a, b)", "t(a INTEGER, b TEXT)", "t(a REAL, b NUMERIC)", "t(a INTEGER PRIMARY KEY, b BLOB UNIQUE)", "t(a INT, b ANY) STRICT",
		"t(a TEXT PRIMARY KEY, b REAL CHECK (b > 1)) WITHOUT ROWID", "t(a TEXT COLLATE NOCASE, b, c AS (a + 1))",
	}
	f.Fuzz(func(t *testing.T, row string) {
		statement := "INSERT INTO t VALUES(" + row + ")"
		if strings.Contains(row, ";") {
			return
		}
		db, err := embedded.Open(embedded.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, table := range tables {
			imported := outcome(t, db, table, func() error {
				_, err := db.Import(t.Context(), strings.NewReader(statement), d1.ImportOptions{})
				return err
			})
			alone := outcome(t, db, table, func() error {
				_, err := db.Do(t.Context(), d1.Request{Statements: []d1.Statement{{SQL: statement}}})
				return err
			})
			if imported != alone {
				t.Errorf("%s into %s:\nimported %s\nalone    %s", statement, table, imported, alone)
			}
		}
	})
}

// outcome is what is in a new table afterwards.
func outcome(t *testing.T, db *embedded.DB, table string, insert func() error) (outcome string) {
	t.Helper()
	run(t, db, "DROP TABLE IF EXISTS t")
	run(t, db, "CREATE TABLE "+table)
	if insert() != nil {
		return "an error"
	}
	for _, row := range run(t, db, "SELECT * FROM t") {
		outcome += strings.Join(row, " ")
	}
	return outcome
}
