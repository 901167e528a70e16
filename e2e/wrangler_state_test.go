package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const stateConfig = `{
	"name": "worker", "main": "worker.mjs", "compatibility_date": "2026-01-01",
	"d1_databases": [
		{ "binding": "DB", "database_name": "shop", "database_id": "11111111-1111-4111-8111-111111111111" },
		{ "binding": "PREVIEWED", "database_name": "previewed", "database_id": "22222222-2222-4222-8222-222222222222", "preview_database_id": "local" },
		{ "binding": "NAMELESS" },
	],
	"env": { "staging": { "d1_databases": [{ "binding": "DB", "database_name": "shop", "database_id": "33333333-3333-4333-8333-333333333333" }] } },
}`

// stateWorker runs the SQL that it is sent.
const stateWorker = `export default {
	async fetch(request, env) {
		const sql = new URL(request.url).searchParams.get("sql");
		try {
			return Response.json((await env.DB.prepare(sql).all()).results);
		} catch (e) {
			return new Response(e.message, { status: 500 });
		}
	},
};`

// inState returns a client in the folder of a Worker, and the path of skylite.
func inState(t *testing.T) (*client, string) {
	t.Helper()
	needNPM(t)
	c := (&fixture{}).client(t)
	bin := filepath.Join(t.TempDir(), "skylite")
	install := *c
	install.dir, install.extra = localPath(t, ".."), goVariables(t)
	install.run(t, "go", "build", "-o", bin, "./cmd/skylite").ok(t)
	c.write(t, "wrangler.jsonc", stateConfig)
	c.write(t, "worker.mjs", stateWorker)
	return c, bin
}

// counted is a query's only number, as wrangler and skylite print it.
func counted(t testing.TB, stdout string) float64 {
	t.Helper()
	var answer execute
	printed(t, stdout, &answer)
	for _, v := range answer[len(answer)-1].Results[0] {
		n, _ := v.(float64)
		return n
	}
	return -1
}

func TestWranglerState(t *testing.T) {
	t.Parallel()
	c, bin := inState(t)
	local := func(database, sql string, more ...string) output {
		t.Helper()
		return c.wrangler(t, append([]string{"d1", "execute", database, "--local", "--json", "--command", sql}, more...)...)
	}
	ours := func(database, sql string, more ...string) output {
		t.Helper()
		return c.run(t, bin, append([]string{"d1", "execute", database, "--wrangler", "--command", sql}, more...)...)
	}
	// Which file it is: wrangler writes and skylite reads, and the other way round.
	local("shop", "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t (v) VALUES ('wrangler''s')").ok(t)
	for _, tt := range []struct {
		database string
		more     []string
	}{
		{"previewed", nil}, {"NAMELESS", nil}, {"shop", []string{"--env", "staging"}}, {"shop", []string{"--persist-to", "elsewhere"}},
	} {
		ours(tt.database, "CREATE TABLE named (a); INSERT INTO named VALUES (1), (2)", tt.more...).ok(t)
		if n := counted(t, local(tt.database, "SELECT count(*) AS n FROM named", tt.more...).ok(t)); n != 2 {
			t.Errorf("%s %v: wrangler reads %v", tt.database, tt.more, n)
		}
	}
	// Enough that the WAL is written back, several times.
	ours("DB", "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 20000) "+
		"INSERT INTO t (v) SELECT hex(randomblob(200)) FROM c; CREATE INDEX by_v ON t (v); DELETE FROM t WHERE id % 2 = 0").ok(t)
	if err := os.Mkdir(filepath.Join(c.dir, "migrations"), 0o700); err != nil {
		t.Fatal(err)
	}
	c.write(t, "migrations/0001_audit.sql", "CREATE TABLE audit (a);\n")
	c.run(t, bin, "d1", "migrations", "apply", "shop", "--wrangler").ok(t)
	o := local("shop", "INSERT INTO t (v) VALUES ('more'); PRAGMA quick_check; SELECT count(*) AS n FROM t, d1_migrations")
	contains(t, o.ok(t), `"quick_check": "ok"`)
	if n := counted(t, o.stdout); n != 10002 {
		t.Errorf("wrangler counts %v rows", n)
	}
	if n := counted(t, ours("shop", "SELECT count(*) AS n FROM t WHERE v = 'more'").ok(t)); n != 1 {
		t.Errorf("skylite reads %v", n)
	}
	script := c.run(t, bin, "d1", "export", "shop", "--wrangler", "--output", "-").ok(t)
	c.write(t, "shop.sql", script)
	c.run(t, bin, "d1", "import", "NAMELESS", "shop.sql", "--wrangler").ok(t)
	if n := counted(t, local("NAMELESS", "SELECT count(*) AS n FROM t, d1_migrations").ok(t)); n != 10002 {
		t.Errorf("wrangler counts %v rows of what was exported and imported", n)
	}
	ours("shop", "SELECT * FROM _cf_METADATA").failed(t, "no such table: _cf_METADATA")
	testStateInUse(t, c, bin)
}

