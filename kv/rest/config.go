package rest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/kv"
)

func init() {
	kv.Register("kv", func(dsn string) (kv.Namespace, error) {
		cfg, err := ParseDSN(dsn)
		if err != nil {
			return nil, err
		}
		ns, err := Open(cfg)
		if err != nil {
			return nil, err
		}
		return ns, nil
	})
}

// Config names a namespace and says how to reach it. Printing a Config shows no secret.
type Config struct {
	// API says how to reach Cloudflare's API. It is not used if Client is set.
	API cloudflare.Config
	// Client is shared with others that use the same token; nil means one made from API. A
	// Client that is given is not closed.
	Client *cloudflare.Client
	// AccountID is the account's id, 32 hexadecimal digits.
	AccountID string
	// NamespaceID is the namespace's id, 32 hexadecimal digits.
	NamespaceID string
	// Coalesce lets puts and deletions that arrive while one is under way leave together, in
	// one request, when it has ended. Each still returns when it has been done.
	Coalesce bool
}

const dsnForm = "kv://ACCOUNT_ID/NAMESPACE_ID"

// ParseDSN reads a data source name:
//
//	kv://ACCOUNT_ID/NAMESPACE_ID?token=…&token_env=VAR&base_url=…&timeout=30s&coalesce=true
//
// All parameters are optional. The token is that of token, or else what the variable that
// token_env names holds, or else what [cloudflare.FromEnv] finds; base_url goes before the
// environment's too. An account id that is missing is taken from CLOUDFLARE_ACCOUNT_ID.
// Unknown parameters are an error. No error repeats a part of the name that may hold a
// secret.
func ParseDSN(dsn string) (Config, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme != "kv" || u.Opaque != "" || u.User != nil || u.Fragment != "" {
		// The error of url.Parse repeats the name.
		return Config{}, errors.New("kv: the data source name is not of the form " + dsnForm)
	}
	cfg := Config{AccountID: u.Host, NamespaceID: strings.TrimPrefix(u.Path, "/"), API: cloudflare.FromEnv()}
	if cfg.AccountID == "" {
		cfg.AccountID = cloudflare.AccountIDFromEnv()
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Config{}, errors.New("kv: the data source name's parameters are not properly escaped")
	}
	for key, values := range query {
		if len(values) != 1 {
			return Config{}, fmt.Errorf("kv: the data source name has the parameter %.40q twice", key)
		}
		if err := cfg.parameter(key, values[0], query.Has("token")); err != nil {
			return Config{}, err
		}
	}
	return cfg, cfg.check()
}

func (cfg *Config) parameter(key, value string, hasToken bool) error {
	switch key {
	case "token":
		cfg.API.APIToken, cfg.API.APIKey, cfg.API.Email = value, "", ""
	case "token_env":
		token := os.Getenv(value)
		switch {
		case hasToken:
		case token == "":
			return fmt.Errorf("kv: token_env names the variable %.100q, which is not set", value)
		default:
			cfg.API.APIToken, cfg.API.APIKey, cfg.API.Email = token, "", ""
		}
	case "base_url":
		cfg.API.BaseURL = value
	case "timeout":
		d, err := time.ParseDuration(value)
		if err != nil || d <= 0 {
			return fmt.Errorf("kv: timeout is %.40q; it must be a time such as 30s", value)
		}
		cfg.API.Timeout = d
	case "coalesce":
		if value != "true" && value != "false" {
			return fmt.Errorf("kv: coalesce is %.40q; it must be true or false", value)
		}
		cfg.Coalesce = value == "true"
	default:
		return fmt.Errorf("kv: the data source name has the unknown parameter %.40q; "+
			"there are token, token_env, base_url, timeout and coalesce", key)
	}
	return nil
}

// check names what is missing.
func (cfg *Config) check() error {
	switch {
	case cfg.AccountID == "":
		return errors.New("kv: the account id is missing; write " + dsnForm + " or set CLOUDFLARE_ACCOUNT_ID")
	case cfg.NamespaceID == "":
		return errors.New("kv: the namespace's id is missing; write " + dsnForm)
	case strings.Contains(cfg.NamespaceID, "/"):
		return errors.New("kv: the namespace's id has a slash in it; write " + dsnForm)
	}
	return nil
}

func (cfg *Config) client() (*cloudflare.Client, error) {
	if cfg.Client != nil {
		return cfg.Client, nil
	}
	client, err := cloudflare.New(cfg.API)
	if err != nil {
		return nil, fmt.Errorf("kv: %w", err)
	}
	return client, nil
}
