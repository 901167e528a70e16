package d1

import "context"

// Backend runs requests against one D1 database, wherever it lives. Programs
// use a [DB], which checks what it sends; a Backend is for those who make a new
// place for databases to live.
//
// A Backend is safe for concurrent use. Its contract is tested by package
// d1test.
type Backend interface {
	// Do runs the request's statements in order, as one transaction: if one
	// fails, none has any effect. A request that writes has been committed when
	// Do returns without an error; one that only reads may still be running, and
	// its statements may still fail while the Results are read. An error says
	// that nothing was written, unless it is [Ambiguous].
	//
	// The context governs the request and the reading of its Results. Do does
	// not keep req or anything in it after the Results are closed.
	Do(ctx context.Context, req Request) (*Results, error)

	// Close waits for requests under way, and frees what the Backend holds.
	// What has been acknowledged is not lost. A second Close does nothing.
	Close() error
}

// Request is a list of statements to run as one transaction.
type Request struct {
	// Statements run in order. An empty list is an error.
	Statements []Statement
	// Bookmark is what the reads must be at least as fresh as: a bookmark, or one
	// of the constraints [FirstPrimary] and [FirstUnconstrained]. The zero value
	// means FirstPrimary.
	Bookmark Bookmark
}

// Statement is one SQL statement and its arguments.
type Statement struct {
	// SQL holds exactly one statement. A semicolon may follow it.
	SQL string
	// Args are bound to the parameters by number. A Backend is given nil, int64,
	// float64, string and []byte only; [DB] converts everything else (see [Arg]).
	Args []any
}

// Bookmark names a state of a database: a read that carries one sees that state
// or a newer one. Bookmarks of one database order as their bytes do. They are
// opaque otherwise.
type Bookmark string

// The constraints that may stand in a bookmark's place when a session begins.
// See developers.cloudflare.com/d1/best-practices/read-replication.
const (
	// FirstPrimary sends the first read to the primary: it sees the newest state.
	FirstPrimary Bookmark = "first-primary"
	// FirstUnconstrained lets any replica answer the first read.
	FirstUnconstrained Bookmark = "first-unconstrained"
)

// Valid reports whether b may be a bookmark, a constraint or empty: it has at most 128
// characters, all of them visible ASCII. Whether it is a bookmark of a database, only
// the database can say.
func (b Bookmark) Valid() bool {
	for i := range len(b) {
		if b[i] <= ' ' || b[i] > '~' {
			return false
		}
	}
	return len(b) <= 128
}

// IsConstraint reports whether b is empty or a constraint, and so names no
// state of a database.
func (b Bookmark) IsConstraint() bool {
	return b == "" || b == FirstPrimary || b == FirstUnconstrained
}