// testStateInUse looks at the state while wrangler dev runs, and afterwards.
func testStateInUse(t *testing.T, c *client, bin string) {
	t.Helper()
	const refused = ".wrangler/state, so its databases can only be read"
	count := func() float64 {
		t.Helper()
		return counted(t, c.run(t, bin, "d1", "execute", "shop", "--wrangler", "--command", "SELECT count(*) AS n FROM t").ok(t))
	}
	insert := func() output {
		t.Helper()
		return c.run(t, bin, "d1", "execute", "shop", "--wrangler", "--command", "INSERT INTO t (v) VALUES ('skylite')")
	}
	before := openShell(t, c, bin)
	before.say(t, "INSERT INTO t (v) VALUES ('before') RETURNING 'written' AS a;", "written")
	want := count()

	w := c.dev(t)
	worker := func(sql string) string {
		t.Helper()
		r := w.get(t, "/?sql="+url.QueryEscape(sql))
		if r.status != 200 {
			t.Fatalf("%s: %+v\n%s", sql, r, w.log)
		}
		return r.body
	}
	insert().failed(t, "wrangler is running on ", refused, "stop wrangler dev") // before the Worker has opened it
	if got := count(); got != want {
		t.Errorf("there are %v rows, not %v", got, want)
	}
	for i := range 50 {
		worker("INSERT INTO t (v) VALUES ('worker')")
		if i%10 == 0 {
			if got := count(); got != want+float64(i+1) {
				t.Errorf("there are %v rows, not %v", got, want+float64(i+1))
			}
		}
	}
	insert().failed(t, refused)
	c.write(t, "more.sql", "INSERT INTO t (v) VALUES ('imported');\n")
	c.run(t, bin, "d1", "import", "shop", "more.sql", "--wrangler").failed(t, "wrangler is running on ", refused, "stop wrangler dev")
	contains(t, c.run(t, bin, "d1", "export", "shop", "--wrangler", "--output", "-").ok(t), "'worker'")
	before.say(t, "SELECT 'it reads on, ' || count(*) AS a FROM t WHERE v = 'worker';", "it reads on, 50")
	if out := before.end(t, "INSERT INTO t (v) VALUES ('refused');"); !strings.Contains(out, refused) {
		t.Errorf("a shell that was there before says %s", out)
	}
	c.run(t, bin, "d1", "execute", "PREVIEWED", "--wrangler", "--persist-to", "new", "--command", "CREATE TABLE t (a)").ok(t)
	if got := worker("SELECT count(*) AS n FROM t"); got != fmt.Sprintf(`[{"n":%v}]`, want+50) {
		t.Errorf("the Worker counts %s, not %v", got, want+50)
	}
	contains(t, worker("PRAGMA quick_check"), `"ok"`)

	w.stop()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if insert().status == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the database is still in use after wrangler dev has ended")
		}
	}
	o := c.wrangler(t, "d1", "execute", "shop", "--local", "--json", "--command", "PRAGMA quick_check; SELECT count(*) AS n FROM t")
	contains(t, o.ok(t), `"quick_check": "ok"`)
	if got := counted(t, o.stdout); got != want+51 {
		t.Errorf("wrangler counts %v, not %v", got, want+51)
	}
}

// openedShell is a skylite d1 shell that is written to.
type openedShell struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Scanner
	words *lockedBuffer
}

func openShell(t *testing.T, c *client, bin string) *openedShell {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	s := &openedShell{cmd: exec.CommandContext(ctx, bin, "d1", "shell", "shop", "--wrangler", "--mode", "list"), words: new(lockedBuffer)}
	s.cmd.Dir, s.cmd.Env, s.cmd.Stderr = c.dir, c.environ(), s.words
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewScanner(out)
	return s
}

// say runs a statement, and waits for a line.
func (s *openedShell) say(t *testing.T, sql, want string) {
	t.Helper()
	if _, err := io.WriteString(s.stdin, sql+"\n"); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for s.out.Scan() {
		if lines = append(lines, s.out.Text()); slices.Contains(lines, want) {
			return
		}
	}
	t.Fatalf("%s: %q is not in %q\n%s", sql, want, lines, s.words)
}

// end runs a statement that fails, and returns what the shell says of it.
func (s *openedShell) end(t *testing.T, sql string) string {
	t.Helper()
	if _, err := io.WriteString(s.stdin, sql+"\n"); err != nil {
		t.Fatal(err)
	}
	for s.out.Scan() {
	}
	if err := s.cmd.Wait(); err == nil {
		t.Error("the shell ended as if all went well")
	}
	return s.words.String()
}
