package sqlschema

import "github.com/skylite-go/skylite/internal/sqltext"

// from reads the sources behind FROM, and returns where they end.
func (p *parser) from(i, end int) ([]source, int) {
	var sources []source
	var how join
	for !p.failed {
		var group []source
		group, i = p.source(i, end)
		if len(group) > 1 && (how.natural || i < end && p.is(i, "using")) {
			p.fail() // the columns of a whole group are merged
			break
		}
		if i < end && p.is(i, "using") && p.kind(i+1) == sqltext.TokenLeft {
			for _, name := range p.names(i + 1) {
				how.using = append(how.using, fold(name))
			}
			i = p.skip(i + 1)
		}
		group[0].join.natural, group[0].join.using = how.natural, how.using
		group[0].join.right = how.right
		last := &group[len(group)-1]
		last.join.left = last.join.left || how.left
		last.group = len(group) - 1
		for j := range group {
			group[j].inner = group[j].inner || len(group) > 1 && len(sources) > 0
		}
		sources = append(sources, group...)
		for i < end && p.is(i, "on") {
			for i++; i < end && !p.endsOn(i); {
				i = p.skip(i)
			}
		}
		var ok bool
		if how, i, ok = p.joinWords(i, end); !ok {
			break
		}
	}
	return sources, i
}

// endsOn reports whether the expression of an ON ends before the token at i.
func (p *parser) endsOn(i int) bool {
	if p.kind(i) == sqltext.TokenComma {
		return true
	}
	if p.is(i, "left", "right", "full", "inner", "cross", "natural", "outer") {
		return p.is(i+1, "join", "outer", "natural", "left", "right", "full", "inner", "cross")
	}
	return p.is(i, "join", "on", "where", "group", "having", "order", "limit", "union", "except", "intersect", "returning")
}

// joinWords reads a comma or JOIN with the words before it.
func (p *parser) joinWords(i, end int) (how join, next int, ok bool) {
	if i < end && p.kind(i) == sqltext.TokenComma {
		return how, i + 1, true
	}
	start := i
	for ; i < end; i++ {
		switch {
		case p.is(i, "natural"):
			how.natural = true
		case p.is(i, "left"):
			how.left = true
		case p.is(i, "right"):
			how.right = true
		case p.is(i, "full"):
			how.left, how.right = true, true
		case p.is(i, "inner", "cross", "outer"):
		case p.is(i, "join"):
			return how, i + 1, true
		default:
			return join{}, start, false
		}
	}
	return join{}, start, false
}

// source reads one element of FROM with its alias. A list of joins in parentheses is
// several sources.
func (p *parser) source(i, end int) ([]source, int) {
	var s source
	var group []source
	switch {
	case i >= end:
		p.fail()
		return []source{{}}, end
	case p.kind(i) == sqltext.TokenLeft && p.isQuery(i+1):
		s.query = p.query(i+1, p.tokens[i].match)
		i = p.skip(i)
	case p.kind(i) == sqltext.TokenLeft:
		p.depth++
		if p.depth > maxDepth {
			p.fail()
			return []source{{}}, end
		}
		group, _ = p.from(i+1, p.tokens[i].match)
		p.depth--
		i = p.skip(i)
	case p.isAnyName(i):
		if p.kind(i+1) == sqltext.TokenDot {
			s.schema = fold(p.name(i))
			i += 2
		}
		if i >= end || !p.isAnyName(i) {
			p.fail()
			return []source{{}}, end
		}
		s.name = fold(p.name(i))
		s.alias = s.name
		if i++; i < end && p.kind(i) == sqltext.TokenLeft {
			s.args = true
			i = p.skip(i)
		}
	default:
		p.fail()
		return []source{{}}, end
	}
	alias, i := p.sourceAlias(i, end)
	if alias != "" {
		s.alias = alias
	}
	if len(group) == 1 && alias == "" {
		return group, i
	}
	if group != nil {
		if alias == "" {
			return group, i
		}
		s.query = &query{terms: []*term{{items: []item{{kind: star}}, from: group}}}
	}
	return []source{s}, i
}

// sourceAlias reads what may follow a source: AS alias, INDEXED BY name, NOT INDEXED.
func (p *parser) sourceAlias(i, end int) (alias string, next int) {
	switch {
	case i+1 < end && p.is(i, "as"):
		alias, i = fold(p.name(i+1)), i+2
	case i < end && p.isAlias(i) && !(p.is(i, "window") && p.is(i+2, "as")):
		alias, i = fold(p.name(i)), i+1
	}
	switch {
	case i < end && p.is(i, "indexed"):
		i += 3
	case i < end && p.is(i, "not") && p.is(i+1, "indexed"):
		i += 2
	}
	return alias, i
}
