package rest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/rest"
)

// service answers export and import with one answer after the other, and has a file.
type service struct {
	t       *testing.T
	answers []string // "$FILES" stands for the address of the file
	files   *httptest.Server
	calls   []map[string]any
}

// transferring returns a database behind answers, and what serves files beside it.
func transferring(t *testing.T, file http.HandlerFunc, answers ...string) (*service, *rest.DB) {
	s := &service{t: t, answers: answers}
	s.files = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Authorization", "X-Auth-Key", "X-Auth-Email", "Cookie"} {
			if r.Header.Get(name) != "" {
				t.Errorf("the file's host was given %s", name)
			}
		}
		file(w, r)
	}))
	t.Cleanup(s.files.Close)
	api := httptest.NewServer(s)
	t.Cleanup(api.Close)
	db := openAt(t, rest.Config{DatabaseID: uuid, API: cloudflare.Config{BaseURL: api.URL, Timeout: 10 * time.Second,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}})
	return s, db
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var call map[string]any
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
		s.t.Error(err)
	}
	s.calls = append(s.calls, call)
	if len(s.answers) == 0 {
		s.t.Errorf("too many calls: %v", call)
		w.WriteHeader(500)
		return
	}
	answer := strings.ReplaceAll(s.answers[0], "$FILES", s.files.URL)
	s.answers = s.answers[1:]
	if status, rest, ok := strings.Cut(answer, " "); ok && status == "500" {
		w.WriteHeader(500)
		answer = rest
	}
	_, _ = io.WriteString(w, answer)
}

func ok(result string) string {
	return `{"result":` + result + `,"success":true,"errors":[],"messages":[]}`
}

const (
	exportActive = `{"success":true,"type":"export","at_bookmark":"b","status":"active","messages":["Uploaded part 1"]}`
	exportDone   = `{"success":true,"type":"export","at_bookmark":"b","status":"complete","messages":[],"result":{"filename":"f","signed_url":"$FILES/f?secret=1"}}`
	importStart  = `{"filename":"f.sql","upload_url":"$FILES/f"}`
	importActive = `{"success":true,"type":"import","at_bookmark":"b","status":"active","messages":[],"errors":[]}`
	importDone   = `{"success":true,"type":"import","at_bookmark":"b","status":"complete","messages":[],"errors":[],"result":{"final_bookmark":"c","num_queries":3,
		"meta":{"served_by":"v3-prod","duration":1.5,"changes":2,"last_row_id":2,"changed_db":true,"size_after":16384,"rows_read":5,"rows_written":4,"num_tables":1}}}`
)

func TestExport(t *testing.T) {
	t.Parallel()
	tries := 0
	s, db := transferring(t, func(w http.ResponseWriter, _ *http.Request) {
		if tries++; tries == 1 {
			w.WriteHeader(503)
			return
		}
		_, _ = io.WriteString(w, "SELECT 1;")
	}, ok(exportActive), "500 {}", ok(exportActive), ok(exportDone))
	var out strings.Builder
	var said []string
	at, err := db.Export(t.Context(), &out, d1.ExportOptions{NoData: true, Tables: []string{"a"}, Progress: func(m string) { said = append(said, m) }})
	if err != nil || at != "b" || out.String() != "SELECT 1;" || len(said) != 1 {
		t.Errorf("%q %q %v, %v", at, out.String(), said, err)
	}
	first, _ := json.Marshal(s.calls[0])
	last, _ := json.Marshal(s.calls[3])
	const options = `"dump_options":{"no_data":true,"no_schema":false,"tables":["a"]},"output_format":"polling"}`
	if string(first) != `{`+options || string(last) != `{"current_bookmark":"b",`+options {
		t.Errorf("the calls are %s and %s", first, last)
	}
}

func TestExportErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answers []string
		file    http.HandlerFunc
		want    string
	}{
		{"an error", []string{ok(exportActive), ok(`{"success":true,"status":"error","error":"D1 Export error: cannot"}`)}, nil, "D1 Export error: cannot"},
		{"not successful", []string{ok(`{"success":false,"error":"Not now."}`)}, nil, "Not now."},
		{"another status", []string{ok(`{"success":true,"status":"odd"}`)}, nil, `unknown status "odd"`},
		{"no address", []string{ok(`{"success":true,"status":"complete"}`)}, nil, "names no address"},
		{"refused by the API", []string{`{"result":null,"success":false,"errors":[{"code":7500,"message":"Currently processing a long-running import."}]}`}, nil,
			"Currently processing a long-running import."},
		{"expired", []string{ok(exportDone)}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, "fetch the export: the answer is 403 Forbidden"},
		{"broken off", []string{ok(exportDone)}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "SELECT 1;")
		}, "it broke off after 9 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, db := transferring(t, test.file, test.answers...)
			_, err := db.Export(t.Context(), io.Discard, d1.ExportOptions{})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("the error is %v, want %s", err, test.want)
			}
		})
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	const script = "SELECT 1;"
	store := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "PUT" || r.ContentLength != int64(len(script)) || string(body) != script {
			t.Errorf("%s of %d bytes: %q", r.Method, r.ContentLength, body)
		}
		w.Header().Set("ETag", `"71568061b2970a4b7c5160fe75356e10"`)
	}
	for name, answers := range map[string][]string{
		"sent":         {ok(importStart), ok(importActive), ok(importActive), ok(importDone)},
		"known":        {ok(importActive), ok(importDone)},
		"known, short": {ok(importDone)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, db := transferring(t, store, answers...)
			done, err := db.Import(t.Context(), strings.NewReader(script), d1.ImportOptions{})
			if err != nil || done.Bookmark != "c" || done.Statements != 3 || done.Tables != 1 || done.Meta.RowsWritten != 4 ||
				done.Meta.Duration != 1500*time.Microsecond {
				t.Errorf("%+v, %v", done, err)
			}
		})
	}
}

func TestImportErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answers []string
		etag    string
		status  int
		want    string
		outcome d1.Outcome
	}{
		{"an error", []string{ok(importStart), ok(`{"success":true,"status":"error","errors":["near x: SQLITE_ERROR"]}`)}, "", 200, "near x", d1.OutcomeRefused},
		{"another file", []string{ok(importStart)}, "00", 200, "what arrived is not what was sent", d1.OutcomeUnsent},
		{"refused upload", []string{ok(importStart)}, "", 403, "403 Forbidden", d1.OutcomeUnsent},
		{"a start that is lost", []string{ok(importStart), "500 oops"}, "", 200, "500", d1.OutcomeUnknown},
		{"an end that is lost", []string{ok(importStart), ok(importActive), ok(`{"success":false,"error":"Not currently importing anything."}`)}, "", 200,
			"how it ended is not known", d1.OutcomeUnknown},
		{"polls that fail", []string{ok(importStart), ok(importActive), `{"success":false,"errors":[{"code":7404,"message":"gone"}]}`}, "", 200,
			"how it ended is not known", d1.OutcomeUnknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			etag := test.etag
			if etag == "" {
				etag = "71568061b2970a4b7c5160fe75356e10"
			}
			_, db := transferring(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("ETag", `"`+etag+`"`)
				w.WriteHeader(test.status)
			}, test.answers...)
			_, err := db.Import(t.Context(), strings.NewReader("SELECT 1;"), d1.ImportOptions{})
			if err == nil || !strings.Contains(err.Error(), test.want) || d1.Ambiguous(err) != (test.outcome == d1.OutcomeUnknown) ||
				d1.Unsent(err) != (test.outcome == d1.OutcomeUnsent) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
