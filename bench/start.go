package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// startContests measure the time from starting a program to its first answer, and the
// memory that it holds then.
func startContests() []Contest {
	return []Contest{{
		Name: "from start to the first answer", Once: true,
		Open: func(env *Env) ([]Subject, error) {
			if _, err := env.binary(); err != nil {
				return nil, err
			}
			wrangler, err := wranglerProject(env)
			if err != nil {
				return nil, err
			}
			var ours, theirs int64
			return []Subject{
				{Name: "skylite dev, new folder", Memory: func() int64 { return ours },
					Run: func(ctx context.Context, n int) error { return firstAnswer(env, &ours, startSkylite) }},
				{Name: "wrangler dev, a Worker with D1", Memory: func() int64 { return theirs },
					Run: func(ctx context.Context, n int) error { return firstAnswer(env, &theirs, wrangler) }},
			}, nil
		},
	}}
}

// firstAnswer starts a program, waits for its first answer, and stops it again, which is
// part of the figure as little as it can be: it is killed.
func firstAnswer(env *Env, memory *int64, begin func(*Env) (*process, string, error)) error {
	closing := env.mark()
	p, url, err := begin(env)
	defer closing()
	if err != nil {
		return err
	}
	if err := poll(env.ctx, url); err != nil {
		return err
	}
	*memory = p.memory()
	return nil
}

// poll asks until there is an answer.
func poll(ctx context.Context, url string) error {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(time.Millisecond) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer token")
		resp, err := client.Do(req)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
	return errors.New("no answer within a minute: " + url)
}

func startSkylite(env *Env) (*process, string, error) {
	base, p, err := env.skyliteDev()
	return p, base + "/user/tokens/verify", err
}

// wranglerProject makes a Worker with a D1 binding, and returns what starts it.
func wranglerProject(env *Env) (func(*Env) (*process, string, error), error) {
	node, err := installed("node_modules/.bin/node")
	if err != nil {
		return nil, err
	}
	script, err := installed("node_modules/wrangler/bin/wrangler.js")
	if err != nil {
		return nil, err
	}
	dir, err := env.folder()
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"worker.mjs": `export default { async fetch(_, env) { return Response.json(await env.DB.prepare("SELECT 1").first()); } };`,
		"wrangler.json": `{"name":"bench","main":"worker.mjs","compatibility_date":"2026-01-01",
			"d1_databases":[{"binding":"DB","database_name":"bench","database_id":"00000000-0000-4000-8000-000000000000"}]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return func(env *Env) (*process, string, error) {
		port, err := freePort(env.ctx)
		if err != nil {
			return nil, "", err
		}
		cmd := exec.CommandContext(env.ctx, node, script, "dev", "--ip", "127.0.0.1", "--port", port, "--inspector-port", "0")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "CI=1", "WRANGLER_SEND_METRICS=false", "NO_COLOR=1")
		p, err := start(cmd)
		if err != nil {
			return nil, "", err
		}
		env.after(p.stop)
		return p, "http://127.0.0.1:" + port + "/", nil
	}, nil
}
