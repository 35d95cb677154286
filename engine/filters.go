package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/filters"
)

// maxExplained bounds the subscriptions that one answer explains.
const maxExplained = 1000

// FilterInput is a filter to check or explain, before anything is saved.
type FilterInput struct {
	Filter     string
	HasFilter  bool         // false: explain the tenant's subscriptions
	Tenant     string       // whose catalogue to check against, whose subscriptions to explain; "" = nobody's
	Profile    string       // whose catalogue to check against where no tenant is named
	EventTypes []string     // of the subscription; nil = all
	EndpointID string       // explain this endpoint's subscriptions only
	Event      *FilterEvent // to look at
	EventID    string       // or one that the tenant has published, by id or uid
	Strict     bool         // warnings are errors
}

// FilterEvent is an event that need not exist.
type FilterEvent struct {
	Type       string
	ID         string
	OccurredAt time.Time // zero = now
	Data       json.RawMessage
	Actor      json.RawMessage
	Metadata   json.RawMessage
}

// CheckFilter says whether a text is a filter, what is most likely wrong with it, what it costs at worst, and what it makes
// of an event where one is given. Any text is answered; an error is about what stands beside it.
func (e *Engine) CheckFilter(ctx context.Context, in FilterInput) (FilterChecked, error) {
	v, ev, err := e.filterSubject(ctx, &in)
	if err != nil {
		return FilterChecked{}, err
	}
	p, err := e.filterProfile(&in, v)
	if err != nil {
		return FilterChecked{}, err
	}
	return CheckFilter(&in, p, ev)
}

// CheckFilter is the check without an engine: against a profile's catalogue (nil = none) and an event (nil = none). Of the
// input it takes the filter, the event types and strict.
func CheckFilter(in *FilterInput, p *profile.Profile, ev *filters.Event) (out FilterChecked, err error) {
	q := filters.Question{Filter: in.Filter}
	if p != nil {
		q.Catalogue = catalogueOf{p}
	}
	out = FilterChecked{MaxCostUS: filters.MaxCost / 1000, Errors: []FilterRemark{}, Warnings: []FilterRemark{}, Clauses: []FilterCost{}}
	if in.EventTypes != nil {
		if q.Types, err = filters.ParseTypes(in.EventTypes); err != nil {
			return FilterChecked{}, Invalid("event_types", "%s", err)
		}
		about, err := filters.CheckTypes(in.EventTypes, q.Catalogue)
		if err != nil {
			return FilterChecked{}, Invalid("event_types", "%s", err)
		}
		for _, text := range about {
			out.Warnings = append(out.Warnings, FilterRemark{Message: text})
		}
	}
	r := filters.Check(q)
	if r.Err != nil {
		out.Errors = append(out.Errors, remark(r.Err, nil))
		return out, nil
	}
	for i := range r.Warnings {
		out.Warnings = append(out.Warnings, remark(&r.Warnings[i].Error, r.Warnings[i].Types))
	}
	for _, part := range r.Parts {
		out.Clauses = append(out.Clauses, FilterCost{Text: part.Text, Line: part.Line, Column: part.Column, CostUS: microseconds(part.Cost)})
	}
	if in.Strict {
		out.Errors, out.Warnings = append(out.Errors, out.Warnings...), []FilterRemark{}
	}
	out.Valid, out.CostUS = len(out.Errors) == 0, microseconds(r.Cost)
	if ev != nil {
		x := explanation(filters.Explain(r.Filter, ev))
		out.Explanation = &x
	}
	return out, nil
}

func microseconds(ns int) int { return (ns + 999) / 1000 }

// ExplainFilter says what a filter makes of an event, or, without one, what each of the tenant's subscriptions makes of it:
// which clause decided and the values it saw, by the program that routes.
func (e *Engine) ExplainFilter(ctx context.Context, in FilterInput) (FilterExplained, error) {
	out := FilterExplained{Errors: []FilterRemark{}, Subscriptions: []SubscriptionExplained{}}
	v, ev, err := e.filterSubject(ctx, &in)
	switch {
	case err != nil:
		return out, err
	case ev == nil:
		return out, Invalid("event", "is missing: give the event to explain, as it would be published, or event_id")
	case in.HasFilter:
		checked, err := CheckFilter(&in, nil, ev)
		out.Valid, out.Errors, out.Explanation = checked.Valid, checked.Errors, checked.Explanation
		return out, err
	case v == nil:
		return out, Invalid("filter", "is missing: give a filter, or the tenant whose subscriptions to explain")
	}
	out.Valid = true
	return out, e.explainSubscriptions(ctx, &in, v, ev, &out)
}

