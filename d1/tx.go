package d1

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/skylite-go/skylite/internal/speculate"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// ErrTxDone is what a transaction returns once it has been committed or rolled
// back. It is [sql.ErrTxDone].
var ErrTxDone = sql.ErrTxDone

// TxOptions say how a transaction runs. The zero value reads and writes.
type TxOptions struct {
	// ReadOnly refuses writes. In return everything the transaction reads is one
	// state of the database, also if it is rolled back, and Commit sends nothing.
	ReadOnly bool
	// Attempts is how often [InTx] runs its function, at most; 0 means 20.
	Attempts int
}

// Tx is an optimistic transaction: serializable, on a database whose only
// transaction is the batch. Its writes are recorded and happen together, in Commit,
// which is one request; what it has read is read again in that request, and if it
// has changed, nothing is written and the error is a [Conflict].
//
// A read before the first write is one request. A read after a write is one as well:
// it runs behind the writes so far, in a batch that is always rolled back, and so
// sees them. See docs/transactions.md for what that costs and when it conflicts.
//
// A statement that fails, while the transaction learns what it does, is not part of
// the transaction; the transaction goes on without it. A statement run by Exec is
// looked at only when something asks for its effects, and may fail as late as
// Commit.
//
// It is safe for concurrent use, but its statements run one after another. End it
// with Commit or Rollback; it holds nothing at the database.
type Tx struct {
	queries
	db       *DB
	readOnly bool

	mu       sync.Mutex
	ops      []*op
	points   []point
	schema   bool // a recorded statement changes the schema
	writes   int  // recorded statements that write
	verified int  // so many of ops have run before without an error
	done     bool
	endTurn  func() // nil if it is not the transaction's turn
}

// point is a savepoint: a position in the record.
type point struct {
	name string
	ops  int
}

// BeginTx begins a transaction. Nothing is sent. opts may be nil.
func (db *DB) BeginTx(ctx context.Context, opts *TxOptions) (*Tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tx := &Tx{db: db, readOnly: opts != nil && opts.ReadOnly}
	tx.queries.on = tx
	return tx, nil
}

// Exec records a statement and drops the rows it would return. What it does is
// known after Commit, or before it at the price of a request: see [Pending].
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (*Pending, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	o, err := tx.accept(0, Statement{SQL: sql, Args: args})
	if err != nil {
		return nil, err
	}
	if !o.write {
		// A read that nobody looks at has no effect, but must be able to fail.
		_, err := tx.read(ctx, o)
		return &Pending{tx: tx, op: o}, err
	}
	tx.record(o)
	return &Pending{tx: tx, op: o}, nil
}

// Do runs statements in the transaction. Unlike [Tx.Exec] it returns what they do,
// and so costs a request for each that reads or writes: [Tx.Run], [Tx.All] and
// everything else goes through it. If one fails, none of req is in the transaction.
// Of the meta only Changes and LastRowID are filled in.
func (tx *Tx) Do(ctx context.Context, req Request) (*Results, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if len(req.Statements) == 0 {
		return nil, refused(-1, "No SQL statements detected.")
	}
	before := len(tx.ops)
	cursor := &txCursor{}
	for i, s := range req.Statements {
		result, err := tx.one(ctx, i, s)
		if err != nil {
			tx.truncate(before)
			return nil, err
		}
		cursor.results = append(cursor.results, result)
	}
	return NewResults(cursor), nil
}

func (tx *Tx) one(ctx context.Context, i int, s Statement) (*txResult, error) {
	o, err := tx.accept(i, s)
	if err != nil {
		return nil, err
	}
	switch {
	case !o.write:
		return tx.read(ctx, o)
	case o.parsed.ReturnsRows && o.parsed.Kind == sqltext.Write:
		return tx.returning(ctx, o)
	}
	tx.record(o)
	if o.parsed.Kind != sqltext.Write {
		return &txResult{}, nil
	}
	if err := tx.look(ctx, o); err != nil {
		tx.truncate(len(tx.ops) - 1)
		return nil, err
	}
	o.sawChanges, o.sawID = true, o.inserts()
	return &txResult{meta: Meta{Changes: o.changes, LastRowID: o.lastID, ChangedDB: o.changes > 0}}, nil
}

// accept checks a statement as [DB.Do] does, and says what it is.
func (tx *Tx) accept(i int, s Statement) (*op, error) {
	if tx.done {
		return nil, ErrTxDone
	}
	parsed, err := tx.db.check(i, s)
	if err != nil {
		return nil, err
	}
	args, _, err := checkArgs(i, s.Args)
	if err != nil {
		return nil, err
	}
	o := &op{sql: parsed.Text, args: args, parsed: parsed}
	switch parsed.Kind {
	case sqltext.Read:
		if at := parsed.Unbalanced(); at >= 0 {
			return nil, refused(i, fmt.Sprintf(`near ")": syntax error at offset %d: SQLITE_ERROR`, at))
		}
	case sqltext.Pragma:
		read, ok := parsed.PragmaSelect()
		switch {
		case !parsed.ReturnsRows:
			o.write = true
		case !ok:
			return nil, refused(i, "this PRAGMA cannot be read in a transaction; run it before, or outside")
		default:
			o.sql = read
			if o.parsed, err = tx.db.parsed.Parse(read); err != nil {
				return nil, statementError(i, err)
			}
		}
	case sqltext.Transaction:
		return nil, refused(i, fmt.Sprintf("%s cannot be run inside a transaction; use Commit, Rollback "+
			"and the savepoints of the transaction", parsed.Verb))
	default:
		o.write = true
	}
	if o.write && tx.readOnly {
		return nil, refused(i, fmt.Sprintf("the transaction is read-only, and %s writes", parsed.Verb))
	}
	return o, nil
}

