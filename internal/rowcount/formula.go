package rowcount

import "math"

// formula gives a sum from the counters: how much each counts for.
type formula [counters]float64

func (f *formula) at(c *Counters) int64 {
	sum := 0.0
	for i, k := range f {
		sum += k * float64(c[i])
	}
	return int64(math.Round(sum))
}

// loops returns what the loops of a graph add to the sums, each kind once. Every walk from
// the first place back to it is made of them: what a way adds that leads to a place
// already found is set against what the first way there has added.
func loops(places int, edges []edge) []weights {
	cost := make([]weights, places)
	seen := make([]bool, places)
	seen[0] = true
	kinds := map[weights]bool{}
	var list []weights
	for i := range edges { // in the order in which their beginnings were found
		e := &edges[i]
		w := e.cost
		w.add(&cost[e.from])
		if !seen[e.to] {
			seen[e.to], cost[e.to] = true, w
			continue
		}
		w.subtract(&cost[e.to])
		if !kinds[w] {
			kinds[w] = true
			list = append(list, w)
		}
	}
	return list
}

// solve looks for a formula that is right for every loop, by elimination. It returns nil
// if there is none.
func solve(loops []weights, want int) *formula {
	rows := make([][]float64, len(loops))
	for i, loop := range loops {
		rows[i] = make([]float64, known+1)
		for j := range known {
			rows[i][j] = float64(loop[j])
		}
		rows[i][known] = float64(loop[want])
	}
	var columns []int // that have a row of their own
	for column := range known {
		if top := len(columns); eliminate(rows, top, column) {
			columns = append(columns, column)
		}
	}
	for _, row := range rows[len(columns):] {
		if math.Abs(row[known]) > tiny {
			return nil
		}
	}
	f := &formula{}
	for i, column := range columns {
		if column < counters {
			f[column] = rows[i][known] / rows[i][column]
		}
	}
	return f
}

// eliminate brings a row to the top that has something in a column, and takes it from the
// column everywhere else.
func eliminate(rows [][]float64, top, column int) bool {
	best := -1
	for i := top; i < len(rows); i++ {
		if v := math.Abs(rows[i][column]); v > tiny && (best < 0 || v > math.Abs(rows[best][column])) {
			best = i
		}
	}
	if best < 0 {
		return false
	}
	rows[top], rows[best] = rows[best], rows[top]
	for i := range rows {
		if k := rows[i][column] / rows[top][column]; i != top && k != 0 {
			for j := range rows[i] {
				rows[i][j] -= k * rows[top][j]
			}
			rows[i][column] = 0
		}
	}
	return true
}
