package d1sql

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// expandSchema has columns of all affinities and of two collations.
const expandSchema = `
CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, i INTEGER, s TEXT UNIQUE, r REAL, n NUMERIC, x, c TEXT COLLATE NOCASE, parent INTEGER REFERENCES t (id));
CREATE TABLE log (at INTEGER PRIMARY KEY, what);
CREATE TRIGGER t_log AFTER INSERT ON t BEGIN INSERT INTO log (what) VALUES ('insert ' || new.id || quote(new.s)); END;
CREATE TRIGGER t_log2 AFTER UPDATE ON t BEGIN INSERT INTO log (what) VALUES ('update ' || new.id || quote(new.s)); END;
CREATE TABLE w (a TEXT, b INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;
`

// plainSQLite is an engine without D1's limits.
func plainSQLite(tb testing.TB, schema string) *sqlite3.Conn {
	tb.Helper()
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	if err := db.Exec(schema); err != nil {
		tb.Fatal(err)
	}
	return db
}

// outcome is what a statement did.
type outcome struct {
	columns []string
	rows    []string
	changes int64
	err     string
}

// runPlain runs statements in a savepoint, and merges what they did.
func runPlain(tb testing.TB, db *sqlite3.Conn, statements []d1.Statement) (o outcome) {
	tb.Helper()
	if err := db.Exec("SAVEPOINT run"); err != nil {
		tb.Fatal(err)
	}
	before := db.TotalChanges()
	for _, s := range statements {
		if err := o.add(tb, db, s); err != nil {
			if err := db.Exec("ROLLBACK TO run"); err != nil {
				tb.Fatal(err)
			}
			o = outcome{err: err.Error()}
			before = db.TotalChanges()
			break
		}
	}
	o.changes = db.TotalChanges() - before
	if err := db.Exec("RELEASE run"); err != nil {
		tb.Fatal(err)
	}
	return o
}

func (o *outcome) add(tb testing.TB, db *sqlite3.Conn, s d1.Statement) error {
	stmt, _, err := db.Prepare(s.SQL)
	if err != nil {
		return err
	}
	defer stmt.Close()
	if n := stmt.BindCount(); n != len(s.Args) {
		tb.Fatalf("%d arguments for %d parameters of %s", len(s.Args), n, s.SQL)
	}
	for i, arg := range s.Args {
		bindPlain(tb, stmt, i+1, arg)
	}
	o.columns = nil
	for i := range stmt.ColumnCount() {
		o.columns = append(o.columns, stmt.ColumnName(i))
	}
	for stmt.Step() {
		var row []string
		for i := range stmt.ColumnCount() {
			row = append(row, fmt.Sprintf("%v %q", stmt.ColumnType(i), stmt.ColumnText(i)))
		}
		o.rows = append(o.rows, strings.Join(row, ", "))
	}
	return stmt.Err()
}

