package wire

import (
	"bytes"
	"errors"
	"fmt"
)

var errSyntax = errors.New("malformed JSON")

// maxDepth bounds how deep values may nest that nobody asked for.
const maxDepth = 100

// scanner walks over JSON in memory. Its first error stays, and from then on it stands
// at the end.
type scanner struct {
	buf []byte
	pos int
	err error
}

func (s *scanner) fail() {
	if s.err == nil {
		s.err = fmt.Errorf("%w at byte %d of %d", errSyntax, s.pos, len(s.buf))
	}
	s.pos = len(s.buf)
}

// token returns the next byte that is no white space, or 0 at the end.
func (s *scanner) token() byte {
	for ; s.pos < len(s.buf); s.pos++ {
		switch c := s.buf[s.pos]; c {
		case ' ', '\n', '\t', '\r':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) accept(c byte) bool {
	if s.token() != c || s.pos >= len(s.buf) {
		return false
	}
	s.pos++
	return true
}

func (s *scanner) expect(c byte) bool {
	if s.accept(c) {
		return true
	}
	s.fail()
	return false
}

// more reports whether another element follows, in an array or object that ends with
// end, and reads the comma before it.
func (s *scanner) more(end byte, first bool) bool {
	if s.accept(end) {
		return false
	}
	if s.err != nil || !first && !s.expect(',') {
		return false
	}
	if s.token() == 0 {
		s.fail()
	}
	return s.err == nil
}

// key reads an object's key and the colon.
func (s *scanner) key() string {
	raw := s.string()
	s.expect(':')
	if s.err != nil {
		return ""
	}
	return string(raw)
}

// string reads over a string and returns what stands between its quotes.
func (s *scanner) string() []byte {
	if !s.expect('"') {
		return nil
	}
	start := s.pos
	for {
		i := bytes.IndexByte(s.buf[s.pos:], '"')
		if i < 0 {
			s.fail()
			return nil
		}
		quote := s.pos + i
		s.pos = quote + 1
		escapes := 0
		for j := quote - 1; j >= start && s.buf[j] == '\\'; j-- {
			escapes++
		}
		if escapes%2 == 0 {
			return s.buf[start:quote]
		}
	}
}

// raw reads over a value and returns its text.
func (s *scanner) raw() []byte {
	s.token()
	start := s.pos
	s.skip(0)
	if s.err != nil {
		return nil
	}
	return s.buf[start:s.pos]
}

// skip reads over a value.
func (s *scanner) skip(depth int) {
	switch c := s.token(); {
	case c == '"':
		s.string()
	case (c == '[' || c == '{') && depth < maxDepth:
		s.pos++
		for first := true; s.more(c+2, first); first = false { // ] and } are two after [ and {
			if c == '{' {
				s.key()
			}
			s.skip(depth + 1)
		}
	default:
		s.word()
	}
}

// word reads over a number, true, false or null.
func (s *scanner) word() []byte {
	start := s.pos
	for ; s.pos < len(s.buf); s.pos++ {
		c := s.buf[s.pos]
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c != '-' && c != '+' && c != '.' {
			break
		}
	}
	if s.pos == start {
		s.fail()
		return nil
	}
	return s.buf[start:s.pos]
}
