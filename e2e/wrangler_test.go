package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/server"
)

// newWrangler returns a client for wrangler and a server of its own.
func newWrangler(t *testing.T) *client {
	t.Helper()
	needNPM(t)
	t.Parallel()
	return serveFiles(t).client(t)
}

// terminal makes wrangler believe that a person reads what it prints, and so print
// tables.
const terminal = "NODE_OPTIONS=--import=data:text/javascript,process.stdout.isTTY=true;process.stdout.columns=120"

// contains fails the test if a text is not in what a command printed.
func contains(t testing.TB, got string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(got, text) {
			t.Errorf("%q is not in\n%s", text, got)
		}
	}
}

// printed reads the JSON that a command printed.
func printed(t testing.TB, stdout string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(stdout), v); err != nil {
		t.Fatalf("%v in\n%s", err, stdout)
	}
}

// failed fails the test unless the command failed with a text.
func (o output) failed(t testing.TB, want ...string) {
	t.Helper()
	if o.status == 0 {
		t.Errorf("the command succeeded\n%s", o.stdout)
	}
	contains(t, o.stdout+o.stderr, want...)
}

func TestWranglerDatabases(t *testing.T) {
	c := newWrangler(t)
	contains(t, c.wrangler(t, "d1", "create", "shop", "--location", "apac").ok(t),
		"Successfully created DB 'shop' in region APAC", `"database_id": "`)
	c.wrangler(t, "d1", "create", "shop").failed(t, "A database with that name already exists")

	// wrangler asks for ten at a time.
	for i := range 24 {
		c.create(t, fmt.Sprintf("more-%02d", i))
	}
	var list []struct{ UUID, Name string }
	printed(t, c.wrangler(t, "d1", "list", "--json").ok(t), &list)
	if len(list) != 25 {
		t.Errorf("list has %d databases, want 25", len(list))
	}

	c.wrangler(t, "d1", "execute", "shop", "--remote", "--command", "CREATE TABLE t(a)").ok(t)
	var info struct {
		UUID            string
		NumTables       int    `json:"num_tables"`
		RunningInRegion string `json:"running_in_region"`
		DatabaseSize    int    `json:"database_size"`
	}
	printed(t, c.wrangler(t, "d1", "info", "shop", "--json").ok(t), &info)
	if info.NumTables != 1 || info.RunningInRegion != "APAC" || info.DatabaseSize <= 0 || len(info.UUID) != 36 {
		t.Errorf("info: %+v", info)
	}

	contains(t, c.wrangler(t, "d1", "delete", "shop", "-y").ok(t), "Deleted 'shop' successfully")
	c.wrangler(t, "d1", "info", "shop").failed(t, "Couldn't find a D1 DB with name or binding 'shop'")
}

// execute is an answer of `d1 execute --json`.
type execute []struct {
	Results []map[string]any
	Success bool
	Meta    map[string]any
}

func TestWranglerExecute(t *testing.T) {
	c := newWrangler(t)
	c.create(t, "shop")
	run := func(args ...string) output {
		t.Helper()
		return c.wrangler(t, append([]string{"d1", "execute", "shop", "--remote"}, args...)...)
	}

	var made execute
	printed(t, run("--json", "--command",
		"CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t(name) VALUES ('it''s; ✓'), (NULL); SELECT * FROM t").ok(t), &made)
	if len(made) != 3 || made[1].Meta["changes"] != 2.0 || len(made[2].Results) != 2 || made[2].Results[0]["name"] != "it's; ✓" {
		t.Errorf("three statements: %v", made)
	}

	c.extra = []string{terminal}
	contains(t, run("--command", "SELECT id, name FROM t ORDER BY id").ok(t),
		"Executed 1 command in", "│ id │ name", "│ 1  │ it's; ✓ │", "│ 2  │ null    │")
	c.extra = nil

	run("--command", "INSERT INTO t(name) VALUES ('lost'); SELECT * FROM nope").failed(t, "no such table: nope: SQLITE_ERROR [code: 7500]")
	var failure struct {
		Error struct {
			Notes []struct{ Text string }
			Name  string
			Code  int
		}
	}
	o := run("--json", "--command", "INSERT INTO t(id) VALUES (1)")
	printed(t, o.stdout, &failure)
	const unique = "UNIQUE constraint failed: t.id: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY) [code: 7500]"
	if e := failure.Error; o.status == 0 || e.Code != 7500 || e.Name != "APIError" || len(e.Notes) != 1 || e.Notes[0].Text != unique {
		t.Errorf("status %d, %+v", o.status, failure)
	}

	var rows execute
	printed(t, run("--json", "--command", "SELECT count(*) AS n FROM t").ok(t), &rows)
	if rows[0].Results[0]["n"] != 2.0 {
		t.Errorf("a failed command left something: %v", rows)
	}
}

