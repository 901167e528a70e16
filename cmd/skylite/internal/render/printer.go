package render

import (
	"bufio"
	"encoding/hex"
	"io"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/d1"
)

// Mode is a way of writing rows.
type Mode string

// The modes.
const (
	ModeTable Mode = "table" // lines around the cells
	ModeJSON  Mode = "json"  // an array with an object for each row
	ModeCSV   Mode = "csv"   // as in RFC 4180; NULL is nothing, an empty text ""
	ModeLine  Mode = "line"  // a line for each value, with its column's name
	ModeList  Mode = "list"  // values with | between them
)

// Modes are all of them.
var Modes = []Mode{ModeTable, ModeJSON, ModeCSV, ModeLine, ModeList}

// Printer writes the rows of results, and nothing for a result without columns.
type Printer struct {
	W    io.Writer
	Mode Mode
	// NoHeaders leaves the columns' names out of tables, CSV and lists.
	NoHeaders bool
	// Width and Color are a Table's.
	Width int
	Color bool
	// Terminal says that somebody looks at it, so that control characters in values
	// are escaped.
	Terminal bool
}

// Print reads the results to their end and leaves closing them to the caller.
func (p *Printer) Print(results *d1.Results) (Summary, error) {
	if p.Mode == ModeTable {
		return Tables(&Table{W: p.W, Width: p.Width, Color: p.Color, NoHeader: p.NoHeaders}, results)
	}
	var sum Summary
	w := bufio.NewWriter(p.W)
	for results.NextResult() {
		if columns := results.Columns(); len(columns) > 0 {
			p.rows(w, results, &sum)
		}
		if results.Err() != nil {
			break
		}
		sum.add(results.Meta())
	}
	if err := w.Flush(); err != nil {
		return sum, err
	}
	return sum, results.Err()
}

func (p *Printer) rows(w *bufio.Writer, results *d1.Results, sum *Summary) {
	columns := results.Columns()
	var row func(n int, row []d1.Value) []byte
	end := ""
	switch p.Mode {
	case ModeJSON:
		row, end = jsonRows(columns), "]\n"
	case ModeLine:
		row = p.lineRows(columns)
	default:
		row = p.separatedRows(columns)
	}
	n := 0
	for ; results.Next(); n++ {
		sum.look(columns, results.Row())
		if _, err := w.Write(row(n, results.Row())); err != nil {
			return // which Flush returns
		}
	}
	switch {
	case results.Err() != nil:
		return
	case n == 0 && p.Mode == ModeJSON:
		end = "[]\n"
	case n == 0 && p.Mode != ModeLine:
		end = string(row(0, nil)) // the header
	case p.Mode == ModeJSON:
		end = "\n" + end
	}
	_, _ = w.WriteString(end)
}

// jsonRows writes an array with a row on each line. As in JavaScript, the last of columns
// with one name wins.
func jsonRows(columns []string) func(int, []d1.Value) []byte {
	names, shown := keys(columns)
	var b []byte
	return func(n int, row []d1.Value) []byte {
		b = append(b[:0], "[\n  {"...)
		if n > 0 {
			b = append(b[:0], ",\n  {"...)
		}
		for i, name := range names {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = appendValue(append(append(b, name...), ": "...), row[shown[i]])
		}
		return append(b, '}')
	}
}

// lineRows writes name = value, with an empty line between rows.
func (p *Printer) lineRows(columns []string) func(int, []d1.Value) []byte {
	width := 0
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = Printable(column)
		width = max(width, Width(names[i]))
	}
	var b []byte
	return func(n int, row []d1.Value) []byte {
		b = b[:0]
		if n > 0 {
			b = append(b, '\n')
		}
		for i, v := range row {
			b = append(b, strings.Repeat(" ", width-Width(names[i]))...)
			b = append(append(append(b, names[i]...), " = "...), p.shown(v)...)
			b = append(b, '\n')
		}
		return b
	}
}

// separatedRows writes CSV and lists. The header comes with the first row.
func (p *Printer) separatedRows(columns []string) func(int, []d1.Value) []byte {
	separator, text := "|", p.shown
	if p.Mode == ModeCSV {
		separator = ","
		text = func(v d1.Value) string {
			if v.IsNull() {
				return ""
			}
			return csvField(plain(v))
		}
	}
	var b []byte
	return func(n int, row []d1.Value) []byte {
		b = b[:0]
		if n == 0 && !p.NoHeaders {
			for i, name := range columns {
				if i > 0 {
					b = append(b, separator...)
				}
				b = append(b, text(d1.Text([]byte(name)))...)
			}
			b = append(b, '\n')
		}
		for i, v := range row {
			if i > 0 {
				b = append(b, separator...)
			}
			b = append(b, text(v)...)
		}
		if row != nil {
			b = append(b, '\n')
		}
		return b
	}
}

// csvField quotes what needs quotes: an empty text too, which is not NULL.
func csvField(s string) string {
	if s != "" && !strings.ContainsAny(s, ",\"\r\n") && s[0] != ' ' && s[len(s)-1] != ' ' {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// shown is a value in a list or on a line.
func (p *Printer) shown(v d1.Value) string {
	switch {
	case v.IsNull():
		return "<NULL>"
	case p.Terminal:
		return Printable(plain(v))
	}
	return plain(v)
}

// plain returns the whole of a value as text: a blob as an SQL literal.
func plain(v d1.Value) string {
	switch v.Kind() {
	case d1.KindText:
		return string(v.Bytes())
	case d1.KindBlob:
		return "x'" + hex.EncodeToString(v.Bytes()) + "'"
	case d1.KindInteger:
		return integer(v)
	case d1.KindReal:
		f, _ := v.Float64()
		return real(f)
	}
	return ""
}

func integer(v d1.Value) string {
	if n, ok := v.Int64(); ok {
		return strconv.FormatInt(n, 10)
	}
	f, _ := v.Float64()
	return strconv.FormatFloat(f, 'f', -1, 64)
}
