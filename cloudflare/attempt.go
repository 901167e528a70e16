package cloudflare

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// errTimeout is the cause when Config.Timeout has passed. It is not
// context.DeadlineExceeded, which is the caller's own deadline.
var errTimeout error = timeoutError{}

type timeoutError struct{}

func (timeoutError) Error() string   { return "no answer within the time that Config.Timeout gives" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

// attempt sends a call once. A nil error means a status of success.
func (c *Client) attempt(ctx context.Context, call Call, body []byte) (*http.Response, error) {
	if err := c.spend(ctx); err != nil {
		return nil, c.callError(call, OutcomeUnsent, err)
	}
	watched, cancel := context.WithCancelCause(ctx)
	w := &watch{ctx: watched, cancel: cancel, limit: c.cfg.Timeout}
	w.start()
	t := &trail{body: body, class: call.Class}
	req, err := c.newRequest(httptrace.WithClientTrace(watched, t.trace()), call, t)
	if err != nil {
		w.end()
		return nil, c.callError(call, OutcomeUnsent, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // CallError names the call already
		}
		err = w.cause(err)
		w.end()
		return nil, c.callError(call, t.outcome(err), err)
	}
	w.pause()
	w.ReadCloser = resp.Body
	resp.Body = w
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		if pause := retryAfter(resp.Header, c.cfg.Now()); pause > 0 && c.budget != nil && resp.StatusCode == http.StatusTooManyRequests {
			c.budget.close(c.cfg.Now().Add(pause))
		}
		return nil, c.statusError(call, resp)
	}
	return resp, nil
}

func (c *Client) newRequest(ctx context.Context, call Call, t *trail) (*http.Request, error) {
	target := c.base.String() + call.Path
	if len(call.Query) > 0 {
		target += "?" + call.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, target, nil)
	if err != nil {
		return nil, formError{errors.New("the path is malformed")}
	}
	if req.URL.Host != c.base.Host {
		return nil, formError{errors.New("the path must begin with a slash")}
	}
	req.Header = c.header.Clone()
	if t.body == nil {
		return req, nil
	}
	req.ContentLength = int64(len(t.body))
	req.Body = t.reader()
	req.GetBody = t.getBody
	req.Header.Set("Content-Type", "application/json")
	if call.ContentType != "" {
		req.Header.Set("Content-Type", call.ContentType)
	}
	return req, nil
}

func (c *Client) callError(call Call, outcome Outcome, err error) error {
	return &CallError{Method: call.Method, Path: call.Path, Outcome: outcome, Attempts: 1, Err: c.scrubError(err)}
}

// trail follows how far an attempt got.
//
// net/http sends a request again by itself in some cases. Over HTTP/1 it asks
// GetBody for a POST only if nothing was written to the connection it had. Over
// HTTP/2 it asks after GOAWAY and REFUSED_STREAM, where nothing ran, but also
// after a PROTOCOL_ERROR, where something may have. GetBody cannot tell these
// apart, so for a write it refuses once the body was read.
type trail struct {
	body    []byte
	class   Class
	waiting atomic.Bool // the transport tells us what it does
	onWire  atomic.Bool // it has a connection, so anything may have been written
	http2   atomic.Bool
	read    atomic.Bool // the body was asked for
}

func (t *trail) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { t.waiting.Store(true) },
		GotConn: func(info httptrace.GotConnInfo) {
			if conn, ok := info.Conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
				t.http2.Store(conn.ConnectionState().NegotiatedProtocol == "h2")
			}
			t.onWire.Store(true)
		},
	}
}

type trailReader struct {
	*bytes.Reader
	trail *trail
}

func (r trailReader) Read(p []byte) (int, error) {
	r.trail.read.Store(true)
	return r.Reader.Read(p)
}

// WriteTo hides that of bytes.Reader from io.Copy, so that Read sees it all.
func (r trailReader) WriteTo(w io.Writer) (int64, error) {
	r.trail.read.Store(true)
	return r.Reader.WriteTo(w)
}

func (trailReader) Close() error { return nil }

func (t *trail) reader() io.ReadCloser { return trailReader{bytes.NewReader(t.body), t} }

var errNotReplayed = errors.New("the connection failed after the request was written")

func (t *trail) getBody() (io.ReadCloser, error) {
	if t.class == ClassWrite {
		if t.http2.Load() && t.read.Load() || !t.waiting.Load() {
			return nil, errNotReplayed
		}
		t.onWire.Store(false)
	}
	return t.reader(), nil
}

// outcome says what an error of the transport tells of a call.
func (t *trail) outcome(err error) Outcome {
	if t.waiting.Load() && !t.onWire.Load() || neverDialled(err) {
		return OutcomeUnsent
	}
	return unknownIfWrite(t.class)
}

// neverDialled recognises errors that come before anything is written. The last
// one is net/http's for a connection that it closed before it had a request for
// it; the error itself is not exported.
func neverDialled(err error) bool {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return true
	}
	return untrusted(err) || strings.HasSuffix(err.Error(), "http: server closed idle connection")
}

// untrusted recognises a server whose certificate is not accepted.
func untrusted(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

// watch ends an attempt in which the service does nothing for too long. The time that
// the caller takes between two reads does not count.
type watch struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	limit  time.Duration
	timer  *time.Timer
}

func (w *watch) start() {
	if w.limit > 0 {
		w.timer = time.AfterFunc(w.limit, func() { w.cancel(errTimeout) })
	}
}

func (w *watch) pause() {
	if w.timer != nil {
		w.timer.Stop()
	}
}

func (w *watch) end() {
	w.pause()
	w.cancel(nil)
}

// cause returns what really ended the attempt.
func (w *watch) cause(err error) error {
	if context.Cause(w.ctx) == errTimeout {
		return errTimeout
	}
	return err
}

// Read restarts the time.
func (w *watch) Read(p []byte) (int, error) {
	if w.timer != nil {
		w.timer.Reset(w.limit)
	}
	n, err := w.ReadCloser.Read(p)
	w.pause()
	if err != nil && err != io.EOF {
		err = w.cause(err)
	}
	return n, err
}

func (w *watch) Close() error {
	err := w.ReadCloser.Close()
	w.end()
	return err
}
