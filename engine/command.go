package engine

import (
	"context"
	"errors"
	"time"

	"github.com/hookline/hookline/eventlog"
)

// waiter is how a caller waits for its command's effect.
type waiter struct{ done chan error }

func newWaiter() waiter { return waiter{done: make(chan error, 1)} }

func (w waiter) release(err error) { w.done <- err }

// wait returns nil once what the command saw is durable. When ctx or the engine ends first, the command may still
// happen: the caller is told that the outcome is unknown. So it is after outagePatience in an outage.
func (w waiter) wait(ctx context.Context, e *Engine) error {
	patience := (<-chan time.Time)(nil)
	began := e.outage.turn.Load().began
	for {
		select {
		case err := <-w.done:
			return storeError(err)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-began:
			t := time.NewTimer(e.outage.patience)
			defer t.Stop()
			began, patience = nil, t.C
			continue
		case <-patience:
			if turn := e.outage.turn.Load(); !turn.lasting() {
				began, patience = turn.began, nil
				continue
			}
			return storeError(eventlog.ErrUnavailable)
		case <-e.dead:
		}
		select {
		case err := <-w.done:
			return storeError(err)
		default:
			return storeError(errStopped)
		}
	}
}

var (
	errStopped  = errors.New("engine: stopped")
	errStopping = &Error{Code: CodeUnavailable, Detail: "the server is stopping"}
)

// storeError is the answer to a caller whose batch did not become durable.
func storeError(err error) error {
	var told *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &told):
		return told
	}
	return &Error{Code: CodeUnavailable, Detail: "the store is not available: " + err.Error() + "; nothing was accepted for certain, try again"}
}

// call is a command made of a function: management and reads. fn validates before it appends.
type call struct {
	fn  func(s *sequencer) error
	err error
	waiter
}

func (c *call) run(s *sequencer) {
	c.err = c.fn(s)
	s.answer(c)
}

// do runs fn in the sequencer and returns once what it saw or wrote is durable.
func (e *Engine) do(ctx context.Context, fn func(s *sequencer) error) error {
	if err := e.available(ctx); err != nil {
		return err
	}
	c := &call{fn: fn, waiter: newWaiter()}
	e.sequencer.enqueue(c)
	if err := c.wait(ctx, e); err != nil {
		return err
	}
	return c.err
}

// change is do for what appends records: refused while the disk is low.
func (e *Engine) change(ctx context.Context, fn func(s *sequencer) error) error {
	if e.low.Load() {
		return diskLow()
	}
	return e.do(ctx, fn)
}

func diskLow() *Error {
	return &Error{Code: CodeDiskLow, Detail: "the disk is below its low-water mark: nothing was accepted; free space or move the data directory"}
}
