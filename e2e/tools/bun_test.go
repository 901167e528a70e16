package tools

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
)

type bunUser struct {
	bun.BaseModel `bun:"table:users,alias:u"`

	ID      int64  `bun:",pk,autoincrement"`
	Email   string `bun:",unique,notnull"`
	Nick    string `bun:",nullzero"`
	Score   int64
	Rating  float64
	Admin   bool
	Avatar  []byte
	Labels  []string
	Created time.Time `bun:",nullzero,notnull,default:current_timestamp"`
	Seen    time.Time
	Left    *time.Time
	Posts   []*bunPost `bun:"rel:has-many,join:id=user_id"`
}

type bunPost struct {
	bun.BaseModel `bun:"table:posts"`

	ID     int64 `bun:",pk,autoincrement"`
	UserID int64
	Title  string
}

func openBun(t *testing.T, inner *sql.DB) *bun.DB {
	t.Helper()
	db := bun.NewDB(inner, sqlitedialect.New())
	for _, model := range []any{(*bunUser)(nil), (*bunPost)(nil)} {
		for range 2 {
			if _, err := db.NewCreateTable().Model(model).IfNotExists().Exec(t.Context()); err != nil {
				t.Fatalf("create table: %v", err)
			}
		}
	}
	return db
}

func TestBun(t *testing.T) {
	onDB(t, func(t *testing.T, inner *sql.DB) {
		db, ctx := openBun(t, inner), t.Context()
		seen := time.Date(2026, 1, 2, 3, 4, 5, 678000000, time.UTC)
		user := &bunUser{Email: "ada", Score: 1<<53 - 1, Rating: 1, Admin: true, Avatar: []byte{0, 255}, Labels: []string{"a", "it's"}, Seen: seen}
		if _, err := db.NewInsert().Model(user).Exec(ctx); err != nil {
			t.Fatalf("insert: %v", err)
		}
		if user.ID != 1 || user.Created.IsZero() {
			t.Errorf("returned id %d, created %v", user.ID, user.Created)
		}
		posts := []*bunPost{{UserID: user.ID, Title: "One"}, {UserID: user.ID, Title: "Two"}}
		if _, err := db.NewInsert().Model(&posts).Exec(ctx); err != nil || posts[1].ID != 2 {
			t.Fatalf("bulk insert: %+v, %v", posts[1], err)
		}
		got := new(bunUser)
		if err := db.NewSelect().Model(got).Relation("Posts").Where("u.email = ?", "ada").Scan(ctx); err != nil {
			t.Fatalf("select: %v", err)
		}
		if got.Score != user.Score || got.Rating != 1 || !got.Admin || got.Nick != "" || !slices.Equal(got.Avatar, user.Avatar) || !slices.Equal(got.Labels, user.Labels) {
			t.Errorf("values: %+v", got)
		}
		if !got.Seen.Equal(seen) || !got.Created.Equal(user.Created) || got.Left != nil || len(got.Posts) != 2 {
			t.Errorf("times %v, %v, %v; %d posts", got.Seen, got.Created, got.Left, len(got.Posts))
		}
		result, err := db.NewUpdate().Model(got).Set("score = score - 1").WherePK().Exec(ctx)
		if n := affected(t, result, err); n != 1 {
			t.Errorf("update: %d rows", n)
		}
		var score int64
		if err := db.NewSelect().Model((*bunUser)(nil)).Column("score").Scan(ctx, &score); err != nil || score != user.Score-1 {
			t.Errorf("score %d, %v", score, err)
		}
		if n, err := db.NewSelect().Model((*bunPost)(nil)).Where("id IN (?)", bun.List([]int64{1, 2, 3})).Count(ctx); err != nil || n != 2 {
			t.Errorf("count %d, %v", n, err)
		}
		_, err = db.NewInsert().Model(&bunUser{Email: "ada"}).On("CONFLICT (email) DO UPDATE").Set("nick = 'n'").Exec(ctx)
		if err != nil {
			t.Errorf("upsert: %v", err)
		}
		result, err = db.NewDelete().Model((*bunPost)(nil)).Where("user_id = ?", user.ID).Exec(ctx)
		if n := affected(t, result, err); n != 2 {
			t.Errorf("delete: %d rows", n)
		}
	})
}

func TestBunTransactions(t *testing.T) {
	onDB(t, func(t *testing.T, inner *sql.DB) {
		db, ctx := openBun(t, inner), t.Context()
		undo := errors.New("undo")
		err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			outer := &bunUser{Email: "outer"}
			if _, err := tx.NewInsert().Model(outer).Exec(ctx); err != nil {
				return err
			}
			if outer.ID != 1 || outer.Created.IsZero() {
				return fmt.Errorf("returned id %d, created %v", outer.ID, outer.Created)
			}
			err := tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				if _, err := tx.NewInsert().Model(&bunUser{Email: "undone"}).Exec(ctx); err != nil {
					return err
				}
				if n, err := tx.NewSelect().Model((*bunUser)(nil)).Count(ctx); err != nil || n != 2 {
					return fmt.Errorf("%d users inside, %w", n, err)
				}
				return undo
			})
			if err != undo {
				return fmt.Errorf("inner transaction: %w", err)
			}
			return tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				_, err := tx.NewInsert().Model(&bunPost{UserID: outer.ID, Title: "inner"}).Exec(ctx)
				return err
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		var emails []string
		if err := db.NewSelect().Model((*bunUser)(nil)).Column("email").Scan(ctx, &emails); err != nil || !slices.Equal(emails, []string{"outer"}) {
			t.Errorf("users %q, %v", emails, err)
		}
		if n, err := db.NewSelect().Model((*bunPost)(nil)).Count(ctx); err != nil || n != 1 {
			t.Errorf("%d posts, %v", n, err)
		}
		err = db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			result, err := tx.NewUpdate().Model((*bunUser)(nil)).Set("score = 7").Where("1").Exec(ctx)
			if n := affected(t, result, err); n != 1 {
				t.Errorf("update: %d rows", n)
			}
			return undo
		})
		if err != undo {
			t.Fatal(err)
		}
		var score int64
		if err := db.NewSelect().Model((*bunUser)(nil)).Column("score").Scan(ctx, &score); err != nil || score != 0 {
			t.Errorf("score %d after a rollback, %v", score, err)
		}
	})
}

// affected is how many rows a statement changed.
func affected(t *testing.T, result sql.Result, err error) int64 {
	t.Helper()
	if err != nil {
		t.Error(err)
		return -1
	}
	n, err := result.RowsAffected()
	if err != nil {
		t.Errorf("RowsAffected: %v", err)
	}
	return n
}
