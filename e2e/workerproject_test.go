package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestWorkerProject goes from an empty folder to a running Worker, as the readme does:
// with the project that skylite writes, wrangler, and D1.
func TestWorkerProject(t *testing.T) {
	needNPM(t)
	t.Parallel()
	c := (&fixture{}).client(t)
	bin := filepath.Join(c.dir, "bin")
	c.extra = append(goVariables(t), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	install := *c
	install.dir = localPath(t, "..")
	install.run(t, "go", "build", "-o", filepath.Join(bin, "skylite"), "./cmd/skylite").ok(t)

	contains(t, c.run(t, filepath.Join(bin, "skylite"), "worker", "init", "hello").stderr, "npx wrangler dev")
	c.dir = filepath.Join(c.dir, "hello")
	const module = "github.com/skylite-go/skylite"
	c.run(t, "go", "mod", "edit", "-require", module+"@v0.0.0", "-replace", module+"="+localPath(t, "..")).ok(t)
	c.run(t, "go", "mod", "tidy").ok(t)

	built := c.run(t, filepath.Join(bin, "skylite"), "worker", "build")
	built.ok(t)
	var size float64
	found := regexp.MustCompile(`([0-9.]+) MiB compressed; a free plan takes 3 MiB`).FindStringSubmatch(built.stderr)
	if len(found) != 2 {
		t.Fatalf("the size is not told: %s", built.stderr)
	}
	if _, err := fmt.Sscan(found[1], &size); err != nil || size < 0.5 || size > 2.5 {
		t.Errorf("the Worker has %v MiB compressed, %v", size, err)
	}
	c.wrangler(t, "d1", "execute", "DB", "--local", "--file", "schema.sql").ok(t)
	c.wrangler(t, "deploy", "--dry-run").ok(t)

	w := c.dev(t)
	r, err := w.do(t.Context(), "POST", "/notes", `{"text":"hello"}`, "")
	if err != nil || r.status != 200 || r.body != `{"id":1,"text":"hello"}` {
		t.Fatalf("%+v, %v\n%s", r, err, w.log)
	}
	bookmark := r.header.Get("X-D1-Bookmark")
	if r, err = w.do(t.Context(), "GET", "/notes/1", "", bookmark); err != nil || r.status != 200 || r.body != `{"id":1,"text":"hello"}` {
		t.Errorf("%+v, %v", r, err)
	}
	if r := w.get(t, "/notes/7"); r.status != 404 {
		t.Errorf("%+v", r)
	}
}

// dev runs wrangler dev, on a port that is free.
func (c *client) dev(t *testing.T) *goWorker {
	t.Helper()
	var ports [2]string
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, ports[i], _ = net.SplitHostPort(l.Addr().String())
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(localPath(t, "node_modules/.bin/node"), localPath(t, "node_modules/wrangler/bin/wrangler.js"),
		"dev", "--ip", "127.0.0.1", "--port", ports[0], "--inspector-port", ports[1])
	cmd.Dir, cmd.Env = c.dir, c.environ()
	w := &goWorker{log: new(lockedBuffer)}
	cmd.Stderr = w.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if w.stdin, err = cmd.StdinPipe(); err != nil { // an open one, or wrangler ends
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		timer := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		_ = cmd.Wait() // it was told to end, and how it says so does not matter
	})
	t.Cleanup(w.stop)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, url, ready := strings.Cut(plain(lines.Text()), "Ready on "); ready {
			w.url = strings.TrimSpace(url)
			go func() {
				for lines.Scan() {
					_, _ = w.log.Write(append(lines.Bytes(), '\n'))
				}
			}()
			return w
		}
		_, _ = w.log.Write(append(lines.Bytes(), '\n'))
	}
	t.Fatalf("wrangler dev did not start\n%s", w.log)
	return nil
}

// TestBridgeProject deploys, as far as one can here, the bridge that skylite writes.
func TestBridgeProject(t *testing.T) {
	needNPM(t)
	t.Parallel()
	c := (&fixture{}).client(t)
	bin := filepath.Join(c.dir, "skylite")
	install := *c
	install.dir, install.extra = localPath(t, ".."), goVariables(t)
	install.run(t, "go", "build", "-o", bin, "./cmd/skylite").ok(t)
	c.run(t, bin, "bridge", "init", "my-bridge").ok(t)
	c.dir = filepath.Join(c.dir, "my-bridge")
	c.wrangler(t, "deploy", "--dry-run").ok(t)
	if err := os.WriteFile(filepath.Join(c.dir, ".dev.vars"), []byte("BRIDGE_TOKEN="+bridgeToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := c.dev(t)
	db := openBridge(t, w.url, "", bridgeToken)
	session := db.WithSession("")
	if _, err := session.Run(t.Context(), "CREATE TABLE t (a)"); err != nil {
		t.Fatalf("%v\n%s", err, w.log)
	}
	if _, err := session.Run(t.Context(), "INSERT INTO t VALUES (?)", json.Number("5").String()); err != nil || len(session.Bookmark()) != 59 {
		t.Errorf("%v, bookmark %q", err, session.Bookmark())
	}
}