func bindPlain(tb testing.TB, stmt *sqlite3.Stmt, i int, arg any) {
	var err error
	switch arg := arg.(type) {
	case nil:
		err = stmt.BindNull(i)
	case int64:
		err = stmt.BindInt64(i, arg)
	case float64:
		err = stmt.BindFloat(i, arg)
	case string:
		err = stmt.BindText(i, arg)
	case []byte:
		err = stmt.BindBlob(i, arg)
	default:
		tb.Fatalf("argument %T", arg)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

const expandDump = "SELECT id, i, s, r, n, x, c, parent FROM t UNION ALL SELECT 0, at, what, 0, 0, 0, 0, 0 FROM log " +
	"UNION ALL SELECT 1, a, b, 0, 0, 0, 0, 0 FROM w UNION ALL SELECT 2, name, seq, 0, 0, 0, 0, 0 FROM sqlite_sequence"

// sameExpanded runs a statement whole and expanded, and compares what was done. It
// returns how many statements it was, or 0 if it was left as it is.
func sameExpanded(tb testing.TB, whole, expanded *sqlite3.Conn, sql string, args []any) int {
	tb.Helper()
	s, err := sqltext.Parse(sql)
	if err != nil {
		tb.Fatal(err)
	}
	if s.NumParams() != len(args) {
		tb.Fatalf("%s has %d parameters, not %d", sql, s.NumParams(), len(args))
	}
	statements, ok := expand(s, args)
	if !ok {
		return 0
	}
	for _, s := range statements {
		if len(s.Args) > d1.MaxParams || len(s.SQL) > d1.MaxStatementBytes {
			tb.Fatalf("%d parameters, %d bytes in %s", len(s.Args), len(s.SQL), s.SQL)
		}
	}
	want := runPlain(tb, whole, []d1.Statement{{SQL: sql, Args: args}})
	got := runPlain(tb, expanded, statements)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
		tb.Fatalf("%s\n%v\nbecame %v\n%s", sql, args, statements, diff)
	}
	dump := []d1.Statement{{SQL: expandDump}}
	if diff := cmp.Diff(runPlain(tb, whole, dump), runPlain(tb, expanded, dump), cmp.AllowUnexported(outcome{})); diff != "" {
		tb.Fatalf("after %s\n%v\nbecame %v\n%s", sql, args, statements, diff)
	}
	return len(statements)
}

func TestExpand(t *testing.T) {
	t.Parallel()
	many := func(n int, f func(i int) any) []any {
		all := make([]any, n)
		for i := range all {
			all[i] = f(i)
		}
		return all
	}
	mixed := func(i int) any {
		return []any{int64(i), float64(i) / 2, fmt.Sprint("text ", i), []byte{byte(i)}, nil, int64(math.MaxInt64), int64(i - 50)}[i%7]
	}
	texts := func(i int) any { return fmt.Sprint("t", i%173) }
	list := func(i int) any { return []any{int64(i), fmt.Sprint(i), nil, "Abc", "é\"\\\n\x00", int64(-i)}[i%6] }
	rows := func(row string, n int) string { return strings.TrimSuffix(strings.Repeat(row+", ", n), ", ") }
	for _, tt := range []struct {
		name, sql string
		args      []any
		want      int
	}{
		{"rows", "INSERT INTO t (i, s) VALUES " + rows("(?, ?)", 200), many(400, func(i int) any { return []any{int64(i), fmt.Sprint(i)}[i%2] }), 4},
		{"values of all kinds", "INSERT INTO t (i, r, n, x) VALUES " + rows("(?, ?, ?, ?)", 100), many(400, mixed), 4},
		{"literals beside", "INSERT INTO t (i, x, c) VALUES " + rows("(?, abs(-?) + 1, 'it''s ?')", 101), many(202, func(i int) any { return int64(i) }), 3},
		{"upsert with parameters", "INSERT INTO t (s, i) VALUES " + rows("(?, ?)", 150) +
			" ON CONFLICT (s) DO UPDATE SET i = t.i + excluded.i + ?, x = ? WHERE t.i > ? RETURNING id, s, i, ? + 0",
			append(many(300, func(i int) any { return []any{texts(i / 2), int64(i)}[i%2] }), int64(1), "again", int64(3), int64(4)), 4},
		{"ignore", "INSERT OR IGNORE INTO t (s) VALUES " + rows("(?)", 250), many(250, texts), 3},
		{"replace", "REPLACE INTO t (s) VALUES " + rows("(?)", 250) + " RETURNING *", many(250, texts), 3},
		{"conflict", "INSERT INTO t (s) VALUES " + rows("(?)", 250), many(250, texts), 3},
		{"numbers", "INSERT INTO t (i, x) VALUES " + rows("(?1, ?)", 120), many(121-0, func(i int) any { return int64(i) })[:121], 2},
		{"names", "INSERT INTO t (i, x) VALUES " + rows("(:a, ?)", 120) + ", (@b, $c)", many(123, func(i int) any { return int64(i) }), 2},
		{"WITHOUT ROWID", "INSERT INTO w VALUES " + rows("(?, ?)", 60) + " ON CONFLICT DO NOTHING", many(120, func(i int) any { return int64(i % 31) }), 2},
		{"a comment at the end", "INSERT INTO t (i) VALUES " + rows("(?)", 101) + " -- end", many(101, list), 2},
		{"foreign keys in order", "INSERT INTO t (id, parent) VALUES (1, NULL), " + rows("(?, 1)", 120), many(120, func(i int) any { return int64(i + 2) }), 2},
		{"one row", "INSERT INTO t (i) VALUES (" + strings.Repeat("? + ", 120) + "0)", many(120, list), 0},
		{"a table in a row", "INSERT INTO t (i) VALUES " + rows("(?)", 101) + ", ((SELECT max(i) FROM t))", many(101, list), 0},
		{"a name in RETURNING", "INSERT INTO t (i) VALUES " + rows("(?)", 101) + " RETURNING ?101", many(101, list), 0},

		{"IN", "SELECT id, s FROM t WHERE i IN (" + rows("?", 150) + ") ORDER BY id", many(150, list), 1},
		{"NOT IN", "SELECT id FROM t WHERE x NOT IN (" + rows("?", 150) + ") OR s = ? ORDER BY id", append(many(150, func(i int) any { return fmt.Sprint(i) }), "t5"), 1},
		{"two lists", "SELECT id FROM t WHERE x IN (" + rows("?", 90) + ") AND id > ? OR s IN (" + rows("?", 101) + ") ORDER BY id LIMIT ?", many(193, func(i int) any { return int64(i + 1) }), 1},
		{"both lists", "SELECT id FROM t WHERE x IN (" + rows("?", 101) + ") OR s IN (" + rows("?", 101) + ") ORDER BY id", many(202, list), 1},
		{"a number in the columns", "SELECT id, ?3 FROM t WHERE i IN (?2, " + rows("?", 120) + ")", many(123, list), 0},
		{"numbers in a list", "SELECT id, ? FROM t WHERE i IN (?2, " + rows("?", 120) + ") AND s <> ?3 AND x <> :a ORDER BY id", many(123, func(i int) any { return int64(i) }), 1},
		{"update", "UPDATE t SET x = ?, c = ? WHERE i IN (" + rows("?", 150) + ")", many(152, list), 1},
		{"delete", "DELETE FROM t WHERE s IN (" + rows("?", 150) + ") RETURNING id, s", many(150, list), 1},
		{"insert from", "INSERT INTO log (what) SELECT s FROM t WHERE i IN (" + rows("?", 150) + ")", many(150, list), 1},
		{"subquery", "SELECT id FROM t WHERE id IN (SELECT id FROM t WHERE c IN (" + rows("?", 150) + ")) ORDER BY id", many(150, list), 1},
		{"blobs in a list", "SELECT id FROM t WHERE x IN (" + rows("?", 150) + ")", many(150, func(i int) any { return []byte{byte(i)} }), 0},
		{"large integers in a list", "SELECT id FROM t WHERE x IN (" + rows("?", 150) + ")", many(150, func(i int) any { return []any{int64(math.MinInt64), int64(math.MaxInt64), int64(1<<53 + 1)}[i%3] }), 1},
		{"some blobs in a list", "SELECT id FROM t WHERE x IN (" + rows("?", 150) + ")", many(150, func(i int) any { return []any{int64(1), int64(2), []byte("-5")}[i%3] }), 1},
		{"large texts and integers", "SELECT id FROM t WHERE x IN (" + rows("?", 220) + ")", many(220, func(i int) any { return []any{int64(1), "9007199254740993"}[i%2] }), 0},
		{"reals in a list", "SELECT id FROM t WHERE x IN (" + rows("?", 150) + ")", many(150, func(int) any { return 1.5 }), 0},
		{"a list too short", "SELECT id FROM t WHERE x IN (?, ?) AND x NOT IN (1" + strings.Repeat("+?", 110) + ")", many(112, list), 0},
		{"a list in the columns", "SELECT id, i IN (" + rows("?", 150) + ") FROM t", many(150, list), 0},
		{"a list larger than a value", "SELECT id FROM t WHERE x IN (" + rows("?", 150) + ")", many(150, func(int) any { return strings.Repeat("x", 20_000) }), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			whole, expanded := plainSQLite(t, expandSchema), plainSQLite(t, expandSchema)
			for _, db := range []*sqlite3.Conn{whole, expanded} {
				fill(t, db)
			}
			if got := sameExpanded(t, whole, expanded, tt.sql, tt.args); got != tt.want {
				t.Errorf("%d statements, want %d", got, tt.want)
			}
		})
	}
}

