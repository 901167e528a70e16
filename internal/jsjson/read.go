package jsjson

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// ErrTruncated is the cause of a [SyntaxError] of a document that ends too early.
var ErrTruncated = errors.New("Unexpected end of JSON input")

// SyntaxError says what is wrong with a document, and where.
type SyntaxError struct {
	// Offset is the position in bytes.
	Offset int
	// Err is what is wrong.
	Err error
}

// Error returns the message.
func (e *SyntaxError) Error() string {
	if e.Err == ErrTruncated {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v at position %d", e.Err, e.Offset)
}

// Unwrap returns what is wrong.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Kind is what sort of value stands in a document, as JavaScript's schema
// validators name it.
type Kind string

// The kinds of JSON values.
const (
	Invalid Kind = "invalid"
	Null    Kind = "null"
	Boolean Kind = "boolean"
	Number  Kind = "number"
	String  Kind = "string"
	Array   Kind = "array"
	Object  Kind = "object"
)

// Reader reads a document's values one after the other. After an error every
// method does nothing; [Reader.Err] has it.
type Reader struct {
	data     []byte
	pos      int
	depth    int
	maxDepth int
	err      error
}

// NewReader returns a Reader of a document whose arrays and objects may be maxDepth
// deep.
func NewReader(data []byte, maxDepth int) *Reader {
	return &Reader{data: data, maxDepth: maxDepth}
}

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// End reports whether the document has been read without an error and nothing
// follows.
func (r *Reader) End() error {
	if r.space(); r.err == nil && r.pos < len(r.data) {
		r.unexpected()
	}
	return r.err
}

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = &SyntaxError{Offset: r.pos, Err: err}
	}
	r.pos = len(r.data)
}

func (r *Reader) unexpected() {
	if r.pos >= len(r.data) {
		r.fail(ErrTruncated)
		return
	}
	if c := r.data[r.pos]; c >= ' ' && c < utf8.RuneSelf {
		r.fail(fmt.Errorf("Unexpected token '%c' in JSON", c))
		return
	}
	r.fail(errors.New("Unexpected token in JSON"))
}

func (r *Reader) space() {
	for r.pos < len(r.data) {
		switch r.data[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// Kind returns the kind of the next value without reading it.
func (r *Reader) Kind() Kind {
	r.space()
	if r.pos >= len(r.data) {
		return Invalid
	}
	switch c := r.data[r.pos]; {
	case c == '{':
		return Object
	case c == '[':
		return Array
	case c == '"':
		return String
	case c == 't' || c == 'f':
		return Boolean
	case c == 'n':
		return Null
	case c == '-' || c >= '0' && c <= '9':
		return Number
	}
	return Invalid
}

// Object reads an object: member is called for each key and must read its value.
func (r *Reader) Object(member func(key string)) {
	if !r.open('{') {
		return
	}
	for first := true; r.more('}', first); first = false {
		key := r.String()
		r.space()
		r.expect(':')
		if r.err != nil {
			return
		}
		member(key)
	}
}

// Array reads an array: element is called for each and must read it.
func (r *Reader) Array(element func(i int)) {
	if !r.open('[') {
		return
	}
	for i := 0; r.more(']', i == 0); i++ {
		element(i)
	}
}

func (r *Reader) open(c byte) bool {
	r.space()
	r.expect(c)
	r.depth++
	if r.err == nil && r.depth > r.maxDepth {
		r.fail(fmt.Errorf("JSON nested deeper than %d", r.maxDepth))
	}
	return r.err == nil
}

// more reads what stands between two elements, and reports whether another
// follows.
func (r *Reader) more(end byte, first bool) bool {
	if r.space(); r.err != nil {
		return false
	}
	if r.pos < len(r.data) && r.data[r.pos] == end {
		r.pos++
		r.depth--
		return false
	}
	if !first {
		r.expect(',')
		r.space()
	}
	return r.err == nil
}

func (r *Reader) expect(c byte) {
	if r.pos >= len(r.data) || r.data[r.pos] != c {
		r.unexpected()
		return
	}
	r.pos++
}

// Skip reads a value and drops it.
func (r *Reader) Skip() {
	switch r.Kind() {
	case Object:
		r.Object(func(string) { r.Skip() })
	case Array:
		r.Array(func(int) { r.Skip() })
	case String:
		r.skipString()
	case Number:
		r.numberText()
	case Boolean:
		r.Bool()
	case Null:
		r.Null()
	default:
		r.unexpected()
	}
}

// Null reads null.
func (r *Reader) Null() { r.word("null") }

// Bool reads true or false.
func (r *Reader) Bool() bool {
	if r.space(); r.pos < len(r.data) && r.data[r.pos] == 't' {
		r.word("true")
		return r.err == nil
	}
	r.word("false")
	return false
}

func (r *Reader) word(word string) {
	r.space()
	for i := range len(word) {
		r.expect(word[i])
		if r.err != nil {
			return
		}
	}
}

// Number reads a number as the double nearest to it; one too large is an infinity,
// as in JavaScript.
func (r *Reader) Number() float64 {
	text := r.numberText()
	if r.err != nil {
		return 0
	}
	if len(text) < 16 {
		// Small integers, which blobs are made of, need no allocation.
		if n, ok := digits(text); ok {
			return n
		}
	}
	f, _ := strconv.ParseFloat(string(text), 64) // the range is the only error left
	return f
}

func digits(text []byte) (float64, bool) {
	var n int64
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return float64(n), true
}

func (r *Reader) numberText() []byte {
	r.space()
	start := r.pos
	if r.at('-') {
		r.pos++
	}
	if r.at('0') {
		r.pos++
	} else {
		r.digits()
	}
	if r.at('.') {
		r.pos++
		r.digits()
	}
	if r.at('e') || r.at('E') {
		r.pos++
		if r.at('+') || r.at('-') {
			r.pos++
		}
		r.digits()
	}
	if r.err != nil {
		return nil
	}
	return r.data[start:r.pos]
}

func (r *Reader) at(c byte) bool { return r.pos < len(r.data) && r.data[r.pos] == c }

func (r *Reader) digits() {
	start := r.pos
	for r.pos < len(r.data) && r.data[r.pos] >= '0' && r.data[r.pos] <= '9' {
		r.pos++
	}
	if r.pos == start {
		r.unexpected()
	}
}
