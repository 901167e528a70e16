package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/d1/migrate"
)

// folder makes a folder of wrangler's of names and texts.
func folder(files ...string) migrate.Source {
	return migrate.Wrangler(fsOf(files...), "")
}

func fsOf(files ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return fsys
}

const family = `CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, boss INTEGER REFERENCES users (id) ON DELETE CASCADE);
CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER NOT NULL REFERENCES "Users" ON UPDATE CASCADE ON DELETE CASCADE);
CREATE TABLE notes (id INTEGER PRIMARY KEY, post INTEGER, FOREIGN KEY (post) REFERENCES posts (id) ON DELETE SET NULL);
CREATE TABLE marks (id INTEGER PRIMARY KEY, author INTEGER REFERENCES users);
INSERT INTO users VALUES (1, 'Ada', NULL), (2, 'Grace', 1);
INSERT INTO posts VALUES (10, 1), (11, 2), (12, 2);
INSERT INTO notes VALUES (100, 10), (101, NULL);`

// rebuild is drizzle-kit's way to change a table.
const rebuild = `PRAGMA foreign_keys=OFF;
CREATE TABLE __new_users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, boss INTEGER REFERENCES __new_users (id) ON DELETE CASCADE);
INSERT INTO __new_users SELECT * FROM users;
DROP TABLE users;
ALTER TABLE __new_users RENAME TO users;
PRAGMA foreign_keys=ON;`

const aside = `CREATE TABLE notes_aside AS SELECT * FROM notes;
DELETE FROM notes;
CREATE TABLE posts_aside AS SELECT * FROM posts;
DELETE FROM posts;
`

const back = `INSERT INTO posts SELECT * FROM posts_aside;
DROP TABLE posts_aside;
INSERT INTO notes SELECT * FROM notes_aside;
DROP TABLE notes_aside;`

const contents = "SELECT 'u' || id || ifnull(boss, '') FROM users UNION ALL SELECT 'p' || id || author FROM posts " +
	"UNION ALL SELECT 'n' || id || ifnull(post, '') FROM notes"

