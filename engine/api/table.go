package api

import (
	"net/http"

	"github.com/hookline/hookline/engine"
)

// operations is the whole face, in the order of the document.
func operations() []*operation {
	var all []*operation
	for _, group := range [][]*operation{
		publishOperations(), eventOperations(), tenantOperations(), endpointOperations(), endpointVerbs(),
		subscriptionOperations(), versionOperations(), deliveryOperations(), attemptOperations(), recoveryOperations(), filterOperations(), simulateOperations(), profileOperations(), systemOperations(),
		openOperations(), pageOperations(), dnsimpleOperations(), keyOperations(), sessionOperations(), streamOperations(), statsOperations(), auditOperations(),
	} {
		all = append(all, group...)
	}
	return all
}

const tenantPath = "/v1/tenants/{tenant}"

// The parameters that every list has.
func paging(more ...parameter) []parameter {
	return append(more,
		parameter{name: "limit", doc: "items of this page, 1 to 250, default 50", number: true, initial: engine.DefaultLimit, max: maxLimit},
		parameter{name: "cursor", doc: "next_cursor of the page before"})
}

func span() []parameter {
	return []parameter{
		{name: "from", doc: "the oldest time, RFC 3339, inclusive"},
		{name: "to", doc: "the newest time, RFC 3339, exclusive"},
	}
}

func eventOperations() []*operation {
	return []*operation{
		{method: http.MethodGet, path: tenantPath + "/events", id: "list-events", tag: "Events", status: 200,
			summary: "List events, newest first", answer: engine.Page[engine.Event]{},
			doc: searchDoc,
			query: dated(paging(append(span(),
				parameter{name: "type", doc: "exactly this event type"},
				parameter{name: "id", doc: "with this `id` or `uid`"},
				parameter{name: "endpoint_id", doc: "with a delivery to this endpoint"},
				parameter{name: "status", doc: "with a delivery of this status", enum: deliveryStatuses()},
				parameter{name: "matched", doc: "false = those that matched no endpoint when they were published", enum: []string{"true", "false"}},
				parameter{name: "metadata", doc: "with this text in their metadata, as it was sent"})...)),
			handle: func(c *call) error {
				return list(c, c.reading.Events)
			}},
		{method: http.MethodGet, path: tenantPath + "/events/{event}", id: "get-event", tag: "Events", status: 200,
			summary: "Get one event with its body", answer: engine.Event{}, query: dated(nil),
			doc: "{event} is the `uid`, or the `id`; an `id` that several events share is answered 409 with their `uid`s.",
			handle: func(c *call) error {
				return one(c)(c.reading.Event(c.r.Context(), c.tenant(), c.path("event")))
			}},
		{method: http.MethodPost, path: tenantPath + "/events/{event}:deliver", id: "deliver-event", tag: "Events", status: 202,
			summary: "Deliver an event to an endpoint, whether it matched then or not", answer: engine.Delivery{},
			body: deliverBody{}, required: []string{"endpoint_id"},
			handle: func(c *call) error {
				var in deliverBody
				if err := c.decode(&in); err != nil {
					return err
				}
				return one(c)(c.svc.DeliverEvent(c.r.Context(), c.by, c.tenant(), c.path("event"), in.EndpointID))
			}},
	}
}

func deliveryStatuses() []string {
	return []string{"pending", "succeeded", "exhausted", "skipped", "canceled"}
}

// searchDoc says what a search that no index answers costs: see engine's findLimit.
const searchDoc = "A search that no index answers (`metadata`; of events also `matched`, `endpoint_id` and `status`) looks at 5 000 items a page: " +
	"it may answer with fewer than `limit`, or none, and a `next_cursor` to go on with."

type deliverBody struct {
	EndpointID string `json:"endpoint_id" doc:"the endpoint"`
}

