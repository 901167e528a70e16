package server_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/server"
)

// fuzzed is a server in memory that a fuzz target asks, without a network.
type fuzzed struct{ *server.Server }

func newFuzzed(f *testing.F) fuzzed {
	f.Helper()
	srv, err := server.New(server.Config{QueryTimeout: 100 * time.Millisecond, MaxDatabases: 3, MaxNamespaces: 3, MaxDatabaseBytes: 1 << 20})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { srv.Close() })
	return fuzzed{srv}
}

func (s fuzzed) do(method, target, body string) *httptest.ResponseRecorder {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil // net/http would not let it through
	}
	r := httptest.NewRequest("GET", "http://localhost/", strings.NewReader(body))
	r.Method, r.URL, r.RequestURI, r.Host = method, u, target, "localhost"
	r.Header.Set("Authorization", "Bearer x")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// FuzzRequests sends any body to any route. Every answer is one of the API's, and none says
// that the server is at fault.
func FuzzRequests(f *testing.F) {
	s := newFuzzed(f)
	const accounts = "/client/v4/accounts/a"
	database := accounts + "/d1/database/" + anyUUID.FindString(s.do("POST", accounts+"/d1/database", `{"name":"db"}`).Body.String())
	namespace := accounts + "/storage/kv/namespaces/" + hexID.FindString(s.do("POST", accounts+"/storage/kv/namespaces", `{"title":"ns"}`).Body.String())
	routes := []struct{ method, path string }{
		{"POST", database + "/query"}, {"POST", database + "/raw"}, {"POST", database + "/import"}, {"PUT", database + "/import/x"}, {"PATCH", database},
		{"PUT", database}, {"POST", accounts + "/d1/database"}, {"POST", "/client/v4/bridge/db"}, {"POST", "/client/v4/graphql"},
		{"PUT", namespace + "/bulk"}, {"DELETE", namespace + "/bulk"}, {"POST", namespace + "/bulk/get"}, {"POST", namespace + "/bulk/delete"},
		{"PUT", namespace + "/values/k"}, {"GET", namespace + "/keys"}, {"PUT", namespace}, {"POST", accounts + "/storage/kv/namespaces"},
		{"GET", accounts + "/d1/database"}, {"GET", namespace + "/metadata/k"},
	}
	for i := range routes {
		for _, seed := range []struct{ query, body string }{
			{"", `{"sql":"SELECT ?","params":[1]}`}, {"", `{"batch":[{"sql":"SELECT 1"},{"sql":"INSERT INTO t VALUES (?)","params":[[256]]}]}`},
			{"bookmark=first-primary", `[{"sql":"SELECT 1","params":[]}]`}, {"per_page=-1&page=99999999999999999999&cursor=%00&limit=1e9", `{"action":"init","etag":"00112233445566778899aabbccddeeff"}`},
			{"expiration_ttl=60&expiration=0x1", `[{"key":"a","value":"b","base64":true,"metadata":{"a":[1]},"expiration":1e99}]`},
			{"prefix=%ff", `{"keys":["a","",null],"type":"json","withMetadata":true}`}, {"name=%27", "\xff\xfe{"}, {"", `{"name":"\u0000","title":"x","read_replication":{"mode":"auto"}}`},
			{"", `{"query":"{viewer{accounts{d1AnalyticsAdaptiveGroups}}}","variables":{}}`}, {"", strings.Repeat("[", 200)}, {"", `["a","b"]`},
		} {
			f.Add(i, seed.query, seed.body)
		}
	}
	f.Fuzz(func(t *testing.T, route int, query, body string) {
		if route < 0 || route >= len(routes) {
			return
		}
		r := routes[route]
		w := s.do(r.method, r.path+"?"+query, body)
		if w == nil {
			return
		}
		if w.Code < 400 && strings.Contains(r.path, "/bridge/") && json.Valid(w.Body.Bytes()) {
			return // whose answer is a list
		}
		var answer struct {
			Success *bool
			Errors  []struct{ Code int }
		}
		err := json.Unmarshal(w.Body.Bytes(), &answer)
		if w.Code >= 500 || err != nil || (w.Code < 400) != (answer.Success == nil || *answer.Success) && r.path != database+"/import" {
			t.Errorf("%s %s?%s %q: %d %.300s %v", r.method, r.path, query, body, w.Code, w.Body, err)
		}
		if w.Code >= 400 && len(answer.Errors) == 0 && !strings.HasSuffix(r.path, "graphql") {
			t.Errorf("%s %s: %d without an error", r.method, r.path, w.Code)
		}
	})
}

// FuzzKeys stores a value under any key: exactly that key is there then, with that value, or
// it was refused and nothing is.
func FuzzKeys(f *testing.F) {
	s := newFuzzed(f)
	const all = "/client/v4/accounts/a/storage/kv/namespaces"
	namespace := all + "/" + hexID.FindString(s.do("POST", all, `{"title":"ns"}`).Body.String())
	for _, key := range []string{"a", "a/b", "..", ".", "../x", "a%2fb", "%", "%00", "\x00", "ü", "\xff", "a b+c?d#e", "\u2028", strings.Repeat("k", 513), "values/x", " "} {
		f.Add(key, []byte("value of "+key))
	}
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		path := namespace + "/values/" + url.PathEscape(key)
		put := s.do("PUT", path, string(value))
		if put == nil {
			return
		}
		got := s.do("GET", path, "")
		listed := s.do("GET", namespace+"/keys", "")
		var list struct{ Result []struct{ Name string } }
		if err := json.Unmarshal(listed.Body.Bytes(), &list); err != nil || listed.Code != 200 {
			t.Fatalf("list: %d %s", listed.Code, listed.Body)
		}
		if put.Code == 200 {
			if got.Code != 200 || !bytes.Equal(got.Body.Bytes(), value) || len(list.Result) != 1 || list.Result[0].Name != key {
				t.Errorf("key %q: got %d %q, list %v", key, got.Code, got.Body, list.Result)
			}
			if gone := s.do("DELETE", path, ""); gone.Code != 200 {
				t.Errorf("delete %q: %d %s", key, gone.Code, gone.Body)
			}
			return
		}
		if put.Code >= 500 || got.Code < 400 || len(list.Result) > 0 {
			t.Errorf("key %q was refused: %d %s; then got %d, list %v", key, put.Code, put.Body, got.Code, list.Result)
		}
	})
}
