package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/gate"
	"github.com/skylite-go/skylite/internal/inline"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// DB is one database over the REST API. It is safe for concurrent use.
type DB struct {
	client *cloudflare.Client
	owned  bool
	id     resolver
	path   string // of the account's databases
	parsed sqltext.Cache

	gate gate.Gate
}

var _ d1.Backend = (*DB)(nil)

// Open returns the database that the Config names. Nothing is sent before the
// first request.
func Open(cfg Config) (*DB, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	client, err := cfg.client()
	if err != nil {
		return nil, err
	}
	db := &DB{client: client, owned: cfg.Client == nil, path: databasesPath(cfg.AccountID)}
	db.id = resolver{name: cfg.DatabaseName, fixed: cfg.DatabaseID, look: func(ctx context.Context, name string) (string, error) {
		return lookUp(ctx, client, db.path, name)
	}}
	return db, nil
}

func databasesPath(account string) string {
	return "/accounts/" + url.PathEscape(account) + "/d1/database"
}

// Do sends the request as one POST. See [d1.Backend]. The Results of a request
// that only reads stream from the connection: read them before the context ends.
func (db *DB) Do(ctx context.Context, req d1.Request) (*d1.Results, error) {
	if !db.gate.Enter() {
		return nil, &d1.Error{Message: "database is closed", Offset: -1, Statement: -1,
			Outcome: d1.OutcomeUnsent, Err: d1.ErrClosed}
	}
	defer db.gate.Leave()
	plan, err := db.plan(req)
	if err != nil {
		return nil, err
	}
	id, err := db.id.get(ctx)
	if err != nil {
		return nil, unsent(plan.failure(fmt.Errorf("looking up the database: %w", err)))
	}
	plan.call.Path = db.path + "/" + url.PathEscape(id) + "/raw"
	resp, err := db.client.Stream(ctx, plan.call)
	if err != nil {
		if cloudflare.StatusIs(err, http.StatusNotFound) {
			db.id.forget(id)
		}
		return nil, plan.failure(err)
	}
	if plan.call.Class == cloudflare.ClassWrite {
		return db.committed(plan, resp)
	}
	return d1.NewResults(newCursor(plan, db.client, resp)), nil
}

// committed reads the whole answer to a request that writes, for only its end
// says that all went well, and Do must not return before that is known.
func (db *DB) committed(plan *plan, resp *http.Response) (*d1.Results, error) {
	body, err := readAll(resp)
	if err != nil {
		return nil, plan.failure(db.client.BodyError(plan.call, fmt.Errorf("reading the answer: %w", err)))
	}
	// Skipping over rows leaves the body as it is, so it can be read again.
	resp.Body = http.NoBody
	check := newCursor(plan, db.client, resp)
	check.in = reader{buf: body, w: len(body)}
	for check.NextResult() {
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	c := newCursor(plan, db.client, resp)
	c.in = reader{buf: body, w: len(body)}
	return d1.NewResults(c), nil
}

func readAll(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	var b bytes.Buffer
	if n := resp.ContentLength; n > 0 && n < 1<<20 {
		b.Grow(int(n) + bytes.MinRead)
	}
	_, err := io.Copy(&b, resp.Body)
	return b.Bytes(), err
}

// Close waits until no call of Do is under way. Results that are still being
// read can be read to their end.
func (db *DB) Close() error {
	db.gate.Close()
	if db.owned {
		db.client.Close()
	}
	return nil
}

// plan is a request as it is sent.
type plan struct {
	call       cloudflare.Call
	statements []inline.Statement
}

func (db *DB) plan(req d1.Request) (*plan, error) {
	if !req.Bookmark.IsConstraint() {
		return nil, refused(-1, "the REST API has no sessions, so a read as fresh as a bookmark cannot be asked for; "+
			"use a bridge (d1+bridge://…), or begin the session with first-primary")
	}
	if len(req.Statements) == 0 {
		return nil, refused(-1, "No SQL statements detected.")
	}
	p := &plan{statements: make([]inline.Statement, len(req.Statements)), call: cloudflare.Call{
		Method: http.MethodPost, Class: cloudflare.ClassRead, RetryIf: transientAnswer}}
	for i, s := range req.Statements {
		parsed, err := db.parsed.Parse(s.SQL)
		if err != nil {
			return nil, parseError(i, err)
		}
		if !parsed.Repeatable() {
			p.call.Class = cloudflare.ClassWrite
		}
		if p.statements[i], err = inline.Integers(parsed, s.Args); err != nil {
			return nil, atStatement(i, err)
		}
	}
	body, err := encode(p.statements)
	if err != nil {
		return nil, err
	}
	p.call.Body = body
	return p, nil
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
