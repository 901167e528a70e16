package d1

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/skylite-go/skylite/internal/speculate"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// returned is what a statement with RETURNING returned to the caller.
type returned struct {
	clause sqltext.Returning
	list   string // without stars, and with the rowid first if there is keyed
	items  int
	rows   []string
}

// returning runs a write that returns rows. If it inserts one row, its RETURNING
// raises that; else a trigger takes down the rows. In Commit the RETURNING makes sure
// of each row, and the count that they are all.
func (tx *Tx) returning(ctx context.Context, o *op) (*txResult, error) {
	clause, ok := o.parsed.Returning()
	if !ok {
		return nil, refused(0, fmt.Sprintf("this %s with RETURNING cannot be read; write it more plainly", o.parsed.Verb))
	}
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
		if !clause.One && info.rowid != "" {
			row = row[1:]
		}
		result.rows = append(result.rows, row)
	}
	o.returned, o.known, o.sawChanges = r, true, true
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
				all = append(all, sqltext.QuoteIdent(column))
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
	if info.rowid != "" {
		r.list, r.items = " "+info.rowid+", "+r.list, r.items+1
	}
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
	names, err := r.names(o, !r.clause.One && info.rowid != "")
	if err != nil {
		return speculate.Table{}, err
	}
	then := []Statement{names}
	before, after := o.sql[:r.clause.ListStart], o.sql[r.clause.ListEnd:]
	if r.clause.One {
		then = append(then, Statement{SQL: before + " " + marks.RaiseRow(r.list, r.items) + after, Args: o.args},
			Statement{SQL: marks.AnswerNoRows()})
		payload, err := tx.speculate(ctx, len(tx.ops), then...)
		if err != nil {
			return speculate.Table{}, err
		}
		table, err := speculate.DecodeTable(payload)
		r.rows, o.changes = table.Rows, int64(len(table.Rows))
		return table, err
	}
	for _, sql := range speculate.Log(source, r.list, r.items, info.columns, info.rowid, events(o, r)) {
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
	return table, err
}

// names returns the statement that keeps the columns of what is returned.
func (r *returned) names(o *op, keyed bool) (Statement, error) {
	list := r.list
	if keyed {
		_, list, _ = strings.Cut(list, ",")
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
	return Statement{SQL: o.sql[:r.clause.ListStart] + " " + marks.AssertRow(r.list, r.items, text, i) +
		o.sql[r.clause.ListEnd:], Args: args}, nil
}

// paramsEnd is where the last parameter ends.
func (r *returned) paramsEnd(o *op) int {
	if n := len(o.parsed.Params); n > 0 {
		return o.parsed.Params[n-1].End
	}
	return 0
}

// tableInfo is what must be known of a table to take down its rows.
type tableInfo struct {
	kind    string   // table, view, virtual
	columns []string // all that a star stands for
	rowid   string   // a name for the rowid, or "" if there is none
}

// describe asks for a table, behind the transaction's writes if they may have made it.
func (tx *Tx) describe(ctx context.Context, table string) (tableInfo, error) {
	if info, ok := tx.db.shapes.table(table); ok && !tx.schema {
		return info, nil
	}
	name := sqltext.QuoteString(table)
	o, err := tx.accept(0, Statement{SQL: "SELECT type, wr, (SELECT json_group_array(name) FROM pragma_table_xinfo(" + name +
		") WHERE hidden <> 1) FROM pragma_table_list(" + name + ")"})
	if err != nil {
		return tableInfo{}, err
	}
	rows, err := tx.table(ctx, o)
	if err != nil {
		return tableInfo{}, err
	}
	if len(rows.Rows) == 0 {
		e := refused(0, "no such table: "+table+": SQLITE_ERROR")
		e.Outcome = OutcomeRefused
		return tableInfo{}, e
	}
	values, err := speculate.DecodeRow(rows.Rows[0])
	if err != nil {
		return tableInfo{}, err
	}
	var info tableInfo
	info.kind, _ = values[0].(string)
	columns, _ := values[2].(string)
	if err := json.Unmarshal([]byte(columns), &info.columns); err != nil {
		return tableInfo{}, err
	}
	if values[1] == int64(0) {
		info.rowid = rowidName(info.columns)
	}
	if !tx.schema {
		tx.db.shapes.putTable(table, info)
	}
	return info, nil
}

func rowidName(columns []string) string {
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if !slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, name) }) {
			return name
		}
	}
	return ""
}

// shapes remembers what has been learnt of reads and tables. It may be out of date:
// whoever uses it gets an error then, or makes sure.
type shapes struct {
	mu     sync.Mutex
	reads  map[string][]string
	tables map[string]tableInfo
}

// maxShapes bounds the memory. What is forgotten costs a request to learn again.
const maxShapes = 1000

func (s *shapes) read(sql string) ([]string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	columns, ok := s.reads[sql]
	return columns, ok
}

func (s *shapes) putRead(sql string, columns []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reads == nil || len(s.reads) >= maxShapes {
		s.reads = make(map[string][]string)
	}
	s.reads[sql] = columns
}

func (s *shapes) table(name string) (tableInfo, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, ok := s.tables[strings.ToLower(name)]
	return info, ok
}

func (s *shapes) putTable(name string, info tableInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables == nil || len(s.tables) >= maxShapes {
		s.tables = make(map[string]tableInfo)
	}
	s.tables[strings.ToLower(name)] = info
}

func (s *shapes) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads, s.tables = nil, nil
}
