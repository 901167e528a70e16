package rest

import (
	"context"

	"github.com/skylite-go/skylite/d1"
)

var _ d1.Admin = (*DB)(nil)

// Info describes the database.
func (db *DB) Info(ctx context.Context) (d1.Info, error) {
	var found Database
	err := db.withID(ctx, func(id string) (err error) {
		found, err = db.databases().Get(ctx, id)
		return err
	})
	if err != nil {
		return d1.Info{}, err
	}
	return d1.Info{
		ID: found.UUID, Name: found.Name, CreatedAt: found.CreatedAt, Version: found.Version,
		Tables: int64(found.NumTables), Bytes: found.FileSize, Region: found.RunningInRegion,
		Jurisdiction: found.Jurisdiction, Replication: found.ReadReplication.Mode,
	}, nil
}

// Delete deletes the database with all that is in it.
func (db *DB) Delete(ctx context.Context) error {
	return db.withID(ctx, func(id string) error { return db.databases().Delete(ctx, id) })
}

func (db *DB) databases() *Databases { return &Databases{client: db.client, path: db.path} }

// withID does something with the database's id, unless the DB is closed.
func (db *DB) withID(ctx context.Context, do func(id string) error) error {
	if !db.gate.Enter() {
		return d1.ErrClosed
	}
	defer db.gate.Leave()
	id, err := db.id.get(ctx)
	if err != nil {
		return unsent(err)
	}
	return do(id)
}
