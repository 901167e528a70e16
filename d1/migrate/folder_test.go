package migrate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/d1/migrate"
)

func names(records []migrate.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.Name)
	}
	return all
}

func TestFiles(t *testing.T) {
	t.Parallel()
	db := d1test.Open(t)
	files := fsOf("0010_b.sql", tableB, "2_a.sql", tableA, "2_a.down.sql", "DROP TABLE a", "README.md", "not one", "deeper/3_c.sql", "no SQL")
	r := newRunner(t, db, migrate.Files(files), migrate.Options{})
	equal(t, "names", r.Migrations(), []migrate.Record{{Version: 2, Name: "2_a"}, {Version: 10, Name: "0010_b"}})
	result, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "applied", versions(result.Applied), []int64{2, 10})
	equal(t, "ledger", column(t, db, "SELECT hash || name FROM __drizzle_migrations ORDER BY id"), []string{hashes[tableA] + "2_a", hashes[tableB] + "0010_b"})

	for want, files := range map[string]migrate.Source{
		"is not called NNNN_name.sql":     migrate.Files(fsOf("a.sql", tableA)),
		"that is not there: 2_a.sql":      migrate.Files(fsOf("1_a.sql", tableA, "2_a.down.sql", tableA)),
		"more than one SQL statement":     migrate.Files(fsOf("1_a.sql", tableA+tableB)),
		"duplicate migration version 1":   migrate.Files(fsOf("1_a.sql", tableA, "01_b.sql", tableB)),
		"there are no migrations":         migrate.Files(fsOf("README.md", "")),
		"its number is too large":         migrate.Files(fsOf("99999999999999999999_a.sql", tableA)),
		"move it to down/1_a.down.sql":    migrate.Wrangler(fsOf("1_a.sql", tableA, "1_a.down.sql", tableA), ""),
		"not understood here":             migrate.Wrangler(fsOf("1_a.sql", tableA), "*.{sql,txt}"),
		"names \"a\" twice":               migrate.Drizzle(fsOf("meta/_journal.json", `{"entries":[{"tag":"a"},{"tag":"a"}]}`)),
		"is no file":                      migrate.Drizzle(fsOf("meta/_journal.json", `{"entries":[{"tag":"../a"}]}`)),
		"needs the dialect sqlite":        migrate.Drizzle(fsOf("meta/_journal.json", `{"dialect":"postgresql","entries":[]}`)),
		"meta/_journal.json":              migrate.Drizzle(fsOf("meta/_journal.json", `{`)),
		"open a.sql":                      migrate.Drizzle(fsOf("meta/_journal.json", `{"entries":[{"tag":"a"}]}`)),
		"there is neither":                migrate.Drizzle(fsOf("1.sql", tableA)),
		"not called YYYYMMDDHHMMSS_name":  migrate.Drizzle(fsOf("x/migration.sql", tableA)),
		"down migration of \"1_a\" (vers": migrate.Files(fsOf("1_a.sql", tableA, "1_a.down.sql", "\xff")),
	} {
		if _, err := migrate.New(nil, files, migrate.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestWranglerOrder(t *testing.T) {
	t.Parallel()
	files := fsOf("10_c.sql", tableA, "9_b.sql", tableA, "1_a.sql", tableA, "0001_beta.sql", tableA, "0001_alpha.sql", tableA, "later.sql", tableA,
		"2_users/0002_b.sql", tableA, "2_users/0001_a.sql", tableA, "11_x/1.sql", tableA, ".hidden.sql", tableA, "notes.txt", "")
	r := newRunner(t, nil, migrate.Wrangler(files, "**/*.sql"), migrate.Options{})
	equal(t, "order", names(r.Migrations()), []string{"0001_alpha.sql", "0001_beta.sql", "1_a.sql", "2_users/0001_a.sql", "2_users/0002_b.sql",
		"9_b.sql", "10_c.sql", "11_x/1.sql", "later.sql"})
	r = newRunner(t, nil, migrate.Wrangler(files, ""), migrate.Options{})
	equal(t, "top", names(r.Migrations()), []string{"0001_alpha.sql", "0001_beta.sql", "1_a.sql", "9_b.sql", "10_c.sql", "later.sql"})
	r = newRunner(t, nil, migrate.Wrangler(files, "*/1*.sql"), migrate.Options{})
	equal(t, "below", names(r.Migrations()), []string{"11_x/1.sql"})
}

// wranglerMade is what wrangler leaves behind when it has applied the first migration.
const wranglerMade = `CREATE TABLE IF NOT EXISTS "my migrations"(
		id         INTEGER PRIMARY KEY AUTOINCREMENT,
		name       TEXT UNIQUE,
		applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE TABLE a (id INTEGER);
INSERT INTO "my migrations" (name) VALUES ('0001_it''s.sql'), ('0000_gone.sql');`

func TestWrangler(t *testing.T) {
	t.Parallel()
	db := d1test.Open(t, wranglerMade)
	source := migrate.Wrangler(fsOf("0001_it's.sql", tableA, "0002_two.sql", tableB+"\n"+users+";\n", "0003_empty.sql", "-- Migration number: 0003"),
		"")
	opts := migrate.Options{WranglerTable: "my migrations"}
	r := newRunner(t, db, source, opts)
	if _, err := r.Run(t.Context()); err == nil || !strings.Contains(err.Error(), `"0003_empty.sql" (version 3): it holds no SQL`) {
		t.Fatalf("error %v", err)
	}
	status, err := r.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var states []string
	for _, s := range status {
		states = append(states, s.Name+" "+string(s.State)+" "+strings.Join(s.Ledgers, ","))
	}
	equal(t, "states", states, []string{"0001_it's.sql applied my migrations", "0002_two.sql pending ", "0003_empty.sql pending ",
		"0000_gone.sql missing my migrations"})
	if at := status[0].AppliedAt; time.Since(at) > time.Hour || time.Since(at) < -time.Hour {
		t.Errorf("applied at %v", at)
	}
	// An empty one that wrangler has recorded is no trouble.
	if _, err := db.Run(t.Context(), `INSERT INTO "my migrations" (name) VALUES ('0003_empty.sql')`); err != nil {
		t.Fatal(err)
	}
	applied, _ := run(t, db, source, opts)
	equal(t, "applied", applied, []int64{2})
	if problems, err := r.Validate(t.Context()); err != nil || len(problems) != 0 {
		t.Errorf("problems %v, error %v", problems, err)
	}
	equal(t, "ledger", column(t, db, `SELECT name FROM "my migrations" ORDER BY id`),
		[]string{"0001_it's.sql", "0000_gone.sql", "0003_empty.sql", "0002_two.sql"})
	equal(t, "ledgers", column(t, db, "SELECT count(*) FROM sqlite_master WHERE name = '__drizzle_migrations'"), []string{"0"})
}

const journal = `{"version":"7","dialect":"sqlite","entries":[
{"idx":0,"version":"6","when":1700000000000,"tag":"0000_a","breakpoints":true},
{"idx":1,"version":"6","when":1700000001000,"tag":"0001_b","breakpoints":true},
{"idx":2,"version":"6","when":1700000002000,"tag":"0002_c","breakpoints":true}]}`

const twoB = tableB + "\n--> statement-breakpoint\nCREATE TABLE b2 (id INTEGER);"

func journalFolder() []string {
	return []string{"meta/_journal.json", journal, "0000_a.sql", tableA, "0001_b.sql", twoB, "0002_c.sql", users}
}

const (
	drizzle0 = "CREATE TABLE IF NOT EXISTS \"__drizzle_migrations\" (\n\tid SERIAL PRIMARY KEY,\n\thash text NOT NULL,\n\tcreated_at numeric\n);"
	drizzle1 = "CREATE TABLE __drizzle_migrations (id INTEGER PRIMARY KEY, hash text NOT NULL, created_at numeric, name text, applied_at TEXT);"
)

func TestDrizzleJournal(t *testing.T) {
	t.Parallel()
	// drizzle-kit over HTTP writes created_at as a text.
	db := d1test.Open(t, tableA, drizzle0+"INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('"+hashes[tableA]+"', '1700000000000')")
	source := migrate.Drizzle(fsOf(journalFolder()...))
	applied, skipped := run(t, db, source, migrate.Options{})
	equal(t, "applied", applied, []int64{1, 2})
	equal(t, "skipped", skipped, []int64{0})
	equal(t, "ledger", column(t, db, "SELECT created_at || ' ' || substr(hash, 1, 8) FROM __drizzle_migrations ORDER BY created_at"),
		[]string{"1700000000000 5d8d272f", "1700000001000 " + hashOf(twoB)[:8], "1700000002000 88faedf1"})
	equal(t, "tables", column(t, db, "SELECT count(*) FROM sqlite_master WHERE name IN ('a', 'b', 'b2', 'users')"), []string{"4"})

	changed := append(journalFolder(), "0001_b.sql", tableB)
	_, err := newRunner(t, db, migrate.Drizzle(fsOf(changed...)), migrate.Options{}).Run(t.Context())
	if e, ok := errors.AsType[*migrate.InvalidError](err); !ok || len(e.Problems) != 1 || e.Problems[0].Name != "0001_b" {
		t.Errorf("error %v", err)
	}
	applied, _ = run(t, db, migrate.Drizzle(fsOf(changed...)), migrate.Options{AllowChanged: true})
	equal(t, "applied", applied, []int64(nil))
}

func TestDrizzlePassesOver(t *testing.T) {
	t.Parallel()
	db := d1test.Open(t, drizzle0+"INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('"+hashes[users]+"', 1700000002000)")
	source := migrate.Drizzle(fsOf(journalFolder()...))
	_, err := newRunner(t, db, source, migrate.Options{}).Run(t.Context())
	if e, ok := errors.AsType[*migrate.InvalidError](err); !ok || len(e.Problems) != 2 || !strings.Contains(err.Error(), "older than the newest") {
		t.Errorf("error %v", err)
	}
	applied, _ := run(t, db, source, migrate.Options{AllowOutOfOrder: true})
	equal(t, "applied", applied, []int64{0, 1})
}

func foldersOf1x() []string {
	return []string{"20231114221320_a/migration.sql", tableA, "20231114221321_b/migration.sql", twoB, "20231114221322_c/migration.sql", users}
}

func TestDrizzleFolders(t *testing.T) {
	t.Parallel()
	db := d1test.Open(t, tableA, drizzle1+"INSERT INTO __drizzle_migrations (hash, created_at, name) VALUES ('"+hashes[tableA]+
		"', 1700000000000, '20231114221320_a'), ('unnamed', 1800000000000, NULL)")
	result, err := newRunner(t, db, migrate.Drizzle(fsOf(foldersOf1x()...)), migrate.Options{}).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "applied", names(result.Applied), []string{"20231114221321_b", "20231114221322_c"})
	equal(t, "ledger", column(t, db, "SELECT created_at || name || (applied_at LIKE '____-__-__T%Z') FROM __drizzle_migrations WHERE applied_at NOT NULL ORDER BY id"),
		[]string{"170000000100020231114221321_b1", "170000000200020231114221322_c1"})
}

// rowsOf lists both ledgers.
func rowsOf(t *testing.T, db *d1.DB) (wrangler, drizzle []string) {
	t.Helper()
	return column(t, db, "SELECT name FROM d1_migrations ORDER BY id"),
		column(t, db, "SELECT created_at FROM __drizzle_migrations ORDER BY created_at")
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	db := d1test.Open(t)
	first := fsOf(journalFolder()[:4]...)
	first["meta/_journal.json"].Data = []byte(strings.Split(journal, ",\n{\"idx\":1")[0] + "]}")
	run(t, db, migrate.Wrangler(first, ""), migrate.Options{})

	// drizzle would begin anew.
	whole := fsOf(journalFolder()...)
	drizzle := newRunner(t, db, migrate.Drizzle(whole), migrate.Options{})
	_, err := drizzle.Run(t.Context())
	if _, ok := errors.AsType[*migrate.InvalidError](err); !ok || !strings.Contains(err.Error(), "d1_migrations says, but __drizzle_migrations does not know; adopt") {
		t.Fatalf("error %v", err)
	}
	status, err := drizzle.Status(t.Context())
	if err != nil || status[0].State != migrate.Unadopted || status[1].State != migrate.Pending {
		t.Errorf("status %+v, error %v", status, err)
	}

	adoption, err := drizzle.Adopt(t.Context(), migrate.AdoptOptions{})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "rows", adoption.Rows, []migrate.AdoptedRow{{Record: migrate.Record{Version: 0, Name: "0000_a"}, Ledger: "__drizzle_migrations",
		Because: "d1_migrations records it"}})
	equal(t, "nothing is written yet", column(t, db, "SELECT name FROM sqlite_master WHERE name LIKE '%drizzle%'"), []string(nil))
	if err := adoption.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := adoption.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "at the same time") {
		t.Errorf("again: error %v", err)
	}

	// From now on both ledgers are kept, whoever runs.
	one := fsOf(append(journalFolder()[:6:6], "meta/_journal.json", strings.Split(journal, ",\n{\"idx\":2")[0]+"]}")...)
	run(t, db, migrate.Drizzle(one), migrate.Options{})
	run(t, db, migrate.Wrangler(whole, ""), migrate.Options{})
	w, d := rowsOf(t, db)
	equal(t, "wrangler's", w, []string{"0000_a.sql", "0001_b.sql", "0002_c.sql"})
	equal(t, "drizzle's", d, []string{"1700000000000", "1700000001000", "1700000002000"})
	for _, source := range []migrate.Source{migrate.Drizzle(whole), migrate.Wrangler(whole, "")} {
		applied, skipped := run(t, db, source, migrate.Options{})
		if len(applied) != 0 || len(skipped) != 3 {
			t.Errorf("applied %v, skipped %v", applied, skipped)
		}
	}
}

