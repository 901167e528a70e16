package history

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Config says where a log is and how it is kept.
type Config struct {
	// Dir is the log's folder, which is created if it does not exist.
	Dir string
	// PageSize is the database's.
	PageSize int
	// Retention is how long states are kept that are no longer the newest.
	Retention time.Duration
	// Sync makes a commit's block durable before Commit returns.
	Sync bool
	// SegmentBytes is how large a segment may be before another is begun. 0 means 16 MiB.
	SegmentBytes int64
}

// Log is the history of one database. One goroutine uses it at a time, under the
// database's write lock.
type Log struct {
	cfg      Config
	segments []segment
	f        *os.File // the last segment; nil if there is none
	began    begin    // of the last segment
	end      int64    // where its settled blocks end
	lead     int64    // the bytes behind them that belong to the open commit
	size     int64    // the file's size, as far as it is known
	state    State
	look     [blockHeader]byte
	buf      []byte // the block that is being made, with room for its header
	dirty    bool   // something is not yet durable
}

// maxBlock is how large a block may grow before it is written though its commit is not
// there yet.
const maxBlock = 256 << 10

// preallocated is by how much a segment grows at once, with zeros, if each commit is made
// durable: that is much faster where the file's size stays the same.
const preallocated = 256 << 10

// Open opens a log. It has no state if it is a new one: see [Log.Begin].
func Open(cfg Config) (*Log, error) {
	if cfg.SegmentBytes <= 0 {
		cfg.SegmentBytes = 16 << 20
	}
	l := &Log{cfg: cfg, buf: make([]byte, blockHeader, 4096)}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	if err := l.load(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Close closes the log's file.
func (l *Log) Close() error {
	if l.f == nil {
		return nil
	}
	err := l.f.Close()
	l.f = nil
	return err
}

// State returns the newest state. Its number is 0 if the log has none.
func (l *Log) State() State { return l.state }

// load opens the last segment and finds its end. A segment that cannot be read counts as
// none: [Log.Begin] then says that the history is damaged.
func (l *Log) load() error {
	if err := l.Close(); err != nil {
		return err
	}
	l.state, l.began, l.end = State{}, begin{}, 0
	l.Discard()
	var err error
	if l.segments, err = list(l.cfg.Dir); err != nil || len(l.segments) == 0 {
		return err
	}
	last := l.segments[len(l.segments)-1]
	if l.f, err = os.OpenFile(filepath.Join(l.cfg.Dir, last.name), os.O_RDWR, 0); err != nil {
		return err
	}
	err = l.findEnd()
	if errors.Is(err, errBlock) || err == nil && l.began.pageSize != l.cfg.PageSize {
		l.state = State{}
		return l.Close()
	}
	return err
}

// Forget makes the next [Log.Refresh] read the log's end anew, since what was written last
// may not be as it seemed.
func (l *Log) Forget() error {
	l.Discard()
	return l.Close()
}

// findEnd finds the last settled block, and cuts off what stands behind it: it belongs to
// a commit that never was.
func (l *Log) findEnd() error {
	r, began, first, err := openSegment(l.f)
	if err != nil {
		return err
	}
	l.began, l.size, l.dirty = began, r.size, true
	if last, err := r.previous(r.size); err == nil {
		if state, ok, err := last.state(); ok && err == nil {
			l.state, l.end = state, last.end
			return nil
		}
	}
	l.state, l.end = began.state, first.end
	_, err = l.readOn(r)
	return err
}

// readOn reads the blocks behind the settled ones. next is true if the segment is over.
func (l *Log) readOn(r *blockReader) (next bool, err error) {
	for at := l.end; ; {
		b, err := r.next(at)
		if err == io.EOF || errors.Is(err, errBlock) {
			break
		}
		if err != nil {
			return false, err
		}
		at = b.end
		state, ok, err := b.state()
		if err != nil {
			break
		}
		if ok {
			l.state, l.end = state, b.end
		}
		next = b.kind == kindNext
	}
	if next {
		return true, nil
	}
	if ends, err := l.endsHere(); err != nil || ends {
		return false, err
	}
	return false, l.cut()
}

// cut removes what stands behind the settled blocks.
func (l *Log) cut() error {
	l.size = l.end
	return l.f.Truncate(l.end)
}

// endsHere reports whether nothing but zeros stands behind the settled blocks.
func (l *Log) endsHere() (bool, error) {
	clear(l.look[:])
	if _, err := l.f.ReadAt(l.look[:], l.end); err != nil && err != io.EOF {
		return false, err
	}
	return l.look == [blockHeader]byte{}, nil
}

// Changed reports whether the log's end is no longer where it was left.
func (l *Log) Changed() (bool, error) {
	if l.f == nil || l.lead != 0 {
		return true, nil
	}
	ends, err := l.endsHere()
	return !ends, err
}

// Refresh reads what other processes have added, and drops what belongs to a commit that
// never was.
func (l *Log) Refresh() error {
	changed, err := l.Changed()
	l.Discard()
	if err != nil || !changed {
		return err
	}
	if l.f == nil {
		return l.load()
	}
	size, err := l.f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if size < l.end {
		return l.load()
	}
	next, err := l.readOn(&blockReader{f: l.f, size: size})
	if err != nil || !next {
		return err
	}
	return l.follow()
}

// follow goes on to the segment that has been begun. If there is none, who was about to
// begin it has died.
func (l *Log) follow() error {
	old, state := l.segments[len(l.segments)-1], l.state
	if err := l.load(); err != nil {
		return err
	}
	if len(l.segments) > 0 && l.segments[len(l.segments)-1].name == old.name {
		return l.begin(state, reasonFull)
	}
	return nil
}

// Reconcile makes the log end with the state whose place is the one given, which is the
// database's: the blocks behind it belong to commits that never were. It returns false,
// and changes nothing, if the log knows no such state.
func (l *Log) Reconcile(at Position) (bool, error) {
	if l.f == nil {
		return false, nil
	}
	if l.state.At.same(at) {
		return true, nil
	}
	r := &blockReader{f: l.f, size: l.end}
	for end := l.end; end > segmentHeader; {
		b, err := r.previous(end)
		if errors.Is(err, errBlock) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		state, ok, err := b.state()
		if err != nil {
			return false, nil
		}
		if ok && state.At.same(at) {
			l.state, l.end = state, b.end
			return true, l.cut()
		}
		end = b.start
	}
	return false, nil
}

// Begin begins the history of a database whose state is given. If there is a history,
// it is one of other states, which can no longer be told; it is removed. Begin then
// returns false.
func (l *Log) Begin(s State) (fresh bool, err error) {
	why := reasonNew
	switch {
	case l.state.Number != 0:
		why = reasonBreak
	case len(l.segments) > 0:
		why = reasonDamage
	}
	old := l.segments
	if err := l.begin(s, why); err != nil {
		return false, err
	}
	return why == reasonNew, l.remove(len(old))
}

// begin ends the last segment and begins another.
func (l *Log) begin(s State, why reason) error {
	if l.f != nil {
		next := sealBlock(make([]byte, blockHeader), kindNext, l.end)
		if _, err := l.f.WriteAt(next, l.end); err != nil {
			return err
		}
		if err := errors.Join(l.f.Truncate(l.end+int64(len(next))), l.f.Sync()); err != nil {
			return err
		}
		l.dirty = false
	}
	added := segment{ordinal: 1, start: s.Number}
	if n := len(l.segments); n > 0 {
		added.ordinal = l.segments[n-1].ordinal + 1
	}
	added.name = segmentName(added.ordinal, added.start)
	if err := createSegment(l.cfg.Dir, added, begin{pageSize: l.cfg.PageSize, reason: why, state: s}); err != nil {
		return err
	}
	return l.load()
}

// remove removes the oldest n segments.
func (l *Log) remove(n int) error {
	for range n {
		if err := os.Remove(filepath.Join(l.cfg.Dir, l.segments[0].name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		l.segments = l.segments[1:]
	}
	return nil
}

// Trim begins another segment if the last is full, and removes those that hold no state
// that is still kept.
func (l *Log) Trim(now time.Time) error {
	if l.f == nil {
		return nil
	}
	old := now.Sub(l.began.state.Time()) > max(l.cfg.Retention/30, time.Minute) && l.state.Number > l.began.state.Number
	if l.end < l.cfg.SegmentBytes && !old {
		return nil
	}
	if err := l.begin(l.state, reasonFull); err != nil {
		return err
	}
	return l.Prune(now)
}

// Prune removes the segments that hold no state that is still kept.
func (l *Log) Prune(now time.Time) error {
	cutoff := uint64(now.Add(-l.cfg.Retention).UnixNano())
	n := 0
	for n+1 < len(l.segments) && l.segments[n+1].start <= cutoff {
		n++
	}
	return l.remove(n)
}

// Move says that the database's files look different though its content is the same.
func (l *Log) Move(at Position) error {
	s := l.state
	s.At = at
	return l.write(kindMove, s.append(make([]byte, blockHeader, 128)), s)
}

// Undo keeps what a page was before the commit that is open.
func (l *Log) Undo(page uint32, old, cur []byte) error {
	l.buf = appendEntry(l.buf, page, old, cur)
	return l.spill()
}

// Keep keeps a page that the commit removes.
func (l *Log) Keep(page uint32, old []byte) error {
	l.buf = appendWhole(l.buf, page, old)
	return l.spill()
}

// spill writes what is kept so far if it is much.
func (l *Log) spill() error {
	if len(l.buf) < maxBlock {
		return nil
	}
	l.buf = sealBlock(l.buf, kindPages, l.end+l.lead)
	n, err := l.put(l.buf)
	l.lead += int64(n)
	l.buf = l.buf[:blockHeader]
	return err
}

// put writes a block behind those that are there.
func (l *Log) put(b []byte) (int, error) {
	l.dirty = true
	at := l.end + l.lead
	n, err := l.f.WriteAt(b, at)
	end := at + int64(len(b))
	if err != nil || end <= l.size {
		return n, err
	}
	l.size = end
	if l.cfg.Sync {
		l.size += preallocated
		_, err = l.f.WriteAt(make([]byte, preallocated), end)
	}
	return n, err
}

// Commit settles what was kept: the database is about to be in another state.
func (l *Log) Commit(s State) error {
	tail := commitTail{after: s, before: l.state.Number, pages: l.state.Pages, lead: uint64(l.lead)}
	l.buf = tail.append(l.buf)
	err := l.write(kindCommit, l.buf, s)
	l.buf = l.buf[:blockHeader]
	if err == nil && l.cfg.Sync {
		err = l.Sync()
	}
	return err
}

// write adds a settled block.
func (l *Log) write(k kind, b []byte, s State) error {
	b = sealBlock(b, k, l.end+l.lead)
	if _, err := l.put(b); err != nil {
		return err
	}
	if k == kindCommit {
		l.buf = b
	}
	l.end += l.lead + int64(len(b))
	l.lead, l.state = 0, s
	return nil
}

// Discard forgets what was kept of a commit that is not to be. What was written of it
// already is cut off by [Log.Refresh].
func (l *Log) Discard() {
	l.buf = l.buf[:blockHeader]
	l.lead = 0
}

// Sync makes the log durable.
func (l *Log) Sync() error {
	if !l.dirty || l.f == nil {
		return nil
	}
	if err := syncData(l.f); err != nil {
		return err
	}
	l.dirty = false
	return nil
}

// Temp makes a file in the log's folder. Those that a process which died has left are
// removed.
func (l *Log) Temp() (*os.File, error) {
	files, err := os.ReadDir(l.cfg.Dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil && strings.HasPrefix(f.Name(), "restore-") && time.Since(info.ModTime()) > time.Hour {
			_ = os.Remove(filepath.Join(l.cfg.Dir, f.Name()))
		}
	}
	return os.CreateTemp(l.cfg.Dir, "restore-*.tmp")
}
