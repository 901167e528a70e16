package inline_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/internal/inline"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// TestIntegers shows the forms. That they mean what a bound integer means is tested
// against SQLite in package d1/rest.
func TestIntegers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, sql string
		args      []any
		want      string
		left      []any
	}{
		{"alone", "SELECT ?", []any{int64(5)}, "SELECT ~-6", nil},
		{"beside others", "SELECT ?, ?, ?", []any{"a", int64(5), nil}, "SELECT ?, ~-6, ?", []any{"a", nil}},
		{"smallest", "SELECT ?", []any{int64(math.MinInt64)}, "SELECT ~9223372036854775807", nil},
		{"numbered", "SELECT ?2, ?1", []any{int64(1), "b"}, "SELECT ?1, ~-2", []any{"b"}},
		{"grows together", "SELECT?OR 1", []any{int64(1)}, "SELECT~-2 OR 1", nil},
		{"compound", "SELECT ? UNION SELECT 1", []any{int64(1)}, "SELECT CASE WHEN 1 THEN ~-2 ELSE '' END UNION SELECT 1", nil},
		{"no integers", "SELECT ?", []any{1.5}, "SELECT ?", []any{1.5}},
		{"no place for a literal", "CREATE VIEW v AS SELECT ?", []any{int64(1)}, "CREATE VIEW v AS SELECT ?", []any{int64(1)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			parsed, err := sqltext.Parse(tt.sql)
			if err != nil {
				t.Fatal(err)
			}
			got, err := inline.Integers(parsed, tt.args)
			if err != nil {
				t.Fatal(err)
			}
			if got.SQL != tt.want || got.Edited() != (tt.sql != tt.want) {
				t.Errorf("got %s (edited %t), want %s", got.SQL, got.Edited(), tt.want)
			}
			if diff := cmp.Diff(tt.left, got.Args); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOriginal(t *testing.T) {
	t.Parallel()
	parsed, err := sqltext.Parse("SELECT ? + nope")
	if err != nil {
		t.Fatal(err)
	}
	s, err := inline.Integers(parsed, []any{int64(1000)})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Original(len("SELECT ~-1001 + ")); got != len("SELECT ? + ") {
		t.Errorf("the offset is %d", got)
	}
	if name, _ := s.Column("~-1001 + nope", 0); name != "? + nope" {
		t.Errorf("the column is named %s", name)
	}
}
