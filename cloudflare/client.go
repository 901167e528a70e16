package cloudflare

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Class says how a call may be repeated.
type Class uint8

const (
	// ClassAuto is ClassRead for the methods GET and HEAD, and else ClassWrite.
	ClassAuto Class = iota
	// ClassRead is a call that changes nothing. It may run any number of times.
	ClassRead
	// ClassIdempotent is a call that writes and comes to the same when it runs twice. It
	// is sent again as one that reads is; if any of its attempts may have run, and none
	// was answered with success, its outcome is unknown.
	ClassIdempotent
	// ClassWrite is a call that must not run twice.
	ClassWrite
)

// Call is one call of the API.
type Call struct {
	// Method is the HTTP method; empty means GET.
	Method string
	// Path is relative to the base URL, begins with a slash and is escaped (see
	// [url.PathEscape]).
	Path string
	// Query goes behind the path.
	Query url.Values
	// Body is sent as it is if it is a []byte or a json.RawMessage, and else as
	// JSON; nil means none.
	Body any
	// ContentType of the body; empty means application/json.
	ContentType string
	// Class says whether the call may be sent again.
	Class Class
	// RetryIf names errors of the service, besides 429 and 5xx, after which a call
	// of ClassRead is sent again; nil means none.
	RetryIf func(*APIError) bool
}

func (c *Call) normalize() {
	if c.Method == "" {
		c.Method = http.MethodGet
	}
	if c.Class == ClassAuto {
		c.Class = ClassWrite
		if c.Method == http.MethodGet || c.Method == http.MethodHead {
			c.Class = ClassRead
		}
	}
}

func (c *Call) encodeBody() ([]byte, error) {
	switch body := c.Body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return body, nil
	case json.RawMessage:
		return body, nil
	default:
		return json.Marshal(body)
	}
}

// Client calls the API. It is safe for concurrent use.
type Client struct {
	cfg    Config
	base   *url.URL
	http   *http.Client
	header http.Header
	owned  bool // the transport is the client's own
	budget *budget
}

// New returns a Client. It checks the Config and sends nothing.
func New(cfg Config) (*Client, error) {
	cfg.setDefaults()
	base, err := cfg.baseURL()
	if err != nil {
		return nil, err
	}
	header, err := cfg.authorization(base)
	if err != nil {
		return nil, err
	}
	header.Set("User-Agent", cfg.UserAgent)
	header.Set("Accept", "application/json")
	c := &Client{cfg: cfg, base: base, header: header, owned: cfg.HTTPClient == nil}
	c.http = c.httpClient()
	c.budget = cfg.budget()
	return c, nil
}

// httpClient returns a client that follows no redirect: net/http would send the
// headers of a global key to another host, and a body again.
func (c *Client) httpClient() *http.Client {
	client := &http.Client{}
	if !c.owned {
		*client = *c.cfg.HTTPClient
	} else if t, ok := http.DefaultTransport.(*http.Transport); ok {
		t = t.Clone()
		t.MaxIdleConnsPerHost = 32
		client.Transport = t
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// Close gives up connections that are idle. The Client can still be used.
func (c *Client) Close() {
	if c.owned {
		c.http.CloseIdleConnections()
	}
}

// ResultInfo says which page of a list an answer holds.
type ResultInfo struct {
	Count      int    `json:"count"`
	Page       int    `json:"page"`
	PerPage    int    `json:"per_page"`
	TotalCount int    `json:"total_count"`
	Cursor     string `json:"cursor"`
}

// Request makes a call and decodes the result in the answer into the value that
// result points to, unless that is nil. Errors are an [*APIError] or a
// [*CallError].
func (c *Client) Request(ctx context.Context, call Call, result any) (ResultInfo, error) {
	var info ResultInfo
	_, err := c.run(ctx, call, func(call Call, resp *http.Response) error {
		defer resp.Body.Close()
		var err error
		info, err = c.decode(call, resp, result)
		return err
	})
	return info, err
}

// Stream makes a call and returns the answer once its header says success, with
// the body unread: the caller reads and closes it. The body is what the service
// sent, an envelope or a value. A body that breaks off gives an error from Read;
// [Client.BodyError] makes it one of this package. Other statuses are an
// [*APIError].
func (c *Client) Stream(ctx context.Context, call Call) (*http.Response, error) {
	return c.run(ctx, call, nil)
}

// ErrTooLong is the cause when an answer is longer than the caller takes.
var ErrTooLong error = formError{errors.New("the answer is longer than what is accepted")}

// Whole makes a call and returns the answer with all of its body, which may have as many
// bytes as limit says. It is [Client.Stream] for those who need the end of an answer before
// they can use its beginning: an answer that breaks off is a failure of the attempt, after
// which a call that reads is sent again. If there is too much, the error is [ErrTooLong] and
// the bytes are those that came first.
func (c *Client) Whole(ctx context.Context, call Call, limit int64) (body []byte, resp *http.Response, err error) {
	resp, err = c.run(ctx, call, func(call Call, resp *http.Response) error {
		defer resp.Body.Close()
		var b bytes.Buffer
		if n := resp.ContentLength; n > 0 && n < 1<<20 {
			b.Grow(int(n) + bytes.MinRead)
		}
		n, err := io.Copy(&b, io.LimitReader(resp.Body, limit+1))
		if body = b.Bytes(); n > limit {
			err = ErrTooLong
		}
		if err != nil {
			return c.BodyError(call, fmt.Errorf("reading the answer: %w", err))
		}
		return nil
	})
	if resp != nil {
		resp.Body = http.NoBody
	}
	return body, resp, err
}

// BodyError returns the error of a call whose answer could not be read to its
// end or is not what it should be.
func (c *Client) BodyError(call Call, err error) error {
	call.normalize()
	return &CallError{Method: call.Method, Path: call.Path, Outcome: unknownIfWrite(call.Class), Attempts: 1,
		Err: c.scrubError(err)}
}

func unknownIfWrite(class Class) Outcome {
	if class == ClassRead {
		return OutcomeAnswered
	}
	return OutcomeUnknown
}

// minSecret is the length from which a credential is looked for in texts. Those
// that Cloudflare issues have 37 characters and more; one such as "x", which a
// server on this machine may accept, would garble every text.
const minSecret = 8

// scrub takes the credentials out of a text that came from outside.
func (c *Client) scrub(s string) string {
	for _, secret := range []string{c.cfg.APIToken, c.cfg.APIKey} {
		if len(secret) >= minSecret {
			s = strings.ReplaceAll(s, secret, mask)
		}
	}
	return s
}

// scrubError drops the chain of an error whose text holds a secret.
func (c *Client) scrubError(err error) error {
	if text := c.scrub(err.Error()); text != err.Error() {
		return errors.New(text)
	}
	return err
}
