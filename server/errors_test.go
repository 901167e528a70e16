package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/skylite-go/skylite/server"
)

func TestAuthentication(t *testing.T) {
	t.Parallel()
	const missing = "Missing X-Auth-Key, X-Auth-Email or Authorization headers"
	chain := func(code, text string) string {
		return `{"result":null,"success":false,"errors":[{"code":6003,"message":"Invalid request headers",` +
			`"error_chain":[{"code":` + code + `,"message":"` + text + `"}]}],"messages":[]}`
	}
	badBearer := chain("6111", "Invalid format for Authorization header")
	open, closed := start(t, server.Config{}), start(t, server.Config{Token: "secret", AccountID: account})
	tests := []struct {
		name    string
		on      *api
		path    string
		headers string
		status  int
		want    string // "" for success
	}{
		{"any token", open, databases, "Authorization: Bearer anything", 200, ""},
		{"any key", open, databases, "X-Auth-Email: a@b.c\nX-Auth-Key: k", 200, ""},
		{"nothing", open, databases, "Accept: */*", 400, failure(9106, missing)},
		{"key without e-mail", open, databases, "X-Auth-Key: k", 400, failure(9106, missing)},
		{"no bearer", open, databases, "Authorization: Basic x", 400, badBearer},
		{"empty bearer", open, databases, "Authorization: Bearer ", 400, badBearer},
		{"empty header", open, databases, "Authorization: ", 400, badBearer},
		{"two words", open, databases, "Authorization: Bearer a b", 400, badBearer},
		{"not ASCII", open, databases, "Authorization: Bearer é", 400, badBearer},
		{"bad key", open, databases, "X-Auth-Email: a@b.c\nX-Auth-Key: a b", 400,
			chain("6103", "Invalid format for X-Auth-Key header")},
		{"right token", closed, databases, "Authorization: Bearer secret", 200, ""},
		{"right token, lower case scheme", closed, databases, "Authorization: bearer secret", 200, ""},
		{"right key", closed, databases, "X-Auth-Email: a@b.c\nX-Auth-Key: secret", 200, ""},
		{"wrong token", closed, databases, "Authorization: Bearer secre", 401, failure(10000, "Authentication error")},
		{"wrong key", closed, databases, "X-Auth-Email: a@b.c\nX-Auth-Key: x", 401, failure(10000, "Authentication error")},
		{"wrong token, unknown route", closed, "/client/v4/x", "Authorization: Bearer x", 401, failure(10000, "Authentication error")},
		{"verify", closed, "/client/v4/user/tokens/verify", "Authorization: Bearer secret", 200, ""},
		{"verify a wrong token", closed, "/client/v4/user/tokens/verify", "Authorization: Bearer x", 401, failure(1000, "Invalid API Token")},
		{"another account", closed, "/client/v4/accounts/fedcba9876543210fedcba9876543210/d1/database", "Authorization: Bearer secret",
			403, failure(7403, "The given account is not valid or is not authorized to access this service")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, got := tt.on.do("GET", tt.path, "", strings.Split(tt.headers, "\n")...)
			if status != tt.status || tt.want != "" && got != tt.want {
				t.Errorf("got %d %s\nwant %d %s", status, got, tt.status, tt.want)
			}
		})
	}
}

