package cloudflare

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Pauses grow from firstPause, doubling, to lastPause.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 8 * time.Second
)

// run sends a call until it succeeds, or must not or need not be sent again. If
// consume is given, it reads the answer as a part of the attempt.
func (c *Client) run(ctx context.Context, call Call, consume func(Call, *http.Response) error) (*http.Response, error) {
	call.normalize()
	body, err := call.encodeBody()
	if err != nil {
		return nil, c.callError(call, OutcomeUnsent, formError{fmt.Errorf("encoding the body: %w", err)})
	}
	mayHaveRun := false
	for n := 1; ; n++ {
		resp, err := c.attempt(ctx, call, body)
		if err == nil && consume != nil {
			err = consume(call, resp)
		}
		if err == nil {
			return resp, nil
		}
		mayHaveRun = mayHaveRun || OutcomeOf(err) == OutcomeUnknown
		annotate(err, n, mayHaveRun)
		pause, again := c.again(ctx, call, n, err)
		if !again {
			return nil, err
		}
		c.cfg.Logger.DebugContext(ctx, "cloudflare: sending again", "method", call.Method, "path", call.Path,
			"attempt", n, "pause", pause, "error", err)
		if ctxErr := c.cfg.Sleep(ctx, pause); ctxErr != nil {
			return nil, &CallError{Method: call.Method, Path: call.Path, Outcome: OutcomeOf(err), Attempts: n,
				Err: fmt.Errorf("%w while waiting to send again after: %w", ctxErr, err)}
		}
	}
}

// annotate says of an attempt's error how many there were, and that one of them may have
// run.
func annotate(err error, attempts int, mayHaveRun bool) {
	var outcome *Outcome
	if e, ok := errors.AsType[*APIError](err); ok {
		e.Attempts, outcome = attempts, &e.Outcome
	} else if e, ok := errors.AsType[*CallError](err); ok {
		e.Attempts, outcome = attempts, &e.Outcome
	}
	if mayHaveRun && outcome != nil {
		*outcome = OutcomeUnknown
	}
}

// again decides whether a call is sent again after its nth attempt failed, and
// after which pause.
func (c *Client) again(ctx context.Context, call Call, n int, err error) (time.Duration, bool) {
	if ctx.Err() != nil || n > c.cfg.MaxRetries || !repeatable(call, err) {
		return 0, false
	}
	// The exponent is bounded so that many retries do not overflow.
	pause := time.Duration(c.cfg.Rand() * float64(min(lastPause, firstPause<<min(n-1, 10))))
	if e, ok := errors.AsType[*APIError](err); ok && e.RetryAfter > 0 {
		// A little more than asked, so that those who wait do not return at once.
		pause = e.RetryAfter + pause/10
	}
	if pause > c.cfg.MaxRetryWait {
		return 0, false
	}
	if deadline, ok := ctx.Deadline(); ok && c.cfg.Now().Add(pause).After(deadline) {
		return 0, false
	}
	return pause, true
}

// repeatable says whether sending a call again is safe and may help.
func repeatable(call Call, err error) bool {
	if call.Class == ClassWrite && OutcomeOf(err) != OutcomeUnsent {
		return false
	}
	if e, ok := errors.AsType[*APIError](err); ok {
		return Transient(e) || call.RetryIf != nil && call.RetryIf(e)
	}
	e, ok := errors.AsType[*CallError](err)
	return ok && passing(e.Err)
}

// Transient reports whether an error is likely to pass: the service was busy or
// broken, or the connection failed. It does not say that sending the call again
// is safe; see [Ambiguous].
func Transient(err error) bool {
	if e, ok := errors.AsType[*APIError](err); ok {
		return e.HTTPStatus == http.StatusTooManyRequests || e.HTTPStatus == http.StatusRequestTimeout ||
			e.HTTPStatus >= 500
	}
	e, ok := errors.AsType[*CallError](err)
	return ok && passing(e.Err)
}

// passing says whether a failure without an answer may be over at the next try.
func passing(err error) bool {
	_, wrong := errors.AsType[formError](err)
	return !wrong && !untrusted(err) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// formError is a fault in what was to be sent or in what came, which would be
// the same at the next try.
type formError struct{ error }

func (e formError) Unwrap() error { return e.error }

// retryAfter reads the Retry-After header: seconds, or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if seconds > 0 && seconds < 1e6 {
			return time.Duration(seconds * float64(time.Second))
		}
		return 0
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
