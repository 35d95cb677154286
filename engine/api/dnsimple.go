package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/hookline/hookline/engine"
)

// DNSimple's REST face, in the shapes that its own clients expect (PROVIDERS.md, "DNSimple's REST API"): a webhook is an
// endpoint of a tenant of profile dnsimple, its integer id the endpoint's number, {account} the tenant's id.

const dnsimpleTag = "DNSimple"

type webhook struct {
	ID           uint64       `json:"id"`
	URL          string       `json:"url"`
	SuppressedAt *engine.Time `json:"suppressed_at"`
}

type webhookAnswer struct {
	Data webhook `json:"data"`
}

// webhookBody takes a webhook as it was read too: DNSimple's Go client sends the whole object, and what the server sets
// in it does not count.
type webhookBody struct {
	URL          string                           `json:"url" doc:"where to deliver; https"`
	ID           engine.Optional[json.RawMessage] `json:"id" doc:"of no effect"`
	SuppressedAt engine.Optional[json.RawMessage] `json:"suppressed_at" doc:"of no effect"`
}

func dnsimpleOperations() []*operation {
	const path = "/v2/{account}/webhooks"
	return []*operation{
		dnsimpleWhoami(),
		{method: http.MethodGet, path: path, id: "dnsimple-list-webhooks", tag: dnsimpleTag, status: 200, summary: "List webhooks",
			doc:    "All of them; with `page` or `per_page` one page and `pagination`.",
			answer: webhookList{}, query: webhookQuery(), handle: listWebhooks},
		{method: http.MethodPost, path: path, id: "dnsimple-create-webhook", tag: dnsimpleTag, status: 201, summary: "Create a webhook",
			answer: webhookAnswer{}, body: webhookBody{}, required: []string{"url"}, handle: createWebhook},
		{method: http.MethodGet, path: path + "/{webhook}", id: "dnsimple-get-webhook", tag: dnsimpleTag, status: 200, summary: "Get a webhook",
			answer: webhookAnswer{},
			handle: func(c *call) error {
				e, err := c.webhook()
				if err != nil {
					return err
				}
				return c.json(c.op.status, webhookAnswer{Data: webhookOf(e)})
			}},
		{method: http.MethodDelete, path: path + "/{webhook}", id: "dnsimple-delete-webhook", tag: dnsimpleTag, status: 204, summary: "Delete a webhook",
			handle: func(c *call) error {
				e, err := c.webhook()
				if err != nil {
					return err
				}
				return c.gone(unless(c.svc.DeleteEndpoint(c.r.Context(), c.by, c.path("account"), e.ID), c.noWebhook()))
			}},
	}
}

// unless is err, or missing where err says that something is not there: the messages of /v1 would be no words of this face.
func unless(err error, missing *engine.Error) error {
	var e *engine.Error
	if errors.As(err, &e) && e.Code == engine.CodeNotFound {
		return missing
	}
	return err
}

func noAccount(id string) *engine.Error {
	return &engine.Error{Code: engine.CodeNotFound, Detail: fmt.Sprintf("Account `%s` not found", clip(id))}
}

func (c *call) noWebhook() *engine.Error {
	return &engine.Error{Code: engine.CodeNotFound, Detail: fmt.Sprintf("Webhook `%s` not found", clip(c.path("webhook")))}
}

// account fails unless {account} is a tenant of this face.
func (c *call) account() (string, error) {
	id := c.path("account")
	t, err := c.svc.Tenant(c.r.Context(), id)
	if err == nil && t.Profile != "dnsimple" {
		err = noAccount(id)
	}
	return id, unless(err, noAccount(id))
}

// webhook finds the endpoint by its number.
func (c *call) webhook() (engine.Endpoint, error) {
	account, err := c.account()
	if err != nil {
		return engine.Endpoint{}, err
	}
	n, err := strconv.ParseUint(c.path("webhook"), 10, 64)
	if err != nil || n == 0 {
		return engine.Endpoint{}, c.noWebhook()
	}
	e, err := c.svc.EndpointByNumber(c.r.Context(), account, n)
	return e, unless(err, c.noWebhook())
}

func webhookOf(e engine.Endpoint) webhook {
	return webhook{ID: e.Number, URL: e.URL, SuppressedAt: e.SuppressedAt}
}

func createWebhook(c *call) error {
	account, err := c.account()
	if err != nil {
		return err
	}
	var in webhookBody
	if err := c.decode(&in); err != nil {
		return err
	}
	e, err := c.svc.CreateEndpoint(c.r.Context(), c.by, account, engine.EndpointInput{URL: engine.Some(in.URL)})
	if err = unless(err, noAccount(account)); err != nil {
		return err
	}
	return c.json(c.op.status, webhookAnswer{Data: webhookOf(e)})
}
