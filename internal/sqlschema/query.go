package sqlschema

import (
	"strconv"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// query is a SELECT or VALUES with what is joined to it by UNION and the like.
type query struct {
	ctes  []*cte
	terms []*term
}

// cte is a common table expression.
type cte struct {
	name  string // folded
	names []string
	query *query
}

// term is one SELECT or VALUES of a query.
type term struct {
	items []item
	from  []source
}

// item is an element of a result list.
type item struct {
	kind   itemKind
	schema string // of a column's table; folded, as table is
	table  string
	column string
	alias  string // the name that it was given, or ""
	span   string // its text without the alias, which is an expression's name
	query  *query // a subquery
	odd    bool   // has another name to a query around its own
}

type itemKind uint8

const (
	expression itemKind = iota
	column
	star      // *
	tableStar // t.*
	subquery
)

// source is an element of FROM.
type source struct {
	schema, name string // folded
	alias        string // folded; the name if there is none
	query        *query // a subquery
	args         bool   // a table-valued function
	join         join
	group        int  // how many sources before it, in the same parentheses, are joined as one with it
	inner        bool // stands in parentheses that do not begin FROM
}

// join says how a source is joined to those before it.
type join struct {
	natural, left, right bool
	using                []string // folded
}

// maxDepth bounds how deep queries may be nested. D1 allows expressions to be nested 100 deep.
const maxDepth = 100

// maxColumns bounds how many columns a relation may have. D1 allows 100; SQLite 2000.
const maxColumns = 2000

// parser reads queries. It does not check them: that has SQLite done.
type parser struct {
	*text
	depth  int
	failed bool // the text is not understood
}

func (p *parser) fail() { p.failed = true }

// isQuery reports whether a query begins at i.
func (p *parser) isQuery(i int) bool { return p.is(i, "select", "values", "with") }

// query reads the query that is the text from i to end.
func (p *parser) query(i, end int) *query {
	q := &query{}
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		p.fail()
		return q
	}
	if p.is(i, "with") {
		q.ctes, i = p.with(i, end)
	}
	for !p.failed {
		var t *term
		switch {
		case i < end && p.is(i, "select"):
			t, i = p.selectTerm(i+1, end)
		case i < end && p.is(i, "values"):
			t, i = p.valuesTerm(i+1, end)
		default:
			p.fail()
			return q
		}
		q.terms = append(q.terms, t)
		for i < end && !p.isCompound(i) {
			i = p.skip(i)
		}
		if i >= end {
			return q
		}
		if i++; p.is(i, "all") {
			i++
		}
	}
	return q
}

func (p *parser) isCompound(i int) bool { return p.is(i, "union", "except", "intersect") }

// with reads the common table expressions behind WITH, and returns where they end.
func (p *parser) with(i, end int) ([]*cte, int) {
	var ctes []*cte
	if i++; p.is(i, "recursive") && !p.is(i+1, "as") && p.kind(i+1) != sqltext.TokenLeft {
		i++
	}
	for i < end && !p.failed {
		c := &cte{name: fold(p.name(i))}
		if i++; p.kind(i) == sqltext.TokenLeft {
			c.names = p.names(i)
			i = p.skip(i)
		}
		for p.is(i, "as", "not", "materialized") {
			i++
		}
		if p.kind(i) != sqltext.TokenLeft || i >= end {
			p.fail()
			break
		}
		c.query = p.query(i+1, p.tokens[i].match)
		ctes = append(ctes, c)
		if i = p.skip(i); p.kind(i) != sqltext.TokenComma {
			break
		}
		i++
	}
	return ctes, i
}

func (p *parser) valuesTerm(i, end int) (*term, int) {
	t := &term{}
	if p.kind(i) != sqltext.TokenLeft || i >= end {
		p.fail()
		return t, end
	}
	right := p.tokens[i].match
	for j := i + 1; j < right; j = p.element(j, right) + 1 {
		t.items = append(t.items, item{span: "column" + strconv.Itoa(len(t.items)+1)})
	}
	return t, right + 1
}

func (p *parser) selectTerm(i, end int) (*term, int) {
	t := &term{}
	if p.is(i, "distinct", "all") {
		i++
	}
	t.items, i = p.items(i, end)
	if i < end && p.is(i, "from") {
		t.from, i = p.from(i+1, end)
	}
	return t, i
}

