package render

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/d1"
)

// Tables draws a table for each result that has columns. It reads the results to their
// end and leaves closing them to the caller.
func Tables(t *Table, results *d1.Results) (Summary, error) {
	var sum Summary
	for results.NextResult() {
		if columns := results.Columns(); len(columns) > 0 {
			t.Header(columns)
			for results.Next() {
				row := results.Row()
				sum.look(columns, row)
				if err := t.Row(cells(row)); err != nil {
					return sum, err
				}
			}
			if err := results.Err(); err != nil {
				return sum, err
			}
			if err := t.End(); err != nil {
				return sum, err
			}
		}
		sum.add(results.Meta())
	}
	return sum, results.Err()
}

func cells(row []d1.Value) []Cell {
	line := make([]Cell, len(row))
	for i, v := range row {
		line[i] = cell(v)
	}
	return line
}

// cell shows a value so that its kind can be told: NULL stands in angle brackets, a
// blob is an SQL literal, numbers are on the right.
func cell(v d1.Value) Cell {
	switch v.Kind() {
	case d1.KindInteger:
		return Cell{Text: integer(v), Right: true}
	case d1.KindReal:
		f, _ := v.Float64()
		return Cell{Text: real(f), Right: true}
	case d1.KindText:
		return Cell{Text: string(v.Bytes()[:min(len(v.Bytes()), 4*maxCell+1)])}
	case d1.KindBlob:
		b := v.Bytes()
		text := "x'" + hex.EncodeToString(b[:min(len(b), maxCell)])
		return Cell{Text: text + "'"}
	}
	return Cell{Text: "<NULL>", Dim: true}
}

// real writes a number as SQLite does: never like an integer.
func real(f float64) string {
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, ".eIN") {
		text += ".0"
	}
	return text
}
