package rest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"

	"github.com/skylite-go/skylite/cloudflare"
)

// resolver finds the id of a database that is known by its name, once for all
// who ask at the same time. What failed is tried again by who asks next.
type resolver struct {
	name  string
	fixed string // the id, if it was given
	look  func(ctx context.Context, name string) (id string, err error)

	mu     sync.Mutex
	id     string
	flight *flight
}

// flight is a look-up under way.
type flight struct {
	done chan struct{}
	id   string
	err  error
}

func (r *resolver) get(ctx context.Context) (string, error) {
	if r.fixed != "" {
		return r.fixed, nil
	}
	for {
		r.mu.Lock()
		if r.id != "" {
			defer r.mu.Unlock()
			return r.id, nil
		}
		f := r.flight
		if f == nil {
			f = &flight{done: make(chan struct{})}
			r.flight = f
			r.mu.Unlock()
			r.fly(ctx, f)
			return f.id, f.err
		}
		r.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		// Another's cancelled context is no reason to fail here.
		if f.err == nil || !cancelled(f.err) {
			return f.id, f.err
		}
	}
}

func cancelled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (r *resolver) fly(ctx context.Context, f *flight) {
	f.err = context.Canceled // if look panics
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.id, r.flight = f.id, nil
		close(f.done)
	}()
	f.id, f.err = r.look(ctx, r.name)
}

// forget drops an id that the service does not know (any more), so that the
// name is looked up again: a database may be deleted and made anew.
func (r *resolver) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.id == id {
		r.id = ""
	}
}

// lookUp asks for the database by its name, which the API accepts in the place of
// an id, and in case it does not, searches the list.
func lookUp(ctx context.Context, client *cloudflare.Client, path, name string) (string, error) {
	var found Database
	_, err := client.Request(ctx, cloudflare.Call{
		Path: path + "/" + url.PathEscape(name), Query: url.Values{"fields": {"uuid,name"}}}, &found)
	if err == nil && found.UUID != "" {
		return found.UUID, nil
	}
	if err != nil && !cloudflare.StatusIs(err, http.StatusNotFound) && !cloudflare.StatusIs(err, http.StatusBadRequest) {
		return "", err
	}
	// The name filters the list, but not exactly.
	for db, listErr := range list(ctx, client, path, ListOptions{Name: name}) {
		if listErr != nil {
			return "", listErr
		}
		if db.Name == name {
			return db.UUID, nil
		}
	}
	if err == nil {
		err = errors.New("the answer to the look-up of the database's name holds no uuid")
	}
	return "", err
}
