package cloudflare

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// DefaultBudget is how many requests Cloudflare accepts for one user in five minutes,
// of all kinds together; see developers.cloudflare.com/fundamentals/api/reference/limits.
const DefaultBudget = 1200

// budgetWindow is the time that a budget is for.
const budgetWindow = 5 * time.Minute

// budget is what the clients with the same credentials may still send. It fills evenly,
// so that any window holds at most twice the requests of one; whoever finds it empty
// waits for a request of his own.
type budget struct {
	mu     sync.Mutex
	size   float64
	left   float64   // may be below 0: then so many wait
	filled time.Time // when left was reckoned
	closed time.Time // until when the service wants no requests
}

// budgets are the budgets of this process, by credentials. They are shared because
// Cloudflare counts by user, however many clients a program has.
var budgets struct {
	sync.Mutex
	byUser map[[sha256.Size]byte]*budget
}

// budget returns what the Config's user shares with the other clients in this process, or
// nil for one without bound.
func (c *Config) budget() *budget {
	size := c.Budget
	if size == 0 && c.BaseURL == DefaultBaseURL && c.overNetwork() {
		size = DefaultBudget
	}
	if size <= 0 {
		return nil
	}
	// A hash, so that no credential is kept twice.
	user := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %d", c.BaseURL, c.APIToken, c.APIKey, c.Email, size))
	budgets.Lock()
	defer budgets.Unlock()
	b, ok := budgets.byUser[user]
	if !ok {
		b = &budget{size: float64(size), left: float64(size), filled: c.Now()}
		if budgets.byUser == nil {
			budgets.byUser = make(map[[sha256.Size]byte]*budget)
		}
		budgets.byUser[user] = b
	}
	return b
}

// overNetwork reports whether requests surely leave this process: another transport than
// net/http's may answer them itself.
func (c *Config) overNetwork() bool {
	if c.HTTPClient == nil || c.HTTPClient.Transport == nil {
		return true
	}
	_, ok := c.HTTPClient.Transport.(*http.Transport)
	return ok
}

// reserve takes a request from the budget, and returns how long it must wait, and how much
// of that because the service has asked for it.
func (b *budget) reserve(now time.Time) (wait, closed time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rate := b.size / float64(budgetWindow) // requests a nanosecond
	if since := now.Sub(b.filled); since > 0 {
		b.left = min(b.size, b.left+float64(since)*rate)
		b.filled = now
	}
	b.left--
	closed = max(0, b.closed.Sub(now))
	if b.left < 0 {
		wait = time.Duration(-b.left / rate)
	}
	return max(wait, closed), closed
}

// giveBack returns a request that was not sent.
func (b *budget) giveBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left++
}

// close keeps everybody from sending until the service wants requests again.
func (b *budget) close(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until.After(b.closed) {
		b.closed = until
	}
}

// BudgetWait returns how long a call that is made now would wait for the budget, or for the
// service to want requests again.
func (c *Client) BudgetWait() time.Duration {
	if c.budget == nil {
		return 0
	}
	wait, _ := c.budget.reserve(c.cfg.Now())
	c.budget.giveBack()
	return wait
}

// spend waits until a request may be sent. If that is after the context's deadline, or the
// service wants none for longer than MaxRetryWait, it returns at once.
func (c *Client) spend(ctx context.Context) error {
	if c.budget == nil {
		return nil
	}
	now := c.cfg.Now()
	wait, closed := c.budget.reserve(now)
	if wait == 0 {
		return nil
	}
	if closed > c.cfg.MaxRetryWait {
		c.budget.giveBack()
		return formError{fmt.Errorf("the service has asked for no requests for another %v", closed.Round(time.Second))}
	}
	if deadline, ok := ctx.Deadline(); ok && now.Add(wait).After(deadline) {
		c.budget.giveBack()
		return fmt.Errorf("the budget of %.0f requests in five minutes is used up; the next may be sent in %v: %w",
			c.budget.size, wait.Round(time.Millisecond), context.DeadlineExceeded)
	}
	if err := c.cfg.Sleep(ctx, wait); err != nil {
		c.budget.giveBack()
		return err
	}
	return nil
}
