package d1sql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1sql"
	"github.com/skylite-go/skylite/d1/embedded"
	"github.com/skylite-go/skylite/d1/rest"
	"github.com/skylite-go/skylite/server"
)

// watched is a Backend that counts requests, those for the schema apart, and can refuse
// the latter.
type watched struct {
	d1.Backend
	requests, schemas atomic.Int64
	refuse            atomic.Bool
	hold, asked       chan struct{} // if they are set, the first request for the schema closes asked, and all wait for hold
}

func (c *watched) Do(ctx context.Context, req d1.Request) (*d1.Results, error) {
	if !strings.Contains(req.Statements[0].SQL, "FROM sqlite_master WHERE type IN") {
		c.requests.Add(1)
		return c.Backend.Do(ctx, req)
	}
	first := c.schemas.Add(1) == 1
	if c.refuse.Load() {
		return nil, errors.New("no schema today")
	}
	if c.hold != nil {
		if first {
			close(c.asked)
		}
		select {
		case <-c.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return c.Backend.Do(ctx, req)
}

// onPlaces runs a test on the embedded database, in a file and in memory, and over REST.
func onPlaces(t *testing.T, test func(t *testing.T, db *sql.DB, backend *watched)) {
	for name, open := range map[string]func(*testing.T) d1.Backend{
		"file":   func(t *testing.T) d1.Backend { return openEmbedded(t, t.TempDir()+"/test.db") },
		"memory": func(t *testing.T) d1.Backend { return openEmbedded(t, "") },
		"rest":   openREST,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backend := &watched{Backend: open(t)}
			db := d1sql.OpenDB(d1.New(backend))
			t.Cleanup(func() {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			})
			test(t, db, backend)
		})
	}
}

