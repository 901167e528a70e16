package embedded_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

func TestParseDSN(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]embedded.Config{
		"file:app.db":                 {Path: "app.db"},
		"file:a%20b%3f.db":            {Path: "a b?.db"},
		"file:a+b#c.db":               {Path: "a+b#c.db"},
		"file:/var/app.db":            {Path: "/var/app.db"},
		"file:///var/app.db":          {Path: "/var/app.db"},
		"file://localhost/var/app.db": {Path: "/var/app.db"},
		"file::memory:":               {Path: ":memory:"},
		"file:app.db?":                {Path: "app.db"},
		"file:app.db?sync=normal&readers=4&timeout=5s&max_bytes=1000000": {Path: "app.db", Sync: embedded.SyncNormal,
			Readers: 4, Timeout: 5 * time.Second, MaxBytes: 1e6},
		"file:app.db?sync=off&sync=full&timeout=-1s": {Path: "app.db", Timeout: -time.Second},
	} {
		got, err := embedded.ParseDSN(dsn)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", dsn, err, diff)
		}
	}
	for dsn, want := range map[string]string{
		"app.db": "does not begin with file:", "file:": "names no file", "file:?sync=off": "names no file", "file:a%00b": "NUL byte",
		"file://host/app.db": "a file has no host", "file:a%2": "invalid URL escape", "file:a?%zz": "no URL query",
		"file:a?sync=maybe": "full, normal or off", "file:a?readers=0": "1 to 1000", "file:a?readers=99999999999999": "1 to 1000",
		"file:a?readers=x": "1 to 1000", "file:a?timeout=5": "a duration", "file:a?max_bytes=-1": "above 0", "file:a?max_bytes=x": "above 0",
		"file:a?token=s3cret": `unknown option "token"`, "file:a?Sync=off": `unknown option "Sync"`, "file:a?s3cret;": "no URL query",
	} {
		_, err := embedded.ParseDSN(dsn)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: error %v, want %q", dsn, err, want)
		}
	}
}

func FuzzParseDSN(f *testing.F) {
	for _, dsn := range []string{"file:a%20b?sync=off&readers=3", "file:///a/b?timeout=1s&max_bytes=5", "file::memory:", "file://localhost//x"} {
		f.Add(dsn)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		cfg, err := embedded.ParseDSN(dsn)
		if err != nil {
			return
		}
		if cfg.Path == "" || strings.ContainsRune(cfg.Path, 0) || cfg.Readers < 0 || cfg.Readers > 1000 || cfg.MaxBytes < 0 {
			t.Errorf("%q: %+v", dsn, cfg)
		}
	})
}

// TestCloseWaits checks that Close waits for what is under way, and loses nothing of it.
func TestCloseWaits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	backend := openPatient(t, embedded.Config{Path: path, Readers: 5000})
	db := d1.New(backend)
	must(t, db, "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)")
	results, err := db.Query(t.Context(), "SELECT * FROM t")
	if err != nil || !results.Next() {
		t.Fatal(err)
	}
	release := holdWriter(t, backend, path)
	acknowledged := make(chan error, 20)
	for range cap(acknowledged) {
		go func() {
			_, err := db.Run(context.Background(), "INSERT INTO t VALUES (4)")
			acknowledged <- err
		}()
	}
	awaitQueue(t, backend, cap(acknowledged))
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	for { // until Close has begun, which waits for the writer
		_, err := db.Run(t.Context(), "SELECT 1")
		if err == nil {
			time.Sleep(time.Millisecond)
			continue
		}
		if !errors.Is(err, d1.ErrClosed) || !d1.Unsent(err) {
			t.Errorf("while it closes: error %v", err)
		}
		break
	}
	release()
	want := 3 + cap(acknowledged)
	for range cap(acknowledged) {
		if err := <-acknowledged; err != nil {
			t.Error(err)
		}
	}
	if n := rest(results); n != 2 || results.Close() != nil {
		t.Errorf("%d rows more", n)
	}
	wg.Wait()
	again := d1.New(open(t, embedded.Config{Path: path, Sync: embedded.SyncNormal}))
	if got := column(t, again, "SELECT count(*) FROM t"); got != strconv.Itoa(want) {
		t.Errorf("%s rows, want %d", got, want)
	}
}
