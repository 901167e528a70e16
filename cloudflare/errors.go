package cloudflare

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Outcome says what is known of a call that failed.
type Outcome uint8

const (
	// OutcomeAnswered means that the service answered with an error, or that the
	// call only reads: it changed nothing.
	OutcomeAnswered Outcome = iota
	// OutcomeUnsent means that the call surely never ran.
	OutcomeUnsent
	// OutcomeUnknown means that the call writes, and may have run or not.
	OutcomeUnknown
)

// Detail is one entry of the errors (or messages) of an answer. What a code
// means depends on the product.
type Detail struct {
	Code             int      `json:"code"`
	Message          string   `json:"message"`
	DocumentationURL string   `json:"documentation_url,omitempty"`
	Chain            []Detail `json:"error_chain,omitempty"`
}

// APIError is an answer that is not a success.
type APIError struct {
	// Method and Path are those of the call; Path is relative to the base URL.
	Method, Path string
	// HTTPStatus is the answer's status. It may be 200, with success false.
	HTTPStatus int
	// Errors is what the service said, or empty if it did not answer in its form.
	Errors []Detail
	// Body is the beginning of an answer that is not in the API's form, such as
	// the HTML page of a proxy; at most 200 bytes.
	Body string
	// RayID identifies the request to Cloudflare's support, or is empty.
	RayID string
	// RetryAfter is how long the service asks to wait, or 0.
	RetryAfter time.Duration
	// Outcome says whether the call may have run.
	Outcome Outcome
	// Attempts is how often the call was sent.
	Attempts int
	// Err is what was wrong with the answer's form, or nil.
	Err error
}

// Error returns the status, the texts and codes of the service, and the ray.
func (e *APIError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cloudflare: %s %s: status %d", e.Method, e.Path, e.HTTPStatus)
	for _, d := range e.Errors {
		b.WriteString(": ")
		d.write(&b)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Body != "" {
		fmt.Fprintf(&b, ": the answer begins %q", e.Body)
	}
	if e.RayID != "" {
		fmt.Fprintf(&b, " [ray %s]", e.RayID)
	}
	return b.String()
}

func (d Detail) write(b *strings.Builder) {
	fmt.Fprintf(b, "%s [code %d]", d.Message, d.Code)
	for _, c := range d.Chain {
		b.WriteString(" (")
		c.write(b)
		b.WriteByte(')')
	}
}

// Unwrap returns what was wrong with the answer's form.
func (e *APIError) Unwrap() error { return e.Err }

// Codes returns the codes of Errors and of their chains.
func (e *APIError) Codes() []int { return appendCodes(nil, e.Errors) }

func appendCodes(codes []int, details []Detail) []int {
	for _, d := range details {
		codes = appendCodes(append(codes, d.Code), d.Chain)
	}
	return codes
}

// HasCode reports whether the service gave the code.
func (e *APIError) HasCode(code int) bool {
	for _, c := range e.Codes() {
		if c == code {
			return true
		}
	}
	return false
}

// Message returns the text of the first of Errors, or else one for the status.
func (e *APIError) Message() string {
	switch {
	case len(e.Errors) > 0:
		return e.Errors[0].Message
	case e.Err != nil && e.Body != "":
		return fmt.Sprintf("status %d: %v; the answer begins %q", e.HTTPStatus, e.Err, e.Body)
	case e.Err != nil:
		return fmt.Sprintf("status %d: %v", e.HTTPStatus, e.Err)
	}
	return fmt.Sprintf("status %d %s", e.HTTPStatus, http.StatusText(e.HTTPStatus))
}

// CallError is a call that got no answer, or not all of one.
type CallError struct {
	// Method and Path are those of the call; Path is relative to the base URL.
	Method, Path string
	// Outcome says whether the call may have run.
	Outcome Outcome
	// Attempts is how often the call was sent.
	Attempts int
	// Err is the cause.
	Err error
}

// Error names the call and the cause.
func (e *CallError) Error() string {
	s := fmt.Sprintf("cloudflare: %s %s: %v", e.Method, e.Path, e.Err)
	if e.Outcome == OutcomeUnknown {
		s += " (it may have run nevertheless)"
	}
	return s
}

// Unwrap returns the cause.
func (e *CallError) Unwrap() error { return e.Err }

// OutcomeOf returns the outcome that an error of this package tells, and
// OutcomeAnswered for every other error.
func OutcomeOf(err error) Outcome {
	if e, ok := errors.AsType[*APIError](err); ok {
		return e.Outcome
	}
	if e, ok := errors.AsType[*CallError](err); ok {
		return e.Outcome
	}
	return OutcomeAnswered
}

// Unsent reports whether the call surely never ran.
func Unsent(err error) bool { return OutcomeOf(err) == OutcomeUnsent }

// Ambiguous reports whether the call writes and may have run all the same.
func Ambiguous(err error) bool { return OutcomeOf(err) == OutcomeUnknown }

// StatusIs reports whether the service answered with the HTTP status.
func StatusIs(err error, status int) bool {
	e, ok := errors.AsType[*APIError](err)
	return ok && e.HTTPStatus == status
}

// outcomeOfStatus says what an error status tells of a call. A 429 is given by
// the limiter in front of the service, or by a queue that is full, but D1 gives
// it also when it stopped a call half way.
func outcomeOfStatus(class Class, status int, details []Detail) Outcome {
	switch {
	case status == http.StatusTooManyRequests && !stopped(details):
		return OutcomeUnsent
	case class == ClassRead:
		return OutcomeAnswered
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		return OutcomeUnknown
	}
	return OutcomeAnswered
}

// stopped recognises D1's texts for work that had begun, such as
// "D1 DB exceeded its CPU time limit and was reset.";
// developers.cloudflare.com/d1/observability/debug-d1.
func stopped(details []Detail) bool {
	for _, d := range details {
		if strings.Contains(d.Message, "was reset") || strings.Contains(d.Message, "to be reset") || stopped(d.Chain) {
			return true
		}
	}
	return false
}

// UnmarshalJSON accepts a code that is a string, which some services send.
func (d *Detail) UnmarshalJSON(data []byte) error {
	type plain Detail
	var p struct {
		plain
		Code json.Number `json:"code"`
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	*d = Detail(p.plain)
	code, _ := p.Code.Int64()
	d.Code = int(code)
	return nil
}
