package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/server"
)

// fake is a backend whose answers have rows of 1 KiB, and may fail.
type fake struct {
	rows   int
	err    error // at the end of the rows
	before error // instead of an answer
	panics bool
}

func (f *fake) Do(context.Context, d1.Request) (*d1.Results, error) {
	if f.panics {
		panic("boom")
	}
	if f.before != nil {
		return nil, f.before
	}
	return d1.NewResults(&fakeCursor{fake: f, text: bytes.Repeat([]byte("x"), 1<<10)}), nil
}

func (f *fake) Close() error { return nil }

type fakeCursor struct {
	*fake
	text []byte
	at   int
	done bool
}

func (c *fakeCursor) NextResult() bool {
	first := !c.done
	c.done = true
	return first
}
func (c *fakeCursor) Columns() []string     { return []string{"a"} }
func (c *fakeCursor) Next() bool            { c.at++; return c.at <= c.rows }
func (c *fakeCursor) Row() []d1.Value       { return []d1.Value{d1.Text(c.text)} }
func (c *fakeCursor) Meta() d1.Meta         { return d1.Meta{TotalAttempts: 1} }
func (c *fakeCursor) Bookmark() d1.Bookmark { return "" }
func (c *fakeCursor) Err() error {
	if c.at > c.rows {
		return c.err
	}
	return nil
}
func (c *fakeCursor) Close() error { return nil }

// over returns a server whose only database is a fake.
func over(t *testing.T, f *fake, logger *slog.Logger) (a *api, id string) {
	t.Helper()
	real := start(t, server.Config{
		Logger: logger, RayID: func() string { return "0123456789abcdef" },
		OpenFile: func(string, server.Place) (d1.Backend, error) { return f, nil },
	})
	kept := *f
	*f = fake{} // creating looks at the database
	id = real.create("fake")
	*f = kept
	return real, id
}

// TestCreatedIsCreated makes a database that cannot be measured then.
func TestCreatedIsCreated(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{OpenFile: func(string, server.Place) (d1.Backend, error) {
		return &fake{before: d1.NewError("D1 DB is overloaded. Too many requests queued.")}, nil
	}})
	if status, answer := a.do("POST", databases, `{"name":"a"}`); status != 200 || !strings.Contains(answer, `"created_in_region":"WEUR"`) {
		t.Errorf("got %d %s", status, answer)
	}
}

func TestFailureInTheMiddle(t *testing.T) {
	t.Parallel()
	malformedJSON := d1.NewError("malformed JSON: SQLITE_ERROR")
	for _, tt := range []struct {
		name string
		rows int
		cut  bool
	}{
		{"at once", 0, false}, {"in the part held back", 200, false}, {"after it", 400, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, id := over(t, &fake{rows: tt.rows, err: malformedJSON}, nil)
			for _, client := range []*http.Client{http.DefaultClient, {Transport: a.srv.Transport()}} {
				req, _ := http.NewRequestWithContext(t.Context(), "POST", a.url+databases+"/"+id+"/raw", strings.NewReader(`{"sql":"SELECT 1"}`))
				req.Header.Set("Authorization", "Bearer x")
				resp, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				data, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if !tt.cut && (err != nil || resp.StatusCode != 400 || string(data) != failure(7500, malformedJSON.Message)) {
					t.Errorf("got %d %.200s, %v", resp.StatusCode, data, err)
				}
				if tt.cut && (!errors.Is(err, io.ErrUnexpectedEOF) || resp.StatusCode != 200) {
					t.Errorf("the answer was not cut: %d, %d bytes, %v", resp.StatusCode, len(data), err)
				}
			}
		})
	}
}

