// Package d1http carries a session's bookmark from one HTTP request to the next, so that
// a client reads what it has written, whichever replica answers:
//
//	handler = d1http.Sessions(db, d1http.Options{}, handler)
//
//	func handle(w http.ResponseWriter, r *http.Request) {
//		session := d1http.Session(r.Context())
//		err := session.First(r.Context(), "SELECT …").Scan(&name)
//
// A request brings the bookmark of the last answer in the header x-d1-bookmark, or in a
// cookie, and the answer takes the new one back. That is the convention of D1's
// documentation: developers.cloudflare.com/d1/best-practices/read-replication.
package d1http

import (
	"context"
	"errors"
	"net/http"

	"github.com/skylite-go/skylite/d1"
)

// DefaultHeader is the header that carries bookmarks.
const DefaultHeader = "X-D1-Bookmark"

// Options say how bookmarks travel. The zero value uses [DefaultHeader] and no cookie.
type Options struct {
	// Header is the header's name, in requests and in answers. Empty means
	// [DefaultHeader]. A handler of several databases gives each its own.
	Header string
	// Cookie is the name of a cookie that carries the bookmark too, for browsers, which
	// bring it back by themselves. Empty means none. A header goes before the cookie.
	Cookie string
	// Start is where the session of a request begins that brings no bookmark. Empty means
	// [d1.FirstUnconstrained].
	Start d1.Bookmark
}

type sessionKey struct{}

// Sessions returns a handler that gives each request a session of the database and then
// calls next. A header that is no bookmark is answered with status 400; a cookie that is
// none, which its user cannot help, counts for nothing.
//
// The bookmark is sent with the headers: what the session does after the first byte of
// the body is not told.
func Sessions(db *d1.DB, opts Options, next http.Handler) http.Handler {
	if opts.Header == "" {
		opts.Header = DefaultHeader
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := opts.Start
		if opts.Cookie != "" {
			if c, err := r.Cookie(opts.Cookie); err == nil && d1.Bookmark(c.Value).Valid() {
				start = d1.Bookmark(c.Value)
			}
		}
		if value := d1.Bookmark(r.Header.Get(opts.Header)); value != "" {
			if !value.Valid() {
				http.Error(w, "the header "+opts.Header+" holds no bookmark", http.StatusBadRequest)
				return
			}
			start = value
		}
		session := db.WithSession(start)
		answer := &responseWriter{ResponseWriter: w, opts: opts, session: session, secure: r.TLS != nil}
		next.ServeHTTP(answer, r.WithContext(context.WithValue(r.Context(), sessionKey{}, session)))
		answer.tell() // if nothing was written
	})
}

// Session returns the session that [Sessions] has given the request of a context. In a
// request that it has not seen every use of the session is an error that says so.
func Session(ctx context.Context) *d1.Session {
	if session, ok := ctx.Value(sessionKey{}).(*d1.Session); ok {
		return session
	}
	return d1.New(absent{}).WithSession("")
}

// absent is the database of a request without a session.
type absent struct{}

func (absent) Do(context.Context, d1.Request) (*d1.Results, error) {
	e := d1.NewError("the request has no session; wrap its handler with d1http.Sessions")
	e.Outcome, e.Err = d1.OutcomeUnsent, errors.New("no session")
	return nil, e
}

func (absent) Close() error { return nil }

// responseWriter tells the bookmark before the headers leave.
type responseWriter struct {
	http.ResponseWriter
	opts    Options
	session *d1.Session
	secure  bool
	told    bool
}

func (w *responseWriter) tell() {
	if w.told {
		return
	}
	w.told = true
	bookmark := string(w.session.Bookmark())
	if bookmark == "" {
		return
	}
	w.Header().Set(w.opts.Header, bookmark)
	if w.opts.Cookie != "" {
		http.SetCookie(w.ResponseWriter, &http.Cookie{
			Name: w.opts.Cookie, Value: bookmark, Path: "/",
			HttpOnly: true, Secure: w.secure, SameSite: http.SameSiteLaxMode,
		})
	}
}

func (w *responseWriter) WriteHeader(status int) {
	if status >= 200 {
		w.tell()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *responseWriter) Write(p []byte) (int, error) {
	w.tell()
	return w.ResponseWriter.Write(p)
}

// Flush implements [http.Flusher].
func (w *responseWriter) Flush() {
	w.tell()
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for [http.ResponseController].
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
