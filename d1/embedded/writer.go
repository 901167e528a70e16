package embedded

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

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
		if c != nil {
			c.tidyWAL()
		}
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
	if err := c.db.mayWrite(); err != nil {
		for _, job := range group {
			job.settle(err)
		}
		c.rollBack()
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
	if job.err = c.db.mayWrite(); job.err != nil {
		return
	}
	c.bytes = c.db.size.Load()
	if job.err = c.runStatements(job); job.err != nil {
		return
	}
	c.trusted = true
	c.db.states.announce()
	c.commit.Step()
	job.err = noError(c.commitError(c.commit.Reset()))
	c.trusted = false
}

// commitError is the error of a commit. Where the disk failed, the commit may be in the
// WAL whole: this process goes on without it, but one that finds the file after a crash
// would take it for good, unless another commit has overwritten it.
func (c *conn) commitError(err error) *d1.Error {
	e := c.sqlError(err, 0)
	if e != nil && e.Code == int(sqlite3.IOERR) {
		e.Outcome = d1.OutcomeUnknown
	}
	return e
}

// mayWrite asks whether a transaction may write.
func (db *DB) mayWrite() error {
	if db.cfg.BeforeWrite == nil {
		return nil
	}
	if err := db.cfg.BeforeWrite(); err != nil {
		return unsent(err.Error(), err)
	}
	return nil
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
