package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/history"
)

var _ d1.TimeTraveler = (*DB)(nil)

// BookmarkAt implements [d1.TimeTraveler]. A database whose Config has no Retention gives
// an error that is [errors.ErrUnsupported], and so does one in memory.
func (db *DB) BookmarkAt(ctx context.Context, at time.Time) (bookmark d1.Bookmark, err error) {
	err = db.travel(ctx, func(c *conn, r *recorder) error {
		return r.look(c, func() error {
			now := time.Now()
			if at.After(now) {
				return unsent("there is no state of "+at.UTC().Format(time.RFC3339Nano)+" yet", nil)
			}
			number := r.log.State().Number
			if !at.IsZero() {
				number = uint64(max(at.UnixNano(), 0))
			}
			if number, _, err = r.find(number, now); err == nil && !at.IsZero() && at.Before(now.Add(-r.cfg.Retention)) {
				err = expired(now.Add(-r.cfg.Retention))
			}
			bookmark = db.states.bookmark(number)
			return err
		})
	})
	if err != nil {
		return "", err
	}
	return bookmark, nil
}

// Restore implements [d1.TimeTraveler]. Requests that write wait for it, and requests that
// read see the database as it was until it is done. The whole database is written anew,
// which takes as much disk space twice while it lasts.
func (db *DB) Restore(ctx context.Context, to d1.Bookmark) (done d1.Restored, err error) {
	if err := db.travels(); err != nil {
		return done, err
	}
	number, err := db.states.parse(to)
	if err != nil {
		return done, err
	}
	if number == 0 {
		return done, unsent("a restore needs the bookmark of a state", nil)
	}
	err = db.travel(ctx, func(c *conn, r *recorder) error {
		before, after, err := r.restore(ctx, c, number)
		if err != nil {
			return err
		}
		db.schema.Add(1)
		c.bytes = c.size()
		c.publish(true)
		done = d1.Restored{
			Bookmark: db.states.bookmark(after), Previous: db.states.bookmark(before), Message: "Restored successfully",
		}
		return nil
	})
	return done, err
}

// travels returns an error if the database has no history.
func (db *DB) travels() error {
	switch {
	case db.cfg.Path == "":
		return unsent("a database in memory has no time travel", errors.ErrUnsupported)
	case db.recorder == nil:
		return unsent("the database keeps no history, so it has no time travel", errors.ErrUnsupported)
	}
	return nil
}

// travel runs a function in the writer's goroutine.
func (db *DB) travel(ctx context.Context, run func(c *conn, r *recorder) error) error {
	if err := db.travels(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return givenUp(err)
	}
	if err := db.enter(); err != nil {
		return err
	}
	defer db.active.Done()
	ended := make(chan error, 1)
	task := func(c *conn) {
		switch {
		case ctx.Err() != nil:
			ended <- givenUp(ctx.Err())
		case c == nil:
			ended <- unsent("the database cannot be opened again after a fault", nil)
		default:
			ended <- c.travel(ctx, run)
		}
	}
	select {
	case db.tasks <- task:
		return <-ended
	case <-ctx.Done():
		return givenUp(ctx.Err())
	}
}

// travel runs a function on the writer's connection.
func (c *conn) travel(ctx context.Context, run func(c *conn, r *recorder) error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = c.fault(fault)
		}
	}()
	err = run(c, c.db.recorder)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return givenUp(ctx.Err())
	case errors.Is(err, sqlite3.BUSY):
		return c.beginError(err)
	}
	if _, ok := errors.AsType[*sqlite3.Error](err); ok {
		return c.sqlError(err, 0)
	}
	if _, ok := errors.AsType[*d1.Error](err); ok {
		return err
	}
	return unsent(err.Error(), err)
}

// find is [history.Log.Find], for states that are still to be kept and are not to come.
func (r *recorder) find(number uint64, now time.Time) (found, after uint64, err error) {
	if number > max(r.states.announced.Load(), uint64(now.UnixNano())) {
		return 0, 0, unsent("the bookmark is of a state to come", nil)
	}
	found, after, err = r.log.Find(number)
	if cutoff := now.Add(-r.cfg.Retention); err == nil && after != 0 && after < uint64(cutoff.UnixNano()) {
		err = expired(cutoff)
	}
	return found, after, err
}

func expired(cutoff time.Time) error {
	return &history.LostError{Oldest: cutoff.UTC(), Expired: true}
}

// maxRestores is how often a restore is begun anew because another process has changed
// the database meanwhile.
const maxRestores = 5

// restore puts the database into the newest state up to a number. It returns the
// numbers of the states before and after that.
func (r *recorder) restore(ctx context.Context, c *conn, number uint64) (before, after uint64, err error) {
	defer func() { r.expected = 0 }()
	for range maxRestores {
		image := ""
		err := r.look(c, func() (err error) {
			image, err = r.image(ctx, number)
			return err
		})
		if err != nil {
			return 0, 0, err
		}
		before = r.log.State().Number
		r.expected = before
		r.states.announce()
		err = c.own(func() error { return c.Restore("main", imageURI(image)) })
		moved := r.expected == 0
		r.rolledBack()
		if err := errors.Join(err, os.Remove(image)); !moved {
			return before, r.log.State().Number, err
		}
	}
	return 0, 0, unsent("other processes change the database all the time, so it could not be restored", nil)
}

// image makes a file of the newest state up to a number. It is called under the
// write lock.
func (r *recorder) image(ctx context.Context, number uint64) (path string, err error) {
	found, _, err := r.find(number, time.Now())
	if err != nil {
		return "", err
	}
	f, err := r.log.Temp()
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := r.copyTo(ctx, f); err != nil {
		return "", fmt.Errorf("copy the database: %w", err)
	}
	if err := r.log.Rewind(ctx, found, history.NewImage(f, r.known.PageSize)); err != nil {
		return "", err
	}
	// A file by itself is not in WAL mode; SQLite sets it for the database it copies to.
	_, err = f.WriteAt([]byte{1, 1}, 18)
	return f.Name(), err
}

func imageURI(path string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?immutable=1"
}
