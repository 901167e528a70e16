package embedded

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/skylite-go/skylite/internal/history"
)

// recorder writes the history of a database, as the connection that writes changes the
// database's files: it is that connection's VFS. Before a commit reaches the write-ahead
// log, what the pages held that it changes is in the history.
//
// It runs where the engine runs, in the goroutine that owns the connection.
type recorder struct {
	vfs.VFS
	name   string // in the engine's registry
	path   string
	cfg    Config
	states *states
	log    *history.Log
	db     vfs.File // the database's file

	wal   vfs.File // the write-ahead log; nil until it is opened
	known history.WAL
	valid bool // known is what the write-ahead log held after the last commit of ours

	open  bool     // a transaction has written frames
	first uint32   // its first frame
	pages []uint32 // the pages of its frames

	held     []byte // a frame: its header, which waits for its page, and room for that
	holding  uint32 // the frame in held; 0 if there is none
	old      []byte // room for a page
	fault    error  // why the engine was told of an I/O error
	expected uint64 // the state that a restore was made for; 0 if there is none
}

// errMoved says that the database was changed while a restore was prepared.
var errMoved = errors.New("the database was changed meanwhile")

// HistorySuffix is what the folder of a database's history has behind the database's name.
const HistorySuffix = "-history"

func newRecorder(cfg Config, states *states) *recorder {
	r := &recorder{
		VFS: vfs.Find(""), name: "skylite-" + rand.Text(), path: cfg.Path, cfg: cfg, states: states,
	}
	vfs.Register(r.name, r)
	return r
}

// close ends the recorder, whose connection is closed.
func (r *recorder) close() error {
	vfs.Unregister(r.name)
	if r.log == nil {
		return nil
	}
	return r.log.Close()
}

// Open implements [vfs.VFS]; the engine calls OpenFilename.
func (r *recorder) Open(string, vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return nil, 0, sqlite3.CANTOPEN
}

// OpenFilename implements [vfs.VFSFilename].
func (r *recorder) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, got, err := r.VFS.(vfs.VFSFilename).OpenFilename(name, flags)
	if err != nil {
		return file, got, err
	}
	switch {
	case flags&vfs.OPEN_MAIN_DB != 0 && name.String() == r.path:
		r.db = file
	case flags&vfs.OPEN_WAL != 0 && name.String() == r.path+"-wal":
		r.wal, r.valid = file, false
		file = &walFile{File: file, r: r}
	}
	return file, got, nil
}

// Delete implements [vfs.VFS]. The write-ahead log goes when the last connection to the
// database is closed, which has the database for itself then: from now on the history
// knows the state by the database's file.
func (r *recorder) Delete(name string, syncDir bool) error {
	if name == r.path+"-wal" && r.log != nil {
		if err := r.settle(); err != nil {
			r.cfg.Logger.Error("cannot end the history; it will seem to be broken", "path", r.path, "error", err)
		}
	}
	return r.VFS.Delete(name, syncDir)
}

