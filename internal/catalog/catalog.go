// Package catalog keeps the databases of a data folder: which there are, and their
// open backends.
//
//	catalog.sqlite   the list
//	d1/ID.sqlite     one file for each database, and a folder with its history
//
// The list is a database of its own, so it survives crashes, and several processes
// may use one folder at the same time: a name is taken once, whoever takes it, and a
// database that another process has deleted is gone here too.
//
// Without a folder everything is in memory, and gone when the Catalog is closed.
package catalog

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// Errors that callers decide by.
var (
	// ErrNotFound means that there is no such database.
	ErrNotFound = errors.New("no such database")
	// ErrExists means that the name is taken.
	ErrExists = errors.New("a database with that name exists")
	// ErrFull means that the Catalog holds as many databases as it may.
	ErrFull = errors.New("too many databases")
	// ErrClosed means that the Catalog is closed.
	ErrClosed = errors.New("catalog is closed")
	// ErrBusy means that as many databases are in use as may be open, and none came
	// free in time.
	ErrBusy = errors.New("too many databases in use")
)

// Config says where the databases are. The zero value keeps them in memory.
type Config struct {
	// Dir is the data folder, which is created if it does not exist. Empty means in
	// memory.
	Dir string
	// MaxOpen is how many databases are kept open; the one that was not used for the
	// longest time is closed first. An open database takes some 11 MB for each of its
	// connections. 0 means 16. In memory nothing is ever closed.
	MaxOpen int
	// MaxDatabases is how many databases there may be. 0 means 50,000, as on a paid
	// plan.
	MaxDatabases int
	// Wait is how long Open waits for room when MaxOpen databases are in use. 0 means
	// 30 s.
	Wait time.Duration
	// OpenFile opens a database's file; path is empty for one in memory. nil means
	// package d1/embedded with its defaults, and a history of DefaultRetention.
	OpenFile func(path string, db Database) (d1.Backend, error)
	// Logger is told of what no caller can be told. nil means nobody is.
	Logger *slog.Logger
	// Now is the clock; nil means the system's.
	Now func() time.Time
	// Rand makes the identifiers; nil means crypto/rand.
	Rand io.Reader
}

// DefaultRetention is for how long the states of a database are kept, as on a paid plan.
const DefaultRetention = 30 * 24 * time.Hour

func (cfg Config) withDefaults() Config {
	if cfg.MaxOpen <= 0 {
		cfg.MaxOpen = 16
	}
	if cfg.MaxDatabases <= 0 {
		cfg.MaxDatabases = 50_000
	}
	if cfg.Wait <= 0 {
		cfg.Wait = d1.MaxQueryDuration
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.OpenFile == nil {
		logger := cfg.Logger
		cfg.OpenFile = func(path string, _ Database) (d1.Backend, error) {
			own := embedded.Config{Path: path, Logger: logger, SystemTable: true}
			if path != "" {
				own.Retention = DefaultRetention
			}
			return embedded.Open(own)
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return cfg
}

// Catalog is the databases of one data folder. It is safe for concurrent use.
type Catalog struct {
	cfg  Config
	list *d1.DB
	pool pool
}

// New opens a data folder.
func New(cfg Config) (*Catalog, error) {
	cfg = cfg.withDefaults()
	path := ""
	if cfg.Dir != "" {
		if err := makeFolder(filepath.Join(cfg.Dir, "d1")); err != nil {
			return nil, fmt.Errorf("open data folder %s: %w", cfg.Dir, err)
		}
		path = filepath.Join(cfg.Dir, "catalog.sqlite")
	}
	backend, err := embedded.Open(embedded.Config{Path: path, Readers: 2, Logger: cfg.Logger})
	if err != nil {
		return nil, fmt.Errorf("open data folder %s: %w", nameOf(cfg.Dir), err)
	}
	c := &Catalog{cfg: cfg, list: d1.New(backend)}
	c.pool.init(cfg)
	if err := c.prepare(context.Background()); err != nil {
		c.list.Close()
		return nil, fmt.Errorf("open data folder %s: %w", nameOf(cfg.Dir), err)
	}
	return c, nil
}

func nameOf(dir string) string {
	if dir == "" {
		return "in memory"
	}
	return dir
}

// makeFolder makes a folder that is its owner's alone, and says clearly if a file
// stands in its place.
func makeFolder(dir string) error {
	for _, part := range []string{filepath.Dir(dir), dir} {
		if info, err := os.Stat(part); err == nil && !info.IsDir() {
			return fmt.Errorf("%s is a file, not a folder", part)
		}
	}
	return os.MkdirAll(dir, 0o700)
}

// format is the version of the list's tables.
const format = 1

// prepare makes the tables of the list if there are none. A list that a newer version
// made is left alone.
func (c *Catalog) prepare(ctx context.Context) error {
	tables, err := d1.First[int](ctx, c.list, "SELECT count(*) FROM sqlite_master WHERE name = 'settings'")
	if err == nil && tables == 0 {
		err = c.makeTables(ctx)
	}
	if err != nil {
		return err
	}
	found, err := d1.First[int](ctx, c.list, "SELECT value FROM settings WHERE name = 'format'")
	if err == nil && found != format {
		err = fmt.Errorf("it was made by a newer version (format %d, this version knows %d)", found, format)
	}
	return err
}

func (c *Catalog) makeTables(ctx context.Context) error {
	_, err := c.list.Exec(ctx, `
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO settings VALUES ('format', 1);
CREATE TABLE IF NOT EXISTS d1_databases (
	position INTEGER PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL UNIQUE,
	created_at TEXT NOT NULL,
	location_hint TEXT NOT NULL,
	jurisdiction TEXT NOT NULL,
	region TEXT NOT NULL,
	replication TEXT NOT NULL
);`)
	return err
}

// Close waits until nobody uses a database, and closes all of them.
func (c *Catalog) Close() error {
	return errors.Join(c.pool.close(), c.list.Close())
}

// path returns the file of a database, or "" in memory.
func (c *Catalog) path(id string) string {
	if c.cfg.Dir == "" {
		return ""
	}
	return filepath.Join(c.cfg.Dir, "d1", id+".sqlite")
}

// removeFiles removes a database's files and its history.
func (c *Catalog) removeFiles(id string) error {
	path := c.path(id)
	if path == "" {
		return nil
	}
	var all error
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			all = errors.Join(all, err)
		}
	}
	return errors.Join(all, os.RemoveAll(path+embedded.HistorySuffix))
}

// syncFolder makes the names of new files durable, where the system can.
func syncFolder(dir string) {
	if f, err := os.Open(dir); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}
