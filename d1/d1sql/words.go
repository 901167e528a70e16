package d1sql

import (
	"strings"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// word is a token that SQLite's grammar sees.
type word struct {
	kind       sqltext.TokenKind
	text       string
	start, end int // in the statement's text
}

// name is a keyword, name or value in upper case, quotes taken off.
func (w word) name() string { return strings.ToUpper(sqltext.Unquote(w.text)) }

// words are the tokens of a statement without white space and comments.
type words []word

func tokens(text string) words {
	var all words
	for t := range sqltext.Tokens(text) {
		if t.Kind != sqltext.TokenSpace && t.Kind != sqltext.TokenComment {
			all = append(all, word{t.Kind, t.Text(text), t.Start, t.End})
		}
	}
	return all
}

// at returns the text of a word, or "" where there is none.
func (w words) at(i int) string {
	if i < 0 || i >= len(w) {
		return ""
	}
	return w[i].text
}

// is reports whether a keyword stands there; it is given in upper case.
func (w words) is(i int, keyword string) bool {
	return i >= 0 && i < len(w) && w[i].kind == sqltext.TokenWord && w[i].name() == keyword
}

// are reports whether the statement consists of these: names in upper case, however
// they are written and quoted, but strings as they are.
func (w words) are(all ...string) bool {
	if len(w) != len(all) {
		return false
	}
	for i, text := range all {
		switch {
		case w[i].kind == sqltext.TokenString && w[i].text != text,
			w[i].kind != sqltext.TokenString && w[i].name() != text:
			return false
		}
	}
	return true
}

// depth counts the parentheses that are open before a word.
func (w words) depth(i int) int {
	n := 0
	for _, word := range w[:i] {
		switch word.kind {
		case sqltext.TokenLeft:
			n++
		case sqltext.TokenRight:
			n--
		}
	}
	return n
}

// before reports whether a keyword stands outside of parentheses before word i.
func (w words) before(i int, keyword string) bool {
	for j := range i {
		if w.is(j, keyword) && w.depth(j) == 0 {
			return true
		}
	}
	return false
}
