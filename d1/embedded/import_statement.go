package embedded

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqlitecode"
	"github.com/skylite-go/skylite/internal/sqltext"
)

func tooLong() error { return engineError("statement too long", -1, sqlitecode.TooBig) }

// statement runs one statement of the script.
func (im *importer) statement(st sqltext.Statement) error {
	text := strings.TrimSpace(st.Text)
	switch {
	case len(text) > d1.MaxStatementBytes:
		return tooLong()
	case st.Fault.Kind == sqltext.NULByte:
		return unsent(fmt.Sprintf("the statement has a NUL byte at offset %d, where SQLite would stop reading", st.Fault.Start), nil)
	case !utf8.ValidString(text):
		return unsent("the statement is not valid UTF-8", nil)
	}
	im.clock.start(im.ctx, im.db.cfg.Timeout)
	im.SetInterrupt(&im.clock)
	if s := im.insert(text); s != nil {
		if err := s.bind(im.literals.Values); err != nil {
			return err
		}
		err := im.step(s)
		s.Reset()
		return err
	}
	return im.any(text)
}

// insert returns the compiled form of an INSERT of literals, to which they must be bound;
// or nil if the statement must be compiled as it is.
func (im *importer) insert(text string) *stmt {
	if !im.literals.Read(text) || len(im.literals.Values) > d1.MaxParams {
		return nil
	}
	if s, ok := im.inserts[string(im.literals.SQL)]; ok {
		return s
	}
	if len(im.inserts) >= maxInserts {
		im.forget()
	}
	// If it does not compile, neither does the statement, whose error is the right one.
	sql := string(im.literals.SQL)
	s, err := im.compileUncached(sql)
	if err != nil {
		return nil
	}
	im.inserts[sql] = s
	return s
}

// any runs a statement of any kind.
func (im *importer) any(text string) error {
	s, err := im.compileUncached(text)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.bind(nil); err != nil {
		return err
	}
	if err := im.step(s); err != nil {
		return err
	}
	if s.analyzes {
		if err := im.own(im.dropSamples); err != nil {
			return err
		}
	}
	if s.schema {
		im.db.schema.Add(1)
		im.forget()
	}
	return im.obey(text)
}

// step runs a compiled statement to its end, and counts what it did.
func (im *importer) step(s *stmt) error {
	s.Status(sqlite3.STMTSTATUS_FULLSCAN_STEP, true)
	changes, rows := im.TotalChanges(), int64(0)
	for s.Step() {
		rows++
	}
	if err := s.Err(); err != nil {
		return err
	}
	m := &im.done.Meta
	changes = im.TotalChanges() - changes
	m.RowsRead += s.cost.rowsRead(s.Stmt, rows, changes, 0)
	if !s.readOnly {
		m.RowsWritten += s.cost.rowsWritten(s.Stmt, changes)
	}
	return nil
}

// obey turns foreign keys off, or on, if the statement is the PRAGMA that SQLite itself
// does not obey in a transaction. That it may not is for a reason that does not hold
// here: whoever turns them off wants them to be left unchecked.
func (im *importer) obey(text string) error {
	parsed, err := sqltext.Parse(text)
	if err != nil || parsed.Verb != "PRAGMA" || parsed.Explain {
		return nil
	}
	name, arg := pragmaParts(parsed)
	if name != "foreign_keys" || arg == "" {
		return nil
	}
	on := false
	for _, word := range []string{"on", "true", "yes", "1"} {
		on = on || strings.HasPrefix(strings.ToLower(strings.TrimLeft(arg, "=( '\"")), word)
	}
	_, err = im.Config(sqlite3.DBCONFIG_ENABLE_FKEY, on)
	return err
}

// forget closes the statements that are kept compiled.
func (im *importer) forget() {
	for sql, s := range im.inserts {
		s.Close()
		delete(im.inserts, sql)
	}
}
