package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	cloudflare0 "github.com/cloudflare/cloudflare-go"
	"github.com/cloudflare/cloudflare-go/v6/kv"
	"github.com/cloudflare/cloudflare-go/v6/option"
	"github.com/google/go-cmp/cmp"
)

// kvRun is what clients/kv.mjs prints.
type kvRun struct {
	Created, Renamed struct {
		ID, Title           string
		SupportsURLEncoding bool `json:"supports_url_encoding"`
	}
	Listed, Keys []string
	Value        struct {
		Text    string
		Expires bool
	}
	Metadata, PNGMetadata, Many, WithMetadata, Put, Removed any
	PNG                                                     []int
	Left                                                    int
	Failures                                                map[string]npmFailure
	Gone                                                    npmFailure
}

func TestNPMCloudflareKV(t *testing.T) {
	needNPM(t)
	t.Parallel()
	var got kvRun
	printed(t, serveFiles(t).client(t).node(t, "clients/kv.mjs").ok(t), &got)
	if c := got.Created; len(c.ID) != 32 || c.Title != "sessions" || !c.SupportsURLEncoding || got.Renamed.Title != "renamed" {
		t.Errorf("created %+v, renamed %+v", c, got.Renamed)
	}
	slices.Sort(got.Listed)
	if len(slices.Compact(got.Listed)) != 25 {
		t.Errorf("listed: %q", got.Listed)
	}
	if !slices.IsSorted(got.Keys) || len(got.Keys) != 32 || got.Left != 8 {
		t.Errorf("keys %q, left %d", got.Keys, got.Left)
	}
	want := map[string]any{
		"value": got.Value.Text, "metadata": map[string]any{"n": 1.0}, "png": []int{0x89, 'P', 'N', 'G'},
		"pngMetadata": []any{1.0, map[string]any{"a": nil}}, "many": map[string]any{"k07": "v7", "missing": nil},
		"withMetadata": map[string]any{"value": "one", "metadata": map[string]any{"n": 1.0}, "expiration": true},
		"put":          map[string]any{"successful_key_count": 31.0, "unsuccessful_keys": []any{}},
		"removed":      map[string]any{"successful_key_count": 3.0, "unsuccessful_keys": []any{}},
	}
	have := map[string]any{
		"value": "one", "metadata": got.Metadata, "png": got.PNG, "pngMetadata": got.PNGMetadata, "many": got.Many,
		"withMetadata": got.WithMetadata, "put": got.Put, "removed": got.Removed,
	}
	if !cmp.Equal(have, want) || !got.Value.Expires {
		t.Errorf("%s", cmp.Diff(want, have))
	}
	failures := got.Failures
	failures["gone"] = got.Gone
	for name, want := range map[string]npmFailure{
		"key":       {"NotFoundError", 404, []apiMessage{{10009, "get: 'key not found'"}}},
		"metadata":  {"NotFoundError", 404, []apiMessage{{10009, "metadata: 'key not found'"}}},
		"namespace": {"NotFoundError", 404, []apiMessage{{10013, "get: 'namespace not found'"}}},
		"id":        {"BadRequestError", 400, []apiMessage{{10011, "could not parse UUID from request's namespace_id: 'invalid namespace format: x'"}}},
		"title":     {"BadRequestError", 400, []apiMessage{{10014, "create namespace: 'a namespace with this account ID and title already exists'"}}},
		"ttl":       {"BadRequestError", 400, []apiMessage{{10034, "put: 'Invalid expiration_ttl of 30. Expiration TTL must be at least 60.'"}}},
		"binary":    {"BadRequestError", 400, []apiMessage{{10029, "bulk get keys: 'At least one of the requested keys corresponds to a non-text value'"}}},
		"gone":      {"NotFoundError", 404, []apiMessage{{10013, "get namespace: 'namespace not found'"}}},
	} {
		if !reflect.DeepEqual(failures[name], want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, failures[name], want)
		}
	}
}

// createKV makes a namespace and returns its id.
func (f *fixture) createKV(t testing.TB, title string) string {
	t.Helper()
	var ns struct{ ID string }
	f.result(t, "POST", "/storage/kv/namespaces", encode(t, map[string]string{"title": title}), &ns)
	return ns.ID
}

