package tools

import (
	"database/sql"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pressly/goose/v3"
)

var gooseFiles = fstest.MapFS{
	"00001_users.sql": {Data: []byte(`-- +goose Up
CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, seen DATETIME);
INSERT INTO users (name) VALUES ('Ada; not two');

-- +goose Down
DROP TABLE users;
`)},
	"00002_trigger.sql": {Data: []byte(`-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER users_seen AFTER UPDATE OF name ON users BEGIN
	UPDATE users SET seen = CURRENT_TIMESTAMP WHERE id = new.id;
END;
-- +goose StatementEnd
UPDATE users SET name = 'Ada';

-- +goose Down
DROP TRIGGER users_seen;
`)},
	"00003_no_tx.sql": {Data: []byte(`-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX users_name ON users (name);
-- +goose Down
DROP INDEX users_name;
`)},
}

func TestGoose(t *testing.T) {
	onDB(t, func(t *testing.T, db *sql.DB) {
		ctx := t.Context()
		provider, err := goose.NewProvider(goose.DialectSQLite3, db, gooseFiles)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{3, 0} {
			results, err := provider.Up(ctx)
			if err != nil || len(results) != want {
				t.Fatalf("up: %d migrations, want %d: %v", len(results), want, err)
			}
		}
		var seen time.Time
		if err := db.QueryRowContext(ctx, "SELECT seen FROM users WHERE name = 'Ada'").Scan(&seen); err != nil || seen.IsZero() {
			t.Errorf("seen %v, %v", seen, err)
		}
		wantStatus(t, provider, goose.StateApplied, goose.StateApplied, goose.StateApplied)
		if version, err := provider.GetDBVersion(ctx); err != nil || version != 3 {
			t.Errorf("version %d, %v", version, err)
		}
		for range 2 {
			if _, err := provider.Down(ctx); err != nil {
				t.Fatalf("down: %v", err)
			}
		}
		wantStatus(t, provider, goose.StateApplied, goose.StatePending, goose.StatePending)
		if results, err := provider.DownTo(ctx, 0); err != nil || len(results) != 1 {
			t.Fatalf("down to 0: %d migrations, %v", len(results), err)
		}
		if results, err := provider.Up(ctx); err != nil || len(results) != 3 {
			t.Fatalf("up once more: %d migrations, %v", len(results), err)
		}
	})
}

func wantStatus(t *testing.T, provider *goose.Provider, want ...goose.State) {
	t.Helper()
	status, err := provider.Status(t.Context())
	if err != nil || len(status) != len(want) {
		t.Fatalf("status of %d migrations, %v", len(status), err)
	}
	for i, s := range status {
		if s.State != want[i] || s.AppliedAt.IsZero() != (want[i] == goose.StatePending) {
			t.Errorf("%s: %s at %v, want %s", s.Source.Path, s.State, s.AppliedAt, want[i])
		}
	}
}

// TestGooseFails checks that a migration which fails leaves nothing behind.
func TestGooseFails(t *testing.T) {
	onDB(t, func(t *testing.T, db *sql.DB) {
		provider, err := goose.NewProvider(goose.DialectSQLite3, db, fstest.MapFS{
			"00001_broken.sql": {Data: []byte("-- +goose Up\nCREATE TABLE a (x UNIQUE);\nINSERT INTO a VALUES (1), (1);\n")},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := provider.Up(t.Context()); err == nil {
			t.Error("no error")
		}
		var n int
		if err := db.QueryRow("SELECT count(*) FROM sqlite_master WHERE name = 'a'").Scan(&n); err != nil || n != 0 {
			t.Errorf("%d tables left, %v", n, err)
		}
		if version, err := provider.GetDBVersion(t.Context()); err != nil || version != 0 {
			t.Errorf("version %d, %v", version, err)
		}
	})
}
