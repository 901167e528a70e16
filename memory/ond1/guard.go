package ond1

import (
	"encoding/hex"
	"errors"
	"regexp"
	"strings"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/memory"
)

// A guard is a statement that fails, and its batch with it, if something is not as it
// must be: json_extract with a path that is none raises an error which repeats the path.

const guardMark = "skylite-memory:"

// raise is an expression that raises a guard's error, about the id that an expression is.
func raise(what, id string) string {
	return "json_extract('{}', '" + guardMark + what + ":' || hex(" + id + ") || '#')"
}

var guardForm = regexp.MustCompile(guardMark + `([a-z-]+):([0-9A-F]*)#`)

// translate returns the error that a database's error stands for.
func translate(err error) error {
	e, ok := errors.AsType[*d1.Error](err)
	if !ok {
		return err
	}
	match := guardForm.FindStringSubmatch(e.Message)
	if match == nil || !strings.Contains(e.Message, "bad JSON path") {
		return err
	}
	id, decodeErr := hex.DecodeString(match[2])
	if decodeErr != nil {
		return err
	}
	switch match[1] {
	case "no-thread":
		return memory.NotFound("thread", string(id))
	case "is-thread":
		return memory.Exists("thread", string(id))
	case "conflict":
		return errConflict
	case "chunked":
		return errChunked
	}
	return err
}
