// Package dbdiff compares databases, wherever they live.
//
// [Load] reads the schema of a database, [Compare] compares two schemas, [Sum] sums up the
// rows of a table, and [Rows] finds the rows in which two tables differ. All of it is SQL
// that D1 runs: rows that are equal on both sides are not sent, only sums over them, and
// every statement reads so many rows as the database manages in about a second.
//
// # What equal means
//
// Values are equal if type and bytes are: 1 is not 1.0, a text is not the blob of its bytes,
// and NULL is NULL. Sums compare digests of 62 bits, which differ for different rows but by
// chance; they are no defence against somebody who makes rows with equal digests on purpose.
//
// Every statement sees one state, but not all of them the same: a database that is written
// to meanwhile may seem to differ where it does not.
//
// # What is compared
//
// Tables, indexes, views and triggers by their SQL, without regard to what it looks like.
// Rows by their primary key; where there is none, or one that is compared by rules of its
// own (COLLATE, NULL), as so many equal rows on each side. Generated columns, statistics,
// the tables behind virtual ones, and Cloudflare's own are left out.
package dbdiff

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// Database is a database whose schema has been read.
type Database struct {
	// Objects are its tables, indexes, views and triggers, in the order of their making.
	Objects []Object
	// Tables are those that have rows of their own, in the same order.
	Tables []*Table

	on d1.Querier
}

// Object is a table, an index, a view or a trigger.
type Object struct {
	Type, Name, SQL string
	// Table is the one that an index or a trigger belongs to.
	Table string

	columns string // of a table, as far as they matter
}

// Table is a table with rows.
type Table struct {
	// Name is the table's.
	Name string
	// Columns are the names of those that are compared.
	Columns []string

	on   d1.Querier
	key  []string // the columns that tell rows apart, or none
	page []string // the columns to read the rows by, in parts; none means all at once
}

// Table returns the table of a name, or nil.
func (d *Database) Table(name string) *Table {
	for _, t := range d.Tables {
		if strings.EqualFold(t.Name, name) {
			return t
		}
	}
	return nil
}

// Load reads a schema. It takes two requests, and one more for every hundred tables.
func Load(ctx context.Context, on d1.Querier) (*Database, error) {
	d := &Database{on: on}
	results, err := request(ctx, on, "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid",
		"PRAGMA table_list")
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	kinds := map[string]kind{} // by name
	for _, row := range results[1] {
		if text(row[0]) == "main" {
			kinds[text(row[1])] = kind{text(row[2]), truth(row[4])}
		}
	}
	for _, row := range results[0] {
		o := Object{Type: text(row[0]), Name: text(row[1]), Table: text(row[2]), SQL: text(row[3])}
		if compared(o, kinds[o.Name]) {
			d.Objects = append(d.Objects, o)
		}
	}
	return d, d.readTables(ctx, kinds)
}

// kind is what PRAGMA table_list says of a table.
type kind struct {
	name         string // table, virtual, shadow or view
	withoutRowid bool
}

// compared reports whether an object is one that its owner has made.
func compared(o Object, k kind) bool {
	name := strings.ToLower(o.Table)
	return k.name != "shadow" && !strings.HasPrefix(name, "_cf_") &&
		(!strings.HasPrefix(name, "sqlite_") || name == sequence)
}

// sequence is the table in which SQLite keeps the counters of AUTOINCREMENT.
const sequence = "sqlite_sequence"

const tablesAtOnce = 100

func (d *Database) readTables(ctx context.Context, kinds map[string]kind) error {
	var tables []int // among Objects
	for i, o := range d.Objects {
		if o.Type == "table" {
			tables = append(tables, i)
		}
	}
	for some := range slices.Chunk(tables, tablesAtOnce) {
		var sql []string
		for _, i := range some {
			sql = append(sql, "PRAGMA table_xinfo("+sqltext.QuoteIdent(d.Objects[i].Name)+")")
		}
		results, err := request(ctx, d.on, sql...)
		if err != nil {
			return fmt.Errorf("read the columns of tables: %w", err)
		}
		for n, i := range some {
			o := &d.Objects[i]
			columns := readColumns(results[n])
			o.columns = fmt.Sprint(columns)
			t, err := d.newTable(ctx, o, kinds[o.Name], columns)
			if err != nil {
				return err
			}
			if t != nil {
				d.Tables = append(d.Tables, t)
			}
		}
	}
	d.Objects = slices.DeleteFunc(d.Objects, func(o Object) bool { return o.Name == sequence })
	return nil
}

// column is a row of PRAGMA table_xinfo.
type column struct {
	Name, Type string
	NotNull    bool
	Default    any
	Key        int64 // its place in the primary key, or 0
	Hidden     int64 // 1 of a virtual table, 2 and 3 generated
}

func readColumns(rows [][]any) (columns []column) {
	for _, r := range rows {
		key, _ := r[5].(int64)
		hidden, _ := r[6].(int64)
		columns = append(columns, column{text(r[1]), text(r[2]), truth(r[3]), r[4], key, hidden})
	}
	return columns
}

