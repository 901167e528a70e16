package tools

import (
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
)

type sqlxUser struct {
	ID     int64
	Email  string
	Nick   sql.NullString
	Score  int64
	Rating float64
	Admin  bool
	Avatar []byte
	Seen   time.Time
	Left   *time.Time
	Made   sql.NullTime
}

const sqlxSchema = `CREATE TABLE users (
	id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE, nick TEXT, score INTEGER NOT NULL DEFAULT 0,
	rating REAL NOT NULL DEFAULT 0, admin BOOLEAN NOT NULL DEFAULT FALSE, avatar BLOB,
	seen DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, left TIMESTAMP, made DATE);
	CREATE INDEX users_seen ON users (seen);`

const sqlxInsert = `INSERT INTO users (email, nick, score, rating, admin, avatar, seen, left, made)
	VALUES (:email, :nick, :score, :rating, :admin, :avatar, :seen, :left, :made)`

func openSQLX(t *testing.T, driver, dsn string) *sqlx.DB {
	t.Helper()
	db, err := sqlx.ConnectContext(t.Context(), driver, dsn)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if _, err := db.Exec(sqlxSchema); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestSQLX(t *testing.T) {
	everywhere(t, func(t *testing.T, driver, dsn string) {
		db, ctx := openSQLX(t, driver, dsn), t.Context()
		seen := time.Date(2026, 1, 2, 3, 4, 5, 678000000, time.UTC)
		user := sqlxUser{
			Email: "ada", Score: 1<<53 - 1, Rating: 1, Admin: true, Avatar: []byte{0, 255}, Seen: seen, Left: &seen,
			Made: sql.NullTime{Time: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Valid: true},
		}
		result, err := db.NamedExecContext(ctx, sqlxInsert, user)
		if n := affected(t, result, err); n != 1 {
			t.Fatalf("NamedExec: %d rows", n)
		}
		if id, err := result.LastInsertId(); err != nil || id != 1 {
			t.Errorf("LastInsertId: %d, %v", id, err)
		}
		var got sqlxUser
		if err := db.GetContext(ctx, &got, "SELECT * FROM users WHERE email = ?", "ada"); err != nil {
			t.Fatalf("Get: %v", err)
		}
		if got.Score != user.Score || got.Rating != 1 || !got.Admin || got.Nick.Valid || !slices.Equal(got.Avatar, user.Avatar) {
			t.Errorf("values: %+v", got)
		}
		if !got.Seen.Equal(seen) || got.Left == nil || !got.Left.Equal(seen) || !got.Made.Time.Equal(user.Made.Time) {
			t.Errorf("times: %v, %v, %v", got.Seen, got.Left, got.Made)
		}
		result, err = db.NamedExecContext(ctx, "INSERT INTO users (email, score) VALUES (:email, :score)",
			[]map[string]any{{"email": "grace", "score": 2}, {"email": "joan", "score": 3}})
		if n := affected(t, result, err); n != 2 {
			t.Errorf("NamedExec of two: %d rows", n)
		}
		stmt, err := db.PrepareNamedContext(ctx, "SELECT * FROM users WHERE score BETWEEN :low AND :high ORDER BY id")
		if err != nil {
			t.Fatalf("PrepareNamed: %v", err)
		}
		defer stmt.Close()
		var some []sqlxUser
		if err := stmt.SelectContext(ctx, &some, map[string]any{"low": 2, "high": 3}); err != nil || len(some) != 2 || some[1].Email != "joan" || some[0].Made.Valid {
			t.Errorf("Select: %+v, %v", some, err)
		}
		if age := time.Since(some[0].Seen); age < -time.Minute || age > time.Hour {
			t.Errorf("CURRENT_TIMESTAMP came back as %v", some[0].Seen)
		}
		query, args, err := sqlx.In("SELECT email FROM users WHERE id IN (?) ORDER BY id", []int{1, 3})
		if err != nil {
			t.Fatal(err)
		}
		var emails []string
		if err := db.SelectContext(ctx, &emails, db.Rebind(query), args...); err != nil || !slices.Equal(emails, []string{"ada", "joan"}) {
			t.Errorf("In: %q, %v", emails, err)
		}
		rows, err := db.QueryxContext(ctx, "SELECT id, seen FROM users WHERE id = 1")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			row := map[string]any{}
			if err := rows.MapScan(row); err != nil || row["id"] != int64(1) {
				t.Errorf("MapScan: %v, %v", row, err)
			}
			if at, ok := row["seen"].(time.Time); !ok || !at.Equal(seen) {
				t.Errorf("a DATETIME into any: %T %[1]v", row["seen"])
			}
		}
		if err := rows.Err(); err != nil {
			t.Error(err)
		}
		if err := db.Get(&got, "SELECT * FROM users WHERE id = 99"); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("Get of nobody: %v", err)
		}
	})
}

func TestSQLXTransactions(t *testing.T) {
	everywhere(t, func(t *testing.T, driver, dsn string) {
		db, ctx := openSQLX(t, driver, dsn), t.Context()
		for _, commit := range []bool{false, true} {
			tx, err := db.BeginTxx(ctx, nil)
			if err != nil {
				t.Fatalf("Beginx: %v", err)
			}
			result, err := tx.NamedExec(sqlxInsert, sqlxUser{Email: "ada", Seen: time.Now()})
			if n := affected(t, result, err); n != 1 {
				t.Errorf("NamedExec: %d rows", n)
			}
			if id, err := result.LastInsertId(); err != nil || id != 1 {
				t.Errorf("LastInsertId: %d, %v", id, err)
			}
			var got sqlxUser
			if err := tx.Get(&got, "SELECT * FROM users WHERE email = $1", "ada"); err != nil || got.ID != 1 || got.Seen.IsZero() {
				t.Errorf("Get in the transaction: %+v, %v", got, err)
			}
			stmt, err := tx.PrepareNamed("UPDATE users SET score = :score WHERE id = :id")
			if err != nil {
				t.Fatalf("PrepareNamed: %v", err)
			}
			result, err = stmt.Exec(map[string]any{"id": 1, "score": 9})
			if n := affected(t, result, err); n != 1 {
				t.Errorf("update: %d rows", n)
			}
			end, want := tx.Rollback, 0
			if commit {
				end, want = tx.Commit, 9
			}
			if err := end(); err != nil {
				t.Fatalf("end: %v", err)
			}
			var score int
			if err := db.Get(&score, "SELECT total(score) FROM users"); err != nil || score != want {
				t.Errorf("commit %v: score %d, %v", commit, score, err)
			}
		}
	})
}
