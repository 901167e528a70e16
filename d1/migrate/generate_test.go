package migrate_test

import (
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/d1/dialect"
	"github.com/skylite-go/skylite/d1/migrate"
)

func diff(t *testing.T, db *d1.DB, tables ...dialect.Table) (script string, left []string) {
	t.Helper()
	changes, err := migrate.Diff(t.Context(), db, tables...)
	if err != nil {
		t.Fatal(err)
	}
	var statements []string
	for _, step := range changes.Steps {
		statements = append(statements, step.SQL)
	}
	return strings.Join(statements, ";\n"), changes.Left
}

// wanted has, in each version, what the one before has, and more.
func wanted(version int) dialect.Table {
	t := dialect.Table{Name: "users", Columns: []dialect.Column{
		{Name: "id", Type: "INTEGER", PrimaryKey: true, Nullable: true},
		{Name: "e'm\"ail", Type: "TEXT"},
		{Name: "level", Type: "INTEGER", Default: "(1 + 1)"},
	}, Indexes: []dialect.Index{{Name: "mail", Columns: []string{"e'm\"ail"}, Unique: true}, {Name: "gone", Columns: []string{"level"}}}}
	if version > 1 {
		t.Columns = append(t.Columns, dialect.Column{Name: "boss", Type: "INTEGER", Nullable: true, References: `"users"`, OnDelete: "SET NULL"},
			dialect.Column{Name: "rank", Type: "TEXT", Default: "'none'"})
		t.Indexes = []dialect.Index{{Name: "mail", Columns: []string{"e'm\"ail", "level"}, Where: "level > 1"}, {Name: "boss", Columns: []string{"boss"}}}
	}
	return t
}

func TestDiff(t *testing.T) {
	t.Parallel()
	// What a program makes at run time is what the generated migrations make.
	ddl, err := wanted(1).DDL()
	if err != nil {
		t.Fatal(err)
	}
	atRunTime := d1test.Open(t, strings.Join(ddl, ";\n"))
	generated := d1test.Open(t, "CREATE TABLE other (a)")
	script, left := diff(t, generated, wanted(1))
	equal(t, "left", left, []string(nil))
	equal(t, "script", script, strings.Join(ddl, ";\n"))
	run(t, generated, folder("1.sql", script), migrate.Options{})
	const all = "SELECT sql FROM sqlite_master WHERE tbl_name = 'users' AND sql IS NOT NULL ORDER BY name"
	equal(t, "schema", column(t, generated, all), column(t, atRunTime, all))
	script, left = diff(t, generated, wanted(1))
	equal(t, "again", script, "")
	equal(t, "left", left, []string(nil))

	// Then it changes, with rows in it.
	if _, err := generated.Run(t.Context(), "INSERT INTO users VALUES (1, 'a', 2)"); err != nil {
		t.Fatal(err)
	}
	script, left = diff(t, generated, wanted(2))
	equal(t, "left", left, []string(nil))
	equal(t, "script", script, strings.Join([]string{
		`ALTER TABLE "users" ADD COLUMN "boss" INTEGER REFERENCES "users" ON DELETE SET NULL`,
		`ALTER TABLE "users" ADD COLUMN "rank" TEXT NOT NULL DEFAULT 'none'`,
		`DROP INDEX "users_mail"`,
		`CREATE INDEX IF NOT EXISTS "users_mail" ON "users" ("e'm""ail", "level") WHERE level > 1`,
		`CREATE INDEX IF NOT EXISTS "users_boss" ON "users" ("boss")`,
		`DROP INDEX "users_gone"`}, ";\n"))
	run(t, generated, folder("2.sql", script), migrate.Options{})
	script, left = diff(t, generated, wanted(2))
	equal(t, "again", script, "")
	equal(t, "left", left, []string(nil))
}

func TestDiffLeaves(t *testing.T) {
	t.Parallel()
	db := d1test.Open(t, "CREATE TABLE t (a INTEGER, b TEXT NOT NULL, c TEXT DEFAULT 'x', d TEXT, gone)")
	table := dialect.Table{Name: "T", Columns: []dialect.Column{
		{Name: "A", Type: "text", Nullable: true}, {Name: "b", Type: "TEXT", Nullable: true}, {Name: "c", Type: "TEXT", Nullable: true, Default: "'y'"},
		{Name: "d", Type: "TEXT", Nullable: true}, {Name: "key", Type: "TEXT", Nullable: true}, {Name: "must", Type: "TEXT"},
		{Name: "now", Type: "TEXT", Nullable: true, Default: "CURRENT_TIMESTAMP"}, {Name: "ref", Nullable: true, Default: "1", References: "t"},
	}, PrimaryKey: []string{"d", "key"}}
	script, left := diff(t, db, table)
	equal(t, "script", script, "")
	for _, want := range []string{"T.A: its type is INTEGER in the database and text in the code", "T.b: it must not be NULL in the database and may be NULL in the code",
		"T.c: its default is 'x' in the database and 'y' in the code", "T.d: it is not in the primary key in the database and is in the primary key in the code",
		"T.key is part of the primary key", "T.must must not be NULL and has no default", "T.now has a default that is not a constant",
		"T.ref refers to another table and has a default", "T.gone is in the database only"} {
		if !strings.Contains(strings.Join(left, "\n"), want) {
			t.Errorf("%q is not in\n%s", want, strings.Join(left, "\n"))
		}
	}
	if len(left) != 9 {
		t.Errorf("%d things are left:\n%s", len(left), strings.Join(left, "\n"))
	}
}
