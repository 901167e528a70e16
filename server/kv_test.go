package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skylite-go/skylite/server"
)

const kvNamespaces = "/client/v4/accounts/" + account + "/storage/kv/namespaces"

// createKV makes a namespace and returns its path.
func (a *api) createKV(title string) string {
	a.t.Helper()
	status, answer := a.do("POST", kvNamespaces, `{"title":"`+title+`"}`)
	var envelope struct{ Result struct{ ID string } }
	if err := json.Unmarshal([]byte(answer), &envelope); err != nil || status != 200 || len(envelope.Result.ID) != 32 {
		a.t.Fatalf("create: %d %s", status, answer)
	}
	return kvNamespaces + "/" + envelope.Result.ID
}

// value reads a value as it is, and its expiration header.
func (a *api) value(path string) (status int, body, expiration string) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), "GET", a.url+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer x")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if resp.StatusCode == 200 && resp.Header.Get("Content-Type") != "application/octet-stream" {
		a.t.Errorf("content type %s", resp.Header.Get("Content-Type"))
	}
	return resp.StatusCode, string(data), resp.Header.Get("Expiration")
}

const (
	done   = `{"result":null,"success":true,"errors":[],"messages":[]}`
	anyID  = "0123456789abcdef0123456789abcdef"
	year26 = 1791173529 // the clock of the tests, in Unix seconds
)

var anyHex = regexp.MustCompile(`"id":"[0-9a-f]{32}"`)

func bulk(n int) string {
	return fmt.Sprintf(`{"result":{"successful_key_count":%d,"unsuccessful_keys":[]},"success":true,"errors":[],"messages":[]}`, n)
}

// step is a request and its whole answer; "@" in a path is the namespace's.
type step struct {
	method, path, body string
	status             int
	want               string
}

func (s step) run(t *testing.T, a *api, ns string, headers ...string) {
	t.Helper()
	path := strings.Replace(s.path, "@", ns, 1)
	if len(headers) > 0 {
		headers = append(headers, "Authorization: Bearer x")
	}
	status, got := a.do(s.method, path, s.body, headers...)
	got = anyHex.ReplaceAllString(got, `"id":"ID"`)
	if status != s.status || got != s.want {
		t.Errorf("%s %s %.100s\ngot  %d %.400s\nwant %d %.400s", s.method, s.path, s.body, status, got, s.status, s.want)
	}
}

