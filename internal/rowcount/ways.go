package rowcount

// ways looks at the walks through a graph that have given counters.
type ways struct {
	out    [][]edge // by place
	counts [counters]bool
	seen   map[rest]extent
	budget int // rests that may still be looked at
}

// rest is what a walk has still to do: come back from a place to the end, and use up the
// known sums on the way.
type rest struct {
	place int
	left  [known]int32
}

// extent is the least and the most of the wanted sums on the way.
type extent struct {
	possible  bool
	low, high [wanted]int32
}

// maxRests bounds the work for a run.
const maxRests = 1_000

func newWays(out [][]edge) *ways {
	w := &ways{out: out, seen: map[rest]extent{}}
	for _, edges := range out {
		for _, e := range edges {
			for i := range w.counts {
				w.counts[i] = w.counts[i] || e.cost[i] != 0
			}
		}
	}
	return w
}

// bounds returns what the wanted sums can be, given the counters.
func (w *ways) bounds(c *Counters) bounds {
	begin := rest{}
	for i, n := range c {
		if !w.counts[i] {
			continue
		}
		if n < 0 || n > 1<<30 {
			return bounds{}
		}
		begin.left[i] = int32(n)
	}
	clear(w.seen)
	w.budget = maxRests
	x := w.from(begin)
	if w.budget <= 0 {
		return w.linearBounds(begin.left)
	}
	b := bounds{possible: x.possible, whole: true}
	for i := range wanted {
		b.low[i], b.high[i] = float64(x.low[i]), float64(x.high[i])
	}
	return b
}

// from returns the extent of the walks that do the rest.
func (w *ways) from(r rest) extent {
	if x, ok := w.seen[r]; ok {
		return x
	}
	if w.budget--; w.budget <= 0 {
		return extent{}
	}
	var x extent
	for i := range w.out[r.place] {
		e := &w.out[r.place][i]
		times := int32(1)
		if e.cost[Steps] == 0 { // once for all, as often as is left
			times = max(r.left[Changes]*e.cost[Changes], r.left[Counted]*e.cost[Counted])
		}
		next, ok := r.less(&e.cost, times)
		if !ok || times == 0 {
			continue
		}
		next.place = e.to
		y := extent{possible: next == rest{}}
		if e.to != 0 {
			y = w.from(next)
		}
		if y.possible {
			x.widen(y, &e.cost, times)
		}
	}
	w.seen[r] = x
	return x
}

// less returns the rest after something that is done a number of times.
func (r rest) less(cost *weights, times int32) (rest, bool) {
	for i := range r.left {
		if r.left[i] -= cost[i] * times; r.left[i] < 0 && i < counters {
			return r, false
		}
	}
	return r, true
}

// widen adds the extent of a way that begins with a cost.
func (x *extent) widen(y extent, cost *weights, times int32) {
	for i := range wanted {
		n := cost[known+i] * times
		if !x.possible {
			x.low[i], x.high[i] = y.low[i]+n, y.high[i]+n
		}
		x.low[i] = min(x.low[i], y.low[i]+n)
		x.high[i] = max(x.high[i], y.high[i]+n)
	}
	x.possible = true
}