// fill puts in rows that lists may find.
func fill(tb testing.TB, db *sqlite3.Conn) {
	tb.Helper()
	const insert = `INSERT INTO t (i, s, r, n, x, c) VALUES (1, 't1', 1, 1, 1, 'ABC'), (2, '2', 2.0, '2', '2', 'abc'), ('3x', 't5', '3', 3.5, 3.0, '5'),
		(NULL, 'É', NULL, NULL, NULL, NULL), (-5, '-5', -5, '-5', x'2D35', 'Abc'), (9007199254740991, '9007199254740991', 9007199254740991, 9007199254740992, 9007199254740993, ''),
		(9007199254740993, '9007199254740993', 9007199254740993, 1e300, '1.0', '1.0'), (0, '0', -0.0, 0.0, '', x'00'), (7, 'é"\' || char(10) || char(0), 7, 'Abc', 'Abc', 'aBC')`
	if err := db.Exec(insert); err != nil {
		tb.Fatal(err)
	}
}

// TestExpandOracle compares random statements, whole and expanded.
func TestExpandOracle(t *testing.T) {
	t.Parallel()
	n := 100
	if testing.Short() {
		n = 40
	}
	var whole, expanded *sqlite3.Conn
	done := 0
	for seed := range n {
		if seed%10 == 0 { // what was inserted makes the tables large
			whole, expanded = plainSQLite(t, expandSchema), plainSQLite(t, expandSchema)
			fill(t, whole)
			fill(t, expanded)
		}
		g := generator{rand.New(rand.NewPCG(uint64(seed), 3)), nil}
		sql := g.statement()
		if sameExpanded(t, whole, expanded, sql, g.args) > 0 {
			done++
		}
	}
	if done < n/2 {
		t.Errorf("only %d of %d were expanded", done, n)
	}
}

