package embedded

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqlitecode"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// stmt is a compiled statement and what is known of it.
type stmt struct {
	*sqlite3.Stmt
	sql        string
	params     int
	readOnly   bool
	stateful   bool // reads what the writer's connection remembers
	schema     bool // may change the schema, and returns no rows
	analyzes   bool // may write the planner's statistics
	pragma     bool // changes a setting of its connection
	volatile   bool // must be compiled anew each time
	cost       cost
	outdated   bool // cost is that of another program
	columns    []string
	reprepared int // the engine's count when columns were read
	prev, next *stmt
}

// compile returns the compiled form of one statement, from the cache if it is
// there. It returns errNeedsWriter if the connection is a reader and the statement
// is not one for readers.
func (c *conn) compile(sql string) (*stmt, error) {
	if n := c.db.schema.Load(); n != c.schema {
		c.stmts.clear()
		c.schema = n
	}
	if s := c.stmts.get(sql); s != nil {
		return s, nil
	}
	s, err := c.compileUncached(sql, c.db.parsed.Parse)
	if err != nil {
		return nil, err
	}
	if !s.volatile {
		c.stmts.put(s)
	}
	return s, nil
}

// compileUncached is compile without the caches.
func (c *conn) compileUncached(sql string, parse func(sql string) (sqltext.Statement, error)) (*stmt, error) {
	if len(sql) > d1.MaxStatementBytes {
		return nil, tooLong()
	}
	parsed, err := parse(sql)
	if err != nil {
		return nil, parseError(sql, err)
	}
	if parsed.Fault.Kind == sqltext.NULByte {
		return nil, unsent(fmt.Sprintf("the SQL text has a NUL byte at offset %d, where SQLite would stop reading",
			parsed.Fault.Start), nil)
	}
	if !c.writing && !reads(parsed) {
		return nil, errNeedsWriter
	}
	introspects := asksForSchema(parsed)
	c.emptyArg = introspects && passesEmpty(parsed)
	if introspects {
		c.loadSchema()
	}
	s, err := c.prepare(sql, parsed)
	if err != nil {
		return nil, err
	}
	s.pragma = setsPragma(parsed)
	if !c.writing && (!s.readOnly || s.stateful) {
		s.Close()
		return nil, errNeedsWriter
	}
	s.volatile = s.pragma || s.schema || introspects
	return s, nil
}

// asksForSchema reports whether a statement answers from what its connection knows of
// the schema, without a look whether that is still so, as PRAGMA index_list does.
func asksForSchema(s sqltext.Statement) bool {
	return s.Verb == "PRAGMA" || mentions(s.Text, "pragma_")
}

func mentions(sql, word string) bool { return strings.Contains(strings.ToLower(sql), word) }

// loadSchema makes the connection look whether the schema has changed.
func (c *conn) loadSchema() { _ = c.own(func() error { return c.runOwn(c.look) }) }

// reads reports whether a statement is one for readers, going by its text.
func reads(s sqltext.Statement) bool {
	return s.Kind == sqltext.Read || s.Kind == sqltext.Pragma && !setsPragma(s)
}

// mayRead reports whether a request may be one for a reader: it has no need to wait for
// one if it is not.
func (db *DB) mayRead(req d1.Request) bool {
	for _, s := range req.Statements {
		if parsed, err := db.parsed.Parse(s.SQL); err == nil && !reads(parsed) {
			return false
		}
	}
	return true
}

// release ends the use of a statement that compile returned.
func (c *conn) release(s *stmt) {
	if !s.cached() {
		s.Close()
		return
	}
	s.Reset()
	s.ClearBindings()
}

func parseError(sql string, err error) error {
	switch err {
	case sqltext.ErrNone:
		if strings.Contains(sql, "/*") || strings.Contains(sql, ";") {
			return d1.NewError("SQL code did not contain a statement.")
		}
		return d1.NewError("No SQL statements detected.")
	case sqltext.ErrMany:
		return unsent("the text holds more than one statement; give each its own", err)
	}
	return err
}

