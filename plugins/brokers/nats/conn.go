package nats

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// errLost: the connection ended while an answer was awaited; whether the server had the message is unknown.
var errLost = errors.New("nats: connection lost")

const connectTimeout = 2 * time.Second

// conn is a connection that heals itself and never keeps messages back for later: while it is down, sending fails at once.
type conn struct {
	*nats.Conn

	tried chan struct{} // closed once a reason, or a connection, is there
	once  sync.Once

	mu   sync.Mutex
	why  error           // of the last connecting that failed
	up   context.Context // ends with the present connection
	down context.CancelCauseFunc
}

// dial tries each server once, for at most connectTimeout; where none is there the connection comes up behind.
func dial(s *Connection, name string) (*conn, error) {
	c := &conn{tried: make(chan struct{})}
	c.up, c.down = context.WithCancelCause(context.Background())
	tlsConfig, err := s.TLS.Config()
	if err != nil {
		return nil, err
	}
	options := []nats.Option{
		nats.Name(name), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1),
		nats.ReconnectWait(250 * time.Millisecond), nats.Timeout(connectTimeout), nats.PingInterval(20 * time.Second),
		nats.NoCallbacksAfterClientClose(),
		nats.ConnectHandler(func(*nats.Conn) { c.once.Do(func() { close(c.tried) }) }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) {
			c.mu.Lock()
			c.why = err
			c.mu.Unlock()
			c.once.Do(func() { close(c.tried) })
		}),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { c.turn() }),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // else they go to standard error
	}
	switch {
	case s.User != "":
		options = append(options, nats.UserInfo(s.User, s.Password))
	case s.Token != "":
		options = append(options, nats.Token(s.Token))
	case s.Creds != "":
		options = append(options, nats.UserCredentialBytes([]byte(s.Creds)))
	}
	if tlsConfig != nil {
		options = append(options, nats.Secure(tlsConfig))
	}
	if c.Conn, err = nats.Connect(strings.Join(s.Servers, ","), options...); err != nil {
		return nil, err
	}
	return c, nil
}

// turn tells those who wait for an answer that it will not come.
func (c *conn) turn() {
	c.mu.Lock()
	down := c.down
	c.up, c.down = context.WithCancelCause(context.Background())
	c.mu.Unlock()
	down(errLost)
}

// during returns a context that ends with ctx, and with the connection, by cause errLost.
func (c *conn) during(ctx context.Context) (context.Context, context.CancelFunc) {
	c.mu.Lock()
	up := c.up
	c.mu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(up, func() { cancel(errLost) })
	return ctx, func() { stop(); cancel(nil) }
}

// reason says why there is no connection, waiting for the first try if need be.
func (c *conn) reason(ctx context.Context, instead error) error {
	select {
	case <-c.tried:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why != nil {
		return c.why
	}
	return instead
}

func (c *conn) close() {
	c.Conn.Close()
	c.turn()
}
