package engine

import (
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/transports"
)

// Where a profile asks receivers for their consent, an endpoint is disabled (reason `handshake`) until its receiver has
// given it: from its creation on, from a new URL on, and from an `:enable` on as long as there is none. What is published
// meanwhile is skipped, as for every disabled endpoint, and can be recovered. The answer is a record; one without consent
// leaves it disabled (`handshake_refused`) until somebody enables it, which asks again.

// handshakeAgain is how long after a fault of ours the question is asked again.
const handshakeAgain = 5 * time.Second

// handshakes are questions to be asked again. It belongs to the sequencer.
type handshakes map[eventlog.Seq]time.Time

// handshakeOf is the rule of an endpoint's profile; nil where no consent is needed. Only HTTP knows it.
func (s *sequencer) handshakeOf(ep *state.Endpoint) *profile.Handshake {
	if ep.Config.Transport != "https" {
		return nil
	}
	p, err := s.e.profileAt(ep.Tenant.Profile)
	if err != nil {
		return nil
	}
	return p.Handshake()
}

// demandConsent closes the gate of an endpoint until its receiver has said yes, and asks.
func (s *sequencer) demandConsent(ep *state.Endpoint) {
	if s.handshakeOf(ep) == nil {
		return
	}
	s.appendFacts(record.TypeEndpointDisabled, ep.Tenant.ID, &record.EndpointChange{Endpoint: ep.Seq, Reason: record.ReasonHandshake})
	s.gateClosed(ep)
	s.ask(ep)
}

// ask starts the question once what it stands on is durable.
func (s *sequencer) ask(ep *state.Endpoint) {
	h := s.handshakeOf(ep)
	if h == nil || s.draining {
		return
	}
	f := &flight{e: s.e, handshake: h, target: s.target(ep), startedAt: s.now, first: s.now}
	s.tookOff(f)
	s.batch.starts = append(s.batch.starts, f)
}

// askAll asks, at a start, those whose answer the last process did not live to see.
func (s *sequencer) askAll() {
	s.st.Tenants(func(t *state.Tenant) {
		for _, ep := range t.Endpoints {
			if ep.DisabledReason == record.ReasonHandshake {
				s.ask(ep)
			}
		}
	})
	s.starts, s.batch.starts = append(s.starts, s.batch.starts...), nil // all durable
}

// askAgain asks those that a fault of ours kept from being asked.
func (s *sequencer) askAgain() {
	for seq, at := range s.handshakes {
		if time.Now().Before(at) {
			continue
		}
		delete(s.handshakes, seq)
		if ep, ok := s.st.EndpointAt(seq); ok && ep.DisabledReason == record.ReasonHandshake {
			s.ask(ep)
		}
	}
}

// handshakeRequest is the question: no body, no signature.
func (t *target) handshakeRequest(h *profile.Handshake) transports.Request {
	headers := h.Ask(t.profile.Agent(make([]transports.Header, 0, 3+len(t.own))))
	return transports.Request{Target: t.url, Method: "OPTIONS", Timeout: t.timeout, Headers: withOwn(headers, t.own), Settings: t.settings}
}

// answered records what the receiver said.
func (f *flight) answered(s *sequencer) {
	ep, alive := s.st.Endpoint(f.target.tenant, f.target.endpoint)
	switch {
	case !alive || s.stopping() && f.err != nil:
		return // asked again at the next start
	case f.err != nil:
		s.e.cfg.Logger.Warn("a handshake was interrupted on our side; it is asked again", "tenant", f.target.tenant,
			"endpoint", s.id(record.PrefixEndpoint, ep.Seq, 0), "error", f.err)
		s.handshakes[ep.Seq] = time.Now().Add(handshakeAgain)
		return
	case ep.Version != f.target.version: // of another URL, perhaps
		if ep.DisabledReason == record.ReasonHandshake {
			s.ask(ep)
		}
		return
	}
	granted, rate, why := f.handshake.Consent(&f.res)
	a := record.EndpointHandshake{Endpoint: ep.Seq, Granted: granted, Rate: uint32(rate), StatusCode: uint16(f.res.Status),
		Kind: record.KindNumber(string(f.res.Kind))}
	was := ep.DisabledReason
	s.appendFacts(record.TypeEndpointHandshakeFinished, f.target.tenant, &a)
	s.limit(ep)
	if !granted {
		s.e.cfg.Logger.Info("a receiver did not consent", "tenant", f.target.tenant, "endpoint", s.id(record.PrefixEndpoint, ep.Seq, 0), "why", why)
	}
	switch {
	case ep.DisabledReason == was:
	case granted:
		s.operational(profile.EndpointEnabled, ep)
	default:
		s.gateClosed(ep)
		s.operational(profile.EndpointDisabled, ep)
	}
}

// limit gives an endpoint's lane the stricter of its own rate limit and what its receiver allowed.
func (s *sequencer) limit(ep *state.Endpoint) {
	rate := 60 * int(ep.Config.RateLimit)
	if allowed := int(ep.ConsentRate); allowed > 0 && (rate == 0 || allowed < rate) {
		rate = allowed
	}
	s.lanes.LimitPerMinute(s.laneOf[ep.Handle()], rate)
}
