package migrate_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/d1/migrate"
)

const (
	tableA  = "CREATE TABLE a (id INTEGER);"
	tableB  = "CREATE TABLE b (id INTEGER);"
	users   = "CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT NOT NULL)"
	email   = "ALTER TABLE users ADD COLUMN email TEXT"
	comment = "SELECT 1; -- trailing comment"
	audit   = "CREATE TRIGGER posts_audit AFTER INSERT ON posts\nBEGIN\n" +
		"    INSERT INTO audit (post_id, label) VALUES (NEW.id, CASE WHEN NEW.id > 0 THEN 'positive' ELSE 'other' END);\nEND;"
)

// hashes are SHA-256 sums that another implementation computed.
var hashes = map[string]string{
	tableA:  "5d8d272f6897eee56ebb6fa0b4db68595635b838afea6319ce9ac2659b097df7",
	tableB:  "f41abac48ad6b71f6ef431cca4a162b9ee801fcfb2f05fbcdffda9b1e71c7605",
	users:   "88faedf15201b64d7393888e05b5d9090a8ac13c634ea120b3a2c2221d4a4d53",
	email:   "ca485cfee20fcd409b97429b69cf8223e32d9dad7e2793532dc343babb760c0e",
	comment: "232dcc972745341285f74074df3a5959371dc950f42262e5fc4b98f0ef45db7a",
	audit:   "568bb25eb58788cd0f57bd9b6c88032144334bb4b4cfca1e826cc99c07737837",
}

// step is a migration whose name is made of its version.
func step(version int64, sql string) migrate.Migration {
	return migrate.Migration{Version: version, Name: fmt.Sprintf("m%d", version), SQL: sql}
}

