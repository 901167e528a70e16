package d1

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/skylite-go/skylite/internal/speculate"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// returned is what a statement with RETURNING returned to the caller.
type returned struct {
	clause sqltext.Returning
	list   string // without stars, and behind what tells rows apart
	items  int
	keys   int    // so many items tell rows apart, and are not the caller's
	kind   string // of the table: table, view, virtual
	rows   []string
	pins   []pin
}

// pin is a column that an INSERT leaves to its default, and that is returned: in Commit
// it is given the value that the caller has seen, since a default may be the clock or
// chance.
type pin struct {
	column string
	item   int
}

// returning runs a write that returns rows. If it inserts one row, its RETURNING
// raises that; else a trigger takes down the rows. In Commit the RETURNING makes sure
// of each row, and the count that they are all.
func (tx *Tx) returning(ctx context.Context, o *op) (*txResult, error) {
	clause, ok := o.parsed.Returning()
	if !ok {
		return nil, refused(0, fmt.Sprintf("this %s with RETURNING cannot be read; write it more plainly", o.parsed.Verb))
	}
	tx.takeTurn(ctx)
	r := &returned{clause: clause, list: o.sql[clause.ListStart:clause.ListEnd], items: clause.Items}
	var info tableInfo
	if clause.Star || !clause.One {
		var err error
		if info, err = tx.describe(ctx, clause.Table); err != nil {
			return nil, err
		}
		if err := r.expand(o, info); err != nil {
			return nil, err
		}
	}
	table, err := tx.tryReturning(ctx, o, r, info)
	if err != nil {
		return nil, err
	}
	result := &txResult{columns: table.Columns, meta: Meta{Changes: o.changes, ChangedDB: o.changes > 0}}
	for _, text := range r.rows {
		row, err := speculate.DecodeRow(text)
		if err != nil {
			return nil, err
		}
		result.rows = append(result.rows, row[r.keys:])
	}
	// What INSTEAD OF triggers do to a view does not count.
	o.returned, o.known, o.sawChanges = r, true, r.kind != "view"
	tx.record(o)
	return result, nil
}

// expand writes stars out. The rows of a statement that may return many are told
// apart by their rowid.
func (r *returned) expand(o *op, info tableInfo) error {
	if r.clause.Star {
		items := splitList(r.list)
		var all []string
		for _, item := range items {
			if item != "*" && !strings.HasSuffix(item, ".*") {
				all = append(all, item)
				continue
			}
			for _, column := range info.columns {
				if column.shown() {
					all = append(all, sqltext.QuoteIdent(column.name))
				}
			}
		}
		r.list, r.items = " "+strings.Join(all, ", "), len(all)
	}
	if r.clause.One {
		return nil
	}
	if info.kind != "table" {
		return refused(0, fmt.Sprintf("a transaction cannot foresee what %s on the %s %q returns; "+
			"leave RETURNING out and read the rows", o.parsed.Verb, info.kind, r.clause.Table))
	}
	keys := info.keys()
	r.keys, r.items = len(keys), r.items+len(keys)
	r.list = " " + strings.Join(keys, ", ") + ", " + r.list
	if r.items > MaxColumns {
		return refused(0, "too many columns in RETURNING: SQLITE_ERROR")
	}
	for _, p := range o.parsed.Params {
		if p.Start >= r.clause.ListStart && p.End <= r.clause.ListEnd {
			return refused(0, "in a transaction the RETURNING of a statement that may return many rows takes no parameters")
		}
	}
	return nil
}

// splitList cuts a list at its commas. The items lose the space around them.
func splitList(list string) []string {
	var items []string
	depth, start := 0, 0
	for t := range sqltext.Tokens(list) {
		switch t.Kind {
		case sqltext.TokenLeft:
			depth++
		case sqltext.TokenRight:
			depth--
		case sqltext.TokenComma:
			if depth == 0 {
				items = append(items, strings.TrimSpace(list[start:t.Start]))
				start = t.End
			}
		}
	}
	return append(items, strings.TrimSpace(list[start:]))
}

func (tx *Tx) tryReturning(ctx context.Context, o *op, r *returned, info tableInfo) (speculate.Table, error) {
	marks := tx.db.marks()
	source := r.clause.Table
	names, err := r.names(o)
	if err != nil {
		return speculate.Table{}, err
	}
	then := []Statement{names}
	before, after := o.sql[:r.clause.ListStart], o.sql[r.clause.ListEnd:]
	if r.clause.One {
		then = append(then, Statement{SQL: before + " " + marks.RaiseRow(source, r.list, r.items) + after, Args: o.args},
			Statement{SQL: marks.AnswerNoRow()})
		payload, err := tx.speculate(ctx, len(tx.ops), then...)
		if err != nil {
			return speculate.Table{}, err
		}
		kind, columns, table, err := speculate.DecodeOne(payload)
		r.kind, r.rows, o.changes = kind, table.Rows, int64(len(table.Rows))
		if err == nil && len(r.rows) > 0 {
			if info.columns, err = decodeColumns(columns); err == nil {
				r.pin(info.columns)
			}
		}
		return table, err
	}
	for _, sql := range speculate.Log(source, r.list, r.items, info.all(), events(o, r)) {
		then = append(then, Statement{SQL: sql})
	}
	then = append(then, Statement{SQL: o.sql[:r.clause.Start] + after, Args: o.args}, Statement{SQL: marks.AnswerLog()})
	payload, err := tx.speculate(ctx, len(tx.ops), then...)
	if err != nil {
		return speculate.Table{}, err
	}
	changes, table, err := speculate.DecodeLog(payload)
	if err == nil && changes != int64(len(table.Rows)) {
		err = refused(0, fmt.Sprintf("a transaction cannot foresee what this %s returns, because a trigger or a foreign key "+
			"changes %s too; leave RETURNING out and read the rows", o.parsed.Verb, source))
	}
	r.rows, o.changes = table.Rows, changes
	r.pin(info.columns)
	return table, err
}

