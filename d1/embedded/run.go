package embedded

import (
	"context"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/rowcount"
)

// runStatements runs the statements of a request in the transaction that is open.
func (c *conn) runStatements(job *writeJob) error {
	if job.run != nil {
		job.alone = true
		return job.run(c)
	}
	c.clock.start(job.ctx, c.db.cfg.Timeout)
	c.SetInterrupt(&c.clock)
	defer c.SetInterrupt(context.Background())
	job.results = make([]writeResult, 0, len(job.statements))
	for i, s := range job.statements {
		result, err := c.runOne(job, s)
		if err != nil {
			job.results = nil
			return c.statementError(err, i, len(job.statements))
		}
		job.results = append(job.results, result)
	}
	return nil
}

// runOne runs one statement and keeps its rows.
func (c *conn) runOne(job *writeJob, s d1.Statement) (result writeResult, err error) {
	began := time.Now()
	compiled, err := c.compile(s.SQL)
	if err != nil {
		return result, err
	}
	defer c.release(compiled)
	job.alone = job.alone || compiled.pragma
	if err := compiled.bind(s.Args); err != nil {
		return result, err
	}
	c.beginRun(compiled, s.Args)
	changes, rowID, size := c.TotalChanges(), c.LastInsertRowID(), c.bytes
	counted, err := c.keepRows(job, compiled, &result)
	if err != nil {
		return result, err
	}
	if compiled.schema {
		c.db.schema.Add(1)
	}
	m := c.db.baseMeta()
	m.Changes = c.TotalChanges() - changes
	m.LastRowID = c.LastInsertRowID()
	run := rowcount.Counters{rowcount.Rows: int64(result.count()), rowcount.Changes: m.Changes, rowcount.Counted: counted}
	compiled.cost.end(compiled.Stmt, &run)
	m.RowsRead, _ = compiled.cost.rowsRead(&run)
	if compiled.analyzes {
		if err := c.own(c.dropSamples); err != nil {
			return result, err
		}
	}
	if !compiled.readOnly {
		m.RowsWritten, _ = compiled.cost.rowsWritten(&run)
		size = c.size()
	}
	m.SizeAfter = size
	m.ChangedDB = m.Changes != 0 || m.LastRowID != rowID || size != c.bytes
	c.bytes = size
	m.Duration = time.Since(began)
	result.meta = m
	return result, nil
}

// maxKept is how many bytes the results of one request may have that went through the
// writer: the memory of D1's isolates.
const maxKept = 128 << 20

// keepRows runs a statement to its end and keeps its rows. It returns how many rows the
// statement has counted.
func (c *conn) keepRows(job *writeJob, s *stmt, result *writeResult) (counted int64, err error) {
	c.clock.enter()
	more := s.Step()
	s.refresh()
	result.columns = s.columns
	if more {
		counted = s.counted()
	}
	for ; more; more = s.Step() {
		if job.kept += result.keep(s); job.kept > maxKept {
			return 0, memoryError("the rows of a request that writes take more than 128 MiB")
		}
		c.clock.enter()
	}
	return counted, s.Err()
}

// dropSamples removes a table of the planner that D1's SQLite is compiled without.
func (c *conn) dropSamples() error { return c.Exec("DROP TABLE IF EXISTS sqlite_stat4") }
