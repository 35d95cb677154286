package engine

import (
	"time"

	"github.com/hookline/hookline/engine/record"
)

// ownWaits are the waits after interruptions under a manual clock. They are our own, not the schedule's: they pass by the
// wall clock, so that no delivery of a plugin that is back waits for somebody to advance. A delivery in them is in no
// queue, and not in its lane. With the real clock the due queue does this.
type ownWaits struct {
	short map[record.Ref]time.Time // an advance waits for these, as for attempts in flight
	long  map[record.Ref]time.Time
	first time.Time                           // no long one is over before
	of    func(d time.Duration) time.Duration // tests shorten them
}

// shortOwnWait is the longest wait that an advance waits for: longer ones are for a plugin that is broken for good.
const shortOwnWait = 30 * time.Second

func newOwnWaits(of func(time.Duration) time.Duration) ownWaits {
	return ownWaits{short: map[record.Ref]time.Time{}, long: map[record.Ref]time.Time{}, of: of}
}

func (o *ownWaits) begin(ref record.Ref, wait time.Duration) {
	at := time.Now().Add(o.of(wait))
	if wait <= shortOwnWait {
		o.short[ref] = at
		return
	}
	if len(o.long) == 0 || at.Before(o.first) {
		o.first = at
	}
	o.long[ref] = at
}

// waitOurs takes a delivery that was interrupted out of the due queue.
func (s *sequencer) waitOurs(ref record.Ref, wait time.Duration) {
	if !s.e.manual() {
		return
	}
	if h, ok := s.st.Pending.Find(ref); ok {
		s.st.Pending.Withdraw(h)
		s.own.begin(ref, wait)
	}
}

// waitOursAgain goes on with the waits of interruptions before the start.
func (s *sequencer) waitOursAgain() {
	if !s.e.manual() {
		return
	}
	for h, d := range s.st.Pending.All {
		if wait := d.Due - s.now; d.Interruptions > 0 && wait > 0 {
			s.st.Pending.Withdraw(h)
			s.own.begin(d.Ref(), time.Duration(wait)*time.Millisecond)
		}
	}
}

// enterOurs lets those go on whose wait is over.
func (s *sequencer) enterOurs() {
	if len(s.own.short) > 0 {
		s.enterOver(s.own.short)
	}
	if len(s.own.long) > 0 && time.Until(s.own.first) <= 0 {
		s.own.first = s.enterOver(s.own.long)
	}
}

// enterOver returns when the first of the others is over. What was released, canceled or the like is forgotten.
func (s *sequencer) enterOver(of map[record.Ref]time.Time) (first time.Time) {
	now := time.Now()
	first = now.Add(time.Hour)
	for ref, at := range of {
		h, ok := s.st.Pending.Find(ref)
		switch {
		case !ok || !s.st.Pending.At(h).Nowhere():
			delete(of, ref)
		case at.After(now) || s.skips.full():
			if at.Before(first) {
				first = at
			}
		default:
			delete(of, ref)
			s.enter(h)
		}
	}
	return first
}

// next is how long until one is over, at most an hour.
func (o *ownWaits) next() time.Duration {
	least := time.Hour
	for _, at := range o.short {
		least = min(least, time.Until(at))
	}
	if len(o.long) > 0 {
		least = min(least, time.Until(o.first))
	}
	return max(0, least)
}
