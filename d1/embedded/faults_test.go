package embedded_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
)

// faulty is a disk on which the next few writes, or syncs, of some files fail.
type faulty struct {
	vfs.VFSFilename
	wal   bool // the files are the WALs; otherwise the databases
	sync  bool // syncs fail; otherwise writes
	cause error
	left  atomic.Int32 // operations that will fail
}

func (d *faulty) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, out, err := d.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return nil, out, err
	}
	return &faultyFile{osFile: f.(osFile), disk: d, wal: flags&vfs.OPEN_WAL != 0}, out, nil
}

type osFile = interface {
	vfs.FileLockState
	vfs.FilePersistWAL
	vfs.FilePowersafeOverwrite
	vfs.FileSizeHint
	vfs.FileHasMoved
	vfs.FileSharedMemory
}

type faultyFile struct {
	osFile
	disk *faulty
	wal  bool
}

func (f *faultyFile) fails(sync bool) error {
	if f.wal != f.disk.wal || sync != f.disk.sync || f.disk.left.Add(-1) < 0 {
		return nil
	}
	return &os.PathError{Op: "write", Path: "/some/where", Err: f.disk.cause}
}

func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.fails(false); err != nil {
		return 0, err
	}
	return f.osFile.WriteAt(p, off)
}

func (f *faultyFile) Sync(flags vfs.SyncFlag) error {
	if err := f.fails(true); err != nil {
		return err
	}
	return f.osFile.Sync(flags)
}

// onFaulty opens a database with a table on a disk that is in order as yet.
func onFaulty(t *testing.T, disk *faulty) (backend *embedded.DB, path string) {
	t.Helper()
	disk.VFSFilename = vfs.Find("os").(vfs.VFSFilename)
	t.Cleanup(func() { vfs.Unregister(t.Name()) })
	path = filepath.Join(t.TempDir(), "test.db")
	backend, err := embedded.OpenOn(embedded.Config{Path: path}, t.Name(), disk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { backend.Close() })
	must(t, d1.New(backend), "CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
	return backend, path
}

// TestFaultAtCommit lets the disk fail as a write is committed, and looks at what this
// process sees then, and what would see one that came after a crash.
func TestFaultAtCommit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		sync      bool
		cause     error
		text      string
		ambiguous bool
		crashed   string // rows after a crash
	}{
		{"sync", true, syscall.EIO, "disk I/O error: SQLITE_IOERR (extended: SQLITE_IOERR_FSYNC)", true, "1,2"},
		{"full at the sync", true, syscall.ENOSPC, "disk I/O error: SQLITE_IOERR (extended: SQLITE_IOERR_FSYNC)", true, "1,2"},
		{"write", false, syscall.EIO, "disk I/O error: SQLITE_IOERR (extended: SQLITE_IOERR_WRITE)", true, "1"},
		{"full", false, syscall.ENOSPC, "database or disk is full: SQLITE_FULL", false, "1"},
		{"quota", false, syscall.EDQUOT, "database or disk is full: SQLITE_FULL", false, "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			disk := &faulty{wal: true, sync: tt.sync, cause: tt.cause}
			backend, path := onFaulty(t, disk)
			db := d1.New(backend)
			must(t, db, "INSERT INTO t VALUES (1, 1)")
			disk.left.Store(100)
			_, err := db.Run(t.Context(), "INSERT INTO t VALUES (2, 2)")
			e, ok := err.(*d1.Error)
			if !ok || e.Message != tt.text || d1.Ambiguous(err) != tt.ambiguous || d1.Retryable(err) || errors.Is(err, embedded.ErrTooLarge) {
				t.Errorf("error %#v", err)
			}
			if strings.Contains(fmt.Sprint(err), "/some/where") {
				t.Errorf("error %v", err)
			}
			disk.left.Store(0)
			if got := column(t, db, "SELECT a FROM t"); got != "1" {
				t.Errorf("rows %s", got)
			}
			if got := column(t, d1.New(open(t, embedded.Config{Path: crash(t, path)})), "SELECT a FROM t"); got != tt.crashed {
				t.Errorf("rows %s after a crash, want %s", got, tt.crashed)
			}
			must(t, db, "INSERT INTO t VALUES (3, 3)")
			for _, db := range []*d1.DB{db, d1.New(open(t, embedded.Config{Path: crash(t, path)}))} {
				if got := column(t, db, "SELECT a FROM t") + column(t, db, "PRAGMA quick_check"); got != "1,3ok" {
					t.Errorf("afterwards: %s", got)
				}
			}
		})
	}
}

