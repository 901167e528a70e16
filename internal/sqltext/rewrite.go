package sqltext

import (
	"sort"
	"strconv"
	"strings"
)

// A Rewrite is SQL text that stands for another.
type Rewrite struct {
	Text string
	// Plain, if not empty, is the original without ORDER BY and LIMIT. Text could
	// hide an error that it has.
	Plain string
	parts []part
}

// part is a stretch of rewritten text, up to the next one.
type part struct {
	at     int  // where it begins in the rewritten text
	from   int  // where it comes from in the original
	copied bool // byte by byte, so that offsets go on together
}

// Original maps a byte offset in Text, such as that of an error, to an offset
// in the original text. For text that was not there before it gives the start
// of the clause that caused it. A negative offset stays as it is.
func (r Rewrite) Original(offset int) int {
	if offset < 0 {
		return offset
	}
	i := sort.Search(len(r.parts), func(i int) bool { return r.parts[i].at > offset }) - 1
	if i < 0 {
		return 0
	}
	p := r.parts[i]
	if !p.copied {
		return p.from
	}
	return p.from + offset - p.at
}

// rewriter puts a Rewrite together.
type rewriter struct {
	b      strings.Builder
	parts  []part
	st     Statement
	number bool // write parameters as ?NNN
}

func (w *rewriter) mark(from int, copied bool) {
	if n := len(w.parts); n > 0 && w.parts[n-1].at == w.b.Len() {
		w.parts = w.parts[:n-1]
	}
	w.parts = append(w.parts, part{w.b.Len(), from, copied})
}

// insert writes new text that is there because of what is at byte from.
func (w *rewriter) insert(text string, from int) {
	w.mark(from, false)
	w.b.WriteString(text)
}

// gap writes a space, if none is there, before what is at byte next.
func (w *rewriter) gap(next int) {
	if text := w.b.String(); !isSpace(text[len(text)-1]) && !isSpace(w.st.Text[next]) {
		w.insert(" ", next)
	}
}

// copy writes a range of the original.
func (w *rewriter) copy(start, end int) {
	if w.number {
		for _, p := range w.st.Params {
			if p.Start < start || p.End > end {
				continue
			}
			w.verbatim(start, p.Start)
			w.insert("?"+strconv.Itoa(p.Number), p.Start)
			start = p.End
			if start < end && isID(w.st.Text[start]) {
				w.insert(" ", start)
			}
		}
	}
	w.verbatim(start, end)
}

func (w *rewriter) verbatim(start, end int) {
	if start < end {
		w.mark(start, true)
		w.b.WriteString(w.st.Text[start:end])
	}
}

// rewrite builds the new statement. Clauses are copied with the white space and
// comments behind them, so that a line comment has its line's end, and
// RETURNING keeps its comments, which are part of SQLite's column names.
func (c *clauses) rewrite(s Statement, columns []string) Rewrite {
	w := &rewriter{st: s, number: c.movesParams(s)}
	w.b.Grow(2*len(s.Text) + 64)
	tail := c.tail()
	bodyEnd, conditionEnd := c.condition()
	// An index named by INDEXED BY is for the search, which is inside now.
	head := c.nameEnd
	if c.notIndexed {
		head = c.targetEnd
	}
	row, list := rowKey(columns)
	w.copy(0, head)
	w.gap(c.targetEnd)
	w.copy(c.targetEnd, bodyEnd)
	w.gap(bodyEnd)
	w.insert("WHERE "+row+" IN (SELECT "+list+" FROM ", tail)
	w.copy(c.name, c.targetEnd)
	w.gap(bodyEnd)
	w.copy(bodyEnd, conditionEnd)
	w.gap(tail)
	w.copy(tail, c.end)
	w.insert(")", tail)
	if c.returning >= 0 {
		w.gap(c.returning)
		w.copy(c.returning, tail)
	}
	return Rewrite{Text: w.b.String(), parts: w.parts}
}

// movesParams reports whether a parameter changes its place among the others.
func (c *clauses) movesParams(s Statement) bool {
	if c.returning < 0 {
		return false
	}
	for _, p := range s.Params {
		if p.Start > c.returning && p.Start < c.tail() {
			return true
		}
	}
	return false
}

// rowKey returns the two sides of the IN operator. Names are in backticks: to
// SQLite a name in double quotes may turn into a string, which would be equal
// to itself in every row.
func rowKey(columns []string) (row, list string) {
	if len(columns) == 0 {
		return "rowid", "rowid"
	}
	quoted := make([]string, len(columns))
	for i, name := range columns {
		quoted[i] = "`" + strings.ReplaceAll(name, "`", "``") + "`"
	}
	list = strings.Join(quoted, ", ")
	if len(columns) == 1 {
		return list, list
	}
	return "(" + list + ")", list
}
