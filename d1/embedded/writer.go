package embedded

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqlitecode"
)

// writeJob is a request on its way through the writer.
type writeJob struct {
	ctx        context.Context
	statements []d1.Statement
	run        func(c *conn) error // instead of statements, in a transaction of its own
	state      atomic.Int32
	alone      bool // changes settings, so nothing else may share its transaction
	settled    bool // err is final, whatever becomes of the group
	kept       int  // bytes in results
	results    []writeResult
	number     uint64 // of the state that the request has made
	err        error
	done       chan struct{}
}

// The states of a job. Who takes it out of jobWaiting has it: the writer, to run it,
// or its caller, to give it up.
const (
	jobWaiting int32 = iota
	jobRunning
	jobGivenUp
)

// claim takes the job for the writer. It returns false if it has been given up.
func (job *writeJob) claim() bool {
	return !job.ended() && job.state.CompareAndSwap(jobWaiting, jobRunning)
}

// ended takes the job back from a first attempt, and reports whether its context has
// ended.
func (job *writeJob) ended() bool {
	job.results, job.err, job.kept = nil, nil, 0
	job.state.CompareAndSwap(jobRunning, jobWaiting)
	if err := job.ctx.Err(); err != nil {
		job.err = givenUp(err)
	}
	return job.err != nil
}

// settle ends the job with an error, whatever becomes of the group.
func (job *writeJob) settle(err error) { job.err, job.settled = err, true }

func givenUp(cause error) *d1.Error {
	return unsent("the request was given up before it began: "+cause.Error(), cause)
}

// submit hands a request to the writer and waits for its end. The context ends it
// early; it never leaves the caller in doubt.
func (db *DB) submit(ctx context.Context, req d1.Request) (*d1.Results, error) {
	job := &writeJob{ctx: ctx, statements: req.Statements, done: make(chan struct{})}
	if err := db.queue(job); err != nil {
		return nil, err
	}
	return d1.NewResults(&writeCursor{results: job.results, at: -1, states: &db.states, number: job.number}), nil
}

// queue waits for the writer to run a job.
func (db *DB) queue(job *writeJob) error {
	select {
	case db.jobs <- job:
	case <-job.ctx.Done():
		return givenUp(job.ctx.Err())
	}
	select {
	case <-job.done:
	case <-job.ctx.Done():
		if job.state.CompareAndSwap(jobWaiting, jobGivenUp) {
			return givenUp(job.ctx.Err())
		}
		<-job.done
	}
	return job.err
}

// maxGroup is how many requests may share a commit.
const maxGroup = 64

// write is the writer's goroutine: it owns the connection that writes.
func (db *DB) write(c *conn) {
	defer close(db.done)
	group := make([]*writeJob, 0, maxGroup)
	for {
		var job *writeJob
		select {
		case task := <-db.tasks:
			c = db.healthy(c)
			task(c)
			continue
		case job = <-db.jobs:
		}
		if job == nil {
			break
		}
		group = db.gather(append(group[:0], job))
		c = db.runGroup(c, group)
		for _, job := range group {
			job.number = db.states.published.Load() // its own, or one that came with it
			close(job.done)
		}
		clear(group)
	}
	if c != nil {
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
		c.discard()
	}
	if db.cfg.Path == "" {
		return nil // its data are gone with it
	}
	c, err := db.openWriter()
	if err != nil {
		db.cfg.Logger.Error("cannot open the writer again", "error", err)
		return nil
	}
	return c
}

// runGroup runs requests that share one commit. If that does not go well for all of
// them together, each runs by itself, so that none meets another's error. It returns
// the connection to go on with, which is nil if there is none.
func (db *DB) runGroup(c *conn, group []*writeJob) *conn {
	if len(group) > 1 && !slices.ContainsFunc(group, func(job *writeJob) bool { return job.run != nil }) {
		if c = db.healthy(c); c != nil && c.runShared(group) {
			return c
		}
	}
	for _, job := range group {
		if job.settled || job.ended() {
			continue
		}
		if c = db.healthy(c); c == nil {
			job.err = unsent("the database cannot be opened again after a fault", nil)
			continue
		}
		c.runAlone(job)
	}
	return c
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
		for _, job := range group {
			job.settle(c.beginError(err))
		}
		return true
	}
	c.bytes = c.db.size.Load()
	for _, job := range group {
		if job.claim() && !c.runSavepoint(job) {
			return false
		}
	}
	c.db.states.announce()
	if err := c.own(func() error { return c.runOwn(c.commit) }); err != nil {
		return false
	}
	c.publish(true)
	return true
}

// runSavepoint runs one request of a group. It returns false if the group cannot go
// on.
func (c *conn) runSavepoint(job *writeJob) bool {
	if err := c.own(func() error { return c.Exec("SAVEPOINT request") }); err != nil {
		return false
	}
	size := c.bytes
	if job.err = c.runStatements(job); job.err != nil && c.clock.expired {
		job.settle(job.err)
	}
	if job.alone || c.GetAutocommit() {
		return false
	}
	end := "RELEASE request"
	if job.err == nil && c.violates() {
		return false
	}
	if job.err != nil {
		c.bytes = size
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
		c.publish(job.err == nil)
	}()
	if err := c.ownUnder(job.ctx, func() error { return c.runOwn(c.begin) }); err != nil {
		if !job.ended() {
			job.err = c.beginError(err)
		}
		return
	}
	if !job.claim() {
		return
	}
	c.bytes = c.db.size.Load()
	if job.err = c.runStatements(job); job.err != nil {
		return
	}
	c.trusted = true
	c.db.states.announce()
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

// beginError is the error of a transaction that could not begin.
func (c *conn) beginError(err error) error {
	if !errors.Is(err, sqlite3.BUSY) {
		e := c.sqlError(err, 0)
		e.Outcome = d1.OutcomeUnsent
		return e
	}
	e := unsent("the database is locked by another process", plainError(err))
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
func (c *conn) publish(committed bool) {
	c.db.lastRowID.Store(c.LastInsertRowID())
	c.db.states.publish()
	c.db.replicas.changed()
	if committed {
		c.db.size.Store(c.bytes)
	}
}

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
	compiled.Status(sqlite3.STMTSTATUS_FULLSCAN_STEP, true)
	changes, rowID, size := c.TotalChanges(), c.LastInsertRowID(), c.bytes
	if err := c.keepRows(job, compiled, &result); err != nil {
		return result, err
	}
	if compiled.schema {
		c.db.schema.Add(1)
	}
	m := c.db.baseMeta()
	m.Changes = c.TotalChanges() - changes
	m.LastRowID = c.LastInsertRowID()
	m.RowsRead = compiled.cost.rowsRead(compiled.Stmt, int64(result.count()), m.Changes, result.first())
	if compiled.analyzes {
		if err := c.own(c.dropSamples); err != nil {
			return result, err
		}
	}
	if !compiled.readOnly {
		m.RowsWritten = compiled.cost.rowsWritten(compiled.Stmt, m.Changes)
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

// keepRows runs a statement to its end and keeps its rows.
func (c *conn) keepRows(job *writeJob, s *stmt, result *writeResult) error {
	c.clock.enter()
	more := s.Step()
	s.refresh()
	result.columns = s.columns
	for ; more; more = s.Step() {
		if job.kept += result.keep(s); job.kept > maxKept {
			return memoryError("the rows of a request that writes take more than 128 MiB")
		}
		c.clock.enter()
	}
	return s.Err()
}

// dropSamples removes a table of the planner that D1's SQLite is compiled without.
func (c *conn) dropSamples() error { return c.Exec("DROP TABLE IF EXISTS sqlite_stat4") }
