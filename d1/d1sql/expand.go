package d1sql

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// expand makes statements that D1 takes of one with more parameters than D1 allows.
// It is not ok if that cannot be done, or not without a change of meaning.
func expand(s sqltext.Statement, args []any) ([]d1.Statement, bool) {
	if rows, ok := s.InsertRows(); ok {
		return splitRows(s, args, rows)
	}
	one, ok := shortenLists(s, args)
	return []d1.Statement{one}, ok
}

// integerBytes is how long an integer may be where a place writes it into the text.
const integerBytes = 24

// splitRows makes several INSERTs of one with many rows. Each takes as many rows as
// it can, and has the head and the tail of the whole.
func splitRows(s sqltext.Statement, args []any, rows []sqltext.Span) ([]d1.Statement, bool) {
	tail := sqltext.Span{Start: rows[len(rows)-1].End, End: len(s.Text)}
	if len(rows) < 2 || namesColumns(s, tail) {
		return nil, false
	}
	var all []d1.Statement
	for first := 0; first < len(rows); {
		count := 0
		used := make(map[int]bool) // the parameters of the rows and the tail
		size := len(s.Text[:rows[0].Start]) + tail.End - tail.Start
		use(used, s, tail)
		for _, row := range rows[first:] {
			use(used, s, row)
			size += row.End - row.Start + 2
			if len(used) > d1.MaxParams || size+len(used)*integerBytes > d1.MaxStatementBytes {
				break
			}
			count++
		}
		if count == 0 {
			return nil, false
		}
		w := newTextWriter(s, args)
		w.copy(0, rows[0].Start)
		w.copy(rows[first].Start, rows[first+count-1].End)
		w.copy(tail.Start, tail.End)
		all = append(all, w.statement())
		first += count
	}
	return all, true
}

// use notes the parameters in a part of the text.
func use(used map[int]bool, s sqltext.Statement, part sqltext.Span) {
	for _, p := range paramsIn(s, part.Start, part.End) {
		used[p.Number] = true
	}
}

// paramsIn returns the parameters in a part of the text.
func paramsIn(s sqltext.Statement, start, end int) []sqltext.Param {
	find := func(pos int) int {
		i, _ := slices.BinarySearchFunc(s.Params, pos, func(p sqltext.Param, pos int) int { return cmp.Compare(p.Start, pos) })
		return i
	}
	return s.Params[find(start):find(end)]
}

// namesColumns reports whether RETURNING may have a column called by a parameter
// that will be written otherwise.
func namesColumns(s sqltext.Statement, tail sqltext.Span) bool {
	if !s.ReturnsRows {
		return false
	}
	for _, p := range paramsIn(s, tail.Start, tail.End) {
		if p.Name != "" {
			return true
		}
	}
	return false
}

// shortenLists writes the longest lists of IN with one parameter or fewer, until there
// are few enough of them.
func shortenLists(s sqltext.Statement, args []any) (d1.Statement, bool) {
	lists, named := s.InLists()
	if named {
		return d1.Statement{}, false // the parameter will be written otherwise
	}
	bySize := slices.Clone(lists)
	slices.SortStableFunc(bySize, func(a, b sqltext.Span) int {
		return len(paramsIn(s, b.Start, b.End)) - len(paramsIn(s, a.Start, a.End))
	})
	forms := make(map[sqltext.Span]listForm)
	for _, list := range bySize {
		forms[list] = formOf(s, list, args)
		w := newTextWriter(s, args)
		pos := 0
		for _, list := range lists {
			if form := forms[list]; form != asIs {
				w.copy(pos, list.Start)
				w.list(list, form)
				pos = list.End
			}
		}
		w.copy(pos, len(s.Text))
		if len(w.args) <= d1.MaxParams {
			return w.statement(), w.ok
		}
	}
	return d1.Statement{}, false
}

// listForm is how a list is written. All of them compare as the list does: with the
// affinity of what stands before IN.
type listForm uint8

const (
	asIs listForm = iota
	// (SELECT value FROM json_each(?)) compares as a column without affinity does,
	// which makes no difference to a text.
	jsonTexts
	// (SELECT +value FROM json_each(?)) compares as an expression does. Only a column
	// of REAL affinity tells it from a list, by integers beyond 2^53.
	jsonValues
	// (1, -2, ?) has its integers written down.
	literals
)

// formOf says which form takes the values of a list exactly. JSON carries no blobs,
// and no reals to the last bit.
func formOf(s sqltext.Statement, list sqltext.Span, args []any) listForm {
	integers, large, largeTexts := 0, 0, 0
	for _, p := range paramsIn(s, list.Start, list.End) {
		switch value := args[p.Number-1].(type) {
		case nil:
		case string:
			if mayBeLarge(value) {
				largeTexts++
			}
		case int64:
			integers++
			if value < -d1.MaxExactInteger || value > d1.MaxExactInteger {
				large++
			}
		default:
			return literals
		}
	}
	switch {
	case integers == 0:
		return jsonTexts
	case large == 0 && largeTexts == 0:
		return jsonValues
	}
	return literals
}

// mayBeLarge reports whether a text may be that of an integer beyond 2^53.
func mayBeLarge(text string) bool {
	digits := 0
	for i := range len(text) {
		if '0' <= text[i] && text[i] <= '9' {
			digits++
		}
	}
	return digits > 15
}

// list writes a list in another form.
func (w *textWriter) list(list sqltext.Span, form listForm) {
	params := paramsIn(w.s, list.Start, list.End)
	if form == literals {
		pos := list.Start
		for _, p := range params {
			if n, ok := w.old[p.Number-1].(int64); ok {
				w.copy(pos, p.Start)
				w.b.WriteString(strconv.FormatInt(n, 10))
				pos = p.End
			}
		}
		w.copy(pos, list.End)
		return
	}
	values := make([]any, len(params))
	for i, p := range params {
		values[i] = w.old[p.Number-1]
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(values) != nil || b.Len() > d1.MaxValueBytes {
		w.ok = false
	}
	w.args = append(w.args, strings.TrimSuffix(b.String(), "\n"))
	column := "value"
	if form == jsonValues {
		column = "+value"
	}
	w.b.WriteString("(SELECT " + column + " FROM json_each(?" + strconv.Itoa(len(w.args)) + "))")
}

// textWriter writes parts of a statement with the parameters that are in them.
type textWriter struct {
	s       sqltext.Statement
	old     []any
	b       strings.Builder
	args    []any
	numbers []int // the new number of each parameter by its old one less 1
	ok      bool
}

func newTextWriter(s sqltext.Statement, args []any) *textWriter {
	return &textWriter{s: s, old: args, numbers: make([]int, len(args)), ok: true}
}

// copy writes a part of the text. A plain ? stays as it is: it takes the next
// number, and no parameter before it can have had its own.
func (w *textWriter) copy(start, end int) {
	for _, p := range paramsIn(w.s, start, end) {
		w.b.WriteString(w.s.Text[start:p.Start])
		start = p.End
		number := &w.numbers[p.Number-1]
		if *number == 0 {
			w.args = append(w.args, w.old[p.Number-1])
			*number = len(w.args)
		}
		w.b.WriteByte('?')
		if p.Name != "" {
			w.b.WriteString(strconv.Itoa(*number))
		}
	}
	w.b.WriteString(w.s.Text[start:end])
}

func (w *textWriter) statement() d1.Statement {
	return d1.Statement{SQL: w.b.String(), Args: w.args}
}
