package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/filters"
)

// Why says why an event went to an endpoint, or did not.
type Why struct {
	EventID       string             `json:"event_id"`
	EventUID      string             `json:"event_uid"`
	EventType     string             `json:"event_type"`
	EndpointID    string             `json:"endpoint_id"`
	Matched       bool               `json:"matched" doc:"as the log has it"`
	Text          string             `json:"text" doc:"the whole in a sentence"`
	Subscriptions []SubscriptionThen `json:"subscriptions" doc:"the endpoint's, as they were when the event was published, newest change first"`
	Deliveries    []Delivery         `json:"deliveries" doc:"of the event to the endpoint, newest first"`
}

// SubscriptionThen is a subscription as it was, and what it makes of the event.
type SubscriptionThen struct {
	SubscriptionID string            `json:"subscription_id"`
	Version        uint64            `json:"version" doc:"seq of the record that made it what it was"`
	EventTypes     []string          `json:"event_types"`
	Filter         *string           `json:"filter" doc:"null = none, or its content was erased"`
	Mode           string            `json:"mode" enum:"live,shadow" doc:"shadow: whatever it made of the event, it delivered nothing"`
	Explanation    FilterExplanation `json:"explanation"`
}

// Why answers from the log, however old the event is: whether it matched the endpoint is what event.published says, and the
// reasons are recomputed from the subscriptions as they were at its seq, by the program that routes (P2).
func (e *Engine) Why(ctx context.Context, tenant, event, endpoint string) (Why, error) {
	r, facts, err := e.findEvent(ctx, tenant, event)
	if err != nil {
		return Why{}, err
	}
	ref, ok := parseID(e.epochs, record.PrefixEndpoint, endpoint)
	if !ok || ref.Ord != 0 {
		return Why{}, notFound("endpoint", endpoint)
	}
	ev, err := e.eventAsSeen(tenant, &r, &facts)
	if err != nil {
		return Why{}, err
	}
	out := Why{EventID: facts.ID, EventUID: e.id(record.PrefixEvent, r.Seq, 0), EventType: ev.Type, EndpointID: endpoint,
		Matched:       slices.ContainsFunc(facts.Matches, func(m record.Match) bool { return m.Endpoint == ref.Seq }),
		Subscriptions: []SubscriptionThen{}, Deliveries: []Delivery{}}
	past := pastOf{endpoint: ref.Seq, tenant: tenant, ev: ev, seen: map[eventlog.Seq]bool{}}
	if err := e.lookBack(ctx, &past, r.Seq); err != nil {
		return Why{}, err
	}
	if ref.Seq > r.Seq {
		past.state = "the endpoint was created after the event was published"
	} else if !past.created {
		return Why{}, notFound("endpoint", endpoint)
	}
	out.Subscriptions = append(out.Subscriptions, past.subs...)
	deliveries, err := e.Deliveries(ctx, tenant, ListInput{EventID: out.EventUID, EndpointID: endpoint})
	if err != nil {
		return Why{}, err
	}
	out.Deliveries = append(out.Deliveries, deliveries.Data...)
	out.Text = out.sentence(past.state)
	return out, nil
}

// pastOf is an endpoint's subscriptions at some time, gathered from the newest change to the oldest.
type pastOf struct {
	tenant   string
	endpoint eventlog.Seq
	ev       *filters.Event
	seen     map[eventlog.Seq]bool // subscriptions whose newest change has been seen
	subs     []SubscriptionThen
	created  bool
	state    string // why there are none
}

// lookBack walks the tenant's changes before a seq, up to the endpoint's creation: nothing before it concerns it.
func (e *Engine) lookBack(ctx context.Context, p *pastOf, before eventlog.Seq) error {
	q := history.ChangeQuery{Tenant: p.tenant, Page: history.Page{Limit: MaxLimit, AsOf: before}}
	for {
		seqs, next, err := e.cfg.History.Changes(ctx, q)
		if err != nil {
			return storeError(err)
		}
		for _, seq := range seqs {
			r, err := e.cfg.Log.Get(ctx, seq)
			switch {
			case errors.Is(err, eventlog.ErrTrimmed):
				return conflict("the changes of that time were trimmed from the log")
			case err != nil:
				return storeError(err)
			}
			if done, err := e.pastChange(p, &r); done || err != nil {
				return err
			}
		}
		if next == nil {
			return nil
		}
		q.After = next
	}
}

