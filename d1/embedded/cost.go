package embedded

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// cost is what a statement's program says of the rows it reads and writes. D1's
// SQLite counts them as it runs, one for every cursor that is moved to a row and
// every entry that is written (workerd's patch 0001-row-counts); here they are
// modelled from the program and the counters that stock SQLite has.
type cost struct {
	looks  int  // places that find a row: scans begun, keys sought
	ranges bool // rows come from a range of an index, whose steps are not counted
	puts   int  // entries written for each row changed, or once by a schema change
	schema bool
}

// costOf reads the program of a statement. An error leaves the cost at zero: the
// figures are an estimate, and the statement itself is good.
func (c *conn) costOf(sql string, parsed sqltext.Statement) cost {
	var m cost
	if parsed.Kind == sqltext.Pragma || parsed.Explain {
		return m
	}
	m.schema = parsed.Kind == sqltext.Schema
	if len(sql)+len("EXPLAIN ") > sqlTextMax {
		return m
	}
	stateful := c.stateful
	defer func() { c.stateful = stateful }()
	program, _, err := c.Prepare("EXPLAIN " + sql)
	if err != nil {
		return m
	}
	defer program.Close()
	ephemeral := map[int64]bool{}
	scans := false
	for program.Step() {
		p1 := program.ColumnInt64(2)
		switch string(program.ColumnRawText(1)) {
		case "OpenEphemeral", "OpenAutoindex", "SorterOpen", "OpenPseudo":
			ephemeral[p1] = true
		case "Rewind", "Last", "Sort", "SorterSort":
			if !ephemeral[p1] {
				m.looks++
				scans = true
			}
		case "SeekGE", "SeekGT", "SeekLE", "SeekLT":
			m.looks++
			m.ranges = true
		case "SeekRowid":
			m.looks++
		case "Insert", "IdxInsert", "VUpdate":
			if !ephemeral[p1] {
				m.puts++
			}
		case "Delete":
			const countsChange = 1 // OPFLAG_NCHANGE
			if program.ColumnInt64(6)&countsChange != 0 && !ephemeral[p1] {
				m.puts++
			}
		}
	}
	m.ranges = m.ranges && !scans
	return m
}

const sqlTextMax = 100_000

// rowsRead estimates D1's counter for a run that returned rows.
func (m cost) rowsRead(s *sqlite3.Stmt, rows int64) int64 {
	if m.looks == 0 {
		return int64(s.Status(sqlite3.STMTSTATUS_FULLSCAN_STEP, false))
	}
	n := int64(s.Status(sqlite3.STMTSTATUS_FULLSCAN_STEP, false)) + int64(m.looks)
	if m.ranges {
		n += max(rows-1, 0)
	}
	return n
}

// rowsWritten estimates D1's counter for a run that changed rows.
func (m cost) rowsWritten(changes int64) int64 {
	if m.schema {
		return int64(m.puts)
	}
	return changes * int64(max(m.puts, 1))
}
