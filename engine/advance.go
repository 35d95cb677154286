package engine

import (
	"context"
	"time"

	"github.com/hookline/hookline/eventlog"
)

// advanceCommand steps a manual clock by a duration.
type advanceCommand struct {
	by      time.Duration
	target  int64
	started bool
	now     int64
	waiter
}

func (a *advanceCommand) run(s *sequencer) { s.advances = append(s.advances, a) }

// AdvanceClock moves a manual clock. Everything that falls due on the way is attempted at its time and recorded before
// time goes on. 404 with the real clock. While nothing may start (a low disk, a drain, an unavailable log) it fails at
// once, also one that is under way: the clock stands where that one had come to.
func (e *Engine) AdvanceClock(ctx context.Context, by time.Duration) (Time, error) {
	if !e.manual() {
		return 0, &Error{Code: CodeNotFound, Detail: "the clock is not manual: start with --clock manual"}
	}
	if by < 0 || by > 100*365*24*time.Hour {
		return 0, Invalid("by", "is %s, want 0s to 100 years as a Go duration", by)
	}
	if e.low.Load() {
		return 0, diskLow()
	}
	if e.held.Load() {
		return 0, heldError()
	}
	if err := e.available(ctx); err != nil {
		return 0, err
	}
	a := &advanceCommand{by: by, waiter: newWaiter()}
	e.sequencer.enqueue(a)
	if err := a.wait(ctx, e); err != nil {
		return 0, err
	}
	return Time(a.now), nil
}

// refuseAdvances ends the ones that wait for attempts which do not start.
func (s *sequencer) refuseAdvances() {
	var err error
	switch {
	case s.e.failure() != nil:
		err = s.e.failure()
	case s.draining:
		err = errStopping
	case s.e.low.Load():
		err = diskLow()
	case s.e.held.Load():
		err = heldError()
	default:
		err = eventlog.ErrUnavailable
	}
	for _, a := range s.advances {
		a.release(err)
	}
	s.advances = nil
}

// stepManualClock moves a manual clock on, to the next due time or the target, whenever nothing is under way.
func (s *sequencer) stepManualClock() {
	if len(s.advances) > 0 && s.suspended() {
		s.refuseAdvances()
	}
	if len(s.advances) == 0 || s.busy() {
		return
	}
	a, clock := s.advances[0], s.e.clock.(*manualClock)
	if !a.started {
		a.target, a.started = s.now+a.by.Milliseconds(), true
	}
	if due, ok := s.nextTime(); ok && due <= a.target {
		clock.set(due)
		s.more = true
		return
	}
	clock.set(a.target)
	s.now = clock.Now()
	a.now = s.now
	s.answer(a)
	s.advances = s.advances[1:]
	s.more = len(s.advances) > 0
}

// busy says that an attempt, a command or a batch is under way.
func (s *sequencer) busy() bool {
	return s.flights > 0 || s.more || s.parked.list.Len() > 0 || len(s.own.short) > 0 || s.recoveries.reading() || len(s.todo) > 0 || s.suspended() ||
		len(s.slot) > 0 || len(s.batch.records) > 0 || len(s.batch.starts) > 0
}
