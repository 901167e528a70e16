package cloudflare

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a clock that stands, but for sleepers.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// spender returns clients of a server that share a budget, and their clock.
func spender(t *testing.T, size int, h http.HandlerFunc) (a, b *Client, c *clock) {
	t.Helper()
	c = &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	adjust := func(cfg *Config) {
		cfg.Budget, cfg.Now, cfg.Sleep = size, c.Now, c.Sleep
	}
	a, _ = serve(t, h, adjust)
	again := a.cfg
	b, err := New(again)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return a, b, c
}

func TestBudget(t *testing.T) {
	t.Parallel()
	a, b, clock := spender(t, 30, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, ok) })
	began := clock.Now()
	for i := range 60 {
		client := a
		if i%2 == 1 {
			client = b
		}
		if _, err := client.Request(t.Context(), Call{Path: "/x"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	// 30 at once, and then one in ten seconds.
	if took := clock.Now().Sub(began).Round(time.Second); took != 5*time.Minute {
		t.Errorf("60 requests took %v, want 5m", took)
	}
	clock.Sleep(t.Context(), time.Hour)
	if wait, _ := a.budget.reserve(clock.Now()); wait != 0 || a.budget.left != 29 {
		t.Errorf("after an hour: wait %v, %v left", wait, a.budget.left)
	}
}

func TestBudgetDeadline(t *testing.T) {
	t.Parallel()
	requests := 0
	a, _, clock := spender(t, 1, func(w http.ResponseWriter, _ *http.Request) { requests++; answer(w, 200, ok) })
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(time.Hour))
	defer cancel()
	clock.now = time.Now()
	a.budget.filled = clock.now
	if _, err := a.Request(ctx, Call{Path: "/x"}, nil); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := a.Request(short, Call{Method: "POST", Path: "/x"}, nil)
	if !errors.Is(err, context.DeadlineExceeded) || OutcomeOf(err) != OutcomeUnsent || !strings.Contains(err.Error(), "the budget of 1 requests") {
		t.Errorf("error %v", err)
	}
	if requests != 1 || a.budget.left < -0.1 {
		t.Errorf("%d requests, %v left", requests, a.budget.left)
	}
}

func TestBudgetCloses(t *testing.T) {
	t.Parallel()
	requests := 0
	a, b, clock := spender(t, 1000, func(w http.ResponseWriter, _ *http.Request) {
		if requests++; requests == 1 {
			w.Header().Set("Retry-After", "200")
			answer(w, http.StatusTooManyRequests, failure(971, "slow down"))
			return
		}
		answer(w, 200, ok)
	})
	if _, err := a.Request(t.Context(), Call{Path: "/x"}, nil); !Transient(err) {
		t.Errorf("error %v", err)
	}
	// The other client of the same user does not make it worse.
	_, err := b.Request(t.Context(), Call{Method: "POST", Path: "/x"}, nil)
	if OutcomeOf(err) != OutcomeUnsent || !strings.Contains(err.Error(), "no requests for another 3m20s") || requests != 1 {
		t.Errorf("%d requests, error %v", requests, err)
	}
	clock.Sleep(t.Context(), 190*time.Second)
	if _, err := b.Request(t.Context(), Call{Path: "/x"}, nil); err != nil || requests != 2 {
		t.Errorf("%d requests, error %v", requests, err)
	}
}

// inProcess is a transport that sends nothing.
type inProcess struct{ http.RoundTripper }

func TestBudgetOfOthers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		cfg  Config
		want float64 // 0 means none
	}{
		{"Cloudflare", Config{APIToken: "budget-token-1"}, DefaultBudget},
		{"Cloudflare, another size", Config{APIToken: "budget-token-1", Budget: 7}, 7},
		{"Cloudflare, no bound", Config{APIToken: "budget-token-1", Budget: -1}, 0},
		{"a transport within the process", Config{APIToken: "budget-token-1", HTTPClient: &http.Client{Transport: inProcess{}}}, 0},
		{"another service", Config{APIToken: "budget-token-1", BaseURL: "http://127.0.0.1:1"}, 0},
	} {
		c, err := New(tt.cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.budget; got == nil != (tt.want == 0) || got != nil && got.size != tt.want {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
	one, _ := New(Config{APIToken: "budget-token-2"})
	two, _ := New(Config{APIToken: "budget-token-3"})
	if one.budget == two.budget {
		t.Error("two users share a budget")
	}
}

// TestBudgetReopens: those who wait until the service wants requests again do not return at
// once, and not before.
func TestBudgetReopens(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var pauses []time.Duration
	share := 0.0
	c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, ok) }, func(cfg *Config) {
		cfg.Budget, cfg.APIToken = 1000, "budget-token-reopens"
		cfg.Now = func() time.Time { return began }
		cfg.Rand = func() float64 { share += 0.25; return share }
		cfg.Sleep = func(_ context.Context, d time.Duration) error { pauses = append(pauses, d); return nil }
	})
	c.budget.close(began.Add(20 * time.Second))
	if wait := c.BudgetWait(); wait != 20*time.Second {
		t.Errorf("a call would wait %v", wait)
	}
	for range 3 {
		if _, err := c.Request(t.Context(), Call{Path: "/x"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if want := []time.Duration{20500 * time.Millisecond, 21 * time.Second, 21500 * time.Millisecond}; !slices.Equal(pauses, want) {
		t.Errorf("pauses %v, want %v", pauses, want)
	}
	if c.budget.left != 997 {
		t.Errorf("%v left", c.budget.left)
	}
}
