//go:build unix

package embedded_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/internal/killtest"
)

const (
	killWriters = 4
	killParts   = 3
	killSchema  = `CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, who, n, part, data, UNIQUE (who, n, part));
		CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY REFERENCES t (id), who, n);
		CREATE TRIGGER IF NOT EXISTS logged AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.id, new.who, new.n); END;
		CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5 (text)`
)

// writeUntilKilled has several writers, whose batches share commits. Some are so large that
// the WAL is copied into the database all the time. A batch makes one line.
func writeUntilKilled(path string, done func(line string)) error {
	backend, err := embedded.Open(embedded.Config{Path: path})
	if err != nil {
		return err
	}
	db := d1.New(backend)
	ctx := context.Background()
	if _, err := db.Exec(ctx, killSchema); err != nil {
		return err
	}
	ends := make(chan error)
	for who := range killWriters {
		go func() {
			last, err := d1.First[int](ctx, db, "SELECT coalesce(max(n), 0) FROM t WHERE who = ?", who)
			for n := last + 1; err == nil; n++ {
				if err = writeBatch(ctx, db, who, n); err == nil {
					done(fmt.Sprint(who, " ", n))
				}
			}
			ends <- err
		}()
	}
	return <-ends
}

func writeBatch(ctx context.Context, db *d1.DB, who, n int) error {
	size := 10
	if n%3 == 0 {
		size = 300_000
	}
	stmts := []*d1.Stmt{db.Prepare("INSERT INTO texts VALUES (?)").Bind(fmt.Sprint("word", who, " number", n))}
	for part := range killParts {
		stmts = append(stmts, db.Prepare("INSERT INTO t (who, n, part, data) VALUES (?, ?, ?, zeroblob(?))").Bind(who, n, part, size))
	}
	_, err := db.Batch(ctx, stmts...)
	return err
}

// TestKills kills writers at random moments.
func TestKills(t *testing.T) {
	t.Parallel()
	killtest.Run(t, func(t *testing.T, path string, lines []string) {
		db := d1.New(open(t, embedded.Config{Path: path}))
		if _, err := db.Exec(t.Context(), killSchema); err != nil { // if it was killed before
			t.Fatal(err)
		}
		acknowledged := map[int]int{}
		for _, line := range lines {
			var who, n int
			if _, err := fmt.Sscan(line, &who, &n); err != nil {
				t.Fatal(err)
			}
			acknowledged[who] = max(acknowledged[who], n)
		}
		for who := range killWriters {
			// Each writer's batches are there from the first to the last without a gap.
			last := acknowledged[who]
			if got := column(t, db, "SELECT count(*) = ?1 * count(DISTINCT n) AND count(DISTINCT n) = coalesce(max(n), 0) "+
				"AND coalesce(max(n), 0) >= ?2 FROM t WHERE who = ?3", killParts, last, who); got != "1" {
				t.Errorf("writer %d was acknowledged %d batches, and there are %s rows up to batch %s", who, last,
					column(t, db, "SELECT count(*) FROM t WHERE who = ?", who), column(t, db, "SELECT max(n) FROM t WHERE who = ?", who))
			}
		}
		const rows = "(SELECT count(*) FROM t)"
		if got := column(t, db, "SELECT (SELECT count(*) FROM log) = "+rows+" AND (SELECT count(*) FROM texts) * ? = "+rows, killParts); got != "1" {
			t.Error("what the trigger wrote, or the search index, is not as long as the table")
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		integrity(t, path)
	})
}

// integrity checks a file with SQLite's own means, those that D1 refuses too.
func integrity(t *testing.T, path string) {
	t.Helper()
	c, err := sqlite3.Open("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for sql, want := range map[string]string{"PRAGMA integrity_check": "ok", "PRAGMA foreign_key_check": ""} {
		s, _, err := c.Prepare(sql)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if s.Step() {
			got = s.ColumnText(0)
		}
		if got != want || s.Err() != nil {
			t.Errorf("%s: %s %v", sql, got, s.Err())
		}
		s.Close()
	}
}
