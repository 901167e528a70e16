package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/rest"
	"github.com/skylite-go/skylite/internal/sqlitecode"
)

const (
	account = "0123456789abcdef0123456789abcdef"
	uuid    = "11111111-2222-3333-4444-555555555555"
	token   = "very-secret-token"
)

// open returns the database behind a handler.
func open(tb testing.TB, handler http.Handler) *rest.DB {
	tb.Helper()
	server := httptest.NewServer(handler)
	tb.Cleanup(server.Close)
	return openAt(tb, rest.Config{API: cloudflare.Config{BaseURL: server.URL}, DatabaseID: uuid})
}

func openAt(tb testing.TB, cfg rest.Config) *rest.DB {
	tb.Helper()
	cfg.AccountID, cfg.API.APIToken = account, token
	cfg.API.Rand = func() float64 { return 0 }
	db, err := rest.Open(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// fake is /raw as D1 answers it, on SQLite: numbers are bound as doubles and
// read as doubles, and a call is one transaction.
type fake struct {
	mu   sync.Mutex
	conn *sqlite3.Conn
	last string // the body of the last call

	rewrite *strings.Replacer // changes the SQL, if it is not nil
}

func newFake(tb testing.TB) *fake {
	tb.Helper()
	conn, err := sqlite3.Open(":memory:")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	return &fake{conn: conn}
}

type fakeStatement struct {
	SQL    string
	Params []any
}

type fakeResult struct {
	Results struct {
		Columns []string `json:"columns"`
		Rows    [][]any  `json:"rows"`
	} `json:"results"`
	Success bool    `json:"success"`
	Meta    d1.Meta `json:"meta"`
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var raw json.RawMessage
	var body struct {
		fakeStatement
		Batch []fakeStatement
	}
	json.NewDecoder(r.Body).Decode(&raw)
	f.last = string(raw)
	if err := json.Unmarshal(raw, &body); err != nil {
		fail(w, 400, 7400, "The request is malformed: "+err.Error())
		return
	}
	if body.Batch == nil {
		body.Batch = []fakeStatement{body.fakeStatement}
	}
	results := []fakeResult{}
	f.conn.Exec("BEGIN")
	for _, s := range body.Batch {
		result, err := f.run(s)
		if err != nil {
			f.conn.Exec("ROLLBACK")
			fail(w, 400, 7500, err.Error())
			return
		}
		results = append(results, result)
	}
	f.conn.Exec("COMMIT")
	json.NewEncoder(w).Encode(map[string]any{"result": results, "success": true, "errors": []any{}, "messages": []any{}})
}

func fail(w http.ResponseWriter, status, code int, message string) {
	w.Header().Set("Cf-Ray", "8f00-SIN")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"result": nil, "success": false, "messages": []any{},
		"errors": []any{map[string]any{"code": code, "message": message}}})
}

func (f *fake) run(s fakeStatement) (fakeResult, error) {
	var result fakeResult
	result.Success = true
	result.Results.Columns, result.Results.Rows = []string{}, [][]any{}
	if len(s.SQL) > d1.MaxStatementBytes {
		return result, fmt.Errorf("statement too long: SQLITE_TOOBIG")
	}
	if f.rewrite != nil {
		s.SQL = f.rewrite.Replace(s.SQL)
	}
	stmt, _, err := f.conn.Prepare(s.SQL)
	if err != nil {
		return result, sqliteError(err, s.SQL)
	}
	defer stmt.Close()
	if stmt.BindCount() != len(s.Params) {
		return result, fmt.Errorf("Wrong number of parameter bindings for SQL query.")
	}
	for i, p := range s.Params {
		bind(stmt, i+1, p)
	}
	for i := range stmt.ColumnCount() {
		result.Results.Columns = append(result.Results.Columns, stmt.ColumnName(i))
	}
	for stmt.Step() {
		row := make([]any, stmt.ColumnCount())
		for i := range row {
			row[i] = cell(stmt, i)
		}
		result.Results.Rows = append(result.Results.Rows, row)
	}
	result.Meta = d1.Meta{Changes: f.conn.Changes(), LastRowID: f.conn.LastInsertRowID()}
	if err := stmt.Err(); err != nil {
		return result, sqliteError(err, "")
	}
	return result, nil
}

// bind binds an argument as D1 does, and as a Go program means it if it is an
// int64, which JSON never gives.
func bind(stmt *sqlite3.Stmt, i int, arg any) {
	switch arg := arg.(type) {
	case nil:
		stmt.BindNull(i)
	case int64:
		stmt.BindInt64(i, arg)
	case float64:
		stmt.BindFloat(i, arg)
	case string:
		stmt.BindText(i, arg)
	case []byte:
		stmt.BindBlob(i, arg)
	case []any:
		blob := make([]byte, len(arg))
		for i, b := range arg {
			blob[i] = byte(b.(float64))
		}
		stmt.BindBlob(i, blob)
	}
}

func cell(stmt *sqlite3.Stmt, i int) any {
	switch stmt.ColumnType(i) {
	case sqlite3.INTEGER:
		return float64(stmt.ColumnInt64(i))
	case sqlite3.FLOAT:
		return stmt.ColumnFloat(i)
	case sqlite3.TEXT:
		return stmt.ColumnText(i)
	case sqlite3.BLOB:
		bytes := []int{}
		for _, b := range stmt.ColumnRawBlob(i) {
			bytes = append(bytes, int(b))
		}
		return bytes
	}
	return nil
}

func sqliteError(err error, sql string) error {
	e, ok := err.(*sqlite3.Error)
	if !ok {
		return err
	}
	message := strings.TrimPrefix(e.Error(), "sqlite3: ")
	message = strings.TrimPrefix(message, "SQL logic error: ")
	offset := -1
	if tail := e.SQL(); tail != "" && len(tail) <= len(sql) {
		offset = len(sql) - len(tail)
	}
	return fmt.Errorf("%s", sqlitecode.Format(message, offset, int(e.ExtendedCode())))
}
