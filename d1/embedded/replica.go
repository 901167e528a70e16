package embedded

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/skylite-go/skylite/d1"
)

// defaultLag is how far replicas are behind if nothing else is said.
const defaultLag = 500 * time.Millisecond

// replica is a connection that keeps looking at a state of the past.
type replica struct {
	conn    *conn // nil if it could not be opened
	region  string
	lag     time.Duration
	atLeast uint64    // the state that it has for sure
	atMost  uint64    // the newest that it may have
	due     time.Time // when it must look again; zero if it has the newest
}

// replicas are those of one database. Each is used by one request at a time.
type replicas struct {
	db   *DB
	idle chan *replica

	mu    sync.Mutex // guards due of all, and the timer
	all   []*replica
	timer *time.Timer
}

// regions are D1's.
var regions = []string{"ENAM", "WEUR", "APAC", "WNAM", "EEUR", "OC"}

// open makes the replicas. Each has its own lag, up to the configured one, so that who
// goes from one to another without a bookmark may go back in time.
func (rs *replicas) open(db *DB) error {
	rs.db = db
	rs.idle = make(chan *replica, db.cfg.Replicas)
	elsewhere := slices.DeleteFunc(slices.Clone(regions), func(region string) bool { return region == db.cfg.Region })
	for i := range db.cfg.Replicas {
		r := &replica{region: elsewhere[i%len(elsewhere)], lag: db.cfg.Lag * time.Duration(i+1) / time.Duration(db.cfg.Replicas)}
		if err := rs.look(r); err != nil {
			rs.close()
			return err
		}
		rs.all = append(rs.all, r)
		rs.idle <- r
	}
	return nil
}

// look makes a replica see the newest state, and keep it.
func (rs *replicas) look(r *replica) (err error) {
	defer func() {
		if fault := recover(); fault != nil && r.conn != nil {
			err = r.conn.fault(fault)
		}
		if err != nil && r.conn != nil {
			r.conn.discard()
			r.conn = nil
		}
	}()
	if r.conn == nil {
		if r.conn, err = rs.db.openConn(false); err != nil {
			return err
		}
		r.conn.replica = r
	} else if err := r.conn.own(func() error { return r.conn.runOwn(r.conn.commit) }); err != nil {
		return err
	}
	rs.mu.Lock()
	r.due = time.Time{} // a commit from now on makes it due again
	rs.mu.Unlock()
	r.atLeast = rs.db.states.published.Load()
	err = r.conn.own(func() error {
		if err := r.conn.runOwn(r.conn.begin); err != nil {
			return err
		}
		return r.conn.runOwn(r.conn.look) // only what reads holds on to a state
	})
	r.atMost = rs.db.states.announced.Load()
	return err
}

// take returns a replica that nobody uses and that has a state, or nil. The constraint
// says whether a replica will do at all.
func (rs *replicas) take(b d1.Bookmark, at uint64) *replica {
	if b == "" || b == d1.FirstPrimary {
		return nil
	}
	for range rs.all {
		select {
		case r := <-rs.idle:
			if rs.lookIfDue(r, false) && r.atLeast >= at {
				return r
			}
			rs.idle <- r
		default:
			return nil
		}
	}
	return nil
}

// lookIfDue makes a replica look again if it is time, or anyhow. It returns false if the
// replica cannot be used.
func (rs *replicas) lookIfDue(r *replica, anyhow bool) bool {
	rs.mu.Lock()
	due := anyhow || r.conn == nil || !r.due.IsZero() && !time.Now().Before(r.due)
	rs.mu.Unlock()
	if !due {
		return true
	}
	if err := rs.look(r); err != nil {
		rs.db.cfg.Logger.Error("a replica cannot look at the database", "error", err)
		return false
	}
	return true
}

// put takes a replica back.
func (rs *replicas) put(r *replica) {
	if r.conn.broken {
		r.conn.discard()
		r.conn = nil
	} else {
		r.conn.SetInterrupt(context.Background())
		r.conn.clock.Context = nil
	}
	rs.lookIfDue(r, false)
	rs.idle <- r
	rs.db.closeIfEnding()
}

// changed says that there is a new state, which replicas see when their lag has passed.
func (rs *replicas) changed() {
	if len(rs.all) == 0 {
		return
	}
	now := time.Now()
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.all {
		if r.due.IsZero() {
			r.due = now.Add(r.lag)
		}
	}
	rs.wake(now)
}

// wake sets the timer for the replica that must look first. The caller holds the lock.
// One that is in use looks when it is given back.
func (rs *replicas) wake(now time.Time) {
	var first time.Time
	for _, r := range rs.all {
		if r.due.After(now) && (first.IsZero() || r.due.Before(first)) {
			first = r.due
		}
	}
	switch {
	case first.IsZero():
	case rs.timer == nil:
		rs.timer = time.AfterFunc(first.Sub(now), func() { rs.lookAround(false) })
	default:
		rs.timer.Reset(first.Sub(now))
	}
}

// lookAround makes those replicas look that must, or all, and are not in use.
func (rs *replicas) lookAround(all bool) {
	for range rs.all {
		select {
		case r := <-rs.idle:
			rs.lookIfDue(r, all)
			rs.idle <- r
			rs.db.closeIfEnding()
			continue
		default:
		}
		break
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.timer != nil {
		rs.wake(time.Now())
	}
}

// close closes the replicas that nobody uses.
func (rs *replicas) close() {
	rs.mu.Lock()
	if rs.timer != nil {
		rs.timer.Stop()
		rs.timer = nil
	}
	rs.mu.Unlock()
	for {
		select {
		case r := <-rs.idle:
			if r.conn != nil {
				r.conn.discard()
			}
			continue
		default:
			return
		}
	}
}
