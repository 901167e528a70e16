package rowcount

// maxEdges is how many ways a graph may have for its linear programs.
const maxEdges = 300

// linearBounds returns what the wanted sums can be if each way may be gone any number of
// times, even in parts, as long as what comes to a place leaves it and the known sums are
// as they are.
func (w *ways) linearBounds(left [known]int32) bounds {
	var edges []*edge
	for i := range w.out {
		for j := range w.out[i] {
			edges = append(edges, &w.out[i][j])
		}
	}
	if len(edges) > maxEdges {
		return bounds{}
	}
	l := w.conditions(edges, left)
	b := bounds{possible: true}
	for i := range wanted {
		cost := make([]float64, len(edges))
		for j, e := range edges {
			cost[j] = float64(e.cost[known+i])
		}
		low, possible := l.least(cost)
		for j := range cost {
			cost[j] = -cost[j]
		}
		high, also := l.least(cost)
		b.low[i], b.high[i] = low, -high
		b.possible = b.possible && possible && also
	}
	return b
}

// conditions returns what holds for how often each way is gone.
func (w *ways) conditions(edges []*edge, left [known]int32) *linear {
	l := &linear{}
	condition := func(right float64) []float64 {
		l.rows = append(l.rows, make([]float64, len(edges)))
		l.right = append(l.right, right)
		return l.rows[len(l.rows)-1]
	}
	for range len(w.out) - 1 { // what follows from the others is left out
		condition(0)
	}
	for i, e := range edges {
		if e.from > 0 {
			l.rows[e.from-1][i]--
		}
		if e.to > 0 {
			l.rows[e.to-1][i]++
		}
	}
	for sum := range known {
		if sum < counters && !w.counts[sum] {
			continue
		}
		row := condition(float64(left[sum]))
		for i, e := range edges {
			row[i] = float64(e.cost[sum])
		}
	}
	return l
}
