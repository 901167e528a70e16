package d1sql

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqlitecode"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// plan is what a query sends: for each of its statements, in order, those that do
// its work. That is the statement itself nearly always; several where it was split;
// none where there is nothing to do.
type plan struct {
	statements []d1.Statement
	// parts say which of the statements belong to which of the query's; nil means
	// that they are the same, one by one.
	parts []part
}

// part are the statements that do the work of one.
type part struct {
	silent  int  // statements before it whose results nobody sees
	count   int  // statements whose results are one: rows one after another, sums
	changed bool // their text is not the caller's
}

// plan binds the arguments and says what is to be sent. It notes what the
// statements set of the connection.
func (c *Conn) plan(pieces []sqltext.Statement, args []driver.NamedValue) (plan, error) {
	bound, err := bind(pieces, args)
	if err != nil {
		return plan{}, err
	}
	p := plan{statements: bound}
	for i, piece := range pieces {
		w, special := c.work(piece, bound[i])
		switch {
		case special && p.parts == nil:
			p.divide(i)
			p.add(w)
		case special:
			p.add(w)
		case p.parts != nil:
			p.add(work{statements: bound[i : i+1]})
		}
	}
	return p, nil
}

// divide begins to write down parts, the first n of which are as they were.
func (p *plan) divide(n int) {
	p.statements = append([]d1.Statement(nil), p.statements[:n]...)
	p.parts = make([]part, n, n+1)
	for i := range p.parts {
		p.parts[i].count = 1
	}
}

func (p *plan) add(w work) {
	p.parts = append(p.parts, part{silent: len(w.before), count: len(w.statements), changed: w.changed})
	p.statements = append(append(p.statements, w.before...), w.statements...)
}

// work is what does the work of one statement.
type work struct {
	before     []d1.Statement // whose results nobody sees
	statements []d1.Statement
	changed    bool
}

// work says what is sent for one statement, if it is anything special.
func (c *Conn) work(piece sqltext.Statement, s d1.Statement) (w work, special bool) {
	if !c.options.NoProbes {
		if instead, ok := c.probe(piece); ok {
			if instead != "" {
				w.statements = []d1.Statement{{SQL: instead, Args: s.Args}}
			}
			w.changed = true
			return w, true
		}
		w.before = c.withoutForeignKeys(piece)
	}
	if len(s.Args) > d1.MaxParams && !c.options.NoExpand {
		w.statements, w.changed = expand(piece, s.Args)
	}
	if special = w.changed || len(w.before) > 0; special && !w.changed {
		w.statements = []d1.Statement{s}
	}
	return w, special
}

// run sends what is to be sent.
func (p plan) run(ctx context.Context, on d1.Querier) (*d1.Results, error) {
	if len(p.statements) == 0 {
		return d1.NewResults(&merged{plan: p}), nil
	}
	results, err := on.Do(ctx, d1.Request{Statements: p.statements})
	if err != nil {
		return nil, p.explain(err)
	}
	return p.merge(results), nil
}

// merge returns the results of the query's statements from those of what was sent.
func (p plan) merge(results *d1.Results) *d1.Results {
	if p.parts == nil {
		return results
	}
	return d1.NewResults(&merged{plan: p, results: results})
}

// explain makes an error one of the query's own: the index is that of the caller's
// statement, and an offset in a text that the caller has not written is left out.
func (p plan) explain(err error) error {
	e, ok := errors.AsType[*d1.Error](err)
	if p.parts == nil || !ok {
		return err
	}
	index, changed := p.origin(e.Statement)
	e.Statement = index
	if changed && e.Offset >= 0 {
		e.Offset = -1
		e.Message = sqlitecode.Relocate(e.Message, -1)
	}
	explainDrop(e)
	return err
}

// origin returns the query's statement that a statement sent belongs to, and
// whether its text may be another.
func (p plan) origin(sent int) (index int, changed bool) {
	if sent < 0 {
		for _, part := range p.parts {
			changed = changed || part.changed || part.silent > 0
		}
		return -1, changed
	}
	for i, part := range p.parts {
		if sent < part.silent+part.count {
			return i, part.changed || sent < part.silent
		}
		sent -= part.silent + part.count
	}
	return -1, true
}

// merged reads the results of what was sent as those of the query's statements.
type merged struct {
	plan    plan
	results *d1.Results // nil if nothing was sent
	next    int         // index of the next part
	left    int         // results of the current one after the current
	columns []string
	meta    d1.Meta
	inRows  bool
	err     error
}

var _ d1.Cursor = (*merged)(nil)

func (m *merged) NextResult() bool {
	for m.Next() {
	}
	if m.err != nil {
		return false
	}
	if m.next == len(m.plan.parts) {
		m.end()
		return false
	}
	part := m.plan.parts[m.next]
	m.next++
	m.columns, m.meta, m.left, m.inRows = nil, d1.Meta{}, part.count, false
	for range part.silent {
		if !m.step() {
			return false
		}
	}
	if part.count == 0 {
		return true
	}
	if !m.advance() {
		return false
	}
	m.columns = m.results.Columns()
	return true
}

// advance goes on to the next result of the current part.
func (m *merged) advance() bool {
	m.left--
	m.inRows = m.step()
	return m.inRows
}

// step goes on to the next of the results that were sent for.
func (m *merged) step() bool {
	if m.results.NextResult() {
		return true
	}
	if m.err = m.results.Err(); m.err == nil {
		m.err = errors.New("d1sql: the database gave fewer results than it was sent statements")
	}
	m.err = m.plan.explain(m.err)
	return false
}

// end looks for an error behind the last result.
func (m *merged) end() {
	if m.results != nil && !m.results.NextResult() {
		m.err = m.plan.explain(m.results.Err())
	}
}

func (m *merged) Next() bool {
	for m.inRows {
		if m.results.Next() {
			return true
		}
		m.inRows = false
		if err := m.results.Err(); err != nil {
			m.err = m.plan.explain(err)
			return false
		}
		m.count(m.results.Meta())
		if m.left > 0 {
			m.advance()
		}
	}
	return false
}

// count adds what D1 says of one result to what is said of all.
func (m *merged) count(meta d1.Meta) {
	sum := m.meta
	m.meta = meta
	m.meta.Duration += sum.Duration
	m.meta.Changes += sum.Changes
	m.meta.RowsRead += sum.RowsRead
	m.meta.RowsWritten += sum.RowsWritten
	m.meta.ChangedDB = m.meta.ChangedDB || sum.ChangedDB
	m.meta.TotalAttempts = max(m.meta.TotalAttempts, sum.TotalAttempts)
}

func (m *merged) Columns() []string { return m.columns }
func (m *merged) Meta() d1.Meta     { return m.meta }
func (m *merged) Err() error        { return m.err }

func (m *merged) Row() []d1.Value {
	if m.results == nil {
		return nil
	}
	return m.results.Row()
}

func (m *merged) Bookmark() d1.Bookmark {
	if m.results == nil {
		return ""
	}
	return m.results.Bookmark()
}

func (m *merged) Close() error {
	if m.results == nil {
		return nil
	}
	err := m.results.Close()
	if m.err != nil {
		return nil // it has been told
	}
	return m.plan.explain(err)
}