func openEmbedded(t *testing.T, path string) d1.Backend {
	t.Helper()
	backend, err := embedded.Open(embedded.Config{Path: path, Sync: embedded.SyncOff})
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

func openREST(t *testing.T) d1.Backend {
	t.Helper()
	srv, err := server.New(server.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	cfg := rest.Config{
		AccountID: server.DefaultAccountID,
		API:       cloudflare.Config{APIToken: "x", HTTPClient: &http.Client{Transport: srv.Transport()}},
	}
	databases, err := rest.NewDatabases(cfg)
	if err != nil {
		t.Fatal(err)
	}
	made, err := databases.Create(t.Context(), "test", rest.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cfg.DatabaseID = made.UUID
	backend, err := rest.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

func mustExec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

const events = `CREATE TABLE events (
	id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, day DATE, at DATETIME, seen timestamp with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP,
	done BOOLEAN NOT NULL DEFAULT 0, price REAL, rate double precision, amount DECIMAL(10, 2), photo BLOB, plain)`

func TestColumnTypes(t *testing.T) {
	t.Parallel()
	type info struct {
		Name, Type       string
		Scan             reflect.Type
		Nullable, Known  bool
		Length           int64
		Precision, Scale int64
	}
	const long = 1<<63 - 1
	want := []info{
		{Name: "id", Type: "INTEGER", Scan: reflect.TypeFor[int64](), Known: true},
		{Name: "name", Type: "VARCHAR(40)", Scan: reflect.TypeFor[string](), Known: true, Length: 40},
		{Name: "day", Type: "DATE", Scan: reflect.TypeFor[sql.NullTime](), Nullable: true, Known: true},
		{Name: "at", Type: "DATETIME", Scan: reflect.TypeFor[sql.NullTime](), Nullable: true, Known: true},
		{Name: "seen", Type: "TIMESTAMP WITH TIME ZONE", Scan: reflect.TypeFor[time.Time](), Known: true},
		{Name: "done", Type: "BOOLEAN", Scan: reflect.TypeFor[bool](), Known: true},
		{Name: "price", Type: "REAL", Scan: reflect.TypeFor[sql.NullFloat64](), Nullable: true, Known: true},
		{Name: "rate", Type: "DOUBLE PRECISION", Scan: reflect.TypeFor[sql.NullFloat64](), Nullable: true, Known: true},
		{Name: "amount", Type: "DECIMAL(10, 2)", Scan: reflect.TypeFor[any](), Nullable: true, Known: true, Precision: 10, Scale: 2},
		{Name: "photo", Type: "BLOB", Scan: reflect.TypeFor[[]byte](), Nullable: true, Known: true, Length: long},
		{Name: "plain", Scan: reflect.TypeFor[any](), Nullable: true, Known: true},
		{Name: "sum", Scan: reflect.TypeFor[any]()},
	}
	onPlaces(t, func(t *testing.T, db *sql.DB, _ *watched) {
		mustExec(t, db, events)
		rows, err := db.Query("SELECT *, id + 1 AS sum FROM events")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		types, err := rows.ColumnTypes()
		if err != nil {
			t.Fatal(err)
		}
		var got []info
		for _, c := range types {
			i := info{Name: c.Name(), Type: c.DatabaseTypeName(), Scan: c.ScanType()}
			i.Nullable, i.Known = c.Nullable()
			i.Length, _ = c.Length()
			i.Precision, i.Scale, _ = c.DecimalSize()
			got = append(got, i)
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b reflect.Type) bool { return a == b })); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTimes(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	onPlaces(t, func(t *testing.T, db *sql.DB, _ *watched) {
		mustExec(t, db, events)
		for _, written := range []any{
			want, "2026-01-02 03:04:05", "2026-01-02T03:04:05Z", "2026-01-02 05:04:05+02:00", "2026-01-02 03:04:05.000+00:00",
			"2026-01-02 04:04:05 +0100 CET", "2026-01-02 03:04:05 +0000 UTC m=+0.000000001",
		} {
			var id int64
			var at time.Time
			var null sql.NullTime
			var pointer *time.Time
			var anything any
			var text string
			err := db.QueryRow("INSERT INTO events (name, at) VALUES ('x', ?) RETURNING id, at", written).Scan(&id, &at)
			if err != nil || !at.Equal(want) {
				t.Errorf("%v returned: %v, %v", written, at, err)
			}
			err = db.QueryRow("SELECT at, at, at, at, at FROM events WHERE id = ?", id).Scan(&at, &null, &pointer, &anything, &text)
			if err != nil || !at.Equal(want) || !null.Valid || !null.Time.Equal(want) || pointer == nil || !pointer.Equal(want) {
				t.Errorf("%v: %v %v %v, %v", written, at, null, pointer, err)
			}
			if got, ok := anything.(time.Time); !ok || !got.Equal(want) || text != got.Format(time.RFC3339Nano) {
				t.Errorf("%v: %v and %q", written, anything, text)
			}
		}
		var day, seen time.Time
		var at sql.NullTime
		var none *time.Time
		err := db.QueryRow("INSERT INTO events (name, day) VALUES ('x', '2026-01-02') RETURNING day, seen, at, at").Scan(&day, &seen, &at, &none)
		if err != nil || !day.Equal(want.Truncate(24*time.Hour)) || time.Since(seen).Abs() > time.Minute || at.Valid || none != nil {
			t.Errorf("%v %v %v %v, %v", day, seen, at, none, err)
		}
	})
}

// TestOddTimes checks that what is no time stays what it is.
func TestOddTimes(t *testing.T) {
	t.Parallel()
	onPlaces(t, func(t *testing.T, db *sql.DB, _ *watched) {
		mustExec(t, db, events)
		long := strings.Repeat("no time ", 50)
		for _, written := range []any{"", "tomorrow", "2026-02-30", long, int64(1767323045), 2461042.5, []byte("2026-01-02"), nil} {
			var got any
			var id int64
			err := db.QueryRow("INSERT INTO events (name, at) VALUES ('x', ?) RETURNING id, at", written).Scan(&id, &got)
			if diff := cmp.Diff(written, got); err != nil || diff != "" {
				t.Errorf("%v: %v %s", written, err, diff)
			}
			if text, ok := written.(string); ok {
				var s string
				if err := db.QueryRow("SELECT at FROM events WHERE id = ?", id).Scan(&s); err != nil || s != text {
					t.Errorf("%q: %q, %v", text, s, err)
				}
				var at time.Time
				if err := db.QueryRow("SELECT at FROM events WHERE id = ?", id).Scan(&at); err == nil {
					t.Errorf("%q became the time %v", text, at)
				}
			}
		}
	})
}

func TestBooleans(t *testing.T) {
	t.Parallel()
	onPlaces(t, func(t *testing.T, db *sql.DB, _ *watched) {
		mustExec(t, db, events+"; INSERT INTO events (name, done) VALUES ('x', ?), ('y', ?)", true, false)
		for id, want := range map[int]bool{1: true, 2: false} {
			var b bool
			var n int
			var null sql.NullBool
			var anything any
			err := db.QueryRow("SELECT done, done, done, done FROM events WHERE id = ?", id).Scan(&b, &n, &null, &anything)
			if err != nil || b != want || (n == 1) != want || null.Bool != want || !null.Valid || anything != int64(n) {
				t.Errorf("%v %v %v %v, %v", b, n, null, anything, err)
			}
		}
	})
}

// TestReals checks that a REAL is a float64, whatever JSON has made of it.
func TestReals(t *testing.T) {
	t.Parallel()
	onPlaces(t, func(t *testing.T, db *sql.DB, _ *watched) {
		mustExec(t, db, events+"; INSERT INTO events (name, price, rate, amount) VALUES ('x', 2, 1e18, 2)")
		var price, rate, amount, again any
		err := db.QueryRow("SELECT price, rate, amount, (SELECT e.price FROM events e) FROM (SELECT * FROM events)").Scan(&price, &rate, &amount, &again)
		if err != nil || price != 2.0 || rate != 1e18 || amount != int64(2) || again != 2.0 {
			t.Errorf("%T(%v) %T(%v) %T(%v) %T(%v), %v", price, price, rate, rate, amount, amount, again, again, err)
		}
		var n int
		if err := db.QueryRow("SELECT price FROM events").Scan(&n); err != nil || n != 2 {
			t.Errorf("%d, %v", n, err)
		}
		for _, query := range []string{"SELECT price FROM events UNION ALL SELECT 7 FROM events LIMIT 1 OFFSET 1"} {
			var got any
			if err := db.QueryRow(query).Scan(&got); err != nil || got != int64(7) {
				t.Errorf("%s: %T(%v), %v", query, got, got, err)
			}
		}
	})
}

// TestSchemaRequests counts how often the schema is asked for.
func TestSchemaRequests(t *testing.T) {
	t.Parallel()
	onPlaces(t, func(t *testing.T, db *sql.DB, backend *watched) {
		mustExec(t, db, "CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME)")
		for _, step := range []struct {
			query   string
			schemas int64
			want    string // the type of the last column's value
		}{
			{"SELECT 1", 0, "int64"},
			{"SELECT count(*) FROM t", 0, "int64"},
			{"PRAGMA table_info(t)", 0, ""},
			{"INSERT INTO t (at) VALUES ('2026-01-02 03:04:05')", 0, ""},
			{"SELECT id, at FROM t", 1, "time.Time"},
			{"SELECT id, at FROM t", 1, "time.Time"},
			{"SELECT t.* FROM t", 1, "time.Time"},
			{"INSERT INTO t (at) VALUES ('2026-01-02 03:04:05') RETURNING at", 1, "time.Time"},
			{"ALTER TABLE t ADD COLUMN day DATE DEFAULT '2026-01-02'", 1, ""},
			{"SELECT * FROM t", 2, "time.Time"},
			{"SELECT nope FROM t", 2, "error"},
			{"SELECT * FROM t", 3, "time.Time"},
			{"SELECT * FROM nope", 3, "error"},
			{"SELECT count(*) FROM t", 3, "int64"},
			{"SELECT * FROM t", 4, "time.Time"},
			{"CREATE TABLE u (at TIMESTAMP); INSERT INTO u VALUES ('2026-01-02'); SELECT at FROM u", 5, ""},
			{"SELECT at FROM u", 5, "time.Time"},
		} {
			got := lastType(t, db, step.query)
			if n := backend.schemas.Load(); n != step.schemas || step.want != "" && got != step.want {
				t.Fatalf("%s: %d requests for the schema, want %d; a %s, want %s", step.query, n, step.schemas, got, step.want)
			}
		}
	})
}

// lastType returns the type of the last column's value in the last result's first row.
func lastType(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		return "error"
	}
	defer rows.Close()
	last := ""
	for more := true; more; more = rows.NextResultSet() {
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for first := true; rows.Next(); first = false {
			dest := make([]any, len(columns))
			for i := range dest {
				dest[i] = new(any)
			}
			if err := rows.Scan(dest...); err != nil {
				t.Fatal(err)
			}
			if first {
				last = fmt.Sprintf("%T", *dest[len(dest)-1].(*any))
			}
		}
	}
	if rows.Err() != nil {
		return "error"
	}
	return last
}

// TestSchemaMoves changes the schema behind the driver's back.
func TestSchemaMoves(t *testing.T) {
	t.Parallel()
	onPlaces(t, func(t *testing.T, db *sql.DB, backend *watched) {
		behind := func(script string) {
			t.Helper()
			if _, err := d1.New(backend.Backend).Exec(t.Context(), script); err != nil {
				t.Fatal(err)
			}
		}
		behind("CREATE TABLE t (a DATE); INSERT INTO t VALUES ('2026-01-02')")
		if got := lastType(t, db, "SELECT * FROM t"); got != "time.Time" {
			t.Errorf("a %s", got)
		}
		behind("ALTER TABLE t ADD COLUMN b DATE DEFAULT '2026-01-02'")
		if got := lastType(t, db, "SELECT * FROM t"); got != "time.Time" {
			t.Errorf("after one column more: a %s", got)
		}
		behind("ALTER TABLE t RENAME COLUMN b TO c")
		if got := lastType(t, db, "SELECT * FROM t"); got != "time.Time" {
			t.Errorf("after a new name: a %s", got)
		}
		if n := backend.schemas.Load(); n != 3 {
			t.Errorf("%d requests for the schema", n)
		}
	})
}

// TestSchemaFails checks that a query does not fail with the schema.
func TestSchemaFails(t *testing.T) {
	t.Parallel()
	onPlaces(t, func(t *testing.T, db *sql.DB, backend *watched) {
		mustExec(t, db, "CREATE TABLE t (at DATETIME); INSERT INTO t VALUES ('2026-01-02 03:04:05')")
		backend.refuse.Store(true)
		if got := lastType(t, db, "SELECT at FROM t"); got != "string" || backend.schemas.Load() != 1 {
			t.Errorf("a %s after %d requests for the schema", got, backend.schemas.Load())
		}
		backend.refuse.Store(false)
		if got := lastType(t, db, "SELECT at FROM t"); got != "time.Time" || backend.schemas.Load() != 2 {
			t.Errorf("a %s after %d requests for the schema", got, backend.schemas.Load())
		}
	})
}

// TestSchemaWaits lets many queries wait for one request, and one of them give up.
func TestSchemaWaits(t *testing.T) {
	t.Parallel()
	backend := &watched{Backend: openEmbedded(t, t.TempDir()+"/test.db"), hold: make(chan struct{}), asked: make(chan struct{})}
	db := d1sql.OpenDB(d1.New(backend))
	defer db.Close()
	mustExec(t, db, "CREATE TABLE t (at DATETIME); INSERT INTO t VALUES ('2026-01-02 03:04:05'), ('2026-01-02 03:04:05')")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := db.QueryRowContext(ctx, "SELECT at FROM t").Scan(new(time.Time)); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	<-backend.asked
	cancel()
	wg.Wait()
	var types []string
	var mu sync.Mutex
	for range 40 { // more than there are readers
		wg.Go(func() {
			got := lastType(t, db, "SELECT at FROM t")
			mu.Lock()
			defer mu.Unlock()
			types = append(types, got)
		})
	}
	close(backend.hold)
	wg.Wait()
	if slices.ContainsFunc(types, func(s string) bool { return s != "time.Time" }) || backend.schemas.Load() != 2 {
		t.Errorf("types %v after %d requests for the schema", types, backend.schemas.Load())
	}
}

// TestTypesConcurrently reads and changes a schema at the same time.
func TestTypesConcurrently(t *testing.T) {
	t.Parallel()
	onPlaces(t, func(t *testing.T, db *sql.DB, _ *watched) {
		mustExec(t, db, "CREATE TABLE t (at DATETIME); INSERT INTO t VALUES ('2026-01-02 03:04:05')")
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				for n := range 20 {
					if i == 0 && n%5 == 0 {
						mustExec(t, db, fmt.Sprintf("CREATE TABLE other%d (a)", n))
					}
					if got := lastType(t, db, fmt.Sprintf("SELECT at FROM t WHERE %d", n+1)); got != "time.Time" {
						t.Errorf("a %s", got)
					}
				}
			})
		}
		wg.Wait()
	})
}
