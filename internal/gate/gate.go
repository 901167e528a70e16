// Package gate lets calls in until it is closed, and waits for those within.
package gate

import "sync"

// Gate is open until Close. Its zero value is ready to use; it is safe for concurrent
// use.
type Gate struct {
	mu     sync.Mutex
	closed bool
	within sync.WaitGroup
}

// Enter reports whether the gate is open; then Leave must be called.
func (g *Gate) Enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.within.Add(1)
	}
	return !g.closed
}

// Leave ends what Enter has begun.
func (g *Gate) Leave() { g.within.Done() }

// Close closes the gate and waits for those within. A second Close waits too.
func (g *Gate) Close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.within.Wait()
}