func TestWranglerKVNamespaces(t *testing.T) {
	c := newWrangler(t)
	contains(t, c.wrangler(t, "kv", "namespace", "create", "sessions").ok(t), `"id": "`)
	c.wrangler(t, "kv", "namespace", "create", "sessions").failed(t, "already exists")
	for i := range 24 {
		c.createKV(t, fmt.Sprint("more-", i))
	}
	var list []struct{ ID, Title string }
	printed(t, c.wrangler(t, "kv", "namespace", "list").ok(t), &list)
	if len(list) != 25 || list[24].Title != "sessions" {
		t.Errorf("listed: %v", list)
	}
	id := list[24].ID
	contains(t, c.wrangler(t, "kv", "namespace", "rename", "sessions", "--new-name", "renamed").ok(t), "renamed")
	contains(t, c.wrangler(t, "kv", "namespace", "delete", "--namespace-id", id, "-y").ok(t), "Deleted")
	if e := c.call(t, "GET", "/storage/kv/namespaces/"+id, ""); e.status != http.StatusNotFound {
		t.Errorf("after its end: %+v", e)
	}
}

func TestWranglerKVKeys(t *testing.T) {
	c := newWrangler(t)
	id := c.createKV(t, "sessions")
	run := func(args ...string) output {
		t.Helper()
		return c.wrangler(t, append([]string{"kv"}, append(args, "--remote", "--namespace-id", id)...)...)
	}
	const key = "/a b?c#d,%:ключ"
	run("key", "put", key, "värde", "--metadata", `{"a":[1]}`, "--ttl", "600").ok(t)
	if got := run("key", "get", key, "--text").ok(t); strings.TrimSpace(got) != "värde" {
		t.Errorf("got %q", got)
	}
	c.write(t, "image.png", "\x89PNG\r\n\x1a\n\x00\xff")
	run("key", "put", "image", "--path", "image.png").ok(t)
	var keys []struct {
		Name       string
		Expiration int64
		Metadata   json.RawMessage
	}
	printed(t, run("key", "list").ok(t), &keys)
	if len(keys) != 2 || keys[0].Name != key || keys[0].Expiration == 0 || string(keys[0].Metadata) != `{"a":[1]}` && !strings.Contains(string(keys[0].Metadata), "1") {
		t.Errorf("listed: %v", keys)
	}
	run("key", "get", "none").failed(t, "404")
	run("key", "delete", key).ok(t)
	run("key", "get", key).failed(t, "404")
	c.compareValue(t, id, "image", "\x89PNG\r\n\x1a\n\x00\xff")
}

// compareValue reads a value as it is.
func (c *client) compareValue(t *testing.T, id, key, want string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", c.base+"/accounts/"+account+"/storage/kv/namespaces/"+id+"/values/"+key, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer x")
	resp, err := apiClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil || string(data) != want || resp.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%s: %d %q, %v", key, resp.StatusCode, data, err)
	}
}

func TestWranglerKVBulk(t *testing.T) {
	c := newWrangler(t)
	id := c.createKV(t, "sessions")
	run := func(args ...string) output {
		t.Helper()
		return c.wrangler(t, append([]string{"kv", "bulk"}, append(args, "--remote", "--namespace-id", id)...)...)
	}
	pairs := []map[string]any{
		{"key": "png", "value": "iVBORw==", "base64": true},
		{"key": "meta", "value": "v", "metadata": map[string]any{"a": 1}, "expiration_ttl": 600},
	}
	names := []string{}
	for i := range 2500 {
		pairs = append(pairs, map[string]any{"key": fmt.Sprintf("k%04d", i), "value": fmt.Sprint("v", i)})
		names = append(names, fmt.Sprintf("k%04d", i))
	}
	c.write(t, "pairs.json", encode(t, pairs))
	contains(t, run("put", "pairs.json").ok(t), "Success")
	c.compareValue(t, id, "png", "\x89PNG")
	var keys []struct{ Name string }
	printed(t, c.wrangler(t, "kv", "key", "list", "--remote", "--namespace-id", id).ok(t), &keys)
	if len(keys) != 2502 {
		t.Errorf("%d keys are listed", len(keys))
	}
	c.write(t, "keys.json", `["k0007","missing",{"name":"meta"}]`)
	got := run("get", "keys.json").ok(t)
	var values map[string]any
	printed(t, got[strings.Index(got, "{"):strings.LastIndex(got, "}")+1], &values)
	if !cmp.Equal(values, map[string]any{"k0007": "v7", "missing": nil, "meta": "v"}) {
		t.Errorf("got %v", values)
	}
	c.write(t, "names.json", encode(t, names))
	contains(t, run("delete", "names.json", "--force").ok(t), "Success")
	printed(t, c.wrangler(t, "kv", "key", "list", "--remote", "--namespace-id", id).ok(t), &keys)
	if len(keys) != 2 {
		t.Errorf("%d keys are left", len(keys))
	}
}

