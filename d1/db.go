package d1

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/skylite-go/skylite/internal/speculate"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// DB is a D1 database. It checks requests against D1's limits before it sends
// them to its [Backend]. It is safe for concurrent use.
type DB struct {
	queries
	backend Backend
	parsed  sqltext.Cache
	shapes  shapes
	marks   func() speculate.Marks
	turn    turn
}

// New returns the DB of a Backend. The DB closes the Backend.
func New(backend Backend) *DB {
	db := &DB{backend: backend, marks: sync.OnceValue(speculate.NewMarks), turn: make(turn, 1)}
	db.queries.on = db
	return db
}

// Open opens the database that a data source name names. The place that serves
// the name's scheme must be imported: `file:` is package d1/embedded, `d1:` is
// d1/rest; package skylite imports them all.
func Open(dsn string) (*DB, error) {
	backend, err := OpenBackend(dsn)
	if err != nil {
		return nil, err
	}
	return New(backend), nil
}

// Backend returns the Backend that the DB was made with, for what only some
// places can do.
func (db *DB) Backend() Backend { return db.backend }

// Close closes the Backend. Requests under way are waited for.
func (db *DB) Close() error { return db.backend.Close() }

// Ping asks the database to answer, and returns an error if it does not.
func (db *DB) Ping(ctx context.Context) error {
	_, err := db.Run(ctx, "SELECT 1")
	return err
}

// Do runs a request: its statements in order, as one transaction. Arguments of
// all the types that [Arg] knows are converted, and D1's limits are checked
// before anything is sent; what they refuse is an [Unsent] error. Everything else
// in this package goes through Do.
func (db *DB) Do(ctx context.Context, req Request) (*Results, error) {
	if len(req.Statements) == 0 {
		return nil, refused(-1, "No SQL statements detected.")
	}
	if !req.Bookmark.Valid() {
		return nil, refused(-1, "malformed bookmark: it has characters, or a length, that no bookmark has")
	}
	converted, schema := false, false
	for i, s := range req.Statements {
		parsed, err := db.check(i, s)
		if err != nil {
			return nil, err
		}
		schema = schema || parsed.Kind == sqltext.Schema
		args, changed, err := checkArgs(i, s.Args)
		if err != nil {
			return nil, err
		}
		if !changed {
			continue
		}
		if !converted { // the caller's are left as they are
			converted = true
			req.Statements = slices.Clone(req.Statements)
		}
		req.Statements[i].Args = args
	}
	if schema {
		db.shapes.forget()
	}
	return db.backend.Do(ctx, req)
}

// check checks everything but the arguments, and returns what the statement is.
func (db *DB) check(i int, s Statement) (sqltext.Statement, error) {
	if len(s.SQL) > MaxStatementBytes {
		return sqltext.Statement{}, refused(i, "statement too long: SQLITE_TOOBIG")
	}
	parsed, err := db.parsed.Parse(s.SQL)
	if err != nil {
		return parsed, statementError(i, err)
	}
	if parsed.Fault.Kind == sqltext.NULByte {
		return parsed, refused(i, fmt.Sprintf("the SQL text has a NUL byte at offset %d, where SQLite would stop reading",
			parsed.Fault.Start))
	}
	return parsed, checkParams(i, parsed, len(s.Args))
}

func checkParams(i int, parsed sqltext.Statement, args int) error {
	n := 0
	for _, p := range parsed.Params {
		n = max(n, p.Number)
		switch {
		case p.Number <= MaxParams:
		case strings.HasPrefix(p.Name, "?"):
			return refused(i, fmt.Sprintf("variable number must be between ?1 and ?%d at offset %d: SQLITE_ERROR",
				MaxParams, p.Start))
		default:
			return refused(i, fmt.Sprintf("too many SQL variables at offset %d: SQLITE_ERROR", p.Start))
		}
	}
	if n != args {
		return refused(i, fmt.Sprintf("Wrong number of parameter bindings for SQL query: "+
			"it has %d parameters and was given %d arguments.", n, args))
	}
	return nil
}

// checkArgs returns the arguments as a Backend takes them: the same slice if it does
// already.
func checkArgs(statement int, args []any) (converted []any, changed bool, err error) {
	converted = args
	for i, arg := range args {
		value, err := Arg(arg)
		if err == nil {
			err = checkSize(value)
		}
		if err != nil {
			e := refused(statement, fmt.Sprintf("argument %d: %v", i+1, err))
			e.Err = err
			return nil, false, e
		}
		if sameArg(arg) {
			continue
		}
		if !changed {
			changed = true
			converted = slices.Clone(args)
		}
		converted[i] = value
	}
	return converted, changed, nil
}

// sameArg reports whether [Arg] gives an argument back as it is.
func sameArg(arg any) bool {
	switch arg := arg.(type) {
	case nil, int64, float64, string:
		return true
	case []byte:
		return arg != nil
	}
	return false
}

func checkSize(value any) error {
	n := 0
	switch value := value.(type) {
	case string:
		n = len(value)
	case []byte:
		n = len(value)
	}
	if n > MaxValueBytes {
		return fmt.Errorf("string or blob too big: it has %d bytes, D1's limit is %d", n, MaxValueBytes)
	}
	return nil
}

// refused is an error of a request that was never sent.
func refused(statement int, message string) *Error {
	e := NewError(message)
	e.Statement = statement
	e.Outcome = OutcomeUnsent
	return e
}

func statementError(i int, err error) error {
	message := err.Error()
	switch {
	case errors.Is(err, sqltext.ErrNone):
		message = "SQL code did not contain a statement."
	case errors.Is(err, sqltext.ErrMany):
		message = "the text holds more than one statement; give each its own, or use Exec for a script"
	}
	e := refused(i, message)
	e.Err = err
	return e
}

// ExecResult is what running a script gives.
type ExecResult struct {
	// Count is the number of statements that ran.
	Count int
	// Duration is the time that their SQL took.
	Duration time.Duration
}

// Exec runs the statements of a script, which take no parameters, as one
// transaction. Rows that they return are dropped.
func (db *DB) Exec(ctx context.Context, script string) (ExecResult, error) {
	var statements []Statement
	for _, piece := range sqltext.Statements(script) {
		statements = append(statements, Statement{SQL: piece.Text})
	}
	var total ExecResult
	results, err := db.Do(ctx, Request{Statements: statements})
	if err != nil {
		return total, err
	}
	for results.NextResult() {
		total.Count++
		total.Duration += results.Meta().Duration
	}
	return total, results.Close()
}

// WithSession returns a session. It begins at a constraint or at a bookmark that
// another session gave; "" means [FirstUnconstrained].
func (db *DB) WithSession(start Bookmark) *Session {
	if start == "" {
		start = FirstUnconstrained
	}
	s := &Session{db: db, bookmark: start}
	s.queries.on = s
	return s
}
