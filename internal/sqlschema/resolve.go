package sqlschema

// Resolve returns the columns of a statement's answer, and whether it is sure of their
// number. Without that it returns nothing.
func (s *Schema) Resolve(st *Statement) (columns []Column, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := resolver{schema: s}
	if st.query != nil {
		columns, ok = r.query(st.query, nil, nil, true)
	} else {
		sc := &scope{sources: []joined{{source: st.target, rel: r.target(st.target)}}}
		columns, ok = r.items(st.items, sc, nil)
	}
	if !ok || r.spent > maxSteps {
		return nil, false
	}
	return columns, true
}

// maxSteps bounds the work for one statement: views and common tables may use each
// other again and again.
const maxSteps = 1 << 20

type resolver struct {
	schema *Schema
	spent  int
	depth  int
}

// scope is the sources that names may mean, and the scope around it.
type scope struct {
	sources []joined
	outer   *scope
}

// joined is a source with its columns.
type joined struct {
	source
	rel      *relation
	nullable bool     // by an outer join
	using    []string // the columns it shares with the sources before it; folded
}

// env is the common tables in reach.
type env struct {
	tables []*common
	outer  *env
}

// common is a common table and its columns, which are found out when they are asked for.
type common struct {
	*cte
	outer   *scope
	env     *env
	columns *relation
	first   *relation // the columns of the first term, while the others are resolved
	busy    bool
}

func (e *env) find(name string) *common {
	for ; e != nil; e = e.outer {
		for _, c := range e.tables {
			if c.name == name {
				return c
			}
		}
	}
	return nil
}

// query returns the columns of a query. SQLite takes the types of an answer from the first
// term, those of a subquery from the last.
func (r *resolver) query(q *query, outer *scope, e *env, top bool) (columns []Column, ok bool) {
	return r.terms(q, outer, r.with(q, outer, e), top, nil)
}

// with adds a query's common tables to those in reach.
func (r *resolver) with(q *query, outer *scope, e *env) *env {
	if len(q.ctes) == 0 {
		return e
	}
	inner := &env{outer: e}
	for _, c := range q.ctes {
		inner.tables = append(inner.tables, &common{cte: c, outer: outer, env: inner})
	}
	return inner
}

// terms returns the columns of a query whose common tables are in reach. first is told
// the columns of its first term as soon as they are known.
func (r *resolver) terms(q *query, outer *scope, e *env, top bool, first func([]Column)) (columns []Column, ok bool) {
	r.depth++
	defer func() { r.depth-- }()
	if r.depth > maxDepth || r.spent > maxSteps || len(q.terms) == 0 {
		return nil, false
	}
	for i, t := range q.terms {
		r.spent++
		next, ok := r.term(t, outer, e)
		if !ok || i > 0 && len(next) != len(columns) {
			return nil, false
		}
		if i == 0 {
			columns = next
			if first != nil {
				first(next)
			}
			continue
		}
		columns = union(columns, next, top)
	}
	return columns, true
}

// union is the columns of a compound: the names of the first term, and the types of the
// first or the last.
func union(columns, next []Column, top bool) []Column {
	both := make([]Column, len(columns))
	for i, c := range columns {
		both[i] = Column{Name: c.Name, Type: next[i].Type}
		if top {
			both[i].Type = c.Type
		}
		switch {
		case c.Null == NotNull && next[i].Null == NotNull:
			both[i].Null = NotNull
		case c.Null == Nullable || next[i].Null == Nullable:
			both[i].Null = Nullable
		}
	}
	return both
}

func (r *resolver) term(t *term, outer *scope, e *env) (columns []Column, ok bool) {
	return r.items(t.items, &scope{sources: r.from(t.from, outer, e), outer: outer}, e)
}

// from finds the columns of the sources.
func (r *resolver) from(sources []source, outer *scope, e *env) []joined {
	all := make([]joined, 0, len(sources))
	for i, s := range sources {
		j := joined{source: s, rel: r.source(s, outer, e), using: s.join.using}
		if s.join.natural {
			j.using = r.shared(all, j.rel)
		}
		all = append(all, j)
		if s.join.left {
			for k := i - s.group; k <= i; k++ {
				all[k].nullable = true
			}
		}
		if s.join.right {
			for k := range i {
				all[k].nullable = true
			}
		}
	}
	return all
}

