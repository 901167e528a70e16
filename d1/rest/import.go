package rest

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
)

var _ d1.Importer = (*DB)(nil)

type importBody struct {
	Action   string      `json:"action"`
	ETag     string      `json:"etag,omitempty"`
	Filename string      `json:"filename,omitempty"`
	Bookmark d1.Bookmark `json:"current_bookmark,omitempty"`
}

// Import implements [d1.Importer]. The script is read twice: for its checksum, and to
// send it. D1 answers nobody else while it imports, and takes 5 GB at most. If the context
// ends while D1 imports, that goes on.
func (db *DB) Import(ctx context.Context, script io.ReadSeeker, opts d1.ImportOptions) (done d1.Imported, err error) {
	etag, size, err := checksum(script)
	if err != nil {
		return done, err
	}
	if size == 0 {
		return done, refused(-1, "No SQL statements detected.")
	}
	err = db.withID(ctx, func(id string) error {
		p := db.poller(id, "import", opts.Progress)
		answer, err := p.begin(ctx, script, etag, size)
		if err != nil {
			return err
		}
		answer, err = p.finish(ctx, answer, func(at d1.Bookmark) any { return importBody{Action: "poll", Bookmark: at} })
		if err != nil {
			return lost(err)
		}
		if done, err = imported(answer); err != nil {
			return err
		}
		return nil
	})
	return done, err
}

func checksum(script io.ReadSeeker) (etag string, size int64, err error) {
	sum := md5.New()
	if _, err = script.Seek(0, io.SeekStart); err == nil {
		size, err = io.Copy(sum, script)
	}
	if err != nil {
		e := refused(-1, "read the script: "+err.Error())
		e.Err = err
		return "", 0, e
	}
	return hex.EncodeToString(sum.Sum(nil)), size, nil
}

// begin sends the script, unless the service has it, and starts its import.
func (p *poller) begin(ctx context.Context, script io.ReadSeeker, etag string, size int64) (*polled, error) {
	// It is no read: a service that has the script already starts with it at once.
	answer, err := p.call(ctx, importBody{Action: "init", ETag: etag}, cloudflare.ClassWrite)
	if err != nil || answer.UploadURL == "" {
		return answer, err
	}
	if err := p.db.send(ctx, answer.UploadURL, script, etag, size); err != nil {
		return nil, err
	}
	return p.call(ctx, importBody{Action: "ingest", ETag: etag, Filename: answer.Filename}, cloudflare.ClassWrite)
}

// send sends the script to an address, a few times if need be: it does nothing there
// before its import is started.
func (db *DB) send(ctx context.Context, address string, script io.ReadSeeker, etag string, size int64) error {
	for try := 1; ; try++ {
		err := db.sendOnce(ctx, address, script, etag, size)
		if err == nil || try == foreignTries || !d1.Retryable(err) || ctx.Err() != nil {
			return err
		}
		if err := db.client.Wait(ctx, time.Second); err != nil {
			return foreignError("send the script", err)
		}
	}
}

func (db *DB) sendOnce(ctx context.Context, address string, script io.ReadSeeker, etag string, size int64) error {
	const what = "send the script"
	if _, err := script.Seek(0, io.SeekStart); err != nil {
		return refused(-1, "read the script: "+err.Error())
	}
	body := &lentBody{Reader: script, closed: make(chan struct{})}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, address, body)
	if err != nil {
		return refused(-1, what+": the address that the service gave is malformed")
	}
	req.ContentLength = size
	resp, err := db.client.Foreign(req)
	defer func() { <-body.closed }() // the script is the caller's again
	if err != nil {
		return foreignError(what, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return statusError(what, resp)
	}
	if got := strings.Trim(resp.Header.Get("ETag"), `"`); !strings.EqualFold(got, etag) {
		return refused(-1, what+": what arrived is not what was sent: its checksum is "+got+", not "+etag)
	}
	return nil
}

// lentBody is a body that is not the transport's own, and that says when the transport,
// which may read it after the answer, has done with it.
type lentBody struct {
	io.Reader
	once   sync.Once
	closed chan struct{}
}

func (b *lentBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// imported reads the last answer.
func imported(answer *polled) (done d1.Imported, err error) {
	if text := answer.failure(); text != "" {
		e := d1.NewError(text)
		if strings.HasPrefix(text, "Not currently importing") {
			// It is over, and the answer that said how went to nobody.
			return done, lost(e)
		}
		return done, e
	}
	r := &answer.Result
	return d1.Imported{
		Bookmark: r.FinalBookmark, Statements: int64(r.Statements), Tables: int64(r.Meta.tables), Meta: r.Meta.Meta,
	}, nil
}

// lost is the error of an import that was started and whose end is not known.
func lost(err error) error {
	e := d1.NewError("the import was started, but how it ended is not known: " + err.Error())
	e.Err, e.Outcome, e.Transient = err, d1.OutcomeUnknown, false
	return e
}

// UnmarshalJSON reads a meta with num_tables.
func (m *importMeta) UnmarshalJSON(data []byte) error {
	var more struct {
		Tables float64 `json:"num_tables"`
	}
	if err := json.Unmarshal(data, &more); err != nil {
		return err
	}
	m.tables = more.Tables
	return json.Unmarshal(data, &m.Meta)
}
