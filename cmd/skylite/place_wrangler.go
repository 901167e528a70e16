package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/cmd/skylite/internal/wrangler"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/d1/rest"
)

// registerWrangler registers the flags of a command that acts on wrangler's own local
// databases too. config is registered already; nil means that it has none.
func (f *placeFlags) registerWrangler(cmd *cobra.Command, config *configFlags) {
	f.register(cmd)
	if config == nil {
		config = &configFlags{}
		config.register(cmd)
	}
	f.config = config
	cmd.Flags().BoolVar(&f.wrangler, "wrangler", false,
		"act on the local databases of wrangler dev; with it --persist-to is wrangler's (default: .wrangler/state beside the configuration)")
}

// wranglerState is the local databases that a Worker's configuration names.
type wranglerState struct {
	config *wrangler.Config
	state  wrangler.State
}

func (a *app) openWrangler(f *placeFlags) (*place, error) {
	config, err := a.readConfig(f.config)
	if err != nil {
		return nil, err
	}
	if config == nil {
		return nil, withHint(fmt.Errorf("there is no %s here or above, which --wrangler needs", strings.Join(wrangler.Names, ", ")),
			"name the Worker's configuration with --config")
	}
	w := &wranglerState{config, config.State(f.data)}
	return &place{where: "wrangler's local state " + relative(w.state.Dir), wrangler: w}, nil
}

func (w *wranglerState) notFound(name string) error {
	var names []string
	for _, db := range w.config.Databases {
		names = append(names, cmp.Or(db.Name, db.Binding))
	}
	hint := "its d1_databases are: " + strings.Join(names, ", ")
	if len(names) == 0 {
		hint = "it has no d1_databases; an environment has its own, which --env chooses"
	}
	return withHint(fmt.Errorf("%s names no database %q", relative(w.config.Path), name), hint)
}

// open opens a database, under a guard: while wrangler runs it can only be read.
func (w *wranglerState) open(name string) (*d1.DB, error) {
	db, ok := w.config.Database(name)
	if !ok {
		return nil, w.notFound(name)
	}
	path, guard := w.state.File(db), w.state.Guard(db)
	mayWrite := func() error { return withHint(guard(), "stop wrangler dev, and try again") }
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		// It is made, as wrangler would.
		if err := errors.Join(mayWrite(), w.state.Make()); err != nil {
			return nil, fmt.Errorf("the database %q has no data yet: %w", name, err)
		}
	}
	backend, err := embedded.Open(embedded.Config{Path: path, Readers: 4, ID: db.LocalID(), BeforeWrite: mayWrite})
	if err != nil {
		return nil, err
	}
	return d1.New(backend), nil
}

// List returns the databases of the place, in wrangler's state by their names only.
func (p *place) List(ctx context.Context, opts rest.ListOptions) iter.Seq2[rest.Database, error] {
	if p.wrangler == nil {
		return p.Databases.List(ctx, opts)
	}
	return func(yield func(rest.Database, error) bool) {
		for _, db := range p.wrangler.config.Databases {
			name := cmp.Or(db.Name, db.Binding)
			if opts.Name != "" && opts.Name != name && opts.Name != db.Binding {
				continue
			}
			if !yield(rest.Database{UUID: db.LocalID(), Name: name}, nil) {
				return
			}
		}
	}
}

// Get describes a database of the place.
func (p *place) Get(ctx context.Context, name string) (rest.Database, error) {
	if p.wrangler == nil {
		return p.Databases.Get(ctx, name)
	}
	return p.wrangler.get(ctx, name)
}

// get describes a database, and makes none.
func (w *wranglerState) get(ctx context.Context, name string) (rest.Database, error) {
	about, ok := w.config.Database(name)
	if !ok {
		return rest.Database{}, w.notFound(name)
	}
	if _, err := os.Stat(w.state.File(about)); errors.Is(err, fs.ErrNotExist) {
		return rest.Database{}, fmt.Errorf("the database %q has no data yet", name)
	}
	db, err := w.open(name)
	if err != nil {
		return rest.Database{}, err
	}
	defer db.Close()
	tables, err := d1.First[int](ctx, db, "SELECT count(*) FROM sqlite_master WHERE type = 'table' "+
		"AND substr(name, 1, 7) <> 'sqlite_' AND lower(substr(name, 1, 4)) <> '_cf_'")
	if err != nil {
		return rest.Database{}, err
	}
	size := db.Backend().(*embedded.DB).Size()
	return rest.Database{UUID: about.LocalID(), Name: cmp.Or(about.Name, about.Binding), NumTables: tables, FileSize: size}, nil
}
