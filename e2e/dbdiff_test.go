package e2e

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/internal/dbdiff"
)

const diffedSchema = `CREATE TABLE v (id INTEGER PRIMARY KEY, x);
	CREATE TABLE w (a TEXT NOT NULL, b REAL NOT NULL, x BLOB, PRIMARY KEY (a, b)) WITHOUT ROWID;
	CREATE TABLE n (x, y TEXT COLLATE NOCASE);
	CREATE VIRTUAL TABLE f USING fts5(body);
	CREATE TABLE g (id INTEGER PRIMARY KEY AUTOINCREMENT, a, b AS (a || 1))`

// diffedRows are statements that fill the tables with every kind of value.
func diffedRows() (statements []d1.Statement) {
	rnd := rand.New(rand.NewPCG(1, 2))
	add := func(sql string, args ...any) {
		statements = append(statements, d1.Statement{SQL: sql, Args: args})
	}
	for _, x := range []string{"9e999", "-9e999", "-0.0", "CAST(x'fffe' AS TEXT)", "CAST(x'6100ff' AS TEXT)", "zeroblob(70000)",
		"-9223372036854775808", "9223372036854775807", "5e-324", "1.7976931348623157e308", "2.2250738585072014e-308"} {
		add("INSERT INTO v(x) VALUES (" + x + ")")
	}
	for range 700 {
		f := math.Float64frombits(rnd.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			f = rnd.NormFloat64()
		}
		add("INSERT INTO v(x) VALUES (?), (?), (?)", f, rnd.Int64()>>rnd.IntN(64), rnd.NormFloat64()*100)
	}
	for i := range 60 {
		text := strings.Repeat(string(rune('0'+rnd.IntN(2000))), rnd.IntN(40)*rnd.IntN(40))
		blob := make([]byte, rnd.IntN(30)*rnd.IntN(30))
		for i := range blob {
			blob[i] = byte(rnd.Uint32())
		}
		add("INSERT INTO w VALUES (?, ?, ?)", fmt.Sprint(i%7, text), float64(i)/3, blob)
		add("INSERT INTO n VALUES (?, ?), (?, ?)", int64(i%5), text, nil, "A")
		add("INSERT INTO f VALUES (?)", "text "+text)
		add("INSERT INTO g(a) VALUES (?)", text)
	}
	return statements
}

// TestDiffOnWorkerd compares databases on Cloudflare's own engine with embedded ones: the
// checksums that both compute are the same for the same rows, and differ with one value.
func TestDiffOnWorkerd(t *testing.T) {
	backend, err := embedded.Open(embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := d1.New(backend), d1.New(startWorkerd(t)(t))
	defer ours.Close()
	statements := diffedRows()
	for _, db := range []*d1.DB{ours, theirs} {
		if _, err := db.Exec(t.Context(), diffedSchema); err != nil {
			t.Fatal(err)
		}
		results, err := db.Do(t.Context(), d1.Request{Statements: statements})
		if err != nil {
			t.Fatal(err)
		}
		if err := results.Close(); err != nil {
			t.Fatal(err)
		}
	}
	load := func(db *d1.DB) *dbdiff.Database {
		t.Helper()
		d, err := dbdiff.Load(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	a, b := load(ours), load(theirs)
	if changes := dbdiff.Compare(a, b); len(changes) > 0 {
		t.Errorf("the schemas differ: %v", changes)
	}
	if len(a.Tables) != 6 {
		t.Errorf("%d tables", len(a.Tables))
	}
	for _, table := range a.Tables {
		x, err := dbdiff.Sum(t.Context(), table, nil)
		y, err2 := dbdiff.Sum(t.Context(), b.Table(table.Name), nil)
		if err != nil || err2 != nil || x != y || x.Rows == 0 {
			t.Errorf("table %s: %v and %v, %v, %v", table.Name, x, y, err, err2)
		}
		if tally, err := dbdiff.Rows(t.Context(), table, b.Table(table.Name), dbdiff.Options{}); err != nil || !tally.Equal() {
			t.Errorf("table %s: %+v, %v", table.Name, tally, err)
		}
	}
	if _, err := theirs.Exec(t.Context(), `UPDATE v SET x = x + 1 WHERE id = 13; DELETE FROM n WHERE rowid = 7;
		UPDATE w SET x = x || 'x' WHERE b = 7 / 3.0; INSERT INTO f VALUES ('more')`); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, table := range a.Tables {
		_, err := dbdiff.Rows(t.Context(), table, b.Table(table.Name), dbdiff.Options{Limit: 100, Each: func(r dbdiff.Row) error {
			got[fmt.Sprintf("%s %t %t", table.Name, r.Before != nil, r.After != nil)]++
			return nil
		}})
		if err != nil {
			t.Error(err)
		}
	}
	want := map[string]int{"v true true": 1, "n true false": 1, "w true true": 1, "f false true": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
