package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

// A namespace that is read has so many keys.
const kvKeys = 1000

// kvContests put skylite dev's KV beside miniflare's, over HTTP.
func kvContests() []Contest {
	var all []Contest
	value := strings.Repeat("v", 100)
	for _, work := range []struct {
		name string
		do   func(ctx context.Context, t *kvTarget, i int64) error
	}{
		{"get", func(ctx context.Context, t *kvTarget, i int64) error {
			return t.expect(ctx, http.MethodGet, t.key(i%kvKeys), "", value)
		}},
		{"put", func(ctx context.Context, t *kvTarget, i int64) error {
			return t.expect(ctx, http.MethodPut, t.key(i%kvKeys), value, "")
		}},
		{"list 100 keys", func(ctx context.Context, t *kvTarget, i int64) error {
			return t.expect(ctx, http.MethodGet, t.list, "", "key:00100")
		}},
	} {
		for _, connections := range []int{1, 16, 64} {
			all = append(all, Contest{
				Name: fmt.Sprintf("KV: %s, %d connections", work.name, connections),
				Open: func(env *Env) ([]Subject, error) {
					targets, err := openKV(env, value)
					if err != nil {
						return nil, err
					}
					var subjects []Subject
					for _, t := range targets {
						var next atomic.Int64
						subjects = append(subjects, Subject{Name: t.name, Run: spreadOver(connections, func(ctx context.Context) error {
							return work.do(ctx, t, next.Add(1))
						})})
					}
					return subjects, nil
				},
			})
		}
	}
	return all
}

// kvTarget is a namespace over HTTP.
type kvTarget struct {
	target
	name         string
	values, list string // URLs: that of a value without its key, and that of a list
}

func openKV(env *Env, value string) ([]*kvTarget, error) {
	url, _, err := env.node("oracle/kv_http.mjs")
	if err != nil {
		return nil, err
	}
	theirs := &kvTarget{name: "miniflare", target: target{client: newClient()}, values: url + "/", list: url + "/?limit=100&prefix=key:001"}
	ours, err := env.skyliteKV()
	if err != nil {
		return nil, err
	}
	both := []*kvTarget{ours, theirs}
	for _, t := range both {
		for i := range int64(kvKeys) {
			if err := t.expect(env.ctx, http.MethodPut, t.key(i), value, ""); err != nil {
				return nil, err
			}
		}
	}
	return both, nil
}

func (e *Env) skyliteKV() (*kvTarget, error) {
	base, _, err := e.skyliteDev()
	if err != nil {
		return nil, err
	}
	t := &kvTarget{name: "skylite dev", target: target{client: newClient()}}
	all := base + "/accounts/bench/storage/kv/namespaces"
	answer, err := t.send(e.ctx, http.MethodPost, all, `{"title":"bench"}`)
	if err != nil {
		return nil, err
	}
	var created struct{ Result struct{ ID string } }
	if err := json.Unmarshal(answer, &created); err != nil {
		return nil, err
	}
	t.values = all + "/" + created.Result.ID + "/values/"
	t.list = all + "/" + created.Result.ID + "/keys?limit=100&prefix=" + url.QueryEscape("key:001")
	return t, nil
}

func (t *kvTarget) key(i int64) string { return t.values + url.PathEscape(fmt.Sprintf("key:%05d", i)) }

func (t *kvTarget) expect(ctx context.Context, method, url, body, want string) error {
	answer, err := t.send(ctx, method, url, body)
	if err == nil && !bytes.Contains(answer, []byte(want)) {
		err = fmt.Errorf("unexpected answer: %.200s", answer)
	}
	return err
}
