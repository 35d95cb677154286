package engine

import (
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// Operational events tell what became of endpoints and deliveries: ordinary events in the tenant's own stream, for
// tenants that want them (`management_events`). They are rendered, routed and sealed here, in the sequencer, so that an
// event stands in one batch with its cause; they are rare, and what it takes is some tens of µs.
//
// They never cause each other without end: what becomes of an operational event's own delivery is told by no further
// one, but for a gate that it closes, which stays closed until a person opens it.

// operational publishes an operational event about an endpoint.
func (s *sequencer) operational(name string, ep *state.Endpoint, more ...profile.OperationalMember) {
	s.publishOperational(name, ep.Tenant, s.describe(name, ep), more...)
}

// describe is what an operational event tells of an endpoint; nil when its tenant wants none of that name. It is for
// endpoints that are about to be deleted: publishOperational comes afterwards.
func (s *sequencer) describe(name string, ep *state.Endpoint) *profile.OperationalEndpoint {
	if !ep.Tenant.ManagementEvents {
		return nil
	}
	p, err := s.e.profileAt(ep.Tenant.Profile)
	if err == nil && p.OperationalType(name) == "" {
		return nil
	}
	var private record.EndpointPrivate
	if err == nil {
		err = s.e.openJSON(ep.Private, ep.Tenant.ID, ep.PrivateType, 0, &private)
	}
	if err != nil {
		s.operationalFailed(name, ep.Tenant.ID, err)
		return nil
	}
	d := &profile.OperationalEndpoint{ID: s.id(record.PrefixEndpoint, ep.Seq, 0), Number: ep.Config.Number, URL: private.URL, Status: ep.Status(),
		DisabledAt: ep.DisabledAt, SuppressedAt: ep.SuppressedAt, ConsecutiveFailures: ep.Failures}
	if ep.DisabledAt != 0 {
		d.DisabledReason = ep.DisabledReason.String()
	}
	return d
}

// publishOperational publishes an event of a tenant; with a nil endpoint it does nothing.
func (s *sequencer) publishOperational(name string, t *state.Tenant, ep *profile.OperationalEndpoint, more ...profile.OperationalMember) {
	if ep == nil {
		return
	}
	p, err := s.operationalEvent(name, t, ep, more)
	if err != nil {
		s.operationalFailed(name, t.ID, err)
		return
	}
	p.seq = s.append(p.rec)
	if n := len(p.event.Matches); n > 0 {
		s.bodies.put(p.seq, p.body, n, s.now)
	}
	s.e.count.published.Add(1)
	s.e.count.filterFailures.Add(int64(len(p.event.Failed)))
	s.e.countShadows(&p.route)
}

// operationalFailed is for what cannot be told: keys destroyed, an attribute missing. The cause stands all the same.
func (s *sequencer) operationalFailed(name, tenant string, err error) {
	s.e.cfg.Logger.Error("an operational event could not be made", "event", name, "tenant", tenant, "error", err)
}

func (s *sequencer) operationalEvent(name string, t *state.Tenant, ep *profile.OperationalEndpoint, more []profile.OperationalMember) (*publication, error) {
	v, err := s.view(t)
	if err != nil {
		return nil, err
	}
	data, err := v.profile.OperationalData(ep, more...)
	if err != nil {
		return nil, err
	}
	p := &publication{in: &PublishInput{Type: v.profile.OperationalType(name), Data: data}, v: v, occurred: time.UnixMilli(s.now)}
	if err := s.e.render(p); err != nil {
		return nil, err
	}
	r := route(v, filterEvent(v, p))
	p.route = r
	p.event = record.EventPublished{Profile: v.profileSeq, RouteVersion: v.version, Matches: r.matches, Failed: r.failed}
	return p, s.e.sealEvent(p, r.texts)
}

// view is the tenant's view as of now, made on the spot when a change dropped it.
func (s *sequencer) view(t *state.Tenant) (*tenantView, error) {
	slot := s.e.viewSlot(t.ID)
	if v := slot.now.Load(); v != nil && v.version == t.RouteVersion {
		return v, nil
	}
	last := slot.last.Load()
	var c viewChanges
	if err := c.take(s, t.ID, last); err != nil {
		return nil, err
	}
	v, err := s.e.assembleView(t.ID, &c, last)
	if err != nil {
		return nil, err
	}
	slot.keep(v, slot.drops.Load())
	return v, nil
}

// told are the facts of a delivery in operational events.
type told struct {
	ID           string  `json:"id"`
	EventID      string  `json:"event_id"`
	EventUID     string  `json:"event_uid"`
	EventType    string  `json:"event_type"`
	EndpointID   string  `json:"endpoint_id"`
	AttemptsMade int     `json:"attempts_made"`
	Status       string  `json:"status"`
	Reason       *string `json:"reason"`
}

func (s *sequencer) told(a *record.AttemptFinished) profile.OperationalMember {
	return profile.OperationalMember{Name: "delivery", Value: told{ID: s.id(record.PrefixDelivery, a.Delivery.Seq, a.Delivery.Ord),
		EventID: a.EventID, EventUID: s.id(record.PrefixEvent, a.Event, 0), EventType: a.EventType,
		EndpointID: s.id(record.PrefixEndpoint, a.Endpoint, 0), AttemptsMade: int(a.Number), Status: a.Status.String(), Reason: textOrNull(a.Reason.String())}}
}

// tellAttempt publishes what followed from a finished attempt.
func (s *sequencer) tellAttempt(ep *state.Endpoint, p *state.Profile, a *record.AttemptFinished, d *decision) {
	if !ep.Tenant.ManagementEvents {
		return
	}
	own := false // the attempt was an operational event's own
	if rules, err := s.e.profileAt(ep.Tenant.Profile); err == nil {
		own = rules.Operational(a.EventType)
	}
	delivery := s.told(a)
	if d.status == record.Exhausted && !own {
		s.operational(profile.DeliveryExhausted, ep, delivery)
	}
	if d.warn != 0 && !own {
		s.operational(profile.EndpointFailing, ep, delivery, profile.OperationalMember{Name: "percent", Value: int(d.warn)},
			profile.OperationalMember{Name: "suppress_after", Value: int(p.SuppressAfter)})
	}
	if d.disable {
		s.operational(profile.EndpointDisabled, ep, delivery)
	}
	if d.suppress {
		s.operational(profile.EndpointSuppressed, ep, delivery)
	}
}

// tellGate publishes what a person did to an endpoint's gates.
func (s *sequencer) tellGate(typ eventlog.Type, ep *state.Endpoint) {
	switch typ {
	case record.TypeEndpointDisabled:
		s.operational(profile.EndpointDisabled, ep)
	case record.TypeEndpointEnabled:
		s.operational(profile.EndpointEnabled, ep)
	case record.TypeEndpointSuppressionCleared:
		s.operational(profile.EndpointCleared, ep)
	}
}

// tellFailures publishes that filters could not be evaluated on an event: once for each version of a subscription, which
// tells of all the others itself.
func (s *sequencer) tellFailures(p *publication) {
	for i, seq := range p.event.Failed {
		sub, ok := s.st.Subscription(p.v.id, seq)
		if !ok || sub.Failures != 1 || !sub.Endpoint.Tenant.ManagementEvents {
			continue
		}
		s.operational(profile.SubscriptionFailing, sub.Endpoint, profile.OperationalMember{Name: "subscription", Value: toldSubscription{
			ID: s.id(record.PrefixSubscription, seq, 0), Version: uint64(sub.Version), Mode: modeOf(sub.Shadow),
			EventUID: s.id(record.PrefixEvent, p.seq, 0), EventType: p.in.Type, Error: p.route.texts[i]}})
	}
}

// toldSubscription is a subscription that failed on an event, in operational events.
type toldSubscription struct {
	ID        string `json:"id"`
	Version   uint64 `json:"version"`
	Mode      string `json:"mode"`
	EventUID  string `json:"event_uid"`
	EventType string `json:"event_type"`
	Error     string `json:"error"`
}
