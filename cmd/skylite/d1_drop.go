package main

import (
	"slices"
	"strings"

	"github.com/skylite-go/skylite/internal/dbdiff"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// dropAll is a script that empties a database: triggers first, lest they fire, and tables
// before those that they refer to, since to drop a table is to delete its rows.
func dropAll(d *dbdiff.Database) string {
	var b strings.Builder
	b.WriteString("PRAGMA defer_foreign_keys=TRUE;\n")
	drop := func(o dbdiff.Object) {
		b.WriteString("DROP " + strings.ToUpper(o.Type) + " " + sqltext.QuoteIdent(o.Name) + ";\n")
	}
	var tables []dbdiff.Object
	for _, kind := range []string{"trigger", "view"} {
		for _, o := range d.Objects {
			if o.Type == kind {
				drop(o)
			}
		}
	}
	for _, o := range d.Objects {
		if o.Type == "table" {
			tables = append(tables, o)
		}
	}
	for len(tables) > 0 {
		// In a circle of tables any is the first.
		i := max(0, slices.IndexFunc(tables, func(o dbdiff.Object) bool { return !referred(o.Name, tables) }))
		drop(tables[i])
		tables = slices.Delete(tables, i, i+1)
	}
	return b.String()
}

// referred reports whether a table other than itself has a foreign key to a table.
func referred(name string, tables []dbdiff.Object) bool {
	return slices.ContainsFunc(tables, func(o dbdiff.Object) bool {
		return !strings.EqualFold(o.Name, name) && slices.ContainsFunc(parents(o.SQL), func(parent string) bool { return strings.EqualFold(parent, name) })
	})
}

// parents are the tables that a table refers to.
func parents(sql string) (names []string) {
	follows := false
	for t := range sqltext.Tokens(sql) {
		switch t.Kind {
		case sqltext.TokenSpace, sqltext.TokenComment:
			continue
		}
		if follows {
			names = append(names, sqltext.Unquote(t.Text(sql)))
		}
		follows = t.Kind == sqltext.TokenWord && strings.EqualFold(t.Text(sql), "REFERENCES")
	}
	return names
}
