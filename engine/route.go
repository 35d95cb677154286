package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/filters"
)

// tenantView is what a publish needs of its tenant: immutable, made for one route version, shared by all publishers.
type tenantView struct {
	id         string
	version    uint64
	profileSeq eventlog.Seq
	profile    *profile.Profile
	attributes json.RawMessage
	index      *filters.Index
	subs       []viewSubscription // by the index's keys, oldest first
	rules      []filters.Subscription
}

type viewSubscription struct {
	seq, endpoint eventlog.Seq
	maxAttempts   uint8
}

// view returns the tenant's current view, making it when a change dropped it.
func (e *Engine) view(ctx context.Context, tenant string) (*tenantView, error) {
	if v, ok := e.views.Load(tenant); ok {
		return v.(*tenantView), nil
	}
	return e.makeView(ctx, tenant)
}

func (e *Engine) makeView(ctx context.Context, tenant string) (*tenantView, error) {
	var parts viewParts
	err := e.do(ctx, func(s *sequencer) error {
		t, ok := s.st.Tenant(tenant)
		if !ok {
			return notFound("tenant", tenant)
		}
		parts = s.viewParts(t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return e.assembleView(&parts)
}

// viewParts is what a tenant's view is made of, as taken out of the sequencer.
type viewParts struct {
	view        tenantView
	private     eventlog.Section
	privateType eventlog.Type
	subs        []state.Subscription
}

func (s *sequencer) viewParts(t *state.Tenant) viewParts {
	parts := viewParts{view: tenantView{id: t.ID, version: t.RouteVersion, profileSeq: t.Profile}, private: t.Private, privateType: t.PrivateType}
	for _, p := range t.Subscriptions {
		parts.subs = append(parts.subs, *p)
		parts.view.subs = append(parts.view.subs, viewSubscription{seq: p.Seq, endpoint: p.Endpoint.Seq,
			maxAttempts: uint8(s.st.PolicyOfEndpoint(p.Endpoint).Schedule.MaxAttempts())})
	}
	return parts
}

// assembleView compiles the filters and keeps the view for the next publish.
func (e *Engine) assembleView(parts *viewParts) (*tenantView, error) {
	v := &parts.view
	var err error
	if v.profile, err = e.profileAt(v.profileSeq); err != nil {
		return nil, storeError(err)
	}
	var tp record.TenantPrivate
	if err := e.openJSON(parts.private, v.id, parts.privateType, 0, &tp); err != nil {
		return nil, storeError(err)
	}
	v.attributes = tp.Attributes
	list := make([]filters.Subscription, len(parts.subs))
	for i := range parts.subs {
		if list[i], err = e.compiled(&parts.subs[i], v.id); err != nil {
			return nil, storeError(err)
		}
		list[i].Key = uint64(i)
	}
	v.index, v.rules = filters.Build(list), list
	// A later version that another publisher stored meanwhile is better; the sequencer compares versions anyway.
	e.views.Store(v.id, v)
	return v, nil
}

func (e *Engine) compiled(p *state.Subscription, tenant string) (filters.Subscription, error) {
	types, err := filters.ParseTypes(p.EventTypes)
	if err != nil {
		return filters.Subscription{}, fmt.Errorf("engine: subscription %d: %w", p.Seq, err)
	}
	var sp record.SubscriptionPrivate
	if err := e.openJSON(p.Private, tenant, p.PrivateType, 0, &sp); err != nil {
		return filters.Subscription{}, err
	}
	sub := filters.Subscription{Types: types}
	if sp.Filter != "" {
		if sub.Filter, err = filters.Compile(sp.Filter); err != nil {
			return filters.Subscription{}, fmt.Errorf("engine: subscription %d: %w", p.Seq, err)
		}
	}
	return sub, nil
}

// routing is the outcome of route: what becomes part of the fact.
type routing struct {
	matches []record.Match
	failed  []eventlog.Seq
	texts   []string // of the failures
}

// route computes an event's matching subscriptions: arguments in, matches out. All subscriptions of one endpoint make
// one match, oldest first; matches are ordered by their oldest subscription.
func route(v *tenantView, ev *filters.Event) routing {
	var out routing
	res := v.index.Route(ev)
	for _, sub := range res.Matched {
		out.add(&v.subs[sub.Key])
	}
	for _, f := range res.Failed {
		out.failed = append(out.failed, v.subs[f.Subscription.Key].seq)
		out.texts = append(out.texts, f.Err.Error())
	}
	return out
}

func (r *routing) add(sub *viewSubscription) {
	for i := range r.matches {
		if r.matches[i].Endpoint == sub.endpoint {
			r.matches[i].Subscriptions = append(r.matches[i].Subscriptions, sub.seq)
			return
		}
	}
	r.matches = append(r.matches, record.Match{Endpoint: sub.endpoint, MaxAttempts: sub.maxAttempts, Subscriptions: []eventlog.Seq{sub.seq}})
}

func filterEvent(v *tenantView, p *publication) *filters.Event {
	return &filters.Event{Type: p.in.Type, ID: p.body.id, Tenant: v.id, OccurredAt: p.occurred, Data: p.data(), Actor: p.in.Actor, Metadata: p.in.Metadata}
}

// unmatched says of every subscription that did not match why not.
func (e *Engine) unmatched(v *tenantView, ev *filters.Event, r routing) []Unmatched {
	matched := map[eventlog.Seq]bool{}
	for _, m := range r.matches {
		for _, seq := range m.Subscriptions {
			matched[seq] = true
		}
	}
	out := []Unmatched{}
	for i, sub := range v.subs {
		if matched[sub.seq] {
			continue
		}
		u := Unmatched{SubscriptionID: e.id(record.PrefixSubscription, sub.seq, 0), EndpointID: e.id(record.PrefixEndpoint, sub.endpoint, 0)}
		switch f := slices.Index(r.failed, sub.seq); {
		case !v.rules[i].Types.Match(ev.Type):
			u.Reason = fmt.Sprintf("its event types do not select %s", ev.Type)
		case f >= 0:
			u.Reason = "its filter could not be evaluated: " + r.texts[f]
		default:
			u.Reason = explainSubscription(&v.rules[i], ev).Text
		}
		out = append(out, u)
	}
	return out
}
