package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
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

// target is where queries are posted.
type target struct {
	client *http.Client
	url    string
}

// newClient keeps as many connections as there are clients.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}}
}

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

func (t *target) send(ctx context.Context, method, url, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer token")
	req.Header.Set("Content-Type", "application/json")
	resp, err := t.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: status %d: %.200s", method, url, resp.StatusCode, answer)
	}
	return answer, err
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