func TestSites(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{Origins: []string{"http://app.test"}, Hosts: []string{"dev.test"}})
	const token = "Authorization: Bearer x\n"
	tests := []struct {
		name, headers string
		status        int
	}{
		{"localhost", "Host: localhost:8787", 200},
		{"subdomain", "Host: a.localhost", 200},
		{"IPv6", "Host: [::1]:8787", 200},
		{"loopback", "Host: 127.9.9.9", 200},
		{"cloudflare", "Host: api.cloudflare.com", 200},
		{"configured", "Host: DEV.test:80", 200},
		{"rebound", "Host: evil.test:8787", 403},
		{"suffix", "Host: localhost.evil.test", 403},
		{"another address", "Host: 192.168.1.2", 403},
		{"another origin", "Origin: http://evil.test", 403},
		{"another port", "Host: localhost:1\nOrigin: http://localhost:2", 403},
		{"opaque origin", "Origin: null", 403},
		{"empty origin", "Origin: ", 403},
		{"same origin", "Host: localhost:1\nOrigin: http://localhost:1", 200},
		{"configured origin", "Origin: http://app.test\nSec-Fetch-Site: cross-site", 200},
		{"cross-site without origin", "Sec-Fetch-Site: cross-site", 403},
		{"same-site", "Sec-Fetch-Site: same-site", 403},
		{"typed address", "Sec-Fetch-Site: none", 200},
		{"curl's form", "Content-Type: application/x-www-form-urlencoded", 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, got := a.do("POST", "/client/v4/graphql", "{}", strings.Split(token+tt.headers, "\n")...)
			if status != tt.status || status == 403 && !strings.Contains(got, `"code":9109`) {
				t.Errorf("got %d %s", status, got)
			}
		})
	}
	for origin, want := range map[string]int{"http://app.test": http.StatusNoContent, "http://evil.test": http.StatusForbidden} {
		req, _ := http.NewRequestWithContext(t.Context(), "OPTIONS", a.url+databases, nil)
		req.Header.Set("Origin", origin)
		req.Header.Set("Access-Control-Request-Method", "POST")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		shared := resp.Header.Get("Access-Control-Allow-Origin")
		if resp.StatusCode != want || (shared == origin) != (want == http.StatusNoContent) {
			t.Errorf("preflight from %s: %d, shared with %q", origin, resp.StatusCode, shared)
		}
	}
	guarded := start(t, server.Config{Token: "x"})
	if status, _ := guarded.do("GET", databases, "", "Authorization: Bearer x", "Host: any.test"); status != 200 {
		t.Error("with a token the name should not matter")
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	const lost = `{"result":null,"success":false,"errors":[{"code":7003,"message":"Could not route to /client/v4PATH, ` +
		`perhaps your object identifier is invalid?"},{"code":7000,"message":"No route for that URI"}],"messages":[]}`
	noRoute := func(path string) string { return strings.Replace(lost, "PATH", path, 1) }
	const nobody = "00000000-0000-0000-0000-000000000000"
	const d1 = "/accounts/" + account + "/d1/database"
	tests := []struct {
		name, method, path string
		status             int
		want               string
	}{
		{"unknown", "GET", "/client/v4/nope", 404, noRoute("/nope")},
		{"root", "GET", "/", 404, noRoute("/")},
		{"legacy backup", "POST", databases + "/" + nobody + "/backup", 404, noRoute(d1 + "/" + nobody + "/backup")},
		{"without prefix", "GET", d1, 200, ""},
		{"double slashes", "GET", "/client/v4//accounts//" + account + "/d1/database/", 200, ""},
		{"wrong method", "GET", databases + "/" + nobody + "/query", 405, failure(7001, "Method GET not available for that URI.")},
		{"export", "POST", databases + "/" + nobody + "/export", 400, failure(7400, "The request is malformed: Unexpected end of JSON input")},
		{"head", "HEAD", databases, 200, ""},
		{"bad escape", "GET", "/client/v4/accounts/%252/d1/database", 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, got := a.do(tt.method, tt.path, "")
			if status != tt.status || tt.want != "" && got != tt.want {
				t.Errorf("got %d %s\nwant %d %s", status, got, tt.status, tt.want)
			}
		})
	}
}

