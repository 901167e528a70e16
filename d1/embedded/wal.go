package embedded

import (
	"errors"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// The WAL is copied into the database now and then. It begins anew when all of it has been
// copied and no reader looks at it any more, which never happens by itself where one
// reader comes before the last has left. The writer then waits for the readers that are
// there, as SQLITE_CHECKPOINT_RESTART does: those who come meanwhile do not wait, they read
// what has been copied.
const (
	copyPages    = 1000                   // so many pages in the WAL are worth copying
	restartPages = 4 * copyPages          // so many are worth waiting for readers
	restartWait  = 100 * time.Millisecond // that long for each restartPages that there are, ten times at most
	keptBytes    = 64 << 20               // of the file, after a large transaction
)

// walState is what the writer's connection knows of the WAL.
type walState struct {
	pages  int // in the WAL after the last commit
	copyAt int // how many to copy at
	waitAt int // how many to wait for readers at
}

// watchWAL counts the pages in the WAL. SQLite then copies nothing by itself.
func (c *conn) watchWAL() {
	c.wal.restarted()
	c.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
		if pages < c.wal.pages {
			c.wal.restarted()
		}
		c.wal.pages = pages
		return nil
	})
}

func (w *walState) restarted() { w.copyAt, w.waitAt = copyPages, restartPages }

// tidyWAL copies the WAL into the database if it is time, after the answers are out: what
// was committed is in the WAL, and safe.
func (c *conn) tidyWAL() {
	if c.broken || c.wal.pages < c.wal.copyAt {
		return
	}
	defer func() {
		if fault := recover(); fault != nil {
			_ = c.fault(fault)
		}
	}()
	err := c.restartWAL()
	if errors.Is(err, sqlite3.BUSY) && c.wal.pages >= c.wal.waitAt {
		c.wal.waitAt = c.wal.pages + restartPages
		err = c.awaitRestart()
	}
	c.wal.copyAt = c.wal.pages + copyPages
	if err != nil && !errors.Is(err, sqlite3.BUSY) {
		c.db.cfg.Logger.Error("cannot copy the WAL into the database; it is tried again", "error", err)
	}
}

// awaitRestart waits for readers: the longer the WAL, the longer.
func (c *conn) awaitRestart() (err error) {
	wait := min(c.db.knobs.restart*time.Duration(c.wal.pages/restartPages), 10*c.db.knobs.restart)
	for end := time.Now().Add(wait); time.Now().Before(end); time.Sleep(time.Millisecond) {
		c.db.replicas.lookAround(true)
		if err = c.restartWAL(); !errors.Is(err, sqlite3.BUSY) {
			break
		}
	}
	return err
}

// restartWAL copies what can be copied. It returns no error if that is all, so that the
// next commit begins the WAL anew.
func (c *conn) restartWAL() error {
	return c.own(func() error {
		if err := c.BusyTimeout(0); err != nil {
			return err
		}
		_, _, err := c.WALCheckpoint("main", sqlite3.CHECKPOINT_RESTART)
		return errors.Join(err, c.BusyTimeout(c.db.knobs.lock))
	})
}
