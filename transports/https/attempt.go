package https

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookline/hookline/transports"
)

// attempt is one Deliver under way.
type attempt struct {
	t        *Transport
	ctx      context.Context
	req      *transports.Request
	start    time.Time
	deadline time.Time
	budget   time.Duration
	timings  transports.Timings
}

const (
	// spentSlack: an end this close to the deadline is the budget's, whichever clock fired first.
	spentSlack = 25 * time.Millisecond
	// lateAnswer is how long an answer that is already on its way in is waited for once writing has failed.
	lateAnswer = 50 * time.Millisecond
)

func (a *attempt) run() (transports.Result, error) {
	e, err := a.t.targets.get(a.req.Target)
	if err != nil {
		return transports.Result{Outcome: transports.Unreachable, Kind: transports.KindRefusedAddress, Error: err.Error()}, nil
	}
	buf := a.t.bufs.getWrite()
	defer a.t.bufs.putWrite(buf)
	head, err := appendHead((*buf)[:0], e, a.req)
	if err != nil {
		return transports.Result{}, err
	}
	*buf = head
	for {
		c, reused, err := a.connection(e)
		if err != nil {
			return a.failed(err, blameConnect)
		}
		res, again, err := a.exchange(c, reused, head)
		if again {
			continue // nothing left this machine: the connection was dead, the attempt has not begun
		}
		return res, err
	}
}

// connection takes a living idle connection or makes a fresh one; either is busy and has the attempt's deadline.
func (a *attempt) connection(e *endpoint) (c *conn, reused bool, err error) {
	for {
		c := a.t.pool.take(e.key, a.start)
		if c == nil {
			break
		}
		if a.t.arm(c, a.deadline) && c.alive() {
			c.acquire()
			return c, true, nil
		}
		a.t.pool.drop(c)
	}
	c, err = a.t.dial(a.ctx, e, a.deadline, &a.timings)
	if err != nil {
		return nil, false, err
	}
	if !a.t.pool.add(c) || !a.t.arm(c, a.deadline) {
		a.t.pool.drop(c)
		return nil, false, fmt.Errorf("%w: the https transport is closed", transports.ErrInterrupted)
	}
	c.acquire()
	return c, false, nil
}

// arm gives a busy connection its deadline; false once the transport is closed. Close cancels running before it
// interrupts busy connections, so an interrupt that this deadline overwrites is seen here.
func (t *Transport) arm(c *conn, deadline time.Time) bool {
	return c.wire.SetDeadline(deadline) == nil && t.running.Err() == nil
}

// exchange sends the request and reads the answer. again: not a byte was sent, the connection was dead.
func (a *attempt) exchange(c *conn, reused bool, head []byte) (res transports.Result, again bool, err error) {
	stop := afterFunc(a.ctx, c.halt)
	fit := false // for another attempt
	defer func() {
		if stop() && fit {
			a.t.pool.put(c)
		} else {
			a.t.pool.drop(c)
		}
	}()
	before := c.wire.wrote
	sent := c.write(head, a.req.Body)
	wrote := time.Now()
	if sent != nil {
		if reused && c.wire.wrote == before && a.ctx.Err() == nil && !timedOut(sent) && a.t.running.Err() == nil {
			return res, true, nil
		}
		// A receiver may answer (413, 401) and hang up without reading a long body: its answer may lie here already.
		_ = c.wire.SetReadDeadline(minTime(wrote.Add(lateAnswer), a.deadline.Add(lateAnswer)))
		if a.ctx.Err() != nil || a.t.running.Err() != nil {
			c.interrupt()
		}
	}
	h, err := c.readHead()
	got := time.Now()
	a.timings.Wait = got.Sub(wrote)
	if err != nil {
		if sent != nil && !errors.Is(err, errProtocol) {
			err = sent
		}
		res, err = a.failed(err, blameExchange)
		return res, false, err
	}
	res = transports.Result{Status: h.status, Headers: h.fields}
	judge(&res)
	if res.Kind == transports.KindRedirect || h.status == 101 {
		return res, false, nil
	}
	res.Body, res.Truncated = c.readBody(h)
	a.timings.Body = time.Since(got)
	if sent == nil && h.keep && !res.Truncated && c.drained() {
		fit = a.keepIdle(c, h)
	}
	return res, false, nil
}

// afterFunc is context.AfterFunc without its cost for a ctx that never ends or can do it itself.
func afterFunc(ctx context.Context, f func()) (stop func() bool) {
	if own, ok := ctx.(interface{ AfterFunc(func()) func() bool }); ok {
		return own.AfterFunc(f)
	}
	if ctx.Done() == nil {
		return func() bool { return true }
	}
	return context.AfterFunc(ctx, f)
}

// keepIdle sets how long the connection may idle; false if not at all.
func (a *attempt) keepIdle(c *conn, h head) bool {
	idle := a.t.opts.IdleTimeout
	if h.idle > 0 {
		idle = min(time.Duration(h.idle-1)*time.Second, a.t.opts.MaxAnnouncedIdle)
	}
	if idle <= 0 {
		return false
	}
	c.release()
	c.idleUntil = time.Now().Add(idle)
	return true
}

// failed decides whose doing a failure is: an error for ours, a Result by blame for theirs.
func (a *attempt) failed(err error, blame func(error, time.Duration, bool) transports.Result) (transports.Result, error) {
	spent := time.Until(a.deadline) <= min(spentSlack, a.budget/10)
	if !spent {
		if cause := context.Cause(a.ctx); cause != nil {
			return transports.Result{}, fmt.Errorf("%w: %w", transports.ErrInterrupted, cause)
		}
		if a.t.running.Err() != nil {
			return transports.Result{}, fmt.Errorf("%w: the https transport was closed", transports.ErrInterrupted)
		}
	}
	if errors.Is(err, transports.ErrInterrupted) {
		return transports.Result{}, err
	}
	if ours(err) {
		return transports.Result{}, fmt.Errorf("%w: %w", transports.ErrInterrupted, err)
	}
	return blame(err, a.budget, spent && timedOut(err)), nil
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
