package d1test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// world is the model: what the database holds, if the transactions run one by one.
type world struct {
	accounts [serialAccounts]int64
	counters [serialCounters]int64
	doctors  [serialDoctors]bool
	names    map[string]int64
	lastName int64 // the last id given to a name
}

func newWorld() *world {
	w := &world{names: make(map[string]int64)}
	for i := range w.accounts {
		w.accounts[i] = serialBalance
	}
	for i := range w.doctors {
		w.doctors[i] = true
	}
	return w
}

func (w *world) total() (sum int64) {
	for _, balance := range w.accounts {
		sum += balance
	}
	return sum
}

func (w *world) onCall() (n int64) {
	for _, on := range w.doctors {
		if on {
			n++
		}
	}
	return n
}

// find returns the ids of a name: none or one.
func (w *world) find(name string) []int64 {
	if id, ok := w.names[name]; ok {
		return []int64{id}
	}
	return nil
}

// same compares what a transaction saw with what the model holds.
func same(what string, saw, holds any) error {
	if diff := cmp.Diff(holds, saw); diff != "" {
		return fmt.Errorf("%s (- is in the serial order, + was seen):\n%s", what, diff)
	}
	return nil
}

// check runs the committed transactions again on the model, in the order of the log,
// and compares the model with the database.
func (h *history) check(ctx context.Context, db *sql.DB) error {
	order, err := column(ctx, db, "SELECT tx FROM log ORDER BY id")
	if err != nil {
		return err
	}
	model, err := h.replay(order)
	if err != nil {
		return err
	}
	if total := model.total(); total != serialAccounts*serialBalance {
		return fmt.Errorf("the balances add up to %d", total)
	}
	for _, table := range []struct {
		query string
		want  []int64
	}{
		{"SELECT balance FROM accounts ORDER BY id", model.accounts[:]},
		{"SELECT n FROM counters ORDER BY id", model.counters[:]},
		{"SELECT count(*) FROM doctors WHERE on_call", []int64{model.onCall()}},
		{"SELECT id FROM names ORDER BY name", model.nameIDs()},
	} {
		got, err := column(ctx, db, table.query)
		if err != nil {
			return err
		}
		if err := same("the database, "+table.query, got, table.want); err != nil {
			return err
		}
	}
	return nil
}

// replay runs transactions, given by their numbers, on a new model.
func (h *history) replay(order []int64) (*world, error) {
	if len(order) != len(h.made) {
		return nil, fmt.Errorf("%d transactions committed, and %d have written", len(h.made), len(order))
	}
	audits := make(map[int64][]audit)
	for _, a := range h.audits {
		if a.after > int64(len(order)) {
			return nil, fmt.Errorf("one of the audits saw %d transactions of %d", a.after, len(order))
		}
		audits[a.after] = append(audits[a.after], a)
	}
	model := newWorld()
	for i := 0; ; i++ {
		for _, a := range audits[int64(i)] {
			if err := a.saw(model); err != nil {
				return nil, fmt.Errorf("after %d transactions: %w", i, err)
			}
		}
		if i == len(order) {
			return model, nil
		}
		again, ok := h.made[order[i]]
		if !ok {
			return nil, fmt.Errorf("transaction %d has written, and was not reported as committed", order[i])
		}
		if err := again(model); err != nil {
			return nil, fmt.Errorf("transaction %d, number %d in the log: %w", order[i], i+1, err)
		}
	}
}

// nameIDs returns the ids of the names, in the order of the names.
func (w *world) nameIDs() (ids []int64) {
	names := make([]string, 0, len(w.names))
	for name := range w.names {
		names = append(names, name)
	}
	slices.SortFunc(names, strings.Compare)
	for _, name := range names {
		ids = append(ids, w.names[name])
	}
	return ids
}

// column reads the one column of a query.
func column(ctx context.Context, db *sql.DB, query string) (all []int64, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, rows.Err()
}
