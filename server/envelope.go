package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/internal/catalog"
	"github.com/skylite-go/skylite/internal/jsjson"
	"github.com/skylite-go/skylite/internal/sqlitecode"
)

// Codes of the API's errors.
const (
	codeToken        = 1000
	codeHeaders      = 6003
	codeBearer       = 6111
	codeKey          = 6103
	codeNoRoute      = 7000
	codeMethod       = 7001
	codeRoute        = 7003
	codeMalformed    = 7400
	codeAccount      = 7403
	codeNotFound     = 7404
	codeLimit        = 7406
	codeOverload     = 7429
	codeSQL          = 7500
	codeExists       = 7502
	codeNoAuth       = 9106
	codeAccess       = 9109
	codeUnauthorized = 10000
)

// message is an element of an envelope's errors.
type message struct {
	Code    int
	Message string
	Chain   []message // error_chain
}

// apiError is an answer that says that a request failed.
type apiError struct {
	status   int
	messages []message
}

func fail(status, code int, text string) *apiError {
	return &apiError{status: status, messages: []message{{Code: code, Message: text}}}
}

func (e *apiError) Error() string {
	return strconv.Itoa(e.status) + " " + strconv.Itoa(e.messages[0].Code) + " " + e.messages[0].Message
}

func malformed(detail string) *apiError {
	return fail(http.StatusBadRequest, codeMalformed, "The request is malformed: "+detail)
}

func invalidProperty(path, detail string) *apiError {
	return fail(http.StatusBadRequest, codeMalformed, "Invalid property: "+path+" => "+detail)
}

func noDatabase(id string) *apiError {
	return fail(http.StatusNotFound, codeNotFound, "The database "+id+" could not be found")
}

// D1's texts of overload. Clients look for them, and try again.
const (
	queuedTooLong = "D1 DB is overloaded. Requests queued for too long."
	tooMany       = "D1 DB is overloaded. Too many requests queued."
)

// databaseError turns an error of a backend or of the catalog into an answer. What it
// does not know is logged and told to nobody.
func (s *Server) databaseError(ctx context.Context, id string, err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		return noDatabase(id)
	case errors.Is(err, catalog.ErrBusy):
		return fail(http.StatusTooManyRequests, codeOverload, tooMany)
	case errors.Is(err, d1.ErrClosed), errors.Is(err, catalog.ErrClosed):
		return s.internal(ctx, err)
	}
	e, ok := errors.AsType[*d1.Error](err)
	switch {
	case !ok:
		return s.internal(ctx, err)
	case e.Code == sqlitecode.Busy || strings.HasPrefix(e.Message, queuedTooLong):
		return fail(http.StatusTooManyRequests, codeOverload, queuedTooLong)
	case strings.HasPrefix(e.Message, tooMany) || overran(e.Message):
		return fail(http.StatusTooManyRequests, codeOverload, e.Message)
	case machineFault[e.Code]:
		// Still a 400: clients repeat a 500 many times, and it would not help.
		s.cfg.Logger.ErrorContext(ctx, "the database's file is at fault", "ray", rayOf(ctx), "database", id, "error", err)
	}
	text := e.Message
	if errors.Is(err, embedded.ErrTooLarge) {
		text = strings.Replace(text, fullText, "Exceeded maximum DB size", 1)
	}
	return fail(http.StatusBadRequest, codeSQL, text)
}

// fullText is the runtime's text for a database that has reached its size limit, for
// which the service has its own, and for a full disk.
const fullText = "database or disk is full: SQLITE_FULL"

// machineFault are SQLite's codes of faults that are not the statement's: READONLY,
// IOERR, CORRUPT, CANTOPEN and NOTADB.
var machineFault = map[int]bool{8: true, 10: true, 11: true, 14: true, sqlitecode.NotADB: true}

// overran reports whether a text says that statements took too long.
func overran(text string) bool {
	return strings.HasPrefix(text, "D1 DB storage operation exceeded timeout") ||
		strings.HasPrefix(text, "D1 DB exceeded its CPU time limit")
}

// internal logs a fault of ours and returns what clients may know of it.
func (s *Server) internal(ctx context.Context, err error) *apiError {
	if !errors.Is(err, context.Canceled) { // a client that left
		s.cfg.Logger.ErrorContext(ctx, "request failed", "ray", rayOf(ctx), "error", err)
	}
	return fail(http.StatusInternalServerError, codeSQL, "internal error; the server's log says more under ray "+rayOf(ctx))
}

// writeError writes an error's envelope.
func writeError(w http.ResponseWriter, e *apiError) {
	if e.status == http.StatusTooManyRequests && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "1")
	}
	body := []byte(`{"result":null,"success":false,"errors":`)
	body = appendJSON(body, e.messages)
	writeBody(w, e.status, append(body, `,"messages":[]}`...))
}

// info is result_info of a list.
type info struct {
	Count      int   `json:"count"`
	Page       int64 `json:"page"`
	PerPage    int64 `json:"per_page"`
	TotalCount int64 `json:"total_count"`
}

// writeResult writes the envelope of something that succeeded; of is the information
// on a list, or nil.
func writeResult(w http.ResponseWriter, result any, of *info) {
	body := appendJSON([]byte(`{"result":`), result)
	if of != nil {
		body = appendJSON(append(body, `,"result_info":`...), of)
	}
	writeBody(w, http.StatusOK, append(body, `,"success":true,"errors":[],"messages":[]}`...))
}

// writeStatus is writeResult with another status of success.
func writeStatus(w http.ResponseWriter, status int, result any) {
	body := appendJSON([]byte(`{"result":`), result)
	writeBody(w, status, append(body, `,"success":true,"errors":[],"messages":[]}`...))
}

// appendJSON appends a value as JavaScript would write it, without the escapes that
// are for HTML.
func appendJSON(dst []byte, v any) []byte {
	switch v := v.(type) {
	case json.RawMessage:
		return append(dst, v...)
	case string:
		return jsjson.AppendString(dst, v)
	case []message:
		return appendMessages(dst, v)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return append(dst, "null"...) // only our own types come here, and they encode
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

func appendMessages(dst []byte, messages []message) []byte {
	dst = append(dst, '[')
	for i, m := range messages {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(dst, `{"code":`...), int64(m.Code), 10)
		dst = jsjson.AppendString(append(dst, `,"message":`...), m.Message)
		if len(m.Chain) > 0 {
			dst = appendMessages(append(dst, `,"error_chain":`...), m.Chain)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone needs no answer
}
