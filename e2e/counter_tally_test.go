package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// counterTally counts, by kind of statement, how often rows_read and rows_written are what
// workerd counts, and how far off they are otherwise.
type counterTally struct {
	sync.Mutex
	kinds map[string]*[2]exactness
}

// exactness is how many of a kind are exact, and how the others compare.
type exactness struct {
	exact  int
	ratios []float64 // the larger figure to the smaller, where they differ
}

// add notes the figures of one statement, read and written, and those of workerd.
func (t *counterTally) add(sql string, got, want [2]float64) {
	t.Lock()
	defer t.Unlock()
	if got != want && os.Getenv("SKYLITE_COUNTERS") != "" {
		fmt.Printf("counters %v, workerd %v: %s\n", got, want, clip(sql))
	}
	if t.kinds == nil {
		t.kinds = map[string]*[2]exactness{}
	}
	kind := kindOf(sql)
	if t.kinds[kind] == nil {
		t.kinds[kind] = &[2]exactness{}
	}
	for i := range got {
		s := &t.kinds[kind][i]
		if got[i] == want[i] {
			s.exact++
		} else {
			low, high := min(got[i], want[i]), max(got[i], want[i])
			s.ratios = append(s.ratios, (high+1)/(low+1))
		}
	}
}

// kindOf is what a statement is about, for the counterTally.
func kindOf(sql string) string {
	upper := " " + strings.ToUpper(strings.Join(strings.Fields(sql), " "))
	verb := strings.Trim(strings.Fields(upper + " ?")[0], "(;")
	switch {
	case verb == "WITH" || verb == "REPLACE" || verb == "VALUES" || verb == "EXPLAIN":
		return verb
	case verb == "SELECT" && strings.Contains(upper, " OVER "):
		return "SELECT … OVER"
	case verb == "SELECT" && (strings.Contains(upper, " JOIN ") || strings.Contains(upper, "(SELECT ")):
		return "SELECT … JOIN, (SELECT …)"
	case slices.Contains([]string{"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "PRAGMA"}, verb):
		return verb
	}
	return "other"
}

// total adds up all kinds.
func (t *counterTally) total() (all [2]exactness) {
	for _, kind := range t.kinds {
		for i := range all {
			all[i].exact += kind[i].exact
			all[i].ratios = append(all[i].ratios, kind[i].ratios...)
		}
	}
	return all
}

func (t *counterTally) log(tb testing.TB) {
	for _, kind := range slices.SortedFunc(maps.Keys(t.kinds), func(a, b string) int {
		return cmp.Compare(t.kinds[b][0].all(), t.kinds[a][0].all())
	}) {
		tb.Logf("%-26s read %v; written %v", kind, t.kinds[kind][0], t.kinds[kind][1])
	}
	all := t.total()
	tb.Logf("%-26s read %v; written %v", "all", all[0], all[1])
}

func (s exactness) all() int { return s.exact + len(s.ratios) }

func (s exactness) String() string {
	text := fmt.Sprintf("exact in %d of %d", s.exact, s.all())
	if n := len(s.ratios); n > 0 {
		slices.Sort(s.ratios)
		text += fmt.Sprintf(", else off by %.2f (median), %.2f (95 %%)", s.ratios[n/2], s.ratios[n*95/100])
	}
	return text
}
