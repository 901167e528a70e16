package cloudflare

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestConfigChecks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		cfg  Config
		want string // in the error; empty: none
	}{
		{"token", Config{APIToken: secret}, ""},
		{"key", Config{APIKey: secret, Email: "a@example.com"}, ""},
		{"nothing", Config{}, "no credentials"},
		{"key alone", Config{APIKey: secret}, "Email"},
		{"token with a line", Config{APIToken: secret + "\n"}, "APIToken holds a character"},
		{"loopback", Config{APIToken: secret, BaseURL: "http://127.0.0.1:8787/client/v4"}, ""},
		{"loopback 6", Config{APIToken: secret, BaseURL: "http://[::1]:8787"}, ""},
		{"loopback without token", Config{BaseURL: "http://localhost:8787"}, ""},
		{"plain http", Config{APIToken: secret, BaseURL: "http://api.example.com"}, "plain http to api.example.com"},
		{"lookalike", Config{APIToken: secret, BaseURL: "http://localhost.example.com"}, "plain http"},
		{"allowed", Config{APIToken: secret, BaseURL: "http://api.example.com", AllowPlainHTTP: true}, ""},
		{"user", Config{APIToken: secret, BaseURL: "https://u:" + secret + "@example.com"}, "no user"},
		{"query", Config{APIToken: secret, BaseURL: "https://example.com?t=" + secret}, "no user"},
		{"malformed", Config{APIToken: secret, BaseURL: "https://ex ample/" + secret}, "not an absolute URL"},
		{"relative", Config{APIToken: secret, BaseURL: secret}, "not an absolute URL"},
		{"scheme", Config{APIToken: secret, BaseURL: "ftp://example.com"}, `"ftp"`},
	} {
		_, err := New(test.cfg)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", test.name, err)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error holds the secret: %v", test.name, err)
		}
	}
}

func TestConfigIsMasked(t *testing.T) {
	t.Parallel()
	cfg := Config{APIToken: secret, APIKey: secret, Email: "a@example.com", BaseURL: "https://u:" + secret + "@h/?t=" + secret}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "cfg", cfg, "ptr", &cfg)
	outer := struct{ API Config }{cfg}
	for _, s := range []string{log.String(), fmt.Sprint(cfg), fmt.Sprintf("%+v %#v %s %q %x %d", cfg, cfg, cfg, cfg, cfg, cfg),
		fmt.Sprintf("%v %+v %#v", &cfg, outer, outer)} {
		if strings.Contains(s, secret) || !strings.Contains(s, "a@example.com") {
			t.Errorf("got %s", s)
		}
	}
}

func TestFromEnv(t *testing.T) {
	for _, name := range []string{"API_TOKEN", "API_KEY", "EMAIL", "API_BASE_URL", "BASE_URL", "ACCOUNT_ID"} {
		t.Setenv("CLOUDFLARE_"+name, "")
	}
	t.Setenv("CLOUDFLARE_API_KEY", "key")
	t.Setenv("CLOUDFLARE_EMAIL", "email")
	t.Setenv("CLOUDFLARE_BASE_URL", "https://b")
	t.Setenv("CLOUDFLARE_ACCOUNT_ID", "acc")
	if c := FromEnv(); c.APIKey != "key" || c.Email != "email" || c.BaseURL != "https://b" || AccountIDFromEnv() != "acc" {
		t.Errorf("got %v", c)
	}
	t.Setenv("CLOUDFLARE_API_TOKEN", "token")
	t.Setenv("CLOUDFLARE_API_BASE_URL", "https://a")
	if c := FromEnv(); c.APIToken != "token" || c.APIKey != "" || c.BaseURL != "https://a" {
		t.Errorf("got %v", c)
	}
}

// TestRedirectsAreNotFollowed: neither kind of credentials reaches another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the other host got %v", r.Header)
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 307, 308} {
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/?t="+secret, status)
		}, func(cfg *Config) {
			cfg.APIToken, cfg.APIKey, cfg.Email = "", secret, "a@example.com"
			cfg.HTTPClient = &http.Client{}
		})
		for _, method := range []string{"GET", "POST"} {
			_, err := c.Request(t.Context(), Call{Method: method, Path: "/x", Body: []byte("b")}, nil)
			if !StatusIs(err, status) || !strings.Contains(err.Error(), "redirect") || strings.Contains(err.Error(), secret) {
				t.Errorf("%s, %d: got %v", method, status, err)
			}
		}
	}
}

// TestLogsHoldNoSecret makes retries be logged whose errors echo the token.
func TestLogsHoldNoSecret(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		answer(w, 500, "<p>"+r.Header.Get("Authorization")+"</p>")
	}, func(cfg *Config) {
		cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	_, err := c.Request(t.Context(), Call{Path: "/x"}, nil)
	if strings.Contains(log.String()+err.Error(), secret) || strings.Count(log.String(), "sending again") != 3 {
		t.Errorf("log: %s\nerror: %v", &log, err)
	}
}
