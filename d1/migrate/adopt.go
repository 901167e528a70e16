package migrate

import (
	"context"
	"fmt"
	"strings"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// AdoptOptions say what to record without running it.
type AdoptOptions struct {
	// Baseline is the name of a migration: it, and all before it, are recorded as
	// applied although no ledger says so. It is for databases whose schema came from
	// elsewhere. Empty means none.
	Baseline string
	// Other brings the other tool's ledger up to date too, and makes it if it is
	// missing, so that wrangler and drizzle can both go on. It is for sources that both
	// tools read. False brings it up to date only if the database has it.
	Other bool
}

// Adoption is what the ledgers lack.
type Adoption struct {
	// Rows are the migrations to record, by ledger.
	Rows []AdoptedRow
	// Statements are what records them, as one transaction.
	Statements []string

	runner *Runner
}

// AdoptedRow is a migration to be recorded in a ledger.
type AdoptedRow struct {
	Record
	// Ledger is the table.
	Ledger string `json:"ledger"`
	// Because says how it is known to be applied.
	Because string `json:"because"`
}

// Adopt finds out what the ledgers of a database lack, so that every tool which reads
// them goes on where the others stopped. It writes nothing: see [Adoption.Run].
//
// What one ledger records the others are given too. A __drizzle_migrations of drizzle 0.x
// is given the columns of 1.x if the migrations are in folders; drizzle's own way needs a
// BEGIN, which D1 refuses.
func (r *Runner) Adopt(ctx context.Context, opts AdoptOptions) (*Adoption, error) {
	st, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	a := &Adoption{runner: r}
	baseline, err := r.baseline(opts.Baseline)
	if err != nil {
		return nil, err
	}
	for _, l := range []ledger{st.primary, st.second} {
		if d, ok := l.(*drizzleLedger); ok && d.there && d.id == byTag && !d.named {
			if err := a.upgrade(r.set.units, d); err != nil {
				return nil, err
			}
		}
	}
	a.fill(st, st.primary, st.second, r.set.units[:baseline])
	if opts.Other || st.second.exists() {
		a.fill(st, st.second, st.primary, r.set.units[:baseline])
	}
	return a, nil
}

// baseline returns how many migrations are to be taken for applied.
func (r *Runner) baseline(name string) (int, error) {
	if name == "" {
		return 0, nil
	}
	for i, u := range r.set.units {
		if u.name == name || strings.TrimSuffix(u.name, ".sql") == name {
			return i + 1, nil
		}
	}
	return 0, fmt.Errorf("there is no migration %q to take as the baseline", name)
}

// fill gives a ledger the rows that it lacks.
func (a *Adoption) fill(st *state, l, other ledger, baseline []*unit) {
	create := !l.exists()
	known := make(map[*unit]bool)
	for _, u := range baseline {
		known[u] = true
	}
	for _, u := range a.runner.set.units {
		if _, ok := l.find(u); ok || !l.knows(u) {
			continue
		}
		because := "the baseline"
		if _, ok := other.find(u); ok {
			because = other.table() + " records it"
		} else if !known[u] {
			continue
		}
		if create {
			a.Statements = append(a.Statements, l.create())
			create = false
		}
		a.Rows = append(a.Rows, AdoptedRow{u.record(), l.table(), because})
		a.Statements = append(a.Statements, l.insert(u, a.runner.opts.Now()))
	}
}

// upgrade gives drizzle's ledger the columns of 1.x, and every row its name.
func (a *Adoption) upgrade(units []*unit, l *drizzleLedger) error {
	a.Statements = append(a.Statements,
		"ALTER TABLE "+drizzleTable+" ADD COLUMN name text",
		"ALTER TABLE "+drizzleTable+" ADD COLUMN applied_at TEXT")
	for i := range l.rows {
		row := &l.rows[i]
		u := ownerOf(units, row)
		if u == nil {
			return fmt.Errorf("%s has a row that is none of the migrations': hash %.12s…, created_at %d; "+
				"drizzle 1.x would refuse the table", drizzleTable, row.hash, row.when)
		}
		condition := fmt.Sprintf("created_at = %d AND hash = %s", row.when, sqltext.QuoteString(row.hash))
		a.Statements = append(a.Statements, "UPDATE "+drizzleTable+" SET name = "+sqltext.QuoteString(u.tag)+" WHERE "+condition)
		a.Rows = append(a.Rows, AdoptedRow{u.record(), drizzleTable, "its row of drizzle 0.x gets its name"})
		row.name, row.named = u.tag, true
	}
	l.named = true
	return nil
}

// ownerOf finds the migration of a row of drizzle 0.x: by the second in which it was
// made, as drizzle 1.x does it, and then by its hash.
func ownerOf(units []*unit, row *drizzleRow) *unit {
	for _, u := range units {
		if u.drizzle == byTag && u.when/1000 == row.when/1000 {
			return u
		}
	}
	for _, u := range units {
		if u.drizzle == byTag && u.hasHash(row.hash) {
			return u
		}
	}
	return nil
}

// Run writes what the ledgers lack, as one transaction. If nothing is lacking it does
// nothing. If another runner was at it in the meantime, nothing is written either, and
// the error says so.
func (a *Adoption) Run(ctx context.Context) error {
	if len(a.Statements) == 0 {
		return nil
	}
	err := a.runner.exec(ctx, a.Statements)
	if raced(err) {
		return fmt.Errorf("another runner recorded one of the migrations at the same time; look again: %w", err)
	}
	return err
}
