package history

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const pageSize = 512

// pages is a database of pages that a test changes, with its history.
type pages struct {
	t     testing.TB
	dir   string
	log   *Log
	cur   [][]byte
	frame uint32
}

func newPages(t testing.TB, cfg Config) *pages {
	p := &pages{t: t, dir: filepath.Join(t.TempDir(), "history")}
	p.reopen(cfg)
	if _, err := p.log.Begin(State{Number: number(0), At: p.at()}); err != nil {
		t.Fatal(err)
	}
	return p
}

var began = time.Now()

// number is that of the state after a commit.
func number(commit int) uint64 { return uint64(began.UnixNano() + int64(commit)) }

func (p *pages) at() Position { return Position{Salt: 7, Frame: p.frame} }

func (p *pages) reopen(cfg Config) {
	p.t.Helper()
	if p.log != nil {
		p.log.Close()
	}
	cfg.Dir, cfg.PageSize, cfg.Retention = p.dir, pageSize, time.Hour
	var err error
	if p.log, err = Open(cfg); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { p.log.Close() })
}

// change makes the next commit, of random changes.
func (p *pages) change(random *rand.Rand, n int) {
	p.t.Helper()
	before := len(p.cur)
	size := max(1, before+random.IntN(5)-2)
	next := make([][]byte, size)
	for i := range next {
		if i >= before {
			next[i] = make([]byte, pageSize)
		} else {
			next[i] = bytes.Clone(p.cur[i])
		}
		for range random.IntN(3) {
			for twice := range 1 + random.IntN(2) { // a page may be written twice
				at := random.IntN(pageSize)
				next[i][at] = byte(random.IntN(256))
				if i < before {
					if err := p.log.Undo(uint32(i+1), p.cur[i], next[i]); err != nil {
						p.t.Fatal(err, twice)
					}
				}
			}
		}
	}
	for i := size; i < before; i++ {
		if err := p.log.Keep(uint32(i+1), p.cur[i]); err != nil {
			p.t.Fatal(err)
		}
	}
	if random.IntN(4) == 0 {
		p.log.buf = sealBlock(p.log.buf, kindPages, p.log.end+p.log.lead)
		wrote, err := p.log.put(p.log.buf)
		if err != nil {
			p.t.Fatal(err)
		}
		p.log.lead += int64(wrote)
		p.log.buf = p.log.buf[:blockHeader]
	}
	p.frame++
	if err := p.log.Commit(State{Number: number(n), Pages: uint32(size), At: p.at()}); err != nil {
		p.t.Fatal(err)
	}
	p.cur = next
}

// rewind returns the database as it was.
func (p *pages) rewind(to uint64) ([]byte, error) {
	f, err := os.Create(filepath.Join(p.t.TempDir(), "image"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(bytes.Join(p.cur, nil)); err != nil {
		p.t.Fatal(err)
	}
	if err := p.log.Rewind(p.t.Context(), to, NewImage(f, pageSize)); err != nil {
		return nil, err
	}
	return os.ReadFile(f.Name())
}

func TestRewind(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{"one segment": {}, "many segments": {SegmentBytes: 2000}, "synced": {Sync: true, SegmentBytes: 9000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, 2))
			p := newPages(t, cfg)
			was := [][]byte{nil}
			for n := 1; n <= 200; n++ {
				p.change(random, n)
				was = append(was, bytes.Join(p.cur, nil))
				switch random.IntN(8) {
				case 0:
					p.reopen(cfg)
				case 1:
					if err := p.log.Trim(time.Now()); err != nil {
						t.Fatal(err)
					}
				case 2: // a commit that never was
					if err := p.log.Undo(1, p.cur[0], make([]byte, pageSize)); err != nil {
						t.Fatal(err)
					}
					if err := p.log.Commit(State{Number: number(n) + 1, Pages: 1, At: Position{Salt: 7, Frame: p.frame + 9}}); err != nil {
						t.Fatal(err)
					}
					if ok, err := p.log.Reconcile(p.at()); !ok || err != nil {
						t.Fatal(ok, err)
					}
				}
				if got := p.log.State(); got.Number != number(n) || got.At.Frame != p.frame {
					t.Fatalf("the newest state is %+v after commit %d", got, n)
				}
			}
			for n, want := range was {
				if found, _, err := p.log.Find(number(n)); err != nil || found != number(n) {
					t.Errorf("state %d: found %d, error %v", n, found, err)
				}
				got, err := p.rewind(number(n))
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("state %d is not as it was, error %v", n, err)
				}
			}
			if _, _, err := p.log.Find(number(0) - 1); !isLost(err) {
				t.Errorf("before the beginning: error %v", err)
			}
		})
	}
}

func isLost(err error) bool {
	_, ok := errors.AsType[*LostError](err)
	return ok
}

// TestDamage changes every part of a log: it must never give a wrong state.
func TestDamage(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	p := newPages(t, Config{})
	was := [][]byte{nil}
	for n := 1; n <= 12; n++ {
		p.change(random, n)
		was = append(was, bytes.Join(p.cur, nil))
	}
	path := filepath.Join(p.dir, p.log.segments[0].name)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lost := 0
	for at := 0; at < len(good); at += 13 {
		for _, bad := range [][]byte{good[:at], append(append(bytes.Clone(good[:at]), good[at]^(1<<random.IntN(8))), good[at+1:]...)} {
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			lost += p.checkStates(was)
		}
	}
	if lost == 0 {
		t.Error("no damage was noticed")
	}
}

