package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/catalog"
)

// bookmark answers which state a database was in at a time, or is in now.
func (s *Server) bookmark(c *call) *apiError {
	return s.travel(c, func(h *catalog.Handle) (any, error) {
		bookmark, err := bookmarkOf(c.Context(), h, c.URL.Query().Get("timestamp"))
		return rawJSON(appendObject([]member{{"bookmark", string(bookmark)}})), err
	})
}

// restore puts a database back into a state. Cloudflare allows ten restores in ten
// minutes; here there is no such limit.
func (s *Server) restore(c *call) *apiError {
	query := c.URL.Query()
	to, timestamp := d1.Bookmark(query.Get("bookmark")), query.Get("timestamp")
	if (to == "") == (timestamp == "") {
		return malformed("a restore needs either a bookmark or a timestamp")
	}
	return s.travel(c, func(h *catalog.Handle) (_ any, err error) {
		if timestamp != "" {
			if to, err = bookmarkOf(c.Context(), h, timestamp); err != nil {
				return nil, err
			}
		}
		done, err := h.Restore(c.Context(), to)
		return rawJSON(appendObject([]member{
			{"bookmark", string(done.Bookmark)}, {"previous_bookmark", string(done.Previous)}, {"message", done.Message},
		})), err
	})
}

// bookmarkOf returns the bookmark of a time; an empty one is now.
func bookmarkOf(ctx context.Context, h *catalog.Handle, timestamp string) (d1.Bookmark, error) {
	var at time.Time
	if timestamp != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, timestamp); err != nil || at.IsZero() {
			return "", invalidProperty("timestamp", "Expected a time in the form of RFC 3339, such as 2026-10-05T04:12:09Z")
		}
	}
	return h.BookmarkAt(ctx, at)
}

// travel makes a call about a database's states and answers it.
func (s *Server) travel(c *call, run func(h *catalog.Handle) (any, error)) *apiError {
	db, apiErr := s.find(c, false)
	if apiErr != nil {
		return apiErr
	}
	h, err := s.catalog.Open(c.Context(), db.ID)
	if err != nil {
		return s.databaseError(c.Context(), db.ID, err)
	}
	defer h.Close()
	result, err := run(h)
	if err != nil {
		return s.travelError(c.Context(), db.ID, err)
	}
	writeResult(c.w, result, nil)
	return nil
}

// travelError is the answer to a call about states that cannot be done.
func (s *Server) travelError(ctx context.Context, id string, err error) *apiError {
	if errors.Is(err, errors.ErrUnsupported) {
		return fail(http.StatusBadRequest, codeMalformed, "This database has no time travel.")
	}
	if e, ok := errors.AsType[*d1.Error](err); ok && e.Code == 0 && d1.Unsent(err) && !errors.Is(err, d1.ErrClosed) {
		return malformed(e.Message)
	}
	return s.databaseError(ctx, id, err)
}
