package jsjson

import (
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// String reads a string. Half of a surrogate pair by itself becomes U+FFFD, as it
// does when JavaScript turns such a string into UTF-8.
func (r *Reader) String() string {
	r.space()
	start := r.pos + 1
	end, escaped := r.skipString()
	if r.err != nil {
		return ""
	}
	raw := r.data[start:end]
	if escaped {
		raw = unescape(make([]byte, 0, len(raw)), raw)
	}
	return string(raw)
}

var errControl = errors.New("Bad control character in string literal in JSON")
var errEscape = errors.New("Bad escaped character in JSON")
var errUTF8 = errors.New("invalid UTF-8 in JSON")

// skipString reads a string without keeping it, and returns where its closing quote
// is.
func (r *Reader) skipString() (end int, escaped bool) {
	r.expect('"')
	for r.err == nil {
		if r.pos >= len(r.data) {
			r.fail(ErrTruncated)
			break
		}
		switch c := r.data[r.pos]; {
		case c == '"':
			r.pos++
			return r.pos - 1, escaped
		case c == '\\':
			escaped = true
			r.escape()
		case c < ' ':
			r.fail(errControl)
		case c < utf8.RuneSelf:
			r.pos++
		default:
			size, ok := character(r.data, r.pos)
			if !ok {
				r.fail(errUTF8)
				break
			}
			r.pos += size
		}
	}
	return 0, false
}

// escape checks the escape at the backslash and goes behind it.
func (r *Reader) escape() {
	if r.pos++; r.pos >= len(r.data) {
		r.fail(ErrTruncated)
		return
	}
	switch r.data[r.pos] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		r.pos++
	case 'u':
		r.pos++
		for range 4 {
			if r.pos >= len(r.data) {
				r.fail(ErrTruncated)
				return
			}
			if _, ok := hexDigit(r.data[r.pos]); !ok {
				r.fail(errEscape)
				return
			}
			r.pos++
		}
	default:
		r.fail(errEscape)
	}
}

// unescape appends what a string stands for; its escapes have been checked.
func unescape(dst, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			dst = append(dst, raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			unit := hexUnit(raw[i+1:])
			i += 4
			if utf16.IsSurrogate(unit) {
				pair := rune(utf8.RuneError)
				if i+6 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
					pair = utf16.DecodeRune(unit, hexUnit(raw[i+3:]))
				}
				if unit = pair; pair != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, unit)
		default:
			dst = append(dst, raw[i])
		}
	}
	return dst
}

func hexUnit(raw []byte) (unit rune) {
	for _, c := range raw[:4] {
		digit, _ := hexDigit(c)
		unit = unit<<4 | rune(digit)
	}
	return unit
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
