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
	buffer  []byte
	texts   string // the short texts of the current row
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
	row := r.results.Row()
	r.copyTexts(row)
	start := 0
	for i, v := range row {
		if n := len(v.Bytes()); isShort(v) {
			dest[i] = r.texts[start : start+n]
			start += n
			continue
		}
		value, err := v.Any()
		if err != nil {
			return err
		}
		dest[i] = value
	}
	return nil
}

// copyTexts copies the short texts of a row at once.
func (r *rows) copyTexts(row []d1.Value) {
	r.buffer = r.buffer[:0]
	for _, v := range row {
		if isShort(v) {
			r.buffer = append(r.buffer, v.Bytes()...)
		}
	}
	r.texts = string(r.buffer)
}

// isShort reports whether a value is a text that may keep its neighbours in memory.
func isShort(v d1.Value) bool { return v.Kind() == d1.KindText && len(v.Bytes()) <= 64 }

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
