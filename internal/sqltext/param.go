package sqltext

import "strings"

// MaxParam is the largest number SQLite allows in ?NNN, and the largest count
// of parameters, unless it was compiled or told otherwise. D1 allows 100.
const MaxParam = 32766

// A Param is one occurrence of a parameter in a statement.
type Param struct {
	// Start and End are the byte range in Statement.Text.
	Start, End int

	// Name is the parameter as it is written, sign included: ":id", "?3". It
	// is empty for a plain question mark. This is what
	// sqlite3_bind_parameter_name returns at the first use of a number.
	Name string

	// Number is SQLite's number of the parameter, from 1 on. A plain question
	// mark takes one more than the largest number so far, ?NNN takes NNN, and a
	// name takes the number it had before or else one more than the largest.
	// Number is 0 for a ?NNN that SQLite does not allow.
	Number int
}

// String returns the parameter as it is written in the text.
func (p Param) String() string {
	if p.Name == "" {
		return "?"
	}
	return p.Name
}

// NumParams returns how many values the statement takes, which is the largest
// parameter number: ?3 alone makes it three.
func (s Statement) NumParams() int {
	n := 0
	for _, p := range s.Params {
		n = max(n, p.Number)
	}
	return n
}

// ReplaceParams returns the text with each parameter replaced by what f
// returns for it; p.String() keeps it. It adds a space where the replacement
// would otherwise grow together with its neighbour, as -5 would in "1-?".
func (s Statement) ReplaceParams(f func(p Param) string) string {
	if len(s.Params) == 0 {
		return s.Text
	}
	var b strings.Builder
	b.Grow(len(s.Text) + 4*len(s.Params))
	last := byte(' ')
	pos := 0
	for _, p := range s.Params {
		if p.Start > pos {
			b.WriteString(s.Text[pos:p.Start])
			last = s.Text[p.Start-1]
		}
		pos = p.End
		text := f(p)
		if text == "" {
			continue
		}
		if clash(last, text[0]) {
			b.WriteByte(' ')
		}
		b.WriteString(text)
		last = text[len(text)-1]
		if pos < len(s.Text) && clash(last, s.Text[pos]) {
			b.WriteByte(' ')
			last = ' '
		}
	}
	b.WriteString(s.Text[pos:])
	return b.String()
}

// clash reports whether two bytes that end and begin a token must not touch.
func clash(a, b byte) bool {
	return isID(a) && isID(b) || a == '-' && b == '-' || a == '\'' && b == '\''
}

// manyParams is where looking through the list becomes slower than a map.
const manyParams = 16

// numbering gives parameters their numbers.
type numbering struct {
	largest int
	byName  map[string]int // from manyParams on
}

func (r *reader) param(t Token) {
	p := Param{Start: t.Start - r.start, End: t.End - r.start}
	n := &r.params
	text := t.Text(r.sql)
	switch {
	case text == "?":
		p.Number = n.largest + 1
	case text[0] == '?':
		p.Name = text
		p.Number = paramNumber(text[1:])
		if p.Number == 0 {
			r.fault(t, BadParamNumber)
		}
	default:
		p.Name = text
		p.Number = n.named(text, r.st.Params)
	}
	n.largest = max(n.largest, p.Number)
	r.st.Params = append(r.st.Params, p)
}

// named returns the number of a named parameter, given those before it.
func (n *numbering) named(name string, before []Param) int {
	if n.byName == nil && len(before) >= manyParams {
		n.byName = make(map[string]int, 2*manyParams)
		for _, p := range before {
			n.byName[p.Name] = p.Number
		}
	}
	if n.byName == nil {
		for _, p := range before {
			if p.Name == name {
				return p.Number
			}
		}
		return n.largest + 1
	}
	number, ok := n.byName[name]
	if !ok {
		number = n.largest + 1
		n.byName[name] = number
	}
	return number
}

// paramNumber returns the number in ?NNN, or 0 if SQLite does not allow it.
func paramNumber(digits string) int {
	n := 0
	for i := range len(digits) {
		n = 10*n + int(digits[i]-'0')
		if n > MaxParam {
			return 0
		}
	}
	return n
}
