package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/cloudflare/cloudflare-go/v6/d1"
	"github.com/cloudflare/cloudflare-go/v6/option"

	"github.com/skylite-go/skylite/server"
)

// counting is a transport that counts what is sent.
type counting struct{ sent atomic.Int64 }

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.sent.Add(1)
	return http.DefaultTransport.RoundTrip(r)
}

// cloudflareGo returns the databases of a client that is left as it comes, but for the
// server's address.
func (f *fixture) cloudflareGo(token string) (*d1.DatabaseService, *counting) {
	sent := new(counting)
	return d1.NewDatabaseService(option.WithBaseURL(f.base), option.WithAPIToken(token),
		option.WithHTTPClient(&http.Client{Transport: sent})), sent
}

// fields are fields of a structure, by their names.
type fields map[string]any

// with returns a structure of the client in which fields are set. That is what F of the
// module's root package is for, but the root package imports a hundred services, which
// take minutes to compile.
func with[T any](values fields) T {
	var structure T
	for name, value := range values {
		field := reflect.ValueOf(&structure).Elem().FieldByName(name)
		if field.Kind() == reflect.Struct {
			field.FieldByName("Present").SetBool(true)
			field = field.FieldByName("Value")
		}
		field.Set(reflect.ValueOf(value))
	}
	return structure
}

