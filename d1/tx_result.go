package d1

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// ConflictError reports that something a transaction has read, or has been told of
// its own writes, was no longer so when it was to be committed. Nothing was written;
// run the transaction again.
type ConflictError struct {
	// Statement is the index of the statement, among those of the transaction, whose
	// effect or answer has changed, or -1.
	Statement int
	// SQL is that statement's text.
	SQL string
}

// Error says which statement it was.
func (e *ConflictError) Error() string {
	if e.Statement < 0 {
		return "d1: the transaction conflicts with another; run it again"
	}
	return fmt.Sprintf("d1: the transaction conflicts with another: what statement %d (%s) saw is no longer so; run it again",
		e.Statement+1, short(e.SQL))
}

// Conflict reports whether a transaction failed because another one changed what it
// had read. Nothing was written, and the whole transaction can be run again, as
// [InTx] does.
func Conflict(err error) bool {
	_, ok := errors.AsType[*ConflictError](err)
	return ok
}

// defaultAttempts is how often a transaction is tried. A transaction that conflicts
// so often competes with too many, or reads something that is never twice the same.
const defaultAttempts = 20

// Retry calls a function until it returns no error, or one that is neither a
// [Conflict] nor [Retryable], or has been called attempts times (0 means 20). It
// pauses in between: up to 2 ms at first, doubling to half a second. [InTx] does this
// for transactions.
func Retry(ctx context.Context, attempts int, f func() error) error {
	if attempts <= 0 {
		attempts = defaultAttempts
	}
	pause := 2 * time.Millisecond
	for i := 1; ; i++ {
		err := f()
		if !Conflict(err) && !Retryable(err) {
			return err
		}
		if i == attempts {
			return fmt.Errorf("d1: tried %d times: %w", attempts, err)
		}
		timer := time.NewTimer(rand.N(pause))
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w (the last attempt: %w)", ctx.Err(), err)
		case <-timer.C:
		}
		pause = min(2*pause, 500*time.Millisecond)
	}
}

// txResult is one result of a transaction.
type txResult struct {
	columns []string
	rows    [][]any
	meta    Meta
}

// txCursor reads results that are in memory.
type txCursor struct {
	results []*txResult
	result  int // 1 for the first
	row     int // likewise
	values  []Value
}

var _ Cursor = (*txCursor)(nil)

func (c *txCursor) NextResult() bool {
	if c.result == len(c.results) {
		return false
	}
	c.result++
	c.row = 0
	return true
}

func (c *txCursor) current() *txResult { return c.results[c.result-1] }

func (c *txCursor) Columns() []string { return c.current().columns }

func (c *txCursor) Next() bool {
	if c.row == len(c.current().rows) {
		return false
	}
	row := c.current().rows[c.row]
	c.row++
	c.values = c.values[:0]
	for _, v := range row {
		c.values = append(c.values, valueOf(v))
	}
	return true
}

func (c *txCursor) Row() []Value       { return c.values }
func (c *txCursor) Meta() Meta         { return c.current().meta }
func (c *txCursor) Bookmark() Bookmark { return "" }
func (c *txCursor) Err() error         { return nil }
func (c *txCursor) Close() error       { return nil }
