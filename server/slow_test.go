package server_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skylite-go/skylite/server"
)

// serve serves on a port of its own, and returns a client of it and what stops it.
func serve(t *testing.T, cfg server.Config) (a *api, stop func() error) {
	t.Helper()
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, l) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-served
	})
	t.Cleanup(func() { _ = stop() })
	return &api{t: t, url: "http://" + l.Addr().String(), srv: srv}, stop
}

// connect opens a connection and sends something on it.
func (a *api) connect(send string) net.Conn {
	a.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, send); err != nil {
		a.t.Fatal(err)
	}
	return conn
}

func post(id, body string) string {
	return fmt.Sprintf("POST %s/%s/query HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nContent-Length: %d\r\n\r\n%s",
		databases, id, len(body), body)
}

const (
	manyRows  = `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT %d) SELECT printf('%%.*c', 1000, 'x') FROM c`
	manyReads = 16 // as many as a database has readers
)

// TestSlowClientsDoNotHoldTheWriter has clients that read a large answer by the byte, of
// a read and of a write, and that send a body by the byte. Others write meanwhile, and the
// server ends when it is told to.
func TestSlowClientsDoNotHoldTheWriter(t *testing.T) {
	t.Parallel()
	a, stop := serve(t, server.Config{DataDir: t.TempDir(), DrainTimeout: 50 * time.Millisecond})
	id := a.create("db")
	a.mustSQL(id, "CREATE TABLE t (x); CREATE TABLE big (x)")
	read := `{"sql":"` + fmt.Sprintf(manyRows, 30_000_000) + `"}`
	write := `{"sql":"INSERT INTO big ` + fmt.Sprintf(manyRows, 20_000) + ` RETURNING x"}`
	for i := range manyReads + 4 {
		body := read
		if i >= manyReads {
			body = write
		}
		conn := a.connect(post(id, body))
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil { // the answer has begun
			t.Fatal(err)
		}
	}
	whole := post(id, `{"sql":"INSERT INTO t VALUES (2)"}`)
	for range 8 {
		a.connect(whole[:len(whole)-10])
		a.connect(whole[:20])
	}
	for range 10 {
		a.mustSQL(id, "INSERT INTO t VALUES (1)")
	}
	began := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v to stop", took)
	}
}

// TestManyConnections has many connections that do nothing, and many that work at the same
// time.
func TestManyConnections(t *testing.T) {
	t.Parallel()
	a, stop := serve(t, server.Config{DataDir: t.TempDir()})
	id := a.create("db")
	a.mustSQL(id, "CREATE TABLE t (x)")
	idle, busy := connections(300), connections(100)
	for range idle {
		a.connect("")
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: busy}}
	defer client.CloseIdleConnections()
	const each = 5
	var wg sync.WaitGroup
	for range busy {
		wg.Go(func() {
			for range each {
				req, _ := http.NewRequest("POST", a.url+databases+"/"+id+"/query", strings.NewReader(`{"sql":"INSERT INTO t VALUES (1)"}`))
				req.Header.Set("Authorization", "Bearer x")
				resp, err := client.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				answer, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode != 200 {
					t.Errorf("%d %s", resp.StatusCode, answer)
				}
			}
		})
	}
	wg.Wait()
	if got := a.mustSQL(id, "SELECT count(*) n FROM t"); !strings.Contains(got, fmt.Sprintf(`{"n":%d}`, busy*each)) {
		t.Errorf("got %s", got)
	}
	t.Logf("%d connections idle, %d busy: %s", idle, busy, resources())
	if err := stop(); err != nil { // does not wait for those that are idle
		t.Error(err)
	}
}

// TestSilentClients cuts off those that do not send a request's head, or its body, in time.
func TestSilentClients(t *testing.T) {
	t.Parallel()
	a, _ := serve(t, server.Config{ReadTimeout: 100 * time.Millisecond})
	id := a.create("db")
	whole := post(id, `{"sql":"SELECT 1"}`)
	for name, begun := range map[string]string{"body": whole[:len(whole)-5], "head": whole[:30]} {
		conn := a.connect(begun)
		_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
		if answer, err := io.ReadAll(conn); err != nil {
			t.Errorf("%s: got %q, %v", name, answer, err)
		}
	}
}
