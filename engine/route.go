package engine

import (
	"fmt"
	"slices"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/filters"
)

// routing is the outcome of route: what becomes part of the fact.
type routing struct {
	matches []record.Match
	failed  []eventlog.Seq
	texts   []string // of the failures

	shadowMatched, shadowFailed []*shadowCounts // of subscriptions in shadow mode
}

// route computes an event's matching subscriptions: arguments in, matches out. All subscriptions of one endpoint make
// one match, oldest first; matches are ordered by their oldest subscription.
func route(v *tenantView, ev *filters.Event) routing {
	var out routing
	res := v.index.Route(ev)
	for _, sub := range res.Matched {
		if of := sub.Value.(*viewSubscription); of.shadow != nil {
			out.shadowMatched = append(out.shadowMatched, of.shadow)
		} else {
			out.add(of)
		}
	}
	for _, f := range res.Failed {
		out.failed = append(out.failed, eventlog.Seq(f.Subscription.Key))
		out.texts = append(out.texts, f.Err.Error())
		if of := f.Subscription.Value.(*viewSubscription); of.shadow != nil {
			out.shadowFailed = append(out.shadowFailed, of.shadow)
		}
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

// inShadow stands before what a subscription in shadow mode makes of an event.
const inShadow = "in shadow mode, which delivers nothing: "

// unmatched says of every subscription that did not match why not.
func (e *Engine) unmatched(v *tenantView, ev *filters.Event, r routing) []Unmatched {
	matched := map[eventlog.Seq]bool{}
	for _, m := range r.matches {
		for _, seq := range m.Subscriptions {
			matched[seq] = true
		}
	}
	out := []Unmatched{}
	for rule := range v.index.All() {
		sub := rule.Value.(*viewSubscription)
		if matched[sub.seq] {
			continue
		}
		u := Unmatched{SubscriptionID: e.id(record.PrefixSubscription, sub.seq, 0), EndpointID: e.id(record.PrefixEndpoint, sub.endpoint, 0)}
		switch f := slices.Index(r.failed, sub.seq); {
		case !rule.Types.Match(ev.Type):
			u.Reason = fmt.Sprintf("its event types do not select %s", ev.Type)
		case f >= 0:
			u.Reason = "its filter could not be evaluated: " + r.texts[f]
		default:
			u.Reason = explainSubscription(rule, ev).Text
		}
		if sub.shadow != nil {
			u.Reason = inShadow + u.Reason
		}
		out = append(out, u)
	}
	return out
}
