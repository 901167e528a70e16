package sqltext

import (
	"errors"
	"io"
	"strings"
)

// ErrLong is the error of a [Scanner] that met a statement longer than it may be.
var ErrLong = errors.New("statement too long")

// A Scanner cuts a script into its statements while it is read, exactly as [Split]
// does with one that is in memory.
type Scanner struct {
	src  io.Reader
	max  int
	buf  []byte
	text string // what was read, from a little before the next statement on
	base int    // where text begins in the script
	pos  int    // where the next statement begins in text
	line int    // of pos
	last int    // line of the last statement's beginning
	any  bool
	eof  bool
	err  error
}

// scanChunk is how many bytes a Scanner reads at once.
const scanChunk = 64 << 10

// sight is more than how far behind its end the tokenizer may look to know that a token
// is over.
const sight = 8

// NewScanner returns a Scanner of a script. It refuses a statement of more than max
// bytes, or none if max is 0; that is about how much memory it takes.
func NewScanner(script io.Reader, max int) *Scanner {
	return &Scanner{src: script, max: max, buf: make([]byte, scanChunk), line: 1}
}

// Next returns the next statement, whose Start and End count from the beginning of the
// script; or [io.EOF], [ErrLong], or the error of reading, with a Statement that says only
// where the one at fault starts.
func (s *Scanner) Next() (Statement, error) {
	if s.err != nil {
		return Statement{}, s.err
	}
	st, blank, err := s.scan() // if there is an error, where the statement begins
	s.last = s.line
	if err == nil && !st.Terminated && (blank || st.Kind == Empty && !s.any) {
		err = io.EOF
	}
	if s.err = err; err != nil {
		return st, err
	}
	s.any = true
	s.line += strings.Count(st.Text, "\n")
	s.pos = min(s.pos+len(st.Text)+1, len(s.text))
	return st, nil
}

// Line returns the line on which the statement that Next has returned last, or could
// not return, has its first word.
func (s *Scanner) Line(st Statement) int {
	return s.last + strings.Count(st.Text[:st.VerbStart], "\n")
}

// scan reads tokens up to the end of a statement.
func (s *Scanner) scan() (st Statement, blank bool, err error) {
	r := reader{sql: s.text, start: s.pos, blank: true}
	end := s.pos
	for {
		t := Next(s.text, end)
		if t.End+sight > len(s.text) && !s.eof {
			if err := s.fill(&r, &end); err != nil {
				return Statement{Start: s.base + s.pos}, false, err
			}
			continue
		}
		if end == len(s.text) {
			break
		}
		if t.Kind == TokenSemicolon && !r.inBody() {
			r.st.Terminated = true
			break
		}
		r.token(t)
		end = t.End
	}
	r.finish()
	r.st.Text = s.text[s.pos:end]
	r.st.Start, r.st.End = s.base+s.pos, s.base+end
	if s.max > 0 && len(r.st.Text) > s.max {
		return Statement{Start: s.base + s.pos}, false, ErrLong
	}
	return r.st, r.blank, nil
}

// fill reads more, and drops what is before the statement that is being read.
func (s *Scanner) fill(r *reader, end *int) error {
	kept := len(s.text) - s.pos
	if s.max > 0 && kept > s.max+sight {
		return ErrLong
	}
	if kept > len(s.buf) {
		s.buf = make([]byte, kept) // each byte is looked at a few times at most
	}
	n, err := io.ReadFull(s.src, s.buf)
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		s.eof = true
	case err != nil:
		return err
	}
	s.text = s.text[s.pos:] + string(s.buf[:n])
	r.moved(s.text, s.pos)
	*end -= s.pos
	s.base += s.pos
	s.pos = 0
	return nil
}

// moved says that the text goes on, and that it has lost n bytes at its front.
func (r *reader) moved(text string, n int) {
	r.sql = text
	r.start -= n
	r.pragma.sql = text
	r.pragma.name.Start -= n
	r.pragma.name.End -= n
}