// generator makes statements with many parameters.
type generator struct {
	*rand.Rand
	args []any
}

func (g *generator) pick(all ...string) string { return all[g.IntN(len(all))] }

func (g *generator) statement() string {
	if g.IntN(3) == 0 {
		return g.insert()
	}
	where := g.term()
	for g.IntN(2) == 0 {
		where += g.pick(" OR ", " AND ", " AND NOT ") + g.term()
	}
	switch g.IntN(8) {
	case 0:
		return "UPDATE OR IGNORE t SET x = c WHERE " + where
	case 1:
		return "DELETE FROM t WHERE id > 9 AND (" + where + ") RETURNING id, s"
	case 2:
		return "WITH q AS (SELECT * FROM t WHERE " + where + ") SELECT *, i + 1 FROM q ORDER BY id"
	case 3:
		return "SELECT s, count(*) FROM t GROUP BY s HAVING " + strings.ReplaceAll(where, "t.", "") + " ORDER BY 1"
	}
	return "SELECT id, i, s FROM t WHERE " + where + " ORDER BY id"
}

// term is a comparison with a list, long mostly.
func (g *generator) term() string {
	left := g.pick("i", "s", "r", "n", "x", "c", "id", "+s", "i + 0", "s || ''", "CAST(x AS TEXT)", "CAST(s AS INTEGER)", "CAST(x AS REAL)",
		"lower(s)", "c COLLATE BINARY", "s COLLATE NOCASE", "(SELECT s)", "-i", "t.x", "'1'", "1", "1.0", "NULL", "coalesce(x, i)", "count(i)")
	if left == "count(i)" {
		left = "length(s)"
	}
	n := 101 + g.IntN(40)
	if g.IntN(4) == 0 {
		n = 1 + g.IntN(5)
	}
	return left + g.pick(" IN (", " NOT IN (") + g.params(n, g.listValue) + ")"
}

