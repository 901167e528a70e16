package embedded

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

var _ d1.Exporter = (*DB)(nil)

// Export implements [d1.Exporter]. It writes D1's own form, with what is wrong there put
// right; docs/export-import.md has the differences. Others read and write meanwhile, but
// in a database in memory, where they wait. Rows that have no INTEGER PRIMARY KEY keep
// their order, not their rowids.
func (db *DB) Export(ctx context.Context, w io.Writer, opts d1.ExportOptions) (d1.Bookmark, error) {
	var bookmark d1.Bookmark
	err := db.look(ctx, func(c *conn) error {
		e := &exporter{conn: c, out: bufio.NewWriterSize(w, 64<<10), opts: opts}
		if err := e.readSchema(); err != nil {
			return c.exportError("", err)
		}
		bookmark = db.states.bookmark(c.newest())
		if err := e.write(); err != nil {
			return err
		}
		if err := e.out.Flush(); err != nil {
			return fmt.Errorf("write the export: %w", err)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return bookmark, nil
}

// exportError says which table an error is about, if it is one of the engine or of what
// is to be exported.
func (c *conn) exportError(table string, err error) error {
	switch err.(type) {
	case *d1.Error, *sqlite3.Error, sqlite3.ErrorCode, sqlite3.ExtendedErrorCode:
		failed := *c.sqlError(err, 0)
		if table != "" {
			failed.Message = "cannot export the table " + table + ": " + failed.Message
		}
		return &failed
	}
	return err
}

// exporter writes a script from one connection, in one transaction.
type exporter struct {
	*conn
	out     *bufio.Writer
	opts    d1.ExportOptions
	schema  schema
	begun   bool   // a statement was written
	line    []byte // the statement that is made
	pieces  string // the name of the table for long values, when there is one
	made    map[string]bool
	waiting []*table // whose rows come when all tables are there
}

// write writes everything.
func (e *exporter) write() error {
	e.statement("PRAGMA defer_foreign_keys=TRUE")
	if err := e.foreignKeys(); err != nil {
		return e.exportError("", err)
	}
	e.made = map[string]bool{}
	for _, t := range e.schema.tables {
		if err := e.table(t); err != nil {
			return e.exportError(t.name, err)
		}
	}
	for _, t := range e.waiting {
		if err := e.rows(t); err != nil {
			return e.exportError(t.name, err)
		}
	}
	if e.pieces != "" {
		e.statement("DROP TABLE " + sqltext.QuoteIdent(e.pieces))
	}
	if err := e.sequences(); err != nil {
		return e.exportError("sqlite_sequence", err)
	}
	e.others()
	for _, t := range e.schema.tables {
		if t.rebuild {
			name := sqltext.QuoteIdent(t.name)
			e.statement("INSERT INTO " + name + " (" + name + ") VALUES('rebuild')")
		}
	}
	return nil
}

// table writes a table and its rows, unless they must wait for another table.
func (e *exporter) table(t *table) error {
	if e.opts.Progress != nil {
		e.opts.Progress("Exporting " + t.name)
	}
	if t.isStatistics() {
		return e.statistics(t)
	}
	if !e.opts.NoSchema {
		e.statement(ifQuoted(t.sql))
		for _, index := range t.early {
			e.statement(index)
		}
	}
	e.made[fold(t.name)] = true
	if t.virtual != nil {
		return e.virtualTable(t)
	}
	if e.opts.NoData {
		return nil
	}
	for _, parent := range t.parents {
		if !e.made[parent] && !e.opts.NoSchema {
			e.waiting = append(e.waiting, t)
			return nil
		}
	}
	return e.rows(t)
}

// ifQuoted is what D1 makes of a table whose name is in quotes.
func ifQuoted(sql string) string {
	const create = "CREATE TABLE "
	if rest, ok := strings.CutPrefix(sql, create); ok && rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		return create + "IF NOT EXISTS " + rest
	}
	return sql
}

// sequences writes where AUTOINCREMENT goes on: of all tables, or of those alone that
// are exported or exist where only rows are wanted.
func (e *exporter) sequences() error {
	var names []string
	for _, t := range e.schema.tables {
		if t.autoincrement {
			names = append(names, sqltext.QuoteString(t.name))
		}
	}
	if len(names) == 0 {
		return nil
	}
	where := " WHERE name IN (" + strings.Join(names, ",") + ")"
	remove := ""
	if len(e.opts.Tables) > 0 || e.opts.NoSchema {
		remove = where
	}
	if e.opts.NoSchema && e.opts.NoData {
		return nil
	}
	e.statement("DELETE FROM sqlite_sequence" + remove)
	if e.opts.NoData {
		return nil
	}
	t := &table{name: "sqlite_sequence", columns: []string{"name", "seq"}}
	return e.query(t, "SELECT name, seq FROM sqlite_sequence"+where+" ORDER BY rowid")
}

// statistics writes what ANALYZE has found out, if everything is exported.
func (e *exporter) statistics(t *table) error {
	if e.opts.NoSchema || e.opts.NoData {
		return nil
	}
	e.statement("ANALYZE sqlite_schema")
	return e.rows(t)
}

// others writes indexes, triggers and views: D1's order, but for the triggers of views.
func (e *exporter) others() {
	if e.opts.NoSchema {
		return
	}
	for _, list := range [][]string{e.schema.indexes, e.schema.triggers, e.schema.views, e.schema.viewTriggers} {
		for _, sql := range list {
			e.statement(sql)
		}
	}
}

// statement writes a statement. An error is met again when the writer is flushed.
func (e *exporter) statement(sql string) {
	if e.begun {
		_ = e.out.WriteByte('\n')
	}
	e.begun = true
	_, _ = e.out.WriteString(sql)
	if !sqltext.Complete(sql + ";") {
		_ = e.out.WriteByte('\n') // it ends in a comment
	}
	_ = e.out.WriteByte(';')
}

// each runs a query and calls do for each of its rows.
func (e *exporter) each(sql string, do func(s *sqlite3.Stmt) error) error {
	s, _, err := e.Prepare(sql)
	if err != nil {
		return err
	}
	defer s.Close()
	for s.Step() {
		if err := do(s); err != nil {
			return err
		}
	}
	return s.Err()
}

// fold is a name as SQLite compares it.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, name)
}
