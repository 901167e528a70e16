package binding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"syscall/js"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/edge"
	"github.com/skylite-go/skylite/internal/sqltext"
	"github.com/skylite-go/skylite/internal/wire"
)

// DB is a database behind a binding. It is safe for concurrent use.
type DB struct {
	binding js.Value
	parsed  sqltext.Cache

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

var _ d1.Backend = (*DB)(nil)

// Open returns the database that a Worker has under a name.
func Open(name string) (d1.Backend, error) {
	v, err := edge.Binding(name, "D1")
	if err != nil {
		return nil, fmt.Errorf("d1: %w", err)
	}
	return &DB{binding: v}, nil
}

// Do implements [d1.Backend].
func (db *DB) Do(ctx context.Context, req d1.Request) (*d1.Results, error) {
	if err := ctx.Err(); err != nil {
		return nil, wire.Unsent("the request was given up: "+err.Error(), err)
	}
	if !db.enter() {
		return nil, wire.Unsent("database is closed", d1.ErrClosed)
	}
	defer db.running.Done()
	r, err := wire.Encode(&db.parsed, req)
	if err != nil {
		return nil, err
	}
	v, err := edge.Call(ctx, "d1", db.binding, string(req.Bookmark), edge.Array(r.Body))
	if err != nil {
		if _, begun := errors.AsType[*edge.Begun](err); begun {
			return nil, r.Broken("the request was given up: "+err.Error(), err)
		}
		return nil, wire.Unsent(err.Error(), err)
	}
	body := edge.Bytes(v.Get("bytes"))
	switch status := v.Get("status").Int(); status {
	case 200:
		return r.Results(wire.Answer{Body: body, Bookmark: d1.Bookmark(v.Get("bookmark").String())})
	case 400:
		return nil, r.Refusal(reason(body))
	default:
		return nil, r.Broken(reason(body), nil)
	}
}

func reason(body []byte) string {
	var e struct{ Error string }
	if json.Unmarshal(body, &e) != nil || e.Error == "" {
		return "the binding has failed, and does not say why"
	}
	return e.Error
}

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
	return nil
}
