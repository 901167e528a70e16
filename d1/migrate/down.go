package migrate

import (
	"context"
	"errors"
	"fmt"
)

// Down undoes the last n applied migrations, the last one first, each as one
// transaction with its row in the ledgers. A migration among them that has no down
// migration, or that was changed, is an error before anything runs.
func (r *Runner) Down(ctx context.Context, n int) (Result, error) {
	return r.back(ctx, n, false)
}

// Redo undoes the last applied migration and applies it again, as one transaction.
func (r *Runner) Redo(ctx context.Context) (Result, error) {
	return r.back(ctx, 1, true)
}

func (r *Runner) back(ctx context.Context, n int, again bool) (Result, error) {
	st, err := r.read(ctx)
	if err != nil {
		return Result{}, err
	}
	if problems := r.conflicts(st); len(problems) > 0 {
		return Result{}, &InvalidError{problems}
	}
	plan := &Plan{}
	for i := len(r.set.units) - 1; i >= 0 && len(plan.Batches) < n; i-- {
		u := r.set.units[i]
		if !st.applied(u) {
			continue
		}
		problems := u.checkDown()
		if again {
			problems = append(problems, u.check()...)
		}
		if len(problems) > 0 {
			return Result{}, &InvalidError{problems}
		}
		plan.Batches = append(plan.Batches, r.backBatch(st, u, again))
	}
	if len(plan.Batches) == 0 {
		return Result{}, errors.New("there is nothing to undo: no migration is applied")
	}
	if err := r.begin(ctx, plan); err != nil {
		return Result{}, err
	}
	result := Result{Bookmark: plan.Bookmark}
	for _, b := range plan.Batches {
		if err := r.undo(ctx, b); err != nil {
			return result, b.failed(err, result.Applied)
		}
		result.Applied = append(result.Applied, b.Record)
		if r.opts.After != nil {
			r.opts.After(b.Record)
		}
	}
	return result, nil
}

// backBatch makes the batch that undoes a unit, and does it again if it is to.
func (r *Runner) backBatch(st *state, u *unit, again bool) Batch {
	b := Batch{Record: u.record(), unit: u, own: u.down, text: u.downText, guard: st.schema.watch(u.down), leaves: leavesUndone}
	for _, l := range []ledger{st.primary, st.second} {
		if _, ok := l.find(u); ok {
			// A row that is gone by now fails the batch: another runner was here.
			b.Statements = append(b.Statements, l.present(u), l.remove(u))
		}
	}
	b.surround(r.opts.AllowDataLoss)
	if again {
		b.leaves = leavesAnything
		for _, l := range []ledger{st.primary, st.second} {
			if _, ok := l.find(u); ok {
				b.Statements = append(b.Statements, l.insert(u, r.opts.Now()))
			}
		}
		for _, st := range u.up {
			b.Statements = append(b.Statements, st.Text)
		}
	}
	return b
}

func (r *Runner) undo(ctx context.Context, b Batch) error {
	mine, err := r.apply(ctx, b)
	if err == nil && !mine {
		return fmt.Errorf("another runner undid it at the same time")
	}
	return err
}
