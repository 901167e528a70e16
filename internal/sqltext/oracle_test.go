package sqltext_test

import (
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/internal/sqltext"
)

// schema has tables with awkward names for the tests against SQLite.
const schema = `
CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c);
CREATE TABLE u (a, b);
CREATE TABLE w (a, b, c, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE k (name TEXT PRIMARY KEY, v) WITHOUT ROWID;
CREATE TABLE s (rowid TEXT, a);
CREATE TABLE begin (begin, "end", [case]);
CREATE TABLE "my table" ("my key", a);
CREATE TABLE posts (id INTEGER PRIMARY KEY);
CREATE TABLE audit (post_id, label);
CREATE INDEX t_a ON t (a);
CREATE VIEW v AS SELECT a, b FROM t;
INSERT INTO t (a, b, c) VALUES (1, 10, 'x'), (2, 20, 'y'), (2, 30, 'x'), (3, 40, NULL), (5, 50, 'z');
INSERT INTO u VALUES (1, 100), (2, 200), (2, 201);
INSERT INTO w VALUES (1, 1, 'p'), (1, 2, 'q'), (2, 1, 'r'), (2, 2, 's');
INSERT INTO k VALUES ('one', 1), ('two', 2), ('three', 3);
INSERT INTO s VALUES ('same', 1), ('same', 2), ('same', 3);
INSERT INTO "my table" VALUES (1, 1), (2, 2), (3, 3);
`

func openDB(tb testing.TB) *sqlite3.Conn {
	tb.Helper()
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	if err := db.Exec(schema); err != nil {
		tb.Fatal(err)
	}
	return db
}

// agree compares the pieces of a script with what SQLite makes of it, as far
// as SQLite accepts it, and returns how many statements that were.
func agree(tb testing.TB, db *sqlite3.Conn, script string) (accepted int) {
	tb.Helper()
	for _, st := range sqltext.Split(script) {
		// A NUL cuts the text short, and PRAGMAs take effect when compiled.
		if st.Fault.Kind == sqltext.NULByte || st.Verb == "PRAGMA" {
			return accepted
		}
		if st.Kind == sqltext.Empty {
			continue
		}
		rest := script[st.Start:]
		stmt, tail, err := db.Prepare(rest)
		if err != nil {
			agreeError(tb, st, err)
			return accepted
		}
		if stmt == nil {
			tb.Fatalf("SQLite sees no statement in %q", rest)
		}
		end := st.Start + len(rest) - len(tail)
		if st.Terminated {
			end--
		}
		if end != st.End {
			tb.Fatalf("Split ends a statement with %q, SQLite with %q", st.Text, script[st.Start:end])
		}
		agreeStatement(tb, st, stmt)
		agreeParams(tb, st, stmt)
		stmt.Close()
		accepted++
	}
	return accepted
}

// agreeError compares the token that SQLite cannot read with the fault.
func agreeError(tb testing.TB, st sqltext.Statement, err error) {
	tb.Helper()
	token, ok := strings.CutPrefix(err.Error(), `sqlite3: SQL logic error: unrecognized token: "`)
	if !ok {
		return
	}
	token = strings.TrimSuffix(token, `"`)
	got := st.Text[st.Fault.Start:st.Fault.End]
	if got != "" && strings.ContainsRune("#?0123456789.", rune(got[0])) && st.Fault.Refused() {
		// SQLite's parser finds these, when it has read one token more; that
		// one may be illegal too.
		return
	}
	if !st.Fault.Refused() || got != token {
		tb.Fatalf("in %q: got fault %v %q, SQLite does not read %q", st.Text, st.Fault.Kind, got, token)
	}
}

