// Package d1sql is a database/sql driver for D1, wherever the database lives.
//
//	import (
//		"database/sql"
//
//		_ "github.com/skylite-go/skylite/d1/d1sql"
//		_ "github.com/skylite-go/skylite/d1/rest" // and every other place you open
//	)
//
//	db, err := sql.Open("d1", "d1://ACCOUNT_ID/DATABASE_ID")
//
// Package skylite imports the driver and all the places at once. The driver is
// registered as "d1" and as "skylite"; where another package has taken "d1" first,
// only as "skylite".
//
// # Statements
//
// A text may hold several statements. They run as one transaction, arguments are
// given to them in order, and each has a result set of its own: see
// [sql.Rows.NextResultSet]. Parameters are ?, ?NNN, or :name, @name and $name, bound
// with [sql.Named].
//
// An INSERT of many rows, and a long list of IN, may have more than the 100 parameters
// that D1 takes. What tools ask and D1 refuses, such as SELECT sqlite_version(), is
// answered where there is a true answer. See [Options], and docs/driver.md.
//
// # Transactions
//
// D1 has no BEGIN. A transaction is a [d1.Tx]: optimistic, serializable, and
// committed as one batch. Commit may fail because another transaction changed what
// this one has read ([d1.Conflict]); [InTx] then runs it again. SAVEPOINT, RELEASE and
// ROLLBACK TO are carried out as SQL text within it. A Result's RowsAffected and
// LastInsertId are known after Commit, and before it at the price of a request.
package d1sql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/sqltext"
)

func init() {
	for _, name := range []string{"d1", "skylite"} {
		if !slices.Contains(sql.Drivers(), name) {
			sql.Register(name, Driver{})
		}
	}
}

// Driver opens databases by their data source names.
type Driver struct{}

var (
	_ driver.Driver        = Driver{}
	_ driver.DriverContext = Driver{}
)

// Open implements [driver.Driver].
func (d Driver) Open(dsn string) (driver.Conn, error) {
	db, err := d1.Open(dsn)
	if err != nil {
		return nil, err
	}
	return &Conn{db: db, parsed: new(sqltext.Cache), shapes: new(shapes), owned: true}, nil
}

// OpenConnector implements [driver.DriverContext].
func (d Driver) OpenConnector(dsn string) (driver.Connector, error) {
	db, err := d1.Open(dsn)
	if err != nil {
		return nil, err
	}
	return &connector{db: db}, nil
}

// OpenDB returns a [sql.DB] over an open database. Closing it closes db.
func OpenDB(db *d1.DB) *sql.DB { return sql.OpenDB(NewConnector(db, Options{})) }

// Options say what the driver leaves as it is. The zero value is what [sql.Open] and
// [OpenDB] use.
type Options struct {
	// NoExpand leaves statements with more than 100 parameters alone, which D1
	// refuses. Otherwise an INSERT of many rows becomes several in one atomic
	// request, and a long list of IN one JSON array.
	NoExpand bool
	// NoProbes sends statements to D1 that it surely refuses and that the driver can
	// answer, such as SELECT sqlite_version().
	NoProbes bool
}

// NewConnector returns a connector over an open database, for [sql.OpenDB]. Closing
// the [sql.DB] closes db.
func NewConnector(db *d1.DB, opts Options) driver.Connector {
	return &connector{db: db, options: opts}
}

// Config names a database on Cloudflare. It is a data source name for those who keep
// its parts apart.
type Config struct {
	// APIToken is a token that may read and write D1. Required.
	APIToken string
	// AccountID is the account that the database belongs to. Required.
	AccountID string
	// DatabaseID is the database's id, or its name. Required.
	DatabaseID string
	// BaseURL is the API's address; empty means Cloudflare's own.
	BaseURL string
	// Timeout is how long one call may take; 0 means the place's default.
	Timeout time.Duration
}

// Open opens a database on Cloudflare. Package d1/rest must be imported. The error
// names each required field that is empty.
func Open(cfg Config) (*sql.DB, error) {
	var missing []string
	for _, field := range []struct{ name, value string }{
		{"APIToken", cfg.APIToken}, {"AccountID", cfg.AccountID}, {"DatabaseID", cfg.DatabaseID},
	} {
		if field.value == "" {
			missing = append(missing, field.name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("d1sql: Config.%s must be set", strings.Join(missing, ", Config."))
	}
	return sql.Open("skylite", cfg.dsn())
}

func (cfg Config) dsn() string {
	query := url.Values{"token": {cfg.APIToken}}
	if cfg.BaseURL != "" {
		query.Set("base_url", cfg.BaseURL)
	}
	if cfg.Timeout != 0 {
		query.Set("timeout", cfg.Timeout.String())
	}
	return "d1://" + url.PathEscape(cfg.AccountID) + "/" + url.PathEscape(cfg.DatabaseID) + "?" + query.Encode()
}

// connector gives every connection of a pool the same database.
type connector struct {
	db      *d1.DB
	parsed  sqltext.Cache
	shapes  shapes
	options Options
}

func (c *connector) Connect(context.Context) (driver.Conn, error) {
	return &Conn{db: c.db, parsed: &c.parsed, shapes: &c.shapes, options: c.options}, nil
}

func (c *connector) Driver() driver.Driver { return Driver{} }

// Close is called by [sql.DB.Close].
func (c *connector) Close() error { return c.db.Close() }
