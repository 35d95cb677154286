package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// sealedSubscription is a subscription as it was in the sequencer.
type sealedSubscription struct {
	state.Subscription
	tenant   string
	endpoint eventlog.Seq
}

func (s *sequencer) sealedSubscription(p *state.Subscription) sealedSubscription {
	return s.reader().sealedSubscription(p)
}

func (s *sequencer) subscription(tenant, id string) (*state.Subscription, error) {
	return s.reader().subscription(tenant, id)
}

// MaxSubscriptions is how many subscriptions a tenant may have.
const MaxSubscriptions = 200_000

// CreateSubscription routes event types to an endpoint. The answer comes once routing knows it.
func (e *Engine) CreateSubscription(ctx context.Context, by Actor, tenant string, in SubscriptionInput) (Subscription, error) {
	if !in.EndpointID.Set {
		return Subscription{}, Invalid("endpoint_id", "is needed")
	}
	if !in.EventTypes.Set || in.EventTypes.Null {
		in.EventTypes = Some([]string{"*"})
	}
	return e.setSubscription(ctx, by, tenant, "", in)
}

// UpdateSubscription patches a subscription.
func (e *Engine) UpdateSubscription(ctx context.Context, by Actor, tenant, id string, in SubscriptionInput) (Subscription, error) {
	if in.EventTypes.Set && in.EventTypes.Null {
		in.EventTypes = Some([]string{"*"})
	}
	return e.setSubscription(ctx, by, tenant, id, in)
}

func (e *Engine) setSubscription(ctx context.Context, by Actor, tenant, id string, in SubscriptionInput) (Subscription, error) {
	if in.EventTypes.Set {
		types, err := parseTypes(in.EventTypes.Value)
		if err != nil {
			return Subscription{}, err
		}
		in.EventTypes.Value = types
	}
	if err := checkFilter(in.Filter.Value); err != nil {
		return Subscription{}, err
	}
	if m := in.Mode; m.Set && !m.Null && m.Value != ModeLive && m.Value != ModeShadow {
		return Subscription{}, Invalid("mode", "%.64q is neither live nor shadow", m.Value)
	}
	if err := checkNote(in.Note.Value); err != nil {
		return Subscription{}, err
	}
	var out sealedSubscription
	err := e.change(ctx, func(s *sequencer) error {
		seq, err := e.appendSubscription(s, by, tenant, id, in)
		if err != nil {
			return err
		}
		p, _ := s.st.Subscription(tenant, seq)
		out = s.sealedSubscription(p)
		return nil
	})
	if err != nil {
		return Subscription{}, err
	}
	return e.presentSubscription(out)
}

func checkNote(note string) error {
	if len(note) > MaxNote {
		return Invalid("note", "has %d bytes, at most %d are taken", len(note), MaxNote)
	}
	return nil
}

func (e *Engine) appendSubscription(s *sequencer, by Actor, tenant, id string, in SubscriptionInput) (eventlog.Seq, error) {
	t, err := s.tenant(tenant)
	if err != nil {
		return 0, err
	}
	var facts record.Subscription
	private := record.SubscriptionPrivate{}
	typ := record.TypeSubscriptionCreated
	if id != "" {
		p, err := s.subscription(tenant, id)
		if err != nil {
			return 0, err
		}
		if err := e.openJSON(p.Private, tenant, p.PrivateType, 0, &private); err != nil {
			return 0, err
		}
		facts, typ = record.Subscription{Subscription: p.Seq, Endpoint: p.Endpoint.Seq, EventTypes: p.EventTypes, Shadow: p.Shadow}, record.TypeSubscriptionUpdated
	} else if len(t.Subscriptions) >= MaxSubscriptions {
		return 0, conflict("tenant %q has %d subscriptions, its quota", tenant, MaxSubscriptions)
	}
	if in.EndpointID.Set {
		ep, err := s.endpoint(tenant, in.EndpointID.Value)
		if err != nil {
			return 0, Invalid("endpoint_id", "no endpoint %q here", in.EndpointID.Value)
		}
		facts.Endpoint = ep.Seq
	}
	if in.EventTypes.Set {
		facts.EventTypes = in.EventTypes.Value
	}
	if in.Filter.Set {
		private.Filter = in.Filter.Value
	}
	if in.Mode.Set {
		facts.Shadow = in.Mode.Value == ModeShadow
	}
	private.By, private.Note = by.Name, in.Note.Value
	sec, err := e.sealJSON(tenant, typ, 0, private)
	if err != nil {
		return 0, err
	}
	seq := s.appendFacts(typ, tenant, &facts, sec)
	if id != "" {
		seq = facts.Subscription
	}
	return seq, nil
}

