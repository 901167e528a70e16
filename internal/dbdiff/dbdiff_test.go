package dbdiff

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// open makes a database of a script.
func open(t testing.TB, script string) *d1.DB {
	t.Helper()
	backend, err := embedded.Open(embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	t.Cleanup(func() { db.Close() })
	if script != "" {
		exec(t, db, script)
	}
	return db
}

func exec(t testing.TB, db *d1.DB, script string) {
	t.Helper()
	if _, err := db.Exec(t.Context(), script); err != nil {
		t.Fatalf("%v in %s", err, script)
	}
}

func load(t testing.TB, db d1.Querier) *Database {
	t.Helper()
	d, err := Load(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// difference is what a comparison gives.
type difference struct {
	Tally Tally
	Rows  []string
}

func rows(t testing.TB, a, b d1.Querier, table string, limit int) (got difference) {
	t.Helper()
	x, y := load(t, a).Table(table), load(t, b).Table(table)
	if x == nil || y == nil {
		t.Fatalf("no table %s on both sides", table)
	}
	tally, err := Rows(t.Context(), x, y, Options{Limit: limit, Each: func(r Row) error {
		got.Rows = append(got.Rows, fmt.Sprintf("%#v -> %#v", r.Before, r.After))
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	got.Tally = tally
	return got
}

func TestValuesThatDiffer(t *testing.T) {
	t.Parallel()
	// No two of them are the same value.
	values := []string{"NULL", "0", "1", "1.0", "-1", "'1'", "x'31'", "''", "x''", "x'00'", "x'0000'", "CAST(x'00' AS TEXT)",
		"'a'", "'A'", "'a '", "'0,'", "x'97'", "9223372036854775807", "-9223372036854775807-1", "9223372036854775806", "9007199254740993",
		"9007199254740992", "9007199254740992.0", "0.1", "0.30000000000000004", "0.3", "9e999", "-9e999", "5e-324", "1.7976931348623157e308",
		"CAST(x'ff' AS TEXT)", "CAST(x'fe' AS TEXT)", "CAST(x'6100' AS TEXT)", "'ü'", "x'c3bc'", "'99'", "'9'", "99", "9"}
	long := []string{"zeroblob(200)", "zeroblob(201)", "zeroblob(17000)", "zeroblob(17001)", "CAST(zeroblob(17000) AS TEXT)",
		"zeroblob(40000)", "unhex(hex(zeroblob(9999))||'01')", "unhex('01'||hex(zeroblob(9999)))", "zeroblob(1000000)"}
	var script strings.Builder
	script.WriteString("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
	for _, v := range slices.Concat(values, long) {
		script.WriteString(";INSERT INTO t(v) VALUES (" + v + ")")
	}
	db := open(t, script.String())
	tab := load(t, db).Table("t")
	tab.Columns = []string{"v"}
	r := reader{Table: tab}
	digests := map[string]string{}
	err := r.parts(t.Context(), span{}, func(s source) []statement { return r.listed(s, "") }, func(results [][][]any) error {
		some, err := entries(results[0])
		for _, e := range some {
			id := fmt.Sprint(e.key)
			if other := digests[e.digest]; other != "" {
				t.Errorf("rows %s and %s have the digest %s", other, id, e.digest)
			}
			digests[e.digest] = id
		}
		return err
	})
	if err != nil || len(digests) != len(values)+len(long) {
		t.Fatalf("%d digests, %v", len(digests), err)
	}
}

func TestSwappedColumns(t *testing.T) {
	t.Parallel()
	a := open(t, "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'), (2, 'y')")
	b := open(t, "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'y'), (2, 'x')")
	x, err := Sum(t.Context(), load(t, a).Table("t"), nil)
	y, err2 := Sum(t.Context(), load(t, b).Table("t"), nil)
	if err != nil || err2 != nil || x == y {
		t.Errorf("%v and %v, %v, %v", x, y, err, err2)
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		schema, a, b string
		table        string
		want         difference
	}{
		"equal": {"CREATE TABLE t (id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 2)", "INSERT INTO t VALUES (1, 2)", "t",
			difference{Tally: Tally{Columns: []string{"id", "v"}, Key: []string{"id"}}}},
		"each kind": {"CREATE TABLE t (id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 2), (2, NULL), (9223372036854775807, 'x')",
			"INSERT INTO t VALUES (1, 2.0), (3, x'00'), (9223372036854775807, 'x')", "t",
			difference{Tally{[]string{"id", "v"}, []string{"id"}, 1, 1, 1}, []string{
				"[]interface {}{1, 2} -> []interface {}{1, 2}",
				"[]interface {}{2, interface {}(nil)} -> []interface {}(nil)",
				"[]interface {}(nil) -> []interface {}{3, []uint8{0x0}}"}}},
		"mixed keys": {"CREATE TABLE t (k PRIMARY KEY NOT NULL, v) WITHOUT ROWID",
			"INSERT INTO t VALUES (1, 0), (1.5, 0), ('1', 0), (x'31', 0), ('a', 0), (9e999, 0), (CAST(x'ff' AS TEXT), 0)",
			"INSERT INTO t VALUES (1, 0), (1.5, 1), ('1', 0), (x'31', 1), ('a', 1), (9e999, 0), (CAST(x'ff' AS TEXT), 1)", "t",
			difference{Tally{[]string{"k", "v"}, []string{"k"}, 0, 0, 4}, []string{
				"[]interface {}{1.5, 0} -> []interface {}{1.5, 1}",
				`[]interface {}{"a", 0} -> []interface {}{"a", 1}`,
				`[]interface {}{"\xff", 0} -> []interface {}{"\xff", 1}`,
				"[]interface {}{[]uint8{0x31}, 0} -> []interface {}{[]uint8{0x31}, 1}"}}},
		"two columns of key": {"CREATE TABLE t (v, b TEXT NOT NULL, a INT NOT NULL, PRIMARY KEY (a, b))",
			"INSERT INTO t VALUES (1, 'x', 1), (1, 'y', 1), (1, 'x', 2)", "INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 1), (1, 'w', 2)", "t",
			difference{Tally{[]string{"v", "b", "a"}, []string{"a", "b"}, 1, 1, 1}, []string{
				`[]interface {}{1, "y", 1} -> []interface {}{2, "y", 1}`,
				`[]interface {}(nil) -> []interface {}{1, "w", 2}`,
				`[]interface {}{1, "x", 2} -> []interface {}(nil)`}}},
		"no key": {"CREATE TABLE t (a)", "INSERT INTO t VALUES (1), (1), (2)", "INSERT INTO t VALUES (2), (1), (3), (3)", "t",
			difference{Tally{[]string{"a"}, nil, 2, 1, 0}, []string{
				"[]interface {}{1} -> []interface {}(nil)",
				"[]interface {}(nil) -> []interface {}{3}",
				"[]interface {}(nil) -> []interface {}{3}"}}},
		"keys without case": {"CREATE TABLE t (k TEXT PRIMARY KEY NOT NULL COLLATE NOCASE) WITHOUT ROWID", "INSERT INTO t VALUES ('a'), ('b')",
			"INSERT INTO t VALUES ('A'), ('b')", "t",
			difference{Tally{[]string{"k"}, nil, 1, 1, 0}, []string{`[]interface {}{"a"} -> []interface {}(nil)`, `[]interface {}(nil) -> []interface {}{"A"}`}}},
		"case of another column": {"CREATE TABLE t (k TEXT PRIMARY KEY NOT NULL, v TEXT COLLATE NOCASE)", "INSERT INTO t VALUES ('k', 'a')",
			"INSERT INTO t VALUES ('k', 'A')", "t",
			difference{Tally{[]string{"k", "v"}, []string{"k"}, 0, 0, 1}, []string{`[]interface {}{"k", "a"} -> []interface {}{"k", "A"}`}}},
		"keys that are NULL": {"CREATE TABLE t (k TEXT PRIMARY KEY, v)", "INSERT INTO t VALUES (NULL, 1), (NULL, 2)", "INSERT INTO t VALUES (NULL, 2)", "t",
			difference{Tally{[]string{"k", "v"}, nil, 0, 1, 0}, []string{"[]interface {}{interface {}(nil), 1} -> []interface {}(nil)"}}},
		"no name for the rowid": {"CREATE TABLE t (rowid, _rowid_, oid)", "INSERT INTO t VALUES (1, 2, 3)", "INSERT INTO t VALUES (1, 2, 4)", "t",
			difference{Tally{[]string{"rowid", "_rowid_", "oid"}, nil, 1, 1, 0}, []string{
				"[]interface {}(nil) -> []interface {}(nil)", "[]interface {}(nil) -> []interface {}(nil)"}}},
		"generated": {"CREATE TABLE t (id INTEGER PRIMARY KEY, a, b AS (a+1) STORED, c AS (a+2))", "INSERT INTO t(a) VALUES (1)", "INSERT INTO t(a) VALUES (2)", "t",
			difference{Tally{[]string{"id", "a"}, []string{"id"}, 0, 0, 1}, []string{"[]interface {}{1, 1} -> []interface {}{1, 2}"}}},
		"full text": {"CREATE VIRTUAL TABLE f USING fts5(a)", "INSERT INTO f VALUES ('x'), ('y')", "INSERT INTO f VALUES ('x'), ('z')", "f",
			difference{Tally{[]string{"rowid", "a"}, []string{"rowid"}, 0, 0, 1}, []string{`[]interface {}{2, "y"} -> []interface {}{2, "z"}`}}},
		"counters": {"CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)", "INSERT INTO t VALUES (7); DELETE FROM t", "SELECT 1", "sqlite_sequence",
			difference{Tally{[]string{"name", "seq"}, nil, 0, 1, 0}, []string{`[]interface {}{"t", 7} -> []interface {}(nil)`}}},
		"odd names": {`CREATE TABLE "a ""t" ("the ""key" INTEGER PRIMARY KEY, "select", "ü")`, `INSERT INTO "a ""t" VALUES (1, 2, 3)`, `INSERT INTO "a ""t" VALUES (1, 2, 4)`, `a "t`,
			difference{Tally{[]string{`the "key`, "select", "ü"}, []string{`the "key`}, 0, 0, 1}, []string{"[]interface {}{1, 2, 3} -> []interface {}{1, 2, 4}"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := open(t, tt.schema+";"+tt.a), open(t, tt.schema+";"+tt.b)
			if diff := cmp.Diff(tt.want, rows(t, a, b, tt.table, 100)); diff != "" {
				t.Error(diff)
			}
			counted := rows(t, a, b, tt.table, 0)
			if diff := cmp.Diff(difference{Tally: tt.want.Tally}, counted); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestManyRows compares tables of which nearly all rows are equal, none are, or one side
// has none, and counts what is sent.
func TestManyRows(t *testing.T) {
	t.Parallel()
	const fill = "CREATE TABLE t (%s, v); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<5000) INSERT INTO t SELECT i, 'value '||i FROM n"
	for name, tt := range map[string]struct {
		key, change          string
		added, removed, diff int64
		mostRows             int
	}{
		"one changed":     {"k INTEGER PRIMARY KEY", "UPDATE t SET v=0 WHERE k=4321", 0, 0, 1, 5000},
		"ends":            {"k INTEGER PRIMARY KEY", "DELETE FROM t WHERE k IN (1, 5000)", 0, 2, 0, 10000},
		"none":            {"k INTEGER PRIMARY KEY", "DELETE FROM t", 0, 5000, 0, 100},
		"many more":       {"k INTEGER PRIMARY KEY", "INSERT INTO t SELECT k+5000, v FROM t; UPDATE t SET v='' WHERE k>9999", 5000, 0, 0, 5000},
		"many in between": {"k REAL PRIMARY KEY NOT NULL", "INSERT INTO t SELECT 7+k/100000, v FROM t", 5000, 0, 0, 20000},
		"all changed":     {"k TEXT PRIMARY KEY NOT NULL", "UPDATE t SET v=v||'x'", 0, 0, 5000, 15000},
		"without a key":   {"k", "UPDATE t SET v=0 WHERE k=4321; INSERT INTO t VALUES (1, 'value 1')", 2, 1, 0, 5000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := fmt.Sprintf(fill, tt.key)
			a, b := open(t, script), open(t, script+";"+tt.change)
			for _, swap := range []bool{false, true} {
				x, y := &counting{on: a}, &counting{on: b}
				want := Tally{Columns: []string{"k", "v"}, Added: tt.added, Removed: tt.removed, Changed: tt.diff}
				if swap {
					x, y = y, x
					want.Added, want.Removed = want.Removed, want.Added
				}
				if !strings.HasPrefix(tt.key, "k,") && tt.key != "k" {
					want.Key = []string{"k"}
				}
				got := rows(t, x, y, "t", 0)
				if diff := cmp.Diff(want, got.Tally); diff != "" {
					t.Error(diff)
				}
				if n := x.rows + y.rows; n > tt.mostRows {
					t.Errorf("%d rows were sent, in %d requests", n, x.requests+y.requests)
				}
			}
		})
	}
}

// counting counts requests and the rows of their answers.
type counting struct {
	on             d1.Querier
	requests, rows int
}

func (c *counting) Do(ctx context.Context, req d1.Request) (*d1.Results, error) {
	c.requests++
	results, err := c.on.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	return d1.NewResults(countingCursor{results, &c.rows}), nil
}

type countingCursor struct {
	*d1.Results
	rows *int
}

func (c countingCursor) Next() bool {
	ok := c.Results.Next()
	if ok {
		*c.rows++
	}
	return ok
}

// TestRandomDatabases changes copies of random tables, and must find exactly the changes.
func TestRandomDatabases(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 1))
			g := generator{rnd}
			keyed := rnd.IntN(3) > 0
			schema := "CREATE TABLE t (k INTEGER PRIMARY KEY, a, b TEXT, c REAL, d INT)"
			if !keyed {
				schema = "CREATE TABLE t (k INT, a, b TEXT, c REAL, d INT)"
			}
			a, b := open(t, schema), open(t, schema)
			n := 1 + rnd.IntN(400)
			var want Tally
			for k := range n {
				row := g.row(int64(k) * (math.MaxInt64 / 1000))
				g.insert(t, a, row)
				switch change := rnd.IntN(60); {
				case change == 0:
					want.Removed++
				case change == 1:
					i := 1 + rnd.IntN(4)
					row[i] = []byte{1, 2, 3, byte(k)}
					if keyed {
						want.Changed++
					} else {
						want.Added++
						want.Removed++
					}
					g.insert(t, b, row)
				default:
					g.insert(t, b, row)
				}
			}
			for k := range rnd.IntN(3) {
				g.insert(t, b, g.row(int64(-k-1)))
				want.Added++
			}
			want.Columns = []string{"k", "a", "b", "c", "d"}
			if keyed {
				want.Key = []string{"k"}
			}
			got := rows(t, a, b, "t", 1000)
			if diff := cmp.Diff(want, got.Tally); diff != "" {
				t.Error(diff)
			}
			if int64(len(got.Rows)) != want.Added+want.Removed+want.Changed {
				t.Errorf("%d rows were given", len(got.Rows))
			}
			x, err := Sum(t.Context(), load(t, a).Table("t"), nil)
			y, err2 := Sum(t.Context(), load(t, b).Table("t"), nil)
			if err != nil || err2 != nil || (x == y) != want.Equal() {
				t.Errorf("sums %v and %v, %v, %v", x, y, err, err2)
			}
			if same := rows(t, a, a, "t", 10); !same.Tally.Equal() {
				t.Errorf("the database differs from itself: %+v", same)
			}
		})
	}
}

type generator struct{ *rand.Rand }

func (g generator) row(key int64) []any {
	return []any{key, g.value(), g.value(), g.value(), g.value()}
}

func (g generator) value() any {
	switch g.IntN(6) {
	case 0:
		return nil
	case 1:
		return g.Int64() >> g.IntN(64)
	case 2:
		for {
			if f := math.Float64frombits(g.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
				return f
			}
		}
	case 3:
		return strings.Repeat(string(rune('a'+g.IntN(500))), g.IntN(8)*g.IntN(40))
	case 4:
		b := make([]byte, g.IntN(20)*g.IntN(20))
		for i := range b {
			b[i] = byte(g.Uint32())
		}
		return b
	}
	return int64(g.IntN(3))
}

func (g generator) insert(t *testing.T, db *d1.DB, row []any) {
	t.Helper()
	if _, err := db.Run(t.Context(), "INSERT INTO t VALUES (?, ?, ?, ?, ?)", row...); err != nil {
		t.Fatal(err)
	}
}

// TestCancelled ends a comparison by its context, and by its caller's error.
func TestCancelled(t *testing.T) {
	t.Parallel()
	a := open(t, "CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
	b := open(t, "CREATE TABLE t (a INTEGER PRIMARY KEY)")
	x, y := load(t, a).Table("t"), load(t, b).Table("t")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Rows(ctx, x, y, Options{}); err == nil || ctx.Err() == nil {
		t.Error("a context that has ended did not end the comparison")
	}
	stop := fmt.Errorf("enough")
	n := 0
	_, err := Rows(t.Context(), x, y, Options{Limit: 10, Each: func(Row) error { n++; return stop }})
	if err != stop || n != 1 {
		t.Errorf("%v after %d rows", err, n)
	}
}