func TestCloudflareGoKV(t *testing.T) {
	t.Parallel()
	f := serveFiles(t)
	ctx := t.Context()
	service := kv.NewNamespaceService(option.WithBaseURL(f.base), option.WithAPIToken(token), option.WithMaxRetries(0))
	ns, err := service.New(ctx, with[kv.NamespaceNewParams](fields{"AccountID": account, "Title": "sessions"}))
	if err != nil || len(ns.ID) != 32 || !ns.SupportsURLEncoding {
		t.Fatalf("%+v, %v", ns, err)
	}
	for i := range 24 {
		f.createKV(t, fmt.Sprint("more-", i))
	}
	n := 0
	list := service.ListAutoPaging(ctx, with[kv.NamespaceListParams](fields{"AccountID": account, "PerPage": 10.0}))
	for list.Next() && n < 100 {
		n++
	}
	if n != 25 || list.Err() != nil {
		t.Errorf("%d namespaces, %v", n, list.Err())
	}
	pairs := []kv.NamespaceBulkUpdateParamsBody{with[kv.NamespaceBulkUpdateParamsBody](fields{
		"Key": "meta", "Value": "v", "Metadata": any(map[string]any{"a": 1}), "ExpirationTTL": 600.0})}
	for i := range 60 {
		pairs = append(pairs, with[kv.NamespaceBulkUpdateParamsBody](fields{"Key": fmt.Sprintf("k%02d", i), "Value": fmt.Sprint("v", i)}))
	}
	put := with[kv.NamespaceBulkUpdateParams](fields{"AccountID": account})
	put.Body = pairs
	if done, err := service.BulkUpdate(ctx, ns.ID, put); err != nil || done.SuccessfulKeyCount != 61 {
		t.Errorf("%+v, %v", done, err)
	}
	resp, err := service.Values.Get(ctx, ns.ID, "k07", with[kv.NamespaceValueGetParams](fields{"AccountID": account}))
	if err != nil {
		t.Fatal(err)
	}
	value, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(value) != "v7" || err != nil {
		t.Errorf("value %q, %v", value, err)
	}
	metadata, err := service.Metadata.Get(ctx, ns.ID, "meta", with[kv.NamespaceMetadataGetParams](fields{"AccountID": account}))
	if err != nil || !strings.Contains(fmt.Sprint(*metadata), "a:1") {
		t.Errorf("metadata %v, %v", metadata, err)
	}
	names := []string{}
	keys := service.Keys.ListAutoPaging(ctx, ns.ID, with[kv.NamespaceKeyListParams](fields{"AccountID": account, "Limit": 25.0, "Prefix": "k"}))
	for keys.Next() && len(names) < 100 {
		names = append(names, keys.Current().Name)
	}
	if len(names) != 60 || !slices.IsSorted(names) || keys.Err() != nil {
		t.Errorf("%d keys, %v", len(names), keys.Err())
	}
	got, err := service.BulkGet(ctx, ns.ID, with[kv.NamespaceBulkGetParams](fields{"AccountID": account, "Keys": []string{"k01", "k02"}}))
	if err != nil || !strings.Contains(fmt.Sprint(got.Values), "k02:v2") {
		t.Errorf("bulk get %v, %v", got, err)
	}
	remove := with[kv.NamespaceBulkDeleteParams](fields{"AccountID": account})
	remove.Body = names
	if done, err := service.BulkDelete(ctx, ns.ID, remove); err != nil || done.SuccessfulKeyCount != 60 {
		t.Errorf("%+v, %v", done, err)
	}
	_, err = service.Values.Get(ctx, ns.ID, "k07", with[kv.NamespaceValueGetParams](fields{"AccountID": account}))
	if e, ok := errors.AsType[*kv.Error](err); !ok || e.StatusCode != 404 || e.Errors[0].Code != 10009 {
		t.Errorf("a miss: %v", err)
	}
	if _, err := service.Delete(ctx, ns.ID, with[kv.NamespaceDeleteParams](fields{"AccountID": account})); err != nil {
		t.Error(err)
	}
}

