package sqlschema

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
