package d1sql

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// Conn is a connection of a pool. D1 has no connections: all of a pool share one
// [d1.DB], which [sql.Conn.Raw] reaches:
//
//	err := conn.Raw(func(c any) error {
//		_, err := c.(*d1sql.Conn).DB().Batch(ctx, …)
//		return err
//	})
type Conn struct {
	db      *d1.DB
	parsed  *sqltext.Cache
	shapes  *shapes
	options Options
	owned   bool // closing the connection closes the database
	tx      *transaction

	noForeignKeys bool // the client believes them off; see withoutForeignKeys
}

var (
	_ driver.Conn               = (*Conn)(nil)
	_ driver.ConnPrepareContext = (*Conn)(nil)
	_ driver.ConnBeginTx        = (*Conn)(nil)
	_ driver.ExecerContext      = (*Conn)(nil)
	_ driver.QueryerContext     = (*Conn)(nil)
	_ driver.Pinger             = (*Conn)(nil)
	_ driver.NamedValueChecker  = (*Conn)(nil)
	_ driver.SessionResetter    = (*Conn)(nil)
	_ driver.Validator          = (*Conn)(nil)
)

// DB returns the database, for what database/sql has no words for.
func (c *Conn) DB() *d1.DB { return c.db }

// Prepare implements [driver.Conn].
func (c *Conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext implements [driver.ConnPrepareContext]. It reads the text and sends
// nothing.
func (c *Conn) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	pieces, err := c.parse(query)
	if err != nil {
		return nil, err
	}
	return &stmt{conn: c, pieces: pieces}, nil
}

// Close implements [driver.Conn].
func (c *Conn) Close() error {
	if c.owned {
		return c.db.Close()
	}
	return nil
}

// Ping implements [driver.Pinger]: it asks the database to answer.
func (c *Conn) Ping(ctx context.Context) error { return c.db.Ping(ctx) }

// ResetSession implements [driver.SessionResetter].
func (c *Conn) ResetSession(context.Context) error {
	c.tx = nil
	return nil
}

// IsValid implements [driver.Validator].
func (c *Conn) IsValid() bool { return true }

// CheckNamedValue implements [driver.NamedValueChecker]: arguments are converted as
// [d1.Arg] says.
func (c *Conn) CheckNamedValue(nv *driver.NamedValue) error {
	value, err := d1.Arg(nv.Value)
	if err != nil {
		return err
	}
	nv.Value = value
	return nil
}

// ExecContext implements [driver.ExecerContext].
func (c *Conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	pieces, err := c.parse(query)
	if err != nil {
		return nil, err
	}
	return c.exec(ctx, pieces, args)
}

// QueryContext implements [driver.QueryerContext].
func (c *Conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	pieces, err := c.parse(query)
	if err != nil {
		return nil, err
	}
	return c.query(ctx, pieces, args)
}

func (c *Conn) exec(ctx context.Context, pieces []sqltext.Statement, args []driver.NamedValue) (driver.Result, error) {
	p, err := c.plan(pieces, args)
	if err != nil {
		return nil, err
	}
	if c.tx != nil {
		result, err := c.tx.exec(ctx, pieces, p)
		c.settle(pieces, err)
		return result, err
	}
	total, err := execute(ctx, c.db, p)
	c.settle(pieces, err)
	return total, err
}

func execute(ctx context.Context, db *d1.DB, p plan) (driver.Result, error) {
	results, err := p.run(ctx, db)
	if err != nil {
		return nil, err
	}
	var total result
	for results.NextResult() {
		meta := results.Meta()
		total.changes += meta.Changes
		total.lastID = meta.LastRowID
	}
	return total, results.Close()
}

func (c *Conn) query(ctx context.Context, pieces []sqltext.Statement, args []driver.NamedValue) (driver.Rows, error) {
	typed := !c.expect(ctx, pieces)
	results, err := c.do(ctx, pieces, args)
	if err != nil {
		return nil, err
	}
	if !results.NextResult() {
		if err := results.Close(); err != nil {
			c.settle(nil, err)
			return nil, err
		}
		return nil, errors.New("d1sql: the database gave no result")
	}
	return &rows{ctx: ctx, conn: c, pieces: pieces, results: results, left: len(pieces) - 1, typed: typed}, nil
}

func (c *Conn) do(ctx context.Context, pieces []sqltext.Statement, args []driver.NamedValue) (*d1.Results, error) {
	p, err := c.plan(pieces, args)
	if err != nil {
		return nil, err
	}
	var results *d1.Results
	if c.tx != nil {
		results, err = c.tx.query(ctx, pieces, p)
	} else {
		results, err = p.run(ctx, c.db)
	}
	c.settle(pieces, err)
	return results, err
}

// inTransaction reports whether Begin was called, and neither Commit nor Rollback.
func (c *Conn) inTransaction() bool { return c.tx != nil }

// parse cuts a query into its statements; pieces that hold none are left out.
func (c *Conn) parse(query string) ([]sqltext.Statement, error) {
	if one, err := c.parsed.Parse(query); err == nil {
		return []sqltext.Statement{one}, nil
	}
	pieces := sqltext.Statements(query)
	if len(pieces) == 0 {
		return nil, errors.New("d1sql: the query holds no SQL statement")
	}
	return pieces, nil
}
