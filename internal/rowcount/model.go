package rowcount

import "math"

// Model tells what the runs of a program have read and written. It is for one goroutine
// at a time.
type Model struct {
	formulas [wanted]*formula // nil where there is none
	ways     *ways            // nil if there is no need
	columns  []int
	appends  bool
	vague    bool // what it was made of is not sure
	last     map[Counters]bounds
}

// bounds are the least and the most of each wanted sum.
type bounds struct {
	possible  bool
	whole     bool // they are those of walks
	low, high [wanted]float64
}

// New returns the model of the program that EXPLAIN shows. It returns nil if the program
// is beyond it.
func New(ops []Op) *Model {
	all := programs(ops)
	sure, ok := link(all)
	if !ok {
		return nil
	}
	places, edges, ok := explore(all)
	if !ok {
		return nil
	}
	edges = living(places, edges)
	m := &Model{vague: !sure, last: map[Counters]bounds{}}
	columns, counted := all[0].countColumns()
	m.columns, m.vague = columns, m.vague || !counted
	loops := loops(places, edges)
	if len(loops) == 0 {
		return nil // nothing comes to an end
	}
	solved := true
	for i := range m.formulas {
		m.formulas[i] = solve(loops, known+i)
		solved = solved && m.formulas[i] != nil
	}
	for i := range loops {
		m.appends = m.appends || loops[i][appended] != 0
	}
	if !solved {
		m.ways = newWays(reduce(places, edges))
	}
	return m
}

// CountColumns returns the columns of the first row whose values are together what
// [Counted] is.
func (m *Model) CountColumns() []int {
	if m == nil {
		return nil
	}
	return m.columns
}

// Reads returns how many rows a run has read, and whether that is exact.
func (m *Model) Reads(c *Counters) (n int64, exact bool) {
	if m == nil {
		return c[Moved] + c[Scanned] + c[Indexed] + 1, false
	}
	n, exact = m.sum(read, c)
	if m.appends {
		// The first two times D1's SQLite has to look where the end is, and again where
		// a page is full, which is not known.
		ends, sure := m.sum(appended, c)
		n += min(ends, 2)
		exact = exact && sure && ends < 100
	}
	return n, exact
}

// Writes returns how many rows a run has written, and whether that is exact.
func (m *Model) Writes(c *Counters) (n int64, exact bool) {
	if m == nil {
		return c[Changes], false
	}
	return m.sum(written, c)
}

// Needs reports whether a counter makes a difference to what is read or, if writes is
// set, written.
func (m *Model) Needs(counter int, writes bool) bool {
	if m == nil || m.appends {
		return true
	}
	uses := func(f *formula) bool { return f == nil || f[counter] != 0 }
	return uses(m.formulas[0]) || writes && uses(m.formulas[written-known])
}

// sum returns a wanted sum.
func (m *Model) sum(want int, c *Counters) (n int64, exact bool) {
	i := want - known
	if f := m.formulas[i]; f != nil {
		return f.at(c), !m.vague
	}
	b, ok := m.last[*c]
	if !ok {
		b = m.ways.bounds(c)
		if len(m.last) >= maxKept {
			clear(m.last)
		}
		m.last[*c] = b
	}
	if !b.possible {
		return c[Moved] + c[Scanned] + c[Indexed] + 1, false
	}
	low, high := math.Ceil(b.low[i]-tiny), math.Floor(b.high[i]+tiny)
	if low >= high {
		return int64(low), !m.vague
	}
	return between(want, low, high, b.whole), false
}

// maxKept is for how many counters of late the bounds are kept.
const maxKept = 64

// between is the estimate: the rows read are mostly in the lower part of what is possible,
// the rows written near the most.
func between(want int, low, high float64, whole bool) int64 {
	share := 0.3
	if want != read {
		share = 0.9
	}
	if n := low + share*(high-low); !whole {
		return int64(n)
	} else {
		return int64(math.Round(n))
	}
}
