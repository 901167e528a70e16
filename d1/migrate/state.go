package migrate

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// state is what the database says before a run.
type state struct {
	schema  *schema
	primary ledger
	second  ledger
}

// read asks the database for its tables and its ledgers. It writes nothing.
func (r *Runner) read(ctx context.Context) (*state, error) {
	id := byHash
	for _, u := range r.set.units {
		if u.drizzle != notDrizzle {
			id = u.drizzle
			break
		}
	}
	drizzle := &drizzleLedger{id: id}
	wrangler := &wranglerLedger{name: r.opts.WranglerTable, rows: map[string]string{}}

	batch, err := r.db.Batch(ctx,
		r.db.Prepare("SELECT name, sql FROM sqlite_master WHERE type = 'table'"),
		r.db.Prepare("PRAGMA table_info("+drizzleTable+")"),
		r.db.Prepare("PRAGMA index_list("+drizzleTable+")"))
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	st := &state{schema: newSchema(), primary: drizzle, second: wrangler}
	for _, row := range batch[0].Rows {
		name, sql := text(row[0]), text(row[1])
		st.schema.run(sql)
		drizzle.there = drizzle.there || fold(name) == drizzleTable
		wrangler.there = wrangler.there || fold(name) == fold(wrangler.name)
	}
	for _, row := range batch[1].Rows {
		drizzle.named = drizzle.named || text(row[1]) == "name"
	}
	drizzle.foreign = drizzle.there && !drizzle.named && !slices.ContainsFunc(batch[2].Rows, func(row []any) bool {
		return row[2] == int64(1) && text(row[3]) == "u" // a UNIQUE in the table's own definition
	})
	if r.set.primaryWrangler {
		st.primary, st.second = wrangler, drizzle
	}
	return st, r.readLedgers(ctx, drizzle, wrangler)
}

func (r *Runner) readLedgers(ctx context.Context, drizzle *drizzleLedger, wrangler *wranglerLedger) error {
	if drizzle.there {
		name := "NULL"
		if drizzle.named {
			name = "name"
		}
		rows, err := r.db.All(ctx, "SELECT hash, created_at, "+name+" FROM "+drizzleTable+" ORDER BY rowid")
		if err != nil {
			return fmt.Errorf("read the ledger %s: %w", drizzleTable, err)
		}
		drizzle.byHash = make(map[string]int, len(rows.Rows))
		for i, row := range rows.Rows {
			drizzle.byHash[text(row[0])] = i
			drizzle.rows = append(drizzle.rows, drizzleRow{
				hash: text(row[0]), when: number(row[1]), name: text(row[2]), named: row[2] != nil})
		}
	}
	if wrangler.there {
		rows, err := r.db.All(ctx, "SELECT name, applied_at FROM "+sqltext.QuoteIdent(wrangler.name)+" ORDER BY id")
		if err != nil {
			return fmt.Errorf("read the ledger %s: %w", wrangler.name, err)
		}
		for _, row := range rows.Rows {
			wrangler.rows[text(row[0])] = text(row[1])
			wrangler.order = append(wrangler.order, text(row[0]))
		}
	}
	return nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// number reads created_at, which is NUMERIC and may have come as anything.
func number(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case float64:
		return int64(v)
	case string:
		f, _ := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return int64(f)
	}
	return 0
}

// applied returns the source's own record of a unit.
func (st *state) applied(u *unit) bool {
	_, ok := st.primary.find(u)
	return ok
}

// only lists the units that one ledger records and another could but does not.
func only(units []*unit, in, notIn ledger) []*unit {
	var lone []*unit
	for _, u := range units {
		if _, ok := in.find(u); ok && notIn.knows(u) {
			if _, ok := notIn.find(u); !ok {
				lone = append(lone, u)
			}
		}
	}
	return lone
}

// kept returns the ledgers that a run writes: the source's own, and the other one if the
// database has it and it has kept step so far.
func (st *state) kept(units []*unit) []ledger {
	kept := []ledger{st.primary}
	if !st.second.exists() || len(only(units, st.primary, st.second)) > 0 {
		return kept
	}
	if l, ok := st.second.(*drizzleLedger); ok && l.id == byTag && !l.named {
		return kept
	}
	if slices.ContainsFunc(units, func(u *unit) bool { return st.second.knows(u) }) {
		kept = append(kept, st.second)
	}
	return kept
}

// exec runs statements as one transaction.
func (r *Runner) exec(ctx context.Context, statements []string) error {
	req := d1.Request{Statements: make([]d1.Statement, len(statements))}
	for i, sql := range statements {
		req.Statements[i].SQL = sql
	}
	results, err := r.db.Do(ctx, req)
	if err != nil {
		return err
	}
	for results.NextResult() {
	}
	return results.Close()
}