// newTable finds out how the rows of a table can be read and compared. It returns nil for
// one that has no rows of its own.
func (d *Database) newTable(ctx context.Context, o *Object, k kind, columns []column) (*Table, error) {
	t := &Table{Name: o.Name, on: d.on}
	if k.name == "virtual" && isVocabulary(o.SQL) {
		return nil, nil
	}
	keys := map[int64]column{}
	for _, c := range columns {
		if c.Hidden == 0 {
			t.Columns = append(t.Columns, c.Name)
		}
		if c.Key > 0 {
			keys[c.Key] = c
		}
	}
	rowid := rowidOf(columns)
	if k.name == "virtual" {
		t.key, t.page = []string{rowid}, []string{rowid}
		t.Columns = append([]string{rowid}, t.Columns...)
		return t, nil
	}
	for i := range int64(len(keys)) {
		t.key = append(t.key, keys[i+1].Name)
	}
	if k.withoutRowid {
		t.page = t.key
	} else if rowid != "" {
		t.page = []string{rowid}
	}
	ok, err := t.plainKey(ctx, o.SQL, k, keys)
	if err == nil && !ok {
		t.key = nil
	}
	if len(t.key) > 0 {
		t.page = t.key
	}
	return t, err
}

// plainKey reports whether every row has a key of its own, which orders as its bytes do.
func (t *Table) plainKey(ctx context.Context, sql string, k kind, keys map[int64]column) (bool, error) {
	switch {
	case len(t.key) == 0:
		return false, nil
	case len(keys) == 1 && strings.EqualFold(keys[1].Type, "INTEGER"):
		return true, nil
	case hasWord(sql, "COLLATE"):
		if ok, err := t.binaryKey(ctx); err != nil || !ok {
			return false, err
		}
	}
	var missing []string
	for _, c := range keys {
		if !c.NotNull && !k.withoutRowid {
			missing = append(missing, sqltext.QuoteIdent(c.Name)+" IS NULL")
		}
	}
	if len(missing) == 0 {
		return true, nil
	}
	rows, err := t.ask(ctx, "SELECT 1 FROM "+sqltext.QuoteIdent(t.Name)+" WHERE "+strings.Join(missing, " OR ")+" LIMIT 1")
	return err == nil && len(rows) == 0, err
}

// binaryKey reports whether no column of the primary key has a collation of its own.
func (t *Table) binaryKey(ctx context.Context) (bool, error) {
	indexes, err := t.ask(ctx, "PRAGMA index_list("+sqltext.QuoteIdent(t.Name)+")")
	if err != nil {
		return false, err
	}
	for _, index := range indexes {
		if text(index[3]) != "pk" {
			continue
		}
		columns, err := t.ask(ctx, "PRAGMA index_xinfo("+sqltext.QuoteIdent(text(index[1]))+")")
		if err != nil {
			return false, err
		}
		return !slices.ContainsFunc(columns, func(c []any) bool { return truth(c[5]) && !strings.EqualFold(text(c[4]), "BINARY") }), nil
	}
	return false, nil
}

func (t *Table) ask(ctx context.Context, sql string) ([][]any, error) {
	results, err := request(ctx, t.on, sql)
	if err != nil {
		return nil, fmt.Errorf("read the key of table %s: %w", t.Name, err)
	}
	return results[0], nil
}

// rowidOf returns the name that the rowid has beside the columns, or "".
func rowidOf(columns []column) string {
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if !slices.ContainsFunc(columns, func(c column) bool { return strings.EqualFold(c.Name, name) }) {
			return name
		}
	}
	return ""
}

// isVocabulary recognises a table that shows another's terms.
func isVocabulary(sql string) bool { return hasWord(sql, "fts5vocab") }

func hasWord(sql, word string) bool {
	for t := range sqltext.Tokens(sql) {
		if t.Kind == sqltext.TokenWord && strings.EqualFold(t.Text(sql), word) {
			return true
		}
	}
	return false
}

// request runs statements as one transaction, and returns their rows.
func request(ctx context.Context, on d1.Querier, statements ...string) ([][][]any, error) {
	req := d1.Request{Statements: make([]d1.Statement, len(statements))}
	for i, sql := range statements {
		req.Statements[i].SQL = sql
	}
	return do(ctx, on, req)
}

func do(ctx context.Context, on d1.Querier, req d1.Request) (all [][][]any, err error) {
	results, err := on.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	defer results.Close()
	for results.NextResult() {
		var rows [][]any
		for results.Next() {
			row := make([]any, len(results.Row()))
			for i, v := range results.Row() {
				if row[i], err = v.Any(); err != nil {
					return nil, err
				}
			}
			rows = append(rows, row)
		}
		all = append(all, rows)
	}
	if err = results.Close(); err == nil && len(all) < len(req.Statements) {
		err = fmt.Errorf("the answer has %d results for %d statements", len(all), len(req.Statements))
	}
	return all, err
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func truth(v any) bool {
	n, _ := v.(int64)
	return n != 0
}
