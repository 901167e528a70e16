package rowcount

import (
	"fmt"
	"maps"
	"slices"
)

// frame is what a walk has to remember to know where the instructions that jump to a
// place kept in a register go on: the values of those registers, and who called.
type frame struct {
	id      int
	program int
	parent  *frame
	back    int         // where the caller goes on
	ignored int         // where it goes on if the row is to be ignored
	regs    map[int]int // addresses in registers; done Onces under -1-address
}

// intern returns the one frame that is like f.
func (w *walker) intern(f frame) *frame {
	key := fmt.Appendf(nil, "%d %d %d", f.program, f.back, f.ignored)
	if f.parent != nil {
		key = fmt.Appendf(key, " in %d", f.parent.id)
	}
	for _, reg := range slices.Sorted(maps.Keys(f.regs)) {
		key = fmt.Appendf(key, " %d=%d", reg, f.regs[reg])
	}
	if known := w.frames[string(key)]; known != nil {
		return known
	}
	f.id = len(w.frames)
	w.frames[string(key)] = &f
	return &f
}

// with returns the frame with another value in a register.
func (w *walker) with(f *frame, reg, value int) *frame {
	if old, ok := f.regs[reg]; ok && old == value {
		return f
	}
	g := *f
	g.regs = maps.Clone(f.regs)
	if g.regs == nil {
		g.regs = map[int]int{}
	}
	g.regs[reg] = value
	return w.intern(g)
}

func (w *walker) without(f *frame, reg int) *frame {
	if _, ok := f.regs[reg]; !ok {
		return f
	}
	g := *f
	g.regs = maps.Clone(f.regs)
	delete(g.regs, reg)
	return w.intern(g)
}
