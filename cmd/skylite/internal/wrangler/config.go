// Package wrangler reads what a Worker's configuration file says of D1 databases and KV
// namespaces.
package wrangler

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/tailscale/hujson"
)

// Config is a configuration file's part about databases and namespaces: those of the
// environment that was asked for.
type Config struct {
	// Path is the file.
	Path string
	section
}

// section is that part, as the file has it for each environment.
type section struct {
	Databases  []Database  `json:"d1_databases" toml:"d1_databases"`
	Namespaces []Namespace `json:"kv_namespaces" toml:"kv_namespaces"`
}

// Namespace is one of kv_namespaces.
type Namespace struct {
	Binding   string `json:"binding" toml:"binding"`
	ID        string `json:"id" toml:"id"`
	PreviewID string `json:"preview_id" toml:"preview_id"`
}

// Database is one of d1_databases.
type Database struct {
	Binding string `json:"binding" toml:"binding"`
	Name    string `json:"database_name" toml:"database_name"`
	ID      string `json:"database_id" toml:"database_id"`
	// PreviewID is what wrangler dev uses in the place of ID.
	PreviewID string `json:"preview_database_id" toml:"preview_database_id"`
	Dir       string `json:"migrations_dir" toml:"migrations_dir"`
	Table     string `json:"migrations_table" toml:"migrations_table"`
	Pattern   string `json:"migrations_pattern" toml:"migrations_pattern"`
}

// Names are the names that a configuration file may have, in wrangler's order.
var Names = []string{"wrangler.json", "wrangler.jsonc", "wrangler.toml"}

// Find returns the configuration file of a folder: in it, or in the nearest folder above
// that has one, wrangler.json before wrangler.jsonc before wrangler.toml. It is "" if
// there is none.
func Find(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for _, name := range Names {
		for at := dir; ; at = filepath.Dir(at) {
			file := filepath.Join(at, name)
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
				return file, nil
			} else if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
				return "", err
			}
			if at == filepath.Dir(at) {
				break
			}
		}
	}
	return "", nil
}

// Read reads a configuration file. An environment's databases and namespaces are its own:
// it inherits none.
func Read(name, env string) (*Config, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var f section
	var more struct {
		Env map[string]section `json:"env" toml:"env"`
	}
	if filepath.Ext(name) == ".toml" {
		err = errors.Join(toml.Unmarshal(text, &f), toml.Unmarshal(text, &more))
	} else if text, err = hujson.Standardize(text); err == nil {
		err = errors.Join(json.Unmarshal(text, &f), json.Unmarshal(text, &more))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if env != "" {
		var ok bool
		if f, ok = more.Env[env]; !ok {
			return nil, fmt.Errorf("%s has no environment %q", name, env)
		}
	}
	return &Config{Path: name, section: f}, nil
}

// NamespaceID returns the ID of a binding's namespace, or of that for previews. It is "" if
// the file does not name it.
func (c *Config) NamespaceID(binding string, preview bool) string {
	for _, ns := range c.Namespaces {
		switch {
		case ns.Binding != binding:
		case preview:
			return ns.PreviewID
		default:
			return ns.ID
		}
	}
	return ""
}

// Database returns the database of a name, a binding or an ID.
func (c *Config) Database(name string) (Database, bool) {
	for _, same := range []func(Database) bool{
		func(db Database) bool { return db.Name == name },
		func(db Database) bool { return db.Binding == name },
		func(db Database) bool { return db.ID != "" && strings.EqualFold(db.ID, name) },
	} {
		for _, db := range c.Databases {
			if same(db) {
				return db, true
			}
		}
	}
	return Database{}, false
}

// Migrations returns the folder of the database's migrations, and the pattern of their
// names in it, or "" if the configuration names none.
func (c *Config) Migrations(db Database) (dir, pattern string, err error) {
	below := path.Clean(filepath.ToSlash(db.Dir))
	if db.Dir == "" {
		below = "migrations"
	}
	dir = filepath.Join(filepath.Dir(c.Path), filepath.FromSlash(below))
	if filepath.IsAbs(db.Dir) {
		dir = db.Dir
	}
	if db.Pattern == "" {
		return dir, "", nil
	}
	pattern, ok := strings.CutPrefix(path.Clean(db.Pattern), below+"/")
	if !ok || db.Dir == "" {
		return "", "", fmt.Errorf("%s: migrations_pattern is %q; it must begin with migrations_dir and a slash", c.Path, db.Pattern)
	}
	return dir, pattern, nil
}
