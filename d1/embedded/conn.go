package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"
	"github.com/ncruces/go-sqlite3/ext/rtree"

	"github.com/skylite-go/skylite/d1"
)

// conn is one SQLite connection under D1's rules. One goroutine uses it at a time.
type conn struct {
	*sqlite3.Conn
	permits
	db       *DB
	clock    clock
	stmts    stmtCache
	schema   int64 // db.schema when the cache was last known to be good
	pageSize int64
	bytes    int64 // the database's size in the open transaction
	cursor   readCursor
	begin    *sqlite3.Stmt
	commit   *sqlite3.Stmt
	pages    *sqlite3.Stmt
	free     *sqlite3.Stmt
	look     *sqlite3.Stmt
	rollback *sqlite3.Stmt
	wal      walState
	noRoom   int64 // that count when the transaction began
	broken   bool  // must not be used again
	writing  bool
	replica  *replica // that this is the connection of
}

// openConn opens a connection. SQLite itself does not wait for a process that makes the
// file's WAL, or takes it away, at the same time.
func (db *DB) openConn(writing bool) (*conn, error) {
	for began := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		c, err := db.tryOpen(writing)
		if !errors.Is(err, sqlite3.BUSY) || time.Since(began) > db.knobs.lock {
			return c, plainError(err)
		}
	}
}

func (db *DB) tryOpen(writing bool) (*conn, error) {
	c := &conn{db: db, writing: writing, pageSize: 4096}
	flags := sqlite3.OPEN_READWRITE | sqlite3.OPEN_URI | sqlite3.OPEN_NOMUTEX
	if db.cfg.Path == "" {
		flags |= sqlite3.OPEN_CREATE // a file is there already, or has been taken away
	}
	var err error
	c.Conn, err = sqlite3.OpenFlags(db.filename(writing), flags)
	if err != nil {
		return nil, err
	}
	if err := c.setUp(); err != nil {
		c.discard()
		return nil, err
	}
	return c, nil
}

// filename is a URI because only a URI says whose mode the WAL takes.
func (db *DB) filename(writing bool) string {
	if db.cfg.Path == "" {
		return ":memory:"
	}
	path := (&url.URL{Path: db.cfg.Path}).EscapedPath()
	modeOf := strings.ReplaceAll(url.QueryEscape(db.cfg.Path), "+", "%20") // SQLite reads + as itself
	disk := db.knobs.vfs
	if writing && db.recorder != nil {
		disk = db.recorder.name
	}
	return "file:" + path + "?modeof=" + modeOf + "&vfs=" + disk
}

func (c *conn) setUp() error {
	c.trusted = true
	defer func() { c.trusted = false }()
	if err := c.BusyTimeout(c.db.knobs.lock); err != nil {
		return err
	}
	if err := fts5.Register(c.Conn); err != nil {
		return err
	}
	if err := rtree.Register(c.Conn); err != nil {
		return err
	}
	if err := c.replaceParts(); err != nil {
		return err
	}
	if err := c.readPageSize(); err != nil {
		return err
	}
	for _, pragma := range c.pragmas() {
		if err := c.Exec("PRAGMA " + pragma); err != nil {
			return err
		}
	}
	for op, on := range map[sqlite3.DBConfig]bool{
		sqlite3.DBCONFIG_DEFENSIVE: true,
		sqlite3.DBCONFIG_DQS_DML:   true,
		sqlite3.DBCONFIG_DQS_DDL:   true,
		// A view and a trigger may call what a statement may call.
		sqlite3.DBCONFIG_TRUSTED_SCHEMA: true,
	} {
		if _, err := c.Config(op, on); err != nil {
			return err
		}
	}
	if err := c.prepareOwn(); err != nil {
		return err
	}
	c.setLimits()
	if c.writing {
		c.watchWAL()
	}
	c.clock.closing = c.db.ending
	return c.SetAuthorizer(c.authorize)
}

// readPageSize finds out how large the pages are of a file that others have made; our
// own are as large as D1's.
func (c *conn) readPageSize() error {
	s, _, err := c.Prepare("PRAGMA page_size")
	if err != nil {
		return err
	}
	defer s.Close()
	if s.Step() {
		c.pageSize = s.ColumnInt64(0)
	}
	return s.Err()
}

func (c *conn) pragmas() []string {
	sync := map[Sync]string{SyncFull: "FULL", SyncNormal: "NORMAL", SyncOff: "OFF"}[c.db.cfg.Sync]
	pragmas := []string{"foreign_keys=ON", "recursive_triggers=OFF", "synchronous=" + sync}
	switch {
	case c.db.cfg.Path == "":
		pragmas = append(pragmas, "user_version=0") // makes the first page, as WAL does
	case c.writing:
		pragmas = append([]string{"journal_mode=WAL"}, pragmas...)
	default:
		pragmas = append(pragmas, "query_only=ON")
	}
	if c.writing {
		pragmas = append(pragmas, fmt.Sprintf("max_page_count=%d", max(c.db.cfg.MaxBytes/c.pageSize, 1)),
			fmt.Sprintf("journal_size_limit=%d", keptBytes))
	}
	return pragmas
}

