package cloudflare

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// Foreign sends a request to an address that the service has named, to send or fetch a
// file: without credentials, and out of the budget, for it is no call of the API. It
// follows no redirect. The address, which may be a secret, is in no error. The answer's
// body ends with an error when nothing has come of it for the time of [Config.Timeout].
func (c *Client) Foreign(req *http.Request) (*http.Response, error) {
	watched, cancel := context.WithCancelCause(req.Context())
	w := &watch{ctx: watched, cancel: cancel, limit: c.cfg.Timeout}
	w.start()
	w.pause() // until the body is read: a file that is sent may take its time
	req = req.WithContext(watched)
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	resp, err := c.http.Do(req)
	if err != nil {
		w.end()
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return nil, err
	}
	w.ReadCloser = resp.Body
	resp.Body = w
	return resp, nil
}

// Wait waits for about the time d, or until the context ends: who asks again and again
// for the same thing does not do so in step with others.
func (c *Client) Wait(ctx context.Context, d time.Duration) error {
	return c.cfg.Sleep(ctx, d/2+time.Duration(c.cfg.Rand()*float64(d/2)))
}
