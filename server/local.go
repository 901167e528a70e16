package server

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/catalog"
)

// Database returns a database of the data folder, by its ID or its name, for the program
// that has the Server: under D1's rules, but without the API between, so that integers
// have all their digits and sessions have bookmarks. What runs in it is not seen by
// [Config.Simulate], nor by the insights.
//
// The Backend is a [d1.TimeTraveler], a [d1.Exporter], a [d1.Importer] and a [d1.Admin]
// too. Closing it gives the database back, for which the Server's Close waits. If there is
// no such database, the error is a [d1.Error] with the API's code, 7404.
func (s *Server) Database(ctx context.Context, idOrName string) (d1.Backend, error) {
	id := idOrName
	if !uuidForm.MatchString(id) {
		db, err := s.catalog.ByName(ctx, idOrName)
		if err != nil {
			return nil, notThere(idOrName, err)
		}
		id = db.ID
	}
	h, err := s.catalog.Open(ctx, id)
	if err != nil {
		return nil, notThere(idOrName, err)
	}
	return &local{h, s}, nil
}

func notThere(idOrName string, err error) error {
	if !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	e := noDatabase(idOrName)
	return &d1.Error{Message: e.messages[0].Message, APICode: e.messages[0].Code, HTTPStatus: e.status, Statement: -1, Offset: -1, Err: err}
}

// local is a database in use in this process.
type local struct {
	*catalog.Handle
	server *Server
}

var (
	_ d1.TimeTraveler = (*local)(nil)
	_ d1.Exporter     = (*local)(nil)
	_ d1.Importer     = (*local)(nil)
	_ d1.Admin        = (*local)(nil)
)

// Export implements [d1.Exporter].
func (l *local) Export(ctx context.Context, w io.Writer, opts d1.ExportOptions) (d1.Bookmark, error) {
	exporter, ok := l.Backend.(d1.Exporter)
	if !ok {
		return "", l.cannot("be exported")
	}
	return exporter.Export(ctx, w, opts)
}

// Import implements [d1.Importer].
func (l *local) Import(ctx context.Context, script io.ReadSeeker, opts d1.ImportOptions) (d1.Imported, error) {
	importer, ok := l.Backend.(d1.Importer)
	if !ok {
		return d1.Imported{}, l.cannot("import files")
	}
	return importer.Import(ctx, script, opts)
}

func (l *local) cannot(what string) error {
	return fmt.Errorf("database %s cannot %s: %w", l.Handle.Database.Name, what, errors.ErrUnsupported)
}

// Info implements [d1.Admin].
func (l *local) Info(ctx context.Context) (d1.Info, error) {
	db, err := l.server.catalog.Get(ctx, l.Handle.Database.ID)
	if err != nil {
		return d1.Info{}, notThere(l.Handle.Database.ID, err)
	}
	tables, size, err := l.server.measure(ctx, db.ID)
	return d1.Info{
		ID: db.ID, Name: db.Name, CreatedAt: db.CreatedAt, Version: "production", Tables: tables, Bytes: size,
		Region: db.Region, Jurisdiction: db.Jurisdiction, Replication: db.Replication,
	}, err
}

// Delete implements [d1.Admin]. The files are removed when the last user has closed it.
func (l *local) Delete(ctx context.Context) error {
	id := l.Handle.Database.ID
	l.server.tasks.stop(id)
	if err := l.server.catalog.Delete(ctx, id); err != nil {
		return notThere(id, err)
	}
	return nil
}
