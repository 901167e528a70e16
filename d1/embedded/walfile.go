package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/skylite-go/skylite/internal/history"
)

// walFile is the write-ahead log as the connection that writes sees it. SQLite writes the
// file's header, headers of frames, and pages, each at once: see sqlite.org/walformat.html.
type walFile struct {
	vfs.File
	r *recorder
}

var _ vfs.FileUnwrap = (*walFile)(nil)

// Unwrap implements [vfs.FileUnwrap].
func (w *walFile) Unwrap() vfs.File { return w.File }

// Close implements [vfs.File].
func (w *walFile) Close() error {
	w.r.wal, w.r.valid = nil, false
	return w.File.Close()
}

// Sync implements [vfs.File]. The history is always as durable as what it undoes.
func (w *walFile) Sync(flags vfs.SyncFlag) error {
	if w.r.log != nil {
		if err := w.r.log.Sync(); err != nil {
			return w.r.failed(err)
		}
	}
	err := w.File.Sync(flags)
	if err != nil && w.r.log != nil {
		_ = w.r.failed(err) // SQLite takes the commit back
	}
	return err
}

// WriteAt implements [vfs.File].
func (w *walFile) WriteAt(p []byte, at int64) (int, error) {
	r := w.r
	if r.log == nil {
		return w.File.WriteAt(p, at)
	}
	size := int64(history.FrameHeader + r.known.PageSize)
	frame, inside := uint32((at-history.WALHeader)/size)+1, (at-history.WALHeader)%size
	var err error
	switch {
	case at == 0 && len(p) == history.WALHeader:
		return w.restart(p)
	case at >= history.WALHeader && inside == 0 && len(p) == history.FrameHeader:
		return w.header(frame, p, at)
	case at >= history.WALHeader && inside == history.FrameHeader && len(p) == r.known.PageSize:
		if r.holding == frame {
			return w.frame(frame, p)
		}
		if err = r.rewrite(frame, p); err == nil {
			return w.File.WriteAt(p, at)
		}
	default:
		err = fmt.Errorf("%d bytes at %d of the write-ahead log are no part of a frame", len(p), at)
	}
	return 0, r.failed(err)
}

// restart begins a new generation of the write-ahead log. All that the old one holds is
// in the database's file by now.
func (w *walFile) restart(p []byte) (int, error) {
	r := w.r
	err := r.begin(math.MaxUint32)
	if err == nil {
		r.known.Restart(p)
		err = r.log.Move(r.known.At)
	}
	if err != nil {
		return 0, r.failed(err)
	}
	r.first = 1
	return w.File.WriteAt(p, 0)
}

// header takes the header of a frame. One that goes on with the transaction waits for its
// page, so that both are written at once. Others are those of frames that are there
// already: their checksums have changed, or a savepoint has been rolled back.
func (w *walFile) header(frame uint32, p []byte, at int64) (int, error) {
	r := w.r
	if !r.open && r.valid && binary.BigEndian.Uint64(p[8:]) != r.known.At.Salt {
		r.valid = false // another process has begun a generation
	}
	if !r.open && (!r.valid || frame > r.known.At.Frame) {
		// A transaction begins, where the last one ended if nobody came between.
		if err := r.begin(frame - 1); err != nil {
			return 0, r.failed(err)
		}
	}
	if r.open && frame >= r.first {
		copy(r.held, p)
		r.holding = frame
		if frame == r.first+uint32(len(r.pages)) {
			return len(p), nil
		}
	} else if frame == r.known.At.Frame {
		r.known.At.Sum = binary.BigEndian.Uint64(p[16:])
	}
	return w.File.WriteAt(p, at)
}

// frame writes a frame whose header was held back, or has been written anew.
func (w *walFile) frame(frame uint32, page []byte) (int, error) {
	r := w.r
	header := r.held[:history.FrameHeader]
	number, size := binary.BigEndian.Uint32(header), binary.BigEndian.Uint32(header[4:])
	r.holding = 0
	err := r.keep(frame, number, page)
	if err == nil && size != 0 {
		err = r.commit(frame, size, binary.BigEndian.Uint64(header[16:]))
	}
	if err != nil {
		return 0, r.failed(err)
	}
	copy(r.held[history.FrameHeader:], page)
	if _, err := w.File.WriteAt(r.held, r.known.Offset(frame)); err != nil {
		_ = r.failed(err)
		return 0, err
	}
	if size != 0 {
		r.known.Commit(r.pages, size, r.log.State().At.Sum)
		r.open = false
	}
	return len(page), nil
}

// keep keeps what a page was before a frame of it.
func (r *recorder) keep(frame, page uint32, content []byte) error {
	n := int(frame - r.first)
	if n > len(r.pages) {
		return errors.New("the write-ahead log has a gap")
	}
	r.pages = append(r.pages[:n], page)
	old, ok, err := r.read(page)
	if err != nil || !ok {
		return err
	}
	return r.log.Undo(page, old, content)
}

// rewrite is keep for a frame whose page is written again.
func (r *recorder) rewrite(frame uint32, content []byte) error {
	n := int(frame) - int(r.first)
	if !r.open || n < 0 || n >= len(r.pages) {
		return errors.New("a frame of the write-ahead log is changed that is committed")
	}
	old, ok, err := r.read(r.pages[n])
	if err != nil || !ok {
		return err
	}
	return r.log.Undo(r.pages[n], old, content)
}

// commit writes the history of a transaction whose last frame is about to be written. The
// frame's checksum is 0 if it will be computed anew, as it is if frames were rewritten.
func (r *recorder) commit(frame, size uint32, sum uint64) error {
	before := r.log.State()
	for page := size + 1; page <= before.Pages; page++ {
		old, _, err := r.read(page)
		if err != nil {
			return err
		}
		if err := r.log.Keep(page, old); err != nil {
			return err
		}
	}
	number := r.states.raise(before.Number)
	return r.log.Commit(history.State{Number: number, Pages: size,
		At: history.Position{Salt: r.known.At.Salt, Frame: frame, Sum: sum}})
}

// copyTo writes the database, as it is, into a file. It is called under the write lock.
func (r *recorder) copyTo(ctx context.Context, f *os.File) error {
	for page := uint32(1); page <= r.log.State().Pages; page++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		content, _, err := r.read(page)
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(content, int64(page-1)*int64(len(content))); err != nil {
			return err
		}
	}
	return nil
}
