package embedded

import (
	"context"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqlitecode"
)

// writeJob is a request on its way through the writer.
type writeJob struct {
	ctx        context.Context
	statements []d1.Statement
	alone      bool // changes settings, so nothing else may share its transaction
	results    []writeResult
	err        error
	done       chan struct{}
}

// submit hands a request to the writer and waits for its end. The context ends it
// early; it never leaves the caller in doubt.
func (db *DB) submit(ctx context.Context, req d1.Request) (*d1.Results, error) {
	job := &writeJob{ctx: ctx, statements: req.Statements, done: make(chan struct{})}
	select {
	case db.jobs <- job:
	case <-ctx.Done():
		return nil, unsent("the request was given up before it began: "+ctx.Err().Error(), ctx.Err())
	}
	<-job.done
	if job.err != nil {
		return nil, job.err
	}
	return d1.NewResults(&writeCursor{results: job.results, at: -1}), nil
}

// maxGroup is how many requests may share a commit.
const maxGroup = 64

// write is the writer's goroutine: it owns the connection that writes.
func (db *DB) write(c *conn) {
	defer close(db.done)
	group := make([]*writeJob, 0, maxGroup)
	for job := range db.jobs {
		group = db.gather(append(group[:0], job))
		c = db.healthy(c)
		if c == nil {
			for _, job := range group {
				job.err = unsent("the database cannot be opened again after a fault", nil)
			}
		} else {
			c.runGroup(group)
		}
		for _, job := range group {
			close(job.done)
		}
		clear(group)
	}
	if c != nil {
		_, _, _ = c.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE)
		c.discard()
	}
}

// gather adds the requests that are waiting already.
func (db *DB) gather(group []*writeJob) []*writeJob {
	for len(group) < maxGroup {
		select {
		case job, ok := <-db.jobs:
			if !ok {
				return group
			}
			group = append(group, job)
		default:
			return group
		}
	}
	return group
}

// healthy replaces a connection that is broken.
func (db *DB) healthy(c *conn) *conn {
	if c != nil && !c.broken {
		return c
	}
	if c != nil {
		if db.cfg.Path == "" {
			return nil // its data are gone with it
		}
		c.discard()
	}
	c, err := db.openConn(true)
	if err != nil {
		db.cfg.Logger.Error("cannot open the writer again", "error", err)
		return nil
	}
	return c
}

// runGroup runs requests that share one commit. If that does not go well for all of
// them together, each runs by itself, so that none meets another's error.
func (c *conn) runGroup(group []*writeJob) {
	if len(group) > 1 && c.runShared(group) {
		return
	}
	for _, job := range group {
		job.results, job.err = nil, nil
		c.runAlone(job)
	}
}

// runShared runs requests in one transaction, each in a savepoint. It returns false
// if the transaction had to be given up; nothing has happened then.
func (c *conn) runShared(group []*writeJob) (ok bool) {
	defer func() {
		if fault := recover(); fault != nil {
			_ = c.fault(fault)
			ok = false
		}
		if !ok && !c.broken {
			c.rollBack()
			_ = c.own(func() error { return c.Exec(settingsUndone) })
		}
	}()
	if err := c.own(func() error { return c.runOwn(c.begin) }); err != nil {
		return false
	}
	for _, job := range group {
		if !c.runSavepoint(job) {
			return false
		}
	}
	if err := c.own(func() error { return c.runOwn(c.commit) }); err != nil {
		return false
	}
	c.publish()
	return true
}

// runSavepoint runs one request of a group. It returns false if the group cannot go
// on.
func (c *conn) runSavepoint(job *writeJob) bool {
	if err := c.own(func() error { return c.Exec("SAVEPOINT request") }); err != nil {
		return false
	}
	job.err = c.runStatements(job)
	if job.alone || c.GetAutocommit() {
		return false
	}
	end := "RELEASE request"
	if job.err == nil && c.violates() {
		return false
	}
	if job.err != nil {
		end = "ROLLBACK TO request; RELEASE request"
	}
	return c.own(func() error { return c.Exec(end) }) == nil
}

