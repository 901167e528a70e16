package server_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/skylite-go/skylite/cloudflare"
	"github.com/skylite-go/skylite/d1"
	"github.com/skylite-go/skylite/d1/rest"
	"github.com/skylite-go/skylite/server"
)

// clock is a clock that moves by hand.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func TestSimulatedRateLimit(t *testing.T) {
	t.Parallel()
	at := &clock{time.Date(2026, 10, 5, 4, 12, 9, 0, time.UTC)}
	a := start(t, server.Config{Now: at.Now, Simulate: server.Simulation{RateLimit: 2}})
	get := func() *http.Response {
		t.Helper()
		req, _ := http.NewRequestWithContext(t.Context(), "GET", a.url+databases, nil)
		req.Header.Set("Authorization", "Bearer x")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	for _, step := range []struct {
		after                       time.Duration
		status                      int
		remaining, reset, retryWhen string
	}{
		{0, 200, "1", "300", ""}, {100 * time.Second, 200, "0", "200", ""}, {time.Second, 429, "0", "300", "300"},
		{299 * time.Second, 429, "0", "1", "1"}, {time.Second, 200, "1", "300", ""},
	} {
		at.now = at.now.Add(step.after)
		resp := get()
		h := resp.Header
		if resp.StatusCode != step.status || h.Get("X-Ratelimit-Limit") != "2" || h.Get("X-Ratelimit-Remaining") != step.remaining ||
			h.Get("X-Ratelimit-Reset") != step.reset || h.Get("Retry-After") != step.retryWhen {
			t.Errorf("%d %v, want %+v", resp.StatusCode, h, step)
		}
	}
	get()
	if status, answer := a.do("GET", databases, ""); status != 429 || answer != failure(971, "Please wait and consider throttling your request speed") {
		t.Errorf("%d %s", status, answer)
	}
}

func TestSimulatedOverload(t *testing.T) {
	t.Parallel()
	outcomes := func(sim server.Simulation) (codes string) {
		a := start(t, server.Config{Simulate: sim})
		id := a.create("app")
		for range 40 {
			status, answer := a.sql(id, "SELECT 1")
			switch {
			case status == 200:
				codes += "."
			case status == 429 && strings.Contains(answer, `"code":7429,"message":"D1 DB `):
				codes += "x"
			default:
				t.Errorf("%d %s", status, answer)
			}
		}
		return codes
	}
	if got, want := outcomes(server.Simulation{OverloadEvery: 4}), strings.Repeat("...x", 10); got != want {
		t.Errorf("every fourth: %s", got)
	}
	first := outcomes(server.Simulation{Overload: 0.3, Seed: 7})
	if n := strings.Count(first, "x"); n < 4 || n > 24 {
		t.Errorf("a share of 0.3: %s", first)
	}
	if again := outcomes(server.Simulation{Overload: 0.3, Seed: 7}); again != first {
		t.Errorf("the same seed: %s and %s", first, again)
	}
	if other := outcomes(server.Simulation{Overload: 0.3, Seed: 8}); other == first {
		t.Errorf("another seed: %s too", first)
	}
}

// TestRESTUnderLoad tries the REST client on a server that fails: it must come through,
// or say that nothing has happened, or that it does not know.
func TestRESTUnderLoad(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{Simulate: server.Simulation{Overload: 0.3, Seed: 3}})
	id := a.create("app")
	backend, err := rest.Open(rest.Config{AccountID: account, DatabaseID: id, API: cloudflare.Config{
		BaseURL: a.url + "/client/v4", APIToken: "x", Rand: func() float64 { return 0 },
	}})
	if err != nil {
		t.Fatal(err)
	}
	db := d1.New(backend)
	defer db.Close()
	retry := func(sql string) {
		t.Helper()
		_, err := db.Run(t.Context(), sql)
		for err != nil && (d1.Ambiguous(err) || d1.Retryable(err)) {
			_, err = db.Run(t.Context(), sql)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	retry("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY)")
	ambiguous := 0
	for i := range 30 {
		_, err := db.Run(t.Context(), "INSERT INTO t VALUES (?)", i)
		switch e, ok := errors.AsType[*d1.Error](err); {
		case err == nil:
		case !ok || e.APICode != 7429:
			t.Fatal(err)
		case d1.Ambiguous(err): // a simulated error is never one of something that has run
			ambiguous++
			retry("INSERT OR IGNORE INTO t VALUES (" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + ")")
		default:
			retry("INSERT INTO t VALUES (" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + ")")
		}
	}
	n, err := d1.First[int](t.Context(), db, "SELECT count(*) FROM t")
	for d1.Retryable(err) {
		n, err = d1.First[int](t.Context(), db, "SELECT count(*) FROM t")
	}
	if err != nil || n != 30 || ambiguous == 0 {
		t.Errorf("%d rows, %v; %d were ambiguous", n, err, ambiguous)
	}
}
