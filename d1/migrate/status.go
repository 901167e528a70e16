package migrate

import (
	"context"
	"slices"
	"time"
)

// State is what has become of a migration.
type State string

// The states of a migration.
const (
	// Pending is not recorded.
	Pending State = "pending"
	// Applied is recorded.
	Applied State = "applied"
	// Changed is recorded with another text than it has now. wrangler's ledger cannot
	// tell.
	Changed State = "changed"
	// Unadopted is recorded, but not in the ledger of this source. See [Runner.Adopt].
	Unadopted State = "unadopted"
	// Missing is recorded, and there is no such migration.
	Missing State = "missing"
)

// Status is the state of one migration.
type Status struct {
	Record
	// State is what has become of it.
	State State `json:"state"`
	// AppliedAt is when it was applied, if the ledger tells.
	AppliedAt time.Time `json:"applied_at,omitzero"`
	// OutOfOrder says that a migration behind a pending one is applied.
	OutOfOrder bool `json:"out_of_order,omitempty"`
	// CanUndo says that there is a down migration.
	CanUndo bool `json:"can_undo,omitempty"`
	// Ledgers are the tables that record it.
	Ledgers []string `json:"ledgers,omitempty"`
}

// Status returns the state of every migration in order, and then what the source's own
// ledger records besides. Rows of __drizzle_migrations that have no name are left out:
// other projects may have theirs there. It writes nothing.
func (r *Runner) Status(ctx context.Context) ([]Status, error) {
	st, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	changed := r.changed(st)
	all := make([]Status, 0, len(r.set.units))
	for _, u := range r.set.units {
		s := Status{Record: u.record(), State: Pending, CanUndo: u.hasDown}
		for _, l := range []ledger{st.second, st.primary} {
			if at, ok := l.find(u); ok {
				s.Ledgers = append([]string{l.table()}, s.Ledgers...)
				if !at.IsZero() {
					s.AppliedAt = at
				}
				s.State = Applied
			}
		}
		switch {
		case slices.Contains(changed, u):
			s.State = Changed
		case s.State == Applied && !st.applied(u):
			s.State = Unadopted
		}
		all = append(all, s)
	}
	later := false
	for i := len(all) - 1; i >= 0; i-- {
		all[i].OutOfOrder = later && all[i].State == Pending
		later = later || all[i].State != Pending
	}
	return append(all, r.missing(st)...), nil
}

// missing returns what is recorded and not there.
func (r *Runner) missing(st *state) []Status {
	var names []string
	switch l := st.primary.(type) {
	case *wranglerLedger:
		for _, name := range l.order {
			if !slices.ContainsFunc(r.set.units, func(u *unit) bool { return u.path == name }) {
				names = append(names, name)
			}
		}
	case *drizzleLedger:
		for _, row := range l.rows {
			if row.named && !slices.ContainsFunc(r.set.units, func(u *unit) bool { return u.tag == row.name || l.fits(u, &row) }) {
				names = append(names, row.name)
			}
		}
	}
	var all []Status
	for _, name := range names {
		version, _ := leadingNumber(name)
		all = append(all, Status{Record: Record{version, name}, State: Missing, Ledgers: []string{st.primary.table()}})
	}
	return all
}

// Validate reports everything that can be known to be wrong, without running anything:
// statements that D1 refuses, in applied migrations too, migrations that were changed or
// not adopted, and those that drizzle would pass over.
func (r *Runner) Validate(ctx context.Context) ([]Problem, error) {
	st, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	problems := r.conflicts(st)
	for _, u := range r.set.units {
		if len(u.up) > 0 || !st.applied(u) { // an empty one that is applied does no harm any more
			problems = append(problems, u.check()...)
		}
	}
	return append(problems, r.checkDowns()...), nil
}

// Check reports the statements that D1 refuses, in all migrations. It does not ask the
// database.
func (r *Runner) Check() []Problem {
	var problems []Problem
	for _, u := range r.set.units {
		problems = append(problems, u.check()...)
	}
	return append(problems, r.checkDowns()...)
}

func (r *Runner) checkDowns() (problems []Problem) {
	for _, u := range r.set.units {
		if u.hasDown {
			problems = append(problems, u.checkDown()...)
		}
	}
	return problems
}
