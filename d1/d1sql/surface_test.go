package d1sql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1sql"
)

// TestBadInput checks that each mistake is an error that names it, before anything is
// sent, and that the connection is as good as before.
func TestBadInput(t *testing.T) {
	t.Parallel()
	db, c := openCounted(t, d1sql.Options{})
	for _, tt := range []struct {
		name  string
		query string
		args  []any
		want  string
	}{
		{"too few arguments", "SELECT ?, ?", []any{1}, "has 2 parameters and was given 1"},
		{"too many arguments", "SELECT ?", []any{1, 2}, "has 1 parameters and was given 2"},
		{"an unknown name", "SELECT :a", []any{sql.Named("b", 1)}, "names are not in it"},
		{"a name too many", "SELECT :a", []any{sql.Named("a", 1), sql.Named("b", 1)}, "names are not in it"},
		{"a struct", "SELECT ?", []any{struct{ A int }{1}}, "unsupported type struct"},
		{"a map", "SELECT ?", []any{map[string]int{}}, "unsupported type map"},
		{"a function", "SELECT ?", []any{func() {}}, "unsupported type func"},
		{"a slice", "SELECT ?", []any{[]string{"a"}}, "unsupported type []string"},
		{"a text that is not UTF-8", "SELECT ?", []any{"a\xffb"}, "not valid UTF-8"},
		{"a named text that is not UTF-8", "SELECT :a", []any{sql.Named("a", "a\xffb")}, "not valid UTF-8"},
		{"a large unsigned integer", "SELECT ?", []any{uint64(1 << 63)}, "larger than SQLite's largest integer"},
		{"a NUL byte in the query", "SELECT 1\x00, 2", nil, "NUL byte at offset 8"},
		{"no query", " ; -- nothing", nil, "no SQL statement"},
		{"a parameter without a number", "SELECT ?0", []any{1}, "parameters"},
		{"an out of range number", "SELECT ?101", numbers(101), "variable number must be between ?1 and ?100"},
		{"a value too large", "SELECT ?", []any{strings.Repeat("x", d1.MaxValueBytes+1)}, "too big"},
		{"a query too long", "SELECT 1" + strings.Repeat(" ", d1.MaxStatementBytes), nil, "too long"},
	} {
		_, err := db.Exec(tt.query, tt.args...)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, Exec: error %v, want %q", tt.name, err, tt.want)
		}
		rows, err := db.Query(tt.query, tt.args...)
		if err == nil {
			rows.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, Query: error %v, want %q", tt.name, err, tt.want)
		}
	}
	if len(c.requests) > 0 {
		t.Errorf("%v was sent", c.sent())
	}
	if err := db.Ping(); err != nil {
		t.Error(err)
	}
}

func TestUnknownKeys(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"file:app.db?jornal=wal", "file::memory:?_pragma=foreign_keys(1)", "nowhere:x", "app.db", ""} {
		db, err := sql.Open("d1", dsn)
		if err == nil {
			db.Close()
			t.Errorf("%q was opened", dsn)
		}
	}
}

// unreachable is a database that does not answer.
type unreachable struct {
	d1.Backend
	asked int
}

func (u *unreachable) Do(context.Context, d1.Request) (*d1.Results, error) {
	u.asked++
	return nil, &d1.Error{Message: "no route to host", Offset: -1, Statement: -1, Outcome: d1.OutcomeUnsent, Transient: true}
}

func (u *unreachable) Close() error { return nil }

func TestPingAsks(t *testing.T) {
	t.Parallel()
	u := &unreachable{}
	db := d1sql.OpenDB(d1.New(u))
	defer db.Close()
	if err := db.Ping(); !d1.Unsent(err) || !d1.Retryable(err) || u.asked != 1 {
		t.Errorf("asked %d times: error %v", u.asked, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	open, _ := openCounted(t, d1sql.Options{})
	if err := open.PingContext(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestTwoResultSets reads two queries side by side, on two connections and on one,
// and writes meanwhile.
func TestTwoResultSets(t *testing.T) {
	t.Parallel()
	db := open(t)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const query = "WITH RECURSIVE c (i) AS (SELECT ? UNION ALL SELECT i + 1 FROM c WHERE i < 1000) SELECT i FROM c"
	first, err := conn.QueryContext(t.Context(), query, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := db.Query(query, 501)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	for i := range 500 {
		if !first.Next() || !second.Next() {
			t.Fatal(first.Err(), second.Err())
		}
		var a, b int
		if err := errors.Join(first.Scan(&a), second.Scan(&b)); err != nil || a != i+1 || b != i+501 {
			t.Fatalf("got %d and %d, %v", a, b, err)
		}
		if i%100 == 0 {
			if _, err := db.Exec("INSERT INTO users (name) VALUES (?)", fmt.Sprint("new ", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if second.Next() || second.Err() != nil || !first.Next() {
		t.Error(first.Err(), second.Err())
	}
}

// TestArgumentsAreCopied: what the caller does with a []byte afterwards changes
// nothing, neither does what it does with one that it has read.
func TestArgumentsAreCopied(t *testing.T) {
	t.Parallel()
	db := open(t)
	blob := []byte("before")
	rows, err := db.Query("SELECT ?1 UNION ALL SELECT ?1", blob)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	copy(blob, "after!")
	for range 2 {
		var got []byte
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
		if err := rows.Scan(&got); err != nil || string(got) != "before" {
			t.Errorf("got %q, %v", got, err)
		}
		clear(got)
	}
}

// TestFinished uses what is closed.
func TestFinished(t *testing.T) {
	t.Parallel()
	db, _ := openCounted(t, d1sql.Options{})
	stmt, err := db.Prepare("SELECT 1; SELECT 2")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := stmt.Query()
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.Close(); err != nil || rows.Next() || rows.NextResultSet() {
		t.Errorf("closed rows go on, %v", err)
	}
	if err := stmt.Close(); err != nil {
		t.Error(err)
	}
	if _, err := stmt.Query(); err == nil {
		t.Error("a closed statement runs")
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := db.Ping(); err == nil {
		t.Error("a closed database answers")
	}
}