// shared returns the names that a source has in common with those before it, or nothing if
// that is not known; then the source and those before it are unknown.
func (r *resolver) shared(before []joined, rel *relation) []string {
	var names []string
	for _, c := range rel.columns {
		name := fold(c.Name)
		if c.hidden {
			continue
		}
		for _, b := range before {
			r.spent++
			if _, ok := b.rel.find(name); ok {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

func (r *resolver) source(s source, outer *scope, e *env) *relation {
	r.spent++
	switch {
	case s.query != nil:
		columns, ok := r.query(s.query, outer, e, false)
		return derived(columns, ok, nil)
	case s.args:
		return r.function(s)
	case s.schema == "":
		if c := e.find(s.name); c != nil {
			return r.common(c)
		}
		fallthrough
	case s.schema == "main":
		return r.table(s.name)
	}
	return unknown
}

// derived is the relation of a query's columns, under other names if there are any.
func derived(columns []Column, ok bool, names []string) *relation {
	if !ok || names != nil && len(names) != len(columns) {
		return unknown
	}
	renamed := make([]Column, len(columns))
	seen := make(map[string]bool, len(columns))
	for i, c := range columns {
		if c.odd {
			return unknown
		}
		if c.inner != "" {
			c.Name = c.inner
		}
		c.primary, c.hidden, c.inner = false, false, ""
		if names != nil {
			c.Name = names[i]
		}
		if name := fold(c.Name); seen[name] {
			c.Name = "" // SQLite makes up another
		} else {
			seen[name] = true
		}
		renamed[i] = c
	}
	return newRelation(renamed, false)
}

// functionColumns are the columns of table-valued functions. They have no types.
var functionColumns = func() *relation {
	var columns []Column
	for _, name := range []string{"key", "value", "type", "atom", "id", "parent", "fullkey", "path"} {
		columns = append(columns, Column{Name: name})
	}
	return newRelation(append(columns, Column{Name: "json", hidden: true}, Column{Name: "root", hidden: true}), false)
}()

func (r *resolver) function(s source) *relation {
	if s.name == "json_each" || s.name == "json_tree" {
		return functionColumns
	}
	return unknown
}

// common returns the columns of a common table. In its own query those are the columns of
// its first term.
func (r *resolver) common(c *common) *relation {
	switch {
	case c.columns != nil:
		return c.columns
	case c.busy && c.first != nil:
		return c.first
	case c.busy:
		return unknown
	}
	c.busy = true
	columns, ok := r.terms(c.query, c.outer, r.with(c.query, c.outer, c.env), false, func(first []Column) {
		c.first = derived(unstored(first), true, c.names)
	})
	c.busy = false
	c.columns = derived(columns, ok, c.names)
	return c.columns
}

func unstored(columns []Column) []Column {
	all := make([]Column, len(columns))
	for i, c := range columns {
		c.Stored, c.Null = false, NullUnknown
		all[i] = c
	}
	return all
}

// table returns the columns of a table or a view.
func (r *resolver) table(name string) *relation {
	name = fold(name)
	if rel, ok := r.schema.tables[name]; ok {
		return rel
	}
	v, ok := r.schema.views[name]
	if !ok || v.busy || r.depth > maxDepth {
		return unknown
	}
	if v.columns == nil {
		v.busy = true
		columns, ok := r.query(v.query, nil, nil, false)
		v.busy = false
		rel := derived(columns, ok, v.names)
		if r.spent > maxSteps || r.depth > maxDepth/2 {
			return rel // which another statement may find out better
		}
		v.columns = rel
	}
	return v.columns
}

// target returns the columns of a table that is written to. What is written to a view
// need not be what is read from it.
func (r *resolver) target(s source) *relation {
	if s.schema == "" || s.schema == "main" {
		if rel, ok := r.schema.tables[s.name]; ok {
			return rel
		}
	}
	return unknown
}
