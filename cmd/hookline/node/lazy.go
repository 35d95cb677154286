package node

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hookline/hookline/plugins/host"
	"github.com/hookline/hookline/transports"
)

// lazy is a plugin process that is started by its first attempt, and makes one attempt at a time.
type lazy struct {
	cfg host.Config

	mu   sync.Mutex
	host *host.Host
	done bool
}

// Submit implements transports.Submitter. It holds its caller up while another attempt is under way.
func (l *lazy) Submit(ctx context.Context, req *transports.Request, done func(transports.Result, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done || ctx.Err() != nil {
		done(transports.Result{}, fmt.Errorf("%w: stopping", transports.ErrInterrupted))
		return
	}
	if l.host == nil {
		start, cancel := context.WithTimeout(ctx, 10*time.Second)
		h, err := host.Start(start, l.cfg)
		cancel()
		if err != nil {
			done(transports.Result{}, fmt.Errorf("%w: %w", transports.ErrInterrupted, err))
			return
		}
		l.host = h
	}
	done(l.host.Deliver(ctx, req))
}

func (l *lazy) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = true
	if l.host == nil {
		return nil
	}
	return closing(l.host)()
}

// closing ends a host within a moment: by now nothing is in flight any more.
func closing(h *host.Host) func() error {
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		return h.Close(ctx)
	}
}
