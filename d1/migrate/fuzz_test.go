package migrate

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
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

// FuzzSources reads hostile folders as each tool's: it gives migrations in order, each with a
// text of its own, or an error.
func FuzzSources(f *testing.F) {
	f.Add("0001_a.sql", "CREATE TABLE a (b)", "0002_b.sql", "CREATE TABLE b (c)", `{"dialect":"sqlite","entries":[{"idx":0,"when":1,"tag":"0001_a"},{"idx":1,"when":2,"tag":"0002_b"}]}`)
	f.Add("20260101000000_x/migration.sql", "SELECT 1", "1_a.down.sql", "DROP TABLE a", "")
	f.Add("99999999999999999999_a.sql", "SELECT 1;--> statement-breakpoint\nSELECT 2", "_.sql", "", `{"entries":[{"tag":"../../etc/passwd"}]}`)
	f.Add("down/0001_a.down.sql", "'", "0001_a.sql", "\x00", `{"dialect":"mysql"}`)
	f.Add("a b%\n.sql", "\ufeff", ".hidden.sql", "/*", `{"entries":[{"idx":1,"when":-1,"tag":""},{"idx":1,"when":-1,"tag":""}]}`)
	f.Fuzz(func(t *testing.T, name1, text1, name2, text2, journal string) {
		folder := fstest.MapFS{}
		for name, text := range map[string]string{name1: text1, name2: text2} {
			if fs.ValidPath(name) && name != "." {
				folder[name] = &fstest.MapFile{Data: []byte(text)}
			}
		}
		if journal != "" {
			folder["meta/_journal.json"] = &fstest.MapFile{Data: []byte(journal)}
		}
		for kind, source := range map[string]Source{"files": Files(folder), "wrangler": Wrangler(folder, ""), "drizzle": Drizzle(folder)} {
			set, err := source.load()
			if err != nil {
				if err.Error() == "" {
					t.Errorf("%s: an error without a text", kind)
				}
				continue
			}
			for _, u := range set.units {
				for _, st := range u.up {
					if strings.TrimSpace(st.Text) == "" {
						t.Errorf("%s: an empty statement in %v", kind, u)
					}
				}
			}
		}
	})
}
