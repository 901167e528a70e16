package rest

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
)

// element reads a result up to its rows, or to its end if it has none.
func (c *cursor) element() {
	c.columns, c.row, c.meta = nil, nil, d1.Meta{}
	c.refused, c.refusal = false, ""
	c.held = reader{}
	if !c.in.expect('{') {
		return
	}
	c.began = c.in.position()
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
	if c.in.err != nil {
		return
	}
	long := c.in.position()-c.began > longAnswer
	c.plan.learn(c.index, c.refused || long || c.meta.Duration > slowAnswer)
	if !c.refused {
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
	switch {
	case c.in.token() == 'n':
		c.in.skip()
	case !c.in.expect('['):
	case !c.in.accept(']') && c.in.err == nil:
		c.in.err = fmt.Errorf("%w: the rows are not in the form of /raw", errSyntax)
	}
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
		if s.Edited() {
			c.columns[i], pos = s.Column(c.columns[i], pos)
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
