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

// items returns the columns of a result list.
func (r *resolver) items(items []item, sc *scope, e *env) (columns []Column, ok bool) {
	for _, it := range items {
		r.spent++
		switch it.kind {
		case star:
			columns, ok = r.star(columns, sc, "")
		case tableStar:
			columns, ok = r.star(columns, sc, it.table)
		default:
			columns, ok = append(columns, r.item(it, sc, e)), true
		}
		if !ok || len(columns) > maxColumns {
			return nil, false
		}
	}
	return columns, true
}

// item returns the column of a result list's element that is no star.
func (r *resolver) item(it item, sc *scope, e *env) Column {
	c := Column{Name: it.span, inner: it.column}
	switch it.kind {
	case column:
		c = r.column(it, sc)
		switch {
		case isRowid(fold(it.column)):
			c.Name = "" // which is the key's, or not
		case c.Name == "" && it.span == it.column:
			c.Name = it.column
		}
		c.inner = it.column
	case subquery:
		c = r.scalar(it.query, sc, e)
		c.Name = it.span
	}
	if it.alias != "" {
		c.Name, c.inner = it.alias, ""
	}
	c.primary, c.hidden, c.odd = false, false, it.odd
	return c
}

// scalar returns the column of a subquery in an expression.
func (r *resolver) scalar(q *query, sc *scope, e *env) Column {
	columns, ok := r.query(q, sc, e, false)
	if !ok || len(columns) == 0 {
		return Column{}
	}
	c := columns[0]
	return Column{Type: c.Type, Null: Nullable, Stored: c.Stored}
}

// star appends the columns of all sources, those that a join has merged only once; or all
// columns of one source, if it names a table.
func (r *resolver) star(columns []Column, sc *scope, table string) ([]Column, bool) {
	found := false
	for i, j := range sc.sources {
		if table != "" && j.alias != table {
			continue
		}
		if j.rel.open || table == "" && j.join.natural && mayShareMore(sc.sources[:i]) {
			return nil, false
		}
		for _, c := range j.rel.columns {
			name := fold(c.Name)
			if c.hidden || table == "" && contains(j.using, name) {
				continue
			}
			r.spent++
			if c.Name != "" && mergedByRight(sc.sources[i+1:], name) {
				name := c.Name
				c = r.unqualified(fold(name), sc)
				c.Name = name
			} else {
				c = j.outerJoined(c)
			}
			if j.inner {
				c.Name = "" // SQLite may number it
			}
			columns = append(columns, c)
		}
		found = true
	}
	return columns, found || table == ""
}

// mayShareMore reports whether the sources before a NATURAL JOIN may have columns that are
// not known.
func mayShareMore(before []joined) bool {
	for _, b := range before {
		if b.rel.open || b.rel.unnamed {
			return true
		}
	}
	return false
}

// mergedByRight reports whether a RIGHT or FULL JOIN, or one before such a join, merges the
// columns of a name. Then SQLite looks the name up anew, and it may be another's.
func mergedByRight(after []joined, name string) bool {
	merged, right := false, false
	for _, j := range after {
		merged = merged || contains(j.using, name)
		right = right || j.join.right
	}
	return merged && right
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func (j *joined) outerJoined(c Column) Column {
	if j.nullable {
		c.Null = Nullable
	}
	return c
}

// column returns what a name stands for.
func (r *resolver) column(it item, sc *scope) Column {
	name := fold(it.column)
	if it.table == "" {
		return r.unqualified(name, sc)
	}
	if it.schema != "" && it.schema != "main" {
		return Column{}
	}
	for ; sc != nil; sc = sc.outer {
		var source *joined
		for i := range sc.sources {
			r.spent++
			j := &sc.sources[i]
			if j.alias != it.table || it.schema != "" && j.query != nil {
				continue
			}
			if source != nil { // which a join may have merged
				return Column{}
			}
			source = j
		}
		if source == nil {
			continue
		}
		if c, ok := source.rel.find(name); ok {
			return source.outerJoined(c)
		}
		if source.rel.rowid && isRowid(name) {
			return source.outerJoined(source.rel.rowidColumn())
		}
		return Column{}
	}
	return Column{}
}

// unqualified returns the column that a name without a table stands for: in the innermost
// scope that has one. Where scopes have columns that are not known, it may be one of those.
func (r *resolver) unqualified(name string, sc *scope) Column {
	for ; sc != nil; sc = sc.outer {
		c, found, unsure := r.inScope(name, sc)
		if found || unsure {
			return c
		}
		if len(sc.sources) == 1 && sc.sources[0].rel.rowid && isRowid(name) {
			return sc.sources[0].outerJoined(sc.sources[0].rel.rowidColumn())
		}
	}
	return Column{}
}

// inScope looks for a name among the sources of one scope. Several can only have it where
// a join has merged them; or else SQLite would have refused the statement.
func (r *resolver) inScope(name string, sc *scope) (found Column, ok, unsure bool) {
	for _, j := range sc.sources {
		r.spent++
		unsure = unsure || j.rel.open || j.rel.unnamed
		c, has := j.rel.find(name)
		switch {
		case !has:
			continue
		case !ok:
			found, ok = j.outerJoined(c), true
		case !contains(j.using, name):
			return Column{}, true, false
		case j.join.left && j.join.right: // the first of both that is not NULL
			found = Column{}
		case j.join.right:
			found = j.outerJoined(c)
		}
		if unsure && (len(j.using) > 0 || j.join.natural) {
			return Column{}, true, false // it may be merged with what is not known
		}
	}
	return found, ok, unsure && !ok
}
