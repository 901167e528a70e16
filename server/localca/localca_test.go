package localca_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/server/localca"
)

func load(t *testing.T, cfg localca.Config) *localca.Certificates {
	t.Helper()
	c, err := localca.Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClientThatTrustsTheCA(t *testing.T) {
	t.Parallel()
	certs := load(t, localca.Config{Dir: filepath.Join(t.TempDir(), "tls"), Hosts: []string{"edge.test", "10.1.2.3"}})
	ts := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}))
	ts.TLS = certs.TLS
	ts.StartTLS()
	defer ts.Close()
	data, err := os.ReadFile(certs.CAPath)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) || strings.Contains(string(data), "PRIVATE") {
		t.Fatal("the CA's file is not one certificate")
	}
	for name, ok := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "::1": true, "api.cloudflare.com": true, "edge.test": true,
		"10.1.2.3": true, "example.com": false,
	} {
		client := &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name},
		}}
		resp, err := client.Get(ts.URL)
		if (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			resp.Body.Close()
		}
	}
}

func TestReuseAndRenewal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	cfg := localca.Config{Dir: dir, Now: func() time.Time { return now }}
	leaf := func(c *localca.Certificates) string { return c.TLS.Certificates[0].Leaf.SerialNumber.String() }
	first := load(t, cfg)
	if again := load(t, cfg); !again.CA.Equal(first.CA) || leaf(again) != leaf(first) {
		t.Error("certificates were not reused")
	}
	now = now.Add(340 * 24 * time.Hour)
	renewed := load(t, cfg)
	if !renewed.CA.Equal(first.CA) || leaf(renewed) == leaf(first) {
		t.Error("only the server's certificate should have been renewed")
	}
	now = now.Add(10 * 365 * 24 * time.Hour)
	if late := load(t, cfg); late.CA.Equal(first.CA) {
		t.Error("an old CA was reused")
	}
	cfg.Hosts = []string{"edge.test"}
	if more := load(t, cfg); more.TLS.Certificates[0].Leaf.VerifyHostname("edge.test") != nil {
		t.Error("the new host is not certified")
	}
	for _, name := range []string{"ca.pem", "ca-key.pem", "server-key.pem"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}

func TestBrokenFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := load(t, localca.Config{Dir: dir})
	if err := os.WriteFile(filepath.Join(dir, "ca-key.pem"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := load(t, localca.Config{Dir: dir}); again.CA.Equal(first.CA) {
		t.Error("the CA should be new")
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := localca.Load(localca.Config{Dir: file}); err == nil {
		t.Error("a file was taken for a folder")
	}
}
