package rest_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
)

const oracleSchema = `
CREATE TABLE t (i INTEGER, r REAL, s TEXT, n NUMERIC, x);
CREATE TABLE names (v TEXT COLLATE NOCASE);
INSERT INTO t VALUES (1, 1.5, 'one', 1, 1), (2, 2.5, 'two', 2, '2'), (3, 3.5, '3', 3, x'33');
INSERT INTO names VALUES ('5'), ('a'), ('A');
CREATE INDEX t_i ON t (i);
`

// oracle are statements whose parameters stand in all the places that treat an
// expression in a way of their own.
var oracle = []struct {
	sql  string
	args []any
}{
	{"SELECT ?", []any{int64(5)}},
	{"SELECT ?, ?", []any{int64(5), int64(5)}},
	{"SELECT ?, typeof(?), ?", []any{int64(math.MinInt64), int64(math.MinInt64), "x"}},
	{"SELECT typeof(?), ? = 9223372036854775807", []any{int64(math.MaxInt64), int64(math.MaxInt64)}},
	{"SELECT ? = -9223372036854775808, CAST(? AS TEXT)", []any{int64(math.MinInt64), int64(math.MinInt64)}},
	{"SELECT CAST(? AS TEXT), ?||''", []any{int64(1<<53 + 1), int64(1<<53 + 1)}},
	{"SELECT 5-?, 5 - -?, -?, - -?, ~?, +?", []any{int64(-3), int64(-3), int64(-4), int64(4), int64(9), int64(0)}},
	{"SELECT 7/?, ?/2, ?%3, ?<<2, ?||'x'", []any{int64(2), int64(7), int64(7), int64(1), int64(1)}},
	{"SELECT NOT ?, ? ISNULL, ? NOTNULL, ? IS 5", []any{int64(0), int64(0), int64(0), int64(5)}},
	{"SELECT ?->'$', json_array(?), '[10,20,30]'->?, '[10,20,30]'->>?", []any{int64(5), int64(5), int64(1), int64(2)}},
	{"SELECT ? COLLATE NOCASE = 'A', ? BETWEEN ? AND ?", []any{int64(1), int64(2), int64(1), int64(3)}},
	{"SELECT CASE ? WHEN 1 THEN ? ELSE ? END", []any{int64(1), int64(10), int64(20)}},
	{"SELECT ?1, ?2, ?1", []any{int64(7), "b"}},
	{"SELECT ?3, ?2, ?1, ?", []any{int64(7), "b", 2.5, int64(8)}},
	{"SELECT ?3, ?1, ?3", []any{"a", int64(9), "c"}},
	{"SELECT ?2", []any{int64(1), "b"}},
	{"SELECT :a, @b, $c, :a, ?", []any{int64(1), "b", int64(3), nil}},
	{"SELECT :a, ?1, ?2, :b", []any{"a", int64(2), []byte{1, 2}}},
	{"SELECT :a,?2,:b,?4,?", []any{int64(1), "q", int64(3), "z", "y"}},
	{"SELECT :a, @b, $c, :a", []any{"x", "y", nil}},
	{"SELECT :a || :b AS c, :b, ?1, ?2, ?, :b+0", []any{"x", "y", "z"}},
	{"SELECT ?, :a, ?, :a, ?2, $a(b), $a::c", []any{"1", "2", "3", "4", "5"}},
	{"SELECT ?2, :a, ?1, :a", []any{"1", "2", "3"}},
	{"SELECT:a,:b AND@c", []any{"1", "2", "3"}},
	{"SELECT s FROM t WHERE s = :s OR s = $s OR s = @s ORDER BY s LIMIT :n", []any{"one", "two", "x", int64(5)}},
	{"INSERT INTO t (s, x) VALUES (:s, $x), (:s, @y) RETURNING :s, x, @y", []any{"one", 1.5, int64(7)}},
	{"CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET s = :s; END", []any{"x"}},
	{"CREATE VIEW w AS SELECT :a", []any{"x"}},
	{"SELECT?,?OR?AND 1", []any{int64(0), int64(0), int64(1)}},
	{"SELECT ? AS a, ? b, ? \"c d\", ? + 1, max(?, ?)", []any{int64(1), int64(2), int64(3), int64(4), int64(5), int64(6)}},
	{"SELECT  /* one */ ? /* two */ , ? -- end", []any{int64(1), "x"}},
	{"SELECT s FROM t ORDER BY ?", []any{int64(1)}},
	{"SELECT s, i FROM t ORDER BY ? DESC, i DESC", []any{int64(2)}},
	{"SELECT count(*) FROM t GROUP BY ?", []any{int64(1)}},
	{"SELECT i FROM t ORDER BY i LIMIT ? OFFSET ?", []any{int64(1), int64(1)}},
	{"SELECT i FROM t ORDER BY i LIMIT ?, ?", []any{int64(1), int64(2)}},
	{"SELECT i FROM t ORDER BY i LIMIT ?", []any{int64(-1)}},
	{"SELECT s = ?, x = ?, i = ?, n = ?, r = ? FROM t ORDER BY i", []any{int64(3), int64(2), int64(2), int64(2), int64(1)}},
	{"SELECT i FROM t WHERE x IN (?, ?) OR s IN (?) ORDER BY i", []any{int64(1), int64(2), int64(3)}},
	{"SELECT i FROM t WHERE i IN (?) ORDER BY i", []any{int64(3)}},
	{"SELECT v = ? FROM names ORDER BY rowid", []any{int64(5)}},
	{"SELECT (SELECT ?), (VALUES (?)), EXISTS (SELECT ?)", []any{int64(1), int64(2), int64(3)}},
	{"VALUES (?), (?), ('x')", []any{int64(1), int64(2)}},
	{"SELECT * FROM (SELECT ?)", []any{int64(5)}},
	{"SELECT * FROM (SELECT ? AS q) WHERE q = '5'", []any{int64(5)}},
	{"SELECT typeof(c), c = '1' FROM (SELECT i AS c FROM t UNION ALL SELECT ?) ORDER BY 1, 2", []any{int64(1)}},
	{"SELECT typeof(c), c = 1 FROM (SELECT s AS c FROM t UNION ALL SELECT ?) ORDER BY 1, 2", []any{int64(1)}},
	{"SELECT i FROM t UNION SELECT ? EXCEPT SELECT ? ORDER BY 1", []any{int64(9), int64(1)}},
	{"SELECT ? UNION SELECT ?", []any{int64(1), int64(2)}},
	{"SELECT sum(i) OVER (ORDER BY i ROWS ? PRECEDING), ntile(?) OVER (ORDER BY i) FROM t", []any{int64(1), int64(2)}},
	{"SELECT group_concat(s, ?) FROM t", []any{int64(0)}},
	{"SELECT substr('hello', ?, ?), round(2.567, ?)", []any{int64(2), int64(3), int64(1)}},
	{"SELECT value FROM json_each(?) UNION ALL SELECT ?", []any{"[1,2]", int64(3)}},
	{"WITH RECURSIVE c(n) AS (SELECT ? UNION ALL SELECT n + ? FROM c WHERE n < ?) SELECT n FROM c", []any{int64(1), int64(1), int64(4)}},
	{"SELECT i FROM t WHERE i > ? AND i < ? ORDER BY i", []any{1.0, int64(3)}},
	{"INSERT INTO t VALUES (?, ?, ?, ?, ?)", []any{int64(4), int64(4), int64(4), int64(4), int64(4)}},
	{"INSERT INTO t (x, s) VALUES (?, ?), (?, ?) RETURNING typeof(x), ?", []any{int64(1 << 60), int64(7), 1.0, 7.0, int64(5)}},
	{"UPDATE t SET x = ? WHERE i = ? RETURNING x, ?", []any{int64(77), int64(2), "z"}},
	{"INSERT INTO t SELECT ?, ?, ?, ?, ?", []any{int64(4), nil, int64(4), []byte{0, 255}, int64(-4)}},
	{"CREATE TABLE made AS SELECT ? AS a, i AS b FROM t WHERE i < ?", []any{int64(5), int64(2)}},
	// What SQLite refuses must stay refused.
	{"CREATE VIEW w AS SELECT ?", []any{int64(5)}},
	{"CREATE TABLE w (a CHECK (a > ?))", []any{int64(5)}},
	{"CREATE INDEX w ON t (i) WHERE i > ?", []any{int64(5)}},
	{"SELECT 1 WHERE 1 IN ?", []any{int64(5)}},
	{"INSERT INTO t (x) VALUES ?", []any{int64(5)}},
	{"SELECT count ?", []any{int64(5)}},
	{"SELECT ?.5", []any{int64(5)}},
	{"SELECT i FROM t ORDER BY i LIMIT ?", []any{"many"}},
}

