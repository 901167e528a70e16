package rowcount

import "slices"

// place is a state that a run passes through.
type place struct {
	frame *frame
	pc    int
}

// edge is a way from one place to another.
type edge struct {
	from, to int
	cost     weights
}

// walker explores every place that a run can come to.
type walker struct {
	all    []*program
	frames map[string]*frame
	places map[place]int
	list   []place
	edges  []edge
}

// maxPlaces bounds the work on a program.
const maxPlaces = 20_000

// manyYields is from how many on the places where a coroutine goes on are not told apart.
const manyYields = 8

// anywhere is the address of a coroutine that goes on after any of its Yields.
const anywhere = -1

// explore returns the graph of a program: the places, the first of which is both its
// beginning and its end, and the ways between them.
func explore(all []*program) (places int, edges []edge, ok bool) {
	w := &walker{all: all, frames: map[string]*frame{}, places: map[place]int{}}
	w.at(place{w.intern(frame{program: 0}), 0})
	for i := 0; i < len(w.list); i++ {
		if !w.leave(i) || len(w.list) > maxPlaces {
			return 0, nil, false
		}
	}
	return len(w.list), w.edges, true
}

// at returns the number of a place.
func (w *walker) at(p place) int {
	i, ok := w.places[p]
	if !ok {
		i = len(w.list)
		w.places[p] = i
		w.list = append(w.list, p)
	}
	return i
}

func (w *walker) connect(from int, f *frame, pc int, cost weights) {
	w.edges = append(w.edges, edge{from: from, to: w.at(place{f, pc}), cost: cost})
}

// leave follows every way out of a place: past the instructions that just go on, to one
// that may not.
func (w *walker) leave(from int) bool {
	f, pc := w.list[from].frame, w.list[from].pc
	p := w.all[f.program]
	var cost weights
	for ; pc < len(p.code); pc++ {
		op := &p.code[pc]
		if many, ok := costOfMany(op); ok {
			w.edges = append(w.edges, edge{from: from, to: from, cost: many})
		}
		own := p.costOf(op)
		cost.add(&own)
		if turns[op.Code] || branches[op.Code] {
			return w.turn(from, f, op, cost)
		}
		f = w.pass(f, op)
		if p.aims[pc+1] {
			w.connect(from, f, pc+1, cost)
			return true
		}
	}
	return false
}

// turns are the instructions besides branches that do not just go on to the next.
var turns = set("Halt", "Goto", "Init", "Gosub", "Return", "InitCoroutine", "Yield", "EndCoroutine", "Once", "Program", "Jump",
	"SeekScan")

// pass returns the frame after an instruction that just goes on.
func (w *walker) pass(f *frame, op *Op) *frame {
	p := w.all[f.program]
	switch op.Code {
	case "Integer":
		switch {
		case p.returns[op.P2]:
			return w.with(f, op.P2, op.P1+1)
		case p.tested[op.P2] && !(p.counted[op.P2] && op.P1 > fewest):
			return w.with(f, op.P2, op.P1)
		case p.tested[op.P2]:
			return w.without(f, op.P2)
		}
		return f
	case "Null", "BeginSubrtn":
		for reg := op.P2; reg <= max(op.P2, op.P3); reg++ {
			if p.tested[reg] && op.P1 == 0 {
				f = w.with(f, reg, null)
			} else if p.tested[reg] || op.Code == "BeginSubrtn" {
				f = w.without(f, reg)
			}
		}
		return f
	}
	return w.forget(f, op)
}

// forget returns the frame without what an instruction makes unknown.
func (w *walker) forget(f *frame, op *Op) *frame {
	if len(f.regs) == 0 {
		return f
	}
	tested := w.all[f.program].tested
	changed(op, func(reg int) {
		if tested[reg] {
			f = w.without(f, reg)
		}
	})
	return f
}

