package d1

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/skylite-go/skylite/internal/speculate"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// tableInfo is what must be known of a table to take down its rows.
type tableInfo struct {
	kind    string // table, view, virtual
	columns []tableColumn
	rowid   string // a name for the rowid, or "" if there is none
}

// keys are what tells the table's rows apart, as SQL.
func (t tableInfo) keys() []string {
	if t.rowid != "" {
		return []string{t.rowid}
	}
	var keys []string
	for _, c := range t.columns {
		if c.key > 0 {
			keys = append(keys, sqltext.QuoteIdent(c.name))
		}
	}
	return keys
}

// all are the table's columns, quoted, and its rowid.
func (t tableInfo) all() []string {
	var all []string
	for _, c := range t.columns {
		if c.shown() {
			all = append(all, sqltext.QuoteIdent(c.name))
		}
	}
	if t.rowid != "" {
		all = append(all, t.rowid)
	}
	return all
}

type tableColumn struct {
	name, kind string
	key        int // its place in the primary key, from 1
	hidden     int // as pragma_table_xinfo has it: 1 hidden, 2 and 3 generated
}

// shown reports whether a star stands for the column too.
func (c tableColumn) shown() bool { return c.hidden != 1 }

// pinnable reports whether a value can be inserted into the column, which is none for
// the rowid.
func (c tableColumn) pinnable() bool {
	return c.hidden == 0 && !(c.key == 1 && strings.EqualFold(c.kind, "INTEGER"))
}

func decodeColumns(data string) ([]tableColumn, error) {
	var rows [][4]any
	if err := json.Unmarshal([]byte(data), &rows); err != nil {
		return nil, err
	}
	columns := make([]tableColumn, len(rows))
	for i, row := range rows {
		c := &columns[i]
		c.name, _ = row[0].(string)
		c.kind, _ = row[1].(string)
		key, _ := row[2].(float64)
		hidden, _ := row[3].(float64)
		c.key, c.hidden = int(key), int(hidden)
	}
	return columns, nil
}

// describe asks for a table, behind the transaction's writes if they may have made it.
func (tx *Tx) describe(ctx context.Context, table string) (tableInfo, error) {
	if info, ok := tx.db.shapes.table(table); ok && !tx.schema {
		return info, nil
	}
	name := sqltext.QuoteString(table)
	o, err := tx.accept(0, Statement{SQL: "SELECT type, wr, " + speculate.TableColumns(table) +
		" FROM pragma_table_list(" + name + ")"})
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
	if info.columns, err = decodeColumns(columns); err != nil {
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

func rowidName(columns []tableColumn) string {
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if !slices.ContainsFunc(columns, func(c tableColumn) bool { return strings.EqualFold(c.name, name) }) {
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