func TestDataLoss(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, sql     string
		table, column string // what would be lost; empty for nothing
		before, after int64
		statement     int
	}{
		{name: "rebuild of a parent", sql: rebuild, table: "posts", column: "author", before: 3, after: 0, statement: 3},
		{name: "the recipe", sql: aside + rebuild + back},
		// The rows of the new table refer to the old one, and go with it.
		{name: "rebuild of a table that refers to itself", sql: "DROP TABLE notes; DROP TABLE posts; DROP TABLE marks;" + strings.Replace(rebuild, "REFERENCES __new_users", "REFERENCES users", 1),
			table: "users", before: 2, after: 1, statement: 6},
		{name: "rebuild of a child", sql: `CREATE TABLE posts_new (id INTEGER PRIMARY KEY, author INTEGER REFERENCES users ON DELETE CASCADE);
INSERT INTO posts_new SELECT * FROM posts; DROP TABLE posts; ALTER TABLE posts_new RENAME TO posts`,
			table: "notes", column: "post", before: 1, after: 0, statement: 2},
		{name: "rebuild that loses rows", sql: `CREATE TABLE n (id INTEGER PRIMARY KEY, post INTEGER REFERENCES posts ON DELETE SET NULL);
INSERT INTO n SELECT * FROM notes WHERE post IS NOT NULL; DROP TABLE "NOTES"; ALTER TABLE n RENAME TO notes`,
			table: "notes", before: 2, after: 1, statement: 2},
		{name: "rebuild that keeps rows", sql: `CREATE TABLE n (id INTEGER PRIMARY KEY, post INTEGER REFERENCES posts ON DELETE SET NULL);
INSERT INTO n SELECT * FROM notes; DROP TABLE notes; ALTER TABLE n RENAME TO notes`},
		{name: "delete", sql: "DELETE FROM users WHERE id = 2", table: "posts", column: "author", before: 3, after: 1},
		{name: "delete with a common table expression", sql: "WITH x AS (SELECT 2 AS id) DELETE FROM main.users WHERE id IN (SELECT id FROM x)",
			table: "posts", column: "author", before: 3, after: 1},
		{name: "delete of a row without children", sql: "INSERT INTO users VALUES (3, 'Edith', NULL); DELETE FROM users WHERE id = 3"},
		{name: "delete of a child", sql: "DELETE FROM notes"},
		{name: "replace", sql: "REPLACE INTO users VALUES (2, 'Edith', NULL)", table: "posts", column: "author", before: 3, after: 1},
		{name: "insert or replace", sql: "INSERT OR REPLACE INTO users VALUES (2, 'Edith', NULL)", table: "posts", column: "author", before: 3, after: 1},
		{name: "drop of the parent after its children", sql: "DROP TABLE notes; DROP TABLE posts; DROP TABLE IF EXISTS users"},
		{name: "renamed column", sql: "ALTER TABLE posts RENAME COLUMN author TO writer; DELETE FROM users WHERE id = 2",
			table: "posts", column: "author", before: 3, after: 1, statement: 1},
		{name: "renamed parent", sql: "ALTER TABLE users RENAME TO people; DELETE FROM people WHERE id = 2",
			table: "posts", column: "author", before: 3, after: 1, statement: 1},
		{name: "added column", sql: "ALTER TABLE marks ADD COLUMN note INTEGER REFERENCES notes ON DELETE CASCADE; UPDATE marks SET note = 100; " +
			"DELETE FROM notes", table: "marks", column: "note", before: 0, after: 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db := d1test.Open(t, family)
			before := column(t, db, contents)
			source := folder("0001_first.sql", "CREATE TABLE first (a)", "0002_it.sql", "-- it\n"+tt.sql)
			result, err := newRunner(t, db, source, migrate.Options{}).Run(t.Context())
			if tt.table == "" || tt.before == tt.after {
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(tt.name, "recipe") || strings.Contains(tt.name, "keeps") {
					equal(t, "contents", column(t, db, contents), before)
				}
				equal(t, "tables of ours", column(t, db, "SELECT name FROM sqlite_master WHERE name LIKE '%skylite%'"), []string(nil))
				return
			}
			loss, ok := errors.AsType[*migrate.DataLossError](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			got := fmt.Sprint(loss.Table, " ", loss.Column, " ", loss.Before, " ", loss.After, " ", loss.Statement)
			equal(t, "loss", got, fmt.Sprint(tt.table, " ", tt.column, " ", tt.before, " ", tt.after, " ", tt.statement))
			equal(t, "contents", column(t, db, contents), before)
			equal(t, "applied", versions(result.Applied), []int64{1})
			if tt.column != "" && !strings.Contains(err.Error(), `CREATE TABLE "`+tt.table+`_aside" AS SELECT * FROM "`+tt.table+`"`) {
				t.Errorf("there is no recipe in %v", err)
			}
			// Whoever wants it gets it.
			applied, _ := run(t, db, source, migrate.Options{AllowDataLoss: true})
			equal(t, "applied", applied, []int64{2})
		})
	}
}

// A history of rebuilds must run on a new database.
func TestRebuildOfEmptyTables(t *testing.T) {
	t.Parallel()
	schema, _, _ := strings.Cut(family, "INSERT")
	db := d1test.Open(t)
	applied, _ := run(t, db, folder("0001_family.sql", schema, "0002_rebuild.sql", rebuild), migrate.Options{})
	equal(t, "applied", applied, []int64{1, 2})
}

