package embedded_test

import (
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// replicated opens a database with replicas and a table.
func replicated(t *testing.T, cfg embedded.Config) *d1.DB {
	t.Helper()
	if cfg.Path == "" {
		cfg.Path = filepath.Join(t.TempDir(), "app.db")
	}
	backend, err := embedded.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// prepared makes a file with a table in it.
func prepared(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.db")
	db := replicated(t, embedded.Config{Path: path})
	if _, err := db.Run(t.Context(), "CREATE TABLE t (a)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func count(t *testing.T, on d1.Querier) int {
	t.Helper()
	n, err := d1.First[int](t.Context(), on, "SELECT count(*) FROM t")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestForgottenBookmark is what replicas are for: the second request of a user reads what
// the first has written only if it carries its bookmark.
func TestForgottenBookmark(t *testing.T) {
	t.Parallel()
	db := replicated(t, embedded.Config{Path: prepared(t), Replicas: 2, Lag: time.Hour})
	first := db.WithSession(d1.FirstUnconstrained)
	if _, err := first.Run(t.Context(), "INSERT INTO t VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, first); n != 1 {
		t.Errorf("the session reads %d rows after its own write", n)
	}
	bookmark := first.Bookmark()
	if n := count(t, db.WithSession(bookmark)); n != 1 {
		t.Errorf("with the bookmark: %d rows", n)
	}
	if n := count(t, db.WithSession("")); n != 0 {
		t.Errorf("without the bookmark: %d rows; the replicas are not behind", n)
	}
	if n := count(t, db.WithSession(d1.FirstPrimary)); n != 1 {
		t.Errorf("first-primary: %d rows", n)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("without a session: %d rows", n)
	}
}

func TestReplicasCatchUp(t *testing.T) {
	t.Parallel()
	db := replicated(t, embedded.Config{Path: prepared(t), Replicas: 2, Lag: 10 * time.Millisecond})
	if _, err := db.Run(t.Context(), "INSERT INTO t VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; runtime.Gosched() {
		session := db.WithSession(d1.FirstUnconstrained)
		result, err := session.All(t.Context(), "SELECT count(*) FROM t")
		if err != nil {
			t.Fatal(err)
		}
		if m := result.Meta; m.ServedByPrimary || m.ServedByRegion == "" {
			t.Fatalf("meta %+v", m)
		}
		if result.Rows[0][0] == int64(1) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("they do not")
		}
	}
	// And a schema that has changed too.
	if _, err := db.Exec(t.Context(), "ALTER TABLE t ADD COLUMN b; UPDATE t SET b = 2"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; runtime.Gosched() {
		result, err := db.WithSession(d1.FirstUnconstrained).All(t.Context(), "SELECT * FROM t")
		if err == nil && len(result.Columns) == 2 {
			break
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%v, %v", result, err)
		}
	}
}

func TestSessionsNeverGoBack(t *testing.T) {
	t.Parallel()
	db := replicated(t, embedded.Config{Path: prepared(t), Replicas: 3, Lag: 3 * time.Millisecond})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			session := db.WithSession("")
			seen, last := 0, d1.Bookmark("")
			for i := range 100 {
				if i%5 == 0 {
					if _, err := session.Run(t.Context(), "INSERT INTO t VALUES (1)"); err != nil {
						t.Error(err)
						return
					}
					seen++
				}
				n, err := d1.First[int](t.Context(), session, "SELECT count(*) FROM t")
				if err != nil || n < seen {
					t.Errorf("%d rows after %d, %v", n, seen, err)
					return
				}
				seen = n
				if b := session.Bookmark(); b < last || b == "" {
					t.Errorf("the bookmark %q comes after %q", b, last)
				} else {
					last = b
				}
			}
		})
	}
	wg.Wait()
}

func TestBookmarks(t *testing.T) {
	t.Parallel()
	path := prepared(t)
	db := replicated(t, embedded.Config{Path: path})
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$`)
	session := db.WithSession("")
	var last d1.Bookmark
	for range 10 {
		if _, err := session.Run(t.Context(), "INSERT INTO t VALUES (1)"); err != nil {
			t.Fatal(err)
		}
		if b := session.Bookmark(); !form.MatchString(string(b)) || b <= last {
			t.Fatalf("%q after %q", b, last)
		}
		last = session.Bookmark()
	}
	other := replicated(t, embedded.Config{Path: prepared(t)})
	for name, tt := range map[string]struct {
		bookmark d1.Bookmark
		want     string
	}{
		"another database's": {last, "another database"},
		"short":              {last[:58], "malformed bookmark"},
		"upper case":         {d1.Bookmark(strings.ToUpper(string(last))) + "", "malformed bookmark"},
		"letters":            {"zzzzzzzz" + last[8:], "malformed bookmark"},
		"not ASCII":          {"ü", "malformed bookmark"},
	} {
		_, err := other.WithSession(tt.bookmark).Run(t.Context(), "SELECT 1")
		if !d1.Unsent(err) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again := replicated(t, embedded.Config{Path: path, Replicas: 1, Lag: time.Hour})
	if n := count(t, again.WithSession(last)); n != 10 {
		t.Errorf("after opening the file again: %d rows", n)
	}
	fresh := again.WithSession("")
	if count(t, fresh); fresh.Bookmark() <= last {
		t.Errorf("after opening the file again: bookmark %q after %q", fresh.Bookmark(), last)
	}
}

func TestReplicasNeedAFile(t *testing.T) {
	t.Parallel()
	for _, cfg := range []embedded.Config{{Replicas: 1}, {Path: filepath.Join(t.TempDir(), "a.db"), Replicas: 17}} {
		if db, err := embedded.Open(cfg); err == nil {
			db.Close()
			t.Errorf("%+v: no error", cfg)
		}
	}
}

// TestReplicaInUse reads within a read: the replica is in use, so somebody else answers.
func TestReplicaInUse(t *testing.T) {
	t.Parallel()
	db := replicated(t, embedded.Config{Path: prepared(t), Replicas: 1, Lag: time.Hour})
	n := 0
	for _, err := range d1.Each[int](t.Context(), db.WithSession(""), "VALUES (1), (2), (3)") {
		if err != nil {
			t.Fatal(err)
		}
		n += 1 + count(t, db.WithSession(""))
	}
	if n != 3 {
		t.Errorf("%d", n)
	}
}
