package cloudflare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Bounds for what is read into memory.
const (
	maxAnswer    = 64 << 20 // of Request
	maxErrorBody = 64 << 20 // the text of an error may hold data: see package internal/speculate
	maxShown     = 64 << 10 // of a body that is not the API's
	maxSnippet   = 200
)

// Envelope is what stands around every answer of the API.
type Envelope struct {
	Result     json.RawMessage `json:"result"`
	Success    bool            `json:"success"`
	Errors     []Detail        `json:"errors"`
	Messages   []Detail        `json:"messages"`
	ResultInfo ResultInfo      `json:"result_info"`
}

// decode reads a successful answer.
func (c *Client) decode(call Call, resp *http.Response, result any) (ResultInfo, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = formError{fmt.Errorf("the answer is larger than %d bytes", maxAnswer)}
	}
	if err != nil {
		return ResultInfo{}, c.BodyError(call, fmt.Errorf("reading the answer: %w", err))
	}
	var e Envelope
	if err := json.Unmarshal(body, &e); err != nil {
		if cutShort(body, err) {
			return ResultInfo{}, c.brokenOff(call, resp, io.ErrUnexpectedEOF)
		}
		return ResultInfo{}, c.badForm(call, resp, body)
	}
	if !e.Success {
		return ResultInfo{}, c.apiError(call, resp, e.Errors)
	}
	if result == nil || len(e.Result) == 0 {
		return e.ResultInfo, nil
	}
	if err := json.Unmarshal(e.Result, result); err != nil {
		return ResultInfo{}, c.BodyError(call, formError{fmt.Errorf("the answer's result is not as expected: %w", err)})
	}
	return e.ResultInfo, nil
}

// statusError reads an answer whose status is an error.
func (c *Client) statusError(call Call, resp *http.Response) error {
	defer resp.Body.Close()
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return c.redirectError(call, resp)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err != nil {
		return c.brokenOff(call, resp, err)
	}
	var e Envelope
	if err = json.Unmarshal(body, &e); err == nil && len(e.Errors) > 0 {
		return c.apiError(call, resp, e.Errors)
	}
	if cutShort(body, err) {
		return c.brokenOff(call, resp, io.ErrUnexpectedEOF)
	}
	return c.badForm(call, resp, body)
}

// brokenOff is the error of an answer that did not come whole. What its status leaves open,
// such as whether D1 was stopped half way, is not known.
func (c *Client) brokenOff(call Call, resp *http.Response, err error) error {
	return c.BodyError(call, fmt.Errorf("reading the answer, whose status is %d: %w", resp.StatusCode, err))
}

// cutShort reports whether a body is the beginning of an envelope, by the error of its
// decoding.
func cutShort(body []byte, err error) bool {
	e, ok := errors.AsType[*json.SyntaxError](err)
	return ok && len(body) > 0 && body[0] == '{' && e.Offset == int64(len(body)) && e.Error() == "unexpected end of JSON input"
}

func (c *Client) redirectError(call Call, resp *http.Response) error {
	e := c.apiError(call, resp, nil)
	target := "nowhere"
	if u, err := resp.Location(); err == nil {
		target = "another path"
		if u.Host != c.base.Host {
			target = u.Host
		}
	}
	e.Err = fmt.Errorf("a redirect to %s, which is not followed; check the base URL", c.scrub(target))
	return e
}

// APIError returns the error of an answer that was read with Stream and says
// that it is no success.
func (c *Client) APIError(call Call, resp *http.Response, details []Detail) *APIError {
	call.normalize()
	return c.apiError(call, resp, details)
}

func (c *Client) apiError(call Call, resp *http.Response, details []Detail) *APIError {
	c.scrubDetails(details)
	ray := resp.Header.Get("Cf-Ray")
	return &APIError{
		Method: call.Method, Path: call.Path, HTTPStatus: resp.StatusCode, Errors: details,
		RayID: c.scrub(ray[:min(len(ray), 64)]), RetryAfter: retryAfter(resp.Header, c.cfg.Now()),
		Outcome: outcomeOfStatus(call.Class, resp.StatusCode, details), Attempts: 1,
	}
}

func (c *Client) scrubDetails(details []Detail) {
	for i := range details {
		details[i].Message = c.scrub(details[i].Message)
		details[i].DocumentationURL = c.scrub(details[i].DocumentationURL)
		c.scrubDetails(details[i].Chain)
	}
}

// badForm is the error of an answer that is not in the API's form. If its
// status is a success, a write has probably run.
func (c *Client) badForm(call Call, resp *http.Response, body []byte) *APIError {
	e := c.apiError(call, resp, nil)
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	e.Err = fmt.Errorf("the answer is not the API's JSON (%.60q)", kind)
	e.Body = c.snippet(body)
	if resp.StatusCode < 300 {
		e.Outcome = unknownIfWrite(call.Class)
	}
	return e
}

// snippet returns the beginning of a body as one line of valid UTF-8. The
// credentials are taken out before it is cut, so that no half of one stays.
func (c *Client) snippet(body []byte) string {
	body = body[:min(len(body), maxShown)]
	s := strings.Join(strings.Fields(c.scrub(string(bytes.ToValidUTF8(body, []byte("?"))))), " ")
	if len(s) > maxSnippet {
		s = strings.ToValidUTF8(s[:maxSnippet], "") + "…"
	}
	return s
}
