package wrangler_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/cmd/skylite/internal/wrangler"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const jsonc = `{
	// what it is called
	"name": "worker", /* and more */
	"d1_databases": [
		{"binding": "DB", "database_name": "shop", "database_id": "11111111-2222-3333-4444-555555555555",
		 "migrations_dir": "./db/", "migrations_table": "steps", "migrations_pattern": "db/*/migration.sql"},
	],
	"env": {"staging": {"d1_databases": [{"binding": "DB", "database_name": "shop-staging",},],},},
}`

const tomlText = `name = "worker"
[[d1_databases]]
binding = "DB"
database_name = "shop"
database_id = "11111111-2222-3333-4444-555555555555"
migrations_dir = "./db/"
migrations_table = "steps"
migrations_pattern = "db/*/migration.sql"
[env.staging]
d1_databases = [ { binding = "DB", database_name = "shop-staging" } ]
`

func TestRead(t *testing.T) {
	t.Parallel()
	want := wrangler.Database{Binding: "DB", Name: "shop", ID: "11111111-2222-3333-4444-555555555555",
		Dir: "./db/", Table: "steps", Pattern: "db/*/migration.sql"}
	for name, text := range map[string]string{"wrangler.jsonc": jsonc, "wrangler.json": jsonc, "wrangler.toml": tomlText} {
		dir := t.TempDir()
		file := write(t, dir, name, text)
		c, err := wrangler.Read(file, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"shop", "DB", "11111111-2222-3333-4444-555555555555"} {
			db, ok := c.Database(key)
			if diff := cmp.Diff(want, db); !ok || diff != "" {
				t.Errorf("%s, %s: %s", name, key, diff)
			}
		}
		if _, ok := c.Database("nope"); ok {
			t.Error("there is no nope")
		}
		at, pattern, err := c.Migrations(want)
		if at != filepath.Join(dir, "db") || pattern != "*/migration.sql" || err != nil {
			t.Errorf("%s: %q, %q, error %v", name, at, pattern, err)
		}

		staging, err := wrangler.Read(file, "staging")
		if err != nil {
			t.Fatal(err)
		}
		db, ok := staging.Database("DB")
		if !ok || db.Name != "shop-staging" {
			t.Errorf("%s: staging has %+v", name, db)
		}
		at, pattern, err = staging.Migrations(db)
		if at != filepath.Join(dir, "migrations") || pattern != "" || err != nil {
			t.Errorf("%s: %q, %q, error %v", name, at, pattern, err)
		}
		if _, err := wrangler.Read(file, "nope"); err == nil || !strings.Contains(err.Error(), `no environment "nope"`) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"wrangler.json": `{"d1_databases": [`, "wrangler.toml": `d1_databases = [`, "wrangler.jsonc": `{"d1_databases": 7}`} {
		file := write(t, t.TempDir(), name, text)
		if _, err := wrangler.Read(file, ""); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	c := &wrangler.Config{Path: "wrangler.toml"}
	for _, db := range []wrangler.Database{{Pattern: "x/*.sql"}, {Dir: "y", Pattern: "x/*.sql"}} {
		if _, _, err := c.Migrations(db); err == nil {
			t.Errorf("%+v is accepted", db)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	deep := filepath.Join(root, "a", "b")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ dir, name string }{{root, "wrangler.toml"}, {deep, "wrangler.toml"}, {root, "wrangler.jsonc"}, {root, "wrangler.json"}} {
		want := write(t, step.dir, step.name, "")
		if got, err := wrangler.Find(deep); got != want || err != nil {
			t.Errorf("%q, error %v, want %q", got, err, want)
		}
	}
}

// FuzzRead reads any file. What comes out can be asked for databases and folders.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		`{"d1_databases":[{"binding":"DB","database_name":"a","database_id":"b","migrations_dir":"m","migrations_pattern":"m/*.sql"}],"env":{"x":{}}}`,
		"// c\n{\"kv_namespaces\": [{\"binding\": \"KV\", \"id\": \"1\",},],}", `{"env":[]}`, `{"d1_databases":{}}`, "{", "", "\ufeff{}",
		"[[d1_databases]]\nbinding = \"DB\"\nmigrations_dir = \"../..\"\n[env.x]\n[[env.x.kv_namespaces]]\nid = 1", "a = 1\na = 2", "[env]\nx = 1",
	} {
		f.Add(text, false)
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, isTOML bool) {
		name := filepath.Join(t.TempDir(), "wrangler.jsonc")
		if isTOML {
			name = filepath.Join(t.TempDir(), "wrangler.toml")
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, env := range []string{"", "x"} {
			cfg, err := wrangler.Read(name, env)
			if err != nil {
				if !strings.Contains(err.Error(), name) {
					t.Errorf("the error does not name the file: %v", err)
				}
				continue
			}
			for _, db := range cfg.Databases {
				if dir, _, err := cfg.Migrations(db); err == nil && dir == "" {
					t.Errorf("%+v has its migrations nowhere", db)
				}
				cfg.Database(db.Binding)
			}
			cfg.NamespaceID("KV", true)
		}
	})
}
