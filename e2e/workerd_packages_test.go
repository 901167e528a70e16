package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// compile compiles a package of the project, or its tests, for a Worker.
func (c *client) compile(t testing.TB, pkg string, command ...string) (wasm string) {
	t.Helper()
	wasm = filepath.Join(t.TempDir(), "app.wasm")
	build := *c
	build.dir = localPath(t, ".")
	build.extra = append(goVariables(t), "GOOS=js", "GOARCH=wasm")
	build.run(t, "go", append(append(command, "-o", wasm), pkg)...).ok(t)
	return wasm
}

// TestPackagesInWorkerd runs the tests of what runs inside a Worker in workerd itself.
func TestPackagesInWorkerd(t *testing.T) {
	needNPM(t)
	t.Parallel()
	for _, pkg := range []string{"d1/binding", "memory/ond1"} {
		t.Run(pkg, func(t *testing.T) {
			t.Parallel()
			c := (&fixture{}).client(t)
			c.extra = goVariables(t)
			out := c.node(t, "workerd/exec.mjs", c.compile(t, "github.com/skylite-go/skylite/"+pkg, "test", "-c"), "-test.v")
			if out.status != 0 {
				t.Fatalf("status %d\n%s\n%s", out.status, out.stdout, out.stderr)
			}
			if n := strings.Count(out.stdout, "--- PASS"); n < 10 || strings.Contains(out.stdout, "--- SKIP") {
				t.Errorf("%d tests have passed:\n%s", n, out.stdout)
			}
		})
	}
}

// goVariables are those without which the go command does not find what it has.
func goVariables(t testing.TB) (env []string) {
	t.Helper()
	for _, name := range []string{"GOROOT", "GOCACHE", "GOMODCACHE", "GOPATH", "GOFLAGS", "GOPROXY", "GONOSUMDB", "GOSUMDB"} {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		if value := strings.TrimSpace(string(out)); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}
