package embedded_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

func TestPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"plain.db", "with space.db", "a?b.db", "a%b.db", "a%20b.db", "a#b.db", "a&b=c.db", "a+b.db", "a:b.db",
		"ünïcode 🙈.db", "'quoted\".db", "no-extension", "-dash.db",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			for want := range 2 {
				backend, err := embedded.Open(embedded.Config{Path: path})
				if err != nil {
					t.Fatal(err)
				}
				db := d1.New(backend)
				must(t, db, "CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (1)")
				if got := column(t, db, "SELECT count(*) FROM t"); got != string(rune('1'+want)) {
					t.Errorf("%s rows", got)
				}
				checkModes(t, dir, 3)
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				files, err := os.ReadDir(dir)
				if err != nil || len(files) != 1 || files[0].Name() != name {
					t.Errorf("files %v, %v", files, err)
				}
			}
		})
	}
}

// checkModes checks that a folder has n files, for their owner alone.
func checkModes(t *testing.T, dir string, n int) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != n {
		t.Errorf("files %v, %v; want %d", files, err, n)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode(); mode.IsRegular() && mode.Perm() != 0o600 {
			t.Errorf("%s has mode %v", f.Name(), mode)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, want string
		path       func(dir string) string
	}{
		{"a folder", "is a directory", func(dir string) string { return dir }},
		{"no folder", "no such file or directory", func(dir string) string { return filepath.Join(dir, "no", "such.db") }},
		{"NUL", "invalid argument", func(dir string) string { return filepath.Join(dir, "a\x00b") }},
		{"no database", "file is not a database", func(dir string) string {
			return writeFile(filepath.Join(dir, "letter.txt"), "Dear reader, this is a letter and no database.")
		}},
		{"a short file", "file is not a database", func(dir string) string { return writeFile(filepath.Join(dir, "short.txt"), "x") }},
		{"a broken database", "file is not a database", func(dir string) string {
			return writeFile(filepath.Join(dir, "broken.db"), "SQLite format 3\x00"+strings.Repeat("garbage", 1000))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := tt.path(dir)
			before, _ := os.ReadFile(path)
			db, err := embedded.Open(embedded.Config{Path: path})
			if err == nil {
				db.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "sqlite3:") {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

func writeFile(path, text string) string {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		panic(err)
	}
	return path
}

// TestSymlink checks that a database behind a link has all its files in one place.
func TestSymlink(t *testing.T) {
	t.Parallel()
	dir, real := t.TempDir(), t.TempDir()
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink(filepath.Join(real, "real.db"), link); err != nil {
		t.Skip(err)
	}
	db := d1.New(open(t, embedded.Config{Path: link}))
	must(t, db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)")
	direct := d1.New(open(t, embedded.Config{Path: filepath.Join(real, "real.db")}))
	if got := column(t, direct, "SELECT count(*) FROM t"); got != "1" {
		t.Errorf("%s rows", got)
	}
	checkModes(t, dir, 1)
	checkModes(t, real, 3)
}

// TestRemovedFile checks that a database that somebody has removed is not made anew.
func TestRemovedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	db := d1.New(open(t, embedded.Config{Path: path}))
	must(t, db, "CREATE TABLE t (a)")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Run(t.Context(), "SELECT * FROM t"); err == nil || !strings.Contains(err.Error(), "open a reader") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is back")
	}
}

func TestMaxBytes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	for _, size := range []int64{1, 64 << 10} {
		backend, err := embedded.Open(embedded.Config{Path: path, MaxBytes: size, Sync: embedded.SyncOff})
		if err != nil {
			t.Fatal(err)
		}
		db := d1.New(backend)
		_, err = db.Exec(t.Context(), "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000))")
		e, ok := err.(*d1.Error)
		if !ok || e.Message != "database or disk is full: SQLITE_FULL" || e.Code != 13 || !errors.Is(err, embedded.ErrTooLarge) {
			t.Errorf("%d bytes: error %v", size, err)
		}
		db.Close()
	}
	db := d1.New(open(t, embedded.Config{Path: path, Sync: embedded.SyncOff}))
	must(t, db, "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000))")
	small := d1.New(open(t, embedded.Config{Path: path, MaxBytes: 8192, Sync: embedded.SyncOff}))
	if got := column(t, small, "SELECT length(a) FROM t"); got != "100000" {
		t.Errorf("length %s", got)
	}
	if _, err := small.Run(t.Context(), "INSERT INTO t VALUES (zeroblob(100000))"); err == nil {
		t.Error("a database over its size grows")
	}
	must(t, small, "DELETE FROM t")
}

// TestUsedUpRowIDs has the code of a full database in one that has room.
func TestUsedUpRowIDs(t *testing.T) {
	t.Parallel()
	db := d1.New(open(t, embedded.Config{}))
	must(t, db, "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (9223372036854775807)")
	_, err := db.Run(t.Context(), "INSERT INTO t DEFAULT VALUES")
	if e, ok := err.(*d1.Error); !ok || e.Code != 13 || errors.Is(err, embedded.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
}

func TestSystemTable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	for range 2 {
		backend, err := embedded.Open(embedded.Config{Path: path, SystemTable: true})
		if err != nil {
			t.Fatal(err)
		}
		db := d1.New(backend)
		if got := column(t, db, "SELECT name FROM sqlite_master"); got != "_cf_KV" {
			t.Errorf("tables %s", got)
		}
		for _, sql := range []string{"SELECT * FROM _cf_KV", "INSERT INTO _cf_kv VALUES (1, 2)", "DROP TABLE _cf_KV"} {
			if _, err := db.Run(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "SQLITE_AUTH") {
				t.Errorf("%s: error %v", sql, err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestForeignPageSize checks that the size of a file that others have made is right.
func TestForeignPageSize(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	raw(t, path, "PRAGMA page_size = 1024; PRAGMA encoding = 'UTF-16'; CREATE TABLE t (a); INSERT INTO t VALUES ('häßlich')")
	db := d1.New(open(t, embedded.Config{Path: path, MaxBytes: 10 << 10}))
	result, err := db.All(t.Context(), "SELECT a FROM t")
	if err != nil || result.Rows[0][0] != "häßlich" {
		t.Errorf("%v, %v", result, err)
	}
	if result.Meta.SizeAfter != 2048 {
		t.Errorf("size %d", result.Meta.SizeAfter)
	}
	if _, err := db.Run(t.Context(), "INSERT INTO t VALUES (zeroblob(10000))"); err == nil {
		t.Error("it grew beyond its largest size")
	}
}
