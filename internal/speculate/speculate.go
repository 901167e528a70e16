// Package speculate writes the SQL with which a transaction looks ahead and makes
// sure of what it has seen, on a database whose only transaction is the batch.
//
// Three facts of SQLite carry it, all verified on workerd, D1's own engine:
// a statement that raises an error rolls its whole batch back; json_extract raises
// an error wherever it stands, without any table; and the text of that error
// carries its path, whatever it is. So a batch of [writes, an answer] tells what a
// query sees after the writes, and leaves nothing behind; and a batch of [guards,
// writes] happens only if the guards find what was seen before.
//
// Values travel as quote() writes them, which is exact for all of them but texts
// with a NUL byte; these travel as the blob of their bytes behind a T.
package speculate

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// Marks tell the errors of one database's transactions from all others: they hold
// a random part, so that no data can pass for them.
type Marks struct{ nonce string }

// NewMarks returns new marks.
func NewMarks() Marks {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return Marks{nonce: hex.EncodeToString(b[:])}
}

// scratch is the name of the table that holds the columns' names, or the rows that
// a statement returned. It never outlives its batch.
const scratch = "_skylite_tx"

// rowsPrefix begins the statement of [Rows]; columns and the read follow.
const rowsPrefix = "WITH _skylite_q("

// Rows returns a statement that returns each row of a read with n columns as one
// text; see [DecodeRow]. offset is where the read begins in it.
func Rows(read string, n int) (sql string, offset int) {
	head := rowsPrefix + columns(n) + ") AS ("
	return head + read + "\n) SELECT " + row(n) + " AS r FROM _skylite_q", len(head)
}

// namesPrefix begins the statement of [Names].
const namesPrefix = "SELECT * FROM ("

// Names returns a statement that has the columns of a read, and no rows.
func Names(read string) (sql string, offset int) {
	return namesPrefix + read + "\n) LIMIT 0", len(namesPrefix)
}

// NamesTable returns a statement that keeps the columns of a read for an answer.
func NamesTable(read string) (sql string, offset int) {
	const head = "CREATE TABLE " + scratch + " AS "
	names, offset := Names(read)
	return head + names, len(head) + offset
}

// seen is an expression: all rows of a read with n columns, as one text.
func seen(read string, n int) string {
	rows, _ := Rows(read, n)
	return "(SELECT count(*)||';'||coalesce(group_concat(r,';'),'') FROM (" + rows + "))"
}

// Seen is what the expression that guards compare with would be for these rows.
func Seen(rows []string) string {
	return strconv.Itoa(len(rows)) + ";" + strings.Join(rows, ";")
}

// Guard returns a statement that raises a conflict, unless a read with n columns
// returns what it returned before. expected is the expression of that: see [Seen].
func (m Marks) Guard(read string, n int, expected string, index int) string {
	return "SELECT CASE WHEN " + seen(read, n) + " IS " + expected + " THEN 1 ELSE " + m.conflict(index) + " END"
}

// Assert returns a statement that raises a conflict, unless the write before it
// changed as many rows, and gave the rowid, as was said. Nil is not compared.
func (m Marks) Assert(changes, lastID *int64, index int) string {
	var conditions []string
	if changes != nil {
		conditions = append(conditions, "changes()="+strconv.FormatInt(*changes, 10))
	}
	if lastID != nil {
		// The smallest integer cannot be written as a literal of its own.
		conditions = append(conditions, "last_insert_rowid()="+integer(*lastID))
	}
	return "SELECT CASE WHEN " + strings.Join(conditions, " AND ") + " THEN 1 ELSE " + m.conflict(index) + " END"
}

func integer(n int64) string { return "~" + strconv.FormatInt(^n, 10) }

// Report is a statement that returns what the write before it did: the number of
// rows it changed, and the last rowid, both as texts, for JSON would round them.
const Report = "SELECT CAST(changes() AS TEXT), CAST(last_insert_rowid() AS TEXT)"

func (m Marks) conflict(index int) string {
	return "json_extract('{}','" + m.conflictMark() + strconv.Itoa(index) + "#')"
}

func (m Marks) conflictMark() string { return "skylite conflict " + m.nonce + ":" }
func (m Marks) answerMark() string   { return "!" + m.nonce + ":" }

// raise is an expression that raises an answer: the text that the column p holds.
func (m Marks) raise() string {
	return "json_extract('{}','" + m.answerMark() + "'||length(p)||':'||p||'#')"
}

// answer returns a statement that raises an answer: the text of an expression.
func (m Marks) answer(payload string) string {
	// LIMIT keeps the expression from being computed twice.
	return "SELECT " + m.raise() + " FROM (SELECT " + payload + " AS p LIMIT 1)"
}

// AnswerNothing returns a statement that only raises: everything before it ran.
func (m Marks) AnswerNothing() string { return m.answer("''") }

// AnswerReport returns a statement that raises what [Report] returns.
func (m Marks) AnswerReport() string { return m.answer("changes()||','||last_insert_rowid()") }

