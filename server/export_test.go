package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/server"
)

// exported is the result of a call of export.
type exported struct {
	Success  bool
	Bookmark string `json:"at_bookmark"`
	Status   string
	Error    string
	Result   struct {
		Filename  string
		SignedURL string `json:"signed_url"`
	}
}

func (a *api) exports(id, options string) (int, exported) {
	a.t.Helper()
	status, answer := a.do("POST", databases+"/"+id+"/export", `{"output_format":"polling"`+options+`}`)
	var envelope struct{ Result exported }
	if err := json.Unmarshal([]byte(answer), &envelope); err != nil {
		a.t.Fatal(err)
	}
	return status, envelope.Result
}

// fetch gets a signed URL as wrangler does, without credentials.
func (a *api) fetch(target string) (int, string) {
	a.t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		a.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(a.t.Context(), "GET", a.url+u.RequestURI(), nil)
	if err != nil {
		a.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func TestExport(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{DataDir: t.TempDir()})
	id := a.create("app")
	a.mustSQL(id, "CREATE TABLE a (x); INSERT INTO a VALUES (9007199254740993); CREATE TABLE b (y); CREATE INDEX b_y ON b (y)")
	tests := []struct{ name, options, want string }{
		{"all", `,"dump_options":{"no_data":false,"no_schema":false,"tables":[]}`,
			"CREATE TABLE a (x);\nINSERT INTO \"a\" (\"x\") VALUES(9007199254740993);\nCREATE TABLE b (y);\nCREATE INDEX b_y ON b (y);"},
		{"no data", `,"dump_options":{"no_data":true,"tables":["b"]}`, "CREATE TABLE b (y);\nCREATE INDEX b_y ON b (y);"},
		{"no schema", `,"dump_options":{"no_schema":true}`, "INSERT INTO \"a\" (\"x\") VALUES(9007199254740993);"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, got := a.exports(id, test.options)
			if status != 200 || got.Status != "complete" || got.Bookmark == "" || got.Result.Filename != id+"-"+got.Bookmark+".sql" {
				t.Fatalf("export: %d %+v", status, got)
			}
			status, script := a.fetch(got.Result.SignedURL)
			if diff := cmp.Diff("PRAGMA defer_foreign_keys=TRUE;\n"+test.want, script); status != 200 || diff != "" {
				t.Errorf("%d (-want +got):\n%s", status, diff)
			}
			if _, again := a.exports(id, test.options+`,"current_bookmark":"`+got.Bookmark+`"`); again.Result != got.Result {
				t.Errorf("polled again: %+v", again)
			}
			if status, _ := a.fetch(strings.Replace(got.Result.SignedURL, "signature=", "signature=A", 1)); status != 403 {
				t.Errorf("another signature: %d", status)
			}
		})
	}
}

func TestExportRefuses(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{Token: "secret-token"})
	_, answer := a.do("POST", databases, `{"name":"app"}`, "Authorization: Bearer secret-token")
	var created struct{ Result struct{ UUID string } }
	if err := json.Unmarshal([]byte(answer), &created); err != nil {
		t.Fatal(err)
	}
	path := databases + "/" + created.Result.UUID + "/export"
	tests := []struct {
		name, body, want string
		status           int
	}{
		{"no format", `{}`, "Invalid property: output_format => Required", 400},
		{"another format", `{"output_format":"file"}`, "Invalid enum value", 400},
		{"no array", `{"output_format":"polling","dump_options":{"tables":"a"}}`, "dump_options.tables => Expected array", 400},
		{"another poll", `{"output_format":"polling","current_bookmark":"x"}`, "Not currently exporting anything.", 200},
		{"an unknown table", `{"output_format":"polling","dump_options":{"tables":["nope"]}}`, `"status":"error","messages":`, 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, answer := a.do("POST", path, test.body, "Authorization: Bearer secret-token")
			if status != test.status || !strings.Contains(answer, test.want) {
				t.Errorf("%d %s", status, answer)
			}
		})
	}
	if status, _ := a.fetch(a.url + path + "/guessed.sql?signature=x"); status != 403 {
		t.Errorf("a guessed file: %d", status)
	}
	if status, _ := a.do("POST", path, `{"output_format":"polling"}`, "Authorization: Bearer other"); status != 401 {
		t.Errorf("without credentials: %d", status)
	}
}

