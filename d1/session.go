package d1

import (
	"context"
	"sync"
)

// Session runs requests that are sequentially consistent: each sees at least
// what the requests before it saw or wrote, whichever replica answers it. It is
// safe for concurrent use, but requests that run at the same time are not
// ordered among themselves. It needs no closing.
//
// Over Cloudflare's REST API there are no sessions: everything reads from the
// primary, which is consistent too, and Bookmark stays empty.
type Session struct {
	queries
	db *DB

	mu       sync.Mutex
	bookmark Bookmark
}

// Bookmark returns the newest state that the session has seen, to begin another
// session with. It is "" until D1 has named one, and never goes back.
func (s *Session) Bookmark() Bookmark {
	if b := s.state(); !b.IsConstraint() {
		return b
	}
	return ""
}

// Do runs a request in the session; its Bookmark is the session's. See [DB.Do].
func (s *Session) Do(ctx context.Context, req Request) (*Results, error) {
	req.Bookmark = s.state()
	results, err := s.db.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	results.cursor = &sessionCursor{Cursor: results.cursor, session: s}
	return results, nil
}

func (s *Session) state() Bookmark {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bookmark
}

func (s *Session) advance(b Bookmark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !b.IsConstraint() && (s.bookmark.IsConstraint() || s.bookmark < b) {
		s.bookmark = b
	}
}

// sessionCursor tells the session which state an answer came from.
type sessionCursor struct {
	Cursor
	session *Session
}

func (c *sessionCursor) Close() error {
	c.session.advance(c.Cursor.Bookmark())
	return c.Cursor.Close()
}
