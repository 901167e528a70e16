package d1test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skylite-go/skylite/d1"
)

// counter is a Backend that counts its requests.
type counter struct {
	d1.Backend
	n atomic.Int64
}

func (c *counter) Do(ctx context.Context, req d1.Request) (*d1.Results, error) {
	c.n.Add(1)
	return c.Backend.Do(ctx, req)
}

// counted opens a database whose requests are counted from now on.
func (s suite) counted(t *testing.T, scripts ...string) (*d1.DB, *counter) {
	t.Helper()
	c := &counter{Backend: s.open(t)}
	db := d1.New(c)
	for _, script := range scripts {
		if _, err := db.Exec(t.Context(), script); err != nil {
			t.Fatalf("%s: %v", script, err)
		}
	}
	c.n.Store(0)
	return db, c
}

// transaction is one under test: each step must succeed.
type transaction struct {
	*d1.Tx
	t *testing.T
}

func begin(t *testing.T, db *d1.DB, opts *d1.TxOptions) transaction {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return transaction{tx, t}
}

func (tx transaction) exec(sql string, args ...any) *d1.Pending {
	tx.t.Helper()
	p, err := tx.Exec(tx.t.Context(), sql, args...)
	if err != nil {
		tx.t.Fatalf("%s: %v", sql, err)
	}
	return p
}

// rows returns a statement's rows, for comparison, as text.
func (tx transaction) rows(sql string, args ...any) string {
	tx.t.Helper()
	r, err := tx.All(tx.t.Context(), sql, args...)
	if err != nil {
		tx.t.Fatalf("%s: %v", sql, err)
	}
	return fmt.Sprint(r.Rows)
}

func (tx transaction) want(want, sql string, args ...any) {
	tx.t.Helper()
	if got := tx.rows(sql, args...); got != want {
		tx.t.Errorf("%s: got %s, want %s", sql, got, want)
	}
}

func (tx transaction) commit() {
	tx.t.Helper()
	if err := tx.Commit(tx.t.Context()); err != nil {
		tx.t.Fatalf("commit: %v", err)
	}
}

// conflicts commits, and wants that to fail since something has changed.
func (tx transaction) conflicts() {
	tx.t.Helper()
	if err := tx.Commit(tx.t.Context()); !d1.Conflict(err) || d1.Ambiguous(err) {
		tx.t.Errorf("commit: error %v, want a conflict", err)
	}
}

