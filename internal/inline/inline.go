// Package inline writes integers into SQL text, in the places of their parameters,
// for the wires that have none: D1's JSON makes every number a REAL.
package inline

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// Statement is a statement as it goes to D1: integers stand in the text, everything
// else in the arguments.
type Statement struct {
	SQL  string
	Args []any

	edits []edit // where SQL differs from what the caller wrote, in order
	from  string // what the caller wrote, if there are edits
}

// Edited reports whether the text is not what the caller wrote.
func (s *Statement) Edited() bool { return len(s.edits) > 0 }

// Text returns what the caller wrote.
func (s *Statement) Text() string {
	if s.Edited() {
		return s.from
	}
	return s.SQL
}

// edit is a stretch of the text that was sent in the place of another.
type edit struct {
	at, n       int // in the text that was sent
	from, fromN int // in the caller's
}

// Integers writes the integers among the arguments into the text, and names as
// ?NNN, since D1 documents no other parameters than ? and ?NNN. An error says that
// the text would grow too long; it is a [d1.Error] of a request that was never sent.
//
// An integer n is written as ~m, where m is its complement: an expression whose
// type is integer and whose affinity is none, as a parameter's is; a number to
// neither ORDER BY nor GROUP BY; one that binds more tightly than any operator
// around it; and one that stands only where a parameter may (a parenthesis
// after a word would turn the word into a function's name). The smallest integer
// needs no special case, as -9223372036854775808 would.
//
// In a compound SELECT a parameter has one more effect: since its type is not
// known, the column it is in loses the affinity that other terms give it. There
// the integer becomes a CASE with a text in a branch that is never taken.
//
// What is left keeps its order, so that its numbers close up; only ?NNN and names
// must be written anew.
func Integers(s sqltext.Statement, args []any) (Statement, error) {
	if !anyInteger(args) && !anyName(s) || !takesLiterals(s) || s.NumParams() != len(args) {
		return Statement{SQL: s.Text, Args: args}, nil
	}
	w := writer{form: plainForm, numbers: make([]int, len(args))}
	if compound(s.Text) {
		w.form = compoundForm
	}
	pos := 0
	for _, p := range s.Params {
		w.copy(s.Text[pos:p.Start])
		pos = p.End
		w.param(p, args[p.Number-1], s.Text)
	}
	w.copy(s.Text[pos:])
	if w.b.Len() > d1.MaxStatementBytes {
		return Statement{}, tooLong(w.b.Len())
	}
	return Statement{SQL: w.b.String(), Args: w.args, edits: w.edits, from: s.Text}, nil
}

func tooLong(n int) error {
	e := d1.NewError(fmt.Sprintf("with its integers written into it the statement has %d bytes; "+
		"D1's limit is %d: SQLITE_TOOBIG", n, d1.MaxStatementBytes))
	e.Outcome = d1.OutcomeUnsent
	return e
}

func anyInteger(args []any) bool {
	for _, arg := range args {
		if _, ok := arg.(int64); ok {
			return true
		}
	}
	return false
}

// anyName reports whether a parameter has a name, such as :id.
func anyName(s sqltext.Statement) bool {
	for _, p := range s.Params {
		if p.Name != "" && p.Name[0] != '?' {
			return true
		}
	}
	return false
}

// takesLiterals reports whether a literal may replace a parameter. Where SQLite
// refuses parameters, as in the text of a view, it must see them.
func takesLiterals(s sqltext.Statement) bool {
	if s.Fault.Refused() {
		return false
	}
	switch s.Verb {
	case "SELECT", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE":
		return true
	case "CREATE":
		return createAsSelect(s.Text[s.VerbStart:])
	}
	return false
}

// createAsSelect recognises CREATE TABLE … AS: it has AS before any parenthesis.
func createAsSelect(text string) bool {
	table := false
	for t := range sqltext.Tokens(text) {
		switch {
		case t.Kind == sqltext.TokenLeft:
			return false
		case t.Kind != sqltext.TokenWord:
		case strings.EqualFold(t.Text(text), "TABLE"):
			table = true
		case strings.EqualFold(t.Text(text), "AS"):
			return table
		}
	}
	return false
}

