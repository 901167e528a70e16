package rest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
)

func init() {
	d1.Register("d1", func(dsn string) (d1.Backend, error) {
		cfg, err := ParseDSN(dsn)
		if err != nil {
			return nil, err
		}
		db, err := Open(cfg)
		if err != nil {
			return nil, err
		}
		return db, nil
	})
}

// Config names a database and says how to reach it. Printing a Config shows no
// secret.
type Config struct {
	// API says how to reach Cloudflare's API. It is not used if Client is set.
	API cloudflare.Config
	// Client is shared with others that use the same token; nil means one made
	// from API. A Client that is given is not closed.
	Client *cloudflare.Client
	// AccountID is the account's id, 32 hexadecimal digits.
	AccountID string
	// DatabaseID is the database's uuid.
	DatabaseID string
	// DatabaseName is used if DatabaseID is empty: the id is looked up when it is
	// first needed, and then kept.
	DatabaseName string
	// Group says which requests may share a POST with those that arrive while another is
	// under way.
	Group Grouping
	// GroupWait is how long a request waits, for one under way to be answered or for
	// company, before it leaves; 0 means 50 milliseconds. One that finds none under way
	// never waits.
	GroupWait time.Duration
}

const dsnForm = "d1://ACCOUNT_ID/DATABASE_ID_OR_NAME"

// ParseDSN reads a data source name:
//
//	d1://ACCOUNT_ID/DATABASE_ID_OR_NAME?token=…&token_env=VAR&base_url=…&timeout=30s&group=all
//
// All parameters are optional. The token is that of token, or else what the
// variable that token_env names holds, or else what [cloudflare.FromEnv] finds;
// base_url goes before the environment's too; group is reads (the default), all or none: see [Grouping]. An account id that is missing is
// taken from CLOUDFLARE_ACCOUNT_ID. Unknown parameters are an error. No error
// repeats a part of the name that may hold a secret.
func ParseDSN(dsn string) (Config, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme != "d1" || u.Opaque != "" || u.User != nil || u.Fragment != "" {
		// The error of url.Parse repeats the name.
		return Config{}, errors.New("d1: the data source name is not of the form " + dsnForm)
	}
	cfg := Config{AccountID: u.Host, API: cloudflare.FromEnv()}
	if cfg.AccountID == "" {
		cfg.AccountID = cloudflare.AccountIDFromEnv()
	}
	name := strings.TrimPrefix(u.Path, "/")
	if isUUID(name) {
		cfg.DatabaseID = name
	} else {
		cfg.DatabaseName = name
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Config{}, errors.New("d1: the data source name's parameters are not properly escaped")
	}
	if err := cfg.parameters(query); err != nil {
		return Config{}, err
	}
	return cfg, cfg.check()
}

func (cfg *Config) parameters(query url.Values) error {
	for key, values := range query {
		if len(values) != 1 {
			return fmt.Errorf("d1: the data source name has the parameter %.40q twice", key)
		}
		value := values[0]
		switch key {
		case "token":
			cfg.setToken(value)
		case "token_env":
			token := os.Getenv(value)
			if token == "" && !query.Has("token") {
				return fmt.Errorf("d1: token_env names the variable %.100q, which is not set", value)
			}
			if !query.Has("token") {
				cfg.setToken(token)
			}
		case "base_url":
			cfg.API.BaseURL = value
		case "timeout":
			d, err := time.ParseDuration(value)
			if err != nil || d <= 0 {
				return fmt.Errorf("d1: timeout is %.40q; it must be a time such as 30s", value)
			}
			cfg.API.Timeout = d
		case "group":
			group, ok := map[string]Grouping{"reads": GroupReads, "all": GroupAll, "none": GroupNone}[value]
			if !ok {
				return fmt.Errorf("d1: group is %.40q; it must be reads, all or none", value)
			}
			cfg.Group = group
		default:
			return fmt.Errorf("d1: the data source name has the unknown parameter %.40q; "+
				"there are token, token_env, base_url, timeout and group", key)
		}
	}
	return nil
}

func (cfg *Config) setToken(token string) {
	cfg.API.APIToken, cfg.API.APIKey, cfg.API.Email = token, "", ""
}

// check names what is missing.
func (cfg *Config) check() error {
	switch {
	case cfg.AccountID == "":
		return errors.New("d1: the account id is missing; write " + dsnForm + " or set CLOUDFLARE_ACCOUNT_ID")
	case cfg.DatabaseID == "" && cfg.DatabaseName == "":
		return errors.New("d1: the database's id or name is missing; write " + dsnForm)
	}
	return nil
}

func (cfg *Config) client() (*cloudflare.Client, error) {
	if cfg.Client != nil {
		return cfg.Client, nil
	}
	client, err := cloudflare.New(cfg.API)
	if err != nil {
		return nil, fmt.Errorf("d1: %w", err)
	}
	return client, nil
}

// isUUID reports whether s looks like 8-4-4-4-12 hexadecimal digits.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if s[i] != '-' {
				return false
			}
		case (c < 'a' || c > 'f') && (s[i] < '0' || s[i] > '9'):
			return false
		}
	}
	return true
}
