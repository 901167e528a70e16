// Package embedded is D1 in this process: SQLite under D1's own rules.
//
// What D1 refuses, this refuses with the same text; what D1 limits, this limits:
// see [d1.MaxParams] and its neighbours. Foreign keys are on, double-quoted strings
// are accepted, UPDATE and DELETE take ORDER BY and LIMIT. The rules are those of
// workerd, Cloudflare's runtime; the end-to-end tests hold the two side by side.
//
// # Concurrency
//
// A database has one writer and several readers. Requests that only read run at
// the same time, each on a snapshot of its own, and never wait for a writer;
// requests that write wait for each other. Writes that arrive together are synced
// to disk together, but each succeeds or fails alone. A large answer keeps its
// reader until it is closed.
//
// Several processes may have one file open: SQLite's locks order their writes.
// The sizes in Meta then count what this process has seen.
//
// # Sessions
//
// Every commit has a bookmark of D1's form. A request that carries one sees that state or
// a newer one; so does every request to the database itself, which is the primary. For
// reads that may be stale there are Replicas, on demand.
//
// # Durability
//
// A write that was acknowledged is on disk (see [Sync] to change that). Files are
// created for their owner alone.
//
// # Values
//
// Arguments are bound as what they are: an int64 as an INTEGER, a float64 as a REAL.
// D1 binds every number of its JSON as a REAL; a server that stands in for D1
// passes numbers as float64.
//
// # Estimates
//
// RowsRead and RowsWritten are D1's counters, which stock SQLite does not have. They
// are modelled from the compiled program: right for scans, look-ups by key, sorts and
// plain writes, a guess for nested loops, triggers and virtual tables.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// Sync says when a commit is on disk.
type Sync uint8

const (
	// SyncFull syncs before a write is acknowledged: it survives a power cut.
	SyncFull Sync = iota
	// SyncNormal syncs now and then: an acknowledged write survives the end of the
	// process, however sudden, but the last ones may be lost in a power cut.
	SyncNormal
	// SyncOff leaves syncing to the operating system, for data that can be lost.
	SyncOff
)

// Config says which database to open and how. The zero value is a new database in
// memory.
type Config struct {
	// Path is the database's file, which is created if it does not exist. Empty or
	// ":memory:" is a database in memory, which is gone when it is closed.
	Path string
	// Readers is how many requests may read at the same time, 1000 at most. 0 means
	// 16; a database in memory has none, and runs one request at a time.
	Readers int
	// Timeout is how long the statements of one request may run together. 0 means
	// [d1.MaxQueryDuration]; negative means as long as they like.
	Timeout time.Duration
	// Sync says when a commit is on disk.
	Sync Sync
	// MaxBytes is how large the database may grow. 0 means [d1.MaxDatabaseBytes].
	MaxBytes int64
	// SystemTable adds the table _cf_KV, which every database on Cloudflare holds
	// and nobody may touch, so that programs that list tables meet it here too.
	SystemTable bool
	// ServedBy, Region and Colo are reported in Meta. An empty ServedBy means
	// "skylite".
	ServedBy, Region, Colo string
	// ID names the database in its bookmarks, so that one of another database is
	// recognised. Empty means that the path does, or nothing that lasts if it is in memory.
	ID string
	// Replicas is how many read replicas there seem to be: they answer the reads of
	// sessions that begin at [d1.FirstUnconstrained], from a state of the past, so that a
	// program that forgets its bookmark fails here and not in production. They need a
	// file, 16 at most. Each takes some 11 MB.
	Replicas int
	// Lag is how far behind a replica may be. 0 means 500 ms.
	Lag time.Duration
	// Retention is for how long the states that the database was in can be restored: see
	// [DB.BookmarkAt] and [DB.Restore]. Their history is kept in a folder beside the file,
	// with -history behind its name. 0 means that there is none. It needs a file.
	Retention time.Duration
	// Logger is told of what no caller can be told. nil means nobody is.
	Logger *slog.Logger
}

const (
	maxReaders  = 1000
	maxReplicas = 16
)