func TestAdoptBaseline(t *testing.T) {
	t.Parallel()
	db := d1test.Open(t, tableA, twoB)
	r := newRunner(t, db, migrate.Wrangler(fsOf(journalFolder()...), ""), migrate.Options{})
	if _, err := r.Adopt(t.Context(), migrate.AdoptOptions{Baseline: "nope"}); err == nil {
		t.Error("there is no such baseline")
	}
	adoption, err := r.Adopt(t.Context(), migrate.AdoptOptions{Baseline: "0001_b", Other: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := adoption.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	result, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "applied", names(result.Applied), []string{"0002_c.sql"})
	w, d := rowsOf(t, db)
	equal(t, "wrangler's", w, []string{"0000_a.sql", "0001_b.sql", "0002_c.sql"})
	equal(t, "drizzle's", d, []string{"1700000000000", "1700000001000", "1700000002000"})
}

func TestAdoptFolders(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := d1test.Open(t, drizzle0+"INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('"+hashes[tableA]+"', 1700000000123), ('"+
		hashOf(twoB)+"', 1234)")
	r := newRunner(t, db, migrate.Drizzle(fsOf(foldersOf1x()...)), migrate.Options{})
	if _, err := r.Run(ctx); err == nil || !strings.Contains(err.Error(), "adopt") {
		t.Fatalf("error %v", err)
	}
	adoption, err := r.Adopt(ctx, migrate.AdoptOptions{Other: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := adoption.Run(ctx); err != nil {
		t.Fatal(err)
	}
	result, err := r.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "applied", names(result.Applied), []string{"20231114221322_c"})
	equal(t, "names", column(t, db, "SELECT name FROM __drizzle_migrations ORDER BY name"),
		[]string{"20231114221320_a", "20231114221321_b", "20231114221322_c"})
	w, _ := rowsOf(t, db)
	equal(t, "wrangler's", w, []string{"20231114221320_a/migration.sql", "20231114221321_b/migration.sql", "20231114221322_c/migration.sql"})

	stranger := d1test.Open(t, drizzle0+"INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('abc', 7)")
	if _, err := newRunner(t, stranger, migrate.Drizzle(fsOf(foldersOf1x()...)), migrate.Options{}).Adopt(ctx, migrate.AdoptOptions{}); err == nil ||
		!strings.Contains(err.Error(), "none of the migrations") {
		t.Errorf("error %v", err)
	}
}
