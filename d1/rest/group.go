package rest

import (
	"context"
	"sync"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
)

// Grouping says which requests may leave together, in one POST.
type Grouping uint8

const (
	// GroupReads lets requests that only read leave together. It is the default.
	GroupReads Grouping = iota
	// GroupAll lets writes of one statement leave together too, though never with
	// reads. If the answer to such a POST is lost, each of its writes is
	// [d1.Ambiguous].
	GroupAll
	// GroupNone gives each request a POST of its own.
	GroupNone
)

// What a POST for several requests holds at most. The service documents no bound for a
// batch but that it may run for 30 seconds and return 50 MB; these stay far below.
const (
	maxGroup      = 200     // statements
	maxGroupBytes = 1 << 20 // of body
)

// What a request may have that shares a POST.
const (
	maxShare      = 20 // statements
	maxShareBytes = 64 << 10
)

// defaultGroupWait is Config.GroupWait.
const defaultGroupWait = 50 * time.Millisecond

// lane holds the requests back that arrive while one is under way, and lets them leave
// together. Those of a lane are of one class, and ask for the same freshness.
//
// A request that finds none under way leaves at once, on its caller's goroutine, as if
// there were no lane. The others wait until one that is under way has been answered,
// there are enough of them, or GroupWait has passed; so a slow statement holds up others
// for no longer than that.
type lane struct {
	db *DB

	mu      sync.Mutex
	flying  int // POSTs that have not been answered
	waiting []*member
	size    size // of those
	timer   *time.Timer
}

// size is how large a body is.
type size struct{ statements, bytes int }

func (s size) plus(p *plan) size {
	return size{s.statements + len(p.statements), s.bytes + len(p.elements) + 1}
}

// full reports whether nothing may be added.
func (s size) full() bool { return s.statements >= maxGroup || s.bytes >= maxGroupBytes }

// member is a request that waits in a lane.
type member struct {
	ctx  context.Context
	plan *plan
	told chan answer // holds one
	left bool        // its caller has given up; guarded by lane.mu
}

// answer is what becomes of a member.
type answer struct {
	results *d1.Results
	err     error
	alone   bool // it must send itself,
	flying  bool // and counts as one under way
}

// do sends a request, alone or with others.
func (l *lane) do(ctx context.Context, p *plan) (*d1.Results, error) {
	m := l.join(ctx, p)
	if m == nil {
		defer l.landed()
		return l.db.alone(ctx, p)
	}
	select {
	case a := <-m.told:
		if a.flying {
			defer l.landed()
		}
		if a.alone {
			return l.db.alone(ctx, p)
		}
		return a.results, a.err
	case <-ctx.Done():
		return l.leave(m)
	}
}

// join returns nil if the request may leave at once; then landed must be called.
func (l *lane) join(ctx context.Context, p *plan) *member {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flying == 0 {
		l.flying = 1
		return nil
	}
	m := &member{ctx: ctx, plan: p, told: make(chan answer, 1)}
	if len(l.waiting) == 0 {
		l.startTimer(l.db.groupWait)
	}
	l.waiting = append(l.waiting, m)
	if l.size = l.size.plus(p); l.size.full() {
		l.depart()
	}
	return m
}

func (l *lane) startTimer(wait time.Duration) {
	if l.timer == nil {
		l.timer = time.AfterFunc(wait, l.due)
		return
	}
	l.timer.Reset(wait)
}

// landed is called when a POST has been answered.
func (l *lane) landed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flying--
	l.depart()
}

// due is called when the first of those who wait has waited for long enough. While the
// budget is used up nobody gains by leaving, so more may come.
func (l *lane) due() {
	budget := l.db.client.BudgetWait()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case len(l.waiting) == 0:
	case budget > 0 && l.flying > 0:
		l.startTimer(max(budget, l.db.groupWait))
	default:
		l.depart()
	}
}

// depart sends those who wait, or as many as one body holds.
func (l *lane) depart() {
	if len(l.waiting) == 0 {
		return
	}
	group := l.take()
	if len(l.waiting) > 0 {
		l.startTimer(l.db.groupWait)
	} else {
		l.timer.Stop()
	}
	l.flying++
	if len(group) == 1 {
		group[0].told <- answer{alone: true, flying: true}
		return
	}
	go l.share(group, l.landed)
}

// take takes members off the queue.
func (l *lane) take() []*member {
	var s size
	n := 0
	for n < len(l.waiting) && !s.full() {
		s = s.plus(l.waiting[n].plan)
		n++
	}
	group := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	l.size.statements -= s.statements
	l.size.bytes -= s.bytes
	if len(l.waiting) == 0 {
		l.waiting = nil
	}
	return group
}

// leave gives up a member whose context has ended, unless its answer has just come.
// Others are not concerned.
func (l *lane) leave(m *member) (*d1.Results, error) {
	if l.drop(m) {
		return nil, m.gaveUp(d1.OutcomeUnsent)
	}
	select {
	case a := <-m.told:
		if a.flying {
			l.landed()
		}
		if a.alone {
			return nil, m.gaveUp(d1.OutcomeUnsent)
		}
		return a.results, a.err
	default:
	}
	if m.plan.call.Class == cloudflare.ClassWrite {
		return nil, m.gaveUp(d1.OutcomeUnknown)
	}
	return nil, m.gaveUp(d1.OutcomeRefused)
}

func (m *member) gaveUp(outcome d1.Outcome) error {
	err := m.ctx.Err()
	return &d1.Error{Message: err.Error(), Offset: -1, Statement: -1, Outcome: outcome, Err: err}
}

// drop takes a member off the queue, or marks it as gone if it is not there any more.
func (l *lane) drop(m *member) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	m.left = true
	for i, w := range l.waiting {
		if w == m {
			l.size.statements -= len(m.plan.statements)
			l.size.bytes -= len(m.plan.elements) + 1
			l.waiting = append(l.waiting[:i:i], l.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// tell gives a member its answer. If its caller has gone, it is dropped.
func (l *lane) tell(m *member, a answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !m.left {
		m.told <- a
	}
}

// present returns those whose callers still wait.
func (l *lane) present(group []*member) []*member {
	l.mu.Lock()
	defer l.mu.Unlock()
	var there []*member
	for _, m := range group {
		if !m.left {
			there = append(there, m)
		}
	}
	return there
}
