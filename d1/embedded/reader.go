package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/rowcount"
)

// read runs a request on a reader, which its Results hold until they are closed.
func (db *DB) read(ctx context.Context, req d1.Request, at uint64) (results *d1.Results, err error) {
	var c *conn
	if r := db.replicas.take(req.Bookmark, at); r != nil {
		c = r.conn
	} else if c, err = db.reader(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if fault := recover(); fault != nil {
			err = c.fault(fault)
		}
		if err != nil {
			db.putReader(c)
		}
	}()
	c.clock.start(ctx, db.cfg.Timeout)
	c.SetInterrupt(&c.clock)
	r := &c.cursor
	r.reset(c, req.Statements)
	for i, s := range req.Statements {
		compiled, err := c.compile(s.SQL)
		if err == nil && len(s.Args) != compiled.params {
			err = d1.NewError("Wrong number of parameter bindings for SQL query.")
		}
		if err == errNeedsWriter {
			return nil, err
		}
		if err != nil {
			return nil, c.statementError(err, i, len(req.Statements))
		}
		if !compiled.cached() {
			c.release(compiled)
		}
	}
	if len(req.Statements) > 1 && c.replica == nil {
		if err := c.runOwn(c.begin); err != nil {
			return nil, c.sqlError(err, 0)
		}
		r.inTransaction = true
	}
	db.reading.Add(1)
	return d1.NewResults(r), nil
}

// runOwn runs one of the connection's own statements.
func (c *conn) runOwn(s *sqlite3.Stmt) error {
	if s == c.begin {
		c.noRoom = noRoom.Load()
	}
	trusted := c.trusted
	c.trusted = true
	defer func() { c.trusted = trusted }()
	s.Step()
	err := s.Err() // which may be the context's, that SQLite knows nothing of
	if reset := s.Reset(); err == nil {
		err = reset
	}
	return err
}

// statementError adds to an error which statement of the request it is about.
func (c *conn) statementError(err error, i, n int) error {
	e := c.sqlError(err, 0)
	if n > 1 || e.Statement < 0 {
		e.Statement = i
	}
	return e
}

// fault turns a panic of the engine, which is out of memory, into an error. The
// connection is not used again, so that its memory is given back; but SQLite itself
// is in order after that, and a database in memory is not thrown away for it.
func (c *conn) fault(fault any) error {
	c.broken = c.db.cfg.Path != "" || fmt.Sprint(fault) != "sqlite3: out of memory"
	c.db.cfg.Logger.Error("the SQLite engine panicked", "fault", fmt.Sprint(fault))
	return memoryError(fault)
}

// memoryError is D1's answer to a request that needs too much memory.
func memoryError(detail any) error {
	return d1.NewError(fmt.Sprintf("D1 DB's isolate exceeded its memory limit and was reset. (%v)", detail))
}

// readCursor reads the results of a request as the engine makes them.
type readCursor struct {
	c             *conn
	statements    []d1.Statement
	next          int // the statement after the current one
	current       *stmt
	row           []d1.Value
	pending       bool // the engine stands on a row that Next has not come to
	ended         bool // the current statement has no more rows
	rows          int64
	counted       int64  // what a statement that counts tables has counted
	at            uint64 // the newest state that was seen
	began         time.Time
	meta          d1.Meta
	err           error
	inTransaction bool
}

var _ d1.Cursor = (*readCursor)(nil)

func (r *readCursor) reset(c *conn, statements []d1.Statement) {
	*r = readCursor{c: c, statements: statements, row: r.row[:0]}
}

func (r *readCursor) NextResult() (ok bool) {
	defer r.guard(&ok)
	r.finish()
	if r.err != nil || r.next >= len(r.statements) {
		return false
	}
	s := r.statements[r.next]
	r.next++
	r.began = r.c.clock.enter()
	compiled, err := r.c.compile(s.SQL)
	if err != nil {
		return r.fail(err)
	}
	r.current = compiled
	if err := compiled.bind(s.Args); err != nil {
		return r.fail(err)
	}
	r.rows, r.counted = 0, 0
	r.c.beginRun(compiled, s.Args)
	r.pending = compiled.Step()
	r.ended = !r.pending
	r.at = r.c.newest()
	if err := compiled.Err(); err != nil {
		return r.fail(err)
	}
	compiled.refresh()
	if compiled.outdated {
		compiled.cost, compiled.outdated = r.c.costOf(compiled, s.Args), false
	}
	if r.pending {
		r.counted = compiled.counted()
	}
	return true
}

func (r *readCursor) fail(err error) bool {
	r.err = r.c.statementError(err, r.next-1, len(r.statements))
	return false
}

func (r *readCursor) Columns() []string { return r.current.columns }

