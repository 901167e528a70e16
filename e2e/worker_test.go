package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// goWorker is a Worker written in Go, workerd/app, in workerd.
type goWorker struct {
	url   string
	lines *bufio.Scanner
	stdin io.WriteCloser
	log   *lockedBuffer
	stop  func() // it; nil for one that ends with the test only
}

// lockedBuffer is what a process writes while a test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// startWorker compiles and starts a Go Worker, which ends with the test.
func startWorker(t testing.TB, pkg string) *goWorker {
	t.Helper()
	needNPM(t)
	c := (&fixture{}).client(t)
	wasm := c.compile(t, pkg, "build", "-ldflags=-s -w")
	return c.startNode(t, "workerd/serve.mjs", wasm)
}

// startNode runs a script that prints its url, until the end of the test.
func (c *client) startNode(t testing.TB, args ...string) *goWorker {
	t.Helper()
	cmd := exec.Command(localPath(t, "node_modules/.bin/node"), append([]string{localPath(t, args[0])}, args[1:]...)...)
	cmd.Dir, cmd.Env = c.dir, append(c.environ(), goVariables(t)...)
	w := &goWorker{log: new(lockedBuffer)}
	cmd.Stderr = w.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if w.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.stdin.Close()
		timer := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", args[0], err, w.log)
		}
	})
	w.lines = bufio.NewScanner(out)
	var ready struct{ URL string }
	if !w.lines.Scan() || json.Unmarshal(w.lines.Bytes(), &ready) != nil {
		t.Fatalf("%s did not start: %s\n%s", args[0], w.lines.Text(), w.log)
	}
	w.url = ready.URL
	return w
}

// memory returns what workerd uses, in bytes.
func (w *goWorker) memory(t testing.TB) int {
	t.Helper()
	if _, err := io.WriteString(w.stdin, "memory\n"); err != nil || !w.lines.Scan() {
		t.Fatalf("no answer: %v", err)
	}
	n, err := strconv.Atoi(w.lines.Text())
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// reply is an answer of the Worker.
type reply struct {
	status int
	header http.Header
	body   string
}

func (w *goWorker) do(ctx context.Context, method, path, body, bookmark string) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, w.url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if bookmark != "" {
		req.Header.Set("X-D1-Bookmark", bookmark)
	}
	req.Header.Set("X-Test", "a test")
	resp, err := workerClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, strings.TrimSuffix(string(data), "\n")}, err
}

var workerClient = &http.Client{
	Timeout:   2 * time.Minute,
	Transport: &http.Transport{MaxIdleConnsPerHost: 256},
}

func (w *goWorker) get(t testing.TB, path string) reply {
	t.Helper()
	r, err := w.do(t.Context(), "GET", path, "", "")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestGoWorker(t *testing.T) {
	t.Parallel()
	w := startWorker(t, "./workerd/app")
	t.Run("requests and responses", func(t *testing.T) {
		r := w.get(t, "/request?a=%20b&c")
		var got map[string]any
		if err := json.Unmarshal([]byte(r.body), &got); err != nil {
			t.Fatal(err)
		}
		delete(got, "host")
		delete(got, "cf")
		want := map[string]any{"method": "GET", "path": "/request", "query": "a=%20b&c", "header": "a test", "variable": "a text"}
		if r.status != http.StatusTeapot || fmt.Sprint(got) != fmt.Sprint(want) || strings.Join(r.header.Values("X-Twice"), " ") != "a b" {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("streams", func(t *testing.T) { w.testStreams(t) })
	t.Run("sessions", func(t *testing.T) {
		r, err := w.do(t.Context(), "POST", "/notes", `{"text":"hello"}`, "")
		bookmark := r.header.Get("X-D1-Bookmark")
		if err != nil || r.body != `{"id":1,"text":"hello"}` || len(bookmark) != 59 {
			t.Fatalf("%+v, %v", r, err)
		}
		r, err = w.do(t.Context(), "GET", "/notes/1", "", bookmark)
		if err != nil || r.body != `{"id":1,"text":"hello"}` || r.header.Get("X-D1-Bookmark") < bookmark {
			t.Errorf("%+v, %v", r, err)
		}
		if r, err = w.do(t.Context(), "GET", "/notes/1", "", "not a bookmark"); err != nil || r.status != 400 {
			t.Errorf("%+v, %v", r, err)
		}
	})
	t.Run("bindings that are none", func(t *testing.T) {
		for name, want := range map[string]string{"NOPE": "no binding", "KV": "is no D1 binding, but KV"} {
			if r := w.get(t, "/bindings/"+name); r.status != 500 || !strings.Contains(r.body, want) {
				t.Errorf("%s: %+v", name, r)
			}
		}
	})
	t.Run("after the response", func(t *testing.T) {
		if r := w.get(t, "/later"); r.body != `"ok"` {
			t.Fatalf("%+v", r)
		}
		for range 200 { // each takes a round trip
			if w.get(t, "/notes/1000000").status == 200 {
				return
			}
		}
		t.Error("what was to be done later has not been done")
	})
	t.Run("panics", func(t *testing.T) { w.testPanics(t) })
}

func (w *goWorker) testStreams(t *testing.T) {
	in, out := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), "POST", w.url+"/upper", in)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(out, "first ") }()
	resp, err := workerClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 6)
	if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != "FIRST " {
		t.Fatalf("%q, %v", buf, err) // it came before the request's body has ended
	}
	go func() {
		_, _ = io.WriteString(out, strings.Repeat("more ", 100_000))
		out.Close()
	}()
	rest, err := io.ReadAll(resp.Body)
	if err != nil || string(rest) != strings.Repeat("MORE ", 100_000) {
		t.Errorf("%d bytes, %v", len(rest), err)
	}
	if r := w.get(t, "/stream?n=20000"); strings.Count(r.body, "\n") != 19_999 || !strings.HasSuffix(r.body, "line 19999") {
		t.Errorf("%d bytes", len(r.body))
	}
}

