package d1

import "errors"

// Cursor is what a [Backend] reads its answer with. [Results] calls it in order
// (no method is called after Close, and none concurrently), so an implementation
// need not guard itself.
type Cursor interface {
	// NextResult goes on to the next statement's result, skipping what is left of
	// the current one. It returns false at the end and on an error.
	NextResult() bool
	// Columns returns the current result's column names, in order, duplicates
	// kept; empty when the statement returns no rows.
	Columns() []string
	// Next goes on to the next row of the current result. It returns false at the
	// end of the rows and on an error.
	Next() bool
	// Row returns the current row. It is valid until the next call of Next,
	// NextResult or Close.
	Row() []Value
	// Meta returns the current result's meta, once Next has returned false.
	Meta() Meta
	// Bookmark returns the database's state after the request, if the place has
	// bookmarks and one is known yet.
	Bookmark() Bookmark
	// Err returns the error that ended the request, if one did.
	Err() error
	// Close ends the reading and frees what it holds.
	Close() error
}

// Results is the answer to a [Request]: one result for each statement, each with
// its rows, read in order and only once.
//
//	for results.NextResult() {
//		for results.Next() {
//			row := results.Row()
//		}
//		meta := results.Meta()
//	}
//	err := results.Close()
//
// Close it always. It is not safe for concurrent use.
type Results struct {
	cursor  Cursor
	inRows  bool // the current result may have rows left
	started bool
	closed  bool
	err     error
}

// NewResults returns Results that read from a Backend's cursor.
func NewResults(c Cursor) *Results { return &Results{cursor: c} }

// NextResult goes on to the next statement's result, and reports whether there
// is one. Rows left unread are skipped. The first call goes to the first result.
func (r *Results) NextResult() bool {
	if r.closed || r.err != nil {
		return false
	}
	r.drain()
	if r.err != nil {
		return false
	}
	r.started = r.cursor.NextResult()
	r.inRows = r.started
	if !r.started {
		r.err = r.cursor.Err()
	}
	return r.started
}

// Columns returns the names of the current result's columns, in order, with
// duplicates.
func (r *Results) Columns() []string {
	if r.closed || !r.started {
		return nil
	}
	return r.cursor.Columns()
}

// Next goes on to the current result's next row, and reports whether there is
// one.
func (r *Results) Next() bool {
	if r.closed || !r.inRows || r.err != nil {
		return false
	}
	if r.cursor.Next() {
		return true
	}
	r.inRows = false
	r.err = r.cursor.Err()
	return false
}

// Row returns the current row, one value for each column. It is valid until the
// next call of Next, NextResult or Close; so are the texts and blobs in it.
func (r *Results) Row() []Value {
	if r.closed || !r.inRows {
		return nil
	}
	return r.cursor.Row()
}

// Scan copies the current row into the destinations, one for each column. See
// [Convert] for what goes into what.
func (r *Results) Scan(dest ...any) error {
	return scanRow(r.Columns(), r.Row(), dest)
}

// Meta returns what D1 says of the current statement. It reads the result to its
// end first, since D1 says it there.
func (r *Results) Meta() Meta {
	if r.closed || !r.started {
		return Meta{}
	}
	r.drain()
	return r.cursor.Meta()
}

// Bookmark returns the state of the database after the request, or "" where the
// place has no bookmarks. It is known when all results have been read.
func (r *Results) Bookmark() Bookmark { return r.cursor.Bookmark() }

// Err returns the error that ended the reading, if one did.
func (r *Results) Err() error { return r.err }

// Close ends the reading. It returns the error that ended it before, if one did.
// Results left unread are not read: if the request was read-only, it is cut
// short. A second Close does nothing and returns the same.
func (r *Results) Close() error {
	if r.closed {
		return r.err
	}
	r.closed = true
	r.inRows = false
	if err := r.cursor.Close(); err != nil && r.err == nil {
		r.err = err
	}
	return r.err
}

// drain skips the rows that are left of the current result.
func (r *Results) drain() {
	for r.inRows && r.Next() {
	}
}

// finish reads everything that is left, so that a failure of a later statement
// is not missed, and closes.
func (r *Results) finish() error {
	for r.NextResult() {
	}
	return r.Close()
}

var errNoResult = errors.New("d1: the answer holds fewer results than the request has statements")
