package embedded

import (
	"context"
	"time"

	"github.com/ncruces/go-sqlite3/vfs"
)

// OpenWithWaits is Open, with times to wait that suit a test: for other processes, for
// readers in the way of the WAL, and for what is under way when the database is closed.
func OpenWithWaits(cfg Config, lock, restart, end time.Duration) (*DB, error) {
	return openDB(cfg, knobs{lock: lock, restart: restart, close: end, vfs: diskName})
}

// Queued returns how many requests wait for the writer to take them.
func (db *DB) Queued() int { return len(db.jobs) }

// OpenOn is Open on a disk of the test's.
func OpenOn(cfg Config, name string, inner vfs.VFSFilename) (*DB, error) {
	vfs.Register(name, disk{inner})
	return openDB(cfg, knobs{lock: time.Minute, close: time.Minute, vfs: name})
}

// ForgetHistory makes the writer read the end of the history anew.
func ForgetHistory(db *DB) {
	_ = db.travel(context.Background(), func(_ *conn, r *recorder) error {
		r.valid = false
		return r.log.Forget()
	})
}
