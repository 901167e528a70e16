package catalog

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/skylite-go/skylite/d1"
)

// Database is what the list says of a database.
type Database struct {
	// ID is a version 4 UUID in lower case.
	ID string
	// Name is unique.
	Name string
	// CreatedAt has milliseconds.
	CreatedAt time.Time
	// LocationHint, such as "weur", and Jurisdiction, such as "eu", are what the
	// database was created with; empty if it was created without.
	LocationHint, Jurisdiction string
	// Region is where the database says it runs, such as "WEUR".
	Region string
	// Replication is the mode of read replication, "auto" or "disabled".
	Replication string
}

const timeFormat = "2006-01-02T15:04:05.000Z"

const columns = "id, name, created_at, location_hint, jurisdiction, region, replication"

// row is a row of the list.
type row struct {
	ID, Name, CreatedAt, LocationHint, Jurisdiction, Region, Replication string
}

func (r row) database() (Database, error) {
	at, err := time.Parse(timeFormat, r.CreatedAt)
	return Database{
		ID: r.ID, Name: r.Name, CreatedAt: at, LocationHint: r.LocationHint,
		Jurisdiction: r.Jurisdiction, Region: r.Region, Replication: r.Replication,
	}, err
}

// Create makes a database. ID and CreatedAt of the argument are set by the Catalog.
// Errors are [ErrExists] and [ErrFull], among others.
func (c *Catalog) Create(ctx context.Context, db Database) (Database, error) {
	id, err := newID(c.cfg.Rand)
	if err != nil {
		return Database{}, fmt.Errorf("create database %s: %w", db.Name, err)
	}
	db.ID = id
	db.CreatedAt = c.cfg.Now().UTC().Truncate(time.Millisecond)
	if err := c.checkName(ctx, db.Name); err != nil {
		return Database{}, err
	}
	// The file comes first: a crash leaves a file that nobody knows, never a name
	// without its file.
	if err := c.makeFile(ctx, db); err != nil {
		return Database{}, fmt.Errorf("create database %s: %w", db.Name, errors.Join(err, c.forget(id)))
	}
	if err := c.insert(ctx, db); err != nil {
		if !d1.Ambiguous(err) {
			err = errors.Join(err, c.forget(id))
		}
		return Database{}, fmt.Errorf("create database %s: %w", db.Name, err)
	}
	return db, nil
}

func (c *Catalog) checkName(ctx context.Context, name string) error {
	_, err := c.ByName(ctx, name)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err == nil:
		return fmt.Errorf("create database %s: %w", name, ErrExists)
	}
	return err
}

func (c *Catalog) makeFile(ctx context.Context, db Database) error {
	h, err := c.pool.acquire(ctx, db, func() (d1.Backend, error) { return c.cfg.OpenFile(c.path(db.ID), db) })
	if err != nil {
		return err
	}
	c.pool.release(h)
	return nil
}

// insert adds a row, unless the name is taken or the list is full.
func (c *Catalog) insert(ctx context.Context, db Database) error {
	meta, err := c.list.Run(ctx, "INSERT INTO d1_databases ("+columns+") "+
		"SELECT ?, ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM d1_databases) < ?",
		db.ID, db.Name, db.CreatedAt.Format(timeFormat), db.LocationHint, db.Jurisdiction, db.Region,
		db.Replication, c.cfg.MaxDatabases)
	switch {
	case err == nil && meta.Changes == 0:
		return ErrFull
	case err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed: d1_databases.name"):
		return ErrExists
	}
	return err
}

// MaxDatabases returns how many databases there may be.
func (c *Catalog) MaxDatabases() int { return c.cfg.MaxDatabases }

// Get returns a database by its id.
func (c *Catalog) Get(ctx context.Context, id string) (Database, error) {
	return c.one(ctx, "id", strings.ToLower(id))
}

// ByName returns a database by its name.
func (c *Catalog) ByName(ctx context.Context, name string) (Database, error) {
	return c.one(ctx, "name", name)
}

func (c *Catalog) one(ctx context.Context, column, value string) (Database, error) {
	found, err := d1.First[row](ctx, c.list, "SELECT "+columns+" FROM d1_databases WHERE "+column+" = ?", value)
	switch {
	case errors.Is(err, d1.ErrNoRows):
		return Database{}, fmt.Errorf("database %s: %w", value, ErrNotFound)
	case err != nil:
		return Database{}, fmt.Errorf("look up database %s: %w", value, err)
	}
	return found.database()
}

// Filter chooses databases by their names; the zero value chooses all. Names are
// compared without regard to the case of ASCII letters.
type Filter struct {
	// Contains is a part of the name.
	Contains string
	// Prefix is the beginning of the name.
	Prefix string
	// Exact is the whole name.
	Exact string
}

