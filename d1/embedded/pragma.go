package embedded

import (
	"strings"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// setsPragma reports whether a statement is a PRAGMA that changes a setting of the
// connection. Some do so as soon as they are compiled.
func setsPragma(s sqltext.Statement) bool {
	if s.Verb != "PRAGMA" {
		return false
	}
	name, hasArg := pragmaName(s)
	return name == "optimize" || hasArg && isSetting(name)
}

// isSetting reports whether a PRAGMA, named in lower case, is one of the settings that
// D1 lets a request change. settingsUndone has them all.
func isSetting(name string) bool {
	switch name {
	case "case_sensitive_like", "foreign_keys", "defer_foreign_keys", "ignore_check_constraints",
		"legacy_alter_table", "recursive_triggers", "reverse_unordered_selects":
		return true
	}
	return false
}

// pragmaName returns the name in a PRAGMA, in lower case, and whether an argument
// follows.
func pragmaName(s sqltext.Statement) (name string, hasArg bool) {
	name, arg := pragmaParts(s)
	return name, arg != ""
}

// pragmaParts returns the name in a PRAGMA, in lower case, and its argument, from the
// sign before it on.
func pragmaParts(s sqltext.Statement) (name, arg string) {
	for pos := s.VerbStart + len(s.Verb); pos < len(s.Text); {
		t := sqltext.Next(s.Text, pos)
		switch t.Kind {
		case sqltext.TokenWord, sqltext.TokenQuoted, sqltext.TokenString:
			name = strings.ToLower(sqltext.Unquote(t.Text(s.Text)))
		case sqltext.TokenOperator, sqltext.TokenLeft:
			return name, s.Text[pos:]
		}
		pos = t.End
	}
	return name, ""
}

// settingsUndone puts a connection's settings back to D1's own: a PRAGMA lasts for
// one request.
const settingsUndone = "PRAGMA foreign_keys=ON; PRAGMA defer_foreign_keys=OFF; PRAGMA ignore_check_constraints=OFF; " +
	"PRAGMA legacy_alter_table=OFF; PRAGMA recursive_triggers=OFF; PRAGMA reverse_unordered_selects=OFF; " +
	"PRAGMA case_sensitive_like=OFF"
