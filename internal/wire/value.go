package wire

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/skylite-go/skylite/d1"
)

// value reads a cell. A text and a blob are decoded in their place, which is always
// large enough, and refer to it.
func (s *scanner) value(exact bool) d1.Value {
	switch c := s.token(); c {
	case '"':
		raw := s.string()
		if bytes.IndexByte(raw, '\\') < 0 {
			return d1.Text(raw)
		}
		return d1.Text(s.unescape(raw))
	case '[':
		return d1.Blob(s.blob())
	default:
		return s.scalar(s.word(), exact)
	}
}

func (s *scanner) scalar(word []byte, exact bool) d1.Value {
	switch string(word) {
	case "null":
		return d1.Null()
	case "true":
		return d1.Integer(1)
	case "false":
		return d1.Integer(0)
	}
	if bytes.ContainsAny(word, ".eE") {
		return d1.Real(s.float(word))
	}
	n, err := strconv.ParseInt(string(word), 10, 64)
	switch {
	case err == nil && (exact || n <= d1.MaxExactInteger && n >= -d1.MaxExactInteger):
		return d1.Integer(n)
	case err != nil && !errors.Is(err, strconv.ErrRange):
		s.fail()
		return d1.Null()
	}
	// JavaScript writes doubles up to 10^21 without an exponent. Up to 2^63 one may have
	// been an integer.
	f := s.float(word)
	if math.Abs(f) <= 1<<63 {
		return d1.RoundedInteger(f)
	}
	return d1.Real(f)
}

func (s *scanner) float(word []byte) float64 {
	f, err := strconv.ParseFloat(string(word), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // too large is an infinity, as it should be
		s.fail()
	}
	return f
}

// blob reads an array of bytes.
func (s *scanner) blob() []byte {
	start := s.pos
	s.expect('[')
	out := start
	for first := true; s.more(']', first); first = false {
		n, digits := 0, 0
		for ; s.pos < len(s.buf) && s.buf[s.pos] >= '0' && s.buf[s.pos] <= '9' && n < 256; s.pos++ {
			n = n*10 + int(s.buf[s.pos]-'0')
			digits++
		}
		if digits == 0 || n > 255 {
			s.fail()
			return nil
		}
		s.buf[out] = byte(n) // a byte takes two characters at least, so this is behind pos
		out++
	}
	return s.buf[start:out:out]
}

// unescape decodes the inside of a string in its place.
func (s *scanner) unescape(raw []byte) []byte {
	out := bytes.IndexByte(raw, '\\')
	for in := out; in < len(raw); {
		if raw[in] != '\\' {
			raw[out] = raw[in]
			in++
			out++
			continue
		}
		r, n := escape(raw[in:])
		if n == 0 {
			s.fail()
			return nil
		}
		in += n
		out += utf8.EncodeRune(raw[out:], r)
	}
	return raw[:out:out]
}

// escape returns what the escape at the start of b stands for, and its length, or 0 if
// it is none. Half a surrogate pair is U+FFFD.
func escape(b []byte) (r rune, n int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'n':
		return '\n', 2
	case 't':
		return '\t', 2
	case 'r':
		return '\r', 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	}
	high, ok := hex4(b)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(high) {
		return high, 6
	}
	if low, ok := hex4(b[6:]); ok {
		if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
			return r, 12
		}
	}
	return utf8.RuneError, 6
}

// hex4 reads \uXXXX.
func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 32)
	return rune(n), err == nil
}