func (f Filter) where() (string, []any) {
	switch {
	case f.Exact != "":
		return " WHERE lower(name) = lower(?)", []any{f.Exact}
	case f.Prefix != "":
		return " WHERE instr(lower(name), lower(?)) = 1", []any{f.Prefix}
	case f.Contains != "":
		return " WHERE instr(lower(name), lower(?)) > 0", []any{f.Contains}
	}
	return "", nil
}

// List returns the databases that a filter chooses, in the order of their creation:
// limit of them behind the first offset ones. total is how many there are without
// limit and offset.
func (c *Catalog) List(ctx context.Context, f Filter, offset, limit int64) (page []Database, total int64, err error) {
	where, args := f.where()
	results, err := c.list.Batch(ctx,
		c.list.Prepare("SELECT count(*) FROM d1_databases"+where).Bind(args...),
		c.list.Prepare("SELECT "+columns+" FROM d1_databases"+where+" ORDER BY position LIMIT ? OFFSET ?").
			Bind(append(args, limit, offset)...))
	if err != nil {
		return nil, 0, fmt.Errorf("list databases: %w", err)
	}
	counts, err := d1.Into[int64](results[0])
	if err != nil {
		return nil, 0, err
	}
	rows, err := d1.Into[row](results[1])
	if err != nil {
		return nil, 0, err
	}
	page = make([]Database, len(rows))
	for i, r := range rows {
		if page[i], err = r.database(); err != nil {
			return nil, 0, err
		}
	}
	return page, counts[0], nil
}

// SetReplication changes a database's mode of read replication.
func (c *Catalog) SetReplication(ctx context.Context, id, mode string) (Database, error) {
	id = strings.ToLower(id)
	if _, err := c.list.Run(ctx, "UPDATE d1_databases SET replication = ? WHERE id = ?", mode, id); err != nil {
		return Database{}, fmt.Errorf("update database %s: %w", id, err)
	}
	return c.Get(ctx, id)
}

// Delete removes a database. Requests that are using it run to their end; its files
// go with the last of them. A database that is off the list is deleted, so that its
// files cannot be removed is for the log.
func (c *Catalog) Delete(ctx context.Context, id string) error {
	id = strings.ToLower(id)
	meta, err := c.list.Run(ctx, "DELETE FROM d1_databases WHERE id = ?", id)
	if err != nil {
		return fmt.Errorf("delete database %s: %w", id, err)
	}
	if meta.Changes == 0 {
		return fmt.Errorf("database %s: %w", id, ErrNotFound)
	}
	if err := c.forget(id); err != nil {
		c.pool.logRemoval(id, err)
	}
	return nil
}

// forget closes a database that is no longer on the list, and removes its files.
func (c *Catalog) forget(id string) error {
	return c.pool.doom(id, func() error { return c.removeFiles(id) })
}

// Open returns a database's backend. Closing it gives it back; that must be done
// when the Results that it made are closed.
func (c *Catalog) Open(ctx context.Context, id string) (*Handle, error) {
	id = strings.ToLower(id)
	if h := c.pool.find(id); h != nil {
		// Another process may have deleted it while it is open here.
		if path := c.path(id); path == "" || exists(path) {
			return c.handle(h), nil
		}
		c.pool.release(h)
	}
	db, err := c.Get(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, errors.Join(err, c.pool.doom(id, func() error { return nil }))
	}
	if err != nil {
		return nil, err
	}
	h, err := c.pool.acquire(ctx, db, func() (d1.Backend, error) { return c.openFile(ctx, db) })
	if err != nil {
		return nil, err
	}
	return c.handle(h), nil
}

func (c *Catalog) handle(h *opened) *Handle {
	return &Handle{Backend: h.backend, Database: h.db, pool: &c.pool, opened: h}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// openFile opens the file of a database that is on the list. The file must be there:
// to make an empty one in its place would hide that data are lost. It is opened for
// all who wait for it, so that one of them leaves must not cut the checks short.
func (c *Catalog) openFile(ctx context.Context, db Database) (d1.Backend, error) {
	ctx = context.WithoutCancel(ctx)
	path := c.path(db.ID)
	if path == "" {
		return nil, fmt.Errorf("open database %s: it was in memory and is closed", db.Name)
	}
	if _, err := os.Stat(path); err != nil {
		if _, gone := c.Get(ctx, db.ID); errors.Is(gone, ErrNotFound) {
			return nil, gone
		}
		return nil, fmt.Errorf("open database %s: its file is missing: %w", db.Name, err)
	}
	warnIfShared(c.cfg.Logger, path)
	backend, err := c.cfg.OpenFile(path, db)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", db.Name, err)
	}
	// If another process deleted it in between, opening has made the file anew.
	if _, err := c.Get(ctx, db.ID); errors.Is(err, ErrNotFound) {
		return nil, errors.Join(err, backend.Close(), c.removeFiles(db.ID))
	}
	return backend, nil
}

// newID returns a random (version 4) UUID.
func newID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:], nil
}
