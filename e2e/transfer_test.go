package e2e

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudflare/cloudflare-go/v6/d1"
	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/server"
)

const (
	moved = "CREATE TABLE t (id INTEGER PRIMARY KEY, v);\nINSERT INTO t VALUES (1, 'one;'), (2, NULL);\nCREATE INDEX i ON t (v);"
	dump  = "PRAGMA defer_foreign_keys=TRUE;\nCREATE TABLE t (id INTEGER PRIMARY KEY, v);\n" +
		"INSERT INTO \"t\" (\"id\",\"v\") VALUES(1,'one;');\nINSERT INTO \"t\" (\"id\",\"v\") VALUES(2,NULL);\nCREATE INDEX i ON t (v);"
)

func TestNPMTransfer(t *testing.T) {
	needNPM(t)
	t.Parallel()
	c := serve(t, server.Config{DataDir: t.TempDir(), Token: token}).client(t)
	var got struct {
		Upload   int
		Etag     bool
		Imported struct {
			Status string
			Result struct {
				NumQueries int `json:"num_queries"`
			}
		}
		Late     struct{ Error string }
		Exported struct{ Status string }
		Dump     string
	}
	printed(t, c.node(t, "clients/transfer.mjs").ok(t), &got)
	if got.Upload != 200 || !got.Etag || got.Imported.Status != "complete" || got.Imported.Result.NumQueries != 3 ||
		got.Late.Error != "Not currently importing anything." || got.Exported.Status != "complete" {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(dump, got.Dump); diff != "" {
		t.Error(diff)
	}
}

func TestCloudflareGoTransfer(t *testing.T) {
	t.Parallel()
	databases, _ := serveFiles(t).cloudflareGo(token)
	id := cfCreate(t, databases, "shop").UUID
	sum := md5.Sum([]byte(moved))
	etag := hex.EncodeToString(sum[:])
	call := func(body d1.DatabaseImportParamsBodyUnion) *d1.DatabaseImportResponse {
		t.Helper()
		params := with[d1.DatabaseImportParams](fields{"AccountID": account})
		params.Body = body
		answer, err := databases.Import(t.Context(), id, params)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	announced := call(with[d1.DatabaseImportParamsBodyInit](fields{"Action": d1.DatabaseImportParamsBodyInitActionInit, "Etag": etag}))
	req, err := http.NewRequestWithContext(t.Context(), "PUT", announced.UploadURL, strings.NewReader(moved))
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := exchange(t, req); status != 200 {
		t.Fatalf("upload: %d", status)
	}
	imported := call(with[d1.DatabaseImportParamsBodyIngest](fields{
		"Action": d1.DatabaseImportParamsBodyIngestActionIngest, "Etag": etag, "Filename": announced.Filename,
	}))
	if imported.Status != d1.DatabaseImportResponseStatusComplete || imported.Result.NumQueries != 3 || imported.Result.Meta.Changes != 2 {
		t.Errorf("imported %+v", imported)
	}
	exported, err := databases.Export(t.Context(), id, with[d1.DatabaseExportParams](fields{
		"AccountID": account, "OutputFormat": d1.DatabaseExportParamsOutputFormatPolling,
	}))
	if err != nil || exported.Status != d1.DatabaseExportResponseStatusComplete {
		t.Fatalf("exported %+v, %v", exported, err)
	}
	if req, err = http.NewRequestWithContext(t.Context(), "GET", exported.Result.SignedURL, nil); err != nil {
		t.Fatal(err)
	}
	if status, body := exchange(t, req); status != 200 || body != dump {
		t.Errorf("%d %s", status, body)
	}
}

// exchange sends a request as it is.
func exchange(t *testing.T, req *http.Request) (status int, body string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// TestCloudflareGoUnderLoad has the client try again what a simulated overload refuses.
func TestCloudflareGoUnderLoad(t *testing.T) {
	t.Parallel()
	databases, sent := serve(t, server.Config{DataDir: t.TempDir(), Simulate: server.Simulation{OverloadEvery: 2}}).cloudflareGo(token)
	id := cfCreate(t, databases, "shop").UUID
	before := sent.sent.Load()
	for range 3 {
		body := with[d1.DatabaseQueryParamsBodyD1SingleQuery](fields{"Sql": "SELECT 1"})
		params := with[d1.DatabaseQueryParams](fields{"AccountID": account})
		params.Body = body
		if _, err := databases.Query(t.Context(), id, params); err != nil {
			t.Error(err)
		}
	}
	if n := sent.sent.Load() - before; n != 5 {
		t.Errorf("3 queries took %d calls, want 5", n)
	}
}

func TestWranglerExport(t *testing.T) {
	c := newWrangler(t)
	id := c.create(t, "shop")
	for _, sql := range []string{moved, "CREATE TABLE \"u v\" (big); INSERT INTO \"u v\" VALUES (9007199254740993)"} {
		c.result(t, "POST", "/d1/database/"+id+"/query", encode(t, map[string]string{"sql": sql}), new([]any))
	}
	export := func(args ...string) string {
		t.Helper()
		args = append([]string{"d1", "export", "shop", "--remote", "-y", "--output", "out.sql"}, args...)
		c.wrangler(t, args...).ok(t)
		data, err := os.ReadFile(filepath.Join(c.dir, "out.sql"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	all := strings.Replace(dump, "\nCREATE INDEX", "\nCREATE TABLE IF NOT EXISTS \"u v\" (big);\nINSERT INTO \"u v\" (\"big\") VALUES(9007199254740993);\nCREATE INDEX", 1)
	if diff := cmp.Diff(all, export()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(dump, export("--table", "t")); diff != "" {
		t.Error(diff)
	}
	if got := export("--no-data", "--table", "t"); strings.Contains(got, "INSERT") || !strings.Contains(got, "CREATE INDEX") {
		t.Error(got)
	}
	if got := export("--no-schema"); strings.Contains(got, "CREATE") || !strings.Contains(got, "9007199254740993") {
		t.Error(got)
	}
	c.wrangler(t, "d1", "export", "shop", "--remote", "-y", "--output", "x.sql", "--table", "nope").failed(t, "no such table: nope")

	// What was exported goes into another database.
	c.create(t, "copy")
	export()
	contains(t, c.wrangler(t, "d1", "execute", "copy", "--remote", "-y", "--file", "out.sql").ok(t), "Executed 7 queries")
}

func TestWranglerInsights(t *testing.T) {
	c := newWrangler(t)
	id := c.create(t, "shop")
	for _, sql := range []string{moved, "SELECT * FROM t", "SELECT * FROM t"} {
		c.result(t, "POST", "/d1/database/"+id+"/query", encode(t, map[string]string{"sql": sql}), new([]any))
	}
	var insights []struct {
		Query                              string
		TotalRowsRead, NumberOfTimesRun    float64
		AvgRowsRead, AvgDurationMs, Ignore float64
	}
	printed(t, c.wrangler(t, "d1", "insights", "shop", "--json", "--sort-by", "count", "--limit", "1").ok(t), &insights)
	if len(insights) != 1 || insights[0].Query != "SELECT * FROM t" || insights[0].NumberOfTimesRun != 2 || insights[0].TotalRowsRead != 4 {
		t.Errorf("%+v", insights)
	}
	var info struct {
		Reads  int `json:"read_queries_24h"`
		Writes int `json:"write_queries_24h"`
		Rows   int `json:"rows_written_24h"`
	}
	printed(t, c.wrangler(t, "d1", "info", "shop", "--json").ok(t), &info)
	if info.Reads != 2 || info.Writes != 3 || info.Rows == 0 {
		t.Errorf("%+v", info)
	}
}

// TestWranglerLargeFile sends a file that the service's limit of other bodies would
// refuse; SKYLITE_LARGE=1 asks for it.
func TestWranglerLargeFile(t *testing.T) {
	if os.Getenv("SKYLITE_LARGE") == "" {
		t.Skip("SKYLITE_LARGE is not set")
	}
	c := newWrangler(t)
	c.create(t, "shop")
	f, err := os.Create(filepath.Join(c.dir, "large.sql"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(f, "CREATE TABLE t(a, b);")
	for i := range 150_000 {
		fmt.Fprintf(f, "INSERT INTO t VALUES (%d, '%s');\n", i, strings.Repeat("x", 1000))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	contains(t, c.wrangler(t, "d1", "execute", "shop", "--remote", "-y", "--file", "large.sql").ok(t), "Executed 150001 queries")
}
