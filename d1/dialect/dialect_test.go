package dialect_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/d1/dialect"
)

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"name": `"name"`, `a" DROP TABLE x; --`: `"a"" DROP TABLE x; --"`, `"`: `""""`, "": `""`} {
		equal(t, "QuoteIdentifier "+name, dialect.QuoteIdentifier(name), want)
	}
	for name, want := range map[string]string{"_id": `"id"`, "id": `"id"`, "_creationTime": `"_creationTime"`, "title": `"title"`} {
		equal(t, "ColumnRef "+name, dialect.ColumnRef(name), want)
	}
	equal(t, "PhysicalIndexName", dialect.PhysicalIndexName("messages", "byAuthor"), `"messages_byAuthor"`)
	equal(t, "FrameworkColumnDDL", dialect.FrameworkColumnDDL(), []string{`"id" TEXT PRIMARY KEY`, `"_creationTime" REAL NOT NULL`})
	equal(t, "MaxTableColumns", dialect.MaxTableColumns, 100)
	equal(t, "OCCVersionColumn", dialect.OCCVersionColumn, "_version")
}

func TestSQLAffinityForKind(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]dialect.SQLAffinity{"boolean": "INTEGER", "bytes": "BLOB", "number": "REAL", "timestamp": "REAL", "date": "REAL",
		"string": "TEXT", "id": "TEXT", "literal": "TEXT", "bigint": "TEXT", "object": "TEXT", "array": "TEXT", "union": "TEXT", "record": "TEXT",
		"any": "TEXT", "": "TEXT"} {
		equal(t, kind, dialect.SQLAffinityForKind(kind), want)
	}
}

// TestLunora makes a table as lunora's generator writes it.
func TestLunora(t *testing.T) {
	t.Parallel()
	table := dialect.Table{
		Name: "messages",
		Columns: append(dialect.FrameworkColumns(), dialect.Column{Name: dialect.OCCVersionColumn, Type: "INTEGER", Nullable: true},
			dialect.Column{Name: "body", Type: string(dialect.SQLAffinityForKind("string"))},
			dialect.Column{Name: "likes", Type: string(dialect.SQLAffinityForKind("number")), Nullable: true}),
		Indexes: []dialect.Index{{Name: "byBody", Columns: []string{"body", "_id"}}, {Name: "byLikes", Columns: []string{"likes"}, Unique: true}},
	}
	got, err := table.DDL()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "DDL", got, []string{
		"CREATE TABLE IF NOT EXISTS \"messages\" (\n    \"id\" TEXT PRIMARY KEY,\n    \"_creationTime\" REAL NOT NULL,\n    \"_version\" INTEGER,\n" +
			"    \"body\" TEXT NOT NULL,\n    \"likes\" REAL\n)",
		`CREATE INDEX IF NOT EXISTS "messages_byBody" ON "messages" ("body", "id")`,
		`CREATE UNIQUE INDEX IF NOT EXISTS "messages_byLikes" ON "messages" ("likes")`,
	})
	equal(t, "AddColumn", dialect.AddColumn("messages", dialect.Column{Name: "note", Type: "TEXT", Nullable: true}), `ALTER TABLE "messages" ADD COLUMN "note" TEXT`)
	equal(t, "DropTable", dialect.DropTable("messages"), `DROP TABLE IF EXISTS "messages"`)
	equal(t, "DropIndex", dialect.DropIndex("messages", "byBody"), `DROP INDEX IF EXISTS "messages_byBody"`)
	for range 2 {
		for _, ddl := range got {
			if _, err := d1test.Open(t, strings.Join(got, ";")).Run(t.Context(), ddl); err != nil {
				t.Error(err)
			}
		}
	}
}

type Base struct {
	ID        int64     `ddl:"pk"`
	CreatedAt time.Time `ddl:"index=by_time"`
}

type Level int8

type User struct {
	_ struct{} `ddl:"table=users"`
	Base
	Email    string  `d1:"mail" ddl:"unique"`
	Name     *string `ddl:"index=by_time"`
	Level    Level   `ddl:"default=(1+1)"`
	Score    float32
	Active   bool `ddl:"default=1"`
	Photo    []byte
	Nick     sql.NullString
	Seen     sql.NullTime
	Boss     *int64         `ddl:"references=users(id);ondelete=set null"`
	Data     map[string]any `ddl:"type=TEXT"`
	Ignored  chan int       `d1:"-"`
	HTTPPort uint16
	private  int
}

