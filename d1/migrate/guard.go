package migrate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// Loss is what a migration would have lost.
type Loss struct {
	// Table is the table that rows would have gone from, or values of Column.
	Table string `json:"table"`
	// Column refers to Parent; empty if Table itself is rebuilt.
	Column string `json:"column,omitempty"`
	// Parent is the table whose rows a statement deletes; empty if Table itself is
	// rebuilt.
	Parent string `json:"parent,omitempty"`
	// Action is CASCADE or SET NULL; empty if Table itself is rebuilt.
	Action string `json:"action,omitempty"`
	// Statement is the place of the statement that deletes, from 0.
	Statement int `json:"statement"`
	// Before and After count rows, or the values of Column that are not NULL.
	Before int64 `json:"before"`
	After  int64 `json:"after"`
}

// why says what would happen, and to whom.
func (l Loss) why() string {
	if l.Parent == "" {
		return fmt.Sprintf("the new table %s has other rows than the one it replaces", l.Table)
	}
	effect := "deletes the rows that refer to them"
	if l.Action == "SET NULL" {
		effect = "sets what refers to them to NULL"
	}
	return fmt.Sprintf("statement %d deletes rows of %s, and %s.%s REFERENCES it ON DELETE %s, which %s",
		l.Statement+1, l.Parent, l.Table, l.Column, l.Action, effect)
}

// recipe is the way to rebuild a table that loses nothing. PRAGMA foreign_keys=OFF is
// none: in a transaction, which a migration is, it does nothing.
func (l Loss) recipe() string {
	if l.Parent == "" {
		return "Copy all rows; where the table refers to itself, the new one must refer to the new one; or allow the loss if it is meant"
	}
	t := sqltext.QuoteIdent(l.Table)
	aside := sqltext.QuoteIdent(l.Table + "_aside")
	return fmt.Sprintf("PRAGMA foreign_keys=OFF does nothing on D1. Copy the rows aside in the same migration: before, "+
		"CREATE TABLE %[2]s AS SELECT * FROM %[1]s; DELETE FROM %[1]s; and after the table is rebuilt, "+
		"INSERT INTO %[1]s SELECT * FROM %[2]s; DROP TABLE %[2]s; or allow the loss if it is meant", t, aside)
}

// guard counts rows before and after a migration's statements, in the same batch.
type guard struct {
	losses []Loss
	counts []string // what is counted for each: count(*) or count("column")
}

// countsTable is made and dropped within one batch.
const countsTable = `"__skylite_rows"`

// watch finds what statements may lose, and brings the schema up to date with them.
func (s *schema) watch(statements []statement) *guard {
	g := &guard{}
	start := s.clone()
	dropped := make(map[string]int) // tables, with the statement that did it
	for _, t := range s.tables {
		t.reshaped = false
	}
	for i, st := range statements {
		if parent := deletesFrom(st); parent != "" && s.tables[fold(parent)] != nil {
			for _, c := range s.children(parent) {
				g.add(Loss{Table: c.table.name, Column: c.key.column, Parent: c.key.parent, Action: c.key.action, Statement: i})
			}
			if st.Verb == "DROP" {
				dropped[fold(parent)] = i
			}
		}
		if renamed := renamesTo(st); renamed != "" && start.tables[fold(renamed)] != nil {
			if i, ok := dropped[fold(renamed)]; ok {
				g.add(Loss{Table: renamed, Statement: i})
			}
		}
		s.run(st.Text[st.VerbStart:])
	}
	g.settle(start, s, dropped)
	return g
}

func (g *guard) add(l Loss) {
	for _, have := range g.losses {
		if have.Table == l.Table && have.Column == l.Column {
			return
		}
	}
	g.losses = append(g.losses, l)
}

// settle leaves out the tables that are not there both before and after, and decides
// what to count in the others.
func (g *guard) settle(start, end *schema, dropped map[string]int) {
	kept := g.losses[:0]
	for _, l := range g.losses {
		before, after := start.tables[fold(l.Table)], end.tables[fold(l.Table)]
		if before == nil || after == nil {
			continue
		}
		count := "count(*)"
		_, rebuilt := dropped[fold(l.Table)]
		if l.Column != "" && !rebuilt && !after.reshaped {
			count = "count(" + sqltext.QuoteIdent(l.Column) + ")"
		}
		kept = append(kept, l)
		g.counts = append(g.counts, count)
	}
	g.losses = kept
}

func (g *guard) count(i int) string {
	return "(SELECT " + g.counts[i] + " FROM " + sqltext.QuoteIdent(g.losses[i].Table) + ")"
}

// before counts.
func (g *guard) before() []string {
	if len(g.losses) == 0 {
		return nil
	}
	var values []string
	for i := range g.losses {
		values = append(values, fmt.Sprintf("(%d, %s)", i, g.count(i)))
	}
	return []string{
		"CREATE TABLE " + countsTable + " (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)",
		"INSERT INTO " + countsTable + " VALUES " + strings.Join(values, ", "),
	}
}

// lost is how a batch says that a count has changed.
const lost = "skylite: rows lost"

// after compares. An error in a batch undoes all of it.
func (g *guard) after() []string {
	if len(g.losses) == 0 {
		return nil
	}
	var checks []string
	for i := range g.losses {
		was := fmt.Sprintf("(SELECT n FROM %s WHERE id = %d)", countsTable, i)
		checks = append(checks, fmt.Sprintf("SELECT CASE WHEN %s = %s THEN 1 ELSE json_extract('{}', '%s %d ' || %s || ' ' || %s) END",
			was, g.count(i), lost, i, was, g.count(i)))
	}
	return append(checks, "DROP TABLE "+countsTable)
}

// lossIn reads what after says.
func (g *guard) lossIn(message string) (Loss, bool) {
	_, rest, ok := strings.Cut(message, lost+" ")
	if !ok {
		return Loss{}, false
	}
	var n [3]int64
	for i := range n {
		digits := strings.TrimLeft(rest, " ")
		end := 0
		for end < len(digits) && '0' <= digits[end] && digits[end] <= '9' {
			end++
		}
		n[i], _ = strconv.ParseInt(digits[:end], 10, 64)
		rest = digits[end:]
	}
	if n[0] >= int64(len(g.losses)) {
		return Loss{}, false
	}
	l := g.losses[n[0]]
	l.Before, l.After = n[1], n[2]
	return l, true
}

// deletesFrom returns the table that a statement deletes rows of, if it does: by DROP
// TABLE, DELETE, or a REPLACE, which deletes what is in its way.
func deletesFrom(st statement) string {
	if st.Explain {
		return ""
	}
	w := newWords(st.Text[st.VerbStart:])
	switch {
	case w.take("DROP"):
		if !w.take("TABLE") {
			return ""
		}
		if w.take("IF") {
			w.take("EXISTS")
		}
		return w.qualified()
	case w.take("DELETE"):
		w.take("FROM")
		return w.qualified()
	case w.take("REPLACE"):
		w.take("INTO")
		return w.qualified()
	case w.take("INSERT"):
		if w.take("OR") && w.take("REPLACE") && w.take("INTO") {
			return w.qualified()
		}
	case w.take("UPDATE"):
		if w.take("OR") && w.take("REPLACE") {
			return w.qualified()
		}
	}
	return ""
}

// renamesTo returns the name that a statement gives to a table, if it does.
func renamesTo(st statement) string {
	w := newWords(st.Text[st.VerbStart:])
	if w.take("ALTER") && w.take("TABLE") {
		w.qualified()
		if w.take("RENAME") && w.take("TO") {
			return w.name()
		}
	}
	return ""
}
