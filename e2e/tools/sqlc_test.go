package tools

import (
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/skylite-go/skylite/e2e/tools/sqlc"
)

func openSQLC(t *testing.T, db *sql.DB) *sqlc.Queries {
	t.Helper()
	if _, err := db.Exec(sqlc.Schema); err != nil {
		t.Fatal(err)
	}
	return sqlc.New(db)
}

func TestSQLC(t *testing.T) {
	onDB(t, func(t *testing.T, db *sql.DB) {
		queries, ctx := openSQLC(t, db), t.Context()
		seen := time.Date(2026, 1, 2, 3, 4, 5, 678000000, time.UTC)
		ada, err := queries.CreateUser(ctx, sqlc.CreateUserParams{
			Email: "ada", Nick: sql.NullString{String: "A", Valid: true}, Score: 1<<53 - 1, Rating: 1, Admin: true,
			Avatar: []byte{0, 255}, Seen: sql.NullTime{Time: seen, Valid: true},
		})
		if err != nil {
			t.Fatalf("CreateUser: %v", err)
		}
		if ada.ID != 1 || ada.Score != 1<<53-1 || ada.Rating != 1 || !ada.Admin || !slices.Equal(ada.Avatar, []byte{0, 255}) {
			t.Errorf("values: %+v", ada)
		}
		if age := time.Since(ada.Created); age < -time.Minute || age > time.Hour || !ada.Seen.Time.Equal(seen) || ada.Birthday.Valid {
			t.Errorf("times: %v, %v, %v", ada.Created, ada.Seen, ada.Birthday)
		}
		if got, err := queries.GetUser(ctx, ada.ID); err != nil || !got.Created.Equal(ada.Created) || got.Email != "ada" {
			t.Errorf("GetUser: %+v, %v", got, err)
		}
		if _, err := queries.GetUser(ctx, 99); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("GetUser of nobody: %v", err)
		}
		for instant, want := range map[time.Time]int{seen: 0, seen.Add(time.Millisecond): 1} {
			if got, err := queries.UsersSeenBefore(ctx, sql.NullTime{Time: instant, Valid: true}); err != nil || len(got) != want {
				t.Errorf("UsersSeenBefore %v: %d users, %v", instant, len(got), err)
			}
		}
		if got, err := queries.UsersByID(ctx, []int64{1, 2, 3}); err != nil || len(got) != 1 {
			t.Errorf("UsersByID: %d users, %v", len(got), err)
		}
		if n, err := queries.AddScore(ctx, sqlc.AddScoreParams{Points: -1, Admin: true}); err != nil || n != 1 {
			t.Errorf("AddScore: %d rows, %v", n, err)
		}
		if id, err := queries.CopyUser(ctx, ada.ID); err != nil || id != 2 {
			t.Errorf("CopyUser: id %d, %v", id, err)
		}
		if got, err := queries.GetUser(ctx, 2); err != nil || got.Score != 1<<53-2 {
			t.Errorf("the copy: %+v, %v", got, err)
		}
	})
}

func TestSQLCTransactions(t *testing.T) {
	onDB(t, func(t *testing.T, db *sql.DB) {
		queries, ctx := openSQLC(t, db), t.Context()
		prepared, err := sqlc.Prepare(ctx, db)
		if err != nil {
			t.Fatalf("Prepare: %v", err)
		}
		defer prepared.Close()
		for _, run := range []struct {
			queries *sqlc.Queries
			commit  bool
		}{{queries, false}, {prepared, false}, {queries, true}, {prepared, true}} {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			inside := run.queries.WithTx(tx)
			before, err := inside.UsersByID(ctx, []int64{1, 2})
			if err != nil {
				t.Fatalf("UsersByID: %v", err)
			}
			user, err := inside.CreateUser(ctx, sqlc.CreateUserParams{Email: string(rune('a' + len(before))), Admin: len(before) == 0})
			if err != nil || user.ID != int64(len(before)+1) || user.Created.IsZero() {
				t.Fatalf("CreateUser: %+v, %v", user, err)
			}
			if n, err := inside.AddScore(ctx, sqlc.AddScoreParams{Points: 5, Admin: true}); err != nil || n != 1 {
				t.Errorf("AddScore: %d rows, %v", n, err)
			}
			row, err := inside.RenameUser(ctx, sqlc.RenameUserParams{Nick: sql.NullString{String: "x", Valid: true}, ID: user.ID})
			if err != nil || row.Nick.String != "x" || !row.Created.Equal(user.Created) {
				t.Errorf("RenameUser: %+v, %v", row, err)
			}
			end, want := tx.Rollback, len(before)
			if run.commit {
				end, want = tx.Commit, len(before)+1
			}
			if err := end(); err != nil {
				t.Fatalf("end: %v", err)
			}
			after, err := queries.UsersByID(ctx, []int64{1, 2})
			if err != nil || len(after) != want {
				t.Fatalf("%d users afterwards, want %d: %v", len(after), want, err)
			}
			if run.commit && !after[len(after)-1].Created.Equal(user.Created) {
				t.Errorf("committed %v, the transaction saw %v", after[len(after)-1].Created, user.Created)
			}
		}
		if got, err := queries.GetUser(ctx, 1); err != nil || got.Score != 10 {
			t.Errorf("score %d, %v", got.Score, err)
		}
	})
}
