package d1test

import (
	"strings"
	"testing"
)

// TestReplay shows that the check finds what a weaker isolation would let through.
func TestReplay(t *testing.T) {
	t.Parallel()
	counts := func(saw int64) entry {
		return func(m *world) error {
			m.counters[0]++
			return same("a counter", saw, m.counters[0]-1)
		}
	}
	leaves := func(doctor int, saw int64) entry {
		return func(m *world) error {
			was := m.onCall()
			m.doctors[doctor] = false
			return same("doctors on call", saw, was)
		}
	}
	sees := func(n int64) entry {
		return func(m *world) error { return same("an audit", n, m.counters[0]) }
	}
	for _, tt := range []struct {
		name   string
		made   map[int64]entry
		audits []audit
		order  []int64
		want   string
	}{
		{"serial", map[int64]entry{1: counts(0), 2: counts(1), 3: leaves(0, 4), 4: leaves(1, 3)},
			[]audit{{0, sees(0)}, {2, sees(2)}, {4, sees(2)}}, []int64{1, 2, 3, 4}, ""},
		{"lost update", map[int64]entry{1: counts(0), 2: counts(0)}, nil, []int64{1, 2}, "transaction 2"},
		{"write skew", map[int64]entry{1: leaves(0, 4), 2: leaves(1, 4)}, nil, []int64{2, 1}, "transaction 1"},
		{"stale audit", map[int64]entry{1: counts(0)}, []audit{{1, sees(0)}}, []int64{1}, "after 1 transactions"},
		{"audit of the future", map[int64]entry{1: counts(0)}, []audit{{2, sees(1)}}, []int64{1}, "audits"},
		{"not committed", map[int64]entry{1: counts(0)}, nil, []int64{2}, "was not reported"},
		{"not written", map[int64]entry{1: counts(0), 2: counts(1)}, nil, []int64{1}, "2 transactions committed, and 1"},
	} {
		h := history{made: tt.made, audits: tt.audits}
		_, err := h.replay(tt.order)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
}
