package rest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/rest"
)

func clearEnv(t *testing.T) {
	for _, name := range []string{"API_TOKEN", "API_KEY", "EMAIL", "API_BASE_URL", "BASE_URL", "ACCOUNT_ID"} {
		t.Setenv("CLOUDFLARE_"+name, "")
	}
}

func TestParseDSN(t *testing.T) {
	clearEnv(t)
	t.Setenv("CLOUDFLARE_API_KEY", "key")
	t.Setenv("CLOUDFLARE_EMAIL", "mail")
	t.Setenv("CLOUDFLARE_BASE_URL", "https://env.example.com")
	t.Setenv("OTHER", "other-token")
	cfg, err := rest.ParseDSN("d1://acc/my%20app?token=" + token + "&token_env=OTHER&base_url=http%3A%2F%2F127.0.0.1%3A8787&timeout=5s")
	if err != nil || cfg.AccountID != "acc" || cfg.DatabaseName != "my app" || cfg.DatabaseID != "" || cfg.API.APIToken != token ||
		cfg.API.APIKey != "" || cfg.API.BaseURL != "http://127.0.0.1:8787" || cfg.API.Timeout != 5*time.Second {
		t.Errorf("got %+v, %v", cfg, err)
	}
	cfg, err = rest.ParseDSN("d1://acc/" + uuid)
	if err != nil || cfg.DatabaseID != uuid || cfg.API.APIKey != "key" || cfg.API.Email != "mail" || cfg.API.BaseURL != "https://env.example.com" {
		t.Errorf("got %+v, %v", cfg, err)
	}
	if cfg, err = rest.ParseDSN("d1://acc/app?token_env=OTHER"); err != nil || cfg.API.APIToken != "other-token" {
		t.Errorf("got %+v, %v", cfg, err)
	}
	t.Setenv("CLOUDFLARE_ACCOUNT_ID", "from-env")
	if cfg, err = rest.ParseDSN("d1:///app"); err != nil || cfg.AccountID != "from-env" {
		t.Errorf("got %+v, %v", cfg, err)
	}
}

// TestDSNErrors: they say what is wrong, and not the token.
func TestDSNErrors(t *testing.T) {
	clearEnv(t)
	for dsn, want := range map[string]string{
		"d1://acc/?token=" + token:                       "id or name is missing",
		"d1:///app?token=" + token:                       "account id is missing",
		"d1:app?token=" + token:                          "d1://ACCOUNT_ID/",
		"d1://" + token + "@acc/app":                     "d1://ACCOUNT_ID/",
		"d1://acc/app%zz?token=" + token:                 "d1://ACCOUNT_ID/",
		"d1://a b/app?token=" + token:                    "d1://ACCOUNT_ID/",
		"d1://acc/app?token=%zz" + token:                 "escaped",
		"d1://acc/app?tokn=" + token:                     `unknown parameter "tokn"`,
		"d1://acc/app?token=" + token + "&token=x":       "twice",
		"d1://acc/app?timeout=soon&token=" + token:       "30s",
		"d1://acc/app?token_env=NOT_SET_HERE":            "NOT_SET_HERE",
		"d1://acc/app?token=" + token + "%0a":            "APIToken",
		"d1://acc/app?base_url=http://h&token=" + token:  "plain http",
		"d1://acc/app?base_url=https://" + token + "@h/": "no user",
		"d1://acc/app":                                   "CLOUDFLARE_API_TOKEN",
	} {
		_, err := d1.OpenBackend(dsn)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: got %v", dsn, err)
		}
	}
	cfg, err := rest.ParseDSN("d1://acc/app?token=" + token)
	for _, s := range []string{fmt.Sprint(cfg), fmt.Sprintf("%+v %#v", cfg, cfg)} {
		if err != nil || strings.Contains(s, token) {
			t.Errorf("got %v %s", err, s)
		}
	}
}

// FuzzParseDSN reads any name. None makes it panic, and no error or printed Config repeats the
// token.
func FuzzParseDSN(f *testing.F) {
	for _, dsn := range []string{
		"d1://0123456789abcdef0123456789abcdef/11111111-2222-4333-8444-555555555555?timeout=30s&base_url=http://127.0.0.1:8787/client/v4",
		"d1:///app?token_env=HOME", "d1://a/b?token=x&token=y", "d1://a%2f/%00?base_url=ftp://x", "d1:a?b", "d1://[::1/x?", "d1://a/b?timeout=-1s;x", "kv://a/b?",
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
		if err == nil && (cfg.AccountID == "" || cfg.DatabaseID == "" && cfg.DatabaseName == "") {
			t.Errorf("%q: %v", dsn, cfg)
		}
	})
}
