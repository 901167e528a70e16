package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1test"
	"github.com/skylite-go/skylite/d1/rest"
)

// startWorkerd starts Cloudflare's own engine and returns a function that opens a new
// database in it with our client of the REST API. What the service puts around the
// engine, its envelope, stands in for it here; see [restOnEngine].
func startWorkerd(t testing.TB) func(t testing.TB) d1.Backend {
	t.Helper()
	needNPM(t)
	engine := restOnEngine{startOracle(t) + "/query?database="}
	server := httptest.NewServer(engine)
	t.Cleanup(server.Close)
	made := 0
	return func(t testing.TB) d1.Backend {
		t.Helper()
		made++
		db, err := rest.Open(rest.Config{
			API:       cloudflare.Config{BaseURL: server.URL, APIToken: token},
			AccountID: account, DatabaseID: fmt.Sprintf("%08x-0000-4000-8000-000000000000", made),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
}

// restOnEngine is /raw of the REST API over the inner protocol of D1, whose
// statements and results are the same but for what is around them. The URL lacks the
// database's id.
type restOnEngine struct{ url string }

func (e restOnEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		SQL    string `json:"sql"`
		Params []any  `json:"params"`
		Batch  json.RawMessage
	}
	data, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(data, &body)
	}
	if body.Batch != nil {
		data = body.Batch
	}
	path := strings.Split(r.URL.Path, "/")
	if err != nil || len(path) < 2 || path[len(path)-1] != "raw" {
		http.Error(w, fmt.Sprint("not a call of /raw: ", err), http.StatusNotFound)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, e.url+path[len(path)-2], bytes.NewReader(data))
	if err == nil {
		req.Header.Set("Content-Type", "application/json")
		err = e.answer(w, req)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

func (e restOnEngine) answer(w http.ResponseWriter, req *http.Request) error {
	resp, err := apiClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var failure struct{ Error string }
	if json.Unmarshal(data, &failure) == nil && failure.Error != "" {
		w.WriteHeader(http.StatusBadRequest)
		return json.NewEncoder(w).Encode(map[string]any{"result": []any{}, "success": false, "messages": []any{},
			"errors": []any{map[string]any{"code": 7500, "message": failure.Error}}})
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("workerd: status %d: %s", resp.StatusCode, clip(string(data)))
	}
	if data = bytes.TrimSpace(data); len(data) > 0 && data[0] != '[' {
		data = append(append([]byte{'['}, data...), ']')
	}
	_, err = fmt.Fprintf(w, `{"result":%s,"success":true,"errors":[],"messages":[]}`, data)
	return err
}

// TestRESTOnWorkerd runs the conformance suite with our client on Cloudflare's own
// engine: what the client sends means there what it should. What ends a request late is
// an internal error to workerd, and takes the database with it.
func TestRESTOnWorkerd(t *testing.T) {
	open := startWorkerd(t)
	d1test.Run(t, d1test.Options{JSON: true, Uninterruptible: true, VagueCommit: true}, func(t *testing.T) d1.Backend { return open(t) })
}
