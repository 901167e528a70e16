package bridge

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
	"github.com/skylite-go/skylite/internal/wire"
)

// DB is one database behind a bridge. It is safe for concurrent use.
type DB struct {
	client *cloudflare.Client
	path   string
	parsed sqltext.Cache

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

var _ d1.Backend = (*DB)(nil)

// Open returns the database that the Config names. Nothing is sent before the first
// request.
func Open(cfg Config) (*DB, error) {
	client, err := cfg.client()
	if err != nil {
		return nil, err
	}
	return &DB{client: client, path: "/bridge/" + url.PathEscape(cmp.Or(cfg.Database, DefaultDatabase))}, nil
}

// Do sends the request as one POST. See [d1.Backend].
func (db *DB) Do(ctx context.Context, req d1.Request) (*d1.Results, error) {
	if !db.enter() {
		return nil, wire.Unsent("database is closed", d1.ErrClosed)
	}
	defer db.running.Done()
	r, err := wire.Encode(&db.parsed, req)
	if err != nil {
		return nil, err
	}
	call := cloudflare.Call{Method: http.MethodPost, Path: db.path, Body: r.Body, Class: cloudflare.ClassRead,
		RetryIf: func(e *cloudflare.APIError) bool { return d1.NewError(e.Message()).Transient }}
	if r.Writes {
		call.Class = cloudflare.ClassWrite
	}
	if req.Bookmark != "" {
		call.Query = url.Values{"bookmark": {string(req.Bookmark)}}
	}
	resp, err := db.client.Stream(ctx, call)
	if err != nil {
		return nil, failure(r, err)
	}
	body, err := readAll(resp)
	if err != nil {
		return nil, failure(r, db.client.BodyError(call, fmt.Errorf("reading the answer: %w", err)))
	}
	results, err := r.Results(wire.Answer{
		Body: body, Bookmark: d1.Bookmark(resp.Header.Get(wire.BookmarkHeader)), Exact: resp.Header.Get(wire.ExactHeader) == "1",
	})
	if e, ok := errors.AsType[*d1.Error](err); ok {
		e.HTTPStatus, e.RayID = resp.StatusCode, resp.Header.Get("Cf-Ray")
		if e.Outcome == d1.OutcomeRefused { // D1's own word, in an answer that is none
			e.APICode = sqlCode
		}
	}
	return results, err
}

// maxAnswer bounds what is read into memory. A Worker has half of it.
const maxAnswer = 256 << 20

func readAll(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	var b bytes.Buffer
	if n := resp.ContentLength; n > 0 && n < 1<<20 {
		b.Grow(int(n) + bytes.MinRead)
	}
	n, err := io.Copy(&b, io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && n > maxAnswer {
		err = fmt.Errorf("it has more than %d bytes", maxAnswer)
	}
	return b.Bytes(), err
}

// failure returns the *d1.Error of a request that failed.
func failure(r *wire.Request, err error) *d1.Error {
	api, answered := errors.AsType[*cloudflare.APIError](err)
	if answered && api.HTTPStatus == http.StatusBadRequest && api.HasCode(sqlCode) {
		e := r.Refusal(api.Message())
		e.APICode, e.HTTPStatus, e.RayID, e.Err = sqlCode, api.HTTPStatus, api.RayID, err
		return e
	}
	e := &d1.Error{Message: strings.TrimPrefix(err.Error(), "cloudflare: "), Offset: -1, Statement: -1, Err: err,
		Transient: cloudflare.Transient(err)}
	if answered {
		if codes := api.Codes(); len(codes) > 0 {
			e.APICode = codes[0]
		}
		e.Message, e.HTTPStatus, e.RayID = api.Message(), api.HTTPStatus, api.RayID
	}
	switch cloudflare.OutcomeOf(err) {
	case cloudflare.OutcomeUnsent:
		e.Outcome = d1.OutcomeUnsent
	case cloudflare.OutcomeUnknown:
		e.Outcome = d1.OutcomeUnknown
	default:
		// Whatever status is below 500 comes from before the statements run.
		if answered && api.HTTPStatus < 500 {
			e.Outcome = d1.OutcomeUnsent
		}
	}
	return e
}

// sqlCode is the code of an error that D1 has answered with.
const sqlCode = 7500

func (db *DB) enter() bool {
	db.mu.Lock()
	defer db.mu.Unlock()
	if !db.closed {
		db.running.Add(1)
	}
	return !db.closed
}

// Close waits until no call of Do is under way.
func (db *DB) Close() error {
	db.mu.Lock()
	db.closed = true
	db.mu.Unlock()
	db.running.Wait()
	db.client.Close()
	return nil
}
