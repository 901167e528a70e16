package d1sql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1sql"
	"github.com/skylite-go/skylite/d1/embedded"
)

func begin(t *testing.T, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

func count(t *testing.T, on interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}, query string, args ...any) (n int) {
	t.Helper()
	if err := on.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Errorf("%s: %v", query, err)
	}
	return n
}

func TestTx(t *testing.T) {
	t.Parallel()
	db := open(t)
	tx := begin(t, db)
	insert, err := tx.Exec("INSERT INTO users (name, seen) VALUES (?, ?)", "Kim", time.Unix(7, 0))
	if err != nil {
		t.Fatal(err)
	}
	var seen time.Time
	if err := tx.QueryRow("SELECT seen FROM users WHERE name = @name", sql.Named("name", "Kim")).Scan(&seen); err != nil || !seen.Equal(time.Unix(7, 0)) {
		t.Errorf("seen %v, %v", seen, err)
	}
	if id, err := insert.LastInsertId(); id != 3 || err != nil {
		t.Errorf("id %d, %v", id, err)
	}
	var id int
	if err := tx.QueryRow("INSERT INTO users (name) VALUES ('Lea') RETURNING id").Scan(&id); err != nil || id != 4 {
		t.Errorf("id %d, %v", id, err)
	}
	late, err := tx.Exec("UPDATE users SET age = 1; UPDATE users SET age = 2 WHERE id > ?", 2)
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "SELECT count(*) FROM users"); n != 2 {
		t.Errorf("%d users before the commit", n)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if n, err := late.RowsAffected(); n != 6 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	if n := count(t, db, "SELECT sum(age) FROM users"); n != 6 {
		t.Errorf("ages %d", n)
	}
	if _, err := tx.Exec("DELETE FROM users"); !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("after the commit: %v", err)
	}
}

