package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/server"
)

const account = "0123456789abcdef0123456789abcdef"
const databases = "/client/v4/accounts/" + account + "/d1/database"

// api is a client of a server under test.
type api struct {
	t   *testing.T
	url string
	srv *server.Server
}

func start(t *testing.T, cfg server.Config) *api {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return time.Date(2026, 10, 5, 4, 12, 9, 123456789, time.UTC) }
	}
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(srv)
	t.Cleanup(func() {
		ts.Close()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return &api{t: t, url: ts.URL, srv: srv}
}

// do sends a request. headers are "Name: value"; the bearer token x is sent if there
// are none.
func (a *api) do(method, path, body string, headers ...string) (status int, answer string) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if len(headers) == 0 {
		headers = []string{"Authorization: Bearer x"}
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header[http.CanonicalHeaderKey(name)] = []string{value}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if resp.Header.Get("Content-Type") != "application/json" || !json.Valid(data) && method != http.MethodHead {
		a.t.Errorf("%s %s answers no JSON: %s %.300s", method, path, resp.Header.Get("Content-Type"), data)
	}
	if resp.Header.Get("Cf-Ray") == "" {
		a.t.Error("no cf-ray")
	}
	return resp.StatusCode, string(data)
}

// create makes a database and returns its UUID.
func (a *api) create(name string) string {
	a.t.Helper()
	status, answer := a.do("POST", databases, `{"name":"`+name+`"}`)
	var envelope struct{ Result struct{ UUID string } }
	if err := json.Unmarshal([]byte(answer), &envelope); err != nil || status != 200 || envelope.Result.UUID == "" {
		a.t.Fatalf("create: %d %s", status, answer)
	}
	return envelope.Result.UUID
}

// sql runs SQL without parameters and returns the answer.
func (a *api) sql(id, sql string) (status int, answer string) {
	a.t.Helper()
	body, err := json.Marshal(map[string]string{"sql": sql})
	if err != nil {
		a.t.Fatal(err)
	}
	return a.do("POST", databases+"/"+id+"/query", string(body))
}

func (a *api) mustSQL(id, sql string) string {
	a.t.Helper()
	status, answer := a.sql(id, sql)
	if status != 200 {
		a.t.Fatalf("%s: %d %s", sql, status, answer)
	}
	return answer
}

// failure is the envelope of an error.
func failure(code int, text string) string {
	quoted, _ := json.Marshal(text)
	text = strings.NewReplacer(`\u003e`, ">", `\u003c`, "<", `\u0026`, "&").Replace(string(quoted))
	return fmt.Sprintf(`{"result":null,"success":false,"errors":[{"code":%d,"message":%s}],"messages":[]}`, code, text)
}

var (
	anyUUID     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	anyDuration = regexp.MustCompile(`("sql_duration_ms"|"duration"):[0-9.e-]+`)
	anySize     = regexp.MustCompile(`("size_after"|"file_size"):[0-9]+`)
	anyRows     = regexp.MustCompile(`("rows_read"|"rows_written"):[0-9]+`)
)

// steady replaces what differs between two runs, or is an estimate.
func steady(answer string) string {
	answer = anyUUID.ReplaceAllString(answer, "UUID")
	answer = anyDuration.ReplaceAllString(answer, "$1:0.1")
	answer = anySize.ReplaceAllString(answer, "$1:4096")
	return anyRows.ReplaceAllString(answer, "$1:0")
}

// results is an answer without its metas.
func results(answer string) string {
	return regexp.MustCompile(`,"success":true,"meta":\{[^{}]*\{[^{}]*\}[^{}]*\}`).ReplaceAllString(answer, "")
}
