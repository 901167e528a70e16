package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/rest"
)

const selected = `{"result":[{"results":{"columns":["id","a"],"rows":[[1,"x"]]},"success":true,` +
	`"meta":{"served_by":"v3-prod","duration":0.2,"changes":0,"last_row_id":0,"rows_read":1}}],` +
	`"success":true,"errors":[],"messages":[]}`

const written = `{"result":[{"results":{"columns":[],"rows":[]},"success":true,` +
	`"meta":{"changes":1,"last_row_id":7,"changed_db":true,"rows_written":1}}],"success":true,"errors":[],"messages":[]}`

func TestRequestOnTheWire(t *testing.T) {
	t.Parallel()
	var path, body, auth string
	db := d1.New(open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		path, body, auth = r.Method+" "+r.URL.Path, string(b), r.Header.Get("Authorization")
		n := max(1, strings.Count(body, `"sql"`))
		one := strings.TrimSuffix(strings.TrimPrefix(written, `{"result":[`), `],"success":true,"errors":[],"messages":[]}`)
		io.WriteString(w, `{"success":true,"result":[`+strings.Repeat(one+",", n-1)+one+`]}`)
	})))
	for _, test := range []struct {
		sql  string
		args []any
		want string
	}{
		{"INSERT INTO t DEFAULT VALUES;", nil, `{"sql":"INSERT INTO t DEFAULT VALUES"}`},
		{"INSERT INTO t VALUES (?, ?)", []any{nil, "a\"\\\n\x01€"}, `{"sql":"INSERT INTO t VALUES (?, ?)","params":[null,"a\"\\\n\u0001€"]}`},
		{"INSERT INTO t VALUES (?, ?)", []any{1.5, 1e21}, `{"sql":"INSERT INTO t VALUES (?, ?)","params":[1.5,1e+21]}`},
		{"INSERT INTO t VALUES (?, ?)", []any{[]byte{}, []byte{0, 10, 255}}, `{"sql":"INSERT INTO t VALUES (?, ?)","params":[[],[0,10,255]]}`},
		{"INSERT INTO t VALUES (?, ?)", []any{5, true}, `{"sql":"INSERT INTO t VALUES (~-6, ~-2)"}`},
		{"INSERT INTO t VALUES (?2, ?1)", []any{5, "x"}, `{"sql":"INSERT INTO t VALUES (?1, ~-6)","params":["x"]}`},
		{"CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END;", nil,
			`{"sql":"CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END"}`},
	} {
		meta, err := db.Run(t.Context(), test.sql, test.args...)
		if err != nil || body != test.want || meta.LastRowID != 7 || !meta.ChangedDB {
			t.Errorf("%s: got %v %v\n%s", test.sql, meta, err, body)
		}
	}
	if want := "POST /accounts/" + account + "/d1/database/" + uuid + "/raw"; path != want || auth != "Bearer "+token {
		t.Errorf("got %s, %s", path, auth)
	}
	_, err := db.Batch(t.Context(), db.Prepare("INSERT INTO t VALUES (?)").Bind("x"), db.Prepare("DELETE FROM t WHERE i = ?").Bind(-1))
	if want := `{"batch":[{"sql":"INSERT INTO t VALUES (?)","params":["x"]},{"sql":"DELETE FROM t WHERE i = ~0"}]}`; err != nil || body != want {
		t.Errorf("got %v\n%s", err, body)
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	db := open(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("something was sent") }))
	one := func(sql string, args ...any) d1.Request {
		return d1.Request{Statements: []d1.Statement{{SQL: sql, Args: args}}}
	}
	bookmarked := one("SELECT 1")
	bookmarked.Bookmark = "00000001-00000002-00000003-00"
	for _, req := range []d1.Request{{}, bookmarked, one(""), one("SELECT 1; SELECT 2"), one("SELECT ?", "\xff"),
		one("SELECT '\xff'"), one("SELECT ?", struct{}{})} {
		_, err := db.Do(t.Context(), req)
		if _, ok := errors.AsType[*d1.Error](err); !ok || !d1.Unsent(err) || d1.Retryable(err) {
			t.Errorf("%v: got %v", req, err)
		}
	}
	if _, err := db.Do(t.Context(), bookmarked); !strings.Contains(err.Error(), "bridge") {
		t.Errorf("got %v", err)
	}
	db.Close()
	if _, err := db.Do(t.Context(), one("SELECT 1")); !errors.Is(err, d1.ErrClosed) {
		t.Errorf("closed: got %v", err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestConstraintsAreAccepted(t *testing.T) {
	t.Parallel()
	db := d1.New(open(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, selected) })))
	s := db.WithSession(d1.FirstUnconstrained)
	if _, err := s.All(t.Context(), "SELECT 1"); err != nil || s.Bookmark() != "" {
		t.Errorf("got %v, %q", err, s.Bookmark())
	}
}

