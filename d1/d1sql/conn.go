package d1sql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

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
	db     *d1.DB
	parsed *sqltext.Cache
	shapes *shapes
	ddl    bool // a transaction has changed the schema, and is not committed
	owned  bool // closing the connection closes the database
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

// errNoTransactions is what Begin returns for now.
var errNoTransactions = errors.New("d1sql: this version has no transactions; " +
	"several statements in one text, or Batch of d1.DB, run as one transaction")

// Begin implements [driver.Conn].
func (c *Conn) Begin() (driver.Tx, error) { return nil, errNoTransactions }

// BeginTx implements [driver.ConnBeginTx].
func (c *Conn) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) {
	return nil, errNoTransactions
}

// Ping implements [driver.Pinger]: it asks the database to answer.
func (c *Conn) Ping(ctx context.Context) error { return c.db.Ping(ctx) }

// ResetSession implements [driver.SessionResetter]; there is no state to reset.
func (c *Conn) ResetSession(context.Context) error { return nil }

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
	results, err := c.do(ctx, pieces, args)
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
	statements, err := bind(pieces, args)
	if err != nil {
		return nil, err
	}
	results, err := c.db.Do(ctx, d1.Request{Statements: statements})
	c.settle(pieces, err)
	return results, err
}

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

// bind gives the arguments to the statements: by name where they have names, else in
// order, to each statement as many as it has parameters.
func bind(pieces []sqltext.Statement, args []driver.NamedValue) ([]d1.Statement, error) {
	ordered := make([]any, 0, len(args))
	var named map[string]any
	for _, arg := range args {
		if arg.Name == "" {
			ordered = append(ordered, arg.Value)
			continue
		}
		if named == nil {
			named = make(map[string]any)
		}
		named[arg.Name] = arg.Value
	}
	statements := make([]d1.Statement, len(pieces))
	if len(pieces) == 1 && named == nil { // what nearly all queries are
		if pieces[0].NumParams() != len(ordered) {
			return nil, argsError(pieces, len(args))
		}
		statements[0] = d1.Statement{SQL: pieces[0].Text, Args: ordered}
		return statements, nil
	}
	used := make(map[string]bool)
	for i, piece := range pieces {
		values, rest, ok := bindOne(piece, named, ordered, used)
		if !ok {
			return nil, argsError(pieces, len(args))
		}
		ordered = rest
		statements[i] = d1.Statement{SQL: piece.Text, Args: values}
	}
	if len(ordered) > 0 || len(used) < len(named) {
		return nil, argsError(pieces, len(args))
	}
	return statements, nil
}

// bindOne takes the arguments of one statement, and returns the ordered ones that are
// left. It notes the names it has used.
func bindOne(piece sqltext.Statement, named map[string]any, ordered []any, used map[string]bool) (values, rest []any, ok bool) {
	values = make([]any, piece.NumParams())
	given := make([]bool, len(values))
	for _, p := range piece.Params {
		name := name(p)
		if value, ok := named[name]; ok && name != "" && p.Number > 0 {
			values[p.Number-1], given[p.Number-1], used[name] = value, true, true
		}
	}
	for j := range values {
		if given[j] {
			continue
		}
		if len(ordered) == 0 {
			return nil, nil, false
		}
		values[j], ordered = ordered[0], ordered[1:]
	}
	return values, ordered, true
}

// name is the name that [sql.Named] would give for a parameter, or "".
func name(p sqltext.Param) string {
	if p.Name == "" || p.Name[0] == '?' {
		return ""
	}
	return p.Name[1:]
}

func argsError(pieces []sqltext.Statement, args int) error {
	n := 0
	for _, piece := range pieces {
		n += piece.NumParams()
	}
	return fmt.Errorf("d1sql: the query has %d parameters and was given %d arguments, "+
		"or arguments whose names are not in it", n, args)
}
