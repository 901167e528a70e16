package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/migrate"
	"github.com/skylite-go/skylite/d1/rest"
)

// workerd runs Cloudflare's engine until the test ends, and returns a database in it. The
// API's /raw stands before it, so that our own client can speak to it.
func workerd(t *testing.T) *d1.DB {
	t.Helper()
	cmd := exec.Command(localPath(t, "node_modules/.bin/node"), localPath(t, "oracle/oracle.mjs"))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close() // ends it
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	var ready struct{ URL string }
	if err != nil || json.Unmarshal(line, &ready) != nil {
		t.Fatalf("the oracle printed %s, error %v", line, err)
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rawOn(w, r, ready.URL)
	}))
	t.Cleanup(front.Close)
	backend, err := rest.Open(rest.Config{API: cloudflare.Config{BaseURL: front.URL, APIToken: token},
		AccountID: account, DatabaseID: "11111111-2222-3333-4444-555555555555"})
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	t.Cleanup(func() { db.Close() })
	return db
}

// rawOn answers as the API does what the engine behind url says.
func rawOn(w http.ResponseWriter, r *http.Request, url string) {
	var body struct {
		SQL    string
		Params []any
		Batch  []json.RawMessage
	}
	var envelope struct {
		Result  json.RawMessage `json:"result"`
		Success bool            `json:"success"`
		Errors  []apiMessage    `json:"errors"`
	}
	text, err := io.ReadAll(r.Body)
	if err == nil && r.Method == http.MethodPost {
		err = json.Unmarshal(text, &body)
	}
	switch {
	case err != nil:
	case r.Method != http.MethodPost: // time travel: workerd has none
		w.WriteHeader(http.StatusNotFound)
		return
	case body.Batch != nil:
		text, err = json.Marshal(body.Batch)
	default:
		text = []byte("[" + string(text) + "]")
	}
	if err == nil {
		envelope.Result, err = ask(url+"/query", string(text))
	}
	envelope.Success = err == nil
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		envelope.Errors = []apiMessage{{7500, err.Error()}}
	}
	_ = json.NewEncoder(w).Encode(envelope)
}

func ask(url, body string) (json.RawMessage, error) {
	resp, err := apiClient.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if results := []any(nil); json.Unmarshal(text, &results) == nil {
		return text, nil
	}
	var failure struct{ Error string }
	if json.Unmarshal(text, &failure) != nil || failure.Error == "" {
		return nil, fmt.Errorf("%s", text)
	}
	return nil, errors.New(failure.Error)
}

// TestMigrateOnWorkerd runs what leans on the engine where D1 runs it: the ledger's row
// that fails a batch, the counting of rows, the search for a statement that failed.
func TestMigrateOnWorkerd(t *testing.T) {
	needNPM(t)
	t.Parallel()
	db := workerd(t)
	files := fstest.MapFS{}
	add := func(name, sql string) { files[name] = &fstest.MapFile{Data: []byte(sql)} }
	run := func() (migrate.Result, error) {
		r, err := migrate.New(db, migrate.Wrangler(files, ""), migrate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r.Run(t.Context())
	}
	must := func(sql string) []any {
		t.Helper()
		result, err := db.All(t.Context(), sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		var values []any
		for _, row := range result.Rows {
			values = append(values, row...)
		}
		return values
	}

	// Many runners at once.
	add("1_users.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\nINSERT INTO users VALUES (1, 'Ada');")
	add("2_posts.sql", "CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER REFERENCES users ON DELETE CASCADE);\r\n"+
		"create trigger first after insert on users\r\nbegin\r\n  insert into posts (author) select case when new.id > 0 then new.id end;\r\nend;\r\n"+
		"INSERT INTO users VALUES (2, 'Grace');")
	counts := make([]int, 20)
	var wg sync.WaitGroup
	for i := range counts {
		wg.Go(func() {
			result, err := run()
			if err != nil {
				t.Error(err)
			}
			counts[i] = len(result.Applied)
		})
	}
	wg.Wait()
	applied := 0
	for _, n := range counts {
		applied += n
	}
	if got := must("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM posts), (SELECT count(*) FROM d1_migrations)"); applied != 2 ||
		!slices.Equal(got, []any{int64(2), int64(1), int64(2)}) {
		t.Errorf("%d were applied, and there are %v rows", applied, got)
	}

	// A rebuild, in drizzle's way and in the recipe's.
	rebuild := "PRAGMA foreign_keys=OFF;\nCREATE TABLE __new_users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n" +
		"INSERT INTO __new_users SELECT * FROM users;\nDROP TABLE users;\nALTER TABLE __new_users RENAME TO users;\nPRAGMA foreign_keys=ON;\n"
	add("3_rebuild.sql", rebuild)
	_, err := run()
	if loss, ok := errors.AsType[*migrate.DataLossError](err); !ok || loss.Table != "posts" || loss.Before != 1 || loss.After != 0 {
		t.Errorf("error %v", err)
	}
	if got := must("SELECT count(*) FROM posts"); !slices.Equal(got, []any{int64(1)}) {
		t.Errorf("posts has %v rows", got)
	}
	add("3_rebuild.sql", "CREATE TABLE posts_aside AS SELECT * FROM posts;\nDELETE FROM posts;\n"+rebuild+
		"INSERT INTO posts SELECT * FROM posts_aside;\nDROP TABLE posts_aside;\n")
	if result, err := run(); err != nil || len(result.Applied) != 1 {
		t.Errorf("%+v, error %v", result, err)
	}
	if got := must("SELECT count(*) FROM posts WHERE author = 2"); !slices.Equal(got, []any{int64(1)}) {
		t.Errorf("posts has %v rows", got)
	}

	// A failure in the middle.
	add("4_wrong.sql", "CREATE TABLE a (x);\nCREATE TABLE b (x);\n  INSERT INTO nope VALUES (1);\nCREATE TABLE c (x);")
	_, err = run()
	if e, ok := errors.AsType[*migrate.Error](err); !ok || e.Statement != 2 || e.Line != 3 {
		t.Errorf("error %v", err)
	}
	if got := must("SELECT count(*) FROM sqlite_master WHERE name IN ('a', 'b', 'c')"); !slices.Equal(got, []any{int64(0)}) {
		t.Errorf("%v tables are left", got)
	}
}
