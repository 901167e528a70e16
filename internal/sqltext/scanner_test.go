package sqltext_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// scanAll reads a script in pieces of a few bytes.
func scanAll(t *testing.T, script string, chunk int) []sqltext.Statement {
	t.Helper()
	s := sqltext.NewScannerSize(strings.NewReader(script), chunk)
	var all []sqltext.Statement
	for {
		st, err := s.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("scanning %q in pieces of %d: %v", script, chunk, err)
		}
		if want := 1 + strings.Count(script[:st.Start+st.VerbStart], "\n"); s.Line(st) != want {
			t.Fatalf("%q is on line %d, want %d", st.Text, s.Line(st), want)
		}
		all = append(all, st)
	}
}

func sameAsSplit(t *testing.T, script string, chunk int) {
	t.Helper()
	if diff := cmp.Diff(sqltext.Split(script), scanAll(t, script, chunk)); diff != "" {
		t.Fatalf("script %q in pieces of %d (-split +scanned):\n%s", script, chunk, diff)
	}
}

var scanned = []string{
	"", ";", " ;; ", "-- c", "SELECT 1; -- c", "\ufeffSELECT 1;\ufeff", "SELECT 1;\x00;",
	"SELECT 'it''s; a' , \"b;\" -- c;\n, [d;], `e;`; /* f; */ SELECT x'00', 1e+5, 1.5e, a->>'b', $c::d(e;f);",
	audit + "; INSERT INTO t VALUES ('\r\n'); " + strings.ToLower(audit),
	"PRAGMA main.foreign_keys = OFF;PRAGMA foreign_keys", "SELECT ?1, :a, @b, :a; SELECT 'open", "SELECT /* open; ",
	"EXPLAIN QUERY PLAN WITH a AS (SELECT ';') SELECT * FROM a; END",
}

func TestScannerCutsAsSplitDoes(t *testing.T) {
	t.Parallel()
	for _, script := range scanned {
		for chunk := 1; chunk < 40; chunk++ {
			sameAsSplit(t, script, chunk)
		}
	}
}

func FuzzScanner(f *testing.F) {
	for _, script := range scanned {
		f.Add(script, byte(3))
	}
	f.Fuzz(func(t *testing.T, script string, chunk byte) { sameAsSplit(t, script, max(int(chunk), 1)) })
}

func TestScannerErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	long := "SELECT 1;\nSELECT '" + strings.Repeat("x", 200_000) + "';"
	tests := []struct {
		name   string
		script io.Reader
		max    int
		before int // statements
		want   error
	}{
		{"a statement too long", strings.NewReader(long), 1000, 1, sqltext.ErrLong},
		{"a statement that never ends", strings.NewReader(long[:len(long)-2]), 1000, 1, sqltext.ErrLong},
		{"a little too long", strings.NewReader("SELECT 12"), 8, 0, sqltext.ErrLong},
		{"long enough", strings.NewReader("SELECT 1;"), 8, 1, io.EOF},
		{"a reader that breaks", io.MultiReader(strings.NewReader("SELECT 1"), iotest.ErrReader(broken)), 0, 0, broken},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := sqltext.NewScanner(test.script, test.max)
			n := 0
			_, err := s.Next()
			for ; err == nil; _, err = s.Next() {
				n++
			}
			if n != test.before || err != test.want {
				t.Errorf("%d statements and then %v, want %d and %v", n, err, test.before, test.want)
			}
			if _, again := s.Next(); again != err {
				t.Errorf("then %v, want the same error", again)
			}
		})
	}
}
