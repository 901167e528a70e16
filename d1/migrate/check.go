package migrate

import (
	"fmt"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// Problem is something wrong with a migration, found without running it.
type Problem struct {
	Record
	// Statement is the statement's place in the migration, from 0, or -1.
	Statement int
	// Offset is where in the migration's text it is, in bytes, or -1.
	Offset int
	// Line is the line of Offset, from 1, or 0.
	Line int
	// Text says what is wrong and what to do.
	Text string
}

// Error returns the problem as one line.
func (p Problem) Error() string {
	if p.Offset < 0 {
		return fmt.Sprintf("migration %s: %s", p.Record, p.Text)
	}
	return fmt.Sprintf("migration %s, statement %d, line %d (offset %d): %s", p.Record, p.Statement+1, p.Line, p.Offset, p.Text)
}

func (u *unit) problem(text string) Problem {
	return Problem{Record: u.record(), Statement: -1, Offset: -1, Text: text}
}

// check finds what D1 is known to refuse.
func (u *unit) check() []Problem {
	if len(u.up) == 0 {
		return []Problem{u.problem(errEmpty.Error())}
	}
	return u.refused(u.up, u.text, "")
}

// checkDown finds what D1 is known to refuse in the way back.
func (u *unit) checkDown() []Problem {
	if !u.hasDown {
		return []Problem{u.problem("it has no down migration")}
	}
	return u.refused(u.down, u.downText, "in its down migration: ")
}

func (u *unit) refused(statements []statement, text, where string) (all []Problem) {
	for i, st := range statements {
		if why, at := st.refused(); why != "" {
			offset := st.Start + at
			all = append(all, Problem{u.record(), i, offset, lineAt(text, offset), where + why})
		}
	}
	return all
}

func lineAt(text string, offset int) int {
	return 1 + strings.Count(text[:min(offset, len(text))], "\n")
}

// refused says why D1 would refuse a statement, and where in its Text; "" if it is not
// known to.
func (st *statement) refused() (why string, at int) {
	switch f := st.Fault; {
	case f.Kind == sqltext.OpenComment, f.Refused():
		return "SQLite cannot read this: " + f.Kind.String(), f.Start
	case len(st.Text) > d1.MaxStatementBytes:
		return fmt.Sprintf("the statement has %d bytes; D1's limit is %d", len(st.Text), d1.MaxStatementBytes), st.VerbStart
	case len(st.Params) > 0:
		return "a migration has no arguments, so it can have no parameters", st.Params[0].Start
	}
	return refusedVerb(st), st.VerbStart
}

func refusedVerb(st *statement) string {
	w := newWords(st.Text[st.VerbStart:])
	switch st.Kind {
	case sqltext.Transaction:
		return "D1 has no " + st.Verb + ": a migration is a transaction by itself, so leave it out"
	case sqltext.Attach:
		return "D1 has no " + st.Verb
	case sqltext.Unknown:
		return "this is no SQL statement"
	case sqltext.Pragma:
		return refusedPragma(w)
	}
	switch {
	case st.Verb == "VACUUM":
		return "D1 has no VACUUM; it looks after its files itself"
	case w.take("CREATE"):
		return refusedCreate(w)
	}
	return ""
}

func refusedCreate(w *words) string {
	switch {
	case w.is("TEMP"), w.is("TEMPORARY"):
		return "D1 has no temporary tables, views and triggers; make an ordinary one and drop it in the same migration"
	case w.take("VIRTUAL"):
		for ; !w.done(); w.next() {
			if w.take("USING") {
				return refusedModule(w.name())
			}
		}
	case w.take("TABLE"):
		if w.take("IF") {
			w.take("NOT")
			w.take("EXISTS")
		}
		if name := fold(w.qualified()); strings.HasPrefix(name, "_cf_") {
			return "names that begin with _cf_ are Cloudflare's"
		}
	}
	return ""
}

// refusedModule knows workerd's list of virtual tables.
func refusedModule(name string) string {
	switch fold(name) {
	case "fts5", "fts5vocab", "rtree", "rtree_i32":
		return ""
	}
	return fmt.Sprintf("D1 has no module %q; it has fts5, fts5vocab, rtree and rtree_i32", name)
}

// refusedPragma knows workerd's list of PRAGMAs.
func refusedPragma(w *words) string {
	w.next()
	name := w.qualified()
	switch fold(name) {
	case "foreign_keys", "defer_foreign_keys", "case_sensitive_like", "ignore_check_constraints",
		"legacy_alter_table", "recursive_triggers", "reverse_unordered_selects",
		"table_list", "table_info", "table_xinfo", "foreign_key_list", "foreign_key_check",
		"index_info", "index_list", "index_xinfo", "data_version", "page_size", "quick_check", "optimize":
		return ""
	}
	return fmt.Sprintf("D1 refuses PRAGMA %s", name)
}
