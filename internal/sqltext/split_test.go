package sqltext_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// pieces returns the texts of a script's statements, trimmed. An unterminated
// one has a tilde behind it.
func pieces(script string) []string {
	var all []string
	for _, st := range sqltext.Split(script) {
		text := strings.TrimSpace(st.Text)
		if !st.Terminated {
			text += "~"
		}
		all = append(all, text)
	}
	return all
}

const audit = "CREATE TRIGGER posts_audit AFTER INSERT ON posts\nBEGIN\n" +
	"    INSERT INTO audit (post_id, label) VALUES (NEW.id, CASE WHEN NEW.id > 0 THEN 'positive' ELSE 'other' END);\nEND"

func TestSplit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		script string
		want   []string
	}{
		{"nothing", "", nil},
		{"white space", " \r\n\t", nil},
		{"only comments", "-- a;\n/* b; */ -- c", nil},
		{"byte order mark", "\ufeff", nil},
		{"one", "SELECT 1", []string{"SELECT 1~"}},
		{"one terminated", "SELECT 1;", []string{"SELECT 1"}},
		{"white space behind", "SELECT 1;  \n", []string{"SELECT 1"}},
		{"comment behind", "SELECT 1; -- c", []string{"SELECT 1", "-- c~"}},
		{"comment behind without semicolon", "select 1 -- trailing", []string{"select 1 -- trailing~"}},
		{"comment before", "-- a; b\nSELECT 1;", []string{"-- a; b\nSELECT 1"}},
		{"semicolon", ";", []string{""}},
		{"two semicolons", "SELECT 1;;", []string{"SELECT 1", ""}},
		{"comment between semicolons", ";/* a */;", []string{"", "/* a */"}},
		{"two", "SELECT 1; SELECT 2", []string{"SELECT 1", "SELECT 2~"}},
		{"in a string", "INSERT INTO c VALUES ('a;b'';');x", []string{"INSERT INTO c VALUES ('a;b'';')", "x~"}},
		{"in quotes", "SELECT \"a;\", `b;`, [c;];x", []string{"SELECT \"a;\", `b;`, [c;]", "x~"}},
		{"in comments", "SELECT /* a; */ 1 -- b;\n;x", []string{"SELECT /* a; */ 1 -- b;", "x~"}},
		{"in a parameter", "SELECT $a(b;c);x", []string{"SELECT $a(b;c)", "x~"}},
		{"in parentheses", "SELECT (1;2)", []string{"SELECT (1", "2)~"}},
		{"quote in a comment", "SELECT 1 -- it's\n; SELECT 2", []string{"SELECT 1 -- it's", "SELECT 2~"}},
		{"comment in a string", "SELECT '--'; SELECT '/*'; x", []string{"SELECT '--'", "SELECT '/*'", "x~"}},
		{"open string", "SELECT 'a; SELECT 2;", []string{"SELECT 'a; SELECT 2;~"}},
		{"open comment", "SELECT 1; /* a; b;", []string{"SELECT 1", "/* a; b;~"}},
		{"stray string", "SELECT 1; 'stray string'", []string{"SELECT 1", "'stray string'~"}},
		{"CRLF", "SELECT 1;\r\nSELECT 2;\r\n", []string{"SELECT 1", "SELECT 2"}},
		{"NUL", "SELECT 1;\x00", []string{"SELECT 1", "\x00~"}},
		{"transaction and case", "BEGIN; SELECT CASE a WHEN 1 THEN 2 END; END; x",
			[]string{"BEGIN", "SELECT CASE a WHEN 1 THEN 2 END", "END", "x~"}},

		{"trigger", audit + "; DROP TABLE posts;", []string{audit, "DROP TABLE posts"}},
		{"trigger lower case", strings.ToLower(audit) + ";x", []string{strings.ToLower(audit), "x~"}},
		{"trigger CRLF", strings.ReplaceAll(audit, "\n", "\r\n") + "\r\n;\r\nx",
			[]string{strings.ReplaceAll(audit, "\n", "\r\n"), "x~"}},
		{"trigger at the end", audit, []string{audit + "~"}},
		{"trigger in one line", "create trigger a after insert on b begin select 1; select 2; end; x",
			[]string{"create trigger a after insert on b begin select 1; select 2; end", "x~"}},
		{"trigger with comments", "CREATE /* a; */ TRIGGER a --;\nAFTER INSERT ON b BEGIN --;\n SELECT 1; /*;*/ END /*;*/ ; x",
			[]string{"CREATE /* a; */ TRIGGER a --;\nAFTER INSERT ON b BEGIN --;\n SELECT 1; /*;*/ END /*;*/", "x~"}},
		{"temporary trigger", "CREATE TEMP TRIGGER a DELETE ON b BEGIN SELECT 1; END; x",
			[]string{"CREATE TEMP TRIGGER a DELETE ON b BEGIN SELECT 1; END", "x~"}},
		{"temporary trigger, long form", "CREATE TEMPORARY TRIGGER IF NOT EXISTS a DELETE ON b BEGIN SELECT 1; END; x",
			[]string{"CREATE TEMPORARY TRIGGER IF NOT EXISTS a DELETE ON b BEGIN SELECT 1; END", "x~"}},
		{"explained trigger", "EXPLAIN CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; END; x",
			[]string{"EXPLAIN CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; END", "x~"}},
		{"explained trigger, query plan", "EXPLAIN QUERY PLAN CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; END; x",
			[]string{"EXPLAIN QUERY PLAN CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; END", "x~"}},
		{"trigger with nested case", "CREATE TRIGGER a DELETE ON b BEGIN SELECT CASE WHEN CASE 1 WHEN 1 THEN 2 END THEN 3 END; SELECT 1; END; x",
			[]string{"CREATE TRIGGER a DELETE ON b BEGIN SELECT CASE WHEN CASE 1 WHEN 1 THEN 2 END THEN 3 END; SELECT 1; END", "x~"}},
		{"trigger with when case", "CREATE TRIGGER a DELETE ON b WHEN CASE old.x WHEN 1 THEN 1 END BEGIN SELECT 1; END; x",
			[]string{"CREATE TRIGGER a DELETE ON b WHEN CASE old.x WHEN 1 THEN 1 END BEGIN SELECT 1; END", "x~"}},
		{"trigger with column end", "CREATE TRIGGER a DELETE ON b BEGIN SELECT old.end; SELECT end FROM b; SELECT 1 end; END; x",
			[]string{"CREATE TRIGGER a DELETE ON b BEGIN SELECT old.end; SELECT end FROM b; SELECT 1 end; END", "x~"}},
		{"trigger with quoted end", "CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; \"end\"; [end]; `end`; 'end'; END; x",
			[]string{"CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; \"end\"; [end]; `end`; 'end'; END", "x~"}},
		{"trigger on a table begin", "CREATE TRIGGER begin UPDATE OF end ON begin BEGIN SELECT 1; END; x",
			[]string{"CREATE TRIGGER begin UPDATE OF end ON begin BEGIN SELECT 1; END", "x~"}},
		{"trigger called end", "CREATE TRIGGER end AFTER INSERT ON t BEGIN SELECT 1; END; x",
			[]string{"CREATE TRIGGER end AFTER INSERT ON t BEGIN SELECT 1; END", "x~"}},
		{"end with a tail", "CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; END_; SELECT 2; END; x",
			[]string{"CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; END_; SELECT 2; END", "x~"}},
		{"trigger without body", "CREATE TRIGGER a; x", []string{"CREATE TRIGGER a", "x~"}},
		{"trigger with empty body", "CREATE TRIGGER a DELETE ON b BEGIN END; x",
			[]string{"CREATE TRIGGER a DELETE ON b BEGIN END", "x~"}},
		{"trigger without last semicolon", "CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; END x; y",
			[]string{"CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; END x", "y~"}},
		{"two triggers", "CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; END; CREATE TRIGGER c DELETE ON b BEGIN SELECT 1; END;",
			[]string{"CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; END", "CREATE TRIGGER c DELETE ON b BEGIN SELECT 1; END"}},
		{"table called trigger", "CREATE TABLE trigger (begin); x", []string{"CREATE TABLE trigger (begin)", "x~"}},
		{"quoted trigger", "CREATE \"TRIGGER\" a BEGIN; x", []string{"CREATE \"TRIGGER\" a BEGIN", "x~"}},
		{"drop trigger", "DROP TRIGGER begin; x", []string{"DROP TRIGGER begin", "x~"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := pieces(tt.script); !slices.Equal(got, tt.want) {
				t.Errorf("Split(%q)\n got %q\nwant %q", tt.script, got, tt.want)
			}
		})
	}
}

