package server_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/rest"
	"github.com/skylite-go/skylite/server"
)

func (a *api) rest(id string) *rest.DB {
	a.t.Helper()
	db, err := rest.Open(rest.Config{
		API: cloudflare.Config{BaseURL: a.url + "/client/v4", APIToken: "x"}, AccountID: account, DatabaseID: id,
	})
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { db.Close() })
	return db
}

// TestRESTTransfer moves a database from one to another over the API.
func TestRESTTransfer(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{DataDir: t.TempDir()})
	first, second := a.rest(a.create("first")), a.rest(a.create("second"))
	const script = "CREATE TABLE t (id INTEGER PRIMARY KEY, v);\nINSERT INTO t VALUES (9007199254740993, 'a\n''b');\nCREATE INDEX t_v ON t (v);"
	var said []string
	done, err := first.Import(t.Context(), strings.NewReader(script), d1.ImportOptions{Progress: func(m string) { said = append(said, m) }})
	if err != nil || done.Statements != 3 || done.Tables != 1 || done.Meta.Changes != 1 || done.Bookmark == "" {
		t.Fatalf("imported %+v, %v", done, err)
	}
	if len(said) == 0 {
		t.Error("no progress")
	}
	var one, two strings.Builder
	if at, err := first.Export(t.Context(), &one, d1.ExportOptions{}); err != nil || at == "" {
		t.Fatalf("export: %q, %v", at, err)
	}
	if _, err := second.Import(t.Context(), strings.NewReader(one.String()), d1.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Export(t.Context(), &two, d1.ExportOptions{Tables: []string{"t"}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(one.String(), two.String()); diff != "" || !strings.Contains(one.String(), "9007199254740993") {
		t.Errorf("(-first +second):\n%s", diff)
	}
	info, err := second.Info(t.Context())
	if err != nil || info.Name != "second" || info.Tables != 1 || info.Bytes == 0 || info.CreatedAt.IsZero() || info.Region != "WEUR" {
		t.Errorf("Info gives %+v, %v", info, err)
	}
	if err := second.Delete(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := second.Info(t.Context()); err == nil {
		t.Error("the database is still there")
	}
}

func TestRESTTransferErrors(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{DataDir: t.TempDir()})
	db := a.rest(a.create("app"))
	_, err := db.Import(t.Context(), strings.NewReader("SELECT 1;\nINSERT INTO nope VALUES (1)"), d1.ImportOptions{})
	if err == nil || d1.Ambiguous(err) || !strings.Contains(err.Error(), "line 2, byte 10 (INSERT INTO nope VALUES (1)): no such table: nope: SQLITE_ERROR") {
		t.Errorf("a failing import: %v", err)
	}
	_, err = db.Export(t.Context(), &strings.Builder{}, d1.ExportOptions{Tables: []string{"nope"}})
	if err == nil || !strings.Contains(err.Error(), "no such table: nope") {
		t.Errorf("an unknown table: %v", err)
	}
	if _, err := db.Import(t.Context(), strings.NewReader(""), d1.ImportOptions{}); !d1.Unsent(err) {
		t.Errorf("an empty script: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = db.Import(ctx, strings.NewReader(slow), d1.ImportOptions{Progress: func(string) { cancel() }})
	if !errors.Is(err, context.Canceled) || !d1.Ambiguous(err) {
		t.Errorf("a cancelled import: %v", err)
	}
}
