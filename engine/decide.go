package engine

import (
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/transports"
)

// facts of the moment that a finished attempt is decided on. Everything is an argument: decide is pure.
type moment struct {
	schedule      schedule.Schedule // that the delivery began with
	disableOnFail bool
	suppressAfter uint32
	warnAt        []byte // percent of suppressAfter, rising
	number        int    // of the attempt that finished
	first         int64  // start of the delivery's first attempt, Unix ms
	finished      int64  // end of this one
	failures      uint32 // of the endpoint in a row, before this one
	disabled      bool
	suppressed    bool
	outcome       transports.Outcome
	retryAt       int64 // Unix ms, before which the receiver asked not to be tried again; 0 = it did not
	retryCap      int64 // ms after the end of this attempt, beyond which that is not heeded; 0 = not at all
	rnd           uint64
}

// decision is what follows from a finished attempt.
type decision struct {
	status   record.Status
	reason   record.Reason
	due      int64 // of the next attempt, while pending
	disable  bool  // the endpoint, in the same batch (O-15), for the reason `why`
	why      record.Reason
	suppress bool // the endpoint, in the same batch (D-13)
	warn     byte // percent of the way to being suppressed that was reached with this failure; 0 = none
}

// decide applies the profile's rules: an acknowledgement ends the delivery; everything else is tried again by the
// schedule until it is used up (O-14, D-11), which may disable the endpoint; enough failures in a row, over all its
// deliveries, suppress it.
func decide(m moment) decision {
	if m.outcome == transports.Acknowledged {
		return decision{status: record.Succeeded}
	}
	d := decision{suppress: m.suppressAfter > 0 && m.failures+1 >= m.suppressAfter && !m.suppressed}
	if !d.suppress && !m.suppressed {
		d.warn = m.warning()
	}
	if m.outcome == transports.Gone && !m.disabled {
		d.disable, d.why = true, record.ReasonGone
	}
	due, ok, reason := m.schedule.Next(m.number, m.first, m.finished, m.rnd)
	if ok {
		d.status, d.due = record.Pending, m.heed(due)
		return d
	}
	d.status, d.reason = record.Exhausted, record.ReasonScheduleUsedUp
	if reason == "time_limit" {
		d.reason = record.ReasonTimeLimit
	}
	if m.disableOnFail && !m.disabled && !d.disable {
		d.disable, d.why = true, record.ReasonExhausted
	}
	return d
}

// warning is the highest percentage that exactly this failure reaches.
func (m *moment) warning() (percent byte) {
	for _, at := range m.warnAt {
		if n := (uint64(m.suppressAfter)*uint64(at) + 99) / 100; n > 0 && n == uint64(m.failures)+1 {
			percent = at
		}
	}
	return percent
}

// heed puts a due time off as the receiver asked, where the profile says so: never earlier than the schedule, within the
// cap, and within the schedule's limit, so that a receiver that asks for too long a wait loses no attempt by it.
func (m *moment) heed(due int64) int64 {
	at := min(m.retryAt, m.finished+m.retryCap)
	if m.schedule.Limit > 0 {
		at = min(at, m.first+m.schedule.Limit.Milliseconds())
	}
	return max(due, at)
}

// Waits after an interruption (ours, uncounted): 1 s, 5 s, 30 s, then every 5 min; from the tenth on the delivery is
// held and tried every 6 h. From the third on it runs alone.
var interruptWaits = [...]int64{1_000, 5_000, 30_000}

const (
	interruptWait  = 5 * 60_000
	heldWait       = 6 * 3_600_000
	aloneAfter     = 3
	heldAfter      = 10
	maxInterrupted = 255
)

// interrupted is what follows from the n-th interruption of a delivery.
func interrupted(n int, now int64) (due int64, held bool) {
	switch {
	case n >= heldAfter:
		return now + heldWait, true
	case n <= len(interruptWaits):
		return now + interruptWaits[n-1], false
	}
	return now + interruptWait, false
}
