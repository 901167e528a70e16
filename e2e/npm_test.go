package e2e

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/skylite-go/skylite/server"
)

// npmRun is what clients/cloudflare.mjs prints.
type npmRun struct {
	Created, Updated, Edited, Got npmDatabase
	Listed, Found                 []string
	Made, Batch, Queried, Raw     []npmResult
	Failures                      map[string]npmFailure
	Deleted                       any
	Gone                          npmFailure
}

type npmDatabase struct {
	UUID, Name, Version string
	CreatedAt           time.Time             `json:"created_at"`
	CreatedInRegion     string                `json:"created_in_region"`
	NumTables           int                   `json:"num_tables"`
	FileSize            int64                 `json:"file_size"`
	ReadReplication     struct{ Mode string } `json:"read_replication"`
}

type npmResult struct {
	Results json.RawMessage
	Success bool
	Meta    struct{ Changes int }
}

type npmFailure struct {
	Class  string
	Status int
	Errors []apiMessage
}

func TestNPMCloudflare(t *testing.T) {
	needNPM(t)
	t.Parallel()
	c := serve(t, server.Config{DataDir: t.TempDir(), Token: token}).client(t)
	var got npmRun
	printed(t, c.node(t, "clients/cloudflare.mjs").ok(t), &got)
	t.Run("databases", func(t *testing.T) { got.checkDatabases(t) })
	t.Run("results", func(t *testing.T) { got.checkResults(t) })
	t.Run("failures", func(t *testing.T) { got.checkFailures(t) })
}

func (got npmRun) checkDatabases(t *testing.T) {
	c := got.Created
	if len(c.UUID) != 36 || c.Name != "shop" || c.Version != "production" || c.CreatedInRegion != "ENAM" || c.CreatedAt.IsZero() {
		t.Errorf("created: %+v", c)
	}
	slices.Sort(got.Listed)
	if len(got.Listed) != 25 || len(slices.Compact(got.Listed)) != 25 {
		t.Errorf("listed: %d names: %q", len(got.Listed), got.Listed)
	}
	if !slices.Equal(got.Found, []string{c.UUID}) {
		t.Errorf("found: %q", got.Found)
	}
	if got.Updated.ReadReplication.Mode != "auto" || got.Edited.ReadReplication.Mode != "disabled" {
		t.Errorf("updated: %+v; edited: %+v", got.Updated, got.Edited)
	}
	if g := got.Got; g.UUID != c.UUID || g.NumTables != 1 || g.FileSize <= 0 {
		t.Errorf("got: %+v", g)
	}
	if got.Deleted != nil {
		t.Errorf("deleted: %v, want null", got.Deleted)
	}
}

func (got npmRun) checkResults(t *testing.T) {
	for _, c := range []struct {
		name    string
		results []npmResult
		want    []string
	}{
		{"made", got.Made, []string{`[]`, `[]`}},
		{"batch", got.Batch, []string{`[]`, `[{"type":"real","value":1.5}]`}},
		{"queried", got.Queried, []string{`[{"id":1,"a":"✓","b":[1,2,255]}]`}},
		{"raw", got.Raw, []string{`{"columns":["a","a","b","1e21","big"],"rows":[["✓","✓",[1,2,255],1e+21,9007199254740992]]}`}},
	} {
		var results []string
		for _, r := range c.results {
			results = append(results, string(r.Results))
			if !r.Success {
				t.Errorf("%s: success is false", c.name)
			}
		}
		if !slices.Equal(results, c.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, results, c.want)
		}
	}
	if n := got.Batch[0].Meta.Changes; n != 1 {
		t.Errorf("changes of an INSERT: %d", n)
	}
}

func (got npmRun) checkFailures(t *testing.T) {
	failures := got.Failures
	failures["gone"] = got.Gone
	for name, want := range map[string]npmFailure{
		"sql":     {"BadRequestError", 400, []apiMessage{{7500, "no such table: nope: SQLITE_ERROR"}}},
		"params":  {"BadRequestError", 400, []apiMessage{{7400, "The request is malformed: params with multiple statements is not supported"}}},
		"uuid":    {"BadRequestError", 400, []apiMessage{{7400, "Invalid property: databaseId => Invalid uuid"}}},
		"exists":  {"BadRequestError", 400, []apiMessage{{7502, "Database with name 'shop' already exists"}}},
		"unknown": {"NotFoundError", 404, []apiMessage{{7404, "The database 00000000-0000-4000-8000-000000000000 could not be found"}}},
		"token":   {"AuthenticationError", 401, []apiMessage{{10000, "Authentication error"}}},
		"gone":    {"NotFoundError", 404, []apiMessage{{7404, fmt.Sprintf("The database %s could not be found", got.Created.UUID)}}},
	} {
		if !reflect.DeepEqual(failures[name], want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, failures[name], want)
		}
	}
}
