package dbdiff

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNormal(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		a, b string
		same bool
	}{
		"space and comments": {"CREATE TABLE t(a,b)", "create table t ( a /* first */, b\n) -- all", true},
		"quotes of names":    {`CREATE TABLE "t" ([a])`, "CREATE TABLE t (`a`)", true},
		"if not exists":      {"CREATE TABLE IF NOT EXISTS t (a)", "CREATE TABLE t (a)", true},
		"the schema's name":  {"CREATE UNIQUE INDEX IF NOT EXISTS main.i ON t (a)", "CREATE UNIQUE INDEX i ON t(a)", true},
		"a text":             {"CREATE TABLE t (a DEFAULT 'x')", "CREATE TABLE t (a DEFAULT 'X')", false},
		"a name and a text":  {`CREATE TABLE t (a DEFAULT "x")`, "CREATE TABLE t (a DEFAULT 'x')", false},
		"a type":             {"CREATE TABLE t (a INT)", "CREATE TABLE t (a INTEGER)", false},
		"order":              {"CREATE TABLE t (a, b)", "CREATE TABLE t (b, a)", false},
		"words that meet":    {"CREATE TABLE t (ab c)", "CREATE TABLE t (a bc)", false},
		"a trigger's end":    {"CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END", "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1;SELECT 2;END", true},
		"a trigger's pieces": {"CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END", "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1 SELECT 2; END", false},
		"nothing":            {"", "CREATE", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if same := Normal(tt.a) == Normal(tt.b); same != tt.same {
				t.Errorf("%q and %q", Normal(tt.a), Normal(tt.b))
			}
		})
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	a := open(t, `CREATE TABLE same (a, b); CREATE TABLE gone (a); CREATE TABLE changed (a INT, b);
		CREATE INDEX i ON same (a); CREATE VIEW v AS SELECT a FROM same; CREATE TABLE letters (userId);
		CREATE VIRTUAL TABLE f USING fts5(x); CREATE TRIGGER r AFTER INSERT ON same BEGIN SELECT 1; END; ANALYZE`)
	b := open(t, `create table "same" (a , b); CREATE TABLE changed (a INTEGER, b);
		CREATE INDEX i ON same (a, b); CREATE VIEW v AS SELECT a FROM same; CREATE TABLE letters (userid);
		CREATE VIRTUAL TABLE f USING fts5(x); CREATE TRIGGER r AFTER INSERT ON same BEGIN SELECT 1; END; CREATE TABLE made (id INTEGER PRIMARY KEY AUTOINCREMENT)`)
	want := []Change{
		{"table", "gone", "CREATE TABLE gone (a)", ""},
		{"table", "changed", "CREATE TABLE changed (a INT, b)", "CREATE TABLE changed (a INTEGER, b)"},
		{"index", "i", "CREATE INDEX i ON same (a)", "CREATE INDEX i ON same (a, b)"},
		{"table", "letters", "CREATE TABLE letters (userId)", "CREATE TABLE letters (userid)"},
		{"table", "made", "", "CREATE TABLE made (id INTEGER PRIMARY KEY AUTOINCREMENT)"},
	}
	if diff := cmp.Diff(want, Compare(load(t, a), load(t, b))); diff != "" {
		t.Error(diff)
	}
	if changes := Compare(load(t, a), load(t, a)); len(changes) > 0 {
		t.Errorf("the database differs from itself: %v", changes)
	}
	tables := func(d *Database) (names []string) {
		for _, tab := range d.Tables {
			names = append(names, tab.Name)
		}
		return names
	}
	if diff := cmp.Diff([]string{"same", "changed", "letters", "f", "made", "sqlite_sequence"}, tables(load(t, b))); diff != "" {
		t.Error(diff)
	}
}
