// Package server is Cloudflare's API v4 on this machine: D1 over package
// d1/embedded, and Workers KV over kv/ond1.
//
//	srv, err := server.New(server.Config{DataDir: ".skylite"})
//	listener, err := srv.Listen("127.0.0.1:8787")
//	err = srv.Serve(ctx, listener)
//
// wrangler, cloudflare-go, the npm package cloudflare and curl use it when their base
// URL is http://127.0.0.1:8787/client/v4. Routes, envelopes, codes and texts are those
// of the real service, as far as they are known; where they are not, [Switches] says
// what is assumed.
//
// # Streaming
//
// The rows of a query go from SQLite to the client as they are made. The first 256 KiB
// are held back, so that a statement that fails soon is an error in the ordinary form.
// If one fails later, the status is long sent: the connection is then cut in the middle
// of the answer, so that no client takes what it has for a whole one. A request that
// writes is committed before the first byte is sent.
//
// # Security
//
// Without a token the server listens on loopback addresses only, accepts every
// credential, and refuses what a web page in a browser on the same machine could send:
// requests whose Host is not a name of this machine, and requests from other origins.
// With a token, every request must carry it.
package server

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/internal/catalog"
	"github.com/skylite-go/skylite/internal/namespaces"
)

// DefaultAccountID is the account that a server without a fixed one names.
const DefaultAccountID = "10ca110ca110ca110ca110ca110ca110"

// Config says what a Server serves and to whom. The zero value keeps databases in
// memory and accepts every token.
type Config struct {
	// DataDir is the folder of the databases, created if it does not exist. Empty
	// means in memory.
	DataDir string
	// Token is what clients must present, as a bearer token or as X-Auth-Key. Empty
	// means that any credentials will do.
	Token string
	// AccountID is the only account there is. Empty means that every account ID is
	// accepted, and all of them name the same databases.
	AccountID string
	// Hosts are names that clients may call the server by, besides those of this
	// machine and api.cloudflare.com. With a Token every name is accepted.
	Hosts []string
	// Origins are web origins, such as "http://localhost:3000", whose pages may send
	// requests and read the answers. None may otherwise.
	Origins []string
	// Region and Colo are where databases created without a location hint say that
	// they run. Empty means "WEUR" and "AMS".
	Region, Colo string
	// MaxBodyBytes bounds a request's body. 0 means 100 MB (10^8 bytes), which is
	// what Cloudflare's edge accepts on its free and pro plans.
	MaxBodyBytes int64
	// MaxImportBytes bounds a file that is imported. 0 means 5 GB, as on D1.
	MaxImportBytes int64
	// MaxDatabases is how many databases there may be. 0 means 50,000; 10 is the
	// free plan's.
	MaxDatabases int
	// MaxDatabaseBytes is how large one may grow. 0 means [d1.MaxDatabaseBytes].
	MaxDatabaseBytes int64
	// MaxOpen is how many databases are open at the same time; one takes some 11 MB for
	// each of its connections. 0 means 16. In memory none is ever closed.
	MaxOpen int
	// QueryTimeout is how long the statements of one call may run together. 0 means
	// [d1.MaxQueryDuration]; negative means as long as they like.
	QueryTimeout time.Duration
	// ReadTimeout is how long a client may take to send a body, and WriteTimeout how
	// long it may take to receive 32 KiB of an answer before it is cut off. 0 means
	// one minute and 30 seconds; negative means as long as it likes.
	ReadTimeout, WriteTimeout time.Duration
	// DrainTimeout is how long Serve waits for requests under way when it ends. 0
	// means 30 seconds.
	DrainTimeout time.Duration
	// Replicas is how many read replicas a database seems to have, and Lag how far they
	// may be behind; see package d1/embedded. Sessions meet them, which the bridge's
	// protocol has and the API has not. They need a DataDir.
	Replicas int
	Lag      time.Duration
	// Retention is for how long the states of a database can be restored; see package
	// d1/embedded. 0 means 30 days, as on a paid plan; negative means that no history is
	// kept. In memory none is.
	Retention time.Duration
	// Sync says when a commit is on disk; the zero value is before it is
	// acknowledged.
	Sync embedded.Sync
	// MaxNamespaces is how many KV namespaces there may be. 0 means 1,000.
	MaxNamespaces int
	// KVStale is how old what is read from KV may be: a value that was read, or was not
	// there, is answered again for so long, whatever is written meanwhile, as Workers KV
	// does far from the writer for 60 seconds. 0 means that every read is fresh.
	KVStale time.Duration
	// Simulate makes the server fail as the real service does under load.
	Simulate Simulation
	// Switches are assumptions about the real service.
	Switches Switches
	// Logger is told of faults and of what goes on. nil means nobody is. Tokens, SQL
	// and values are never logged.
	Logger *slog.Logger
	// Now is the clock; nil means the system's.
	Now func() time.Time
	// RayID makes the identifiers of requests; nil means random ones.
	RayID func() string
	// OpenFile opens a database's file, or one in memory if path is empty. nil means
	// package d1/embedded under the settings above.
	OpenFile func(path string, place Place) (d1.Backend, error)
}

// Place is where a database says that it runs.
type Place struct {
	// Region is D1's name of the region, such as "WEUR"; Colo the IATA code of the
	// data centre.
	Region, Colo string
	// ID is the database's identifier.
	ID string
}