func TestWranglerExecuteFile(t *testing.T) {
	c := newWrangler(t)
	c.create(t, "shop")
	run := func(sql string, args ...string) output {
		t.Helper()
		if err := os.WriteFile(filepath.Join(c.dir, "script.sql"), []byte(sql), 0o600); err != nil {
			t.Fatal(err)
		}
		return c.wrangler(t, append([]string{"d1", "execute", "shop", "--remote", "-y", "--file", "script.sql"}, args...)...)
	}

	contains(t, run("CREATE TABLE t(a);\nINSERT INTO t VALUES (1), (2);\n-- the end\n").ok(t), "Executed 2 queries")
	// The same file once more: the server has it already, but its table as well.
	run("CREATE TABLE t(a);\nINSERT INTO t VALUES (1), (2);\n-- the end\n").failed(t, "table t already exists")
	run("INSERT INTO t VALUES (3);\nINSERT INTO nope VALUES (4);\n").failed(t, "no such table: nope: SQLITE_ERROR")
	run("BEGIN TRANSACTION;\nINSERT INTO t VALUES (3);\nCOMMIT;\n").failed(t, "BEGIN TRANSACTION")

	var rows []struct{ Results struct{ Rows [][]float64 } }
	c.result(t, "POST", "/d1/database/"+c.idOf(t, "shop")+"/raw", `{"sql":"SELECT count(*), max(a) FROM t"}`, &rows)
	if got := fmt.Sprint(rows[0].Results.Rows); got != "[[2 2]]" {
		t.Errorf("count and max: %s, want [[2 2]]", got)
	}
}

// idOf returns the id of a database.
func (f *fixture) idOf(t testing.TB, name string) string {
	t.Helper()
	var db struct{ UUID string }
	f.result(t, "GET", "/d1/database/"+name, "", &db)
	return db.UUID
}

func TestWranglerToken(t *testing.T) {
	needNPM(t)
	t.Parallel()
	c := serve(t, server.Config{Token: token, AccountID: account}).client(t)
	contains(t, c.wrangler(t, "whoami").ok(t), "You are logged in", account)

	c.token = "another-token"
	c.wrangler(t, "d1", "list").failed(t, "Authentication error [code: 10000]")
}

func TestWranglerTimeTravel(t *testing.T) {
	c := newWrangler(t)
	c.create(t, "shop")
	sql := func(text string) string {
		t.Helper()
		var got execute
		printed(t, c.wrangler(t, "d1", "execute", "shop", "--remote", "--json", "--command", text).ok(t), &got)
		if len(got[0].Results) == 0 {
			return ""
		}
		return fmt.Sprint(got[0].Results[0]["a"])
	}
	travel := func(args ...string) output {
		t.Helper()
		return c.wrangler(t, append([]string{"d1", "time-travel"}, args...)...)
	}
	const rows = "SELECT group_concat(a) AS a FROM t"
	sql("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
	var first, again, past struct{ Bookmark string }
	printed(t, travel("info", "shop", "--json").ok(t), &first)
	moment := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	sql("INSERT INTO t VALUES (2)")
	printed(t, travel("info", "shop", "--json").ok(t), &again)
	printed(t, travel("info", "shop", "--timestamp", moment, "--json").ok(t), &past)
	if len(first.Bookmark) != 59 || past != first || again.Bookmark <= first.Bookmark {
		t.Errorf("bookmarks %q, %q, and at %s %q", first.Bookmark, again.Bookmark, moment, past.Bookmark)
	}
	contains(t, travel("info", "shop").ok(t), again.Bookmark)

	var done struct {
		Bookmark string
		Previous string `json:"previous_bookmark"`
	}
	printed(t, travel("restore", "shop", "--bookmark", first.Bookmark, "--json").ok(t), &done)
	if got := sql(rows); got != "1" || done.Previous != again.Bookmark || done.Bookmark <= again.Bookmark {
		t.Errorf("rows %q, %+v", got, done)
	}
	contains(t, travel("restore", "shop", "--bookmark", done.Previous).ok(t), "Database shop restored back to bookmark")
	if got := sql(rows); got != "1,2" {
		t.Errorf("undone: rows %q", got)
	}
	travel("restore", "shop", "--timestamp", moment, "--json").ok(t)
	if got := sql(rows); got != "1" {
		t.Errorf("by time: rows %q", got)
	}
	travel("restore", "shop", "--bookmark", "yesterday", "--json").failed(t, "malformed bookmark")
	travel("info", "shop", "--timestamp", time.Now().Add(-29*24*time.Hour).Format(time.RFC3339)).failed(t, "the history of the database begins at")
}