func (cfg Config) withDefaults() Config {
	if cfg.Path == ":memory:" {
		cfg.Path = ""
	}
	if cfg.Readers <= 0 {
		cfg.Readers = 16
	}
	cfg.Readers = min(cfg.Readers, maxReaders)
	if cfg.Path == "" {
		cfg.Readers = 0
		cfg.Sync = SyncOff
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = d1.MaxQueryDuration
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = d1.MaxDatabaseBytes
	}
	if cfg.Lag <= 0 {
		cfg.Lag = defaultLag
	}
	if cfg.ServedBy == "" {
		cfg.ServedBy = "skylite"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	cfg      Config
	lockWait time.Duration
	idle     chan *conn     // readers nobody uses
	open     atomic.Int32   // readers there are
	kept     int            // readers kept when nobody uses them
	freed    chan struct{}  // a reader was closed, so another may be opened
	jobs     chan *writeJob // to the writer
	tasks    chan func(*conn)
	done     chan struct{}  // closed when the writer has ended
	active   sync.WaitGroup // requests under way

	mu     sync.RWMutex
	closed bool

	lastRowID atomic.Int64
	size      atomic.Int64
	schema    atomic.Int64 // counts changes of the schema by this process
	states    states
	replicas  replicas
	recorder  *recorder // nil if no history is kept
	parsed    sqltext.Cache
}

var _ d1.Backend = (*DB)(nil)

// Open opens a database, and creates it if its file does not exist.
func Open(cfg Config) (*DB, error) { return openDB(cfg, lockWait) }

func openDB(cfg Config, lockWait time.Duration) (*DB, error) {
	cfg = cfg.withDefaults()
	switch {
	case cfg.Replicas < 0 || cfg.Replicas > maxReplicas:
		return nil, fmt.Errorf("open database: there can be 0 to %d replicas", maxReplicas)
	case cfg.Replicas > 0 && cfg.Path == "":
		return nil, errors.New("open database: replicas need a file; a database in memory has one connection")
	case cfg.Retention < 0 || cfg.Retention > 0 && cfg.Path == "":
		return nil, errors.New("open database: a retention is a time, and needs a file; a database in memory keeps no history")
	}
	if cfg.Path != "" {
		path, err := filepath.Abs(cfg.Path)
		if err != nil {
			return nil, fmt.Errorf("open database %s: %w", cfg.Path, err)
		}
		if cfg.Path, err = createFile(path); err != nil {
			return nil, fmt.Errorf("open database: %w", err)
		}
	}
	db := &DB{
		cfg: cfg, lockWait: lockWait,
		kept:  min(cfg.Readers, runtime.GOMAXPROCS(0)+1),
		idle:  make(chan *conn, cfg.Readers),
		freed: make(chan struct{}, cfg.Readers),
		jobs:  make(chan *writeJob),
		tasks: make(chan func(*conn)),
		done:  make(chan struct{}),
	}
	if cfg.Retention > 0 {
		db.recorder = newRecorder(cfg, &db.states)
	}
	writer, err := db.openWriter()
	if err != nil {
		db.closeRecorder()
		return nil, fmt.Errorf("open database %s: %w", nameOf(cfg.Path), err)
	}
	db.size.Store(writer.size())
	db.states.init(cfg)
	if err := db.replicas.open(db); err != nil {
		writer.discard()
		db.closeRecorder()
		return nil, fmt.Errorf("open database %s: %w", nameOf(cfg.Path), err)
	}
	go db.write(writer)
	return db, nil
}

func nameOf(path string) string {
	if path == "" {
		return "in memory"
	}
	return path
}

// Do implements [d1.Backend].
func (db *DB) Do(ctx context.Context, req d1.Request) (*d1.Results, error) {
	if err := ctx.Err(); err != nil {
		return nil, unsent(err.Error(), err)
	}
	if len(req.Statements) == 0 {
		return nil, unsent("No SQL statements detected.", nil)
	}
	at, err := db.states.parse(req.Bookmark)
	if err != nil {
		return nil, err
	}
	if err := db.enter(); err != nil {
		return nil, err
	}
	if db.cfg.Readers > 0 && db.mayRead(req) {
		results, err := db.read(ctx, req, at)
		if err != errNeedsWriter {
			if err != nil {
				db.active.Done()
			}
			return results, err
		}
	}
	defer db.active.Done()
	return db.submit(ctx, req)
}

// enter counts a request in, unless the database is closed.
func (db *DB) enter() error {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return unsent("the database is closed", d1.ErrClosed)
	}
	db.active.Add(1)
	return nil
}

// Close implements [d1.Backend]. It waits for requests under way, Results that are
// still being read included.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		<-db.done
		return nil
	}
	db.closed = true
	db.mu.Unlock()
	db.active.Wait()
	db.replicas.close()
	for {
		select {
		case c := <-db.idle:
			db.closeReader(c)
			continue
		default:
		}
		break
	}
	close(db.jobs)
	<-db.done
	db.closeRecorder()
	return nil
}

func (db *DB) closeRecorder() {
	if db.recorder == nil {
		return
	}
	if err := db.recorder.close(); err != nil {
		db.cfg.Logger.Error("cannot close the history", "error", err)
	}
}

// Size returns the size of the database in bytes, free pages not counted, as D1
// reports it in size_after.
func (db *DB) Size() int64 { return db.size.Load() }

func unsent(message string, cause error) *d1.Error {
	e := d1.NewError(message)
	e.Outcome = d1.OutcomeUnsent
	e.Err = cause
	return e
}
