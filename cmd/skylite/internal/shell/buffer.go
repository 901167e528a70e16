package shell

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// buffer is the text of an input that has not run yet.
type buffer struct {
	name string // of the file, or ""
	line int    // of the last line that was added, from 1
	text string
	from int // the line where text begins
	done int // how much of text has run
	scan bool
}

// add adds a line, and reports whether it is the first of a statement.
func (b *buffer) add(line string) (first bool, err error) {
	b.line++
	if b.line == 1 {
		line = strings.TrimPrefix(line, "\uFEFF")
	}
	if first = b.text == ""; first {
		b.from = b.line
	}
	switch {
	case strings.HasPrefix(line, "SQLite format 3\x00"):
		return first, &Error{Err: errors.New("this is an SQLite database, not SQL text"),
			Hint: "open it with: skylite d1 shell FILE"}
	case !utf8.ValidString(line):
		return first, b.locate(errors.New("the SQL is not valid UTF-8"), sqltext.Statement{})
	}
	// Only such a line can complete what is there.
	b.scan = first || strings.Contains(line, ";") || strings.Contains(line, "*/")
	b.text += line + "\n"
	return first, nil
}

// complete returns the statements that are complete.
func (b *buffer) complete() []sqltext.Statement {
	b.done = 0
	if !b.scan {
		return nil
	}
	pieces := sqltext.Split(b.text)
	var ready []sqltext.Statement
	for _, st := range pieces {
		if st.Terminated {
			b.done = st.End + 1
			if st.Kind != sqltext.Empty {
				ready = append(ready, st)
			}
		}
	}
	if rest := b.text[b.done:]; !unfinished(rest) {
		b.done = len(b.text)
	}
	return ready
}

// unfinished reports whether a text holds the beginning of a statement or of a comment.
func unfinished(text string) bool {
	pieces := sqltext.Split(";" + text) // behind a semicolon comments are a piece too
	st := pieces[len(pieces)-1]
	return len(pieces) > 1 && (st.Kind != sqltext.Empty || st.Fault.Kind != sqltext.NoFault)
}

// cut drops what has run.
func (b *buffer) cut() error {
	b.from += strings.Count(b.text[:b.done], "\n")
	b.text, b.done = b.text[b.done:], 0
	if len(b.text) <= d1.MaxStatementBytes+1 {
		return nil
	}
	return b.locate(errors.New("statement too long: D1 takes 100000 bytes, and after so many there is no end of it"),
		sqltext.Statement{})
}

// drop abandons what is there.
func (b *buffer) drop() { b.text, b.done = "", 0 }

// locate adds the place to an error.
func (b *buffer) locate(err error, st sqltext.Statement) error {
	if err == nil || err == errQuit {
		return err
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Err: err}
	}
	if e.Line != 0 { // in a file that was read
		return e
	}
	at := st.Start + st.VerbStart
	if cause, ok := errors.AsType[*d1.Error](err); ok && cause.Offset >= 0 {
		at = min(st.Start+cause.Offset, st.End)
		e.Excerpt = excerpt(st.Text, at-st.Start)
	}
	e.File, e.Line = b.name, b.from+strings.Count(b.text[:at], "\n")
	return e
}
