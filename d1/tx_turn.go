package d1

import (
	"context"
	"sync"
	"time"
)

// Two transactions that insert at the same time would be told the same rowid, and one of
// them could not commit. So the transactions of one DB that are told what a write returns
// take turns: from then on until they end. A turn is a courtesy and no lock. Nobody waits
// for it longer than turnWait, nor holds it longer; what makes transactions serializable
// are the guards.
const turnWait = 5 * time.Second

// turn is whoever's turn it is.
type turn chan struct{}

// take waits for the turn, and returns what ends it; or nil if it did not come.
func (t turn) take(ctx context.Context) (end func()) {
	timer := time.NewTimer(turnWait)
	defer timer.Stop()
	select {
	case t <- struct{}{}:
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return nil
	}
	release := sync.OnceFunc(func() { <-t })
	lease := time.AfterFunc(turnWait, release)
	return func() {
		lease.Stop()
		release()
	}
}

// takeTurn takes the turn before a write is looked at, unless the transaction has it.
func (tx *Tx) takeTurn(ctx context.Context) {
	if tx.endTurn == nil {
		tx.endTurn = tx.db.turn.take(ctx)
	}
}

// finish marks the transaction as done; what it returns ends its turn.
func (tx *Tx) finish() (endTurn func()) {
	tx.done = true
	if tx.endTurn == nil {
		return func() {}
	}
	return tx.endTurn
}
