package embedded_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// TestForeignWriters checks that what a program does that keeps no history is a break
// where it changes the database, and none where it does not.
func TestForeignWriters(t *testing.T) {
	t.Parallel()
	insert := func(t *testing.T, path string) { raw(t, path, "INSERT INTO t VALUES ('foreign')") }
	for name, c := range map[string]struct {
		while, between func(t *testing.T, path string) // the database is open, or is not
		broken         bool
	}{
		"writes while it is open": {while: insert, broken: true},
		"writes while it is shut": {between: insert, broken: true},
		"reads while it is open":  {while: func(t *testing.T, path string) { dump(t, path) }},
		"reads while it is shut":  {between: func(t *testing.T, path string) { dump(t, path) }},
		"checkpoints":             {while: func(t *testing.T, path string) { raw(t, path, "PRAGMA wal_checkpoint(RESTART)") }},
		"empties the log":         {while: func(t *testing.T, path string) { raw(t, path, "PRAGMA wal_checkpoint(TRUNCATE)") }, broken: true},
		"writes and checkpoints":  {while: func(t *testing.T, path string) { insert(t, path); raw(t, path, "PRAGMA wal_checkpoint(RESTART)") }, broken: true},
		"writes a second time":    {while: func(t *testing.T, path string) { raw(t, path, "PRAGMA wal_checkpoint(RESTART)"); insert(t, path) }, broken: true},
		"leaves WAL mode":         {between: func(t *testing.T, path string) { raw(t, path, "PRAGMA journal_mode=DELETE"); insert(t, path) }, broken: true},
		"changes the size": {between: func(t *testing.T, path string) {
			raw(t, path, "PRAGMA journal_mode=DELETE; PRAGMA page_size=8192; VACUUM")
		}, broken: true},
		"is ours, without history": {between: func(t *testing.T, path string) {
			must(t, d1.New(open(t, embedded.Config{Path: path})), "DELETE FROM t")
		}, broken: true},
		"copies it": {between: func(t *testing.T, path string) {
			data, err := os.ReadFile(path)
			if err = errors.Join(err, os.Remove(path), os.WriteFile(path, data, 0o600)); err != nil {
				t.Fatal(err)
			}
		}},
		"removes it": {between: func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			raw(t, path, "CREATE TABLE t (a)")
		}, broken: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := embedded.Config{Path: filepath.Join(t.TempDir(), "test.db"), Retention: time.Hour}
			backend := open(t, cfg)
			db := d1.New(backend)
			must(t, db, "CREATE TABLE t (a)")
			old := now(t, backend)
			must(t, db, "INSERT INTO t VALUES (1)")
			if c.while != nil {
				c.while(t, cfg.Path)
			}
			if c.between != nil {
				db.Close()
				c.between(t, cfg.Path)
				backend = open(t, cfg)
				db = d1.New(backend)
			}
			rows := column(t, db, "SELECT count(*) FROM t")
			base := now(t, backend)
			must(t, db, "INSERT INTO t VALUES (2)")
			_, err := backend.Restore(t.Context(), old)
			switch {
			case c.broken && (!d1.Unsent(err) || !strings.Contains(err.Error(), "are lost: ")):
				t.Errorf("error %v, want one of a lost state", err)
			case !c.broken && err != nil:
				t.Error(err)
			case !c.broken:
				if got := column(t, db, "SELECT count(*) FROM t"); got != "0" {
					t.Errorf("%s rows in the old state", got)
				}
			}
			if _, err := backend.Restore(t.Context(), base); err != nil {
				t.Fatal(err)
			}
			if got := column(t, db, "SELECT count(*) FROM t"); got != rows {
				t.Errorf("%s rows in the state after the break, want %s", got, rows)
			}
		})
	}
}

func now(t *testing.T, backend *embedded.DB) d1.Bookmark {
	t.Helper()
	b, err := backend.BookmarkAt(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTravelErrors(t *testing.T) {
	t.Parallel()
	backend := open(t, embedded.Config{Path: filepath.Join(t.TempDir(), "test.db"), Retention: time.Hour})
	db := d1.New(backend)
	other := open(t, embedded.Config{Path: filepath.Join(t.TempDir(), "other.db"), Retention: time.Hour})
	must(t, db, "CREATE TABLE t (a)")
	id := string(now(t, backend))[27:]
	for name, c := range map[string]struct {
		bookmark d1.Bookmark
		want     string
	}{
		"none":             {"", "needs the bookmark of a state"},
		"a constraint":     {d1.FirstPrimary, "needs the bookmark of a state"},
		"malformed":        {"yesterday", "malformed bookmark"},
		"of another":       {now(t, other), "of another database"},
		"of the future":    {d1.Bookmark("ffffffff-ffffffff-00000000-" + id), "a state to come"},
		"before beginning": {d1.Bookmark("00000000-00000001-00000000-" + id), "the history of the database begins at"},
	} {
		if _, err := backend.Restore(t.Context(), c.bookmark); !d1.Unsent(err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if _, err := backend.BookmarkAt(t.Context(), time.Now().Add(time.Hour)); !d1.Unsent(err) {
		t.Errorf("the future: error %v", err)
	}
	if _, err := backend.BookmarkAt(t.Context(), time.Now().Add(-30*time.Minute)); !d1.Unsent(err) {
		t.Errorf("before the beginning: error %v", err)
	}
	if got := column(t, db, "SELECT count(*) FROM t"); got != "0" {
		t.Errorf("%s rows", got)
	}
	for name, cfg := range map[string]embedded.Config{"memory": {}, "no history": {Path: filepath.Join(t.TempDir(), "a.db")}} {
		backend := open(t, cfg)
		_, err := backend.BookmarkAt(t.Context(), time.Time{})
		if _, again := backend.Restore(t.Context(), d1.Bookmark("ffffffff-ffffffff-00000000-"+id)); !errors.Is(err, errors.ErrUnsupported) || again == nil {
			t.Errorf("%s: errors %v, %v", name, err, again)
		}
	}
	if _, err := embedded.Open(embedded.Config{Retention: time.Hour}); err == nil {
		t.Error("a history in memory")
	}
	db.Close()
	if _, err := backend.BookmarkAt(t.Context(), time.Time{}); !errors.Is(err, d1.ErrClosed) {
		t.Errorf("closed: error %v", err)
	}
}

// TestTravelRetention checks that a state is kept for as long as it should be, and no
// longer.
func TestTravelRetention(t *testing.T) {
	t.Parallel()
	backend := open(t, embedded.Config{Path: filepath.Join(t.TempDir(), "test.db"), Retention: 300 * time.Millisecond})
	db := d1.New(backend)
	must(t, db, "CREATE TABLE t (a)")
	old := now(t, backend)
	must(t, db, "INSERT INTO t VALUES (1)")
	newest := now(t, backend)
	time.Sleep(400 * time.Millisecond)
	if _, err := backend.Restore(t.Context(), old); !d1.Unsent(err) || !strings.Contains(err.Error(), "older than those that are kept") {
		t.Errorf("error %v", err)
	}
	if _, err := backend.Restore(t.Context(), newest); err != nil {
		t.Errorf("the newest state: %v", err)
	}
}
