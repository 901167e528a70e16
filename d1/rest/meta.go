package rest

import (
	"bytes"
	"math"
	"time"

	"github.com/skylite-go/skylite/d1"
)

// quickMeta reads a meta as D1 writes it, which most of the time of a short answer would
// go into otherwise. If there is anything unusual in it, it returns false, and the meta is
// to be read by the rules.
func quickMeta(raw []byte, meta *d1.Meta) bool {
	d := reader{buf: raw, w: len(raw), mark: 0}
	var m d1.Meta
	if !d.accept('{') {
		return false
	}
	for {
		d.accept(',')
		if d.accept('}') {
			break
		}
		if d.token() != '"' {
			return false
		}
		start := d.r
		if !d.skipString() {
			return false
		}
		name := raw[start+1 : d.r-1]
		if !d.accept(':') || !d.metaMember(name, &m) || d.err != nil {
			return false
		}
	}
	if d.r != len(raw) {
		return false
	}
	*meta = m
	return true
}

// metaMember reads the value of a member.
func (d *reader) metaMember(name []byte, m *d1.Meta) bool {
	switch string(name) {
	case "served_by":
		return d.plainText(&m.ServedBy)
	case "served_by_region":
		return d.plainText(&m.ServedByRegion)
	case "served_by_colo":
		return d.plainText(&m.ServedByColo)
	case "served_by_primary":
		return d.plainBool(&m.ServedByPrimary)
	case "changed_db":
		return d.plainBool(&m.ChangedDB)
	case "duration":
		v, ok := d.plainNumber()
		ms, _ := v.Float64()
		m.Duration = time.Duration(math.Round(ms * float64(time.Millisecond)))
		return ok
	case "changes":
		return d.plainInteger(&m.Changes)
	case "last_row_id":
		return d.plainInteger(&m.LastRowID)
	case "size_after":
		return d.plainInteger(&m.SizeAfter)
	case "rows_read":
		return d.plainInteger(&m.RowsRead)
	case "rows_written":
		return d.plainInteger(&m.RowsWritten)
	case "total_attempts":
		var n int64
		ok := d.plainInteger(&n)
		m.TotalAttempts = int(n)
		return ok
	case "timings":
		d.skip()
		return true
	}
	return false
}

// plainText reads a string without escapes.
func (d *reader) plainText(s *string) bool {
	if d.token() != '"' {
		return false
	}
	start := d.r
	if !d.skipString() {
		return false
	}
	text := d.buf[start+1 : d.r-1]
	*s = string(text)
	return !bytes.ContainsRune(text, '\\')
}

func (d *reader) plainBool(b *bool) bool {
	c := d.token()
	*b = c == 't'
	d.skip()
	return c == 't' || c == 'f'
}

func (d *reader) plainNumber() (d1.Value, bool) {
	if c := d.token(); c != '-' && (c < '0' || c > '9') {
		return d1.Null(), false
	}
	v := d.number()
	return v, d.err == nil
}

func (d *reader) plainInteger(n *int64) bool {
	v, ok := d.plainNumber()
	whole, exact := v.Int64()
	*n = whole
	return ok && exact
}
