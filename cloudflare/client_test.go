package cloudflare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const secret = "very-secret-token"

// serve returns a client of a handler, which never really sleeps, and the
// pauses it made.
func serve(t *testing.T, h http.HandlerFunc, adjust ...func(*Config)) (*Client, *[]time.Duration) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	pauses := new([]time.Duration)
	cfg := Config{APIToken: secret, BaseURL: server.URL + "/client/v4/", Rand: func() float64 { return 1 },
		Sleep: func(ctx context.Context, d time.Duration) error { *pauses = append(*pauses, d); return ctx.Err() }}
	for _, f := range adjust {
		f(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, pauses
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cf-Ray", "8f-SIN")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

const ok = `{"result":{"name":"x"},"success":true,"errors":[],"messages":[],"result_info":{"page":2,"count":1}}`

func failure(code int, message string) string {
	return fmt.Sprintf(`{"result":null,"success":false,"errors":[{"code":%d,"message":%q}],"messages":[]}`, code, message)
}

func TestRequest(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.RequestURI() != "/client/v4/a%2Fb?q=1" || r.Header.Get("Authorization") != "Bearer "+secret ||
			r.Method != "PATCH" || string(body) != `{"k":1}` || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got %s %s %v %s", r.Method, r.URL, r.Header, body)
		}
		answer(w, 200, ok)
	})
	var got struct{ Name string }
	info, err := c.Request(t.Context(), Call{Method: "PATCH", Path: "/a%2Fb", Query: url.Values{"q": {"1"}},
		Body: map[string]int{"k": 1}}, &got)
	if err != nil || got.Name != "x" || info.Page != 2 {
		t.Errorf("got %v %v %v", got, info, err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		status  int
		body    string
		read    Outcome
		write   Outcome
		code    int
		message string
	}{
		{"sql", 400, failure(7500, "no such table: X: SQLITE_ERROR"), OutcomeAnswered, OutcomeAnswered, 7500, "no such table"},
		{"auth", 401, failure(10000, "Authentication error"), OutcomeAnswered, OutcomeAnswered, 10000, "Authentication"},
		{"chain", 400, `{"success":false,"errors":[{"code":6003,"message":"a","error_chain":[{"code":6111,"message":"b"}]}]}`, 0, 0, 6111, "b"},
		{"code as text", 400, `{"success":false,"errors":[{"code":"7500","message":"m"}]}`, 0, 0, 7500, "m"},
		{"limited", 429, failure(971, "Please wait"), OutcomeUnsent, OutcomeUnsent, 971, "Please"},
		{"stopped", 429, failure(7429, "D1 DB exceeded its CPU time limit and was reset."), OutcomeAnswered, OutcomeUnknown, 7429, "CPU"},
		{"html", 502, "<html>\n<h1>Bad  gateway</h1>" + strings.Repeat("x", 5000), OutcomeAnswered, OutcomeUnknown, 0, "<html> <h1>Bad gateway"},
		{"empty", 503, "", OutcomeAnswered, OutcomeUnknown, 0, "503"},
		{"false", 200, failure(1, "no"), OutcomeAnswered, OutcomeAnswered, 1, "no"},
		{"html 200", 200, "<html>", OutcomeAnswered, OutcomeUnknown, 0, "not the API's JSON"},
		{"echo", 400, failure(1, "bad token "+secret), OutcomeAnswered, OutcomeAnswered, 1, "bad token ***"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { answer(w, test.status, test.body) })
			for class, want := range map[Class]Outcome{ClassRead: test.read, ClassWrite: test.write} {
				_, err := c.Request(t.Context(), Call{Method: "POST", Path: "/x", Class: class}, nil)
				e, isAPI := errors.AsType[*APIError](err)
				if !isAPI || e.Outcome != want || e.HTTPStatus != test.status || e.RayID != "8f-SIN" ||
					test.code != 0 && !e.HasCode(test.code) {
					t.Errorf("class %d: got %+v", class, err)
				}
				if s := err.Error(); !strings.Contains(s, test.message) || strings.Contains(s, secret) || len(s) > 600 {
					t.Errorf("class %d: got %q", class, s)
				}
			}
		})
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	date := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for _, test := range []struct {
		name     string
		class    Class
		statuses []int
		after    string
		sent     int64
		fails    bool
	}{
		{"read, 5xx", ClassRead, []int{500, 503, 200}, "", 3, false},
		{"read, storm", ClassRead, []int{500, 500, 500, 500, 500}, "", 4, true},
		{"read, 429", ClassRead, []int{429, 200}, "2", 2, false},
		{"read, 429 date", ClassRead, []int{429, 200}, date(5 * time.Second), 2, false},
		{"read, long wait", ClassRead, []int{429, 200}, "300", 1, true},
		{"read, 400", ClassRead, []int{400, 200}, "", 1, true},
		{"write, 5xx", ClassWrite, []int{500, 200}, "", 1, true},
		{"write, 429", ClassWrite, []int{429, 200}, "1", 2, false},
		{"auto is write", ClassAuto, []int{502, 200}, "", 1, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var sent atomic.Int64
			c, pauses := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if body, _ := io.ReadAll(r.Body); string(body) != "body" {
					t.Errorf("got the body %q", body)
				}
				status := test.statuses[sent.Add(1)-1]
				if test.after != "" {
					w.Header().Set("Retry-After", test.after)
				}
				answer(w, status, ok)
			})
			_, err := c.Request(t.Context(), Call{Method: "POST", Path: "/x", Body: []byte("body"), Class: test.class}, nil)
			if sent.Load() != test.sent || (err != nil) != test.fails {
				t.Errorf("sent %d times, error %v", sent.Load(), err)
			}
			for i, p := range *pauses {
				switch {
				case test.after == "" && p != firstPause<<i:
					t.Errorf("pause %d was %v", i, p)
				case test.after == "2" && (p < 2*time.Second || p > 3*time.Second), test.after != "" && p < time.Second:
					t.Errorf("Retry-After %s made a pause of %v", test.after, p)
				}
			}
		})
	}
}

