package d1_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1test"
)

type base struct {
	ID      int64
	Created time.Time `d1:"created_at"`
}

type inner struct{ Deep, Score int }

type named struct {
	inner
	Label string
}

type user struct {
	base
	named
	FullName string
	Email    *string
	Admin    bool
	Nick     sql.NullString
	Score    float64 // hides inner.Score
	Label    string  // hides named.Label
	Hidden   string  `d1:"-"`
	Raw      d1.Value
	private  int
}

const userRow = `SELECT 7 AS id, '2026-01-02 03:04:05' AS created_at, 'Ada' AS full_name, NULL AS email,
	1 AS ADMIN, 'a' AS nick, 1.5 AS score, 'outer' AS label, 3 AS deep, x'01' AS raw`

func wantUser() user {
	u := user{base: base{ID: 7, Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, FullName: "Ada", Admin: true,
		Nick: sql.NullString{String: "a", Valid: true}, Score: 1.5, Label: "outer", Raw: d1.Blob([]byte{1})}
	u.Deep = 3
	u.private = 0 // no column reaches it
	return u
}

func TestStructs(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), d1test.Open(t)
	same := cmp.AllowUnexported(user{}, base{}, named{}, inner{}, d1.Value{})
	first, err := d1.First[user](ctx, db, userRow)
	if diff := cmp.Diff(wantUser(), first, same); err != nil || diff != "" {
		t.Error(err, diff)
	}
	all, err := d1.All[user](ctx, db, userRow+" UNION ALL "+userRow)
	if diff := cmp.Diff([]user{wantUser(), wantUser()}, all, same); err != nil || diff != "" {
		t.Error(err, diff)
	}
	result, err := db.All(ctx, userRow)
	if err != nil {
		t.Fatal(err)
	}
	into, err := d1.Into[user](result)
	if diff := cmp.Diff([]user{wantUser()}, into, same); err != nil || diff != "" {
		t.Error(err, diff)
	}
	maps, err := d1.All[map[string]any](ctx, db, "SELECT 1 AS a, NULL AS b, 'x' AS c, 2 AS a")
	if diff := cmp.Diff([]map[string]any{{"a": int64(2), "b": nil, "c": "x"}}, maps); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, tt := range []struct{ sql, want string }{
		{"SELECT 1 AS id, 2 AS nope", "has no field for column 2 (nope)"},
		{"SELECT 1 AS hidden", "has no field"},
		{"SELECT 1 AS private", "has no field"},
		{"SELECT 'x' AS id", "column 1 (id): a text is no integer"},
		{"SELECT 1 AS id, NULL AS full_name", "column 2 (full_name): NULL does not fit"},
	} {
		if _, err := d1.All[user](ctx, db, tt.sql); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.sql, err, tt.want)
		}
		if _, err := d1.First[user](ctx, db, tt.sql); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("First: %s: error %v, want %q", tt.sql, err, tt.want)
		}
	}
}

func TestSingleValues(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), d1test.Open(t)
	if got, err := d1.All[int](ctx, db, "VALUES (1), (2)"); err != nil || !cmp.Equal(got, []int{1, 2}) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := d1.All[time.Time](ctx, db, "SELECT '2026-01-02'"); err != nil || got[0].Day() != 2 {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := d1.All[sql.NullInt64](ctx, db, "SELECT NULL"); err != nil || got[0].Valid {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := d1.All[*string](ctx, db, "VALUES (NULL), ('x')"); err != nil || got[0] != nil || *got[1] != "x" {
		t.Errorf("got %v, %v", got, err)
	}
	values, err := d1.All[d1.Value](ctx, db, "VALUES ('first'), ('other')")
	if err != nil || string(values[0].Bytes()) != "first" || string(values[1].Bytes()) != "other" {
		t.Errorf("got %v, %v", values, err)
	}
	if got, err := d1.All[int](ctx, db, "SELECT 1 WHERE 0"); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := d1.All[int](ctx, db, "CREATE TABLE t (a)"); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := d1.All[int](ctx, db, "SELECT 1, 2"); err == nil || !strings.Contains(err.Error(), "returns 2 columns") {
		t.Errorf("error %v", err)
	}
	for _, sql := range []string{"SELECT 1 WHERE 0", "DELETE FROM t"} {
		if _, err := d1.First[int](ctx, db, sql); err != d1.ErrNoRows {
			t.Errorf("%s: error %v", sql, err)
		}
	}
	if _, err := d1.First[int](ctx, db, "SELECT nope"); err == nil || errors.Is(err, d1.ErrNoRows) {
		t.Errorf("error %v", err)
	}
	var a, b int
	if err := db.First(ctx, "SELECT 1, 2, 3").Scan(&a, &b); err == nil || !strings.Contains(err.Error(), "3 columns") {
		t.Errorf("error %v", err)
	}
}

func TestEach(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	db := d1test.Open(t)
	for name, sql := range map[string]string{
		"compiling": "SELECT nope", "running": "VALUES (1), (json('no'))", "converting": "VALUES (1), ('x')",
	} {
		var got []int
		var failed error
		for n, err := range d1.Each[int](ctx, db, sql) {
			if failed != nil {
				t.Errorf("%s: something comes after the error", name)
			}
			if failed = err; err == nil {
				got = append(got, n)
			} else if n != 0 {
				t.Errorf("%s: %d comes with the error", name, n)
			}
		}
		if failed == nil {
			t.Errorf("%s: no error after %v", name, got)
		}
	}
	stmt := db.Prepare("SELECT ? + ?")
	one, two := stmt.Bind(1, 0), stmt.Bind(1, 1)
	for want, s := range map[int64]*d1.Stmt{1: one, 2: two} {
		var n int64
		if err := s.First(ctx).Scan(&n); err != nil || n != want {
			t.Errorf("got %d, %v; want %d", n, err, want)
		}
		results, err := s.Raw(ctx)
		if err != nil || !results.Next() || results.Scan(&n) != nil || n != want || results.Close() != nil {
			t.Errorf("raw: %d, %v", n, err)
		}
		if all, err := s.All(ctx); err != nil || all.Rows[0][0] != want {
			t.Errorf("all: %v, %v", all, err)
		}
		if _, err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	}
	if err := db.Ping(ctx); err != nil {
		t.Error(err)
	}
}
