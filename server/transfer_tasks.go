package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/catalog"
)

// tasks are the exports and imports that run, or whose end nobody has heard of yet. A
// database has one at a time.
type tasks struct {
	mu         sync.Mutex
	byDatabase map[string]*task
	closed     bool
	running    sync.WaitGroup
}

// task is an export or an import.
type task struct {
	kind     string // "export" or "import"
	database string
	etag     string // of what is imported
	bookmark d1.Bookmark
	cancel   context.CancelFunc
	done     chan struct{} // closed when err and what comes before it are set

	file     *file       // that was exported
	imported d1.Imported // if there is no error
	err      error

	mu       sync.Mutex
	polls    int
	messages []string // since the last poll
}

// The times of tasks. A poll is held while there is nothing new, for clients do not wait
// between two; an export that nobody polls for is given up, as on D1.
const (
	pollHold   = time.Second
	exportIdle = time.Minute
)

// say adds a message for the next poll.
func (t *task) say(message string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.messages) < 100 {
		t.messages = append(t.messages, message)
	}
}

// heard returns the messages since the last time.
func (t *task) heard() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	messages := t.messages
	t.messages = nil
	return append([]string{}, messages...)
}

// ended reports whether the task is over.
func (t *task) ended() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// wait waits a little for the end of the task. A client that leaves ends the wait, not
// the task.
func (t *task) wait(ctx context.Context) {
	t.mu.Lock()
	t.polls++
	t.mu.Unlock()
	timer := time.NewTimer(pollHold)
	defer timer.Stop()
	select {
	case <-t.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// unheard ends an export when no poll comes for a while.
func (t *task) unheard(idle time.Duration) {
	for last := -1; ; {
		t.mu.Lock()
		polls := t.polls
		t.mu.Unlock()
		if polls == last {
			t.cancel()
			return
		}
		last = polls
		select {
		case <-t.done:
			return
		case <-time.After(idle):
		}
	}
}

// start runs a task in the background, unless its database has one.
func (s *Server) start(t *task, h *catalog.Handle, run func(ctx context.Context) error) *apiError {
	ts := &s.tasks
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if apiErr := ts.busy(t.database); apiErr != nil {
		return apiErr
	}
	if ts.closed {
		return fail(429, codeOverload, tooMany)
	}
	if ts.byDatabase == nil {
		ts.byDatabase = make(map[string]*task)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel, t.done = cancel, make(chan struct{})
	ts.byDatabase[t.database] = t
	ts.running.Go(func() {
		defer h.Close()
		defer cancel()
		defer close(t.done)
		t.err = run(ctx)
	})
	if t.kind == "export" {
		ts.running.Go(func() { t.unheard(exportIdle) })
	}
	return nil
}

// busy says that a database has a task already. The caller holds the lock.
func (ts *tasks) busy(database string) *apiError {
	if other := ts.byDatabase[database]; other != nil && !other.ended() {
		return sqlError("Currently processing a long-running " + other.kind + ".")
	}
	return nil
}

// free is busy for who is about to wait for the database's writer, which a task may keep
// for long.
func (ts *tasks) free(database string) *apiError {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.busy(database)
}

// find returns the task of a database that a bookmark, or what it imports, names.
func (ts *tasks) find(kind, database string, is func(t *task) bool) *task {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t := ts.byDatabase[database]; t != nil && t.kind == kind && is(t) {
		return t
	}
	return nil
}

// drop forgets a task whose end was told.
func (ts *tasks) drop(t *task) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.byDatabase[t.database] == t {
		delete(ts.byDatabase, t.database)
	}
}

// stop ends the tasks of databases, or of all if none is named.
func (ts *tasks) stop(databases ...string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for id, t := range ts.byDatabase {
		if len(databases) == 0 || slices.Contains(databases, id) {
			t.cancel()
		}
	}
}

// close ends all tasks and waits for them.
func (ts *tasks) close() {
	ts.mu.Lock()
	ts.closed = true
	ts.mu.Unlock()
	ts.stop()
	ts.running.Wait()
}

// stateOf names the state that a database is in, whether or not it keeps those before.
func stateOf(ctx context.Context, h *catalog.Handle) (d1.Bookmark, error) {
	if traveler, ok := h.Backend.(d1.TimeTraveler); ok {
		if bookmark, err := traveler.BookmarkAt(ctx, time.Time{}); err == nil {
			return bookmark, nil
		}
	}
	results, err := h.Do(ctx, d1.Request{Statements: []d1.Statement{{SQL: "SELECT 1 FROM sqlite_schema LIMIT 1"}}})
	if err != nil {
		return "", err
	}
	defer results.Close()
	for results.NextResult() {
	}
	return results.Bookmark(), results.Close()
}
