package d1sql

import (
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// Tools ask things of a SQLite that D1 refuses to answer. What is true of D1 all the
// same is answered here:
//
//	what                                  who sends it            what happens
//	SELECT sqlite_version()               GORM, when it opens     the name of sqliteVersion
//	PRAGMA database_list                  GORM, CurrentDatabase   one row: 0, main, ''. A D1 database has no
//	… FROM pragma_database_list()         Atlas, ent              file to name, and nothing is attached to it
//	PRAGMA foreign_keys = off             GORM, ent and Atlas     D1 keeps them on, as SQLite does within a
//	PRAGMA foreign_keys = on              around changes of a     transaction, and says so to PRAGMA foreign_keys.
//	                                      schema                  See withoutForeignKeys
//	VACUUM                                golang-migrate's Drop   nothing: a D1 database has no file to shrink,
//	                                                              and uses free pages again
//	SELECT name FROM sqlite_master        golang-migrate's Drop   without the tables that nobody can drop:
//	WHERE type = 'table'                                          Cloudflare's _cf_… and sqlite_sequence
//	SELECT name FROM sqlite_master        GORM, GetTables         without Cloudflare's _cf_…
//	WHERE type = ?
//	… FROM sqlite_master                  Atlas, ent, GORM        … name NOT LIKE '_cf_%' too: nobody may look
//	… name NOT LIKE 'sqlite_%'                                    into Cloudflare's own tables either
//
// Everything else goes to D1 as it is, and so its refusal comes back: what
// journal_mode or busy_timeout is, for instance, nobody knows.

// sqliteVersion is the version that sqlite_version() names. D1 keeps its own secret;
// Cloudflare's runtime of November 2026 has 3.54.1, and the embedded database
// 3.53.4. This is the older one: what it has, D1 has too.
const sqliteVersion = "3.53.4"

// databaseList is the answer to PRAGMA database_list.
const databaseList = "SELECT 0 AS seq, 'main' AS name, '' AS file"

// probe recognises a statement that D1 would refuse and that can be answered. It
// returns the statement that is sent instead, or "" if nothing need be sent.
func (c *Conn) probe(s sqltext.Statement) (instead string, ok bool) {
	switch s.Kind {
	case sqltext.Pragma:
		return c.probePragma(s)
	case sqltext.Schema:
		words := tokens(s.Text)
		return "", !c.inTransaction() && (words.are("VACUUM") || words.are("VACUUM", "MAIN"))
	case sqltext.Read, sqltext.Write:
		if s.Explain || s.Fault.Refused() || !mayProbe(s.Text) {
			return "", false
		}
		return probeText(s.Text)
	}
	return "", false
}

func (c *Conn) probePragma(s sqltext.Statement) (instead string, ok bool) {
	if s.Explain {
		return "", false
	}
	words := tokens(s.Text)
	if len(words) > 3 && words[2].text == "." && words[1].name() == "MAIN" {
		words = append(words[:1], words[3:]...)
	}
	switch {
	case len(words) == 2 && words[1].name() == "DATABASE_LIST":
		return databaseList, true
	case len(words) < 4 || words[1].name() != "FOREIGN_KEYS":
		return "", false
	case len(words) == 4 && words[2].text == "=", len(words) == 5 && words[2].text == "(" && words[4].text == ")":
	default:
		return "", false
	}
	on, ok := boolean(words[3].name())
	if ok && !c.inTransaction() { // where SQLite ignores it too
		c.noForeignKeys = !on
	}
	return "", ok
}

func boolean(value string) (on, ok bool) {
	switch value {
	case "ON", "TRUE", "YES", "1":
		return true, true
	case "OFF", "FALSE", "NO", "0":
		return false, true
	}
	return false, false
}

// mayProbe looks quickly for what probeText looks for.
func mayProbe(text string) bool {
	for start := 0; ; start++ {
		i := strings.IndexByte(text[start:], '_')
		if i < 0 {
			return false
		}
		start += i
		if start < 6 {
			continue
		}
		before, after := text[start-6:start], text[start+1:]
		switch {
		case len(after) >= 7 && strings.EqualFold(before, "sqlite") &&
			(strings.EqualFold(after[:7], "version") || strings.EqualFold(after[:6], "master")),
			len(after) >= 13 && strings.EqualFold(before, "pragma") && strings.EqualFold(after[:13], "database_list"):
			return true
		}
	}
}

// probeText writes the probes within a statement anew.
func probeText(text string) (instead string, ok bool) {
	words := tokens(text)
	if words.are("SELECT", "NAME", "FROM", "SQLITE_MASTER", "WHERE", "TYPE", "=", "?") {
		return text[:words[7].end] + ` AND name NOT LIKE '\_cf\_%' ESCAPE '\'`, true
	}
	if words.are("SELECT", "NAME", "FROM", "SQLITE_MASTER", "WHERE", "TYPE", "=", "'table'") {
		return text[:words[7].end] + ` AND name NOT LIKE '\_cf\_%' ESCAPE '\' AND name <> 'sqlite_sequence'`, true
	}
	catalog := false
	for i := range words {
		catalog = catalog || words.is(i, "SQLITE_MASTER")
	}
	var b strings.Builder
	pos := 0
	for i := range words {
		var by string
		n := 0
		if catalog {
			by, n = words.notSystem(i, text)
		}
		switch words[i].name() {
		case "SQLITE_VERSION":
			by, n = words.version(i, text)
		case "PRAGMA_DATABASE_LIST":
			by, n = words.list(i)
		}
		if n > 0 {
			b.WriteString(text[pos:words[i].start])
			b.WriteString(by)
			pos = words[i+n-1].end
		}
	}
	b.WriteString(text[pos:])
	return b.String(), pos > 0
}

// version is what takes the place of a call of sqlite_version, which ends n words on.
// A column that has its name from the call keeps it.
func (w words) version(i int, text string) (by string, n int) {
	if w.at(i+1) != "(" || w.at(i+2) != ")" || w.at(i-1) == "." {
		return "", 0
	}
	by, n = "'"+sqliteVersion+"'", 3
	first := w.is(i-1, "SELECT") || w.at(i-1) == ","
	last := i+3 == len(w) || w.at(i+3) == "," || w.is(i+3, "FROM")
	if first && last && w.depth(i) == 0 && !w.before(i, "FROM") {
		by += " AS " + sqltext.QuoteIdent(text[w[i].start:w[i+2].end])
	}
	return by, n
}

// notSystem is what takes the place of name NOT LIKE 'sqlite_%', which may be qualified.
func (w words) notSystem(i int, text string) (by string, n int) {
	if i >= len(w) || w[i].kind != sqltext.TokenWord && w[i].kind != sqltext.TokenQuoted || w.at(i-1) == "." {
		return "", 0
	}
	n = 1
	if w.at(i+1) == "." {
		n = 3
	}
	if !w.is(i+n, "NOT") || !w.is(i+n+1, "LIKE") || w.at(i+n+2) != "'sqlite_%'" || w.is(i+n+3, "ESCAPE") {
		return "", 0
	}
	name := text[w[i].start:w[i+n-1].end]
	return "(" + text[w[i].start:w[i+n+2].end] + " AND " + name + ` NOT LIKE '\_cf\_%' ESCAPE '\')`, n + 3
}

// list is what takes the place of pragma_database_list as a table, with or without
// parentheses.
func (w words) list(i int) (by string, n int) {
	if !w.is(i-1, "FROM") && !w.is(i-1, "JOIN") && w.at(i-1) != "," || w.at(i+1) == "." {
		return "", 0
	}
	n = 1
	if w.at(i+1) == "(" {
		if w.at(i+2) != ")" {
			return "", 0
		}
		n = 3
	}
	by = "(" + databaseList + ")"
	if !w.alias(i + n) {
		by += " AS pragma_database_list"
	}
	return by, n
}

// alias reports whether an alias stands there.
func (w words) alias(i int) bool {
	if i >= len(w) {
		return false
	}
	switch w[i].kind {
	case sqltext.TokenQuoted, sqltext.TokenString:
		return true
	case sqltext.TokenWord:
		switch w[i].name() {
		case "WHERE", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "OUTER", "ON", "USING", "GROUP",
			"HAVING", "WINDOW", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "RETURNING", "SET", "NOT", "INDEXED":
			return false
		}
		return true
	}
	return false
}

// withoutForeignKeys returns what goes before a statement that writes while the
// client believes foreign keys to be off.
//
// D1 cannot turn them off. What it can is to check them at the end only, so that the
// order of the statements does not matter; that is asked for. Dropping a table
// remains different: with foreign keys off nothing happens to the rows that refer
// to it, but D1 deletes or changes them where they say ON DELETE CASCADE, SET NULL
// or SET DEFAULT. A tool that rebuilds a table would lose data without a word, so
// that is refused.
func (c *Conn) withoutForeignKeys(s sqltext.Statement) []d1.Statement {
	if !c.noForeignKeys || s.Explain || s.Kind != sqltext.Write && s.Kind != sqltext.Schema {
		return nil
	}
	before := []d1.Statement{{SQL: "PRAGMA defer_foreign_keys = on"}}
	words := tokens(s.Text)
	if !words.is(0, "DROP") || !words.is(1, "TABLE") {
		return before
	}
	i := 2
	mayLack := words.is(i, "IF") && words.is(i+1, "EXISTS")
	if mayLack {
		i += 2
	}
	if words.at(i+1) == "." {
		i += 2
	}
	if i != len(words)-1 {
		return before
	}
	table := sqltext.Unquote(words[i].text)
	name, literal := sqltext.QuoteIdent(table), sqltext.QuoteString(table)
	if mayLack {
		// So that there is something to look into; it is dropped in the same request.
		before = append(before, d1.Statement{SQL: "CREATE TABLE IF NOT EXISTS " + name + " (x)"})
	}
	return append(before, d1.Statement{SQL: "SELECT CASE WHEN EXISTS (SELECT 1 FROM " + name + ") AND EXISTS (" +
		"SELECT 1 FROM sqlite_master AS m JOIN pragma_foreign_key_list(" + // which refuses Cloudflare's own
		"CASE WHEN m.name LIKE '\\_cf\\_%' ESCAPE '\\' THEN " + literal + " ELSE m.name END) AS f WHERE m.type = 'table' " +
		"AND m.name NOT LIKE '\\_cf\\_%' ESCAPE '\\' AND m.name <> " + literal + " COLLATE NOCASE AND f.\"table\" = " + literal + " COLLATE NOCASE " +
		"AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')" +
		") THEN json_extract('{}', '" + dropMark + "' || " + literal + ") END"})
}

// dropMark is how the refusal of a DROP TABLE is known in the text of its error,
// "bad JSON path: 'skylite-drop:users'".
const dropMark = "skylite-drop:"

// explainDrop gives the refusal of a DROP TABLE its words.
func explainDrop(e *d1.Error) {
	_, table, ok := strings.Cut(e.Message, "bad JSON path: '"+dropMark)
	if i := strings.LastIndexByte(table, '\''); ok && i >= 0 {
		e.Message = "DROP TABLE " + table[:i] + " would delete or change rows of other tables that refer to it " +
			"with ON DELETE CASCADE, SET NULL or SET DEFAULT, since D1 cannot turn foreign keys off. Nothing was " +
			"written. To drop it all the same, send PRAGMA foreign_keys = on first"
	}
}
