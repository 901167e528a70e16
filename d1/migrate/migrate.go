package migrate

import (
	"cmp"
	"context"
	"time"

	"github.com/skylite-go/skylite/d1"
)

// Migration is one step of a schema, written in Go.
type Migration struct {
	// Version orders migrations. No two have the same.
	Version int64
	// Name is for people. With the version it also tells a migration that was changed
	// from a new one, so programs that share a database call theirs differently.
	Name string
	// SQL is exactly one statement. A semicolon may follow it, and comments may stand
	// anywhere. The SHA-256 of the text, as it is, is what the ledger knows it by.
	SQL string
	// Down undoes the migration, with any number of statements; empty means that
	// nothing does. It is not part of what the ledger knows.
	Down string
}

// Record names a migration.
type Record struct {
	// Version is the migration's number; where a source has none, its place in it.
	Version int64 `json:"version"`
	// Name is the migration's name, in the ledger's form.
	Name string `json:"name"`
}

// Result says what a run did.
type Result struct {
	// Applied are the migrations that this run applied, in order. [Runner.Down] has
	// here what it undid.
	Applied []Record
	// Skipped are those that were recorded already, or that another runner applied
	// while this one was at it.
	Skipped []Record
	// Bookmark is the state before the first of Applied, if the database has bookmarks.
	Bookmark d1.Bookmark
}

// Options change how a [Runner] works. The zero value is the careful way.
type Options struct {
	// WranglerTable is the name of wrangler's ledger, migrations_table in a Worker's
	// configuration. Empty means d1_migrations.
	WranglerTable string
	// AllowDataLoss lets migrations go on that delete rows by ON DELETE CASCADE, set
	// columns to NULL by ON DELETE SET NULL, or lose rows while they rebuild a table.
	// Nothing is counted then.
	AllowDataLoss bool
	// AllowChanged takes migrations that were changed after they were applied for
	// applied, as wrangler and drizzle do. False makes them an error.
	AllowChanged bool
	// AllowOutOfOrder applies migrations of a drizzle 0.x journal that are older than
	// the newest applied one. False makes them an error, because drizzle itself would
	// never apply them, nor say so. Other sources always allow them, as their tools do.
	AllowOutOfOrder bool
	// Before is called once, when everything has been checked and before anything is
	// written, if there is something to do. An error ends the run. Nil means no call.
	Before func(ctx context.Context, plan *Plan) error
	// After is called for every migration that was applied. Nil means no call.
	After func(r Record)
	// Now tells the time that ledgers record. Nil means time.Now.
	Now func() time.Time
}

// Runner applies the migrations of one source to one database. It is safe for
// concurrent use, and so are several on the same database, in any number of processes.
type Runner struct {
	db   *d1.DB
	set  *set
	opts Options
}

// New reads a source's migrations and checks them, without a word to the database. It
// refuses two migrations with one version or with the same SQL, migrations without SQL,
// and, in sources that want one statement each, those with more.
func New(db *d1.DB, source Source, opts Options) (*Runner, error) {
	set, err := source.load()
	if err != nil {
		return nil, err
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.WranglerTable = cmp.Or(opts.WranglerTable, "d1_migrations")
	return &Runner{db: db, set: set, opts: opts}, nil
}

// Migrations returns the names of all migrations, in the order in which they run.
func (r *Runner) Migrations() []Record {
	all := make([]Record, len(r.set.units))
	for i, u := range r.set.units {
		all[i] = u.record()
	}
	return all
}