// items reads a result list, and returns where it ends.
func (p *parser) items(i, end int) ([]item, int) {
	var items []item
	for {
		next := i
		for next < end && p.kind(next) != sqltext.TokenComma && !p.endsItems(next) {
			next = p.skip(next)
		}
		items = append(items, p.item(i, next))
		if next >= end || p.kind(next) != sqltext.TokenComma {
			return items, next
		}
		i = next + 1
	}
}

func (p *parser) endsItems(i int) bool {
	if p.is(i, "from") {
		return !(p.is(i-1, "distinct") && p.is(i-2, "is", "not"))
	}
	return p.is(i, "where", "group", "having", "order", "limit", "union", "except", "intersect")
}

// item reads one element of a result list.
func (p *parser) item(i, end int) item {
	if i+1 == end && p.isOp(i, "*") {
		return item{kind: star}
	}
	alias, aliased := "", false
	switch {
	case end-i > 2 && p.is(end-2, "as") && p.isAnyName(end-1):
		alias, aliased = p.name(end-1), true
		end -= 2
	case end-i > 1 && p.isAlias(end-1) && p.endsExpression(end-2):
		alias, aliased = p.name(end-1), true
		end--
	}
	it, next := p.primary(i, end)
	switch {
	case next == end:
	case it.kind == column && p.is(next, "collate") && next+2 == end: // it keeps its name, not its type
		it = item{column: it.column}
	default:
		it = item{odd: p.is(i, "likely", "unlikely", "likelihood") || p.is(end-2, "collate")}
	}
	if aliased {
		it.alias, it.odd = alias, false
	}
	if i < end {
		it.span = p.sql[p.tokens[i].Start:p.tokens[end-1].End]
	}
	return it
}

// endsExpression reports whether an expression may end at i, so that a name behind it
// is an alias.
func (p *parser) endsExpression(i int) bool {
	switch p.kind(i) {
	case sqltext.TokenRight, sqltext.TokenNumber, sqltext.TokenBlob, sqltext.TokenString, sqltext.TokenVariable:
		return true
	case sqltext.TokenQuoted:
		return !p.is(i-1, "collate")
	case sqltext.TokenWord:
		return !p.is(i-1, "collate") && !p.is(i, "like", "glob", "match", "regexp", "over", "filter") &&
			(p.isName(i) || p.is(i, "null", "isnull", "notnull"))
	}
	return false
}

// primary reads a column or a subquery at i, in any number of parentheses, and returns
// where it ends. Of everything else it returns an expression and end.
func (p *parser) primary(i, end int) (item, int) {
	outer, closing := i, end
	for i < closing && p.kind(i) == sqltext.TokenLeft && !p.isQuery(i+1) {
		match := p.tokens[i].match
		if outer != i && match != closing-1 {
			return item{}, end
		}
		if outer == i {
			end = match + 1
		}
		i, closing = i+1, match
	}
	it, next := p.operand(i, closing)
	if outer != i && next != closing {
		return item{}, end
	}
	if outer != i {
		next = end
	}
	return it, next
}

// operand reads a column or a subquery that is not in parentheses of its own.
func (p *parser) operand(i, end int) (item, int) {
	switch {
	case i >= end:
	case p.kind(i) == sqltext.TokenLeft:
		q := p.query(i+1, p.tokens[i].match)
		return item{kind: subquery, query: q}, p.skip(i)
	case p.isOperandName(i):
		return p.columnItem(i, end)
	}
	return item{}, end
}

// isOperandName reports whether a column's name, or its table's, begins an expression at i.
func (p *parser) isOperandName(i int) bool {
	return p.isName(i) && !p.is(i, "current_date", "current_time", "current_timestamp", "cast", "raise") ||
		p.is(i, "cross", "full", "inner", "left", "natural", "outer", "right")
}

// columnItem reads a name of up to three parts.
func (p *parser) columnItem(i, end int) (item, int) {
	parts := []string{p.name(i)}
	for i++; i+1 < end && p.kind(i) == sqltext.TokenDot && len(parts) < 3; i += 2 {
		if p.isOp(i+1, "*") && len(parts) == 1 {
			return item{kind: tableStar, table: fold(parts[0])}, i + 2
		}
		if !p.isAnyName(i + 1) {
			return item{}, end
		}
		parts = append(parts, p.name(i+1))
	}
	if p.kind(i) == sqltext.TokenLeft && i < end {
		return item{}, end // a function
	}
	it := item{kind: column, column: parts[len(parts)-1]}
	if len(parts) > 1 {
		it.table = fold(parts[len(parts)-2])
	}
	if len(parts) > 2 {
		it.schema = fold(parts[0])
	}
	return it, i
}
