package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// inMigrations writes the configuration that a client's migrations need, and the
// migrations of testdata.
func (c *client) inMigrations(t *testing.T) {
	t.Helper()
	config := `name = "worker"
compatibility_date = "2026-01-01"
[[d1_databases]]
binding = "DB"
database_name = "shop"
database_id = "` + c.create(t, "shop") + `"
`
	c.write(t, "wrangler.toml", config)
	if err := os.CopyFS(filepath.Join(c.dir, "migrations"), os.DirFS("testdata/migrations")); err != nil {
		t.Fatal(err)
	}
}

func (c *client) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// column returns the only column of a query's answer.
func (c *client) column(t *testing.T, sql string) []any {
	t.Helper()
	var answer []struct{ Results struct{ Rows [][]any } }
	c.result(t, "POST", "/d1/database/"+c.idOf(t, "shop")+"/raw", encode(t, map[string]string{"sql": sql}), &answer)
	var values []any
	for _, row := range answer[0].Results.Rows {
		values = append(values, row[0])
	}
	return values
}

const applied = "SELECT name FROM d1_migrations ORDER BY id"

func TestWranglerMigrations(t *testing.T) {
	c := newWrangler(t)
	c.inMigrations(t)
	migrations := func(args ...string) output {
		t.Helper()
		return c.wrangler(t, append([]string{"d1", "migrations"}, args...)...)
	}

	contains(t, migrations("list", "shop", "--remote").ok(t), "0001_users.sql", "0002_audit.sql", "0003_first_user.sql")
	contains(t, migrations("apply", "shop", "--remote").ok(t), "About to apply 3 migration(s)", "✅")
	if got := c.column(t, applied); !slices.Equal(got, []any{"0001_users.sql", "0002_audit.sql", "0003_first_user.sql"}) {
		t.Errorf("applied: %v", got)
	}
	if got := c.column(t, "SELECT user_id || ': ' || was || ' > ' || is_now FROM audit"); !slices.Equal(got, []any{"1: Ada > Ada Lovelace"}) {
		t.Errorf("what the trigger wrote: %v", got)
	}

	contains(t, migrations("apply", "shop", "--remote").ok(t), "No migrations to apply!")
	contains(t, migrations("list", "shop", "--remote").ok(t), "No migrations to apply!")

	contains(t, migrations("create", "shop", "more").ok(t), "0004_more.sql")
	c.write(t, "migrations/0004_more.sql", "CREATE TABLE more (a);\nINSERT INTO more VALUES (1);\n")
	contains(t, migrations("apply", "shop", "--remote").ok(t), "0004_more.sql")
	if got := c.column(t, "SELECT a FROM more"); !slices.Equal(got, []any{1.0}) {
		t.Errorf("after the fourth migration: %v", got)
	}
}

func TestWranglerMigrationFails(t *testing.T) {
	c := newWrangler(t)
	c.inMigrations(t)
	c.write(t, "migrations/0004_wrong.sql", "CREATE TABLE half (a);\nINSERT INTO users (email) VALUES ('Ada@Example.com');\n")
	c.write(t, "migrations/0005_never.sql", "CREATE TABLE never (a);\n")
	c.wrangler(t, "d1", "migrations", "apply", "shop", "--remote").failed(t,
		"UNIQUE constraint failed: users.email: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)")
	if got := c.column(t, applied); len(got) != 3 {
		t.Errorf("applied: %v, want the three that can be", got)
	}
	if got := c.column(t, "SELECT name FROM sqlite_master WHERE name IN ('half', 'never')"); len(got) != 0 {
		t.Errorf("the migration that failed left %v", got)
	}
	contains(t, c.wrangler(t, "d1", "migrations", "list", "shop", "--remote").ok(t), "0004_wrong.sql", "0005_never.sql")
}
