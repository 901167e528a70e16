package embedded

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/skylite-go/skylite/d1"
)

var _ d1.Admin = (*DB)(nil)

// Info implements [d1.Admin]. A file does not know when it was made.
func (db *DB) Info(ctx context.Context) (d1.Info, error) {
	info := d1.Info{ID: db.cfg.ID, Version: "production", Region: db.cfg.Region}
	if db.cfg.Path != "" {
		info.Name = filepath.Base(db.cfg.Path)
	}
	err := db.look(ctx, func(c *conn) error {
		info.Tables = c.countTables()
		info.Bytes = c.size()
		return nil
	})
	return info, err
}

// Delete implements [d1.Admin]: it closes the database and removes its files. What
// another process that has it open writes from then on is lost.
func (db *DB) Delete(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return unsent(err.Error(), err)
	}
	if err := db.Close(); err != nil || db.cfg.Path == "" {
		return err
	}
	var errs error
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(db.cfg.Path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = errors.Join(errs, err)
		}
	}
	return errs
}

// look runs something of ours in a transaction that reads: on a reader, or on the writer
// of a database in memory, which has no other connection.
func (db *DB) look(ctx context.Context, run func(c *conn) error) error {
	if err := ctx.Err(); err != nil {
		return unsent(err.Error(), err)
	}
	if err := db.enter(); err != nil {
		return err
	}
	defer db.active.Done()
	if db.cfg.Readers == 0 {
		return db.queue(&writeJob{ctx: ctx, done: make(chan struct{}), run: func(c *conn) error {
			c.clock.start(ctx, 0)
			return c.ownUnder(ctx, func() error { return run(c) })
		}})
	}
	c, err := db.reader(ctx)
	if err != nil {
		return err
	}
	defer db.putReader(c)
	return c.lookUnder(ctx, run)
}

// lookUnder runs something of ours in a transaction of a reader.
func (c *conn) lookUnder(ctx context.Context, run func(c *conn) error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = c.fault(fault)
		}
	}()
	c.clock.start(ctx, 0)
	err = c.ownUnder(ctx, func() error {
		if err := c.runOwn(c.begin); err != nil {
			return err
		}
		return run(c)
	})
	if !c.broken {
		c.rollBack()
	}
	return err
}

// countTables counts as D1 does: neither SQLite's tables nor Cloudflare's.
func (c *conn) countTables() (n int64) {
	_ = c.own(func() error {
		s, _, err := c.Prepare(`SELECT count(*) FROM sqlite_schema WHERE type = 'table'
			AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE '\_cf\_%' ESCAPE '\'`)
		if err != nil {
			return err
		}
		defer s.Close()
		n = number(s)
		return nil
	})
	return n
}
