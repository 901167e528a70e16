package faults

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Storm is a transport in which much goes wrong, by chance. It is safe for concurrent use.
type Storm struct {
	// Next carries what is not lost.
	Next http.RoundTripper
	// Often is the share of requests that something happens to, from 0 to 1.
	Often float64
	// Duplicates lets some requests arrive twice.
	Duplicates bool

	mu     sync.Mutex
	rand   *rand.Rand
	twice  [][]byte
	counts map[string]int
}

// NewStorm returns a Storm that is the same for the same seed, as far as the order of
// requests is.
func NewStorm(next http.RoundTripper, seed uint64, often float64) *Storm {
	return &Storm{Next: next, Often: often, rand: rand.New(rand.NewPCG(seed, 0)), counts: make(map[string]int)}
}

// Twice reports whether a request with the text in its body has arrived twice.
func (s *Storm) Twice(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, body := range s.twice {
		if bytes.Contains(body, []byte(text)) {
			return true
		}
	}
	return false
}

// Counts returns how often each fault has been done.
func (s *Storm) Counts() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprint(s.counts)
}

// fault is something that may happen to a request.
type fault struct {
	name string
	do   func(s *Storm, req *http.Request) (*http.Response, error)
}

// allFaults are what may happen. Those before the request arrives, and those after.
var allFaults = []fault{
	{"not dialled", func(*Storm, *http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}},
	{"lost", func(*Storm, *http.Request) (*http.Response, error) { return nil, syscall.ECONNRESET }},
	{"limited", answer(429, `{"success":false,"errors":[{"code":971,"message":"Please wait"}],"messages":[],"result":null}`)},
	{"limited for a time", func(s *Storm, req *http.Request) (*http.Response, error) {
		resp, err := answer(429, `{"success":false,"errors":[{"code":10013,"message":"slow down"}]}`)(s, req)
		resp.Header.Set("Retry-After", "1")
		return resp, err
	}},
	{"refused by a proxy", answer(503, "<html>try later</html>")},
	{"answer lost", after(func(*Storm, *http.Response, []byte) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })},
	{"answer replaced by 500", replaced(500, `{"success":false,"errors":[{"code":7500,"message":"internal error"}]}`)},
	{"answer replaced by 502", replaced(502, "<html>bad gateway</html>")},
	{"answer replaced by a page", ofJSON(func(s *Storm, _ *http.Response, _ []byte) (*http.Response, error) {
		return answer(http.StatusOK, "<html>log in</html>")(s, &http.Request{})
	})},
	{"answer cut", after(func(s *Storm, resp *http.Response, body []byte) (*http.Response, error) {
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:s.number(len(body)+1)]), broken{}))
		return resp, nil
	})},
	{"answer short", ofJSON(func(s *Storm, resp *http.Response, body []byte) (*http.Response, error) {
		resp.Body = io.NopCloser(bytes.NewReader(body[:s.number(len(body)+1)]))
		return resp, nil
	})},
	{"late", func(s *Storm, req *http.Request) (*http.Response, error) {
		time.Sleep(time.Duration(s.number(3000)) * time.Microsecond)
		return s.Next.RoundTrip(req)
	}},
}

// RoundTrip implements [http.RoundTripper].
func (s *Storm) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	happens := s.rand.Float64() < s.Often
	n := len(allFaults)
	if s.Duplicates {
		n++
	}
	n = s.rand.IntN(n)
	s.mu.Unlock()
	if !happens {
		return s.Next.RoundTrip(req)
	}
	if n == len(allFaults) {
		return s.duplicate(req)
	}
	f := allFaults[n]
	s.mu.Lock()
	s.counts[f.name]++
	s.mu.Unlock()
	return f.do(s, req)
}

// duplicate lets a request arrive again before its first answer is given.
func (s *Storm) duplicate(req *http.Request) (*http.Response, error) {
	body := drain(req)
	again := req.Clone(req.Context())
	req.Body, again.Body = reader(body), reader(body)
	s.mu.Lock()
	s.twice = append(s.twice, body)
	s.counts["arrived twice"]++
	s.mu.Unlock()
	resp, err := s.Next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	first, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // it was read
	if err != nil {
		return nil, err
	}
	if second, err := s.Next.RoundTrip(again); err == nil {
		_, _ = io.Copy(io.Discard, second.Body)
		_ = second.Body.Close()
	}
	resp.Body = reader(first)
	return resp, nil
}

func drain(req *http.Request) []byte {
	if req.Body == nil {
		return nil
	}
	body, _ := io.ReadAll(req.Body) // it is in memory
	_ = req.Body.Close()
	return body
}

func reader(body []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }

func (s *Storm) number(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.IntN(n)
}

// answer gives an answer to a request that does not arrive.
func answer(status int, body string) func(*Storm, *http.Request) (*http.Response, error) {
	return func(_ *Storm, req *http.Request) (*http.Response, error) {
		drain(req)
		return &http.Response{StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"text/plain"}}, Body: io.NopCloser(strings.NewReader(body)),
			ContentLength: int64(len(body)), Request: req}, nil
	}
}

// after does something to the answer of a request that has arrived.
func after(do func(s *Storm, resp *http.Response, body []byte) (*http.Response, error)) func(*Storm, *http.Request) (*http.Response, error) {
	return func(s *Storm, req *http.Request) (*http.Response, error) {
		resp, err := s.Next.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return nil, err
		}
		return do(s, resp, body)
	}
}

// ofJSON is after for answers that are JSON, so that others can be told from them: a value of KV
// is whatever comes.
func ofJSON(do func(s *Storm, resp *http.Response, body []byte) (*http.Response, error)) func(*Storm, *http.Request) (*http.Response, error) {
	return after(func(s *Storm, resp *http.Response, body []byte) (*http.Response, error) {
		if resp.StatusCode == http.StatusNotFound || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
			resp.Body = reader(body)
			return resp, nil
		}
		return do(s, resp, body)
	})
}

func replaced(status int, body string) func(*Storm, *http.Request) (*http.Response, error) {
	return after(func(s *Storm, resp *http.Response, _ []byte) (*http.Response, error) {
		return answer(status, body)(s, &http.Request{})
	})
}

// broken is a body that breaks off.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset by the storm") }
