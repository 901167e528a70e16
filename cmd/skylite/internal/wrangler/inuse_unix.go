//go:build unix && !aix && !solaris

package wrangler

import (
	"io"
	"os"
	"syscall"
)

// The bytes of a file that SQLite locks to read it, sqlite.org/fileformat.html#the_lock_byte_page.
// In WAL mode a connection holds the lock from its first statement until it is closed.
const (
	sharedFirst = 0x40000002
	sharedSize  = 510
)

// inUse reports whether another process has an SQLite file open. It takes no lock itself.
// Locks of this package's users are not seen: they belong to no process, but to an open
// file.
func inUse(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: sharedFirst, Len: sharedSize}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock); err != nil {
		return false, &os.PathError{Op: "ask for locks of", Path: path, Err: err}
	}
	return lock.Type != syscall.F_UNLCK && lock.Pid > 0, nil
}