func (w *goWorker) testPanics(t *testing.T) {
	for _, path := range []string{"/panic", "/die", "/panic"} {
		r := w.get(t, path)
		if r.status != 500 || r.body != "Internal Server Error" {
			t.Errorf("%s: %+v", path, r)
		}
		if r := w.get(t, "/notes/1"); r.status != 200 {
			t.Errorf("after %s: %+v\n%s", path, r, w.log)
		}
	}
	for _, text := range []string{"a secret of the handler", "a goroutine's own panic"} {
		if !strings.Contains(w.log.String(), text) {
			t.Errorf("the log does not say %q", text)
		}
	}
}

// TestGoWorkerUnderLoad sends many requests at once, which wake each other, wait for
// timers and ask the database, and looks that nobody gets another's answer; and then many
// more, and looks that the memory does not grow.
func TestGoWorkerUnderLoad(t *testing.T) {
	t.Parallel()
	w := startWorker(t, "./workerd/app")
	const together = 200
	t.Run("together", func(t *testing.T) {
		w.flood(t, together, together, func(i int) (path, want string) {
			return fmt.Sprintf("/meet?n=%d&who=%d", together, i), fmt.Sprintf(`"%d"`, i)
		})
	})
	t.Run("timers", func(t *testing.T) {
		w.flood(t, together, together, func(i int) (path, want string) {
			return fmt.Sprintf("/timer?ms=%d", 1+i%50), `"ok"`
		})
	})
	var mu sync.Mutex
	texts := map[string]string{}
	t.Run("writes", func(t *testing.T) {
		w.parallel(t, together, together, func(i int) error {
			text := fmt.Sprintf("text %d", i)
			r, err := w.do(t.Context(), "POST", "/notes", fmt.Sprintf(`{"text":%q}`, text), "")
			if err != nil {
				return err
			}
			var n struct {
				ID   int64
				Text string
			}
			if err := json.Unmarshal([]byte(r.body), &n); err != nil || n.Text != text {
				return fmt.Errorf("%d got %+v", i, r)
			}
			mu.Lock()
			defer mu.Unlock()
			texts[fmt.Sprint("/notes/", n.ID)] = r.body
			return nil
		})
		if len(texts) != together {
			t.Errorf("%d notes for %d requests", len(texts), together)
		}
	})
	var paths []string
	for path := range texts {
		paths = append(paths, path)
	}
	round := 300
	if os.Getenv("SKYLITE_LONG") == "1" {
		round = 2500
	}
	reads := func(i int) (path, want string) { return paths[i%len(paths)], texts[paths[i%len(paths)]] }
	w.flood(t, round, 50, reads) // until everything has its size
	before, rss := w.stats(t), w.memory(t)
	w.flood(t, round, 50, reads)
	w.flood(t, round, 50, reads)
	after := w.stats(t)
	t.Logf("after %d requests %+v, workerd has %d MB", round, before, rss>>20)
	t.Logf("after %d requests %+v, workerd has %d MB", 3*round, after, w.memory(t)>>20)
	// Timers and finalizers may be under way, but nothing there is for each request.
	if after.Goroutines > before.Goroutines+3 || after.Invocations > before.Invocations+3 || after.Timers > before.Timers+3 ||
		after.Values > before.Values+60 || after.Heap > before.Heap+1<<20 || after.Memory > before.Memory+4<<20 {
		t.Error("the Worker has grown")
	}
}

// workerStats is what a Go Worker holds.
type workerStats struct {
	Goroutines, Heap, Invocations, Timers, Values, Memory int
}

func (w *goWorker) stats(t *testing.T) (s workerStats) {
	t.Helper()
	if r := w.get(t, "/stats"); json.Unmarshal([]byte(r.body), &s) != nil || s.Invocations < 1 || s.Memory == 0 {
		t.Fatalf("%+v", r)
	}
	return s
}

// flood sends n requests, at most so many together, and compares the answers.
func (w *goWorker) flood(t *testing.T, n, together int, of func(i int) (path, want string)) {
	t.Helper()
	w.parallel(t, n, together, func(i int) error {
		path, want := of(i)
		r, err := w.do(t.Context(), "GET", path, "", "")
		if err == nil && (r.status != 200 || r.body != want) {
			err = fmt.Errorf("%s: %d %s, want %s", path, r.status, r.body, want)
		}
		return err
	})
}

func (w *goWorker) parallel(t *testing.T, n, together int, do func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	failed := 0
	slots := make(chan struct{}, together)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := do(i); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if failed++; failed < 5 {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if failed > 0 {
		t.Errorf("%d of %d requests failed\n%s", failed, n, clip(w.log.String()))
	}
}
