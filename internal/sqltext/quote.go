package sqltext

import (
	"encoding/hex"
	"strings"
)

// QuoteIdent returns name as a quoted identifier: "name", with quotes in it
// doubled. No identifier can hold a NUL byte: SQLite refuses the result then,
// as an identifier without its end.
func QuoteIdent(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// QuoteString returns an SQL expression for a text: 'text', with quotes in it
// doubled. A literal cannot hold a NUL byte, so a text with one becomes
// CAST(X'…' AS TEXT), which is the same value in a UTF-8 database.
func QuoteString(text string) string {
	if strings.IndexByte(text, 0) >= 0 {
		return "CAST(X'" + hex.EncodeToString([]byte(text)) + "' AS TEXT)"
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// Unquote returns the name an identifier stands for: it takes the quotes off
// "name", 'name', `name` and [name] and leaves any other text alone.
func Unquote(ident string) string {
	if len(ident) < 2 {
		return ident
	}
	quote, inner := ident[0], ident[1:len(ident)-1]
	end := ident[len(ident)-1]
	switch quote {
	case '[':
		if end == ']' {
			return inner
		}
	case '"', '\'', '`':
		if end != quote {
			break
		}
		if strings.IndexByte(inner, quote) >= 0 {
			q := string(rune(quote))
			return strings.ReplaceAll(inner, q+q, q)
		}
		return inner
	}
	return ident
}
