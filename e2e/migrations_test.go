package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/migrate"
)

// built is skylite's binary, made once.
var built = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(home, "skylite")
	build := exec.Command("go", "build", "-o", bin, "./cmd/skylite")
	build.Dir = ".."
	out, err := build.CombinedOutput()
	if err != nil {
		return string(out), err
	}
	return bin, nil
})

// skylite runs skylite against the client's server, as its Cloudflare.
func (c *client) skylite(t testing.TB, args ...string) output {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatalf("%v\n%s", err, bin)
	}
	return c.run(t, bin, append(args, "--remote")...)
}

// without hides migrations while f runs.
func (c *client) without(t *testing.T, names []string, f func()) {
	t.Helper()
	aside, folder := t.TempDir(), filepath.Join(c.dir, "migrations")
	move := func(from, to string) {
		for _, name := range names {
			if err := os.Rename(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	move(folder, aside)
	f()
	move(aside, folder)
}

// TestWranglerAndSkylite has one apply the first half of a folder and the other the rest,
// both ways, and each then has nothing to do.
func TestWranglerAndSkylite(t *testing.T) {
	for name, wranglerFirst := range map[string]bool{"wrangler first": true, "skylite first": false} {
		t.Run(name, func(t *testing.T) {
			c := newWrangler(t)
			c.inMigrations(t)
			wrangler := func() string {
				o := c.wrangler(t, "d1", "migrations", "apply", "shop", "--remote")
				return o.ok(t) + o.stderr
			}
			skylite := func() string {
				o := c.skylite(t, "d1", "migrations", "apply", "DB")
				return o.ok(t) + o.stderr
			}
			first, second := wrangler, skylite
			if !wranglerFirst {
				first, second = skylite, wrangler
			}
			c.without(t, []string{"0003_first_user.sql"}, func() {
				contains(t, first(), "0001_users.sql", "0002_audit.sql")
			})
			contains(t, second(), "0003_first_user.sql")
			contains(t, first(), "No migrations to apply!")
			contains(t, second(), "No migrations to apply!")
			if got := c.column(t, applied); !slices.Equal(got, []any{"0001_users.sql", "0002_audit.sql", "0003_first_user.sql"}) {
				t.Errorf("applied: %v", got)
			}
			if got := c.column(t, "SELECT user_id || ': ' || was || ' > ' || is_now FROM audit"); !slices.Equal(got, []any{"1: Ada > Ada Lovelace"}) {
				t.Errorf("what the trigger wrote: %v", got)
			}
			// The table is the same, whoever made it.
			ddl := strings.Join(strings.Fields(c.column(t, "SELECT sql FROM sqlite_master WHERE name = 'd1_migrations'")[0].(string)), " ")
			const want = `CREATE TABLE "d1_migrations"( id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL )`
			if ddl != want {
				t.Errorf("the ledger is %s", ddl)
			}
		})
	}
}

// TestWranglerOrder compares the order in which wrangler applies files with ours.
func TestWranglerOrder(t *testing.T) {
	c := newWrangler(t)
	c.inMigrations(t)
	c.write(t, "wrangler.toml", strings.Replace(readFile(t, filepath.Join(c.dir, "wrangler.toml")), "database_id",
		"migrations_dir = \"many\"\nmigrations_pattern = \"many/**/*.sql\"\ndatabase_id", 1))
	for _, name := range []string{"10_c.sql", "9_b.sql", "1_a.sql", "0001_beta.sql", "0001_Alpha.sql", "later.sql", "Zebra.sql", "2_users/0002_b.sql",
		"2_users/1_a.sql", "11_x/1.sql", "notes/1.sql"} {
		file := filepath.Join(c.dir, "many", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, file, "SELECT 1;")
	}
	var listed []struct{ Name string }
	printed(t, c.skylite(t, "d1", "migrations", "list", "shop").ok(t), &listed)
	var ours []any
	for _, l := range listed {
		ours = append(ours, l.Name)
	}
	c.wrangler(t, "d1", "migrations", "apply", "shop", "--remote").ok(t)
	if theirs := c.column(t, applied); !slices.Equal(theirs, ours) {
		t.Errorf("wrangler's order is %v, ours %v", theirs, ours)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// drizzleFolders are one history in the two forms that drizzle-kit has.
var drizzleFolders = map[string]struct {
	journal [2]string
	files   [3]string
}{
	"0": {
		journal: [2]string{
			`{"version":"7","dialect":"sqlite","entries":[{"idx":0,"version":"6","when":1700000000000,"tag":"0000_users","breakpoints":true},` +
				`{"idx":1,"version":"6","when":1700000001000,"tag":"0001_posts","breakpoints":true}]}`,
			`{"version":"7","dialect":"sqlite","entries":[{"idx":0,"version":"6","when":1700000000000,"tag":"0000_users","breakpoints":true},` +
				`{"idx":1,"version":"6","when":1700000001000,"tag":"0001_posts","breakpoints":true},` +
				`{"idx":2,"version":"6","when":1700000002000,"tag":"0002_more","breakpoints":true}]}`,
		},
		files: [3]string{"0000_users.sql", "0001_posts.sql", "0002_more.sql"},
	},
	"1": {files: [3]string{"20231114221320_users/migration.sql", "20231114221321_posts/migration.sql", "20231114221322_more/migration.sql"}},
}

var drizzleTexts = [3]string{
	"CREATE TABLE `users` (\n\t`id` integer PRIMARY KEY NOT NULL,\n\t`name` text DEFAULT 'a;b' NOT NULL\n);\n",
	"CREATE TABLE `posts` (\n\t`id` integer PRIMARY KEY NOT NULL,\n\t`author` integer NOT NULL,\n" +
		"\tFOREIGN KEY (`author`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade\n);\n--> statement-breakpoint\n" +
		"CREATE INDEX `posts_author` ON `posts` (`author`);",
	"ALTER TABLE `users` ADD `email` text;--> statement-breakpoint\nCREATE UNIQUE INDEX `users_email` ON `users` (`email`);",
}

// drizzleFolder writes the first n migrations of a history.
func (c *client) drizzleFolder(t *testing.T, version string, n int) string {
	t.Helper()
	dir := filepath.Join(c.dir, "drizzle")
	f := drizzleFolders[version]
	if version == "0" {
		if err := os.MkdirAll(filepath.Join(dir, "meta"), 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, "meta", "_journal.json"), f.journal[n-2])
	}
	for i, name := range f.files[:n] {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, file, drizzleTexts[i])
	}
	return dir
}

// TestDrizzleAndSkylite has drizzle-orm's D1 migrator apply the first half of a folder
// and skylite the rest, both ways, and each then has nothing to do.
func TestDrizzleAndSkylite(t *testing.T) {
	for _, version := range []string{"0", "1"} {
		for name, drizzleFirst := range map[string]bool{"drizzle first": true, "skylite first": false} {
			t.Run(version+".x, "+name, func(t *testing.T) {
				c := newWrangler(t)
				id := c.create(t, "shop")
				drizzle := func() (writes []string) {
					printed(t, c.node(t, "clients/drizzle.mjs", version, id, filepath.Join(c.dir, "drizzle")).ok(t), &writes)
					return slices.DeleteFunc(writes, func(sql string) bool { return strings.HasPrefix(sql, "CREATE TABLE IF NOT EXISTS") })
				}
				skylite := func() (applied []string) {
					var result struct{ Applied []struct{ Name string } }
					printed(t, c.skylite(t, "d1", "migrations", "apply", "shop", "--source", "drizzle", "--dir", "drizzle").ok(t), &result)
					for _, m := range result.Applied {
						applied = append(applied, m.Name)
					}
					return applied
				}
				first, second := drizzle, skylite
				if !drizzleFirst {
					first, second = skylite, drizzle
				}
				c.drizzleFolder(t, version, 2)
				if got := first(); len(got) == 0 {
					t.Error("the first half was not applied")
				}
				c.drizzleFolder(t, version, 3)
				if got := second(); len(got) == 0 || drizzleFirst && len(got) != 1 || !drizzleFirst && len(got) != 3 {
					t.Errorf("the second half: %q", got)
				}
				for _, tool := range []func() []string{first, second} {
					if got := tool(); len(got) != 0 {
						t.Errorf("there was something left to do: %q", got)
					}
				}
				if got := c.column(t, "SELECT count(*) FROM __drizzle_migrations"); !slices.Equal(got, []any{3.0}) {
					t.Errorf("the ledger has %v rows", got)
				}
				if got := c.column(t, "SELECT name FROM sqlite_master WHERE name IN ('users', 'posts', 'posts_author', 'users_email') ORDER BY 1"); len(got) != 4 {
					t.Errorf("the schema has %v", got)
				}
			})
		}
	}
}

// TestThreeTools has wrangler, drizzle-orm and skylite on one folder, after the database
// was adopted.
func TestThreeTools(t *testing.T) {
	c := newWrangler(t)
	id := c.create(t, "shop")
	c.write(t, "wrangler.toml", "name = \"worker\"\ncompatibility_date = \"2026-01-01\"\n[[d1_databases]]\nbinding = \"DB\"\n"+
		"database_name = \"shop\"\ndatabase_id = \""+id+"\"\nmigrations_dir = \"drizzle\"\n")
	c.drizzleFolder(t, "0", 2)
	c.wrangler(t, "d1", "migrations", "apply", "shop", "--remote").ok(t)
	c.skylite(t, "d1", "migrations", "apply", "shop", "--source", "drizzle").failed(t, "d1_migrations says, but __drizzle_migrations does not know")
	c.skylite(t, "d1", "migrations", "adopt", "shop", "--both", "-y").ok(t)
	c.drizzleFolder(t, "0", 3)
	contains(t, c.skylite(t, "d1", "migrations", "apply", "shop").ok(t), "0002_more.sql")
	contains(t, c.wrangler(t, "d1", "migrations", "apply", "shop", "--remote").ok(t), "No migrations to apply!")
	contains(t, c.skylite(t, "d1", "migrations", "apply", "shop", "--source", "drizzle").stderr, "No migrations to apply!")
	var writes []string
	printed(t, c.node(t, "clients/drizzle.mjs", "0", id, filepath.Join(c.dir, "drizzle")).ok(t), &writes)
	if len(writes) != 1 {
		t.Errorf("drizzle wrote %q", writes)
	}
}

// TestDrizzleUpgrade has a database of drizzle-orm 0.x adopted for 1.x, which cannot
// upgrade its table itself: D1 refuses its BEGIN.
func TestDrizzleUpgrade(t *testing.T) {
	c := newWrangler(t)
	id := c.create(t, "shop")
	c.drizzleFolder(t, "0", 2)
	dir := filepath.Join(c.dir, "drizzle")
	c.node(t, "clients/drizzle.mjs", "0", id, dir).ok(t)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	c.drizzleFolder(t, "1", 3)
	c.node(t, "clients/drizzle.mjs", "1", id, dir).failed(t, "begin")
	c.skylite(t, "d1", "migrations", "apply", "shop", "--source", "drizzle", "--dir", "drizzle").failed(t, "adopt")
	c.skylite(t, "d1", "migrations", "adopt", "shop", "--source", "drizzle", "--dir", "drizzle", "-y").ok(t)
	var writes []string
	printed(t, c.node(t, "clients/drizzle.mjs", "1", id, dir).ok(t), &writes)
	if len(writes) != 3 || !strings.Contains(writes[0], "email") {
		t.Errorf("drizzle 1.x wrote %q", writes)
	}
	contains(t, c.skylite(t, "d1", "migrations", "apply", "shop", "--source", "drizzle", "--dir", "drizzle").stderr, "No migrations to apply!")
}

// TestTwoHundredRunners has two hundred programs, each with a connection of its own,
// migrate one database at the same time.
func TestTwoHundredRunners(t *testing.T) {
	t.Parallel()
	f := serveFiles(t)
	id := f.create(t, "shop")
	files := fstest.MapFS{}
	for i, sql := range []string{"CREATE TABLE log (n INTEGER)", "INSERT INTO log VALUES (1)", "CREATE TABLE a (x);\nINSERT INTO log VALUES (2)",
		"ALTER TABLE a ADD COLUMN y", "INSERT INTO log VALUES (3)"} {
		files[fmt.Sprintf("%04d_step.sql", i+1)] = &fstest.MapFile{Data: []byte(sql)}
	}
	applied := make([]int, 200)
	var wg sync.WaitGroup
	for i := range applied {
		wg.Go(func() {
			db := d1.New(f.open(t, id))
			r, err := migrate.New(db, migrate.Wrangler(files, ""), migrate.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			result, err := r.Run(t.Context())
			if err != nil || len(result.Applied)+len(result.Skipped) != len(files) {
				t.Errorf("%+v, error %v", result, err)
			}
			applied[i] = len(result.Applied)
		})
	}
	wg.Wait()
	total := 0
	for _, n := range applied {
		total += n
	}
	c := f.client(t)
	if got := c.column(t, "SELECT n FROM log ORDER BY rowid"); total != len(files) || !slices.Equal(got, []any{1.0, 2.0, 3.0}) {
		t.Errorf("%d migrations were applied; the log has %v", total, got)
	}
}
