package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestMain gives the commands a home that is not the user's.
func TestMain(m *testing.M) {
	var err error
	if home, err = os.MkdirTemp("", "skylite-e2e-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(home)
	os.Exit(code)
}

// home is the home of all commands of this run.
var home string

// running bounds how many commands run at the same time: Node is heavy.
var running = make(chan struct{}, 2)

// need skips the test without what it needs, or fails it if the variable
// SKYLITE_E2E says that everything must be there.
func need(t testing.TB, there bool, hint string) {
	t.Helper()
	switch {
	case there:
	case os.Getenv("SKYLITE_E2E") == "1":
		t.Fatal(hint)
	default:
		t.Skip(hint)
	}
}

// needNPM is for tests of clients that npm installs.
func needNPM(t testing.TB) {
	t.Helper()
	_, err := os.Stat("node_modules/.bin/node")
	need(t, err == nil, "node_modules is missing: run npm ci --ignore-scripts in e2e")
}

// localPath returns the absolute path of a file in this folder.
func localPath(t testing.TB, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// output is what a command printed, and the status it ended with.
type output struct {
	stdout, stderr string
	status         int
}

// client is where the commands of one test run, and which server they call.
type client struct {
	*fixture
	dir   string
	token string
	extra []string // more of the environment
}

// client returns a client in a new folder.
func (f *fixture) client(t testing.TB) *client {
	return &client{fixture: f, dir: t.TempDir(), token: token}
}

// environ is the whole environment of a command: nothing is inherited that could lead
// it to another server, to a proxy or to the user's own settings.
func (c *client) environ() []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + home,
		"TMPDIR=" + home,
		"XDG_CONFIG_HOME=" + filepath.Join(home, "config"),
		"NODE_COMPILE_CACHE=" + filepath.Join(home, "compiled"),
		"NO_COLOR=1",
		"CI=1",
		"WRANGLER_SEND_METRICS=false",
		"WRANGLER_HIDE_BANNER=true", // the banner looks for a newer version
		"CLOUDFLARE_API_BASE_URL=" + c.base,
		"CLOUDFLARE_BASE_URL=" + c.base,
		"CLOUDFLARE_API_TOKEN=" + c.token,
		"CLOUDFLARE_ACCOUNT_ID=" + account,
	}, c.extra...)
}

// run runs a command to its end.
func (c *client) run(t testing.TB, name string, args ...string) output {
	t.Helper()
	running <- struct{}{}
	defer func() { <-running }()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = c.dir, c.environ()
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && (!exited || ctx.Err() != nil) {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, &stdout, &stderr)
	}
	return output{plain(stdout.String()), plain(stderr.String()), cmd.ProcessState.ExitCode()}
}

// plain leaves out the escapes that make colours, which not every client can be asked
// to do without.
func plain(s string) string { return colours.ReplaceAllString(s, "") }

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// node runs a script of this folder.
func (c *client) node(t testing.TB, script string, args ...string) output {
	t.Helper()
	node := localPath(t, "node_modules/.bin/node")
	return c.run(t, node, append([]string{localPath(t, script)}, args...)...)
}

// wrangler runs wrangler.
func (c *client) wrangler(t testing.TB, args ...string) output {
	t.Helper()
	return c.node(t, "node_modules/wrangler/bin/wrangler.js", args...)
}

// ok fails the test if the command failed, and returns what it printed.
func (o output) ok(t testing.TB) string {
	t.Helper()
	if o.status != 0 {
		t.Fatalf("status %d\n%s%s", o.status, o.stdout, o.stderr)
	}
	return o.stdout
}