func TestErrorsOfBackends(t *testing.T) {
	t.Parallel()
	busy := d1.NewError("the database is locked by another process")
	busy.Code = 5
	hidden := `internal error; the server's log says more under ray 0123456789abcdef-AMS`
	tests := []struct {
		name   string
		err    error
		status int
		code   int
		text   string
	}{
		{"queued", d1.NewError("D1 DB is overloaded. Requests queued for too long. (all 16 readers are busy)"), 429, 7429,
			"D1 DB is overloaded. Requests queued for too long."},
		{"too many", d1.NewError("D1 DB is overloaded. Too many requests queued."), 429, 7429, "D1 DB is overloaded. Too many requests queued."},
		{"locked", busy, 429, 7429, "D1 DB is overloaded. Requests queued for too long."},
		{"CPU", d1.NewError("D1 DB exceeded its CPU time limit and was reset."), 429, 7429, "D1 DB exceeded its CPU time limit and was reset."},
		{"full", d1.NewError("database or disk is full: SQLITE_FULL"), 400, 7500, "database or disk is full: SQLITE_FULL"},
		{"size", d1.NewError("Exceeded maximum DB size"), 400, 7500, "Exceeded maximum DB size"},
		{"no database", d1.NewError("file is not a database: SQLITE_NOTADB"), 400, 7500, "file is not a database: SQLITE_NOTADB"},
		{"closed", d1.ErrClosed, 500, 7500, hidden},
		{"anything", errors.New("open /secret/path: boom"), 500, 7500, hidden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			a, id := over(t, &fake{before: tt.err}, slog.New(slog.NewTextHandler(&log, nil)))
			status, got := a.sql(id, "SELECT 'value'")
			if want := failure(tt.code, tt.text); status != tt.status || got != want {
				t.Errorf("got %d %s\nwant %d %s", status, got, tt.status, want)
			}
			if status == 500 && !strings.Contains(log.String(), "0123456789abcdef-AMS") {
				t.Errorf("not logged: %s", &log)
			}
		})
	}
	a, id := over(t, &fake{panics: true}, nil)
	if status, got := a.sql(id, "SELECT 1"); status != 500 || got != failure(7500, hidden) {
		t.Errorf("panic: got %d %s", status, got)
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{DataDir: t.TempDir()})
	id := a.create("db")
	body := `{"sql":"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x, printf('%.*c', 1000, 'x') FROM c"}`
	for _, client := range []*http.Client{http.DefaultClient, {Transport: a.srv.Transport()}} {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", a.url+databases+"/"+id+"/raw", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer x")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		// The answer has no end; its beginning is there all the same.
		if n, err := io.CopyN(io.Discard, resp.Body, 2<<20); err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		resp.Body.Close()
	}
	closed := make(chan error)
	go func() { closed <- a.srv.Close() }()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Fatal("an answer that nobody reads holds the database")
	}
}

func TestTransport(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("db")
	client := &http.Client{Transport: a.srv.Transport()}
	get := func(method, path, auth string) (int, string) {
		req, _ := http.NewRequestWithContext(t.Context(), method, "https://anything.test"+path, strings.NewReader(`{"sql":"SELECT 7 a"}`))
		req.Header.Set("Authorization", auth)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		return resp.StatusCode, string(data)
	}
	if status, got := get("POST", databases+"/"+id+"/query", "Bearer x"); status != 200 || !strings.Contains(got, `{"a":7}`) {
		t.Errorf("got %d %s", status, got)
	}
	if status, got := get("GET", databases, ""); status != 400 || !strings.Contains(got, "6111") {
		t.Errorf("without a token: %d %s", status, got)
	}
	if status, got := get("HEAD", databases, "Bearer x"); status != 200 || got != "" {
		t.Errorf("HEAD: %d %q", status, got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	const endless = `{"sql":"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT max(x) FROM c"}`
	req, _ := http.NewRequestWithContext(ctx, "POST", "http://x"+databases+"/"+id+"/query", strings.NewReader(endless))
	req.Header.Set("Authorization", "Bearer x")
	if resp, err := client.Do(req); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, %v", resp, err)
	}
}
