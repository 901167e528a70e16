package d1

import (
	"context"
	"time"
)

// TimeTraveler is a [Backend] that can name the states that its database was in.
type TimeTraveler interface {
	// BookmarkAt returns the bookmark of the newest state at or before a time; the
	// zero time means now. A database that has no bookmarks after all, as an old one or
	// one on a server without them, is an error that is [errors.ErrUnsupported].
	BookmarkAt(ctx context.Context, at time.Time) (Bookmark, error)
}
