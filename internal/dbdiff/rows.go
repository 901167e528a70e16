package dbdiff

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// Row is a row in which two tables differ. One that was added has no Before, and one that
// was removed no After. Values are nil, int64, float64, string and []byte, in the order of
// the Columns that [Rows] returns.
type Row struct {
	// Key are the values of the primary key, or nil where rows have none.
	Key []any
	// Before and After are the values in the first table and in the second.
	Before, After []any
}

// Options say what Rows does. The zero value counts.
type Options struct {
	// Limit is how many rows are read and given to Each. The others are only counted.
	Limit int
	// Each is given the rows that differ, in the order of their keys where they have some.
	// An error ends the comparison.
	Each func(Row) error
	// Progress is told how many rows were compared, as it goes on, if it is not nil.
	Progress func(rows int64)
}

// Tally is how two tables differ.
type Tally struct {
	// Columns are those that were compared: those that both tables have.
	Columns []string
	// Key are those of the primary key, or none if rows were compared as a whole.
	Key []string
	// Added, Removed and Changed count rows. Without a key none is changed.
	Added, Removed, Changed int64
}

// Equal reports whether there is no difference.
func (t Tally) Equal() bool { return t.Added == 0 && t.Removed == 0 && t.Changed == 0 }

// Rows compares the rows of two tables.
func Rows(ctx context.Context, a, b *Table, opts Options) (Tally, error) {
	var columns []string
	for _, name := range a.Columns {
		if slices.ContainsFunc(b.Columns, func(other string) bool { return strings.EqualFold(name, other) }) {
			columns = append(columns, name)
		}
	}
	c := comparison{opts: opts, tally: Tally{Columns: columns}}
	for i, t := range []*Table{a, b} {
		narrow := *t
		narrow.Columns = columns
		c.sides[i] = &reader{Table: &narrow}
	}
	if len(columns) == 0 {
		return c.tally, nil
	}
	if len(a.key) == 0 || !slices.EqualFunc(a.key, b.key, strings.EqualFold) {
		return c.tally, c.bags(ctx)
	}
	c.tally.Key = a.key
	return c.tally, c.walk(ctx, span{})
}

// comparison compares two tables.
type comparison struct {
	sides [2]*reader
	opts  Options
	tally Tally
	given int
}

const (
	// listedRows is how many rows are few enough to list them.
	listedRows = 2000
	// finer is how much smaller the parts are in which a difference is looked for.
	finer = 16
	// fetchedRows is how many rows are read in one request.
	fetchedRows = 20
)

// walk compares the rows of a span, part by part: by sums first, and where these differ in
// smaller parts, until the rows are few enough to list.
func (c *comparison) walk(ctx context.Context, s span) error {
	lead := 0
	for {
		sums, upto, lead2, err := c.sums(ctx, s, lead)
		if err != nil {
			return err
		}
		lead = lead2
		part := span{s.after, upto}
		if upto == nil {
			part.upto = s.upto
		}
		if sums[0] != sums[1] {
			err = c.narrow(ctx, part, sums)
		}
		if c.opts.Progress != nil && sums[0] == sums[1] {
			c.opts.Progress(sums[0].Rows)
		}
		if err != nil || upto == nil {
			return err
		}
		s.after = upto
	}
}

// narrow compares a part whose sums differ.
func (c *comparison) narrow(ctx context.Context, part span, sums [2]Checksum) error {
	more := max(sums[0].Rows, sums[1].Rows)
	switch {
	case sums[1].Rows == 0 && c.full():
		c.tally.Removed += sums[0].Rows
		return nil
	case sums[0].Rows == 0 && c.full():
		c.tally.Added += sums[1].Rows
		return nil
	case more <= listedRows:
		return c.list(ctx, part)
	}
	saved := [2]reader{*c.sides[0], *c.sides[1]}
	for _, side := range c.sides {
		side.most = int(max(more/finer, 1))
		side.rows = min(side.rows, side.most)
	}
	err := c.walk(ctx, part)
	for i, side := range c.sides {
		side.rows, side.most = saved[i].rows, saved[i].most
	}
	return err
}

// sums returns the sums of a part, which begins where the span does, and where it ends. The
// side that leads says that: the part has at most so many rows there as a part has. If the
// other has more of them in the part, it leads.
func (c *comparison) sums(ctx context.Context, s span, lead int) (sums [2]Checksum, upto []any, leads int, err error) {
	for {
		first, second := c.sides[lead], c.sides[1-lead]
		asked := 2 * max(first.rows, firstPart)
		results, next, err := first.part(ctx, s, first.summed)
		if err != nil {
			return sums, nil, lead, err
		}
		if sums[lead], err = checksum(results[0][0][1:]); err != nil {
			return sums, nil, lead, err
		}
		part := span{s.after, next}
		if next == nil {
			part.upto = s.upto
		}
		second.rows = asked
		results, rest, err := second.part(ctx, part, second.summed)
		if err != nil {
			return sums, nil, lead, err
		}
		if rest != nil { // it has more rows, or was too slow for so many
			second.rows = min(second.rows, asked) // so that its part ends no later than this one
			lead = 1 - lead
			continue
		}
		sums[1-lead], err = checksum(results[0][0][1:])
		return sums, next, lead, err
	}
}

func (r *reader) summed(s source) []statement {
	return []statement{{sumUp(digests(r.Columns, nil, s.sql), 0), s.args}}
}

func (c *comparison) full() bool { return c.given >= c.opts.Limit || c.opts.Each == nil }

// entry is a row's key and digest.
type entry struct {
	key    []any
	digest string
}

