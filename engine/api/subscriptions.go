package api

import (
	"context"
	"net/http"

	"github.com/hookline/hookline/engine"
)

func subscriptionOperations() []*operation {
	const path = tenantPath + "/subscriptions"
	return []*operation{
		{method: http.MethodPost, path: path, id: "create-subscription", tag: "Subscriptions", status: 201,
			summary: "Route event types to an endpoint", answer: engine.Subscription{}, body: subscriptionBody{}, required: []string{"endpoint_id"}, query: strictParameter(),
			handle: func(c *call) error {
				var in subscriptionBody
				if err := c.decode(&in); err != nil {
					return err
				}
				warnings, err := (&saving{filter: in.Filter, types: in.EventTypes}).check(c)
				if err != nil {
					return err
				}
				saved, err := c.svc.CreateSubscription(c.r.Context(), c.by, c.tenant(), engine.SubscriptionInput(in))
				saved.FilterWarnings = warnings
				return one(c)(saved, err)
			}},
		{method: http.MethodGet, path: path, id: "list-subscriptions", tag: "Subscriptions", status: 200,
			summary: "List subscriptions, newest first", answer: engine.Page[engine.Subscription]{},
			query: dated(paging()),
			handle: func(c *call) error {
				return list(c, c.reading.Subscriptions)
			}},
		{method: http.MethodGet, path: path + "/{subscription}", id: "get-subscription", tag: "Subscriptions", status: 200,
			summary: "Get one subscription", answer: engine.Subscription{}, query: dated(nil),
			handle: func(c *call) error {
				return one(c)(c.reading.Subscription(c.r.Context(), c.tenant(), c.path("subscription")))
			}},
		{method: http.MethodPatch, path: path + "/{subscription}", id: "update-subscription", tag: "Subscriptions", status: 200,
			summary: "Change a subscription (merge patch)", answer: engine.Subscription{}, body: subscriptionPatch{}, query: strictParameter(),
			handle: func(c *call) error {
				var in subscriptionPatch
				if err := c.decode(&in); err != nil {
					return err
				}
				warnings, err := (&saving{in.Filter, in.EventTypes, func() (*string, []string, error) {
					s, err := c.svc.Subscription(c.r.Context(), c.tenant(), c.path("subscription"))
					return s.Filter, s.EventTypes, err
				}}).check(c)
				if err != nil {
					return err
				}
				saved, err := c.svc.UpdateSubscription(c.r.Context(), c.by, c.tenant(), c.path("subscription"), engine.SubscriptionInput(in))
				saved.FilterWarnings = warnings
				return one(c)(saved, err)
			}},
		{method: http.MethodDelete, path: path + "/{subscription}", id: "delete-subscription", tag: "Subscriptions", status: 204,
			summary: "Delete a subscription",
			handle: func(c *call) error {
				return c.gone(c.svc.DeleteSubscription(c.r.Context(), c.by, c.tenant(), c.path("subscription")))
			}},
	}
}

func versionOperations() []*operation {
	const path = tenantPath + "/subscriptions/{subscription}"
	return []*operation{
		{method: http.MethodGet, path: path + "/versions", id: "list-subscription-versions", tag: "Subscriptions", status: 200,
			summary: "List what a subscription was, newest first", answer: engine.Page[engine.VersionOfSubscription]{},
			doc:   "Also of one that was deleted. A version holds for every event with a greater seq, up to the next version.",
			query: paging(),
			handle: func(c *call) error {
				return list(c, func(ctx context.Context, tenant string, in engine.ListInput) (engine.Page[engine.VersionOfSubscription], error) {
					return c.svc.SubscriptionVersions(ctx, tenant, c.path("subscription"), in)
				})
			}},
		{method: http.MethodPost, path: path + ":rollback", id: "rollback-subscription", tag: "Subscriptions", status: 200,
			summary: "Make a new version with the event types, the filter and the mode of an old one", answer: engine.Subscription{},
			body: rollbackBody{}, required: []string{"version"},
			handle: func(c *call) error {
				var in rollbackBody
				if err := c.decode(&in); err != nil {
					return err
				}
				if in.Version < 1 {
					return engine.Invalid("version", "is %d: give the version of one of its versions", in.Version)
				}
				return one(c)(c.svc.RollbackSubscription(c.r.Context(), c.by, c.tenant(), c.path("subscription"),
					engine.RollbackInput{Version: uint64(in.Version), Note: in.Note.Value}))
			}},
		{method: http.MethodPost, path: path + ":promote", id: "promote-subscription", tag: "Subscriptions", status: 200,
			summary: "Let a subscription in shadow mode deliver", answer: engine.Subscription{}, body: promoteBody{}, optional: true,
			doc: "It holds for every event with a seq greater than the answer's `version`. A live one stays as it is.",
			handle: func(c *call) error {
				var in promoteBody
				if err := c.decode(&in); err != nil {
					return err
				}
				return one(c)(c.svc.PromoteSubscription(c.r.Context(), c.by, c.tenant(), c.path("subscription"), in.Note.Value))
			}},
	}
}

type rollbackBody struct {
	Version int                     `json:"version" doc:"seq of the version whose content to take"`
	Note    engine.Optional[string] `json:"note" doc:"why, at most 1000 bytes: kept with the new version"`
}

type promoteBody struct {
	Note engine.Optional[string] `json:"note" doc:"why, at most 1000 bytes: kept with the new version"`
}

type subscriptionBody struct {
	EndpointID engine.Optional[string]   `json:"endpoint_id" doc:"where matching events go"`
	EventTypes engine.Optional[[]string] `json:"event_types" doc:"names, prefixes like domain.* or *; default all"`
	Filter     engine.Optional[string]   `json:"filter" doc:"a boolean expression over the event; default all"`
	Mode       engine.Optional[string]   `json:"mode" doc:"live, the default, or shadow: evaluated and counted, and nothing delivered"`
	Note       engine.Optional[string]   `json:"note" doc:"why, at most 1000 bytes: kept with this version"`
}

// subscriptionPatch is subscriptionBody in a merge patch: its endpoint stays.
type subscriptionPatch struct {
	EndpointID engine.Optional[string]   `json:"endpoint_id" fixed:"true"`
	EventTypes engine.Optional[[]string] `json:"event_types" doc:"names, prefixes like domain.* or *"`
	Filter     engine.Optional[string]   `json:"filter" doc:"a boolean expression over the event; null = all"`
	Mode       engine.Optional[string]   `json:"mode" doc:"live, or shadow: evaluated and counted, and nothing delivered"`
	Note       engine.Optional[string]   `json:"note" doc:"why, at most 1000 bytes: kept with this version"`
}
