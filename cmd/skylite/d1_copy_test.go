package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/skylite-go/skylite/server"
)

// flaky is a server that stands in for Cloudflare, in front of which calls are lost.
type flaky struct {
	server *server.Server
	mu     sync.Mutex
	lose   func(method, path, body string) (before, after bool) // the request, or its answer
	calls  []string
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := new(bytes.Buffer)
	if r.Method == http.MethodPost {
		_, _ = body.ReadFrom(r.Body)
		r.Body = readCloser{bytes.NewReader(body.Bytes())}
	}
	f.mu.Lock()
	f.calls = append(f.calls, r.Method+" "+r.URL.Path+" "+body.String())
	before, after := false, false
	if f.lose != nil {
		before, after = f.lose(r.Method, r.URL.Path, body.String())
	}
	f.mu.Unlock()
	if before {
		panic(http.ErrAbortHandler)
	}
	if after {
		f.server.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	f.server.ServeHTTP(w, r)
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// losing makes calls get lost, and forgets those there were.
func (f *flaky) losing(lose func(method, path, body string) (before, after bool)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lose, f.calls = lose, nil
}

func (f *flaky) count(method, part string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, call := range f.calls {
		if strings.HasPrefix(call, method+" ") && strings.Contains(call, part) {
			n++
		}
	}
	return n
}

// startFlaky starts one, and makes it Cloudflare to commands that are run with the
// function it returns, each of which must end with an exit code.
func startFlaky(t *testing.T) (*flaky, func(code int, args ...string) (stdout, stderr string)) {
	srv, err := server.New(server.Config{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	f := &flaky{server: srv}
	front := httptest.NewServer(f)
	front.Config.ErrorLog = nil
	dir := t.TempDir()
	t.Cleanup(func() {
		front.Close()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	for name, value := range map[string]string{"CLOUDFLARE_API_TOKEN": "token", "CLOUDFLARE_ACCOUNT_ID": server.DefaultAccountID,
		"CLOUDFLARE_API_BASE_URL": front.URL + "/client/v4", "SKYLITE_DATA": filepath.Join(dir, "data"), "HOME": dir, "XDG_CACHE_HOME": ""} {
		t.Setenv(name, value)
	}
	return f, func(code int, args ...string) (string, string) {
		t.Helper()
		var out, errs bytes.Buffer
		if got := Run(context.Background(), args, strings.NewReader(""), &out, &errs, os.Getenv); got != code {
			t.Fatalf("skylite %s: exit code %d, not %d\n%s%s", strings.Join(args, " "), got, code, &out, &errs)
		}
		return out.String(), errs.String()
	}
}

const copied = `CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'a'), (2, 9223372036854775807), (3, x'00')`

func TestPushInterrupted(t *testing.T) {
	f, skylite := startFlaky(t)
	skylite(0, "d1", "create", "app")
	skylite(0, "d1", "execute", "app", "--command", copied)
	skylite(0, "d1", "create", "shop", "--remote")
	empty := func(when string) {
		t.Helper()
		f.losing(nil)
		if out, _ := skylite(0, "d1", "execute", "shop", "--remote", "--json", "--command", "SELECT count(*) AS n FROM sqlite_master WHERE name = 't'"); !strings.Contains(out, `"n": 0`) {
			t.Errorf("%s the target is not empty: %s", when, out)
		}
	}

	// The upload is lost, however often it is tried.
	f.losing(func(method, _, _ string) (bool, bool) { return method == http.MethodPut, false })
	_, errs := skylite(1, "d1", "push", "app", "shop")
	if !strings.Contains(errs, `import into "shop" in Cloudflare, which is as it was`) {
		t.Error(errs)
	}
	empty("after a lost upload")

	// The call that starts the import does not arrive: the file need not be sent again.
	f.losing(func(_, _, body string) (bool, bool) { return strings.Contains(body, `"ingest"`), false })
	skylite(1, "d1", "push", "app", "shop")
	empty("after a lost call")
	skylite(0, "d1", "push", "app", "shop")
	if n := f.count(http.MethodPut, "import"); n != 0 {
		t.Errorf("the file was sent %d times again", n)
	}
	if out, _ := skylite(0, "d1", "diff", "app", "remote:shop"); !strings.Contains(out, `"equal": true`) {
		t.Error(out)
	}

	// The import is done, and the answer is lost: the same command finds out.
	skylite(0, "d1", "execute", "app", "--command", "INSERT INTO t VALUES (4, 'more')")
	f.losing(func(_, _, body string) (bool, bool) {
		return false, strings.Contains(body, `"poll"`) || strings.Contains(body, `"ingest"`)
	})
	_, errs = skylite(1, "d1", "push", "app", "shop", "--force")
	if !strings.Contains(errs, "as a whole or not at all") {
		t.Error(errs)
	}
	f.losing(nil)
	if _, errs = skylite(0, "d1", "push", "app", "shop", "--force"); !strings.Contains(errs, "equal") {
		t.Error(errs)
	}
	if out, _ := skylite(0, "d1", "diff", "app", "remote:shop"); !strings.Contains(out, `"equal": true`) {
		t.Error(out)
	}
	if left, _ := filepath.Glob(filepath.Join(os.Getenv("HOME"), ".cache/skylite/dumps/*")); len(left) > 0 {
		t.Errorf("files are left: %v", left)
	}
}

func TestPullInterrupted(t *testing.T) {
	f, skylite := startFlaky(t)
	skylite(0, "d1", "create", "shop", "--remote")
	skylite(0, "d1", "execute", "shop", "--remote", "--command", copied)

	f.losing(func(_, path, _ string) (bool, bool) { return strings.HasSuffix(path, "/export"), false })
	skylite(1, "d1", "pull", "shop", "app")
	if out, _ := skylite(0, "d1", "list"); strings.Contains(out, "app") {
		t.Errorf("the database is left behind: %s", out)
	}
	skylite(1, "d1", "pull", "shop", filepath.Join(os.Getenv("HOME"), "new.db"))
	if _, err := os.Stat(filepath.Join(os.Getenv("HOME"), "new.db")); err == nil {
		t.Error("the file is left behind")
	}

	// Comparing fails, when the target is full: it is deleted again, since it was made for this.
	reads := 0
	f.losing(func(_, _, body string) (bool, bool) {
		if strings.Contains(body, "RECURSIVE") {
			reads++
		}
		return reads > 0 && strings.Contains(body, "RECURSIVE"), false
	})
	skylite(1, "d1", "pull", "shop", "app")
	f.losing(nil)
	if out, _ := skylite(0, "d1", "list"); strings.Contains(out, "app") {
		t.Errorf("the database is left behind: %s", out)
	}
	skylite(0, "d1", "pull", "shop", "app")
	if out, _ := skylite(0, "d1", "diff", "app", "remote:shop"); !strings.Contains(out, `"equal": true`) {
		t.Error(out)
	}
}

// TestPushOfAnother checks that a copy which is not equal to its source is undone: the
// source changes while it is copied.
func TestPushOfAnother(t *testing.T) {
	f, skylite := startFlaky(t)
	skylite(0, "d1", "create", "app")
	skylite(0, "d1", "execute", "app", "--command", copied)
	skylite(0, "d1", "create", "shop", "--remote")
	once := sync.Once{}
	f.losing(func(_, _, body string) (bool, bool) {
		if strings.Contains(body, `"ingest"`) {
			once.Do(func() { skylite(0, "d1", "execute", "app", "--command", "UPDATE t SET v = 'b' WHERE id = 1") })
		}
		return false, false
	})
	_, errs := skylite(1, "d1", "push", "app", "shop")
	if !strings.Contains(errs, "the table t has 3 rows") || !strings.Contains(errs, "the target was put back as it was") {
		t.Error(errs)
	}
	if out, _ := skylite(0, "d1", "execute", "shop", "--remote", "--json", "--command", "SELECT count(*) AS n FROM sqlite_master WHERE name = 't'"); !strings.Contains(out, `"n": 0`) {
		t.Errorf("the target is not empty: %s", out)
	}
}