// runAlone runs one request as a transaction of its own.
func (c *conn) runAlone(job *writeJob) {
	defer func() {
		if fault := recover(); fault != nil {
			job.err = c.fault(fault)
		}
		if job.err != nil {
			job.results = nil
		}
		if c.broken {
			return
		}
		c.rollBack()
		if job.alone {
			_ = c.own(func() error { return c.Exec(settingsUndone) })
		}
		c.publish()
	}()
	if err := c.own(func() error { return c.runOwn(c.begin) }); err != nil {
		job.err = c.busyError(err)
		return
	}
	if job.err = c.runStatements(job); job.err != nil {
		return
	}
	c.trusted = true
	c.commit.Step()
	job.err = noError(c.sqlError(c.commit.Reset(), 0))
	c.trusted = false
}

// noError keeps a nil *d1.Error from becoming an error that is not nil.
func noError(e *d1.Error) error {
	if e == nil {
		return nil
	}
	return e
}

// busyError is the error of a transaction that could not begin.
func (c *conn) busyError(err error) error {
	e := unsent("the database is locked by another process: "+err.Error(), err)
	e.Transient = true
	e.Code, e.ExtendedCode = sqlitecode.Busy, sqlitecode.Busy
	return e
}

// violates reports whether a deferred foreign key is violated: the commit would
// fail, and take the rest of the group with it.
func (c *conn) violates() bool {
	n, _, err := c.Status(sqlite3.DBSTATUS_DEFERRED_FKS, false)
	return err != nil || n != 0
}

// rollBack ends a transaction, if SQLite has not ended it itself.
func (c *conn) rollBack() {
	if c.GetAutocommit() {
		return
	}
	if err := c.own(func() error { return c.runOwn(c.rollback) }); err != nil {
		c.db.cfg.Logger.Error("cannot roll back", "error", err)
		c.broken = true
	}
}

// publish makes known what a transaction has changed. Like D1, SQLite does not take
// back the last rowid of a transaction that was rolled back.
func (c *conn) publish() {
	c.db.lastRowID.Store(c.LastInsertRowID())
	c.db.size.Store(c.size())
}

// runStatements runs the statements of a request in the transaction that is open.
func (c *conn) runStatements(job *writeJob) error {
	if err := job.ctx.Err(); err != nil {
		return unsent("the request was given up before it began: "+err.Error(), err)
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
	compiled.Status(sqlite3.STMTSTATUS_FULLSCAN_STEP, true)
	changes, rowID, size := c.TotalChanges(), c.LastInsertRowID(), c.db.size.Load()
	for {
		c.clock.enter()
		if !compiled.Step() {
			break
		}
		result.keep(compiled)
	}
	if err := compiled.Err(); err != nil {
		return result, err
	}
	if compiled.Status(sqlite3.STMTSTATUS_REPREPARE, false) != compiled.reprepared {
		compiled.readColumns()
	}
	result.columns = compiled.columns
	if compiled.schema {
		c.db.schema.Add(1)
	}
	m := c.db.baseMeta()
	m.Changes = c.TotalChanges() - changes
	m.LastRowID = c.LastInsertRowID()
	m.RowsRead = compiled.cost.rowsRead(compiled.Stmt, int64(result.count()))
	if compiled.analyzes {
		if err := c.own(c.dropSamples); err != nil {
			return result, err
		}
	}
	if !compiled.readOnly {
		m.RowsWritten = compiled.cost.rowsWritten(m.Changes)
		size = c.size()
	}
	m.SizeAfter = size
	m.ChangedDB = m.Changes != 0 || m.LastRowID != rowID || size != c.db.size.Load()
	c.db.size.Store(size)
	m.Duration = time.Since(began)
	result.meta = m
	return result, nil
}

// dropSamples removes a table of the planner that D1's SQLite is compiled without.
func (c *conn) dropSamples() error { return c.Exec("DROP TABLE IF EXISTS sqlite_stat4") }
