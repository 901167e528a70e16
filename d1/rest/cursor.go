package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
)

// cursor reads the answer of /raw from its body, once and in order:
//
//	{"result":[{"results":{"columns":[…],"rows":[[…],…]},"success":true,"meta":{…}},…],
//	 "success":true,"errors":[],"messages":[]}
//
// Keys may come in any order and unknown ones are skipped. Only rows that come
// before their columns cost memory.
type cursor struct {
	plan   *plan
	client *cloudflare.Client
	resp   *http.Response

	in       reader
	rows     *reader // what the rows are read from: in, or held
	held     reader  // rows that came before their columns
	state    state
	index    int  // of the current result
	inObject bool // the rows end within the object of results
	columns  []string
	row      []d1.Value
	spans    []span
	meta     d1.Meta
	refusal  string // what an element that is no success says
	refused  bool
	details  []cloudflare.Detail
	success  bool
	err      error
}

// state is where a cursor stands.
type state uint8

const (
	atStart   state = iota
	inRows          // before a row, or the end of the rows
	inElement       // behind the rows, in the element of a result
	between         // behind an element
	atEnd           // behind everything, or after an error
)

var _ d1.Cursor = (*cursor)(nil)

func newCursor(p *plan, client *cloudflare.Client, resp *http.Response) *cursor {
	return &cursor{plan: p, client: client, resp: resp, index: -1, in: reader{src: resp.Body, mark: -1}}
}

func (c *cursor) Columns() []string     { return c.columns }
func (c *cursor) Row() []d1.Value       { return c.row }
func (c *cursor) Meta() d1.Meta         { return c.meta }
func (c *cursor) Bookmark() d1.Bookmark { return "" }
func (c *cursor) Err() error            { return c.err }
func (c *cursor) Close() error          { return ignoreClosed(c.resp.Body.Close()) }

// ignoreClosed drops the error of closing a body: everything that was wanted of
// it has been read.
func ignoreClosed(error) error { return nil }

func (c *cursor) NextResult() bool {
	switch c.state {
	case atStart:
		c.in.mark = -1
		if !c.head() {
			return c.finish()
		}
	case inRows:
		c.skipRows()
		c.elementRest()
	case inElement:
		c.elementRest()
	}
	if c.err != nil || c.in.err != nil || c.state == atEnd {
		return c.finish()
	}
	if !c.in.element() {
		if c.in.err == nil {
			c.tail()
		}
		return c.finish()
	}
	c.index++
	if c.index == len(c.plan.statements) {
		c.in.err = errors.New("the answer holds more results than the request has statements")
		return c.finish()
	}
	c.element()
	if c.err != nil || c.in.err != nil {
		return c.finish()
	}
	return true
}

// head reads up to the results.
func (c *cursor) head() bool {
	if !c.in.expect('{') {
		return false
	}
	for {
		switch k := c.in.member(); {
		case k == keyEnd:
			c.state = atEnd
			c.check()
			return false
		case k == keyResult && c.in.accept('['):
			return true
		default:
			c.outer(k)
		}
	}
}

// outer reads a member of the envelope.
func (c *cursor) outer(k key) {
	switch k {
	case keySuccess:
		c.success = c.in.truth()
	case keyErrors:
		if raw := c.in.raw(); raw != nil {
			// Errors in another form are none that could be told.
			_ = json.Unmarshal(raw, &c.details)
		}
	default:
		c.in.skip()
	}
}

// tail reads what stands behind the results, to the end of the body: a
// connection is used again only if its body was read to the end.
func (c *cursor) tail() {
	for {
		k := c.in.member()
		if k == keyEnd {
			break
		}
		c.outer(k)
	}
	if c.in.err != nil {
		return
	}
	c.check()
	if c.err == nil && c.index+1 < len(c.plan.statements) {
		c.in.err = fmt.Errorf("the answer holds %d results for %d statements", c.index+1, len(c.plan.statements))
	}
	if c.err == nil && c.in.err == nil {
		if !c.in.ended() {
			c.in.fail()
		} else {
			c.in.err = nil
		}
	}
}

// check looks at what the envelope says.
func (c *cursor) check() {
	switch {
	case c.in.err != nil:
	case !c.success || len(c.details) > 0 && c.index < 0:
		c.err = c.plan.failure(c.client.APIError(c.plan.call, c.resp, c.details))
	case c.index < 0 && c.state == atEnd:
		c.in.err = errors.New("the answer holds no results")
	}
}

// finish ends the reading; if it was an error, it makes it one of the package.
func (c *cursor) finish() bool {
	c.state = atEnd
	c.columns, c.row = nil, nil
	if c.err != nil || c.in.err == nil {
		return false
	}
	err := c.in.err
	if err == io.ErrUnexpectedEOF {
		err = fmt.Errorf("the answer is cut short after %d bytes: %w", c.in.gone+int64(c.in.w), err)
	}
	e := convert(c.client.BodyError(c.plan.call, fmt.Errorf("reading the answer: %w", err)),
		c.plan.call.Class == cloudflare.ClassWrite)
	e.Statement = c.index
	// What came whole but malformed would come so again.
	e.Transient = e.Transient && !errors.Is(err, errSyntax)
	c.err = e
	return false
}

