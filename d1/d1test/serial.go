package d1test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1sql"
)

// Serializable runs n random transactions through database/sql, from eight goroutines
// at once, on a new and empty database: transfers between accounts, increments that
// read first, decisions over what others may be writing, inserts if absent, and
// audits. Then it shows that the transactions which committed, run one after another,
// explain everything that each of them saw, and what the database holds now.
//
// A transaction that conflicts is run again, as [d1sql.InTx] does.
func Serializable(t *testing.T, db *sql.DB, n int) {
	t.Helper()
	if _, err := db.Exec(serialSchema); err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	h := history{made: make(map[int64]entry)}
	numbers := make(chan int64)
	var workers sync.WaitGroup
	for range serialWorkers {
		workers.Go(func() {
			for number := range numbers {
				h.run(t.Context(), db, number, rand.New(rand.NewPCG(seed, uint64(number))))
			}
		})
	}
	for i := range n {
		numbers <- int64(i + 1)
	}
	close(numbers)
	workers.Wait()
	for _, err := range h.failed {
		t.Errorf("a transaction failed: %v", err)
	}
	if err := h.check(t.Context(), db); err != nil {
		t.Errorf("no serial order explains the history (seed %d): %v", seed, err)
	}
	t.Logf("%d transactions committed, %d gave up after many conflicts, %d runs conflicted", len(h.made)+len(h.audits), h.gaveUp, h.conflicts)
	if got := len(h.made) + len(h.audits); got < n/2 {
		t.Errorf("%d of %d transactions committed", got, n)
	}
}

const (
	serialWorkers  = 8
	serialAccounts = 8
	serialCounters = 4
	serialDoctors  = 4
	serialNames    = 12
	serialBalance  = 100 // what an account begins with
)

// Every writing transaction writes its number to log, whose ids are the order that the
// transactions are to be explained by. Nothing guards the names against doubles but
// the transactions.
var serialSchema = fmt.Sprintf(`
	CREATE TABLE log (id INTEGER PRIMARY KEY, tx INTEGER NOT NULL);
	CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
	CREATE TABLE counters (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);
	CREATE TABLE doctors (id INTEGER PRIMARY KEY, on_call INTEGER NOT NULL);
	CREATE TABLE names (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
	WITH RECURSIVE i (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 100)
	INSERT INTO accounts SELECT n, %d FROM i WHERE n < %d;
	WITH RECURSIVE i (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 100)
	INSERT INTO counters SELECT n, 0 FROM i WHERE n < %d;
	WITH RECURSIVE i (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 100)
	INSERT INTO doctors SELECT n, 1 FROM i WHERE n < %d;`,
	serialBalance, serialAccounts, serialCounters, serialDoctors)

// history is what the transactions that committed have seen and done.
type history struct {
	mu        sync.Mutex
	made      map[int64]entry
	audits    []audit
	failed    []error
	gaveUp    int
	conflicts int
}

// entry runs a transaction again on the model. It is an error if the transaction saw
// anything else than what the model holds.
type entry func(w *world) error

// audit is a transaction that only read, when the log ended with the given id.
type audit struct {
	after int64
	saw   entry
}

