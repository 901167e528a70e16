package history

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/bits"
)

// An entry is what a page was before a commit:
//
//	page number, checksum of the old page, length of what follows: 4 bytes each
//	for each run of old bytes: distance from the run before, length (varints), bytes
//
// An entry with a single run over the whole page holds the old page as it was. A page
// may have several entries in one commit: each holds nothing but old bytes, so all of
// them together, in whatever order, make the old page.
const entryHeader = 12

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errEntry   = errors.New("an entry does not fit its page")
)

// appendEntry appends the entry of a page. It appends nothing if the page is the same.
func appendEntry(dst []byte, page uint32, old, cur []byte) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, page)
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(old, castagnoli))
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	dst = appendRuns(dst, old, cur)
	length := len(dst) - start - entryHeader
	if length == 0 {
		return dst[:start]
	}
	binary.LittleEndian.PutUint32(dst[start+8:], uint32(length))
	return dst
}

// appendWhole appends the entry of a page that is kept as it was.
func appendWhole(dst []byte, page uint32, old []byte) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, page)
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(old, castagnoli))
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	dst = appendRun(dst, 0, old)
	binary.LittleEndian.PutUint32(dst[start+8:], uint32(len(dst)-start-entryHeader))
	return dst
}

// appendRuns appends the runs of bytes in which old differs from cur, which is as long
// and a multiple of 8. Differences with fewer than 8 equal bytes between them make one
// run.
func appendRuns(dst, old, cur []byte) []byte {
	end := 0 // of the last run
	for at := 0; at < len(old); at += 8 {
		diff := binary.LittleEndian.Uint64(old[at:]) ^ binary.LittleEndian.Uint64(cur[at:])
		if diff == 0 {
			continue
		}
		start := at + bits.TrailingZeros64(diff)/8
		last := at + 8 - bits.LeadingZeros64(diff)/8
		for at += 8; at < len(old); at += 8 {
			diff = binary.LittleEndian.Uint64(old[at:]) ^ binary.LittleEndian.Uint64(cur[at:])
			if diff == 0 {
				break
			}
			last = at + 8 - bits.LeadingZeros64(diff)/8
		}
		dst = appendRun(dst, start-end, old[start:last])
		end = last
	}
	return dst
}

func appendRun(dst []byte, distance int, old []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(distance))
	dst = binary.AppendUvarint(dst, uint64(len(old)))
	return append(dst, old...)
}

// entry is an entry that was read.
type entry struct {
	page uint32
	sum  uint32 // of the old page
	runs []byte
}

// nextEntry reads the first of several entries, and returns the others.
func nextEntry(b []byte) (e entry, rest []byte, err error) {
	if len(b) < entryHeader {
		return e, nil, errEntry
	}
	e.page = binary.LittleEndian.Uint32(b)
	e.sum = binary.LittleEndian.Uint32(b[4:])
	length := binary.LittleEndian.Uint32(b[8:])
	b = b[entryHeader:]
	if e.page == 0 || uint64(length) > uint64(len(b)) {
		return e, nil, errEntry
	}
	e.runs = b[:length]
	return e, b[length:], nil
}

// apply puts the old bytes into a page.
func (e entry) apply(page []byte) error {
	at := uint64(0)
	for b := e.runs; len(b) > 0; {
		distance, n := binary.Uvarint(b)
		if n <= 0 {
			return errEntry
		}
		b = b[n:]
		length, n := binary.Uvarint(b)
		if n <= 0 {
			return errEntry
		}
		b = b[n:]
		size := uint64(len(page))
		if distance > size-at || length > size-at-distance || length > uint64(len(b)) {
			return errEntry
		}
		at += distance
		at += uint64(copy(page[at:], b[:length]))
		b = b[length:]
	}
	return nil
}
