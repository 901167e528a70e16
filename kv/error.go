package kv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Errors that callers decide by, with errors.Is.
var (
	// ErrNotFound means that the key does not exist, or has expired. It is also an
	// [fs.ErrNotExist].
	ErrNotFound error = notFound{}
	// ErrConflict means that a key has not the version that a write was to find.
	ErrConflict = errors.New("the key has another version")
	// ErrClosed is what a closed Namespace returns.
	ErrClosed = errors.New("kv: namespace is closed")
)

type notFound struct{}

func (notFound) Error() string        { return "key not found" }
func (notFound) Is(target error) bool { return target == fs.ErrNotExist }

// Outcome says what is known of a request that failed.
type Outcome uint8

const (
	// OutcomeRefused means that nothing was written: the place answered with an error,
	// or the request only reads.
	OutcomeRefused Outcome = iota
	// OutcomeUnsent means that the request surely never ran.
	OutcomeUnsent
	// OutcomeUnknown means that the write may have been done, or not.
	OutcomeUnknown
)

// Error is an error of a namespace. It is the same for every place; fields that a
// place does not know are left at their zero values.
type Error struct {
	// Op is what was to be done: "get", "put", "delete", "list" and their like.
	Op string
	// Key is the key at fault, if it was one.
	Key string
	// Message is KV's text, such as "Metadata length of 1025 exceeds limit of 1024.".
	Message string
	// Status is the HTTP status of the answer, or the one that KV gives for such a
	// fault: 400, 404, 413, 414, 429.
	Status int
	// Code is the code of Cloudflare's API, such as 10013 for a namespace that does not
	// exist, or 0.
	Code int
	// RayID identifies the request to Cloudflare's support, or is empty.
	RayID string
	// Outcome says whether a write may have been done.
	Outcome Outcome
	// Transient says that the same request may well succeed later.
	Transient bool
	// Err is the cause, or nil.
	Err error
}

// Error returns what was to be done, the key and the text.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("kv: ")
	if e.Op != "" {
		b.WriteString(e.Op)
		if e.Key != "" {
			fmt.Fprintf(&b, " %q", clip(e.Key))
		}
		b.WriteString(": ")
	}
	switch {
	case e.Message != "":
		b.WriteString(e.Message)
	case e.Err != nil:
		b.WriteString(e.Err.Error())
	}
	if e.Code != 0 {
		fmt.Fprintf(&b, " [code %d]", e.Code)
	}
	if e.RayID != "" {
		fmt.Fprintf(&b, " [ray %s]", e.RayID)
	}
	return b.String()
}

// clip shortens a key for an error, since a bad one may be of any length.
func clip(key string) string {
	if len(key) <= MaxKeyBytes {
		return key
	}
	return key[:64] + "…"
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// NotFound returns the error of a key that does not exist.
func NotFound(op, key string) error {
	return &Error{Op: op, Key: key, Status: 404, Err: ErrNotFound}
}

// Conflict returns the error of a key whose version is another.
func Conflict(op, key string) error {
	return &Error{Op: op, Key: key, Status: 412, Err: ErrConflict}
}

// Retryable reports whether running the same request again is safe and may succeed:
// the fault is a passing one, and nothing of the request took effect.
func Retryable(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Transient && e.Outcome != OutcomeUnknown &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// Unsent reports whether the request surely never ran.
func Unsent(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Outcome == OutcomeUnsent
}

// Ambiguous reports whether a write may have been done all the same. Putting the same
// value again is the usual answer.
func Ambiguous(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Outcome == OutcomeUnknown
}

// BatchError says which writes of a batch were not done, in a place that is not atomic.
type BatchError struct {
	// Keys are those whose writes were not done, or may not have been.
	Keys []string
	// Done is how many writes surely were.
	Done int
	// Err is the cause.
	Err error
}

// Error returns how many writes were not done, and why.
func (e *BatchError) Error() string {
	return fmt.Sprintf("kv: batch: %d of %d writes were not done: %v", len(e.Keys), len(e.Keys)+e.Done, e.Err)
}

// Unwrap returns the cause.
func (e *BatchError) Unwrap() error { return e.Err }
