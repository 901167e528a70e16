package server

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/d1"
)

var sampleRow = []d1.Value{
	d1.Integer(1 << 40), d1.Real(3.141592653589793), d1.Text([]byte(`a text of a middling length, with "quotes" and é`)),
	d1.Blob([]byte{0, 10, 100, 255}), d1.Null(), d1.Integer(math.MaxInt64),
}

var sampleColumns = []string{"id", "ratio", "text", "blob", "nothing", "2"}

func TestMetaIsMetas(t *testing.T) {
	t.Parallel()
	for _, m := range []d1.Meta{{}, {
		ServedBy: "v3-prod", ServedByRegion: "WEUR", ServedByColo: "AMS", ServedByPrimary: true, Duration: 1234567 * time.Nanosecond,
		Changes: 1, LastRowID: 2, ChangedDB: true, SizeAfter: 3, RowsRead: 4, RowsWritten: 5, TotalAttempts: 6,
	}} {
		want, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendMeta(nil, m); !bytes.Equal(got, want) {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	if got := appendMeta(nil, d1.Meta{LastRowID: 1<<53 + 1}); !bytes.Contains(got, []byte(`"last_row_id":9007199254740992,`)) {
		t.Errorf("got %s", got)
	}
}

func TestRowAllocatesNothing(t *testing.T) {
	for _, raw := range []bool{false, true} {
		e := newEncoder(raw)
		e.begin(sampleColumns)
		if n := testing.AllocsPerRun(1000, func() {
			e.row(sampleRow)
			e.buf = e.buf[:0]
		}); n != 0 {
			t.Errorf("raw %v: %v allocations", raw, n)
		}
		e.free()
	}
}

func BenchmarkRow(b *testing.B) {
	for name, raw := range map[string]bool{"query": false, "raw": true} {
		b.Run(name, func(b *testing.B) {
			e := newEncoder(raw)
			e.begin(sampleColumns)
			e.buf = e.buf[:0]
			e.row(sampleRow)
			b.SetBytes(int64(len(e.buf)))
			b.ReportAllocs()
			for b.Loop() {
				e.buf = e.buf[:0]
				e.row(sampleRow)
			}
		})
	}
}

type nowhere struct{ header http.Header }

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) WriteHeader(int)             {}
func (w *nowhere) Write(p []byte) (int, error) { return len(p), nil }

// bench returns a function that sends a body to a new database's endpoint.
func bench(b *testing.B, end, setUp, body string) func() {
	b.Helper()
	s, err := New(Config{DataDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	db, err := s.catalog.Create(context.Background(), s.newDatabase(createBody{name: "db"}))
	if err != nil {
		b.Fatal(err)
	}
	send := func(end, body string) {
		req, _ := http.NewRequest("POST", "http://localhost/accounts/a/d1/database/"+db.ID+"/"+end, strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer x")
		w := &nowhere{header: http.Header{}}
		s.ServeHTTP(w, req)
		if len(w.header) == 0 || w.header.Get("Content-Type") == "" {
			b.Fatal("no answer")
		}
	}
	setUpBody, _ := json.Marshal(map[string]string{"sql": setUp})
	send("query", string(setUpBody))
	return func() { send(end, body) }
}

const benchTable = `CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, ratio REAL, note TEXT);
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT 10000)
INSERT INTO t SELECT x, 'name ' || x, x * 1.37, 'some words that make the row longer ' || x FROM c`

func BenchmarkRequest(b *testing.B) {
	for _, bm := range []struct{ name, end, body string }{
		{"one row by key", "query", `{"sql":"SELECT * FROM t WHERE id = ?","params":[77]}`},
		{"10,000 rows query", "query", `{"sql":"SELECT * FROM t"}`},
		{"10,000 rows raw", "raw", `{"sql":"SELECT * FROM t"}`},
		{"insert", "query", `{"sql":"INSERT INTO t (name) VALUES (?)","params":["x"]}`},
	} {
		b.Run(bm.name, func(b *testing.B) {
			send := bench(b, bm.end, benchTable, bm.body)
			b.ReportAllocs()
			for b.Loop() {
				send()
			}
		})
	}
}
