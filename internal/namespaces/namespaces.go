// Package namespaces keeps the KV namespaces of a data folder: which there are, and what
// is in them. All of them are in one database, kv.sqlite, which is made when the first is
// needed, and lies beside the folder's D1 databases. Several processes may use it.
//
// Without a folder everything is in memory, and gone when the Catalog is closed.
package namespaces

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/kv/ond1"
)

// Errors that callers decide by.
var (
	// ErrNotFound means that there is no such namespace.
	ErrNotFound = errors.New("no such namespace")
	// ErrExists means that the title is taken.
	ErrExists = errors.New("a namespace with that title exists")
	// ErrFull means that there are as many namespaces as there may be.
	ErrFull = errors.New("too many namespaces")
)

// Config says where the namespaces are. The zero value keeps them in memory.
type Config struct {
	// Dir is the data folder, which must exist. Empty means in memory.
	Dir string
	// Max is how many namespaces there may be. 0 means 1,000, as on Cloudflare.
	Max int
	// Sync says when a write is on disk.
	Sync embedded.Sync
	// Logger is told of what no caller can be told. nil means nobody is.
	Logger *slog.Logger
	// Now is the clock that keys expire by; nil means the system's.
	Now func() time.Time
	// Rand makes the identifiers; nil means crypto/rand.
	Rand io.Reader
}

// Namespace is what the list says of a namespace.
type Namespace struct {
	// ID has 32 hexadecimal digits.
	ID string
	// Title is unique.
	Title string
}

// Catalog is the namespaces of one data folder. It is safe for concurrent use.
type Catalog struct {
	cfg Config

	mu     sync.Mutex
	db     *d1.DB // nil until it is needed
	closed bool
	open   map[string]*ond1.Namespace
	drops  sync.WaitGroup
	stop   context.CancelFunc
	ctx    context.Context
}

// New returns the Catalog of a data folder. Nothing is opened yet.
func New(cfg Config) *Catalog {
	if cfg.Max <= 0 {
		cfg.Max = 1000
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	c := &Catalog{cfg: cfg, open: map[string]*ond1.Namespace{}}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c
}

// Close waits for requests under way and closes the database.
func (c *Catalog) Close() error {
	c.mu.Lock()
	closed := c.closed
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.drops.Wait()
	if closed || c.db == nil {
		return nil
	}
	for _, ns := range c.open {
		_ = ns.Close() // waits, and has no error: the database is not its own
	}
	return c.db.Close()
}

const table = "entries"

// A namespace that is deleted loses its title at once, and its row when the last of its
// keys is gone.
const listSchema = `CREATE TABLE IF NOT EXISTS namespaces (
	id TEXT PRIMARY KEY,
	title TEXT UNIQUE,
	created_at TEXT NOT NULL
) WITHOUT ROWID`

// database opens the database, if it is not open yet. What failed is tried again by who asks
// next.
func (c *Catalog) database(ctx context.Context) (*d1.DB, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, d1.ErrClosed
	}
	if c.db != nil {
		return c.db, nil
	}
	path := ""
	if c.cfg.Dir != "" {
		path = filepath.Join(c.cfg.Dir, "kv.sqlite")
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return nil, fmt.Errorf("open %s: it is a folder", path)
		}
	}
	backend, err := embedded.Open(embedded.Config{Path: path, Sync: c.cfg.Sync, MaxBytes: 1 << 40, Logger: c.cfg.Logger})
	if err != nil {
		return nil, fmt.Errorf("open KV namespaces: %w", err)
	}
	db := d1.New(backend)
	if err := c.prepare(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("open KV namespaces: %w", err), db.Close())
	}
	c.db = db
	return db, nil
}

// prepare makes the tables, and goes on with deletions that were cut short.
func (c *Catalog) prepare(ctx context.Context, db *d1.DB) error {
	ctx = context.WithoutCancel(ctx) // it is done for all who wait
	statements, err := ond1.Schema(table)
	if err != nil {
		return err
	}
	if _, err := db.Exec(ctx, strings.Join(append(statements, listSchema), ";\n")); err != nil {
		return err
	}
	ids, err := d1.All[string](ctx, db, "SELECT id FROM namespaces WHERE title IS NULL")
	for _, id := range ids {
		c.drops.Go(func() { c.drop(db, id) })
	}
	return err
}

func newID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(b[:]), nil
}

// Create makes a namespace. Errors are [ErrExists] and [ErrFull], among others.
func (c *Catalog) Create(ctx context.Context, title string) (Namespace, error) {
	db, err := c.database(ctx)
	if err != nil {
		return Namespace{}, err
	}
	id, err := newID(c.cfg.Rand)
	if err != nil {
		return Namespace{}, err
	}
	meta, err := db.Run(ctx, "INSERT INTO namespaces (id, title, created_at) SELECT ?, ?, ? "+
		"WHERE (SELECT count(*) FROM namespaces WHERE title IS NOT NULL) < ?", id, title, time.Now(), c.cfg.Max)
	switch {
	case isTaken(err):
		return Namespace{}, ErrExists
	case err != nil:
		return Namespace{}, err
	case meta.Changes == 0:
		return Namespace{}, ErrFull
	}
	return Namespace{ID: id, Title: title}, nil
}