// TestWritesAreSentOnce breaks connections after the request was read, on new
// and on used connections: net/http repeats some requests by itself.
func TestWritesAreSentOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		method string
		class  Class
		want   int64
	}{{"POST", ClassWrite, 1}, {"DELETE", ClassWrite, 1}, {"PUT", ClassAuto, 1}, {"POST", ClassRead, 4}} {
		var sent atomic.Int64
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if r.URL.Path == "/client/v4/warm" {
				answer(w, 200, ok)
				return
			}
			sent.Add(1)
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		})
		for _, warm := range []bool{false, true} {
			sent.Store(0)
			if warm {
				if _, err := c.Request(t.Context(), Call{Path: "/warm"}, nil); err != nil {
					t.Fatal(err)
				}
			}
			_, err := c.Request(t.Context(), Call{Method: test.method, Path: "/x", Body: []byte(`{"sql":"x"}`), Class: test.class}, nil)
			e, isCall := errors.AsType[*CallError](err)
			if !isCall || sent.Load() != test.want || Ambiguous(err) != (test.class != ClassRead) || e.Attempts != int(test.want) {
				t.Errorf("%s, class %d, warm %v: sent %d times: %v", test.method, test.class, warm, sent.Load(), err)
			}
		}
	}
}

func TestHTTP2WritesAreSentOnce(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.ProtoMajor != 2 {
			t.Error("not HTTP/2")
		}
		sent.Add(1)
		panic(http.ErrAbortHandler) // RST_STREAM
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	c, err := New(Config{APIToken: secret, BaseURL: server.URL, HTTPClient: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		sent.Store(0)
		_, err = c.Request(t.Context(), Call{Method: "POST", Path: "/x", Body: []byte("body")}, nil)
		if !Ambiguous(err) || sent.Load() != 1 {
			t.Errorf("sent %d times: %v", sent.Load(), err)
		}
	}
}

// TestIdleConnections: a connection that the server has closed meanwhile costs
// a write nothing.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, 200, ok) }))
	defer server.Close()
	c, err := New(Config{APIToken: secret, BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if _, err := c.Request(t.Context(), Call{Method: "POST", Path: "/x", Body: []byte("body")}, nil); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
		server.CloseClientConnections()
		time.Sleep(5 * time.Millisecond)
	}
}

func TestUnsent(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	n := 0
	c, err := New(Config{APIToken: secret, BaseURL: "http://" + l.Addr().String(), Sleep: func(context.Context, time.Duration) error { n++; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Request(t.Context(), Call{Method: "POST", Path: "/x", Body: []byte("body")}, nil)
	if !Unsent(err) || n != 3 || !Transient(err) {
		t.Errorf("a refused connection gives %v after %d pauses", err, n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Request(ctx, Call{Method: "POST", Path: "/x", Body: []byte("body")}, nil)
	if !errors.Is(err, context.Canceled) || Transient(err) {
		t.Errorf("got %v", err)
	}
	if _, err = c.Request(t.Context(), Call{Path: ".evil.example/x"}, nil); !Unsent(err) {
		t.Errorf("a path that changes the host gives %v", err)
	}
}

func TestUntrustedCertificate(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	c, _ := New(Config{APIToken: secret, BaseURL: server.URL, Sleep: func(context.Context, time.Duration) error {
		t.Error("a wrong certificate is tried again")
		return nil
	}})
	if _, err := c.Request(t.Context(), Call{Method: "POST", Path: "/x", Body: []byte("b")}, nil); !Unsent(err) || Transient(err) {
		t.Errorf("got %v", err)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/silent", "/stalls"} {
		release := make(chan bool)
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if r.URL.Path == "/client/v4/stalls" {
				io.WriteString(w, `{"result":`)
				w.(http.Flusher).Flush()
			}
			<-release
		}, func(cfg *Config) { cfg.Timeout, cfg.MaxRetries = 300*time.Millisecond, 1 })
		_, err := c.Request(t.Context(), Call{Method: "POST", Path: path, Body: []byte("b")}, nil)
		timeout, isNet := errors.AsType[net.Error](err)
		if !Ambiguous(err) || !isNet || !timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", path, err)
		}
		_, err = c.Request(t.Context(), Call{Path: path}, nil)
		if e, _ := errors.AsType[*CallError](err); e == nil || e.Attempts != 2 || !Transient(err) {
			t.Errorf("%s: a read gives %v", path, err)
		}
		close(release)
	}
}

// TestSlowReader takes its time between two reads, which is not the service's fault.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
	}, func(cfg *Config) { cfg.Timeout = time.Second })
	resp, err := c.Stream(t.Context(), Call{Path: "/x"})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for range 2 {
		time.Sleep(1100 * time.Millisecond)
		if _, err := io.ReadFull(resp.Body, make([]byte, 100_000)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeadlineDuringPause(t *testing.T) {
	t.Parallel()
	c, pauses := serve(t, func(w http.ResponseWriter, r *http.Request) { answer(w, 503, "") })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := c.Request(ctx, Call{Path: "/x"}, nil)
	if !StatusIs(err, 503) || len(*pauses) != 0 {
		t.Errorf("got %v, pauses %v", err, *pauses)
	}
}

func TestCutBody(t *testing.T) {
	t.Parallel()
	n := 0
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n++; n > 1 {
			answer(w, 200, ok)
			return
		}
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, `{"result":`)
	})
	if _, err := c.Request(t.Context(), Call{Path: "/x"}, nil); err != nil || n != 2 {
		t.Errorf("a read gives %v after %d calls", err, n)
	}
	n = 0
	_, err := c.Request(t.Context(), Call{Method: "POST", Path: "/x"}, nil)
	if !Ambiguous(err) || n != 1 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a write gives %v after %d calls", err, n)
	}
}

