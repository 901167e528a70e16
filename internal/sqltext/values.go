package sqltext

// A Span is a byte range in Statement.Text.
type Span struct{ Start, End int }

// InsertRows finds the rows of INSERT … VALUES (…), (…) or REPLACE, from the left
// parenthesis of each to its right one. What stands before the first is the head of
// the statement, and what stands behind the last its tail: ON CONFLICT, RETURNING.
//
// ok is false for every other statement, and for those whose rows, inserted by
// statements of their own one after another, might come out different: where a row
// or the tail reads a table, which may be the one that is inserted into, or asks for
// last_insert_rowid(), changes() or total_changes(). The head has no parameters.
func (s Statement) InsertRows() (rows []Span, ok bool) {
	if s.Verb != "INSERT" && s.Verb != "REPLACE" || s.Explain || s.Fault.Refused() ||
		newCursor(s.Text, 0).tok.Start != s.VerbStart {
		return nil, false
	}
	cur := newCursor(s.Text, s.VerbStart)
	if !insertHead(cur) {
		return nil, false
	}
	for {
		row, ok := insertRow(cur)
		if !ok {
			return nil, false
		}
		rows = append(rows, row)
		if cur.tok.Kind != TokenComma {
			break
		}
		cur.next()
	}
	if !cur.done() && !cur.is("ON") && !cur.is("RETURNING") {
		return nil, false // VALUES is a part of a compound SELECT
	}
	for ; !cur.done(); cur.next() {
		if cur.readsState() {
			return nil, false
		}
	}
	return rows, true
}

// insertHead steps over everything up to VALUES.
func insertHead(cur *cursor) bool {
	for ; !cur.done(); cur.next() {
		switch {
		case cur.tok.Kind == TokenVariable, cur.is("DEFAULT"), cur.is("SELECT"), cur.is("WITH"):
			return false
		case cur.take("VALUES"):
			return true
		}
	}
	return false
}

// insertRow steps over a row.
func insertRow(cur *cursor) (row Span, ok bool) {
	if cur.tok.Kind != TokenLeft {
		return row, false
	}
	row.Start = cur.tok.Start
	for depth := 0; !cur.done(); cur.next() {
		switch cur.tok.Kind {
		case TokenLeft:
			depth++
		case TokenRight:
			depth--
		}
		if cur.readsState() {
			return row, false
		}
		if depth == 0 {
			row.End = cur.tok.End
			cur.next()
			return row, true
		}
	}
	return row, false
}

// readsState reports whether the token may begin what reads a table, or what other
// statements leave behind. A name in quotes may be that of a function.
func (c *cursor) readsState() bool {
	switch c.tok.Kind {
	case TokenWord, TokenQuoted, TokenString:
	default:
		return false
	}
	name := Unquote(c.tok.Text(c.sql))
	switch len(name) {
	case 2: // IN and the name of a table, without parentheses
		return c.is("IN") && nextToken(c.sql, c.tok.End).Kind != TokenLeft
	case 4:
		return c.is("WITH")
	case 6:
		return c.is("SELECT") || c.is("VALUES")
	case 7, 13, 17:
		name = upper(name)
		return name == "CHANGES" || name == "TOTAL_CHANGES" || name == "LAST_INSERT_ROWID"
	}
	return false
}

// nextToken returns the next token that is not trivia.
func nextToken(sql string, pos int) Token {
	t := Next(sql, pos)
	for t.trivia() && t.End > t.Start {
		t = Next(sql, t.End)
	}
	return t
}

// InLists finds the lists of an IN operator that hold parameters and nothing else,
// parentheses included: x IN (?, ?). Left out are those in an expression that a
// column of the result may have its name from, and those in statements that may not
// have parameters. named says that a parameter with a name or a number of its own
// stands in such an expression.
func (s Statement) InLists() (lists []Span, named bool) {
	if s.Kind != Read && s.Kind != Write || s.Fault.Refused() {
		return nil, false
	}
	naming := columnNaming{read: s.Kind == Read, open: []bool{false}}
	for cur := newCursor(s.Text, 0); !cur.done(); cur.next() {
		naming.token(cur)
		if naming.now() {
			named = named || cur.tok.Kind == TokenVariable && cur.tok.End > cur.tok.Start+1
		} else if cur.is("IN") {
			if list, ok := paramList(s.Text, cur.tok.End); ok {
				lists = append(lists, list)
			}
		}
	}
	return lists, named
}

// columnNaming follows where text stands that may become a column's name: between
// SELECT and FROM, in subqueries too, whose columns a * may bring up; and behind
// RETURNING.
type columnNaming struct {
	read bool   // the statement is a query
	open []bool // for each open parenthesis, and outside of all
	last Token
}

func (n *columnNaming) now() bool { return n.open[len(n.open)-1] }

func (n *columnNaming) token(cur *cursor) {
	depth := len(n.open) - 1
	switch {
	case cur.tok.Kind == TokenLeft:
		n.open = append(n.open, n.open[depth])
	case cur.tok.Kind == TokenRight && depth > 0:
		n.open = n.open[:depth]
	case cur.tok.Kind != TokenWord:
	case depth == 0 && cur.is("RETURNING"), n.read && cur.is("SELECT"):
		n.open[depth] = true
	case n.read && cur.is("FROM") && !n.distinct(cur.sql):
		n.open[depth] = depth > 0 && n.open[depth-1]
	}
	n.last = cur.tok
}

// distinct reports whether FROM belongs to IS DISTINCT FROM.
func (n *columnNaming) distinct(sql string) bool {
	return n.last.Kind == TokenWord && equalFold(n.last.Text(sql), "DISTINCT")
}

// paramList reads a list of parameters that follows byte pos.
func paramList(sql string, pos int) (list Span, ok bool) {
	t := nextToken(sql, pos)
	list.Start = t.Start
	if t.Kind != TokenLeft {
		return list, false
	}
	for {
		if t = nextToken(sql, t.End); t.Kind != TokenVariable {
			return list, false
		}
		switch t = nextToken(sql, t.End); t.Kind {
		case TokenComma:
		case TokenRight:
			list.End = t.End
			return list, true
		default:
			return list, false
		}
	}
}
