package sqltext_test

import (
	"strings"
	"testing"

	"github.com/skylite-go/skylite/internal/sqltext"
)

func FuzzSplit(f *testing.F) {
	for _, script := range scripts {
		f.Add(script)
	}
	for _, script := range []string{
		"", ";", ";;", "-- a", "/*", "/*/", "'", "x'", "SELECT ?0", "SELECT 1;\x00", "SELECT '\x00';",
		"CREATE TRIGGER a DELETE ON t BEGIN SELECT 1; END", "CREATE TRIGGER a; SELECT 1", "SELECT (1;)",
		"UPDATE t SET a = ? WHERE b RETURNING ?, :x ORDER BY c LIMIT :y OFFSET ?",
		"DELETE FROM t WHERE a) LIMIT (1", "DELETE FROM t LIMIT 1 RETURNING a", "DELETE FROM [t] AS x NOT INDEXED ORDER BY 1",
	} {
		f.Add(script)
	}
	db := openDB(f)
	f.Fuzz(func(t *testing.T, script string) {
		checkPieces(t, script)
		agree(t, db, script)
		for _, st := range sqltext.Split(script) {
			if r, ok, _ := st.RewriteLimit(nil); ok {
				checkRewrite(t, st, r)
			}
		}
		_, _ = sqltext.Parse(script)
	})
}

// checkPieces verifies that the pieces are all of the script.
func checkPieces(t *testing.T, script string) {
	t.Helper()
	sts := sqltext.Split(script)
	var b strings.Builder
	for i, st := range sts {
		if st.Start != b.Len() || script[st.Start:st.End] != st.Text {
			t.Fatalf("piece %d of %q is not where it says", i, script)
		}
		b.WriteString(st.Text)
		if st.Terminated {
			b.WriteByte(';')
		} else if i != len(sts)-1 {
			t.Fatalf("piece %d of %q has no semicolon", i, script)
		}
	}
	rest, ok := strings.CutPrefix(script, b.String())
	if !ok {
		t.Fatalf("the pieces of %q are %q", script, b.String())
	}
	for tok := range sqltext.Tokens(rest) {
		if tok.Kind != sqltext.TokenSpace && (tok.Kind != sqltext.TokenComment || len(sts) > 0) {
			t.Fatalf("%q is in no piece of %q", rest, script)
		}
	}
}

// checkRewrite verifies that all copied text maps back to where it was.
func checkRewrite(t *testing.T, st sqltext.Statement, r sqltext.Rewrite) {
	t.Helper()
	for i := range len(r.Text) + 1 {
		if at := r.Original(i); at < 0 || at > len(st.Text) {
			t.Fatalf("%q: byte %d of %q maps to %d", st.Text, i, r.Text, at)
		}
	}
	again, err := sqltext.Parse(r.Text)
	if err != nil {
		t.Fatalf("%q was rewritten to %q: %v", st.Text, r.Text, err)
	}
	if again.NumParams() != st.NumParams() || again.ReturnsRows != st.ReturnsRows || again.Kind != st.Kind {
		t.Fatalf("%q became something else: %q", st.Text, r.Text)
	}
	if _, ok, err := again.RewriteLimit(nil); ok || err != nil {
		t.Fatalf("%q was rewritten to %q, which has a limit still", st.Text, r.Text)
	}
}

func FuzzTokens(f *testing.F) {
	for _, script := range scripts {
		f.Add(script)
	}
	f.Add("1__0 0x_ x'0 $a(b :: #1 ->>->-- /* \x00 \xef\xbb\xbf \v")
	f.Fuzz(func(t *testing.T, sql string) {
		end := 0
		for tok := range sqltext.Tokens(sql) {
			if tok.Start != end || tok.End <= tok.Start {
				t.Fatalf("token at %d to %d, expected at %d", tok.Start, tok.End, end)
			}
			end = tok.End
			text := tok.Text(sql)
			if strings.Contains(text, "\x00") && text != "\x00" {
				t.Fatalf("%v token over a NUL: %q", tok.Kind, text)
			}
			if again := sqltext.Next(text, 0); tok.Kind != sqltext.TokenIllegal && tok.Kind != sqltext.TokenComment && again.End != len(text) {
				t.Fatalf("%v token %q reads as %q alone", tok.Kind, text, again.Text(text))
			}
		}
		if end != len(sql) {
			t.Fatalf("tokens end at %d of %d", end, len(sql))
		}
	})
}
