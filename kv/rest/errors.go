package rest

import (
	"errors"
	"net/http"
	"strings"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/kv"
)

// codeNoKey is the service's code for a key that does not exist. A 404 with another code is
// a wrong namespace or account, and no miss.
const codeNoKey = 10009

// convert makes an error of the client one of the namespace.
func convert(op, key string, err error) error {
	if err == nil {
		return nil
	}
	e := &kv.Error{Op: op, Key: key, Err: err, Transient: cloudflare.Transient(err)}
	switch {
	case cloudflare.Unsent(err):
		e.Outcome = kv.OutcomeUnsent
	case cloudflare.Ambiguous(err):
		e.Outcome = kv.OutcomeUnknown
	}
	if api, ok := errors.AsType[*cloudflare.APIError](err); ok {
		e.Status, e.RayID, e.Message = api.HTTPStatus, api.RayID, textOf(api)
		if codes := api.Codes(); len(codes) > 0 {
			e.Code = codes[0]
		}
		if api.HTTPStatus == http.StatusNotFound && api.HasCode(codeNoKey) {
			e.Err, e.Message = kv.ErrNotFound, ""
		}
	}
	return e
}

// textOf returns the service's text without the name of the operation around it, which is
// "put: 'text'".
func textOf(e *cloudflare.APIError) string {
	text := e.Message()
	if _, inner, ok := strings.Cut(text, ": '"); ok && strings.HasSuffix(inner, "'") {
		return strings.TrimSuffix(inner, "'")
	}
	return text
}
