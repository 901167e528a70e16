package memory

import (
	"errors"
	"fmt"
	"io/fs"
)

var (
	// ErrNotFound means that a thread, or what is remembered of a resource, does not exist.
	// The errors that are it are also an [fs.ErrNotExist].
	ErrNotFound = errors.New("not found")
	// ErrExists means that the thread which was to be made exists. The errors that are it
	// are also an [fs.ErrExist].
	ErrExists = errors.New("already exists")
	// ErrInvalid means that an argument is wrong. Nothing was sent.
	ErrInvalid = errors.New("invalid argument")
)

// Error is an error about one thing in a store.
type Error struct {
	// Kind is thread, message or resource.
	Kind string
	// ID names it.
	ID string
	// Err is [ErrNotFound] or [ErrExists].
	Err error
}

// Error says what is not there, or is.
func (e *Error) Error() string { return fmt.Sprintf("memory: %s %q %v", e.Kind, e.ID, e.Err) }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Is makes the error one of io/fs, too.
func (e *Error) Is(target error) bool {
	return target == fs.ErrNotExist && e.Err == ErrNotFound || target == fs.ErrExist && e.Err == ErrExists
}

// NotFound returns the error of something that does not exist.
func NotFound(kind, id string) error { return &Error{Kind: kind, ID: id, Err: ErrNotFound} }

// Exists returns the error of something that exists.
func Exists(kind, id string) error { return &Error{Kind: kind, ID: id, Err: ErrExists} }

// TooLargeError reports a message, or something else, that is longer than a place stores.
// Nothing was stored.
type TooLargeError struct {
	// What is what is too long, such as `message "m1"`.
	What string
	// Bytes is its length, and Limit the most that there may be.
	Bytes, Limit int
	// Hint says what can be done about it, if anything.
	Hint string
}

// Error says what is too long, and by how much.
func (e *TooLargeError) Error() string {
	text := fmt.Sprintf("memory: %s has %d bytes, over the limit of %d", e.What, e.Bytes, e.Limit)
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// invalid is an [ErrInvalid] with a text.
type invalid string

func (e invalid) Error() string { return "memory: " + string(e) }

func (e invalid) Unwrap() error { return ErrInvalid }

// Invalidf returns an error that is [ErrInvalid].
func Invalidf(format string, args ...any) error { return invalid(fmt.Sprintf(format, args...)) }