func (c *conn) prepare(sql string, parsed sqltext.Statement) (*stmt, error) {
	if err := refusedName(parsed); err != nil {
		return nil, err
	}
	c.refused = refusal{}
	c.stateful, c.looksBack = false, false
	compiled, err := c.prepareText(sql, parsed)
	if err != nil && c.refused.series && c.hasSeries() {
		c.ownSeries = true
		compiled, err = c.prepareText(sql, parsed)
		c.ownSeries = false
	}
	if err != nil {
		return nil, c.refused.explain(sql, err)
	}
	optimizes := mentions(sql, "pragma_optimize")
	s := &stmt{
		Stmt: compiled, sql: sql,
		params:   compiled.BindCount(),
		readOnly: compiled.ReadOnly() && !optimizes,
		stateful: c.stateful,
		schema:   parsed.Kind == sqltext.Schema,
		analyzes: parsed.Verb == "ANALYZE" || parsed.Verb == "PRAGMA" && !compiled.ReadOnly() || optimizes,
	}
	if !s.schema {
		s.readColumns()
	}
	if explainable(parsed) && (s.readOnly || !c.looksBack) {
		s.cost = c.costOf(s, nil)
	}
	return s, nil
}

// prepareText compiles the text, rewritten if it is an UPDATE or a DELETE with
// ORDER BY or LIMIT, which D1's SQLite knows and this one does not.
func (c *conn) prepareText(sql string, parsed sqltext.Statement) (*sqlite3.Stmt, error) {
	compiled, err := c.prepareSafely(sql)
	if err == nil && compiled == nil {
		return nil, d1.NewError("SQL code did not contain a statement.")
	}
	if err == nil || parsed.Kind != sqltext.Write {
		return compiled, noError(c.sqlError(err, len(sql)))
	}
	plain := c.sqlError(err, len(sql))
	rewritten, ok, limitErr := parsed.RewriteLimit(c.keyOf)
	if limitErr != nil {
		return nil, limitError(limitErr)
	}
	if rewritten.Plain != "" {
		if err := c.check(rewritten.Plain); err != nil {
			return nil, err
		}
	}
	if !ok {
		return nil, plain
	}
	compiled, err = c.prepareSafely(rewritten.Text)
	if err == nil {
		return compiled, nil
	}
	failed := c.sqlError(err, len(rewritten.Text))
	if 0 <= failed.Offset && failed.Offset < len(rewritten.Text) {
		message, offset, code := sqlitecode.Parse(failed.Message)
		failed = engineError(message, rewritten.Original(offset), code)
	}
	return nil, failed
}

// check returns the error of a text that does not compile.
func (c *conn) check(sql string) error {
	compiled, err := c.prepareSafely(sql)
	if err != nil {
		return c.sqlError(err, len(sql))
	}
	return noError(c.sqlError(compiled.Close(), 0))
}

// prepareSafely compiles a text. The engine's package cuts the text at the offset of
// an error, and panics where the offset is one in SQL that SQLite itself wrote, as
// ALTER TABLE does; then the text is tried again with room behind it.
func (c *conn) prepareSafely(sql string) (compiled *sqlite3.Stmt, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			if _, outside := fault.(runtime.Error); !outside {
				panic(fault)
			}
			compiled, err = c.preparePadded(sql)
		}
	}()
	compiled, _, err = c.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
	return compiled, err
}

// preparePadded compiles a text with room for any offset behind it.
func (c *conn) preparePadded(sql string) (*sqlite3.Stmt, error) {
	padded := sql + strings.Repeat(" ", 1<<20)
	limit := c.Limit(sqlite3.LIMIT_SQL_LENGTH, len(padded))
	defer c.Limit(sqlite3.LIMIT_SQL_LENGTH, limit)
	compiled, _, err := c.PrepareFlags(padded, sqlite3.PREPARE_PERSISTENT)
	return compiled, noError(c.sqlError(err, len(padded)))
}

func limitError(err error) error {
	if e, ok := err.(*sqltext.LimitError); ok {
		return engineError(e.Text, e.Offset, int(sqlite3.ERROR))
	}
	return err
}