func (g *generator) params(n int, value func() any) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(g.pick(", ", ","))
		}
		b.WriteString("?")
		g.args = append(g.args, value())
	}
	return b.String()
}

func (g *generator) listValue() any {
	switch g.IntN(12) {
	case 0:
		if g.IntN(20) == 0 {
			return nil
		}
		return int64(1<<53 - 1 - g.IntN(3) + g.IntN(2)*g.IntN(4))
	case 1, 2, 3:
		return fmt.Sprint(g.IntN(12) - 6)
	case 4:
		return g.pick("abc", "ABC", "Abc", "", "1.0", "2.0", " 1", "1e0", "É", "é\"\\\n\x00", "t5", "3x", "9007199254740993", "-0")
	}
	return int64(g.IntN(12) - 6)
}

func (g *generator) anyValue() any {
	switch g.IntN(6) {
	case 0:
		return nil
	case 1:
		return g.NormFloat64()
	case 2:
		return []byte(g.pick("", "abc", "\x00\xff"))
	case 3:
		return int64(g.Uint64())
	}
	return g.listValue()
}

func (g *generator) insert() string {
	columns := []string{"i", "r", "n", "x", "c", "s"}[:1+g.IntN(6)]
	var b strings.Builder
	b.WriteString(g.pick("INSERT", "INSERT OR IGNORE", "INSERT OR REPLACE", "REPLACE") + " INTO t (" + strings.Join(columns, ", ") + ") VALUES ")
	for i := range 101/len(columns) + 1 + g.IntN(60) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("(" + g.params(len(columns), g.anyValue) + ")")
	}
	if g.IntN(3) == 0 {
		b.WriteString(" ON CONFLICT (s) DO UPDATE SET x = ?, n = t.n + 1")
		g.args = append(g.args, g.anyValue())
	}
	if g.IntN(2) == 0 {
		b.WriteString(" RETURNING id, *, i + 1")
	}
	return b.String()
}

// FuzzExpand changes the statements and the choice of their arguments.
func FuzzExpand(f *testing.F) {
	for seed := range uint64(20) {
		g := generator{rand.New(rand.NewPCG(seed, 4)), nil}
		f.Add(g.statement(), seed)
	}
	f.Add("SELECT id FROM t WHERE i IN (?1, ?"+strings.Repeat(", ?", 110)+") AND x = ?3", uint64(1))
	f.Add("INSERT INTO t (i) VALUES (?)"+strings.Repeat(", (:a), (?2), (?)", 110), uint64(1))
	f.Fuzz(func(t *testing.T, sql string, seed uint64) {
		s, err := sqltext.Parse(sql)
		if err != nil || len(sql) > 10_000 || s.NumParams() > 2000 || s.NumParams() <= d1.MaxParams ||
			s.Kind != sqltext.Read && s.Kind != sqltext.Write {
			return
		}
		// The clock and chance are others the second time, EXPLAIN tells of the text.
		for _, word := range []string{"random", "now", "current_", "julianday", "unixepoch", "time", "date", "explain", "sqlite_", "changes", "rowid", "total"} {
			if strings.Contains(strings.ToLower(sql), word) {
				return
			}
		}
		whole, expanded := plainSQLite(t, expandSchema), plainSQLite(t, expandSchema)
		g := generator{rand.New(rand.NewPCG(seed, 5)), nil}
		for range s.NumParams() {
			g.args = append(g.args, g.listValue())
		}
		for _, db := range []*sqlite3.Conn{whole, expanded} {
			fill(t, db)
		}
		if _, _, err := whole.Prepare(sql); err != nil {
			return // which of two errors comes first is of no interest
		}
		sameExpanded(t, whole, expanded, sql, g.args)
	})
}