// badAnswers are what may happen to an answer, and what a caller must be told.
var badAnswers = []struct {
	name            string
	handler         http.HandlerFunc
	read, write     int64 // how often it is sent
	readOK, writeOK bool
	outcome         d1.Outcome // of the write
	transient       bool       // of the write's error
}{
	{"cut before the answer", drop, 4, 1, false, false, d1.OutcomeUnknown, true},
	{"cut in the answer", cut, 1, 1, false, false, d1.OutcomeUnknown, true},
	{"5xx storm", status(503, ""), 4, 1, false, false, d1.OutcomeUnknown, true},
	{"html", status(502, "<html>Bad gateway</html>"), 4, 1, false, false, d1.OutcomeUnknown, true},
	{"html with 200", status(200, "<html>Log in</html>"), 1, 1, false, false, d1.OutcomeUnknown, false},
	{"wrong JSON", status(200, `{"result":[{"results":7}],"success":true}`), 1, 1, false, false, d1.OutcomeUnknown, false},
	{"no JSON", status(200, `nothing`), 1, 1, false, false, d1.OutcomeUnknown, false},
	{"limited", status(429, apiFailure(971, "Please wait and consider throttling your request speed")), 4, 4, false, false, d1.OutcomeUnsent, true},
	{"overloaded", status(429, apiFailure(7429, "D1 DB is overloaded. Requests queued for too long.")), 4, 4, false, false, d1.OutcomeUnsent, true},
	{"stopped", status(429, apiFailure(7429, "D1 DB exceeded its CPU time limit and was reset.")), 4, 1, false, false, d1.OutcomeUnknown, true},
	{"connection lost", status(400, apiFailure(7500, "Network connection lost.")), 4, 1, false, false, d1.OutcomeUnknown, true},
	{"not resolved", status(400, apiFailure(7500, "Cannot resolve D1 DB due to transient issue on remote node.")), 4, 1, false, false, d1.OutcomeUnsent, true},
	{"sql", status(400, apiFailure(7500, "no such table: X: SQLITE_ERROR")), 1, 1, false, false, d1.OutcomeRefused, false},
	{"sql as 500", status(500, apiFailure(7500, "no such table: X: SQLITE_ERROR")), 4, 1, false, false, d1.OutcomeRefused, false},
	{"auth", status(401, apiFailure(10000, "Authentication error")), 1, 1, false, false, d1.OutcomeRefused, false},
	{"success false", status(200, apiFailure(7500, "no such table: X: SQLITE_ERROR")), 1, 1, false, false, d1.OutcomeRefused, false},
}

func drop(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	conn, _, _ := w.(http.Hijacker).Hijack()
	conn.Close()
}

func cut(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "100000")
	io.WriteString(w, selected[:60])
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cf-Ray", "8f-SIN")
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func apiFailure(code int, message string) string {
	return fmt.Sprintf(`{"messages":[],"result":[],"success":false,"errors":[{"code":%d,"message":%q}]}`, code, message)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, f := range badAnswers {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			var sent atomic.Int64
			db := d1.New(open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sent.Add(1)
				f.handler(w, r)
			})))
			_, err := db.All(t.Context(), "SELECT * FROM t")
			if sent.Load() != f.read || (err == nil) != f.readOK || d1.Ambiguous(err) {
				t.Errorf("read: sent %d times: %+v", sent.Load(), err)
			}
			sent.Store(0)
			_, err = db.Run(t.Context(), "DELETE FROM t")
			if sent.Load() != f.write || (err == nil) != f.writeOK {
				t.Fatalf("write: sent %d times: %v", sent.Load(), err)
			}
			e, ok := errors.AsType[*d1.Error](err)
			if err != nil && (!ok || e.Outcome != f.outcome || e.Transient != f.transient) {
				t.Errorf("write: got %+v", err)
			}
			if err != nil && (strings.Contains(err.Error(), token) || errors.Unwrap(err) == nil) {
				t.Errorf("write: got %q", err)
			}
		})
	}
}

func TestNotFoundStaysRecognisable(t *testing.T) {
	t.Parallel()
	db := d1.New(open(t, status(404, apiFailure(7404, "The database "+uuid+" could not be found"))))
	_, err := db.All(t.Context(), "SELECT 1")
	e, _ := errors.AsType[*d1.Error](err)
	api, _ := errors.AsType[*cloudflare.APIError](err)
	if e == nil || e.HTTPStatus != 404 || e.APICode != 7404 || e.RayID != "8f-SIN" || api == nil || !api.HasCode(7404) {
		t.Errorf("got %+v", err)
	}
}

// TestReadsStream reads the first row while the last has not been sent.
func TestReadsStream(t *testing.T) {
	t.Parallel()
	release := make(chan bool)
	db := d1.New(open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head, tail, _ := strings.Cut(selected, "]]}")
		io.WriteString(w, head+"]")
		w.(http.Flusher).Flush()
		<-release
		io.WriteString(w, ",[2,\"y\"]]}"+tail)
	})))
	results, err := db.Query(t.Context(), "SELECT * FROM t")
	if err != nil || !results.Next() {
		t.Fatal(err)
	}
	if s := string(results.Row()[1].Bytes()); s != "x" {
		t.Errorf("got %q", s)
	}
	close(release)
	if !results.Next() || results.Next() || results.Meta().ServedBy != "v3-prod" {
		t.Error("the rest is missing")
	}
	if err := results.Close(); err != nil {
		t.Error(err)
	}
}

