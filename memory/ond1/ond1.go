package ond1

import (
	"context"
	"errors"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/memory"
)

// Layout says which tables hold the conversations.
type Layout string

// The layouts.
const (
	// LayoutDefault is this package's own.
	LayoutDefault Layout = ""
	// LayoutMastra is that of Mastra's D1Store.
	LayoutMastra Layout = "mastra"
)

// Large says what becomes of a message that is longer than a row of D1 can be.
type Large string

// What becomes of it.
const (
	// LargeRefuse refuses it with a [memory.TooLargeError].
	LargeRefuse Large = ""
	// LargeChunk stores its content in chunks. Only LayoutDefault has a place for them.
	LargeChunk Large = "chunk"
)

// Config says where in a database conversations are kept, and how. The zero value works.
type Config struct {
	// TablePrefix stands before the names of all tables. It has letters, digits and _ only.
	TablePrefix string
	// Layout says which tables hold the conversations.
	Layout Layout
	// DisableInit says that the tables exist, and that no call but [Store.Init] makes them.
	DisableInit bool
	// Large says what becomes of messages that are longer than a row can be.
	Large Large
	// Now is the clock; nil means the system's.
	Now func() time.Time
}

// MaxRowBytes is how long a message may be, with its ids and everything, to be stored in
// one row. D1's limit for a row is [d1.MaxValueBytes].
const MaxRowBytes = d1.MaxValueBytes - 1000

// Store keeps conversations in a D1 database. It is safe for concurrent use.
type Store struct {
	db     d1.Querier
	cfg    Config
	sql    *texts
	ready  atomic.Bool
	initer chan struct{} // holds one token, for whoever makes the tables
}

var _ memory.Replacer = (*Store)(nil)

var prefixForm = regexp.MustCompile(`^[A-Za-z0-9_]*$`)

// New returns a Store in a database: a [d1.DB] or a [d1.Session]. Nothing is sent. The
// database stays the caller's to close.
func New(db d1.Querier, cfg Config) (*Store, error) {
	switch {
	case db == nil:
		return nil, memory.Invalidf("the database is missing")
	case !prefixForm.MatchString(cfg.TablePrefix):
		return nil, memory.Invalidf("invalid TablePrefix %.60q: only letters, numbers, and underscores are allowed", cfg.TablePrefix)
	case cfg.Layout != LayoutDefault && cfg.Layout != LayoutMastra:
		return nil, memory.Invalidf("there is no Layout %.60q", string(cfg.Layout))
	case cfg.Large != LargeRefuse && cfg.Large != LargeChunk:
		return nil, memory.Invalidf("there is no way %.60q for large messages", string(cfg.Large))
	case cfg.Large == LargeChunk && cfg.Layout == LayoutMastra:
		return nil, memory.Invalidf("Mastra cannot read chunks: Large must be LargeRefuse with LayoutMastra")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Store{db: db, cfg: cfg, sql: newTexts(cfg), initer: make(chan struct{}, 1)}
	s.ready.Store(cfg.DisableInit)
	s.initer <- struct{}{}
	return s, nil
}

// send sends a request and gives each statement's result to read, if that is not nil.
func (s *Store) send(ctx context.Context, statements []d1.Statement, read func(i int, r *d1.Results) error) (err error) {
	results, err := s.db.Do(ctx, d1.Request{Statements: statements})
	if err != nil {
		return translate(err)
	}
	defer func() {
		if closing := results.Close(); err == nil {
			err = translate(closing)
		}
	}()
	for i := 0; results.NextResult(); i++ {
		if read != nil {
			if err := read(i, results); err != nil {
				return err
			}
		}
		for results.Next() { // what is left: errors come late
		}
	}
	return translate(results.Err())
}

// do is send once there are tables.
func (s *Store) do(ctx context.Context, statements []d1.Statement, read func(i int, r *d1.Results) error) error {
	if err := s.ensure(ctx); err != nil {
		return err
	}
	return s.send(ctx, statements, read)
}

// errConflict means that a chunked message was changed meanwhile.
var errConflict = errors.New("memory: the message was changed meanwhile")

// errChunked means that a message is in chunks, and cannot be merged by the database.
var errChunked = errors.New("memory: the message is in chunks")
