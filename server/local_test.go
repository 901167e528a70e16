package server_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/server"
)

// open opens a database as the program that has the server does.
func (a *api) open(idOrName string) d1.Backend {
	a.t.Helper()
	b, err := a.srv.Database(a.t.Context(), idOrName)
	if err != nil {
		a.t.Fatal(err)
	}
	return b
}

func TestDatabaseIsExact(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{DataDir: t.TempDir()})
	id := a.create("app")
	a.mustSQL(id, "CREATE TABLE t (n)")
	db := d1.New(a.open("app"))
	defer db.Close()
	session := db.WithSession(d1.FirstPrimary)
	if _, err := session.Run(t.Context(), "INSERT INTO t VALUES (?)", int64(9007199254740993)); err != nil {
		t.Fatal(err)
	}
	n, err := d1.First[int64](t.Context(), session, "SELECT n FROM t")
	if err != nil || n != 9007199254740993 {
		t.Errorf("got %d, %v", n, err)
	}
	if session.Bookmark() == "" {
		t.Error("the session has no bookmark")
	}
	if _, err := db.Exec(t.Context(), "BEGIN"); err == nil || !strings.Contains(err.Error(), "state.storage.transaction()") {
		t.Errorf("BEGIN: %v; want D1's refusal", err)
	}
	if answer := a.mustSQL(id, "SELECT n FROM t"); !strings.Contains(answer, "9007199254740992") {
		t.Errorf("the API answers %s; want the integer rounded", answer)
	}
}

func TestDatabaseMovesAndTravels(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{DataDir: t.TempDir()})
	a.mustSQL(a.create("from"), "CREATE TABLE t (n); INSERT INTO t VALUES (9007199254740993)")
	a.create("to")
	from, to := a.open("from"), a.open("to")
	defer from.Close()
	defer to.Close()
	dump := func(b d1.Backend) string {
		t.Helper()
		var w strings.Builder
		if _, err := b.(d1.Exporter).Export(t.Context(), &w, d1.ExportOptions{}); err != nil {
			t.Fatal(err)
		}
		return w.String()
	}
	travel := to.(d1.TimeTraveler)
	empty, before := dump(to), bookmarkNow(t, travel)
	script := dump(from)
	if _, err := to.(d1.Importer).Import(t.Context(), strings.NewReader(script), d1.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(script, dump(to)); diff != "" {
		t.Errorf("the copy (-from +to):\n%s", diff)
	}
	if _, err := travel.Restore(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(empty, dump(to)); diff != "" {
		t.Errorf("after the restore (-want +got):\n%s", diff)
	}
}

func bookmarkNow(t *testing.T, travel d1.TimeTraveler) d1.Bookmark {
	t.Helper()
	b, err := travel.BookmarkAt(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDatabaseAsAWhole(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{DataDir: t.TempDir()})
	id := a.create("app")
	a.mustSQL(id, "CREATE TABLE t (n)")
	b := a.open(strings.ToUpper(id))
	admin := b.(d1.Admin)
	info, err := admin.Info(t.Context())
	if err != nil || info.ID != id || info.Name != "app" || info.Tables != 1 || info.Bytes == 0 || info.Region != "WEUR" {
		t.Errorf("got %+v, %v", info, err)
	}
	if err := admin.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"app", id} {
		_, err := a.srv.Database(t.Context(), name)
		if e, ok := errors.AsType[*d1.Error](err); !ok || e.APICode != 7404 {
			t.Errorf("%s, deleted: %v; want 7404", name, err)
		}
	}
}
