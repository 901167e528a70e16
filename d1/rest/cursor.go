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
	part     bool    // in holds the results alone, without what stands around them
	rows     *reader // what the rows are read from: in, or held
	held     reader  // rows that came before their columns
	state    state
	index    int   // of the current result
	began    int64 // where it stands in the answer
	inObject bool  // the rows end within the object of results
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

// errCount is the fault of an answer that has not one result for each statement.
var errCount = errors.New("the answer has the wrong number of results")

func newCursor(p *plan, client *cloudflare.Client, resp *http.Response) *cursor {
	return &cursor{plan: p, client: client, resp: resp, index: -1, in: reader{src: resp.Body, mark: -1}}
}

func (c *cursor) Columns() []string     { return c.columns }
func (c *cursor) Row() []d1.Value       { return c.row }
func (c *cursor) Meta() d1.Meta         { return c.meta }
func (c *cursor) Bookmark() d1.Bookmark { return "" }
func (c *cursor) Err() error            { return c.err }

// Close drops the error of closing the body: all that was wanted of it has been read.
func (c *cursor) Close() error {
	_ = c.resp.Body.Close()
	return nil
}

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
	if c.err != nil || c.in.err != nil || c.state == atEnd || c.part && c.index+1 == len(c.plan.statements) {
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
		c.in.err = fmt.Errorf("%w: it holds more results than the request has statements", errCount)
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
	if c.err == nil && c.index+1 != len(c.plan.statements) {
		c.in.err = fmt.Errorf("%w: it holds %d for %d statements", errCount, c.index+1, len(c.plan.statements))
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
