package embedded

import (
	"bytes"
	"encoding/hex"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/skylite-go/skylite/d1"
)

// appendValue writes a value as an expression that is the same value to the bit.
func appendValue(dst []byte, v d1.Value) []byte {
	switch v.Kind() {
	case d1.KindInteger:
		n, _ := v.Int64()
		return strconv.AppendInt(dst, n, 10)
	case d1.KindReal:
		f, _ := v.Float64()
		return appendReal(dst, f)
	case d1.KindText:
		return appendText(dst, v.Bytes())
	case d1.KindBlob:
		return appendBlob(dst, v.Bytes())
	}
	return append(dst, "NULL"...)
}

// appendReal writes a number that SQLite takes for a REAL, whole as it may be.
func appendReal(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "9e999"...)
	case math.IsInf(f, -1):
		return append(dst, "-9e999"...)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'g', -1, 64)
	if !bytes.ContainsAny(dst[start:], ".e") {
		dst = append(dst, ".0"...)
	}
	return dst
}

func appendBlob(dst, b []byte) []byte {
	dst = append(dst, "X'"...)
	dst = hex.AppendEncode(dst, b)
	return append(dst, '\'')
}

// appendText writes a text. What a script cannot hold, it has in hexadecimal digits: a
// NUL byte, and bytes that are not UTF-8. For line ends it has other characters, as D1
// has, that are put back when it runs.
func appendText(dst, text []byte) []byte {
	if bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) {
		return appendCast(dst, text)
	}
	feed, carriage := bytes.IndexByte(text, '\n') >= 0, bytes.IndexByte(text, '\r') >= 0
	if !feed && !carriage {
		return appendQuoted(dst, text)
	}
	encoded, feedAs, carriageAs := encodeLines(text)
	start := len(dst)
	if feed {
		dst = append(dst, "replace("...)
	}
	if carriage {
		dst = append(dst, "replace("...)
	}
	dst = appendQuoted(dst, encoded)
	if carriage {
		dst = append(dst, ",'"+carriageAs+"',char(13))"...)
	}
	if feed {
		dst = append(dst, ",'"+feedAs+"',char(10))"...)
	}
	if len(dst)-start > 2*len(text)+100 {
		return appendCast(dst[:start], text)
	}
	return dst
}

func appendCast(dst, text []byte) []byte {
	return append(appendBlob(append(dst, "CAST("...), text), " AS TEXT)"...)
}

func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '\'')
	for {
		i := bytes.IndexByte(text, '\'')
		if i < 0 {
			break
		}
		dst = append(append(dst, text[:i+1]...), '\'')
		text = text[i+1:]
	}
	return append(append(dst, text...), '\'')
}

// encodeLines writes line ends as \n and \r, or as something else if that is in the text.
func encodeLines(text []byte) (encoded []byte, feed, carriage string) {
	feed, carriage = `\n`, `\r`
	for n := 0; ; n++ {
		encoded = bytes.ReplaceAll(text, []byte("\n"), []byte(feed))
		encoded = bytes.ReplaceAll(encoded, []byte("\r"), []byte(carriage))
		decoded := bytes.ReplaceAll(encoded, []byte(carriage), []byte("\r"))
		decoded = bytes.ReplaceAll(decoded, []byte(feed), []byte("\n"))
		if bytes.Equal(decoded, text) {
			return encoded, feed, carriage
		}
		feed, carriage = `(\n`+strconv.Itoa(n)+")", `(\r`+strconv.Itoa(n)+")"
	}
}