func agreeStatement(tb testing.TB, st sqltext.Statement, stmt *sqlite3.Stmt) {
	tb.Helper()
	if st.Fault.Refused() {
		tb.Fatalf("%q: fault %v, but SQLite accepts it", st.Text, st.Fault)
	}
	if st.Kind == sqltext.Unknown {
		tb.Fatalf("%q: unknown to us, but SQLite accepts it", st.Text)
	}
	if rows := stmt.ColumnCount() > 0; rows != st.ReturnsRows {
		tb.Fatalf("%q: ReturnsRows = %t, SQLite has %d columns", st.Text, st.ReturnsRows, stmt.ColumnCount())
	}
	if st.Explain {
		return // SQLite answers ReadOnly for the statement behind EXPLAIN
	}
	if st.Kind == sqltext.Read && !stmt.ReadOnly() || st.Kind == sqltext.Write && stmt.ReadOnly() {
		tb.Fatalf("%q: kind %v, but SQLite says read-only = %t", st.Text, st.Kind, stmt.ReadOnly())
	}
	// Without the option, SQLite accepts nothing that would be rewritten.
	if r, ok, err := st.RewriteLimit(nil); ok || err != nil {
		tb.Fatalf("%q was rewritten to %q, error %v", st.Text, r.Text, err)
	}
}

func agreeParams(tb testing.TB, st sqltext.Statement, stmt *sqlite3.Stmt) {
	tb.Helper()
	if got, want := st.NumParams(), stmt.BindCount(); got != want {
		tb.Fatalf("%q: %d parameters, SQLite has %d", st.Text, got, want)
	}
	names := make([]string, st.NumParams()+1)
	for _, p := range st.Params {
		if names[p.Number] == "" {
			names[p.Number] = p.Name
		}
	}
	for i, name := range names[1:] {
		if want := stmt.BindName(i + 1); name != want {
			tb.Fatalf("%q: parameter %d is called %q, by SQLite %q", st.Text, i+1, name, want)
		}
	}
}

// scripts are what SQLite accepts as a whole.
var scripts = []string{
	"SELECT 1",
	"SELECT 1;",
	"SELECT 1;; -- nothing\n;SELECT 2;",
	"\ufeffSELECT 1; \v SELECT 2",
	"select/**/1;select--\n2;",
	"SELECT 'a;b''', \"a;\", `b;`, [c;] FROM (SELECT 1 AS \"a;\", 2 AS `b;`, 3 AS [c;]);VALUES (1), (2)",
	"SELECT 0x1F, 1_000, 1., .5, 1.5e-3, x'', X'00fF', 1<<2>>1, 1<>2, 1!=2, 'a'||'b', '{}'->'a'->>'b', ~1, 5%2, 1&2|4, 1==1;x",
	"SELECT ?, ?3, ?, :a, @a, $a, #a, :a, ?05, ?5, $x::y(z), :q(;); SELECT ?2",
	"WITH a(x) AS (SELECT ?), b AS MATERIALIZED (SELECT 2) INSERT INTO t (a) SELECT x FROM a; SELECT 1",
	"WITH a AS NOT MATERIALIZED (SELECT 1) SELECT * FROM a; WITH replace AS (SELECT 1) REPLACE INTO u SELECT 1, 2;",
	"WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a WHERE n < 3) DELETE FROM t WHERE a IN a RETURNING a; SELECT 1",
	"WITH a AS (SELECT 1) UPDATE t SET a = 2 RETURNING *, (SELECT 1); VALUES (1)",
	"INSERT INTO t (a) VALUES (1) ON CONFLICT DO UPDATE SET a = excluded.a WHERE ? RETURNING id, :x; REPLACE INTO u DEFAULT VALUES",
	"UPDATE OR IGNORE t AS x INDEXED BY t_a SET a = u.a FROM u WHERE x.a = u.b AND x.a IS DISTINCT FROM 3; DELETE FROM main.t NOT INDEXED",
	"EXPLAIN DELETE FROM t; EXPLAIN QUERY PLAN SELECT 1; EXPLAIN CREATE TABLE x (a); EXPLAIN BEGIN",
	"CREATE TABLE x (a, b CHECK (b > 0), c AS (a + 1)); CREATE INDEX x1 ON t (a) WHERE a > 0; CREATE TEMP VIEW x2 AS SELECT 1; DROP TABLE t; ALTER TABLE t ADD COLUMN d; ANALYZE; REINDEX; VACUUM",
	"BEGIN; BEGIN IMMEDIATE; COMMIT; END TRANSACTION; ROLLBACK; SAVEPOINT a; RELEASE a; ROLLBACK TO a; ATTACH 'x' AS y; DETACH y; SELECT 1",
	audit + "; DROP TABLE posts;",
	strings.ToLower(audit) + ";\r\nselect 1",
	"CREATE /* audit hook; */ TRIGGER z INSERT ON t BEGIN SELECT 1; /* ; */ END /* ; */; SELECT 1",
	"CREATE TEMP TRIGGER IF NOT EXISTS z AFTER UPDATE OF a ON main.t FOR EACH ROW WHEN CASE new.a WHEN 1 THEN 1 ELSE 0 END BEGIN " +
		"UPDATE t SET a = CASE WHEN new.a THEN CASE 1 WHEN 1 THEN 2 END END; DELETE FROM u WHERE a = new.a; END; SELECT 2",
	"EXPLAIN QUERY PLAN CREATE TEMPORARY TRIGGER z DELETE ON t BEGIN SELECT 1; END; SELECT 1",
	"CREATE TRIGGER begin UPDATE OF begin, end ON begin BEGIN SELECT old.end, new.\"end\"; SELECT end FROM begin; SELECT 1 end; END; SELECT 1",
	"CREATE TRIGGER end INSERT ON begin BEGIN SELECT new.end; WITH end AS (SELECT 1) SELECT * FROM end; END; SELECT 1",
	"CREATE TABLE trigger (begin, end); SELECT end FROM begin; SELECT 1 /* the end",
	"SELECT 1 -- the end",
}

