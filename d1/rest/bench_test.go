package rest_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1sql"
	"github.com/skylite-go/skylite/d1/rest"
)

// cannedAnswer is what /raw says to a query for n rows of five columns: an integer, a
// text, a real, a text, and an integer or NULL; some 61 bytes a row.
func cannedAnswer(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"result":[{"results":{"columns":["id","name","score","email","age"],"rows":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		age := fmt.Sprint(1000 + i%90)
		if i%3 == 0 {
			age = "null"
		}
		fmt.Fprintf(&b, `[%d,"user number %d",%d.5,"user%d@example.com",%s]`, 100_000+i, i, 1000+i, i, age)
	}
	fmt.Fprintf(&b, `]},"success":true,"meta":{"served_by":"v3-prod","served_by_region":"WEUR","served_by_primary":true,`+
		`"timings":{"sql_duration_ms":0.2},"duration":0.2,"changes":0,"last_row_id":0,"changed_db":false,"size_after":16384,`+
		`"rows_read":%d,"rows_written":0,"total_attempts":1}}],"errors":[],"messages":[],"success":true}`, n)
	return b.Bytes()
}

// BenchmarkDecode reads a canned answer over the loopback interface, row by row into
// any through database/sql, and beside it the floor: the same POST and nothing but the
// reading of the body.
func BenchmarkDecode(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		answer := cannedAnswer(n)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			w.Write(answer)
		}))
		b.Cleanup(server.Close)
		b.Run(fmt.Sprintf("rows=%d/driver", n), func(b *testing.B) { benchDriver(b, server.URL, n) })
		b.Run(fmt.Sprintf("rows=%d/floor", n), func(b *testing.B) { benchFloor(b, server.URL, n) })
	}
}

func benchDriver(b *testing.B, url string, n int) {
	backend := openAt(b, rest.Config{API: cloudflare.Config{BaseURL: url}, DatabaseID: uuid})
	db := d1sql.OpenDB(d1.New(backend))
	b.Cleanup(func() { db.Close() })
	perRow(b, n, func() {
		if got := scanAll(b, db); got != n {
			b.Fatalf("%d rows", got)
		}
	})
}

func scanAll(b *testing.B, db *sql.DB) (n int) {
	rows, err := db.QueryContext(b.Context(), "SELECT * FROM users")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	var id, name, score, email, age any
	for rows.Next() {
		if err := rows.Scan(&id, &name, &score, &email, &age); err != nil {
			b.Fatal(err)
		}
		n++
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return n
}

func benchFloor(b *testing.B, url string, n int) {
	client := &http.Client{Transport: &http.Transport{}}
	b.Cleanup(client.CloseIdleConnections)
	body := []byte(`{"sql":"SELECT * FROM users"}`)
	perRow(b, n, func() {
		resp, err := client.Post(url, "application/json", bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			b.Fatal(err)
		}
	})
}

// perRow measures, and reports what a row costs. The server's share is in it.
func perRow(b *testing.B, n int, read func()) {
	read() // the connection is there
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.ReportAllocs()
	for b.Loop() {
		read()
	}
	runtime.ReadMemStats(&after)
	rows := float64(b.N) * float64(n)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/rows, "ns/row")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/rows, "allocs/row")
}
