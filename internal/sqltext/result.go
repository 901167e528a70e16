package sqltext

// ResultCount returns how many columns the rows of a SELECT or VALUES have, if
// the text alone tells: it does not where there is a star.
func (s Statement) ResultCount() (n int, ok bool) {
	if s.Kind != Read || s.Explain {
		return 0, false
	}
	cur := newCursor(s.Text, s.VerbStart)
	switch {
	case cur.take("VALUES"):
		if cur.tok.Kind != TokenLeft {
			return 0, false
		}
		cur.next()
	case cur.take("SELECT"):
		if !cur.take("DISTINCT") {
			cur.take("ALL")
		}
	default:
		return 0, false
	}
	list := cur.list(endsSelectList)
	return list.items, !list.star && list.items > 0
}

// ReadsData reports whether a statement's rows may depend on anything but its
// arguments, the clock and chance: on tables, or on what the connection
// remembers of its last write.
func (s Statement) ReadsData() bool {
	for t := range Tokens(s.Text) {
		if t.Kind != TokenWord {
			continue
		}
		switch word := t.Text(s.Text); {
		case equalFold(word, "FROM"), equalFold(word, "LAST_INSERT_ROWID"), equalFold(word, "CHANGES"),
			equalFold(word, "TOTAL_CHANGES"), equalFold(word, "PRAGMA"), equalFold(word, "EXPLAIN"),
			equalFold(word, "IN"): // IN may be followed by the name of a table
			return true
		}
	}
	return false
}

// Repeatable reports whether running a statement twice comes to the same as running it
// once, since it only reads. No function that D1 allows writes; a pragma may, but only
// with a value, except for optimize, which can be repeated.
func (s Statement) Repeatable() bool {
	if s.Kind == Pragma {
		for t := range Tokens(s.Text) {
			if t.Kind == TokenOperator {
				return false
			}
		}
		return true
	}
	return s.Kind == Read
}

// list is what stands between commas.
type list struct {
	items int
	star  bool // an item is * or t.*
	end   int  // behind the last token of the list
}

// list reads items up to a parenthesis that closes what surrounds them, a word
// that ends them, or the end of the text.
func (c *cursor) list(ends func(c *cursor, last Token) bool) list {
	var l list
	var last Token
	depth := 0
	for ; !c.done(); c.next() {
		switch {
		case c.tok.Kind == TokenLeft:
			depth++
		case c.tok.Kind == TokenRight:
			depth--
		}
		if depth < 0 || depth == 0 && c.tok.Kind == TokenWord && ends(c, last) {
			break
		}
		if l.items == 0 {
			l.items = 1
		}
		if depth == 0 {
			switch {
			case c.tok.Kind == TokenComma:
				l.items++
			case c.tok.Text(c.sql) == "*" && (last.End == 0 || last.Kind == TokenComma || last.Kind == TokenDot):
				l.star = true
			}
		}
		last = c.tok
		l.end = last.End
	}
	return l
}

func endsSelectList(c *cursor, last Token) bool {
	switch {
	case c.is("FROM"):
		// IS DISTINCT FROM is an operator.
		return !(last.Kind == TokenWord && equalFold(last.Text(c.sql), "DISTINCT"))
	case c.is("WHERE"), c.is("GROUP"), c.is("HAVING"), c.is("ORDER"), c.is("LIMIT"), c.is("UNION"),
		c.is("EXCEPT"), c.is("INTERSECT"), c.is("WINDOW"):
		return true
	}
	return false
}

// Returning says what an INSERT, UPDATE or DELETE with RETURNING returns.
// Offsets are offsets in Statement.Text.
type Returning struct {
	// Start is where the word RETURNING begins, and the list what follows it.
	Start, ListStart, ListEnd int
	// Items is the number of expressions in the list; Star says that one of them
	// is a star, which stands for columns that the text does not tell.
	Items int
	Star  bool
	// Table is the table that is written to, without quotes. It may qualify columns
	// in the list; an alias may not.
	Table string
	// One says that the statement inserts at most one row.
	One bool
	// Columns are the columns that an INSERT names, without quotes, and ColumnsEnd is
	// where the parenthesis behind them stands. TupleEnds are where those stand that
	// close the rows of VALUES; there are none for INSERT … SELECT.
	Columns    []string
	ColumnsEnd int
	TupleEnds  []int
	// Upsert says that an INSERT may update rows.
	Upsert bool
}

