package engine

import (
	"context"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// sealedEndpoint is an endpoint as it was in the sequencer, its private parts still sealed.
type sealedEndpoint struct {
	state.Endpoint
	tenant string
	subs   []state.Subscription
	timing record.Endpoint
	asOf   int64 // engine time
}

func (s *sequencer) sealedEndpoint(ep *state.Endpoint) sealedEndpoint {
	return s.reader().sealedEndpoint(ep)
}

// endpoint finds an endpoint of a tenant by its id.
func (s *sequencer) endpoint(tenant, id string) (*state.Endpoint, error) {
	return s.reader().endpoint(tenant, id)
}

// CreateEndpoint makes an endpoint and its first subscription: event_types and filter, or all types.
func (e *Engine) CreateEndpoint(ctx context.Context, by Actor, tenant string, in EndpointInput) (Endpoint, error) {
	v, err := e.view(ctx, tenant)
	if err != nil {
		return Endpoint{}, err
	}
	if in.EventTypes.Null {
		in.EventTypes = Optional[[]string]{}
	}
	c := endpointChange{types: []string{"*"}, secret: v.profile.NewSecret()}
	if err := c.apply(e, &in, v.profile); err != nil {
		return Endpoint{}, err
	}
	if err := c.subscription(&in); err != nil {
		return Endpoint{}, err
	}
	c.private.By = by.Name
	sub := record.SubscriptionPrivate{By: by.Name}
	if c.filter != nil {
		sub.Filter = *c.filter
	}
	secs, err := e.sealEndpoint(tenant, &c)
	if err != nil {
		return Endpoint{}, err
	}
	subSec, err := e.sealJSON(tenant, record.TypeSubscriptionCreated, 0, sub)
	if err != nil {
		return Endpoint{}, err
	}
	var out sealedEndpoint
	err = e.change(ctx, func(s *sequencer) error {
		t, err := s.tenant(tenant)
		if err != nil {
			return err
		}
		if err := e.sameProfile(t, v); err != nil {
			return err
		}
		if len(t.Endpoints) >= e.cfg.Quota {
			return conflict("tenant %q has %d endpoints, its quota", tenant, e.cfg.Quota)
		}
		c.config.Number = t.NextNumber
		seq := s.appendFacts(record.TypeEndpointCreated, tenant, &c.config, secs...)
		s.appendFacts(record.TypeSubscriptionCreated, tenant, &record.Subscription{Endpoint: seq, EventTypes: c.types}, subSec)
		ep, _ := s.st.Endpoint(tenant, seq)
		s.operational(profile.EndpointCreated, ep)
		s.demandConsent(ep)
		out = s.sealedEndpoint(ep)
		return nil
	})
	if err != nil {
		return Endpoint{}, err
	}
	o, err := e.endpointObject(out)
	o.Secret = c.secret
	return o, err
}

func (e *Engine) sealEndpoint(tenant string, c *endpointChange) ([]eventlog.Section, error) {
	private, err := e.sealJSON(tenant, record.TypeEndpointCreated, 0, c.private)
	if err != nil {
		return nil, err
	}
	sealer, err := e.cfg.Keyring.Sealer(tenant)
	if err != nil {
		return nil, err
	}
	return []eventlog.Section{private, sealSection(sealer, tenant, record.TypeEndpointCreated, 1, []byte(c.secret))}, nil
}

// sameProfile refuses what was validated by another profile than the tenant has by now (https_only is one of its rules).
func (e *Engine) sameProfile(t *state.Tenant, v *tenantView) error {
	if t.Profile == v.profileSeq {
		return nil
	}
	e.dropView(t.ID)
	return conflict("the profile of tenant %q was changed meanwhile; try again", t.ID)
}

// UpdateEndpoint patches an endpoint; event_types and filter go to its only subscription.
func (e *Engine) UpdateEndpoint(ctx context.Context, by Actor, tenant, id string, in EndpointInput) (Endpoint, error) {
	v, err := e.view(ctx, tenant)
	if err != nil {
		return Endpoint{}, err
	}
	if in.Secret.Set {
		return Endpoint{}, Invalid("secret", "cannot be patched: use POST .../endpoints/%s:rotate-secret", id)
	}
	if in.EventTypes.Set && in.EventTypes.Null {
		in.EventTypes.Null, in.EventTypes.Value = false, []string{"*"}
	}
	var c endpointChange
	if err := c.subscription(&in); err != nil { // compiles: not in the sequencer
		return Endpoint{}, err
	}
	var out sealedEndpoint
	err = e.change(ctx, func(s *sequencer) error {
		ep, err := s.endpoint(tenant, id)
		if err != nil {
			return err
		}
		if err := e.sameProfile(ep.Tenant, v); err != nil {
			return err
		}
		return e.patchEndpoint(s, ep, by, c, &in, v.profile, &out)
	})
	if err != nil {
		return Endpoint{}, err
	}
	return e.endpointObject(out)
}

// patchEndpoint reads, merges and writes in one turn of the sequencer, so that no other patch comes in between.
func (e *Engine) patchEndpoint(s *sequencer, ep *state.Endpoint, by Actor, c endpointChange, in *EndpointInput, p *profile.Profile, out *sealedEndpoint) error {
	tenant := ep.Tenant.ID
	c.config, c.carrier = ep.Config, ep.Config.Transport
	if err := e.openJSON(ep.Private, tenant, ep.PrivateType, 0, &c.private); err != nil {
		return err
	}
	url := c.private.URL
	if err := c.apply(e, in, p); err != nil {
		return err
	}
	moved := c.private.URL != url
	c.private.By = by.Name
	sec, err := e.sealJSON(tenant, record.TypeEndpointUpdated, 0, c.private)
	if err != nil {
		return err
	}
	if c.types != nil || c.filter != nil {
		if err := e.patchOnlySubscription(s, ep, by, &c); err != nil {
			return err
		}
	}
	c.config.Endpoint = ep.Seq
	s.appendFacts(record.TypeEndpointUpdated, tenant, &c.config, sec)
	s.target(ep)
	if moved {
		s.demandConsent(ep)
	}
	*out = s.sealedEndpoint(ep)
	return nil
}

func (e *Engine) patchOnlySubscription(s *sequencer, ep *state.Endpoint, by Actor, c *endpointChange) error {
	if len(ep.Subscriptions) > 1 {
		return conflict("the endpoint has several subscriptions: change them one by one under .../subscriptions")
	}
	private := record.SubscriptionPrivate{}
	facts := record.Subscription{Endpoint: ep.Seq, EventTypes: []string{"*"}}
	typ := record.TypeSubscriptionCreated
	if len(ep.Subscriptions) == 1 {
		only := ep.Subscriptions[0]
		if err := e.openJSON(only.Private, ep.Tenant.ID, only.PrivateType, 0, &private); err != nil {
			return err
		}
		facts.Subscription, facts.EventTypes, facts.Shadow, typ = only.Seq, only.EventTypes, only.Shadow, record.TypeSubscriptionUpdated
	}
	if c.types != nil {
		facts.EventTypes = c.types
	}
	if c.filter != nil {
		private.Filter = *c.filter
	}
	private.By, private.Note = by.Name, ""
	sec, err := e.sealJSON(ep.Tenant.ID, typ, 0, private)
	if err != nil {
		return err
	}
	s.appendFacts(typ, ep.Tenant.ID, &facts, sec)
	return nil
}

// DeleteEndpoint cancels its pending deliveries (endpoint_deleted) and removes it with its subscriptions.
func (e *Engine) DeleteEndpoint(ctx context.Context, by Actor, tenant, id string) error {
	who, err := e.who(tenant, record.TypeEndpointDeleted, by)
	if err != nil {
		return err
	}
	return e.change(ctx, func(s *sequencer) error {
		ep, err := s.endpoint(tenant, id)
		if err != nil {
			return err
		}
		gone, t := s.describe(profile.EndpointDeleted, ep), ep.Tenant
		s.stopRecovery(ep, record.ReasonEndpointDeleted)
		s.cancelAll(record.ReasonEndpointDeleted, ep)
		s.appendFacts(record.TypeEndpointDeleted, tenant, &record.EndpointChange{Endpoint: ep.Seq, Reason: record.ReasonByUser}, who...)
		s.forget(ep)
		s.publishOperational(profile.EndpointDeleted, t, gone)
		return nil
	})
}

// EnableEndpoint opens both gates and resets the failure count. Skipped deliveries are not revived.
func (e *Engine) EnableEndpoint(ctx context.Context, by Actor, tenant, id string) (Endpoint, error) {
	return e.gate(ctx, by, tenant, id, record.TypeEndpointEnabled, func(ep *state.Endpoint) bool {
		return ep.DisabledAt != 0 || ep.SuppressedAt != 0 || ep.Failures != 0
	})
}

// DisableEndpoint closes the gate by a person's hand. Attempts under way finish.
func (e *Engine) DisableEndpoint(ctx context.Context, by Actor, tenant, id string) (Endpoint, error) {
	return e.gate(ctx, by, tenant, id, record.TypeEndpointDisabled, func(ep *state.Endpoint) bool {
		return ep.DisabledAt == 0 || ep.AwaitsConsent()
	})
}

// ClearSuppression opens the suppression gate only and resets the failure count.
func (e *Engine) ClearSuppression(ctx context.Context, by Actor, tenant, id string) (Endpoint, error) {
	return e.gate(ctx, by, tenant, id, record.TypeEndpointSuppressionCleared, func(ep *state.Endpoint) bool {
		return ep.SuppressedAt != 0 || ep.Failures != 0
	})
}

// gate appends a change of an endpoint's gates when it changes anything.
func (e *Engine) gate(ctx context.Context, by Actor, tenant, id string, typ eventlog.Type, changes func(*state.Endpoint) bool) (Endpoint, error) {
	if _, err := e.view(ctx, tenant); err != nil {
		return Endpoint{}, err
	}
	who, err := e.who(tenant, typ, by)
	if err != nil {
		return Endpoint{}, err
	}
	return e.endpointCommand(ctx, tenant, id, func(s *sequencer, ep *state.Endpoint) {
		if changes(ep) {
			before := gatesOf(ep)
			s.appendFacts(typ, tenant, &record.EndpointChange{Endpoint: ep.Seq, Reason: record.ReasonByUser}, who...)
			if typ == record.TypeEndpointDisabled {
				s.gateClosed(ep)
			}
			if gatesOf(ep) == before { // a failure count set back is no news
				return
			}
			if typ == record.TypeEndpointEnabled && !ep.Consented && s.handshakeOf(ep) != nil {
				s.demandConsent(ep) // open once the receiver says so
				return
			}
			s.tellGate(typ, ep)
		}
	})
}

func gatesOf(ep *state.Endpoint) [2]bool { return [2]bool{ep.DisabledAt != 0, ep.SuppressedAt != 0} }

func (e *Engine) endpointCommand(ctx context.Context, tenant, id string, fn func(*sequencer, *state.Endpoint)) (Endpoint, error) {
	var out sealedEndpoint
	err := e.change(ctx, func(s *sequencer) error {
		ep, err := s.endpoint(tenant, id)
		if err != nil {
			return err
		}
		fn(s, ep)
		out = s.sealedEndpoint(ep)
		return nil
	})
	if err != nil {
		return Endpoint{}, err
	}
	return e.endpointObject(out)
}

// Endpoint returns one endpoint.
func (e *Engine) Endpoint(ctx context.Context, tenant, id string) (Endpoint, error) {
	return e.endpointBy(ctx, e.present, func(r stateReader) (*state.Endpoint, error) { return r.endpoint(tenant, id) })
}

// EndpointByNumber finds an endpoint by its integer id.
func (e *Engine) EndpointByNumber(ctx context.Context, tenant string, n uint64) (Endpoint, error) {
	return e.endpointBy(ctx, e.present, func(r stateReader) (*state.Endpoint, error) {
		t, err := r.tenant(tenant)
		if err != nil {
			return nil, err
		}
		for _, ep := range t.Endpoints {
			if ep.Config.Number == n {
				return ep, nil
			}
		}
		return nil, &Error{Code: CodeNotFound, Detail: "no endpoint has this number"}
	})
}

func (e *Engine) endpointBy(ctx context.Context, read reading, find func(stateReader) (*state.Endpoint, error)) (Endpoint, error) {
	var out sealedEndpoint
	err := read(ctx, func(r stateReader) error {
		ep, err := find(r)
		if err == nil {
			out = r.sealedEndpoint(ep)
		}
		return err
	})
	if err != nil {
		return Endpoint{}, err
	}
	return e.endpointObject(out)
}

// Endpoints lists a tenant's endpoints, newest first.
func (e *Engine) Endpoints(ctx context.Context, tenant string, in ListInput) (Page[Endpoint], error) {
	return e.endpointsBy(ctx, e.present, tenant, in)
}

func (e *Engine) endpointsBy(ctx context.Context, read reading, tenant string, in ListInput) (Page[Endpoint], error) {
	var all []sealedEndpoint
	err := read(ctx, func(r stateReader) error {
		t, ok := r.st.AnyTenant(tenant) // a deleted one has none left
		if !ok {
			return notFound("tenant", tenant)
		}
		for i := len(t.Endpoints) - 1; i >= 0; i-- {
			all = append(all, r.sealedEndpoint(t.Endpoints[i]))
		}
		return nil
	})
	if err != nil {
		return Page[Endpoint]{}, err
	}
	return pageOf(all, in, func(o sealedEndpoint) eventlog.Seq { return o.Seq }, e.endpointObject)
}
