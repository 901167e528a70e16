package migrate

import (
	"maps"
	"slices"
	"strings"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// schema is as much of a database's schema as tells what a DROP or DELETE does to other
// tables. It follows statements without running them.
type schema struct {
	tables map[string]*table // by name in lower case
}

type table struct {
	name string
	keys []foreignKey
	// reshaped says that columns were renamed or dropped since the counting began.
	reshaped bool
}

// foreignKey is one that deletes rows of its table, or sets columns of it to NULL, when
// a row of the parent goes.
type foreignKey struct {
	column string // its first column
	parent string // in lower case
	action string // CASCADE or SET NULL
}

func newSchema() *schema { return &schema{tables: make(map[string]*table)} }

func (s *schema) clone() *schema {
	c := newSchema()
	for name, t := range s.tables {
		c.tables[name] = &table{name: t.name, keys: slices.Clone(t.keys)}
	}
	return c
}

// fold maps ASCII letters to lower case, as SQLite compares names.
func fold(name string) string {
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, name)
}

// run follows a statement.
func (s *schema) run(sql string) {
	w := newWords(sql)
	switch {
	case w.take("CREATE"):
		s.create(w)
	case w.take("DROP") && w.take("TABLE"):
		if w.take("IF") {
			w.take("EXISTS")
		}
		delete(s.tables, fold(w.qualified()))
	case w.take("ALTER") && w.take("TABLE"):
		s.alter(w)
	}
}

func (s *schema) create(w *words) {
	_ = w.take("TEMP") || w.take("TEMPORARY") || w.take("VIRTUAL")
	if !w.take("TABLE") {
		return
	}
	if w.take("IF") {
		w.take("NOT")
		w.take("EXISTS")
	}
	name := w.qualified()
	if name == "" || s.tables[fold(name)] != nil {
		return
	}
	t := &table{name: name}
	if w.kind() == sqltext.TokenLeft {
		w.next()
		t.definitions(w)
	}
	s.tables[fold(name)] = t
}

// definitions reads the columns and constraints of a table, up to the parenthesis that
// ends them.
func (t *table) definitions(w *words) {
	for !w.done() && w.kind() != sqltext.TokenRight {
		t.definition(w)
		if w.kind() == sqltext.TokenComma {
			w.next()
		}
	}
}

// definition reads one of them, up to the comma or parenthesis behind it.
func (t *table) definition(w *words) {
	column := w.name()
	if fold(column) == "constraint" {
		w.name()
	}
	for depth := 0; !w.done(); {
		switch kind := w.kind(); {
		case depth == 0 && (kind == sqltext.TokenRight || kind == sqltext.TokenComma):
			return
		case kind == sqltext.TokenLeft:
			depth++
			if w.before == "KEY" { // of FOREIGN KEY; those of PRIMARY KEY do not matter
				w.next()
				column = w.name()
				continue
			}
		case kind == sqltext.TokenRight:
			depth--
		case depth > 0:
		case w.take("REFERENCES"):
			t.keys = append(t.keys, foreignKey{column: column, parent: fold(w.name())})
			continue
		case w.is("DELETE") && w.before == "ON" && len(t.keys) > 0:
			w.next()
			t.keys[len(t.keys)-1].action = w.action()
			continue
		}
		w.next()
	}
}

func (s *schema) alter(w *words) {
	name := fold(w.qualified())
	t := s.tables[name]
	if t == nil {
		return
	}
	switch {
	case w.take("RENAME"):
		if !w.take("TO") {
			t.reshaped = true
			return
		}
		t.name = w.name()
		delete(s.tables, name)
		s.tables[fold(t.name)] = t
		for _, other := range s.tables { // SQLite changes the references too
			for i := range other.keys {
				if other.keys[i].parent == name {
					other.keys[i].parent = fold(t.name)
				}
			}
		}
	case w.take("ADD"):
		w.take("COLUMN")
		t.definition(w)
	default:
		t.reshaped = true
	}
}

// child is a foreign key and its table.
type child struct {
	table *table
	key   foreignKey
}

// children returns what loses rows or values when rows of a parent go, and what loses
// some because those did.
func (s *schema) children(parent string) []child {
	var all []child
	seen := map[string]bool{fold(parent): true}
	for queue := []string{fold(parent)}; len(queue) > 0; queue = queue[1:] {
		for _, name := range slices.Sorted(maps.Keys(s.tables)) {
			t := s.tables[name]
			for _, key := range t.keys {
				if key.parent != queue[0] || key.action == "" || seen[name] {
					continue
				}
				all = append(all, child{t, key})
				if key.action == "CASCADE" {
					seen[name] = true
					queue = append(queue, name)
				}
			}
		}
	}
	return all
}

// words walks over the tokens that SQLite's grammar sees.
type words struct {
	sql    string
	tok    sqltext.Token
	before string // the word before, in upper case
}

func newWords(sql string) *words {
	w := &words{sql: sql}
	w.next()
	return w
}

func (w *words) next() {
	w.before = strings.ToUpper(w.text())
	for {
		w.tok = sqltext.Next(w.sql, w.tok.End)
		trivia := w.tok.Kind == sqltext.TokenSpace || w.tok.Kind == sqltext.TokenComment
		if !trivia || w.tok.End == w.tok.Start {
			return
		}
	}
}

func (w *words) done() bool              { return w.tok.Start >= len(w.sql) }
func (w *words) kind() sqltext.TokenKind { return w.tok.Kind }
func (w *words) text() string            { return w.tok.Text(w.sql) }

func (w *words) is(word string) bool {
	return w.tok.Kind == sqltext.TokenWord && strings.EqualFold(w.text(), word)
}

func (w *words) take(word string) bool {
	if !w.is(word) {
		return false
	}
	w.next()
	return true
}

// name takes a name, without its quotes.
func (w *words) name() string {
	switch w.kind() {
	case sqltext.TokenWord, sqltext.TokenQuoted, sqltext.TokenString:
		name := sqltext.Unquote(w.text())
		w.next()
		return name
	}
	return ""
}

// qualified takes a name that may have a schema's before it.
func (w *words) qualified() string {
	name := w.name()
	if w.kind() == sqltext.TokenDot {
		w.next()
		name = w.name()
	}
	return name
}

// action takes what follows ON DELETE, if it is one of the two that lose something.
func (w *words) action() string {
	switch {
	case w.take("CASCADE"):
		return "CASCADE"
	case w.take("SET") && w.take("NULL"):
		return "SET NULL"
	}
	return ""
}
