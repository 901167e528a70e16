package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall/js"

	"github.com/skylite-go/skylite/internal/edge"
)

func init() {
	for name, value := range edge.Strings() {
		_ = os.Setenv(name, value) // a name that none can have is not wanted
	}
}

// Serve serves the Worker's requests with a handler. It does not return, unless the
// program does not run in a Worker.
//
// Bodies stream in both directions. A response that is complete when the handler
// returns, and small, is sent in one piece. The request's RemoteAddr is the address that
// Cloudflare saw. The connection cannot be hijacked, and there are no trailers.
func Serve(handler http.Handler) error {
	err := edge.Handle(func(i edge.Invocation, args []js.Value) {
		in := incoming{
			invocation: i, method: args[0].String(), url: args[1].String(),
			headers: args[2].String(), hasBody: args[3].Bool(),
		}
		if args[4].Type() == js.TypeString {
			in.cf = json.RawMessage(args[4].String())
		}
		go in.serve(handler)
	})
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	select {}
}

// incoming is a request as JavaScript tells of it.
type incoming struct {
	invocation           edge.Invocation
	method, url, headers string
	hasBody              bool
	cf                   json.RawMessage
}

type cfKey struct{}

// CF returns what Cloudflare says of a request, such as the country it comes from, as
// JSON, or nil. See developers.cloudflare.com/workers/runtime-apis/request.
func CF(ctx context.Context) json.RawMessage {
	cf, _ := ctx.Value(cfKey{}).(json.RawMessage)
	return cf
}

// WaitUntil runs f after the handler has returned, with a context that lives on, and
// keeps the Worker alive for it: for 30 s at most, says Cloudflare.
func WaitUntil(ctx context.Context, f func(ctx context.Context)) error {
	if _, ok := edge.Of(ctx); !ok {
		return fmt.Errorf("worker: the context belongs to no request")
	}
	ctx = context.WithoutCancel(ctx)
	if _, err := edge.Call(ctx, "hold"); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	go func() {
		defer release(ctx)
		defer func() {
			if fault := recover(); fault != nil {
				report(fault)
			}
		}()
		f(ctx)
	}()
	return nil
}

func release(ctx context.Context) { _, _ = edge.Call(ctx, "release") }

// report logs a panic.
func report(fault any) {
	js.Global().Get("console").Call("error", fmt.Sprintf("panic: %v\n%s", fault, debug.Stack()))
}

// serve answers one request.
func (in *incoming) serve(handler http.Handler) {
	lasting := edge.With(context.WithValue(context.Background(), cfKey{}, in.cf), in.invocation)
	defer release(lasting)
	ctx, cancel := context.WithCancel(lasting)
	defer cancel()
	w := &responseWriter{ctx: lasting, header: make(http.Header), method: in.method}
	r, err := in.request(ctx)
	if err != nil {
		http.Error(w, "Bad Request", http.StatusBadRequest)
		w.finish()
		return
	}
	defer func() {
		if fault := recover(); fault != nil {
			if fault != http.ErrAbortHandler {
				report(fault)
			}
			w.abort()
			return
		}
		w.finish()
	}()
	handler.ServeHTTP(w, r)
}

func (in *incoming) request(ctx context.Context) (*http.Request, error) {
	u, err := url.Parse(in.url)
	if err != nil {
		return nil, err
	}
	r := (&http.Request{
		Method: in.method, Host: u.Host, RequestURI: u.RequestURI(),
		URL:   &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header), Body: http.NoBody,
	}).WithContext(ctx)
	lines := strings.Split(in.headers, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		r.Header.Add(lines[i], lines[i+1])
	}
	r.Header.Del("Host")
	if ip := r.Header.Get("Cf-Connecting-Ip"); ip != "" {
		r.RemoteAddr = net.JoinHostPort(ip, "0")
	}
	if in.hasBody {
		r.Body, r.ContentLength = &requestBody{ctx: ctx}, -1
		if n, err := strconv.ParseInt(r.Header.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
			r.ContentLength = n
		}
	}
	return r, nil
}
