package server_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/skylite-go/skylite/server"
)

// imported is the result of a call of import.
type imported struct {
	Filename  string
	UploadURL string `json:"upload_url"`
	Success   bool
	Error     string
	Errors    []string
	Status    string
	Result    struct {
		NumQueries int `json:"num_queries"`
		Meta       struct {
			Changes   int
			NumTables int     `json:"num_tables"`
			SizeAfter float64 `json:"size_after"`
		}
	}
}

func (a *api) imports(id, body string) (status int, result imported, answer string) {
	a.t.Helper()
	status, answer = a.do("POST", databases+"/"+id+"/import", body)
	var envelope struct{ Result imported }
	if err := json.Unmarshal([]byte(answer), &envelope); err != nil {
		a.t.Fatal(err)
	}
	return status, envelope.Result, answer
}

func etagOf(file string) string {
	sum := md5.Sum([]byte(file))
	return hex.EncodeToString(sum[:])
}

// upload sends a file as wrangler does, without credentials.
func (a *api) upload(target, file string) (status int, etag string) {
	a.t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		a.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(a.t.Context(), "PUT", a.url+u.RequestURI(), strings.NewReader(file))
	if err != nil {
		a.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("ETag")
}

func TestImport(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("app")
	run := func(file string) imported {
		t.Helper()
		status, announced, answer := a.imports(id, `{"action":"init","etag":"`+etagOf(file)+`"}`)
		if status != 200 || announced.UploadURL == "" {
			t.Fatalf("init: %d %s", status, answer)
		}
		if status, etag := a.upload(announced.UploadURL, file); status != 200 || etag != `"`+etagOf(file)+`"` {
			t.Fatalf("upload: %d %s", status, etag)
		}
		status, result, answer := a.imports(id, `{"action":"ingest","etag":"`+etagOf(file)+`","filename":"`+announced.Filename+`"}`)
		if status != 200 {
			t.Fatalf("ingest: %d %s", status, answer)
		}
		return result
	}
	got := run("PRAGMA defer_foreign_keys=TRUE;\nCREATE TABLE a (x);\nINSERT INTO a VALUES ('1;2');\nINSERT INTO a VALUES (3);\n-- end\n")
	if got.Status != "complete" || got.Result.NumQueries != 4 || got.Result.Meta.Changes != 2 || got.Result.Meta.NumTables != 1 {
		t.Errorf("import: %+v", got)
	}
	got = run("INSERT INTO a VALUES (4); INSERT INTO nope VALUES (1)")
	if got.Status != "error" || len(got.Errors) != 1 || !strings.HasSuffix(got.Errors[0], "(INSERT INTO nope VALUES (1)): no such table: nope: SQLITE_ERROR") {
		t.Errorf("a failing import: %+v", got)
	}
	if answer := a.mustSQL(id, "SELECT count(*) AS n FROM a"); !strings.Contains(answer, `"results":[{"n":2}]`) {
		t.Errorf("the failing import left something: %s", answer)
	}
	if got := run("-- nothing"); got.Status != "error" || got.Errors[0] != "No SQL statements detected." {
		t.Errorf("an empty import: %+v", got)
	}
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{Token: "secret-token", MaxBodyBytes: 1000, MaxImportBytes: 1000})
	auth := "Authorization: Bearer secret-token"
	_, answer := a.do("POST", databases, `{"name":"app"}`, auth)
	var created struct{ Result struct{ UUID string } }
	if err := json.Unmarshal([]byte(answer), &created); err != nil {
		t.Fatal(err)
	}
	path := databases + "/" + created.Result.UUID
	post := func(body string) (int, imported) {
		status, answer := a.do("POST", path+"/import", body, auth)
		var envelope struct{ Result imported }
		if err := json.Unmarshal([]byte(answer), &envelope); err != nil {
			t.Fatal(err)
		}
		return status, envelope.Result
	}
	const file = "SELECT 1"
	_, announced := post(`{"action":"init","etag":"` + etagOf(file) + `"}`)
	if status, _ := a.upload(path+"/import/guessed.sql", file); status != 403 {
		t.Errorf("an upload that was not announced: %d", status)
	}
	if status, _ := a.upload(announced.UploadURL, "SELECT 2"); status != 400 {
		t.Errorf("another file: %d", status)
	}
	if status, _ := a.upload(announced.UploadURL, strings.Repeat(" ", 2000)); status != 413 {
		t.Errorf("too large a file: %d", status)
	}
	if status, _ := a.upload("/client/v4/accounts/import/d1/database/"+created.Result.UUID, "{}"); status != 400 {
		t.Errorf("an update without credentials: %d", status)
	}
	if status, result := post(`{"action":"poll","current_bookmark":"x"}`); status != 200 || result.Success || result.Error != "Not currently importing anything." {
		t.Errorf("poll: %d %+v", status, result)
	}
	for _, body := range []string{`{}`, `{"action":"init"}`, `{"action":"init","etag":"xyz"}`, `{"action":"nope"}`, `[]`,
		`{"action":"ingest","etag":"` + etagOf(file) + `","filename":"nope.sql"}`,
		`{"action":"ingest","etag":"` + etagOf(file) + `","filename":"` + announced.Filename + `"}`} {
		if status, _ := post(body); status != 400 {
			t.Errorf("%s: %d", body, status)
		}
	}
	for _, file := range []string{"SELECT '\xe9'", "SELECT 1; SELECT '\x00'"} {
		_, announced := post(`{"action":"init","etag":"` + etagOf(file) + `"}`)
		if status, _ := a.upload(announced.UploadURL, file); status != 200 {
			t.Errorf("upload: %d", status)
		}
		if status, result := post(`{"action":"ingest","etag":"` + etagOf(file) + `","filename":"` + announced.Filename + `"}`); status != 400 && result.Status != "error" {
			t.Errorf("%q: %d %+v", file, status, result)
		}
	}
}

