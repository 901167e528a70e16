package sqltext

import "iter"

// TokenKind says what a [Token] is.
type TokenKind uint8

// The kinds of token. Operators that SQLite's grammar tells apart (+, <=, ||,
// ->> and so on) are all TokenOperator; their text tells which one it is.
const (
	TokenIllegal   TokenKind = iota // something SQLite refuses: "unrecognized token"
	TokenSpace                      // white space, or a byte order mark
	TokenComment                    // -- to the end of the line, or /* */
	TokenWord                       // a keyword or an unquoted identifier
	TokenQuoted                     // "x", `x` or [x]
	TokenString                     // 'x'
	TokenNumber                     // 1, 0x1F, 1.5e-3, 1_000
	TokenBlob                       // x'00ff'
	TokenVariable                   // ?, ?1, :name, @name, $name
	TokenOperator                   // any operator
	TokenDot                        // .
	TokenComma                      // ,
	TokenLeft                       // (
	TokenRight                      // )
	TokenSemicolon                  // ;
)

var tokenNames = [...]string{
	"illegal", "space", "comment", "word", "quoted", "string", "number", "blob",
	"variable", "operator", "dot", "comma", "left", "right", "semicolon",
}

// String returns a lower-case name for the kind.
func (k TokenKind) String() string {
	if int(k) < len(tokenNames) {
		return tokenNames[k]
	}
	return "unknown"
}

// A Token is one piece of SQL text. The tokens of a text follow each other
// without gaps.
type Token struct {
	Kind       TokenKind
	Start, End int // byte range in the text
}

// Text returns the token's part of sql, the text it was read from.
func (t Token) Text(sql string) string { return sql[t.Start:t.End] }

// trivia reports whether SQLite's grammar never sees the token.
func (t Token) trivia() bool { return t.Kind == TokenSpace || t.Kind == TokenComment }

// Tokens returns the tokens of sql in order. It goes on after an illegal
// token, where SQLite would stop, so that callers decide what to do.
func Tokens(sql string) iter.Seq[Token] {
	return func(yield func(Token) bool) {
		for pos := 0; pos < len(sql); {
			t := Next(sql, pos)
			if !yield(t) {
				return
			}
			pos = t.End
		}
	}
}

// Next returns the token that begins at byte pos of sql, as SQLite's own
// tokenizer sees it. At the end of the text it returns an empty TokenSpace;
// otherwise a token has at least one byte.
//
// SQLite takes a NUL byte for the end of its input, so no token reaches over
// one: a string or comment stops there, and the NUL itself is TokenIllegal.
func Next(sql string, pos int) Token {
	if pos >= len(sql) {
		return Token{TokenSpace, len(sql), len(sql)}
	}
	kind, n := scan(sql[pos:])
	return Token{kind, pos, pos + n}
}

// at returns the byte at i, or NUL behind the end: SQLite's input is a C
// string, and its rules for the end of the text are rules about NUL.
func at(s string, i int) byte {
	if i < len(s) {
		return s[i]
	}
	return 0
}

// scan reads the token at the start of s, which is not empty.
func scan(s string) (TokenKind, int) {
	c := s[0]
	switch {
	case isLetter(c), c == '_', c >= 0x80:
		return scanWord(s)
	case isDigit(c):
		return scanNumber(s)
	}
	switch c {
	case ' ', '\t', '\n', '\f', '\r':
		return TokenSpace, spaceLen(s)
	case '\'', '"', '`':
		return scanQuoted(s)
	case '[':
		return scanBracket(s)
	case '.':
		if isDigit(at(s, 1)) {
			return scanNumber(s)
		}
		return TokenDot, 1
	case '?':
		return TokenVariable, digits(s, 1)
	case ':', '@', '$', '#':
		return scanVariable(s)
	case '-':
		if at(s, 1) == '-' {
			return TokenComment, lineEnd(s)
		}
	case '/':
		// A "/*" that ends the text is two operators, not a comment.
		if at(s, 1) == '*' && at(s, 2) != 0 {
			return TokenComment, commentEnd(s)
		}
	}
	return scanOperator(s)
}