// list compares the rows of a part by their keys and digests.
func (c *comparison) list(ctx context.Context, part span) error {
	var lists [2][]entry
	for i, side := range c.sides {
		err := side.parts(ctx, part, func(s source) []statement { return side.listed(s, "") }, func(results [][][]any) error {
			some, err := entries(results[0])
			lists[i] = append(lists[i], some...)
			return err
		})
		if err != nil {
			return err
		}
	}
	changes := merge(lists[0], lists[1])
	for _, ch := range changes {
		c.count(ch)
	}
	if c.opts.Progress != nil {
		c.opts.Progress(int64(max(len(lists[0]), len(lists[1]))))
	}
	return c.give(ctx, changes)
}

// listed asks for the keys and digests of rows. Digests are too large for JSON's numbers.
func (r *reader) listed(s source, where string) []statement {
	names := make([]string, len(r.page))
	for i := range names {
		names[i] = fmt.Sprintf("k%d,", i)
	}
	return []statement{{fmt.Sprintf("SELECT %sCAST(d AS TEXT) FROM (%s)%s", strings.Join(names, ""),
		digests(r.Columns, exactly(r.page), s.sql), where), s.args}}
}

func entries(rows [][]any) ([]entry, error) {
	all := make([]entry, len(rows))
	for i, row := range rows {
		last := len(row) - 1
		key, err := decodeRow(row[:last])
		if err != nil {
			return nil, err
		}
		all[i] = entry{key, text(row[last])}
	}
	return all, nil
}

// change is a row that differs, by its keys on both sides; nil where it is not.
type change struct{ before, after []any }

// merge compares two lists in the order of their keys.
func merge(a, b []entry) (changes []change) {
	for len(a) > 0 || len(b) > 0 {
		order := 0
		switch {
		case len(a) == 0:
			order = 1
		case len(b) == 0:
			order = -1
		default:
			order = compareKeys(a[0].key, b[0].key)
		}
		switch {
		case order < 0:
			changes = append(changes, change{before: a[0].key})
			a = a[1:]
		case order > 0:
			changes = append(changes, change{after: b[0].key})
			b = b[1:]
		default:
			if a[0].digest != b[0].digest {
				changes = append(changes, change{a[0].key, b[0].key})
			}
			a, b = a[1:], b[1:]
		}
	}
	return changes
}

func (c *comparison) count(ch change) {
	switch {
	case ch.after == nil:
		c.tally.Removed++
	case ch.before == nil:
		c.tally.Added++
	default:
		c.tally.Changed++
	}
}

// give reads rows and gives them on, as far as they are wanted.
func (c *comparison) give(ctx context.Context, changes []change) error {
	if c.full() {
		return nil
	}
	changes = changes[:min(len(changes), c.opts.Limit-c.given)]
	for some := range slices.Chunk(changes, fetchedRows) {
		var values [2][][]any
		for i, side := range c.sides {
			var keys [][]any
			for _, ch := range some {
				keys = append(keys, [][]any{ch.before, ch.after}[i])
			}
			var err error
			if values[i], err = side.fetch(ctx, keys); err != nil {
				return err
			}
		}
		for i := range some {
			row := Row{Before: values[0][i], After: values[1][i]}
			if len(c.tally.Key) > 0 {
				row.Key = some[i].before
				if row.Key == nil {
					row.Key = some[i].after
				}
			}
			c.given++
			if err := c.opts.Each(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// fetch reads the rows of keys; those of keys that are nil are nil, and so are those that
// are gone meanwhile.
func (r *reader) fetch(ctx context.Context, keys [][]any) ([][]any, error) {
	rows := make([][]any, len(keys))
	if len(r.page) == 0 { // nothing tells them apart
		return rows, nil
	}
	var statements []statement
	var at []int
	for i, key := range keys {
		if key == nil {
			continue
		}
		values, args := bind(key)
		statements = append(statements, statement{fmt.Sprintf("SELECT %s FROM %s WHERE (%s)=(%s)", strings.Join(exactly(r.Columns), ","),
			sqltext.QuoteIdent(r.Name), idents(r.page), strings.Join(values, ",")), args})
		at = append(at, i)
	}
	if len(statements) == 0 {
		return rows, nil
	}
	results, err := r.run(ctx, statements)
	if err != nil {
		return nil, err
	}
	for n, i := range at {
		if rows[i], err = decode(results[n]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// compareKeys orders keys as SQLite does.
func compareKeys(a, b []any) int {
	for i := range a {
		if order := compareValues(a[i], b[i]); order != 0 {
			return order
		}
	}
	return 0
}

func compareValues(a, b any) int {
	if order := cmp.Compare(class(a), class(b)); order != 0 {
		return order
	}
	switch a := a.(type) {
	case int64:
		if b, ok := b.(int64); ok {
			return cmp.Compare(a, b)
		}
		return compareMixed(a, b.(float64))
	case float64:
		if b, ok := b.(int64); ok {
			return -compareMixed(b, a)
		}
		return cmp.Compare(a, b.(float64))
	case string:
		return strings.Compare(a, b.(string))
	case []byte:
		return bytes.Compare(a, b.([]byte))
	}
	return 0
}

func class(v any) int {
	switch v.(type) {
	case nil:
		return 0
	case int64, float64:
		return 1
	case string:
		return 2
	}
	return 3
}

// compareMixed compares an integer with a real, exactly.
func compareMixed(n int64, f float64) int {
	switch {
	case f >= 1<<63:
		return -1
	case f < -(1 << 63):
		return 1
	}
	if order := cmp.Compare(n, int64(f)); order != 0 {
		return order
	}
	return cmp.Compare(0, f-math.Trunc(f))
}
