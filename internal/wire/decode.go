package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/skylite-go/skylite/d1"
)

// Answer is what came back.
type Answer struct {
	// Body is the results. It is decoded in place.
	Body []byte
	// Bookmark is the state of the database after the request, if it is known.
	Bookmark d1.Bookmark
	// Exact says that integers have all their digits; see [ExactHeader].
	Exact bool
}

// result is one statement's part of an answer.
type result struct {
	columns []string
	rows    []byte // behind the bracket that opens them
	meta    d1.Meta
}

// Results returns the results that an answer holds, or the error.
func (r *Request) Results(a Answer) (*d1.Results, error) {
	c := &cursor{request: r, bookmark: a.Bookmark, exact: a.Exact, at: -1}
	s := scanner{buf: a.Body}
	refusal := ""
	if s.token() == '{' {
		refusal = s.refusal()
	} else if s.expect('[') {
		for first := true; refusal == "" && s.more(']', first); first = false {
			if len(c.results) == len(r.statements) {
				return nil, r.Broken("the answer holds more results than the request has statements", nil)
			}
			c.results = append(c.results, result{})
			refusal = s.result(&c.results[len(c.results)-1])
		}
	}
	switch {
	case refusal != "":
		return nil, r.Refusal(refusal)
	case s.err == nil && s.token() != 0:
		s.fail()
	}
	if s.err != nil {
		return nil, r.Broken(fmt.Sprintf("reading the answer: %v", s.err), s.err)
	}
	if len(c.results) < len(r.statements) {
		return nil, r.Broken(fmt.Sprintf("the answer holds %d results for %d statements", len(c.results), len(r.statements)), nil)
	}
	return d1.NewResults(c), nil
}

// noReason stands for the text of a refusal that has none.
const noReason = "the statement failed, and the answer does not say why"

// refusal reads the object that stands in the place of results.
func (s *scanner) refusal() string {
	var e struct{ Error string }
	raw := s.raw()
	switch {
	case s.err != nil:
		return "" // it is not whole
	case json.Unmarshal(raw, &e) != nil || e.Error == "":
		return noReason
	}
	return e.Error
}

// result reads the result of one statement. It returns the error that it says it is.
func (s *scanner) result(r *result) (refusal string) {
	failed := false
	s.expect('{')
	for first := true; s.more('}', first); first = false {
		switch key := s.key(); key {
		case "success":
			failed = string(s.raw()) != "true"
		case "error":
			_ = json.Unmarshal(s.raw(), &refusal) // something else than a string leaves it empty
		case "results":
			s.table(r)
		case "meta":
			s.meta(r)
		default:
			s.skip(0)
		}
	}
	if failed && refusal == "" {
		return noReason
	}
	return refusal
}

// table reads columns and rows. A statement that returns none may have [] or null.
func (s *scanner) table(r *result) {
	if s.token() != '{' {
		if raw := bytes.TrimSpace(s.raw()); s.err == nil && string(raw) != "null" && string(raw) != "[]" {
			s.err = errors.New("the rows are not lists of values")
		}
		return
	}
	s.pos++
	for first := true; s.more('}', first); first = false {
		switch key := s.key(); key {
		case "columns":
			s.err = errors.Join(s.err, json.Unmarshal(s.raw(), &r.columns))
		case "rows":
			if raw := s.raw(); len(raw) > 0 && raw[0] == '[' {
				r.rows = raw[1:]
			}
		default:
			s.skip(0)
		}
	}
}

// meta reads what D1 says of a statement. Where it does not say who answered, it was
// the primary: D1 leaves that out where there is nothing else.
func (s *scanner) meta(r *result) {
	raw := s.raw()
	if s.err != nil {
		return
	}
	if err := json.Unmarshal(raw, &r.meta); err != nil {
		s.err = fmt.Errorf("a statement's meta: %w", err)
		return
	}
	if !bytes.Contains(raw, []byte(`"served_by_primary"`)) {
		r.meta.ServedByPrimary = true
	}
	r.meta.TotalAttempts = max(r.meta.TotalAttempts, 1)
}

// cursor reads an answer's results.
type cursor struct {
	request  *Request
	results  []result
	bookmark d1.Bookmark
	exact    bool
	at       int
	rows     scanner
	started  bool // a row of the current result has been read
	row      []d1.Value
	err      error
}

var _ d1.Cursor = (*cursor)(nil)

func (c *cursor) NextResult() bool {
	if c.err != nil || c.at+1 >= len(c.results) {
		return false
	}
	c.at++
	r := &c.results[c.at]
	if s := &c.request.statements[c.at]; s.Edited() {
		pos := 0
		for i := range r.columns {
			r.columns[i], pos = s.Column(r.columns[i], pos)
		}
	}
	c.rows, c.started = scanner{buf: r.rows}, false
	if cap(c.row) < len(r.columns) {
		c.row = make([]d1.Value, len(r.columns))
	}
	c.row = c.row[:len(r.columns)]
	return true
}

func (c *cursor) Next() bool {
	if c.err != nil || c.rows.token() == 0 || !c.rows.more(']', !c.started) {
		return false
	}
	c.started = true
	c.rows.expect('[')
	n := 0
	for ; c.rows.more(']', n == 0); n++ {
		if n == len(c.row) {
			break
		}
		c.row[n] = c.rows.value(c.exact)
	}
	if c.rows.err == nil && n != len(c.row) {
		c.rows.err = fmt.Errorf("a row of %d columns has %d values", len(c.row), n)
	}
	if c.rows.err != nil {
		e := d1.NewError(fmt.Sprintf("reading the answer: %v", c.rows.err))
		e.Statement, e.Err = c.at, c.rows.err
		c.err = e
	}
	return c.err == nil
}

func (c *cursor) Columns() []string     { return c.results[c.at].columns }
func (c *cursor) Row() []d1.Value       { return c.row }
func (c *cursor) Meta() d1.Meta         { return c.results[c.at].meta }
func (c *cursor) Bookmark() d1.Bookmark { return c.bookmark }
func (c *cursor) Err() error            { return c.err }

func (c *cursor) Close() error {
	c.results, c.rows = c.results[:0], scanner{}
	return nil
}