// setLimits sets what workerd sets on its connections.
func (c *conn) setLimits() {
	for id, limit := range map[sqlite3.LimitCategory]int{
		sqlite3.LIMIT_LENGTH:              maxLength,
		sqlite3.LIMIT_SQL_LENGTH:          d1.MaxStatementBytes,
		sqlite3.LIMIT_COLUMN:              d1.MaxColumns,
		sqlite3.LIMIT_EXPR_DEPTH:          d1.MaxExpressionDepth,
		sqlite3.LIMIT_COMPOUND_SELECT:     d1.MaxCompoundTerms,
		sqlite3.LIMIT_VDBE_OP:             25_000,
		sqlite3.LIMIT_FUNCTION_ARG:        127,
		sqlite3.LIMIT_ATTACHED:            0,
		sqlite3.LIMIT_LIKE_PATTERN_LENGTH: d1.MaxLikePatternBytes,
		sqlite3.LIMIT_VARIABLE_NUMBER:     d1.MaxParams,
		sqlite3.LIMIT_TRIGGER_DEPTH:       d1.MaxTriggerDepth,
		sqlite3.LIMIT_WORKER_THREADS:      0,
	} {
		c.Limit(id, limit)
	}
}

// maxLength is the longest value that workerd 1.20261117 takes; D1 documents less.
const maxLength = 8_388_642

// prepareOwn prepares the statements that run around the caller's.
func (c *conn) prepareOwn() error {
	begin := "BEGIN"
	if c.writing {
		begin = "BEGIN IMMEDIATE"
	}
	for _, own := range []struct {
		stmt **sqlite3.Stmt
		sql  string
	}{
		{&c.begin, begin}, {&c.commit, "COMMIT"}, {&c.rollback, "ROLLBACK"},
		{&c.pages, "PRAGMA page_count"}, {&c.free, "PRAGMA freelist_count"},
		{&c.look, "SELECT 1 FROM sqlite_schema LIMIT 1"},
	} {
		stmt, _, err := c.PrepareFlags(own.sql, sqlite3.PREPARE_PERSISTENT)
		if err != nil {
			return err
		}
		*own.stmt = stmt
	}
	return nil
}

// prepareDatabase makes what every database holds.
func (c *conn) prepareDatabase() error {
	if !c.db.cfg.SystemTable {
		return nil
	}
	return plainError(c.own(func() error {
		return c.Exec("CREATE TABLE IF NOT EXISTS _cf_KV (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
	}))
}

// own runs something of ours, past the authorizer and past the caller's context.
func (c *conn) own(run func() error) error { return c.ownUnder(context.Background(), run) }

// ownUnder is own under a context.
func (c *conn) ownUnder(ctx context.Context, run func() error) error {
	trusted, old := c.trusted, c.SetInterrupt(ctx)
	c.trusted = true
	defer func() {
		c.SetInterrupt(old)
		c.trusted = trusted
	}()
	return run()
}

// size returns the bytes in use as the open transaction sees them, or those known before
// if they cannot be read.
func (c *conn) size() int64 {
	size := c.bytes
	_ = c.own(func() error {
		pages, free := number(c.pages), number(c.free)
		if pages > 0 {
			size = (pages - free) * c.pageSize
		}
		return nil
	})
	return size
}

// number runs a statement that returns one number.
func number(s *sqlite3.Stmt) int64 {
	defer s.Reset()
	if s.Step() {
		return s.ColumnInt64(0)
	}
	return 0
}

// discard closes the connection and everything compiled on it.
func (c *conn) discard() {
	var all []*sqlite3.Stmt
	for stmt := range c.Stmts() {
		all = append(all, stmt)
	}
	for _, stmt := range all {
		_ = quietly(stmt.Close)
	}
	if err := quietly(c.Close); err != nil {
		c.db.cfg.Logger.Error("cannot close a connection", "error", err)
	}
}

// quietly closes something of the engine, which panics if it is out of memory, and
// again when it repeats the last error.
func quietly(end func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%v", fault)
		}
	}()
	return end()
}

// clock is the context of a statement that runs: it ends with the request's own
// context, and when the statements of the request have run for too long. The time
// that a caller takes between two rows does not count.
type clock struct {
	context.Context
	limit   time.Duration // <= 0 means none
	used    time.Duration
	mark    time.Time // when the engine was entered
	expired bool
	closing <-chan struct{} // closed when the database ends what runs
}

func (k *clock) start(ctx context.Context, limit time.Duration) {
	*k = clock{Context: ctx, limit: limit, mark: time.Now(), closing: k.closing}
}

// enter says that the engine is about to run, and returns the time.
func (k *clock) enter() time.Time {
	k.mark = time.Now()
	return k.mark
}

// Err is asked before every step, and every thousand instructions.
func (k *clock) Err() error {
	if k.limit > 0 {
		now := time.Now()
		k.used += now.Sub(k.mark)
		k.mark = now
		if k.used > k.limit {
			k.expired = true
			return context.DeadlineExceeded
		}
	}
	select {
	case <-k.closing:
		return d1.ErrClosed
	default:
		return k.Context.Err()
	}
}
