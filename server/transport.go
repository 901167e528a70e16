package server

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// Transport returns a RoundTripper that hands requests to the server without a
// network, for programs that use the API's client on their own data. Answers are
// streamed. The host of a request's URL does not matter; its credentials do, as for
// everybody. A body must be closed, and closing it early ends the request.
func (s *Server) Transport() http.RoundTripper { return &transport{handler: s} }

type transport struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	in := req.Clone(ctx)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	// What a handler expects of a request that came over a network.
	in.Host, in.RemoteAddr, in.RequestURI = "localhost", "127.0.0.1:0", req.URL.RequestURI()
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	body, out := io.Pipe()
	w := &pipeWriter{out: out, header: http.Header{}, began: make(chan struct{}), head: req.Method == http.MethodHead}
	stop := context.AfterFunc(ctx, func() { _ = out.CloseWithError(context.Cause(ctx)) })
	go func() {
		defer stop()
		defer in.Body.Close()
		w.finish(runHandler(t.handler, w, in))
	}()
	select {
	case <-w.began:
		if w.status == 0 {
			cancel()
			return nil, io.ErrUnexpectedEOF
		}
	case <-ctx.Done():
		cancel()
		return nil, context.Cause(ctx)
	}
	return w.response(req, &cancelBody{ReadCloser: body, cancel: cancel}), nil
}

// runHandler runs a handler and reports whether it ended the answer properly.
func runHandler(h http.Handler, w http.ResponseWriter, r *http.Request) (whole bool) {
	defer func() {
		if fault := recover(); fault != nil && fault != http.ErrAbortHandler {
			panic(fault)
		}
	}()
	h.ServeHTTP(w, r)
	return true
}

// pipeWriter is the handler's end of an answer.
type pipeWriter struct {
	out    *io.PipeWriter
	header http.Header
	once   sync.Once
	head   bool          // nobody wants the body
	began  chan struct{} // closed when status and sent are set
	status int           // 0 if the answer ended before it began
	sent   http.Header
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status = status
		w.sent = w.header.Clone()
		close(w.began)
	})
}

func (w *pipeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.head {
		return len(p), nil
	}
	return w.out.Write(p)
}

// finish ends the answer; one that is not whole ends with an error, as a connection
// that was cut does.
func (w *pipeWriter) finish(whole bool) {
	if !whole {
		w.WriteHeader(0)
		_ = w.out.CloseWithError(io.ErrUnexpectedEOF)
		return
	}
	w.WriteHeader(http.StatusOK)
	_ = w.out.Close()
}

func (w *pipeWriter) response(req *http.Request, body io.ReadCloser) *http.Response {
	length := int64(-1)
	if n, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64); err == nil {
		length = n
	}
	return &http.Response{
		Status:     strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: body, ContentLength: length, Request: req,
	}
}

// cancelBody ends the request when the answer is closed.
type cancelBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *cancelBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel()
	return err
}
