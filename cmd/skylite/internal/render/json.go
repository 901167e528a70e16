package render

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/d1"
)

// JSON writes results as wrangler does: an array with an object of results, success and
// meta for each statement. Rows are written as they arrive. It reads the results to
// their end and leaves closing them to the caller.
func JSON(w io.Writer, results *d1.Results) (Summary, error) {
	var sum Summary
	j := jsonWriter{w: w}
	separator := "[\n"
	for results.NextResult() {
		j.buf = append(j.buf, separator...)
		j.buf = append(j.buf, "  {\n    \"results\": ["...)
		j.rows(results, &sum)
		meta, err := json.MarshalIndent(results.Meta(), "    ", "  ")
		if err != nil {
			return sum, err
		}
		j.buf = append(j.buf, "],\n    \"success\": true,\n    \"meta\": "...)
		j.buf = append(append(j.buf, meta...), "\n  }"...)
		sum.add(results.Meta())
		separator = ",\n"
	}
	if err := results.Err(); err != nil {
		return sum, err
	}
	if separator == "[\n" {
		j.buf = append(j.buf, '[')
	} else {
		j.buf = append(j.buf, '\n')
	}
	j.buf = append(j.buf, "]\n"...)
	j.flush()
	return sum, j.err
}

type jsonWriter struct {
	w   io.Writer
	buf []byte
	err error
}

func (j *jsonWriter) flush() {
	if j.err == nil {
		_, j.err = j.w.Write(j.buf)
	}
	j.buf = j.buf[:0]
}

func (j *jsonWriter) rows(results *d1.Results, sum *Summary) {
	names, shown := keys(results.Columns())
	separator := "\n      {"
	for results.Next() && j.err == nil {
		row := results.Row()
		sum.look(results.Columns(), row)
		j.buf = append(j.buf, separator...)
		comma := "\n        "
		for i, name := range names {
			j.buf = append(append(j.buf, comma...), name...)
			j.buf = appendValue(append(j.buf, ": "...), row[shown[i]])
			comma = ",\n        "
		}
		j.buf = append(j.buf, "\n      }"...)
		separator = ",\n      {"
		j.flush()
	}
	if separator[0] == ',' {
		j.buf = append(j.buf, "\n    "...)
	}
}

// keys returns the keys of a row's object, quoted, and the columns whose values they
// have. Of columns with the same name the last one wins, at the first one's place, as
// in JavaScript.
func keys(columns []string) (names []string, shown []int) {
	place := make(map[string]int, len(columns))
	for i, column := range columns {
		if p, ok := place[column]; ok {
			shown[p] = i
			continue
		}
		place[column] = len(names)
		names = append(names, string(appendText(nil, []byte(column))))
		shown = append(shown, i)
	}
	return names, shown
}

// appendValue writes a value as D1 does: a blob as an array of its bytes.
func appendValue(b []byte, v d1.Value) []byte {
	switch v.Kind() {
	case d1.KindInteger:
		if n, ok := v.Int64(); ok {
			return strconv.AppendInt(b, n, 10)
		}
		return appendFloat(b, v)
	case d1.KindReal:
		return appendFloat(b, v)
	case d1.KindText:
		return appendText(b, v.Bytes())
	case d1.KindBlob:
		b = append(b, '[')
		for i, c := range v.Bytes() {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = strconv.AppendUint(b, uint64(c), 10)
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}

func appendFloat(b []byte, v d1.Value) []byte {
	f, _ := v.Float64()
	text, err := json.Marshal(f)
	if err != nil { // an infinity, which JSON has no number for
		return append(b, "null"...)
	}
	return append(b, text...)
}

func appendText(b, text []byte) []byte {
	plain := true
	for _, c := range text {
		plain = plain && c >= ' ' && c < 0x7f && c != '"' && c != '\\'
	}
	if plain {
		return append(append(append(b, '"'), text...), '"')
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(string(text)) // a string and a buffer cannot fail
	return append(b, strings.TrimSuffix(buf.String(), "\n")...)
}
