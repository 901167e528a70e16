package tools

import (
	"database/sql"
	"strings"
	"testing"

	"ariga.io/atlas/sql/schema"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// SQLite changes a column by copying the table and dropping the old one, for which the
// tools turn foreign keys off. D1 cannot turn them off: dropping a table that others
// refer to would take their rows along. These tests hold that rows are never lost: the
// change happens, or is refused.

func children(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	var parents int
	if err := db.QueryRow("SELECT (SELECT count(*) FROM children WHERE parent_id = 1), (SELECT count(*) FROM parents)").
		Scan(&n, &parents); err != nil || parents != 1 {
		t.Errorf("%d parents, %v", parents, err)
	}
	return n
}

func rebuildSchema(action string) string {
	return `CREATE TABLE parents (id integer PRIMARY KEY, name text);
		CREATE TABLE children (id integer PRIMARY KEY, parent_id integer REFERENCES parents (id) ` + action + `);
		INSERT INTO parents VALUES (1, 'Ada'); INSERT INTO children VALUES (1, 1), (2, 1)`
}

func TestGORMRebuildsAParent(t *testing.T) {
	for _, action := range []string{"", "ON DELETE CASCADE", "ON DELETE SET NULL"} {
		t.Run("on delete "+action, func(t *testing.T) {
			everywhere(t, func(t *testing.T, driver, dsn string) {
				db, err := gorm.Open(sqlite.New(sqlite.Config{DriverName: driver, DSN: dsn}), &gorm.Config{Logger: logger.Discard})
				if err != nil {
					t.Fatal(err)
				}
				inner, err := db.DB()
				if err != nil {
					t.Fatal(err)
				}
				defer inner.Close()
				if _, err := inner.Exec(rebuildSchema(action)); err != nil {
					t.Fatal(err)
				}
				type parent struct {
					ID   int64
					Name string `gorm:"type:varchar(100);not null"`
				}
				err = db.Table("parents").Migrator().AlterColumn(&parent{}, "Name")
				t.Logf("AlterColumn: %v", err)
				if n := children(t, inner); n != 2 {
					t.Errorf("%d children are left", n)
				}
				var declared string
				if err := inner.QueryRow("SELECT type FROM pragma_table_info('parents') WHERE name = 'name'").Scan(&declared); err != nil {
					t.Fatal(err)
				}
				if want := map[bool]string{true: "varchar(100)", false: "text"}[err == nil]; !strings.EqualFold(declared, want) {
					t.Errorf("the column is %s after %v", declared, err)
				}
			})
		})
	}
}

func TestAtlasRebuildsAParent(t *testing.T) {
	for _, action := range []string{"", "ON DELETE CASCADE", "ON DELETE SET NULL"} {
		t.Run("on delete "+action, func(t *testing.T) {
			everywhere(t, func(t *testing.T, driver, dsn string) {
				client, ctx := openAtlas(t, dsn), t.Context()
				if _, err := client.DB.Exec(rebuildSchema(action)); err != nil {
					t.Fatal(err)
				}
				tx, err := client.Tx(ctx, nil)
				if err != nil {
					t.Fatal(err)
				}
				parents, err := tx.InspectSchema(ctx, "main", &schema.InspectOptions{Tables: []string{"parents"}})
				if err != nil {
					t.Fatal(err)
				}
				before := parents.Tables[0]
				after := *before
				after.Columns = append([]*schema.Column(nil), before.Columns...)
				after.Columns[1] = schema.NewStringColumn("name", "text")
				change := &schema.ModifyTable{T: &after, Changes: []schema.Change{
					&schema.ModifyColumn{From: before.Columns[1], To: after.Columns[1], Change: schema.ChangeNull},
				}}
				if err = tx.ApplyChanges(ctx, []schema.Change{change}); err == nil {
					err = tx.Commit()
				} else if err := tx.Rollback(); err != nil {
					t.Errorf("roll back: %v", err)
				}
				t.Logf("ModifyTable: %v", err)
				if n := children(t, client.DB); n != 2 {
					t.Errorf("%d children are left", n)
				}
				var required bool
				if err := client.DB.QueryRow(`SELECT "notnull" FROM pragma_table_info('parents') WHERE name = 'name'`).Scan(&required); err != nil {
					t.Fatal(err)
				}
				if required != (err == nil) {
					t.Errorf("the column is NOT NULL: %v, after %v", required, err)
				}
			})
		})
	}
}
