package rest

import (
	"errors"
	"fmt"
	"io"
)

// Sizes of a reader's buffer.
const (
	firstBuffer = 4 << 10
	usualBuffer = 64 << 10
	// maxBuffer bounds what must be in memory at once: a row, or a meta. D1's rows
	// have 2 MB, and JSON takes at most six bytes for one.
	maxBuffer = 64 << 20
)

// maxDepth bounds how deep the values may nest that nobody asked for.
const maxDepth = 200

// reader reads JSON from a buffer that it fills again and again. It keeps what
// stands behind mark, so that positions relative to mark stay good while those
// in buf do not. Its first error stays.
//
// It is lenient where strictness would cost time and save nobody: commas are
// not counted, and a value that is skipped need only have balanced brackets.
type reader struct {
	src  io.Reader // nil: the buffer holds everything
	buf  []byte
	r, w int   // the unread part of buf
	mark int   // the part to keep begins here, or -1: at r
	gone int64 // bytes that have left the buffer
	err  error
}

var errSyntax = errors.New("malformed JSON")

// position is how many bytes have been read.
func (d *reader) position() int64 { return d.gone + int64(d.r) }

// more reads more bytes behind w. It returns false at the end and on an error.
func (d *reader) more() bool {
	if d.err != nil {
		return false
	}
	if d.src == nil {
		d.err = io.ErrUnexpectedEOF
		return false
	}
	d.makeRoom()
	for range 100 {
		if d.err != nil {
			return false
		}
		n, err := d.src.Read(d.buf[d.w:])
		d.w += n
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if n > 0 {
			if err != nil { // it comes again
				d.src = failing{err}
			}
			return true
		}
		d.err = err
	}
	d.err = io.ErrNoProgress
	return false
}

// failing is a source that broke.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (d *reader) makeRoom() {
	keep := d.r
	if d.mark >= 0 {
		keep = d.mark
	}
	size := len(d.buf)
	switch {
	case size == 0:
		size = firstBuffer
	case size < usualBuffer && d.w == size:
		size *= 4
	case d.w-keep > size/2:
		size *= 2
	}
	if size > maxBuffer {
		d.err = fmt.Errorf("a row or value of more than %d bytes", maxBuffer)
		return
	}
	if size > len(d.buf) {
		bigger := make([]byte, size)
		copy(bigger, d.buf[keep:d.w])
		d.buf = bigger
	} else {
		copy(d.buf, d.buf[keep:d.w])
	}
	d.r -= keep
	d.w -= keep
	d.gone += int64(keep)
	if d.mark >= 0 {
		d.mark = 0
	}
}

// fail records an error of form.
func (d *reader) fail() {
	if d.err == nil {
		d.err = fmt.Errorf("%w at byte %d", errSyntax, d.gone+int64(d.r))
	}
}

// token returns the next byte that is no white space, without reading it, or 0
// at the end.
func (d *reader) token() byte {
	if d.r < d.w && d.buf[d.r] > ' ' {
		return d.buf[d.r]
	}
	return d.nextToken()
}

// nextToken is the part of token that is too long to be inlined.
func (d *reader) nextToken() byte {
	for {
		for d.r < d.w {
			switch c := d.buf[d.r]; c {
			case ' ', '\n', '\t', '\r':
				d.r++
			case 0:
				d.fail()
				return 0
			default:
				return c
			}
		}
		if !d.more() {
			return 0
		}
	}
}

// accept reads the token if it is c.
func (d *reader) accept(c byte) bool {
	if d.token() != c {
		return false
	}
	d.r++
	return true
}

// expect is accept where nothing else may stand.
func (d *reader) expect(c byte) bool {
	if d.accept(c) {
		return true
	}
	d.fail()
	return false
}

// ended reports whether nothing but white space is left.
func (d *reader) ended() bool {
	if d.token() != 0 {
		return false
	}
	return d.err == io.ErrUnexpectedEOF
}

// key is one of the keys of an answer.
type key uint8

const (
	keyEnd key = iota // the end of the object, or an error
	keyOther
	keyResult
	keySuccess
	keyErrors
	keyResults
	keyMeta
	keyColumns
	keyRows
	keyError
)

// member goes on to the next member of an object, up to its value.
func (d *reader) member() key {
	d.accept(',')
	if d.accept('}') || d.token() == 0 || d.err != nil {
		return keyEnd
	}
	if d.token() != '"' {
		d.fail()
		return keyEnd
	}
	d.mark = d.r
	if !d.skipString() {
		return keyEnd
	}
	k := keyOf(d.buf[d.mark+1 : d.r-1])
	d.mark = -1
	if !d.expect(':') {
		return keyEnd
	}
	return k
}

func keyOf(name []byte) key {
	switch string(name) {
	case "result":
		return keyResult
	case "success":
		return keySuccess
	case "errors":
		return keyErrors
	case "results":
		return keyResults
	case "meta":
		return keyMeta
	case "columns":
		return keyColumns
	case "rows":
		return keyRows
	case "error":
		return keyError
	}
	return keyOther
}

// element goes on to the next element of an array; false is its end, or an error.
func (d *reader) element() bool {
	c := d.token()
	if c == ',' {
		d.r++
		c = d.token()
	}
	if c == ']' {
		d.r++
		return false
	}
	return c != 0 && d.err == nil
}

// truth reads a value and says whether it is true.
func (d *reader) truth() bool {
	yes := d.token() == 't'
	d.skip()
	return yes
}

// skip reads over a value.
func (d *reader) skip() {
	depth := 0
	for {
		switch c := d.token(); c {
		case 0:
			return
		case '"':
			if !d.skipString() {
				return
			}
		case '{', '[':
			d.r++
			if depth++; depth > maxDepth {
				d.err = fmt.Errorf("%w: nested too deeply", errSyntax)
				return
			}
			continue
		case '}', ']':
			if depth--; depth < 0 {
				d.fail()
				return
			}
			d.r++
		case ',', ':':
			if depth == 0 {
				d.fail()
				return
			}
			d.r++
			continue
		default:
			if !d.skipWord() {
				return
			}
		}
		if depth == 0 {
			return
		}
	}
}

// skipWord reads over a number, true, false or null.
func (d *reader) skipWord() bool {
	start := d.gone + int64(d.r)
	for {
		for d.r < d.w {
			c := d.buf[d.r]
			if !inWord(c) {
				if d.gone+int64(d.r) == start {
					d.fail()
					return false
				}
				return true
			}
			d.r++
		}
		if !d.more() {
			return false
		}
	}
}

// inWord reports whether a byte may be part of a number, true, false or null.
func inWord(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '+' || c == '.'
}

// skipString reads over a string, and leaves it as it is.
func (d *reader) skipString() bool {
	d.r++
	for {
		for d.r < d.w {
			switch d.buf[d.r] {
			case '"':
				d.r++
				return true
			case '\\':
				if d.r+1 == d.w && !d.more() {
					return false
				}
				d.r++
			}
			d.r++
		}
		if !d.more() {
			return false
		}
	}
}

// raw reads a value and returns its bytes, which are valid until the next read.
func (d *reader) raw() []byte {
	d.token()
	d.mark = d.r
	d.skip()
	b := d.buf[d.mark:d.r]
	d.mark = -1
	if d.err != nil {
		return nil
	}
	return b
}