func compound(text string) bool {
	for t := range sqltext.Tokens(text) {
		if t.Kind != sqltext.TokenWord {
			continue
		}
		switch n := t.End - t.Start; {
		case n == 5 && strings.EqualFold(t.Text(text), "UNION"),
			n == 6 && strings.EqualFold(t.Text(text), "EXCEPT"),
			n == 9 && strings.EqualFold(t.Text(text), "INTERSECT"):
			return true
		}
	}
	return false
}

// The two forms of an integer; %d is its complement.
const (
	plainForm    = "~%d"
	compoundForm = "CASE WHEN 1 THEN ~%d ELSE '' END"
)

// writer puts a Statement together.
type writer struct {
	b       strings.Builder
	form    string
	edits   []edit
	args    []any
	numbers []int // the new number of each parameter by its old one less 1
	last    byte
}

func (w *writer) copy(text string) {
	if text != "" {
		w.b.WriteString(text)
		w.last = text[len(text)-1]
	}
}

func (w *writer) param(p sqltext.Param, arg any, text string) {
	if n, ok := arg.(int64); ok {
		w.replace(p, fmt.Sprintf(w.form, ^n), text)
		return
	}
	number := &w.numbers[p.Number-1]
	if *number == 0 {
		w.args = append(w.args, arg)
		*number = len(w.args)
	}
	// A plain ? takes the next number, which is what it has to take. A ?NNN that
	// stays as it is counts as an edit all the same: only so is its column told
	// from that of a name which has become the same.
	if p.Name != "" {
		w.replace(p, "?"+strconv.Itoa(*number), text)
		return
	}
	w.copy(text[p.Start:p.End])
}

// replace writes something else, with spaces where it would grow together with
// its neighbours.
func (w *writer) replace(p sqltext.Param, by, text string) {
	if joins(w.last) && joins(by[0]) {
		w.edits = append(w.edits, edit{at: w.b.Len(), n: 1, from: p.Start})
		w.copy(" ")
	}
	w.edits = append(w.edits, edit{at: w.b.Len(), n: len(by), from: p.Start, fromN: p.End - p.Start})
	w.copy(by)
	if p.End < len(text) && (joins(text[p.End]) || text[p.End] == '.') {
		w.edits = append(w.edits, edit{at: w.b.Len(), n: 1, from: p.End})
		w.copy(" ")
	}
}

// joins reports whether a byte can be part of a word or a number.
func joins(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// Original maps an offset in the text that was sent to one in the caller's.
func (s *Statement) Original(offset int) int {
	i := sort.Search(len(s.edits), func(i int) bool { return s.edits[i].at > offset }) - 1
	if i < 0 {
		return offset
	}
	e := s.edits[i]
	if offset < e.at+e.n {
		return e.from
	}
	return min(e.from+e.fromN+offset-e.at-e.n, len(s.from))
}

// Column returns the name that a column has by the caller's text. SQLite names
// a column without an alias by the text of its expression, so a name that is a
// stretch of the text with an edit in it is mapped back. Columns stand in the
// text in their order: the search begins at pos, and the next one's where it
// ended.
func (s *Statement) Column(name string, pos int) (string, int) {
	if !strings.ContainsAny(name, "~?") {
		return name, pos
	}
	for _, start := range [...]int{pos, 0} {
		for start <= len(s.SQL) {
			i := strings.Index(s.SQL[start:], name)
			if i < 0 {
				break
			}
			start += i
			if end := start + len(name); s.covers(start, end) {
				return s.from[s.Original(start):s.Original(end)], end
			}
			start++
		}
	}
	return name, pos
}

// covers reports whether an edit lies within a stretch of the text.
func (s *Statement) covers(start, end int) bool {
	for _, e := range s.edits {
		if e.fromN > 0 && e.at >= start && e.at+e.n <= end {
			return true
		}
	}
	return false
}
