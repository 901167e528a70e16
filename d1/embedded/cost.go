package embedded

import (
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/rowcount"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// cost tells how many rows the runs of a statement have read and written.
type cost struct {
	program []rowcount.Op
	model   *rowcount.Model
	asked   []statusCounter
	columns []int // whose first values are rows that were counted
}

// statusCounter is a counter of the model that the engine keeps for a statement.
type statusCounter struct {
	counter int
	status  sqlite3.StmtStatus
}

// statusMoved counts the steps of cursors that no documented status counts.
const statusMoved sqlite3.StmtStatus = 0

func statusCounters() []statusCounter {
	return []statusCounter{
		{rowcount.Steps, sqlite3.STMTSTATUS_VM_STEP},
		{rowcount.Moved, statusMoved},
		{rowcount.Scanned, sqlite3.STMTSTATUS_FULLSCAN_STEP},
		{rowcount.Indexed, sqlite3.STMTSTATUS_AUTOINDEX},
		{rowcount.Sorts, sqlite3.STMTSTATUS_SORT},
		{rowcount.Starts, sqlite3.STMTSTATUS_RUN},
		{rowcount.Hits, sqlite3.STMTSTATUS_FILTER_HIT},
		{rowcount.Misses, sqlite3.STMTSTATUS_FILTER_MISS},
	}
}

// costOf reads the program of a statement, as it is with these arguments. SQLite forgets
// over that how many rows the last statement has changed, if this one writes: then it is
// for just before the statement runs, and not for one that asks for changes().
func (c *conn) costOf(s *stmt, args []any) cost {
	program := c.programOf(s.Stmt.SQL(), args)
	if len(program) == 0 {
		return cost{}
	}
	if slices.Equal(program, s.cost.program) {
		return s.cost
	}
	m := cost{program: program, model: rowcount.New(program)}
	m.columns = m.model.CountColumns()
	for _, a := range statusCounters() {
		if m.model.Needs(a.counter, !s.readOnly) {
			m.asked = append(m.asked, a)
		}
	}
	return m
}

// programOf returns the program that SQLite makes of a text. It is empty if there is none:
// the figures are then an estimate, and the statement itself is good.
func (c *conn) programOf(sql string, args []any) (program []rowcount.Op) {
	if len(sql)+len("EXPLAIN ") > d1.MaxStatementBytes {
		return nil
	}
	stateful := c.stateful
	defer func() { c.stateful = stateful }()
	explained, _, err := c.Prepare("EXPLAIN " + sql)
	if err != nil {
		return nil
	}
	explain := stmt{Stmt: explained, params: explained.BindCount()}
	defer explain.Close()
	if args != nil && explain.bind(args) != nil {
		return nil
	}
	for explain.Step() {
		number := explain.ColumnInt
		program = append(program, rowcount.Op{
			Addr: number(0), Code: string(explain.ColumnRawText(1)), P1: number(2), P2: number(3), P3: number(4), P5: number(6),
		})
	}
	return program
}

// explainable reports whether a statement's program can be asked for without harm: some
// PRAGMAs do what they do when they are compiled.
func explainable(s sqltext.Statement) bool {
	if s.Explain || s.Verb != "PRAGMA" {
		return !s.Explain
	}
	name, _ := pragmaName(s)
	return name == "quick_check" || name == "foreign_key_check"
}

// beginRun is for just before a statement runs: the engine counts from here.
func (c *conn) beginRun(s *stmt, args []any) {
	if s.outdated {
		s.cost, s.outdated = c.costOf(s, args), false
	}
	for _, a := range s.cost.asked {
		s.Status(a.status, true)
	}
}

// rowsRead returns how many rows a run has read, and whether that is exact.
func (m *cost) rowsRead(run *rowcount.Counters) (n int64, exact bool) {
	if len(m.program) == 0 {
		return 0, true
	}
	return m.model.Reads(run)
}

// rowsWritten returns how many rows a run has written, and whether that is exact.
func (m *cost) rowsWritten(run *rowcount.Counters) (n int64, exact bool) {
	return m.model.Writes(run)
}

// end adds to what is known of a run what the engine has counted.
func (m *cost) end(s *sqlite3.Stmt, run *rowcount.Counters) {
	run[rowcount.Runs] = 1
	for _, a := range m.asked {
		run[a.counter] = int64(s.Status(a.status, false))
	}
}

// counted returns what the statement has counted whole tables to, which the row that it
// stands on tells.
func (s *stmt) counted() (n int64) {
	for _, column := range s.cost.columns {
		n += s.ColumnInt64(column)
	}
	return n
}
