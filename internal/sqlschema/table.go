package sqlschema

import (
	"strings"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// parseTable reads a CREATE TABLE or CREATE VIRTUAL TABLE as sqlite_master keeps it.
func parseTable(sql string) *relation {
	t, ok := lex(sql)
	if !ok {
		return nil
	}
	if t.is(1, "virtual") {
		return parseVirtual(&t)
	}
	left := 0
	for left < len(t.tokens) && t.kind(left) != sqltext.TokenLeft {
		left++
	}
	if left == len(t.tokens) || !t.is(0, "create") {
		return nil
	}
	right := t.tokens[left].match
	d := definition{text: &t}
	for i := right + 1; i < len(t.tokens); i++ {
		d.strict = d.strict || t.is(i, "strict")
		d.noRowid = d.noRowid || t.is(i, "without") && t.is(i+1, "rowid")
	}
	for i := left + 1; i < right; {
		end := t.element(i, right)
		d.element(i, end)
		i = end + 1
	}
	return d.relation()
}

// element returns the end of the list's element that begins at i.
func (t *text) element(i, end int) int {
	for i < end && t.kind(i) != sqltext.TokenComma {
		i = t.skip(i)
	}
	return i
}

// definition is a CREATE TABLE while it is read.
type definition struct {
	*text
	columns []Column
	key     []int // the columns of the primary key
	desc    bool  // the key is a single column's own, and descending
	strict  bool
	noRowid bool
	bad     bool
}

// element reads a column or a constraint.
func (d *definition) element(i, end int) {
	if d.is(i, "constraint", "primary", "unique", "check", "foreign") {
		for ; i < end; i = d.skip(i) {
			if d.is(i, "primary") && d.is(i+1, "key") && d.kind(i+2) == sqltext.TokenLeft {
				d.tableKey(i + 2)
			}
		}
		return
	}
	if !d.isAnyName(i) || i >= end {
		d.bad = true
		return
	}
	c := Column{Name: d.name(i), Null: Nullable, Stored: true}
	typeStart := i + 1
	typeEnd := typeStart
	for typeEnd < end && d.isAlias(typeEnd) {
		typeEnd++
	}
	if typeEnd > typeStart && d.kind(typeEnd) == sqltext.TokenLeft {
		typeEnd = d.skip(typeEnd)
	}
	if typeEnd > typeStart {
		c.Type = declared(d.sql[d.tokens[typeStart].Start:d.tokens[typeEnd-1].End])
	}
	for i = typeEnd; i < end; i = d.skip(i) {
		switch {
		case d.is(i, "not") && d.is(i+1, "null"):
			c.Null = NotNull
		case d.is(i, "primary") && d.is(i+1, "key"):
			d.key = append(d.key, len(d.columns))
			d.desc = d.is(i+2, "desc")
		}
	}
	d.columns = append(d.columns, c)
}

// tableKey reads the columns of PRIMARY KEY (…).
func (d *definition) tableKey(left int) {
	right := d.tokens[left].match
	for i := left + 1; i < right; i = d.text.element(i, right) + 1 {
		if !d.isAnyName(i) {
			continue
		}
		for j, c := range d.columns {
			if fold(c.Name) == fold(d.name(i)) {
				d.key = append(d.key, j)
			}
		}
	}
}

func (d *definition) relation() *relation {
	if d.bad || len(d.columns) == 0 {
		return nil
	}
	for _, i := range d.key {
		c := &d.columns[i]
		c.primary = len(d.key) == 1 && !d.noRowid && !d.desc && fold(c.Type) == "integer"
		if d.noRowid || d.strict || c.primary {
			c.Null = NotNull
		}
	}
	return newRelation(d.columns, !d.noRowid)
}

// standardTypes are the types whose names SQLite does not keep as they were written.
var standardTypes = words("any blob int integer real text")

// declared returns a type as sqlite3_column_decltype gives it: as it was written, without
// quotes and without the GENERATED ALWAYS that SQLite reads as part of it.
func declared(written string) string {
	if len(written) >= 16 && strings.EqualFold(written[len(written)-6:], "always") {
		rest := strings.TrimRight(written[:len(written)-6], " \t\n\v\f\r")
		if len(rest) >= 9 && strings.EqualFold(rest[len(rest)-9:], "generated") {
			rest = strings.TrimRight(rest[:len(rest)-9], " \t\n\v\f\r")
		}
		written = rest
	}
	if standardTypes[fold(written)] {
		return strings.ToUpper(written)
	}
	if written != "" && strings.IndexByte("\"'`[", written[0]) >= 0 {
		if first := sqltext.Next(written, 0); first.End > 0 {
			return sqltext.Unquote(first.Text(written))
		}
	}
	return written
}

// parseView reads a CREATE VIEW.
func parseView(sql string) *view {
	t, ok := lex(sql)
	if !ok || !t.is(0, "create") {
		return nil
	}
	for i := 1; i < len(t.tokens); i = t.skip(i) {
		if !t.is(i, "as") || i < 3 {
			continue
		}
		v := &view{}
		if t.kind(i-1) == sqltext.TokenRight {
			v.names = t.names(t.tokens[i-1].match)
		}
		p := parser{text: &t}
		v.query = p.query(i+1, len(t.tokens))
		if p.failed {
			return nil
		}
		return v
	}
	return nil
}

// names reads a list of names in parentheses.
func (t *text) names(left int) []string {
	right := t.tokens[left].match
	var names []string
	for i := left + 1; i < right; i = t.element(i, right) + 1 {
		names = append(names, t.name(i))
	}
	return names
}

// parseVirtual reads the columns of the modules that D1 has.
func parseVirtual(t *text) *relation {
	using := 2
	for using < len(t.tokens) && !t.is(using, "using") {
		using++
	}
	left := using + 2
	if t.kind(left) != sqltext.TokenLeft {
		return nil
	}
	d := definition{text: t}
	switch fold(t.name(using + 1)) {
	case "rtree":
		d.boxes(left, "REAL")
	case "rtree_i32":
		d.boxes(left, "INT")
	case "fts5":
		d.documents(left)
		d.columns = append(d.columns, Column{Name: t.name(using - 1), hidden: true}, Column{Name: "rank", hidden: true})
	default:
		return nil
	}
	for i := range d.columns { // a module gives what it likes
		d.columns[i].Stored, d.columns[i].Null = false, NullUnknown
	}
	return newRelation(d.columns, true)
}

// boxes reads the arguments of an rtree: an id, coordinates, and columns with a plus.
func (d *definition) boxes(left int, coordinate string) {
	right := d.tokens[left].match
	for i := left + 1; i < right; {
		end := d.text.element(i, right)
		switch {
		case d.isOp(i, "+"):
			d.columns = append(d.columns, Column{Name: d.name(i + 1)})
		case len(d.columns) == 0:
			d.columns = append(d.columns, Column{Name: d.name(i), Type: "INT"})
		default:
			d.columns = append(d.columns, Column{Name: d.name(i), Type: coordinate})
		}
		i = end + 1
	}
}

// documents reads the arguments of an fts5 table: columns, which have no types, and options.
func (d *definition) documents(left int) {
	right := d.tokens[left].match
	for i := left + 1; i < right; {
		end := d.text.element(i, right)
		if d.isAnyName(i) && i < end && !d.isOp(i+1, "=") {
			d.columns = append(d.columns, Column{Name: d.name(i)})
		}
		i = end + 1
	}
}
