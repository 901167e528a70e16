package cloudflare

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"testing"
)

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

// TestWhole: an answer that breaks off is a failed attempt, and one that is too long, however
// short it was when it was compressed, is not read to its end.
func TestWhole(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 64 {
		z.Write(make([]byte, 1<<20))
	}
	z.Close()
	for _, tt := range []struct {
		name    string
		class   Class
		handler func(attempt int, w http.ResponseWriter, r *http.Request)
		want    int // bytes
		sent    int
		err     error
		outcome Outcome
	}{
		{"whole", ClassRead, func(_ int, w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "12345") }, 5, 1, nil, OutcomeAnswered},
		{"cut, and then whole", ClassRead, func(n int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "12345"[:4+n/2])
		}, 5, 2, nil, OutcomeAnswered},
		{"a write that is cut", ClassWrite, func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "1234")
		}, 4, 1, io.ErrUnexpectedEOF, OutcomeUnknown},
		{"too long", ClassRead, func(_ int, w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 2000)) }, 1001, 1, ErrTooLong, OutcomeAnswered},
		{"a bomb", ClassWrite, func(_ int, w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "gzip" {
				t.Error("gzip is not asked for")
			}
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb.Bytes())
		}, 1001, 1, ErrTooLong, OutcomeUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := 0
			c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { n++; tt.handler(n, w, r) })
			body, _, err := c.Whole(t.Context(), Call{Method: "POST", Path: "/x", Class: tt.class}, 1000)
			if len(body) != tt.want || n != tt.sent || !errors.Is(err, tt.err) || OutcomeOf(err) != tt.outcome {
				t.Errorf("%d bytes, sent %d times, %v", len(body), n, err)
			}
		})
	}
}
