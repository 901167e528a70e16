package ond1

import (
	"errors"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/kv"
)

// convert makes an error of the database one of the namespace. Others, and those that are
// already, are returned as they are.
func convert(op, key string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*kv.Error](err); ok {
		return err
	}
	e := &kv.Error{Op: op, Key: key, Err: err}
	if cause, ok := errors.AsType[*d1.Error](err); ok {
		e.Message, e.Status, e.Code, e.RayID = cause.Message, cause.HTTPStatus, cause.APICode, cause.RayID
		e.Transient = cause.Transient
		switch cause.Outcome {
		case d1.OutcomeUnsent:
			e.Outcome = kv.OutcomeUnsent
		case d1.OutcomeUnknown:
			e.Outcome = kv.OutcomeUnknown
		}
	}
	return e
}