func TestBodyErrors(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{MaxBodyBytes: 1 << 20})
	id := a.create("db")
	const several = "The request is malformed: params with multiple statements is not supported"
	const none = "SQL code did not contain a statement."
	tests := []struct {
		name, body string
		code       int
		want       string
	}{
		{"several with params", `{"sql":"SELECT ?; SELECT 2","params":[1]}`, 7400, several},
		{"several with empty params", `{"sql":"SELECT 1; SELECT 2","params":[]}`, 7400, several},
		{"several in a batch with params", `{"batch":[{"sql":"SELECT 1;SELECT 2","params":[]}]}`, 7400, several},
		{"params null", `{"sql":"SELECT 1","params":null}`, 7400, "Invalid property: params => Expected array, received null"},
		{"params object", `{"sql":"SELECT 1","params":{}}`, 7400, "Invalid property: params => Expected array, received object"},
		{"params null in a batch", `{"batch":[{"sql":"SELECT 1","params":null}]}`, 7400,
			"Invalid property: batch.0.params => Expected array, received null"},
		{"object in params", `{"sql":"SELECT ?","params":[{"a":[1]}]}`, 7400, "Invalid property: params.0 => Expected string, received object"},
		{"byte too large", `{"sql":"SELECT ?","params":[[0,300]]}`, 7400, "Invalid property: params.0.1 => Number must be less than or equal to 255"},
		{"byte too small", `{"sql":"SELECT ?","params":[[-1]]}`, 7400, "Invalid property: params.0.0 => Number must be greater than or equal to 0"},
		{"half a byte", `{"sql":"SELECT ?","params":[[0.5]]}`, 7400, "Invalid property: params.0.0 => Expected integer, received float"},
		{"text in a blob", `{"sql":"SELECT ?","params":[["a"]]}`, 7400, "Invalid property: params.0.0 => Expected number, received string"},
		{"no sql", `{}`, 7400, "Invalid property: sql => Required"},
		{"no sql in a batch", `{"batch":[{"sql":"SELECT 1"},{}]}`, 7400, "Invalid property: batch.1.sql => Required"},
		{"keys are exact", `{"SQL":"SELECT 1"}`, 7400, "Invalid property: sql => Required"},
		{"sql a number", `{"sql":1}`, 7400, "Invalid property: sql => Expected string, received number"},
		{"sql null", `{"sql":null}`, 7400, "Invalid property: sql => Expected string, received null"},
		{"batch an object", `{"batch":{}}`, 7400, "Invalid property: batch => Expected array, received object"},
		{"batch of texts", `{"batch":["SELECT 1"]}`, 7400, "Invalid property: batch.0 => Expected object, received string"},
		{"both forms", `{"sql":"SELECT 1","batch":[]}`, 7400, "The request is malformed: sql and batch exclude each other"},
		{"an array", `[]`, 7400, "The request is malformed: Expected object, received array"},
		{"empty", ``, 7400, "The request is malformed: Unexpected end of JSON input"},
		{"truncated", `{"sql":"SELECT 1`, 7400, "The request is malformed: Unexpected end of JSON input"},
		{"bad JSON is worse than bad values", `{"sql":1,`, 7400, "The request is malformed: Unexpected end of JSON input"},
		{"a form", `sql=SELECT+1`, 7400, "The request is malformed: Unexpected token 's' in JSON at position 0"},
		{"trailing text", `{"sql":"SELECT 1"}}`, 7400, "The request is malformed: Unexpected token '}' in JSON at position 18"},
		{"invalid UTF-8", "{\"sql\":\"SELECT '\xff'\"}", 7400, "The request is malformed: invalid UTF-8 in JSON at position 16"},
		{"NUL byte in JSON", "{\"sql\":\"SELECT \x00\"}", 7400, "The request is malformed: Bad control character in string literal in JSON at position 15"},
		{"deep", `{"x":` + strings.Repeat("[", 100_000), 7400, "The request is malformed: JSON nested deeper than 64 at position 69"},

		{"empty sql", `{"sql":""}`, 7500, "No SQL statements detected."},
		{"only comments", `{"sql":" -- a\n/* b */"}`, 7500, none},
		{"only a line comment", `{"sql":"-- a"}`, 7500, "No SQL statements detected."},
		{"empty batch", `{"batch":[]}`, 7500, "No SQL statements detected."},
		{"comment behind", `{"sql":"SELECT 1; -- c"}`, 7500, none},
		{"two semicolons", `{"sql":"SELECT 1;;"}`, 7500, none},
		{"semicolon", `{"sql":";"}`, 7500, none},
		{"too few params", `{"sql":"SELECT ?"}`, 7500, "Wrong number of parameter bindings for SQL query."},
		{"too many params", `{"sql":"SELECT ?","params":[1,2]}`, 7500, "Wrong number of parameter bindings for SQL query."},
		{"101 params", `{"sql":"SELECT ?101"}`, 7500, "variable number must be between ?1 and ?100 at offset 7: SQLITE_ERROR"},
		{"101st param", `{"sql":"SELECT ` + strings.Repeat("?,", 100) + `?"}`, 7500, "too many SQL variables at offset 207: SQLITE_ERROR"},
		{"too long", `{"sql":"SELECT '` + strings.Repeat("a", 100_000) + `'"}`, 7500, "statement too long: SQLITE_TOOBIG"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, end := range []string{"query", "raw"} {
				status, got := a.do("POST", databases+"/"+id+"/"+end, tt.body)
				if want := failure(tt.code, tt.want); status != 400 || got != want {
					t.Errorf("%s: got %d %s\nwant %s", end, status, got, want)
				}
			}
		})
	}
	status, got := a.do("POST", databases+"/"+id+"/query", `{"sql":"`+strings.Repeat(" ", 1<<20)+`"}`)
	if want := failure(7400, "The request is malformed: the body is larger than 1048576 bytes"); status != 413 || got != want {
		t.Errorf("too large: got %d %s", status, got)
	}
}