func TestSplitRanges(t *testing.T) {
	t.Parallel()
	const script = " SELECT 1 ;\n-- a\nSELECT ?;  "
	got := sqltext.Split(script)
	if len(got) != 2 {
		t.Fatalf("got %d statements", len(got))
	}
	for _, st := range got {
		if script[st.Start:st.End] != st.Text || !st.Terminated || script[st.End] != ';' {
			t.Errorf("range %d to %d does not hold %q", st.Start, st.End, st.Text)
		}
	}
	if got[1].Text != "\n-- a\nSELECT ?" {
		t.Errorf("white space and comments are not kept: %q", got[1].Text)
	}
	if p := got[1].Params[0]; got[1].Text[p.Start:p.End] != "?" {
		t.Errorf("the parameter is at %d to %d", p.Start, p.End)
	}
	if v := got[1].VerbStart; got[1].Text[v:v+6] != "SELECT" {
		t.Errorf("the verb is at %d", v)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, sql, want string
		err             error
	}{
		{"plain", "SELECT 1", "SELECT 1", nil},
		{"semicolon", "SELECT 1;", "SELECT 1", nil},
		{"comment behind", "SELECT 1; -- trailing; comment", "SELECT 1", nil},
		{"open comment behind", "SELECT 1; /* trailing; ", "SELECT 1", nil},
		{"comment before", "/* a; */ SELECT 1", "/* a; */ SELECT 1", nil},
		{"trigger", audit + " ; ", audit + " ", nil},
		{"refused by SQLite", "no such statement", "no such statement", nil},
		{"nothing", "", "", sqltext.ErrNone},
		{"comment", "-- a", "", sqltext.ErrNone},
		{"semicolons", " ; -- a\n ;", "", sqltext.ErrNone},
		{"two", "SELECT 1; SELECT 2", "", sqltext.ErrMany},
		{"two semicolons", "SELECT 1;;", "", sqltext.ErrMany},
		{"semicolon before", ";SELECT 1", "", sqltext.ErrMany},
		{"stray string", "SELECT 1; 'stray string'", "", sqltext.ErrMany},
		{"NUL behind", "SELECT 1;\x00", "", sqltext.ErrMany},
		{"trigger and more", audit + "; DROP TABLE posts;", "", sqltext.ErrMany},
		{"commented trigger and more", strings.Replace(audit, "CREATE", "CREATE /* audit hook */", 1) + "; DROP TABLE posts;", "", sqltext.ErrMany},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := sqltext.Parse(tt.sql)
			if got.Text != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("Parse(%q) = %q, %v; want %q, %v", tt.sql, got.Text, err, tt.want, tt.err)
			}
		})
	}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, sql string
		want      bool
	}{
		{"nothing", "", false},
		{"comment", "-- a", false},
		{"semicolon", ";", true},
		{"no semicolon", "SELECT 1", false},
		{"semicolon in a string", "SELECT ';", false},
		{"semicolon in a comment", "SELECT 1 -- ;", false},
		{"complete", "SELECT 1;", true},
		{"comment behind", "SELECT 1; -- a", true},
		{"open comment behind", "SELECT 1; /* a", false},
		{"second open", "SELECT 1; SELECT", false},
		{"trigger in its body", "CREATE TRIGGER a DELETE ON b BEGIN SELECT 1;", false},
		{"trigger without semicolon", "CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; END", false},
		{"trigger", "CREATE TRIGGER a DELETE ON b BEGIN SELECT 1; END;", true},
		{"trigger with case", "CREATE TRIGGER a DELETE ON b BEGIN SELECT CASE 1 WHEN 1 THEN 2 END;", false},
	}
	for _, tt := range tests {
		if got := sqltext.Complete(tt.sql); got != tt.want {
			t.Errorf("%s: Complete(%q) = %t", tt.name, tt.sql, got)
		}
	}
}
