package history

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// A block is
//
//	length of the content, kind: 4 bytes each
//	the content
//	checksum, length of the content again: 4 bytes each
//
// so that a log can be read from both ends. The checksum is also over the block's place.
const (
	blockHeader  = 8
	blockTrailer = 8
)

// kind says what a block holds.
type kind uint32

const (
	kindBegin  kind = 1 + iota // first in a segment: format, page size, reason, state
	kindPages                  // entries of a commit that is still to come
	kindCommit                 // entries, and then a commit's tail
	kindMove                   // a state that is the same as the one before, elsewhere
	kindNext                   // last in a segment: another has begun
)

// errBlock says that there is no good block at a place.
var errBlock = errors.New("a block is damaged")

// block is a block that was read.
type block struct {
	kind       kind
	content    []byte
	start, end int64
}

// blockSum is the checksum of a block at a place: bytes are its header and content.
func blockSum(at int64, bytes []byte) uint32 {
	var place [8]byte
	binary.LittleEndian.PutUint64(place[:], uint64(at))
	return crc32.Update(crc32.Checksum(place[:], castagnoli), castagnoli, bytes)
}

// sealBlock completes a block whose first bytes are room for its header.
func sealBlock(b []byte, k kind, at int64) []byte {
	length := uint32(len(b) - blockHeader)
	binary.LittleEndian.PutUint32(b, length)
	binary.LittleEndian.PutUint32(b[4:], uint32(k))
	b = binary.LittleEndian.AppendUint32(b, blockSum(at, b))
	return binary.LittleEndian.AppendUint32(b, length)
}

// blockReader reads the blocks of a segment, from either end. Its buffer is used again.
type blockReader struct {
	f    io.ReaderAt
	size int64
	buf  []byte
}

// next reads the block that begins at a place. io.EOF means that none does.
func (r *blockReader) next(at int64) (block, error) {
	if at == r.size {
		return block{}, io.EOF
	}
	var header [blockHeader]byte
	if r.size-at < blockHeader+blockTrailer {
		return block{}, errBlock
	}
	if err := readFull(r.f, header[:], at); err != nil {
		return block{}, err
	}
	return r.read(at, binary.LittleEndian.Uint32(header[:]))
}

// previous reads the block that ends at a place.
func (r *blockReader) previous(end int64) (block, error) {
	var length [4]byte
	if end < segmentHeader+blockHeader+blockTrailer {
		return block{}, errBlock
	}
	if err := readFull(r.f, length[:], end-4); err != nil {
		return block{}, err
	}
	n := binary.LittleEndian.Uint32(length[:])
	return r.read(end-blockHeader-blockTrailer-int64(n), n)
}

func (r *blockReader) read(at int64, length uint32) (block, error) {
	whole := int64(length) + blockHeader + blockTrailer
	if at < segmentHeader || whole > r.size-at {
		return block{}, errBlock
	}
	if int64(cap(r.buf)) < whole {
		r.buf = make([]byte, whole)
	}
	b := r.buf[:whole]
	if err := readFull(r.f, b, at); err != nil {
		return block{}, err
	}
	body, trailer := b[:whole-blockTrailer], b[whole-blockTrailer:]
	le := binary.LittleEndian
	if le.Uint32(body) != length || le.Uint32(trailer[4:]) != length || le.Uint32(trailer) != blockSum(at, body) {
		return block{}, errBlock
	}
	return block{kind: kind(le.Uint32(body[4:])), content: body[blockHeader:], start: at, end: at + whole}, nil
}

// readFull reads a part of a file that must be there.
func readFull(f io.ReaderAt, b []byte, at int64) error {
	n, err := f.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF:
		return errBlock
	}
	return err
}

// commitTail is at the end of the content of a commit's block.
type commitTail struct {
	after  State
	before uint64 // the number of the state before
	pages  uint32 // its pages
	lead   uint64 // how many bytes of blocks before this one belong to it
}

const commitTailSize = stateSize + 8 + 4 + 8

func (t commitTail) append(dst []byte) []byte {
	dst = t.after.append(dst)
	dst = binary.LittleEndian.AppendUint64(dst, t.before)
	dst = binary.LittleEndian.AppendUint32(dst, t.pages)
	return binary.LittleEndian.AppendUint64(dst, t.lead)
}

// commit takes the content of a commit's block apart.
func (b block) commit() (entries []byte, t commitTail, err error) {
	n := len(b.content) - commitTailSize
	if b.kind != kindCommit || n < 0 {
		return nil, t, errBlock
	}
	tail := b.content[n:]
	t.after = stateOf(tail)
	t.before = binary.LittleEndian.Uint64(tail[stateSize:])
	t.pages = binary.LittleEndian.Uint32(tail[stateSize+8:])
	t.lead = binary.LittleEndian.Uint64(tail[stateSize+12:])
	if t.before >= t.after.Number || t.lead > uint64(b.start) {
		return nil, t, errBlock
	}
	return b.content[:n], t, nil
}

// state returns the state that a block leaves the database in. ok is false if it says
// nothing of it.
func (b block) state() (s State, ok bool, err error) {
	switch b.kind {
	case kindBegin:
		begin, err := b.begin()
		return begin.state, err == nil, err
	case kindCommit:
		_, t, err := b.commit()
		return t.after, err == nil, err
	case kindMove:
		if len(b.content) != stateSize {
			return s, false, errBlock
		}
		return stateOf(b.content), true, nil
	case kindPages, kindNext:
		return s, false, nil
	}
	return s, false, errBlock
}