// refusedSQL are statements and the texts of their errors.
var refusedSQL = []struct{ sql, want string }{
	{`SELECT from`, `near "from": syntax error at offset 7: SQLITE_ERROR`},
	{`SELECT 1; SELECT from`, `near "from": syntax error at offset 7: SQLITE_ERROR`},
	{`SELECT (`, `incomplete input: SQLITE_ERROR`},
	{`SELECT 'a`, `unrecognized token: "'a" at offset 7: SQLITE_ERROR`},
	{`SELECT * FROM nope`, `no such table: nope: SQLITE_ERROR`},
	{`SELECT x`, `no such column: x at offset 7: SQLITE_ERROR`},
	{`SELECT uuid()`, `no such function: uuid at offset 7: SQLITE_ERROR`},
	{`SELECT abs()`, `wrong number of arguments to function abs() at offset 7: SQLITE_ERROR`},
	{`CREATE TABLE t (x)`, `table t already exists at offset 13: SQLITE_ERROR`},
	{`INSERT INTO t VALUES (1)`, `table t has 4 columns but 1 values were supplied: SQLITE_ERROR`},
	{`INSERT INTO t (a, b) VALUES ('x', 1)`, `UNIQUE constraint failed: t.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)`},
	{`INSERT INTO t (id, b) VALUES (1, 1)`, `UNIQUE constraint failed: t.id: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_PRIMARYKEY)`},
	{`INSERT INTO t (b) VALUES (NULL)`, `NOT NULL constraint failed: t.b: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_NOTNULL)`},
	{`INSERT INTO t (b, c) VALUES (1, 0)`, `CHECK constraint failed: c>0: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_CHECK)`},
	{`INSERT INTO child VALUES (9)`, `FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)`},
	{`INSERT INTO t (id, b) VALUES ('x', 1)`, `datatype mismatch: SQLITE_MISMATCH`},
	{`SELECT json('{')`, `malformed JSON: SQLITE_ERROR`},
	{`BEGIN`, `To execute a transaction, please use the state.storage.transaction() or state.storage.transactionSync() APIs ` +
		`instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements. The JavaScript API is safer because it will ` +
		`automatically roll back on exceptions, and because it interacts correctly with Durable Objects' automatic atomic ` +
		`write coalescing.`},
	{`ATTACH 'x' AS y`, `not authorized: SQLITE_AUTH`},
	{`CREATE TEMP TABLE x (y)`, `not authorized: SQLITE_AUTH`},
	{`VACUUM`, `cannot VACUUM from within a transaction: SQLITE_ERROR`},
	{`PRAGMA journal_mode`, `not authorized: SQLITE_AUTH`},
	{`SELECT sqlite_version()`, `not authorized to use function: sqlite_version at offset 7: SQLITE_ERROR`},
	{`CREATE TABLE _CF_x (y)`, `not authorized: SQLITE_AUTH`},
	{`SELECT * FROM _cf_KV`, `access to _cf_KV.key is prohibited: SQLITE_AUTH`},
	{`SELECT 1 LIMIT 'x' || ''`, `datatype mismatch: SQLITE_MISMATCH`},
	{`SELECT 'a' LIKE '` + strings.Repeat("a", 51) + `'`, `LIKE or GLOB pattern too complex: SQLITE_ERROR`},
}

func TestSQLErrors(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("db")
	a.mustSQL(id, `CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE, b NOT NULL, c CHECK (c>0));
		CREATE TABLE child (t REFERENCES t); INSERT INTO t VALUES (1, 'x', 1, 1)`)
	for _, tt := range refusedSQL {
		t.Run(tt.sql, func(t *testing.T) {
			status, got := a.sql(id, tt.sql)
			if want := failure(7500, tt.want); status != 400 || got != want {
				t.Errorf("got %d %s\nwant %s", status, got, want)
			}
		})
	}
}

func TestSizeLimit(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{MaxDatabaseBytes: 64 << 10})
	id := a.create("db")
	a.mustSQL(id, "CREATE TABLE t(a)")
	const large = "INSERT INTO t VALUES (zeroblob(100000))"
	body := `{"batch":[{"sql":"INSERT INTO t VALUES (1)"},{"sql":"` + large + `"}]}`
	want := failure(7500, "Exceeded maximum DB size")
	for _, body := range []string{`{"sql":"` + large + `"}`, body} {
		for _, path := range []string{"/query", "/raw"} {
			if status, got := a.do("POST", databases+"/"+id+path, body); status != 400 || got != want {
				t.Errorf("%s %s: got %d %s", path, body, status, got)
			}
		}
	}
	if got := a.mustSQL(id, "SELECT count(*) AS n FROM t"); !strings.Contains(got, `{"n":0}`) {
		t.Errorf("afterwards: %s", got)
	}
	a.mustSQL(id, "INSERT INTO t VALUES (1)")
}
