package d1sql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1sql"
	"github.com/skylite-go/skylite/d1/embedded"
)

// counted is a database that notes what it is sent.
type counted struct {
	d1.Backend
	requests []d1.Request
}

func (c *counted) Do(ctx context.Context, req d1.Request) (*d1.Results, error) {
	c.requests = append(c.requests, req)
	return c.Backend.Do(ctx, req)
}

// sent returns the texts of the last request, and forgets all.
func (c *counted) sent() (texts []string) {
	if n := len(c.requests); n > 0 {
		for _, s := range c.requests[n-1].Statements {
			texts = append(texts, s.SQL)
		}
	}
	c.requests = nil
	return texts
}

// openCounted opens a new database in memory with a single connection.
func openCounted(t testing.TB, opts d1sql.Options) (*sql.DB, *counted) {
	t.Helper()
	backend, err := embedded.Open(embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	c := &counted{Backend: backend}
	db := sql.OpenDB(d1sql.NewConnector(d1.New(c), opts))
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db, c
}

// answer reads all result sets: their columns, then their rows.
func answer(t *testing.T, db *sql.DB, query string, args ...any) (sets []string) {
	t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Errorf("%s: %v", query, err)
		return nil
	}
	defer rows.Close()
	for more := true; more; more = rows.NextResultSet() {
		columns, err := rows.Columns()
		if err != nil {
			t.Error(err)
		}
		var b strings.Builder
		b.WriteString(strings.Join(columns, ","))
		for rows.Next() {
			values, dest := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				dest[i] = &values[i]
			}
			if err := rows.Scan(dest...); err != nil {
				t.Error(err)
			}
			fmt.Fprint(&b, "|")
			for i, v := range values {
				if i > 0 {
					b.WriteByte(',')
				}
				fmt.Fprintf(&b, "%v", v)
			}
		}
		sets = append(sets, b.String())
	}
	if err := rows.Err(); err != nil {
		t.Errorf("%s: %v", query, err)
	}
	return sets
}

