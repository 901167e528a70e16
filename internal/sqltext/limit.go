package sqltext

// A LimitError says why SQLite would refuse an UPDATE or DELETE with ORDER BY
// or LIMIT. Its text is SQLite's.
type LimitError struct {
	Text   string
	Offset int // byte offset in the statement, or -1 if SQLite gives none
}

// Error returns SQLite's text.
func (e *LimitError) Error() string { return e.Text }

// RewriteLimit rewrites an UPDATE or DELETE that has ORDER BY or LIMIT for an
// SQLite that was compiled without SQLITE_ENABLE_UPDATE_DELETE_LIMIT:
//
//	DELETE FROM t WHERE a = ? RETURNING b ORDER BY c LIMIT 2
//
// becomes
//
//	DELETE FROM t WHERE rowid IN (SELECT rowid FROM t WHERE a = ? ORDER BY c LIMIT 2) RETURNING b
//
// which is what an SQLite with that option does inside. The parameters keep
// their numbers; see [Statement.RewriteLimit], which does the work.
//
// For all other text, and so for text that is not one statement, ok is false
// and the text should go to SQLite as it is.
func RewriteLimit(sql string, key func(schema, table string) []string) (rewritten Rewrite, ok bool, err error) {
	st, err := Parse(sql)
	if err != nil {
		return Rewrite{}, false, nil
	}
	return st.RewriteLimit(key)
}

// RewriteLimit is the function [RewriteLimit] for a statement that is parsed
// already. Offsets are offsets in s.Text.
//
// key is asked for the columns that identify a row of a table; schema is empty
// if the statement names none, and both names are without quotes. It returns
// nil for "rowid", the primary key of a table WITHOUT ROWID, "_rowid_" or "oid"
// if a column of the table is called rowid, or an empty slice that is not nil
// if the statement must stay as it is, as for a view. A nil key stands for one
// that always returns nil.
//
// For an UPDATE … FROM the rewritten text joins the table to a SELECT that has
// its rows and their new values, which is what SQLite makes of it too. ok is
// false if it sets a list of columns to a subquery, which has no place there.
//
// Where [Rewrite.Plain] is not empty, it should be compiled first.
//
// The err is a *[LimitError], if SQLite itself would refuse: for ORDER BY
// without LIMIT, and for a RETURNING that follows them.
//
// Parameters keep their numbers. Should RETURNING, which moves to the end, have
// parameters, then all of them are written as ?NNN, and the names are lost.
func (s Statement) RewriteLimit(key func(schema, table string) []string) (rewritten Rewrite, ok bool, err error) {
	if s.Verb != "UPDATE" && s.Verb != "DELETE" || s.Kind == Unknown || s.Fault.Refused() {
		return Rewrite{}, false, nil
	}
	c, ok := findClauses(s.Text, s.VerbStart)
	if !ok || c.order < 0 && c.limit < 0 {
		return Rewrite{}, false, nil
	}
	if err := c.check(s); err != nil {
		return Rewrite{}, false, err
	}
	var columns []string
	if key != nil {
		columns = key(c.schema, c.table)
	}
	if columns != nil && len(columns) == 0 {
		return Rewrite{Plain: s.Text[:c.tail()]}, false, nil
	}
	if c.from >= 0 {
		rewritten, ok = c.rewriteFrom(s, columns)
		return rewritten, ok, nil
	}
	return c.rewrite(s, columns), true, nil
}

// check refuses what SQLite refuses, in the order in which SQLite would.
func (c *clauses) check(s Statement) error {
	if c.lateReturning.End > 0 {
		text := c.lateReturning.Text(s.Text)
		return &LimitError{`near "` + text + `": syntax error`, c.lateReturning.Start}
	}
	if c.limit < 0 {
		return &LimitError{"ORDER BY without LIMIT on " + s.Verb, -1}
	}
	return nil
}

// clauses says where the parts of an UPDATE or DELETE are. Offsets are -1 for
// what is not there.
type clauses struct {
	schema, table string
	name          int // the table's name, qualified
	nameEnd       int // behind the name and alias
	called        int // the name without its schema, or the alias
	targetEnd     int // behind INDEXED BY or NOT INDEXED too
	notIndexed    bool

	from, where, returning, order, limit int

	end           int   // behind the last token that is not trivia
	lateReturning Token // a RETURNING behind ORDER BY or LIMIT
}

// tail is where ORDER BY or LIMIT begins.
func (c *clauses) tail() int {
	if c.order >= 0 {
		return c.order
	}
	return c.limit
}

// condition is where WHERE begins and ends; without one both are where it would stand.
func (c *clauses) condition() (start, end int) {
	end = c.tail()
	if c.returning >= 0 {
		end = c.returning
	}
	if c.where >= 0 {
		return c.where, end
	}
	return end, end
}

// cursor walks over the tokens that SQLite's grammar sees.
type cursor struct {
	sql string
	tok Token // at the end of the text: empty, of kind TokenSpace
}

func newCursor(sql string, pos int) *cursor {
	c := &cursor{sql: sql, tok: Token{End: pos}}
	c.next()
	return c
}

