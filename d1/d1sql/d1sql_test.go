package d1sql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1sql"
	_ "github.com/skylite-go/skylite/d1/embedded"
)

const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE, age INTEGER, seen DATETIME);
	INSERT INTO users (name, age) VALUES ('Ada', 36), ('Grace', 85)`

func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("d1", "file:"+strings.ReplaceAll(t.TempDir(), "%", "%25")+"/test.db?sync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if _, err := db.Exec(schema); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestDrivers(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"d1", "skylite"} {
		if !slices.Contains(sql.Drivers(), name) {
			t.Errorf("no driver %q", name)
		}
	}
	if _, err := sql.Open("d1", "nowhere:x?token=s3cret"); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %v", err)
	}
	c, err := d1sql.Driver{}.Open("file::memory:")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		cfg  d1sql.Config
		want string
	}{
		{d1sql.Config{}, "Config.APIToken, Config.AccountID, Config.DatabaseID must be set"},
		{d1sql.Config{APIToken: "s3cret", DatabaseID: "d"}, "Config.AccountID must be set"},
	} {
		_, err := d1sql.Open(tt.cfg)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
	db, err := d1sql.Open(d1sql.Config{APIToken: "s3cret", AccountID: "a", DatabaseID: "d", Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
}

func TestArguments(t *testing.T) {
	t.Parallel()
	db := open(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		query string
		args  []any
		want  string
	}{
		{"SELECT ? || ?", []any{"a", 1}, "a1"},
		{"SELECT ?2 || ?1", []any{"a", "b"}, "ba"},
		{"SELECT :a || @b || $a", []any{sql.Named("a", "x"), sql.Named("b", "y")}, "xyx"},
		{"SELECT :a || ?", []any{sql.Named("a", "x"), "y"}, "xy"},
		{"SELECT :a || :b", []any{"x", "y"}, "xy"},
		{"SELECT typeof(?) || typeof(?) || typeof(?)", []any{int8(1), true, float32(1)}, "integerintegerreal"},
		{"SELECT ?", []any{at}, "2026-01-02T03:04:05.000000000Z"},
		{"SELECT coalesce(?, 'none')", []any{sql.NullString{}}, "none"},
		{"SELECT ?1 || ?1", []any{"a"}, "aa"},
		{"SELECT ? -- comment", []any{"a"}, "a"},
		{"  SELECT ?;  ", []any{"a"}, "a"},
	} {
		var got string
		if err := db.QueryRow(tt.query, tt.args...).Scan(&got); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v", tt.query, got, err)
		}
		stmt, err := db.Prepare(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		got = ""
		if err := stmt.QueryRow(tt.args...).Scan(&got); err != nil || got != tt.want {
			t.Errorf("%s prepared: got %q, %v", tt.query, got, err)
		}
		stmt.Close()
	}
	for _, tt := range []struct {
		query string
		args  []any
		want  string
	}{
		{"SELECT ?", nil, "has 1 parameters and was given 0"},
		{"SELECT 1", []any{1}, "has 0 parameters and was given 1"},
		{"SELECT ?", []any{1, 2}, "was given 2"},
		{"SELECT :a", []any{sql.Named("b", 1)}, "names are not in it"},
		{"SELECT :a, ?", []any{sql.Named("typo", 1), 2, 3}, "names are not in it"},
		{"SELECT ?; SELECT ?", []any{1}, "has 2 parameters"},
		{"SELECT ?", []any{struct{}{}}, "unsupported type"},
		{"", nil, "holds no SQL statement"},
		{"-- nothing", nil, "holds no SQL statement"},
		{"SELECT ?30000", []any{1}, "has 30000 parameters"},
	} {
		if _, err := db.Exec(tt.query, tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.query, err, tt.want)
		}
	}
}

func TestExec(t *testing.T) {
	t.Parallel()
	db := open(t)
	result, err := db.Exec("UPDATE users SET age = age + ?; INSERT INTO users (name) VALUES (?); ; -- end", 1, "Joan")
	if err != nil {
		t.Fatal(err)
	}
	id, _ := result.LastInsertId()
	if n, _ := result.RowsAffected(); id != 3 || n != 3 {
		t.Errorf("last id %d, %d rows", id, n)
	}
	_, err = db.Exec("DELETE FROM users; INSERT INTO users (id) VALUES (1), (1)")
	if e, ok := errors.AsType[*d1.Error](err); !ok || e.ExtendedCode != 1555 || e.Statement != 1 {
		t.Errorf("error %v", err)
	}
	var n int
	if err := db.QueryRow("SELECT count(*) FROM users").Scan(&n); err != nil || n != 3 {
		t.Errorf("%d rows, %v: the statements were not undone", n, err)
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	db := open(t)
	long := strings.Repeat("long ", 100)
	rows, err := db.Query("SELECT 1 AS a, ? AS b, NULL AS c, x'0102' AS d, 1.5 AS e, '' AS f; INSERT INTO users (name) VALUES ('x') RETURNING id, name; SELECT 2 WHERE 0", long)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for more := true; more; more = rows.NextResultSet() {
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(columns))
		for rows.Next() {
			values, dest := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				dest[i] = &values[i]
			}
			if err := rows.Scan(dest...); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%#v", values))
		}
	}
	want := []string{"[a b c d e f]", fmt.Sprintf("%#v", []any{int64(1), long, nil, []byte{1, 2}, 1.5, ""}),
		"[id name]", fmt.Sprintf("%#v", []any{int64(3), "x"}), "[2]"}
	if diff := cmp.Diff(want, got); diff != "" || rows.Err() != nil {
		t.Error(diff, rows.Err())
	}
}

func TestNullTypes(t *testing.T) {
	t.Parallel()
	db := open(t)
	var (
		name sql.NullString
		age  sql.NullInt64
		none sql.Null[int]
		seen sql.NullString
		raw  sql.RawBytes
	)
	rows, err := db.Query("SELECT name, age, NULL, seen, name FROM users WHERE id = 1")
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	defer rows.Close()
	if err := rows.Scan(&name, &age, &none, &seen, &raw); err != nil {
		t.Fatal(err)
	}
	if name.String != "Ada" || age.Int64 != 36 || none.Valid || seen.Valid || string(raw) != "Ada" {
		t.Errorf("got %v %v %v %v %q", name, age, none, seen, raw)
	}
	if err := db.QueryRow("SELECT 1 WHERE 0").Scan(&age); err != sql.ErrNoRows {
		t.Errorf("error %v", err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	db := open(t)
	for query, code := range map[string]int{
		"INSERT INTO users (name) VALUES ('Ada')": 2067, "SELECT nope": 1, "BEGIN": 0,
		"WITH c (i) AS (VALUES (1), (2)) SELECT json(CASE i WHEN 1 THEN '1' ELSE 'no' END) FROM c": 1,
	} {
		rows, err := db.Query(query)
		if err == nil {
			for rows.Next() {
			}
			err = rows.Err()
			rows.Close()
		}
		if e, ok := errors.AsType[*d1.Error](err); !ok || e.ExtendedCode != code {
			t.Errorf("%s: error %v", query, err)
		}
	}
}

func TestRaw(t *testing.T) {
	t.Parallel()
	db := open(t)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Raw(func(c any) error {
		d := c.(*d1sql.Conn).DB()
		results, err := d.Batch(t.Context(), d.Prepare("INSERT INTO users (name) VALUES (?)").Bind("Joan"), d.Prepare("SELECT count(*) FROM users"))
		if err == nil && results[1].Rows[0][0] != int64(3) {
			err = fmt.Errorf("%v rows", results[1].Rows)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := conn.PingContext(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	db := open(t)
	const endless = "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT i FROM c"
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM ("+endless+")").Scan(new(int)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	rows, err := db.QueryContext(ctx, endless)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; rows.Next(); n++ {
		if n == 100 {
			cancel()
		}
	}
	if err := rows.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := db.ExecContext(ctx, "DELETE FROM users"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	cancel()
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	db := open(t)
	stmt, err := db.Prepare("INSERT INTO users (name, age) VALUES (?, ?) RETURNING id")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 20 {
				var id, n int
				if err := stmt.QueryRow(fmt.Sprint(w, " ", i), i).Scan(&id); err != nil {
					t.Error(err)
				}
				if err := db.QueryRow("SELECT count(*) FROM users WHERE id = ?", id).Scan(&n); err != nil || n != 1 {
					t.Errorf("%d rows, %v", n, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestOpenDB(t *testing.T) {
	t.Parallel()
	inner, err := d1.Open("file::memory:")
	if err != nil {
		t.Fatal(err)
	}
	db := d1sql.OpenDB(inner)
	if err := db.Ping(); err != nil {
		t.Error(err)
	}
	if _, ok := db.Driver().(d1sql.Driver); !ok {
		t.Errorf("the driver is a %T", db.Driver())
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := inner.Ping(t.Context()); !errors.Is(err, d1.ErrClosed) {
		t.Errorf("after Close: error %v", err)
	}
}