func (tx *Tx) record(o *op) {
	tx.ops = append(tx.ops, o)
	if o.write {
		tx.writes++
		tx.schema = tx.schema || o.parsed.Kind == sqltext.Schema
	}
}

// truncate takes back everything from the n-th operation on.
func (tx *Tx) truncate(n int) {
	for _, o := range tx.ops[n:] {
		o.gone = true
	}
	tx.ops = tx.ops[:n]
	tx.verified = min(tx.verified, n)
	tx.writes, tx.schema = 0, false
	for _, o := range tx.ops {
		if o.write {
			tx.writes++
			tx.schema = tx.schema || o.parsed.Kind == sqltext.Schema
		}
	}
}

// Savepoint marks the present place in the transaction. Names may be used again,
// for a newer savepoint; they are compared without regard to case.
func (tx *Tx) Savepoint(name string) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.done {
		return ErrTxDone
	}
	tx.points = append(tx.points, point{name: name, ops: len(tx.ops)})
	return nil
}

// Release forgets a savepoint and those after it; what was done since stays.
func (tx *Tx) Release(name string) error {
	_, err := tx.cutPoints(name, false)
	return err
}

// RollbackTo takes back everything that was done since the savepoint, which stays.
// What was read there before anything was written there stays guarded.
func (tx *Tx) RollbackTo(name string) error {
	p, err := tx.cutPoints(name, true)
	if err != nil {
		return err
	}
	tx.mu.Lock()
	defer tx.mu.Unlock()
	for p.ops < len(tx.ops) && !tx.ops[p.ops].write {
		p.ops++
	}
	tx.truncate(p.ops)
	return nil
}

// cutPoints forgets the savepoints after the named one, and unless keep that one too.
func (tx *Tx) cutPoints(name string, keep bool) (point, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.done {
		return point{}, ErrTxDone
	}
	for i := len(tx.points) - 1; i >= 0; i-- {
		p := tx.points[i]
		if !strings.EqualFold(p.name, name) {
			continue
		}
		if keep {
			i++
		}
		tx.points = tx.points[:i]
		return p, nil
	}
	return point{}, refused(-1, "no such savepoint: "+name+": SQLITE_ERROR")
}

// Rollback ends the transaction; nothing has happened. It sends nothing.
func (tx *Tx) Rollback() error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.done {
		return ErrTxDone
	}
	defer tx.finish()()
	tx.truncate(0)
	return nil
}

// Commit ends the transaction: its writes happen, all or none, unless something it
// has read has changed. An error that is a [Conflict], and any other that is not
// [Ambiguous], says that nothing was written. A transaction that wrote nothing is
// sent only if it has read more than once.
func (tx *Tx) Commit(ctx context.Context) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.done {
		return ErrTxDone
	}
	defer tx.finish()()
	b, err := tx.batch(tx.ops, true)
	if err != nil {
		return err
	}
	if tx.writes == 0 && (tx.readOnly || len(b.statements) < 2) {
		return nil
	}
	results, err := tx.db.Do(ctx, Request{Statements: b.statements})
	if err != nil {
		return tx.failure(err, b)
	}
	defer results.Close()
	for i := 0; results.NextResult(); i++ {
		if o := b.reports[i]; o != nil {
			if err := o.readReport(results); err != nil {
				return err
			}
		}
	}
	return tx.failure(results.Close(), b)
}

// InTx runs a function in a transaction and commits it. If it conflicts with
// another transaction, or fails in a way that is sure to have had no effect and may
// pass, the function is run again in a new transaction, after a pause that grows;
// so the function must have no other effects. An error of the function rolls back
// and is returned. opts may be nil.
func InTx(ctx context.Context, db *DB, opts *TxOptions, f func(tx *Tx) error) error {
	attempts := 0
	if opts != nil {
		attempts = opts.Attempts
	}
	return Retry(ctx, attempts, func() error {
		tx, err := db.BeginTx(ctx, opts)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // after a Commit it does nothing
		if err := f(tx); err != nil {
			return err
		}
		return tx.Commit(ctx)
	})
}

// failure is the error of a request that was sent for the transaction, in the
// caller's terms: its Statement is an index among those of the transaction, or
// their number for one that followed them.
func (tx *Tx) failure(err error, b *batch) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	kind, _, index, readErr := tx.db.marks().Read(e.Message)
	if kind == speculate.Conflict {
		conflict := &ConflictError{Statement: -1}
		if readErr == nil && index < len(b.ops) {
			conflict.Statement, conflict.SQL = index, b.ops[index].parsed.Text
		}
		return conflict
	}
	clone := *e
	switch {
	case e.Statement >= len(b.owner):
		clone.Statement = len(b.ops)
	case e.Statement >= 0:
		clone.Statement = b.owner[e.Statement]
	}
	return &clone
}
