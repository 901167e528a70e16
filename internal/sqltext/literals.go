package sqltext

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// Literals is an INSERT of one row of literals, taken apart into a text that is the same
// for all such rows of a table, and the values. Running the text with the values bound
// does what the statement does.
type Literals struct {
	// SQL is the statement with parameters for its literals. Read uses it again.
	SQL []byte
	// Values are nil, int64, float64, string or []byte. Read uses it again.
	Values []any
}

// Read takes a statement apart. It returns false, and leaves l in any state, if the
// statement is not such an INSERT, or if binding one of its values could differ from
// the literal. Calls of replace, char and CAST are kept, with what they begin with
// as a value: exports write texts with them that a literal cannot hold.
func (l *Literals) Read(sql string) bool {
	l.SQL, l.Values = l.SQL[:0], l.Values[:0]
	pos, ok := l.head(sql)
	if !ok {
		return false
	}
	var before Token // without white space
	for depth := 0; pos < len(sql); {
		t := Next(sql, pos)
		pos = t.End
		switch {
		case t.Kind == TokenSpace:
			continue
		case t.Kind == TokenLeft:
			depth++
		case t.Kind == TokenRight && depth == 1:
			l.SQL = append(l.SQL, ')')
			return strings.Trim(sql[pos:], " \t\r\n") == ""
		case t.Kind == TokenRight && depth > 1:
			depth--
		case depth == 0 || !l.token(sql, before, &t, depth > 1):
			return false
		}
		if !l.put(sql, before, t, depth > 1) {
			return false
		}
		pos, before = t.End, t
	}
	return false
}

// head copies the text up to VALUES, and returns where it goes on.
func (l *Literals) head(sql string) (pos int, ok bool) {
	first := true
	for pos < len(sql) {
		t := Next(sql, pos)
		pos = t.End
		text := t.Text(sql)
		switch t.Kind {
		case TokenSpace, TokenQuoted, TokenDot, TokenComma, TokenLeft, TokenRight:
		case TokenWord:
			if first && !equalFold(text, "INSERT") && !equalFold(text, "REPLACE") || equalFold(text, "SELECT") {
				return 0, false
			}
			first = false
		default:
			return 0, false
		}
		l.SQL = append(l.SQL, text...)
		if t.Kind == TokenWord && equalFold(text, "VALUES") {
			return pos, true
		}
	}
	return 0, false
}

// token reports whether a token may stand among the values. It makes a minus and its
// number one token.
func (l *Literals) token(sql string, before Token, t *Token, nested bool) bool {
	begins := before.Kind == TokenComma || before.Kind == TokenLeft
	switch t.Kind {
	case TokenComma:
		return true
	case TokenString, TokenBlob, TokenNumber:
		return begins
	case TokenOperator:
		number := Next(sql, t.End)
		if t.Text(sql) != "-" || number.Kind != TokenNumber || nested || !begins {
			return false
		}
		t.Kind, t.End = TokenNumber, number.End
		return true
	case TokenWord:
		for _, word := range [...]string{"NULL", "REPLACE", "CHAR", "CAST", "AS", "TEXT", "BLOB"} {
			if equalFold(t.Text(sql), word) {
				return true
			}
		}
	}
	return false
}

// put adds a token to the text, or its value to the values. Inside a call only the first
// argument is a value: the others are the same in many rows.
func (l *Literals) put(sql string, before, t Token, nested bool) bool {
	text := t.Text(sql)
	literal := t.Kind == TokenString || t.Kind == TokenBlob || t.Kind == TokenNumber || equalFold(text, "NULL")
	if !literal || nested && (before.Kind != TokenLeft || t.Kind == TokenNumber || t.Kind == TokenWord) {
		if t.Kind == TokenWord {
			l.SQL = append(l.SQL, ' ')
		}
		l.SQL = append(l.SQL, text...)
		return true
	}
	value, ok := literalValue(t.Kind, text)
	l.SQL = append(l.SQL, '?')
	l.Values = append(l.Values, value)
	return ok
}

// literalValue returns what a literal stands for, unless SQLite may see it otherwise.
func literalValue(kind TokenKind, text string) (any, bool) {
	switch kind {
	case TokenString:
		text = text[1 : len(text)-1]
		if strings.IndexByte(text, '\'') >= 0 {
			text = strings.ReplaceAll(text, "''", "'")
		}
		return text, true
	case TokenBlob:
		b, err := hex.DecodeString(text[2 : len(text)-1])
		return b, err == nil
	case TokenNumber:
		return numberValue(text)
	}
	return nil, true // NULL
}

// exactDigits is how many digits of a number SQLite surely rounds as IEEE 754 wants it.
const exactDigits = 17

func numberValue(text string) (any, bool) {
	if strings.IndexByte(text, '_') >= 0 {
		return nil, false
	}
	if !strings.ContainsAny(text, ".eExX") {
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	if len(mantissa) > exactDigits+len("-.") || strings.ContainsAny(text, "xX") {
		return nil, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil // one out of range is rare enough
}