func (e *Engine) explainSubscriptions(ctx context.Context, in *FilterInput, v *tenantView, ev *filters.Event, out *FilterExplained) error {
	for s := range v.index.All() {
		of := s.Value.(*viewSubscription)
		endpoint := e.id(record.PrefixEndpoint, of.endpoint, 0)
		if in.EndpointID != "" && in.EndpointID != endpoint {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(out.Subscriptions) == maxExplained {
			out.Truncated = true
			return nil
		}
		x := explainSubscription(s, ev)
		if of.shadow != nil {
			x.Text = inShadow + x.Text
		}
		out.Subscriptions = append(out.Subscriptions, SubscriptionExplained{SubscriptionID: e.id(record.PrefixSubscription, of.seq, 0),
			EndpointID: endpoint, Mode: modeOf(of.shadow != nil), Explanation: x})
	}
	if in.EndpointID != "" && len(out.Subscriptions) == 0 {
		return notFound("endpoint with a subscription", in.EndpointID)
	}
	return nil
}

// explainSubscription says of one subscription what it makes of an event.
func explainSubscription(s *filters.Subscription, ev *filters.Event) FilterExplanation {
	switch {
	case !s.Types.Match(ev.Type):
		return FilterExplanation{Text: fmt.Sprintf("it does not match, because its event types do not select %s", ev.Type), Clauses: []FilterClause{}}
	case s.Filter == nil:
		return FilterExplanation{Matched: true, Text: "it matches, because its event types select " + ev.Type + " and it has no filter", Clauses: []FilterClause{}}
	}
	return explanation(filters.Explain(s.Filter, ev))
}

// filterSubject finds the tenant and the event that the input names; both may be nil.
func (e *Engine) filterSubject(ctx context.Context, in *FilterInput) (v *tenantView, ev *filters.Event, err error) {
	if in.Tenant != "" {
		if v, err = e.view(ctx, in.Tenant); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case in.Event != nil && in.EventID != "":
		return nil, nil, Invalid("event_id", "stands beside event: give one of them")
	case in.EventID != "" && v == nil:
		return nil, nil, Invalid("tenant", "is missing: event_id names one of its events")
	case in.EventID != "":
		ev, err = e.publishedEvent(ctx, in.Tenant, in.EventID)
		return v, ev, err
	case in.Event == nil:
		return v, nil, nil
	}
	if in.Event.OccurredAt.IsZero() {
		in.Event.OccurredAt = time.UnixMilli(e.clock.Now())
	}
	ev, err = in.Event.seen(in.Tenant)
	return v, ev, err
}

// seen is the event as filters see it.
func (f *FilterEvent) seen(tenant string) (*filters.Event, error) {
	if err := filters.CheckType(f.Type); err != nil {
		return nil, Invalid("event.type", "%s", err)
	}
	return &filters.Event{Type: f.Type, ID: f.ID, Tenant: tenant, OccurredAt: f.OccurredAt, Data: f.Data, Actor: f.Actor, Metadata: f.Metadata}, nil
}

// publishedEvent is an event of the log as filters saw it.
func (e *Engine) publishedEvent(ctx context.Context, tenant, id string) (*filters.Event, error) {
	r, facts, err := e.findEvent(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	return e.eventAsSeen(tenant, &r, &facts)
}

// filterProfile is whose catalogue a filter is checked against; nil = none.
func (e *Engine) filterProfile(in *FilterInput, v *tenantView) (*profile.Profile, error) {
	if v != nil {
		return v.profile, nil
	}
	if in.Profile == "" {
		return nil, nil
	}
	p, ok := e.profileNamed(in.Profile)
	if !ok {
		return nil, Invalid("profile", "there is no profile %.64q", in.Profile)
	}
	return p.Profile, nil
}

// Catalogue shows a profile's event types and their schemas to filters.
func Catalogue(p *profile.Profile) filters.Catalogue { return catalogueOf{p} }

type catalogueOf struct{ p *profile.Profile }

var _ filters.Catalogue = catalogueOf{}

func (c catalogueOf) EventTypes() []string {
	names := make([]string, len(c.p.EventTypes))
	for i := range c.p.EventTypes {
		names[i] = c.p.EventTypes[i].Name
	}
	return names
}

func (c catalogueOf) DataSchema(eventType string) any {
	t, ok := c.p.Known(eventType)
	if !ok || t.Schema == nil {
		return nil
	}
	var doc any
	if err := json.Unmarshal(t.Schema, &doc); err != nil { // the profile has read it before
		return nil
	}
	return doc
}

func remark(e *filters.Error, types []string) FilterRemark {
	return FilterRemark{Line: e.Line, Column: e.Column, Message: e.Message, Suggestion: e.Suggestion, Text: e.Text(), EventTypes: types}
}

func explanation(x filters.Explanation) FilterExplanation {
	out := FilterExplanation{Matched: x.Matched, Text: x.String(), Clauses: []FilterClause{}}
	if failed := (*filters.EvalError)(nil); errors.As(x.Err, &failed) {
		out.Error = &FilterRemark{Line: failed.Line, Column: failed.Column, Message: failed.Message, Text: failed.Clause}
	}
	for _, c := range x.Decided {
		clause := FilterClause{Text: c.Text, Line: c.Line, Column: c.Column, Result: c.Result, Seen: []FilterSeen{}}
		for _, s := range c.Seen {
			clause.Seen = append(clause.Seen, FilterSeen{Path: s.Path, Value: s.Value})
		}
		out.Clauses = append(out.Clauses, clause)
	}
	return out
}
