package api

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/hookline/hookline/engine"
)

// endpointBody creates or patches an endpoint; the conversion to the engine's input holds their fields together.
type endpointBody struct {
	URL         engine.Optional[string]             `json:"url" doc:"where to deliver; https, no userinfo, at most 2048 bytes"`
	EventTypes  engine.Optional[[]string]           `json:"event_types" doc:"of its first (in a patch: only) subscription: names, prefixes like domain.* or *; default all"`
	Filter      engine.Optional[string]             `json:"filter" doc:"of its first (in a patch: only) subscription: a boolean expression over the event"`
	Description engine.Optional[string]             `json:"description" doc:"for people"`
	Headers     engine.Optional[map[string]*string] `json:"headers" doc:"further request headers, at most 20; in a patch merged by name, null takes one away"`
	Secret      engine.Optional[string]             `json:"secret" doc:"8 to 256 bytes of UTF-8 without control characters; made when left out"`
	Transport   engine.Optional[string]             `json:"transport" doc:"name of a transport, default https"`
	Settings    engine.Optional[json.RawMessage]    `json:"settings" doc:"the transport's own"`
	Concurrency engine.Optional[int]                `json:"concurrency" doc:"attempts at the same time, 1 to 256, default 8"`
	RateLimit   engine.Optional[int]                `json:"rate_limit" doc:"attempts a second, 1 to 10000, default no limit; more wait, none is dropped"`
	Timeout     engine.Optional[string]             `json:"timeout" doc:"of one attempt, 1s to 60s; default the profile's"`
	Schedule    engine.Optional[[]string]           `json:"schedule" doc:"1 to 50 waits of at most 720h, each from the end of the attempt before; replaces the profile's waits, jitter and time limit"`
}

func endpointOperations() []*operation {
	const path = tenantPath + "/endpoints"
	return []*operation{
		{method: http.MethodPost, path: path, id: "create-endpoint", tag: "Endpoints", status: 201,
			summary: "Create an endpoint and its first subscription", answer: engine.Endpoint{}, body: endpointBody{}, required: []string{"url"}, query: strictParameter(),
			handle: func(c *call) error {
				var in endpointBody
				if err := c.decode(&in); err != nil {
					return err
				}
				warnings, err := (&saving{filter: in.Filter, types: in.EventTypes}).check(c)
				if err != nil {
					return err
				}
				saved, err := c.svc.CreateEndpoint(c.r.Context(), c.by, c.tenant(), engine.EndpointInput(in))
				saved.FilterWarnings = warnings
				return one(c)(saved, err)
			}},
		{method: http.MethodGet, path: path, id: "list-endpoints", tag: "Endpoints", status: 200,
			summary: "List endpoints, newest first", answer: engine.Page[engine.Endpoint]{}, query: dated(paging()),
			handle: func(c *call) error {
				return list(c, c.reading.Endpoints)
			}},
		{method: http.MethodGet, path: path + "/{endpoint}", id: "get-endpoint", tag: "Endpoints", status: 200,
			summary: "Get one endpoint", answer: engine.Endpoint{}, query: dated(nil),
			handle: func(c *call) error {
				return one(c)(c.reading.Endpoint(c.r.Context(), c.tenant(), c.path("endpoint")))
			}},
		{method: http.MethodPatch, path: path + "/{endpoint}", id: "update-endpoint", tag: "Endpoints", status: 200,
			summary: "Change an endpoint (merge patch)", answer: engine.Endpoint{}, body: endpointBody{}, query: strictParameter(),
			doc: "`event_types` and `filter` change its only subscription; 409 when it has several. null goes back to the profile's value.",
			handle: func(c *call) error {
				var in endpointBody
				if err := c.decode(&in); err != nil {
					return err
				}
				warnings, err := (&saving{in.Filter, in.EventTypes, func() (*string, []string, error) {
					ep, err := c.svc.Endpoint(c.r.Context(), c.tenant(), c.path("endpoint"))
					return ep.Filter, ep.EventTypes, err
				}}).check(c)
				if err != nil {
					return err
				}
				saved, err := c.svc.UpdateEndpoint(c.r.Context(), c.by, c.tenant(), c.path("endpoint"), engine.EndpointInput(in))
				saved.FilterWarnings = warnings
				return one(c)(saved, err)
			}},
		{method: http.MethodDelete, path: path + "/{endpoint}", id: "delete-endpoint", tag: "Endpoints", status: 204,
			summary: "Delete an endpoint; its pending deliveries are canceled",
			handle: func(c *call) error {
				return c.gone(c.svc.DeleteEndpoint(c.r.Context(), c.by, c.tenant(), c.path("endpoint")))
			}},
		{method: http.MethodGet, path: path + "/{endpoint}/secret", id: "get-endpoint-secret", tag: "Endpoints", status: 200, need: needManage,
			summary: "Get the signing secret", answer: engine.EndpointSecret{},
			handle: func(c *call) error {
				c.w.Header().Set("Cache-Control", "no-store")
				return one(c)(c.svc.EndpointSecret(c.r.Context(), c.tenant(), c.path("endpoint")))
			}},
	}
}

