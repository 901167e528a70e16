package e2e

import (
	"database/sql"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1sql"
)

// TestDriverOnWorkerd sends to Cloudflare's own engine what the driver makes of
// statements that D1 would not take as they are.
func TestDriverOnWorkerd(t *testing.T) {
	testDriver(t, startWorkerd(t)(t))
}

// TestDriverOnServer is the same on our server.
func TestDriverOnServer(t *testing.T) {
	t.Parallel()
	f := serveFiles(t)
	testDriver(t, f.open(t, f.create(t, "driver")))
}

func testDriver(t *testing.T, backend d1.Backend) {
	db := d1sql.OpenDB(d1.New(backend))
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	exec := func(query string, args ...any) sql.Result {
		t.Helper()
		result, err := db.Exec(query, args...)
		if err != nil {
			t.Fatalf("%s: %v", clip(query), err)
		}
		return result
	}
	is := func(want, query string, args ...any) {
		t.Helper()
		var got string
		if err := db.QueryRow(query, args...).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", clip(query), got, err, want)
		}
	}
	fails := func(want, query string, args ...any) {
		t.Helper()
		if _, err := db.Exec(query, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", clip(query), err, want)
		}
	}

	// Probes.
	is("3.53.4", "select sqlite_version()")
	is("main", "SELECT `name` FROM pragma_database_list() WHERE `name` <> ?", "temp")
	exec("PRAGMA foreign_keys = off; VACUUM; SELECT 0")
	is("1", "PRAGMA foreign_keys")
	exec("CREATE TABLE child (id INTEGER PRIMARY KEY AUTOINCREMENT, parent REFERENCES parent (id) ON DELETE CASCADE); CREATE TABLE parent (id INTEGER PRIMARY KEY)")
	exec("INSERT INTO child VALUES (1, 2); INSERT INTO parent VALUES (2)")
	fails("DROP TABLE parent would delete or change rows", "DROP TABLE IF EXISTS parent")
	fails("no such table: nowhere", "DROP TABLE nowhere")
	exec("DROP TABLE IF EXISTS nowhere")
	is("2", "SELECT parent FROM child")
	is("child", "SELECT name FROM sqlite_master WHERE type = 'table'")
	exec("PRAGMA foreign_keys = on")
	exec("DROP TABLE parent")
	is("0", "SELECT count(*) FROM child")

	// Names.
	is("xyx", "SELECT :a || @b || $a", sql.Named("a", "x"), sql.Named("b", "y"))
	rows, err := db.Query("SELECT :long, $n + 1, ?", sql.Named("long", "x"), sql.Named("n", 4), nil)
	if err != nil {
		t.Fatal(err)
	}
	if columns, err := rows.Columns(); err != nil || strings.Join(columns, " ") != ":long $n + 1 ?" {
		t.Errorf("columns %q, %v", columns, err)
	}
	rows.Close()

	// More than 100 parameters.
	exec("CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, s TEXT, x)")
	var args, ids, large []any
	for i := range 250 {
		args = append(args, i, fmt.Sprint("text ", i), int64(math.MaxInt64)-int64(i))
		ids = append(ids, fmt.Sprint("text ", i*2))
		large = append(large, int64(math.MaxInt64)-int64(i*2))
	}
	result := exec("INSERT INTO t (i, s, x) VALUES (?, ?, ?)"+strings.Repeat(", (?, ?, ?)", 249), args...)
	n, _ := result.RowsAffected()
	if last, _ := result.LastInsertId(); n != 250 || last != 250 {
		t.Errorf("%d rows, last id %d", n, last)
	}
	list := "(?" + strings.Repeat(", ?", 249) + ")"
	is("125", "SELECT count(*) FROM t WHERE s IN "+list, ids...)
	is("125", "SELECT count(*) FROM t WHERE x NOT IN "+list, large...)
	is("9223372036854775807", "SELECT CAST(max(x) AS TEXT) FROM t WHERE x IN "+list+" AND typeof(x) = ?", append(large, "integer")...)
}
