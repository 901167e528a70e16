package rowcount

import "math"

// null is the value of a register that holds NULL.
const null = math.MinInt

// fewest is up to which number a register that is counted down is followed.
const fewest = 3

// tested returns the registers that some instruction asks for to know where to go on.
// A walk remembers their values where they are constants, so that a flag that is set on
// one way and asked for later leads on as it does in a run.
func tested(code []Op) (asked, counted map[int]bool) {
	asked, counted = map[int]bool{}, map[int]bool{}
	for i := range code {
		switch op := &code[i]; op.Code {
		case "If", "IfNot", "IsNull", "NotNull", "IfPos":
			asked[op.P1] = true
			counted[op.P1] = counted[op.P1] || op.P3 != 0 && op.Code == "IfPos"
		case "DecrJumpZero":
			asked[op.P1], counted[op.P1] = true, true
		}
	}
	return asked, counted
}

// quiet are the instructions that change no register, or that a walk follows.
var quiet = set("Init", "Goto", "Halt", "HaltIfNull", "ResultRow", "OpenRead", "OpenWrite", "OpenEphemeral",
	"OpenAutoindex", "OpenDup", "OpenPseudo", "ReopenIdx", "SorterOpen", "SorterInsert", "Insert", "IdxInsert", "Delete",
	"IdxDelete", "Close", "Transaction", "Jump", "Compare", "Once", "Noop", "DeferredSeek", "FinishSeek", "SeekHit",
	"SeekScan", "SeekEnd", "NullRow", "ResetSorter", "Return", "Trace", "ResetCount", "FkCounter", "ParseSchema",
	"SetCookie", "Expire", "TableLock", "VBegin", "VOpen", "VUpdate", "Permutation", "Program", "Integer", "Null",
	"BeginSubrtn", "Gosub", "InitCoroutine", "Yield", "EndCoroutine")

// changed calls a function with each register that an instruction may give a value that
// is not known.
func changed(op *Op, change func(reg int)) {
	from, to := op.P3, op.P3
	switch {
	case op.Code == "Column", op.Code == "VColumn", op.Code == "MakeRecord":
	case op.Code == "Copy":
		from, to = op.P2, op.P2+op.P3
	case op.Code == "Move":
		from, to = op.P2, op.P2+op.P3-1
		for reg := op.P1; reg < op.P1+op.P3; reg++ {
			change(reg)
		}
	case op.Code == "Affinity":
		from, to = op.P1, op.P1+op.P2-1
	case op.Code == "Null" && op.P1 != 0:
		from, to = op.P2, max(op.P2, op.P3)
	case quiet[op.Code], branches[op.Code] && op.Code != "MustBeInt" && op.Code != "RowSetRead":
		return
	default:
		change(op.P1)
		change(op.P2)
	}
	for reg := from; reg <= to; reg++ {
		change(reg)
	}
}

// decide tells whether a test of a register with a value jumps.
func decide(op *Op, value int) bool {
	switch op.Code {
	case "If":
		return value == null && op.P3 != 0 || value != null && value != 0
	case "IfNot":
		return value == null && op.P3 != 0 || value == 0
	case "IsNull":
		return value == null
	case "NotNull":
		return value != null
	case "DecrJumpZero":
		return value == 1
	}
	return value > 0 // IfPos
}
