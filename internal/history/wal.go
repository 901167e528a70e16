package history

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Sizes in a write-ahead log; see sqlite.org/walformat.html.
const (
	WALHeader   = 32
	FrameHeader = 24
)

// WAL is what is known of a write-ahead log: which frames are committed, and which of
// them holds a page.
type WAL struct {
	PageSize int
	// At is where the committed frames end.
	At Position
	// Pages is the database's size after the last of them.
	Pages uint32

	frames map[uint32]uint32 // the newest committed frame of a page
	order  binary.ByteOrder  // of checksums
}

// Offset returns where a frame begins. The first frame is 1.
func (w *WAL) Offset(frame uint32) int64 {
	return WALHeader + int64(frame-1)*int64(FrameHeader+w.PageSize)
}

// Find returns the newest committed frame of a page.
func (w *WAL) Find(page uint32) (frame uint32, ok bool) {
	frame, ok = w.frames[page]
	return frame, ok
}

// Restart begins the generation that a header announces. A header that is none, as it is
// if the file is empty, begins none.
func (w *WAL) Restart(header []byte) {
	w.At, w.Pages = Position{}, 0
	w.frames = make(map[uint32]uint32)
	be := binary.BigEndian
	if len(header) < WALHeader {
		return
	}
	switch be.Uint32(header) {
	case 0x377f0682:
		w.order = binary.LittleEndian
	case 0x377f0683:
		w.order = binary.BigEndian
	default:
		return
	}
	sum := be.Uint64(header[24:])
	if int(be.Uint32(header[8:])) != w.PageSize || w.checksum(0, header[:24]) != sum {
		return
	}
	w.At.Salt, w.At.Sum = be.Uint64(header[16:]), sum
}

// checksum goes on with a checksum, whose halves stand one after the other.
func (w *WAL) checksum(sum uint64, data []byte) uint64 {
	a, b := uint32(sum>>32), uint32(sum)
	for ; len(data) >= 8; data = data[8:] {
		a += w.order.Uint32(data) + b
		b += w.order.Uint32(data[4:]) + a
	}
	return uint64(a)<<32 | uint64(b)
}

// Scan reads a log from its beginning, but not beyond a frame.
func (w *WAL) Scan(r io.ReaderAt, last uint32) error {
	var header [WALHeader]byte
	n, err := r.ReadAt(header[:], 0)
	if err != nil && err != io.EOF {
		return fmt.Errorf("read the write-ahead log: %w", err)
	}
	w.Restart(header[:n])
	return w.Extend(r, last)
}

// Extend reads the frames that have come after those that are known, but not beyond a
// frame. What comes after the last commit is not counted.
func (w *WAL) Extend(r io.ReaderAt, last uint32) error {
	if w.At.Salt == 0 {
		return nil
	}
	const most = 1 << 62
	in := bufio.NewReaderSize(io.NewSectionReader(r, w.Offset(w.At.Frame+1), most), 64*(FrameHeader+w.PageSize))
	frame := make([]byte, FrameHeader+w.PageSize)
	var pages []uint32 // of the transaction
	sum := w.At.Sum
	for n := w.At.Frame + 1; n <= last; n++ {
		if _, err := io.ReadFull(in, frame); err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("read the write-ahead log: %w", err)
		}
		be := binary.BigEndian
		page, size := be.Uint32(frame), be.Uint32(frame[4:])
		sum = w.checksum(w.checksum(sum, frame[:8]), frame[FrameHeader:])
		if page == 0 || be.Uint64(frame[8:]) != w.At.Salt || be.Uint64(frame[16:]) != sum {
			return nil
		}
		pages = append(pages, page)
		if size != 0 {
			w.Commit(pages, size, sum)
			pages = pages[:0]
		}
	}
	return nil
}

// Commit says that frames of these pages have come after those that are known, and are
// committed; sum is the checksum of the last one.
func (w *WAL) Commit(pages []uint32, size uint32, sum uint64) {
	for _, page := range pages {
		w.At.Frame++
		w.frames[page] = w.At.Frame
	}
	w.At.Sum, w.Pages = sum, size
}
