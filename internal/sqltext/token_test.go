package sqltext_test

import (
	"strings"
	"testing"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// dump writes tokens as "kind text | kind text", without white space.
func dump(sql string) string {
	var parts []string
	for t := range sqltext.Tokens(sql) {
		if t.Kind != sqltext.TokenSpace {
			parts = append(parts, t.Kind.String()+" "+t.Text(sql))
		}
	}
	return strings.Join(parts, " | ")
}

func TestTokens(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, sql, want string }{
		{"empty", "", ""},
		{"words", "sELECT a_1$ größe", "word sELECT | word a_1$ | word größe"},
		{"white space", " \t\n\f\ra", "word a"},
		{"vertical tab begins nothing", "\va", "illegal \v | word a"},
		{"vertical tab continues white space", " \va", "word a"},
		{"byte order mark", "\ufeffa \ufeffb", "word a | word b"},
		{"byte order mark inside a word", "a\ufeffb", "word a\ufeffb"},
		{"line comment", "a -- b; c\nd", "word a | comment -- b; c | word d"},
		{"line comment at the end", "--", "comment --"},
		{"carriage return does not end a line", "-- a\rb", "comment -- a\rb"},
		{"block comment", "a/*;*/b", "word a | comment /*;*/ | word b"},
		{"block comments do not nest", "/*/**/a", "comment /*/**/ | word a"},
		{"shortest block comment", "/**/a", "comment /**/ | word a"},
		{"slash star slash is open", "/*/a", "comment /*/a"},
		{"open block comment", "/* a", "comment /* a"},
		{"slash star at the end", "1/*", "number 1 | operator / | operator *"},
		{"slash at the end", "/", "operator /"},
		{"string", "'it''s'''", "string 'it''s'''"},
		{"backslash is no escape", `'a\'b`, `string 'a\' | word b`},
		{"two strings", "'a' 'b'", "string 'a' | string 'b'"},
		{"open string", "'a''", "illegal 'a''"},
		{"quotes", "\"a\"\"b\" `a``b` [a[b]", "quoted \"a\"\"b\" | quoted `a``b` | quoted [a[b]"},
		{"bracket does not double", "[a]]", "quoted [a] | illegal ]"},
		{"open quote", `"a`, `illegal "a`},
		{"open bracket", `[a`, `illegal [a`},
		{"integers", "0 12 0x1F 0X0", "number 0 | number 12 | number 0x1F | number 0X0"},
		{"floats", "1. .5 1.5 1e5 1.e+5 .5E-10", "number 1. | number .5 | number 1.5 | number 1e5 | number 1.e+5 | number .5E-10"},
		{"separators", "1_000 0xF_F 1.0_1e1_0", "number 1_000 | number 0xF_F | number 1.0_1e1_0"},
		{"bad separators", "1_ 1__0 1_.0 1._0 0xF_", "illegal 1_ | illegal 1__0 | illegal 1_.0 | illegal 1._0 | illegal 0xF_"},
		{"number and letters", "1a 0xg 1e 1e+ 12é", "illegal 1a | illegal 0xg | illegal 1e | illegal 1e | operator + | illegal 12é"},
		{"range of dots", "1..2", "number 1. | number .2"},
		{"dot", "a.b . c", "word a | dot . | word b | dot . | word c"},
		{"blobs", "x'' X'0aF1' x", "blob x'' | blob X'0aF1' | word x"},
		{"bad blobs", "x'1' x'0g' x'", "illegal x'1' | illegal x'0g' | illegal x'"},
		{"word before a string", "xx'00'", "word xx | string '00'"},
		{"parameters", "? ?12 :a @b $c #d", "variable ? | variable ?12 | variable :a | variable @b | variable $c | variable #d"},
		{"parameter of digits", ":1 $2", "variable :1 | variable $2"},
		{"tcl names", "$a::b(c) :x(y;z) @a::", "variable $a::b(c) | variable :x(y;z) | variable @a::"},
		{"tcl name with a space", "$a(b c)", "illegal $a(b | word c | right )"},
		{"sign alone", ": @ $ # :(a)", "illegal : | illegal @ | illegal $ | illegal # | illegal : | left ( | word a | right )"},
		{"single colon ends a name", ":a:b", "variable :a | variable :b"},
		{"register", "#1", "illegal #1"},
		{"operators", "+ - * / % & ~ = == < <= <> << > >= >> | || != -> ->>",
			"operator + | operator - | operator * | operator / | operator % | operator & | operator ~ | " +
				"operator = | operator == | operator < | operator <= | operator <> | operator << | " +
				"operator > | operator >= | operator >> | operator | | operator || | operator != | operator -> | operator ->>"},
		{"longest operator", "a<<=b", "word a | operator << | operator = | word b"},
		{"minus and arrow", "a->>b->c- -1", "word a | operator ->> | word b | operator -> | word c | operator - | operator - | number 1"},
		{"punctuation", "(,);", "left ( | comma , | right ) | semicolon ;"},
		{"illegal bytes", "! ^ { } \\ \x01 \x7f", "illegal ! | illegal ^ | illegal { | illegal } | illegal \\ | illegal \x01 | illegal \x7f"},
		{"NUL", "a\x00b", "word a | illegal \x00 | word b"},
		{"NUL in a string", "'a\x00b'", "illegal 'a | illegal \x00 | word b | illegal '"},
		{"NUL in comments", "--a\x00b", "comment --a | illegal \x00 | word b"},
		{"NUL behind slash star", "/*\x00", "operator / | operator * | illegal \x00"},
		{"invalid UTF-8", "\xff\xfe", "word \xff\xfe"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := dump(tt.sql); got != tt.want {
				t.Errorf("Tokens(%q)\n got %s\nwant %s", tt.sql, got, tt.want)
			}
		})
	}
}

