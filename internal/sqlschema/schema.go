// Package sqlschema knows what the columns of a database are, and from that what the
// columns of a statement's answer are: their declared types, and whether they may hold
// NULL.
//
// D1 answers with names and values alone. SQLite itself tells a statement's types from
// the schema (sqlite3_column_decltype), and this package does the same from the texts in
// sqlite_master: [New] reads those, [Parse] reads a statement, [Schema.Resolve] brings the
// two together.
//
// It says what SQLite would say, and goes beyond it only for RETURNING. What it is not
// sure of has no type; it never has a wrong one. It reads statements that the database
// has accepted: of others it says anything, but it does not panic, and takes time in
// proportion to their length.
package sqlschema

import (
	"strings"
	"sync"
)

// Object is a row of sqlite_master.
type Object struct {
	Type, Name, SQL string
}

// Null says whether a column may hold NULL.
type Null uint8

// The answers.
const (
	NullUnknown Null = iota
	Nullable
	NotNull
)

// Column is a column of a table, a view or an answer.
type Column struct {
	// Name is the column's name; empty where it is not known.
	Name string
	// Type is the declared type, as sqlite3_column_decltype gives it; empty where there
	// is none, or where it is not known.
	Type string
	// Null says whether the column may hold NULL.
	Null Null
	// Stored says that the values come from a table's column of this type and from
	// nowhere else, so that they have its affinity.
	Stored bool

	primary bool   // stands for the rowid
	hidden  bool   // no part of *
	inner   string // its name to a query around its own, if that is another
	odd     bool   // that name is not known
}

// Schema is the tables and views of a database. It is safe for concurrent use.
type Schema struct {
	tables map[string]*relation // by folded name

	mu    sync.Mutex // guards the views
	views map[string]*view
}

// view is a view and its columns, which are found out when they are asked for.
type view struct {
	names   []string // the view's own, or nil
	query   *query
	columns *relation
	busy    bool // is being resolved, so that it cannot be part of itself
}

// New reads the tables and views of a schema. Objects of other types are left out, and
// of those it cannot read it knows nothing.
func New(objects []Object) *Schema {
	s := &Schema{tables: make(map[string]*relation, len(objects)), views: make(map[string]*view)}
	for _, name := range []string{"sqlite_master", "sqlite_schema"} {
		s.tables[name] = masterTable
	}
	for _, o := range objects {
		switch o.Type {
		case "table":
			if rel := parseTable(o.SQL); rel != nil {
				s.tables[fold(o.Name)] = rel
			}
		case "view":
			if v := parseView(o.SQL); v != nil {
				s.views[fold(o.Name)] = v
			}
		}
	}
	return s
}

var masterTable = newRelation([]Column{
	{Name: "type", Type: "TEXT", Null: Nullable, Stored: true},
	{Name: "name", Type: "TEXT", Null: Nullable, Stored: true},
	{Name: "tbl_name", Type: "TEXT", Null: Nullable, Stored: true},
	{Name: "rootpage", Type: "INT", Null: Nullable, Stored: true},
	{Name: "sql", Type: "TEXT", Null: Nullable, Stored: true},
}, true)

// Columns returns the columns that * stands for in a table or a view. ok is false if there is no
// such table or its columns are not known.
func (s *Schema) Columns(table string) (columns []Column, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := resolver{schema: s}
	rel := r.table(table)
	if rel.open {
		return nil, false
	}
	return rel.visible(), true
}

// relation is what can stand in FROM: columns with names.
type relation struct {
	columns []Column
	index   map[string]int // the first column of each folded name
	rowid   bool           // has a rowid besides its columns
	open    bool           // has columns that are not known
	unnamed bool           // has columns whose names are not known
}

func newRelation(columns []Column, rowid bool) *relation {
	rel := &relation{columns: columns, index: make(map[string]int, len(columns)), rowid: rowid}
	for i, c := range columns {
		if c.Name == "" {
			rel.unnamed = true
			continue
		}
		if _, ok := rel.index[fold(c.Name)]; !ok {
			rel.index[fold(c.Name)] = i
		}
	}
	return rel
}

// unknown is a relation of which nothing is known.
var unknown = &relation{open: true}

func (rel *relation) visible() []Column {
	columns := make([]Column, 0, len(rel.columns))
	for _, c := range rel.columns {
		if !c.hidden {
			columns = append(columns, c)
		}
	}
	return columns
}

// find returns the column of a name, which is folded.
func (rel *relation) find(name string) (Column, bool) {
	i, ok := rel.index[name]
	if !ok {
		return Column{}, false
	}
	return rel.columns[i], true
}

// rowidColumn returns what rowid stands for.
func (rel *relation) rowidColumn() Column {
	for _, c := range rel.columns {
		if c.primary {
			return c
		}
	}
	return Column{Name: "rowid", Type: "INTEGER", Null: NotNull, Stored: true}
}

func isRowid(name string) bool { return name == "rowid" || name == "oid" || name == "_rowid_" }

// fold maps the ASCII letters of a name to lower case, as SQLite compares names.
func fold(name string) string {
	for i := range len(name) {
		if c := name[i]; 'A' <= c && c <= 'Z' {
			return strings.Map(func(r rune) rune {
				if 'A' <= r && r <= 'Z' {
					return r + 'a' - 'A'
				}
				return r
			}, name)
		}
	}
	return name
}