const usersTable = `CREATE TABLE IF NOT EXISTS "users" (
    "id" INTEGER PRIMARY KEY,
    "created_at" DATETIME NOT NULL,
    "mail" TEXT NOT NULL,
    "name" TEXT,
    "level" INTEGER NOT NULL DEFAULT (1+1),
    "score" REAL NOT NULL,
    "active" BOOLEAN NOT NULL DEFAULT 1,
    "photo" BLOB,
    "nick" TEXT,
    "seen" DATETIME,
    "boss" INTEGER REFERENCES "users" ("id") ON DELETE SET NULL,
    "data" TEXT NOT NULL,
    "http_port" INTEGER NOT NULL
)`

func TestTableOf(t *testing.T) {
	t.Parallel()
	table, err := dialect.TableOf(&User{private: 1})
	if err != nil {
		t.Fatal(err)
	}
	got, err := table.DDL()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "DDL", got, []string{usersTable,
		`CREATE INDEX IF NOT EXISTS "users_by_time" ON "users" ("created_at", "name")`,
		`CREATE UNIQUE INDEX IF NOT EXISTS "users_mail" ON "users" ("mail")`})
	db := d1test.Open(t, strings.Join(got, ";"))
	if _, err := db.Run(t.Context(), "INSERT INTO users (created_at, mail, score, data, http_port) VALUES (?, 'a', 1.5, '{}', 80)", time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	// The columns find their fields.
	type row struct {
		Base
		Mail   string
		Level  Level
		Active bool
	}
	rows, err := d1.All[row](t.Context(), db, "SELECT id, created_at, mail, level, active FROM users")
	if err != nil || fmt.Sprintf("%d %d %s %d %t", rows[0].ID, rows[0].CreatedAt.Unix(), rows[0].Mail, rows[0].Level, rows[0].Active) != "1 0 a 2 true" {
		t.Errorf("%+v, error %v", rows, err)
	}
}

type Key struct {
	_     struct{} `ddl:"withoutrowid"`
	Space int      `ddl:"pk"`
	Key   string   `ddl:"pk"`
	Value []byte   `ddl:"notnull"`
}

func TestKeyOfSeveral(t *testing.T) {
	t.Parallel()
	table, err := dialect.TableOf(Key{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := table.DDL()
	equal(t, "error", err, nil)
	equal(t, "DDL", got, []string{"CREATE TABLE IF NOT EXISTS \"key\" (\n    \"space\" INTEGER NOT NULL,\n    \"key\" TEXT NOT NULL,\n" +
		"    \"value\" BLOB NOT NULL,\n    PRIMARY KEY (\"space\", \"key\")\n) WITHOUT ROWID"})
	d1test.Open(t, got[0])
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	wide := dialect.Table{Name: "wide"}
	for i := range 101 {
		wide.Columns = append(wide.Columns, dialect.Column{Name: fmt.Sprintf("c%d", i), Type: "TEXT"})
	}
	a := []dialect.Column{{Name: "a"}}
	for want, table := range map[string]dialect.Table{
		`table "wide" needs 101 columns, over D1's limit of 100`: wide,
		"has no name":               {Columns: a},
		"has no columns":            {Name: "t"},
		"two columns":               {Name: "t", Columns: []dialect.Column{{Name: "a"}, {Name: "A"}}},
		"a column without a name":   {Name: "t", Columns: []dialect.Column{{}}},
		"more than one primary key": {Name: "t", Columns: []dialect.Column{{Name: "a", PrimaryKey: true}, {Name: "b", PrimaryKey: true}}},
		"neither a rowid":           {Name: "t", Columns: a, WithoutRowID: true},
		"for its primary key":       {Name: "t", Columns: a, PrimaryKey: []string{"b"}},
		"for its index":             {Name: "t", Columns: a, Indexes: []dialect.Index{{Name: "i", Columns: []string{"b"}}}},
		"two indexes":               {Name: "t", Columns: a, Indexes: []dialect.Index{{Name: "i", Columns: []string{"a"}}, {Name: "I", Columns: []string{"a"}}}},
		"an index without":          {Name: "t", Columns: a, Indexes: []dialect.Index{{Name: "i"}}},
	} {
		if _, err := table.DDL(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	for want, v := range map[string]any{
		"no struct":                 7,
		"T.A: a column has no chan": struct{ A chan int }{},
		"none of pk": struct {
			A int `ddl:"primary"`
		}{},
		"none of table": struct {
			_ int `ddl:"pk"`
		}{},
		"ondelete needs": struct {
			A int `ddl:"ondelete=cascade"`
		}{},
		"ondelete is": struct {
			A int `ddl:"references=t;ondelete=explode"`
		}{},
		"two columns": struct {
			A int
			B int `d1:"a"`
		}{},
	} {
		_, err := dialect.TableOf(v)
		if err == nil || !strings.Contains(strings.Replace(err.Error(), ".A:", "T.A:", 1), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := dialect.TableOf(nil); err == nil {
		t.Error("nil is a table")
	}
}
