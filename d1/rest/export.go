package rest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
)

var _ d1.Exporter = (*DB)(nil)

type exportBody struct {
	Format   string      `json:"output_format"`
	Options  dumpOptions `json:"dump_options"`
	Bookmark d1.Bookmark `json:"current_bookmark,omitempty"`
}

type dumpOptions struct {
	NoSchema bool     `json:"no_schema"`
	NoData   bool     `json:"no_data"`
	Tables   []string `json:"tables"`
}

// Export implements [d1.Exporter]. D1 answers nobody else while it writes the export. The
// file is fetched from the address that D1 names, without credentials.
//
// What D1 itself writes loses some things; docs/export-import.md says which.
func (db *DB) Export(ctx context.Context, w io.Writer, opts d1.ExportOptions) (at d1.Bookmark, err error) {
	body := exportBody{Format: "polling", Options: dumpOptions{
		NoSchema: opts.NoSchema, NoData: opts.NoData, Tables: append([]string{}, opts.Tables...),
	}}
	err = db.withID(ctx, func(id string) error {
		p := db.poller(id, "export", opts.Progress)
		answer, err := p.call(ctx, body, cloudflare.ClassRead) // another export does no harm
		if err == nil {
			at = answer.Bookmark
			answer, err = p.finish(ctx, answer, func(at d1.Bookmark) any {
				body.Bookmark = at
				return body
			})
		}
		if err != nil {
			return err
		}
		if text := answer.failure(); text != "" {
			return d1.NewError(text)
		}
		if answer.Result.SignedURL == "" {
			return d1.NewError("the answer to the export names no address to fetch it from")
		}
		return db.fetch(ctx, answer.Result.SignedURL, w)
	})
	return at, err
}

// fetch copies the file at an address, and begins again while nothing has come of it.
func (db *DB) fetch(ctx context.Context, address string, w io.Writer) error {
	const what = "fetch the export"
	for try := 1; ; try++ {
		n, err := db.fetchOnce(ctx, address, w)
		if err == nil || n > 0 || try == foreignTries || !d1.Retryable(err) || ctx.Err() != nil {
			return err
		}
		if err := db.client.Wait(ctx, time.Second); err != nil {
			return foreignError(what, err)
		}
	}
}

func (db *DB) fetchOnce(ctx context.Context, address string, w io.Writer) (n int64, err error) {
	const what = "fetch the export"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, d1.NewError(what + ": the address that the service gave is malformed")
	}
	resp, err := db.client.Foreign(req)
	if err != nil {
		return 0, foreignError(what, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, statusError(what, resp)
	}
	to := &countingWriter{w: w}
	if _, err := io.Copy(to, resp.Body); err != nil {
		if to.err != nil {
			return to.n, fmt.Errorf("write the export: %w", to.err)
		}
		return to.n, foreignError(fmt.Sprintf("%s: it broke off after %d bytes", what, to.n), err)
	}
	return to.n, nil
}

// countingWriter knows how much was written, and whose fault an error is.
type countingWriter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.err = err
	return n, err
}
