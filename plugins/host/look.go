package host

import (
	"errors"
	"fmt"
	"time"

	"github.com/hookline/hookline/transports"
)

// lookEvery is how often the attempts that may take too long are looked at.
const lookEvery = 250 * time.Millisecond

var errPlacesGone = errors.New("every attempt it took has been given up: its Deliver does not end")

// look gives up what takes too long: attempts whose result does not come, and attempts nobody can be found to make.
func (h *Host) look() {
	defer close(h.looker)
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case <-h.running.Done():
			return
		case <-t.C:
		}
		now := time.Now()
		h.lookOnce(now, now.Sub(last))
		last = now
	}
}

// lookOnce is one round, since after the one before.
func (h *Host) lookOnce(now time.Time, since time.Duration) {
	var late, stranded []*call
	h.mu.Lock()
	if paused := since - lookEvery; paused > 4*lookEvery {
		h.postpone(paused) // this process stood still: results may lie unread, nobody is late yet
	}
	lost := 0
	for i := range h.places {
		p := &h.places[i]
		if p.call != nil && p.call.stage == sent && now.After(p.call.giveUp) {
			late = append(late, p.call)
			h.givenUp++
			p.call.stage = over
			p.leave()
		}
		if p.taken && p.call == nil && now.After(p.giveUp) {
			lost++
		}
	}
	hung := h.proc
	if h.window == 0 || lost < h.window {
		hung = nil
	}
	stranded = h.stranded(now)
	h.noteIdle()
	h.mu.Unlock()

	if hung != nil {
		hung.fail(errPlacesGone)
	}
	for _, c := range late {
		c.done(transports.Result{}, fmt.Errorf("%w: plugin %s gave no result within %s and %s of grace",
			transports.ErrInterrupted, h.cfg.Name, c.req.Timeout, h.cfg.Grace))
	}
	h.interrupt(stranded, fmt.Errorf("plugin %s does not take attempts", h.cfg.Name))
}

// stranded takes calls off the queue: without a process after maxDown, with one (all places taken) after their own timeout.
// h.mu is held.
func (h *Host) stranded(now time.Time) []*call {
	var out []*call
	for i := range h.queue.n {
		c := h.queue.at(i)
		if c == nil {
			continue
		}
		limit := maxDown
		if h.window > 0 {
			limit = max(c.req.Timeout, maxDown)
		}
		if now.Sub(c.since) >= limit {
			out = append(out, c)
		}
	}
	for _, c := range out {
		h.queue.remove(c)
		c.stage = over
	}
	return out
}

// postpone moves every deadline by d; h.mu is held.
func (h *Host) postpone(d time.Duration) {
	for i := range h.places {
		if c := h.places[i].call; c != nil {
			c.giveUp = c.giveUp.Add(d)
		} else {
			h.places[i].giveUp = h.places[i].giveUp.Add(d)
		}
	}
	for i := range h.queue.n {
		if c := h.queue.at(i); c != nil {
			c.since = c.since.Add(d)
		}
	}
}
