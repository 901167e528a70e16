package rest

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
)

// Database is what Cloudflare tells of a database. See
// developers.cloudflare.com/api/resources/d1.
type Database struct {
	// UUID is the database's id.
	UUID string `json:"uuid"`
	// Name is unique in the account.
	Name string `json:"name"`
	// CreatedAt is when it was made.
	CreatedAt time.Time `json:"created_at"`
	// Version is the generation of D1's storage, such as "production".
	Version string `json:"version"`
	// NumTables is the number of tables; lists leave it out.
	NumTables int `json:"num_tables"`
	// FileSize is the size in bytes; lists leave it out.
	FileSize int64 `json:"file_size"`
	// RunningInRegion is where the primary runs, such as "WEUR".
	RunningInRegion string `json:"running_in_region"`
	// CreatedInRegion is told by Create only.
	CreatedInRegion string `json:"created_in_region"`
	// Jurisdiction that the data must not leave: "eu", "fedramp", "us", or "".
	Jurisdiction string `json:"jurisdiction"`
	// ReadReplication says whether there are read replicas.
	ReadReplication ReadReplication `json:"read_replication"`
}

// ReadReplication is the mode of read replication: "auto" or "disabled".
type ReadReplication struct {
	Mode string `json:"mode"`
}

// Databases manages the databases of an account. It is safe for concurrent use.
// Its errors are those of [DB].
type Databases struct {
	client *cloudflare.Client
	path   string
}

// NewDatabases returns the Databases of the Config's account; what the Config
// says of one database is not used. Nothing is sent.
func NewDatabases(cfg Config) (*Databases, error) {
	if cfg.AccountID == "" {
		return nil, errors.New("d1: the account id is missing; set AccountID or CLOUDFLARE_ACCOUNT_ID")
	}
	client, err := cfg.client()
	if err != nil {
		return nil, err
	}
	return &Databases{client: client, path: databasesPath(cfg.AccountID)}, nil
}

// ListOptions narrows a list.
type ListOptions struct {
	// Name is a part of the names to list; empty means all.
	Name string
	// PerPage is how many databases one call asks for, 10 to 10,000; 0 means 1,000.
	PerPage int
}

// List yields the databases of the account, page by page. An error is yielded
// last, with a zero Database.
func (d *Databases) List(ctx context.Context, opts ListOptions) iter.Seq2[Database, error] {
	return list(ctx, d.client, d.path, opts)
}

func list(ctx context.Context, client *cloudflare.Client, path string, opts ListOptions) iter.Seq2[Database, error] {
	if opts.PerPage <= 0 {
		opts.PerPage = 1000
	}
	return func(yield func(Database, error) bool) {
		last := ""
		for page := 1; ; page++ {
			query := url.Values{"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(opts.PerPage)}}
			if opts.Name != "" {
				query.Set("name", opts.Name)
			}
			var found []Database
			info, err := client.Request(ctx, cloudflare.Call{Path: path, Query: query}, &found)
			if err != nil {
				yield(Database{}, convert(err, false))
				return
			}
			// A service that does not know pages gives the first one again and again.
			if len(found) > 0 && found[0].UUID == last {
				return
			}
			for _, db := range found {
				if !yield(db, nil) {
					return
				}
			}
			if len(found) < fullPage(opts.PerPage, info) {
				return
			}
			last = found[0].UUID
		}
	}
}

// fullPage is how many rows a page has unless it is the last: the service may
// give fewer than were asked for, and then says so.
func fullPage(asked int, info cloudflare.ResultInfo) int {
	if info.PerPage > 0 {
		asked = min(asked, info.PerPage)
	}
	return max(asked, 1)
}

// CreateOptions are what a new database may have besides its name.
type CreateOptions struct {
	// LocationHint is where the primary should run: "wnam", "enam", "weur",
	// "eeur", "apac" or "oc". Empty means near the caller.
	LocationHint string `json:"primary_location_hint,omitempty"`
	// Jurisdiction is one that the data must not leave: "eu", "fedramp" or "us".
	// LocationHint has no effect then.
	Jurisdiction string `json:"jurisdiction,omitempty"`
	// ReadReplication is the mode; nil means the account's default.
	ReadReplication *ReadReplication `json:"read_replication,omitempty"`
}

// Create makes a database. A name that is taken is an error with the API code
// 7502. It is never sent twice when the first call may have succeeded.
func (d *Databases) Create(ctx context.Context, name string, opts CreateOptions) (Database, error) {
	body := struct {
		Name string `json:"name"`
		CreateOptions
	}{name, opts}
	return d.one(ctx, cloudflare.Call{Method: http.MethodPost, Path: d.path, Body: body})
}

// Get returns a database by its id or its name. One that does not exist is an
// error with the HTTP status 404 and the API code 7404.
func (d *Databases) Get(ctx context.Context, idOrName string) (Database, error) {
	return d.one(ctx, cloudflare.Call{Path: d.of(idOrName)})
}

// UpdateOptions are what can be changed in a database.
type UpdateOptions struct {
	// ReadReplication is the new mode; nil leaves it.
	ReadReplication *ReadReplication `json:"read_replication,omitempty"`
}

// Update changes a database, named by its id.
func (d *Databases) Update(ctx context.Context, id string, opts UpdateOptions) (Database, error) {
	return d.one(ctx, cloudflare.Call{Method: http.MethodPatch, Path: d.of(id), Body: opts,
		Class: cloudflare.ClassIdempotent})
}

// Delete deletes a database, named by its id, with all that is in it.
func (d *Databases) Delete(ctx context.Context, id string) error {
	if id == "" {
		return refused(-1, errNoID)
	}
	call := cloudflare.Call{Method: http.MethodDelete, Path: d.of(id)}
	if _, err := d.client.Request(ctx, call, nil); err != nil {
		return convert(err, true)
	}
	return nil
}

const errNoID = "the database's id or name is missing"

func (d *Databases) of(id string) string { return d.path + "/" + url.PathEscape(id) }

// one makes a call whose result is a database. A path that ends in a slash would
// be that of the list.
func (d *Databases) one(ctx context.Context, call cloudflare.Call) (Database, error) {
	var db Database
	if strings.HasSuffix(call.Path, "/") {
		return db, refused(-1, errNoID)
	}
	if _, err := d.client.Request(ctx, call, &db); err != nil {
		return Database{}, convert(err, call.Method == http.MethodPost)
	}
	return db, nil
}
