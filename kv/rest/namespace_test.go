package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/kv"
	"github.com/skylite-go/skylite/kv/kvtest"
	"github.com/skylite-go/skylite/kv/rest"
	"github.com/skylite-go/skylite/server"
)

const account = "0123456789abcdef0123456789abcdef"

// clock is the system's, and what Advance has added. The client's own check of an expiry is by
// the system's.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) Advance(d time.Duration) { c.ahead.Add(int64(d)) }

// client returns a client of a server, without a network.
func client(t *testing.T, cfg server.Config) *cloudflare.Client {
	t.Helper()
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := cloudflare.New(cloudflare.Config{
		APIToken: "x", BaseURL: "http://localhost/client/v4", Timeout: -1, HTTPClient: &http.Client{Transport: srv.Transport()}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var numbered atomic.Int64

func open(t *testing.T, cfg rest.Config) *rest.Namespace {
	t.Helper()
	cfg.AccountID = account
	list, err := rest.NewNamespaces(cfg)
	if err != nil {
		t.Fatal(err)
	}
	info, err := list.Create(t.Context(), fmt.Sprint("test ", numbered.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	cfg.NamespaceID = info.ID
	ns, err := rest.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ns.Close(); err != nil {
			t.Error(err)
		}
	})
	return ns
}

func TestConformance(t *testing.T) {
	t.Parallel()
	// The longest values once are enough.
	for name, longest := range map[string]int{"plain": kv.MaxValueBytes, "coalesced": 3 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := new(clock)
			api := client(t, server.Config{Now: c.Now, DataDir: t.TempDir()})
			opts := kvtest.Options{Now: c.Now, Advance: c.Advance, MaxValue: longest}
			kvtest.Run(t, opts, func(t *testing.T) kv.Namespace {
				return open(t, rest.Config{Client: api, Coalesce: name == "coalesced"})
			})
		})
	}
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	list, err := rest.NewNamespaces(rest.Config{Client: client(t, server.Config{}), AccountID: account})
	if err != nil {
		t.Fatal(err)
	}
	var first rest.Info
	for i := range 205 {
		info, err := list.Create(ctx, fmt.Sprintf("n%03d", i))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = info
		}
	}
	if _, err := list.Create(ctx, "n007"); !errors.Is(err, rest.ErrTitleTaken) {
		t.Errorf("a title twice: %v", err)
	}
	n := 0
	for info, err := range list.All(ctx) {
		if err != nil || info.Title != fmt.Sprintf("n%03d", n) || !info.SupportsURLEncoding {
			t.Fatalf("%v, %v", info, err)
		}
		n++
	}
	if n != 205 {
		t.Errorf("%d are listed", n)
	}
	if got, err := list.ByTitle(ctx, "n204"); err != nil || got.Title != "n204" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := list.ByTitle(ctx, "none"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if got, err := list.Rename(ctx, first.ID, "renamed"); err != nil || got.Title != "renamed" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := list.Rename(ctx, first.ID, "n001"); !errors.Is(err, rest.ErrTitleTaken) {
		t.Errorf("got %v", err)
	}
	if got, err := list.Get(ctx, first.ID); err != nil || got.Title != "renamed" {
		t.Errorf("%v, %v", got, err)
	}
	if err := list.Delete(ctx, first.ID); err != nil {
		t.Error(err)
	}
	// A namespace that does not exist is no miss.
	_, err = list.Get(ctx, first.ID)
	if e, ok := errors.AsType[*kv.Error](err); !ok || e.Code != 10013 || errors.Is(err, kv.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if err := list.Delete(ctx, ""); !kv.Unsent(err) {
		t.Errorf("got %v", err)
	}
}

// fake answers with what a function says.
func fake(t *testing.T, cfg rest.Config, answer http.HandlerFunc) *rest.Namespace {
	t.Helper()
	ts := httptest.NewServer(answer)
	t.Cleanup(ts.Close)
	cfg.API = cloudflare.Config{APIToken: "secret-token", BaseURL: ts.URL,
		Sleep: func(context.Context, time.Duration) error { return nil }}
	cfg.AccountID, cfg.NamespaceID = account, "0123"
	ns, err := rest.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Close() })
	return ns
}

