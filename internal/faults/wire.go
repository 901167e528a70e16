// Package faults breaks connections and answers on purpose, for the tests of what goes
// over a network: [Wire] below HTTP, byte by byte, and [Storm] above it.
package faults

import (
	"context"
	"io"
	"net"
	"sync"
	"syscall"
)

// Cut says where a connection ends.
type Cut struct {
	// Sent and Received are how many bytes pass before the connection is cut; a negative
	// number means all.
	Sent, Received int
	// Silent says that what is written beyond Sent seems to have been written, as it does
	// when a network loses it.
	Silent bool
}

// Whole is no cut at all.
var Whole = Cut{Sent: -1, Received: -1}

// Wire makes connections that it cuts. Its zero value cuts none; it is safe for
// concurrent use.
type Wire struct {
	// Next says how the next connection is cut; nil means not at all.
	Next func() Cut

	mu    sync.Mutex
	conns map[*conn]bool
	sent  int
	got   int
}

// DialContext is for [net/http.Transport].
func (w *Wire) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	raw, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, wire: w, cut: Whole}
	if w.Next != nil {
		c.cut = w.Next()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conns == nil {
		w.conns = make(map[*conn]bool)
	}
	w.conns[c] = true
	return c, nil
}

// CutNow says how many bytes more pass over each connection that there is. It returns how
// many there are.
func (w *Wire) CutNow(cut Cut) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		c.setCut(cut)
	}
	return len(w.conns)
}

// CloseAll closes each connection that there is, as a server may that finds it idle.
func (w *Wire) CloseAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		_ = c.Conn.Close() // which is what is wanted of it
	}
}

// Bytes returns how many bytes have been sent and received since it was last called.
func (w *Wire) Bytes() (sent, received int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	sent, received = w.sent, w.got
	w.sent, w.got = 0, 0
	return sent, received
}

func (w *Wire) count(sent, received int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent += sent
	w.got += received
}

type conn struct {
	net.Conn
	wire *Wire
	mu   sync.Mutex
	cut  Cut
}

func (c *conn) setCut(cut Cut) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
}

// take returns how many of n bytes pass, and whether the connection ends behind them.
func take(left *int, n int) (pass int, ends bool) {
	if *left < 0 {
		return n, false
	}
	pass = min(n, *left)
	*left -= pass
	return pass, *left == 0
}

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	pass, ends := take(&c.cut.Sent, len(p))
	silent := c.cut.Silent
	c.mu.Unlock()
	n, err := c.Conn.Write(p[:pass])
	c.wire.count(n, 0)
	if err != nil || !ends {
		return n, err
	}
	_ = c.Conn.Close()
	if silent || n == len(p) {
		return len(p), nil
	}
	return n, syscall.ECONNRESET
}

func (c *conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	left := c.cut.Received
	c.mu.Unlock()
	if left == 0 {
		_ = c.Conn.Close()
		return 0, io.ErrUnexpectedEOF
	}
	if left > 0 {
		p = p[:min(len(p), left)]
	}
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	_, _ = take(&c.cut.Received, n)
	c.mu.Unlock()
	c.wire.count(0, n)
	return n, err
}

func (c *conn) Close() error {
	c.wire.mu.Lock()
	delete(c.wire.conns, c)
	c.wire.mu.Unlock()
	return c.Conn.Close()
}
