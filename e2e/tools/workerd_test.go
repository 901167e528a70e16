package tools

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := engine.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// onWorkerd is a database of Cloudflare's own engine, behind the Worker of the bridge.
func onWorkerd(t *testing.T) (driver, dsn string) {
	if _, err := os.Stat(nodePath); err != nil {
		if os.Getenv("SKYLITE_E2E") != "" {
			t.Fatal(err)
		}
		t.Skip("no node_modules: run npm ci --ignore-scripts in e2e")
	}
	engine.once.Do(engine.start)
	if engine.failed != nil {
		t.Fatal(engine.failed)
	}
	n := engine.used.Add(1) - 1
	return "d1", fmt.Sprintf("d1+bridge://%s/DB%d?token=%s", engine.host, n, token)
}

const nodePath = "../node_modules/.bin/node"

// engine is one workerd for all tests, which has databases DB0, DB1… for them.
var engine worker

type worker struct {
	once   sync.Once
	used   atomic.Int64
	cmd    *exec.Cmd
	stdin  io.Closer
	home   string
	log    bytes.Buffer
	host   string
	failed error
}

func (w *worker) start() {
	if w.home, w.failed = os.MkdirTemp("", "skylite-tools"); w.failed != nil {
		return
	}
	cmd := exec.Command(nodePath, "../workerd/bridge.mjs", token)
	cmd.Env = append(os.Environ(), "HOME="+w.home, "TMPDIR="+w.home, "XDG_CONFIG_HOME="+w.home)
	cmd.Stderr = &w.log
	out, err := cmd.StdoutPipe()
	if err == nil {
		w.stdin, err = cmd.StdinPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if w.failed = err; err != nil {
		return
	}
	w.cmd = cmd
	line, _ := bufio.NewReader(out).ReadBytes('\n')
	var ready struct{ URL string }
	if err := json.Unmarshal(line, &ready); err != nil {
		w.failed = fmt.Errorf("workerd did not start: %q, %w", line, err)
	}
	w.host = strings.TrimPrefix(ready.URL, "http://")
}

// stop ends the process, which stops when its input does.
func (w *worker) stop() error {
	if w.home != "" {
		defer os.RemoveAll(w.home)
	}
	if w.cmd == nil {
		return nil
	}
	w.stdin.Close()
	timer := time.AfterFunc(30*time.Second, func() { _ = w.cmd.Process.Kill() })
	defer timer.Stop()
	if err := w.cmd.Wait(); err != nil {
		return fmt.Errorf("workerd: %w\n%s", err, w.log.String())
	}
	return nil
}
