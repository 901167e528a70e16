package rowcount

import "slices"

// program is a statement's program, or one of its triggers'.
type program struct {
	code            []Op
	ephemeral       map[int]bool  // cursors of tables that last for the statement
	columns         map[int]bool  // registers that hold columns of tables
	equal           map[int]bool  // cursors that seek nothing but equals
	calls           map[int]int   // the program that the instruction at an address calls
	returns         map[int]bool  // registers that hold where a subroutine returns to
	aims            map[int]bool  // addresses that something jumps to
	tested, counted map[int]bool  // registers that are asked for, and that are counted down
	lists           map[int]int   // the number of the balance of a list, by cursor
	producers       map[int][]int // where coroutines go on after their Yields, by register
}

// programs splits what EXPLAIN shows into the programs it is made of: the statement's
// comes first, and each of the others in the order in which it is first called.
func programs(ops []Op) []*program {
	var all []*program
	for len(ops) > 0 {
		n := 1
		for n < len(ops) && ops[n].Addr == n {
			n++
		}
		all = append(all, newProgram(ops[:n]))
		ops = ops[n:]
	}
	number := 0
	for _, p := range all {
		number = p.findLists(number)
	}
	return all
}

func newProgram(code []Op) *program {
	p := &program{code: code, ephemeral: map[int]bool{}, equal: map[int]bool{}, calls: map[int]int{},
		producers: map[int][]int{}, returns: map[int]bool{}, lists: map[int]int{}, aims: map[int]bool{}, columns: map[int]bool{}}
	p.tested, p.counted = tested(code)
	for i := range code {
		op := &code[i]
		for _, to := range targets(op) {
			p.aims[to] = true
		}
		switch op.Code {
		case "OpenEphemeral", "OpenAutoindex", "SorterOpen", "OpenPseudo":
			p.ephemeral[op.P1] = true
		case "OpenDup":
			p.ephemeral[op.P1] = p.ephemeral[op.P2]
		case "OpenRead", "OpenWrite", "ReopenIdx":
			if op.P5&seeksEqual != 0 {
				p.equal[op.P1] = true
			}
		case "Column":
			p.columns[op.P3] = true
		case "Return":
			p.returns[op.P1] = true
		case "Yield":
			if op.P2 == 0 {
				p.producers[op.P1] = append(p.producers[op.P1], op.Addr+1)
			}
		}
	}
	return p
}

// link finds out which program each call calls. A program is listed once, where it is
// first called; calls that are left over are taken for a trigger's of itself, which is not
// sure. It returns false if that cannot be.
func link(all []*program) (sure, ok bool) {
	next := 1
	sure = true
	for i, p := range all {
		for _, op := range p.code {
			switch {
			case op.Code != "Program":
			case next < len(all):
				p.calls[op.Addr] = next
				next++
			case i > 0 && op.P5 != 0:
				p.calls[op.Addr], sure = i, false
			default:
				return false, false
			}
		}
	}
	return sure, next == len(all)
}

// countColumns returns the columns of the result that hold what a count(*) of a whole
// table has counted, and whether that is all that is counted so.
func (p *program) countColumns() (columns []int, all bool) {
	all = true
	for i := range p.code {
		if op := &p.code[i]; op.Code == "Count" && op.P3 == 0 {
			column := p.columnOf(op.P2, i+1)
			if column < 0 {
				all = false
				continue
			}
			columns = append(columns, column)
		}
	}
	return columns, all
}

// columnOf returns the column of the result that a register goes to, or -1.
func (p *program) columnOf(register, from int) int {
	holds := []int{register}
	for i := from; i < len(p.code); i++ {
		op := &p.code[i]
		switch op.Code {
		case "Copy", "SCopy":
			more := 0
			if op.Code == "Copy" {
				more = op.P3
			}
			for _, r := range holds {
				if op.P1 <= r && r <= op.P1+more {
					holds = append(holds, op.P2+r-op.P1)
				}
			}
		case "ResultRow":
			for column := range op.P2 {
				if slices.Contains(holds, op.P1+column) {
					return column
				}
			}
		}
	}
	return -1
}