func isTaken(err error) bool {
	return err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed: namespaces.title")
}

// Max returns how many namespaces there may be.
func (c *Catalog) Max() int { return c.cfg.Max }

// Get returns a namespace by its id.
func (c *Catalog) Get(ctx context.Context, id string) (Namespace, error) {
	return c.one(ctx, "id", strings.ToLower(id))
}

// ByTitle returns a namespace by its title.
func (c *Catalog) ByTitle(ctx context.Context, title string) (Namespace, error) {
	return c.one(ctx, "title", title)
}

func (c *Catalog) one(ctx context.Context, column, value string) (Namespace, error) {
	db, err := c.database(ctx)
	if err != nil {
		return Namespace{}, err
	}
	ns, err := d1.First[Namespace](ctx, db, "SELECT id, title FROM namespaces WHERE "+column+" = ? AND title IS NOT NULL", value)
	if errors.Is(err, d1.ErrNoRows) {
		err = ErrNotFound
	}
	return ns, err
}

// Order is the order of a list.
type Order struct {
	// ByTitle orders by title, and not by id.
	ByTitle bool
	// Descending begins at the end.
	Descending bool
}

// List returns limit namespaces behind the first offset ones; total is how many there are.
func (c *Catalog) List(ctx context.Context, order Order, offset, limit int64) (page []Namespace, total int64, err error) {
	db, err := c.database(ctx)
	if err != nil {
		return nil, 0, err
	}
	by := "id"
	if order.ByTitle {
		by = "title"
	}
	if order.Descending {
		by += " DESC"
	}
	results, err := db.Batch(ctx,
		db.Prepare("SELECT count(*) FROM namespaces WHERE title IS NOT NULL"),
		db.Prepare("SELECT id, title FROM namespaces WHERE title IS NOT NULL ORDER BY "+by+" LIMIT ? OFFSET ?").Bind(limit, offset))
	if err != nil {
		return nil, 0, err
	}
	counts, err := d1.Into[int64](results[0])
	if err != nil {
		return nil, 0, err
	}
	page, err = d1.Into[Namespace](results[1])
	return page, counts[0], err
}

// Rename gives a namespace another title.
func (c *Catalog) Rename(ctx context.Context, id, title string) (Namespace, error) {
	db, err := c.database(ctx)
	if err != nil {
		return Namespace{}, err
	}
	id = strings.ToLower(id)
	meta, err := db.Run(ctx, "UPDATE namespaces SET title = ? WHERE id = ? AND title IS NOT NULL", title, id)
	switch {
	case isTaken(err):
		return Namespace{}, ErrExists
	case err != nil:
		return Namespace{}, err
	case meta.Changes == 0:
		return Namespace{}, ErrNotFound
	}
	return Namespace{ID: id, Title: title}, nil
}

// Delete removes a namespace. It is gone at once; its keys go step by step, behind the
// caller's back, and if that is cut short, when the folder is opened again.
func (c *Catalog) Delete(ctx context.Context, id string) error {
	db, err := c.database(ctx)
	if err != nil {
		return err
	}
	id = strings.ToLower(id)
	meta, err := db.Run(ctx, "UPDATE namespaces SET title = NULL WHERE id = ? AND title IS NOT NULL", id)
	if err != nil {
		return err
	}
	if meta.Changes == 0 {
		return ErrNotFound
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, id)
	if !c.closed {
		c.drops.Go(func() { c.drop(db, id) })
	}
	return nil
}

// drop removes the keys of a namespace that was deleted, and then its row.
func (c *Catalog) drop(db *d1.DB, id string) {
	for {
		meta, err := db.Run(c.ctx, "DELETE FROM "+table+" WHERE (namespace, key) IN "+
			"(SELECT namespace, key FROM "+table+" WHERE namespace = ? LIMIT 500)", id)
		if err == nil && meta.Changes > 0 {
			continue
		}
		if err == nil {
			_, err = db.Run(c.ctx, "DELETE FROM namespaces WHERE id = ? AND title IS NULL", id)
		}
		if err != nil && c.ctx.Err() == nil {
			c.cfg.Logger.Error("the keys of a namespace that was deleted are still there", "namespace", id, "error", err)
		}
		return
	}
}

// Open returns a namespace by its id, to read and write. It is not to be closed.
func (c *Catalog) Open(ctx context.Context, id string) (*ond1.Namespace, error) {
	// Another process may have deleted it.
	found, err := c.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if ns := c.open[found.ID]; ns != nil {
		return ns, nil
	}
	ns, err := ond1.New(c.db, ond1.Config{
		Namespace: found.ID, Table: ond1.Table{Name: table, NoAutoCreate: true}, Strict: true, Now: c.cfg.Now,
	})
	if err == nil {
		c.open[found.ID] = ns
	}
	return ns, err
}
