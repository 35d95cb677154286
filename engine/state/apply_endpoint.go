package state

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

func (s *State) endpointSet(r *eventlog.Record) error {
	var f record.Endpoint
	if err := f.Decode(r.Facts); err != nil {
		return err
	}
	f.Transport = strings.Clone(f.Transport)
	t := s.tenants[r.Tenant]
	if t == nil || t.Deleted {
		return s.inconsistent(r, "tenant %q is not there", r.Tenant)
	}
	var e *Endpoint
	if r.Type == record.TypeEndpointCreated {
		if len(r.Sections) != 2 {
			return s.inconsistent(r, "%d sections, want 2", len(r.Sections))
		}
		f.Endpoint = r.Seq
		e = &Endpoint{Seq: r.Seq, Tenant: t, CreatedAt: r.Time, policy: noPolicy}
		e.Secret, e.SecretType, e.SecretSection = keep(r.Sections[1]), r.Type, 1
		s.addEndpoint(e)
		t.NextNumber = max(t.NextNumber, f.Number+1)
	} else if e = s.endpoints[f.Endpoint]; e == nil || e.Tenant != t {
		return s.inconsistent(r, "endpoint %d is not there", f.Endpoint)
	}
	e.Previous = e.PreviousAt(r.Time)
	s.moveHeld(e, f.Transport)
	e.Config, e.Version = f, r.Seq
	e.Private, e.PrivateType = keep(r.Sections[0]), r.Type
	if err := s.setPolicy(r, e); err != nil {
		return err
	}
	s.rehashEndpoint(e)
	s.rerouted(t, r)
	return nil
}

func (s *State) addEndpoint(e *Endpoint) {
	if n := len(s.freeHandles); n > 0 {
		e.handle, s.freeHandles = s.freeHandles[n-1], s.freeHandles[:n-1]
		s.handles[e.handle] = e
	} else {
		e.handle = uint32(len(s.handles))
		s.handles = append(s.handles, e)
	}
	s.endpoints[e.Seq] = e
	e.Tenant.Endpoints = append(e.Tenant.Endpoints, e)
}

// setPolicy finds the schedule of new deliveries: the endpoint's own, else its tenant's profile's. Pending deliveries
// keep the one they began with.
func (s *State) setPolicy(r *eventlog.Record, e *Endpoint) error {
	if e.Config.Schedule != nil {
		s.replacePolicy(e, s.policies.add(Policy{Source: e.Version, Schedule: *e.Config.Schedule}))
		return nil
	}
	i, ok := s.policies.find(e.Tenant.Profile)
	if !ok {
		return s.inconsistent(r, "profile %d is not there", e.Tenant.Profile)
	}
	s.replacePolicy(e, i)
	return nil
}

func (s *State) replacePolicy(e *Endpoint, i uint32) {
	old := e.policy
	e.policy = s.policies.use(i) // before the old one goes: they may be the same
	s.policies.release(old)
}

func (s *State) setPolicies(r *eventlog.Record, t *Tenant) error {
	for _, e := range t.Endpoints {
		if err := s.setPolicy(r, e); err != nil {
			return err
		}
		s.rehashEndpoint(e)
	}
	return nil
}

func (s *State) endpointChanged(r *eventlog.Record) error {
	var c record.EndpointChange
	if err := c.Decode(r.Facts); err != nil {
		return err
	}
	e := s.endpoints[c.Endpoint]
	if e == nil || e.Tenant.ID != r.Tenant {
		return s.inconsistent(r, "endpoint %d is not there", c.Endpoint)
	}
	e.Previous = e.PreviousAt(r.Time)
	switch r.Type {
	case record.TypeEndpointDeleted:
		if err := s.removeEndpoint(r, e); err != nil {
			return err
		}
		s.rerouted(e.Tenant, r)
		return nil
	case record.TypeEndpointDisabled:
		e.disabled(r.Time, c.Reason)
	case record.TypeEndpointSuppressed:
		e.SuppressedAt = r.Time
	case record.TypeEndpointEnabled:
		e.DisabledAt, e.DisabledReason, e.SuppressedAt, e.Failures = 0, 0, 0, 0
	case record.TypeEndpointSuppressionCleared:
		e.SuppressedAt, e.Failures = 0, 0
	case record.TypeEndpointSecretRotated:
		if len(r.Sections) == 0 {
			return s.inconsistent(r, "no secret")
		}
		e.Previous = nil
		if c.Until > r.Time {
			e.Previous = &PreviousSecret{Secret: e.Secret, Type: e.SecretType, Section: e.SecretSection, Until: c.Until}
		}
		e.Secret, e.SecretType, e.SecretSection, e.Version = keep(r.Sections[0]), r.Type, 0, r.Seq
	}
	s.rehashEndpoint(e)
	return nil
}

// disabled closes the gate. That consent is needed does not take the place of another reason.
func (e *Endpoint) disabled(at int64, why record.Reason) {
	if why == record.ReasonHandshake {
		e.Consented, e.ConsentRate = false, 0
		if e.DisabledAt != 0 && !e.AwaitsConsent() {
			return
		}
	}
	e.DisabledAt, e.DisabledReason = at, why
}

// AwaitsConsent says that the gate is closed for want of consent alone.
func (e *Endpoint) AwaitsConsent() bool {
	return e.DisabledReason == record.ReasonHandshake || e.DisabledReason == record.ReasonRefused
}

