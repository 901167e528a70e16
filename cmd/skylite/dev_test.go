package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// build compiles the binary, for what only a whole process shows.
func build(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a binary")
	}
	path := filepath.Join(t.TempDir(), "skylite")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

func devOf(t *testing.T, binary string, args ...string) *devServer {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"dev", "--addr", "127.0.0.1:0"}, args...)...)
	s, err := start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Process.Kill() })
	return s
}

// post sends an API call and returns the answer's status.
func (s *devServer) post(path, body string) (int, error) {
	req, err := http.NewRequest("POST", s.exports["CLOUDFLARE_API_BASE_URL"]+"/accounts/a/d1/database"+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer x")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func TestProcess(t *testing.T) {
	t.Parallel()
	binary := build(t)
	t.Run("ends well at a signal", func(t *testing.T) {
		t.Parallel()
		for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
			dir := t.TempDir()
			s := devOf(t, binary, "--data", dir)
			if status, err := s.post("", `{"name":"kept"}`); status != 200 || err != nil {
				t.Fatalf("create: status %d, %v", status, err)
			}
			if err := s.stop(sig); err != nil {
				t.Fatalf("%v: %v\n%s", sig, err, s.Stderr)
			}
			out, err := exec.Command(binary, "d1", "list", "--data", dir).Output()
			if err != nil || !strings.Contains(string(out), `"kept"`) {
				t.Errorf("after %v the database is not there: %s, %v", sig, out, err)
			}
		}
	})
	t.Run("waits for a request, but not after a second signal", func(t *testing.T) {
		t.Parallel()
		s := devOf(t, binary, "--memory")
		conn := s.halfRequest(t)
		defer conn.Close()
		if err := s.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond) // the signals must not arrive as one
		if err := s.Process.Signal(syscall.Signal(0)); err != nil {
			t.Fatalf("it did not wait for the request: %v", err)
		}
		err := s.stop(syscall.SIGTERM)
		if exit, ok := err.(*exec.ExitError); !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
			t.Errorf("the second signal did not end it: %v", err)
		}
	})
	t.Run("starts fast", func(t *testing.T) {
		s := devOf(t, binary, "--memory") // for the system's caches
		began := time.Now()
		again := devOf(t, binary, "--data", t.TempDir())
		// It should take 100 ms; a machine that runs other tests gets much more.
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("a new folder was served after %v; it should take 100 ms", took)
		}
		for _, s := range []*devServer{s, again} {
			if err := s.stop(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		}
	})
}

// halfRequest begins a request and does not end it.
func (s *devServer) halfRequest(t *testing.T) net.Conn {
	t.Helper()
	host := strings.TrimSuffix(strings.TrimPrefix(s.exports["CLOUDFLARE_API_BASE_URL"], "http://"), "/client/v4")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /client/v4/accounts/a/d1/database HTTP/1.1\r\nHost: localhost\r\n"+
		"Authorization: Bearer x\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
	// The server asks for the body when it has begun with the request.
	if _, err := conn.Read(make([]byte, 25)); err != nil {
		t.Fatal(err)
	}
	return conn
}
