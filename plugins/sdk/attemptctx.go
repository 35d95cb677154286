package sdk

import (
	"context"
	"sync"
)

// attemptCtx is the context of one attempt. It differs from context.WithCancel in cost only: it registers nowhere (the
// stream cancels its attempts itself), makes its channel when asked for one, and offers AfterFunc, which package context
// and the HTTPS transport use instead of that channel.
type attemptCtx struct {
	context.Context // the stream's, for its values

	mu    sync.Mutex
	err   error
	done  chan struct{}
	after []*func()
}

var _ context.Context = (*attemptCtx)(nil)

func (c *attemptCtx) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

func (c *attemptCtx) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// AfterFunc runs f in a goroutine of its own once the attempt is canceled; stop says whether it kept f from running.
func (c *attemptCtx) AfterFunc(f func()) (stop func() bool) {
	entry := &f
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		go f()
		return func() bool { return false }
	}
	c.after = append(c.after, entry)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i, e := range c.after {
			if e == entry {
				c.after = append(c.after[:i], c.after[i+1:]...)
				return true
			}
		}
		return false
	}
}

// cancel ends it; once is enough.
func (c *attemptCtx) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = context.Canceled
	if c.done != nil {
		close(c.done)
	}
	for _, f := range c.after {
		go (*f)()
	}
	c.after = nil
}
