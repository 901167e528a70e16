package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// script is SQL text cut into statements.
type script struct {
	text       string
	statements []sqltext.Statement
}

// parseScript cuts SQL text into statements. D1 runs them as one transaction, so a
// BEGIN and a COMMIT around all of them, as `sqlite3 .dump` writes, are left out.
func parseScript(text string) (*script, error) {
	text = strings.TrimPrefix(text, "\uFEFF")
	switch {
	case strings.HasPrefix(text, "SQLite format 3\x00"):
		return nil, withHint(errors.New("this is an SQLite database, not SQL text"),
			"'sqlite3 FILE .dump' writes a database as SQL")
	case !utf8.ValidString(text):
		return nil, errors.New("the SQL is not valid UTF-8")
	}
	s := &script{text: text, statements: sqltext.Statements(text)}
	s.unwrap()
	if len(s.statements) == 0 {
		return nil, errors.New("the SQL holds no statement")
	}
	return s, nil
}

// unwrap leaves out a BEGIN that only PRAGMAs precede and a COMMIT at the end, if they
// are the only statements of their kind.
func (s *script) unwrap() {
	var at []int
	for i, st := range s.statements {
		if st.Kind == sqltext.Transaction && !st.Explain {
			at = append(at, i)
		}
	}
	last := len(s.statements) - 1
	if len(at) != 2 || at[1] != last || s.statements[at[0]].Verb != "BEGIN" {
		return
	}
	if verb := s.statements[last].Verb; verb != "COMMIT" && verb != "END" {
		return
	}
	for _, st := range s.statements[:at[0]] {
		if st.Kind != sqltext.Pragma {
			return
		}
	}
	s.statements = append(s.statements[:at[0]], s.statements[at[0]+1:last]...)
}

func (s *script) request() d1.Request {
	req := d1.Request{Statements: make([]d1.Statement, len(s.statements))}
	for i, st := range s.statements {
		req.Statements[i].SQL = st.Text
	}
	return req
}

// locate adds the line in the script to an error, if the statement at fault is known
// and there is more than one line.
func (s *script) locate(err error) error {
	e, ok := errors.AsType[*d1.Error](err)
	if !ok || e.Statement < 0 || e.Statement >= len(s.statements) {
		return err
	}
	st := s.statements[e.Statement]
	at := st.Start + st.VerbStart
	if e.Offset >= 0 {
		at = min(st.Start+e.Offset, st.End)
	}
	if strings.Contains(strings.TrimSpace(s.text), "\n") {
		err = &lineError{error: err, line: 1 + strings.Count(s.text[:at], "\n")}
	}
	if st.Kind == sqltext.Transaction {
		err = withHint(err, "D1 has no BEGIN and COMMIT: all that one command runs is a transaction")
	}
	return err
}

// lineError is an error at a line of a script.
type lineError struct {
	error
	line int
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, describe(e.error)) }

func (e *lineError) Unwrap() error { return e.error }
