package server

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"
)

type rayKey struct{}

// rayOf returns the identifier of the request that a context belongs to.
func rayOf(ctx context.Context) string {
	ray, _ := ctx.Value(rayKey{}).(string)
	return ray
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ray := s.cfg.RayID() + "-" + s.cfg.Colo
	w.Header().Set("Cf-Ray", ray)
	r = r.WithContext(context.WithValue(r.Context(), rayKey{}, ray))
	tracked := s.newClientWriter(w, r)
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		if fault == http.ErrAbortHandler {
			panic(fault)
		}
		apiErr := s.internal(r.Context(), fmt.Errorf("panic: %v\n%s", fault, debug.Stack()))
		if tracked.wrote {
			panic(http.ErrAbortHandler)
		}
		writeError(w, apiErr)
	}()
	if err := s.serve(tracked, r); err != nil {
		writeError(tracked, err)
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) *apiError {
	if err := s.checkSite(r); err != nil {
		return err
	}
	if s.shareWith(w, r) {
		return nil
	}
	path := apiPath(r.URL.EscapedPath())
	if !isSigned(r.Method, path) {
		if err := s.authenticate(r, path); err != nil {
			return err
		}
		if s.simulator != nil {
			if err := s.simulator.before(w, r, path); err != nil {
				return err
			}
		}
	}
	return s.dispatch(w, r, path)
}

// newClientWriter sets the times that the client has. The deadlines of a connection
// outlive a request, so all are set anew. There is none while a query runs.
func (s *Server) newClientWriter(w http.ResponseWriter, r *http.Request) *clientWriter {
	tracked := &clientWriter{ResponseWriter: w, control: http.NewResponseController(w), timeout: s.cfg.WriteTimeout}
	_ = tracked.control.SetWriteDeadline(time.Time{})
	if r.ContentLength != 0 && s.cfg.ReadTimeout > 0 {
		_ = tracked.control.SetReadDeadline(time.Now().Add(s.cfg.ReadTimeout))
	}
	return tracked
}