func mustRun(t *testing.T, db *d1.DB, sql string, args ...any) {
	t.Helper()
	if _, err := db.Run(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func wantRows(t *testing.T, db *d1.DB, want, sql string, args ...any) {
	t.Helper()
	r, err := db.All(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	if got := fmt.Sprint(r.Rows); got != want {
		t.Errorf("%s: got %s, want %s", sql, got, want)
	}
}

const accounts = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, owner TEXT UNIQUE, balance INTEGER NOT NULL CHECK (balance >= 0));" +
	"INSERT INTO accounts VALUES (1, 'ada', 100), (2, 'bob', 50)"

func testTransactions(t *testing.T, s suite) {
	t.Run("commit and rollback", func(t *testing.T) {
		db := s.db(t, accounts)
		tx := begin(t, db, nil)
		tx.exec("UPDATE accounts SET balance = balance - ? WHERE id = ?", 10, 1)
		tx.exec("UPDATE accounts SET balance = balance + ? WHERE id = ?", 10, 2)
		tx.want("[[90] [60]]", "SELECT balance FROM accounts ORDER BY id")
		wantRows(t, db, "[[100] [50]]", "SELECT balance FROM accounts ORDER BY id")
		tx.commit()
		wantRows(t, db, "[[90] [60]]", "SELECT balance FROM accounts ORDER BY id")
		if err := tx.Commit(t.Context()); !errors.Is(err, d1.ErrTxDone) {
			t.Errorf("a second commit: %v", err)
		}
		tx = begin(t, db, nil)
		tx.exec("DELETE FROM accounts")
		tx.want("[[0]]", "SELECT count(*) FROM accounts")
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "SELECT 1"); !errors.Is(err, d1.ErrTxDone) {
			t.Errorf("after the rollback: %v", err)
		}
		wantRows(t, db, "[[2]]", "SELECT count(*) FROM accounts")
	})
	t.Run("conflicts", func(t *testing.T) { testConflicts(t, s) })
	t.Run("requests", func(t *testing.T) { testTxRequests(t, s) })
	t.Run("results", func(t *testing.T) { testTxResults(t, s) })
	t.Run("returning", func(t *testing.T) { testTxReturning(t, s) })
	t.Run("values", func(t *testing.T) { testTxValues(t, s) })
	t.Run("savepoints", func(t *testing.T) { testSavepoints(t, s) })
	t.Run("read-only", func(t *testing.T) { testReadOnly(t, s) })
	t.Run("errors", func(t *testing.T) { testTxErrors(t, s) })
	t.Run("schema", func(t *testing.T) { testTxSchema(t, s) })
	t.Run("retries", func(t *testing.T) { testInTx(t, s) })
	t.Run("turns", func(t *testing.T) { testTurns(t, s) })
}

func testConflicts(t *testing.T, s suite) {
	for _, tt := range []struct {
		name           string
		in             func(tx transaction)
		meanwhile      string
		conflict       bool
		schema, became string
	}{
		{name: "a row read has changed", conflict: true, meanwhile: "UPDATE accounts SET balance = 7 WHERE id = 1",
			in: func(tx transaction) { tx.rows("SELECT balance FROM accounts WHERE id = 1") }},
		{name: "another row has changed", meanwhile: "UPDATE accounts SET balance = 7 WHERE id = 2",
			in: func(tx transaction) { tx.rows("SELECT balance FROM accounts WHERE id = 1") }},
		{name: "a phantom", conflict: true, meanwhile: "INSERT INTO accounts VALUES (9, 'eve', 1)",
			in: func(tx transaction) { tx.rows("SELECT * FROM accounts WHERE balance < ?", 10) }},
		{name: "order", conflict: true, meanwhile: "UPDATE accounts SET balance = 200 WHERE id = 2",
			in: func(tx transaction) { tx.rows("SELECT id FROM accounts ORDER BY balance") }},
		{name: "the type of a value", conflict: true, meanwhile: "UPDATE accounts SET owner = x'616461' WHERE id = 1",
			in: func(tx transaction) { tx.rows("SELECT owner FROM accounts WHERE id = 1") }},
		{name: "back again", meanwhile: "UPDATE accounts SET balance = 7; UPDATE accounts SET balance = 150 - 50 * id",
			in: func(tx transaction) { tx.rows("SELECT balance FROM accounts WHERE id = 1") }},
		{name: "a read of nothing", meanwhile: "DELETE FROM accounts",
			in: func(tx transaction) { tx.rows("SELECT random(), CURRENT_TIMESTAMP, ?", 1) }},
		{name: "a read behind a write", conflict: true, meanwhile: "UPDATE accounts SET balance = 7 WHERE id = 2",
			in: func(tx transaction) {
				tx.exec("UPDATE accounts SET balance = balance + 1")
				tx.want("[[51]]", "SELECT balance FROM accounts WHERE id = 2")
			}},
		{name: "chance, once seen", conflict: true,
			in: func(tx transaction) {
				tx.exec("UPDATE accounts SET balance = abs(random()) WHERE id = 1")
				tx.rows("SELECT balance FROM accounts WHERE id = 1")
			}},
		{name: "chance, never seen",
			in: func(tx transaction) { tx.exec("UPDATE accounts SET balance = abs(random()) WHERE id = 1") }},
		{name: "a rowid that was told", conflict: true, meanwhile: "INSERT INTO accounts VALUES (3, 'eve', 1)",
			in: func(tx transaction) {
				if id, err := tx.exec("INSERT INTO accounts (owner, balance) VALUES ('kim', 0)").LastInsertID(tx.t.Context()); id != 3 || err != nil {
					tx.t.Errorf("id %d, %v", id, err)
				}
			}},
		{name: "a rowid that was returned", conflict: true, meanwhile: "INSERT INTO accounts VALUES (3, 'eve', 1)",
			in: func(tx transaction) {
				tx.want("[[3]]", "INSERT INTO accounts (owner, balance) VALUES ('kim', 0) RETURNING id")
			}},
		{name: "defaults that are never twice the same",
			in: func(tx transaction) {
				tx.exec("CREATE TABLE d (id INTEGER PRIMARY KEY, a, key TEXT DEFAULT (lower(hex(randomblob(8)))), \"at it\" DEFAULT (random() / 3.0), g AS (a + 1))")
				for _, sql := range []string{
					"INSERT INTO d (a) VALUES (?) RETURNING *",
					"INSERT INTO d (\"a\") VALUES (?), (2) RETURNING key, [At It], id, g",
					"INSERT INTO d (a) VALUES (?) ON CONFLICT DO NOTHING RETURNING \"key\" AS k, \"key\"",
				} {
					tx.rows(sql, 1)
				}
			}},
		{name: "a rowid that nobody asked for", meanwhile: "INSERT INTO accounts VALUES (3, 'eve', 1)",
			in: func(tx transaction) { tx.exec("INSERT INTO accounts (owner, balance) VALUES ('kim', 0)") }},
		{name: "a count that was told", conflict: true, meanwhile: "DELETE FROM accounts WHERE id = 2",
			in: func(tx transaction) {
				if n, err := tx.exec("UPDATE accounts SET balance = 1").RowsAffected(tx.t.Context()); n != 2 || err != nil {
					tx.t.Errorf("%d rows, %v", n, err)
				}
			}},
		{name: "one of the rows returned", conflict: true, meanwhile: "UPDATE accounts SET balance = 7 WHERE id = 2",
			in: func(tx transaction) {
				tx.want("[[101] [51]]", "UPDATE accounts SET balance = balance + 1 RETURNING balance")
			}},
		{name: "another row instead of one returned", conflict: true,
			meanwhile: "UPDATE accounts SET id = 3 WHERE id = 2; UPDATE accounts SET balance = 50",
			in: func(tx transaction) {
				tx.want("[[1]]", "UPDATE accounts SET balance = 1 WHERE balance = 50 RETURNING balance")
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := s.db(t, accounts)
			tx := begin(t, db, nil)
			tt.in(tx)
			tx.exec("INSERT INTO accounts VALUES (50, 'last', 0)")
			if tt.meanwhile != "" {
				if _, err := db.Exec(t.Context(), tt.meanwhile); err != nil {
					t.Fatal(err)
				}
			}
			want := "[[1]]"
			if tt.conflict {
				tx.conflicts()
				want = "[[0]]"
			} else {
				tx.commit()
			}
			wantRows(t, db, want, "SELECT count(*) FROM accounts WHERE id = 50")
		})
	}
}

func testTxRequests(t *testing.T, s suite) {
	for _, tt := range []struct {
		name string
		want int64
		in   func(tx transaction)
	}{
		{"nothing", 0, func(tx transaction) { tx.commit() }},
		{"writes only", 1, func(tx transaction) {
			tx.exec("UPDATE accounts SET balance = 1")
			p := tx.exec("INSERT INTO accounts (owner, balance) VALUES ('kim', 0)")
			tx.commit()
			id, err := p.LastInsertID(tx.t.Context())
			n, err2 := p.RowsAffected(tx.t.Context())
			if id != 3 || n != 1 || err != nil || err2 != nil {
				tx.t.Errorf("id %d, %d rows, %v, %v", id, n, err, err2)
			}
		}},
		{"one read", 1, func(tx transaction) {
			tx.rows("SELECT id FROM accounts")
			tx.commit()
		}},
		{"two reads", 3, func(tx transaction) {
			tx.rows("SELECT id FROM accounts")
			tx.rows("SELECT balance FROM accounts")
			tx.commit()
		}},
		{"a read, then writes", 2, func(tx transaction) {
			tx.rows("SELECT id, balance FROM accounts")
			tx.exec("UPDATE accounts SET balance = 1")
			tx.exec("UPDATE accounts SET balance = 2")
			tx.commit()
		}},
		{"a read behind a write", 2, func(tx transaction) {
			tx.exec("UPDATE accounts SET balance = 1")
			tx.rows("SELECT id, balance FROM accounts")
			tx.commit()
		}},
		{"a count and a rowid", 2, func(tx transaction) {
			p := tx.exec("INSERT INTO accounts (owner, balance) VALUES ('kim', 0)")
			_, _ = p.RowsAffected(tx.t.Context())
			_, _ = p.LastInsertID(tx.t.Context())
			tx.commit()
		}},
		{"RETURNING", 2, func(tx transaction) {
			tx.rows("INSERT INTO accounts (owner, balance) VALUES ('kim', 0) RETURNING id")
			tx.commit()
		}},
		{"rollback", 0, func(tx transaction) {
			tx.exec("UPDATE accounts SET balance = 1")
			_ = tx.Rollback()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db, requests := s.counted(t, accounts)
			tt.in(begin(t, db, nil))
			if n := requests.n.Load(); n != tt.want {
				t.Errorf("%d requests, want %d", n, tt.want)
			}
		})
	}
}

func testTxResults(t *testing.T, s suite) {
	db := s.db(t, accounts, `CREATE TABLE log (id INTEGER PRIMARY KEY, text);
		CREATE TRIGGER noted AFTER UPDATE ON accounts BEGIN INSERT INTO log (text) VALUES (new.owner); END`)
	tx := begin(t, db, nil)
	update := tx.exec("UPDATE accounts SET balance = balance + 1")
	for range 2 {
		if n, err := update.RowsAffected(t.Context()); n != 2 || err != nil { // without the trigger's
			t.Errorf("%d rows, %v", n, err)
		}
	}
	insert := tx.exec("INSERT INTO log (text) VALUES (?)", "x")
	r, err := tx.Batch(t.Context(), tx.Prepare("SELECT count(*) AS n, max(id) AS n FROM log"), tx.Prepare("SELECT 1 WHERE 0"))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(r[0].Columns); got != "[n n]" {
		t.Errorf("columns %s", got)
	}
	if got := fmt.Sprint(r[0].Rows, r[1].Rows); got != "[[3 3]] []" {
		t.Errorf("rows %s", got)
	}
	meta, err := tx.Run(t.Context(), "DELETE FROM log WHERE id = ?", 1)
	if err != nil || meta.Changes != 1 {
		t.Errorf("meta %+v, %v", meta, err)
	}
	schema := tx.exec("CREATE TABLE x (a)")
	tx.commit()
	id, err := insert.LastInsertID(t.Context())
	if id != 3 || err != nil {
		t.Errorf("id %d, %v", id, err)
	}
	if n, err := schema.RowsAffected(t.Context()); n != 0 || err != nil {
		t.Errorf("CREATE TABLE: %d rows, %v", n, err)
	}
	tx = begin(t, db, nil)
	gone := tx.exec("DELETE FROM log")
	_ = tx.Rollback()
	if _, err := gone.RowsAffected(t.Context()); !errors.Is(err, d1.ErrTxDone) {
		t.Errorf("after a rollback: %v", err)
	}
}

func testInTx(t *testing.T, s suite) {
	db := s.db(t, "CREATE TABLE c (n INTEGER)", "INSERT INTO c VALUES (0)")
	const workers, each = 4, 5
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				err := d1.InTx(t.Context(), db, &d1.TxOptions{Attempts: 500}, func(tx *d1.Tx) error {
					n, err := d1.First[int](t.Context(), tx, "SELECT n FROM c")
					if err != nil {
						return err
					}
					_, err = tx.Exec(t.Context(), "UPDATE c SET n = ?", n+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wantRows(t, db, fmt.Sprintf("[[%d]]", workers*each), "SELECT n FROM c")
	calls := 0
	err := d1.InTx(t.Context(), db, &d1.TxOptions{Attempts: 3}, func(tx *d1.Tx) error {
		calls++
		_, _ = d1.First[int](t.Context(), tx, "SELECT random() FROM c")
		_, err := tx.Exec(t.Context(), "UPDATE c SET n = 0")
		return err
	})
	if calls != 3 || !d1.Conflict(err) || !strings.Contains(err.Error(), "tried 3 times") {
		t.Errorf("%d calls, error %v", calls, err)
	}
	want := errors.New("no")
	if err := d1.InTx(t.Context(), db, nil, func(tx *d1.Tx) error {
		_, _ = tx.Exec(t.Context(), "UPDATE c SET n = -1")
		return want
	}); err != want {
		t.Errorf("error %v, want the function's", err)
	}
	wantRows(t, db, fmt.Sprintf("[[%d]]", workers*each), "SELECT n FROM c")
}

// testTurns has several transactions insert at once, none of which is run again.
func testTurns(t *testing.T, s suite) {
	db := s.db(t, "CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE)")
	const workers, each = 6, 5
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				tx := begin(t, db, nil)
				id, err := d1.First[int64](t.Context(), tx, "INSERT INTO t (a) VALUES (?) RETURNING id", w*each+i)
				if err == nil && i%2 == 0 {
					var p *d1.Pending
					if p, err = tx.Exec(t.Context(), "UPDATE t SET a = a + 1000 WHERE id = ?", id); err == nil {
						_, err = p.RowsAffected(t.Context())
					}
				}
				if err == nil {
					err = tx.Commit(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wantRows(t, db, fmt.Sprintf("[[%[1]d %[1]d]]", workers*each), "SELECT count(*), max(id) FROM t")
	t.Run("one within another", func(t *testing.T) {
		outer, inner := begin(t, db, nil), begin(t, db, nil)
		outer.rows("INSERT INTO t (a) VALUES ('outer') RETURNING id")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := inner.All(ctx, "INSERT INTO t (a) VALUES ('inner') RETURNING id"); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want the context's", err)
		}
		_ = inner.Rollback()
		outer.commit()
	})
}
