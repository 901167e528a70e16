// Package wire is the protocol of D1's own binding, which the binding inside a Worker,
// the bridge and the development server share: statements go as
//
//	[{"sql":"SELECT ?","params":["a"]},…]
//
// and come back as
//
//	[{"success":true,"results":{"columns":["?"],"rows":[["a"]]},"meta":{…}},…]
//
// or as {"success":false,"error":"…"}. Numbers among the params are REAL to D1, so
// integers are written into the SQL (package inline); a blob is an array of bytes.
package wire

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/inline"
	"github.com/skylite-go/skylite/internal/jsjson"
	"github.com/skylite-go/skylite/internal/sqlitecode"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// Headers of the protocol over HTTP.
const (
	// BookmarkHeader carries the bookmark or constraint of a request, and the bookmark
	// of its answer.
	BookmarkHeader = "X-D1-Bookmark"
	// ExactHeader is "1" on an answer whose numbers are exact: one without a fraction
	// and an exponent is an INTEGER with all its digits, and every other a REAL.
	ExactHeader = "X-D1-Exact"
)

// Request is a request as it is sent.
type Request struct {
	// Body is the statements.
	Body []byte
	// Writes says that a statement may write, so the request must not run twice.
	Writes bool

	statements []inline.Statement
}

// Encode makes a request ready to be sent. Its errors are those of a request that was
// never sent.
func Encode(parsed *sqltext.Cache, req d1.Request) (*Request, error) {
	if len(req.Statements) == 0 {
		return nil, Unsent("No SQL statements detected.", nil)
	}
	r := &Request{statements: make([]inline.Statement, len(req.Statements))}
	r.Body = append(r.Body, '[')
	for i, s := range req.Statements {
		p, err := parsed.Parse(s.SQL)
		if err == nil {
			r.Writes = r.Writes || !readOnly(p)
			r.statements[i], err = inline.Integers(p, s.Args)
		}
		if err == nil {
			if i > 0 {
				r.Body = append(r.Body, ',')
			}
			err = r.appendStatement(&r.statements[i])
		}
		if err != nil {
			return nil, atStatement(i, err)
		}
	}
	r.Body = append(r.Body, ']')
	return r, nil
}

// Unsent is the error of a request that was never sent.
func Unsent(message string, cause error) *d1.Error {
	e := d1.NewError(message)
	e.Outcome, e.Err = d1.OutcomeUnsent, cause
	return e
}

func atStatement(i int, err error) error {
	e, ok := errors.AsType[*d1.Error](err)
	if !ok {
		message := err.Error()
		if errors.Is(err, sqltext.ErrNone) {
			message = "SQL code did not contain a statement."
		}
		e = Unsent(message, err)
	}
	e.Statement = i
	return e
}

// readOnly says whether a statement may run twice: no function that D1 allows writes,
// and a pragma may only with a value.
func readOnly(s sqltext.Statement) bool {
	switch s.Kind {
	case sqltext.Read:
		return true
	case sqltext.Pragma:
		for t := range sqltext.Tokens(s.Text) {
			if t.Kind == sqltext.TokenOperator {
				return false
			}
		}
		return true
	}
	return false
}

func (r *Request) appendStatement(s *inline.Statement) error {
	if !utf8.ValidString(s.SQL) {
		return Unsent("the SQL text is not valid UTF-8", nil)
	}
	r.Body = jsjson.AppendString(append(r.Body, `{"sql":`...), s.SQL)
	r.Body = append(r.Body, `,"params":[`...)
	for i, arg := range s.Args {
		if i > 0 {
			r.Body = append(r.Body, ',')
		}
		if err := r.appendArg(arg); err != nil {
			return Unsent(fmt.Sprintf("argument %d: %v", i+1, err), err)
		}
	}
	r.Body = append(r.Body, "]}"...)
	return nil
}

func (r *Request) appendArg(arg any) error {
	switch arg := arg.(type) {
	case nil:
		r.Body = append(r.Body, "null"...)
	case string:
		if !utf8.ValidString(arg) {
			return errors.New("the string is not valid UTF-8; pass it as []byte to store a BLOB")
		}
		r.Body = jsjson.AppendString(r.Body, arg)
	case float64:
		if math.IsNaN(arg) || math.IsInf(arg, 0) {
			return fmt.Errorf("D1 cannot carry %v; use NULL or a text for it", arg)
		}
		r.Body = strconv.AppendFloat(r.Body, arg, 'g', -1, 64)
	case []byte:
		r.Body = jsjson.AppendBlob(r.Body, arg)
	case int64: // only where no literal may stand, and SQLite takes no parameter either
		r.Body = strconv.AppendInt(r.Body, arg, 10)
	default:
		return fmt.Errorf("unsupported type %T; use a d1.DB, which converts it", arg)
	}
	return nil
}

// Refusal is the error of a request that D1 answered with an error.
func (r *Request) Refusal(message string) *d1.Error {
	message = strings.TrimPrefix(message, "D1_ERROR: ")
	if strings.HasPrefix(message, "internal error") { // which says nothing of what has happened
		return r.Broken(message, nil)
	}
	e := d1.NewError(message)
	if r.Writes && e.Transient && e.Code == 0 {
		e.Outcome = d1.OutcomeUnknown
		// Of these two alone it is known that the request never began.
		if strings.Contains(message, "D1 DB is overloaded") || strings.Contains(message, "Cannot resolve D1 DB") {
			e.Outcome = d1.OutcomeUnsent
		}
	}
	r.locate(e)
	return e
}

// Broken is the error of a request that was sent and has no proper answer.
func (r *Request) Broken(message string, cause error) *d1.Error {
	e := d1.NewError(message)
	e.Err = cause
	if r.Writes {
		e.Outcome = d1.OutcomeUnknown
	}
	return e
}

// locate fills in the statement at fault and maps the offset back to the caller's text.
// D1 does not say which statement of several it means.
func (r *Request) locate(e *d1.Error) {
	if len(r.statements) == 1 && e.Code != 0 {
		e.Statement = 0
	}
	if e.Offset < 0 {
		return
	}
	if s := &r.statements[0]; len(r.statements) == 1 && s.Edited() {
		e.Offset = s.Original(e.Offset)
		e.Message = withOffset(e.Message, e.Offset)
		return
	}
	for i := range r.statements {
		if len(r.statements) > 1 && r.statements[i].Edited() {
			e.Offset = -1 // it may be one in a text that the caller never wrote
			e.Message = withOffset(e.Message, -1)
			return
		}
	}
}

func withOffset(text string, offset int) string {
	message, _, code := sqlitecode.Parse(text)
	if code == 0 {
		return text
	}
	return sqlitecode.Format(message, offset, code)
}
