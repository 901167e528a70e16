package render

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// wide are the ranges of characters that take two columns of a terminal, coarsely:
// those of East Asian scripts, and emoji.
var wide = [][2]rune{
	{0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff},
	{0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
	{0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
}

func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	for _, span := range wide {
		if r >= span[0] && r <= span[1] {
			return 2
		}
	}
	return 1
}

// Width is how many columns of a terminal a text takes.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// clip cuts a text to a width. What is cut ends in an ellipsis.
func clip(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	n := 0
	for i, r := range s {
		if n += runeWidth(r); n > width-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// maxCell is how many characters of a cell are looked at.
const maxCell = 1000

// Printable makes a text fit for a terminal: what would move the cursor, change the
// direction of writing or speak to the terminal is escaped, as in Go.
func Printable(s string) string {
	plain := len(s) <= maxCell
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= ' ' && s[i] < 0x7f
	}
	if plain {
		return s
	}
	var b strings.Builder
	count := 0
	for i, r := range s {
		if count++; count > maxCell {
			b.WriteRune('…')
			break
		}
		writeRune(&b, s[i:], r)
	}
	return b.String()
}

// writeRune writes the first character of rest, which is r.
func writeRune(b *strings.Builder, rest string, r rune) {
	switch {
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\t':
		b.WriteString(`\t`)
	case r == '\r':
		b.WriteString(`\r`)
	case r < ' ' || r == 0x7f:
		fmt.Fprintf(b, `\x%02x`, r)
	case r == utf8.RuneError && rest[0] != 0xef: // a byte that is no UTF-8
		fmt.Fprintf(b, `\x%02x`, rest[0])
	case r >= 0x80 && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x2028, r == 0x2029:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		b.WriteRune(r)
	}
}
