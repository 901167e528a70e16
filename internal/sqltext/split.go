package sqltext

import (
	"errors"
	"slices"
)

// Errors of [Parse].
var (
	ErrNone = errors.New("SQL text holds no statement")
	ErrMany = errors.New("SQL text holds more than one statement")
)

// Split cuts a script into its statements, at every semicolon that is not
// inside a string, a comment or the body of a trigger.
//
// White space behind the last semicolon is not a statement. A comment there
// is one, of kind [Empty], and so is nothing at all between two semicolons: D1
// refuses both, and callers that do not may skip them. A script without any
// statement and without any semicolon, however many comments it has, gives an
// empty result. So callers can tell "there is no SQL" (no pieces) from "one of
// the pieces is no statement" (a piece of kind Empty).
//
// The body of a trigger ends at the END that directly follows a semicolon.
// That is enough to tell it from the END of CASE and from names: no statement
// inside a body can begin with END, and nothing else begins there.
func Split(script string) []Statement {
	var all []Statement
	for pos := 0; pos < len(script); {
		st, blank := next(script, pos)
		if !st.Terminated && (blank || st.Kind == Empty && len(all) == 0) {
			break
		}
		all = append(all, st)
		pos = st.End + 1
	}
	return all
}

// Statements cuts a script as [Split] does, and leaves out the pieces that hold no
// statement.
func Statements(script string) []Statement {
	return slices.DeleteFunc(Split(script), func(st Statement) bool { return st.Kind == Empty })
}

// Parse reads text that must hold exactly one statement. A semicolon may
// follow it, and white space and comments may stand anywhere. Otherwise the
// error is [ErrNone], or [ErrMany] if there is more, be it only another
// semicolon. Parse does not look at [Statement.Fault].
func Parse(sql string) (Statement, error) {
	st, _ := next(sql, 0)
	semicolon, other := rest(sql, st.End+1)
	switch {
	case st.Kind == Empty && !other:
		return Statement{}, ErrNone
	case st.Kind == Empty || semicolon || other:
		return Statement{}, ErrMany
	}
	return st, nil
}

// rest says what there is in sql from byte pos on besides white space and
// comments.
func rest(sql string, pos int) (semicolon, other bool) {
	for pos < len(sql) && !other {
		t := Next(sql, pos)
		pos = t.End
		switch {
		case t.Kind == TokenSemicolon:
			semicolon = true
		case !t.trivia():
			other = true
		}
	}
	return semicolon, other
}

// Complete reports whether sql ends where a statement ends: at a semicolon
// outside of strings, comments and trigger bodies, with nothing but white
// space and comments after it. Shells use it to decide whether to ask for
// another line, as they would use sqlite3_complete.
//
// It cuts as [Split] does, and so differs from sqlite3_complete in text that
// SQLite refuses anyway: a CREATE TRIGGER without a BEGIN is complete at its
// semicolon, where sqlite3_complete waits for an END.
func Complete(sql string) bool {
	complete := false
	for pos := 0; pos < len(sql); {
		st, _ := next(sql, pos)
		if !st.Terminated {
			return complete && st.Kind == Empty && st.Fault.Kind == NoFault
		}
		complete = true
		pos = st.End + 1
	}
	return complete
}

// next reads one statement from byte pos on. It is blank if there is nothing
// but white space.
func next(script string, pos int) (st Statement, blank bool) {
	r := reader{sql: script, start: pos, blank: true}
	end := pos
	for end < len(script) {
		t := Next(script, end)
		if t.Kind == TokenSemicolon && !r.inBody() {
			r.st.Terminated = true
			break
		}
		r.token(t)
		end = t.End
	}
	r.finish()
	r.st.Start, r.st.End = pos, end
	r.st.Text = script[pos:end]
	return r.st, r.blank
}