func TestRefusedBeforehand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ sql, want string }{
		{"BEGIN TRANSACTION; SELECT 1; COMMIT", "statement 1, line 1 (offset 0): D1 has no BEGIN"},
		{"SELECT 1;\n-- x\nbegin;", "statement 2, line 3 (offset 15): D1 has no BEGIN"},
		{"SAVEPOINT a", "D1 has no SAVEPOINT"},
		{"ATTACH 'x' AS y", "D1 has no ATTACH"},
		{"VACUUM", "D1 has no VACUUM"},
		{"PRAGMA journal_mode=WAL", "D1 refuses PRAGMA journal_mode"},
		{"PRAGMA main.user_version = 3", "D1 refuses PRAGMA user_version"},
		{"CREATE TEMP TABLE a (b)", "temporary"},
		{"CREATE VIRTUAL TABLE a USING fts4(b)", `no module "fts4"`},
		{"CREATE TABLE _cf_a (b)", "_cf_"},
		{"INSERT INTO a VALUES (?)", "no parameters"},
		{"SELECT 'open", "unterminated quote"},
		{"SELECT 1 /* open", "unterminated comment"},
		{"SELEC 1", "no SQL statement"},
		{"-- nothing", "no SQL"},
		{"SELECT '" + strings.Repeat("x", d1.MaxStatementBytes) + "'", "100009 bytes"},
	} {
		db := d1test.Open(t)
		_, err := newRunner(t, db, folder("0001_good.sql", tableA, "0002_bad.sql", tt.sql), migrate.Options{}).Run(t.Context())
		if _, ok := errors.AsType[*migrate.InvalidError](err); !ok || !strings.Contains(err.Error(), tt.want) ||
			!strings.Contains(err.Error(), `migration "0002_bad.sql" (version 2)`) {
			t.Errorf("%.40q: error %v, want %q", tt.sql, err, tt.want)
		}
		equal(t, "tables", column(t, db, "SELECT name FROM sqlite_master"), []string(nil))
	}
	for _, sql := range []string{"PRAGMA foreign_keys=OFF", "PRAGMA table_info(a)", "CREATE VIRTUAL TABLE a USING fts5(b)", "EXPLAIN SELECT 1", "ANALYZE",
		"CREATE TABLE IF NOT EXISTS t (a)", "DROP TABLE IF EXISTS nope", "SELECT 1"} {
		run(t, d1test.Open(t), folder("1.sql", sql), migrate.Options{})
	}
}

// hidden is a database that does not say which statement of a batch failed, as over REST.
type hidden struct{ d1.Backend }

func (h hidden) Do(ctx context.Context, req d1.Request) (*d1.Results, error) {
	results, err := h.Backend.Do(ctx, req)
	if e, ok := errors.AsType[*d1.Error](err); ok {
		e.Statement = -1
	}
	return results, err
}

func TestFailureIsLocated(t *testing.T) {
	t.Parallel()
	for i := range 5 {
		for _, hide := range []bool{false, true} {
			var sql strings.Builder
			want := 0
			for j := range 5 {
				if i == j {
					want = sql.Len() + strings.Index("\n  INSERT INTO nope", "nope")
					sql.WriteString("\n  INSERT INTO nope VALUES (1);")
				} else {
					fmt.Fprintf(&sql, "\n  CREATE TABLE t%d (a);", j)
				}
			}
			db := d1test.Open(t)
			if hide {
				db = d1.New(hidden{db.Backend()})
			}
			_, err := newRunner(t, db, folder("0001_bad.sql", sql.String()), migrate.Options{}).Run(t.Context())
			e, ok := errors.AsType[*migrate.Error](err)
			if !ok || e.Statement != i || e.Line != i+2 || e.Offset > want || e.Offset < want-len("INSERT INTO ") {
				t.Errorf("statement %d, hidden %t: %+v, want offset %d", i, hide, e, want)
			}
			equal(t, "tables", column(t, db, "SELECT name FROM sqlite_master WHERE name LIKE 't%'"), []string(nil))
		}
	}
	// A ledger that does not take the row is no fault of the migration's.
	odd := d1.New(hidden{d1test.Open(t, "CREATE TABLE d1_migrations (id, name TEXT, applied_at, more NOT NULL)").Backend()})
	_, err := newRunner(t, odd, folder("1.sql", "SELECT 1"), migrate.Options{}).Run(t.Context())
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Statement != -1 || !strings.Contains(err.Error(), "d1_migrations.more") {
		t.Errorf("%+v", err)
	}
	// What fails at the end is nobody's fault.
	db := d1.New(hidden{d1test.Open(t, "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p)").Backend()})
	_, err = newRunner(t, db, folder("1.sql", "PRAGMA defer_foreign_keys=ON; INSERT INTO c VALUES (1); SELECT 1"), migrate.Options{}).Run(t.Context())
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Statement != -1 || !strings.Contains(err.Error(), "FOREIGN KEY") {
		t.Errorf("%+v", err)
	}
}