func TestAgreesWithSQLite(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, script := range scripts {
		want := 0
		for _, st := range sqltext.Split(script) {
			if st.Kind != sqltext.Empty && st.Kind != sqltext.Unknown {
				want++
			}
		}
		if got := agree(t, db, script); got != want {
			t.Errorf("SQLite accepts %d statements of %d in %q", got, want, script)
		}
	}
}

// All tokens that the table of TestTokens calls illegal must be so to SQLite.
func TestAgreesOnIllegalTokens(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, token := range []string{
		"'a''", "\"a", "[a", "`a", "1_", "1__0", "1_.0", "1._0", "0xF_", "1a", "0xg", "1e", "12é", "1.5e5x",
		"x'1'", "x'0g'", "x'", "x'0", ":", "@", "$", "#", "$a(b", "!", "^", "{", "}", "\\", "\x01", "\x7f", "\v", "]",
	} {
		text := "SELECT\t" + token
		if token == "\v" {
			text = "SELECT" + token // it may follow other white space
		}
		_, _, err := db.Prepare(text)
		if err == nil || !strings.Contains(err.Error(), "unrecognized token") {
			t.Errorf("SQLite on %q: %v", text, err)
			continue
		}
		st, _ := sqltext.Parse(text)
		agreeError(t, st, err)
	}
}

func TestAgreesOnPragmas(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	names := []string{"no_such_pragma"}
	stmt, _, err := db.Prepare("SELECT name FROM pragma_pragma_list")
	if err != nil {
		t.Fatal(err)
	}
	for stmt.Step() {
		names = append(names, stmt.ColumnText(0))
	}
	stmt.Close()
	for _, name := range names {
		for _, text := range []string{"PRAGMA " + name, "PRAGMA main." + name + " = 1", "PRAGMA [" + name + "](t)"} {
			// Each on a database of its own, as compiling may change it.
			stmt, _, err := openDB(t).Prepare(text)
			if err != nil {
				continue // for some, 1 and t are not good values
			}
			st, err := sqltext.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			agreeStatement(t, st, stmt)
			stmt.Close()
		}
	}
}
