package embedded

import (
	"fmt"
	"sync"
	"time"
)

// Close implements [d1.Backend]. It waits 30 seconds for requests under way, Results that
// are still being read included, and then ends them. Results that nobody closes keep their
// connection even so, since somebody may be reading its memory: Close leaves them, says so
// in its error, and their connections are closed with them.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		<-db.done
		return nil
	}
	db.closed = true
	db.mu.Unlock()
	idle := whenDone(&db.active, &db.reading)
	quiet := waitUpTo(idle, db.knobs.close)
	close(db.ending)
	db.active.Wait() // what the engine runs has ended by now
	if !quiet {
		quiet = waitUpTo(idle, min(db.knobs.close, time.Second))
	}
	db.closeIfEnding()
	close(db.jobs)
	<-db.done
	db.closeRecorder()
	if !quiet {
		return fmt.Errorf("close database %s: there are Results that nobody has closed; each keeps a connection open",
			nameOf(db.cfg.Path))
	}
	return nil
}

// whenDone returns what is closed when the groups are done, one after the other.
func whenDone(groups ...*sync.WaitGroup) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, group := range groups {
			group.Wait()
		}
	}()
	return done
}

func waitUpTo(done <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// closeIfEnding closes the connections that nobody uses, if the database is being closed.
// Who gives one back looks afterwards, so that none is left.
func (db *DB) closeIfEnding() {
	select {
	case <-db.ending:
	default:
		return
	}
	db.replicas.close()
	for {
		select {
		case c := <-db.idle:
			db.closeReader(c)
			continue
		default:
			return
		}
	}
}
