// Package rowcount works out how many rows a statement has read and written as D1 counts
// them, from the statement's program and the counters of an SQLite that does not.
//
// D1's SQLite is patched to count: one for every cursor that is moved to a row, one for
// every entry that is written. The program says which instructions those are, but not how
// often each has run. Stock SQLite tells a few sums over a whole run: the instructions,
// the steps of cursors, the rows returned, the rows changed and so on; see [Counters].
//
// A run is a walk through the program from its beginning to its end, and what it adds up
// to is what its loops add up to. There are three ways from the known sums to the wanted:
//
//   - If every loop adds to the wanted sum in a fixed proportion to the known ones, so
//     does every walk: the wanted sum is a linear function of the known ones.
//   - Otherwise all walks that have the known sums are looked at, if they are not too
//     many. The wanted sum is exact if it is the same for all of them.
//   - Otherwise two linear programs tell the least and the most it can be.
//
// What is not exact is an estimate between the least and the most.
package rowcount

// Op is an instruction of a program, as EXPLAIN shows it.
type Op struct {
	Addr           int
	Code           string
	P1, P2, P3, P5 int
}

// Counters is what is known of a run.
type Counters [counters]int64

// The counters.
const (
	Runs    = iota // 1
	Steps          // instructions: sqlite3_stmt_status, VM_STEP
	Moved          // steps to another row in loops of no special kind: status 0
	Scanned        // the same in full scans: FULLSCAN_STEP
	Indexed        // the same while an index is made for the statement: AUTOINDEX
	Sorts          // sorts: SORT
	Starts         // programs begun, triggers' among them: RUN
	Hits           // rows that a Bloom filter kept out: FILTER_HIT
	Misses         // rows that it let through: FILTER_MISS
	Rows           // rows returned
	Changes        // rows changed, by triggers too: sqlite3_total_changes
	Counted        // rows that plain count(*)s have counted, see [Model.CountColumns]
	counters
)

// known is how many sums are known: the balances follow the counters.
const known = counters + balances

// The sums that are wanted.
const (
	read = known + iota
	written
	appended // entries put at the end of an index that is made
	sums
)

// wanted is how many they are.
const wanted = sums - known

// weights is what something adds to each sum.
type weights [sums]int32

func (w *weights) add(v *weights) {
	for i := range w {
		w[i] += v[i]
	}
}

func (w *weights) subtract(v *weights) {
	for i := range w {
		w[i] -= v[i]
	}
}
