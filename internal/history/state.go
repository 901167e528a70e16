package history

import (
	"encoding/binary"
	"hash/crc64"
	"io"
	"os"
	"time"
)

// State is a state of a database.
type State struct {
	// Number orders the states: it is about the nanosecond of the commit.
	Number uint64
	// Pages is how many pages the database has.
	Pages uint32
	// At says how the database's files look in that state.
	At Position
}

// Time returns when a state was made.
func (s State) Time() time.Time { return time.Unix(0, int64(s.Number)).UTC() }

// Position is where the write-ahead log ends: a frame of one of its generations. If there
// is no generation, because the log is empty, it is the database's file itself.
type Position struct {
	Salt  uint64 // names the generation; 0 if there is none
	Frame uint32 // the last one that is committed; 0 if none is
	Sum   uint64 // the frame's checksum, over all frames up to it; 0 if it is not known
	File  Fingerprint
}

// same reports whether two positions are one.
func (p Position) same(q Position) bool {
	if p.Salt != q.Salt || p.Frame != q.Frame {
		return false
	}
	if p.Salt == 0 {
		return p.File.same(q.File)
	}
	return p.Sum == q.Sum || p.Sum == 0 || q.Sum == 0
}

// Fingerprint tells a database file from what another program makes of it. A large file is
// known by its size and time alone.
type Fingerprint struct {
	Size, Time int64
	Hash       uint64 // 0 if the file is large
}

// maxHashed is the size up to which a file is known by its content.
const maxHashed = 64 << 20

var crcTable = crc64.MakeTable(crc64.ECMA)

// FingerprintOf looks at a database file. If it is as large and as old as one that is
// known, its content is not read again.
func FingerprintOf(path string, known Fingerprint) (p Fingerprint, err error) {
	f, err := os.Open(path)
	if err != nil {
		return p, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return p, err
	}
	p.Size, p.Time = info.Size(), info.ModTime().UnixNano()
	if p.Size == known.Size && p.Time == known.Time || p.Size > maxHashed {
		p.Hash = known.Hash
		return p, nil
	}
	hash := crc64.New(crcTable)
	_, err = io.Copy(hash, f)
	p.Hash = hash.Sum64() | 1
	return p, err
}

func (p Fingerprint) same(q Fingerprint) bool {
	if p.Size != q.Size || (p.Hash == 0) != (q.Hash == 0) {
		return false
	}
	return p.Hash != 0 && p.Hash == q.Hash || p.Hash == 0 && p.Time == q.Time
}

const stateSize = 8 + 4 + 8 + 4 + 8 + 3*8

func (s State) append(dst []byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint64(dst, s.Number)
	dst = le.AppendUint32(dst, s.Pages)
	dst = le.AppendUint64(dst, s.At.Salt)
	dst = le.AppendUint32(dst, s.At.Frame)
	dst = le.AppendUint64(dst, s.At.Sum)
	dst = le.AppendUint64(dst, uint64(s.At.File.Size))
	dst = le.AppendUint64(dst, uint64(s.At.File.Time))
	return le.AppendUint64(dst, s.At.File.Hash)
}

// stateOf reads stateSize bytes.
func stateOf(b []byte) (s State) {
	le := binary.LittleEndian
	s.Number = le.Uint64(b)
	s.Pages = le.Uint32(b[8:])
	s.At.Salt = le.Uint64(b[12:])
	s.At.Frame = le.Uint32(b[20:])
	s.At.Sum = le.Uint64(b[24:])
	s.At.File.Size = int64(le.Uint64(b[32:]))
	s.At.File.Time = int64(le.Uint64(b[40:]))
	s.At.File.Hash = le.Uint64(b[48:])
	return s
}