// names is an expression: the names that [NamesTable] has kept.
const names = "(SELECT group_concat(quote(name),',') FROM pragma_table_info('" + scratch + "'))||';'"

// AnswerRows returns a statement that raises the names that [NamesTable] has kept
// and the rows of a read with n columns.
func (m Marks) AnswerRows(read string, n int) string {
	return m.answer(names + "||" + seen(read, n))
}

// AnswerKnown is AnswerRows for a read whose columns' names are known.
func (m Marks) AnswerKnown(read string, columns []string) string {
	quoted := make([]string, len(columns))
	for i, name := range columns {
		quoted[i] = sqltext.QuoteString(name)
	}
	return m.answer(sqltext.QuoteString(strings.Join(quoted, ",")) + "||';'||" + seen(read, len(columns)))
}

// AnswerNoRows is AnswerRows for no rows.
func (m Marks) AnswerNoRows() string { return m.answer(names + "||'0;'") }

// RaiseRow returns the list of a RETURNING that raises what the table is and what columns
// it has, the names that [NamesTable] has kept, and the first row of another list with n
// columns.
func (m Marks) RaiseRow(table, list string, n int) string {
	return "(SELECT " + m.raise() + " FROM (SELECT (SELECT quote(type)||','||quote(" + TableColumns(table) +
		") FROM pragma_table_list(" + sqltext.QuoteString(table) + "))||';'||" + names +
		"||'1;'||" + returned(list, n) + " AS p))"
}

// AnswerNoRow returns the statement that raises, if [Marks.RaiseRow] has raised nothing.
func (m Marks) AnswerNoRow() string { return m.answer("'NULL,NULL;'||" + names + "||'0;'") }

// TableColumns is an expression: the columns of a table, as a JSON array of arrays of
// name, type, position in the primary key from 1, and what pragma_table_xinfo calls
// hidden.
func TableColumns(table string) string {
	return "(SELECT json_group_array(json_array(name,type,pk,hidden)) FROM pragma_table_xinfo(" + sqltext.QuoteString(table) + "))"
}

// AssertRow returns the list of a RETURNING that raises a conflict for a row that is
// none of those that another list with n columns returned before.
func (m Marks) AssertRow(list string, n int, expected string, index int) string {
	return "CASE WHEN " + returned(list, n) + " IN (" + expected + ") THEN 1 ELSE " + m.conflict(index) + " END"
}

// returned is an expression: a RETURNING's list of n columns as one text.
func returned(list string, n int) string {
	return "(" + rowsPrefix + columns(n) + ") AS (SELECT " + list + "\n) SELECT " + row(n) + " FROM _skylite_q)"
}

// Log returns the statements that keep what a write returns, for [Marks.AnswerLog]. A
// trigger takes down its rows: list has n columns, over the table's, which are quoted.
func Log(table, list string, n int, columns []string, events []string) []string {
	statements := []string{"CREATE TABLE " + scratch + "_log (r)"}
	for _, event := range events {
		row := "new"
		if event == "DELETE" {
			row = "old"
		}
		var from strings.Builder
		from.WriteString("SELECT ")
		for i, column := range columns {
			if i > 0 {
				from.WriteByte(',')
			}
			from.WriteString(row + "." + column + " AS " + column)
		}
		statements = append(statements, "CREATE TRIGGER "+scratch+"_"+event+" AFTER "+event+" ON "+
			sqltext.QuoteIdent(table)+" BEGIN INSERT INTO "+scratch+"_log SELECT "+
			returned(list+" FROM ("+from.String()+") AS "+sqltext.QuoteIdent(table), n)+"; END")
	}
	return statements
}

// AnswerLog returns a statement that raises how many rows the write changed, the names
// that [NamesTable] has kept, and the rows that [Log] has taken down.
func (m Marks) AnswerLog() string {
	return m.answer("changes()||';'||" + names + "||(SELECT count(*)||';'||coalesce(group_concat(r,';'),'') FROM " +
		"(SELECT r FROM " + scratch + "_log ORDER BY rowid))")
}

// columns is c1,c2,…
func columns(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('c')
		b.WriteString(strconv.Itoa(i + 1))
	}
	return b.String()
}

// row is an expression: the columns c1 to cn as one text. It is a balanced tree, for
// the sake of SQLite's limit on the depth of expressions.
func row(n int) string {
	var b strings.Builder
	appendRow(&b, 1, n)
	return b.String()
}

func appendRow(b *strings.Builder, from, to int) {
	if from < to {
		middle := (from + to) / 2
		b.WriteByte('(')
		appendRow(b, from, middle)
		b.WriteString("||','||")
		appendRow(b, middle+1, to)
		b.WriteByte(')')
		return
	}
	c := "c" + strconv.Itoa(from)
	b.WriteString("CASE WHEN typeof(" + c + ")='text' AND instr(" + c + ",char(0)) THEN 'T'||quote(CAST(" + c +
		" AS BLOB)) ELSE quote(" + c + ") END")
}
