package sqlschema

import "github.com/skylite-go/skylite/internal/sqltext"

// token is a token that SQLite's grammar sees. A parenthesis knows its partner.
type token struct {
	sqltext.Token
	match int
}

// text is an SQL text as its tokens.
type text struct {
	sql    string
	tokens []token
}

// lex reads the tokens of a statement, and reports whether its parentheses and its
// quotes are whole. It stops at a semicolon.
func lex(sql string) (text, bool) {
	t := text{sql: sql, tokens: make([]token, 0, len(sql)/5+4)}
	var open []int
	for tok := range sqltext.Tokens(sql) {
		switch tok.Kind {
		case sqltext.TokenSpace, sqltext.TokenComment:
			continue
		case sqltext.TokenIllegal:
			return t, false
		case sqltext.TokenSemicolon:
			return t, len(open) == 0
		case sqltext.TokenLeft:
			open = append(open, len(t.tokens))
		case sqltext.TokenRight:
			if len(open) == 0 {
				return t, false
			}
			left := open[len(open)-1]
			open = open[:len(open)-1]
			t.tokens[left].match = len(t.tokens)
			t.tokens = append(t.tokens, token{tok, left})
			continue
		}
		t.tokens = append(t.tokens, token{Token: tok})
	}
	return t, len(open) == 0
}

// kind returns the kind of the token at i, or TokenSpace behind the end.
func (t *text) kind(i int) sqltext.TokenKind {
	if i < 0 || i >= len(t.tokens) {
		return sqltext.TokenSpace
	}
	return t.tokens[i].Kind
}

func (t *text) text(i int) string { return t.tokens[i].Text(t.sql) }

// is reports whether the token at i is one of the keywords, which are in lower case.
func (t *text) is(i int, words ...string) bool {
	if t.kind(i) != sqltext.TokenWord {
		return false
	}
	s := t.text(i)
	for _, word := range words {
		if len(s) == len(word) && fold(s) == word {
			return true
		}
	}
	return false
}

// isOp reports whether the token at i is an operator.
func (t *text) isOp(i int, op string) bool {
	return t.kind(i) == sqltext.TokenOperator && t.text(i) == op
}

// skip returns the index behind the token at i, or behind what it opens.
func (t *text) skip(i int) int {
	if t.kind(i) == sqltext.TokenLeft {
		return t.tokens[i].match + 1
	}
	return i + 1
}

// isName reports whether the token at i can be a name where nothing else is meant by it.
func (t *text) isName(i int) bool {
	switch t.kind(i) {
	case sqltext.TokenQuoted:
		return true
	case sqltext.TokenWord:
		return !reserved[fold(t.text(i))]
	}
	return false
}

// isAlias reports whether the token at i can be an alias without AS.
func (t *text) isAlias(i int) bool { return t.isName(i) || t.kind(i) == sqltext.TokenString }

// isAnyName reports whether the token at i is a name where only one can stand.
func (t *text) isAnyName(i int) bool {
	k := t.kind(i)
	return k == sqltext.TokenWord || k == sqltext.TokenQuoted || k == sqltext.TokenString
}

// name returns the name that the token at i stands for.
func (t *text) name(i int) string { return sqltext.Unquote(t.text(i)) }

// reserved are the keywords that SQLite never takes for an identifier, and those of
// joins, which it takes for one only where it must.
var reserved = words("add all alter and as autoincrement between case check collate commit constraint create " +
	"default deferrable delete distinct drop else escape except exists foreign from group having in index indexed " +
	"insert intersect into is isnull join limit not nothing notnull null on or order primary references returning " +
	"select set table then to transaction union unique update using values when where " +
	"cross full inner left natural outer right")

func words(list string) map[string]bool {
	m := make(map[string]bool)
	start := 0
	for i := 0; i <= len(list); i++ {
		if i == len(list) || list[i] == ' ' {
			m[list[start:i]] = true
			start = i + 1
		}
	}
	return m
}