// TestForgottenUploads announces files that never come. They keep nobody out, and a
// file that has come is the last that they push aside.
func TestForgottenUploads(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("app")
	const file = "CREATE TABLE t (x)"
	announce := `{"action":"init","etag":"` + etagOf(file) + `"}`
	_, first, _ := a.imports(id, announce)
	_, kept, _ := a.imports(id, announce)
	if status, _ := a.upload(kept.UploadURL, file); status != 200 {
		t.Fatalf("upload: %d", status)
	}
	other := `{"action":"init","etag":"` + etagOf("SELECT 1") + `"}`
	for range 20 {
		if status, _, answer := a.imports(id, other); status != 200 {
			t.Fatalf("%d %s", status, answer)
		}
	}
	if status, _ := a.upload(first.UploadURL, file); status != 403 {
		t.Errorf("the first is still waited for: %d", status)
	}
	if status, got, _ := a.imports(id, `{"action":"ingest","etag":"`+etagOf(file)+`","filename":"`+kept.Filename+`"}`); status != 200 || got.Status != "complete" {
		t.Errorf("the file that had come: %d %+v", status, got)
	}
}

// TestIngestRunsOnce sends the call that runs a file many times at once.
func TestIngestRunsOnce(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("app")
	a.mustSQL(id, "CREATE TABLE t (x)")
	const file = "INSERT INTO t VALUES (1)"
	for range 20 {
		_, announced, _ := a.imports(id, `{"action":"init","etag":"`+etagOf(file)+`"}`)
		if status, _ := a.upload(announced.UploadURL, file); status != 200 {
			t.Fatalf("upload: %d", status)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				a.do("POST", databases+"/"+id+"/import", `{"action":"ingest","etag":"`+etagOf(file)+`","filename":"`+announced.Filename+`"}`)
			})
		}
		wg.Wait()
	}
	if answer := a.mustSQL(id, "SELECT count(*) AS n FROM t"); !strings.Contains(answer, `"results":[{"n":20}]`) {
		t.Errorf("20 files: %s", answer)
	}
}

// TestUploadURLIsEscaped imports under an account ID that no URL can hold as it is.
func TestUploadURLIsEscaped(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("app")
	status, answer := a.do("POST", "/client/v4/accounts/a%2F..%20b/d1/database/"+id+"/import", `{"action":"init","etag":"`+etagOf("SELECT 1")+`"}`)
	var envelope struct{ Result imported }
	if err := json.Unmarshal([]byte(answer), &envelope); err != nil || status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if status, _ := a.upload(envelope.Result.UploadURL, "SELECT 1"); status != 200 {
		t.Errorf("upload to %s: %d", envelope.Result.UploadURL, status)
	}
}
