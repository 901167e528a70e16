package server

import (
	"errors"
	"net/http"
	"time"

	"github.com/skylite-go/skylite/d1"
)

// answer is an encoder whose text goes to a client.
type answer struct {
	*encoder
	w    http.ResponseWriter
	ran  func(i int, rows int64, meta d1.Meta) // is told of each statement
	sent bool                                  // something has been written, so the status is 200
	err  error                                 // the client is gone
}

// stream writes the envelope of results. An error before anything has been sent is
// returned; after that the connection is cut, which clients cannot mistake for the end.
func (s *Server) stream(c *call, results *d1.Results, raw bool, ran func(i int, rows int64, meta d1.Meta)) *apiError {
	e := newEncoder(raw)
	defer e.free()
	a := &answer{encoder: e, w: c.w, ran: ran}
	err := a.results(results)
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	switch {
	case a.err != nil:
		s.cfg.Logger.InfoContext(c.Context(), "the client left in the middle of an answer", "ray", rayOf(c.Context()))
		panic(http.ErrAbortHandler)
	case err != nil && a.sent:
		s.cfg.Logger.WarnContext(c.Context(), "cut an answer short", "ray", rayOf(c.Context()), "sqlite", codeOf(err))
		panic(http.ErrAbortHandler)
	case err != nil:
		return s.databaseError(c.Context(), c.database, err)
	}
	a.finish()
	return nil
}

// codeOf returns SQLite's code of an error, or 0. Its text may hold values, which are
// not for the log.
func codeOf(err error) int {
	if e, ok := errors.AsType[*d1.Error](err); ok {
		return e.ExtendedCode
	}
	return 0
}

func (a *answer) results(results *d1.Results) error {
	a.buf = append(a.buf, `{"result":[`...)
	for n := 0; results.NextResult(); n++ {
		if n > 0 {
			a.buf = append(a.buf, ',')
		}
		a.begin(results.Columns())
		rows := int64(0)
		for ; results.Next(); rows++ {
			if rows > 0 {
				a.buf = append(a.buf, ',')
			}
			a.row(results.Row())
			if a.flush(); a.err != nil {
				return a.err
			}
		}
		if err := results.Err(); err != nil {
			return err
		}
		a.ran(n, rows, results.Meta())
		a.end(results.Meta())
		if a.flush(); a.err != nil {
			return a.err
		}
	}
	return results.Err()
}

// flush writes the buffer if there is enough in it.
func (a *answer) flush() {
	if len(a.buf) < flushBytes || !a.sent && len(a.buf) < holdBytes {
		return
	}
	if !a.sent {
		a.sent = true
		a.w.Header().Set("Content-Type", "application/json")
		a.w.WriteHeader(http.StatusOK)
	}
	_, a.err = a.w.Write(a.buf)
	a.buf = a.buf[:0]
}

// finish writes what is left.
func (a *answer) finish() {
	a.buf = append(a.buf, `],"success":true,"errors":[],"messages":[]}`...)
	if !a.sent {
		writeBody(a.w, http.StatusOK, a.buf)
		return
	}
	if _, err := a.w.Write(a.buf); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// clientWriter gives the client a time for every piece of an answer, and knows whether
// the answer has begun.
type clientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	wrote   bool
}

func (w *clientWriter) WriteHeader(status int) {
	w.wrote = true
	w.ResponseWriter.WriteHeader(status)
}

// Write writes in pieces, so that a slow client has the same time for each and a stuck
// one is noticed.
func (w *clientWriter) Write(p []byte) (n int, err error) {
	w.wrote = true
	for first := true; err == nil && (first || len(p) > 0); first = false {
		if w.timeout > 0 {
			// Not every writer has deadlines; those that have none are no network.
			_ = w.control.SetWriteDeadline(time.Now().Add(w.timeout))
		}
		piece := p[:min(len(p), flushBytes)]
		var wrote int
		wrote, err = w.ResponseWriter.Write(piece)
		n += wrote
		p = p[len(piece):]
	}
	return n, err
}

// Unwrap is for [http.ResponseController].
func (w *clientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
