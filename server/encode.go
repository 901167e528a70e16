package server

import (
	"cmp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/jsjson"
)

const (
	// flushBytes is how much of an answer is written at a time.
	flushBytes = 32 << 10
	// holdBytes is how much of it is held back until the first is written.
	holdBytes = 256 << 10
)

// encoder writes results as D1 does. It appends to one buffer, and needs no memory of
// its own for a row.
type encoder struct {
	raw  bool
	buf  []byte
	keys []byte         // the keys of the current result's objects, each with its colon
	plan []slot         // the members of its objects, in order
	seen map[string]int // columns' names to their places in plan
}

// slot is a member of the object that a row becomes.
type slot struct {
	index      int64 // the key's number if it is an array index, or -1
	start, end int   // of the key in encoder.keys
	column     int
}

var encoders = sync.Pool{New: func() any {
	return &encoder{buf: make([]byte, 0, flushBytes+flushBytes/4), seen: make(map[string]int)}
}}

func newEncoder(raw bool) *encoder {
	e := encoders.Get().(*encoder)
	e.raw = raw
	e.buf = e.buf[:0]
	return e
}

// free gives the encoder back, unless a large answer has made its buffer large.
func (e *encoder) free() {
	if cap(e.buf) <= 2*holdBytes {
		encoders.Put(e)
	}
}

// layOut learns a result's columns: objects have a key once, with the value of its
// last column, in the order of JavaScript: array indexes first, by number, and then
// the others as they came.
func (e *encoder) layOut(columns []string) {
	e.plan, e.keys = e.plan[:0], e.keys[:0]
	clear(e.seen)
	indexes := false
	for i, name := range columns {
		if at, again := e.seen[name]; again {
			e.plan[at].column = i
			continue
		}
		e.seen[name] = len(e.plan)
		start := len(e.keys)
		e.keys = append(jsjson.AppendString(e.keys, name), ':')
		s := slot{index: arrayIndex(name), start: start, end: len(e.keys), column: i}
		indexes = indexes || s.index >= 0
		e.plan = append(e.plan, s)
	}
	if indexes {
		slices.SortStableFunc(e.plan, func(a, b slot) int {
			if a.index >= 0 && b.index >= 0 {
				return cmp.Compare(a.index, b.index)
			}
			return cmp.Compare(min(b.index, 0), min(a.index, 0))
		})
	}
}

// arrayIndex returns the number that a key is to JavaScript if it is an array index,
// or -1.
func arrayIndex(name string) int64 {
	if name == "" || len(name) > 10 || name[0] == '0' && len(name) > 1 {
		return -1
	}
	for i := range len(name) {
		if name[i] < '0' || name[i] > '9' {
			return -1
		}
	}
	n, _ := strconv.ParseInt(name, 10, 64)
	if n > 1<<32-2 {
		return -1
	}
	return n
}

// begin begins a result.
func (e *encoder) begin(columns []string) {
	if !e.raw {
		e.layOut(columns)
		e.buf = append(e.buf, `{"results":[`...)
		return
	}
	e.buf = append(e.buf, `{"results":{"columns":[`...)
	for i, name := range columns {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.buf = jsjson.AppendString(e.buf, name)
	}
	e.buf = append(e.buf, `],"rows":[`...)
}

// row adds a row.
func (e *encoder) row(row []d1.Value) {
	if e.raw {
		e.buf = append(e.buf, '[')
		for i, v := range row {
			if i > 0 {
				e.buf = append(e.buf, ',')
			}
			e.buf = appendValue(e.buf, v)
		}
		e.buf = append(e.buf, ']')
		return
	}
	e.buf = append(e.buf, '{')
	for i, s := range e.plan {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.buf = append(e.buf, e.keys[s.start:s.end]...)
		e.buf = appendValue(e.buf, row[s.column])
	}
	e.buf = append(e.buf, '}')
}

// end ends a result.
func (e *encoder) end(meta d1.Meta) {
	e.buf = append(e.buf, ']')
	if e.raw {
		e.buf = append(e.buf, '}')
	}
	e.buf = append(e.buf, `,"success":true,"meta":`...)
	e.buf = appendMeta(e.buf, meta)
	e.buf = append(e.buf, '}')
}

func appendValue(dst []byte, v d1.Value) []byte {
	switch v.Kind() {
	case d1.KindInteger:
		if n, exact := v.Int64(); exact {
			return jsjson.AppendInt(dst, n)
		}
		f, _ := v.Float64()
		return jsjson.AppendFloat(dst, f)
	case d1.KindReal:
		f, _ := v.Float64()
		return jsjson.AppendFloat(dst, f)
	case d1.KindText:
		return jsjson.AppendText(dst, v.Bytes())
	case d1.KindBlob:
		return jsjson.AppendBlob(dst, v.Bytes())
	}
	return append(dst, "null"...)
}

// appendMeta appends what [d1.Meta] encodes to, but as JavaScript writes numbers.
func appendMeta(dst []byte, m d1.Meta) []byte {
	dst = append(dst, '{')
	for _, text := range [...]struct{ key, value string }{
		{`"served_by":`, m.ServedBy}, {`"served_by_region":`, m.ServedByRegion}, {`"served_by_colo":`, m.ServedByColo},
	} {
		if text.value != "" {
			dst = append(jsjson.AppendString(append(dst, text.key...), text.value), ',')
		}
	}
	ms := float64(m.Duration) / float64(time.Millisecond)
	dst = strconv.AppendBool(append(dst, `"served_by_primary":`...), m.ServedByPrimary)
	dst = jsjson.AppendFloat(append(dst, `,"timings":{"sql_duration_ms":`...), ms)
	dst = jsjson.AppendFloat(append(dst, `},"duration":`...), ms)
	dst = jsjson.AppendInt(append(dst, `,"changes":`...), m.Changes)
	dst = jsjson.AppendInt(append(dst, `,"last_row_id":`...), m.LastRowID)
	dst = strconv.AppendBool(append(dst, `,"changed_db":`...), m.ChangedDB)
	dst = jsjson.AppendInt(append(dst, `,"size_after":`...), m.SizeAfter)
	dst = jsjson.AppendInt(append(dst, `,"rows_read":`...), m.RowsRead)
	dst = jsjson.AppendInt(append(dst, `,"rows_written":`...), m.RowsWritten)
	dst = jsjson.AppendInt(append(dst, `,"total_attempts":`...), int64(m.TotalAttempts))
	return append(dst, '}')
}