// Switches choose among answers that the real service may give, and that only an
// account could tell apart. The zero value is what is likeliest.
type Switches struct {
	// LenientParams accepts an empty "params" beside several statements, which the
	// real service refuses (drizzle-kit push meets this).
	LenientParams bool
	// NamesEverywhere accepts a database's name on every route. The real service is
	// known to accept it for GET of a database only, and elsewhere answers
	// "Invalid property: databaseId => Invalid uuid".
	NamesEverywhere bool
	// StrictNames refuses names of databases that the published schema does not
	// allow. The real service seems not to: Prisma creates _prisma_shadow_….
	StrictNames bool
	// NameFilter says how the list's name parameter is compared.
	NameFilter NameFilter
	// RefuseLowerCaseTriggers copies a fault of the real service's splitter: a
	// trigger whose BEGIN is in lower case is "incomplete input".
	RefuseLowerCaseTriggers bool
}

// NameFilter says how the name parameter of the list of databases is compared,
// always without regard to the case of ASCII letters.
type NameFilter uint8

// The ways of comparing.
const (
	NameContains NameFilter = iota
	NameBegins
	NameEquals
)

func (cfg Config) withDefaults() Config {
	setDefault(&cfg.Region, "WEUR")
	setDefault(&cfg.Colo, "AMS")
	setDefault(&cfg.MaxBodyBytes, 100_000_000)
	setDefault(&cfg.MaxImportBytes, 5_000_000_000)
	setDefault(&cfg.ReadTimeout, time.Minute)
	setDefault(&cfg.WriteTimeout, 30*time.Second)
	setDefault(&cfg.DrainTimeout, 30*time.Second)
	setDefault(&cfg.Retention, catalog.DefaultRetention)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.RayID == nil {
		// A ray id names a request in logs and protects nothing.
		cfg.RayID = func() string { return fmt.Sprintf("%016x", rand.Uint64()) }
	}
	if cfg.OpenFile == nil {
		cfg.OpenFile = cfg.openEmbedded
	}
	return cfg
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (cfg Config) openEmbedded(path string, place Place) (d1.Backend, error) {
	retention := max(cfg.Retention, 0)
	if path == "" {
		retention = 0
	}
	db, err := embedded.Open(embedded.Config{
		Path: path, Timeout: cfg.QueryTimeout, Sync: cfg.Sync, MaxBytes: cfg.MaxDatabaseBytes,
		SystemTable: true, ServedBy: "v3-prod", Region: place.Region, Colo: place.Colo, Logger: cfg.Logger,
		ID: place.ID, Replicas: cfg.Replicas, Lag: cfg.Lag, Retention: retention,
	})
	if err != nil {
		return nil, err
	}
	return db, nil
}

// Server answers the API's requests. It is an [http.Handler], safe for concurrent use.
type Server struct {
	cfg        Config
	token      [sha256.Size]byte
	catalog    *catalog.Catalog
	namespaces *namespaces.Catalog
	stale      stale
	files      files
	tasks      tasks
	insights   insights
	simulator  *simulator // nil if nothing is simulated
	routes     []route
}

var _ http.Handler = (*Server)(nil)

// New opens the data folder and returns its Server. Close it.
func New(cfg Config) (*Server, error) {
	kvClock := cfg.Now // nil lets the database's decide
	cfg = cfg.withDefaults()
	if strings.ContainsAny(cfg.AccountID, "/ ") {
		return nil, errors.New("the account ID has a slash or a space in it")
	}
	if cfg.Replicas > 0 && cfg.DataDir == "" {
		return nil, errors.New("replicas need a data folder; a database in memory has one connection")
	}
	if err := cfg.Simulate.check(); err != nil {
		return nil, err
	}
	if cfg.Token != "" && !credentialOK(cfg.Token) {
		return nil, errors.New("the token has characters that no header can carry")
	}
	s := &Server{cfg: cfg, token: sha256.Sum256([]byte(cfg.Token))}
	var err error
	s.catalog, err = catalog.New(catalog.Config{
		Dir: cfg.DataDir, MaxOpen: cfg.MaxOpen, MaxDatabases: cfg.MaxDatabases,
		Logger: cfg.Logger, Now: cfg.Now,
		OpenFile: func(path string, db catalog.Database) (d1.Backend, error) {
			return cfg.OpenFile(path, Place{Region: db.Region, Colo: s.colo(db.Region), ID: db.ID})
		},
	})
	if err != nil {
		return nil, err
	}
	s.namespaces = namespaces.New(namespaces.Config{
		Dir: cfg.DataDir, Max: cfg.MaxNamespaces, Sync: cfg.Sync, Logger: cfg.Logger, Now: kvClock,
	})
	if cfg.Simulate != (Simulation{}) {
		s.simulator = newSimulator(cfg.Simulate, cfg.Now)
	}
	s.stale = stale{window: cfg.KVStale, now: cfg.Now}
	s.routes = s.routeTable()
	return s, nil
}

// Close waits for requests under way and closes the databases. Imports under way are
// undone, and exports given up.
func (s *Server) Close() error {
	s.tasks.close()
	s.files.close()
	return errors.Join(s.namespaces.Close(), s.catalog.Close())
}

// account returns the account to speak of where a request names none.
func (s *Server) account() string {
	if s.cfg.AccountID != "" {
		return s.cfg.AccountID
	}
	return DefaultAccountID
}

// colo returns a data centre in a region.
func (s *Server) colo(region string) string {
	if region == s.cfg.Region {
		return s.cfg.Colo
	}
	if colo, ok := colos[region]; ok {
		return colo
	}
	return s.cfg.Colo
}

var colos = map[string]string{
	"WEUR": "AMS", "EEUR": "WAW", "WNAM": "LAX", "ENAM": "EWR", "APAC": "SIN", "OC": "SYD",
}
