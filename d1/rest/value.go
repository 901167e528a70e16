package rest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/skylite-go/skylite/d1"
)

// span is where a text or a blob of the current row stands, relative to mark.
type span struct {
	column     int
	start, end int
	blob       bool
}

// row reads an array into row, which has a place for each column. Texts and
// blobs refer to the buffer, in which they are decoded in place: what they
// decode to is never longer than their JSON. They are valid until the next read.
func (d *reader) row(row []d1.Value, spans []span) ([]span, bool) {
	spans = spans[:0]
	if d.token() != '[' {
		d.fail()
		return spans, false
	}
	d.mark = d.r
	d.r++
	n := 0
	for ; d.element(); n++ {
		if n == len(row) {
			d.err = fmt.Errorf("%w: a row has more values than columns", errSyntax)
			return spans, false
		}
		switch c := d.buf[d.r]; c {
		case '"':
			start, end, ok := d.text()
			if !ok {
				return spans, false
			}
			spans = append(spans, span{column: n, start: start, end: end})
		case '[':
			start, end, ok := d.blob()
			if !ok {
				return spans, false
			}
			spans = append(spans, span{column: n, start: start, end: end, blob: true})
		case 'n', 't', 'f':
			row[n] = d.word()
		default:
			row[n] = d.number()
		}
		if d.err != nil {
			return spans, false
		}
	}
	if d.err == nil && n < len(row) {
		d.err = fmt.Errorf("%w: a row has fewer values than columns", errSyntax)
	}
	if d.err != nil {
		return spans, false
	}
	for _, s := range spans {
		b := d.buf[d.mark+s.start : d.mark+s.end : d.mark+s.end]
		if s.blob {
			row[s.column] = d1.Blob(b)
		} else {
			row[s.column] = d1.Text(b)
		}
	}
	return spans, true
}

// word reads null, true or false.
func (d *reader) word() d1.Value {
	start := d.r - d.mark
	if !d.skipWord() {
		return d1.Null()
	}
	switch string(d.buf[d.mark+start : d.r]) {
	case "null":
		return d1.Null()
	case "true":
		return d1.Integer(1)
	case "false":
		return d1.Integer(0)
	}
	d.fail()
	return d1.Null()
}

// exactDigits is how many digits fit into an int64, whatever they are.
const exactDigits = 18

// number reads a number. One without fraction and exponent is an integer if it
// is within 2^53, a rounded one if it may once have been an int64 (2^63-1 itself
// is rounded to 2^63), and else a real.
func (d *reader) number() d1.Value {
	start := d.r - d.mark
	negative := d.buf[d.r] == '-'
	if negative {
		d.r++
	}
	first := d.r - d.mark
	var n int64
	for {
		for d.r < d.w {
			c := d.buf[d.r] - '0'
			if c > 9 {
				return d.numberEnd(start, first, n, negative)
			}
			n = n*10 + int64(c) // more than exactDigits are read again
			d.r++
		}
		if !d.more() {
			return d1.Null()
		}
	}
}

func (d *reader) numberEnd(start, first int, n int64, negative bool) d1.Value {
	digits := d.r - d.mark - first
	c := d.buf[d.r]
	switch {
	case digits == 0:
		d.fail()
		return d1.Null()
	case c == '.' || c|0x20 == 'e':
		if f, ok := d.fraction(n, digits, negative); ok {
			return d1.Real(f)
		}
		f := d.float(start)
		return d1.Real(f)
	case digits > exactDigits:
		f := d.float(start)
		if math.Abs(f) <= 1<<63 {
			return d1.RoundedInteger(f)
		}
		return d1.Real(f)
	}
	if negative {
		n = -n
	}
	if n > d1.MaxExactInteger || n < -d1.MaxExactInteger {
		return d1.RoundedInteger(float64(n))
	}
	return d1.Integer(n)
}

// powers are those of ten that a float64 holds exactly and a short fraction may need.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// fraction reads what stands behind the point of a number with few digits. Both the digits
// and the power of ten are exact as a float64, and so one division rounds as it must.
func (d *reader) fraction(n int64, digits int, negative bool) (f float64, ok bool) {
	if d.buf[d.r] != '.' || digits >= len(powers) {
		return 0, false
	}
	i := d.r + 1
	for ; i < d.w; i++ {
		c := d.buf[i] - '0'
		if c > 9 {
			break
		}
		n = n*10 + int64(c)
	}
	places := i - d.r - 1
	if i == d.w || places == 0 || digits+places >= len(powers) || inWord(d.buf[i]) {
		return 0, false
	}
	d.r = i
	f = float64(n) / powers[places]
	if negative {
		f = -f
	}
	return f, true
}

