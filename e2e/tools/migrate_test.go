package tools

import (
	"database/sql"
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database/sqlite3"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	sqlmigrate "github.com/rubenv/sql-migrate"
)

var migrateFiles = fstest.MapFS{
	"1_users.up.sql": {Data: []byte(`CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
CREATE INDEX users_name ON users (name);
INSERT INTO users (name) VALUES ('Ada; not two');
`)},
	"1_users.down.sql": {Data: []byte("DROP TABLE users;\n")},
	"2_age.up.sql":     {Data: []byte("ALTER TABLE users ADD COLUMN age INTEGER;\n-- the end\n")},
	"2_age.down.sql":   {Data: []byte("ALTER TABLE users DROP COLUMN age;")},
	"3_broken.up.sql":  {Data: []byte("CREATE TABLE broken (x);\nINSERT INTO nowhere VALUES (1);")},
}

func openMigrate(t *testing.T, db *sql.DB, files fs.FS) *migrate.Migrate {
	t.Helper()
	source, err := iofs.New(files, ".")
	if err != nil {
		t.Fatal(err)
	}
	driver, err := sqlite3.WithInstance(db, &sqlite3.Config{})
	if err != nil {
		t.Fatalf("WithInstance: %v", err)
	}
	m, err := migrate.NewWithInstance("iofs", source, "d1", driver)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func wantVersion(t *testing.T, m *migrate.Migrate, want uint, wantDirty bool) {
	t.Helper()
	if version, dirty, err := m.Version(); err != nil || version != want || dirty != wantDirty {
		t.Errorf("version %d, dirty %v, %v; want %d, %v", version, dirty, err, want, wantDirty)
	}
}

func TestGolangMigrate(t *testing.T) {
	onDB(t, func(t *testing.T, db *sql.DB) {
		m := openMigrate(t, db, migrateFiles)
		if err := m.Migrate(2); err != nil {
			t.Fatalf("up: %v", err)
		}
		wantVersion(t, m, 2, false)
		if err := m.Migrate(2); !errors.Is(err, migrate.ErrNoChange) {
			t.Errorf("up again: %v", err)
		}
		var name string
		if err := db.QueryRow("SELECT name FROM users WHERE age IS NULL").Scan(&name); err != nil || name != "Ada; not two" {
			t.Errorf("name %q, %v", name, err)
		}
		if err := m.Steps(-1); err != nil {
			t.Fatalf("down: %v", err)
		}
		wantVersion(t, m, 1, false)
		if err := m.Up(); err == nil {
			t.Error("a broken migration: no error")
		}
		wantVersion(t, m, 3, true)
		if n := countTables(t, db, "broken"); n != 0 {
			t.Error("a broken migration left a table behind")
		}
		if err := m.Force(2); err != nil {
			t.Fatalf("force: %v", err)
		}
		if err := m.Drop(); err != nil {
			t.Fatalf("drop: %v", err)
		}
		if n := countTables(t, db, "users", "schema_migrations"); n != 0 {
			t.Errorf("%d tables left after Drop", n)
		}
		if err := openMigrate(t, db, migrateFiles).Migrate(2); err != nil {
			t.Errorf("up after Drop: %v", err)
		}
	})
}

func countTables(t *testing.T, db *sql.DB, names ...string) (n int) {
	t.Helper()
	for _, name := range names {
		var one int
		if err := db.QueryRow("SELECT count(*) FROM sqlite_master WHERE name = ?", name).Scan(&one); err != nil {
			t.Fatal(err)
		}
		n += one
	}
	return n
}

func TestSQLMigrate(t *testing.T) {
	onDB(t, func(t *testing.T, db *sql.DB) {
		source := sqlmigrate.MemoryMigrationSource{Migrations: []*sqlmigrate.Migration{{
			Id: "1",
			Up: []string{
				"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\n",
				"INSERT INTO users (name) VALUES ('Ada; not two');\n",
			},
			Down: []string{"DROP TABLE users;"},
		}, {
			Id:   "2",
			Up:   []string{"ALTER TABLE users ADD COLUMN age INTEGER"},
			Down: []string{"ALTER TABLE users DROP COLUMN age"},
		}}}
		set := sqlmigrate.MigrationSet{}
		run := func(direction sqlmigrate.MigrationDirection, max, want int) {
			t.Helper()
			if n, err := set.ExecMax(db, "sqlite3", source, direction, max); err != nil || n != want {
				t.Fatalf("%v: %d migrations, want %d: %v", direction, n, want, err)
			}
		}
		run(sqlmigrate.Up, 0, 2)
		run(sqlmigrate.Up, 0, 0)
		records, err := set.GetMigrationRecords(db, "sqlite3")
		if err != nil || len(records) != 2 || records[0].AppliedAt.IsZero() {
			t.Errorf("records %+v, %v", records, err)
		}
		run(sqlmigrate.Down, 1, 1)
		run(sqlmigrate.Up, 0, 1)
		run(sqlmigrate.Down, 0, 2)
		if n := countTables(t, db, "users"); n != 0 {
			t.Error("the table is still there")
		}
		broken := &sqlmigrate.MemoryMigrationSource{Migrations: []*sqlmigrate.Migration{
			{Id: "1", Up: []string{"CREATE TABLE broken (x)", "INSERT INTO nowhere VALUES (1)"}},
		}}
		if _, err := set.Exec(db, "sqlite3", broken, sqlmigrate.Up); err == nil {
			t.Error("a broken migration: no error")
		}
		if n := countTables(t, db, "broken"); n != 0 {
			t.Error("a broken migration left a table behind")
		}
	})
}
