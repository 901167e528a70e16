package sqltext_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// completeSeeds reads the corpus that testdata/complete.py writes: scripts, and whether
// the real sqlite3_complete calls them complete.
func completeSeeds(tb testing.TB) (scripts []string, complete []bool) {
	tb.Helper()
	f, err := os.Open("testdata/complete.txt.gz")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	text, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		answer, quoted, _ := strings.Cut(lines.Text(), " ")
		var script string
		if err := json.Unmarshal([]byte(quoted), &script); err != nil {
			tb.Fatal(err)
		}
		scripts, complete = append(scripts, script), append(complete, answer == "1")
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return scripts, complete
}

// TestComplete10000 holds the cuts against SQLite's own on 10,000 scripts: where a
// statement ends, as sqlite3_prepare sees it, and whether the whole is complete, as
// sqlite3_complete said. The two differ only over text that SQLite does not accept.
func TestComplete10000(t *testing.T) {
	t.Parallel()
	scripts, complete := completeSeeds(t)
	if len(scripts) != 10000 {
		t.Fatalf("the corpus has %d scripts", len(scripts))
	}
	db := openDB(t)
	if testing.Short() {
		scripts = scripts[:1000]
	}
	differ := 0
	for i, script := range scripts {
		if oracle := sqliteComplete(script); oracle != complete[i] {
			t.Errorf("the model of sqlite3_complete says %t of %q", oracle, script)
		}
		agree(t, db, script)
		if sqltext.Complete(script) != complete[i] {
			checkRefused(t, db, script)
			differ++
		}
	}
	t.Logf("%d of %d scripts are refused by SQLite, and complete to one of the two only", differ, len(scripts))
	if differ > len(scripts)/50 {
		t.Errorf("that is too many")
	}
}

// checkRefused fails the test if SQLite accepts all statements of a script.
func checkRefused(t *testing.T, db *sqlite3.Conn, script string) {
	t.Helper()
	for _, st := range sqltext.Split(script) {
		if st.Fault.Kind == sqltext.OpenComment {
			return // SQLite allows it at the end, but calls nothing complete that has one
		}
		stmt, _, err := db.Prepare(script[st.Start:])
		if err != nil {
			return
		}
		if stmt != nil {
			stmt.Close()
		}
	}
	t.Errorf("Complete(%q) is %t, unlike sqlite3_complete, and SQLite accepts it", script, sqltext.Complete(script))
}

func FuzzComplete(f *testing.F) {
	scripts, _ := completeSeeds(f)
	for i := 0; i < len(scripts); i += 20 {
		f.Add(scripts[i])
	}
	db := openDB(f)
	f.Fuzz(func(t *testing.T, script string) {
		// sqlite3_complete does not know variables that hold a semicolon, nor all that the
		// tokenizer takes for white space.
		if strings.ContainsAny(script, "\x00\v$@#:\ufeff") || strings.Contains(strings.ToUpper(script), "PRAGMA") {
			return
		}
		if sqltext.Complete(script) != sqliteComplete(script) {
			checkRefused(t, db, script)
		}
	})
}

// sqliteComplete is a model of sqlite3_complete, which the engine of the tests does not
// give access to. The corpus holds it to the real one.
func sqliteComplete(sql string) bool {
	const (
		invalid = iota // nothing yet
		start          // behind a statement
		normal         // in one
		explain
		create
		trigger
		semi // behind a semicolon in a trigger
		end  // behind the END that follows it
	)
	state := invalid
	step := func(word string) {
		switch state {
		case invalid, start, explain:
			switch {
			case word == ";":
				state = start
			case word == "explain" && state != explain:
				state = explain
			case word == "create":
				state = create
			case state != explain || word == "explain" || word == "temp" || word == "trigger" || word == "end":
				state = normal
			}
		case normal:
			if word == ";" {
				state = start
			}
		case create:
			switch word {
			case ";":
				state = start
			case "temp":
			case "trigger":
				state = trigger
			default:
				state = normal
			}
		default: // in a trigger
			switch {
			case word == ";" && state == end:
				state = start
			case word == ";":
				state = semi
			case word == "end" && state == semi:
				state = end
			default:
				state = trigger
			}
		}
	}
	for i := 0; i < len(sql); {
		rest := sql[i:]
		switch c := sql[i]; {
		case strings.IndexByte(" \t\n\r\f", c) >= 0:
			i++
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				return false
			}
			i += n + 4
		case strings.HasPrefix(rest, "--"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				return state == start
			}
			i += n + 1
		case strings.IndexByte("'\"`[", c) >= 0:
			closing := c
			if c == '[' {
				closing = ']'
			}
			n := strings.IndexByte(rest[1:], closing)
			if n < 0 {
				return false
			}
			step("other")
			i += n + 2
		case isIdent(c):
			n := 1
			for n < len(rest) && isIdent(rest[n]) {
				n++
			}
			word := strings.ToLower(rest[:n])
			if word == "temporary" {
				word = "temp"
			}
			step(word)
			i += n
		default:
			step(string(c))
			i++
		}
	}
	return state == start
}

func isIdent(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
