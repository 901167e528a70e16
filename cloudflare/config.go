package cloudflare

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// DefaultBaseURL is where Cloudflare serves its API v4.
const DefaultBaseURL = "https://api.cloudflare.com/client/v4"

// Config says how to reach the API. Its zero value lacks only credentials.
// Printing a Config shows no secret.
type Config struct {
	// APIToken is an API token, the usual credential. It wins over APIKey.
	APIToken string `json:"-"`
	// APIKey is a global API key; it needs Email too.
	APIKey string `json:"-"`
	// Email belongs to APIKey.
	Email string
	// BaseURL is the root of the API; empty means [DefaultBaseURL]. Plain http is
	// accepted for hosts on the loopback interface only.
	BaseURL string
	// AllowPlainHTTP lets credentials travel unencrypted to other hosts too.
	AllowPlainHTTP bool
	// HTTPClient sends the requests; nil means a client of its own, with
	// http.DefaultTransport's settings. Its CheckRedirect is not used, since no
	// redirect is followed.
	HTTPClient *http.Client `json:"-"`
	// Logger gets a line at level Debug for each attempt that is repeated; nil
	// means none.
	Logger *slog.Logger `json:"-"`
	// UserAgent is the User-Agent header; empty means Skylite's own.
	UserAgent string
	// MaxRetries is how often a call is sent again; 0 means 3, a negative number
	// never.
	MaxRetries int
	// MaxRetryWait is the longest pause before a call is sent again; 0 means 30
	// seconds. If Retry-After asks for more, the error is returned at once.
	MaxRetryWait time.Duration
	// Budget is how many requests may be sent in five minutes by all the clients of this
	// process that have the same credentials and the same Budget; what is more waits. 0
	// means [DefaultBudget] for Cloudflare's own API, reached over an [http.Transport],
	// and no bound for any other; a negative number is no bound.
	Budget int
	// Timeout is how long one attempt waits for the answer to begin, and then for
	// each next part of it; 0 means 60 seconds, a negative number for ever. D1
	// runs a call for 30 seconds at most. The context bounds the whole call.
	Timeout time.Duration

	// Sleep pauses between attempts, and Now and Rand serve to find out how long;
	// nil means the real clock and math/rand. They are there for tests.
	Sleep func(ctx context.Context, d time.Duration) error `json:"-"`
	Now   func() time.Time                                 `json:"-"`
	Rand  func() float64                                   `json:"-"`
}

// FromEnv returns what the environment says, in the variables that Cloudflare's
// own tools read: CLOUDFLARE_API_TOKEN, or else CLOUDFLARE_API_KEY and
// CLOUDFLARE_EMAIL, and CLOUDFLARE_API_BASE_URL, or else CLOUDFLARE_BASE_URL.
func FromEnv() Config {
	cfg := Config{APIToken: os.Getenv("CLOUDFLARE_API_TOKEN"), BaseURL: os.Getenv("CLOUDFLARE_API_BASE_URL")}
	if cfg.BaseURL == "" {
		cfg.BaseURL = os.Getenv("CLOUDFLARE_BASE_URL")
	}
	if cfg.APIToken == "" {
		cfg.APIKey, cfg.Email = os.Getenv("CLOUDFLARE_API_KEY"), os.Getenv("CLOUDFLARE_EMAIL")
	}
	return cfg
}

// AccountIDFromEnv returns the account that the environment names in
// CLOUDFLARE_ACCOUNT_ID, or "".
func AccountIDFromEnv() string { return os.Getenv("CLOUDFLARE_ACCOUNT_ID") }

const mask = "***"

func masked(secret string) string {
	if secret == "" {
		return ""
	}
	return mask
}

// String returns the Config without its secrets.
func (c Config) String() string {
	return fmt.Sprintf("cloudflare.Config{APIToken:%q, APIKey:%q, Email:%q, BaseURL:%q, MaxRetries:%d, Timeout:%v}",
		masked(c.APIToken), masked(c.APIKey), c.Email, redactURL(c.BaseURL), c.MaxRetries, c.Timeout)
}

// GoString is String.
func (c Config) GoString() string { return c.String() }

// Format prints String, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// LogValue is String, for log/slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// redactURL hides a user and password, and a URL that cannot be read.
func redactURL(s string) string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil {
		return mask
	}
	if u.User != nil {
		u.User = url.User(mask)
	}
	if u.RawQuery != "" {
		u.RawQuery = mask
	}
	return u.String()
}

func (c *Config) setDefaults() {
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	if c.UserAgent == "" {
		c.UserAgent = "skylite (+https://github.com/skylite-go/skylite)"
	}
	if c.MaxRetries == 0 {
		c.MaxRetries = 3
	}
	if c.MaxRetryWait == 0 {
		c.MaxRetryWait = 30 * time.Second
	}
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// baseURL reads and checks the base URL. Errors do not repeat it, for there may
// be a secret in it.
func (c *Config) baseURL() (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(c.BaseURL, "/"))
	switch {
	case err != nil, u.Host == "":
		return nil, errors.New("cloudflare: the base URL is not an absolute URL such as " + DefaultBaseURL)
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("cloudflare: the base URL must hold no user, no query and no fragment; " +
			"credentials belong into APIToken, or into APIKey and Email")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("cloudflare: the base URL has the scheme %q; it must be https", u.Scheme)
	case u.Scheme == "http" && !c.AllowPlainHTTP && !loopback(u.Hostname()):
		return nil, fmt.Errorf("cloudflare: plain http to %s would show the credentials to the network; "+
			"use https (AllowPlainHTTP permits it nevertheless)", u.Host)
	}
	return u, nil
}

func loopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// authorization returns the headers that carry the credentials. A server on
// this machine may need none.
func (c *Config) authorization(base *url.URL) (http.Header, error) {
	h := http.Header{}
	for name, value := range map[string]string{"APIToken": c.APIToken, "APIKey": c.APIKey, "Email": c.Email} {
		if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, fmt.Errorf("cloudflare: %s holds a character that cannot be sent, "+
				"such as a space or the end of a line", name)
		}
	}
	switch {
	case c.APIToken != "":
		h.Set("Authorization", "Bearer "+c.APIToken)
	case c.APIKey != "" && c.Email != "":
		h.Set("X-Auth-Key", c.APIKey)
		h.Set("X-Auth-Email", c.Email)
	case c.APIKey != "":
		return nil, errors.New("cloudflare: APIKey is set, but not Email (CLOUDFLARE_EMAIL)")
	case !loopback(base.Hostname()):
		return nil, errors.New("cloudflare: no credentials: set APIToken (CLOUDFLARE_API_TOKEN), " +
			"or APIKey and Email (CLOUDFLARE_API_KEY and CLOUDFLARE_EMAIL)")
	}
	return h, nil
}
