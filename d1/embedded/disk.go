package embedded

import (
	"errors"
	"sync/atomic"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// diskName is what the engine knows a disk by.
const diskName = "skylite"

// noRoom counts the operations for which a disk had no room: SQLite's code for that has
// other meanings too, and the engine's errors of that code have no cause inside.
var noRoom atomic.Int64

func init() { vfs.Register(diskName, disk{vfs.Find("os").(vfs.VFSFilename)}) }

// disk is the engine's own way to files, but that a disk without room is told from one
// that is broken.
type disk struct{ vfs.VFSFilename }

// OpenFilename implements [vfs.VFSFilename].
func (d disk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, out, err := d.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return nil, out, roomError(err)
	}
	if inner, ok := f.(innerFile); ok {
		f = diskFile{inner}
	}
	return f, out, nil
}

// innerFile is what the engine's files can do that it uses here.
type innerFile interface {
	vfs.FileLockState
	vfs.FilePersistWAL
	vfs.FilePowersafeOverwrite
	vfs.FileSizeHint
	vfs.FileHasMoved
	vfs.FileSharedMemory
}

type diskFile struct{ innerFile }

// WriteAt implements [vfs.File].
func (f diskFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.innerFile.WriteAt(p, off)
	return n, roomError(err)
}

// roomError gives an error that means that there is no room SQLite's code for that.
func roomError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		noRoom.Add(1)
		return vfs.SystemError(err, sqlite3.FULL)
	}
	return err
}