// run runs one transaction until it commits.
func (h *history) run(ctx context.Context, db *sql.DB, number int64, rng *rand.Rand) {
	if rng.IntN(12) == 0 {
		h.audit(ctx, db, rng)
		return
	}
	works := []func(*work) entry{transfer, transfer, count, count, add, decide, decide, claim, claim}
	do := works[rng.IntN(len(works))]
	var done entry
	runs := 0
	err := d1sql.InTx(ctx, db, nil, func(tx *sql.Tx) error {
		runs++
		w := &work{ctx: ctx, tx: tx, rng: rng}
		first := rng.IntN(2) == 0
		if first {
			w.exec("INSERT INTO log (tx) VALUES (?)", number)
		}
		done = do(w)
		if !first {
			w.exec("INSERT INTO log (tx) VALUES (?)", number)
		}
		return w.err
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conflicts += max(runs-1, 0)
	switch {
	case err == nil:
		h.made[number] = done
	case d1.Conflict(err):
		h.gaveUp++
	default:
		h.failed = append(h.failed, err)
	}
}

// audit reads everything in one transaction, which may be read-only or not.
func (h *history) audit(ctx context.Context, db *sql.DB, rng *rand.Rand) {
	opts := &sql.TxOptions{ReadOnly: rng.IntN(2) == 0}
	var a audit
	runs := 0
	err := d1sql.InTx(ctx, db, opts, func(tx *sql.Tx) error {
		runs++
		w := &work{ctx: ctx, tx: tx, rng: rng}
		total := w.number("SELECT sum(balance) FROM accounts")
		a.after = w.number("SELECT coalesce(max(id), 0) FROM log")
		counted := w.numbers("SELECT n FROM counters ORDER BY id")
		onCall := w.number("SELECT count(*) FROM doctors WHERE on_call")
		a.saw = func(m *world) error {
			return same("an audit", [3]any{total, counted, onCall}, [3]any{m.total(), m.counters[:], m.onCall()})
		}
		return w.err
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conflicts += max(runs-1, 0)
	switch {
	case err == nil:
		h.audits = append(h.audits, a)
	case d1.Conflict(err):
		h.gaveUp++
	default:
		h.failed = append(h.failed, err)
	}
}

// work is one run of a transaction. After an error it does nothing more.
type work struct {
	ctx context.Context
	tx  *sql.Tx
	rng *rand.Rand
	err error
}

func (w *work) exec(query string, args ...any) sql.Result {
	if w.err != nil {
		return nil
	}
	result, err := w.tx.ExecContext(w.ctx, query, args...)
	w.err = err
	return result
}

// affects is exec that sometimes asks at once how many rows there are, which must be
// one.
func (w *work) affects(query string, args ...any) {
	result := w.exec(query, args...)
	if w.err != nil || w.rng.IntN(4) > 0 {
		return
	}
	n, err := result.RowsAffected()
	if w.err = err; err == nil && n != 1 {
		w.err = fmt.Errorf("%s: %d rows", query, n)
	}
}

// numbers reads rows of one number.
func (w *work) numbers(query string, args ...any) (all []int64) {
	if w.err != nil {
		return nil
	}
	rows, err := w.tx.QueryContext(w.ctx, query, args...)
	if err != nil {
		w.err = err
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if w.err = rows.Scan(&n); w.err != nil {
			return nil
		}
		all = append(all, n)
	}
	w.err = rows.Err()
	return all
}

// number reads the one number there is.
func (w *work) number(query string, args ...any) int64 {
	all := w.numbers(query, args...)
	if w.err == nil && len(all) != 1 {
		w.err = fmt.Errorf("%s: %d rows", query, len(all))
	}
	if w.err != nil {
		return 0
	}
	return all[0]
}

// transfer moves money from one account to another, if there is enough, and sometimes
// looks at the sum of all afterwards.
func transfer(w *work) entry {
	from := w.rng.IntN(serialAccounts)
	to := (from + 1 + w.rng.IntN(serialAccounts-1)) % serialAccounts
	amount := 1 + w.rng.Int64N(serialBalance/2)
	hasFrom := w.number("SELECT balance FROM accounts WHERE id = ?", from)
	hasTo := w.number("SELECT balance FROM accounts WHERE id = ?", to)
	if hasFrom < amount {
		amount = 0
	}
	w.affects("UPDATE accounts SET balance = ? WHERE id = ?", hasFrom-amount, from)
	w.affects("UPDATE accounts SET balance = ? WHERE id = ?", hasTo+amount, to)
	total := int64(-1)
	if w.rng.IntN(4) == 0 {
		total = w.number("SELECT sum(balance) FROM accounts")
	}
	return func(m *world) error {
		if err := same("balances", [2]int64{hasFrom, hasTo}, [2]int64{m.accounts[from], m.accounts[to]}); err != nil {
			return err
		}
		m.accounts[from] -= amount
		m.accounts[to] += amount
		if total < 0 {
			return nil
		}
		return same("the sum after a transfer", total, m.total())
	}
}

// count reads a counter and writes the next number.
func count(w *work) entry {
	id := w.rng.IntN(serialCounters)
	n := w.number("SELECT n FROM counters WHERE id = ?", id)
	w.affects("UPDATE counters SET n = ? WHERE id = ?", n+1, id)
	return func(m *world) error {
		was := m.counters[id]
		m.counters[id]++
		return same("a counter", n, was)
	}
}

// add increments a counter without reading it, or reads what has come of it.
func add(w *work) entry {
	id := w.rng.IntN(serialCounters)
	if w.rng.IntN(2) == 0 {
		w.affects("UPDATE counters SET n = n + 1 WHERE id = ?", id)
		return func(m *world) error {
			m.counters[id]++
			return nil
		}
	}
	n := w.number("UPDATE counters SET n = n + 1 WHERE id = ? RETURNING n", id)
	return func(m *world) error {
		m.counters[id]++
		return same("what an increment returned", n, m.counters[id])
	}
}

// decide takes a doctor off call if another one is left, and calls one otherwise: two
// who decide at the same time do not write the same row.
func decide(w *work) entry {
	id := w.rng.IntN(serialDoctors)
	n := w.number("SELECT count(*) FROM doctors WHERE on_call")
	w.affects("UPDATE doctors SET on_call = ? WHERE id = ?", n < 2, id)
	return func(m *world) error {
		was := m.onCall()
		m.doctors[id] = n < 2
		if m.onCall() == 0 {
			return fmt.Errorf("no doctor is on call")
		}
		return same("doctors on call", n, was)
	}
}

// claim inserts a name if it is absent and otherwise, sometimes, deletes it. It may
// first insert something that a savepoint takes back.
func claim(w *work) entry {
	name := fmt.Sprint("name ", w.rng.IntN(serialNames))
	if w.rng.IntN(4) == 0 {
		w.exec("SAVEPOINT here")
		w.exec("INSERT INTO names (name) VALUES (?)", name)
		w.exec("ROLLBACK TO here")
	}
	found := w.numbers("SELECT id FROM names WHERE name = ?", name)
	made, gone := int64(0), false
	switch {
	case w.err != nil:
	case len(found) == 0 && w.rng.IntN(2) == 0:
		made = w.number("INSERT INTO names (name) VALUES (?) RETURNING id", name)
	case len(found) == 0:
		if result := w.exec("INSERT INTO names (name) VALUES (?)", name); w.err == nil {
			made, w.err = result.LastInsertId()
		}
	case w.rng.IntN(2) == 0:
		gone = true
		w.affects("DELETE FROM names WHERE name = ?", name)
	}
	return func(m *world) error {
		was := m.find(name)
		if made != 0 {
			m.lastName++
			m.names[name] = m.lastName
			if err := same("the id of a new name", made, m.lastName); err != nil {
				return err
			}
		}
		if gone {
			delete(m.names, name)
		}
		return same("ids of "+name, found, was)
	}
}
