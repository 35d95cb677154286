package host

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/hookline/hookline/plugins/proto"
	"github.com/hookline/hookline/transports"
)

// call is an attempt that was submitted and not yet ended.
type call struct {
	req    *transports.Request
	done   func(transports.Result, error)
	id     uint64
	stage  stage
	since  time.Time // submitted
	giveUp time.Time // once sent: when nobody waits any more
}

type stage uint8

const (
	queued   stage = iota // waits for a process and for credit
	encoding              // being copied into a frame: the request must not change
	sent                  // with the plugin
	over                  // done was called
)

// place is one of the attempts the plugin may hold. A place whose attempt was given up stays taken until its result comes
// after all or the process ends, since the plugin still works on it.
type place struct {
	call       *call // nil: free, or given up
	generation uint32
	taken      bool
	giveUp     time.Time // of the call that nobody waits for any more
}

// An id is the place's index below and its generation above, so that a late result never meets another attempt.
func (p *place) id(index int) uint64 { return uint64(p.generation)<<32 | uint64(index) }

// leave ends a place's call while the plugin still works on it.
func (p *place) leave() { p.call, p.giveUp = nil, p.call.giveUp }

// check refuses what the wire cannot carry.
func check(req *transports.Request) error {
	switch {
	case req.Timeout <= 0:
		return fmt.Errorf("host: timeout is %s, must be above 0", req.Timeout)
	case len(req.Body) > proto.MaxBody:
		return fmt.Errorf("host: body is %d bytes, at most %d", len(req.Body), proto.MaxBody)
	case !utf8.ValidString(req.Target) || !utf8.ValidString(req.EventID):
		return fmt.Errorf("host: target and event id must be UTF-8")
	}
	size := 0
	for i := range req.Headers {
		if !utf8.ValidString(req.Headers[i].Name) {
			return fmt.Errorf("host: header names must be UTF-8")
		}
		size += len(req.Headers[i].Name) + len(req.Headers[i].Value)
	}
	if size > 1<<20 {
		return fmt.Errorf("host: header fields are %d bytes, at most %d", size, 1<<20)
	}
	return nil
}

// Submit takes an attempt; see the package comment. It does not block.
func (h *Host) Submit(ctx context.Context, req *transports.Request, done func(transports.Result, error)) {
	c := &call{req: req, done: done}
	if err := h.accept(ctx, c); err != nil {
		done(transports.Result{}, err)
	}
}

func (h *Host) accept(ctx context.Context, c *call) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", transports.ErrInterrupted, context.Cause(ctx))
	}
	if err := check(c.req); err != nil {
		return err
	}
	c.since = time.Now()
	h.mu.Lock()
	if h.closing {
		h.mu.Unlock()
		return fmt.Errorf("%w: plugin %s is being closed", transports.ErrInterrupted, h.cfg.Name)
	}
	if h.health.State == Quarantined {
		reason := h.health.LastError
		h.mu.Unlock()
		return fmt.Errorf("%w: plugin %s is quarantined: %s", transports.ErrInterrupted, h.cfg.Name, reason)
	}
	if h.queue.len() >= h.cfg.MaxInFlight {
		h.mu.Unlock()
		return fmt.Errorf("%w: %d attempts wait for plugin %s already: submit fewer at once", transports.ErrInterrupted, h.cfg.MaxInFlight, h.cfg.Name)
	}
	h.queue.push(c)
	h.mu.Unlock()
	h.nudge()
	return nil
}

// Deliver is Submit that waits. When ctx ends first the plugin is told that nobody waits any more, and the error wraps
// transports.ErrInterrupted.
func (h *Host) Deliver(ctx context.Context, req *transports.Request) (transports.Result, error) {
	if req.Timeout <= 0 {
		if end, ok := ctx.Deadline(); ok {
			bounded := *req
			bounded.Timeout = max(time.Until(end), time.Nanosecond)
			req = &bounded
		}
	}
	type end struct {
		res transports.Result
		err error
	}
	ended := make(chan end, 1)
	c := &call{req: req, done: func(r transports.Result, err error) { ended <- end{r, err} }}
	if err := h.accept(ctx, c); err != nil {
		return transports.Result{}, err
	}
	select {
	case e := <-ended:
		return e.res, e.err
	case <-ctx.Done():
	}
	if time.Since(c.since) >= req.Timeout-deadlineSlack { // the budget and ctx end together: the result is about to come
		select {
		case e := <-ended:
			return e.res, e.err
		case <-time.After(2 * deadlineSlack):
		}
	}
	h.abandon(c)
	select {
	case e := <-ended: // it came after all
		return e.res, e.err
	default:
		return transports.Result{}, fmt.Errorf("%w: %w", transports.ErrInterrupted, context.Cause(ctx))
	}
}

// deadlineSlack is how far ctx's deadline may lie before the attempt's for both to count as one.
const deadlineSlack = 50 * time.Millisecond

// abandon ends a call nobody waits for. When it returns the request is not looked at any more.
func (h *Host) abandon(c *call) {
	h.mu.Lock()
	for c.stage == encoding {
		h.encoded.Wait()
	}
	switch c.stage {
	case queued:
		h.queue.remove(c)
	case sent:
		h.places[uint32(c.id)].leave()
		h.cancels = append(h.cancels, c.id)
	}
	c.stage = over
	h.noteIdle()
	h.mu.Unlock()
	h.nudge()
}

// nudge wakes whoever sends.
func (h *Host) nudge() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}
