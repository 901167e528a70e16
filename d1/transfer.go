package d1

import (
	"context"
	"io"
	"time"
)

// Exporter is a [Backend] that can write its database as SQL.
type Exporter interface {
	// Export writes a script that makes the database again, as it is in one state, and
	// returns the bookmark of that state, or "" where there are none. What was written
	// before an error is of no use.
	Export(ctx context.Context, w io.Writer, opts ExportOptions) (Bookmark, error)
}

// ExportOptions narrow an export. The zero value exports everything.
type ExportOptions struct {
	// NoSchema leaves out what makes tables, indexes, views and triggers.
	NoSchema bool
	// NoData leaves out the rows.
	NoData bool
	// Tables are the only ones to export, with their indexes and triggers; none means
	// all. A name that there is no table of is an error.
	Tables []string
	// Progress is told what the place says of its work, if it is not nil.
	Progress func(message string)
}

// Importer is a [Backend] that can run a script of SQL, of any size, as one transaction.
type Importer interface {
	// Import runs the script. On an error the database is as it was, unless the error
	// is [Ambiguous]. The script is read from its beginning, maybe more than once.
	Import(ctx context.Context, script io.ReadSeeker, opts ImportOptions) (Imported, error)
}

// ImportOptions say how an import is run.
type ImportOptions struct {
	// Progress is told what the place says of its work, if it is not nil.
	Progress func(message string)
}

// Imported is what an import has done.
type Imported struct {
	// Bookmark names the state after the import, or is "" where there are none.
	Bookmark Bookmark
	// Statements is how many were run.
	Statements int64
	// Tables is how many the database has now.
	Tables int64
	// Meta is that of all the statements together.
	Meta Meta
}

// Admin is a [Backend] that knows its database as a whole.
type Admin interface {
	// Info describes the database.
	Info(ctx context.Context) (Info, error)
	// Delete deletes the database with all that is in it. The Backend is of no use
	// then, but to be closed.
	Delete(ctx context.Context) error
}

// Info describes a database. What a place does not know is left zero.
type Info struct {
	// ID is the database's UUID on Cloudflare.
	ID string
	// Name is unique in its account. In a file it is the file's.
	Name string
	// CreatedAt is when it was made.
	CreatedAt time.Time
	// Version is the generation of D1's storage, such as "production".
	Version string
	// Tables is how many there are, without those of SQLite and Cloudflare.
	Tables int64
	// Bytes is its size.
	Bytes int64
	// Region is where the primary runs, such as "WEUR".
	Region string
	// Jurisdiction that the data must not leave: "eu", "fedramp", "us", or "".
	Jurisdiction string
	// Replication is the mode of read replication: "auto" or "disabled".
	Replication string
}
