package rest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
)

// polled is the answer to a call of export or import.
type polled struct {
	Success  bool        `json:"success"`
	Status   string      `json:"status"`
	Bookmark d1.Bookmark `json:"at_bookmark"`
	Messages []string    `json:"messages"`
	Error    string      `json:"error"`
	Errors   []string    `json:"errors"`
	Result   struct {
		SignedURL     string      `json:"signed_url"`
		FinalBookmark d1.Bookmark `json:"final_bookmark"`
		Statements    float64     `json:"num_queries"`
		Meta          importMeta  `json:"meta"`
	} `json:"result"`

	// What init of an import answers.
	Filename  string `json:"filename"`
	UploadURL string `json:"upload_url"`
}

// importMeta is a meta with a count of its own.
type importMeta struct {
	d1.Meta
	tables float64
}

// failure is the text of an answer that says that the work has failed, or "".
func (p *polled) failure() string {
	switch {
	case p.Status == "error" || !p.Success && p.Status == "" && p.UploadURL == "":
		return cmp.Or(strings.Join(p.Errors, "; "), p.Error, "the service gave no reason")
	case p.Status != "active" && p.Status != "complete" && p.UploadURL == "":
		return fmt.Sprintf("the answer has the unknown status %.40q", p.Status)
	}
	return ""
}

// poller calls export or import of one database until the work is done.
type poller struct {
	db       *DB
	path     string
	progress func(message string)
	said     string // by the service, last
}

func (db *DB) poller(id, kind string, progress func(message string)) *poller {
	return &poller{db: db, path: db.path + "/" + url.PathEscape(id) + "/" + kind, progress: progress}
}

// call makes one call.
func (p *poller) call(ctx context.Context, body any, class cloudflare.Class) (*polled, error) {
	answer := &polled{}
	call := cloudflare.Call{Method: http.MethodPost, Path: p.path, Body: body, Class: class, RetryIf: transientAnswer}
	if _, err := p.db.client.Request(ctx, call, answer); err != nil {
		return nil, convert(err, class == cloudflare.ClassWrite)
	}
	for _, message := range answer.Messages {
		if p.progress != nil && message != p.said {
			p.progress(message)
		}
		p.said = message
	}
	return answer, nil
}

// The time between two calls. The service holds each for about a second while there is
// nothing new; those who wait long are in no hurry, and the budget is for other calls too.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// finish polls until the work is done or has failed.
func (p *poller) finish(ctx context.Context, answer *polled, poll func(at d1.Bookmark) any) (*polled, error) {
	at := answer.Bookmark
	for pause := firstPause; answer.Status == "active" && answer.failure() == ""; pause = min(2*pause, lastPause) {
		if err := p.db.client.Wait(ctx, pause); err != nil {
			return nil, err
		}
		var err error
		if answer, err = p.call(ctx, poll(at), cloudflare.ClassRead); err != nil {
			return nil, err
		}
		if answer.Bookmark != "" {
			at = answer.Bookmark
		}
	}
	return answer, nil
}

// foreignError is the error of a file that could not be sent or fetched.
func foreignError(what string, err error) *d1.Error {
	e := d1.NewError(what + ": " + err.Error())
	e.Err, e.Outcome, e.Transient = err, d1.OutcomeUnsent, true
	return e
}

// statusError is the error of an answer to such a request that is no success.
func statusError(what string, resp *http.Response) *d1.Error {
	e := foreignError(what, errors.New("the answer is "+resp.Status))
	e.HTTPStatus, e.Transient = resp.StatusCode, resp.StatusCode >= 500
	return e
}

// foreignTries is how often a file is sent or fetched before that is given up.
const foreignTries = 3
