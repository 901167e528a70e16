package embedded

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// cost is what a statement's program says of the rows it reads and writes. D1's
// SQLite counts them as it runs, one for every cursor that is moved to a row and
// every entry that is written (workerd's patch 0001-row-counts); here they are
// modelled from the program and the counters that stock SQLite has.
type cost struct {
	verb    string
	looks   int  // places that find a row: scans begun, keys sought
	checks  int  // keys looked for at each row that is written
	ranges  bool // rows come from a range, whose steps the engine does not count
	again   bool // rows are kept and read again: to sort them, or for RETURNING
	counts  bool // the program asks a table how many rows it has
	puts    int  // entries written for each row changed, or once by a schema change
	indexes int  // entries of indexes among puts
	schema  bool
}

// opcode is what the model knows of an instruction of a program.
type opcode struct {
	name   string
	p1, p5 int64
}

// costOf reads the program of a statement. An error leaves the cost at zero: the
// figures are an estimate, and the statement itself is good.
func (c *conn) costOf(sql string, parsed sqltext.Statement) cost {
	m := cost{verb: parsed.Verb, schema: parsed.Kind == sqltext.Schema}
	if parsed.Kind == sqltext.Pragma || parsed.Explain || len(sql)+len("EXPLAIN ") > d1.MaxStatementBytes {
		return m
	}
	stateful := c.stateful
	defer func() { c.stateful = stateful }()
	program, _, err := c.Prepare("EXPLAIN " + sql)
	if err != nil {
		return m
	}
	defer program.Close()
	var code []opcode
	ephemeral := map[int64]bool{} // cursors of tables that last for the statement
	for program.Step() {
		op := opcode{name: string(program.ColumnRawText(1)), p1: program.ColumnInt64(2), p5: program.ColumnInt64(6)}
		switch op.name {
		case "OpenEphemeral", "OpenAutoindex", "SorterOpen", "OpenPseudo":
			ephemeral[op.p1] = true
		}
		code = append(code, op)
	}
	counted := false // the engine counts the steps of a scan
	for _, op := range code {
		switch {
		case !ephemeral[op.p1]:
			m.add(op)
			counted = counted || isStep(op) && op.p5 == int64(sqlite3.STMTSTATUS_FULLSCAN_STEP)
		case op.name == "Rewind", op.name == "Sort", op.name == "SorterSort":
			m.again = true
		}
	}
	m.ranges = m.ranges && !counted
	if !counted && !m.ranges && m.verb == "INSERT" {
		m.checks, m.looks = m.checks+m.looks, 0
	}
	return m
}

// isStep reports whether an instruction goes on to another row.
func isStep(op opcode) bool { return op.name == "Next" || op.name == "Prev" }

// add counts an instruction.
func (m *cost) add(op opcode) {
	switch op.name {
	case "Rewind", "Last", "SeekGE", "SeekGT", "SeekLE", "SeekLT", "SeekRowid":
		m.looks++
	case "Next", "Prev", "VNext":
		m.ranges = true
	case "NotExists":
		m.checks++
	case "Count":
		m.counts = true
	case "Insert", "VUpdate":
		m.puts++
	case "IdxInsert":
		m.puts++
		m.indexes++
	case "Delete":
		const countsChange = 1 // OPFLAG_NCHANGE
		if op.p5&countsChange != 0 {
			m.puts++
		}
	}
}

// rowsRead estimates D1's counter for a run that returned rows and changed some. first
// is the first value returned, which a plain count(*) makes known.
func (m cost) rowsRead(s *sqlite3.Stmt, rows, changes, first int64) int64 {
	if m.buildsIndex() {
		return 2*m.indexed(s) + 2
	}
	n := int64(s.Status(sqlite3.STMTSTATUS_FULLSCAN_STEP, false)) + int64(m.looks)
	if m.counts && m.looks == 0 {
		n += first
	}
	if m.ranges {
		n += max(rows, changes)
	}
	if m.again {
		n += rows
	}
	if !m.schema {
		n += changes * int64(m.checks)
	}
	return n
}

// buildsIndex reports whether the statement makes an index, whose entries are sorted.
func (m cost) buildsIndex() bool { return m.schema && m.verb == "CREATE" && m.again }

// indexed returns how many rows an index was made of; a single one is not seen.
func (m cost) indexed(s *sqlite3.Stmt) int64 {
	if steps := s.Status(sqlite3.STMTSTATUS_FULLSCAN_STEP, false); steps > 0 {
		return int64(steps) + 1
	}
	return 0
}

// rowsWritten estimates D1's counter for a run that changed rows.
func (m cost) rowsWritten(s *sqlite3.Stmt, changes int64) int64 {
	switch {
	case m.buildsIndex():
		return m.indexed(s) + 1
	case m.verb == "DROP":
		return 0
	case m.schema:
		return int64(m.puts - m.indexes)
	}
	return changes * int64(max(m.puts, 1))
}
