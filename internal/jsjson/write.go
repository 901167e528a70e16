// Package jsjson writes and reads JSON as JavaScript does.
//
// D1 is a JavaScript program: its answers are what JSON.stringify makes of
// JavaScript's numbers and strings, and its requests are read by JSON.parse. The
// Append functions give byte for byte what JSON.stringify gives, and allocate
// nothing beyond the room they need in the slice. [Reader] reads a document
// in one pass, as strictly as JSON.parse, and checks its UTF-8.
package jsjson

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
)

// maxSafe is the largest integer up to which every integer is a double.
const maxSafe = 1 << 53

// AppendInt appends an integer as JavaScript writes the double nearest to it.
func AppendInt(dst []byte, n int64) []byte {
	if -maxSafe <= n && n <= maxSafe {
		return strconv.AppendInt(dst, n, 10)
	}
	return AppendFloat(dst, float64(n))
}

// AppendFloat appends a number as ECMAScript's Number::toString writes it; the
// infinities and NaN, which JSON does not have, become null.
func AppendFloat(dst []byte, f float64) []byte {
	abs := math.Abs(f)
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return append(dst, "null"...)
	case abs < maxSafe && f == math.Trunc(f):
		return strconv.AppendInt(dst, int64(f), 10) // and so -0 is 0
	case abs >= 1e-6 && abs < 1e21:
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// Go pads an exponent to two digits, JavaScript does not.
	if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// AppendBlob appends bytes as an array of numbers.
func AppendBlob(dst, blob []byte) []byte {
	dst = append(dst, '[')
	for i, b := range blob {
		if i > 0 {
			dst = append(dst, ',')
		}
		if b >= 100 {
			dst = append(dst, '0'+b/100)
		}
		if b >= 10 {
			dst = append(dst, '0'+b/10%10)
		}
		dst = append(dst, '0'+b%10)
	}
	return append(dst, ']')
}

const hex = "0123456789abcdef"

// plain says of each byte below 0x80 whether it stands for itself in a string.
var plain = func() (table [utf8.RuneSelf]bool) {
	for c := range table {
		table[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return table
}()

// AppendString appends a string as a JSON string. See [AppendText].
func AppendString(dst []byte, text string) []byte { return AppendText(dst, []byte(text)) }

// AppendText appends a text as a JSON string, quotes included. What is not UTF-8
// becomes U+FFFD as in browsers: one for each longest beginning of a character.
func AppendText(dst, text []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; ; {
		if i += plainBytes(text[i:]); i == len(text) {
			break
		}
		if c := text[i]; c < utf8.RuneSelf {
			dst = append(dst, text[start:i]...)
			dst = appendEscaped(dst, c)
			i++
			start = i
			continue
		}
		size, ok := character(text, i)
		if !ok {
			dst = append(dst, text[start:i]...)
			dst = append(dst, "\uFFFD"...)
			start = i + size
		}
		i += size
	}
	dst = append(dst, text[start:]...)
	return append(dst, '"')
}

// plainBytes returns how many bytes stand for themselves, looking at eight at a time
// while it can.
func plainBytes(text []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(text); i += 8 {
		x := binary.LittleEndian.Uint64(text[i:])
		quote, slash := x^('"'*ones), x^('\\'*ones)
		// y-n*ones borrows into the top bit of a byte of y that is below n.
		special := (x-' '*ones)&^x | (quote-ones)&^quote | (slash-ones)&^slash
		if (special|x)&tops != 0 {
			break
		}
	}
	for i < len(text) && text[i] < utf8.RuneSelf && plain[text[i]] {
		i++
	}
	return i
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// character returns the length of the UTF-8 character at i, which is not ASCII. If
// it is broken, the length is that of its longest good beginning, at least 1: the
// WHATWG encoding standard replaces so much at a time, Go's utf8 each byte.
func character(text []byte, i int) (size int, ok bool) {
	want, low, high := lead(text[i])
	if want == 0 {
		return 1, false
	}
	for n := 1; n < want; n++ {
		if i+n >= len(text) || text[i+n] < low || text[i+n] > high {
			return n, false
		}
		low, high = 0x80, 0xBF
	}
	return want, true
}

// lead says how long the character is that a byte begins, and between which bounds
// the byte after it must be; the length is 0 if the byte begins none.
func lead(c byte) (size int, low, high byte) {
	switch {
	case c >= 0xC2 && c <= 0xDF:
		return 2, 0x80, 0xBF
	case c == 0xE0:
		return 3, 0xA0, 0xBF
	case c == 0xED:
		return 3, 0x80, 0x9F
	case c >= 0xE1 && c <= 0xEF:
		return 3, 0x80, 0xBF
	case c == 0xF0:
		return 4, 0x90, 0xBF
	case c >= 0xF1 && c <= 0xF3:
		return 4, 0x80, 0xBF
	case c == 0xF4:
		return 4, 0x80, 0x8F
	}
	return 0, 0, 0
}