// checkStates opens the log, as it is now, and returns how many states it does not know.
func (p *pages) checkStates(was [][]byte) (lost int) {
	p.t.Helper()
	l, err := Open(Config{Dir: p.dir, PageSize: pageSize, Retention: time.Hour})
	if err != nil {
		return len(was)
	}
	defer l.Close()
	if ok, err := l.Reconcile(p.at()); !ok || err != nil {
		return len(was)
	}
	old := p.log
	p.log = l
	defer func() { p.log = old }()
	for n, want := range was {
		found, _, err := l.Find(number(n))
		if err != nil || found != number(n) {
			lost++
			continue
		}
		if got, err := p.rewind(found); err != nil {
			lost++
		} else if !bytes.Equal(got, want) {
			p.t.Fatalf("state %d is not as it was", n)
		}
	}
	return lost
}

// FuzzLog reads logs that are anything: errors are fine, and wrong states are not.
func FuzzLog(f *testing.F) {
	random := rand.New(rand.NewPCG(5, 6))
	p := newPages(f, Config{})
	was := [][]byte{nil}
	for n := 1; n <= 6; n++ {
		p.change(random, n)
		was = append(was, bytes.Join(p.cur, nil))
	}
	path := filepath.Join(p.dir, p.log.segments[0].name)
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(0, 0, []byte{})
	f.Add(len(good)/2, 1, []byte{0})
	f.Add(len(good), 0, []byte("more"))
	f.Add(int(segmentHeader), 4, []byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, at, cut int, put []byte) {
		if at < 0 || at > len(good) || cut < 0 || cut > len(good)-at {
			return
		}
		bad := append(append(bytes.Clone(good[:at]), put...), good[at+cut:]...)
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		here := *p
		here.t = t
		here.checkStates(was)
	})
}

// FuzzEntries reads entries that are anything.
func FuzzEntries(f *testing.F) {
	old, cur := bytes.Repeat([]byte{1}, pageSize), bytes.Repeat([]byte{1, 2}, pageSize/2)
	f.Add(appendEntry(nil, 3, old, cur))
	f.Add(appendWhole(nil, 3, old))
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			e, rest, err := nextEntry(b)
			if err != nil {
				return
			}
			_ = e.apply(make([]byte, pageSize))
			b = rest
		}
	})
}

func FuzzDelta(f *testing.F) {
	f.Add([]byte("old"), []byte("new"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		old, cur := make([]byte, pageSize), make([]byte, pageSize)
		copy(old, a)
		copy(cur, b)
		entry := appendEntry(nil, 9, old, cur)
		if len(entry) == 0 {
			if !bytes.Equal(old, cur) {
				t.Fatal("no entry")
			}
			return
		}
		e, rest, err := nextEntry(entry)
		if err != nil || len(rest) != 0 || e.page != 9 {
			t.Fatal(e, rest, err)
		}
		if err := e.apply(cur); err != nil || !bytes.Equal(old, cur) {
			t.Fatalf("error %v", err)
		}
		if err := e.apply(cur); err != nil || !bytes.Equal(old, cur) {
			t.Fatalf("the second time: error %v", err)
		}
	})
}

func TestPrune(t *testing.T) {
	t.Parallel()
	p := newPages(t, Config{SegmentBytes: 1})
	random := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= 9; n++ {
		p.change(random, n)
		if err := p.log.Trim(time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	// Now state 5 is the newest that is as old as the retention.
	if err := p.log.Prune(time.Unix(0, int64(number(5))).Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for n := range 10 {
		_, _, err := p.log.Find(number(n))
		if (err == nil) != (n >= 5) || err != nil && !strings.Contains(err.Error(), "older than those that are kept") {
			t.Errorf("state %d: error %v", n, err)
		}
	}
	if files, err := os.ReadDir(p.dir); err != nil || len(files) != 5 {
		t.Errorf("%d files, error %v", len(files), err)
	}
	for _, broken := range []string{"", "not a segment"} {
		for _, s := range p.log.segments {
			if err := os.WriteFile(filepath.Join(p.dir, s.name), []byte(broken), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		p.reopen(Config{})
		if fresh, err := p.log.Begin(State{Number: number(20), At: p.at()}); fresh || err != nil {
			t.Errorf("%q: fresh %v, error %v", broken, fresh, err)
		}
		if _, _, err := p.log.Find(number(9)); err == nil || !strings.Contains(err.Error(), "the history was damaged") {
			t.Errorf("%q: error %v", broken, err)
		}
	}
}

func BenchmarkEntry(b *testing.B) {
	old := make([]byte, 4096)
	for i := range old {
		old[i] = byte(i * 7)
	}
	cur := bytes.Clone(old)
	copy(cur[8:], "12345678")
	copy(cur[3000:], fmt.Sprint(b.N, " some new row of a table"))
	buf := make([]byte, 0, 8192)
	b.SetBytes(4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = appendEntry(buf[:0], 1, old, cur)
	}
}
