package embedded_test

import (
	"errors"
	"fmt"
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

// TestHistoryFault writes while the history cannot be written: the writes fail, and say
// why, and nothing is lost.
func TestHistoryFault(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	history := path + embedded.HistorySuffix
	backend := open(t, embedded.Config{Path: path, Retention: time.Hour})
	db := d1.New(backend)
	must(t, db, "CREATE TABLE t (a)")
	old := now(t, backend)
	must(t, db, "INSERT INTO t VALUES (1)")
	files, err := os.ReadDir(history)
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	log := filepath.Join(history, files[0].Name())
	f, err := os.OpenFile(log, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	must(t, db, "INSERT INTO t VALUES (2)")
	if err = errors.Join(f.Truncate(200), f.Close(), os.Rename(log, log+".away"), os.Mkdir(log, 0o700)); err != nil {
		t.Fatal(err)
	}
	embedded.ForgetHistory(backend)
	_, err = db.Run(t.Context(), "INSERT INTO t VALUES (3)")
	if err == nil || !strings.Contains(err.Error(), "cannot keep the database's history: ") {
		t.Errorf("error %v", err)
	}
	if got := column(t, db, "SELECT group_concat(a) FROM t"); got != "1,2" {
		t.Errorf("rows %s", got)
	}
	if err := errors.Join(os.Remove(log), os.Rename(log+".away", log)); err != nil {
		t.Fatal(err)
	}
	must(t, db, "INSERT INTO t VALUES (4)")
	if _, err := backend.Restore(t.Context(), old); err == nil {
		t.Error("a state was restored from a log of which most is missing")
	}
	if _, err := backend.Restore(t.Context(), now(t, backend)); err != nil {
		t.Error(err)
	}
	if got := column(t, db, "SELECT group_concat(a) FROM t"); got != "1,2,4" {
		t.Errorf("rows %s", got)
	}
}

// TestTravelToWhatWasRead restores to the bookmarks that reads have returned, and those of
// writes, back to the empty database.
func TestTravelToWhatWasRead(t *testing.T) {
	t.Parallel()
	cfg := embedded.Config{Path: filepath.Join(t.TempDir(), "test.db"), Retention: time.Hour}
	backend := open(t, cfg)
	const tables = "SELECT count(*) FROM sqlite_schema"
	marks := map[d1.Bookmark]string{}
	look := func() {
		t.Helper()
		session := d1.New(backend).WithSession(d1.FirstPrimary)
		n, err := d1.First[int](t.Context(), session, tables)
		if err != nil {
			t.Fatal(err)
		}
		marks[session.Bookmark()] = fmt.Sprint(n)
	}
	for i := range 5 {
		look()
		session := d1.New(backend).WithSession(d1.FirstPrimary)
		if _, err := session.Run(t.Context(), fmt.Sprintf("CREATE TABLE t%d (a)", i)); err != nil {
			t.Fatal(err)
		}
		marks[session.Bookmark()] = fmt.Sprint(i + 1)
		look()
		if i%2 == 0 {
			backend.Close()
			backend = open(t, cfg)
		}
	}
	for b, want := range marks {
		if _, err := backend.Restore(t.Context(), b); err != nil {
			t.Errorf("%s: %v", b, err)
		}
		if got := column(t, d1.New(backend), tables); got != want {
			t.Errorf("%s: %s tables, want %s", b, got, want)
		}
		dump(t, cfg.Path)
	}
	checkModes(t, cfg.Path+embedded.HistorySuffix, 1)
	if info, err := os.Stat(cfg.Path + embedded.HistorySuffix); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, error %v", info.Mode(), err)
	}
}
