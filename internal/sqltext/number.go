package sqltext

// scanNumber reads a numeric literal, which begins with a digit or with a dot
// before a digit. Letters that touch it make the whole an illegal token, and
// so does a digit separator that is not between two digits.
func scanNumber(s string) (TokenKind, int) {
	var end int
	ok := true
	if s[0] == '0' && at(s, 1)|0x20 == 'x' && isHex(at(s, 2)) {
		end, ok = digitRun(s, 2, isHex, ok)
	} else {
		end, ok = decimal(s)
	}
	if stop := idEnd(s, end); stop > end {
		return TokenIllegal, stop
	}
	if !ok {
		return TokenIllegal, end
	}
	return TokenNumber, end
}

// decimal reads an integer or a floating point number.
func decimal(s string) (end int, ok bool) {
	i, ok := digitRun(s, 0, isDigit, true)
	if at(s, i) == '.' {
		i, ok = digitRun(s, i+1, isDigit, ok)
	}
	if at(s, i)|0x20 != 'e' {
		return i, ok
	}
	exp := i + 1
	if c := at(s, exp); c == '+' || c == '-' {
		exp++
	}
	if !isDigit(at(s, exp)) {
		return i, ok
	}
	return digitRun(s, exp, isDigit, ok)
}

// digitRun reads digits and separators from byte i on. The result is false if
// ok was, or if a separator has no digit on either side.
func digitRun(s string, i int, is func(byte) bool, ok bool) (int, bool) {
	for ; ; i++ {
		switch c := at(s, i); {
		case is(c):
		case c == '_':
			ok = ok && i > 0 && is(s[i-1]) && is(at(s, i+1))
		default:
			return i, ok
		}
	}
}

func digits(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}
