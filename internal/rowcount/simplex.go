package rowcount

import "math"

// linear is a linear program: rows·x = right, with no x less than 0.
type linear struct {
	rows  [][]float64
	right []float64
}

const (
	tiny     = 1e-6
	maxTurns = 1000
)

// least returns the least that cost·x can be, by the simplex method. It returns false if
// there is no x, or no least.
func (l *linear) least(cost []float64) (float64, bool) {
	n, m := len(cost), len(l.rows)
	t := newTableau(m, n)
	for i, row := range l.rows {
		sign := 1.0
		if l.right[i] < 0 {
			sign = -1
		}
		for j, v := range row {
			t.cells[i][j] = sign * v
		}
		t.cells[i][t.end] = sign * l.right[i]
		t.cells[i][n+i] = 1 // how far the row is from being kept, which must become 0
		for j, v := range t.cells[i] {
			if j < n || j == t.end {
				t.cells[m][j] -= v
			}
		}
	}
	if !t.optimise() || t.cells[m][t.end] < -tiny*100 {
		return 0, false
	}
	t.settle()
	clear(t.cells[m])
	copy(t.cells[m], cost)
	for i, b := range t.base {
		if b < n && cost[b] != 0 {
			t.subtract(m, i, cost[b])
		}
	}
	ok := t.optimise()
	return -t.cells[m][t.end], ok
}

// tableau is the state of the simplex method: a row for each condition, and one for the
// cost; a column for each variable, for each condition, and one for the right side.
type tableau struct {
	cells [][]float64
	base  []int // the variable of each row
	n     int   // variables
	end   int
}

func newTableau(m, n int) *tableau {
	t := &tableau{cells: make([][]float64, m+1), base: make([]int, m), n: n, end: n + m}
	for i := range t.cells {
		t.cells[i] = make([]float64, t.end+1)
	}
	for i := range t.base {
		t.base[i] = n + i
	}
	return t
}

// optimise goes on until nothing makes the cost less.
func (t *tableau) optimise() bool {
	cost := t.cells[len(t.cells)-1]
	for turn := range maxTurns {
		column := -1
		for j := range t.n {
			// The best one first; after a while the first one, which never goes in circles.
			if cost[j] < -tiny && (column < 0 || turn < maxTurns/4 && cost[j] < cost[column]) {
				column = j
			}
		}
		if column < 0 {
			return true
		}
		row := t.leaving(column)
		if row < 0 {
			return false
		}
		t.pivot(row, column)
	}
	return false
}

// leaving returns the row that lets a column grow the least.
func (t *tableau) leaving(column int) int {
	row, least := -1, math.Inf(1)
	for i := range t.base {
		if t.cells[i][column] <= tiny {
			continue
		}
		limit := t.cells[i][t.end] / t.cells[i][column]
		if row < 0 || limit < least-1e-12 || limit < least+1e-12 && t.base[i] < t.base[row] {
			row, least = i, limit
		}
	}
	return row
}

// settle makes the conditions that hold give up their rows.
func (t *tableau) settle() {
	for i, b := range t.base {
		for j := 0; b >= t.n && j < t.n; j++ {
			if math.Abs(t.cells[i][j]) > tiny {
				t.pivot(i, j)
				break
			}
		}
	}
}

func (t *tableau) pivot(row, column int) {
	k := 1 / t.cells[row][column]
	for j := range t.cells[row] {
		t.cells[row][j] *= k
	}
	for i := range t.cells {
		if i != row {
			t.subtract(i, row, t.cells[i][column])
		}
	}
	t.base[row] = column
}

// subtract takes a multiple of a row from another.
func (t *tableau) subtract(from, row int, times float64) {
	if times == 0 {
		return
	}
	to := t.cells[from]
	for j, v := range t.cells[row] {
		if v != 0 {
			to[j] -= times * v
		}
	}
}
