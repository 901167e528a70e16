package d1sql

import (
	"context"
	"database/sql/driver"
	"io"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// stmt is a prepared query: a text that has been read.
type stmt struct {
	conn   *Conn
	pieces []sqltext.Statement
}

var (
	_ driver.Stmt              = (*stmt)(nil)
	_ driver.StmtExecContext   = (*stmt)(nil)
	_ driver.StmtQueryContext  = (*stmt)(nil)
	_ driver.NamedValueChecker = (*stmt)(nil)
)

func (s *stmt) Close() error { return nil }

// NumInput is -1: names may stand for several parameters, so bind counts.
func (s *stmt) NumInput() int { return -1 }

func (s *stmt) CheckNamedValue(nv *driver.NamedValue) error { return s.conn.CheckNamedValue(nv) }

func (s *stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), unnamed(args))
}

func (s *stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), unnamed(args))
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.exec(ctx, s.pieces, args)
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.query(ctx, s.pieces, args)
}

func unnamed(args []driver.Value) []driver.NamedValue {
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	return named
}

// result is what a query changed: the rows of all its statements, and the last rowid
// after the last of them.
type result struct{ changes, lastID int64 }

func (r result) LastInsertId() (int64, error) { return r.lastID, nil }
func (r result) RowsAffected() (int64, error) { return r.changes, nil }

// rows are the result sets of a query.
type rows struct {
	results *d1.Results
	left    int // result sets after the current one
}

var (
	_ driver.Rows              = (*rows)(nil)
	_ driver.RowsNextResultSet = (*rows)(nil)
)

func (r *rows) Columns() []string { return r.results.Columns() }

func (r *rows) Next(dest []driver.Value) error {
	if !r.results.Next() {
		if err := r.results.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	for i, v := range r.results.Row() {
		value, err := v.Any()
		if err != nil {
			return err
		}
		dest[i] = value
	}
	return nil
}

func (r *rows) HasNextResultSet() bool { return r.left > 0 }

func (r *rows) NextResultSet() error {
	if !r.results.NextResult() {
		if err := r.results.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	r.left--
	return nil
}

func (r *rows) Close() error { return r.results.Close() }