// TestCloudflareGoV0KV uses the old module, which escapes keys and deletes in the old form.
func TestCloudflareGoV0KV(t *testing.T) {
	t.Parallel()
	f := serveFiles(t)
	ctx := t.Context()
	api, err := cloudflare0.NewWithAPIToken(token, cloudflare0.BaseURL(f.base))
	if err != nil {
		t.Fatal(err)
	}
	of := cloudflare0.AccountIdentifier(account)
	made, err := api.CreateWorkersKVNamespace(ctx, of, cloudflare0.CreateWorkersKVNamespaceParams{Title: "sessions"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		f.createKV(t, fmt.Sprint("more-", i))
	}
	all, _, err := api.ListWorkersKVNamespaces(ctx, of, cloudflare0.ListWorkersKVNamespacesParams{})
	if err != nil || len(all) != 31 {
		t.Errorf("%d namespaces, %v", len(all), err)
	}
	id := made.Result.ID
	const key = "a/b?c#d %ключ"
	if _, err := api.WriteWorkersKVEntry(ctx, of, cloudflare0.WriteWorkersKVEntryParams{NamespaceID: id, Key: key, Value: []byte{0, 255}}); err != nil {
		t.Error(err)
	}
	if value, err := api.GetWorkersKV(ctx, of, cloudflare0.GetWorkersKVParams{NamespaceID: id, Key: key}); err != nil || string(value) != "\x00\xff" {
		t.Errorf("value %q, %v", value, err)
	}
	if _, err := api.WriteWorkersKVEntries(ctx, of, cloudflare0.WriteWorkersKVEntriesParams{NamespaceID: id, KVs: []*cloudflare0.WorkersKVPair{
		{Key: "k1", Value: "v1", Metadata: "m", ExpirationTTL: 600}, {Key: "k2", Value: "djI=", Base64: true}}}); err != nil {
		t.Error(err)
	}
	keys, err := api.ListWorkersKVKeys(ctx, of, cloudflare0.ListWorkersKVsParams{NamespaceID: id, Prefix: "k"})
	if err != nil || len(keys.Result) != 2 || keys.Result[0].Metadata != "m" || keys.Result[0].Expiration == 0 {
		t.Errorf("keys %+v, %v", keys.Result, err)
	}
	if _, err := api.DeleteWorkersKVEntries(ctx, of, cloudflare0.DeleteWorkersKVEntriesParams{NamespaceID: id, Keys: []string{"k1", "k2"}}); err != nil {
		t.Error(err)
	}
	if _, err := api.DeleteWorkersKVEntry(ctx, of, cloudflare0.DeleteWorkersKVEntryParams{NamespaceID: id, Key: key}); err != nil {
		t.Error(err)
	}
	if keys, err := api.ListWorkersKVKeys(ctx, of, cloudflare0.ListWorkersKVsParams{NamespaceID: id}); err != nil || len(keys.Result) != 0 {
		t.Errorf("left %+v, %v", keys.Result, err)
	}
	if _, err := api.UpdateWorkersKVNamespace(ctx, of, cloudflare0.UpdateWorkersKVNamespaceParams{NamespaceID: id, Title: "renamed"}); err != nil {
		t.Error(err)
	}
	if _, err := api.DeleteWorkersKVNamespace(ctx, of, id); err != nil {
		t.Error(err)
	}
}
