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
	if !db.enter() {
		return "", d1.ErrClosed
	}
	defer db.running.Done()
	id, err := db.id.get(ctx)
	if err != nil {
		return "", unsent(err)
	}
	call := cloudflare.Call{Path: db.path + "/" + url.PathEscape(id) + "/time_travel/bookmark", RetryIf: transientAnswer}
	if !at.IsZero() {
		call.Query = url.Values{"timestamp": {at.UTC().Format("2006-01-02T15:04:05.000Z")}}
	}
	var found struct {
		Bookmark d1.Bookmark `json:"bookmark"`
	}
	if _, err := db.client.Request(ctx, call, &found); err != nil {
		e := convert(err, false)
		if noTimeTravel(e) {
			return "", fmt.Errorf("%w: %w", errors.ErrUnsupported, e)
		}
		return "", e
	}
	if found.Bookmark.IsConstraint() {
		return "", errors.New("d1: the answer holds no bookmark")
	}
	return found.Bookmark, nil
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
