package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/skylite-go/skylite/d1"
	_ "github.com/skylite-go/skylite/d1/bridge" // d1+bridge: names
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/d1/rest"
)

// sidesHelp says how commands that know two databases name them.
const sidesHelp = `A database is named by its name or its ID, with "local:" before it in the data folder and with
"remote:" on Cloudflare, where that is not meant anyway; with "wrangler:" before it among the
local databases of wrangler dev, in .wrangler/state beside the Worker's configuration, where
its binding names it too; by the path of an SQLite file, with a slash, or ending in .db,
.sqlite or .sqlite3; or by a data source name such as d1://ACCOUNT_ID/DATABASE.`

// sideFlags say where the databases of a command that knows two live.
type sideFlags struct {
	data   string
	config configFlags // for wrangler:
}

func (f *sideFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.data, "data", "", dataUsage)
	_ = cmd.MarkFlagDirname("data") // fails only for a flag that is not there
	f.config.register(cmd)
}

// side is one of the databases of a command that knows two.
type side struct {
	*d1.DB
	// name is the database's, for people.
	name string
	// undo returns the command that restores a bookmark.
	undo func(d1.Bookmark) string

	place  *place                          // nil for a data source name
	remove func(ctx context.Context) error // deletes a database that was made for this; else nil
}

// openSide opens a database. If it may be made, one that is not there is.
func (a *app) openSide(ctx context.Context, flags *sideFlags, name string, remote, makes bool) (*side, error) {
	place := placeFlags{remote: remote, data: flags.data, config: &flags.config}
	if rest, ok := strings.CutPrefix(name, "remote:"); ok {
		name, place.remote = rest, true
	} else if rest, ok := strings.CutPrefix(name, "local:"); ok {
		name, place.remote = rest, false
	} else if rest, ok := strings.CutPrefix(name, "wrangler:"); ok {
		name, place.remote, place.wrangler = rest, false, true
	}
	switch scheme, _, ok := strings.Cut(name, ":"); {
	case ok && slices.Contains([]string{"file", "d1", "d1+bridge"}, scheme):
		return sideOfDSN(name)
	case isPath(name) && !place.wrangler:
		return sideOfFile(name, makes)
	}
	if place.remote || place.wrangler {
		place.data = "" // the folder is for the other side
	}
	p, err := a.open(&place, makes)
	if err != nil {
		return nil, err
	}
	s := &side{name: fmt.Sprintf("%q in %s", name, p.where), place: p}
	s.undo = func(b d1.Bookmark) string { return restoreCommand(name, b, p.remote) }
	if makes && p.server != nil {
		err = s.make(ctx, name)
	}
	if err == nil {
		s.DB, err = p.database(ctx, name)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// make makes the database in the data folder, if it is not there.
func (s *side) make(ctx context.Context, name string) error {
	if uuidForm.MatchString(name) {
		return nil
	}
	_, err := s.place.find(ctx, name)
	if err == nil {
		return nil
	}
	made, createErr := s.place.Create(ctx, name, rest.CreateOptions{})
	if createErr != nil {
		return errors.Join(err, createErr)
	}
	s.remove = func(ctx context.Context) error { return s.place.Delete(ctx, made.UUID) }
	return nil
}

func isPath(name string) bool {
	return strings.ContainsAny(name, `/\`) || slices.Contains([]string{".db", ".sqlite", ".sqlite3"}, filepath.Ext(name))
}

func sideOfFile(path string, makes bool) (*side, error) {
	_, err := os.Stat(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if missing && !makes {
		return nil, fmt.Errorf("there is no file %s", path)
	}
	backend, err := embedded.Open(embedded.Config{Path: path})
	if err != nil {
		return nil, err
	}
	s := &side{DB: d1.New(backend), name: path}
	s.undo = func(b d1.Bookmark) string { return fmt.Sprintf("restore %s to the bookmark %s", path, b) }
	if missing {
		s.remove = func(context.Context) error {
			return errors.Join(s.DB.Close(), os.Remove(path))
		}
	}
	return s, nil
}

func sideOfDSN(dsn string) (*side, error) {
	name, _, _ := strings.Cut(dsn, "?") // behind it there may be a token
	if path, ok := strings.CutPrefix(name, "file:"); ok {
		if path, err := url.PathUnescape(strings.TrimPrefix(path, "//")); err == nil {
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("there is no file %s", path)
			}
		}
	}
	db, err := d1.Open(dsn)
	if err != nil {
		return nil, err
	}
	return &side{DB: db, name: name, undo: func(b d1.Bookmark) string {
		return fmt.Sprintf("restore %s to the bookmark %s", name, b)
	}}, nil
}

// Close gives the database up.
func (s *side) Close() error {
	var err error
	if s.DB != nil {
		err = s.DB.Close()
	}
	if s.place != nil {
		err = errors.Join(err, s.place.Close())
	}
	return err
}

// unmake deletes a database that was made for this command.
func (s *side) unmake(ctx context.Context) error {
	if s.remove == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return s.remove(ctx)
}

// bookmark returns the bookmark of the database as it is, or "" where there are none.
func (s *side) bookmark(ctx context.Context) (d1.Bookmark, error) {
	traveler, ok := s.Backend().(d1.TimeTraveler)
	if !ok {
		return "", nil
	}
	b, err := traveler.BookmarkAt(ctx, time.Time{})
	if errors.Is(err, errors.ErrUnsupported) {
		return "", nil
	}
	return b, err
}
