package d1

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/skylite-go/skylite/internal/sqlitecode"
)

// ErrNoRows is what reading one row returns where there is none. It is
// [sql.ErrNoRows].
var ErrNoRows = sql.ErrNoRows

// ErrClosed is what a closed DB or Backend returns.
var ErrClosed = errors.New("d1: database is closed")

// Outcome says what is known of a request that failed.
type Outcome uint8

const (
	// OutcomeRefused means that the request had no effect, although it may have been
	// run: the database answered with an error, or the request only reads.
	OutcomeRefused Outcome = iota
	// OutcomeUnsent means that the request surely never ran.
	OutcomeUnsent
	// OutcomeUnknown means that the request may have run to its end, or not at all.
	OutcomeUnknown
)

// Error is an error of a database, with everything that the database said. It is
// the same for every place; fields that a place does not know are left at their
// zero values.
type Error struct {
	// Message is D1's text, such as
	// "UNIQUE constraint failed: t.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)".
	Message string
	// APICode is the code of Cloudflare's API, such as 7500 for an SQL error.
	APICode int
	// Code is SQLite's primary result code, such as 19 for a constraint; 0 if the
	// error is none of SQLite's. See sqlite.org/rescode.html.
	Code int
	// ExtendedCode is SQLite's extended result code, such as 2067 for a UNIQUE
	// constraint; equal to Code where SQLite has no finer one.
	ExtendedCode int
	// Offset is the position in bytes of the token at fault in the statement's
	// text, or -1.
	Offset int
	// Statement is the index of the statement at fault in its request, or -1.
	Statement int
	// HTTPStatus is the status of the answer, or 0.
	HTTPStatus int
	// RayID identifies the request to Cloudflare's support, or is empty.
	RayID string
	// Outcome says whether the request may have run.
	Outcome Outcome
	// Transient says that the same request may well succeed later.
	Transient bool
	// Err is the cause, or nil. It is left out of JSON, which not every error can become.
	Err error `json:"-"`
}

// NewError returns the Error of a text in D1's form, with the codes and the
// offset that the text names. Statement is -1 and everything else zero.
func NewError(message string) *Error {
	_, offset, extended := sqlitecode.Parse(message)
	return &Error{
		Message: message, Code: sqlitecode.Primary(extended), ExtendedCode: extended,
		Offset: offset, Statement: -1, Transient: transientText(message),
	}
}

// Error returns the message with the place it concerns, for people.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("d1: ")
	if e.Statement > 0 {
		fmt.Fprintf(&b, "statement %d: ", e.Statement+1)
	}
	b.WriteString(e.Message)
	if e.APICode != 0 {
		fmt.Fprintf(&b, " [code %d]", e.APICode)
	}
	if e.RayID != "" {
		fmt.Fprintf(&b, " [ray %s]", e.RayID)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether running the same request again is safe and may
// succeed: the fault is a passing one, and nothing of the request took effect.
func Retryable(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Transient && e.Outcome != OutcomeUnknown && !cancelled(err)
}

// Unsent reports whether the request surely never ran, because it was refused
// before it left or never reached the database.
func Unsent(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Outcome == OutcomeUnsent
}

// Ambiguous reports whether a request that writes may have taken effect all the
// same. Whether it did must be found out by reading.
func Ambiguous(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Outcome == OutcomeUnknown
}

func cancelled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// transientTexts are parts of the texts that D1's documentation tells clients to
// try again after; developers.cloudflare.com/d1/observability/debug-d1.
var transientTexts = []string{
	"Network connection lost",
	"Cannot resolve D1 DB due to transient issue",
	"Can't read from request stream because client disconnected",
	"reset because its code was updated",
	"caused object to be reset",
	"exceeded its memory limit and was reset",
	"D1 DB is overloaded",
	"exceeded its CPU time limit and was reset",
}

func transientText(message string) bool {
	for _, text := range transientTexts {
		if strings.Contains(message, text) {
			return true
		}
	}
	return false
}