// DeleteSubscription ends routing by it; deliveries that exist go on.
func (e *Engine) DeleteSubscription(ctx context.Context, by Actor, tenant, id string) error {
	if _, err := e.view(ctx, tenant); err != nil {
		return err
	}
	who, err := e.who(tenant, record.TypeSubscriptionDeleted, by)
	if err != nil {
		return err
	}
	return e.change(ctx, func(s *sequencer) error {
		p, err := s.subscription(tenant, id)
		if err != nil {
			return err
		}
		s.appendFacts(record.TypeSubscriptionDeleted, tenant, &record.Subscription{Subscription: p.Seq, Endpoint: p.Endpoint.Seq}, who...)
		return nil
	})
}

// Subscription returns one subscription.
func (e *Engine) Subscription(ctx context.Context, tenant, id string) (Subscription, error) {
	return e.subscriptionBy(ctx, e.present, tenant, id, e.presentSubscription)
}

// subscriptionShower shows a subscription as a reading has it.
type subscriptionShower func(sealedSubscription) (Subscription, error)

func (e *Engine) subscriptionBy(ctx context.Context, read reading, tenant, id string, show subscriptionShower) (Subscription, error) {
	var out sealedSubscription
	err := read(ctx, func(r stateReader) error {
		p, err := r.subscription(tenant, id)
		if err == nil {
			out = r.sealedSubscription(p)
		}
		return err
	})
	if err != nil {
		return Subscription{}, err
	}
	return show(out)
}

// Subscriptions lists a tenant's subscriptions, of one endpoint if asked, newest first.
func (e *Engine) Subscriptions(ctx context.Context, tenant string, in ListInput) (Page[Subscription], error) {
	return e.subscriptionsBy(ctx, e.present, tenant, in, e.presentSubscription)
}

func (e *Engine) subscriptionsBy(ctx context.Context, read reading, tenant string, in ListInput, show subscriptionShower) (Page[Subscription], error) {
	var all []sealedSubscription
	err := read(ctx, func(r stateReader) error {
		t, ok := r.st.AnyTenant(tenant) // a deleted one has none left
		if !ok {
			return notFound("tenant", tenant)
		}
		for i := len(t.Subscriptions) - 1; i >= 0; i-- {
			p := t.Subscriptions[i]
			if in.EndpointID == "" || e.id(record.PrefixEndpoint, p.Endpoint.Seq, 0) == in.EndpointID {
				all = append(all, r.sealedSubscription(p))
			}
		}
		return nil
	})
	if err != nil {
		return Page[Subscription]{}, err
	}
	return pageOf(all, in, func(o sealedSubscription) eventlog.Seq { return o.Seq }, show)
}

// presentSubscription is subscriptionObject with what one in shadow mode has counted.
func (e *Engine) presentSubscription(s sealedSubscription) (Subscription, error) {
	out, err := e.subscriptionObject(s)
	if err == nil && s.Subscription.Shadow {
		out.Shadow = e.shadows.of(s.Seq, s.Private.Sum, e.clock.Now()).shown()
	}
	return out, err
}

func (e *Engine) subscriptionObject(s sealedSubscription) (Subscription, error) {
	var p record.SubscriptionPrivate
	err := e.openJSON(s.Private, s.tenant, s.PrivateType, 0, &p)
	if err != nil && !isErased(err) {
		return Subscription{}, err
	}
	out := Subscription{Erased: err != nil, ID: e.id(record.PrefixSubscription, s.Seq, 0), EndpointID: e.id(record.PrefixEndpoint, s.endpoint, 0),
		EventTypes: s.EventTypes, Filter: textOrNull(p.Filter), CreatedAt: Time(s.CreatedAt), Mode: modeOf(s.Subscription.Shadow),
		Version: uint64(s.Version), Failures: s.Failures}
	if s.LastFailure == 0 {
		return out, nil
	}
	out.LastFailure, err = e.lastFailure(e.life, s.Seq, s.LastFailure)
	return out, err
}

func modeOf(shadow bool) string {
	if shadow {
		return ModeShadow
	}
	return ModeLive
}

// lastFailure is what an event says of a subscription that failed on it.
func (e *Engine) lastFailure(ctx context.Context, subscription, event eventlog.Seq) (*SubscriptionFailure, error) {
	out := &SubscriptionFailure{EventUID: e.id(record.PrefixEvent, event, 0)}
	r, err := e.cfg.Log.Get(ctx, event)
	if errors.Is(err, eventlog.ErrTrimmed) {
		return out, nil
	}
	var facts record.EventPublished
	if err == nil {
		err = facts.Decode(r.Facts)
	}
	if err != nil {
		return nil, storeError(err)
	}
	out.At = Time(r.Time)
	at := slices.Index(facts.Failed, subscription)
	if at < 0 || len(r.Sections) < 2 {
		return out, nil
	}
	plain, err := e.openSection(r.Sections[1], r.Tenant, r.Type, 1)
	if isErased(err) {
		return out, nil
	}
	var private record.EventPrivate
	if err == nil {
		err = private.Decode(plain)
	}
	if err != nil {
		return nil, storeError(err)
	}
	if at < len(private.Failed) {
		out.Error = private.Failed[at]
	}
	return out, nil
}