// Returning returns the parts of a statement with RETURNING. ok is false for all
// other statements, and for text that SQLite would refuse anyway.
func (s Statement) Returning() (r Returning, ok bool) {
	if s.Kind != Write || !s.ReturnsRows || s.Fault.Refused() {
		return r, false
	}
	cur := newCursor(s.Text, s.VerbStart)
	insert := s.Verb == "INSERT" || s.Verb == "REPLACE"
	if !r.target(cur, insert) {
		return r, false
	}
	if insert {
		r.columns(cur)
	}
	query, values, depth := false, false, 0
	for ; !cur.done(); cur.next() {
		switch cur.tok.Kind {
		case TokenLeft:
			depth++
			continue
		case TokenRight:
			depth--
			if values && depth == 0 {
				r.TupleEnds = append(r.TupleEnds, cur.tok.Start)
			}
		}
		switch {
		case depth != 0 || cur.tok.Kind != TokenWord:
		case cur.is("VALUES"):
			values = !query
		case cur.is("SELECT"), cur.is("WITH"):
			query, values, r.TupleEnds = true, false, nil
		case cur.is("ON"):
			values = false
		case cur.is("DO"):
			cur.next()
			r.Upsert = r.Upsert || cur.is("UPDATE")
		case cur.is("RETURNING"):
			r.Start, r.ListStart = cur.tok.Start, cur.tok.End
			cur.next()
			l := cur.list(func(c *cursor, _ Token) bool { return c.is("ORDER") || c.is("LIMIT") })
			r.ListEnd, r.Items, r.Star = l.end, l.items, l.star
			r.One = insert && !query && len(r.TupleEnds) <= 1
			return r, l.items > 0
		}
	}
	return r, false
}

// columns reads the list of an INSERT's columns, if it has one.
func (r *Returning) columns(cur *cursor) {
	if cur.take("AS") {
		cur.takeName()
	}
	if cur.tok.Kind != TokenLeft {
		return
	}
	for cur.next(); !cur.done() && cur.tok.Kind != TokenRight; cur.next() {
		if cur.tok.Kind != TokenComma {
			r.Columns = append(r.Columns, Unquote(cur.tok.Text(cur.sql)))
		}
	}
	r.ColumnsEnd = cur.tok.Start
	cur.next()
}

// target reads up to the table.
func (r *Returning) target(cur *cursor, insert bool) bool {
	switch {
	case insert:
		cur.next()
		if cur.take("OR") {
			cur.next() // REPLACE, IGNORE, …
		}
		if !cur.take("INTO") {
			return false
		}
	case cur.take("DELETE"):
		if !cur.take("FROM") {
			return false
		}
	case cur.take("UPDATE"):
		if cur.take("OR") {
			cur.next()
		}
	}
	start := cur.tok.Start
	end := cur.takeName()
	if end > 0 && cur.tok.Kind == TokenDot {
		cur.next()
		start = cur.tok.Start
		end = cur.takeName()
	}
	if end == 0 {
		return false
	}
	r.Table = Unquote(cur.sql[start:end])
	return true
}

// Unbalanced returns the position of a parenthesis that closes none, or -1. A text
// with one cannot be put into a subquery.
func (s Statement) Unbalanced() int {
	depth := 0
	for t := range Tokens(s.Text) {
		switch t.Kind {
		case TokenLeft:
			depth++
		case TokenRight:
			if depth--; depth < 0 {
				return t.Start
			}
		}
	}
	return -1
}

// NamesCatalog reports whether a statement names what lists the tables themselves.
func (s Statement) NamesCatalog() bool {
	for t := range Tokens(s.Text) {
		switch t.Kind {
		case TokenWord, TokenQuoted, TokenString:
			switch name := Unquote(t.Text(s.Text)); {
			case equalFold(name, "SQLITE_MASTER"), equalFold(name, "SQLITE_SCHEMA"), equalFold(name, "PRAGMA_TABLE_LIST"):
				return true
			}
		}
	}
	return false
}

// PragmaSelect returns the SELECT that answers as a PRAGMA does, which can stand
// in a subquery. ok is false for a statement that is no PRAGMA, that names another
// schema than main, or that sets something.
func (s Statement) PragmaSelect() (sql string, ok bool) {
	if s.Kind != Pragma || s.Fault.Refused() {
		return "", false
	}
	cur := newCursor(s.Text, s.VerbStart)
	cur.take("PRAGMA")
	start := cur.tok.Start
	end := cur.takeName()
	if end == 0 {
		return "", false
	}
	if cur.tok.Kind == TokenDot && equalFold(Unquote(s.Text[start:end]), "MAIN") {
		cur.next()
		start = cur.tok.Start
		if end = cur.takeName(); end == 0 {
			return "", false
		}
	}
	name := Unquote(s.Text[start:end])
	sql = "SELECT * FROM " + QuoteIdent("pragma_"+lower(name))
	switch {
	case cur.done():
		return sql, true
	case cur.tok.Kind != TokenLeft && cur.tok.Text(s.Text) != "=", !s.ReturnsRows:
		return "", false
	}
	cur.next()
	start = cur.tok.Start
	for end = start; !cur.done() && cur.tok.Kind != TokenRight; cur.next() {
		end = cur.tok.End
	}
	arg := s.Text[start:end]
	if t := Next(arg, 0); t.Kind == TokenWord || t.Kind == TokenQuoted || t.Kind == TokenString {
		arg = QuoteString(Unquote(arg))
	}
	return sql + "(" + arg + ")", end > start
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
