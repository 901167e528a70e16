package rowcount

// branches are the instructions that go on either to P2 or to the next one.
var branches = set("Ne", "Eq", "Gt", "Le", "Lt", "Ge", "ElseEq", "If", "IfNot", "IsNull", "NotNull", "IsType",
	"IfNullRow", "IfNotOpen", "IfPos", "IfNotZero", "DecrJumpZero", "IfEmpty", "IfSizeBetween", "IfSmaller",
	"Found", "NotFound", "NoConflict", "IfNoHope", "NotExists", "SeekRowid", "SeekLT", "SeekLE", "SeekGE", "SeekGT",
	"IdxLE", "IdxGT", "IdxLT", "IdxGE", "Rewind", "Last", "Sort", "SorterSort", "Next", "Prev", "SorterNext",
	"SorterCompare", "SequenceTest", "RowSetRead", "RowSetTest", "MustBeInt", "FkIfZero", "Once", "Filter",
	"VFilter", "VNext", "IncrVacuum")

// tests are those of them that go by the value of one register.
var tests = set("If", "IfNot", "IsNull", "NotNull", "IfPos", "DecrJumpZero")

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}

// Flags of instructions.
const (
	countsChange = 0x01 // OPFLAG_NCHANGE
	seeksEqual   = 0x02 // OPFLAG_SEEKEQ, of a cursor that is opened
	noOperation  = 0x40 // OPFLAG_ISNOOP
	ignores      = 4    // OE_Ignore, of a Halt
)

// costOf returns what an instruction adds wherever it goes on to.
func (p *program) costOf(op *Op) (w weights) {
	w[Steps] = 1
	lasting := int32(1)
	if p.ephemeral[op.P1] {
		lasting = 0
	}
	switch op.Code {
	case "Init":
		w[Starts] = 1
	case "ResultRow":
		w[Rows] = 1
	case "Sort", "SorterSort":
		w[Sorts], w[read] = 1, 1
	case "SeekRowid":
		if !p.columns[op.P3] {
			w[read] = 1
		}
	case "Rewind", "Last", "NotExists", "SeekLT", "SeekGT", "VNext":
		w[read] = 1
	case "SeekGE", "SeekLE":
		if !p.equal[op.P1] {
			w[read] = 1
		}
	case "SorterInsert":
		p.balance(&w, op.P1, 1)
	case "RowSetAdd":
		p.balance(&w, rowSet(op.P1), 1)
	case "Insert":
		p.balance(&w, op.P1, 1)
		if op.P5&noOperation == 0 {
			w[written], w[Changes] = lasting, int32(op.P5&countsChange)
		}
	case "IdxInsert":
		w[written], w[Changes] = lasting, int32(op.P5&countsChange)
	case "Delete":
		w[Changes] = int32(op.P2 & countsChange)
		w[written] = w[Changes] * lasting
	case "VUpdate":
		w[written], w[Changes] = 1, 1
	case "SeekEnd":
		w[appended] = 1
	}
	return w
}

// costOfJump returns what an instruction adds if it jumps to P2, and if it does not.
func (p *program) costOfJump(op *Op) (jump, next weights) {
	switch op.Code {
	case "Next", "Prev", "SorterNext":
		jump[read] = 1
		switch op.P5 {
		case 0:
			jump[Moved] = 1
		case 1:
			jump[Scanned] = 1
		case 3:
			jump[Indexed] = 1
		}
		p.balance(&jump, op.P1, -1)
	case "Rewind", "Sort", "SorterSort":
		p.balance(&next, op.P1, -1)
	case "RowSetRead":
		p.balance(&next, rowSet(op.P1), -1)
	case "SeekRowid":
		// Neither a NULL is found nor a key that is not there, but only the key counts.
		// A column that refers to another table mostly holds a NULL then.
		if p.columns[op.P3] {
			next[read] = 1
		}
	case "Filter":
		jump[Hits], next[Misses] = 1, 1
	case "SeekGE", "SeekLE":
		if p.equal[op.P1] {
			next[read] = 1
		}
	}
	return jump, next
}

// costOfMany returns what an instruction adds any number of times in one execution.
func costOfMany(op *Op) (w weights, ok bool) {
	switch {
	case op.Code == "Clear" && op.P3 != 0:
		w[Changes], w[written] = 1, 1
	case op.Code == "VUpdate": // the table's own statements count changes too
		w[Changes] = 1
	case op.Code == "Count" && op.P3 == 0:
		w[Counted], w[read] = 1, 1
	default:
		return w, false
	}
	return w, true
}

// balance notes that something is put into a list, or taken out of it.
func (p *program) balance(w *weights, cursor int, n int32) {
	if number, ok := p.lists[cursor]; ok {
		w[counters+number] = n
	}
}