func newRunner(t *testing.T, db *d1.DB, source migrate.Source, opts migrate.Options) *migrate.Runner {
	t.Helper()
	r, err := migrate.New(db, source, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// run applies migrations that must succeed, and returns their versions.
func run(t *testing.T, db *d1.DB, source migrate.Source, opts migrate.Options) (applied, skipped []int64) {
	t.Helper()
	result, err := newRunner(t, db, source, opts).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return versions(result.Applied), versions(result.Skipped)
}

func versions(records []migrate.Record) []int64 {
	var all []int64
	for _, r := range records {
		all = append(all, r.Version)
	}
	return all
}

// column returns a query's only column as text.
func column(t *testing.T, db *d1.DB, sql string) []string {
	t.Helper()
	values, err := d1.All[string](t.Context(), db, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return values
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

const recorded = "SELECT hash FROM __drizzle_migrations ORDER BY id"

func TestRun(t *testing.T) {
	t.Parallel()
	db := d1test.Open(t)
	begin := time.Now().UnixMilli()
	// In the order of their versions, not of the list, which stays as it is.
	list := []migrate.Migration{step(2, tableB), step(1, tableA)}
	applied, skipped := run(t, db, migrate.Values(list...), migrate.Options{})
	equal(t, "applied", applied, []int64{1, 2})
	equal(t, "skipped", skipped, []int64(nil))
	equal(t, "list", list, []migrate.Migration{step(2, tableB), step(1, tableA)})
	equal(t, "hashes", column(t, db, recorded), []string{hashes[tableA], hashes[tableB]})
	for _, at := range column(t, db, "SELECT created_at FROM __drizzle_migrations") {
		if when := fmt.Sprint(begin); len(at) != len(when) || at < when {
			t.Errorf("created_at is %s; the run began at %s", at, when)
		}
	}

	applied, skipped = run(t, db, migrate.Values(append(list, step(3, "CREATE TABLE c (id)"))...), migrate.Options{})
	equal(t, "applied", applied, []int64{3})
	equal(t, "skipped", skipped, []int64{1, 2})
}

func TestRunAgain(t *testing.T) {
	t.Parallel()
	db := d1test.Open(t)
	source := migrate.Values(step(1, users), step(2, email))
	applied, _ := run(t, db, source, migrate.Options{})
	equal(t, "applied", applied, []int64{1, 2})
	applied, skipped := run(t, db, source, migrate.Options{})
	equal(t, "applied again", applied, []int64(nil))
	equal(t, "skipped", skipped, []int64{1, 2})
	got := column(t, db, recorded)
	equal(t, "hashes", got, []string{hashes[users], hashes[email]})
	for _, hash := range got {
		if !regexp.MustCompile("^[0-9a-f]{64}$").MatchString(hash) {
			t.Errorf("hash %q", hash)
		}
	}
}

// Each is one migration on a database that has the tables posts, audit and config.
var statements = []struct {
	name, sql string
	sent      string // the statement, or
	err       string // a part of the error
}{
	{name: "terminated", sql: tableA, sent: "CREATE TABLE a (id INTEGER)"},
	{name: "not terminated", sql: " CREATE TABLE a (id INTEGER) -- end\n", sent: "CREATE TABLE a (id INTEGER) -- end"},
	{name: "semicolon in a string", sql: "INSERT INTO config (k, v) VALUES ('label', 'a;b');", sent: "INSERT INTO config (k, v) VALUES ('label', 'a;b')"},
	{name: "semicolon in a comment", sql: "-- multi; line; semis\nCREATE TABLE c (id INTEGER);", sent: "-- multi; line; semis\nCREATE TABLE c (id INTEGER)"},
	{name: "semicolon in identifiers", sql: "CREATE TABLE \"a;\" (`b;` TEXT, [c;] TEXT);", sent: "CREATE TABLE \"a;\" (`b;` TEXT, [c;] TEXT)"},
	{name: "comment behind", sql: comment, sent: "SELECT 1"},
	{name: "trigger", sql: audit, sent: strings.TrimSuffix(audit, ";")},
	{name: "trigger with CRLF", sql: strings.ReplaceAll(audit, "\n", "\r\n"), sent: strings.TrimSuffix(strings.ReplaceAll(audit, "\n", "\r\n"), ";")},
	{name: "trigger in lower case", sql: strings.ToLower(audit), sent: strings.TrimSuffix(strings.ToLower(audit), ";")},
	{name: "trigger behind a comment", sql: strings.Replace(audit, "CREATE ", "CREATE /* audit hook */ ", 1),
		sent: strings.TrimSuffix(strings.Replace(audit, "CREATE ", "CREATE /* audit hook */ ", 1), ";")},
	{name: "trigger without a semicolon", sql: strings.TrimSuffix(audit, ";"), sent: strings.TrimSuffix(audit, ";")},
	{name: "byte order mark and no-break space", sql: "\ufeff\u00a0SELECT 1\u00a0;\ufeff", sent: "SELECT 1"},

	{name: "two statements", sql: tableA + " " + tableB, err: "more than one SQL statement"},
	{name: "two semicolons", sql: "SELECT 1;;", err: "more than one SQL statement"},
	{name: "stray string", sql: "SELECT 1; 'stray string'", err: "more than one SQL statement"},
	{name: "trigger and more", sql: audit + " DROP TABLE posts;", err: "more than one SQL statement"},
	{name: "trigger behind a comment and more", sql: strings.Replace(audit, "CREATE ", "CREATE /* audit hook */ ", 1) + " DROP TABLE posts;",
		err: "more than one SQL statement"},
	{name: "empty", sql: "", err: "no SQL"},
	{name: "white space", sql: " \r\n\ufeff", err: "no SQL"},
	{name: "comments", sql: "-- later;\n/* or never */", err: "no SQL"},
	{name: "invalid UTF-8", sql: "SELECT '\xff'", err: "not valid UTF-8"},
}

func TestStatements(t *testing.T) {
	t.Parallel()
	for _, tt := range statements {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db := d1test.Open(t, "CREATE TABLE posts (id INTEGER); CREATE TABLE audit (post_id INTEGER, label TEXT); CREATE TABLE config (k, v)")
			r, err := migrate.New(db, migrate.Values(step(1, tt.sql)), migrate.Options{})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), `"m1" (version 1)`) {
					t.Fatalf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			plan, err := r.Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			sent := plan.Batches[0].Statements
			if len(sent) != 2 || !strings.HasPrefix(sent[0], "INSERT INTO __drizzle_migrations (hash, ") {
				t.Fatalf("the ledger does not come first: %q", sent)
			}
			equal(t, "sent", sent[1], tt.sent)
			result, err := r.Run(t.Context())
			if err != nil || len(result.Applied) != 1 {
				t.Fatalf("%+v, error %v", result, err)
			}
			if hash := hashes[tt.sql]; hash != "" {
				equal(t, "hash", column(t, db, recorded), []string{hash})
			}
			if strings.HasPrefix(tt.name, "trigger") {
				if _, err := db.Run(t.Context(), "INSERT INTO posts VALUES (7)"); err != nil {
					t.Fatal(err)
				}
				equal(t, "what the trigger wrote", column(t, db, "SELECT post_id || label FROM audit"), []string{"7positive"})
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		list []migrate.Migration
		want string
	}{
		"one version twice": {[]migrate.Migration{step(1, tableA), step(1, tableB)}, "duplicate migration version 1"},
		"identical SQL":     {[]migrate.Migration{step(2, tableA), step(1, tableA)}, "identical SQL"},
	} {
		if _, err := migrate.New(nil, migrate.Values(c.list...), migrate.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	db := d1test.Open(t)
	r := newRunner(t, db, migrate.Values(step(1, tableA), step(2, "INSERT INTO\n  nope VALUES (1);"), step(3, tableB)), migrate.Options{})
	result, err := r.Run(t.Context())
	e, ok := errors.AsType[*migrate.Error](err)
	if !ok {
		t.Fatalf("error %v", err)
	}
	equal(t, "applied", versions(result.Applied), []int64{1})
	equal(t, "applied, says the error", versions(e.Applied), []int64{1})
	if e.Version != 2 || e.Name != "m2" || e.Statement != 0 || e.Line != 2 && e.Line != 1 {
		t.Errorf("%+v", e)
	}
	for _, want := range []string{`migration "m2" (version 2), statement 1`, "no such table: nope", `applied before it: "m1" (version 1)`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
	equal(t, "ledger", column(t, db, recorded), []string{hashes[tableA]})
}

func TestChanged(t *testing.T) {
	t.Parallel()
	for name, ledger := range map[string]string{
		"our ledger": "",
		"lunora's":   "CREATE TABLE __drizzle_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, created_at NUMERIC)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := d1test.Open(t)
			if ledger != "" {
				db = d1test.Open(t, ledger)
			}
			run(t, db, migrate.Values(step(1, tableA), step(2, tableB)), migrate.Options{})
			changed := migrate.Values(step(1, tableA), step(2, "CREATE TABLE b (id INTEGER, more TEXT)"), step(3, users))
			_, err := newRunner(t, db, changed, migrate.Options{}).Run(t.Context())
			if e, ok := errors.AsType[*migrate.InvalidError](err); !ok || len(e.Problems) != 1 || e.Problems[0].Name != "m2" || !strings.Contains(err.Error(), "changed after it was applied") {
				t.Fatalf("error %v", err)
			}
			equal(t, "ledger", column(t, db, recorded), []string{hashes[tableA], hashes[tableB]})
			status, err := newRunner(t, db, changed, migrate.Options{}).Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var states []migrate.State
			for _, s := range status {
				states = append(states, s.State)
			}
			equal(t, "states", states, []migrate.State{migrate.Applied, migrate.Changed, migrate.Pending})
			applied, skipped := run(t, db, changed, migrate.Options{AllowChanged: true})
			equal(t, "applied when allowed", applied, []int64{3})
			equal(t, "skipped when allowed", skipped, []int64{1, 2})
			// A checkout with other ends of lines is no change.
			applied, _ = run(t, db, migrate.Values(step(1, tableA), step(2, tableB), step(3, users), step(4, "SELECT\n1")), migrate.Options{})
			equal(t, "applied", applied, []int64{4})
			applied, skipped = run(t, db, migrate.Values(step(1, tableA), step(2, tableB), step(3, users), step(4, "SELECT\r\n1")), migrate.Options{})
			equal(t, "applied", applied, []int64(nil))
			equal(t, "skipped", skipped, []int64{1, 2, 3, 4})
		})
	}
}

// TestManyRunners is the promise: each migration is applied once, and no runner fails.
func TestManyRunners(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) *d1.DB{
		"one database": func(t *testing.T) *d1.DB { return d1test.Open(t) },
		"with drizzle's ledger": func(t *testing.T) *d1.DB {
			return d1test.Open(t, "CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			source := migrate.Values(step(1, tableA), step(2, "CREATE TABLE log (n)"), step(3, "INSERT INTO log VALUES (1)"),
				step(4, "INSERT INTO log VALUES (2)"), step(5, tableB))
			counts := make(map[int64]int)
			var mu sync.Mutex
			var wg sync.WaitGroup
			for range 200 {
				wg.Go(func() {
					r, err := migrate.New(db, source, migrate.Options{})
					if err != nil {
						t.Error(err)
						return
					}
					result, err := r.Run(context.Background())
					if err != nil || len(result.Applied)+len(result.Skipped) != 5 {
						t.Errorf("%+v, error %v", result, err)
					}
					mu.Lock()
					defer mu.Unlock()
					for _, v := range versions(result.Applied) {
						counts[v]++
					}
				})
			}
			wg.Wait()
			equal(t, "applied", counts, map[int64]int{1: 1, 2: 1, 3: 1, 4: 1, 5: 1})
			equal(t, "log", column(t, db, "SELECT n FROM log ORDER BY n"), []string{"1", "2"})
			equal(t, "rows", column(t, db, "SELECT count(*) FROM __drizzle_migrations"), []string{"5"})
		})
	}
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// TestSharedLedger runs beside others who have rows in the same table.
func TestSharedLedger(t *testing.T) {
	t.Parallel()
	for name, ledger := range map[string]string{
		"drizzle 0.x": "CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)",
		"lunora":      "CREATE TABLE __drizzle_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, created_at NUMERIC)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := d1test.Open(t, ledger, "INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('theirs', 1700000000000)")
			source := migrate.Values(step(1, tableA), step(2, tableB))
			applied, _ := run(t, db, source, migrate.Options{})
			equal(t, "applied", applied, []int64{1, 2})
			_, skipped := run(t, db, source, migrate.Options{})
			equal(t, "skipped", skipped, []int64{1, 2})
			if name == "drizzle 0.x" { // which goes by the newest
				equal(t, "newest", column(t, db, "SELECT created_at FROM __drizzle_migrations ORDER BY created_at DESC LIMIT 1"), []string{"1700000000000"})
			}
		})
	}
}
