package embedded

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/skylite-go/skylite/d1"
)

// states numbers the states that the database passes through, by the nanosecond of
// their commit. Numbers grow, also from one process to the next on the same file. The
// state that is there when the database is opened has the number of that moment, so that
// it comes after all that were numbered before.
//
// A number is announced before its commit and published after it. Who reads in between
// may see the commit or not: a bookmark says what was announced, so that nothing which
// may have been seen is missed later, and a replica promises what was published before
// it looked.
type states struct {
	id        string // names the database: 32 hexadecimal digits
	announced atomic.Uint64
	published atomic.Uint64
}

func (s *states) init(cfg Config) {
	name := cfg.ID
	switch {
	case name != "":
	case cfg.Path != "":
		name = "file:" + cfg.Path
	default:
		name = rand.Text()
	}
	sum := sha256.Sum256([]byte(name))
	s.id = hex.EncodeToString(sum[:16])
	s.announce()
	s.publish()
}

// announce numbers the state that the next commit makes. Only the writer calls it.
func (s *states) announce() {
	s.announced.Store(max(uint64(time.Now().UnixNano()), s.announced.Load()+1))
}

// raise announces a number above another, unless one is announced already. It returns
// what is announced.
func (s *states) raise(above uint64) uint64 {
	if s.announced.Load() <= above {
		s.announced.Store(max(uint64(time.Now().UnixNano()), above+1))
	}
	return s.announced.Load()
}

// publish says that the commit is over, however it ended.
func (s *states) publish() { s.published.Store(s.announced.Load()) }

// bookmark has D1's form: the number in two parts, the day it falls on, and the database.
func (s *states) bookmark(n uint64) d1.Bookmark {
	return d1.Bookmark(fmt.Sprintf("%08x-%08x-%08x-%s", n>>32, n&0xffffffff, n/uint64(24*time.Hour), s.id))
}

// parse returns the number in a bookmark; 0 for a constraint.
func (s *states) parse(b d1.Bookmark) (uint64, error) {
	if b.IsConstraint() {
		return 0, nil
	}
	const form = "00000000-00000000-00000000-00000000000000000000000000000000"
	if len(b) != len(form) {
		return 0, malformedBookmark()
	}
	for i := range len(form) {
		if (form[i] == '-') != (b[i] == '-') || b[i] != '-' && !lowerHex(b[i]) {
			return 0, malformedBookmark()
		}
	}
	if string(b[27:]) != s.id {
		return 0, unsent("the bookmark is one of another database", nil)
	}
	high, _ := strconv.ParseUint(string(b[:8]), 16, 32) // what these are was checked
	low, _ := strconv.ParseUint(string(b[9:17]), 16, 32)
	return high<<32 | low, nil
}

func lowerHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

func malformedBookmark() error {
	return unsent("malformed bookmark: it is not of the form 8-8-8-32 hexadecimal digits", nil)
}
