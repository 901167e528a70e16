package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/server"
)

// What the clients are told. The server takes any account and, unless it has one of
// its own, any token.
const (
	account = "0123456789abcdef0123456789abcdef"
	token   = "a-token-of-the-tests"
)

// fixture is a server on a loopback port, with a data folder of its own.
type fixture struct {
	base string // the base URL of the API
}

// serve starts a server, which ends with the test.
func serve(t testing.TB, cfg server.Config) *fixture {
	t.Helper()
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		if err := srv.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &fixture{base: "http://" + l.Addr().String() + "/client/v4"}
}

// serveFiles starts a server on a new data folder.
func serveFiles(t testing.TB) *fixture {
	t.Helper()
	return serve(t, server.Config{DataDir: t.TempDir()})
}

// envelope is what every answer of the API comes in.
type envelope struct {
	Result  json.RawMessage
	Success bool
	Errors  []apiMessage
	status  int
}

type apiMessage struct {
	Code    int
	Message string
}

// apiClient keeps enough connections that none is made for each request.
var apiClient = &http.Client{
	Timeout:   time.Minute,
	Transport: &http.Transport{MaxIdleConnsPerHost: 32},
}

// call sends a request to a path below the account. An empty body is none.
func (f *fixture) call(t testing.TB, method, path, body string) envelope {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method,
		f.base+"/accounts/"+account+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := apiClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	e := envelope{status: resp.StatusCode}
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatalf("%s %s: %v in %q", method, path, err, clip(string(data)))
	}
	return e
}

// result sends a request that must succeed, and reads its result into v.
func (f *fixture) result(t testing.TB, method, path, body string, v any) {
	t.Helper()
	e := f.call(t, method, path, body)
	if e.status != http.StatusOK || !e.Success {
		t.Fatalf("%s %s: %d %v", method, path, e.status, e.Errors)
	}
	if err := json.Unmarshal(e.Result, v); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, clip(string(e.Result)))
	}
}

// create makes a database and returns its id.
func (f *fixture) create(t testing.TB, name string) string {
	t.Helper()
	var db struct{ UUID string }
	f.result(t, "POST", "/d1/database", encode(t, map[string]string{"name": name}), &db)
	return db.UUID
}

func encode(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