func TestTxStatements(t *testing.T) {
	t.Parallel()
	db := open(t)
	prepared, err := db.Prepare("INSERT INTO users (name) VALUES (?) RETURNING id")
	if err != nil {
		t.Fatal(err)
	}
	defer prepared.Close()
	tx := begin(t, db)
	var id int
	if err := tx.Stmt(prepared).QueryRow("Kim").Scan(&id); err != nil || id != 3 {
		t.Errorf("id %d, %v", id, err)
	}
	a, err := tx.Query("SELECT name FROM users; SELECT 7")
	if err != nil {
		t.Fatal(err)
	}
	b, err := tx.Query("SELECT id FROM users ORDER BY id DESC")
	if err != nil {
		t.Fatal(err)
	}
	var name string
	for i := 0; a.Next(); i++ { // two results open at once
		if !b.Next() || a.Scan(&name) != nil || b.Scan(&id) != nil || id != 3-i {
			t.Errorf("row %d: %s, %d", i, name, id)
		}
	}
	if !a.NextResultSet() || !a.Next() || a.Scan(&id) != nil || id != 7 {
		t.Errorf("the second result: %d, %v", id, a.Err())
	}
	if err := errors.Join(a.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	rows, err := tx.Query("UPDATE users SET age = 3")
	if err != nil || rows.Next() || rows.Err() != nil {
		t.Errorf("an UPDATE by Query: %v", err)
	}
	rows.Close()
	if n := count(t, tx, "SELECT count(*) FROM users WHERE age = 3"); n != 3 {
		t.Errorf("%d rows", n)
	}
}

func TestTxSavepoints(t *testing.T) {
	t.Parallel()
	db := open(t)
	tx := begin(t, db)
	for _, step := range []struct {
		sql  string
		want int // ages, in all
	}{
		{"UPDATE users SET age = 1", 2},
		{"SAVEPOINT a", 2},
		{"UPDATE users SET age = 2", 4},
		{"savepoint \"b c\" -- so", 4},
		{"UPDATE users SET age = 3", 6},
		{"ROLLBACK TRANSACTION TO SAVEPOINT [b c]", 4},
		{"RELEASE SAVEPOINT `b c`", 4},
		{"ROLLBACK TO a", 2},
		{"UPDATE users SET age = 4 WHERE id = 1", 5},
		{"RELEASE A;", 5},
	} {
		result, err := tx.Exec(step.sql)
		if err != nil {
			t.Fatalf("%s: %v", step.sql, err)
		}
		if !strings.Contains(step.sql, "UPDATE") {
			if n, err := result.RowsAffected(); n != 0 || err != nil {
				t.Errorf("%s: %d rows, %v", step.sql, n, err)
			}
		}
		if n := count(t, tx, "SELECT sum(age) FROM users"); n != step.want {
			t.Errorf("%s: ages %d, want %d", step.sql, n, step.want)
		}
	}
	for _, text := range []string{"ROLLBACK TO a", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a b", "RELEASE"} {
		if _, err := tx.Exec(text); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("SAVEPOINT a"); err == nil {
		t.Error("a savepoint outside of a transaction: no error")
	}
}

func TestTxOptions(t *testing.T) {
	t.Parallel()
	db := open(t)
	for _, level := range []sql.IsolationLevel{sql.LevelReadUncommitted, sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSnapshot, sql.LevelLinearizable} {
		if _, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: level}); err == nil || !strings.Contains(err.Error(), level.String()) {
			t.Errorf("%s: error %v", level, err)
		}
	}
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("DELETE FROM users"); !d1.Unsent(err) {
		t.Errorf("a write: %v", err)
	}
	if n := count(t, tx, "SELECT count(*) FROM users"); n != 2 {
		t.Errorf("%d rows", n)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	tx, err = conn.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.BeginTx(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a second one: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
}

func TestTxTypes(t *testing.T) {
	t.Parallel()
	db := open(t)
	tx := begin(t, db)
	if _, err := tx.Exec("CREATE TABLE notes (id INTEGER PRIMARY KEY, at DATETIME DEFAULT CURRENT_TIMESTAMP, done BOOLEAN DEFAULT 0)"); err != nil {
		t.Fatal(err)
	}
	var at, again time.Time
	if err := tx.QueryRow("INSERT INTO notes (done) VALUES (?) RETURNING at", true).Scan(&at); err != nil || time.Since(at).Abs() > time.Hour {
		t.Errorf("at %v, %v", at, err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	var done bool
	if err := db.QueryRow("SELECT at, done FROM notes").Scan(&again, &done); err != nil || !again.Equal(at) || !done {
		t.Errorf("at %v, then %v, %v, %v", at, again, done, err)
	}
}

func TestTxErrors(t *testing.T) {
	t.Parallel()
	db := open(t)
	tx := begin(t, db)
	for _, err := range []error{
		second(tx.Exec("UPDATE users SET age = ?")),
		second(tx.Exec("UPDATE users SET age = ?", make(chan int))),
		second(tx.Exec("UPDATE users SET name = ?", "\xff")),
		second(tx.Query("")),
	} {
		if err == nil {
			t.Error("no error")
		}
	}
	if _, err := tx.Exec("INSERT INTO users (name) VALUES ('Ada')"); err != nil { // nobody looks yet
		t.Fatal(err)
	}
	err := tx.Commit()
	if e, ok := errors.AsType[*d1.Error](err); !ok || e.ExtendedCode != 2067 || d1.Ambiguous(err) {
		t.Errorf("commit: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	tx, err = db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("DELETE FROM users"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := tx.Commit(); !errors.Is(err, context.Canceled) && !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("commit after the context's end: %v", err)
	}
	if n := count(t, db, "SELECT count(*) FROM users"); n != 2 {
		t.Errorf("%d rows", n)
	}
}

func second[T any](_ T, err error) error { return err }

// lost is a Backend whose answers to writes are lost.
type lost struct {
	d1.Backend
	on atomic.Bool
}

func (b *lost) Do(ctx context.Context, req d1.Request) (*d1.Results, error) {
	results, err := b.Backend.Do(ctx, req)
	if !b.on.Load() || err != nil {
		return results, err
	}
	_ = results.Close()
	e := d1.NewError("Network connection lost.")
	e.Outcome, e.Err = d1.OutcomeUnknown, ctx.Err()
	return nil, e
}

func TestTxAmbiguous(t *testing.T) {
	t.Parallel()
	backend, err := embedded.Open(embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	l := &lost{Backend: backend}
	db := d1sql.OpenDB(d1.New(l))
	defer db.Close()
	if _, err := db.Exec(schema); err != nil {
		t.Fatal(err)
	}
	tx := begin(t, db)
	if _, err := tx.Exec("DELETE FROM users"); err != nil {
		t.Fatal(err)
	}
	l.on.Store(true)
	if err := tx.Commit(); !d1.Ambiguous(err) || d1.Conflict(err) || d1.Retryable(err) {
		t.Errorf("commit whose answer is lost: %v", err)
	}
	calls := 0
	err = d1sql.InTx(t.Context(), db, nil, func(tx *sql.Tx) error {
		calls++
		_, err := tx.Exec("DELETE FROM users")
		return err
	})
	if !d1.Ambiguous(err) || calls != 1 {
		t.Errorf("%d calls, error %v: a write whose outcome is unknown must not be done again", calls, err)
	}
}

func TestInTx(t *testing.T) {
	t.Parallel()
	db := open(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				err := d1sql.InTx(t.Context(), db, nil, func(tx *sql.Tx) error {
					var age int
					if err := tx.QueryRow("SELECT age FROM users WHERE id = 1").Scan(&age); err != nil {
						return err
					}
					_, err := tx.Exec("UPDATE users SET age = ? WHERE id = 1", age+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := count(t, db, "SELECT age FROM users WHERE id = 1"); n != 56 {
		t.Errorf("age %d, want 56", n)
	}
}

// TestTxCommitCancelled ends the context while a commit is under way over HTTP: whether it
// happened, nobody can say.
func TestTxCommitCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	arrived := make(chan bool)
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
	}))
	t.Cleanup(api.Close)
	db, err := sql.Open("d1", "d1://account/00000000-0000-4000-8000-000000000000?token=x&base_url="+api.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// Of database/sql's transaction the end of the context is the end.
	err = conn.Raw(func(c any) error {
		tx, err := c.(*d1sql.Conn).BeginTx(ctx, driver.TxOptions{})
		if err != nil {
			return err
		}
		if _, err := c.(*d1sql.Conn).ExecContext(ctx, "DELETE FROM users", nil); err != nil {
			return err
		}
		go func() {
			<-arrived
			cancel()
		}()
		return tx.Commit()
	})
	if !d1.Ambiguous(err) || !errors.Is(err, context.Canceled) || d1.Conflict(err) || d1.Retryable(err) {
		t.Errorf("error %v", err)
	}
}
