package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/kv"
)

// usageError is a mistake in the command line.
type usageError struct {
	text string
	hint string
	cmd  *cobra.Command // nil in an action, which sets it
}

func (e *usageError) Error() string { return e.text }

func usage(cmd *cobra.Command, format string, args ...any) *usageError {
	return &usageError{text: fmt.Sprintf(format, args...), cmd: cmd}
}

// hintedError is an error with advice.
type hintedError struct {
	error
	hint string
}

func (e *hintedError) Unwrap() error { return e.error }

// codedError is an error with an exit code of its own, or, without an error, an outcome that
// has been told already.
type codedError struct {
	error
	code int
}

func (e *codedError) Unwrap() error { return e.error }

func withHint(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &hintedError{error: err, hint: hint}
}

// report tells of an error, if there is one, and returns the exit code.
func (a *app) report(ctx context.Context, cmd *cobra.Command, err error) int {
	if err == nil {
		return exitOK
	}
	code := exitFailure
	if coded, ok := errors.AsType[*codedError](err); ok {
		if code, err = coded.code, coded.error; err == nil {
			return a.flushed(ctx, cmd, code)
		}
	}
	text, hint := describe(err), hintOf(err)
	var use *usageError
	if errors.As(err, &use) || !a.started {
		code = exitUsage
		if hint == "" {
			hint = "try '" + cmd.CommandPath() + " --help'"
		}
	}
	if !errors.As(err, &use) && ctx.Err() != nil {
		text, hint = "interrupted", ""
		if d1.Ambiguous(err) || kv.Ambiguous(err) || cloudflare.Ambiguous(err) {
			text = "interrupted; what was under way may have taken effect or not"
		}
	}
	a.out.Drop()
	if jsonAsked(cmd) && !a.out.wrote {
		a.printJSONError(err, text, hint)
	}
	fmt.Fprintf(a.stderr, "skylite: error: %s\n", text)
	if hint != "" {
		fmt.Fprintf(a.stderr, "skylite: hint: %s\n", hint)
	}
	return code
}

// flushed ends a command whose outcome is on the output.
func (a *app) flushed(ctx context.Context, cmd *cobra.Command, code int) int {
	if err := a.out.Flush(); err != nil {
		return a.report(ctx, cmd, err)
	}
	return code
}

func jsonAsked(cmd *cobra.Command) bool {
	asked, err := cmd.Flags().GetBool("json")
	return err == nil && asked
}

// note is advice in wrangler's form of an error.
type note struct {
	Text string `json:"text"`
}

// printJSONError writes an error to standard output in the form of wrangler's.
func (a *app) printJSONError(err error, text, hint string) {
	var body struct {
		Error struct {
			Text  string `json:"text"`
			Notes []note `json:"notes,omitempty"`
			Kind  string `json:"kind"`
			Code  int    `json:"code,omitempty"`
		} `json:"error"`
	}
	body.Error.Text, body.Error.Kind = text, "error"
	if hint != "" {
		body.Error.Notes = []note{{hint}}
	}
	if e, ok := errors.AsType[*d1.Error](err); ok {
		body.Error.Code = e.APICode
		atStatement := e.Code != 0 || e.Statement >= 0
		if e.APICode == 0 && atStatement && !e.Transient && !d1.Ambiguous(e) {
			body.Error.Code = codeSQL // which a database on this machine does not say itself
		}
	}
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body)
	_ = a.out.Flush()
}

// describe returns an error's text for people: without the names of packages that stand
// before it. Within the text the same letters may be somebody's table.
func describe(err error) string {
	text := err.Error()
	for _, prefix := range []string{"d1: ", "kv: ", "cloudflare: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}

// hintOf returns what can be done about an error, or "".
func hintOf(err error) string {
	var use *usageError
	var hinted *hintedError
	switch {
	case errors.As(err, &use):
		return use.hint
	case errors.As(err, &hinted):
		return hinted.hint
	case strings.Contains(err.Error(), "no credentials"):
		return "make a token at https://dash.cloudflare.com/profile/api-tokens with the permissions D1 Edit and " +
			"Workers KV Storage Edit, and set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing answers there; if it should be a local server, start it with 'skylite dev'"
	}
	if e, ok := errors.AsType[*d1.Error](err); ok {
		return hintOfAnswer(e)
	}
	if e, ok := errors.AsType[*kv.Error](err); ok {
		return hintOfKV(e)
	}
	return ""
}

// hintOfKV returns what can be done about an answer of KV's API.
func hintOfKV(e *kv.Error) string {
	switch {
	case e.Status == http.StatusUnauthorized:
		return "check CLOUDFLARE_API_TOKEN: it may be wrong or revoked, or lack the permission Workers KV Storage Edit"
	case e.Status == http.StatusForbidden:
		return "check CLOUDFLARE_ACCOUNT_ID: the token must belong to that account"
	case kv.Ambiguous(e):
		return "it may have been done or not; doing it again does no harm"
	}
	return ""
}

// hintOfAnswer returns what can be done about an answer of the API.
func hintOfAnswer(e *d1.Error) string {
	switch {
	case e.HTTPStatus == http.StatusUnauthorized:
		return "check CLOUDFLARE_API_TOKEN: it may be wrong or revoked, or lack the permission D1 Edit"
	case e.HTTPStatus == http.StatusForbidden:
		return "check CLOUDFLARE_ACCOUNT_ID: the token must belong to that account"
	case e.HTTPStatus == http.StatusRequestEntityTooLarge:
		return "split the SQL into several files; each is then a transaction of its own"
	case d1.Ambiguous(e):
		return "it may have taken effect or not: look before you run it again"
	}
	return ""
}
