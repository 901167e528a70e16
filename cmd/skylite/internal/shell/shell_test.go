package shell

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/cmd/skylite/internal/render"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

func open(t *testing.T) *d1.DB {
	t.Helper()
	backend, err := embedded.Open(embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// typed runs a shell on lines, and returns its output and its error.
func typed(t *testing.T, db *d1.DB, input string) (string, error) {
	t.Helper()
	var out strings.Builder
	err := Run(t.Context(), Config{DB: db, Input: Lines(strings.NewReader(input)), Out: &out, Err: io.Discard, Mode: render.ModeList})
	return out.String(), err
}

const people = `CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);
CREATE INDEX by_name ON people (name);
CREATE VIEW names AS SELECT name FROM people;
INSERT INTO people VALUES (1, 'Ada'), (2, NULL);
`

func TestRun(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ input, want string }{
		"several on a line":      {"SELECT 1 AS a; SELECT 2 AS b;", "a\n1\nb\n2\n"},
		"one over lines":         {"SELECT\n\n 1\nAS a\n;\n", "a\n1\n"},
		"comments":               {"-- a;\n/* b;\n c */\nSELECT 1 AS a -- d\n;;;\n-- e", "a\n1\n"},
		"no semicolon":           {"SELECT 1 AS a", "a\n1\n"},
		"byte order mark":        {"\uFEFFSELECT 1 AS a;", "a\n1\n"},
		"CRLF":                   {"SELECT 1 AS a;\r\n.headers off\r\nSELECT 2;\r\n", "a\n1\n2\n"},
		"a semicolon in a text":  {"SELECT ';\n' AS a;", "a\n;\n\n"},
		"trigger":                {people + "CREATE TRIGGER t AFTER DELETE ON people BEGIN\n SELECT 1;\n END;\nSELECT 1 AS a;", "a\n1\n"},
		"dot within a statement": {"SELECT 1\n.5 AS a;", ""},
		"tables":                 {people + ".tables\n.tables ame\n", "people\nnames\nnames\n"},
		"indexes":                {people + ".indexes\n.indexes nothing\n", "by_name\n"},
		"schema":                 {people + ".schema BY_NAME\n", "CREATE INDEX by_name ON people (name);\n"},
		"schema of a table":      {people + ".schema people;\n", "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);\nCREATE INDEX by_name ON people (name);\n"},
		"explain":                {people + ".explain SELECT * FROM people WHERE id = 1;\n", "QUERY PLAN\n└─ SEARCH people USING INTEGER PRIMARY KEY (rowid=?)\n"},
		"mode":                   {".mode\n.mode CSV\nSELECT 'a,b' AS a, NULL AS n, '' AS e;", "list\na,n,e\n\"a,b\",,\"\"\n"},
		"json":                   {".mode json\nSELECT 9007199254740993 AS big, x'01' AS b; SELECT 1 AS a WHERE 0;", "[\n  {\"big\": 9007199254740993, \"b\": [1]}\n]\n[]\n"},
		"line":                   {".mode line\nSELECT 1 AS long, NULL AS n UNION ALL SELECT 2, 3;", "long = 1\n   n = <NULL>\n\nlong = 2\n   n = 3\n"},
		"quit":                   {"SELECT 1 AS a;\n.quit\nSELECT 2 AS b;", "a\n1\n"},
		"committed": {people + ".begin\nINSERT INTO people VALUES (3, 'Bob');\nSELECT count(*) AS n FROM people;\n" +
			".commit\nSELECT count(*) AS n FROM people;", "n\n3\nn\n3\n"},
		"rolled back":        {people + ".begin\nDELETE FROM people;\n.rollback\nSELECT count(*) AS n FROM people;", "n\n2\n"},
		"session":            {".session first-unconstrained\nSELECT 1 AS a;", "a\n1\n"},
		"nothing":            {"", ""},
		"Cloudflare's table": {"SELECT count(*) AS n FROM sqlite_master;", "n\n0\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := typed(t, open(t), tt.input)
			if name == "dot within a statement" {
				// It is one statement, which SQLite refuses.
				if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(e.Error(), ".5") {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ input, want, hint string }{
		"offset":                    {"SELECT 1;\nSELECT 1,\n\twhat FROM missing;", "line 2: no such table: missing", ""},
		"column":                    {people + "SELECT id,\n\tnam\nFROM people;\n", "line 6: no such column: nam at offset 12: SQLITE_ERROR\n  \u0020nam\n   ^", ""},
		"wide":                      {"SELECT '日本', what;", "line 1: no such column: what at offset 17: SQLITE_ERROR\n  SELECT '日本', what\n                 ^", ""},
		"later statement of a line": {"SELECT 1; SELECT what; SELECT 2;", "   SELECT what\n          ^", ""},
		"begin":                     {"SELECT 1;\nBEGIN;", "line 2: To execute a transaction, please use", ".begin and .commit"},
		"unknown command":           {"\n.tabels", `line 2: unknown command ".tabels"`, "did you mean .tables?"},
		"sqlite3's":                 {".import a b", `unknown command ".import"`, "skylite d1 execute --file"},
		"too many arguments":        {".mode csv x", `.mode: there is an argument too many: "x"`, ".mode [MODE]"},
		"mode":                      {".mode box", "there is no mode", ""},
		"on or off":                 {".timer maybe", ".timer on or .timer off", ""},
		"quote":                     {".schema 'a", "a quote is not closed", ""},
		"no file":                   {".read nothing.sql", ".read: open nothing.sql: no such file", ""},
		"no transaction":            {".commit", "no transaction is open", ".begin"},
		"nothing to dump":           {".schema nothing", `there is no table "nothing"`, ""},
		"parameters":                {"SELECT ?;", "Wrong number of parameter bindings", ""},
		"a database":                {"SQLite format 3\x00\x10\x00", "this is an SQLite database", "skylite d1 shell FILE"},
		"not UTF-8":                 {"SELECT '\xff';", "not valid UTF-8", ""},
		"no end":                    {"SELECT '" + strings.Repeat("a\n", 60_000), "statement too long", ""},
		"bookmark":                  {".session a\u00e9", "is no bookmark", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := typed(t, open(t), tt.input+"\nCREATE TABLE never (a);")
			e, ok := errors.AsType[*Error](err)
			if !ok || !strings.Contains(e.Error(), tt.want) || !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("error %v, hint %q\nwant %s, %q", err, e.Hint, tt.want, tt.hint)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good file.sql", people+"SELECT count(*) AS n FROM people")
	if _, err := typed(t, open(t), "SELECT 1;\nSELECT ("); err == nil || !strings.Contains(err.Error(), "line 2: incomplete input") {
		t.Error(err)
	}
	bad := write("bad.sql", "SELECT 1 AS a;\nSELECT\n  what;")
	loop := write("loop.sql", ".read '"+filepath.Join(dir, "loop.sql")+"'")
	out := filepath.Join(dir, "out.csv")

	got, err := typed(t, open(t), ".read '"+good+"'\n.mode csv\n.output '"+out+"'\nSELECT name FROM people;\n.output\n.mode list\nSELECT 1 AS a;")
	if err != nil || got != "n\n2\na\n1\n" {
		t.Errorf("%q, %v", got, err)
	}
	if text, err := os.ReadFile(out); err != nil || string(text) != "name\nAda\n\n" {
		t.Errorf("the file is %q, %v", text, err)
	}
	if _, err := typed(t, open(t), "SELECT 1;\n.read "+bad); err == nil || !strings.HasPrefix(err.Error(), bad+": line 3: no such column: what") {
		t.Error(err)
	}
	if _, err := typed(t, open(t), ".read "+loop); err == nil || !strings.Contains(err.Error(), "16 deep") {
		t.Error(err)
	}
}

// script is an Input that a person might give.
type script []string

func (s *script) Line(context.Context, string) (string, error) {
	if len(*s) == 0 {
		return "", io.EOF
	}
	line := (*s)[0]
	*s = (*s)[1:]
	if line == "^C" {
		return "", ErrInterrupted
	}
	return line, nil
}

func TestInteractive(t *testing.T) {
	t.Parallel()
	var out, words strings.Builder
	in := &script{"SELECT what; SELECT 1 AS never;", "SELECT 2", "^C", "SELECT 3 AS a;", ".nope", "SELECT 4 AS unfinished"}
	err := Run(t.Context(), Config{DB: open(t), Input: in, Out: &out, Err: &words, Interactive: true, Mode: render.ModeList})
	if err != nil || out.String() != "a\n3\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	for _, want := range []string{"error: no such column: what at offset 7: SQLITE_ERROR\n  SELECT what\n         ^\n",
		"1 row, 0 changes in ", "error: unknown command \".nope\"\nhint: "} {
		if !strings.Contains(words.String(), want) {
			t.Errorf("%q is not in %s", want, &words)
		}
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	var words strings.Builder
	in := &script{"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c;"}
	err := Run(t.Context(), Config{DB: open(t), Input: in, Out: io.Discard, Err: &words, Interactive: true, Mode: render.ModeList,
		Interrupted: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 10_000_000)
		}})
	if err != nil || !strings.HasPrefix(words.String(), "error: interrupted") {
		t.Errorf("%q, %v", words.String(), err)
	}
}
