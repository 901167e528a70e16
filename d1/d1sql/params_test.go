package d1sql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1sql"
)

func numbers(n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = i + 1
	}
	return all
}

// TestManyRows checks that an INSERT which was split looks like one statement.
func TestManyRows(t *testing.T) {
	t.Parallel()
	db, c := openCounted(t, d1sql.Options{})
	if _, err := db.Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, n UNIQUE)"); err != nil {
		t.Fatal(err)
	}
	c.sent()
	values := "VALUES (?)" + strings.Repeat(", (?)", 249)
	result, err := db.Exec("INSERT INTO t (n) "+values, numbers(250)...)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := result.RowsAffected(); n != 250 {
		t.Errorf("%d rows affected", n)
	}
	if id, _ := result.LastInsertId(); id != 250 {
		t.Errorf("last id %d", id)
	}
	if len(c.requests) != 1 || len(c.requests[0].Statements) != 3 {
		t.Errorf("sent %v", c.sent())
	}

	sets := answer(t, db, "SELECT 'before'; INSERT INTO t (n) "+values+" ON CONFLICT (n) DO UPDATE SET n = -n RETURNING id AS a, n; SELECT count(*), ? FROM t",
		append(numbers(250), "x")...)
	if len(sets) != 3 || strings.Count(sets[1], "|") != 250 || !strings.HasPrefix(sets[1], "a,n|1,-1|2,-2|") || !strings.HasSuffix(sets[1], "|250,-250") {
		t.Errorf("got %v", sets)
	} else if sets[2] != "count(*),?|250,x" {
		t.Errorf("the statement behind it gave %q", sets[2])
	}

	// A failure in the last part undoes the first.
	args := numbers(250)
	args[249] = -5
	_, err = db.Exec("SELECT 1; INSERT INTO t (n) "+values, args...)
	if e, ok := errors.AsType[*d1.Error](err); !ok || e.ExtendedCode != 2067 || e.Statement != 1 {
		t.Errorf("error %#v", err)
	}
	if diff := cmp.Diff([]string{"count(*)|250"}, answer(t, db, "SELECT count(*) FROM t")); diff != "" {
		t.Error(diff)
	}
	stmt, err := db.Prepare("INSERT INTO t (n) " + values)
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	if _, err := stmt.Exec(numbers(250)...); err != nil {
		t.Error(err)
	}
}

// TestLongLists checks lists of IN, and what is said where nothing can be done.
func TestLongLists(t *testing.T) {
	t.Parallel()
	db, _ := openCounted(t, d1sql.Options{})
	if _, err := db.Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t (name) VALUES ('a'), ('b'), ('c')"); err != nil {
		t.Fatal(err)
	}
	list := "(?" + strings.Repeat(", ?", 1999) + ")"
	if diff := cmp.Diff([]string{"name|b|c"}, answer(t, db, "SELECT name FROM t WHERE id IN "+list+" AND name <> ?", append(numbers(2000), "a")...)); diff != "" {
		t.Error(diff)
	}
	result, err := db.Exec("DELETE FROM t WHERE id NOT IN (?"+strings.Repeat(", ?", 199)+")", numbers(203)[3:]...)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := result.RowsAffected(); n != 3 {
		t.Errorf("%d rows affected", n)
	}

	plain, _ := openCounted(t, d1sql.Options{NoExpand: true})
	if _, err := plain.Exec("CREATE TABLE t (id)"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		query string
		plain bool
	}{
		{"a list", "SELECT id FROM t WHERE id IN (?" + strings.Repeat(", ?", 149) + ")", true},
		{"rows", "INSERT INTO t (id) VALUES (?)" + strings.Repeat(", (?)", 149), true},
		{"columns", "SELECT ?" + strings.Repeat(", ?", 149), false},
	} {
		on := db
		if tt.plain {
			on = plain
		}
		_, err := on.Exec(tt.query, numbers(150)...)
		if !d1.Unsent(err) || !strings.Contains(err.Error(), "too many SQL variables") {
			t.Errorf("%s: error %v", tt.name, err)
		}
	}
	if _, err := db.Exec("SELECT id, nope FROM t WHERE id IN (?"+strings.Repeat(", ?", 149)+")", numbers(150)...); err == nil ||
		strings.Contains(fmt.Sprint(err), "offset") {
		t.Errorf("error %v tells an offset in a text that nobody has written", err)
	}
}
