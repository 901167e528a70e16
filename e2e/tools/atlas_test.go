package tools

import (
	"testing"

	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlclient"
	"ariga.io/atlas/sql/sqlite"
)

// init makes Atlas open D1 as it opens any other SQLite.
func init() {
	sqlclient.Register("d1", sqlclient.DriverOpener(sqlite.Open),
		sqlclient.RegisterTxOpener(sqlite.OpenTx), sqlclient.RegisterFlavours("file", "d1+bridge"))
}

// atlasTables is a wanted schema, and the same with one column more and one table
// that has to be made anew.
func atlasTables(later bool) []*schema.Table {
	id := schema.NewIntColumn("id", "integer")
	name := schema.NewStringColumn("name", "text")
	users := schema.NewTable("users").AddColumns(id, name,
		schema.NewNullTimeColumn("seen", "datetime"),
		schema.NewIntColumn("score", "integer").SetDefault(&schema.Literal{V: "0"})).
		SetPrimaryKey(schema.NewPrimaryKey(id)).
		AddIndexes(schema.NewUniqueIndex("users_name").AddColumns(name))
	postID, user := schema.NewIntColumn("id", "integer"), schema.NewIntColumn("user_id", "integer")
	posts := schema.NewTable("posts").AddColumns(postID, user).SetPrimaryKey(schema.NewPrimaryKey(postID)).
		AddForeignKeys(schema.NewForeignKey("posts_user").AddColumns(user).SetRefTable(users).AddRefColumns(id).SetOnDelete(schema.Cascade))
	if later {
		users.AddColumns(schema.NewNullStringColumn("nick", "text"))
		user.SetNull(true) // SQLite cannot: Atlas copies the table
	}
	return []*schema.Table{users, posts}
}

func openAtlas(t *testing.T, dsn string) *sqlclient.Client {
	t.Helper()
	client, err := sqlclient.Open(t.Context(), dsn)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return client
}

// changes are what leads from the database as it is to the wanted tables.
func changes(t *testing.T, client *sqlclient.Client, want []*schema.Table) []schema.Change {
	t.Helper()
	realm, err := client.InspectRealm(t.Context(), &schema.InspectRealmOption{Schemas: []string{"main"}})
	if err != nil {
		t.Fatalf("inspect: %v", err)
	}
	if len(realm.Schemas) != 1 {
		t.Fatalf("%d schemas", len(realm.Schemas))
	}
	found, err := client.SchemaDiff(realm.Schemas[0], schema.New("main").AddTables(want...))
	if err != nil {
		t.Fatalf("diff: %v", err)
	}
	return found
}

func TestAtlas(t *testing.T) {
	everywhere(t, func(t *testing.T, driver, dsn string) {
		client, ctx := openAtlas(t, dsn), t.Context()
		if err := client.ApplyChanges(ctx, changes(t, client, atlasTables(false))); err != nil {
			t.Fatalf("apply: %v", err)
		}
		if rest := changes(t, client, atlasTables(false)); len(rest) != 0 {
			t.Errorf("left to do after apply: %#v", rest)
		}
		got, err := client.InspectSchema(ctx, "main", nil)
		if err != nil {
			t.Fatalf("inspect: %v", err)
		}
		users, ok := got.Table("users")
		if !ok || len(users.Columns) != 4 || len(users.PrimaryKey.Parts) != 1 || len(users.Indexes) != 1 || !users.Indexes[0].Unique {
			t.Fatalf("users: %+v", users)
		}
		posts, ok := got.Table("posts")
		if !ok || len(posts.ForeignKeys) != 1 || posts.ForeignKeys[0].RefTable.Name != "users" || posts.ForeignKeys[0].OnDelete != schema.Cascade {
			t.Fatalf("posts: %+v", posts)
		}
		if _, err := client.DB.ExecContext(ctx, "INSERT INTO users (id, name) VALUES (1, 'Ada'); INSERT INTO posts VALUES (7, 1)"); err != nil {
			t.Fatal(err)
		}

		tx, err := client.Tx(ctx, nil)
		if err != nil {
			t.Fatalf("tx: %v", err)
		}
		if err := tx.ApplyChanges(ctx, changes(t, tx.Client, atlasTables(true))); err != nil {
			t.Fatalf("apply in a transaction: %v", err)
		}
		if rest := changes(t, tx.Client, atlasTables(true)); len(rest) != 0 {
			t.Errorf("left to do inside the transaction: %#v", rest)
		}
		if err := tx.Commit(); err != nil {
			t.Fatalf("commit: %v", err)
		}
		if rest := changes(t, client, atlasTables(true)); len(rest) != 0 {
			t.Errorf("left to do after the transaction: %#v", rest)
		}

		if tx, err = client.Tx(ctx, nil); err != nil {
			t.Fatalf("tx: %v", err)
		}
		if err := tx.ApplyChanges(ctx, []schema.Change{&schema.DropTable{T: posts}}); err != nil {
			t.Fatalf("drop a table: %v", err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatalf("roll back: %v", err)
		}
		var post, user int
		if err := client.DB.QueryRowContext(ctx, "SELECT id, user_id FROM posts").Scan(&post, &user); err != nil || post != 7 || user != 1 {
			t.Errorf("post %d of user %d, %v", post, user, err)
		}
	})
}
