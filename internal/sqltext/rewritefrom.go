package sqltext

import (
	"strconv"
	"strings"
)

// span is a range of the text.
type span struct{ start, end int }

// assignment is a column of SET and its new value.
type assignment struct{ column, value span }

// limited names the SELECT that rewriteFrom writes, and with a number its columns.
const limited = "limited rows"

// rewriteFrom builds the new statement of an UPDATE … FROM:
//
//	UPDATE t SET a = s.b FROM s WHERE s.id = t.id LIMIT 2
//
// becomes, with shorter names,
//
//	UPDATE t SET a = k.v FROM (SELECT t.rowid AS r, s.b AS v FROM t, s
//	WHERE s.id = t.id GROUP BY t.rowid LIMIT 2) AS k WHERE t.rowid = k.r
//
// The SELECT has the columns that SQLite's own has, as ORDER BY may count them.
func (c *clauses) rewriteFrom(s Statement, columns []string) (Rewrite, bool) {
	set, ok := c.assignments(s.Text)
	if !ok || c.where >= 0 && c.where < c.from {
		return Rewrite{}, false
	}
	if columns == nil {
		columns = []string{"rowid"}
	}
	keys := make([]string, len(columns))
	for i, name := range columns {
		keys[i] = s.Text[c.called:c.nameEnd] + "." + QuoteIdent(name)
	}
	w := &rewriter{st: s, number: c.movesParams(s)}
	w.copy(0, c.nameEnd)
	w.insert(" SET ", c.targetEnd)
	for i, a := range set {
		w.separate(i, a.column.start)
		w.copy(a.column.start, a.column.end)
		w.insert(" = "+limitedColumn(len(keys)+i), a.value.start)
	}
	c.selectLimited(w, keys, set)
	w.insert(" AS "+QuoteIdent(limited)+" WHERE ", c.tail())
	for i, key := range keys {
		if i > 0 {
			w.insert(" AND ", c.tail())
		}
		w.insert(key+" = "+limitedColumn(i), c.tail())
	}
	if c.returning >= 0 {
		w.gap(c.returning)
		w.copy(c.returning, c.tail())
	}
	return Rewrite{Text: w.b.String(), Plain: s.Text[:c.tail()], parts: w.parts}, true
}

// selectLimited writes the SELECT of the rows and their new values.
func (c *clauses) selectLimited(w *rewriter, keys []string, set []assignment) {
	tail := c.tail()
	sourceEnd, conditionEnd := c.condition()
	w.insert(" FROM (SELECT ", c.from)
	for i, key := range keys {
		w.separate(i, c.from)
		w.insert(key+" AS "+limitedName(i), c.from)
	}
	for i, a := range set {
		w.separate(len(keys)+i, a.value.start)
		w.copy(a.value.start, a.value.end)
		w.insert(" AS "+limitedName(len(keys)+i), a.value.start)
	}
	w.insert(" FROM ", c.from)
	w.copy(c.name, c.targetEnd)
	// To SQLite a FROM of several tables is one, beside the table itself.
	source, several := c.from+len("FROM"), c.joins(w.st.Text, sourceEnd)
	w.insert(",", c.from)
	if several {
		w.insert(" (", c.from)
	}
	w.copy(source, sourceEnd)
	if several {
		w.insert(") ", c.from)
	}
	w.gap(sourceEnd)
	w.copy(sourceEnd, conditionEnd)
	w.gap(tail)
	w.insert("GROUP BY "+strings.Join(keys, ", ")+" ", tail)
	w.copy(tail, c.end)
	w.insert(")", tail)
}

// separate writes a comma before all elements of a list but the first.
func (w *rewriter) separate(i, from int) {
	if i > 0 {
		w.insert(", ", from)
	}
}

// joins reports whether FROM, which ends at byte end, has several tables.
func (c *clauses) joins(sql string, end int) bool {
	depth := 0
	for cur := newCursor(sql, c.from); cur.tok.Start < end && !cur.done(); cur.next() {
		switch cur.tok.Kind {
		case TokenLeft:
			depth++
		case TokenRight:
			depth--
		}
		if depth == 0 && (cur.tok.Kind == TokenComma || cur.is("JOIN")) {
			return true
		}
	}
	return false
}

// assignments reads SET. It fails for what it cannot take apart.
func (c *clauses) assignments(sql string) (all []assignment, ok bool) {
	cur := newCursor(sql, c.targetEnd)
	if !cur.take("SET") {
		return nil, false
	}
	for _, item := range parts(sql, cur.tok.Start, c.from) {
		part, ok := assigned(sql, item)
		if !ok {
			return nil, false
		}
		all = append(all, part...)
	}
	return all, len(all) > 0
}

// assigned reads one element of SET, which may be a list of columns.
func assigned(sql string, item span) ([]assignment, bool) {
	cur := newCursor(sql, item.start)
	columns := []span{{cur.tok.Start, cur.tok.End}}
	if cur.tok.Kind == TokenLeft {
		inner := cur.parenthesized(item.end)
		columns = parts(sql, inner.start, inner.end)
	}
	cur.next()
	if cur.tok.Kind != TokenOperator || cur.tok.Text(sql) != "=" {
		return nil, false
	}
	cur.next()
	values := []span{{cur.tok.Start, item.end}}
	if len(columns) > 1 && cur.tok.Kind == TokenLeft {
		inner := cur.parenthesized(item.end)
		if first := newCursor(sql, inner.start); first.is("SELECT") || first.is("VALUES") || first.is("WITH") {
			return nil, false
		}
		values = parts(sql, inner.start, inner.end)
		if cur.tok.End != item.end {
			return nil, false
		}
	}
	if len(columns) != len(values) || values[0].start >= values[0].end {
		return nil, false
	}
	all := make([]assignment, len(columns))
	for i := range columns {
		all[i] = assignment{columns[i], values[i]}
	}
	return all, true
}

// parenthesized steps to the parenthesis that closes the one it is at, and returns what
// is between them.
func (c *cursor) parenthesized(end int) span {
	inner := span{c.tok.End, end}
	for depth := 0; c.tok.Start < end; c.next() {
		switch c.tok.Kind {
		case TokenLeft:
			depth++
		case TokenRight:
			depth--
		}
		if depth == 0 {
			return span{inner.start, c.tok.Start}
		}
	}
	return inner
}

// parts takes a list apart at its commas. They begin and end with what is no trivia.
func parts(sql string, start, end int) (all []span) {
	cur := newCursor(sql, start)
	part := span{cur.tok.Start, cur.tok.Start}
	for depth := 0; cur.tok.Start < end && !cur.done(); cur.next() {
		switch cur.tok.Kind {
		case TokenLeft:
			depth++
		case TokenRight:
			depth--
		}
		if depth == 0 && cur.tok.Kind == TokenComma {
			all = append(all, part)
			part = span{cur.tok.End, cur.tok.End}
			continue
		}
		if part.start == part.end {
			part.start = cur.tok.Start
		}
		part.end = cur.tok.End
	}
	return append(all, part)
}

func limitedName(i int) string { return QuoteIdent(limited + " " + strconv.Itoa(i)) }

func limitedColumn(i int) string { return QuoteIdent(limited) + "." + limitedName(i) }