func (r *readCursor) Next() (ok bool) {
	if r.current == nil || r.err != nil {
		return false
	}
	defer r.guard(&ok)
	if !r.pending && !r.ended {
		r.c.clock.enter()
		r.pending = r.current.Step()
		r.ended = !r.pending
		if err := r.current.Err(); err != nil {
			return r.fail(err)
		}
	}
	if r.ended {
		r.finish()
		return false
	}
	r.pending = false
	r.rows++
	return true
}

func (r *readCursor) Row() []d1.Value {
	r.row = r.row[:0]
	for i := range r.current.columns {
		r.row = append(r.row, r.current.value(i))
	}
	return r.row
}

func (r *readCursor) Meta() d1.Meta { return r.meta }

func (r *readCursor) Bookmark() d1.Bookmark {
	if r.at == 0 {
		return ""
	}
	return r.c.db.states.bookmark(r.at)
}

// newest returns the newest state that the connection may just have seen.
func (c *conn) newest() uint64 {
	if c.replica != nil {
		return c.replica.atMost
	}
	return c.db.states.announced.Load()
}

func (r *readCursor) Err() error { return r.err }

// finish ends the current statement and takes its meta.
func (r *readCursor) finish() {
	s := r.current
	if s == nil {
		return
	}
	db := r.c.db
	r.meta = db.baseMeta()
	r.meta.Duration = time.Since(r.began)
	r.meta.LastRowID = db.lastRowID.Load()
	r.meta.SizeAfter = db.size.Load()
	if replica := r.c.replica; replica != nil {
		r.meta.ServedByPrimary, r.meta.ServedByRegion, r.meta.ServedByColo = false, replica.region, ""
	}
	run := rowcount.Counters{rowcount.Rows: r.rows, rowcount.Counted: r.counted}
	s.cost.end(s.Stmt, &run)
	r.meta.RowsRead, _ = s.cost.rowsRead(&run)
	r.c.release(s)
	r.current = nil
}

func (r *readCursor) Close() (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = r.c.fault(fault)
		}
		db, c := r.c.db, r.c
		r.statements = nil
		db.putReader(c)
		db.reading.Done()
	}()
	if r.current != nil {
		r.c.release(r.current)
		r.current = nil
	}
	if r.inTransaction {
		_ = r.c.own(func() error { return r.c.runOwn(r.c.commit) })
	}
	return nil
}

// guard turns a panic of the engine into an error of the cursor.
func (r *readCursor) guard(ok *bool) {
	if fault := recover(); fault != nil {
		r.err = r.c.fault(fault)
		r.current = nil
		*ok = false
	}
}

func (db *DB) baseMeta() d1.Meta {
	return d1.Meta{
		ServedBy: db.cfg.ServedBy, ServedByRegion: db.cfg.Region, ServedByColo: db.cfg.Colo,
		ServedByPrimary: true, TotalAttempts: 1,
	}
}

// reader returns a reader that nobody uses, or a new one, or waits for one.
func (db *DB) reader(ctx context.Context) (*conn, error) {
	for {
		select {
		case c := <-db.idle:
			return c, nil
		default:
		}
		if n := db.open.Load(); int(n) < db.cfg.Readers {
			if !db.open.CompareAndSwap(n, n+1) {
				continue
			}
			c, err := db.openConn(false)
			if err != nil {
				db.open.Add(-1)
				return nil, unsent("open a reader: "+err.Error(), err)
			}
			return c, nil
		}
		c, err := db.waitForReader(ctx)
		if c != nil || err != nil {
			return c, err
		}
	}
}

// waitForReader waits for a reader to come free. It returns nothing if one was
// closed instead, and another may be opened.
func (db *DB) waitForReader(ctx context.Context) (*conn, error) {
	timer := time.NewTimer(d1.MaxQueryDuration)
	defer timer.Stop()
	select {
	case c := <-db.idle:
		return c, nil
	case <-db.freed:
		return nil, nil
	case <-db.ending:
		return nil, unsent("the database is closed", d1.ErrClosed)
	case <-ctx.Done():
		return nil, unsent("the request was given up: "+ctx.Err().Error(), ctx.Err())
	case <-timer.C:
		e := unsent(fmt.Sprintf("D1 DB is overloaded. Requests queued for too long. "+
			"(all %d readers are busy; are Results closed everywhere?)", db.cfg.Readers), nil)
		return nil, e
	}
}

// putReader takes a reader back, and closes it if it is broken or one too many.
func (db *DB) putReader(c *conn) {
	if c.replica != nil {
		db.replicas.put(c.replica)
		return
	}
	if !c.broken && len(db.idle) < db.kept {
		c.SetInterrupt(context.Background())
		c.clock.Context = nil
		db.idle <- c
		db.closeIfEnding()
		return
	}
	db.closeReader(c)
}

func (db *DB) closeReader(c *conn) {
	c.discard()
	db.open.Add(-1)
	select {
	case db.freed <- struct{}{}:
	default:
	}
}
