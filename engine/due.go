package engine

import (
	"time"

	"github.com/hookline/hookline/engine/dispatch"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
)

// dispatch moves what is due into its lane, ends what is due at a closed gate, and starts what may start. The gate is
// tested twice: when a delivery falls due and when it leaves its lane.
func (s *sequencer) dispatch() {
	s.more = false
	if s.suspended() {
		if s.suspendedAt.IsZero() {
			s.suspendedAt = time.Now()
		}
		return
	}
	s.resume()
	if s.e.clock.Jumped() {
		s.e.cfg.Logger.Warn("the clock sprang forward by more than an hour: overdue deliveries start at the restart rate",
			"rate_per_s", s.e.cfg.RestartRate)
		s.now = max(s.now, s.e.clock.Now()) // somebody else's look at the clock may have been the one that sprang
		s.parkOverdue()
	}
	s.lanes.At(s.now)
	s.drainClosed()
	s.enterOurs()
	s.stepRecoveries()
	for !s.skips.full() {
		h, ok := s.st.Pending.PopDue(s.now)
		if !ok {
			break
		}
		s.enter(h)
	}
	for !s.skips.full() && s.parked.list.Len() > 0 && s.parked.allowed(time.Now()) {
		h, _ := s.st.Pending.Shift(&s.parked.list)
		s.enter(h)
	}
	for !s.skips.full() {
		st, ok := s.lanes.Next()
		if !ok {
			break
		}
		d := s.st.Pending.At(st.Handle)
		ep := s.st.EndpointOf(d)
		if reason, blocked := ep.Blocked(); blocked {
			s.lanes.Done(st, dispatch.Interrupted)
			s.skip(ep, reason, d)
			continue
		}
		s.start(st, d, ep)
	}
	s.more = s.skips.full() || s.recoveries.left
	s.flushSkips()
}

// longSuspension is how long nothing could start for the overdue to start at the restart rate.
const longSuspension = time.Second

// resume goes on after nothing could start for a while: what fell due meanwhile does not all come at once.
func (s *sequencer) resume() {
	if s.suspendedAt.IsZero() {
		return
	}
	took := time.Since(s.suspendedAt)
	s.suspendedAt = time.Time{}
	if took < longSuspension && s.parked.list.Len() == 0 {
		return
	}
	s.parkOverdue()
	s.e.cfg.Logger.Info("attempts start again; overdue deliveries go at the restart rate", "suspended", took.Round(time.Millisecond),
		"overdue", s.parked.list.Len(), "rate_per_s", s.e.cfg.RestartRate)
}

// enter is the moment a delivery falls due.
func (s *sequencer) enter(h uint32) {
	d := s.st.Pending.At(h)
	ep := s.st.EndpointOf(d)
	if reason, blocked := ep.Blocked(); blocked {
		s.skip(ep, reason, d)
		return
	}
	s.lanes.Add(s.lane(ep), h)
}

// drainClosed ends what waited in the lane of an endpoint whose gate closed, without waiting for a free slot.
func (s *sequencer) drainClosed() {
	for len(s.closing) > 0 && !s.skips.full() {
		ep := s.closing[0]
		reason, blocked := ep.Blocked()
		lane := s.lane(ep)
		if !blocked || lane.Waiting() == 0 {
			s.closing = s.closing[1:]
			continue
		}
		for !s.skips.full() {
			h, ok := s.lanes.Shift(lane)
			if !ok {
				break
			}
			s.skip(ep, reason, s.st.Pending.At(h))
		}
	}
}

func (s *sequencer) skip(ep *state.Endpoint, reason record.Reason, d *state.Delivery) {
	s.bodies.end(d)
	s.skips.add(ep, reason, d.Ref())
}

// nextTime is the earliest engine time at which something may be done that may not be done yet.
func (s *sequencer) nextTime() (at int64, ok bool) {
	at, ok = s.st.Pending.NextDue()
	if next, some := s.nextRecovery(); some && (!ok || next < at) {
		at, ok = next, true
	}
	if next, some := s.lanes.NextToken(); some && (!ok || next < at) {
		at, ok = next, true
	}
	return at, ok
}

