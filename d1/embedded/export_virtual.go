package embedded

import (
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// virtualTable is what the statement that made a virtual table says of it.
type virtualTable struct {
	module  string  // in lower case
	content *string // where an FTS5 table has its texts: elsewhere, or "" for nowhere
	locale  bool
}

// parseVirtual reads CREATE VIRTUAL TABLE … USING module(arguments).
func parseVirtual(sql string) virtualTable {
	var v virtualTable
	var argument strings.Builder
	depth, using := 0, false
	for t := range sqltext.Tokens(sql) {
		text := t.Text(sql)
		switch {
		case depth == 0 && v.module == "" && using && (t.Kind == sqltext.TokenWord || t.Kind == sqltext.TokenQuoted):
			v.module = strings.ToLower(sqltext.Unquote(text))
		case depth == 0 && t.Kind == sqltext.TokenWord && strings.EqualFold(text, "USING"):
			using = true
		case t.Kind == sqltext.TokenLeft && depth == 0:
			depth++
			continue
		case t.Kind == sqltext.TokenLeft:
			depth++
		case t.Kind == sqltext.TokenRight:
			depth--
		}
		switch {
		case v.module == "" || depth == 0 && t.Kind != sqltext.TokenRight || t.Kind == sqltext.TokenComment:
		case depth == 0, depth == 1 && t.Kind == sqltext.TokenComma:
			v.option(argument.String())
			argument.Reset()
		default:
			argument.WriteString(text)
		}
	}
	return v
}

// option reads one argument. FTS5 takes abbreviations of its options' names.
func (v *virtualTable) option(argument string) {
	key, value, ok := strings.Cut(argument, "=")
	key = strings.ToLower(strings.TrimSpace(key))
	if !ok || key == "" || v.module != "fts5" {
		return
	}
	value = sqltext.Unquote(strings.TrimSpace(value))
	switch {
	case strings.HasPrefix("content", key):
		v.content = &value
	case strings.HasPrefix("locale", key):
		v.locale = value != "0"
	}
}

// virtualTable writes the rows of a virtual table, which is made already.
func (e *exporter) virtualTable(t *table) error {
	switch t.virtual.module {
	case "fts5":
		if err := e.settings(t); err != nil || e.opts.NoData {
			return err
		}
		return e.fullText(t)
	case "rtree", "rtree_i32":
		if e.opts.NoData {
			return nil
		}
		// In the order of the ids; its own is that of its nodes.
		name, key := sqltext.QuoteIdent(t.name), sqltext.QuoteIdent(t.columns[0])
		return e.query(t, "SELECT "+quoteAll(t.columns)+" FROM "+sqltext.QuoteIdent(t.name+"_rowid")+
			" AS skylite_ids CROSS JOIN "+name+" ON "+name+"."+key+" = skylite_ids.rowid ORDER BY skylite_ids.rowid")
	case "fts5vocab":
		return nil // it shows another table
	}
	return d1.NewError("the virtual table is one of the module " + t.virtual.module +
		", which D1 does not have; name the other tables to export them without it")
}

// settings writes what an FTS5 table was told after it was made.
func (e *exporter) settings(t *table) error {
	if e.opts.NoSchema {
		return nil
	}
	settings := &table{name: t.name, columns: []string{t.name, "rank"}}
	return e.query(settings, "SELECT k, v FROM "+shadow(t, "config")+" WHERE k <> 'version' ORDER BY k")
}

func shadow(t *table, part string) string { return sqltext.QuoteIdent(t.name + "_" + part) }

// fullText writes the rows of an FTS5 table that has its texts itself, and says of one
// that has them elsewhere that its index is to be made again.
func (e *exporter) fullText(t *table) error {
	indexed, err := e.indexed(t)
	switch content := t.virtual.content; {
	case err != nil:
		return err
	case content == nil:
	case *content == "" && indexed:
		return d1.NewError("it is an FTS5 table without content: what it has indexed is not in the database; " +
			"name the other tables to export them without it, and fill it again from where its texts are")
	case *content == "" || !indexed:
		return nil
	default:
		t.rebuild = true
		return e.checkContent(*content)
	}
	if err := e.checkLocale(t); err != nil {
		return err
	}
	rows := &table{name: t.name, columns: append([]string{"rowid"}, t.columns...)}
	return e.query(rows, "SELECT rowid, "+quoteAll(t.columns)+" FROM "+sqltext.QuoteIdent(t.name)+" ORDER BY rowid")
}

// indexed reports whether an FTS5 table has anything in its index.
func (e *exporter) indexed(t *table) (indexed bool, err error) {
	part := "docsize"
	if !e.exists(t.name + "_docsize") {
		part = "idx"
	}
	err = e.each("SELECT 1 FROM "+shadow(t, part)+" LIMIT 1", func(*sqlite3.Stmt) error {
		indexed = true
		return nil
	})
	return indexed, err
}

// exists reports whether there is a table or a view of a name.
func (e *exporter) exists(name string) (exists bool) {
	_ = e.each("SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND lower(name) = lower("+
		sqltext.QuoteString(name)+")", func(*sqlite3.Stmt) error {
		exists = true
		return nil
	})
	return exists
}

// checkContent sees to it that the index of an FTS5 table can be made again.
func (e *exporter) checkContent(content string) error {
	exported := len(e.opts.Tables) == 0
	for _, name := range e.opts.Tables {
		exported = exported || fold(name) == fold(content)
	}
	switch {
	case !e.exists(content):
		return d1.NewError("it is an FTS5 table over " + content + ", which does not exist, so that its index cannot be made again; " +
			"name the other tables to export them without it")
	case !exported:
		return d1.NewError("it is an FTS5 table over " + content + "; name that one too")
	}
	return nil
}

// checkLocale refuses texts that have a locale: only a function that D1 does not have
// could write them.
func (e *exporter) checkLocale(t *table) error {
	if !t.virtual.locale {
		return nil
	}
	located := false
	for i := range t.columns {
		column := "l" + strconv.Itoa(i)
		_ = e.each("SELECT 1 FROM "+shadow(t, "content")+" WHERE "+column+" NOT NULL LIMIT 1", func(*sqlite3.Stmt) error {
			located = true
			return nil
		})
	}
	if located {
		return d1.NewError("it is an FTS5 table whose texts have locales, which no statement of D1 can write")
	}
	return nil
}