// pin finds the columns to pin. The rowid is none of them: it is made sure of, for
// another row may have taken it.
func (r *returned) pin(columns []tableColumn) {
	if len(r.clause.Columns) == 0 || r.clause.Upsert || len(r.rows) != len(r.clause.TupleEnds) {
		return
	}
	for i, item := range splitList(r.list) {
		name := sqltext.Unquote(item)
		same := func(other string) bool { return strings.EqualFold(other, name) }
		pinned := func(p pin) bool { return same(p.column) }
		at := slices.IndexFunc(columns, func(c tableColumn) bool { return same(c.name) })
		if at < 0 || !columns[at].pinnable() || slices.ContainsFunc(r.clause.Columns, same) || slices.ContainsFunc(r.pins, pinned) {
			continue
		}
		r.pins = append(r.pins, pin{column: columns[at].name, item: i})
	}
}

// pinned is the statement up to its RETURNING's list, with the pins in it.
func (r *returned) pinned(o *op) string {
	if len(r.pins) == 0 {
		return o.sql[:r.clause.ListStart]
	}
	var b strings.Builder
	b.WriteString(o.sql[:r.clause.ColumnsEnd])
	for _, p := range r.pins {
		b.WriteString(", " + sqltext.QuoteIdent(p.column))
	}
	pos := r.clause.ColumnsEnd
	for i, end := range r.clause.TupleEnds {
		b.WriteString(o.sql[pos:end])
		literals := speculate.Literals(r.rows[i])
		for _, p := range r.pins {
			b.WriteString(", " + literals[p.item])
		}
		pos = end
	}
	b.WriteString(o.sql[pos:r.clause.ListStart])
	return b.String()
}

// names returns the statement that keeps the columns of what is returned.
func (r *returned) names(o *op) (Statement, error) {
	list := r.list
	if r.keys > 0 {
		list = strings.Join(splitList(list)[r.keys:], ", ")
	}
	read, err := sqltext.Parse("SELECT " + list + "\n FROM " + sqltext.QuoteIdent(r.clause.Table))
	if err != nil {
		return Statement{}, statementError(0, err)
	}
	// Its parameters are the list's, which have other numbers there.
	args := make([]any, read.NumParams())
	i := 0
	for _, p := range o.parsed.Params {
		if p.Start >= r.clause.ListStart && p.End <= r.clause.ListEnd && i < len(read.Params) {
			args[read.Params[i].Number-1] = o.args[p.Number-1]
			i++
		}
	}
	sql, _ := speculate.NamesTable(read.Text)
	return Statement{SQL: sql, Args: args}, nil
}

// events are what a write does to the rows it returns.
func events(o *op, r *returned) []string {
	switch {
	case o.parsed.Verb == "UPDATE", o.parsed.Verb == "DELETE":
		return []string{o.parsed.Verb}
	case r.clause.Upsert:
		return []string{"INSERT", "UPDATE"}
	}
	return []string{"INSERT"}
}

// assertion returns the write as it is committed.
func (r *returned) assertion(marks speculate.Marks, o *op, i int) (Statement, error) {
	rows := slices.Clone(r.rows)
	slices.Sort(rows)
	rows = slices.Compact(rows)
	args := o.args
	var expected strings.Builder
	for j, row := range rows {
		if j > 0 {
			expected.WriteByte(',')
		}
		expected.WriteString(sqltext.QuoteString(row))
	}
	text := expected.String()
	if len(text) > maxLiteral-len(o.sql) {
		data, err := json.Marshal(rows)
		if err != nil {
			return Statement{}, err
		}
		last := r.paramsEnd(o)
		if len(args) == MaxParams || len(data) > MaxValueBytes || last > r.clause.ListEnd {
			return Statement{}, refused(-1, fmt.Sprintf("the rows that %s returned in a transaction are too many to make sure of; "+
				"return fewer, or only their keys", o.parsed.Verb))
		}
		text = "SELECT value FROM json_each(?)"
		args = append(slices.Clone(args), string(data))
	}
	return Statement{SQL: r.pinned(o) + " " + marks.AssertRow(r.list, r.items, text, i) +
		o.sql[r.clause.ListEnd:], Args: args}, nil
}

// paramsEnd is where the last parameter ends.
func (r *returned) paramsEnd(o *op) int {
	if n := len(o.parsed.Params); n > 0 {
		return o.parsed.Params[n-1].End
	}
	return 0
}
