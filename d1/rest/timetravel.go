package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
)

var _ d1.TimeTraveler = (*DB)(nil)

// BookmarkAt returns the bookmark of the newest state at or before a time; the zero time
// means now. D1 keeps 30 days, 7 on a free plan. A server that has no bookmarks gives an
// error that is [errors.ErrUnsupported].
func (db *DB) BookmarkAt(ctx context.Context, at time.Time) (d1.Bookmark, error) {
	call := cloudflare.Call{Path: "/time_travel/bookmark", RetryIf: transientAnswer}
	if !at.IsZero() {
		call.Query = url.Values{"timestamp": {at.UTC().Format("2006-01-02T15:04:05.000Z")}}
	}
	var found struct {
		Bookmark d1.Bookmark `json:"bookmark"`
	}
	if err := db.travel(ctx, call, &found); err != nil {
		return "", err
	}
	if found.Bookmark.IsConstraint() {
		return "", errors.New("d1: the answer holds no bookmark")
	}
	return found.Bookmark, nil
}

// Restore puts the database back into a state of the last 30 days, 7 on a free plan, at
// most ten times in ten minutes. What runs meanwhile is cancelled. It is never sent twice
// when the first call may have succeeded.
func (db *DB) Restore(ctx context.Context, to d1.Bookmark) (d1.Restored, error) {
	if to.IsConstraint() || !to.Valid() {
		return d1.Restored{}, refused(-1, "a restore needs the bookmark of a state")
	}
	call := cloudflare.Call{Method: http.MethodPost, Path: "/time_travel/restore",
		Query: url.Values{"bookmark": {string(to)}}}
	var done struct {
		Bookmark d1.Bookmark `json:"bookmark"`
		Previous d1.Bookmark `json:"previous_bookmark"`
		Message  string      `json:"message"`
	}
	if err := db.travel(ctx, call, &done); err != nil {
		return d1.Restored{}, err
	}
	return d1.Restored(done), nil
}

// travel makes a call about the database's states; its path is that under the database.
func (db *DB) travel(ctx context.Context, call cloudflare.Call, result any) error {
	if !db.gate.Enter() {
		return d1.ErrClosed
	}
	defer db.gate.Leave()
	id, err := db.id.get(ctx)
	if err != nil {
		return unsent(err)
	}
	call.Path = db.path + "/" + url.PathEscape(id) + call.Path
	if _, err := db.client.Request(ctx, call, result); err != nil {
		e := convert(err, call.Method == http.MethodPost)
		if noTimeTravel(e) {
			return fmt.Errorf("%w: %w", errors.ErrUnsupported, e)
		}
		return e
	}
	return nil
}

// noTimeTravel recognises servers without bookmarks: those that do not know the path,
// and Skylite's while it has none.
func noTimeTravel(e *d1.Error) bool {
	switch e.HTTPStatus {
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	case http.StatusNotFound:
		return e.APICode != 7404 // the database is not there
	}
	return strings.HasSuffix(e.Message, "has no time travel.")
}
