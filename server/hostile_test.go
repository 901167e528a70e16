package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skylite-go/skylite/server"
)

func TestTenThousandStatements(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("db")
	a.mustSQL(id, "CREATE TABLE t (x)")
	got := a.mustSQL(id, strings.Repeat("INSERT INTO t VALUES (1);\n", 10_000))
	if n := strings.Count(got, `"results":[]`); n != 10_000 {
		t.Errorf("%d results", n)
	}
	if got := a.mustSQL(id, strings.Repeat("SELECT 1 a;", 10_000)); strings.Count(got, `{"a":1}`) != 10_000 {
		t.Errorf("reads: %.200s", got)
	}
}

func TestNULInSQL(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("db")
	a.mustSQL(id, "CREATE TABLE t (x)")
	status, got := a.sql(id, "SELECT 1 \x00; DROP TABLE t")
	if status != 400 || !strings.Contains(got, `"code":7500`) {
		t.Errorf("got %d %s", status, got)
	}
	a.mustSQL(id, "SELECT * FROM t")
}

func TestLargeBlobParameter(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("db")
	blob := "[" + strings.Repeat("200,", 1_000_000) + "7]"
	status, got := a.do("POST", databases+"/"+id+"/query", `{"sql":"SELECT length(?) n","params":[`+blob+`]}`)
	if status != 200 || !strings.Contains(got, `{"n":1000001}`) {
		t.Errorf("got %d %.300s", status, got)
	}
}

func TestTooManyParameters(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{})
	id := a.create("db")
	want := failure(7500, "Wrong number of parameter bindings for SQL query.")
	for _, n := range []int{2, 100, 101, 1000} {
		body := `{"sql":"SELECT ?","params":[` + strings.Repeat("0,", n-1) + `0]}`
		if status, got := a.do("POST", databases+"/"+id+"/query", body); status != 400 || got != want {
			t.Errorf("%d: got %d %s", n, status, got)
		}
	}
}

// TestTruncatedBody sends less than was promised and leaves.
func TestTruncatedBody(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{ReadTimeout: 100 * time.Millisecond})
	id := a.create("db")
	for _, leave := range []bool{true, false} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST %s/%s/query HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nContent-Length: 100\r\n\r\n{\"sql\":", databases, id)
		if leave {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.Contains(line, "400") {
			t.Errorf("leave %v: got %q, %v", leave, line, err)
		}
		conn.Close()
	}
}

func TestChunkedBodyIsBounded(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{MaxBodyBytes: 1000})
	id := a.create("db")
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s/%s/query HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nTransfer-Encoding: chunked\r\n\r\n", databases, id)
	for range 3 {
		fmt.Fprintf(conn, "200\r\n%s\r\n", strings.Repeat(" ", 0x200))
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "413") {
		t.Errorf("got %q, %v", line, err)
	}
}

func TestBadDataFolders(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	readOnly := filepath.Join(t.TempDir(), "ro")
	if err := os.Mkdir(readOnly, 0o500); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		readOnly = "/proc/self" // root may write anywhere else
	}
	for dir, want := range map[string]string{file: "is a file, not a folder", filepath.Join(readOnly, "data"): readOnly} {
		if srv, err := server.New(server.Config{DataDir: dir}); err == nil {
			srv.Close()
			t.Errorf("%s was accepted", dir)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v", err)
		}
	}
}

func TestFileThatIsNoDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := start(t, server.Config{DataDir: dir})
	id := a.create("db")
	if err := a.srv.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "d1", id+".sqlite"), []byte(strings.Repeat("junk", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	b := start(t, server.Config{DataDir: dir})
	want := failure(7500, "Internal error while starting up D1 DB storage caused object to be reset.")
	if status, got := b.sql(id, "SELECT 1"); status != 500 || got != want {
		t.Errorf("got %d %s", status, got)
	}
	if status, _ := b.do("GET", databases, ""); status != 200 {
		t.Error("the others should go on")
	}
	if status, got := a.sql(id, "SELECT 1"); status != 500 || strings.Contains(got, dir) {
		t.Errorf("a closed server: %d %s", status, got)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{QueryTimeout: 50 * time.Millisecond})
	id := a.create("db")
	const endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT max(x) FROM c"
	want := failure(7429, "D1 DB storage operation exceeded timeout which caused object to be reset.")
	if status, got := a.sql(id, endless); status != 429 || got != want {
		t.Errorf("got %d %s", status, got)
	}
}

// TestSlowClient does not read a large answer. The server cuts it off, so that closing
// the server, which waits for its readers, comes to an end.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{DataDir: t.TempDir(), WriteTimeout: 100 * time.Millisecond})
	id := a.create("db")
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := `{"sql":"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT 30000000) SELECT x, printf('%.*c', 1000, 'x') FROM c"}`
	fmt.Fprintf(conn, "POST %s/%s/query HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nContent-Length: %d\r\n\r\n%s",
		databases, id, len(body), body)
	time.Sleep(300 * time.Millisecond)
	done := make(chan error, 1)
	go func() { done <- a.srv.Close() }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the slow client holds the database")
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	data, err := io.ReadAll(conn)
	if strings.HasSuffix(string(data), "0\r\n\r\n") {
		t.Errorf("the answer looks whole: %d bytes, %v", len(data), err)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{DataDir: t.TempDir(), MaxOpen: 2})
	var ids []string
	for i := range 4 {
		id := a.create(fmt.Sprint("db", i))
		a.mustSQL(id, "CREATE TABLE t (x)")
		ids = append(ids, id)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 5 {
				id := ids[(i+j)%len(ids)]
				if status, got := a.sql(id, "INSERT INTO t VALUES (1)"); status != 200 {
					t.Errorf("%d %s", status, got)
				}
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if got := a.mustSQL(id, "SELECT count(*) n FROM t"); !strings.Contains(got, `{"n":10}`) {
			t.Errorf("got %s", got)
		}
	}
}

func TestClientLeaves(t *testing.T) {
	t.Parallel()
	a := start(t, server.Config{DataDir: t.TempDir(), QueryTimeout: -1})
	id := a.create("db")
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	body := `{"sql":"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT max(x) FROM c"}`
	fmt.Fprintf(conn, "POST %s/%s/query HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nContent-Length: %d\r\n\r\n%s",
		databases, id, len(body), body)
	time.Sleep(50 * time.Millisecond)
	conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() { a.srv.Close(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		t.Fatal("the query goes on without its client")
	}
}
