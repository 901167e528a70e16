package embedded

import (
	"strings"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// inDefault reports whether a byte of a statement is in the parentheses of a DEFAULT.
// There workerd's SQLite asks whether a function is allowed before it looks for it.
func inDefault(sql string, offset int) bool {
	inside, depth := 0, 0 // the depth of the DEFAULT's parentheses, if any
	previous := ""
	for pos := 0; pos < offset; {
		t := sqltext.Next(sql, pos)
		pos = t.End
		switch t.Kind {
		case sqltext.TokenLeft:
			depth++
			if inside == 0 && strings.EqualFold(previous, "DEFAULT") {
				inside = depth
			}
		case sqltext.TokenRight:
			if depth == inside {
				inside = 0
			}
			depth--
		case sqltext.TokenSpace, sqltext.TokenComment:
			continue
		}
		previous = t.Text(sql)
	}
	return inside > 0
}

// passesEmpty reports whether a statement gives a PRAGMA an empty text for an argument:
// PRAGMA name = ”, PRAGMA name(”), or SELECT … FROM pragma_name(”).
func passesEmpty(s sqltext.Statement) bool {
	var before, last string
	for pos := s.VerbStart; pos < len(s.Text); {
		t := sqltext.Next(s.Text, pos)
		pos = t.End
		if t.Kind == sqltext.TokenSpace || t.Kind == sqltext.TokenComment {
			continue
		}
		text := t.Text(s.Text)
		quoted := t.Kind == sqltext.TokenString || t.Kind == sqltext.TokenQuoted
		if quoted && len(text) == 2 && (last == "(" || last == "=") &&
			(s.Verb == "PRAGMA" || strings.HasPrefix(strings.ToLower(before), "pragma_")) {
			return true
		}
		before, last = last, text
	}
	return false
}
