package e2e

import (
	"encoding/json"
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
	build.run(t, "go", append(append(command, "-trimpath", "-o", wasm), pkg)...).ok(t)
	return wasm
}

// TestPackagesInWorkerd runs the tests of what runs inside a Worker in workerd itself.
func TestPackagesInWorkerd(t *testing.T) {
	needNPM(t)
	t.Parallel()
	for _, pkg := range []string{"d1/binding", "kv/binding", "memory/ond1", "memory/onkv"} {
		t.Run(pkg, func(t *testing.T) {
			t.Parallel()
			c := (&fixture{}).client(t)
			c.extra = goVariables(t)
			out := c.node(t, "workerd/exec.mjs", c.compile(t, "github.com/skylite-go/skylite/"+pkg, "test", "-c"), "-test.v")
			if out.status != 0 {
				t.Fatalf("status %d\n%s\n%s", out.status, out.stdout, out.stderr)
			}
			// What is left out is beyond KV, and asks for an interface that the place has not.
			if n := strings.Count(out.stdout, "--- PASS"); n < 10 || pkg == "d1/binding" && strings.Contains(out.stdout, "--- SKIP") {
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

// TestDocumentedMethods checks what is left if D1's binding loses the method that the
// packages use: batches are whole or nothing, errors are D1's, and one statement that reads
// has its columns with duplicates.
func TestDocumentedMethods(t *testing.T) {
	needNPM(t)
	t.Parallel()
	var answers []struct {
		Status   int
		Bookmark string
		Body     json.RawMessage
	}
	c := (&fixture{}).client(t)
	c.extra = goVariables(t)
	if err := json.Unmarshal([]byte(c.node(t, "workerd/documented.mjs").ok(t)), &answers); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		status int
		parts  []string
	}{
		{200, []string{`"success":true`, `"columns":[]`}},
		{200, []string{`"changes":1`, `{"columns":["a","b"],"rows":[["x",[1,2]]]}`}},
		{200, []string{`{"columns":["a","b","a"],"rows":[["x",[1,2],"x"]]}`}},
		{400, []string{`"error":"no such column: nope at offset 7: SQLITE_ERROR"`}},
		{200, []string{`"rows":[[1]]`}},
	} {
		got := answers[i]
		for _, part := range want.parts {
			if got.Status != want.status || !strings.Contains(string(got.Body), part) {
				t.Errorf("answer %d: %d %s, want %d with %s", i+1, got.Status, got.Body, want.status, part)
			}
		}
		if got.Status == 200 && len(got.Bookmark) != 59 {
			t.Errorf("answer %d: bookmark %q", i+1, got.Bookmark)
		}
	}
}
