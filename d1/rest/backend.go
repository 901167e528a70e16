package rest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/internal/gate"
	"github.com/skylite-go/skylite/internal/sqltext"
)

// DB is one database over the REST API. It is safe for concurrent use.
type DB struct {
	client *cloudflare.Client
	owned  bool
	id     resolver
	path   string // of the account's databases
	parsed sqltext.Cache

	grouping  Grouping
	groupWait time.Duration
	lanes     [2][2]lane // of reads and of writes, each for one freshness
	habits    habits

	gate gate.Gate
}

var _ d1.Backend = (*DB)(nil)

// Open returns the database that the Config names. Nothing is sent before the
// first request.
func Open(cfg Config) (*DB, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	client, err := cfg.client()
	if err != nil {
		return nil, err
	}
	db := &DB{client: client, owned: cfg.Client == nil, path: databasesPath(cfg.AccountID),
		grouping: cfg.Group, groupWait: cfg.GroupWait}
	if db.groupWait == 0 {
		db.groupWait = defaultGroupWait
	}
	for i := range db.lanes {
		for j := range db.lanes[i] {
			db.lanes[i][j].db = db
		}
	}
	db.id = resolver{name: cfg.DatabaseName, fixed: cfg.DatabaseID, look: func(ctx context.Context, name string) (string, error) {
		return lookUp(ctx, client, db.path, name)
	}}
	return db, nil
}

func databasesPath(account string) string {
	return "/accounts/" + url.PathEscape(account) + "/d1/database"
}

// Do sends the request as one POST, which it may share with others; see [Grouping] and
// [d1.Backend]. The Results of a request that only reads may stream from the connection:
// read them before the context ends.
func (db *DB) Do(ctx context.Context, req d1.Request) (*d1.Results, error) {
	if !db.gate.Enter() {
		return nil, &d1.Error{Message: "database is closed", Offset: -1, Statement: -1,
			Outcome: d1.OutcomeUnsent, Err: d1.ErrClosed}
	}
	defer db.gate.Leave()
	plan, err := db.plan(req)
	if err != nil {
		return nil, err
	}
	if plan.lane != nil {
		return plan.lane.do(ctx, plan)
	}
	return db.alone(ctx, plan)
}

// alone sends a request that shares its POST with nobody.
func (db *DB) alone(ctx context.Context, plan *plan) (*d1.Results, error) {
	if plan.call.Class == cloudflare.ClassWrite {
		body, resp, err := db.exchange(ctx, plan, maxWriteAnswer)
		if err != nil {
			return nil, err
		}
		return db.committed(plan, resp, reader{buf: body, w: len(body), mark: -1}, atStart)
	}
	id, err := db.address(ctx, plan)
	if err != nil {
		return nil, err
	}
	resp, err := db.client.Stream(ctx, plan.call)
	if err != nil {
		return nil, db.failed(plan, id, err)
	}
	return d1.NewResults(newCursor(plan, db.client, resp)), nil
}

// exchange sends a request and reads its answer to its end, before anything of it is
// told: the end of an answer says whether all went well.
func (db *DB) exchange(ctx context.Context, plan *plan, limit int64) ([]byte, *http.Response, error) {
	id, err := db.address(ctx, plan)
	if err != nil {
		return nil, nil, err
	}
	body, resp, err := db.client.Whole(ctx, plan.call, limit)
	if err != nil {
		return body, nil, db.failed(plan, id, err)
	}
	return body, resp, nil
}

// address names the database in a plan's call.
func (db *DB) address(ctx context.Context, plan *plan) (id string, err error) {
	id, err = db.id.get(ctx)
	if err != nil {
		return "", unsent(plan.failure(fmt.Errorf("looking up the database: %w", err)))
	}
	plan.call.Path = db.path + "/" + url.PathEscape(id) + "/raw"
	return id, nil
}

func (db *DB) failed(plan *plan, id string, err error) error {
	if cloudflare.StatusIs(err, http.StatusNotFound) {
		db.id.forget(id)
	}
	return plan.failure(err)
}

// maxWriteAnswer bounds what a write returns, all of which is in memory at once. D1 returns
// 50 MB at most, and a byte of a BLOB takes up to four of JSON.
const maxWriteAnswer = 256 << 20

// committed returns the results of a request that writes, once they say that all went
// well. Skipping over rows leaves an answer as it is, so it can be read again.
func (db *DB) committed(plan *plan, resp *http.Response, in reader, at state) (*d1.Results, error) {
	check := newCursor(plan, db.client, resp)
	check.in, check.state, check.part = in, at, at != atStart
	c := *check
	for check.NextResult() {
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	return d1.NewResults(&c), nil
}

// Close waits until no call of Do is under way. Results that are still being
// read can be read to their end.
func (db *DB) Close() error {
	db.gate.Close()
	if db.owned {
		db.client.Close()
	}
	return nil
}
