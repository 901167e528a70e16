package embedded

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = sqltext.QuoteIdent(name)
	}
	return strings.Join(quoted, ",")
}

// rows writes the rows of a table in the order of the table itself, which an index that
// has all the columns would change.
func (e *exporter) rows(t *table) error {
	sql := "SELECT " + quoteAll(t.columns) + " FROM " + sqltext.QuoteIdent(t.name) + " NOT INDEXED"
	if len(t.orderBy) > 0 {
		sql += " ORDER BY " + quoteAll(t.orderBy)
	}
	return e.query(t, sql)
}

// query writes the rows of a query as those of a table.
func (e *exporter) query(t *table, sql string) error {
	head := "INSERT INTO " + sqltext.QuoteIdent(t.name) + " (" + quoteAll(t.columns) + ") VALUES("
	ends := make([]int, len(t.columns)) // of the values in the statement
	return e.each(sql, func(s *sqlite3.Stmt) error {
		e.line = append(e.line[:0], head...)
		for i := range t.columns {
			if i > 0 {
				e.line = append(e.line, ',')
			}
			e.line = appendValue(e.line, (&stmt{Stmt: s}).value(i))
			ends[i] = len(e.line)
		}
		e.line = append(e.line, ')')
		if len(e.line) > d1.MaxStatementBytes {
			return e.longRow(s, head, ends)
		}
		return e.writeLine()
	})
}

// writeLine writes the statement that was made.
func (e *exporter) writeLine() error {
	if e.begun {
		_ = e.out.WriteByte('\n')
	}
	e.begun = true
	e.line = append(e.line, ';')
	if _, err := e.out.Write(e.line); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	return nil
}

// piece is how many bytes of a value go into one statement, all of which may be doubled.
const piece = 40_000

// longRow writes a row whose INSERT would be longer than a statement may be. Its long
// values are put together, piece by piece, in a table of their own; the row is then made
// whole, so that no constraint meets a part of it.
func (e *exporter) longRow(s *sqlite3.Stmt, head string, ends []int) error {
	limit, total := 0, 0
	for _, limit = range []int{10_000, 1000, 100} {
		total = len(head) + 1
		for i := range ends {
			if size := cellSize(head, ends, i); size <= limit {
				total += size + 1
			} else {
				total += len(e.longValue(i)) + 1
			}
		}
		if total <= d1.MaxStatementBytes {
			break
		}
	}
	if total > d1.MaxStatementBytes {
		return d1.NewError(fmt.Sprintf("a row cannot be written as an INSERT of %d bytes or less", d1.MaxStatementBytes))
	}
	e.makePieces()
	row := append([]byte(nil), head...)
	for i := range ends {
		if i > 0 {
			row = append(row, ',')
		}
		if size := cellSize(head, ends, i); size <= limit {
			row = append(row, e.line[ends[i]-size:ends[i]]...)
		} else {
			row = append(row, e.longValue(i)...)
		}
	}
	row = append(row, ')')
	for i := range ends {
		if cellSize(head, ends, i) > limit {
			if err := e.writePieces(i, (&stmt{Stmt: s}).value(i)); err != nil {
				return err
			}
		}
	}
	e.line = append(e.line[:0], row...)
	if err := e.writeLine(); err != nil {
		return err
	}
	e.statement("DELETE FROM " + sqltext.QuoteIdent(e.pieces))
	return nil
}

// cellSize is how long the literal of a value is.
func cellSize(head string, ends []int, i int) int {
	if i == 0 {
		return ends[0] - len(head)
	}
	return ends[i] - ends[i-1] - 1
}

func (e *exporter) longValue(i int) string {
	return `(SELECT "value" FROM ` + sqltext.QuoteIdent(e.pieces) + ` WHERE "id"=` + strconv.Itoa(i) + ")"
}

// makePieces makes the table that long values are put together in, under a name that no
// table has.
func (e *exporter) makePieces() {
	if e.pieces != "" {
		return
	}
	for n := 0; ; n++ {
		name := "skylite_long_values"
		if n > 0 {
			name += "_" + strconv.Itoa(n)
		}
		taken := false
		_ = e.each("SELECT 1 FROM sqlite_schema WHERE lower(name) = "+sqltext.QuoteString(name), func(*sqlite3.Stmt) error {
			taken = true
			return nil
		})
		if !taken {
			e.pieces = name
			e.statement("CREATE TABLE " + sqltext.QuoteIdent(name) + ` ("id" INTEGER PRIMARY KEY, "value")`)
			return
		}
	}
}

// writePieces puts a value together.
func (e *exporter) writePieces(id int, v d1.Value) error {
	name := sqltext.QuoteIdent(e.pieces)
	rest, text := v.Bytes(), v.Kind() == d1.KindText
	for first := true; first || len(rest) > 0; first = false {
		n := min(piece, len(rest))
		for text && n < len(rest) && n > piece-utf8.UTFMax && !utf8.RuneStart(rest[n]) {
			n--
		}
		part := d1.Blob(rest[:n])
		if text {
			part = d1.Text(rest[:n])
		}
		rest = rest[n:]
		e.line = e.line[:0]
		switch {
		case first:
			e.line = append(e.line, "INSERT INTO "+name+` ("id","value") VALUES(`+strconv.Itoa(id)+","...)
			e.line = append(appendValue(e.line, part), ')')
		case text:
			e.line = append(e.line, "UPDATE "+name+` SET "value"="value"||`...)
			e.line = append(appendValue(e.line, part), ` WHERE "id"=`+strconv.Itoa(id)...)
		default:
			e.line = append(e.line, "UPDATE "+name+` SET "value"=CAST("value"||`...)
			e.line = append(appendValue(e.line, part), ` AS BLOB) WHERE "id"=`+strconv.Itoa(id)...)
		}
		if err := e.writeLine(); err != nil {
			return err
		}
	}
	return nil
}