// gateClosed ends the recovery of an endpoint that is blocked now, and notes that its waiting deliveries are to be ended.
func (s *sequencer) gateClosed(ep *state.Endpoint) {
	if reason, blocked := ep.Blocked(); blocked {
		s.stopRecovery(ep, reason)
	}
	if s.lane(ep).Waiting() > 0 {
		s.closing = append(s.closing, ep)
	}
}

// skips collects deliveries that end at a closed gate: at most record.MaxEnded a batch.
type skips struct {
	list []skip
	n    int
}

type skip struct {
	endpoint *state.Endpoint
	record.DeliveriesEnded
}

func (k *skips) full() bool { return k.n >= record.MaxEnded }

func (k *skips) add(ep *state.Endpoint, reason record.Reason, r record.Ref) {
	k.n++
	if n := len(k.list); n > 0 && k.list[n-1].endpoint == ep && k.list[n-1].Reason == reason {
		k.list[n-1].Deliveries = append(k.list[n-1].Deliveries, r)
		return
	}
	k.list = append(k.list, skip{ep, record.DeliveriesEnded{Endpoint: ep.Seq, Reason: reason, Deliveries: []record.Ref{r}}})
}

func (s *sequencer) flushSkips() {
	for i := range s.skips.list {
		k := &s.skips.list[i]
		s.appendFacts(record.TypeDeliverySkipped, k.endpoint.Tenant.ID, &k.DeliveriesEnded)
		s.e.count.skipped.Add(int64(len(k.Deliveries)))
	}
	s.skips = skips{list: s.skips.list[:0]}
}

// cancelAll ends all deliveries of endpoints that go away. It looks at the pending ones once, however many endpoints
// there are.
func (s *sequencer) cancelAll(reason record.Reason, eps ...*state.Endpoint) {
	left, of := 0, map[*state.Endpoint][]uint32{}
	for _, ep := range eps {
		if ep.Pending > 0 {
			left += ep.Pending
			of[ep] = make([]uint32, 0, ep.Pending)
		}
	}
	if left == 0 {
		return
	}
	s.st.Pending.All(func(h uint32, d *state.Delivery) bool {
		ep := s.st.EndpointOf(d)
		if handles, ok := of[ep]; ok {
			of[ep] = append(handles, h)
			left--
		}
		return left > 0
	})
	for _, ep := range eps {
		s.cancel(ep, reason, of[ep])
	}
}

func (s *sequencer) cancel(ep *state.Endpoint, reason record.Reason, handles []uint32) {
	for len(handles) > 0 {
		n := min(len(handles), record.MaxEnded)
		ended := record.DeliveriesEnded{Endpoint: ep.Seq, Reason: reason}
		for _, h := range handles[:n] {
			d := s.st.Pending.At(h)
			ended.Deliveries = append(ended.Deliveries, d.Ref())
			s.bodies.end(d)
			s.detach(h)
		}
		handles = handles[n:]
		s.appendFacts(record.TypeDeliveryCanceled, ep.Tenant.ID, &ended)
		s.e.count.canceled.Add(int64(n))
	}
}

// parked are deliveries that were overdue when the engine started (or when the clock sprang): they are released oldest
// first at the restart rate, by the wall clock, while what falls due now goes its ordinary way.
type parked struct {
	list     state.List
	rate     int
	since    time.Time
	released int
}

func (p *parked) begin(now time.Time) { p.since, p.released = now, 0 }

func (p *parked) allowed(now time.Time) bool {
	if float64(p.released) > now.Sub(p.since).Seconds()*float64(p.rate) {
		return false
	}
	p.released++
	return true
}

// next is how long until one more may be released.
func (p *parked) next(now time.Time) time.Duration {
	at := p.since.Add(time.Duration(float64(p.released) / float64(p.rate) * float64(time.Second)))
	return max(0, at.Sub(now)+time.Millisecond)
}

func (s *sequencer) parkOverdue() {
	s.parked.begin(time.Now())
	for {
		h, ok := s.st.Pending.PopDue(s.now)
		if !ok {
			return
		}
		s.st.Pending.Park(&s.parked.list, h)
	}
}
