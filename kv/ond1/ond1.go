package ond1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/kv"
)

// Config says which namespace to open and how. The zero value is the namespace "".
type Config struct {
	// Namespace is the namespace's name, any valid UTF-8 of up to 512 bytes. Namespaces of
	// one table never see each other's keys.
	Namespace string
	// Table is the table that holds it.
	Table Table
	// Strict keeps KV's own rules on expiry: keys live for 60 seconds at least, and to
	// the whole second. Code that is tested with it meets no surprise on Workers KV.
	Strict bool
	// InlineBytes is how long a value may be to stand beside its key and not in a chunk, 32
	// to 900 bytes; what is outside counts as the nearer of the two, and 0 means 256. A row
	// of more than 1,000 bytes would take pages of its own.
	InlineBytes int
	// PurgeEvery is after how many writes keys that have expired are removed, in the
	// background and in requests of their own, which remove up to twice as many keys each;
	// 0 means 100, a negative number never.
	PurgeEvery int
	// Now is the clock; nil means the database's own. It is there for tests.
	Now func() time.Time
}

// Table names a table. The zero value is the one that the npm package d1-namespace takes
// too: the namespace's name and "_kv_entries", or "_kv_entries" alone if the name has
// other characters than A to Z, a to z, 0 to 9 and _.
type Table struct {
	// Name is the table's name, of A to Z, a to z, 0 to 9 and _; empty means the default.
	Name string
	// NoAutoCreate says that the table must exist. Otherwise the first write makes it.
	NoAutoCreate bool
}

const (
	defaultInline = 256
	minInline     = 32 // the numbers of a kv.Counter among them
	maxInline     = 900
	// chunkBytes keeps a chunk under D1's 2,000,000 bytes, as hexadecimal digits too.
	chunkBytes = 983_040
)

// Namespace is a KV namespace in a D1 database. It is safe for concurrent use.
type Namespace struct {
	db     d1.Querier
	closer io.Closer // nil if the database is the caller's
	cfg    Config
	layout atomic.Pointer[layout]
	filled sync.Map   // the SQL of this package's own layout, by its template
	create sync.Mutex // held while tables are made

	lastVersion atomic.Int64
	writes      atomic.Int64
	purging     atomic.Bool

	mu     sync.RWMutex
	closed bool
	active sync.WaitGroup // requests and purges under way
}

var (
	_ kv.Swapper = (*Namespace)(nil)
	_ kv.Batcher = (*Namespace)(nil)
	_ kv.Counter = (*Namespace)(nil)
	_ kv.Expirer = (*Namespace)(nil)
	_ kv.Querier = (*Namespace)(nil)
)

// New returns a namespace in a database: a [d1.DB], or a [d1.Session]. Nothing is sent. The
// database stays the caller's to close.
func New(db d1.Querier, cfg Config) (*Namespace, error) {
	if db == nil {
		return nil, errors.New("kv: the database is missing")
	}
	if err := cfg.prepare(); err != nil {
		return nil, err
	}
	ns := &Namespace{db: db, cfg: cfg}
	ns.layout.Store(nativeLayout(cfg))
	return ns, nil
}

// prepare checks the Config and sets its defaults.
func (cfg *Config) prepare() error {
	if err := checkNamespace(cfg.Namespace); err != nil {
		return err
	}
	if cfg.Table.Name == "" {
		cfg.Table.Name = defaultTable(cfg.Namespace)
	}
	if cfg.InlineBytes == 0 {
		cfg.InlineBytes = defaultInline
	}
	cfg.InlineBytes = max(minInline, min(cfg.InlineBytes, maxInline))
	if cfg.PurgeEvery == 0 {
		cfg.PurgeEvery = 100
	}
	return checkTable(cfg.Table.Name)
}

// Name returns the namespace's name, and Table that of its table.
func (ns *Namespace) Name() string { return ns.cfg.Namespace }

// Table returns the name of the namespace's table.
func (ns *Namespace) Table() string { return ns.cfg.Table.Name }

// Close waits for requests under way. It closes the database if [kv.Open] opened it.
func (ns *Namespace) Close() error {
	ns.mu.Lock()
	closed := ns.closed
	ns.closed = true
	ns.mu.Unlock()
	ns.active.Wait()
	if closed || ns.closer == nil {
		return nil
	}
	return ns.closer.Close()
}