// TestWire looks at what is sent.
func TestWire(t *testing.T) {
	t.Parallel()
	var got string
	ns := fake(t, rest.Config{}, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		got = strings.TrimPrefix(fmt.Sprint(r.Method, " ", r.RequestURI, " ", kind, " ", string(body)),
			"")
		_, _ = io.WriteString(w, `{"success":true,"result":{},"errors":[],"messages":[]}`)
	})
	ctx := t.Context()
	const path = "/accounts/" + account + "/storage/kv/namespaces/0123"
	for _, tt := range []struct {
		name string
		call func() error
		want string
	}{
		{"key", func() error { return ns.Put(ctx, "a/b?c#d %", []byte("v"), kv.PutOptions{}) },
			"PUT " + path + "/values/a%2Fb%3Fc%23d%20%25 application/octet-stream v"},
		{"unicode", func() error { return ns.Delete(ctx, "ключ") },
			"DELETE " + path + "/values/%D0%BA%D0%BB%D1%8E%D1%87  "},
		{"TTL", func() error { return ns.Put(ctx, "k", nil, kv.PutOptions{TTL: 90 * time.Second}) },
			"PUT " + path + "/values/k?expiration_ttl=90 application/octet-stream "},
		{"expiration", func() error { return ns.Put(ctx, "k", nil, kv.PutOptions{Expiration: time.Unix(2e9, 0)}) },
			"PUT " + path + "/values/k?expiration=2000000000 application/octet-stream "},
		{"list", func() error {
			_, err := ns.List(ctx, kv.ListOptions{Prefix: "a&b", Limit: 20, Cursor: "c="})
			_, isError := errors.AsType[*kv.Error](err) // the answer is none
			if !isError {
				return fmt.Errorf("got %v", err)
			}
			return nil
		}, "GET " + path + "/keys?cursor=c%3D&limit=20&prefix=a%26b  "},
		{"batch of puts", func() error {
			return ns.Batch(ctx, []kv.Write{{Key: "a", Value: []byte("<v>"), PutOptions: kv.PutOptions{TTL: time.Minute, Metadata: 1}},
				{Key: "b", Value: []byte{255}, PutOptions: kv.PutOptions{Expiration: time.Unix(2e9, 0)}}})
		}, "PUT " + path + `/bulk application/json [{"key":"a","value":"\u003cv\u003e","expiration_ttl":60,"metadata":1},` +
			`{"key":"b","value":"/w==","base64":true,"expiration":2000000000}]`},
		{"batch of deletions", func() error { return ns.Batch(ctx, []kv.Write{{Key: "a", Delete: true}}) },
			"POST " + path + `/bulk/delete application/json ["a"]`},
	} {
		if err := tt.call(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got != tt.want {
			t.Errorf("%s: sent %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	envelope := func(code int, text string) string {
		data, _ := json.Marshal(map[string]any{"success": false, "result": nil, "errors": []any{map[string]any{"code": code, "message": text}}})
		return string(data)
	}
	var status int
	var body string
	var calls atomic.Int32
	ns := fake(t, rest.Config{}, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	for _, tt := range []struct {
		name   string
		status int
		body   string
		// of a put, and of a get
		putAmbiguous, transient, missing bool
		calls                            int32 // of both
		text                             string
	}{
		{"missing", 404, envelope(10009, "get: 'key not found'"), false, false, true, 2, "key not found"},
		{"no namespace", 404, envelope(10013, "get: 'namespace not found'"), false, false, false, 2, "namespace not found [code 10013]"},
		{"no success", 200, envelope(10033, "put: 'Invalid expiration'"), false, false, false, 2, "Invalid expiration"},
		{"busy", 429, envelope(10429, "Too Many Requests"), false, true, false, 8, "Too Many Requests"},
		{"broken", 502, "<html>bad gateway", true, true, false, 8, "bad gateway"},
		{"timeout", 524, "error code: 524", true, true, false, 8, "524"},
		{"cut", 0, "", true, true, false, 8, "EOF"},
	} {
		status, body = tt.status, tt.body
		calls.Store(0)
		err := ns.Put(t.Context(), "k", []byte("v"), kv.PutOptions{})
		if err == nil || kv.Ambiguous(err) != tt.putAmbiguous || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: put: %v, ambiguous %v", tt.name, err, kv.Ambiguous(err))
		}
		if tt.status == 200 {
			continue // a raw value cannot say that it is none
		}
		_, err = ns.Get(t.Context(), "k")
		if err == nil || kv.Ambiguous(err) || kv.Retryable(err) != tt.transient || errors.Is(err, kv.ErrNotFound) != tt.missing {
			t.Errorf("%s: get: %v, retryable %v", tt.name, err, kv.Retryable(err))
		}
		if n := calls.Load(); n != tt.calls {
			t.Errorf("%s: %d calls; want %d", tt.name, n, tt.calls)
		}
	}
}

// TestPartialBatch: the service says that it did not write some of the keys.
func TestPartialBatch(t *testing.T) {
	t.Parallel()
	var bodies []string
	ns := fake(t, rest.Config{}, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		_, _ = io.WriteString(w, `{"success":true,"result":{"successful_key_count":1,"unsuccessful_keys":["b"]}}`)
	})
	err := ns.Batch(t.Context(), []kv.Write{{Key: "a"}, {Key: "b"}, {Key: "c", Delete: true}})
	e, ok := errors.AsType[*kv.BatchError](err)
	if !ok || strings.Join(e.Keys, " ") != "b c" || e.Done != 1 {
		t.Errorf("got %v", err)
	}
	if len(bodies) != 2 || bodies[1] != `[{"key":"b","value":""}]` {
		t.Errorf("sent %q", bodies)
	}
}

// TestCoalescing counts the requests that many puts become.
func TestCoalescing(t *testing.T) {
	t.Parallel()
	var calls, pairs atomic.Int32
	first := make(chan struct{})
	ns := fake(t, rest.Config{Coalesce: true}, func(w http.ResponseWriter, r *http.Request) {
		var got []struct{ Key string }
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		if calls.Add(1) == 1 {
			<-first
		}
		pairs.Add(int32(len(got)))
		_, _ = io.WriteString(w, `{"success":true,"result":{"successful_key_count":1,"unsuccessful_keys":[]}}`)
	})
	var wg sync.WaitGroup
	var started sync.WaitGroup
	for i := range 100 {
		started.Add(1)
		wg.Go(func() {
			started.Done()
			if err := ns.Put(t.Context(), fmt.Sprint("k", i), []byte("v"), kv.PutOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	started.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ns.Put(ctx, "left", nil, kv.PutOptions{}); !errors.Is(err, context.Canceled) || !kv.Unsent(err) {
		t.Errorf("a caller that has left: %v", err)
	}
	close(first)
	wg.Wait()
	if calls.Load() > 50 || pairs.Load() != 100 {
		t.Errorf("%d puts took %d requests", pairs.Load(), calls.Load())
	}
}

func TestParseDSN(t *testing.T) {
	t.Setenv("CLOUDFLARE_API_TOKEN", "env-token")
	t.Setenv("CLOUDFLARE_ACCOUNT_ID", "env-account")
	t.Setenv("OTHER", "other-token")
	for _, tt := range []struct{ dsn, want string }{
		{"kv://acc/ns", "acc ns env-token  false"},
		{"kv:///ns?token=t&coalesce=true", "env-account ns t  true"},
		{"kv://acc/ns?token_env=OTHER&base_url=http://localhost:1/x&timeout=5s", "acc ns other-token http://localhost:1/x false"},
		{"kv://acc", "id is missing"},
		{"kv://acc/a/b", "slash"},
		{"kv:acc/ns", "not of the form"},
		{"kv://u:secret@acc/ns", "not of the form"},
		{"kv://acc/ns?token=secret&token=b", "twice"},
		{"kv://acc/ns?nope=secret", "unknown parameter"},
		{"kv://acc/ns?timeout=x", "timeout"},
		{"kv://acc/ns?coalesce=x", "coalesce"},
		{"kv://acc/ns?token_env=UNSET_VARIABLE", "not set"},
	} {
		cfg, err := rest.ParseDSN(tt.dsn)
		got := fmt.Sprint(cfg.AccountID, " ", cfg.NamespaceID, " ", cfg.API.APIToken, " ", cfg.API.BaseURL, " ", cfg.Coalesce)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) || err != nil && strings.Contains(got, "secret") {
			t.Errorf("%s: %s; want %s", tt.dsn, got, tt.want)
		}
	}
}

// FuzzParseDSN reads any name. None makes it panic, and no error or printed Config repeats the
// token.
func FuzzParseDSN(f *testing.F) {
	for _, dsn := range []string{
		"kv://0123456789abcdef0123456789abcdef/fedcba9876543210fedcba9876543210?coalesce=true&timeout=30s", "kv:///x?token_env=HOME",
		"kv://a%2f/%00?base_url=ftp://x", "kv:a?b", "kv://[::1/x?", "kv://a/b?timeout=-1s;x", "kv://a/b?coalesce=perhaps",
	} {
		f.Add(dsn)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		const secret = "s3cretT0ken"
		before, after, found := strings.Cut(dsn, "?")
		if found {
			dsn = before + "?token=" + secret + "&" + after
		}
		cfg, err := rest.ParseDSN(dsn)
		if strings.Contains(fmt.Sprint(err), secret) || strings.Contains(fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg), secret) {
			t.Errorf("%q: the token is told: %v %v", dsn, err, cfg)
		}
		if err == nil && (cfg.AccountID == "" || cfg.NamespaceID == "") {
			t.Errorf("%q: %v", dsn, cfg)
		}
	})
}
