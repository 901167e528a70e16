package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/skylite-go/skylite/d1"
)

// Run applies every migration that is not recorded yet, each as one transaction, in
// order. If one fails, the run ends with an [*Error], and those before it stay. If a run
// cannot begin the error is an [*InvalidError]. Running again does nothing more.
func (r *Runner) Run(ctx context.Context) (Result, error) {
	plan, _, err := r.plan(ctx)
	if err != nil {
		return Result{}, err
	}
	result := Result{Skipped: plan.Skipped}
	if len(plan.Batches) == 0 {
		return result, nil
	}
	if err := r.begin(ctx, plan); err != nil {
		return result, err
	}
	result.Bookmark = plan.Bookmark
	for _, b := range plan.Batches {
		mine, err := r.apply(ctx, b)
		if err != nil {
			return result, b.failed(err, result.Applied)
		}
		if !mine {
			result.Skipped = append(result.Skipped, b.Record)
			continue
		}
		result.Applied = append(result.Applied, b.Record)
		if r.opts.After != nil {
			r.opts.After(b.Record)
		}
	}
	return result, nil
}

// begin takes the bookmark, tells of the plan, and makes the ledgers.
func (r *Runner) begin(ctx context.Context, plan *Plan) error {
	if traveler, ok := r.db.Backend().(d1.TimeTraveler); ok {
		bookmark, err := traveler.BookmarkAt(ctx, time.Time{})
		if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return fmt.Errorf("take a bookmark before the first migration: %w", err)
		}
		plan.Bookmark = bookmark
	}
	if r.opts.Before != nil {
		if err := r.opts.Before(ctx, plan); err != nil {
			return err
		}
	}
	for _, sql := range plan.Setup {
		if err := r.exec(ctx, []string{sql}); err != nil {
			return fmt.Errorf("make the ledger: %w", err)
		}
	}
	return nil
}

// apply runs a batch. It is not mine if another runner was faster.
func (r *Runner) apply(ctx context.Context, b Batch) (mine bool, err error) {
	err = r.exec(ctx, b.Statements)
	switch {
	case err == nil:
		return true, nil
	case raced(err):
		return false, nil
	case d1.Ambiguous(err):
		// The batch is atomic, so its row in the ledger tells whether it ran.
		if st, readErr := r.read(ctx); readErr == nil && b.leaves != leavesAnything && st.applied(b.unit) == (b.leaves == leavesApplied) {
			return true, nil
		}
		return false, err
	}
	if e, ok := errors.AsType[*d1.Error](err); ok {
		if loss, ok := b.guard.lossIn(e.Message); ok {
			return false, &DataLossError{loss}
		}
	}
	return false, r.locate(ctx, b, err)
}

// raced reports whether a batch failed because the ledger is not what it was.
func raced(err error) bool {
	e, ok := errors.AsType[*d1.Error](err)
	return ok && strings.Contains(e.Message, outrun)
}

// locate finds out which statement of a batch failed, where the database does not say:
// D1's API names none. It runs the beginnings of the batch, each with an error at its
// end, so nothing of them stays.
func (r *Runner) locate(ctx context.Context, b Batch, err error) error {
	e, ok := errors.AsType[*d1.Error](err)
	if !ok || e.Code == 0 || e.Statement >= 0 || e.Transient {
		return err
	}
	// What is before low runs, and what is before high has the error in it. If all of it
	// runs the error comes from the commit.
	low, high := 0, len(b.Statements)
	for low < high {
		middle := (low + high) / 2
		probe := append(append([]string{}, b.Statements[:middle+1]...),
			"SELECT json_extract('{}', '"+probed+"')")
		again, ok := errors.AsType[*d1.Error](r.exec(ctx, probe))
		switch {
		case ok && strings.Contains(again.Message, probed):
			low = middle + 1
		case ok && again.Message == e.Message:
			high = middle
		default:
			return err // the world moves; better no answer than a wrong one
		}
	}
	if low < len(b.Statements) {
		e.Statement = low
	}
	return err
}

const probed = "skylite: so far so good"

// failed says where in a migration an error comes from.
func (b *Batch) failed(err error, applied []Record) error {
	failure := &Error{Record: b.Record, Statement: -1, Offset: -1, Applied: applied, Err: err}
	if loss, ok := errors.AsType[*DataLossError](err); ok {
		failure.at(b, loss.Statement, b.own[loss.Statement].VerbStart)
		return failure
	}
	e, ok := errors.AsType[*d1.Error](err)
	if !ok {
		return failure
	}
	index := e.Statement - b.first
	if index < 0 || index >= len(b.own) {
		return failure
	}
	st := b.own[index]
	at := st.VerbStart
	if e.Offset >= 0 {
		at = min(e.Offset, len(st.Text))
	}
	failure.at(b, index, at)
	// The database counts in the batch, and readers would wonder.
	own := *e
	own.Statement = 0
	failure.Err = &own
	return failure
}

// at points to a byte of a statement's Text.
func (e *Error) at(b *Batch, statement, at int) {
	e.Statement = statement
	e.Offset = b.own[statement].Start + at
	e.Line = lineAt(b.text, e.Offset)
}
