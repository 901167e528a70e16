package shell

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/skylite-go/skylite/cmd/skylite/internal/render"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// keywords are those of SQLite's that D1 has a use for.
var keywords = strings.Fields(`ABORT ACTION ADD AFTER ALL ALTER ALWAYS ANALYZE AND AS ASC AUTOINCREMENT BEFORE BEGIN
	BETWEEN BY CASCADE CASE CAST CHECK COLLATE COLUMN CONFLICT CONSTRAINT CREATE CROSS CURRENT_DATE CURRENT_TIME
	CURRENT_TIMESTAMP DEFAULT DEFERRABLE DEFERRED DELETE DESC DISTINCT DO DROP EACH ELSE END ESCAPE EXCEPT EXISTS
	EXPLAIN FAIL FILTER FIRST FOLLOWING FOR FOREIGN FROM FULL GENERATED GLOB GROUP GROUPS HAVING IF IGNORE IMMEDIATE
	IN INDEX INDEXED INITIALLY INNER INSERT INSTEAD INTERSECT INTO IS ISNULL JOIN KEY LAST LEFT LIKE LIMIT MATCH
	MATERIALIZED NATURAL NO NOT NOTHING NOTNULL NULL NULLS OF OFFSET ON OR ORDER OTHERS OUTER OVER PARTITION PLAN
	PRAGMA PRECEDING PRIMARY QUERY RAISE RANGE RECURSIVE REFERENCES REINDEX RENAME REPLACE RESTRICT RETURNING RIGHT
	ROW ROWID ROWS SELECT SET STRICT TABLE TEMP THEN TIES TO TRIGGER UNBOUNDED UNION UNIQUE UPDATE USING VALUES VIEW
	VIRTUAL WHEN WHERE WINDOW WITH WITHOUT`)

// names are those of a database's tables, and of their columns.
type names struct {
	tables  []string
	columns map[string][]string // by the table's name in lower case
}

// patience is how long somebody with a finger on the key waits.
const patience = 2 * time.Second

// complete returns what the word before the cursor may become.
func (s *shell) complete(ctx context.Context, line string, pos int) completion {
	if trimmed := strings.TrimLeft(line[:pos], " \t"); strings.HasPrefix(trimmed, ".") {
		return s.completeCommand(ctx, line[:pos])
	}
	c := completion{from: wordStart(line[:pos])}
	word := line[c.from:pos]
	if word == "" {
		return c
	}
	known := s.known(ctx)
	if qualifier, _, ok := strings.Cut(line[wordStartWith(line[:pos], "."):pos], "."); ok {
		columns, exact := known.columns[strings.ToLower(sqltext.Unquote(qualifier))]
		if !exact { // an alias, for all one knows
			columns = known.allColumns()
		}
		c.words = matching(word, quoteAll(columns))
		return c
	}
	all := slices.Concat(quoteAll(known.tables), quoteAll(known.allColumns()), keywords)
	c.words = matching(word, all)
	return c
}

// completeCommand completes a dot command and its argument.
func (s *shell) completeCommand(ctx context.Context, line string) completion {
	first := len(line) - len(strings.TrimLeft(line, " \t"))
	name, rest, hasArgs := strings.Cut(line[first:], " ")
	if !hasArgs {
		var all []string
		for _, c := range commands() {
			all = append(all, c.name)
		}
		return completion{first, matching(name, all)}
	}
	c := completion{from: len(line) - len(strings.TrimLeft(rest, " "))}
	if i := strings.LastIndexByte(rest, ' '); i >= 0 {
		c.from = len(line) - len(rest) + i + 1
	}
	var choices []string
	switch name {
	case ".mode":
		choices = strings.Split(modeNames(), "|")
	case ".headers", ".timer":
		choices = []string{"on", "off"}
	case ".session":
		choices = []string{string(d1.FirstPrimary), string(d1.FirstUnconstrained)}
	case ".schema", ".indexes", ".dump", ".tables":
		choices = s.known(ctx).tables
	case ".read", ".output":
		choices, _ = filepath.Glob(line[c.from:] + "*") // no pattern, no files
	case ".explain":
		return s.complete(ctx, strings.Repeat("x", len(line)-len(rest)-1)+" "+rest, len(line))
	}
	c.words = matching(line[c.from:], choices)
	return c
}

// wordStart returns where the word at the end of a text begins.
func wordStart(text string) int { return wordStartWith(text, "") }

// wordStartWith takes further characters for parts of a word.
func wordStartWith(text, more string) int {
	return strings.LastIndexFunc(text, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r == '"' ||
			r >= 0x80 || strings.ContainsRune(more, r))
	}) + 1
}

// matching returns the words that begin as a given one, sorted and each once. Keywords
// are in lower case if it is.
func matching(word string, all []string) []string {
	var found []string
	for _, candidate := range all {
		bare := strings.TrimPrefix(candidate, `"`)
		if len(bare) < len(strings.TrimPrefix(word, `"`)) || !strings.EqualFold(bare[:len(strings.TrimPrefix(word, `"`))], strings.TrimPrefix(word, `"`)) {
			continue
		}
		if slices.Contains(keywords, candidate) && word != "" && word == strings.ToLower(word) {
			candidate = strings.ToLower(candidate)
		}
		found = append(found, candidate)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// quoteAll quotes the names that need it. A name that no terminal should see is left out.
func quoteAll(names []string) []string {
	var all []string
	for _, name := range names {
		if plainName.MatchString(name) && !slices.Contains(keywords, strings.ToUpper(name)) {
			all = append(all, name)
		} else if render.Printable(name) == name {
			all = append(all, sqltext.QuoteIdent(name))
		}
	}
	return all
}

func (n *names) allColumns() []string {
	var all []string
	for _, columns := range n.columns {
		all = append(all, columns...)
	}
	return all
}

// known returns the database's names. They are asked for once, and again when a statement
// has changed the schema.
func (s *shell) known(ctx context.Context) *names {
	if s.names != nil {
		return s.names
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, err := s.readNames(ctx)
	if err != nil {
		return &names{} // there are the keywords still
	}
	s.names = found
	return found
}

func (s *shell) readNames(ctx context.Context) (*names, error) {
	tables, err := s.objects(ctx, "type IN ('table', 'view')")
	if err != nil || len(tables) == 0 {
		return &names{}, err
	}
	n := &names{columns: map[string][]string{}}
	var req d1.Request
	for _, table := range tables {
		n.tables = append(n.tables, table.Name)
		req.Statements = append(req.Statements, d1.Statement{SQL: "PRAGMA table_info(" + sqltext.QuoteIdent(table.Name) + ")"})
	}
	results, err := s.session.Do(ctx, req)
	if err != nil {
		return n, nil // a view of what is gone has no columns, and spoils it for all
	}
	defer results.Close()
	for i := 0; results.NextResult(); i++ {
		table := strings.ToLower(n.tables[i])
		for results.Next() {
			n.columns[table] = append(n.columns[table], string(results.Row()[1].Bytes()))
		}
	}
	return n, results.Err()
}
