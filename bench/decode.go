package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	sdk "github.com/cloudflare/cloudflare-go/v6"
	sdkd1 "github.com/cloudflare/cloudflare-go/v6/d1"
	"github.com/cloudflare/cloudflare-go/v6/option"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/d1sql"
	"github.com/skylite-go/skylite/d1/rest"
)

// decodeContests read a canned answer of /raw over the loopback interface. The floor is
// the same POST, and the reading of its body into memory; the peer decodes it with
// encoding/json.
func decodeContests() []Contest {
	var all []Contest
	for _, rows := range []int{1, 100, 10_000} {
		all = append(all, Contest{
			Name: fmt.Sprintf("REST: decode %d rows, a row", rows), Units: rows, Allocs: true,
			Open: func(env *Env) ([]Subject, error) { return openDecode(env, rows) },
		})
	}
	return all
}

func openDecode(env *Env, rows int) ([]Subject, error) {
	answer := cannedAnswer(rows)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}))
	env.after(server.Close)
	backend, err := rest.Open(rest.Config{
		API: cloudflare.Config{BaseURL: server.URL, APIToken: "token"}, AccountID: "account",
		DatabaseID: "00000000-0000-4000-8000-000000000000",
	})
	if err != nil {
		return nil, err
	}
	native := d1.New(backend)
	db := d1sql.OpenDB(native)
	env.after(func() { _ = db.Close() })
	client := &http.Client{Transport: &http.Transport{}}
	env.after(client.CloseIdleConnections)
	post := func(read func(io.Reader) error) func(context.Context, int) error {
		return repeat(func(context.Context) error {
			resp, err := client.Post(server.URL, "application/json", bytes.NewReader([]byte(`{"sql":"SELECT * FROM users"}`)))
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			return read(resp.Body)
		})
	}
	return []Subject{
		{Name: "floor: POST, read the body", Run: post(readBody)},
		{Name: "skylite, database/sql", Run: repeat(func(ctx context.Context) error { return scanAll(ctx, db, rows) })},
		{Name: "skylite, d1.DB", Run: repeat(func(ctx context.Context) error { return walkAll(ctx, native, rows) })},
		{Name: "cloudflare-go, Raw", Run: repeat(cloudflareGo(server.URL, rows))},
		{Name: "encoding/json into [][]any", Run: post(decodeGeneric)},
	}, nil
}

// cloudflareGo reads with Cloudflare's own SDK.
func cloudflareGo(url string, want int) func(context.Context) error {
	client := sdk.NewClient(option.WithBaseURL(url), option.WithAPIToken("token"))
	params := sdkd1.DatabaseRawParams{AccountID: sdk.F("account"),
		Body: sdkd1.DatabaseRawParamsBodyD1SingleQuery{Sql: sdk.F("SELECT * FROM users")}}
	return func(ctx context.Context) error {
		page, err := client.D1.Database.Raw(ctx, "00000000-0000-4000-8000-000000000000", params)
		if err != nil {
			return err
		}
		return enough(len(page.Result[0].Results.Rows), want, nil)
	}
}

// repeat makes a run of a piece of work.
func repeat(work func(context.Context) error) func(context.Context, int) error {
	return func(ctx context.Context, n int) error {
		for range n {
			if err := work(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

func readBody(body io.Reader) error {
	_, err := io.ReadAll(body)
	return err
}

func decodeGeneric(body io.Reader) error {
	var answer struct {
		Result []struct {
			Results struct {
				Columns []string
				Rows    [][]any
			}
		}
	}
	return json.NewDecoder(body).Decode(&answer)
}

func scanAll(ctx context.Context, db *sql.DB, want int) error {
	rows, err := db.QueryContext(ctx, "SELECT * FROM users")
	if err != nil {
		return err
	}
	defer rows.Close()
	var id, name, score, email, age any
	n := 0
	for ; rows.Next(); n++ {
		if err := rows.Scan(&id, &name, &score, &email, &age); err != nil {
			return err
		}
	}
	return enough(n, want, rows.Err())
}

func walkAll(ctx context.Context, db *d1.DB, want int) error {
	results, err := db.Query(ctx, "SELECT * FROM users")
	if err != nil {
		return err
	}
	defer results.Close()
	n := 0
	for results.Next() {
		n++
	}
	return enough(n, want, results.Close())
}

func enough(got, want int, err error) error {
	if err == nil && got != want {
		err = fmt.Errorf("%d rows, want %d", got, want)
	}
	return err
}

// cannedAnswer is what /raw says to a query for n rows of five columns, some 61 bytes each.
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
	fmt.Fprintf(&b, `]},"success":true,"meta":{"served_by":"v3-prod","duration":0.2,"changes":0,"last_row_id":0,`+
		`"changed_db":false,"size_after":16384,"rows_read":%d,"rows_written":0}}],"errors":[],"messages":[],"success":true}`, n)
	return b.Bytes()
}
