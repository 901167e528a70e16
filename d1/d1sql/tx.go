package d1sql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// InTx runs a function in a transaction and commits it, again and again while it
// conflicts with others: see [d1.InTx], whose twin for database/sql it is. opts may
// be nil.
func InTx(ctx context.Context, db *sql.DB, opts *sql.TxOptions, f func(tx *sql.Tx) error) error {
	return d1.Retry(ctx, 0, func() error {
		tx, err := db.BeginTx(ctx, opts)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // after a Commit it does nothing
		if err := f(tx); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// transaction is the one a connection is in. Its context governs what database/sql
// gives no context for.
type transaction struct {
	*d1.Tx
	ctx    context.Context
	conn   *Conn
	schema bool   // it has changed the schema
	shapes shapes // of its own schema, if so
}

var _ driver.Tx = (*transaction)(nil)

// Begin implements [driver.Conn].
func (c *Conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// BeginTx implements [driver.ConnBeginTx]. The transaction is a [d1.Tx]: serializable,
// whatever level is asked for; a level that is neither the default nor
// [sql.LevelSerializable] is refused. It sends nothing.
func (c *Conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.tx != nil {
		return nil, errors.New("d1sql: the connection is in a transaction already; use savepoints to nest")
	}
	switch level := sql.IsolationLevel(opts.Isolation); level {
	case sql.LevelDefault, sql.LevelSerializable:
	default:
		return nil, fmt.Errorf("d1sql: D1 has no isolation level %s; ask for the default or for Serializable", level)
	}
	tx, err := c.db.BeginTx(ctx, &d1.TxOptions{ReadOnly: opts.ReadOnly})
	if err != nil {
		return nil, err
	}
	c.tx = &transaction{Tx: tx, ctx: ctx, conn: c}
	return c.tx, nil
}

// Commit implements [driver.Tx].
func (t *transaction) Commit() error {
	t.conn.tx = nil
	if t.schema {
		defer t.conn.shapes.forget()
	}
	err := t.Tx.Commit(t.ctx)
	if e, ok := errors.AsType[*d1.Error](err); ok {
		explainDrop(e)
	}
	return err
}

// Rollback implements [driver.Tx].
func (t *transaction) Rollback() error {
	t.conn.tx = nil
	return t.Tx.Rollback()
}

// exec records what a query sends.
func (t *transaction) exec(ctx context.Context, pieces []sqltext.Statement, p plan) (driver.Result, error) {
	result := &pending{ctx: t.ctx}
	sent := p.statements
	for i, piece := range pieces {
		part := part{count: 1}
		if p.parts != nil {
			part = p.parts[i]
		}
		if piece.Kind == sqltext.Transaction {
			if err := t.savepoint(piece); err != nil {
				return nil, err
			}
			sent = sent[part.count:]
			continue
		}
		for j := range part.silent + part.count {
			w, err := t.Exec(ctx, sent[0].SQL, sent[0].Args...)
			if err != nil {
				if e, ok := errors.AsType[*d1.Error](err); ok && e.Statement == 0 {
					e.Statement = len(p.statements) - len(sent)
				}
				return nil, p.explain(err)
			}
			if sent = sent[1:]; j >= part.silent {
				result.writes = append(result.writes, w)
			}
		}
	}
	return result, nil
}

// query runs what somebody reads the rows of.
func (t *transaction) query(ctx context.Context, pieces []sqltext.Statement, p plan) (*d1.Results, error) {
	if len(pieces) == 1 && !pieces[0].ReturnsRows {
		_, err := t.exec(ctx, pieces, p)
		return d1.NewResults(&noRows{}), err
	}
	return p.run(ctx, t.Tx)
}

// savepoint carries out SAVEPOINT, RELEASE and ROLLBACK TO.
func (t *transaction) savepoint(s sqltext.Statement) error {
	words := tokens(s.Text)
	i := 1
	name := func() (string, error) {
		if i != len(words)-1 {
			return "", fmt.Errorf("d1sql: cannot read %q", s.Text)
		}
		return sqltext.Unquote(words[i].text), nil
	}
	switch s.Verb {
	case "SAVEPOINT":
		n, err := name()
		if err != nil {
			return err
		}
		return t.Savepoint(n)
	case "RELEASE":
		if words.is(i, "SAVEPOINT") {
			i++
		}
		n, err := name()
		if err != nil {
			return err
		}
		return t.Release(n)
	case "ROLLBACK":
		if words.is(i, "TRANSACTION") {
			i++
		}
		if words.is(i, "TO") {
			i++
			if words.is(i, "SAVEPOINT") && i < len(words)-1 {
				i++
			}
			n, err := name()
			if err != nil {
				return err
			}
			return t.RollbackTo(n)
		}
	}
	return fmt.Errorf("d1sql: %s cannot be sent as text in a transaction; use the methods of sql.Tx", s.Verb)
}

// pending is what the statements of a query do, which is known after the commit; see
// [d1.Pending].
type pending struct {
	ctx    context.Context
	writes []*d1.Pending
}

// LastInsertId implements [driver.Result].
func (p *pending) LastInsertId() (id int64, err error) {
	if n := len(p.writes); n > 0 {
		return p.writes[n-1].LastInsertID(p.ctx)
	}
	return 0, nil
}

// RowsAffected implements [driver.Result].
func (p *pending) RowsAffected() (total int64, err error) {
	for _, w := range p.writes {
		n, err := w.RowsAffected(p.ctx)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// noRows is one result without columns.
type noRows struct{ begun bool }

func (c *noRows) NextResult() bool {
	first := !c.begun
	c.begun = true
	return first
}

func (c *noRows) Columns() []string     { return nil }
func (c *noRows) Next() bool            { return false }
func (c *noRows) Row() []d1.Value       { return nil }
func (c *noRows) Meta() d1.Meta         { return d1.Meta{} }
func (c *noRows) Bookmark() d1.Bookmark { return "" }
func (c *noRows) Err() error            { return nil }
func (c *noRows) Close() error          { return nil }