func cfCreate(t *testing.T, databases *d1.DatabaseService, name string) *d1.D1 {
	t.Helper()
	db, err := databases.New(t.Context(), with[d1.DatabaseNewParams](fields{
		"AccountID": account, "Name": name,
		"PrimaryLocationHint": d1.DatabaseNewParamsPrimaryLocationHintApac,
	}))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestCloudflareGoDatabases(t *testing.T) {
	t.Parallel()
	databases, sent := serveFiles(t).cloudflareGo(token)
	ctx := t.Context()
	made := cfCreate(t, databases, "shop")
	for i := range 24 {
		cfCreate(t, databases, fmt.Sprintf("more-%02d", i))
	}

	before := sent.sent.Load()
	names := map[string]bool{}
	pages := databases.ListAutoPaging(ctx, with[d1.DatabaseListParams](fields{"AccountID": account, "PerPage": 10.0}))
	for pages.Next() {
		names[pages.Current().Name] = true
		if len(names) > 25 || sent.sent.Load()-before > 10 {
			t.Fatal("the list does not end")
		}
	}
	if err := pages.Err(); err != nil || len(names) != 25 {
		t.Errorf("list: %d names, %v", len(names), err)
	}

	updated, err := databases.Update(ctx, made.UUID, with[d1.DatabaseUpdateParams](fields{
		"AccountID":       account,
		"ReadReplication": with[d1.DatabaseUpdateParamsReadReplication](fields{"Mode": d1.DatabaseUpdateParamsReadReplicationModeAuto}),
	}))
	if err != nil || updated.ReadReplication.Mode != "auto" {
		t.Errorf("update: %+v, %v", updated, err)
	}
	got, err := databases.Get(ctx, made.UUID, with[d1.DatabaseGetParams](fields{"AccountID": account}))
	if err != nil || got.Name != "shop" || got.UUID != made.UUID || got.Version != "production" ||
		got.FileSize <= 0 || !got.CreatedAt.Equal(made.CreatedAt) || got.CreatedAt.IsZero() {
		t.Errorf("get: %+v, %v", got, err)
	}
	if _, err := databases.Delete(ctx, made.UUID, with[d1.DatabaseDeleteParams](fields{"AccountID": account})); err != nil {
		t.Error(err)
	}
	_, err = databases.Get(ctx, made.UUID, with[d1.DatabaseGetParams](fields{"AccountID": account}))
	checkError(t, err, 404, 7404, "The database "+made.UUID+" could not be found")
}

func checkError(t *testing.T, err error, status int, code int64, message string) {
	t.Helper()
	e, ok := errors.AsType[*d1.Error](err)
	if !ok || e.StatusCode != status || len(e.Errors) != 1 || e.Errors[0].Code != code || e.Errors[0].Message != message {
		t.Errorf("error %v, want %d %d %s", err, status, code, message)
	}
}

func singleQuery(sql string, params ...string) d1.DatabaseQueryParamsBodyD1SingleQuery {
	set := fields{"Sql": sql}
	if params != nil {
		set["Params"] = params
	}
	return with[d1.DatabaseQueryParamsBodyD1SingleQuery](set)
}

func TestCloudflareGoQueries(t *testing.T) {
	t.Parallel()
	databases, _ := serveFiles(t).cloudflareGo(token)
	id := cfCreate(t, databases, "shop").UUID
	type part = d1.DatabaseQueryParamsBodyMultipleQueriesBatch
	type row = map[string]any
	for _, c := range []struct {
		name string
		body d1.DatabaseQueryParamsBodyUnion
		want [][]any // rows of each result
	}{
		{"several statements", singleQuery("CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 'x'); SELECT * FROM t"),
			[][]any{{}, {}, {row{"id": 1.0, "a": "x"}}}},
		{"parameters are texts", singleQuery("SELECT typeof(?1) AS type, ?1 AS v", "1"),
			[][]any{{row{"type": "text", "v": "1"}}}},
		{"parameters of any type", with[d1.DatabaseQueryParamsBody](fields{
			"Sql": "SELECT ?1 AS a, ?2 AS b, typeof(?3) AS c", "Params": []any{nil, []int{0, 255}, true},
		}), [][]any{{row{"a": nil, "b": []any{0.0, 255.0}, "c": "real"}}}},
		{"batch", with[d1.DatabaseQueryParamsBodyMultipleQueries](fields{"Batch": []part{
			with[part](fields{"Sql": "INSERT INTO t VALUES (?, ?)", "Params": []string{"2", "y"}}),
			with[part](fields{"Sql": "SELECT count(*) AS n FROM t"}),
		}}), [][]any{{}, {row{"n": 2.0}}}},
		{"batch of any type", with[d1.DatabaseQueryParamsBody](fields{
			"Batch": []map[string]any{{"sql": "SELECT ? AS n", "params": []any{0.5}}},
		}), [][]any{{row{"n": 0.5}}}},
	} {
		answer, err := databases.Query(t.Context(), id, with[d1.DatabaseQueryParams](fields{"AccountID": account, "Body": c.body}))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var got [][]any
		for _, result := range answer.Result {
			got = append(got, result.Results)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestCloudflareGoRaw(t *testing.T) {
	t.Parallel()
	databases, _ := serveFiles(t).cloudflareGo(token)
	id := cfCreate(t, databases, "shop").UUID
	pages := databases.RawAutoPaging(t.Context(), id, with[d1.DatabaseRawParams](fields{
		"AccountID": account,
		"Body": with[d1.DatabaseRawParamsBodyD1SingleQuery](fields{
			"Sql": "CREATE TABLE t (a); INSERT INTO t VALUES (1.5), (2) RETURNING a, a; SELECT 1 WHERE 0",
		}),
	}))
	var got []d1.DatabaseRawResponseResults
	changes := 0.0
	for pages.Next() {
		r := pages.Current()
		changes += r.Meta.Changes
		got = append(got, d1.DatabaseRawResponseResults{Columns: r.Results.Columns, Rows: r.Results.Rows})
	}
	want := []d1.DatabaseRawResponseResults{
		{Columns: []string{}, Rows: [][]any{}},
		{Columns: []string{"a", "a"}, Rows: [][]any{{1.5, 1.5}, {2.0, 2.0}}},
		{Columns: []string{"1"}, Rows: [][]any{}},
	}
	if err := pages.Err(); err != nil || !reflect.DeepEqual(got, want) || changes != 2 {
		t.Errorf("got %+v, %v changes, %v", got, changes, err)
	}
}

// TestCloudflareGoErrors holds that each error comes after one attempt: the client
// would send a 409, a 429 or a 500 ten more times.
func TestCloudflareGoErrors(t *testing.T) {
	t.Parallel()
	f := serve(t, server.Config{Token: token, AccountID: account})
	databases, sent := f.cloudflareGo(token)
	id := cfCreate(t, databases, "shop").UUID
	strangers, alsoSent := f.cloudflareGo("another-token")
	query := func(databases *d1.DatabaseService, account, id, sql string, params ...string) error {
		_, err := databases.Query(t.Context(), id,
			with[d1.DatabaseQueryParams](fields{"AccountID": account, "Body": singleQuery(sql, params...)}))
		return err
	}
	const nobody = "00000000-0000-4000-8000-000000000000"
	for _, c := range []struct {
		name    string
		err     func() error
		status  int
		code    int64
		message string
	}{
		{"syntax", func() error { return query(databases, account, id, "SELEC 1") }, 400, 7500, `near "SELEC": syntax error at offset 0: SQLITE_ERROR`},
		{"constraint", func() error {
			return query(databases, account, id, "CREATE TABLE u (a UNIQUE); INSERT INTO u VALUES (1), (1)")
		},
			400, 7500, "UNIQUE constraint failed: u.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)"},
		{"params", func() error { return query(databases, account, id, "SELECT 1; SELECT ?", "x") },
			400, 7400, "The request is malformed: params with multiple statements is not supported"},
		{"no database", func() error { return query(databases, account, nobody, "SELECT 1") }, 404, 7404, "The database " + nobody + " could not be found"},
		{"no uuid", func() error { return query(databases, account, "shop", "SELECT 1") }, 400, 7400, "Invalid property: databaseId => Invalid uuid"},
		{"account", func() error { return query(databases, "f"+account[1:], id, "SELECT 1") },
			403, 7403, "The given account is not valid or is not authorized to access this service"},
		{"token", func() error { return query(strangers, account, id, "SELECT 1") }, 401, 10000, "Authentication error"},
	} {
		before := sent.sent.Load() + alsoSent.sent.Load()
		checkError(t, c.err(), c.status, c.code, c.message)
		if n := sent.sent.Load() + alsoSent.sent.Load() - before; n != 1 {
			t.Errorf("%s: sent %d times", c.name, n)
		}
	}
}
