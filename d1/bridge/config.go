package bridge

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
)

func init() {
	d1.Register("d1+bridge", func(dsn string) (d1.Backend, error) {
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

// TokenVariable is the environment variable that a token is looked for in, if the data
// source name has none. The Worker's secret has the same name.
const TokenVariable = "BRIDGE_TOKEN"

// DefaultDatabase is the binding that is used if none is named.
const DefaultDatabase = "DB"

// Config says where a bridge is. Printing a Config shows no secret.
type Config struct {
	// URL is where the bridge is, such as "https://bridge.example.workers.dev". Plain http
	// is accepted for this machine only.
	URL string
	// Database is the name of the binding; of the database, if `skylite dev` serves it.
	// Empty means [DefaultDatabase].
	Database string
	// Token is the bridge's secret.
	Token string `json:"-"`
	// Timeout is how long the bridge may take to answer. 0 means one minute.
	Timeout time.Duration
	// HTTPClient sends the requests; nil means one of its own. Redirects are not followed.
	HTTPClient *http.Client `json:"-"`
	// Logger is told of requests that are sent again. nil means nobody is.
	Logger *slog.Logger `json:"-"`
}

// String returns the Config without its secret.
func (cfg Config) String() string {
	return fmt.Sprintf("bridge.Config{URL:%q, Database:%q, Timeout:%v}", cfg.URL, cfg.Database, cfg.Timeout)
}

// GoString is String.
func (cfg Config) GoString() string { return cfg.String() }

// Format prints String, whatever the verb.
func (cfg Config) Format(f fmt.State, _ rune) { fmt.Fprint(f, cfg.String()) }

// LogValue is String, for log/slog.
func (cfg Config) LogValue() slog.Value { return slog.StringValue(cfg.String()) }

const dsnForm = "d1+bridge://HOST/DATABASE"

// ParseDSN reads a data source name:
//
//	d1+bridge://HOST[:PORT]/DATABASE?token=…&token_env=VAR&timeout=30s&tls=on
//
// All parameters are optional. The token is that of token, or else what the variable
// that token_env names holds, or else what [TokenVariable] does. Without a DATABASE it is
// [DefaultDatabase]; what stands before it in the path is the path that the Worker is
// at. The bridge is reached by https, and on this machine by http, unless tls is on.
// Unknown parameters are an error. No error repeats a part of the name that may hold a
// secret.
func ParseDSN(dsn string) (Config, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme != "d1+bridge" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return Config{}, errors.New("d1: the data source name is not of the form " + dsnForm)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Config{}, errors.New("d1: the data source name's parameters are not properly escaped")
	}
	cfg := Config{Token: os.Getenv(TokenVariable)}
	scheme := "https"
	if loopback(u.Hostname()) {
		scheme = "http"
	}
	for key, values := range query {
		if len(values) != 1 {
			return Config{}, fmt.Errorf("d1: the data source name has the parameter %.40q twice", key)
		}
		switch value := values[0]; key {
		case "token", "token_env":
		case "timeout":
			if cfg.Timeout, err = time.ParseDuration(value); err != nil || cfg.Timeout <= 0 {
				return Config{}, fmt.Errorf("d1: timeout is %.40q; it must be a time such as 30s", value)
			}
		case "tls":
			if value != "on" {
				return Config{}, fmt.Errorf("d1: tls is %.40q; it can only be turned on", value)
			}
			scheme = "https"
		default:
			return Config{}, fmt.Errorf("d1: the data source name has the unknown parameter %.40q; "+
				"there are token, token_env, timeout and tls", key)
		}
	}
	if name := query.Get("token_env"); name != "" {
		if cfg.Token = os.Getenv(name); cfg.Token == "" && !query.Has("token") {
			return Config{}, fmt.Errorf("d1: token_env names the variable %.100q, which is not set", name)
		}
	}
	if query.Has("token") {
		cfg.Token = query.Get("token")
	}
	path, name := "", strings.Trim(u.EscapedPath(), "/")
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		path, name = "/"+name[:i], name[i+1:]
	}
	if cfg.Database, err = url.PathUnescape(name); err != nil {
		return Config{}, errors.New("d1: the data source name is not of the form " + dsnForm)
	}
	cfg.URL = scheme + "://" + u.Host + path
	return cfg, nil
}

func loopback(host string) bool {
	host = strings.ToLower(host)
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// client returns what sends the requests.
func (cfg Config) client() (*cloudflare.Client, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" {
		return nil, errors.New("d1: the bridge's URL is not one such as https://bridge.example.workers.dev")
	}
	if cfg.Token == "" && !loopback(u.Hostname()) {
		return nil, errors.New("d1: the bridge's token is missing; set " + TokenVariable + ", or token_env in the data source name")
	}
	client, err := cloudflare.New(cloudflare.Config{
		BaseURL: cfg.URL, APIToken: cfg.Token, Timeout: cfg.Timeout, HTTPClient: cfg.HTTPClient, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("d1: %s", strings.TrimPrefix(err.Error(), "cloudflare: "))
	}
	return client, nil
}
