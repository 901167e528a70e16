package catalog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/skylite-go/skylite/d1"
)

// Handle is a database in use. Close gives it back; the database itself stays open
// for the next user.
type Handle struct {
	d1.Backend
	// Database is what the list said of it when it was opened.
	Database Database

	pool   *pool
	opened *opened
	once   sync.Once
}

var (
	_ d1.Backend      = (*Handle)(nil)
	_ d1.TimeTraveler = (*Handle)(nil)
)

// BookmarkAt implements [d1.TimeTraveler]; see [embedded.DB.BookmarkAt].
func (h *Handle) BookmarkAt(ctx context.Context, at time.Time) (d1.Bookmark, error) {
	if traveler, ok := h.Backend.(d1.TimeTraveler); ok {
		return traveler.BookmarkAt(ctx, at)
	}
	return "", errNoTravel
}

// Restore implements [d1.TimeTraveler]; see [embedded.DB.Restore].
func (h *Handle) Restore(ctx context.Context, to d1.Bookmark) (d1.Restored, error) {
	if traveler, ok := h.Backend.(d1.TimeTraveler); ok {
		return traveler.Restore(ctx, to)
	}
	return d1.Restored{}, errNoTravel
}

var errNoTravel = fmt.Errorf("the database has no time travel: %w", errors.ErrUnsupported)

// Close gives the database back. A second Close does nothing.
func (h *Handle) Close() error {
	h.once.Do(func() { h.pool.release(h.opened) })
	return nil
}

// opened is one open database.
type opened struct {
	id      string
	ready   chan struct{} // closed when backend, db and err are set
	backend d1.Backend
	db      Database
	err     error

	// The pool's lock guards what follows.
	users    int
	lastUsed uint64
	gone     func() error // set when the database is deleted: what to do once it is closed
}

// pool keeps databases open. None is closed while it is in use.
type pool struct {
	cfg Config

	mu      sync.Mutex
	byID    map[string]*opened
	clock   uint64        // counts uses, to know which was last
	change  chan struct{} // closed when a database is given back; nil if nobody waits
	closing bool
	leaving sync.WaitGroup // doomed databases that are still in use
}

func (p *pool) init(cfg Config) {
	p.cfg = cfg
	p.byID = make(map[string]*opened)
}

// changed returns what is closed when a database is given back. The caller holds the
// lock.
func (p *pool) changed() chan struct{} {
	if p.change == nil {
		p.change = make(chan struct{})
	}
	return p.change
}

// find returns a database that is open already, and counts the caller as a user; or
// nil.
func (p *pool) find(id string) *opened {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.byID[id]
	if h == nil || p.closing {
		return nil
	}
	select {
	case <-h.ready:
	default:
		return nil
	}
	if h.err != nil {
		return nil
	}
	p.clock++
	h.users++
	h.lastUsed = p.clock
	return h
}

// acquire returns an open database, which it opens if need be, and counts the caller
// as a user.
func (p *pool) acquire(ctx context.Context, db Database, open func() (d1.Backend, error)) (*opened, error) {
	h, mine, err := p.enter(ctx, db.ID)
	if err != nil {
		return nil, err
	}
	if mine {
		h.db = db
		h.backend, h.err = open()
		close(h.ready)
	} else {
		<-h.ready
	}
	if h.err != nil {
		p.release(h)
		return nil, h.err
	}
	return h, nil
}

// enter finds or adds the database's entry. mine says that the caller must open it.
func (p *pool) enter(ctx context.Context, id string) (h *opened, mine bool, err error) {
	var timeout <-chan time.Time
	for {
		h, mine, idle, change, err := p.tryEnter(id)
		if h != nil || err != nil {
			return h, mine, err
		}
		if idle != nil {
			if err := idle.backend.Close(); err != nil {
				p.cfg.Logger.Error("cannot close a database", "id", idle.id, "error", err)
			}
			continue
		}
		if timeout == nil {
			timer := time.NewTimer(p.cfg.Wait)
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-timeout:
			return nil, false, ErrBusy
		}
	}
}

// tryEnter returns the entry; or, if there is no room, an idle database for the
// caller to close, or what to wait for.
func (p *pool) tryEnter(id string) (h *opened, mine bool, idle *opened, change chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return nil, false, nil, nil, ErrClosed
	}
	p.clock++
	if h := p.byID[id]; h != nil {
		h.users++
		h.lastUsed = p.clock
		return h, false, nil, nil, nil
	}
	if p.cfg.Dir != "" && len(p.byID) >= p.cfg.MaxOpen {
		if idle := p.leastUsed(); idle != nil {
			delete(p.byID, idle.id)
			return nil, false, idle, nil, nil
		}
		return nil, false, nil, p.changed(), nil
	}
	h = &opened{id: id, ready: make(chan struct{}), users: 1, lastUsed: p.clock}
	p.byID[id] = h
	return h, true, nil, nil, nil
}

// leastUsed returns the database that nobody has used for the longest time, or nil
// if all are in use.
func (p *pool) leastUsed() (idle *opened) {
	for _, h := range p.byID {
		if h.users == 0 && (idle == nil || h.lastUsed < idle.lastUsed) {
			idle = h
		}
	}
	return idle
}

// release counts a user out. The last one closes a database that was deleted
// meanwhile. One that did not open is dropped at once, for who comes next to try again.
func (p *pool) release(h *opened) {
	p.mu.Lock()
	h.users--
	last := h.users == 0
	if h.err != nil && p.byID[h.id] == h {
		delete(p.byID, h.id)
	}
	finish := last && h.gone != nil
	if p.change != nil {
		close(p.change)
		p.change = nil
	}
	p.mu.Unlock()
	if !finish {
		return
	}
	defer p.leaving.Done()
	if err := h.finish(); err != nil {
		p.logRemoval(h.id, err)
	}
}

func (p *pool) logRemoval(id string, err error) {
	p.cfg.Logger.Error("cannot remove a deleted database", "id", id, "error", err)
}

// doom closes a database for good and then calls gone: at once if nobody uses it, or
// else when its last user leaves. Nobody finds it from now on.
func (p *pool) doom(id string, gone func() error) error {
	p.mu.Lock()
	h := p.byID[id]
	if h == nil {
		p.mu.Unlock()
		return gone()
	}
	delete(p.byID, id)
	h.gone = gone
	if h.users > 0 {
		p.leaving.Add(1)
		p.mu.Unlock()
		return nil
	}
	p.mu.Unlock()
	return h.finish()
}

func (h *opened) finish() error {
	var err error
	if h.backend != nil {
		err = h.backend.Close()
	}
	return errors.Join(err, h.gone())
}

// close waits until nobody uses a database, and closes all of them.
func (p *pool) close() error {
	p.mu.Lock()
	p.closing = true
	for p.inUse() {
		change := p.changed()
		p.mu.Unlock()
		<-change
		p.mu.Lock()
	}
	all := p.byID
	p.byID = nil
	p.mu.Unlock()
	p.leaving.Wait()
	var errs error
	for _, h := range all {
		errs = errors.Join(errs, h.backend.Close())
	}
	return errs
}

func (p *pool) inUse() bool {
	for _, h := range p.byID {
		if h.users > 0 {
			return true
		}
	}
	return false
}