func (ns *Namespace) enter(op, key string) error {
	ns.mu.RLock()
	defer ns.mu.RUnlock()
	if ns.closed {
		return &kv.Error{Op: op, Key: key, Message: "namespace is closed", Outcome: kv.OutcomeUnsent, Err: kv.ErrClosed}
	}
	ns.active.Add(1)
	return nil
}

// run sends the statements that build makes for the table's layout, and gives the results to
// read. If the table is missing or has another layout than was thought, that is seen to, and
// the statements are made and sent again.
func (ns *Namespace) run(ctx context.Context, op, key string, write bool,
	build func(*layout) ([]d1.Statement, error), read func(*d1.Results) error,
) error {
	if err := ns.enter(op, key); err != nil {
		return err
	}
	defer ns.active.Done()
	return ns.attempt(ctx, op, key, write, build, read)
}

// attempt is run for those who have entered.
func (ns *Namespace) attempt(ctx context.Context, op, key string, write bool,
	build func(*layout) ([]d1.Statement, error), read func(*d1.Results) error,
) error {
	for attempt := 0; ; attempt++ {
		l := ns.layout.Load()
		statements, err := build(l)
		if err != nil {
			return err
		}
		err = ns.send(ctx, statements, read)
		switch {
		case err == nil:
			return nil
		case attempt < 3 && isCollision(err): // of two random chunk numbers
		case attempt < 2 && isSchema(err):
			switch found, learnErr := ns.learn(ctx, l, write, err); {
			case learnErr != nil:
				return convert(op, key, learnErr)
			case found == asThought:
				return convert(op, key, err)
			case found == noTable && ns.cfg.Table.NoAutoCreate:
				return convert(op, key, err)
			case found == noTable:
				return errNoTable
			}
		default:
			return convert(op, key, err)
		}
	}
}

// errNoTable says that there is no table yet, and so no key.
var errNoTable = errors.New("kv: no table yet")

func (ns *Namespace) send(ctx context.Context, statements []d1.Statement, read func(*d1.Results) error) error {
	for i := range statements {
		statements[i].SQL = ns.atTime(statements[i].SQL)
	}
	results, err := ns.db.Do(ctx, d1.Request{Statements: statements})
	if err != nil {
		return err
	}
	if read != nil {
		if err := read(results); err != nil {
			results.Close()
			return err
		}
	}
	for results.NextResult() {
	}
	return results.Close()
}

// atTime puts the configured clock's time in the place of the database's.
func (ns *Namespace) atTime(sql string) string {
	if ns.cfg.Now == nil {
		return sql
	}
	return strings.ReplaceAll(sql, nowMS, strconv.FormatInt(ns.cfg.Now().UnixMilli(), 10))
}

func (ns *Namespace) now() time.Time {
	if ns.cfg.Now != nil {
		return ns.cfg.Now()
	}
	return time.Now()
}

// MinTTL implements [kv.Expirer]: one millisecond, or with [Config.Strict] KV's 60 seconds.
func (ns *Namespace) MinTTL() time.Duration {
	if ns.cfg.Strict {
		return kv.MinTTL
	}
	return time.Millisecond
}

// versionStep leaves numbers for the chunks of a value behind each version.
const versionStep = 32

// newVersion returns a number that no write has had: the time, and 21 random bits for those
// who write in the same millisecond elsewhere. Within a Namespace they grow.
func (ns *Namespace) newVersion() int64 {
	for {
		last := ns.lastVersion.Load()
		next := max(time.Now().UnixMilli()<<21|rand.Int64N(1<<21), last+versionStep)
		if ns.lastVersion.CompareAndSwap(last, next) {
			return next
		}
	}
}

func checkNamespace(name string) error {
	if len(name) > kv.MaxKeyBytes {
		return fmt.Errorf("kv: the namespace's name has %d bytes; it may have %d", len(name), kv.MaxKeyBytes)
	}
	if strings.ToValidUTF8(name, "") != name {
		return errors.New("kv: the namespace's name is not valid UTF-8")
	}
	return nil
}