// TestIntegersAreIntegers compares what a statement does over the wire, which
// has no integers, with what it does in SQLite with integers bound.
func TestIntegersAreIntegers(t *testing.T) {
	t.Parallel()
	for _, test := range oracle {
		t.Run(test.sql, func(t *testing.T) {
			direct, wire := newFake(t), newFake(t)
			for _, f := range []*fake{direct, wire} {
				if err := f.conn.Exec(oracleSchema); err != nil {
					t.Fatal(err)
				}
			}
			want, wantErr := runDirect(direct, test.sql, test.args)
			got, gotErr := runWire(t, wire, test.sql, test.args)
			if (gotErr == nil) != (wantErr == nil) {
				t.Fatalf("got error %v, SQLite has %v\nsent %s", gotErr, wantErr, wire.last)
			}
			if diff := differ(want, got); diff != "" {
				t.Errorf("sent %s\n%s", wire.last, diff)
			}
			const dump = "SELECT typeof(i), i, typeof(r), r, quote(s), quote(n), quote(x) FROM t UNION ALL SELECT type, name, '', '', '', '', '' FROM sqlite_master"
			before, _ := runDirect(direct, dump, nil)
			after, _ := runDirect(wire, dump, nil)
			if diff := differ(before, after); diff != "" {
				t.Errorf("the databases differ; sent %s\n%s", wire.last, diff)
			}
		})
	}
}