func TestCancelWhileReading(t *testing.T) {
	t.Parallel()
	db := d1.New(open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, selected[:strings.Index(selected, "]]}")+1])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})))
	ctx, cancel := context.WithCancel(t.Context())
	results, err := db.Query(ctx, "SELECT * FROM t")
	if err != nil || !results.Next() {
		t.Fatal(err)
	}
	cancel()
	if results.Next() || !errors.Is(results.Err(), context.Canceled) || d1.Retryable(results.Err()) {
		t.Errorf("got %v", results.Err())
	}
	results.Close()
}

// TestConnectionsAreReused: an answer is read to its end.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	addrs := map[string]bool{}
	db := d1.New(open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addrs[r.RemoteAddr] = true
		io.WriteString(w, selected)
	})))
	for range 5 {
		if _, err := db.All(t.Context(), "SELECT 1"); err != nil {
			t.Fatal(err)
		}
		if err := db.First(t.Context(), "SELECT 1").Scan(new(int), new(string)); err != nil {
			t.Fatal(err)
		}
	}
	if len(addrs) != 1 {
		t.Errorf("%d connections", len(addrs))
	}
}

// names is the API of databases: known by name, but for those that only the list
// shows.
type names struct {
	looks  atomic.Int64
	broken atomic.Bool
	slow   time.Duration
}

func (n *names) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch {
	case strings.HasSuffix(r.URL.Path, uuid+"/raw"):
		io.WriteString(w, selected)
	case n.broken.Load():
		n.looks.Add(1)
		status(400, apiFailure(7000, "broken"))(w, r)
	case name == "app":
		n.looks.Add(1)
		time.Sleep(n.slow)
		if r.URL.Query().Get("fields") != "uuid,name" {
			status(400, "")(w, r)
			return
		}
		io.WriteString(w, `{"result":{"uuid":"`+uuid+`","name":"app"},"success":true}`)
	case name == "database" && r.URL.Query().Get("page") == "1":
		json.NewEncoder(w).Encode(map[string]any{"success": true, "result": []rest.Database{
			{UUID: "other", Name: "listed2"}, {UUID: uuid, Name: "listed"}}})
	default:
		status(404, apiFailure(7404, "could not be found"))(w, r)
	}
}

func TestNameIsLookedUpOnce(t *testing.T) {
	t.Parallel()
	n := &names{slow: 20 * time.Millisecond}
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	cfg := rest.Config{API: cloudflare.Config{BaseURL: server.URL, MaxRetries: -1}, DatabaseName: "app"}
	n.broken.Store(true)
	db := d1.New(openAt(t, cfg))
	if _, err := db.Run(t.Context(), "DELETE FROM t"); err == nil || !d1.Unsent(err) {
		t.Errorf("got %v", err)
	}
	n.broken.Store(false)
	n.looks.Store(0)
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			ctx := t.Context()
			if i == 0 { // this one may be the one that looks
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 5*time.Millisecond)
				defer cancel()
			}
			if _, err := db.All(ctx, "SELECT 1"); err != nil && i > 0 {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := n.looks.Load(); got < 1 || got > 2 {
		t.Errorf("%d look-ups", got)
	}
	cfg.DatabaseName = "listed"
	if _, err := d1.New(openAt(t, cfg)).All(t.Context(), "SELECT 1"); err != nil {
		t.Error(err)
	}
	cfg.DatabaseName = "absent"
	_, err := d1.New(openAt(t, cfg)).All(t.Context(), "SELECT 1")
	if e, _ := errors.AsType[*d1.Error](err); e == nil || e.APICode != 7404 {
		t.Errorf("got %v", err)
	}
}

func BenchmarkQuery(b *testing.B) {
	for _, rows := range []int{1, 10_000} {
		body := strings.Replace(selected, `[[1,"x"]]`, `[`+strings.Repeat(`[123,"customer@example.com"],`, rows-1)+`[1,"x"]]`, 1)
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			io.WriteString(w, body)
		})
		b.Run(fmt.Sprintf("rows=%d/floor", rows), func(b *testing.B) {
			server := httptest.NewServer(handler)
			defer server.Close()
			b.ReportAllocs()
			for b.Loop() {
				resp, err := http.Post(server.URL, "application/json", strings.NewReader(`{"sql":"SELECT 1","params":[1]}`))
				if err != nil {
					b.Fatal(err)
				}
				io.ReadAll(resp.Body)
				resp.Body.Close()
			}
		})
		b.Run(fmt.Sprintf("rows=%d/rest", rows), func(b *testing.B) {
			db := d1.New(open(b, handler))
			b.ReportAllocs()
			for b.Loop() {
				results, err := db.Query(b.Context(), "SELECT ?", 1)
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				for results.Next() {
					n += len(results.Row()[1].Bytes())
				}
				if err := results.Close(); err != nil || n == 0 {
					b.Fatal(err)
				}
			}
		})
	}
}