// settle notes the database's file in the history, if nothing has come between.
func (r *recorder) settle() error {
	f, err := os.Open(r.path + "-wal")
	if errors.Is(err, os.ErrNotExist) {
		return nil // the database has been deleted
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := r.known.Scan(f, math.MaxUint32); err != nil {
		return err
	}
	if err := r.log.Refresh(); err != nil {
		return err
	}
	if r.known.At.Salt == 0 {
		return nil // it was never written to
	}
	if ok, err := r.log.Reconcile(r.known.At); err != nil || !ok {
		return err
	}
	file, err := history.FingerprintOf(r.path, history.Fingerprint{})
	if err != nil {
		return err
	}
	if err := r.log.Move(history.Position{File: file}); err != nil {
		return err
	}
	return r.log.Sync()
}

// attach begins to record a connection's transactions.
func (r *recorder) attach(c *conn) (err error) {
	if r.log != nil {
		if err := r.log.Close(); err != nil {
			return err
		}
		r.log = nil
	}
	r.known = history.WAL{PageSize: int(c.pageSize)}
	r.held = make([]byte, history.FrameHeader+c.pageSize)
	r.old = make([]byte, c.pageSize)
	c.RollbackHook(r.rolledBack)
	return r.look(c, func() error { return r.log.Prune(time.Now()) })
}

// look calls a function under the database's write lock, when the history is that of the
// database as it is.
func (r *recorder) look(c *conn, then func() error) error {
	return c.own(func() error {
		if err := c.runOwn(c.begin); err != nil {
			return err
		}
		defer c.rollBack()
		err := r.openLog()
		if err == nil {
			err = r.begin(math.MaxUint32)
		}
		r.open = false
		if err == nil {
			err = then()
		}
		return err
	})
}

// openLog opens the log, which must be done under the write lock.
func (r *recorder) openLog() (err error) {
	if r.log == nil {
		r.log, err = history.Open(history.Config{
			Dir: r.path + HistorySuffix, PageSize: r.known.PageSize, Retention: r.cfg.Retention, Sync: r.cfg.Sync == SyncFull,
		})
	}
	return err
}

// rolledBack is called when the engine has given a transaction up.
func (r *recorder) rolledBack() { r.open, r.holding = false, 0 }

// begin is called before the first change of a transaction. The write-ahead log ends with
// a frame, or where it ends, and the history is made to end there too.
func (r *recorder) begin(last uint32) error {
	r.pages, r.holding = r.pages[:0], 0
	changed, err := r.log.Changed()
	if err != nil {
		return err
	}
	if !r.valid || changed || r.known.At.Frame != last {
		if err := r.synchronize(last); err != nil {
			r.valid = false
			return err
		}
	}
	if r.expected != 0 && r.expected != r.log.State().Number {
		return errMoved
	}
	r.open, r.first = true, r.known.At.Frame+1
	return nil
}

// synchronize brings what is known, and the history, up to date.
func (r *recorder) synchronize(last uint32) error {
	if err := r.log.Refresh(); err != nil {
		return err
	}
	if err := r.scan(last); err != nil {
		return err
	}
	at, pages, err := r.position()
	if err != nil {
		return err
	}
	ok, err := r.log.Reconcile(at)
	if err != nil {
		return err
	}
	if !ok {
		state := history.State{Number: r.states.raise(r.log.State().Number), Pages: pages, At: at}
		fresh, err := r.log.Begin(state)
		if err != nil {
			return err
		}
		if !fresh {
			r.cfg.Logger.Warn("the database was changed by a program that keeps no history, or the history is damaged: "+
				"states before now are lost", "path", r.path)
		}
	}
	r.states.raise(r.log.State().Number - 1)
	r.valid = true
	return r.log.Trim(time.Now())
}

// scan reads what the write-ahead log holds up to a frame.
func (r *recorder) scan(last uint32) error {
	if r.wal == nil {
		return errors.New("the database is not in WAL mode")
	}
	var header [history.WALHeader]byte
	if _, err := r.wal.ReadAt(header[:], 0); err != nil && err != io.EOF {
		return err
	}
	if r.valid && r.known.At.Frame <= last && binary.BigEndian.Uint64(header[16:]) == r.known.At.Salt {
		return r.known.Extend(r.wal, last)
	}
	return r.known.Scan(r.wal, last)
}

// position returns where the database stands, and how many pages it has.
func (r *recorder) position() (at history.Position, pages uint32, err error) {
	at, pages = r.known.At, r.known.Pages
	if at.Salt == 0 {
		if at.File, err = history.FingerprintOf(r.path, r.log.State().At.File); err != nil {
			return at, 0, err
		}
	}
	if pages == 0 {
		size, err := r.db.Size()
		if err != nil {
			return at, 0, err
		}
		pages = uint32(size / int64(r.known.PageSize))
	}
	return at, pages, nil
}

// read returns what a page holds as of the last commit. ok is false if there is no such
// page. What is returned is good until the next call.
func (r *recorder) read(page uint32) (content []byte, ok bool, err error) {
	if page > r.log.State().Pages {
		return nil, false, nil
	}
	if frame, ok := r.known.Find(page); ok {
		_, err = r.wal.ReadAt(r.old, r.known.Offset(frame)+history.FrameHeader)
	} else {
		var n int
		n, err = r.db.ReadAt(r.old, int64(page-1)*int64(len(r.old)))
		if err == io.EOF { // a page that was never written
			clear(r.old[n:])
			err = nil
		}
	}
	return r.old, true, err
}

// failed is what the engine is told if the history cannot be written. The transaction
// fails with it.
func (r *recorder) failed(err error) error {
	r.valid = false
	err = errors.Join(err, r.log.Forget())
	if errors.Is(err, errMoved) {
		r.expected = 0
		return vfs.SystemError(err, sqlite3.IOERR_WRITE)
	}
	r.fault = fmt.Errorf("cannot keep the database's history: %w", err)
	r.cfg.Logger.Error("a commit failed", "path", r.path, "error", r.fault)
	return vfs.SystemError(r.fault, sqlite3.IOERR_WRITE)
}

// takeFault returns why the engine was last told of an I/O error, once.
func (r *recorder) takeFault() error {
	err := r.fault
	r.fault = nil
	return err
}
