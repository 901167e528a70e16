package server_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skylite-go/skylite/server"
)

func TestListenRefusesOtherMachines(t *testing.T) {
	t.Parallel()
	for token, tests := range map[string]map[string]bool{
		"":  {"127.0.0.1:0": true, "localhost:0": true, "0.0.0.0:0": false, ":0": false, "[::]:0": false},
		"x": {"127.0.0.1:0": true, "0.0.0.0:0": true, ":0": true},
	} {
		srv, err := server.New(server.Config{Token: token})
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Close()
		for addr, ok := range tests {
			l, err := srv.Listen(addr)
			if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "set a token") {
				t.Errorf("token %q, %s: %v", token, addr, err)
			}
			if err == nil {
				l.Close()
			}
		}
	}
	srv, err := server.New(server.Config{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "set a token") {
		t.Errorf("served: %v", err)
	}
}

// TestShutdownLosesNothing stops a server under load, and counts.
func TestShutdownLosesNothing(t *testing.T) {
	dir := t.TempDir()
	before := runtime.NumGoroutine()
	srv, err := server.New(server.Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	l, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, l) }()
	client := &http.Client{Transport: &http.Transport{}}
	post := func(path, body string) (int, string, error) {
		req, _ := http.NewRequest("POST", "http://"+l.Addr().String()+path, strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer x")
		resp, err := client.Do(req)
		if err != nil {
			return 0, "", err
		}
		defer resp.Body.Close()
		var b bytes.Buffer
		_, err = b.ReadFrom(resp.Body)
		return resp.StatusCode, b.String(), err
	}
	_, answer, err := post(databases, `{"name":"db"}`)
	if err != nil {
		t.Fatal(err)
	}
	path := databases + "/" + anyUUID.FindString(answer) + "/query"
	if _, answer, err = post(path, `{"sql":"CREATE TABLE t (x)"}`); err != nil {
		t.Fatal(answer, err)
	}
	var acknowledged atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				status, answer, err := post(path, `{"sql":"INSERT INTO t VALUES (1)"}`)
				if err != nil {
					return
				}
				if status != 200 {
					t.Errorf("%d %s", status, answer)
					return
				}
				acknowledged.Add(1)
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	wg.Wait()
	client.CloseIdleConnections()
	for end := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines, %d before:\n%s", n, before, buf[:runtime.Stack(buf, true)])
	}
	again := start(t, server.Config{DataDir: dir})
	if _, got := again.do("POST", path, `{"sql":"SELECT count(*) n FROM t"}`); !strings.Contains(got, fmt.Sprintf(`{"n":%d}`, acknowledged.Load())) {
		t.Errorf("%d were acknowledged, got %s", acknowledged.Load(), got)
	}
}

func TestLogRequests(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	srv, err := server.New(server.Config{Token: "s3cret", RayID: func() string { return "0123456789abcdef" }})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	handler := server.LogRequests(srv, slog.New(slog.NewTextHandler(&log, nil)))
	for _, path := range []string{"/user?token=s3cret", "/nope"} {
		req, _ := http.NewRequest("GET", "http://localhost"+path, nil)
		req.Header.Set("Authorization", "Bearer s3cret")
		handler.ServeHTTP(&discard{header: http.Header{}}, req)
	}
	for _, want := range []string{"method=GET path=/user status=200", "path=/nope status=404", "ray=0123456789abcdef-AMS"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %s", want, &log)
		}
	}
	if strings.Contains(log.String(), "s3cret") {
		t.Errorf("a secret was logged: %s", &log)
	}
}

// discard is a ResponseWriter for handlers whose answer does not matter.
type discard struct {
	header http.Header
	n      int64
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(p []byte) (int, error) { d.n += int64(len(p)); return len(p), nil }