// float reads the rest of a number that begins at start.
func (d *reader) float(start int) float64 {
	for {
		for d.r < d.w {
			c := d.buf[d.r]
			if (c < '0' || c > '9') && c != '.' && c|0x20 != 'e' && c != '-' && c != '+' {
				f, err := strconv.ParseFloat(string(d.buf[d.mark+start:d.r]), 64)
				if err != nil && !errors.Is(err, strconv.ErrRange) {
					d.fail()
				}
				return f
			}
			d.r++
		}
		if !d.more() {
			return 0
		}
	}
}

// text reads a string, decodes it in place and returns where it stands, relative
// to mark.
func (d *reader) text() (start, end int, ok bool) {
	d.r++
	start = d.r - d.mark
	from := d.r
	for {
		window := d.buf[from:d.w]
		quote := bytes.IndexByte(window, '"')
		if quote >= 0 {
			window = window[:quote]
		}
		if i := bytes.IndexByte(window, '\\'); i >= 0 {
			d.r = from + i
			end, ok = d.escaped()
			return start, end, ok
		}
		if quote >= 0 {
			d.r = from + quote + 1
			return start, d.r - 1 - d.mark, true
		}
		scanned := d.w - d.mark
		if !d.more() {
			return 0, 0, false
		}
		from = d.mark + scanned
	}
}

// escaped reads a string from its first backslash on, and moves what follows
// down over the escapes. It returns the end, relative to mark.
func (d *reader) escaped() (end int, ok bool) {
	out := d.r - d.mark
	for {
		i := d.r
		for i < d.w && d.buf[i] != '"' && d.buf[i] != '\\' {
			i++
		}
		out += copy(d.buf[d.mark+out:], d.buf[d.r:i])
		d.r = i
		c, ok := d.peek(0)
		switch {
		case !ok:
			return 0, false
		case c == '"':
			d.r++
			return out, true
		case c == '\\':
			r, ok := d.escape()
			if !ok {
				return 0, false
			}
			out += utf8.EncodeRune(d.buf[d.mark+out:], r)
		}
	}
}

// peek returns the byte i places on.
func (d *reader) peek(i int) (byte, bool) {
	for d.r+i >= d.w {
		if !d.more() {
			return 0, false
		}
	}
	return d.buf[d.r+i], true
}

// escape reads a backslash and what it stands for.
func (d *reader) escape() (rune, bool) {
	c, ok := d.peek(1)
	if !ok {
		return 0, false
	}
	if c == 'u' {
		return d.unicode()
	}
	d.r += 2
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'n':
		return '\n', true
	case 't':
		return '\t', true
	case 'r':
		return '\r', true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	}
	d.fail()
	return 0, false
}

// unicode reads \uXXXX, and a second one if both make a surrogate pair. Half a
// pair is U+FFFD.
func (d *reader) unicode() (rune, bool) {
	high, ok := d.hex4()
	if !ok || !utf16.IsSurrogate(high) {
		return high, ok
	}
	for i, want := range []byte(`\u`) {
		c, ok := d.peek(i)
		if !ok {
			return 0, false
		}
		if c != want {
			return utf8.RuneError, true
		}
	}
	at := d.r - d.mark
	low, ok := d.hex4()
	r := utf16.DecodeRune(high, low)
	if r == utf8.RuneError {
		d.r = d.mark + at // the second one stands for itself
	}
	return r, ok
}

// hex4 reads \uXXXX.
func (d *reader) hex4() (rune, bool) {
	if _, ok := d.peek(5); !ok {
		return 0, false
	}
	var r rune
	for _, c := range d.buf[d.r+2 : d.r+6] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			d.fail()
			return 0, false
		}
	}
	d.r += 6
	return r, true
}

// blob reads an array of bytes, puts them in its place and returns where they
// stand, relative to mark. A byte takes at least two characters of JSON, so the
// bytes never reach what is yet to be read.
func (d *reader) blob() (start, end int, ok bool) {
	start = d.r - d.mark
	d.r++
	out := start
	for d.element() {
		n, digits := 0, 0
		for {
			if d.r == d.w && !d.more() {
				return 0, 0, false
			}
			c := d.buf[d.r] - '0'
			if c > 9 {
				break
			}
			n = n*10 + int(c)
			digits++
			d.r++
			if n > 255 {
				d.fail()
				return 0, 0, false
			}
		}
		if digits == 0 {
			d.fail()
			return 0, 0, false
		}
		d.buf[d.mark+out] = byte(n)
		out++
	}
	return start, out, d.err == nil
}