func differ(want, got *d1.Result) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return fmt.Sprintf("want %+v\n got %+v", want, got)
}

func runDirect(f *fake, sql string, args []any) (*d1.Result, error) {
	stmt, _, err := f.conn.Prepare(sql)
	if err != nil {
		return nil, err
	}
	defer stmt.Close()
	for i, arg := range args {
		bind(stmt, i+1, arg)
	}
	r := &d1.Result{}
	for i := range stmt.ColumnCount() {
		r.Columns = append(r.Columns, stmt.ColumnName(i))
	}
	for stmt.Step() {
		row := make([]any, stmt.ColumnCount())
		for i := range row {
			row[i] = onWire(stmt, i)
		}
		r.Rows = append(r.Rows, row)
	}
	if err := stmt.Err(); err != nil {
		return nil, err
	}
	return r, nil
}

// onWire is a value after JavaScript had it.
func onWire(stmt *sqlite3.Stmt, i int) any {
	switch v := cell(stmt, i).(type) {
	case float64:
		switch {
		case v == math.Trunc(v) && math.Abs(v) <= 1<<53:
			return int64(v)
		case v == math.Trunc(v) && math.Abs(v) <= 1<<63:
			return "rounded"
		}
		return v
	case []int:
		return fmt.Sprint(v)
	default:
		return v
	}
}

