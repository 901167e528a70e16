package embedded

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/skylite-go/skylite/d1"
)

func TestSmoke(t *testing.T) {
	for _, path := range []string{"", filepath.Join(t.TempDir(), "a.db")} {
		b, err := Open(Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		db := d1.New(b)
		ctx := context.Background()
		for _, sql := range []string{
			"CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)",
			"INSERT INTO t (name) VALUES ('a'), ('b'), ('c') RETURNING *",
			"SELECT * FROM t", "SELECT count(*) FROM t", "SELECT * FROM t WHERE id = 2",
			"DELETE FROM t ORDER BY id DESC LIMIT 1 RETURNING name",
			"UPDATE t SET name = 'zz' WHERE id = 1",
			"INSERT INTO t (name) VALUES ('zz')",
			"SELECT sqlite_version()", "BEGIN", "select nope from t", "select * from nope", "VACUUM", "ATTACH 'x' AS y",
			"CREATE TEMP TABLE x(a)", "CREATE VIRTUAL TABLE f USING fts5(a)", "PRAGMA journal_mode", "PRAGMA foreign_keys=off", "PRAGMA foreign_keys",
			"ALTER TABLE t RENAME TO _cf_x", "ALTER TABLE t RENAME TO u", "SELECT last_insert_rowid()", `select "nope"`,
		} {
			r, err := db.All(ctx, sql)
			if err != nil {
				t.Log(sql, "=>", err)
				continue
			}
			t.Logf("%s => %v %v %+v", sql, r.Columns, r.Rows, r.Meta)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
