package d1sql

import (
	"context"
	"database/sql/driver"
	"io"
	"reflect"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqlschema"
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
	ctx     context.Context // the query's
	conn    *Conn
	pieces  []sqltext.Statement
	results *d1.Results
	left    int             // result sets after the current one
	chunk   strings.Builder // of short texts, of several rows

	typed   bool         // types and convert are known for the current result
	types   []columnType // nil if nothing is known
	convert []conversion // nil if all values stay what they are
}

var (
	_ driver.Rows                           = (*rows)(nil)
	_ driver.RowsNextResultSet              = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*rows)(nil)
	_ driver.RowsColumnTypeLength           = (*rows)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*rows)(nil)
)

func (r *rows) Columns() []string { return r.results.Columns() }

func (r *rows) Next(dest []driver.Value) error {
	if !r.results.Next() {
		if err := r.results.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	if !r.typed {
		r.findTypes()
	}
	row := r.results.Row()
	texts := r.copyTexts(row)
	for i := range row {
		v := &row[i]
		switch {
		case isShort(v):
			n := len(v.Bytes())
			dest[i], texts = texts[:n], texts[n:]
		case r.convert != nil && r.convert[i] == asReal && v.Kind() == d1.KindInteger:
			dest[i], _ = v.Float64()
		default:
			value, err := v.Any()
			if err != nil {
				return err
			}
			dest[i] = value
		}
	}
	if r.convert != nil {
		r.convertTimes(dest)
	}
	return nil
}

// convertTimes makes times of the texts in columns of times. A text that is none stays.
func (r *rows) convertTimes(dest []driver.Value) {
	for i, how := range r.convert {
		text, ok := dest[i].(string)
		if how != asTime || !ok {
			continue
		}
		if at, err := d1.ParseTime(text); err == nil {
			dest[i] = at
		}
	}
}

// maxChunk is how much a text that the caller keeps may keep in memory.
const maxChunk = 1024

// copyTexts copies the short texts of a row, one behind the other. Those of several rows
// share an allocation, which grows with the number of rows.
func (r *rows) copyTexts(row []d1.Value) string {
	n := 0
	for i := range row {
		if v := &row[i]; isShort(v) {
			n += len(v.Bytes())
		}
	}
	if free := r.chunk.Cap() - r.chunk.Len(); free < n {
		size := max(n, min(2*r.chunk.Cap(), maxChunk))
		r.chunk = strings.Builder{}
		r.chunk.Grow(size)
	}
	start := r.chunk.Len()
	for i := range row {
		if v := &row[i]; isShort(v) {
			r.chunk.Write(v.Bytes())
		}
	}
	return r.chunk.String()[start:]
}

// isShort reports whether a value is a text that may keep its neighbours in memory.
func isShort(v *d1.Value) bool { return v.Kind() == d1.KindText && len(v.Bytes()) <= 64 }

// findTypes finds out the types of the current result.
func (r *rows) findTypes() {
	r.typed = true
	if i := len(r.pieces) - 1 - r.left; 0 <= i && i < len(r.pieces) {
		if a := r.conn.types(r.ctx, r.pieces[i], r.results.Columns()); a != nil {
			r.types, r.convert = a.types, a.convert
		}
	}
}

// columnType returns what is known of a column.
func (r *rows) columnType(i int) columnType {
	if !r.typed {
		r.findTypes()
	}
	if i >= len(r.types) {
		return columnType{}
	}
	return r.types[i]
}

// ColumnTypeDatabaseTypeName returns the declared type in upper case, "" where there is none.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string { return r.columnType(i).name }

// ColumnTypeScanType returns a type that holds what the column should hold.
func (r *rows) ColumnTypeScanType(i int) reflect.Type { return r.columnType(i).scanType() }

func (r *rows) ColumnTypeNullable(i int) (nullable, ok bool) {
	null := r.columnType(i).null
	return null == sqlschema.Nullable, null != sqlschema.NullUnknown
}

func (r *rows) ColumnTypeLength(i int) (int64, bool) { return r.columnType(i).length() }

func (r *rows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	return r.columnType(i).decimalSize()
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
	r.typed, r.types, r.convert = false, nil, nil
	return nil
}

func (r *rows) Close() error { return r.results.Close() }
