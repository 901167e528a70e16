package speculate

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrCut reports an answer that did not arrive whole.
var ErrCut = errors.New("the answer was cut or altered on its way through an error's text")

// Kind says what a message is.
type Kind uint8

// The kinds of message.
const (
	Other    Kind = iota // none of ours
	Answer               // an answer
	Conflict             // the conflict of a guard
)

// Read looks for a mark in an error's message. It returns an answer's payload, or
// the index of the guard that found a conflict.
func (m Marks) Read(message string) (kind Kind, payload string, index int, err error) {
	const head = "bad JSON path: '"
	i := strings.Index(message, head)
	if i < 0 {
		return Other, "", 0, nil
	}
	text := message[i+len(head):]
	if rest, ok := strings.CutPrefix(text, m.conflictMark()); ok {
		number, _, ok := strings.Cut(rest, "#")
		index, err := strconv.Atoi(number)
		if err != nil || !ok {
			return Conflict, "", 0, ErrCut
		}
		return Conflict, "", index, nil
	}
	rest, ok := strings.CutPrefix(text, m.answerMark())
	if !ok {
		return Other, "", 0, nil
	}
	size, rest, ok := strings.Cut(rest, ":")
	end := strings.LastIndex(rest, "#'")
	if !ok || end < 0 {
		return Answer, "", 0, ErrCut
	}
	payload = strings.ReplaceAll(rest[:end], "''", "'")
	if n, err := strconv.Atoi(size); err != nil || n != utf8.RuneCountInString(payload) {
		return Answer, "", 0, ErrCut
	}
	return Answer, payload, 0, nil
}

// Table is an answer of names and rows.
type Table struct {
	Columns []string
	Rows    []string // as [DecodeRow] reads them
}

// DecodeTable reads what [Marks.AnswerRows] and its like raise.
func DecodeTable(payload string) (Table, error) {
	d := decoder{text: payload}
	var t Table
	for _, name := range d.row() {
		text, ok := name.(string)
		if !ok {
			return t, ErrCut
		}
		t.Columns = append(t.Columns, text)
	}
	t.Columns = Original(t.Columns)
	if !d.take(';') {
		return t, ErrCut
	}
	count, ok := d.value().(int64)
	if !ok || !d.take(';') {
		return t, ErrCut
	}
	for i := range count {
		if i > 0 && !d.take(';') {
			return t, ErrCut
		}
		start := d.pos
		if d.row(); d.err != nil {
			return t, d.err
		}
		t.Rows = append(t.Rows, payload[start:d.pos])
	}
	if d.pos != len(payload) {
		return t, ErrCut
	}
	return t, d.err
}

// DecodeOne reads what [Marks.RaiseRow] or [Marks.AnswerNoRow] raises. kind and columns
// are empty for the latter.
func DecodeOne(payload string) (kind, columns string, t Table, err error) {
	d := decoder{text: payload}
	table := d.row()
	if len(table) != 2 || !d.take(';') {
		return "", "", t, ErrCut
	}
	kind, _ = table[0].(string)
	columns, _ = table[1].(string)
	t, err = DecodeTable(payload[d.pos:])
	return kind, columns, t, err
}

// DecodeLog reads what [Marks.AnswerLog] raises.
func DecodeLog(payload string) (changes int64, t Table, err error) {
	number, rest, ok := strings.Cut(payload, ";")
	changes, err = strconv.ParseInt(number, 10, 64)
	if err != nil || !ok {
		return 0, t, ErrCut
	}
	t, err = DecodeTable(rest)
	return changes, t, err
}

// DecodeReport reads what [Marks.AnswerReport] raises.
func DecodeReport(payload string) (changes, lastID int64, err error) {
	a, b, ok := strings.Cut(payload, ",")
	changes, err = strconv.ParseInt(a, 10, 64)
	if err == nil {
		lastID, err = strconv.ParseInt(b, 10, 64)
	}
	if err != nil || !ok {
		return 0, 0, ErrCut
	}
	return changes, lastID, nil
}

