package dbdiff

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/speculate"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// Checksum is what the rows of a table come to, in whatever order. Two tables with the
// same rows have the same.
type Checksum struct {
	// Rows is how many there are.
	Rows int64
	// A and B are sums over the rows' digests.
	A, B int64
}

func (s *Checksum) add(other Checksum) {
	s.Rows += other.Rows
	s.A += other.A
	s.B += other.B
}

// Sum sums up the rows of a table, in as many requests as it takes. Progress is told how
// many rows there were in each, if it is not nil.
func Sum(ctx context.Context, t *Table, progress func(rows int64)) (total Checksum, err error) {
	r := reader{Table: t, progress: progress}
	err = r.buckets(ctx, 0, func(_ int64, s Checksum) { total.add(s) })
	return total, err
}

// reader reads a table part by part. Parts grow and shrink with the time they take.
type reader struct {
	*Table
	rows     int // of the next part; 0 before the first
	most     int // how many rows a part may have; 0 means largestPart
	progress func(rows int64)
}

// The rows of a part. The sums of so many rows are exact in JSON; see totals.
const (
	firstPart   = 256
	largestPart = 1 << 20
)

// span is a part of a table: the rows after one key and up to another, in their order. A
// key that is nil sets no limit.
type span struct{ after, upto []any }

// buckets sums the table up by the last bits of the digests; see sumUp.
func (r *reader) buckets(ctx context.Context, n int, each func(bucket int64, s Checksum)) error {
	return r.parts(ctx, span{}, func(s source) []statement {
		return []statement{{sumUp(digests(r.Columns, nil, s.sql), n), s.args}}
	}, func(results [][][]any) error {
		rows := int64(0)
		for _, row := range results[0] {
			s, err := checksum(row[1:])
			if err != nil {
				return err
			}
			bucket, _ := row[0].(int64)
			each(bucket, s)
			rows += s.Rows
		}
		r.tell(rows)
		return nil
	})
}

func (r *reader) tell(rows int64) {
	if r.progress != nil {
		r.progress(rows)
	}
}

func checksum(row []any) (s Checksum, err error) {
	for i, to := range []*int64{&s.Rows, &s.A, &s.B} {
		n, ok := row[i].(int64)
		if !ok {
			return s, fmt.Errorf("a checksum is %v, and no integer", row[i])
		}
		*to = n
	}
	return s, nil
}

// statement is SQL with its arguments.
type statement struct {
	sql  string
	args []any
}

// source is a FROM clause with all that follows it.
type source statement

// parts runs statements over a span, part by part, and gives each part's results.
func (r *reader) parts(ctx context.Context, s span, sql func(source) []statement, each func(results [][][]any) error) error {
	for {
		results, next, err := r.part(ctx, s, sql)
		if err != nil {
			return err
		}
		if err := each(results); err != nil || next == nil {
			return err
		}
		s.after = next
	}
}

// part runs statements over the next rows of a span, and returns the key of the last of
// them, or nil if there are no more. What takes too long is tried with fewer rows.
func (r *reader) part(ctx context.Context, s span, sql func(source) []statement) (results [][][]any, next []any, err error) {
	for {
		if r.rows == 0 {
			r.rows = firstPart
		}
		n := r.rows
		if len(r.page) == 0 {
			n = math.MaxInt32
		}
		statements := sql(r.from(s, n))
		if len(r.page) > 0 {
			statements = append(statements, r.boundary(s, n))
		}
		began := time.Now()
		results, err = r.run(ctx, statements)
		switch {
		case tooLong(err) && n > 1 && len(r.page) > 0:
			r.rows = max(1, n/16)
			continue
		case err != nil:
			return nil, nil, err
		}
		r.pace(time.Since(began))
		if len(r.page) > 0 {
			next, err = decode(results[len(results)-1])
			results = results[:len(results)-1]
		}
		return results, next, err
	}
}

// pace decides how many rows the next part has.
func (r *reader) pace(took time.Duration) {
	switch {
	case took < 500*time.Millisecond:
		r.rows = min(4*r.rows, cmp.Or(r.most, largestPart))
	case took > 3*time.Second:
		r.rows = max(r.rows/4, 1)
	}
}

// tooLong reports whether a statement took more time than D1 gives one.
func tooLong(err error) bool {
	e, ok := errors.AsType[*d1.Error](err)
	return ok && (strings.Contains(e.Message, "exceeded timeout") || strings.Contains(e.Message, "exceeded its CPU time limit"))
}

func (r *reader) run(ctx context.Context, statements []statement) ([][][]any, error) {
	var req d1.Request
	for _, s := range statements {
		req.Statements = append(req.Statements, d1.Statement{SQL: s.sql, Args: s.args})
	}
	all, err := do(ctx, r.on, req)
	if err != nil {
		err = fmt.Errorf("table %s: %w", r.Name, err)
	}
	return all, err
}

// from gives the first n rows of a span.
func (r *reader) from(s span, n int) source {
	sql := "FROM " + sqltext.QuoteIdent(r.Name)
	if len(r.page) == 0 {
		return source{sql: sql}
	}
	where, args := r.within(s)
	return source{fmt.Sprintf("%s%s ORDER BY %s LIMIT %d", sql, where, idents(r.page), n), args}
}

// boundary asks for the key of the n-th row of a span.
func (r *reader) boundary(s span, n int) statement {
	where, args := r.within(s)
	return statement{fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s LIMIT 1 OFFSET %d",
		strings.Join(exactly(r.page), ","), sqltext.QuoteIdent(r.Name), where, idents(r.page), n-1), args}
}

func (r *reader) within(s span) (where string, args []any) {
	for _, limit := range []struct {
		operator string
		key      []any
	}{{">", s.after}, {"<=", s.upto}} {
		if limit.key == nil {
			continue
		}
		word := " AND "
		if where == "" {
			word = " WHERE "
		}
		values, more := bind(limit.key)
		where += fmt.Sprintf("%s(%s)%s(%s)", word, idents(r.page), limit.operator, strings.Join(values, ","))
		args = append(args, more...)
	}
	return where, args
}

// bind returns expressions for values, none of which has an affinity, and their arguments.
func bind(values []any) (expressions []string, args []any) {
	for _, v := range values {
		expr := "?"
		switch value := v.(type) {
		case string:
			if !utf8.ValidString(value) {
				expr, v = "+CAST(? AS TEXT)", []byte(value)
			}
		case float64:
			if math.IsInf(value, 0) {
				expressions = append(expressions, map[bool]string{false: "9e999", true: "-9e999"}[value < 0])
				continue
			}
		}
		expressions, args = append(expressions, expr), append(args, v)
	}
	return expressions, args
}

func idents(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = sqltext.QuoteIdent(name)
	}
	return strings.Join(quoted, ",")
}

// exactly are expressions that give values as texts, which [decode] reads: JSON would round
// integers, and has no text that is not UTF-8.
func exactly(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = fmt.Sprintf("CASE typeof(%[1]s) WHEN 'text' THEN 'T'||quote(CAST(%[1]s AS BLOB)) ELSE quote(%[1]s) END", sqltext.QuoteIdent(name))
	}
	return all
}

// decode reads the only row of a result, or gives nil if there is none.
func decode(rows [][]any) ([]any, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	return decodeRow(rows[0])
}

func decodeRow(row []any) ([]any, error) {
	values := make([]any, len(row))
	for i, v := range row {
		decoded, err := speculate.DecodeRow(text(v))
		if err != nil {
			return nil, err
		}
		values[i] = decoded[0]
	}
	return values, nil
}
