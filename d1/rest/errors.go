package rest

import (
	"errors"
	"strings"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqlitecode"
)

// refused is an error of a request that was never sent.
func refused(statement int, message string) *d1.Error {
	e := d1.NewError(message)
	e.Statement, e.Outcome = statement, d1.OutcomeUnsent
	return e
}

func atStatement(i int, err error) error {
	if e, ok := errors.AsType[*d1.Error](err); ok {
		e.Statement = i
	}
	return err
}

// unsent marks the error of a call that came before the request's own.
func unsent(err error) error {
	if e, ok := errors.AsType[*d1.Error](err); ok {
		e.Outcome = d1.OutcomeUnsent
	}
	return err
}

// transientAnswer recognises D1's own texts for passing troubles, which come
// with a status that says nothing of the kind.
func transientAnswer(e *cloudflare.APIError) bool {
	return d1.NewError(e.Message()).Transient
}

// failure returns the *d1.Error of a request that failed.
func (p *plan) failure(err error) error {
	e := convert(err, p.call.Class == cloudflare.ClassWrite)
	p.locate(e)
	if e.Code != 0 {
		for i := range p.statements {
			p.learn(i, true)
		}
	}
	return e
}

// convert returns the *d1.Error of a call's error.
func convert(err error, writes bool) *d1.Error {
	api, ok := errors.AsType[*cloudflare.APIError](err)
	if !ok {
		return &d1.Error{Message: strings.TrimPrefix(err.Error(), "cloudflare: "), Offset: -1, Statement: -1,
			Outcome: outcome(err), Transient: cloudflare.Transient(err), Err: err}
	}
	e := d1.NewError(api.Message())
	if codes := api.Codes(); len(codes) > 0 {
		e.APICode = codes[0]
	}
	e.HTTPStatus, e.RayID, e.Err = api.HTTPStatus, api.RayID, err
	e.Outcome = outcome(err)
	switch {
	case e.Code != 0 && !e.Transient:
		// SQLite itself has answered, whatever the status: nothing was written.
		e.Outcome = d1.OutcomeRefused
		return e
	case e.Transient && writes && e.Outcome == d1.OutcomeRefused:
		e.Outcome = transientOutcome(e.Message)
	}
	e.Transient = e.Transient || cloudflare.Transient(err)
	return e
}

func outcome(err error) d1.Outcome {
	switch cloudflare.OutcomeOf(err) {
	case cloudflare.OutcomeUnsent:
		return d1.OutcomeUnsent
	case cloudflare.OutcomeUnknown:
		return d1.OutcomeUnknown
	}
	return d1.OutcomeRefused
}

// transientOutcome says what a passing trouble of D1 means for a write. Only
// two of the texts are of requests that never began.
func transientOutcome(message string) d1.Outcome {
	if strings.Contains(message, "D1 DB is overloaded") || strings.Contains(message, "Cannot resolve D1 DB") {
		return d1.OutcomeUnsent
	}
	return d1.OutcomeUnknown
}

// locate fills in the statement at fault and maps the offset back. D1 does not
// say which statement of several it means.
func (p *plan) locate(e *d1.Error) {
	if len(p.statements) == 1 && e.Code != 0 {
		e.Statement = 0
	}
	if e.Offset < 0 {
		return
	}
	if len(p.statements) == 1 {
		s := &p.statements[0]
		if s.Edited() {
			e.Offset = s.Original(e.Offset)
			e.Message = sqlitecode.Relocate(e.Message, e.Offset)
		}
		return
	}
	for i := range p.statements {
		if p.statements[i].Edited() {
			// The offset may be one in a text that the caller never wrote.
			e.Offset = -1
			e.Message = sqlitecode.Relocate(e.Message, -1)
			return
		}
	}
}