// keyOf says which columns identify a row of a table: nil for its rowid.
func (c *conn) keyOf(_, table string) (key []string) {
	names := map[string]bool{}
	withoutRowID := false
	_ = c.own(func() error {
		list, _, err := c.Prepare("SELECT wr, type FROM pragma_table_list(" + sqltext.QuoteString(table) + ") WHERE schema = 'main'")
		if err != nil {
			return err
		}
		defer list.Close()
		if list.Step() {
			withoutRowID = list.ColumnBool(0)
			if list.ColumnText(1) == "view" {
				key = []string{}
			}
		}
		info, _, err := c.Prepare("SELECT name, pk FROM pragma_table_xinfo(" + sqltext.QuoteString(table) + ") ORDER BY pk")
		if err != nil {
			return err
		}
		defer info.Close()
		for info.Step() {
			name := info.ColumnText(0)
			names[strings.ToLower(name)] = true
			if withoutRowID && info.ColumnInt(1) > 0 {
				key = append(key, name)
			}
		}
		return nil
	})
	if key != nil || withoutRowID {
		return key
	}
	for _, alias := range []string{"rowid", "_rowid_", "oid"} {
		if !names[alias] {
			return []string{alias}
		}
	}
	return []string{}
}

// hasSeries reports whether the database has a table named as seriesTable.
func (c *conn) hasSeries() (has bool) {
	_ = c.own(func() error {
		s, _, err := c.Prepare("SELECT 1 FROM sqlite_master WHERE name = '" + seriesTable + "' COLLATE NOCASE")
		if err == nil {
			defer s.Close()
			has = s.Step()
		}
		return err
	})
	return has
}

// refusedName refuses to rename a table into Cloudflare's own names, which SQLite's
// authorizer is not told of.
func refusedName(s sqltext.Statement) error {
	if s.Verb != "ALTER" {
		return nil
	}
	var word, before string
	for pos := s.VerbStart; pos < len(s.Text); {
		t := sqltext.Next(s.Text, pos)
		pos = t.End
		switch t.Kind {
		case sqltext.TokenWord, sqltext.TokenQuoted, sqltext.TokenString:
			text := t.Text(s.Text)
			if word == "TO" && before == "RENAME" && !allowedName(sqltext.Unquote(text)) {
				return engineError("not authorized", -1, int(sqlite3.AUTH))
			}
			word, before = strings.ToUpper(text), word
		}
	}
	return nil
}

func (s *stmt) readColumns() {
	s.reprepared = s.Status(sqlite3.STMTSTATUS_REPREPARE, false)
	s.columns = make([]string, s.ColumnCount())
	for i := range s.columns {
		s.columns[i] = s.ColumnName(i)
	}
}

// refresh reads the columns again if SQLite has compiled the statement again, because
// somebody has changed the schema or the arguments allow a better plan. It is for after
// the first step.
func (s *stmt) refresh() {
	if !s.schema && s.Status(sqlite3.STMTSTATUS_REPREPARE, false) != s.reprepared {
		s.readColumns()
		s.outdated = len(s.cost.program) > 0
	}
}

// bind binds the arguments, which must be as many as the parameters.
func (s *stmt) bind(args []any) error {
	if len(args) != s.params {
		return d1.NewError("Wrong number of parameter bindings for SQL query.")
	}
	for i, arg := range args {
		if err := s.bindOne(i+1, arg); err != nil {
			return err
		}
	}
	return nil
}

func (s *stmt) bindOne(i int, arg any) error {
	switch arg := arg.(type) {
	case nil:
		return s.BindNull(i)
	case int64:
		return s.BindInt64(i, arg)
	case float64:
		return s.BindFloat(i, arg)
	case string:
		if len(arg) > maxLength {
			return sqlite3.TOOBIG
		}
		return s.BindText(i, arg)
	case []byte:
		if len(arg) > maxLength {
			return sqlite3.TOOBIG
		}
		return s.BindBlob(i, arg)
	}
	return unsent(fmt.Sprintf("argument %d has the type %T, which a Backend does not take", i, arg), nil)
}

// value reads a cell of the current row, without copying.
func (s *stmt) value(i int) d1.Value {
	switch s.ColumnType(i) {
	case sqlite3.INTEGER:
		return d1.Integer(s.ColumnInt64(i))
	case sqlite3.FLOAT:
		return d1.Real(s.ColumnFloat(i))
	case sqlite3.TEXT:
		return d1.Text(s.ColumnRawText(i))
	case sqlite3.BLOB:
		return d1.Blob(s.ColumnRawBlob(i))
	}
	return d1.Null()
}