func attemptOperations() []*operation {
	return []*operation{
		{method: http.MethodGet, path: tenantPath + "/attempts", id: "list-attempts", tag: "Attempts", status: 200,
			summary: "List attempts with request and response, newest first", answer: engine.Page[engine.Attempt]{},
			doc: "Finished attempts only; those of test events are among them, with `trigger` `test`. With `event_type` a page may end early: go on while there is a `next_cursor`.",
			query: dated(paging(
				parameter{name: "endpoint_id", doc: "of this endpoint"},
				parameter{name: "delivery_id", doc: "of this delivery"},
				parameter{name: "event_id", doc: "of this event, by `id` or `uid`; tests have none"},
				parameter{name: "event_type", doc: "of events of exactly this type"},
				parameter{name: "outcome", doc: "with this outcome; failed = any but acknowledged", enum: []string{"acknowledged", "rejected", "unreachable", "timed_out", "gone", "failed"}},
				parameter{name: "from", doc: "the oldest record time, RFC 3339, inclusive"},
				parameter{name: "to", doc: "the newest record time, RFC 3339, exclusive"},
				parameter{name: "order", doc: "asc = oldest first", enum: []string{"asc", "desc"}})),
			handle: func(c *call) error {
				return list(c, c.reading.Attempts)
			}},
		{method: http.MethodGet, path: tenantPath + "/attempts/{attempt}", id: "get-attempt", tag: "Attempts", status: 200,
			summary: "Get one attempt with request and response, and what was in force then", answer: engine.Attempt{}, query: dated(nil),
			handle: func(c *call) error {
				return one(c)(c.reading.Attempt(c.r.Context(), c.tenant(), c.path("attempt")))
			}},
	}
}

func deliveryOperations() []*operation {
	verb := func(name, summary string, status int, act func(c *call) (engine.Delivery, error)) *operation {
		return &operation{method: http.MethodPost, path: tenantPath + "/deliveries/{delivery}:" + name, id: name + "-delivery",
			tag: "Deliveries", status: status, summary: summary, answer: engine.Delivery{}, body: noFields{}, optional: true,
			handle: func(c *call) error {
				if err := c.decode(&noFields{}); err != nil {
					return err
				}
				return one(c)(act(c))
			}}
	}
	return []*operation{
		{method: http.MethodGet, path: tenantPath + "/deliveries", id: "list-deliveries", tag: "Deliveries", status: 200,
			summary: "List deliveries, newest first", answer: engine.Page[engine.Delivery]{},
			doc: searchDoc,
			query: dated(paging(append(span(),
				parameter{name: "endpoint_id", doc: "to this endpoint"},
				parameter{name: "event_id", doc: "of this event, by `id` or `uid`"},
				parameter{name: "event_type", doc: "of events of exactly this type"},
				parameter{name: "status", doc: "with this status", enum: deliveryStatuses()},
				parameter{name: "metadata", doc: "of events with this text in their metadata, as it was sent"})...)),
			handle: func(c *call) error {
				return list(c, c.reading.Deliveries)
			}},
		{method: http.MethodGet, path: tenantPath + "/deliveries/{delivery}", id: "get-delivery", tag: "Deliveries", status: 200,
			summary: "Get one delivery with its attempts", answer: engine.Delivery{}, query: dated(nil),
			handle: func(c *call) error {
				return one(c)(c.reading.Delivery(c.r.Context(), c.tenant(), c.path("delivery")))
			}},
		verb("resend", "Deliver the same event to the same endpoint once more, as a new delivery", 202, func(c *call) (engine.Delivery, error) {
			return c.svc.ResendDelivery(c.r.Context(), c.by, c.tenant(), c.path("delivery"))
		}),
		verb("cancel", "Cancel a pending delivery", 200, func(c *call) (engine.Delivery, error) {
			return c.svc.CancelDelivery(c.r.Context(), c.by, c.tenant(), c.path("delivery"))
		}),
		verb("release", "Let a delivery held by `plugin_fault` go on at once", 200, func(c *call) (engine.Delivery, error) {
			return c.svc.ReleaseDelivery(c.r.Context(), c.by, c.tenant(), c.path("delivery"))
		}),
	}
}

// noFields is the body of a verb that takes none, or {}.
type noFields struct{}
