package engine

import (
	"context"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
)

// stateReader finds objects in a state, the present one or a past one, and copies them out with their private parts still
// sealed.
type stateReader struct {
	st     *state.State
	epochs []state.Epoch // of the whole log
	now    int64         // engine time of that state, Unix ms
}

// reading runs a function on a state and returns its error: on the present one in the sequencer, or on a past one.
type reading func(context.Context, func(stateReader) error) error

func (s *sequencer) reader() stateReader {
	return stateReader{st: s.st, epochs: s.e.epochs, now: s.now}
}

// present reads the sequencer's state.
func (e *Engine) present(ctx context.Context, fn func(stateReader) error) error {
	return e.do(ctx, func(s *sequencer) error { return fn(s.reader()) })
}

func (r stateReader) tenant(id string) (*state.Tenant, error) {
	t, ok := r.st.Tenant(id)
	if !ok {
		return nil, notFound("tenant", id)
	}
	return t, nil
}

func (r stateReader) endpoint(tenant, id string) (*state.Endpoint, error) {
	if _, err := r.tenant(tenant); err != nil {
		return nil, err
	}
	if ref, ok := parseID(r.epochs, record.PrefixEndpoint, id); ok && ref.Ord == 0 {
		if ep, ok := r.st.Endpoint(tenant, ref.Seq); ok {
			return ep, nil
		}
	}
	return nil, notFound("endpoint", id)
}

func (r stateReader) subscription(tenant, id string) (*state.Subscription, error) {
	if _, err := r.tenant(tenant); err != nil {
		return nil, err
	}
	if ref, ok := parseID(r.epochs, record.PrefixSubscription, id); ok && ref.Ord == 0 {
		if p, ok := r.st.Subscription(tenant, ref.Seq); ok {
			return p, nil
		}
	}
	return nil, notFound("subscription", id)
}

func (r stateReader) sealedTenant(t *state.Tenant) sealedTenant {
	p, _ := r.st.Profile(t.Profile)
	return sealedTenant{Tenant: *t, profile: p}
}

func (r stateReader) sealedEndpoint(ep *state.Endpoint) sealedEndpoint {
	out := sealedEndpoint{Endpoint: *ep, tenant: ep.Tenant.ID, timing: ep.Config, asOf: r.now}
	out.subs = make([]state.Subscription, len(ep.Subscriptions))
	for i, p := range ep.Subscriptions {
		out.subs[i] = *p
	}
	out.Tenant, out.Subscriptions = nil, nil
	return out
}

func (r stateReader) sealedSubscription(p *state.Subscription) sealedSubscription {
	return sealedSubscription{Subscription: *p, tenant: p.Endpoint.Tenant.ID, endpoint: p.Endpoint.Seq}
}
