package embedded_test

import (
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// TestChangesOfTheStatementBefore reads changes() in a statement that writes, for which
// the program of that statement must not have been asked for in between.
func TestChangesOfTheStatementBefore(t *testing.T) {
	t.Parallel()
	db := d1.New(open(t, embedded.Config{}))
	ctx := t.Context()
	if _, err := db.Exec(ctx, `CREATE TABLE t (a); CREATE TABLE log (n)`); err != nil {
		t.Fatal(err)
	}
	for range 2 { // compiled anew, and from the cache
		_, err := db.Exec(ctx, `INSERT INTO t VALUES (1), (2), (3); INSERT INTO log SELECT changes()`)
		if err != nil {
			t.Fatal(err)
		}
	}
	results, err := db.Query(ctx, "SELECT n FROM log")
	if err != nil {
		t.Fatal(err)
	}
	defer results.Close()
	for results.Next() {
		if n, _ := results.Row()[0].Int64(); n != 3 {
			t.Errorf("changes() is %d after 3 rows", n)
		}
	}
}
