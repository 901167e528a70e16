package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/skylite-go/skylite/d1"
)

// Plan is what a run will do.
type Plan struct {
	// Bookmark is the state to go back to, if the database has bookmarks. It is taken
	// when a run begins, so [Runner.Plan] has none.
	Bookmark d1.Bookmark
	// Setup makes the ledgers that are missing, one statement at a time.
	Setup []string
	// Batches are the migrations to apply, in order.
	Batches []Batch
	// Skipped are the migrations that are recorded already.
	Skipped []Record
	// Notes say what else there is to know, for people.
	Notes []string
}

// Batch is a migration as it is sent: one transaction.
type Batch struct {
	Record
	// Statements are the ledger's rows, then the migration's own statements, between
	// statements that count rows if it may lose some.
	Statements []string

	unit  *unit
	own   []statement // the migration's own
	text  string      // that they are part of
	first int         // index of the first of them
	guard *guard
	// leaves is what the ledger says after it.
	leaves leaves
}

type leaves uint8

const (
	leavesApplied leaves = iota
	leavesUndone
	leavesAnything
)

// InvalidError says that a run did not begin, and why not.
type InvalidError struct {
	// Problems has one entry at least.
	Problems []Problem
}

// Error has a line for each problem.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Plan returns what [Runner.Run] would do, and writes nothing. Its errors are those that
// Run has before it writes anything.
func (r *Runner) Plan(ctx context.Context) (*Plan, error) {
	plan, _, err := r.plan(ctx)
	return plan, err
}

func (r *Runner) plan(ctx context.Context) (*Plan, *state, error) {
	st, err := r.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	problems := r.conflicts(st)
	plan := &Plan{}
	kept := st.kept(r.set.units)
	if st.second.exists() && len(kept) == 1 {
		if behind := only(r.set.units, st.primary, st.second); len(behind) > 0 {
			plan.Notes = append(plan.Notes, fmt.Sprintf("the ledger %s lacks %d of the migrations in %s, and is left as it is; "+
				"adopting brings it up to date", st.second.table(), len(behind), st.primary.table()))
		}
	}
	if !st.primary.exists() {
		plan.Setup = append(plan.Setup, st.primary.create())
	}
	changed := r.changed(st) // an error among the problems, unless it is allowed
	for _, u := range r.set.units {
		if st.applied(u) || slices.Contains(changed, u) {
			plan.Skipped = append(plan.Skipped, u.record())
			continue
		}
		found := u.check()
		problems = append(problems, found...)
		if len(found) == 0 {
			plan.Batches = append(plan.Batches, r.batch(st, kept, u))
		}
	}
	if len(problems) > 0 {
		return nil, st, &InvalidError{problems}
	}
	return plan, st, nil
}

// batch makes a unit's batch, and brings the schema up to date with it.
func (r *Runner) batch(st *state, kept []ledger, u *unit) Batch {
	b := Batch{Record: u.record(), unit: u, own: u.up, text: u.text, guard: st.schema.watch(u.up)}
	for _, l := range kept {
		if l.knows(u) {
			b.Statements = append(b.Statements, l.insert(u, r.opts.Now()))
		}
	}
	b.surround(r.opts.AllowDataLoss)
	return b
}

// surround adds the migration's own statements, and what counts.
func (b *Batch) surround(allowed bool) {
	if allowed {
		b.guard = &guard{}
	}
	b.Statements = append(b.Statements, b.guard.before()...)
	b.first = len(b.Statements)
	for _, st := range b.own {
		b.Statements = append(b.Statements, st.Text)
	}
	b.Statements = append(b.Statements, b.guard.after()...)
}

// conflicts finds what the ledgers and the migrations disagree about.
func (r *Runner) conflicts(st *state) []Problem {
	var problems []Problem
	if lone := only(r.set.units, st.second, st.primary); len(lone) > 0 {
		for _, u := range lone {
			problems = append(problems, u.problem(fmt.Sprintf("it was applied, as %s says, but %s does not know; adopt the database first",
				st.second.table(), st.primary.table())))
		}
		return problems
	}
	drizzle, isDrizzle := st.primary.(*drizzleLedger)
	if isDrizzle && drizzle.there && drizzle.id == byTag && !drizzle.named {
		return []Problem{r.set.units[0].problem("the ledger " + drizzleTable + " is of drizzle 0.x, and the migrations are of 1.x; " +
			"adopt the database first")}
	}
	if !r.opts.AllowChanged {
		for _, u := range r.changed(st) {
			was := "it was"
			if st.unnamed() {
				was = "by the order of the ledger's rows, which have no names, it was"
			}
			problems = append(problems, u.problem(was+" changed after it was applied; put it back as it was, and make a new migration"))
		}
	}
	if isDrizzle && !r.opts.AllowOutOfOrder {
		for _, u := range drizzle.passedOver(r.set.units) {
			problems = append(problems, u.problem("it is older than the newest migration in "+drizzleTable+
				", so drizzle takes it for applied, but it is not there"))
		}
	}
	return problems
}

// changed returns the units that were applied with another text.
func (r *Runner) changed(st *state) []*unit {
	var changed []*unit
	for _, u := range r.set.units {
		if st.primary.changed(u) || st.second.exists() && st.second.knows(u) && st.second.changed(u) {
			changed = append(changed, u)
		}
	}
	if st.unnamed() {
		changed = append(changed, st.primary.(*drizzleLedger).inferChanged(r.set.units)...)
	}
	return changed
}

// unnamed reports whether the ledger has hashes only, as lunora makes it.
func (st *state) unnamed() bool {
	l, ok := st.primary.(*drizzleLedger)
	return ok && l.there && l.id == byHash && !l.named && !l.foreign
}

// inferChanged guesses where a ledger has hashes only, as lunora's: if the row behind a
// migration's is nobody's, and the next migration is not there, then it is that one's. A
// ledger without any migration of ours is somebody else's.
func (l *drizzleLedger) inferChanged(units []*unit) []*unit {
	var changed []*unit
	next := 0 // the unit whose row should come now
	for _, row := range l.rows {
		at := slices.IndexFunc(units, func(u *unit) bool { return u.hasHash(row.hash) })
		switch {
		case at >= 0:
			next = at + 1
		case next > 0 && next < len(units) && l.row(units[next]) == nil:
			changed = append(changed, units[next])
			next++
		}
	}
	return changed
}

// passedOver returns what drizzle 0.x would never apply: it compares times only.
func (l *drizzleLedger) passedOver(units []*unit) []*unit {
	var newest int64
	for _, row := range l.rows {
		newest = max(newest, row.when)
	}
	var passed []*unit
	for _, u := range units {
		if u.drizzle == byWhen && u.when <= newest && l.row(u) == nil {
			passed = append(passed, u)
		}
	}
	return passed
}