func TestProbes(t *testing.T) {
	t.Parallel()
	db, _ := openCounted(t, d1sql.Options{})
	if _, err := db.Exec("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, sqlite_version)"); err != nil {
		t.Fatal(err)
	}
	const list = "seq,name,file|0,main,"
	for _, tt := range []struct {
		query string
		args  []any
		want  []string
	}{
		{"select sqlite_version()", nil, []string{"sqlite_version()|3.53.4"}},
		{" SELECT /* a */ SQLite_Version ( ) -- b", nil, []string{"SQLite_Version ( )|3.53.4"}},
		{"SELECT sqlite_version() AS v, 1, sqlite_version(), ?", []any{"x"}, []string{"v,1,sqlite_version(),?|3.53.4,1,3.53.4,x"}},
		{"SELECT sqlite_version() FROM (SELECT 1)", nil, []string{"sqlite_version()|3.53.4"}},
		{"SELECT 1 WHERE sqlite_version() >= '3.35.0' AND ? IN (sqlite_version(), 'x')", []any{"x"}, []string{"1|1"}},
		{"SELECT v FROM (SELECT sqlite_version() AS v)", nil, []string{"v|3.53.4"}},
		{"SELECT 'sqlite_version()', count(sqlite_version) FROM t", nil, []string{"'sqlite_version()',count(sqlite_version)|sqlite_version(),0"}},
		{"PRAGMA database_list", nil, []string{list}},
		{`PRAGMA main."database_list"`, nil, []string{list}},
		{"SELECT * FROM pragma_database_list", nil, []string{list}},
		{"SELECT `name`, `file` FROM pragma_database_list() WHERE `name` <> 'temp'", nil, []string{"name,file|main,"}},
		{"SELECT `name`, `file` FROM pragma_database_list() WHERE `name` IN (?)", []any{"main"}, []string{"name,file|main,"}},
		{"SELECT d.name FROM pragma_database_list AS d, pragma_database_list() e JOIN pragma_database_list USING (name)", nil, []string{"name|main"}},
		{"SELECT pragma_database_list.seq FROM pragma_database_list ORDER BY pragma_database_list.seq", nil, []string{"seq|0"}},
		{"PRAGMA foreign_keys", nil, []string{"foreign_keys|1"}},
		{"PRAGMA foreign_keys = off", nil, []string{""}},
		{"PRAGMA foreign_keys", nil, []string{"foreign_keys|1"}},
		{"PRAGMA foreign_keys(ON)", nil, []string{""}},
		{"VACUUM", nil, []string{""}},
		{"VACUUM; SELECT 1; PRAGMA database_list; PRAGMA foreign_keys = 'yes'; SELECT sqlite_version(), ?", []any{2},
			[]string{"", "1|1", list, "", "sqlite_version(),?|3.53.4,2"}},
		{"SELECT name FROM sqlite_master WHERE type = 'table';", nil, []string{"name|t"}},
		{"SELECT m.name FROM sqlite_master AS m WHERE type = 'view' OR m.name NOT LIKE 'sqlite_%' AND name NOT LIKE 'libsql_%'", nil, []string{"name|t"}},
		{"SELECT name FROM sqlite_master where type = ?", []any{"table"}, []string{"name|t|sqlite_sequence"}},
		{"SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", nil, []string{"name|sqlite_sequence|t"}},
	} {
		if diff := cmp.Diff(tt.want, answer(t, db, tt.query, tt.args...)); diff != "" {
			t.Errorf("%s: %s", tt.query, diff)
		}
		stmt, err := db.Prepare(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stmt.Exec(tt.args...); err != nil {
			t.Errorf("%s as Exec: %v", tt.query, err)
		}
		stmt.Close()
	}
}

// TestNoProbes checks what is left to D1: everything with the option, and without it
// what nobody can answer.
func TestNoProbes(t *testing.T) {
	t.Parallel()
	plain, _ := openCounted(t, d1sql.Options{NoProbes: true})
	db, _ := openCounted(t, d1sql.Options{})
	for _, tt := range []struct {
		db    *sql.DB
		query string
		want  string
	}{
		{plain, "SELECT sqlite_version()", "not authorized to use function"},
		{plain, "PRAGMA database_list", "not authorized"},
		{plain, "VACUUM", "cannot VACUUM"},
		{db, "PRAGMA journal_mode = wal", "not authorized"},
		{db, "PRAGMA busy_timeout", "not authorized"},
		{db, "PRAGMA foreign_keys = 2", "not authorized"},
		{db, "PRAGMA writable_schema = 1", "not authorized"},
		{db, "VACUUM INTO 'copy.db'", ""},
		{db, "SELECT sqlite_source_id()", "not authorized to use function"},
		{db, "SELECT sqlite_version(1)", ""},
		{db, "SELECT sqlite_version(), nope", "no such column: nope: SQLITE_ERROR"},
		{db, "CREATE VIEW v AS SELECT sqlite_version(); SELECT * FROM v", "not authorized to use function"},
	} {
		_, err := tt.db.Exec(tt.query)
		if _, ok := errors.AsType[*d1.Error](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v", tt.query, err)
		}
	}
}

// TestProbesCostNothing counts requests.
func TestProbesCostNothing(t *testing.T) {
	t.Parallel()
	db, c := openCounted(t, d1sql.Options{})
	for _, query := range []string{"VACUUM", "PRAGMA foreign_keys = off", "PRAGMA foreign_keys = on; VACUUM"} {
		result, err := db.Exec(query)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := result.RowsAffected(); n != 0 || err != nil {
			t.Errorf("%s: %d rows, %v", query, n, err)
		}
		if len(c.requests) > 0 {
			t.Errorf("%s was sent as %v", query, c.sent())
		}
	}
}

const family = `CREATE TABLE parents (id INTEGER PRIMARY KEY, name);
	CREATE TABLE plain (id INTEGER PRIMARY KEY, parent REFERENCES parents (id));
	CREATE TABLE kept (id INTEGER PRIMARY KEY, parent REFERENCES "Parents" ON DELETE SET NULL)`

// TestForeignKeysOff checks what becomes of PRAGMA foreign_keys = off: what can be
// done without them is done, and no row is lost or changed in silence.
func TestForeignKeysOff(t *testing.T) {
	t.Parallel()
	db, c := openCounted(t, d1sql.Options{})
	exec := func(query string) (int64, error) {
		result, err := db.Exec(query)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		return n, err
	}
	must := func(query string, changes int64) {
		t.Helper()
		if n, err := exec(query); err != nil || n != changes {
			t.Fatalf("%s: %d rows, %v; want %d", query, n, err, changes)
		}
	}
	fails := func(query, want string) {
		t.Helper()
		_, err := exec(query)
		if e, ok := errors.AsType[*d1.Error](err); !ok || !strings.Contains(err.Error(), want) || e.Outcome != d1.OutcomeRefused {
			t.Fatalf("%s: error %v, want %s", query, err, want)
		}
	}
	must(family, 0)
	fails("INSERT INTO plain VALUES (1, 7); INSERT INTO parents VALUES (7, 'x')", "FOREIGN KEY constraint failed")

	must("PRAGMA foreign_keys = off", 0)
	must("INSERT INTO plain VALUES (1, 7); INSERT INTO parents VALUES (7, 'x')", 2)
	must("INSERT INTO kept VALUES (1, 7)", 1)
	fails("INSERT INTO plain VALUES (2, 8)", "FOREIGN KEY constraint failed")
	if _, err := exec("INSERT INTO parents VALUES (8, 'y'); INSERT INTO parents VALUES (8, 'z')"); err == nil ||
		!strings.Contains(err.Error(), "statement 2: UNIQUE") {
		t.Errorf("error %v", err)
	}

	const refusal = "DROP TABLE parents would delete or change rows of other tables"
	fails("DROP TABLE parents", refusal)
	fails("DROP TABLE IF EXISTS main.[parents];", refusal)
	fails(`CREATE TABLE new_parents (id INTEGER PRIMARY KEY, name TEXT);
		INSERT INTO new_parents SELECT * FROM parents;
		DROP TABLE "parents";
		ALTER TABLE new_parents RENAME TO parents`, "statement 3: "+refusal)
	if diff := cmp.Diff([]string{"id,parent|1,7"}, answer(t, db, "SELECT * FROM kept")); diff != "" {
		t.Error(diff)
	}
	fails("DROP TABLE nowhere", "no such table: nowhere")
	must("DROP TABLE IF EXISTS nowhere", 0)
	must("CREATE TABLE other (a); INSERT INTO other VALUES (1)", 1)
	must("DROP TABLE IF EXISTS other", 0)
	must("DROP TABLE kept", 0)
	fails("DROP TABLE parents", "FOREIGN KEY constraint failed")
	must("DROP TABLE plain; DROP TABLE parents", 0)

	must("PRAGMA foreign_keys = on", 0)
	must(family, 0)
	must("INSERT INTO parents VALUES (1, 'x'); INSERT INTO kept VALUES (1, 1)", 2)
	c.sent()
	must("PRAGMA foreign_keys = off; SELECT 1; DELETE FROM plain; PRAGMA foreign_keys = on; DELETE FROM plain", 0)
	if diff := cmp.Diff([]string{"SELECT 1", "PRAGMA defer_foreign_keys = on", " DELETE FROM plain", " DELETE FROM plain"}, trimFirst(c.sent())); diff != "" {
		t.Error(diff)
	}
	must("DROP TABLE parents", 2)
	if diff := cmp.Diff([]string{"id,parent|1,<nil>"}, answer(t, db, "SELECT * FROM kept")); diff != "" {
		t.Error(diff)
	}
}

func trimFirst(texts []string) []string {
	if len(texts) > 0 {
		texts[0] = strings.TrimSpace(texts[0])
	}
	return texts
}
