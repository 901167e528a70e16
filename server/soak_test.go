package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skylite-go/skylite/server"
)

// TestSoak does everything at once for a second, or as long as SKYLITE_SOAK says: transfers
// between accounts whose sum stays, readers of large answers that leave in the middle, keys,
// databases that come and go and are closed for others. It is for the race detector.
func TestSoak(t *testing.T) {
	t.Parallel()
	length, err := time.ParseDuration(os.Getenv("SKYLITE_SOAK"))
	if err != nil {
		length = time.Second
	}
	a, stop := serve(t, server.Config{DataDir: t.TempDir(), MaxOpen: 4, Replicas: 1, Lag: 20 * time.Millisecond})
	s := &soak{api: a, accounts: 20, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 50}}}
	defer s.client.CloseIdleConnections()
	for i := range 6 {
		id := a.create(fmt.Sprint("soak-", i))
		a.mustSQL(id, fmt.Sprintf(`CREATE TABLE accounts (id INTEGER PRIMARY KEY, money INTEGER); CREATE TABLE log (a, b, text);
			INSERT INTO accounts WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c LIMIT %d) SELECT i, 100 FROM c`, s.accounts))
		s.ids = append(s.ids, id)
	}
	s.namespace = "/client/v4/accounts/" + account + "/storage/kv/namespaces"
	_, answer := a.do("POST", s.namespace, `{"title":"soak"}`)
	s.namespace += "/" + hexID.FindString(answer)
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	var wg sync.WaitGroup
	for range 4 {
		for _, work := range []func(context.Context) error{s.transfer, s.sum, s.leave, s.keys, s.manage} {
			wg.Go(func() {
				for ctx.Err() == nil {
					if err := work(ctx); err != nil && ctx.Err() == nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	wg.Wait()
	for _, id := range s.ids {
		if err := s.check(t.Context(), id); err != nil {
			t.Error(err)
		}
		if got := a.mustSQL(id, "PRAGMA quick_check"); !strings.Contains(got, `"ok"`) {
			t.Error(got)
		}
	}
	t.Logf("%d calls in %v; %s", s.calls.Load(), length, resources())
	if err := stop(); err != nil {
		t.Error(err)
	}
}

type soak struct {
	*api
	client    *http.Client
	ids       []string
	accounts  int
	namespace string
	calls     atomic.Int64
}

func (s *soak) any() string { return s.ids[rand.IntN(len(s.ids))] }

// call makes a call whose answer must be a success.
func (s *soak) call(ctx context.Context, method, path, body string) (string, error) {
	resp, err := s.send(ctx, method, path, body)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != 200 {
		err = fmt.Errorf("%s %s: %d %.300s", method, path, resp.StatusCode, answer)
	}
	return string(answer), err
}

func (s *soak) send(ctx context.Context, method, path, body string) (*http.Response, error) {
	s.calls.Add(1)
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer x")
	return s.client.Do(req)
}

func (s *soak) transfer(ctx context.Context) error {
	from, to := rand.IntN(s.accounts)+1, rand.IntN(s.accounts)+1
	body := fmt.Sprintf(`[{"sql":"UPDATE accounts SET money = money - 1 WHERE id = %d"},{"sql":"UPDATE accounts SET money = money + 1 WHERE id = %d"},`+
		`{"sql":"INSERT INTO log VALUES (?, ?, printf('%%.*c', 5000, 'x')) RETURNING a","params":[%[1]d,%[2]d]}]`, from, to)
	if rand.IntN(2) == 0 {
		_, err := s.call(ctx, "POST", "/client/v4/bridge/"+s.any(), body)
		return err
	}
	_, err := s.call(ctx, "POST", databases+"/"+s.any()+"/query", `{"batch":`+body+`}`)
	return err
}

func (s *soak) sum(ctx context.Context) error { return s.check(ctx, s.any()) }

func (s *soak) check(ctx context.Context, id string) error {
	answer, err := s.call(ctx, "POST", databases+"/"+id+"/raw", `{"sql":"SELECT sum(money), count(*) FROM accounts"}`)
	if err == nil && !strings.Contains(answer, fmt.Sprintf("[[%d,%d]]", s.accounts*100, s.accounts)) {
		err = errors.New("the sum is wrong: " + answer)
	}
	return err
}

// leave begins to read a large answer.
func (s *soak) leave(ctx context.Context) error {
	resp, err := s.send(ctx, "POST", databases+"/"+s.any()+"/query", `{"sql":"`+fmt.Sprintf(manyRows, 3_000)+`"}`)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.CopyN(io.Discard, resp.Body, rand.Int64N(2<<20))
	return err
}

func (s *soak) keys(ctx context.Context) error {
	key := fmt.Sprint("/values/k", rand.IntN(50))
	if _, err := s.call(ctx, "PUT", s.namespace+key, strings.Repeat("v", rand.IntN(5000))); err != nil {
		return err
	}
	if _, err := s.call(ctx, "GET", s.namespace+"/keys?limit=10", ""); err != nil {
		return err
	}
	_, err := s.call(ctx, "DELETE", s.namespace+key, "")
	return err
}

func (s *soak) manage(ctx context.Context) error {
	answer, err := s.call(ctx, "POST", databases, fmt.Sprintf(`{"name":"passing-%d"}`, s.calls.Load()<<20|rand.Int64N(1<<20)))
	if err != nil {
		return err
	}
	path := databases + "/" + anyUUID.FindString(answer)
	if _, err := s.call(ctx, "POST", path+"/query", `{"sql":"CREATE TABLE t (x)"}`); err != nil {
		return err
	}
	_, err = s.call(ctx, "DELETE", path, "")
	return err
}