// crash returns a copy of a database's files, as a crash would leave them.
func crash(t *testing.T, path string) (copied string) {
	t.Helper()
	copied = filepath.Join(t.TempDir(), "crashed.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(copied+suffix, string(data))
	}
	return copied
}

// TestFaultOfAGroup lets the commit of a group fail once: each request is run again by
// itself, and nothing is there twice.
func TestFaultOfAGroup(t *testing.T) {
	t.Parallel()
	disk := &faulty{wal: true, sync: true, cause: syscall.EIO}
	backend, path := onFaulty(t, disk)
	db := d1.New(backend)
	must(t, db, "CREATE TABLE log (a)")
	var scripts []string
	for i := range 10 {
		scripts = append(scripts, fmt.Sprintf("INSERT INTO log VALUES (%d); INSERT INTO t VALUES (%[1]d, 0)", i))
	}
	disk.left.Store(1)
	for i, err := range runGroup(t, backend, path, scripts) {
		if err != nil {
			t.Errorf("request %d: %v", i, err)
		}
	}
	if got := column(t, db, "SELECT count(*) || ' ' || count(DISTINCT a) FROM log"); got != "10 10" {
		t.Errorf("got %s", got)
	}
}

// TestFaultOfTheDatabase lets the disk fail as the WAL is copied into the database, which
// nobody waits for.
func TestFaultOfTheDatabase(t *testing.T) {
	t.Parallel()
	for _, sync := range []bool{true, false} {
		t.Run(fmt.Sprint("sync ", sync), func(t *testing.T) {
			t.Parallel()
			disk := &faulty{sync: sync, cause: syscall.EIO}
			backend, path := onFaulty(t, disk)
			db := d1.New(backend)
			disk.left.Store(3)
			for i := range 30 {
				must(t, db, fmt.Sprintf("INSERT INTO t VALUES (%d, zeroblob(1000000))", i))
			}
			if disk.left.Load() > 0 {
				t.Error("the database was not written to")
			}
			if got := column(t, db, "SELECT count(*) FROM t") + column(t, db, "PRAGMA quick_check"); got != "30ok" {
				t.Errorf("got %s", got)
			}
			if size := walBytes(t, path); size > 24<<20 {
				t.Errorf("the WAL has %d bytes, though nobody reads", size)
			}
		})
	}
}

// TestFullDisk fills a real one, where the system lets us make it.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := exec.Command("mount", "-t", "tmpfs", "-o", "size=2m", "none", dir).Run(); err != nil {
		t.Skip("no small disk can be made here:", err)
	}
	defer func() { _ = exec.Command("umount", dir).Run() }()
	backend, err := embedded.Open(embedded.Config{Path: filepath.Join(dir, "test.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	db := d1.New(backend)
	must(t, db, "CREATE TABLE t (a)")
	written := 0
	for ; err == nil; written++ {
		_, err = db.Run(t.Context(), "INSERT INTO t VALUES (zeroblob(100000))")
	}
	if err.Error() != "d1: database or disk is full: SQLITE_FULL" || d1.Ambiguous(err) || errors.Is(err, embedded.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	if got := column(t, db, "SELECT count(*) FROM t"); got != fmt.Sprint(written-1) {
		t.Errorf("%s rows of %d", got, written-1)
	}
	must(t, db, "DELETE FROM t WHERE rowid > 1")
	must(t, db, "INSERT INTO t VALUES (1)")
	if got := column(t, db, "SELECT count(*) FROM t") + column(t, db, "PRAGMA quick_check"); got != "2ok" {
		t.Errorf("afterwards: %s", got)
	}
}
