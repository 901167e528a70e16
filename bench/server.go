package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// serverContests put skylite dev beside workerd's D1, as miniflare runs it, under the same
// load over HTTP. The client takes part of the same cores.
func serverContests() []Contest {
	var all []Contest
	for _, work := range []struct {
		name string
		ours func(i int64) string
		body func(i int64) string // what D1's own engine is sent, if it is something else
		want string
	}{
		{name: "read a row by its key", want: "@example.com",
			ours: func(i int64) string { return statement("SELECT * FROM users WHERE id = ?", i%tableRows+1) }},
		{name: "insert a row", want: `"changes":1`,
			ours: func(i int64) string { return statement(insertOne, i, note) }},
		{name: "read 100 rows", want: "@example.com",
			ours: func(i int64) string { return statement(readMany, i%9900+1) }},
		{name: "batch of 20 inserts", want: `"changes":1`,
			ours: func(i int64) string { return `{"batch":[` + inserts(i) + `]}` },
			body: func(i int64) string { return `[` + inserts(i) + `]` }},
	} {
		for _, connections := range []int{1, 16, 64} {
			all = append(all, Contest{
				Name: fmt.Sprintf("server: %s, %d connections", work.name, connections),
				Open: func(env *Env) ([]Subject, error) {
					theirs, err := env.workerd()
					if err != nil {
						return nil, err
					}
					ours, err := env.skyliteD1()
					if work.body == nil {
						work.body = work.ours
					}
					return []Subject{
						{Name: "skylite dev", Run: load(ours, work.ours, work.want, connections)},
						{Name: "workerd", Run: load(theirs, work.body, work.want, connections)},
					}, err
				},
			})
		}
	}
	return all
}

func statement(sql string, params ...any) string {
	body, _ := json.Marshal(map[string]any{"sql": sql, "params": append([]any{}, params...)}) // strings and numbers
	return string(body)
}

func inserts(i int64) string {
	all := make([]string, batchSize)
	for j := range all {
		all[j] = statement(insertOne, i+int64(j), note)
	}
	return strings.Join(all, ",")
}

// target is where queries are posted. The client is fasthttp's, which takes less of the
// processor than net/http's: what it takes falls on both subjects alike, and makes them
// look more alike than they are.
type target struct {
	client *fasthttp.Client
	url    string
}

func newClient() *fasthttp.Client { return &fasthttp.Client{MaxConnsPerHost: 128} }

func (e *Env) workerd() (*target, error) {
	url, _, err := e.node("oracle/oracle.mjs")
	if err != nil {
		return nil, err
	}
	t := &target{client: newClient(), url: url + "/query"}
	return t, t.fill(e.ctx)
}

func (e *Env) skyliteD1() (*target, error) {
	base, _, err := e.skyliteDev()
	if err != nil {
		return nil, err
	}
	t := &target{client: newClient(), url: base + "/accounts/bench/d1/database"}
	answer, err := t.send(e.ctx, http.MethodPost, t.url, `{"name":"bench"}`)
	if err != nil {
		return nil, err
	}
	var created struct{ Result struct{ UUID string } }
	if err := json.Unmarshal(answer, &created); err != nil {
		return nil, err
	}
	t.url += "/" + created.Result.UUID + "/query"
	return t, t.fill(e.ctx)
}

func (t *target) fill(ctx context.Context) error {
	for _, sql := range []string{makeUsers, fillUsers, makeNotes} {
		if _, err := t.send(ctx, http.MethodPost, t.url, statement(sql)); err != nil {
			return err
		}
	}
	return nil
}

// send makes a request, and returns the body of its answer.
func (t *target) send(ctx context.Context, method, url, body string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.Header.SetMethod(method)
	req.SetRequestURI(url)
	req.Header.Set("Authorization", "Bearer token")
	req.Header.SetContentType("application/json")
	if body != "" {
		req.SetBodyString(body)
	}
	if err := t.client.DoTimeout(req, resp, time.Minute); err != nil {
		return nil, err
	}
	if resp.StatusCode() != fasthttp.StatusOK {
		return nil, fmt.Errorf("%s %s: status %d: %.200s", method, url, resp.StatusCode(), resp.Body())
	}
	return slices.Clone(resp.Body()), nil
}

// load makes a run that posts n bodies over some connections, and looks at each answer.
func load(t *target, body func(i int64) string, want string, connections int) func(context.Context, int) error {
	var next atomic.Int64
	return spreadOver(connections, func(ctx context.Context) error {
		answer, err := t.send(ctx, http.MethodPost, t.url, body(next.Add(1)))
		if err == nil && !bytes.Contains(answer, []byte(want)) {
			err = fmt.Errorf("unexpected answer: %.200s", answer)
		}
		return err
	})
}

// spreadOver makes a run whose work is done by several at a time.
func spreadOver(workers int, work func(context.Context) error) func(context.Context, int) error {
	return func(ctx context.Context, n int) error {
		var left atomic.Int64
		left.Store(int64(n))
		errs := make([]error, workers)
		var wg sync.WaitGroup
		for i := range workers {
			wg.Go(func() {
				for errs[i] == nil && left.Add(-1) >= 0 {
					errs[i] = work(ctx)
				}
			})
		}
		wg.Wait()
		return errors.Join(errs...)
	}
}