// element reads a result up to its rows, or to its end if it has none.
func (c *cursor) element() {
	c.columns, c.row, c.meta = nil, nil, d1.Meta{}
	c.refused, c.refusal = false, ""
	c.held = reader{}
	if !c.in.expect('{') {
		return
	}
	c.state = inElement
	for c.state == inElement {
		k := c.in.member()
		if k == keyEnd {
			c.elementEnd()
			return
		}
		if k == keyResults {
			c.results()
		} else {
			c.inner(k)
		}
		if c.in.err != nil {
			return
		}
	}
}

// inner reads a member of a result other than results.
func (c *cursor) inner(k key) {
	switch k {
	case keySuccess:
		c.refused = !c.in.truth()
	case keyMeta:
		raw := c.in.raw()
		if raw == nil {
			return
		}
		if err := json.Unmarshal(raw, &c.meta); err != nil {
			c.in.err = fmt.Errorf("%w: a statement's meta: %w", errSyntax, err)
		}
	case keyError:
		// Something else than a string leaves the text empty.
		_ = json.Unmarshal(c.in.raw(), &c.refusal)
	default:
		c.in.skip()
	}
}

// elementRest reads what stands behind the rows of a result.
func (c *cursor) elementRest() {
	for c.in.err == nil && c.inObject {
		if c.in.member() == keyEnd {
			c.inObject = false
			break
		}
		c.in.skip()
	}
	for c.in.err == nil {
		k := c.in.member()
		if k == keyEnd {
			break
		}
		c.inner(k)
	}
	if c.in.err == nil {
		c.elementEnd()
	}
}

func (c *cursor) elementEnd() {
	c.state = between
	if c.in.err != nil || !c.refused {
		return
	}
	message := c.refusal
	if message == "" {
		message = "the statement failed, and the answer does not say why"
	}
	e := c.plan.failure(c.client.APIError(c.plan.call, c.resp, []cloudflare.Detail{{Message: message}}))
	if d1e, ok := errors.AsType[*d1.Error](e); ok {
		d1e.Statement = c.index
	}
	c.err = e
}

// results reads the value of results, up to the rows.
func (c *cursor) results() {
	if c.in.token() != '{' {
		c.noRows()
		return
	}
	c.in.r++
	known := false
	for {
		switch c.in.member() {
		case keyEnd:
			if c.in.err == nil && c.held.buf != nil {
				c.begin(&c.held)
			}
			return
		case keyColumns:
			c.readColumns()
			known = true
		case keyRows:
			if known && c.in.accept('[') {
				c.inObject = true
				c.begin(&c.in)
				return
			}
			raw := c.in.raw()
			c.held = reader{buf: append([]byte(nil), raw...), w: len(raw), mark: -1}
			c.held.accept('[')
		default:
			c.in.skip()
		}
		if c.in.err != nil {
			return
		}
	}
}

// begin goes over to reading rows.
func (c *cursor) begin(rows *reader) {
	c.rows = rows
	c.row = make([]d1.Value, len(c.columns))
	c.state = inRows
}

// noRows reads results that are empty without columns: null or [].
func (c *cursor) noRows() {
	if c.in.accept('[') && c.in.token() != ']' {
		c.in.err = errors.New("the rows are not in the form of /raw")
		return
	}
	if c.in.token() == ']' {
		c.in.r++
		return
	}
	c.in.skip()
}

// readColumns reads the names, and maps those back that have changed with the
// statement's text.
func (c *cursor) readColumns() {
	var joined []byte
	var ends []int
	if !c.in.expect('[') {
		return
	}
	for c.in.element() {
		raw := c.in.raw()
		if len(raw) < 2 || raw[0] != '"' {
			c.in.fail()
			return
		}
		name := raw[1 : len(raw)-1]
		if hasEscape(name) {
			var s string
			if json.Unmarshal(raw, &s) != nil {
				c.in.fail()
				return
			}
			name = []byte(s)
		}
		joined = append(joined, name...)
		ends = append(ends, len(joined))
	}
	names, start := string(joined), 0
	c.columns = make([]string, len(ends))
	s, pos := &c.plan.statements[c.index], 0
	for i, end := range ends {
		c.columns[i] = names[start:end]
		if len(s.edits) > 0 {
			c.columns[i], pos = s.column(c.columns[i], pos)
		}
		start = end
	}
}

func hasEscape(name []byte) bool {
	for _, c := range name {
		if c == '\\' {
			return true
		}
	}
	return false
}

func (c *cursor) Next() bool {
	if c.state != inRows {
		return false
	}
	c.rows.mark = -1
	if c.rows.token() == ',' {
		c.rows.r++
	}
	if c.rows.token() == '[' {
		var ok bool
		if c.spans, ok = c.rows.row(c.row, c.spans); ok {
			return true
		}
	} else {
		c.rows.expect(']')
	}
	c.endRows()
	return false
}

// endRows goes on behind the rows.
func (c *cursor) endRows() {
	if c.rows.err != nil {
		c.in.err = c.rows.err
	}
	c.rows.mark = -1
	c.state = inElement
	if c.in.err == nil {
		c.elementRest()
	}
	if c.err != nil || c.in.err != nil {
		c.finish()
	}
}

// skipRows reads over the rows that are left.
func (c *cursor) skipRows() {
	c.rows.mark = -1
	for c.rows.element() {
		c.rows.skip()
	}
	if c.rows.err != nil {
		c.in.err = c.rows.err
	}
}
