package rest

import (
	"errors"
	"net/http"
	"strings"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/inline"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// plan is a request as it is sent.
type plan struct {
	call       cloudflare.Call
	statements []inline.Statement
	elements   []byte  // the statements as they stand in a batch, a part of the call's body
	lane       *lane   // where the request may wait for others, or nil
	habits     *habits // may be nil
}

func (db *DB) plan(req d1.Request) (*plan, error) {
	if !req.Bookmark.IsConstraint() {
		return nil, refused(-1, "the REST API has no sessions, so a read as fresh as a bookmark cannot be asked for; "+
			"use a bridge (d1+bridge://…), or begin the session with first-primary")
	}
	if len(req.Statements) == 0 {
		return nil, refused(-1, "No SQL statements detected.")
	}
	p := &plan{statements: make([]inline.Statement, len(req.Statements)), habits: &db.habits, call: cloudflare.Call{
		Method: http.MethodPost, Class: cloudflare.ClassRead, RetryIf: transientAnswer}}
	shares := db.grouping != GroupNone && len(req.Statements) <= maxShare
	for i, s := range req.Statements {
		parsed, err := db.parsed.Parse(s.SQL)
		if err != nil {
			return nil, parseError(i, err)
		}
		if !parsed.Repeatable() {
			p.call.Class = cloudflare.ClassWrite
		}
		shares = shares && shareable(parsed) && !db.habits.apart(parsed.Text)
		if p.statements[i], err = inline.Integers(parsed, s.Args); err != nil {
			return nil, atStatement(i, err)
		}
	}
	body, elements, err := encode(p.statements)
	if err != nil {
		return nil, err
	}
	p.call.Body, p.elements = body, elements
	if shares && len(elements) <= maxShareBytes {
		p.lane = db.lane(p, req.Bookmark)
	}
	return p, nil
}

// shareable reports whether a statement may stand between those of others. Pragmas may
// not, since they hold for the rest of the batch, and EXPLAIN may hide one. A semicolon
// may not, wherever it is: should the service take it for the end of a statement, it would
// answer with more results than there are statements.
func shareable(s sqltext.Statement) bool {
	return (s.Kind == sqltext.Read || s.Kind == sqltext.Write) && !s.Explain && !strings.Contains(s.Text, ";")
}

// lane returns where a request that may share a POST waits. Writes of several statements
// are not shared: they may be those of a transaction, which fail on purpose.
func (db *DB) lane(p *plan, at d1.Bookmark) *lane {
	freshness := 0
	if at == d1.FirstUnconstrained {
		freshness = 1
	}
	switch {
	case p.call.Class == cloudflare.ClassRead:
		return &db.lanes[0][freshness]
	case db.grouping == GroupAll && len(p.statements) == 1:
		return &db.lanes[1][freshness]
	}
	return nil
}

func parseError(i int, err error) error {
	message := err.Error()
	if errors.Is(err, sqltext.ErrNone) {
		message = "SQL code did not contain a statement."
	}
	e := refused(i, message)
	e.Err = err
	return e
}
