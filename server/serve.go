package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Listen listens on a TCP address such as "127.0.0.1:8787" or "localhost:0". Without a
// Token it refuses addresses that other machines can reach.
func (s *Server) Listen(addr string) (net.Listener, error) {
	resolved, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	if err := s.mayListen(resolved); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	// The address that was checked is the one that is used: a name may change.
	l, err := net.Listen("tcp", resolved.String())
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

func (s *Server) mayListen(addr net.Addr) error {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || s.cfg.Token != "" || tcp.IP.IsLoopback() {
		return nil
	}
	return errors.New("other machines can reach this address, and without a token anybody may do anything; " +
		"set a token, or listen on 127.0.0.1")
}

// Serve answers requests, and logs them, until the context ends, waits for those under
// way, and closes the Server, so that nothing that was acknowledged is lost. Requests
// that are still under way after the DrainTimeout are cut off; their writes are undone
// unless they have been committed. The error is nil if the context ended it.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if err := s.mayListen(l.Addr()); err != nil {
		return errors.Join(fmt.Errorf("serve on %s: %w", l.Addr(), err), l.Close(), s.Close())
	}
	hs := &http.Server{
		Handler: LogRequests(s, s.cfg.Logger),
		// A slow query must not be cut off, so there is no WriteTimeout: the handler
		// sets deadlines while it reads and writes.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	ended := make(chan error, 1)
	go func() { ended <- hs.Serve(l) }()
	var err error
	select {
	case err = <-ended:
		err = errors.Join(err, s.drain(hs))
	case <-ctx.Done():
		err = s.drain(hs)
		<-ended
	}
	return errors.Join(err, s.Close())
}

// drain ends an HTTP server. Those who will not leave are cut off.
func (s *Server) drain(hs *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.DrainTimeout)
	defer cancel()
	err := hs.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.cfg.Logger.Warn("requests were still under way and have been cut off")
		return hs.Close()
	}
	return err
}
