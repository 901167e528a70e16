package sqlschema

import "github.com/skylite-go/skylite/internal/sqltext"

// Statement is what a statement returns, as far as its text says. It is immutable.
type Statement struct {
	query  *query
	target source // of RETURNING
	items  []item // of RETURNING
}

// Parse reads a statement. It returns nil if no column of its answer can have a declared
// type, or if the text is not understood.
func Parse(st sqltext.Statement) *Statement {
	if !st.ReturnsRows || st.Explain || st.Fault.Refused() {
		return nil
	}
	t, ok := lex(st.Text)
	if !ok || len(t.tokens) == 0 {
		return nil
	}
	p := parser{text: &t}
	s := &Statement{}
	switch st.Kind {
	case sqltext.Read:
		s.query = p.query(0, len(t.tokens))
		if p.failed || !s.query.typed() {
			return nil
		}
	case sqltext.Write:
		if !p.returning(s, st.VerbStart) || !typed(s.items) {
			return nil
		}
	default:
		return nil
	}
	return s
}

// typed reports whether any column may have a type.
func (q *query) typed() bool {
	for _, t := range q.terms[:min(1, len(q.terms))] {
		if typed(t.items) {
			return true
		}
	}
	return false
}

func typed(items []item) bool {
	for _, it := range items {
		if it.kind == subquery && it.query.typed() || it.kind != expression && it.kind != subquery {
			return true
		}
	}
	return false
}

// returning reads an INSERT, UPDATE or DELETE with RETURNING.
func (p *parser) returning(s *Statement, verbStart int) bool {
	i := 0
	for i < len(p.tokens) && p.tokens[i].Start < verbStart {
		i = p.skip(i)
	}
	verb := i
	for i++; p.is(i, "or", "into", "from"); i++ {
		if p.is(i, "or") {
			i++
		}
	}
	if verb >= len(p.tokens) || !p.isAnyName(i) {
		return false
	}
	if p.kind(i+1) == sqltext.TokenDot {
		s.target.schema = fold(p.name(i))
		i += 2
	}
	if !p.isAnyName(i) {
		return false
	}
	s.target.name = fold(p.name(i))
	s.target.alias = s.target.name
	if i++; p.is(i, "as") && p.isAnyName(i+1) {
		s.target.alias = fold(p.name(i + 1))
	}
	for ; i < len(p.tokens) && !p.is(i, "returning"); i = p.skip(i) {
	}
	if i >= len(p.tokens) {
		return false
	}
	s.items, _ = p.items(i+1, len(p.tokens))
	for j, it := range s.items {
		if it.kind == subquery && verb > 0 { // a WITH may be meant in it
			s.items[j] = item{alias: it.alias, span: it.span}
		}
	}
	return !p.failed
}