func TestTokensStopsEarly(t *testing.T) {
	t.Parallel()
	n := 0
	for range sqltext.Tokens("a b c") {
		n++
		break
	}
	if n != 1 {
		t.Errorf("got %d tokens after break", n)
	}
}

func TestNextAtEnd(t *testing.T) {
	t.Parallel()
	want := sqltext.Token{Kind: sqltext.TokenSpace, Start: 1, End: 1}
	for _, pos := range []int{1, 2} {
		if got := sqltext.Next("a", pos); got != want {
			t.Errorf("Next at %d: got %v", pos, got)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, got, want string }{
		{"first token", sqltext.TokenIllegal.String(), "illegal"},
		{"last token", sqltext.TokenSemicolon.String(), "semicolon"},
		{"no token", sqltext.TokenKind(200).String(), "unknown"},
		{"first kind", sqltext.Empty.String(), "empty"},
		{"last kind", sqltext.Unknown.String(), "unknown"},
		{"no kind", sqltext.Kind(200).String(), "invalid"},
		{"first fault", sqltext.NoFault.String(), "no fault"},
		{"last fault", sqltext.BadParamNumber.String(), "variable number out of range"},
		{"no fault kind", sqltext.FaultKind(200).String(), "unknown fault"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, got, want string }{
		{"identifier", sqltext.QuoteIdent(`a"b`), `"a""b"`},
		{"string", sqltext.QuoteString(`it's`), `'it''s'`},
		{"string with NUL", sqltext.QuoteString("a\x00"), `CAST(X'6100' AS TEXT)`},
		{"unquote double", sqltext.Unquote(`"a""b"`), `a"b`},
		{"unquote single", sqltext.Unquote(`'a'`), `a`},
		{"unquote backtick", sqltext.Unquote("`a``b`"), "a`b"},
		{"unquote bracket", sqltext.Unquote(`[a"]`), `a"`},
		{"unquote word", sqltext.Unquote(`word`), `word`},
		{"unquote half", sqltext.Unquote(`"word`), `"word`},
		{"unquote half bracket", sqltext.Unquote(`[word`), `[word`},
		{"unquote quote", sqltext.Unquote(`"`), `"`},
		{"unquote nothing", sqltext.Unquote(``), ``},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}