func (c *cursor) next() {
	c.tok = Next(c.sql, c.tok.End)
	for c.tok.trivia() && c.tok.End > c.tok.Start {
		c.tok = Next(c.sql, c.tok.End)
	}
}

func (c *cursor) done() bool { return c.tok.Start == len(c.sql) }

func (c *cursor) is(word string) bool {
	return c.tok.Kind == TokenWord && equalFold(c.tok.Text(c.sql), word)
}

// take steps over the word, if it is there.
func (c *cursor) take(word string) bool {
	if !c.is(word) {
		return false
	}
	c.next()
	return true
}

// takeName steps over a name and returns where it ends, or 0.
func (c *cursor) takeName() int {
	switch c.tok.Kind {
	case TokenWord, TokenQuoted, TokenString:
		end := c.tok.End
		c.next()
		return end
	}
	return 0
}

// findClauses looks for the parts of the statement whose verb is at byte verb.
// It fails for text that is no UPDATE or DELETE to SQLite's grammar and that
// the rewriting might turn into one.
func findClauses(sql string, verb int) (*clauses, bool) {
	c := &clauses{from: -1, where: -1, returning: -1, order: -1, limit: -1}
	cur := newCursor(sql, verb)
	if !c.target(cur) {
		return nil, false
	}
	depth := 0
	var last Token
	for ; !cur.done(); cur.next() {
		switch cur.tok.Kind {
		case TokenLeft:
			depth++
		case TokenRight:
			depth--
		case TokenWord:
			if depth == 0 && !c.word(cur, last) {
				return nil, false
			}
		}
		if depth < 0 {
			return nil, false
		}
		last = cur.tok
		c.end = cur.tok.End
	}
	return c, depth == 0
}

// target reads the statement up to its table, alias and index.
func (c *clauses) target(cur *cursor) bool {
	update := cur.is("UPDATE")
	if cur.take("DELETE") {
		if !cur.take("FROM") {
			return false
		}
	} else if cur.take("UPDATE") && cur.take("OR") {
		cur.next() // ROLLBACK, ABORT, …
	}
	c.name, c.called = cur.tok.Start, cur.tok.Start
	c.nameEnd = cur.takeName()
	c.table = Unquote(cur.sql[c.name:max(c.name, c.nameEnd)])
	if cur.tok.Kind == TokenDot {
		cur.next()
		c.called = cur.tok.Start
		c.nameEnd = cur.takeName()
		c.schema, c.table = c.table, Unquote(cur.sql[c.called:max(c.called, c.nameEnd)])
	}
	if c.nameEnd > 0 && cur.take("AS") {
		c.called = cur.tok.Start
		c.nameEnd = cur.takeName()
	}
	if c.nameEnd == 0 {
		return false
	}
	c.targetEnd = c.nameEnd
	return c.index(cur) && clauseFollows(cur, update)
}

func (c *clauses) index(cur *cursor) bool {
	switch {
	case cur.take("INDEXED"):
		if !cur.take("BY") {
			return false
		}
		c.targetEnd = cur.takeName()
	case cur.take("NOT"):
		c.notIndexed = true
		c.targetEnd = cur.tok.End
		if !cur.take("INDEXED") {
			return false
		}
	}
	return c.targetEnd > 0
}

// clauseFollows reports whether the word behind the table can be there at all.
// SQLite takes no alias without AS here.
func clauseFollows(cur *cursor, update bool) bool {
	if update {
		return cur.is("SET")
	}
	return cur.is("WHERE") || cur.is("RETURNING") || cur.is("ORDER") || cur.is("LIMIT")
}

// word handles a word outside of all parentheses. The words are reserved, so
// that none of them can be a name here.
func (c *clauses) word(cur *cursor, last Token) bool {
	at := cur.tok.Start
	tail := c.tail() >= 0
	switch {
	case cur.is("FROM"):
		// IS DISTINCT FROM is an operator.
		distinct := last.Kind == TokenWord && equalFold(last.Text(cur.sql), "DISTINCT")
		if !distinct && c.from < 0 {
			c.from = at
		}
	case cur.is("WHERE"):
		if tail || c.where >= 0 || c.returning >= 0 {
			return false
		}
		c.where = at
	case cur.is("RETURNING"):
		if c.returning >= 0 {
			return false
		}
		if tail {
			c.lateReturning = cur.tok
		} else {
			c.returning = at
		}
	case cur.is("ORDER"):
		if tail {
			return false
		}
		c.order = at
	case cur.is("LIMIT"):
		if c.limit >= 0 {
			return false
		}
		c.limit = at
	case cur.is("AS"):
		// Only FROM and RETURNING have it here. Behind WHERE it could be part of a
		// WINDOW clause, which the inner SELECT would take.
		return c.returning >= 0 || c.from >= 0 && c.where < 0 && !tail
	case cur.is("GROUP"), cur.is("HAVING"), cur.is("UNION"), cur.is("INTERSECT"), cur.is("EXCEPT"):
		return false
	}
	return true
}
