package e2e

import (
	"database/sql"
	"net/url"
	"os"
	"reflect"
	"testing"

	_ "github.com/skylite-go/skylite"
)

const chinookFile = "testdata/chinook/chinook.sql"

// chinookTables are the tables and how many rows the project says they have.
var chinookTables = map[string]int{
	"Album": 347, "Artist": 275, "Customer": 59, "Employee": 8, "Genre": 25, "Invoice": 412, "InvoiceLine": 2240,
	"MediaType": 5, "Playlist": 18, "PlaylistTrack": 8715, "Track": 3503,
}

// chinookQueries are asked of both sides.
var chinookQueries = []struct {
	name, sql string
	args      []any
}{
	{"revenue by genre", `SELECT g.Name, count(*), round(sum(l.UnitPrice * l.Quantity), 2), min(t.Milliseconds), max(t.Name)
		FROM InvoiceLine l JOIN Track t USING (TrackId) JOIN Genre g USING (GenreId)
		GROUP BY g.GenreId HAVING count(*) > ? ORDER BY 3 DESC, 1`, []any{10}},
	{"artists by name", `SELECT a.Name, al.Title FROM Artist a LEFT JOIN Album al USING (ArtistId)
		WHERE a.Name LIKE ? ORDER BY a.Name, al.Title`, []any{"%ã%"}},
	{"who reports to whom", `WITH RECURSIVE up(id, name, depth) AS (
			SELECT EmployeeId, LastName, 0 FROM Employee WHERE ReportsTo IS NULL
			UNION ALL SELECT e.EmployeeId, e.LastName, depth + 1 FROM Employee e JOIN up ON e.ReportsTo = up.id)
		SELECT * FROM up ORDER BY depth, name`, nil},
	{"best customers of each country", `SELECT Country, name, total FROM (
			SELECT c.Country, c.FirstName || ' ' || c.LastName AS name, sum(i.Total) AS total,
				rank() OVER (PARTITION BY c.Country ORDER BY sum(i.Total) DESC, c.CustomerId) AS place
			FROM Customer c JOIN Invoice i USING (CustomerId) GROUP BY c.CustomerId)
		WHERE place = 1 ORDER BY Country`, nil},
	{"every track", `SELECT * FROM Track ORDER BY TrackId`, nil},
	{"every invoice of a time", `SELECT * FROM Invoice WHERE InvoiceDate BETWEEN ? AND ? ORDER BY InvoiceId`, []any{"2010-01-01", "2011-01-01"}},
	{"foreign keys that are broken", `SELECT * FROM pragma_foreign_key_check`, nil},
	{"indexes", `SELECT m.name, i.name FROM sqlite_master m JOIN pragma_index_list(m.name) i
		WHERE m.type = 'table' AND m.name NOT LIKE '\_cf\_%' ESCAPE '\' ORDER BY 1, 2`, nil},
}

// TestChinookThroughWrangler imports a real database with wrangler, and reads it with
// our driver.
func TestChinookThroughWrangler(t *testing.T) {
	c := newWrangler(t)
	c.wrangler(t, "d1", "create", "chinook").ok(t)
	contains(t, c.wrangler(t, "d1", "execute", "chinook", "--remote", "-y", "--file", localPath(t, chinookFile)).ok(t), "Executed ")
	compareChinook(t, openSQL(t, c.dsn("chinook")))
}

// TestChinookThroughDriver writes the database with our driver, as one request.
func TestChinookThroughDriver(t *testing.T) {
	t.Parallel()
	f := serveFiles(t)
	f.create(t, "chinook")
	db := openSQL(t, f.dsn("chinook"))
	execFile(t, db, chinookFile)
	compareChinook(t, db)
}

// dsn returns the driver's name of a database.
func (f *fixture) dsn(name string) string {
	return "d1://" + account + "/" + name + "?" + url.Values{"base_url": {f.base}, "token": {token}}.Encode()
}

func openSQL(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("d1", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func execFile(t *testing.T, db *sql.DB, name string) {
	t.Helper()
	script, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), string(script)); err != nil {
		t.Fatal(err)
	}
}

// compareChinook compares a database with the embedded one.
func compareChinook(t *testing.T, db *sql.DB) {
	t.Helper()
	for table, want := range chinookTables {
		var got int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&got); err != nil || got != want {
			t.Errorf("%s has %d rows, want %d (%v)", table, got, want, err)
		}
	}
	embedded := openSQL(t, "file::memory:")
	embedded.SetMaxOpenConns(1) // each connection would have a database of its own
	execFile(t, embedded, chinookFile)
	for _, q := range chinookQueries {
		got, want := rowsOf(t, db, q.sql, q.args...), rowsOf(t, embedded, q.sql, q.args...)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d rows %v\nembedded: %d rows %v", q.name, len(got), clip(got), len(want), clip(want))
		}
	}
}

// rowsOf returns columns and rows. A number is a float64, as it comes over JSON, where
// a whole REAL cannot be told from an INTEGER.
func rowsOf(t *testing.T, db *sql.DB, query string, args ...any) [][]any {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	head := make([]any, len(columns))
	for i, column := range columns {
		head[i] = column
	}
	all := [][]any{head}
	for rows.Next() {
		row, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		for i, v := range row {
			if n, ok := v.(int64); ok {
				row[i] = float64(n)
			}
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
