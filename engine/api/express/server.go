package express

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a Server.
type Options struct {
	// Web takes the connections that are handed over. Its Handler serves both ways, its ErrorLog, ReadHeaderTimeout and
	// IdleTimeout (0 = none) hold for both. It belongs to the Server from New on.
	Web *http.Server
	// Takes says whether a POST to this path, without query, is served here.
	Takes func(path string) bool
}

// Server serves HTTP on a listener, small requests by itself, all others through an http.Server.
type Server struct {
	Options
	ctx      context.Context // of every request
	cancel   context.CancelFunc
	stopping atomic.Bool
	over     *handover
	date     atomic.Pointer[dateLine]
	buffers  sync.Pool // of *[bufferSize]byte

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
	drained   chan struct{} // closed when the last connection has gone; nil while nobody waits
}

// New makes a Server. It starts nothing.
func New(o Options) *Server {
	s := &Server{Options: o, over: newHandover(), listeners: map[net.Listener]struct{}{}, conns: map[*conn]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.WithValue(context.Background(), http.ServerContextKey, o.Web))
	s.buffers.New = func() any { return new([bufferSize]byte) }
	return s
}

// Serve accepts connections until the listener fails, or Shutdown or Close are called: http.ErrServerClosed. It closes
// the listener. One call a Server.
func (s *Server) Serve(l net.Listener) error {
	if !s.listens(l) {
		_ = l.Close()
		return http.ErrServerClosed
	}
	s.over.addr = l.Addr()
	web := make(chan error, 1)
	go func() { web <- s.Web.Serve(s.over) }()
	err := s.accept(l)
	s.mu.Lock()
	delete(s.listeners, l)
	s.mu.Unlock()
	_ = l.Close()
	_ = s.over.Close()
	webErr := <-web
	if s.stopping.Load() {
		return http.ErrServerClosed
	}
	if err == nil {
		err = webErr
	}
	return err
}

func (s *Server) listens(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

// accept starts connections. Out of descriptors it waits and tries again, as net/http does.
func (s *Server) accept(l net.Listener) error {
	const longest = time.Second
	pause := 5 * time.Millisecond
	for {
		nc, err := l.Accept()
		if err == nil {
			pause = 5 * time.Millisecond
			s.start(nc)
			continue
		}
		var temporary interface{ Temporary() bool }
		if s.stopping.Load() || !errors.As(err, &temporary) || !temporary.Temporary() {
			return err
		}
		s.logf("http: Accept error: %v; retrying in %v", err, pause)
		select {
		case <-time.After(pause):
		case <-s.ctx.Done():
		}
		pause = min(2*pause, longest)
	}
}

func (s *Server) start(nc net.Conn) {
	c := newConn(s, nc)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		_ = nc.Close()
		return
	}
	s.conns[c] = struct{}{}
	go c.serve()
}

// forget is called by a connection's goroutine as its last act.
func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if len(s.conns) == 0 && s.drained != nil {
		close(s.drained)
		s.drained = nil
	}
}

func (s *Server) logf(format string, args ...any) {
	if s.Web.ErrorLog != nil {
		s.Web.ErrorLog.Printf(format, args...)
		return
	}
	log.Printf(format, args...)
}

// Shutdown closes the listener and what is idle, waits for the requests under way, and returns ctx's error when it ends
// before them: as http.Server.Shutdown does, for both ways. A request whose head is not complete by then is not served.
func (s *Server) Shutdown(ctx context.Context) error {
	drained := s.stop(func(c *conn) {
		if c.state.CompareAndSwap(idle, closed) {
			_ = c.nc.Close()
		}
	})
	if err := s.Web.Shutdown(ctx); err != nil {
		return err
	}
	if drained == nil {
		return nil
	}
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close closes everything at once and cancels the context of the requests under way. Like http.Server.Close it does not
// wait for their handlers. It may be called again, and after Shutdown.
func (s *Server) Close() error {
	s.cancel()
	s.stop(func(c *conn) { _ = c.nc.Close() })
	return s.Web.Close()
}

// stop ends the accepting and calls end for each connection. The channel, nil without any, closes with the last.
func (s *Server) stop(end func(*conn)) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping.Store(true)
	for l := range s.listeners {
		_ = l.Close()
	}
	for c := range s.conns {
		end(c)
	}
	if len(s.conns) > 0 && s.drained == nil {
		s.drained = make(chan struct{})
	}
	return s.drained
}
