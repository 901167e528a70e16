package embedded_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

func TestExportForm(t *testing.T) {
	t.Parallel()
	const setUp = `CREATE TABLE foo(id INTEGER PRIMARY KEY, value);
		CREATE TABLE "b c"(a TEXT, n INTEGER AS (1));
		CREATE TABLE seq(id INTEGER PRIMARY KEY AUTOINCREMENT);
		CREATE INDEX foo_value ON foo(value);
		CREATE VIEW v AS SELECT * FROM foo;
		CREATE TRIGGER tr AFTER INSERT ON foo BEGIN SELECT 1; END;
		INSERT INTO foo VALUES (1, 'xxx'), (2, 1.0), (3, X'0AFF');
		INSERT INTO "b c" VALUES ('a' || char(13, 10) || '''');
		INSERT INTO seq VALUES (5);`
	tests := []struct {
		name string
		opts d1.ExportOptions
		want string
	}{
		{"all", d1.ExportOptions{}, `PRAGMA defer_foreign_keys=TRUE;
CREATE TABLE foo(id INTEGER PRIMARY KEY, value);
INSERT INTO "foo" ("id","value") VALUES(1,'xxx');
INSERT INTO "foo" ("id","value") VALUES(2,1.0);
INSERT INTO "foo" ("id","value") VALUES(3,X'0aff');
CREATE TABLE IF NOT EXISTS "b c"(a TEXT, n INTEGER AS (1));
INSERT INTO "b c" ("a") VALUES(replace(replace('a\r\n''','\r',char(13)),'\n',char(10)));
CREATE TABLE seq(id INTEGER PRIMARY KEY AUTOINCREMENT);
INSERT INTO "seq" ("id") VALUES(5);
DELETE FROM sqlite_sequence;
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('seq',5);
CREATE INDEX foo_value ON foo(value);
CREATE TRIGGER tr AFTER INSERT ON foo BEGIN SELECT 1; END;
CREATE VIEW v AS SELECT * FROM foo;`},
		{"no data", d1.ExportOptions{NoData: true, Tables: []string{"FOO"}}, `PRAGMA defer_foreign_keys=TRUE;
CREATE TABLE foo(id INTEGER PRIMARY KEY, value);
CREATE INDEX foo_value ON foo(value);
CREATE TRIGGER tr AFTER INSERT ON foo BEGIN SELECT 1; END;`},
		{"no schema", d1.ExportOptions{NoSchema: true, Tables: []string{"seq"}}, `PRAGMA defer_foreign_keys=TRUE;
INSERT INTO "seq" ("id") VALUES(5);
DELETE FROM sqlite_sequence WHERE name IN ('seq');
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('seq',5);`},
		{"neither", d1.ExportOptions{NoSchema: true, NoData: true}, "PRAGMA defer_foreign_keys=TRUE;"},
		{"a view", d1.ExportOptions{Tables: []string{"v"}}, "PRAGMA defer_foreign_keys=TRUE;\nCREATE VIEW v AS SELECT * FROM foo;"},
	}
	db := openFile(t)
	importText(t, db, setUp)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(lines(test.want), lines(exportText(t, db, test.opts))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestExportRefuses(t *testing.T) {
	t.Parallel()
	db := openFile(t)
	importText(t, db, `CREATE TABLE texts(t);
		CREATE VIRTUAL TABLE bare USING fts5(t, content='');
		CREATE VIRTUAL TABLE over USING fts5(t, content=texts);
		CREATE VIRTUAL TABLE lost USING fts5(t, content=gone);
		CREATE VIRTUAL TABLE own USING fts5(t);
		INSERT INTO bare (rowid, t) VALUES (1, 'a');
		INSERT INTO texts VALUES ('a');
		INSERT INTO over (over) VALUES ('rebuild');
		INSERT INTO lost (rowid, t) VALUES (1, 'a')`)
	tests := []struct {
		name   string
		tables []string
		want   string
	}{
		{"an unknown table", []string{"texts", "nope"}, "no such table: nope"},
		{"a table of Cloudflare", []string{"_cf_KV"}, "no such table: _cf_KV"},
		{"a table of SQLite", []string{"sqlite_schema"}, "no such table: sqlite_schema"},
		{"a part of a table", []string{"own_content"}, "the table own_content is a part of a virtual table"},
		{"no content", []string{"bare"}, "cannot export the table bare: it is an FTS5 table without content"},
		{"content left out", []string{"over"}, "cannot export the table over: it is an FTS5 table over texts; name that one too"},
		{"content gone", []string{"lost"}, "cannot export the table lost: it is an FTS5 table over gone, which does not exist"},
		{"all", nil, "cannot export the table bare"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := db.Export(t.Context(), io.Discard, d1.ExportOptions{Tables: test.tables})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want %s", err, test.want)
			}
		})
	}
	if _, err := db.Export(t.Context(), io.Discard, d1.ExportOptions{NoData: true}); err != nil {
		t.Errorf("the schema alone: %v", err)
	}
}

