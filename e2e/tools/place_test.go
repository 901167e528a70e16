package tools

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/skylite-go/skylite"
	"github.com/skylite-go/skylite/server"
)

// place is somewhere for databases to live. A tool is told what a user would tell it:
// the driver's name and the database's.
type place struct {
	name string
	open func(t *testing.T) (driver, dsn string)
}

var places = []place{
	{"embedded", onFile},
	{"rest", onServer},
	{"bridge", onBridge},
	{"workerd", onWorkerd},
}

// everywhere runs a tool's flow in every place, on a new and empty database.
func everywhere(t *testing.T, flow func(t *testing.T, driver, dsn string)) {
	t.Helper()
	t.Parallel()
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			driver, dsn := p.open(t)
			flow(t, driver, dsn)
		})
	}
}

// onDB is everywhere for tools that are given a *sql.DB.
func onDB(t *testing.T, flow func(t *testing.T, db *sql.DB)) {
	t.Helper()
	everywhere(t, func(t *testing.T, driver, dsn string) { flow(t, open(t, driver, dsn)) })
}

func open(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

// onFile is a file of this process.
func onFile(t *testing.T) (driver, dsn string) {
	file := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.Join(t.TempDir(), "test.db")}).EscapedPath()}
	return "d1", file.String() + "?sync=off"
}

// onServer is a database of the server that "skylite dev" runs, over the REST API.
func onServer(t *testing.T) (driver, dsn string) {
	host := serve(t)
	base := "http://" + host + "/client/v4"
	return "d1", fmt.Sprintf("d1://%s/%s?token=%s&base_url=%s", account, create(t, base), token, url.QueryEscape(base))
}

// onBridge is a database of the same server, over its bridge.
func onBridge(t *testing.T) (driver, dsn string) {
	host := serve(t)
	create(t, "http://"+host+"/client/v4")
	return "d1", fmt.Sprintf("d1+bridge://%s/%s?token=%s", host, databaseName, token)
}

// serve starts a server, which ends with the test, and returns its host and port.
func serve(t *testing.T) (host string) {
	t.Helper()
	srv, err := server.New(server.Config{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := srv.Serve(ctx, listener); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		stop()
		serving.Wait()
		if err := srv.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
	})
	return listener.Addr().String()
}

// What the server is told; it takes any account.
const (
	account      = "0123456789abcdef0123456789abcdef"
	token        = "a-token-of-the-tests"
	databaseName = "tools"
)

// create makes a database on the server.
func create(t *testing.T, base string) (id string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		base+"/accounts/"+account+"/d1/database", strings.NewReader(`{"name":"`+databaseName+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Result struct{ UUID string } }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Result.UUID == "" {
		t.Fatalf("create a database: %s, %v", resp.Status, err)
	}
	return answer.Result.UUID
}