func endpointVerbs() []*operation {
	const path = tenantPath + "/endpoints/{endpoint}:"
	plain := func(verb, summary string, act func(c *call) (engine.Endpoint, error)) *operation {
		return &operation{method: http.MethodPost, path: path + verb, id: verb + "-endpoint", tag: "Endpoints", status: 200,
			summary: summary, answer: engine.Endpoint{}, body: noFields{}, optional: true,
			handle: func(c *call) error {
				if err := c.decode(&noFields{}); err != nil {
					return err
				}
				return one(c)(act(c))
			}}
	}
	return []*operation{
		plain("enable", "Open both gates: neither disabled nor suppressed", func(c *call) (engine.Endpoint, error) {
			return c.svc.EnableEndpoint(c.r.Context(), c.by, c.tenant(), c.path("endpoint"))
		}),
		plain("disable", "Disable an endpoint until it is enabled", func(c *call) (engine.Endpoint, error) {
			return c.svc.DisableEndpoint(c.r.Context(), c.by, c.tenant(), c.path("endpoint"))
		}),
		plain("clear-suppression", "Clear the suppression only", func(c *call) (engine.Endpoint, error) {
			return c.svc.ClearSuppression(c.r.Context(), c.by, c.tenant(), c.path("endpoint"))
		}),
		{method: http.MethodPost, path: path + "rotate-secret", id: "rotate-endpoint-secret", tag: "Endpoints", status: 200,
			summary: "Switch to another signing secret, given or made", answer: engine.Endpoint{}, body: rotateBody{}, optional: true,
			handle: func(c *call) error {
				var in rotateBody
				if err := c.decode(&in); err != nil {
					return err
				}
				if in.Secret.Set && !in.Secret.Null && in.Secret.Value == "" {
					return engine.Invalid("secret", "is empty: want 8 to 256 bytes, or leave it out to have one made")
				}
				rotate := engine.RotateInput{Secret: in.Secret.Value}
				if in.Overlap.Set && !in.Overlap.Null {
					overlap, err := time.ParseDuration(in.Overlap.Value)
					if err != nil {
						return engine.Invalid("overlap", "%q is no duration, e.g. 24h or 0s", clip(in.Overlap.Value))
					}
					rotate.Overlap = &overlap
				}
				return one(c)(c.svc.RotateSecret(c.r.Context(), c.by, c.tenant(), c.path("endpoint"), rotate))
			}},
		{method: http.MethodPost, path: path + "test", id: "test-endpoint", tag: "Endpoints", status: 200,
			summary: "Send a test event, once, and show request and response", answer: engine.Attempt{}, body: testBody{}, required: []string{"event_type"},
			doc: "Sends the catalogue's example of the type, or `data`. Neutral for every counter, allowed on a blocked endpoint, ignores filters.",
			handle: func(c *call) error {
				var in testBody
				if err := c.decode(&in); err != nil {
					return err
				}
				return one(c)(c.svc.TestEndpoint(c.r.Context(), c.by, c.tenant(), c.path("endpoint"), engine.TestInput{EventType: in.EventType, Data: in.Data.Value}))
			}},
	}
}

type rotateBody struct {
	Secret  engine.Optional[string] `json:"secret" doc:"8 to 256 bytes of UTF-8 without control characters; made when left out"`
	Overlap engine.Optional[string] `json:"overlap" doc:"how long the secret before signs too, 0s to 720h; default 24h where the profile's signature can carry two, else there is none"`
}

type testBody struct {
	EventType string                           `json:"event_type" doc:"a type of the profile's catalogue"`
	Data      engine.Optional[json.RawMessage] `json:"data" doc:"an object to send instead of the catalogue's example, byte for byte; at most 256 KiB"`
}
