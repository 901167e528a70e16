package rowcount

import "slices"

// A balance is between what is put into a list that lasts for the statement, such as a
// sorter, and what is taken out of it again: as much, if the list is read once and to its
// end. So it is one more sum that is known, to be zero.

// balances is how many lists of a statement are looked at.
const balances = 6

// list is what a program does with a list.
type list struct {
	first, next int  // the instructions that go to its first entry and to each other one
	put         bool // something is put into it
	other       bool // it is used in another way too, which may break the balance
}

// findLists numbers the lists of a program that are in balance, from a number on, and
// returns the next number.
func (p *program) findLists(number int) int {
	lists := p.allLists()
	var keys []int
	for key, l := range lists {
		if l.first >= 0 && l.next >= 0 && l.put && !l.other {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b int) int { return lists[a].first - lists[b].first })
	for _, key := range keys {
		if number < balances && p.readOnce(key, lists[key]) {
			p.lists[key] = number
			number++
		}
	}
	return number
}

// rowSet is the key of a list that is no table but is held in a register.
func rowSet(register int) int { return -1 - register }

// handlesLists are the instructions that do something with a list.
var handlesLists = set("SorterInsert", "Insert", "SorterSort", "Rewind", "Sort", "SorterNext", "Next", "OpenDup", "IdxInsert",
	"Delete", "ResetSorter", "Last", "Prev", "OpenAutoindex", "Clear", "RowSetAdd", "RowSetRead", "RowSetTest")

// allLists returns the lists of a program by their cursors.
func (p *program) allLists() map[int]*list {
	lists := map[int]*list{}
	of := func(key int) *list {
		if lists[key] == nil {
			lists[key] = &list{first: -1, next: -1}
		}
		return lists[key]
	}
	made := map[int]bool{} // registers that hold records
	for i := range p.code {
		op := &p.code[i]
		if op.Code == "MakeRecord" {
			made[op.P3] = true
			continue
		}
		if !handlesLists[op.Code] {
			continue
		}
		l := of(op.P1)
		switch op.Code {
		case "SorterInsert":
			l.put = true
		case "Insert":
			l.put = true
			l.other = l.other || !p.ephemeral[op.P1] || made[op.P2] && !p.appendsAt(i)
		case "SorterSort", "Rewind", "Sort":
			l.other = l.other || l.first >= 0
			l.first = i
		case "SorterNext", "Next":
			l.other = l.other || l.next >= 0
			l.next = i
		case "OpenDup":
			l.other, of(op.P2).other = true, true
		case "IdxInsert", "Delete", "ResetSorter", "Last", "Prev", "OpenAutoindex", "Clear":
			l.other = true
		case "RowSetAdd":
			of(rowSet(op.P1)).put = true
		case "RowSetRead":
			l = of(rowSet(op.P1))
			l.other = l.other || l.first >= 0
			l.first = i
			l.next = p.endOfRowSet(i)
		case "RowSetTest":
			of(rowSet(op.P1)).other = true
		}
	}
	return lists
}

// appendsAt reports whether an Insert takes a new rowid, so that it replaces nothing.
func (p *program) appendsAt(i int) bool {
	return i > 0 && p.code[i-1].Code == "NewRowid" && p.code[i-1].P1 == p.code[i].P1
}

// endOfRowSet returns where the loop over a row set goes back to its begin, or -1.
func (p *program) endOfRowSet(begin int) int {
	for i := begin; i < len(p.code); i++ {
		if p.code[i].Code == "Goto" && p.code[i].P2 == begin {
			return i
		}
	}
	return -1
}

// readOnce reports whether a list is read to its end, and no second time.
func (p *program) readOnce(key int, l *list) bool {
	begin, end := l.first+1, l.next
	yields, limited := false, false
	opened := -1
	for i := range p.code {
		op := &p.code[i]
		inside := begin <= i && i < end
		switch {
		case op.Code == "DecrJumpZero":
			limited = true
		case op.Code == "Yield":
			yields = yields || inside
			continue
		case op.P1 == key && (op.Code == "OpenEphemeral" || op.Code == "SorterOpen"):
			opened = i
		}
		for _, to := range targets(op) {
			if inside && (to < begin || to > end) {
				return false // it may leave before the end
			}
			if i > end && 1 < to && to <= l.first && (opened < to || opened > i) {
				return false // it may come again
			}
		}
	}
	return !(yields && limited) // what it yields to may have enough
}

// targets returns where an instruction may jump to, but for subroutines.
func targets(op *Op) []int {
	switch {
	case op.Code == "Jump":
		return []int{op.P1, op.P2, op.P3}
	case op.Code == "Goto", branches[op.Code] && op.P2 > 0:
		return []int{op.P2}
	}
	return nil
}
