package engine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hookline/hookline/eventlog"
)

// outagePatience is how long a request waits for the end of an outage before it is answered 503.
const outagePatience = 5 * time.Second

// outage tells everybody that the log does not know what became of an append. Meanwhile no attempt starts, nothing is
// answered, and no command but results is taken: those of the attempts under way, at most Config.MaxInFlight, wait in
// the sequencer's queue and in its next batch. Begun and ended by the committer, read by anybody.
type outage struct {
	turn     atomic.Pointer[outageTurn]
	patience time.Duration
}

// outageTurn is one outage, lasting or still to come.
type outageTurn struct{ began, ended chan struct{} }

func newOutage() *outage {
	o := &outage{patience: outagePatience}
	o.turn.Store(newOutageTurn())
	return o
}

func newOutageTurn() *outageTurn { return &outageTurn{make(chan struct{}), make(chan struct{})} }

func (t *outageTurn) lasting() bool {
	select {
	case <-t.began:
		return true
	default:
		return false
	}
}

func (o *outage) lasting() bool { return o.turn.Load().lasting() }

func (o *outage) begin() {
	if t := o.turn.Load(); !t.lasting() {
		close(t.began)
	}
}

func (o *outage) end() {
	if t := o.turn.Load(); t.lasting() {
		o.turn.Store(newOutageTurn())
		close(t.ended)
	}
}

// settle waits for a batch's outcome, through an outage if need be.
func (e *Engine) settle(c *eventlog.Commit) error {
	err := c.Wait(e.life)
	if !errors.Is(err, eventlog.ErrUnavailable) {
		return err
	}
	e.outage.begin()
	began := time.Now()
	e.cfg.Logger.Warn("the outcome of an append is unknown: nothing starts and nothing is answered until the log knows", "error", err)
	if err = c.Resolve(e.life); err != nil && e.life.Err() != nil {
		return fmt.Errorf("%w: the engine was closed before that", eventlog.ErrUnavailable)
	}
	e.cfg.Logger.Warn("the outcome of the append is known", "took", time.Since(began).Round(time.Millisecond), "error", err)
	return err
}

// available is for what queues a command: during an outage it waits for its end, outagePatience at most.
func (e *Engine) available(ctx context.Context) error {
	turn := e.outage.turn.Load()
	if !turn.lasting() {
		return nil
	}
	patience := time.NewTimer(e.outage.patience)
	defer patience.Stop()
	select {
	case <-turn.ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-e.dead:
		return storeError(errStopped)
	case <-patience.C:
		return &Error{Code: CodeUnavailable, Detail: "the store is not available: it does not know yet what became of the last append; nothing was accepted, try again"}
	}
}

// hold keeps an attempt that is about to start until the outage is over, if there is one. Its start is when it leaves.
func (f *flight) hold() {
	e := f.e
	for turn := e.outage.turn.Load(); turn.lasting(); turn = e.outage.turn.Load() {
		select {
		case <-turn.ended:
		case <-e.flying.Done():
			return
		case <-e.dead:
			return
		}
		now := max(f.startedAt, e.clock.Now())
		if f.first == f.startedAt {
			f.first = now
		}
		f.startedAt = now
	}
}
