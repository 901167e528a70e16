package embedded

import "github.com/skylite-go/skylite/d1"

// writeResult is the answer to one statement of a request that went through the
// writer. Its rows are kept: they may only be seen after the commit, and a slow
// reader must not hold up the writer.
type writeResult struct {
	columns []string
	values  []d1.Value // of all rows, one after the other
	chunk   []byte     // where the next texts and blobs go
	meta    d1.Meta
}

// Texts and blobs share chunks of memory, which grow with the result.
const (
	firstChunk = 256
	lastChunk  = 64 << 10
)

// keep copies the row that the statement stands on, and returns the bytes it takes.
func (r *writeResult) keep(s *stmt) (size int) {
	for i := range s.columns {
		v := s.value(i)
		switch v.Kind() {
		case d1.KindText:
			v = d1.Text(r.copy(v.Bytes()))
		case d1.KindBlob:
			v = d1.Blob(r.copy(v.Bytes()))
		}
		r.values = append(r.values, v)
		size += valueSize + len(v.Bytes())
	}
	return size
}

// valueSize is about what a d1.Value takes itself.
const valueSize = 40

func (r *writeResult) copy(b []byte) []byte {
	if cap(r.chunk)-len(r.chunk) < len(b) {
		next := min(max(2*cap(r.chunk), firstChunk), lastChunk)
		r.chunk = make([]byte, 0, max(next, len(b)))
	}
	n := len(r.chunk)
	r.chunk = append(r.chunk, b...)
	return r.chunk[n:len(r.chunk):len(r.chunk)]
}

func (r *writeResult) count() int {
	if len(r.columns) == 0 {
		return 0
	}
	return len(r.values) / len(r.columns)
}

// writeCursor reads results that were kept.
type writeCursor struct {
	results []writeResult
	at      int
	row     int // the row after the current one

	states *states
	number uint64 // of the state after the request
}

var _ d1.Cursor = (*writeCursor)(nil)

func (w *writeCursor) NextResult() bool {
	w.at++
	w.row = 0
	return w.at < len(w.results)
}

func (w *writeCursor) Columns() []string { return w.results[w.at].columns }

func (w *writeCursor) Next() bool {
	w.row++
	return w.row <= w.results[w.at].count()
}

func (w *writeCursor) Row() []d1.Value {
	r := &w.results[w.at]
	n := len(r.columns)
	return r.values[(w.row-1)*n : w.row*n]
}

func (w *writeCursor) Meta() d1.Meta         { return w.results[w.at].meta }
func (w *writeCursor) Bookmark() d1.Bookmark { return w.states.bookmark(w.number) }
func (w *writeCursor) Err() error            { return nil }
func (w *writeCursor) Close() error          { return nil }