// A table whose parent is gone has rows that no foreign key can be checked for.
func TestExportOfOrphans(t *testing.T) {
	t.Parallel()
	first, second := openFile(t), openFile(t)
	importText(t, first, `CREATE TABLE child(a REFERENCES gone(x), b REFERENCES other(y));
		CREATE TABLE other(y); PRAGMA foreign_keys=OFF; INSERT INTO child VALUES (1, 2)`)
	script := exportText(t, first, d1.ExportOptions{})
	importText(t, second, script)
	if diff := cmp.Diff(script, exportText(t, second, d1.ExportOptions{})); diff != "" {
		t.Error(diff)
	}
}

// An export sees one state, and neither waits for writers nor keeps them waiting.
func TestExportIsOneState(t *testing.T) {
	t.Parallel()
	db := openFile(t)
	importText(t, db, "CREATE TABLE a(n); CREATE TABLE b(n); INSERT INTO b VALUES (1)")
	var out strings.Builder
	write := func(string) { run(t, db, "UPDATE b SET n = n + 1") }
	if _, err := db.Export(t.Context(), &out, d1.ExportOptions{Progress: write}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `INSERT INTO "b" ("n") VALUES(1);`) {
		t.Errorf("the export is not of the state it began in:\n%s", out.String())
	}
	if diff := cmp.Diff([][]string{{"3 <nil>"}}, run(t, db, "SELECT n FROM b")); diff != "" {
		t.Error(diff)
	}
}

func TestExportEnds(t *testing.T) {
	t.Parallel()
	db := openFile(t)
	importText(t, db, "CREATE TABLE a(n); WITH RECURSIVE c(n) AS (VALUES(1) UNION ALL SELECT n + 1 FROM c LIMIT 100000) INSERT INTO a SELECT n FROM c")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := db.Export(ctx, io.Discard, d1.ExportOptions{Progress: func(string) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error of a cancelled export is %v", err)
	}
	full := errors.New("no room")
	if _, err := db.Export(t.Context(), brokenWriter{full}, d1.ExportOptions{}); !errors.Is(err, full) {
		t.Errorf("the error of a full disk is %v", err)
	}
	run(t, db, "SELECT count(*) FROM a")
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestTransferInMemory(t *testing.T) {
	t.Parallel()
	db, err := embedded.Open(embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	importText(t, db, "CREATE TABLE a(n); INSERT INTO a VALUES (1)")
	const want = "PRAGMA defer_foreign_keys=TRUE;\nCREATE TABLE a(n);\nINSERT INTO \"a\" (\"n\") VALUES(1);"
	if diff := cmp.Diff(want, exportText(t, db, d1.ExportOptions{})); diff != "" {
		t.Error(diff)
	}
	info, err := db.Info(t.Context())
	if err != nil || info.Tables != 1 || info.Bytes == 0 {
		t.Errorf("Info gives %+v, %v", info, err)
	}
	if err := db.Delete(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDeleteRemovesTheFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := embedded.Open(embedded.Config{Path: dir + "/a.db", ID: "an id"})
	if err != nil {
		t.Fatal(err)
	}
	importText(t, db, "CREATE TABLE a(n)")
	info, err := db.Info(t.Context())
	if err != nil || info.Name != "a.db" || info.ID != "an id" || info.Tables != 1 || info.Bytes != 8192 {
		t.Errorf("Info gives %+v, %v", info, err)
	}
	if err := db.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := db.Info(t.Context()); !errors.Is(err, d1.ErrClosed) {
		t.Errorf("the error afterwards is %v", err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
