package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// segmentMagic begins every segment.
const (
	segmentMagic  = "skylite history\n"
	segmentHeader = int64(len(segmentMagic))
	format        = 1
)

// reason is why a segment was begun.
type reason uint32

const (
	reasonNew    reason = 1 + iota // there was no history before
	reasonFull                     // the one before is full
	reasonBreak                    // a program that keeps no history has changed the database
	reasonDamage                   // the log before it could not be read
)

// begin is the content of a segment's first block.
type begin struct {
	pageSize int
	reason   reason
	state    State
}

func (b begin) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, format)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(b.pageSize))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(b.reason))
	return b.state.append(dst)
}

func (b block) begin() (begin, error) {
	if b.kind != kindBegin || len(b.content) != 12+stateSize {
		return begin{}, errBlock
	}
	le := binary.LittleEndian
	found := begin{
		pageSize: int(le.Uint32(b.content[4:])), reason: reason(le.Uint32(b.content[8:])),
		state: stateOf(b.content[12:]),
	}
	if v := le.Uint32(b.content); v != format {
		return found, fmt.Errorf("it has format %d, and this version knows %d", v, format)
	}
	if size := found.pageSize; size < 512 || size > 65536 || size&(size-1) != 0 {
		return found, errBlock
	}
	return found, nil
}

// segment is a file of the log. Its name says which one it is and where it begins, so
// that names sort as the states do.
type segment struct {
	name    string
	ordinal uint32
	start   uint64 // the number of its first state
}

func segmentName(ordinal uint32, start uint64) string {
	return fmt.Sprintf("%08x-%016x.log", ordinal, start)
}

// parseSegment returns false for names of other files.
func parseSegment(name string) (s segment, ok bool) {
	s.name = name
	_, err := fmt.Sscanf(name, "%08x-%016x.log", &s.ordinal, &s.start)
	return s, err == nil && name == segmentName(s.ordinal, s.start)
}

// list returns the segments of a folder, the oldest first.
func list(dir string) ([]segment, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []segment
	for _, f := range files {
		if s, ok := parseSegment(f.Name()); ok {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b segment) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// createSegment makes a segment's file with its first block: as a whole, or not at all.
func createSegment(dir string, s segment, b begin) (err error) {
	path := filepath.Join(dir, s.name)
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	data := sealBlock(b.append(make([]byte, blockHeader)), kindBegin, segmentHeader)
	_, err = f.Write(append([]byte(segmentMagic), data...))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncFolder(dir)
}

// syncFolder makes the names of new files durable, where the system can.
func syncFolder(dir string) error {
	if f, err := os.Open(dir); err == nil {
		_ = f.Sync()
		return f.Close()
	}
	return nil
}

// openSegment opens a segment to be read, and reads its first block.
func openSegment(f *os.File) (*blockReader, begin, block, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, begin{}, block{}, err
	}
	r := &blockReader{f: f, size: size}
	var magic [segmentHeader]byte
	if err := readFull(f, magic[:], 0); err != nil || string(magic[:]) != segmentMagic {
		return nil, begin{}, block{}, errors.Join(err, errBlock)
	}
	first, err := r.next(segmentHeader)
	if err == io.EOF {
		err = errBlock
	}
	if err != nil {
		return nil, begin{}, block{}, err
	}
	found, err := first.begin()
	return r, found, first, err
}
