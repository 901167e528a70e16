package d1

import (
	"context"
	"time"
)

// TimeTraveler is a [Backend] that can name the states that its database was in, and go
// back to them. See developers.cloudflare.com/d1/reference/time-travel.
type TimeTraveler interface {
	// BookmarkAt returns the bookmark of the newest state at or before a time; the
	// zero time means now. A database that has no bookmarks after all, as an old one or
	// one on a server without them, is an error that is [errors.ErrUnsupported]. A time
	// before the states that are kept is an error, and so is one to come.
	BookmarkAt(ctx context.Context, at time.Time) (Bookmark, error)

	// Restore puts the database back, as a whole, into the state that a bookmark
	// names. That is a new state after all others: those that were written since the
	// bookmark stay in the past, and can be restored to. On an error nothing has
	// changed, unless the error is [Ambiguous].
	Restore(ctx context.Context, to Bookmark) (Restored, error)
}

// Restored is what a restore has done.
type Restored struct {
	// Bookmark names the state after the restore.
	Bookmark Bookmark
	// Previous names the state before it: restoring to it undoes the restore.
	Previous Bookmark
	// Message is what the service said of it.
	Message string
}