// scanOperator reads punctuation. Here c is none of the bytes that begin
// anything longer than three bytes.
func scanOperator(s string) (TokenKind, int) {
	next := at(s, 1)
	switch s[0] {
	case ';':
		return TokenSemicolon, 1
	case ',':
		return TokenComma, 1
	case '(':
		return TokenLeft, 1
	case ')':
		return TokenRight, 1
	case '+', '*', '/', '%', '&', '~':
		return TokenOperator, 1
	case '-':
		if next != '>' {
			return TokenOperator, 1
		}
		if at(s, 2) == '>' {
			return TokenOperator, 3
		}
		return TokenOperator, 2
	case '=':
		return TokenOperator, operatorLen(next == '=')
	case '<':
		return TokenOperator, operatorLen(next == '=' || next == '>' || next == '<')
	case '>':
		return TokenOperator, operatorLen(next == '=' || next == '>')
	case '|':
		return TokenOperator, operatorLen(next == '|')
	case '!':
		if next == '=' {
			return TokenOperator, 2
		}
	}
	return TokenIllegal, 1
}

func operatorLen(two bool) int {
	if two {
		return 2
	}
	return 1
}

// spaceLen counts white space. A vertical tab cannot begin white space, but it
// can continue it: so it is in SQLite's tables.
func spaceLen(s string) int {
	i := 1
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	return i
}

func lineEnd(s string) int {
	i := 2
	for at(s, i) != 0 && s[i] != '\n' {
		i++
	}
	return i
}

func commentEnd(s string) int {
	for i := 2; at(s, i) != 0; i++ {
		if s[i] == '*' && at(s, i+1) == '/' {
			return i + 2
		}
	}
	return nulIndex(s, 2)
}

// nulIndex returns where SQLite would see the end of s, at or after byte i.
func nulIndex(s string, i int) int {
	for at(s, i) != 0 {
		i++
	}
	return i
}

func scanWord(s string) (TokenKind, int) {
	if (s[0] == 'x' || s[0] == 'X') && at(s, 1) == '\'' {
		return scanBlob(s)
	}
	// SQLite skips the byte order mark wherever a token may begin.
	if s[0] == 0xEF && at(s, 1) == 0xBB && at(s, 2) == 0xBF {
		return TokenSpace, 3
	}
	return TokenWord, idEnd(s, 1)
}

func scanBlob(s string) (TokenKind, int) {
	i := 2
	for isHex(at(s, i)) {
		i++
	}
	kind := TokenBlob
	if at(s, i) != '\'' || i%2 != 0 {
		kind = TokenIllegal
		for at(s, i) != 0 && s[i] != '\'' {
			i++
		}
	}
	if at(s, i) != 0 {
		i++
	}
	return kind, i
}

func scanQuoted(s string) (TokenKind, int) {
	quote := s[0]
	for i := 1; at(s, i) != 0; i++ {
		if s[i] != quote {
			continue
		}
		if at(s, i+1) != quote {
			if quote == '\'' {
				return TokenString, i + 1
			}
			return TokenQuoted, i + 1
		}
		i++
	}
	return TokenIllegal, nulIndex(s, 1)
}

func scanBracket(s string) (TokenKind, int) {
	for i := 1; at(s, i) != 0; i++ {
		if s[i] == ']' {
			return TokenQuoted, i + 1
		}
	}
	return TokenIllegal, nulIndex(s, 1)
}

// scanVariable reads :name, @name, $name and #name. All of them may hold "::"
// and end with a parenthesized suffix, which is how Tcl writes its variables.
// A # before a digit is a register of SQLite's virtual machine, which no
// statement from outside may name.
func scanVariable(s string) (TokenKind, int) {
	kind, named := TokenVariable, false
	i := 1
scan:
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case isID(c):
			named = true
		case c == '(' && named:
			for i++; at(s, i) != 0 && !isSpace(s[i]) && s[i] != ')'; i++ {
			}
			if at(s, i) == ')' {
				i++
			} else {
				kind = TokenIllegal
			}
			break scan
		case c == ':' && at(s, i+1) == ':':
			i++
		default:
			break scan
		}
	}
	if !named || s[0] == '#' && isDigit(s[1]) {
		kind = TokenIllegal
	}
	return kind, i
}

func isLetter(c byte) bool { c |= 0x20; return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isSpace(c byte) bool  { return c == ' ' || '\t' <= c && c <= '\r' }
func isHex(c byte) bool    { return isDigit(c) || isLetter(c) && c|0x20 <= 'f' }

// isID reports whether c can be inside an unquoted identifier.
func isID(c byte) bool {
	return isLetter(c) || isDigit(c) || c == '_' || c == '$' || c >= 0x80
}

func idEnd(s string, i int) int {
	for i < len(s) && isID(s[i]) {
		i++
	}
	return i
}
