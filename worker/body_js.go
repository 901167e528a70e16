package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/skylite-go/skylite/internal/edge"
)

// requestBody reads a request's body as it arrives.
type requestBody struct {
	ctx   context.Context
	piece []byte
	err   error
}

func (b *requestBody) Read(p []byte) (int, error) {
	for len(b.piece) == 0 && b.err == nil && len(p) > 0 {
		piece, err := edge.Call(b.ctx, "read")
		switch {
		case err != nil:
			b.err = fmt.Errorf("worker: reading the request's body: %w", err)
		case piece.IsNull():
			b.err = io.EOF
		default:
			b.piece = edge.Bytes(piece)
		}
	}
	n := copy(p, b.piece)
	b.piece = b.piece[n:]
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, b.err
}

// Close ends the reading. The runtime sees to what is left.
func (b *requestBody) Close() error {
	b.piece = nil
	if b.err == nil {
		b.err = http.ErrBodyReadAfterClose
	}
	return nil
}

// maxHeld is how much of a response is held back, so that a small one goes in one piece.
const maxHeld = 32 << 10

// responseWriter sends a response to JavaScript.
type responseWriter struct {
	ctx       context.Context
	header    http.Header
	method    string
	status    int
	sent      http.Header // as they were when the status was written
	buf       []byte
	streaming bool
	err       error
}

var (
	_ http.ResponseWriter = (*responseWriter)(nil)
	_ http.Flusher        = (*responseWriter)(nil)
)

func (w *responseWriter) Header() http.Header { return w.header }

func (w *responseWriter) WriteHeader(status int) {
	if w.status != 0 || status < 200 { // there are no informational responses
		return
	}
	w.status, w.sent = status, w.header.Clone()
}

// bodyless reports whether the response has no body, whatever is written.
func (w *responseWriter) bodyless() bool {
	return w.method == http.MethodHead || w.status == http.StatusNoContent || w.status == http.StatusNotModified ||
		w.status == http.StatusResetContent
}

func (w *responseWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.err != nil {
		return 0, w.err
	}
	if w.bodyless() {
		if w.method != http.MethodHead {
			return 0, http.ErrBodyNotAllowed
		}
		return len(p), nil
	}
	w.sniff(p)
	w.buf = append(w.buf, p...)
	if len(w.buf) >= maxHeld {
		w.flush()
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// sniff sets the content type as net/http does.
func (w *responseWriter) sniff(p []byte) {
	if len(w.buf) > 0 || w.streaming || len(p) == 0 {
		return
	}
	if _, set := w.sent["Content-Type"]; !set && w.sent.Get("Content-Encoding") == "" {
		w.sent.Set("Content-Type", http.DetectContentType(p))
	}
}

// Flush sends what has been written.
func (w *responseWriter) Flush() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.bodyless() {
		w.flush()
	}
}

func (w *responseWriter) flush() {
	if !w.streaming && w.err == nil {
		w.streaming = true
		_, w.err = edge.Call(w.ctx, "stream", w.status, w.lines())
	}
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = edge.Call(w.ctx, "write", edge.Array(w.buf))
		w.buf = w.buf[:0]
	}
	if w.err != nil {
		w.err = fmt.Errorf("worker: writing the response: %w", w.err)
	}
}

// finish sends the rest.
func (w *responseWriter) finish() {
	switch {
	case w.streaming:
		w.flush()
		_, _ = edge.Call(w.ctx, "close")
	case w.status == 0:
		w.WriteHeader(http.StatusOK)
		fallthrough
	case len(w.buf) == 0:
		_, _ = edge.Call(w.ctx, "respond", w.status, w.lines(), nil)
	default:
		_, _ = edge.Call(w.ctx, "respond", w.status, w.lines(), edge.Array(w.buf))
	}
}

// abort ends a response whose handler has panicked: with status 500 if nothing was sent.
func (w *responseWriter) abort() {
	if w.streaming {
		_, _ = edge.Call(w.ctx, "abort", "the handler has failed")
		return
	}
	w.header, w.buf, w.status, w.err = make(http.Header), nil, 0, nil
	http.Error(w, "Internal Server Error", http.StatusInternalServerError)
	w.finish()
}

// errLine says that a header cannot be sent.
var errLine = errors.New("a header has a line break in it")

// lines writes the headers as name, value, name, value… What no header may have is left
// out.
func (w *responseWriter) lines() string {
	var lines []string
	for name, values := range w.sent {
		for _, value := range values {
			if strings.ContainsAny(name+value, "\r\n\x00") {
				report(errLine)
				continue
			}
			lines = append(lines, name, strings.TrimSpace(value))
		}
	}
	return strings.Join(slices.Clip(lines), "\n")
}