func TestResultOfAnotherForm(t *testing.T) {
	t.Parallel()
	n := 0
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { n++; answer(w, 200, ok) })
	var list []string
	_, err := c.Request(t.Context(), Call{Path: "/x"}, &list)
	if _, isType := errors.AsType[*json.UnmarshalTypeError](err); !isType || n != 1 {
		t.Errorf("got %v after %d calls", err, n)
	}
}

// TestIdempotentOutcome: a call that may be repeated is unsent only if none of its attempts
// can have run.
func TestIdempotentOutcome(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		statuses []int // 0 is a connection that breaks
		class    Class
		want     Outcome
	}{
		{"limited", []int{429, 429, 429, 429}, ClassIdempotent, OutcomeUnsent},
		{"lost, and then limited", []int{0, 429, 429, 429}, ClassIdempotent, OutcomeUnknown},
		{"5xx, and then refused", []int{502, 401}, ClassIdempotent, OutcomeUnknown},
		{"limited, and then refused", []int{429, 401}, ClassIdempotent, OutcomeAnswered},
		{"a read, lost and then limited", []int{0, 429, 429, 429}, ClassRead, OutcomeUnsent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := 0
			c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				status := tt.statuses[n]
				if n++; status == 0 {
					panic(http.ErrAbortHandler)
				}
				answer(w, status, failure(1, "no"))
			})
			_, err := c.Request(t.Context(), Call{Method: "PUT", Path: "/x", Class: tt.class}, nil)
			if OutcomeOf(err) != tt.want || n != len(tt.statuses) {
				t.Errorf("%d attempts, outcome %v of %v", n, OutcomeOf(err), err)
			}
		})
	}
}