func (e *Engine) pastChange(p *pastOf, r *eventlog.Record) (done bool, err error) {
	switch r.Type {
	case record.TypeEndpointCreated:
		p.created = r.Seq == p.endpoint
		return p.created, nil
	case record.TypeEndpointDeleted:
		var f record.EndpointChange
		if err := f.Decode(r.Facts); err != nil {
			return true, storeError(err)
		}
		if f.Endpoint == p.endpoint {
			p.created, p.state = true, "the endpoint was deleted before the event was published"
			return true, nil
		}
	case record.TypeSubscriptionCreated, record.TypeSubscriptionUpdated, record.TypeSubscriptionDeleted:
		var f record.Subscription
		if err := f.Decode(r.Facts); err != nil {
			return true, storeError(err)
		}
		id := f.Subscription
		if r.Type == record.TypeSubscriptionCreated {
			id = r.Seq
		}
		if p.seen[id] { // it was changed again before the event
			return false, nil
		}
		p.seen[id] = true
		if r.Type != record.TypeSubscriptionDeleted && f.Endpoint == p.endpoint {
			s, err := e.subscriptionThen(p, r, &f, id)
			p.subs = append(p.subs, s)
			return err != nil, err
		}
	}
	return false, nil
}

func (e *Engine) subscriptionThen(p *pastOf, r *eventlog.Record, f *record.Subscription, id eventlog.Seq) (SubscriptionThen, error) {
	out := SubscriptionThen{SubscriptionID: e.id(record.PrefixSubscription, id, 0), Version: uint64(r.Seq), EventTypes: f.EventTypes, Mode: modeOf(f.Shadow)}
	s := filters.Subscription{}
	var err error
	if s.Types, err = filters.ParseTypes(f.EventTypes); err != nil {
		return out, storeError(err)
	}
	var private record.SubscriptionPrivate
	err = e.openJSON(r.Sections[0], p.tenant, r.Type, 0, &private)
	switch {
	case isErased(err):
		out.Explanation = FilterExplanation{Text: "its filter was erased with the tenant's content", Clauses: []FilterClause{}}
		return out, nil
	case err != nil:
		return out, storeError(err)
	}
	if private.Filter != "" {
		out.Filter = &private.Filter
		if s.Filter, err = filters.Compile(private.Filter); err != nil {
			return out, storeError(err)
		}
	}
	out.Explanation = explainSubscription(&s, p.ev)
	if f.Shadow {
		out.Explanation.Text = inShadow + out.Explanation.Text
	}
	return out, nil
}

func (w *Why) sentence(state string) string {
	var b strings.Builder
	switch {
	case w.Matched:
		b.WriteString("it matched when it was published")
	case state != "":
		b.WriteString("it did not match: " + state)
	case len(w.Subscriptions) == 0:
		b.WriteString("it did not match: the endpoint had no subscription when the event was published")
	default:
		b.WriteString("it did not match when it was published: no subscription of the endpoint took it")
	}
	for i, d := range w.Deliveries {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "; delivery %s is %s", d.ID, d.Status)
		if d.Reason != nil {
			fmt.Fprintf(&b, " (%s)", *d.Reason)
		}
	}
	return b.String()
}

// eventAsSeen is an event of the log as filters saw it.
func (e *Engine) eventAsSeen(tenant string, r *eventlog.Record, facts *record.EventPublished) (*filters.Event, error) {
	o, err := e.eventObject(r, facts)
	if err != nil {
		return nil, err
	}
	if r.Sections[0].Removed {
		return nil, gone("the event's body was removed by retention (%s): what filters saw is gone", e.removedRule(r.Seq, tenant, o.Type))
	}
	body, err := e.openSection(r.Sections[0], tenant, r.Type, 0)
	if isErased(err) {
		return nil, conflict("the event's content was erased: what filters saw is gone")
	}
	if err != nil {
		return nil, storeError(err)
	}
	p, err := e.profileAt(facts.Profile)
	if err != nil {
		return nil, storeError(err)
	}
	return &filters.Event{Type: o.Type, ID: o.ID, Tenant: tenant, OccurredAt: time.UnixMilli(int64(o.OccurredAt)),
		Data: p.Data(body), Actor: o.Actor, Metadata: o.Metadata}, nil
}