// slow is SQL that a server is busy with for some seconds unless it is ended.
const slow = "WITH RECURSIVE c(n) AS (VALUES(1) UNION ALL SELECT n + 1 FROM c LIMIT 2000000000) SELECT count(*) FROM c"

// TestLongImport polls for an import that takes long, tries others meanwhile, and ends it
// by closing the server.
func TestLongImport(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{DataDir: t.TempDir()})
	id, other := a.create("app"), a.create("other")
	const file = "CREATE TABLE t (x); " + slow
	_, announced, _ := a.imports(id, `{"action":"init","etag":"`+etagOf(file)+`"}`)
	if status, _ := a.upload(announced.UploadURL, file); status != 200 {
		t.Fatalf("upload: %d", status)
	}
	if status, _, answer := a.imports(other, `{"action":"ingest","etag":"`+etagOf(file)+`","filename":"`+announced.Filename+`"}`); status != 400 {
		t.Errorf("the file of another database: %d %s", status, answer)
	}
	status, got, answer := a.imports(id, `{"action":"init","etag":"`+etagOf(file)+`"}`)
	if status != 202 || got.Status != "active" || !strings.Contains(answer, "Starting import...") {
		t.Fatalf("init with a file that is here: %d %s", status, answer)
	}
	var envelope struct {
		Result struct {
			Bookmark string `json:"at_bookmark"`
		}
	}
	if err := json.Unmarshal([]byte(answer), &envelope); err != nil {
		t.Fatal(err)
	}
	if status, got, answer := a.imports(id, `{"action":"poll","current_bookmark":"`+envelope.Result.Bookmark+`"}`); status != 202 || got.Status != "active" {
		t.Errorf("poll: %d %s", status, answer)
	}
	if status, answer := a.do("POST", databases+"/"+id+"/export", `{"output_format":"polling"}`); status != 400 ||
		answer != failure(7500, "Currently processing a long-running import.") {
		t.Errorf("an export meanwhile: %d %s", status, answer)
	}
	if answer := a.mustSQL(id, "SELECT count(*) AS n FROM sqlite_schema WHERE name = 't'"); !strings.Contains(answer, `"n":0`) {
		t.Errorf("a read meanwhile: %s", answer)
	}
}

// TestTruncatedUpload cuts an upload off.
func TestTruncatedUpload(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{MaxImportBytes: 100})
	id := a.create("app")
	const file = "SELECT 1"
	_, announced, _ := a.imports(id, `{"action":"init","etag":"`+etagOf(file)+`"}`)
	u, err := url.Parse(announced.UploadURL)
	if err != nil {
		t.Fatal(err)
	}
	body, cut := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), "PUT", a.url+u.RequestURI(), body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = int64(len(file))
	go func() {
		_, _ = io.WriteString(cut, file[:4])
		_ = cut.CloseWithError(io.ErrUnexpectedEOF)
	}()
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
		if resp.StatusCode == 200 {
			t.Error("a part was taken for the whole")
		}
	}
	if status, _, answer := a.imports(id, `{"action":"ingest","etag":"`+etagOf(file)+`","filename":"`+announced.Filename+`"}`); status != 400 {
		t.Errorf("ingest of a part: %d %s", status, answer)
	}
	if status, _ := a.upload(announced.UploadURL, strings.Repeat(" ", 101)); status != 413 {
		t.Errorf("too large: %d", status)
	}
	if status, _ := a.upload(announced.UploadURL, file); status != 200 {
		t.Errorf("the whole, sent again: %d", status)
	}
}