func TestKVNamespaces(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{MaxNamespaces: 3})
	ns := a.createKV("beta")
	a.createKV("alpha")
	object := func(title string) string {
		return `{"id":"ID","title":"` + title + `","supports_url_encoding":true}`
	}
	ok := func(result string) string {
		return `{"result":` + result + `,"success":true,"errors":[],"messages":[]}`
	}
	list := func(result string, count, page, perPage, total, pages int) string {
		return fmt.Sprintf(`{"result":[%s],"result_info":{"count":%d,"page":%d,"per_page":%d,"total_count":%d,"total_pages":%d},"success":true,"errors":[],"messages":[]}`,
			result, count, page, perPage, total, pages)
	}
	for _, s := range []step{
		{"GET", kvNamespaces + "?order=title", "", 200, list(object("alpha")+","+object("beta"), 2, 1, 20, 2, 1)},
		{"GET", kvNamespaces + "?order=title&direction=desc&per_page=1", "", 200, list(object("beta"), 1, 1, 1, 2, 2)},
		{"GET", kvNamespaces + "?order=title&per_page=1&page=2", "", 200, list(object("beta"), 1, 2, 1, 2, 2)},
		{"GET", kvNamespaces + "?page=7", "", 200, list("", 0, 7, 20, 2, 1)},
		{"GET", kvNamespaces + "?order=size", "", 400, failure(7400, "Invalid property: order => Invalid enum value. Expected 'id' | 'title'")},
		{"GET", kvNamespaces + "?direction=up", "", 400, failure(7400, "Invalid property: direction => Invalid enum value. Expected 'asc' | 'desc'")},
		{"GET", kvNamespaces + "?page=0", "", 400, failure(7400, "Invalid property: page => Number must be greater than or equal to 1")},
		{"POST", kvNamespaces, `{"title":"beta"}`, 400, failure(10014, "create namespace: 'a namespace with this account ID and title already exists'")},
		{"POST", kvNamespaces, `{}`, 400, failure(10019, "request is missing a title definition")},
		{"POST", kvNamespaces, `{"title":""}`, 400, failure(10019, "request is missing a title definition")},
		{"POST", kvNamespaces, `{"title":"` + strings.Repeat("é", 513) + `"}`, 400, failure(10019, "the title is longer than 512 characters")},
		{"POST", kvNamespaces, `{"title":"` + strings.Repeat("é", 512) + `","jurisdiction":"eu"}`, 200, ok(object(strings.Repeat("é", 512)))},
		{"POST", kvNamespaces, `{"title":"one too many"}`, 400, failure(10026, "create namespace: 'this account has reached its limit of 3 namespaces'")},
		{"GET", "@", "", 200, ok(object("beta"))},
		{"PUT", "@", `{"title":"alpha"}`, 400, failure(10014, "rename namespace: 'a namespace with this account ID and title already exists'")},
		{"PUT", "@", `{"title":"gamma"}`, 200, ok(object("gamma"))},
		{"GET", kvNamespaces + "/" + anyID, "", 404, failure(10013, "get namespace: 'namespace not found'")},
		{"PUT", kvNamespaces + "/" + anyID, `{"title":"x"}`, 404, failure(10013, "rename namespace: 'namespace not found'")},
		{"GET", kvNamespaces + "/nonsense", "", 400, failure(10011, "could not parse UUID from request's namespace_id: 'invalid namespace format: nonsense'")},
		{"DELETE", "@", "", 200, done},
		{"DELETE", "@", "", 404, failure(10013, "remove namespace: 'namespace not found'")},
		{"POST", "@", "", 405, failure(7001, "Method POST not available for that URI.")},
	} {
		s.run(t, a, ns)
	}
	for _, path := range []string{"/keys", "/values/k", "/metadata/k"} {
		if status, _ := a.do("GET", kvNamespaces+"/"+anyID+path, ""); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestKVValues(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	ns := a.createKV("n")
	long := strings.Repeat("x", 513)
	keys := func(list, cursor string, n int) string {
		return fmt.Sprintf(`{"result":[%s],"result_info":{"count":%d,"cursor":"%s"},"success":true,"errors":[],"messages":[]}`, list, n, cursor)
	}
	const epoch = "Please specify integer greater than the current number of seconds since the UNIX epoch."
	for _, s := range []step{
		{"GET", "@/keys", "", 200, keys("", "", 0)},
		{"PUT", "@/values/a%2Fb%3Fc%23d%20%25", "v1", 200, done},
		{"PUT", "@/values/%D0%BA%D0%BB%D1%8E%D1%87?expiration_ttl=60", "", 200, done},
		{"PUT", "@/values/ttl?expiration_ttl=60.9&expiration=5", "x", 200, done},
		{"PUT", fmt.Sprint("@/values/exp?expiration=", year26+60), "x", 200, done},
		{"GET", "@/keys", "", 200, keys(fmt.Sprintf(`{"name":"a/b?c#d %%"},{"name":"exp","expiration":%d},{"name":"ttl","expiration":%d},{"name":"ключ","expiration":%d}`,
			year26+60, year26+60, year26+60), "", 4)},
		{"GET", "@/keys?limit=2", "", 200, keys(fmt.Sprintf(`{"name":"a/b?c#d %%"},{"name":"exp","expiration":%d}`, year26+60), "ZXhw", 2)},
		{"GET", "@/keys?limit=1&cursor=ZXhw", "", 200, keys(fmt.Sprintf(`{"name":"ttl","expiration":%d}`, year26+60), "dHRs", 1)},
		{"GET", "@/keys?prefix=e&cursor=", "", 200, keys(fmt.Sprintf(`{"name":"exp","expiration":%d}`, year26+60), "", 1)},
		{"GET", "@/keys?limit=0", "", 400, failure(10012, "list keys: 'Invalid key_count_limit of 0. Please specify an integer greater than 0.'")},
		{"GET", "@/keys?limit=x", "", 400, failure(10012, "list keys: 'Invalid key_count_limit of x. Please specify an integer greater than 0.'")},
		{"GET", "@/keys?limit=1001", "", 400, failure(10012, "list keys: 'Invalid key_count_limit of 1001. Please specify an integer less than 1000.'")},
		{"GET", "@/keys?cursor=!", "", 400, failure(10012, "list keys: 'Invalid cursor: it is none that a list has given'")},
		{"GET", "@/keys?prefix=" + long, "", 414, failure(10012, "list keys: 'UTF-8 encoded length of 513 exceeds key length limit of 512.'")},
		{"GET", "@/values/none", "", 404, failure(10009, "get: 'key not found'")},
		{"GET", "@/metadata/none", "", 404, failure(10009, "metadata: 'key not found'")},
		{"GET", "@/metadata/exp", "", 200, done},
		{"DELETE", "@/values/none", "", 200, done},
		{"DELETE", "@/values/exp", "", 200, done},
		{"GET", "@/values/exp", "", 404, failure(10009, "get: 'key not found'")},
		{"PUT", "@/values/%2E", "v", 400, failure(10012, `put: 'Illegal key name ".". Please use a different name.'`)},
		{"PUT", "@/values/%FF", "v", 400, failure(10012, "put: 'Could not URL-decode key name: it is not valid UTF-8'")},
		{"PUT", "@/values/" + long, "v", 414, failure(10012, "put: 'UTF-8 encoded length of 513 exceeds key length limit of 512.'")},
		{"PUT", "@/values/bad?expiration_ttl=nan", "v", 400, failure(10034, "put: 'Invalid expiration_ttl of nan. Please specify integer greater than 0.'")},
		{"PUT", "@/values/bad?expiration_ttl=0", "v", 400, failure(10034, "put: 'Invalid expiration_ttl of 0. Please specify integer greater than 0.'")},
		{"PUT", "@/values/bad?expiration_ttl=-5", "v", 400, failure(10034, "put: 'Invalid expiration_ttl of -5. Please specify integer greater than 0.'")},
		{"PUT", "@/values/bad?expiration_ttl=59", "v", 400, failure(10034, "put: 'Invalid expiration_ttl of 59. Expiration TTL must be at least 60.'")},
		{"PUT", "@/values/bad?expiration=nan", "v", 400, failure(10033, "put: 'Invalid expiration of nan. "+epoch+"'")},
		{"PUT", fmt.Sprint("@/values/bad?expiration=", year26), "v", 400, failure(10033, fmt.Sprint("put: 'Invalid expiration of ", year26, ". "+epoch+"'"))},
		{"PUT", fmt.Sprint("@/values/bad?expiration=", year26+59), "v", 400, failure(10033, fmt.Sprint("put: 'Invalid expiration of ", year26+59, ". Expiration times must be at least 60 seconds in the future.'"))},
		{"PUT", "@/values/bad?expiration=99999999999999999999", "v", 400, failure(10033, "put: 'Invalid expiration of 99999999999999999999. It is later than the year 9999.'")},
		{"PUT", "@/values/bad?expiration_ttl=99999999999999999999", "v", 200, done}, // some centuries
		{"DELETE", "@/values/bad", "", 200, done},
		{"PUT", "@/values/a/b", "v", 404, `{"result":null,"success":false,"errors":[{"code":7003,"message":"Could not route to ` +
			`/client/v4` + strings.TrimPrefix(ns, "/client/v4") + `/values/a/b, perhaps your object identifier is invalid?"},{"code":7000,"message":"No route for that URI"}],"messages":[]}`},
	} {
		s.run(t, a, ns)
	}
	if status, body, expiration := a.value(ns + "/values/a%2Fb%3Fc%23d%20%25"); status != 200 || body != "v1" || expiration != "" {
		t.Errorf("%d %q %q", status, body, expiration)
	}
	if status, body, expiration := a.value(ns + "/values/ttl"); status != 200 || body != "x" || expiration != fmt.Sprint(year26+60) {
		t.Errorf("%d %q %q", status, body, expiration)
	}
	if status, _, _ := a.value(ns + "/values/bad"); status != 404 {
		t.Errorf("what was refused is there: %d", status)
	}
}

func TestKVForms(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	ns := a.createKV("n")
	form := func(parts ...string) string {
		var b strings.Builder
		for i := 0; i < len(parts); i += 2 {
			fmt.Fprintf(&b, "--B\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", parts[i], parts[i+1])
		}
		return b.String() + "--B--\r\n"
	}
	const kind = "Content-Type: multipart/form-data; boundary=B"
	for _, s := range []step{
		{"PUT", "@/values/k", form("value", "a\x00\xff", "metadata", ` {"n" : [1, null]} `), 200, done},
		{"GET", "@/metadata/k", "", 200, `{"result":{"n":[1,null]},"success":true,"errors":[],"messages":[]}`},
		{"PUT", "@/values/other", form("metadata", "", "value", ""), 200, done},
		{"GET", "@/metadata/other", "", 200, done},
		{"PUT", "@/values/falsy", form("metadata", "0", "value", "v", "else", "?"), 200, done},
		{"GET", "@/metadata/falsy", "", 200, `{"result":0,"success":true,"errors":[],"messages":[]}`},
		{"PUT", "@/values/bad", form("value", "v", "metadata", "{nope"), 400, failure(10147, "metadata must be valid json")},
		{"PUT", "@/values/bad", form("value", "v", "metadata", `"`+strings.Repeat("x", 1023)+`"`), 413, failure(10012, "put: 'Metadata length of 1025 exceeds limit of 1024.'")},
		{"PUT", "@/values/bad", form("metadata", "1"), 400, failure(10012, "put: 'the form has no part named value'")},
		{"PUT", "@/values/bad", strings.TrimSuffix(form("value", "v"), "\r\n--B--\r\n"), 400, failure(10012, "put: 'could not parse the form: unexpected EOF'")},
	} {
		s.run(t, a, ns, kind)
	}
	if status, body, _ := a.value(ns + "/values/k"); status != 200 || body != "a\x00\xff" {
		t.Errorf("%d %q", status, body)
	}
	if status, body, _ := a.value(ns + "/values/bad"); status != 404 {
		t.Errorf("%d %q", status, body)
	}
	// Another type of body is the value, whatever it is.
	step{"PUT", "@/values/raw", `{"value":"v"}`, 200, done}.run(t, a, ns, "Content-Type: application/json")
	if _, body, _ := a.value(ns + "/values/raw"); body != `{"value":"v"}` {
		t.Errorf("%q", body)
	}
	over := step{"PUT", "@/values/bad", strings.Repeat("x", 25<<20+1), 413, failure(10012, "put: 'Value length of 26214401 exceeds limit of 26214400.'")}
	over.run(t, a, ns)
}

func TestKVBulk(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	ns := a.createKV("n")
	many := "[" + strings.TrimSuffix(strings.Repeat(`"k",`, 10_001), ",") + "]"
	hundred := `{"keys":[` + strings.TrimSuffix(strings.Repeat(`"k",`, 101), ",") + `]}`
	values := func(v string) string {
		return `{"result":{"values":` + v + `},"success":true,"errors":[],"messages":[]}`
	}
	for _, s := range []step{
		{"PUT", "@/bulk", `[{"key":"a","value":"1"},{"key":"b","value":"/wA=","base64":true},{"key":"c","value":"{\"x\":[1]}","metadata":{"m":1},"expiration_ttl":60,"expiration":0},{"key":"a","value":"2"}]`, 200, bulk(4)},
		{"PUT", "@/bulk", `[]`, 200, bulk(0)},
		{"POST", "@/bulk/get", `{"keys":["a","none","c"]}`, 200, values(`{"a":"2","c":"{\"x\":[1]}","none":null}`)},
		{"POST", "@/bulk/get", `{"keys":["a","c"],"type":"json"}`, 200, values(`{"a":2,"c":{"x":[1]}}`)},
		{"POST", "@/bulk/get", `{"keys":["a","c","none"],"withMetadata":true}`, 200,
			values(fmt.Sprintf(`{"a":{"value":"2","metadata":null},"c":{"value":"{\"x\":[1]}","metadata":{"m":1},"expiration":%d},"none":null}`, year26+60))},
		{"POST", "@/bulk/get", `{"keys":["b"]}`, 400, failure(10029, "bulk get keys: 'At least one of the requested keys corresponds to a non-text value'")},
		{"POST", "@/bulk/get", `{"keys":["b"],"type":"json"}`, 400, failure(10029, "bulk get keys: 'At least one of the requested keys corresponds to a non-json value'")},
		{"POST", "@/bulk/get", `{"keys":["a"],"type":"stream"}`, 400, failure(10029, `bulk get keys: '"stream" is not a valid type. Use "json" or "text"'`)},
		{"POST", "@/bulk/get", `{"keys":[]}`, 400, failure(10029, "bulk get keys: 'You must request a minimum of 1 key'")},
		{"POST", "@/bulk/get", hundred, 400, failure(10029, "bulk get keys: 'You can request a maximum of 100 keys'")},
		{"POST", "@/bulk/get", `{"keys":[""]}`, 400, failure(10012, "bulk get keys: 'Key names must not be empty'")},
		{"POST", "@/bulk/get", `{"keys":"a"}`, 400, failure(10012, "bulk get keys: 'could not parse the body: json: cannot unmarshal string into Go struct field .keys of type []string'")},
		{"PUT", "@/bulk", `[{"key":"x","value":"1"},{"key":"..","value":"1"}]`, 400, failure(10012, `bulk put: 'Illegal key name "..". Please use a different name.'`)},
		{"PUT", "@/bulk", `[{"key":"x","value":"1"},{"key":"y","value":"1","expiration_ttl":5}]`, 400, failure(10034, "bulk put: 'Invalid expiration_ttl of 5. Expiration TTL must be at least 60.'")},
		{"PUT", "@/bulk", `[{"key":"x","value":"1"},{"key":"y"}]`, 400, failure(10012, `bulk put: 'the key "y" has no value'`)},
		{"PUT", "@/bulk", `[{"value":"1"}]`, 400, failure(10012, "bulk put: 'a pair has no key'")},
		{"PUT", "@/bulk", `[{"key":"x","value":"!","base64":true}]`, 400, failure(10012, `bulk put: 'the value of "x" is not base64'`)},
		{"PUT", "@/bulk", `[{"key":"x","value":"1"}`, 400, failure(10012, "bulk put: 'could not parse the body: unexpected end of JSON input'")},
		{"PUT", "@/bulk", "[{\"key\":\"x\xff\",\"value\":\"1\"}]", 400, failure(10012, "bulk put: 'the body is not valid UTF-8'")},
		{"PUT", "@/bulk", "", 400, failure(10012, "bulk put: 'the body is empty'")},
		{"POST", "@/bulk/delete", many, 400, failure(10012, "bulk remove keys: 'received 10001 key/value pairs, but max allowed per request is: 10000'")},
		{"POST", "@/bulk/get", `{"keys":["x","y"]}`, 200, values(`{"x":null,"y":null}`)},
		{"DELETE", "@/bulk", `["a","none"]`, 200, bulk(2)},
		{"POST", "@/bulk/delete", `["b","c"]`, 200, bulk(2)},
		{"GET", "@/keys", "", 200, `{"result":[],"result_info":{"count":0,"cursor":""},"success":true,"errors":[],"messages":[]}`},
	} {
		s.run(t, a, ns)
	}
	for _, path := range []string{"/bulk", "/bulk/get", "/bulk/delete"} {
		method := map[string]string{"/bulk": "PUT"}[path]
		if method == "" {
			method = "POST"
		}
		if status, _ := a.do(method, kvNamespaces+"/"+anyID+path, "[]"); status != 404 {
			t.Errorf("%s of a namespace that does not exist: %d", path, status)
		}
	}
}

// TestKVStale reads what was written before, until the window has passed.
func TestKVStale(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 10, 5, 4, 0, 0, 0, time.UTC)
	a := start(t, server.Config{KVStale: time.Minute, Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	pass := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
	ns := a.createKV("n")
	put := func(value string) { step{"PUT", "@/values/k", value, 200, done}.run(t, a, ns) }
	want := func(value string) {
		t.Helper()
		status, body, _ := a.value(ns + "/values/k")
		if status == 404 {
			body = "none"
		}
		if body != value {
			t.Errorf("read %q; want %q", body, value)
		}
	}
	want("none") // which is remembered too
	put("one")
	want("none")
	pass(59 * time.Second)
	want("none")
	pass(time.Second)
	want("one")
	put("two")
	want("one")
	step{"POST", "@/bulk/get", `{"keys":["k"]}`, 200, `{"result":{"values":{"k":"one"}},"success":true,"errors":[],"messages":[]}`}.run(t, a, ns)
	pass(time.Minute)
	want("two")
	step{"DELETE", "@/values/k", "", 200, done}.run(t, a, ns)
	want("two")
	pass(time.Minute)
	want("none")
}

// TestKVSurvives reads from a folder what was written to it before.
func TestKVSurvives(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := start(t, server.Config{DataDir: dir})
	ns := a.createKV("n")
	step{"PUT", "@/values/k", "v", 200, done}.run(t, a, ns)
	if err := a.srv.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, server.Config{DataDir: dir})
	if status, body, _ := again.value(ns + "/values/k"); status != 200 || body != "v" {
		t.Errorf("%d %q", status, body)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "kv.sqlite")); len(found) != 1 {
		t.Errorf("files: %q", found)
	}
}