// DecodeRow reads the values of a row: nil, int64, float64, string and []byte.
func DecodeRow(text string) ([]any, error) {
	d := decoder{text: text}
	values := d.row()
	if d.err == nil && d.pos != len(text) {
		d.err = ErrCut
	}
	return values, d.err
}

// Literals returns the values of a row as SQL.
func Literals(row string) []string {
	var all []string
	d := decoder{text: row}
	for d.err == nil {
		start := d.pos
		d.value()
		literal := row[start:d.pos]
		if literal != "" && literal[0] == 'T' {
			literal = "CAST(" + literal[1:] + " AS TEXT)"
		}
		all = append(all, literal)
		if !d.take(',') {
			break
		}
	}
	return all
}

// Original undoes what SQLite does to the names of a subquery's columns when two are
// the same: the second "id" is called "id:1".
func Original(columns []string) []string {
	seen := make(map[string]bool, len(columns))
	for i, name := range columns {
		if base, number, ok := cutLast(name, ':'); ok && seen[strings.ToLower(base)] {
			if _, err := strconv.Atoi(number); err == nil {
				columns[i] = base
			}
		}
		seen[strings.ToLower(columns[i])] = true
	}
	return columns
}

func cutLast(s string, sep byte) (before, after string, ok bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// decoder reads values as quote() writes them.
type decoder struct {
	text string
	pos  int
	err  error
}

func (d *decoder) row() []any {
	values := []any{d.value()}
	for d.take(',') {
		values = append(values, d.value())
	}
	return values
}

func (d *decoder) take(c byte) bool {
	if d.err != nil || d.pos == len(d.text) || d.text[d.pos] != c {
		return false
	}
	d.pos++
	return true
}

func (d *decoder) fail() any {
	if d.err == nil {
		d.err = fmt.Errorf("%w: at %d", ErrCut, d.pos)
	}
	return nil
}

func (d *decoder) value() any {
	if d.err != nil || d.pos == len(d.text) {
		return d.fail()
	}
	switch c := d.text[d.pos]; {
	case c == '\'':
		return d.quoted()
	case c == 'N' && strings.HasPrefix(d.text[d.pos:], "NULL"):
		d.pos += len("NULL")
		return nil
	case c == 'X':
		d.pos++
		return d.blob()
	case c == 'T' && strings.HasPrefix(d.text[d.pos:], "TX"):
		d.pos += len("TX")
		if b, ok := d.blob().([]byte); ok {
			return string(b)
		}
		return nil
	}
	return d.number()
}

func (d *decoder) quoted() any {
	start := d.pos + 1
	doubled := false
	for i := start; i < len(d.text); i++ {
		if d.text[i] != '\'' {
			continue
		}
		if i+1 < len(d.text) && d.text[i+1] == '\'' {
			doubled = true
			i++
			continue
		}
		d.pos = i + 1
		if doubled {
			return strings.ReplaceAll(d.text[start:i], "''", "'")
		}
		return d.text[start:i]
	}
	return d.fail()
}

func (d *decoder) blob() any {
	if !d.take('\'') {
		return d.fail()
	}
	end := strings.IndexByte(d.text[d.pos:], '\'')
	if end < 0 {
		return d.fail()
	}
	b, err := hex.DecodeString(d.text[d.pos : d.pos+end])
	if err != nil {
		return d.fail()
	}
	d.pos += end + 1
	return b
}

func (d *decoder) number() any {
	end := d.pos
	real := false
	for ; end < len(d.text); end++ {
		switch c := d.text[end]; {
		case c >= '0' && c <= '9', c == '-', c == '+':
			continue
		case c == '.', c == 'e', c == 'E':
			real = true
			continue
		}
		break
	}
	text := d.text[d.pos:end]
	if !real {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return d.fail()
		}
		d.pos = end
		return n
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // infinity is written as 9.0e+999
		return d.fail()
	}
	d.pos = end
	return f
}