// turn follows every way on from an instruction.
func (w *walker) turn(from int, f *frame, op *Op, cost weights) bool {
	p, pc := w.all[f.program], op.Addr
	switch op.Code {
	case "Halt":
		w.halt(from, f, op, cost)
	case "Goto":
		w.connect(from, f, op.P2, cost)
	case "Init":
		w.connect(from, f, max(op.P2, 1), cost)
	case "Gosub":
		w.connect(from, w.with(f, op.P1, pc+1), op.P2, cost)
	case "Return":
		if back, ok := f.regs[op.P1]; ok {
			w.connect(from, w.without(f, op.P1), back, cost)
		} else if op.P3 != 0 {
			w.connect(from, f, pc+1, cost)
		}
	case "InitCoroutine":
		next := op.P2
		if next == 0 {
			next = pc + 1
		}
		w.connect(from, w.with(f, op.P1, op.P3), next, cost)
	case "Yield":
		w.yield(from, f, op, cost)
	case "EndCoroutine":
		if caller, ok := f.regs[op.P1]; ok && caller > 0 {
			w.connect(from, w.with(f, op.P1, pc), p.code[caller-1].P2, cost)
		}
	case "Once":
		if _, done := f.regs[-1-pc]; done {
			w.connect(from, f, op.P2, cost)
		} else {
			w.connect(from, w.with(f, -1-pc, 1), pc+1, cost)
		}
	case "Program":
		return w.call(from, f, op, cost)
	case "Jump":
		for _, to := range slices.Compact(slices.Sorted(slices.Values(targets(op)))) {
			w.connect(from, f, to, cost)
		}
	case "SeekScan":
		w.connect(from, f, pc+1, cost)
		w.connect(from, f, op.P2, cost)
		w.connect(from, f, p.code[pc+1].P2, cost)
	default:
		w.branch(from, f, op, cost)
	}
	return true
}

// branch goes on to the next instruction or to P2.
func (w *walker) branch(from int, f *frame, op *Op, cost weights) {
	p := w.all[f.program]
	if value, ok := f.regs[op.P1]; ok && tests[op.Code] {
		w.decided(from, f, op, value, cost)
		return
	}
	f = w.forget(f, op)
	jump, fall := p.costOfJump(op)
	next := op.Addr + 1
	if (op.Code == "SeekGE" || op.Code == "SeekLE") && p.equal[op.P1] {
		next++ // the comparison that follows is passed over
	}
	fall.add(&cost)
	w.connect(from, f, next, fall)
	jump.add(&cost)
	if op.P2 > 0 && (op.P2 != next || jump != fall) {
		w.connect(from, f, op.P2, jump)
	}
}

// decided is for a test of a register whose value is known.
func (w *walker) decided(from int, f *frame, op *Op, value int, cost weights) {
	next := op.Addr + 1
	jumps := decide(op, value)
	if jumps {
		next = op.P2
	}
	switch {
	case op.Code == "DecrJumpZero":
		f = w.with(f, op.P1, value-1)
	case op.Code == "IfPos" && jumps:
		f = w.with(f, op.P1, value-op.P3)
	}
	w.connect(from, f, next, cost)
}

// halt ends a program. An error ends the statement, and nothing is asked about it.
func (w *walker) halt(from int, f *frame, op *Op, cost weights) {
	switch {
	case op.P1 != 0:
	case f.parent == nil:
		cost[Runs] = 1
		w.edges = append(w.edges, edge{from: from, to: 0, cost: cost})
	case op.P2 == ignores:
		w.connect(from, f.parent, f.ignored, cost)
	default:
		w.connect(from, f.parent, f.back, cost)
	}
}

// call begins a trigger's program, unless it is running already.
func (w *walker) call(from int, f *frame, op *Op, cost weights) bool {
	called := w.all[f.program].calls[op.Addr]
	if called >= len(w.all) {
		return false
	}
	if op.P5 != 0 {
		for g := f; g != nil; g = g.parent {
			if g.program == called {
				w.connect(from, f, op.Addr+1, cost)
				return true
			}
		}
	}
	w.connect(from, w.intern(frame{program: called, parent: f, back: op.Addr + 1, ignored: op.P2}), 0, cost)
	return true
}

// yield goes to where the other side of a coroutine left off.
func (w *walker) yield(from int, f *frame, op *Op, cost weights) {
	other, ok := f.regs[op.P1]
	if !ok {
		return
	}
	here, producers := op.Addr+1, w.all[f.program].producers[op.P1]
	if op.P2 == 0 && len(producers) > manyYields {
		here = anywhere
	}
	f = w.with(f, op.P1, here)
	if other != anywhere {
		w.connect(from, f, other, cost)
		return
	}
	for _, other := range producers {
		w.connect(from, f, other, cost)
	}
}
