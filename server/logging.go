package server

import (
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// LogRequests returns a handler that logs every request that h answers: its method,
// path and ray, and the answer's status and duration. Query strings, headers, bodies, KV's
// keys and the names of uploads, which may be secrets, are not logged. A status of 0 is an answer that was
// cut off before it began.
func LogRequests(h http.Handler, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !logger.Enabled(r.Context(), slog.LevelInfo) {
			h.ServeHTTP(w, r)
			return
		}
		began := time.Now()
		seen := &statusWriter{ResponseWriter: w}
		defer func() {
			logger.LogAttrs(r.Context(), slog.LevelInfo, "request",
				slog.String("method", r.Method),
				slog.String("path", loggedPath(r.URL.EscapedPath())),
				slog.Int("status", seen.status),
				slog.Float64("ms", float64(time.Since(began).Microseconds())/1000),
				slog.String("ray", w.Header().Get("Cf-Ray")))
		}()
		h.ServeHTTP(seen, r)
	})
}

// loggedPath is a path without what may be a secret: a key of KV may be a session's, and the
// name of an upload lets who knows it send the file.
func loggedPath(path string) string {
	for _, before := range []string{"/values/", "/metadata/", "/import/"} {
		if i := strings.Index(path, before); i >= 0 && len(path) > i+len(before) {
			return path[:i+len(before)] + "…"
		}
	}
	return path
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
