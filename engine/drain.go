package engine

import (
	"context"
	"time"
)

// drainGrace is what a drain waits beyond the longest timeout in flight.
const drainGrace = 5 * time.Second

// Drain stops starting attempts and waits for those under way: until ctx ends, at most for the longest timeout among them
// and 5 s. What is left then is broken off and counted: the receivers may get it again (promise 4 a).
func (e *Engine) Drain(ctx context.Context) (interrupted int, err error) {
	idle, before := make(chan struct{}), e.count.brokenOff.Load()
	longest := make(chan time.Duration, 1)
	e.sequencer.enqueue(drainCommand{longest})
	go e.watchIdle(idle)
	limit := time.NewTimer(MaxTimeout + e.grace) // should the sequencer not come to it
	defer limit.Stop()
	for waiting := true; waiting; {
		select {
		case <-idle:
			return int(e.count.brokenOff.Load() - before), nil // a plugin that died meanwhile took its attempts along
		case <-e.dead:
			return int(e.count.inFlight.Load() + e.count.unrecorded.Load()), e.failure()
		case d := <-longest:
			limit.Reset(d + e.grace)
		case <-limit.C:
			waiting = false
		case <-ctx.Done():
			waiting = false
		}
	}
	e.breakOff() // those that their transport has not accepted yet end by that; it knows no way to end the others
	select {
	case <-idle:
	case <-e.dead:
	case <-time.After(100 * time.Millisecond):
	}
	return int(e.count.brokenOff.Load() - before + e.count.inFlight.Load() + e.count.unrecorded.Load()), nil
}

// drainCommand ends the starting of attempts and tells the longest timeout in flight.
type drainCommand struct{ longest chan time.Duration }

func (c drainCommand) run(s *sequencer) {
	s.draining = true
	longest := time.Duration(0)
	for d := range s.timeouts {
		longest = max(longest, d)
	}
	c.longest <- longest
}

func (e *Engine) watchIdle(idle chan<- struct{}) {
	for {
		n := 0
		err := e.do(e.life, func(s *sequencer) error { n = s.flights; return nil })
		if err == nil && n == 0 || e.failure() != nil || e.life.Err() != nil {
			close(idle)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// tookOff counts an attempt that is under way, landed one that is not any more.
func (s *sequencer) tookOff(f *flight) {
	s.flights++
	s.timeouts[f.target.timeout]++
	s.e.count.inFlight.Add(1)
}

func (s *sequencer) landed(f *flight) {
	s.flights--
	if s.timeouts[f.target.timeout]--; s.timeouts[f.target.timeout] == 0 {
		delete(s.timeouts, f.target.timeout)
	}
	s.e.count.inFlight.Add(-1)
}
