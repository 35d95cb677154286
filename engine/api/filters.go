package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/api/jsonstrict"
)

// filterBody asks about a filter.
type filterBody struct {
	Filter     engine.Optional[string]          `json:"filter" doc:"the expression, any text"`
	Event      engine.Optional[json.RawMessage] `json:"event" doc:"the event to look at, as it would be published: type, data, id, occurred_at, actor, metadata"`
	EventID    engine.Optional[string]          `json:"event_id" doc:"instead of event: one that the tenant has published, by id or uid"`
	Tenant     engine.Optional[string]          `json:"tenant" doc:"whose catalogue to check against, whose events and subscriptions to look at"`
	Profile    engine.Optional[string]          `json:"profile" doc:"whose catalogue to check against where no tenant is named"`
	EventTypes engine.Optional[[]string]        `json:"event_types" doc:"those of the subscription; default all"`
	EndpointID engine.Optional[string]          `json:"endpoint_id" doc:"without a filter: only this endpoint's subscriptions"`
	Strict     engine.Optional[bool]            `json:"strict" doc:"warnings are errors"`
}

// filterEventBody is an event that need not exist.
type filterEventBody struct {
	Type       string                           `json:"type"`
	ID         engine.Optional[string]          `json:"id"`
	OccurredAt engine.Optional[string]          `json:"occurred_at"`
	Data       engine.Optional[json.RawMessage] `json:"data"`
	Actor      engine.Optional[json.RawMessage] `json:"actor"`
	Metadata   engine.Optional[json.RawMessage] `json:"metadata"`
}

func filterOperations() []*operation {
	event := shapeOf(reflect.TypeFor[filterEventBody](), []string{"type"})
	ask := func(c *call) (engine.FilterInput, error) {
		var body filterBody
		if err := c.decode(&body); err != nil {
			return engine.FilterInput{}, err
		}
		return body.input(c, event)
	}
	return []*operation{
		{method: http.MethodPost, path: "/v1/filters:check", id: "check-filter", tag: "Filters", status: 200, need: needRead,
			summary: "Say whether a text is a filter, what is most likely wrong with it and what it costs", answer: engine.FilterChecked{}, body: filterBody{},
			doc: "Any text is answered 200: `valid` says whether it may be saved, `errors` why not, with line, column and what to write " +
				"instead. Warnings compare it with the schemas of the event types in the tenant's or the profile's catalogue.",
			handle: func(c *call) error {
				in, err := ask(c)
				if err != nil {
					return err
				}
				if in.EndpointID != "" {
					return engine.Invalid("endpoint_id", "goes with :explain")
				}
				return one(c)(c.svc.CheckFilter(c.r.Context(), in))
			}},
		{method: http.MethodPost, path: "/v1/filters:explain", id: "explain-filter", tag: "Filters", status: 200, need: needRead,
			summary: "Say what a filter, or each of a tenant's subscriptions, makes of an event, and which clause decided", answer: engine.FilterExplained{}, body: filterBody{},
			doc: "With `filter`: of that. Without: of the tenant's present subscriptions. It is the program that routes, not another one.",
			handle: func(c *call) error {
				in, err := ask(c)
				if err != nil {
					return err
				}
				for _, f := range []struct {
					name  string
					given bool
				}{{"event_types", in.EventTypes != nil}, {"profile", in.Profile != ""}, {"strict", in.Strict}} {
					if f.given {
						return engine.Invalid(f.name, "goes with :check")
					}
				}
				return one(c)(c.svc.ExplainFilter(c.r.Context(), in))
			}},
		{method: http.MethodPost, path: tenantPath + "/events/{event}:why", id: "why-event", tag: "Filters", status: 200, need: needRead,
			summary: "Say why an event went to an endpoint, or did not", answer: engine.Why{}, body: deliverBody{}, required: []string{"endpoint_id"},
			doc: "From the log, however old the event is: by the endpoint's subscriptions as they were when it was published.",
			handle: func(c *call) error {
				var in deliverBody
				if err := c.decode(&in); err != nil {
					return err
				}
				return one(c)(c.svc.Why(c.r.Context(), c.tenant(), c.path("event"), in.EndpointID))
			}},
	}
}

func (b *filterBody) input(c *call, event *shape) (in engine.FilterInput, err error) {
	in = engine.FilterInput{Filter: b.Filter.Value, HasFilter: b.Filter.Set && !b.Filter.Null, Tenant: b.Tenant.Value, Profile: b.Profile.Value,
		EndpointID: b.EndpointID.Value, EventID: b.EventID.Value, Strict: b.Strict.Value}
	if b.EventTypes.Set && !b.EventTypes.Null {
		in.EventTypes = append([]string{}, b.EventTypes.Value...)
	}
	if c.op.id == "check-filter" && !in.HasFilter {
		return in, engine.Invalid("filter", "is missing: give the text to check")
	}
	if c.who.Bound() && in.Tenant != "" && in.Tenant != c.who.Tenant {
		return in, &engine.Error{Code: engine.CodeNotFound, Detail: fmt.Sprintf("no tenant %q here", in.Tenant)}
	}
	if b.Event.Set && !b.Event.Null {
		in.Event, err = filterEvent(b.Event.Value, event)
	}
	return in, err
}

func filterEvent(raw []byte, s *shape) (*engine.FilterEvent, error) {
	if raw[0] != '{' {
		return nil, engine.Invalid("event", "must be an object, is %s", jsonstrict.Kind(raw))
	}
	var body filterEventBody
	var sc jsonstrict.Scanner
	if err := s.decode(&sc, raw, reflect.ValueOf(&body).Elem()); err != nil {
		return nil, within("event", err)
	}
	out := &engine.FilterEvent{Type: body.Type, ID: body.ID.Value, Data: body.Data.Value, Actor: body.Actor.Value, Metadata: body.Metadata.Value}
	if n := max(len(out.Data), len(out.Actor), len(out.Metadata)); n > maxData {
		return nil, &engine.Error{Code: engine.CodeTooLarge, Detail: fmt.Sprintf("event.data has %d bytes, at most %d (256 KiB) are taken", n, maxData)}
	}
	if body.OccurredAt.Value != "" {
		at, err := time.Parse(time.RFC3339Nano, body.OccurredAt.Value)
		if err != nil {
			return nil, engine.Invalid("event.occurred_at", "%q is no RFC 3339 time, e.g. 2026-01-31T08:00:00Z", clip(body.OccurredAt.Value))
		}
		out.OccurredAt = at
	}
	return out, nil
}

// within puts the locations of an error below a field.
func within(field string, err error) error {
	e := (*engine.Error)(nil)
	if !errors.As(err, &e) || len(e.Fields) == 0 {
		return err
	}
	fields := slices.Clone(e.Fields)
	for i := range fields {
		fields[i].Location = field + "." + fields[i].Location
	}
	return invalid(fields)
}
