package tools

import (
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/skylite-go/skylite/e2e/tools/ent"
	"github.com/skylite-go/skylite/e2e/tools/ent/post"
	"github.com/skylite-go/skylite/e2e/tools/ent/user"
)

func openEnt(t *testing.T, db *sql.DB) *ent.Client {
	t.Helper()
	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.SQLite, db)))
	for range 2 {
		if err := client.Schema.Create(t.Context()); err != nil {
			t.Fatalf("migrate: %v", err)
		}
	}
	return client
}

func TestEnt(t *testing.T) {
	onDB(t, func(t *testing.T, db *sql.DB) {
		client, ctx := openEnt(t, db), t.Context()
		seen := time.Date(2026, 1, 2, 3, 4, 5, 678000000, time.UTC)
		ada, err := client.User.Create().SetEmail("ada").SetScore(1<<53 - 1).SetRating(1).
			SetAvatar([]byte{0, 255}).SetLabels([]string{"a", "b"}).SetSeenAt(seen).Save(ctx)
		if err != nil {
			t.Fatalf("create: %v", err)
		}
		grace, err := client.User.Create().SetEmail("grace").AddFollows(ada).Save(ctx)
		if err != nil {
			t.Fatalf("create with an edge: %v", err)
		}
		got, err := client.User.Get(ctx, ada.ID)
		if err != nil {
			t.Fatalf("get: %v", err)
		}
		if got.Score != 1<<53-1 || got.Rating != 1 || !got.Active || !slices.Equal(got.Avatar, []byte{0, 255}) || !slices.Equal(got.Labels, []string{"a", "b"}) {
			t.Errorf("values: %+v", got)
		}
		if got.SeenAt == nil || !got.SeenAt.Equal(seen) || !got.CreatedAt.Equal(ada.CreatedAt) {
			t.Errorf("times: %v, %v, want %v, %v", got.SeenAt, got.CreatedAt, seen, ada.CreatedAt)
		}
		if grace, err = client.User.Get(ctx, grace.ID); err != nil || grace.SeenAt != nil {
			t.Errorf("a time that is NULL: %v, %v", grace.SeenAt, err)
		}
		posts, err := client.Post.CreateBulk(
			client.Post.Create().SetTitle("One").SetAuthor(ada),
			client.Post.Create().SetTitle("Two").SetAuthor(ada),
		).Save(ctx)
		if err != nil || posts[1].ID == 0 || posts[0].ID == posts[1].ID {
			t.Fatalf("bulk create: %v, %v", posts, err)
		}
		found, err := client.User.Query().Where(user.HasPostsWith(post.TitleHasPrefix("O"))).WithPosts().WithFollowers().Only(ctx)
		if err != nil || found.ID != ada.ID || len(found.Edges.Posts) != 2 || len(found.Edges.Followers) != 1 {
			t.Fatalf("query over edges: %+v, %v", found, err)
		}
		if n, err := client.User.Update().Where(user.ScoreLT(10)).AddScore(5).Save(ctx); err != nil || n != 1 {
			t.Errorf("update: %d rows, %v", n, err)
		}
		if got, err = ada.Update().SetActive(false).ClearSeenAt().ClearFollowers().Save(ctx); err != nil || got.Active || got.SeenAt != nil {
			t.Errorf("update one: %+v, %v", got, err)
		}
		if _, err := client.User.Create().SetEmail("ada").Save(ctx); !ent.IsConstraintError(err) {
			t.Errorf("a second one: %v", err)
		}
		if err := client.User.DeleteOne(ada).Exec(ctx); err != nil {
			t.Errorf("delete: %v", err)
		}
		if n, err := client.Post.Query().Count(ctx); err != nil || n != 0 {
			t.Errorf("%d posts after their author is gone, %v", n, err)
		}
	})
}

func TestEntTransactions(t *testing.T) {
	onDB(t, func(t *testing.T, db *sql.DB) {
		client, ctx := openEnt(t, db), t.Context()
		tx, err := client.Tx(ctx)
		if err != nil {
			t.Fatal(err)
		}
		ada, err := tx.User.Create().SetEmail("ada").Save(ctx)
		if err != nil {
			t.Fatalf("create: %v", err)
		}
		if err := tx.Post.Create().SetTitle("One").SetAuthor(ada).Exec(ctx); err != nil {
			t.Fatalf("create: %v", err)
		}
		if title, err := ada.QueryPosts().Select(post.FieldTitle).String(ctx); err != nil || title != "One" {
			t.Errorf("inside: %q, %v", title, err)
		}
		if n, err := tx.User.Update().AddScore(3).Save(ctx); err != nil || n != 1 {
			t.Errorf("update: %d rows, %v", n, err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatalf("commit: %v", err)
		}
		if got, err := client.User.Query().Only(ctx); err != nil || got.Score != 3 {
			t.Errorf("afterwards: %+v, %v", got, err)
		}

		if tx, err = client.Tx(ctx); err != nil {
			t.Fatal(err)
		}
		_, err = tx.User.Delete().Exec(ctx)
		if err := errors.Join(err, tx.Rollback()); err != nil {
			t.Errorf("roll back: %v", err)
		}
		if n, err := client.User.Query().Count(ctx); err != nil || n != 1 {
			t.Errorf("%d users after a rollback, %v", n, err)
		}
	})
}
