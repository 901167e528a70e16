package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/dialect"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// Changes take a database to the tables that it should have.
type Changes struct {
	// Steps are the statements, in order.
	Steps []Change
	// Left says what is different and was left to the author, and why.
	Left []string
}

// Change is one statement, without its semicolon.
type Change struct {
	// Summary says what it does, such as "users: a new column email".
	Summary string
	SQL     string
}

// Diff compares the tables that a database has with those that it should have, and
// returns what makes new tables, columns and indexes, and drops indexes that are in none
// of the tables. Everything else that differs is left to the author. Tables that are not
// asked for are not looked at. It writes nothing.
func Diff(ctx context.Context, db *d1.DB, tables ...dialect.Table) (*Changes, error) {
	changes := &Changes{}
	for _, t := range tables {
		ddl, err := t.DDL()
		if err != nil {
			return nil, err
		}
		have, err := readTable(ctx, db, t.Name)
		if err != nil {
			return nil, fmt.Errorf("read table %q: %w", t.Name, err)
		}
		if have == nil {
			changes.step(ddl[0], "%s: a new table", t.Name)
			have = &presentTable{}
		} else {
			changes.columns(t, have)
		}
		changes.indexes(t, have)
	}
	return changes, nil
}

func (c *Changes) step(sql, format string, args ...any) {
	c.Steps = append(c.Steps, Change{fmt.Sprintf(format, args...), sql})
}

func (c *Changes) leave(format string, args ...any) {
	c.Left = append(c.Left, fmt.Sprintf(format, args...))
}

// presentTable is a table as the database has it.
type presentTable struct {
	columns []presentColumn
	indexes []presentIndex
}

type presentColumn struct {
	name, declared, fallback string
	notNull                  bool
	key                      int64 // place in the primary key, from 1
}

type presentIndex struct{ name, sql string }

// readTable asks for a table, or returns nil if there is none.
func readTable(ctx context.Context, db *d1.DB, name string) (*presentTable, error) {
	batch, err := db.Batch(ctx,
		db.Prepare("PRAGMA table_info("+sqltext.QuoteIdent(name)+")"),
		db.Prepare("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? COLLATE NOCASE AND sql IS NOT NULL ORDER BY name").Bind(name))
	if err != nil {
		return nil, err
	}
	if len(batch[0].Rows) == 0 {
		return nil, nil
	}
	t := &presentTable{}
	for _, row := range batch[0].Rows { // cid, name, type, notnull, dflt_value, pk
		t.columns = append(t.columns, presentColumn{text(row[1]), text(row[2]), text(row[4]), number(row[3]) != 0, number(row[5])})
	}
	for _, row := range batch[1].Rows {
		t.indexes = append(t.indexes, presentIndex{text(row[0]), text(row[1])})
	}
	return t, nil
}

func (t *presentTable) column(name string) *presentColumn {
	for i := range t.columns {
		if fold(t.columns[i].name) == fold(name) {
			return &t.columns[i]
		}
	}
	return nil
}

func (c *Changes) columns(t dialect.Table, have *presentTable) {
	for _, want := range t.Columns {
		column := have.column(want.Name)
		switch {
		case column != nil:
			c.compare(t, want, *column)
		case want.PrimaryKey || slices.Contains(t.PrimaryKey, want.Name):
			c.leave("%s.%s is part of the primary key; SQLite adds no such column, so the table must be rebuilt", t.Name, want.Name)
		case !want.Nullable && (want.Default == "" || isNull(want.Default)):
			c.leave("%s.%s must not be NULL and has no default; SQLite adds no such column, so give it a default, "+
				"let it be NULL, or rebuild the table", t.Name, want.Name)
		case strings.HasPrefix(want.Default, "(") || strings.HasPrefix(fold(want.Default), "current_"):
			c.leave("%s.%s has a default that is not a constant; SQLite adds no such column to a table that has rows", t.Name, want.Name)
		case want.References != "" && want.Default != "" && !isNull(want.Default):
			c.leave("%s.%s refers to another table and has a default; SQLite adds no such column", t.Name, want.Name)
		default:
			c.step(dialect.AddColumn(t.Name, want), "%s: a new column %s", t.Name, want.Name)
		}
	}
	for _, column := range have.columns {
		if !slices.ContainsFunc(t.Columns, func(w dialect.Column) bool { return fold(w.Name) == fold(column.name) }) {
			c.leave("%s.%s is in the database only; ALTER TABLE %s DROP COLUMN %s loses what is in it", t.Name, column.name,
				sqltext.QuoteIdent(t.Name), sqltext.QuoteIdent(column.name))
		}
	}
}

func isNull(literal string) bool { return fold(literal) == "null" }

// compare tells of what cannot be changed in a column.
func (c *Changes) compare(t dialect.Table, want dialect.Column, have presentColumn) {
	differs := func(what, now, then string) {
		c.leave("%s.%s: %s %s in the database and %s in the code; the table must be rebuilt", t.Name, want.Name, what, now, then)
	}
	if !strings.EqualFold(have.declared, want.Type) {
		differs("its type is", orNothing(have.declared), orNothing(want.Type))
	}
	if have.notNull == want.Nullable {
		differs("it", nullability(!have.notNull), nullability(want.Nullable))
	}
	if canonical(have.fallback) != canonical(strings.TrimSuffix(strings.TrimPrefix(want.Default, "("), ")")) &&
		canonical(have.fallback) != canonical(want.Default) {
		differs("its default is", orNothing(have.fallback), orNothing(want.Default))
	}
	if isKey := want.PrimaryKey || slices.Contains(t.PrimaryKey, want.Name); isKey != (have.key > 0) {
		differs("it", inKey(have.key > 0), inKey(isKey))
	}
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

func nullability(nullable bool) string {
	if nullable {
		return "may be NULL"
	}
	return "must not be NULL"
}

func inKey(key bool) string {
	if key {
		return "is in the primary key"
	}
	return "is not in the primary key"
}

// indexes makes and drops indexes.
func (c *Changes) indexes(t dialect.Table, have *presentTable) {
	var wanted []string
	for _, want := range t.Indexes {
		name := sqltext.Unquote(dialect.PhysicalIndexName(t.Name, want.Name))
		wanted = append(wanted, fold(name))
		create := dialect.CreateIndex(t.Name, want)
		i := slices.IndexFunc(have.indexes, func(i presentIndex) bool { return fold(i.name) == fold(name) })
		switch {
		case i < 0:
			c.step(create, "%s: a new index %s", t.Name, name)
		case canonical(have.indexes[i].sql) != canonical(create):
			c.step("DROP INDEX "+sqltext.QuoteIdent(have.indexes[i].name), "%s: the index %s changes", t.Name, name)
			c.step(create, "%s: the index %s again", t.Name, name)
		}
	}
	for _, index := range have.indexes {
		if !slices.Contains(wanted, fold(index.name)) {
			c.step("DROP INDEX "+sqltext.QuoteIdent(index.name), "%s: the index %s is in the database only", t.Name, index.name)
		}
	}
}

// canonical writes SQL so that texts which mean the same are the same: words in lower
// case, names without quotes, no white space, and no IF NOT EXISTS.
func canonical(sql string) string {
	var words []string
	for token := range sqltext.Tokens(sql) {
		switch token.Kind {
		case sqltext.TokenSpace, sqltext.TokenComment:
		case sqltext.TokenString:
			words = append(words, token.Text(sql))
		default:
			words = append(words, fold(sqltext.Unquote(token.Text(sql))))
		}
	}
	return strings.Replace(strings.Join(words, " "), "if not exists ", "", 1)
}
