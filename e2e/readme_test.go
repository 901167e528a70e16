package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// blocks returns the README's examples that are marked as tested, by name.
func blocks(t *testing.T) map[string]string {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	marked := regexp.MustCompile("(?s)<!-- tested: (\\w+) -->\n```\\w+\n(.*?)```")
	found := map[string]string{}
	for _, m := range marked.FindAllStringSubmatch(string(readme), -1) {
		if lines := strings.Count(m[2], "\n"); lines >= 5 {
			t.Errorf("the example %s has %d lines", m[1], lines)
		}
		found[m[1]] = m[2]
	}
	return found
}

// skylite builds the binary and runs `skylite dev` on a free port until the test ends. It
// returns the address and the binary.
func skylite(t *testing.T) (addr, bin string) {
	t.Helper()
	bin = filepath.Join(t.TempDir(), "skylite")
	build := exec.Command("go", "build", "-o", bin, "./cmd/skylite")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(bin, "dev", "--addr", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		stop := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		defer stop.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("skylite dev: %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if base, ok := strings.CutPrefix(lines.Text(), "export CLOUDFLARE_API_BASE_URL="); ok {
			return strings.TrimSuffix(strings.TrimPrefix(base, "http://"), "/client/v4"), bin
		}
	}
	t.Fatal("skylite dev printed no address")
	return "", ""
}

// TestReadme runs the README's examples, in its order, against one server.
func TestReadme(t *testing.T) {
	examples := blocks(t)
	needNPM(t)
	modules := localPath(t, "node_modules")
	addr, bin := skylite(t)
	run := func(name string, args ...string) string {
		t.Helper()
		running <- struct{}{}
		defer func() { <-running }()
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(bin)+":"+filepath.Join(modules, ".bin")+":"+os.Getenv("PATH"),
			"CI=1", "NO_COLOR=1", "WRANGLER_SEND_METRICS=false", "WRANGLER_HIDE_BANNER=true", "HOME="+home,
			"GOPATH="+goEnv(t, "GOPATH"), "GOCACHE="+goEnv(t, "GOCACHE"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		return string(out)
	}
	here := func(name string) string {
		t.Helper()
		text, ok := examples[name]
		if !ok {
			t.Fatalf("the README has no example %s", name)
		}
		return strings.ReplaceAll(text, "127.0.0.1:8787", addr)
	}
	if out := run("wrangler", "bash", "-ec", here("wrangler")); !strings.Contains(out, "Successfully created DB 'app'") {
		t.Errorf("wrangler printed\n%s", out)
	}
	if out := run("go", "go", "run", program(t, "driver", here("go"))); strings.TrimSpace(out) != "Grace <nil>" {
		t.Errorf("the Go program printed %s", out)
	}
	script := localPath(t, "readme-example.mjs")
	writeFile(t, script, "import Cloudflare from \"cloudflare\";\n"+here("npm"))
	t.Cleanup(func() { os.Remove(script) })
	if out := run("npm", "node", script); !strings.Contains(out, "{ name: 'Ada' }, { name: 'Grace' }") {
		t.Errorf("the npm example printed %s", out)
	}
	if out := run("curl", "bash", "-ec", here("curl")); !strings.Contains(out, `"rows":[["Ada"]]`) {
		t.Errorf("curl printed %s", out)
	}
	tx := `db, err := sql.Open("d1", "d1://local/app?token=local&base_url=http://` + addr + `/client/v4")` + "\n" +
		"ctx, name := context.Background(), 0\n" + strings.Replace(here("tx"), "err :=", "err =", 1) +
		`db.QueryRow("SELECT count(*) FROM users").Scan(&name)` + "\n"
	if out := run("tx", "go", "run", program(t, "tx", tx)); strings.TrimSpace(out) != "3 <nil>" {
		t.Errorf("the transaction printed %s", out)
	}
	move := "cd " + t.TempDir() + "\nexport CLOUDFLARE_API_BASE_URL=http://" + addr + "/client/v4 CLOUDFLARE_API_TOKEN=local\n" +
		"export CLOUDFLARE_ACCOUNT_ID=10ca110ca110ca110ca110ca110ca110\n" + here("move") + "cat app.sql\n"
	if out := run("move", "bash", "-ec", move); !strings.Contains(out, `"equal": true`) || !strings.Contains(out, `"bookmark": "`) ||
		!strings.Contains(out, "'Grace'") {
		t.Errorf("moving data printed %s", out)
	}
	native := strings.ReplaceAll(here("native"), "file:app.db", "file:"+filepath.Join(t.TempDir(), "app.db"))
	if out := run("native", "go", "run", program(t, "native", native)); strings.TrimSpace(out) != "[{1 Ada} {2 Grace}] 2 <nil>" {
		t.Errorf("the native example printed %s", out)
	}
}

// program writes an example into a program that prints what it found.
func program(t *testing.T, kind, example string) string {
	t.Helper()
	source := "package main\n\nimport (\n\t\"database/sql\"\n\t\"fmt\"\n\n\t_ \"github.com/skylite-go/skylite\"\n)\n\n" +
		"func main() {\n" + example + "fmt.Println(name, err)\n}\n"
	switch kind {
	case "tx":
		source = strings.Replace(source, "\t\"database/sql\"\n", "\t\"context\"\n\t\"database/sql\"\n", 1)
		source = strings.Replace(source, "skylite\"\n)", "skylite\"\n\t\"github.com/skylite-go/skylite/d1/d1sql\"\n)", 1)
	case "native":
		open, rest, _ := strings.Cut(example, "\n")
		source = "package main\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\n\t_ \"github.com/skylite-go/skylite\"\n" +
			"\t\"github.com/skylite-go/skylite/d1\"\n)\n\ntype User struct {\n\tID int\n\tName string\n}\n\n" +
			"func main() {\nctx := context.Background()\n" + open + "\n" +
			"if _, err := db.Exec(ctx, \"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)\"); err != nil {\npanic(err)\n}\n" +
			rest + "fmt.Println(users, len(results), err)\n}\n"
	}
	dir, err := os.MkdirTemp(".", "readme-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file := filepath.Join(dir, "main.go")
	writeFile(t, file, source)
	return "./" + file
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