func (s *State) handshakeFinished(r *eventlog.Record) error {
	var f record.EndpointHandshake
	if err := f.Decode(r.Facts); err != nil {
		return err
	}
	e := s.endpoints[f.Endpoint]
	if e == nil || e.Tenant.ID != r.Tenant {
		return s.inconsistent(r, "endpoint %d is not there", f.Endpoint)
	}
	e.Consented, e.ConsentRate = f.Granted, 0
	switch {
	case f.Granted:
		e.ConsentRate = f.Rate
		if e.AwaitsConsent() {
			e.DisabledAt, e.DisabledReason = 0, 0
		}
	case e.DisabledAt == 0 || e.AwaitsConsent():
		e.DisabledAt, e.DisabledReason = r.Time, record.ReasonRefused
	}
	s.rehashEndpoint(e)
	return nil
}

// removeEndpoint wants its deliveries and its recovery ended before, by their own records.
func (s *State) removeEndpoint(r *eventlog.Record, e *Endpoint) error {
	if e.Pending != 0 {
		return s.inconsistent(r, "endpoint %d has %d pending deliveries", e.Seq, e.Pending)
	}
	if e.Recovery != nil {
		return s.inconsistent(r, "recovery %d of endpoint %d has not ended", e.Recovery.Seq, e.Seq)
	}
	t := e.Tenant
	t.Subscriptions = slices.DeleteFunc(t.Subscriptions, func(p *Subscription) bool { // one pass: there may be 200 000
		if p.Endpoint == e {
			s.dropSubscription(p)
		}
		return p.Endpoint == e
	})
	t.Endpoints = removeFrom(t.Endpoints, e)
	delete(s.endpoints, e.Seq)
	s.handles[e.handle] = nil
	s.freeHandles = append(s.freeHandles, e.handle)
	s.digest.sub(e.hash)
	s.policies.release(e.policy)
	return nil
}

func (s *State) rehashEndpoint(e *Endpoint) {
	s.digest.sub(e.hash)
	b := s.appendEndpoint(s.scratch[:0], e)
	s.scratch = b[:0]
	e.hash = hashOf(b)
	s.digest.add(e.hash)
}

func (s *State) rerouted(t *Tenant, r *eventlog.Record) {
	t.RouteVersion = uint64(r.Seq)
	s.rehashTenant(t)
}

func (s *State) subscriptionChanged(r *eventlog.Record) error {
	var f record.Subscription
	if err := f.Decode(r.Facts); err != nil {
		return err
	}
	t := s.tenants[r.Tenant]
	if t == nil || t.Deleted {
		return s.inconsistent(r, "tenant %q is not there", r.Tenant)
	}
	p := s.subscriptions[f.Subscription]
	if r.Type != record.TypeSubscriptionCreated && (p == nil || p.Endpoint.Tenant != t) {
		return s.inconsistent(r, "subscription %d is not there", f.Subscription)
	}
	if r.Type == record.TypeSubscriptionDeleted {
		s.removeSubscription(p)
		s.rerouted(t, r)
		return nil
	}
	e := s.endpoints[f.Endpoint]
	if e == nil || e.Tenant != t {
		return s.inconsistent(r, "endpoint %d is not there", f.Endpoint)
	}
	if r.Type == record.TypeSubscriptionCreated {
		p = &Subscription{Seq: r.Seq, CreatedAt: r.Time}
		s.subscriptions[p.Seq] = p
		t.Subscriptions = append(t.Subscriptions, p)
	}
	s.subscribe(p, e)
	p.EventTypes = make([]string, len(f.EventTypes))
	for i, et := range f.EventTypes {
		p.EventTypes[i] = strings.Clone(et)
	}
	p.Version, p.Shadow, p.Failures, p.LastFailure = r.Seq, f.Shadow, 0, 0 // what failed was another filter, or seen by other types
	p.Private, p.PrivateType = keep(r.Sections[0]), r.Type
	s.rehashSubscription(p)
	s.rerouted(t, r)
	return nil
}

// subscribe makes p one of e's, and no other endpoint's.
func (s *State) subscribe(p *Subscription, e *Endpoint) {
	if p.Endpoint == e {
		return
	}
	if p.Endpoint != nil {
		p.Endpoint.Subscriptions = removeFrom(p.Endpoint.Subscriptions, p)
	}
	p.Endpoint = e
	i, _ := slices.BinarySearchFunc(e.Subscriptions, p.Seq, func(o *Subscription, seq eventlog.Seq) int { return cmp.Compare(o.Seq, seq) })
	e.Subscriptions = slices.Insert(e.Subscriptions, i, p)
}

func (s *State) removeSubscription(p *Subscription) {
	t := p.Endpoint.Tenant
	t.Subscriptions = removeFrom(t.Subscriptions, p)
	p.Endpoint.Subscriptions = removeFrom(p.Endpoint.Subscriptions, p)
	s.dropSubscription(p)
}

func (s *State) dropSubscription(p *Subscription) {
	delete(s.subscriptions, p.Seq)
	s.digest.sub(p.hash)
}

func (s *State) rehashSubscription(p *Subscription) {
	s.digest.sub(p.hash)
	b := appendSubscription(s.scratch[:0], p)
	s.scratch = b[:0]
	p.hash = hashOf(b)
	s.digest.add(p.hash)
}