func runWire(t *testing.T, f *fake, sql string, args []any) (*d1.Result, error) {
	db := d1.New(open(t, f))
	results, err := db.Query(t.Context(), sql, args...)
	if err != nil {
		return nil, err
	}
	r := &d1.Result{Columns: append([]string(nil), results.Columns()...)}
	for results.Next() {
		row := make([]any, len(r.Columns))
		for i, v := range results.Row() {
			row[i], err = v.Any()
			if _, rounded := errors.AsType[*d1.InexactError](err); rounded {
				row[i] = "rounded"
			}
			if b, ok := row[i].([]byte); ok {
				row[i] = fmt.Sprint(b)
			}
		}
		r.Rows = append(r.Rows, row)
	}
	if err := results.Close(); err != nil {
		return nil, err
	}
	return r, nil
}

func TestOffsetsAreTheCallers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		sql  string
		args []any
		want string // the text at the offset
	}{
		{"SELECT ?, nope", []any{int64(1)}, "nope"},
		{"SELECT nope, ?", []any{int64(1)}, "nope"},
		{"SELECT ?OR?OR nope", []any{int64(100), int64(-1 << 60)}, "nope"},
		{"SELECT ?3, ?2, ?1, nope", []any{"a", int64(1), int64(2)}, "nope"},
		{"SELECT ? ? FROM t", []any{int64(1), int64(1)}, "? FROM t"},
		{"SELECT 'x', nope", nil, "nope"},
		{"SELECT :long, $names, :long, nope", []any{"a", nil}, "nope"},
	} {
		_, err := d1.New(open(t, newFake(t))).All(t.Context(), test.sql, test.args...)
		e, ok := errors.AsType[*d1.Error](err)
		if !ok || e.Offset < 0 || e.Offset > len(test.sql) {
			t.Errorf("%s: %v", test.sql, err)
			continue
		}
		if got := test.sql[e.Offset:]; !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: the offset is at %q, not %q (%v)", test.sql, got, test.want, err)
		}
		if want := fmt.Sprintf(" at offset %d: SQLITE_ERROR", e.Offset); !strings.HasSuffix(e.Message, want) {
			t.Errorf("%s: the message %q names another offset than %d", test.sql, e.Message, e.Offset)
		}
		if e.Statement != 0 || e.APICode != 7500 || e.HTTPStatus != 400 || e.RayID != "8f00-SIN" || e.Outcome != d1.OutcomeRefused {
			t.Errorf("%s: got %+v", test.sql, e)
		}
	}
}

// TestOffsetInBatch: nothing says which statement the offset is in.
func TestOffsetInBatch(t *testing.T) {
	t.Parallel()
	db := d1.New(open(t, newFake(t)))
	_, err := db.Batch(t.Context(), db.Prepare("SELECT ?").Bind(1), db.Prepare("SELECT nope"))
	e, _ := errors.AsType[*d1.Error](err)
	if e == nil || e.Offset != -1 || e.Message != "no such column: nope: SQLITE_ERROR" {
		t.Errorf("got %v", err)
	}
	_, err = db.Batch(t.Context(), db.Prepare("SELECT ?").Bind("x"), db.Prepare("SELECT nope"))
	e, _ = errors.AsType[*d1.Error](err)
	if e == nil || e.Offset != 7 || e.Statement != -1 {
		t.Errorf("got %v", err)
	}
}

func TestTextGrowsTooLong(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	db := d1.New(open(t, f))
	sql := "SELECT ? /*" + strings.Repeat("x", d1.MaxStatementBytes-20) + "*/"
	if _, err := db.All(t.Context(), sql, 1); err != nil {
		t.Fatal(err)
	}
	f.last = ""
	_, err := db.All(t.Context(), sql, int64(math.MinInt64))
	e, ok := errors.AsType[*d1.Error](err)
	if !ok || !d1.Unsent(err) || e.Code != 18 || f.last != "" {
		t.Errorf("got %v", err)
	}
}
