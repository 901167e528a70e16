package embedded

import (
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// schema is what of a database is to be exported.
type schema struct {
	tables       []*table // in the order they were made in
	indexes      []string
	triggers     []string
	views        []string
	viewTriggers []string
}

// table is a table to export.
type table struct {
	name, sql     string
	columns       []string // without those that are generated
	orderBy       []string // the key of a table WITHOUT ROWID
	parents       []string // tables, folded, that must be there before rows are
	early         []string // the indexes that foreign keys need
	autoincrement bool
	rebuild       bool // an FTS5 table, whose index is made from another table
	virtual       *virtualTable
}

func (t *table) isStatistics() bool { return t.name == "sqlite_stat1" }

// readSchema finds out what to export.
func (e *exporter) readSchema() error {
	kinds := map[string]string{}
	err := e.each("SELECT name, type FROM pragma_table_list WHERE schema = 'main'", func(s *sqlite3.Stmt) error {
		kinds[fold(s.ColumnText(0))] = s.ColumnText(1)
		return nil
	})
	if err != nil {
		return err
	}
	markShadows(kinds)
	wanted, err := e.wanted(kinds)
	if err != nil {
		return err
	}
	err = e.each("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY rowid", func(s *sqlite3.Stmt) error {
		return e.object(kinds, wanted, s.ColumnText(0), s.ColumnText(1), s.ColumnText(2), s.ColumnText(3))
	})
	if err != nil {
		return err
	}
	for _, t := range e.schema.tables {
		if err := e.readTable(t); err != nil {
			return err
		}
	}
	return nil
}

// markShadows finds the tables of rtree, which this engine does not say to be a part of it.
func markShadows(kinds map[string]string) {
	for name, kind := range kinds {
		for _, part := range []string{"_node", "_rowid", "_parent"} {
			if kind == "virtual" && kinds[name+part] == "table" {
				kinds[name+part] = "shadow"
			}
		}
	}
}

// wanted checks the names that the caller gave, and returns them folded. None means all.
func (e *exporter) wanted(kinds map[string]string) (map[string]bool, error) {
	wanted := map[string]bool{}
	for _, name := range e.opts.Tables {
		switch kind := kinds[fold(name)]; {
		case kind == "" || strings.HasPrefix(fold(name), "sqlite_") || !allowedName(name):
			return nil, d1.NewError("no such table: " + name)
		case kind == "shadow":
			return nil, d1.NewError("the table " + name + " is a part of a virtual table; export that one")
		}
		wanted[fold(name)] = true
	}
	return wanted, nil
}

// object adds an object of the schema, if it is wanted.
func (e *exporter) object(kinds map[string]string, wanted map[string]bool, kind, name, of, sql string) error {
	all := len(wanted) == 0
	switch {
	case !allowedName(of), kind == "table" && kinds[fold(name)] == "shadow", !all && !wanted[fold(of)]:
		return nil
	case strings.HasPrefix(fold(name), "sqlite_") && !(all && name == "sqlite_stat1"):
		return nil
	}
	sc := &e.schema
	switch kind {
	case "table":
		t := &table{name: name, sql: sql, autoincrement: hasWord(sql, "AUTOINCREMENT")}
		if kinds[fold(name)] == "virtual" {
			v := parseVirtual(sql)
			t.virtual = &v
		}
		sc.tables = append(sc.tables, t)
	case "index":
		sc.indexes = append(sc.indexes, sql)
	case "view":
		sc.views = append(sc.views, sql)
	case "trigger":
		if kinds[fold(of)] == "view" {
			sc.viewTriggers = append(sc.viewTriggers, sql)
		} else {
			sc.triggers = append(sc.triggers, sql)
		}
	}
	return nil
}

// hasWord reports whether a text has a keyword in it, which is in upper case.
func hasWord(sql, word string) bool {
	for t := range sqltext.Tokens(sql) {
		if t.Kind == sqltext.TokenWord && strings.EqualFold(t.Text(sql), word) {
			return true
		}
	}
	return false
}

// readTable reads a table's columns.
func (e *exporter) readTable(t *table) error {
	withoutRowID := false
	err := e.each("SELECT wr FROM pragma_table_list("+sqltext.QuoteString(t.name)+") WHERE schema = 'main'", func(s *sqlite3.Stmt) error {
		withoutRowID = s.ColumnBool(0)
		return nil
	})
	if err != nil {
		return err
	}
	key := map[int]string{}
	err = e.each("SELECT name, hidden, pk FROM pragma_table_xinfo("+sqltext.QuoteString(t.name)+")", func(s *sqlite3.Stmt) error {
		if s.ColumnInt(1) == 0 {
			t.columns = append(t.columns, s.ColumnText(0))
		}
		if n := s.ColumnInt(2); n > 0 && withoutRowID {
			key[n] = s.ColumnText(0)
		}
		return nil
	})
	for i := range len(key) {
		t.orderBy = append(t.orderBy, key[i+1])
	}
	return err
}

// foreignKeys finds out what the foreign keys need of an import: the tables that they
// refer to, and the indexes of those, before any rows. If that cannot be had, rows whose
// keys are all NULL, say, they are turned off.
func (e *exporter) foreignKeys() error {
	if e.opts.NoData || e.opts.NoSchema {
		return nil
	}
	hopeless := false
	for _, t := range e.schema.tables {
		if t.virtual != nil {
			continue
		}
		keys, err := e.foreignKeysOf(t)
		if err != nil {
			return err
		}
		for _, key := range keys {
			ok, err := e.resolve(t, key)
			if err != nil {
				return err
			}
			hopeless = hopeless || !ok
		}
	}
	if hopeless {
		e.statement("PRAGMA foreign_keys=OFF")
	}
	return nil
}

// foreignKey is a key that refers to columns of a table; no columns mean its primary key.
type foreignKey struct {
	parent  string
	columns []string
}

func (e *exporter) foreignKeysOf(t *table) (keys []foreignKey, err error) {
	last := -1
	err = e.each(`SELECT id, "table", "to" FROM pragma_foreign_key_list(`+sqltext.QuoteString(t.name)+") ORDER BY id, seq", func(s *sqlite3.Stmt) error {
		if id := s.ColumnInt(0); id != last {
			keys = append(keys, foreignKey{parent: s.ColumnText(1)})
			last = id
		}
		if column := s.ColumnText(2); column != "" {
			key := &keys[len(keys)-1]
			key.columns = append(key.columns, fold(column))
		}
		return nil
	})
	return keys, err
}

// resolve finds what a foreign key refers to. It returns false if there is no such thing.
func (e *exporter) resolve(child *table, key foreignKey) (ok bool, err error) {
	at := slices.IndexFunc(e.schema.tables, func(t *table) bool { return fold(t.name) == fold(key.parent) })
	if at < 0 {
		// One that is not exported may well be where the script is imported.
		return len(e.opts.Tables) > 0 || e.empty(child), nil
	}
	parent := e.schema.tables[at]
	if parent != child {
		child.parents = append(child.parents, fold(parent.name))
	}
	if len(key.columns) == 0 {
		return true, nil
	}
	slices.Sort(key.columns)
	name := sqltext.QuoteString(parent.name)
	var primary []string
	if err := e.each("SELECT name FROM pragma_table_xinfo("+name+") WHERE pk > 0", func(s *sqlite3.Stmt) error {
		primary = append(primary, fold(s.ColumnText(0)))
		return nil
	}); err != nil {
		return false, err
	}
	if slices.Sort(primary); slices.Equal(primary, key.columns) {
		return true, nil
	}
	index, found, err := e.uniqueIndex(name, key.columns)
	if err != nil || !found {
		return err == nil && e.empty(child), err
	}
	if index != "" && !slices.Contains(parent.early, index) {
		parent.early = append(parent.early, index)
		e.schema.indexes = slices.DeleteFunc(e.schema.indexes, func(sql string) bool { return sql == index })
	}
	return true, nil
}

// uniqueIndex returns the SQL of an index over some columns, which is "" if it is a
// part of its table.
func (e *exporter) uniqueIndex(table string, columns []string) (sql string, found bool, err error) {
	err = e.each(`SELECT m.sql, (SELECT group_concat(i.name, char(0)) FROM pragma_index_info(l.name) AS i) FROM pragma_index_list(`+
		table+`) AS l LEFT JOIN sqlite_schema AS m ON m.type = 'index' AND m.name = l.name
		WHERE l."unique" AND NOT l.partial ORDER BY m.sql NOT NULL`, func(s *sqlite3.Stmt) error {
		of := strings.Split(fold(s.ColumnText(1)), "\x00")
		if slices.Sort(of); !found && slices.Equal(of, columns) {
			sql, found = s.ColumnText(0), true
		}
		return nil
	})
	return sql, found, err
}

// empty reports whether a table has no rows.
func (e *exporter) empty(t *table) bool {
	empty := true
	err := e.each("SELECT 1 FROM "+sqltext.QuoteIdent(t.name)+" LIMIT 1", func(*sqlite3.Stmt) error {
		empty = false
		return nil
	})
	return empty && err == nil
}
