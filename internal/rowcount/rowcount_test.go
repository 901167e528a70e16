package rowcount

import (
	"math"
	"strings"
	"testing"
)

// parse reads a program as EXPLAIN shows it, without P4.
func parse(t testing.TB, text string) (ops []Op) {
	t.Helper()
	for line := range strings.Lines(strings.TrimSpace(text)) {
		f := strings.Fields(line)
		n := func(i int) int {
			n, negative := 0, strings.HasPrefix(f[i], "-")
			for _, c := range strings.TrimPrefix(f[i], "-") {
				n = n*10 + int(c-'0')
			}
			if negative {
				return -n
			}
			return n
		}
		ops = append(ops, Op{Addr: n(0), Code: f[1], P1: n(2), P2: n(3), P3: n(4), P5: n(5)})
	}
	return ops
}

// scan is SELECT * FROM t WHERE a > 1 AND b > 1.
const scan = `
0 Init 0 10 0 0
1 OpenRead 0 2 0 0
2 Rewind 0 9 0 0
3 Column 0 0 1 0
4 Le 2 8 1 81
5 Column 0 1 1 0
6 Le 2 8 1 81
7 ResultRow 3 2 0 0
8 Next 0 3 0 1
9 Halt 0 0 0 0
10 Transaction 0 0 1 1
11 Integer 1 2 0 0
12 Goto 0 1 0 0`

// nested is SELECT * FROM t JOIN u ON u.a = t.a WHERE t.b > 1, with an index on u.a.
const nested = `
0 Init 0 15 0 0
1 OpenRead 0 2 0 0
2 OpenRead 1 3 0 2
3 Rewind 0 14 0 0
4 Column 0 1 1 0
5 Le 2 13 1 81
6 Column 0 0 3 0
7 IsNull 3 13 0 0
8 SeekGE 1 13 3 0
9 IdxGT 1 13 3 0
10 Column 1 0 4 0
11 ResultRow 3 2 0 0
12 Next 1 9 1 0
13 Next 0 4 0 1
14 Halt 0 0 0 0
15 Transaction 0 0 1 1
16 Integer 1 2 0 0
17 Goto 0 1 0 0`

// sorted is SELECT a FROM t ORDER BY a.
const sorted = `
0 Init 0 15 0 0
1 SorterOpen 1 3 0 0
2 OpenRead 0 2 0 0
3 Rewind 0 8 0 0
4 Column 0 0 1 0
5 MakeRecord 1 1 3 0
6 SorterInsert 1 3 1 0
7 Next 0 4 0 1
8 OpenPseudo 2 4 3 0
9 SorterSort 1 14 0 0
10 SorterData 1 4 2 0
11 Column 2 0 2 0
12 ResultRow 2 1 0 0
13 SorterNext 1 10 0 0
14 Halt 0 0 0 0
15 Transaction 0 0 1 1
16 Goto 0 1 0 0`

// twice inserts a row through a coroutine, and into an index where the value is not NULL.
const twice = `
0 Init 0 16 0 0
1 InitCoroutine 1 7 2 0
2 Integer 1 2 0 0
3 Yield 1 0 0 0
4 Null 0 2 0 0
5 Yield 1 0 0 0
6 EndCoroutine 1 0 0 0
7 OpenWrite 0 2 0 0
8 OpenWrite 1 3 0 0
9 Yield 1 15 0 0
10 NewRowid 0 4 0 0
11 IsNull 2 13 0 0
12 IdxInsert 1 5 2 16
13 Insert 0 6 4 57
14 Goto 0 9 0 0
15 Halt 0 0 0 0
16 Transaction 0 1 1 1
17 Goto 0 1 0 0`

func TestCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, program string
		counters      Counters
		reads, writes int64
	}{
		{"a scan of nothing", scan, Counters{Runs: 1, Starts: 1, Steps: 7}, 1, 0},
		{"a scan of rows that are left out", scan, Counters{Runs: 1, Starts: 1, Scanned: 4, Steps: 7 + 5*3}, 5, 0},
		{"a scan of rows", scan, Counters{Runs: 1, Starts: 1, Scanned: 4, Rows: 5, Steps: 7 + 5*6}, 5, 0},
		{"a join that finds nothing", nested, Counters{Runs: 1, Starts: 1, Scanned: 1, Steps: 8 + 2*6}, 2, 0},
		{"a join that is not come to", nested, Counters{Runs: 1, Starts: 1, Scanned: 1, Steps: 8 + 2*3}, 2, 0},
		{"a join of one and one", nested, Counters{Runs: 1, Starts: 1, Rows: 1, Steps: 8 + 9}, 2, 0},
		{"a join of one and two", nested, Counters{Runs: 1, Starts: 1, Moved: 1, Rows: 2, Steps: 8 + 9 + 4 + 0}, 3, 0},
		{"a sort", sorted, Counters{Runs: 1, Starts: 1, Scanned: 2, Moved: 2, Rows: 3, Sorts: 1, Steps: 9 + 3*4 + 3*4}, 6, 0},
		{"rows from a coroutine", twice, Counters{Runs: 1, Starts: 1, Changes: 2, Steps: 24}, 0, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := New(parse(t, c.program))
			reads, readsExact := m.Reads(&c.counters)
			writes, writesExact := m.Writes(&c.counters)
			if reads != c.reads || writes != c.writes || !readsExact || !writesExact {
				t.Errorf("read %d (exact %v), wrote %d (exact %v), not %d and %d",
					reads, readsExact, writes, writesExact, c.reads, c.writes)
			}
		})
	}
}

// TestHotPathAsksForNothing makes sure that a look-up by key, whose figures are the same
// whatever it finds, needs none of the engine's counters.
func TestHotPathAsksForNothing(t *testing.T) {
	t.Parallel()
	m := New(parse(t, `
0 Init 0 6 0 0
1 OpenRead 0 2 0 0
2 Variable 1 1 0 0
3 SeekRowid 0 5 1 0
4 ResultRow 2 1 0 0
5 Halt 0 0 0 0
6 Transaction 0 0 1 1
7 Goto 0 1 0 0`))
	for counter := range counters {
		if counter != Runs && m.Needs(counter, false) {
			t.Errorf("it needs counter %d", counter)
		}
	}
	if n, exact := m.Reads(&Counters{Runs: 1}); n != 1 || !exact {
		t.Errorf("it reads %d, exact %v", n, exact)
	}
}

// TestImpossible gives counters that no walk has: the figure is then an estimate.
func TestImpossible(t *testing.T) {
	t.Parallel()
	m := New(parse(t, nested))
	if n, exact := m.Reads(&Counters{Runs: 1, Starts: 1, Scanned: 3, Steps: 5}); n != 4 || exact {
		t.Errorf("read %d, exact %v", n, exact)
	}
	var none *Model
	if n, exact := none.Reads(&Counters{Scanned: 3}); n != 4 || exact {
		t.Errorf("without a model: read %d, exact %v", n, exact)
	}
}

// TestManyRows has too many walks to look at: what is said is between the least and the
// most, and the truth is too.
func TestManyRows(t *testing.T) {
	t.Parallel()
	m := New(parse(t, nested))
	const outer, passed, matches = 10_000, 4_000, 3
	steps := 8 + (outer-passed)*3 + passed*(9+(matches-1)*4)
	c := Counters{Runs: 1, Starts: 1, Scanned: outer - 1, Moved: passed * (matches - 1), Rows: passed * matches, Steps: int64(steps)}
	n, _ := m.Reads(&c)
	const want = outer + passed*matches
	if math.Abs(float64(n-want)) > want/10 {
		t.Errorf("read %d, not about %d", n, want)
	}
}

func TestLeast(t *testing.T) {
	t.Parallel()
	// x + y = 10, x - y + z = 2, and so y = x + z - 2.
	l := linear{rows: [][]float64{{1, 1, 0}, {1, -1, 1}}, right: []float64{10, 2}}
	for _, c := range []struct {
		cost []float64
		want float64
	}{
		{[]float64{1, 0, 0}, 0}, {[]float64{-1, 0, 0}, -6}, {[]float64{0, 1, 0}, 4}, {[]float64{0, 0, -1}, -12},
	} {
		if got, ok := l.least(c.cost); !ok || math.Abs(got-c.want) > tiny {
			t.Errorf("the least of %v is %v, %v, not %v", c.cost, got, ok, c.want)
		}
	}
	none := linear{rows: [][]float64{{1}}, right: []float64{-1}}
	if got, ok := none.least([]float64{1}); ok {
		t.Errorf("x = -1 has the solution %v", got)
	}
	unbounded := linear{rows: [][]float64{{1, -1}}, right: []float64{0}}
	if got, ok := unbounded.least([]float64{-1, 0}); ok {
		t.Errorf("-x has the least value %v", got)
	}
}
