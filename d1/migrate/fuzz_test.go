package migrate

import (
	"strings"
	"testing"
)

// FuzzUnit reads hostile migrations: whatever they hold, their statements are where they
// say, and what follows the schema comes to an end.
func FuzzUnit(f *testing.F) {
	for _, text := range []string{
		"CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p ON DELETE CASCADE, q REFERENCES c ON DELETE SET NULL); DROP TABLE p",
		"CREATE TABLE c (a, CONSTRAINT x FOREIGN KEY (a) REFERENCES c (b) ON UPDATE CASCADE ON DELETE CASCADE); ALTER TABLE c RENAME TO d; DELETE FROM d",
		"\ufeffALTER TABLE a ADD COLUMN b REFERENCES; REPLACE INTO", "CREATE VIRTUAL TABLE x USING", "PRAGMA", "CREATE TABLE", "DROP TABLE IF", "WITH a AS (", "'",
		"CREATE TABLE a (b REFERENCES a ON DELETE", "CREATE TEMP TABLE a.b (c); DELETE FROM a.b; UPDATE OR REPLACE b SET c = 1", "\u00a0;\u2028",
	} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		s := newSchema()
		for _, text := range []string{first, second} {
			u, err := newUnit(Record{1, "x"}, text)
			if err != nil {
				continue
			}
			for _, st := range u.up {
				if text[st.Start:st.End] != st.Text || strings.Trim(st.Text, jsSpace) != st.Text {
					t.Fatalf("a statement of %q is %q, which is not at %d", text, st.Text, st.Start)
				}
			}
			for _, p := range u.check() {
				if p.Offset > len(text) || p.Error() == "" {
					t.Fatalf("%+v", p)
				}
			}
			g := s.watch(u.up)
			if len(g.before()) > 2 || len(g.losses) != len(g.counts) {
				t.Fatalf("%+v", g)
			}
			for i := range g.losses {
				if got, ok := g.lossIn("bad JSON path: '" + lost + " " + string(rune('0'+i%10)) + " 12 7': SQLITE_ERROR"); ok && (got.Before != 12 || got.After != 7) {
					t.Fatalf("%+v", got)
				}
			}
		}
	})
}
