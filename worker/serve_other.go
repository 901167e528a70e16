//go:build !js

package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/skylite-go/skylite/internal/edge"
)

// Serve serves the Worker's requests with a handler. It does not return, unless the
// program does not run in a Worker.
//
// Bodies stream in both directions. A response that is complete when the handler
// returns, and small, is sent in one piece. The request's RemoteAddr is the address that
// Cloudflare saw. The connection cannot be hijacked, and there are no trailers.
func Serve(http.Handler) error { return fmt.Errorf("worker: %w", edge.ErrOutside) }

// WaitUntil runs f after the handler has returned, with a context that lives on, and
// keeps the Worker alive for it: for 30 s at most, says Cloudflare.
func WaitUntil(context.Context, func(ctx context.Context)) error {
	return fmt.Errorf("worker: %w", edge.ErrOutside)
}

// CF returns what Cloudflare says of a request, such as the country it comes from, as
// JSON, or nil. See developers.cloudflare.com/workers/runtime-apis/request.
func CF(context.Context) json.RawMessage { return nil }
