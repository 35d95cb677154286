package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// endpoints is the Transport of a plugin whose endpoints have settings of their own: it opens one for each settings'
// bytes when the first attempt comes, and closes it when it has been idle for a while.
type endpoints struct {
	opener Opener

	mu     sync.Mutex
	opened map[string]*opened
	closed bool
	sweep  *time.Timer
}

// opened is the transport of one version of an endpoint's settings.
type opened struct {
	ready     chan struct{} // closed when transport or err is set
	transport Transport
	err       error
	users     int
	last      time.Time
}

const (
	idleFor    = time.Minute // then a transport is closed
	maxOpened  = 4096        // kept while idle; those in use are bounded by the attempts under way
	sweepEvery = 10 * time.Second
)

func newEndpoints(o Opener) *endpoints {
	return &endpoints{opener: o, opened: make(map[string]*opened)}
}

// Deliver makes one attempt with the transport of its settings.
func (e *endpoints) Deliver(ctx context.Context, req *Request) (Result, error) {
	o, err := e.use(ctx, req.Settings)
	if err != nil {
		return Result{}, err
	}
	defer e.release(o)
	return o.transport.Deliver(ctx, req)
}

// use returns the transport of settings with one user more.
func (e *endpoints) use(ctx context.Context, settings []byte) (*opened, error) {
	e.mu.Lock()
	o := e.opened[string(settings)]
	first := o == nil
	if first {
		o = &opened{ready: make(chan struct{})}
		e.opened[string(settings)] = o
		if e.sweep == nil && !e.closed {
			e.sweep = time.AfterFunc(sweepEvery, e.tidy)
		}
	}
	o.users++
	e.mu.Unlock()
	if first {
		o.transport, o.err = e.opening(ctx, append([]byte(nil), settings...))
		if o.err != nil { // the next attempt tries again
			e.mu.Lock()
			delete(e.opened, string(settings))
			e.mu.Unlock()
		}
		close(o.ready)
	}
	select {
	case <-o.ready:
	case <-ctx.Done():
		e.release(o)
		return nil, fmt.Errorf("waiting for another attempt to open the transport: %w", ctx.Err())
	}
	if o.err != nil {
		return nil, o.err
	}
	return o, nil
}

// opening calls the author's function; what it panics with is an error to whoever waits too.
func (e *endpoints) opening(ctx context.Context, settings []byte) (t Transport, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("opening the transport panicked: %v", p)
		}
	}()
	t, err = e.opener.open(ctx, settings)
	if err == nil && t == nil {
		err = errors.New("the plugin opened no transport and returned no error")
	}
	return t, err
}

func (e *endpoints) release(o *opened) {
	e.mu.Lock()
	defer e.mu.Unlock()
	o.users--
	o.last = time.Now()
}

// tidy closes what has been idle, more eagerly where there is much.
func (e *endpoints) tidy() {
	var idle []Transport
	e.mu.Lock()
	for key, o := range e.opened {
		if o.users == 0 && (len(e.opened) > maxOpened || time.Since(o.last) >= idleFor) {
			idle = append(idle, o.transport)
			delete(e.opened, key)
		}
	}
	e.sweep = nil
	if len(e.opened) > 0 && !e.closed {
		e.sweep = time.AfterFunc(sweepEvery, e.tidy)
	}
	e.mu.Unlock()
	for _, t := range idle {
		closeTransport(t)
	}
}

// Close closes everything; no attempt is under way any more.
func (e *endpoints) Close() error {
	e.mu.Lock()
	e.closed = true
	if e.sweep != nil {
		e.sweep.Stop()
	}
	all := e.opened
	e.opened = map[string]*opened{}
	e.mu.Unlock()
	for _, o := range all {
		closeTransport(o.transport)
	}
	return nil
}

func closeTransport(t Transport) {
	if c, ok := t.(io.Closer); ok {
		_ = c.Close()
	}
}
