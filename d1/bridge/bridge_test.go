package bridge_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/bridge"
)

func TestParseDSN(t *testing.T) {
	t.Setenv("BRIDGE_TOKEN", "from-the-environment")
	t.Setenv("OTHER", "another-secret")
	for _, tt := range []struct{ dsn, url, database, token, err string }{
		{"d1+bridge://edge.example.com", "https://edge.example.com", "", "from-the-environment", ""},
		{"d1+bridge://edge.example.com/USERS", "https://edge.example.com", "USERS", "from-the-environment", ""},
		{"d1+bridge://edge.example.com/a/b/USERS?token=x", "https://edge.example.com/a/b", "USERS", "x", ""},
		{"d1+bridge://127.0.0.1:8787/app?token_env=OTHER", "http://127.0.0.1:8787", "app", "another-secret", ""},
		{"d1+bridge://[::1]:8787/my%20app?tls=on", "https://[::1]:8787", "my app", "from-the-environment", ""},
		{"d1+bridge:///x", "", "", "", "not of the form"},
		{"d1+bridge://secret@host/x", "", "", "", "not of the form"},
		{"d1+bridge://host/x?tls=off", "", "", "", "only be turned on"},
		{"d1+bridge://host/x?timeout=1", "", "", "", "a time such as 30s"},
		{"d1+bridge://host/x?token_env=NOBODY", "", "", "", "is not set"},
		{"d1+bridge://host/x?what=1", "", "", "", "unknown parameter"},
	} {
		cfg, err := bridge.ParseDSN(tt.dsn)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: error %v", tt.dsn, err)
			}
			continue
		}
		if err != nil || cfg.URL != tt.url || cfg.Database != tt.database || cfg.Token != tt.token {
			t.Errorf("%s: %+v with token %s, %v", tt.dsn, cfg, cfg.Token, err)
		}
		if strings.Contains(fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg), cfg.Token) && len(cfg.Token) > 1 {
			t.Errorf("%s: the token is printed", tt.dsn)
		}
	}
}

func TestOpenNeedsToken(t *testing.T) {
	t.Parallel()
	if _, err := bridge.Open(bridge.Config{URL: "https://edge.example.com"}); err == nil || !strings.Contains(err.Error(), "BRIDGE_TOKEN") {
		t.Errorf("error %v", err)
	}
	if _, err := bridge.Open(bridge.Config{URL: "http://edge.example.com", Token: "a-long-enough-token"}); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("error %v", err)
	}
}

// TestFailures checks what is sent again, and what a failed request is known to have done.
func TestFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		answer      http.HandlerFunc
		reads, runs int64 // how often a read and a write are sent
		outcome     d1.Outcome
	}{
		{"unauthorized", status(401, `{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}`), 1, 1, d1.OutcomeUnsent},
		{"not a bridge", status(404, `<html>`), 1, 1, d1.OutcomeUnsent},
		{"SQL", status(400, `{"success":false,"errors":[{"code":7500,"message":"no such table: t: SQLITE_ERROR"}]}`), 1, 1, d1.OutcomeRefused},
		{"D1 is lost", status(502, `{"success":false,"errors":[{"code":7500,"message":"Network connection lost."}]}`), 4, 1, d1.OutcomeUnknown},
		{"cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `[{"success":true`)
		}, 1, 1, d1.OutcomeUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var sent atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sent.Add(1)
				tt.answer(w, r)
			}))
			defer server.Close()
			backend, err := bridge.Open(bridge.Config{URL: server.URL, Token: "a-token"})
			if err != nil {
				t.Fatal(err)
			}
			db := d1.New(backend)
			defer db.Close()
			if _, err := db.Run(t.Context(), "SELECT 1"); err == nil || d1.Ambiguous(err) || sent.Load() != tt.reads {
				t.Errorf("a read was sent %d times: %v", sent.Load(), err)
			}
			sent.Store(0)
			_, err = db.Run(t.Context(), "DELETE FROM t")
			if got := outcome(err); err == nil || got != tt.outcome || sent.Load() != tt.runs {
				t.Errorf("a write was sent %d times, outcome %d: %v", sent.Load(), got, err)
			}
		})
	}
}

func outcome(err error) d1.Outcome {
	switch {
	case d1.Unsent(err):
		return d1.OutcomeUnsent
	case d1.Ambiguous(err):
		return d1.OutcomeUnknown
	}
	return d1.OutcomeRefused
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// FuzzParseDSN reads any name. None makes it panic, and no error or printed Config repeats the
// token.
func FuzzParseDSN(f *testing.F) {
	for _, dsn := range []string{
		"d1+bridge://edge.example.com/base/DB?timeout=30s&tls=on", "d1+bridge://127.0.0.1:8787/DB?token_env=HOME",
		"d1+bridge://[::1]:1/?tls=off", "d1+bridge://u:p@host/DB", "d1+bridge://host/%00?x;y", "d1+bridge:?", "d1+bridge://host?timeout=9e9s",
	} {
		f.Add(dsn)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		const secret = "s3cretT0ken"
		before, after, found := strings.Cut(dsn, "?")
		if found {
			dsn = before + "?token=" + secret + "&" + after
		}
		cfg, err := bridge.ParseDSN(dsn)
		if strings.Contains(fmt.Sprint(err), secret) || strings.Contains(fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg), secret) {
			t.Errorf("%q: the token is told: %v %v", dsn, err, cfg)
		}
		if err == nil && cfg.URL == "" {
			t.Errorf("%q: %v", dsn, cfg)
		}
	})
}
