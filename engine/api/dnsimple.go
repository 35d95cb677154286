package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

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

type webhookList struct {
	Data []webhook `json:"data"`
}

type webhookBody struct {
	URL string `json:"url" doc:"where to deliver; https"`
}

// dnsimpleError is a refusal in DNSimple's form; errors lists messages by field.
type dnsimpleError struct {
	Message string              `json:"message"`
	Errors  map[string][]string `json:"errors,omitempty"`
}

func dnsimpleOperations() []*operation {
	const path = "/v2/{account}/webhooks"
	return []*operation{
		{method: http.MethodGet, path: path, id: "dnsimple-list-webhooks", tag: dnsimpleTag, status: 200, summary: "List webhooks",
			answer: webhookList{}, query: []parameter{{name: "sort", doc: "default id:asc", enum: []string{"id:asc", "id:desc"}}},
			handle: listWebhooks},
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
				return c.gone(c.svc.DeleteEndpoint(c.r.Context(), c.by, c.path("account"), e.ID))
			}},
	}
}

// account fails unless {account} is a tenant of this face.
func (c *call) account() (string, error) {
	id := c.path("account")
	t, err := c.svc.Tenant(c.r.Context(), id)
	var e *engine.Error
	if errors.As(err, &e) && e.Code == engine.CodeNotFound || err == nil && t.Profile != "dnsimple" {
		return "", &engine.Error{Code: engine.CodeNotFound, Detail: fmt.Sprintf("Account `%s` not found", clip(id))}
	}
	return id, err
}

// webhook finds the endpoint by its number.
func (c *call) webhook() (engine.Endpoint, error) {
	account, err := c.account()
	if err != nil {
		return engine.Endpoint{}, err
	}
	text := c.path("webhook")
	missing := &engine.Error{Code: engine.CodeNotFound, Detail: fmt.Sprintf("Webhook `%s` not found", clip(text))}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		return engine.Endpoint{}, missing
	}
	e, err := c.svc.EndpointByNumber(c.r.Context(), account, n)
	var known *engine.Error
	if errors.As(err, &known) && known.Code == engine.CodeNotFound {
		return engine.Endpoint{}, missing
	}
	return e, err
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
	if err != nil {
		return err
	}
	return c.json(c.op.status, webhookAnswer{Data: webhookOf(e)})
}

func listWebhooks(c *call) error {
	account, err := c.account()
	if err != nil {
		return err
	}
	out, err := c.allWebhooks(c.r.Context(), account)
	if err != nil {
		return err
	}
	slices.SortFunc(out, func(a, b webhook) int {
		if c.values["sort"] == "id:desc" {
			a, b = b, a
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return c.json(c.op.status, webhookList{Data: out})
}

// allWebhooks reads all pages: this face has none, and a tenant's endpoints are bounded.
func (c *call) allWebhooks(ctx context.Context, account string) ([]webhook, error) {
	out := []webhook{}
	in := engine.ListInput{Limit: maxLimit, MinSeq: c.minSeq}
	for {
		p, err := c.svc.Endpoints(ctx, account, in)
		if err != nil {
			return nil, err
		}
		for _, e := range p.Data {
			out = append(out, webhookOf(e))
		}
		if p.NextCursor == nil {
			return out, nil
		}
		in.Cursor = *p.NextCursor
	}
}

// dnsimpleRefusal is a problem in DNSimple's words: wrong fields are a 400 there.
func dnsimpleRefusal(p Problem) (contentType string, status int, body any) {
	out := dnsimpleError{Message: p.Detail}
	switch p.Status {
	case http.StatusUnauthorized:
		out.Message = "Authentication failed"
	case http.StatusUnprocessableEntity:
		p.Status, out.Message, out.Errors = http.StatusBadRequest, "Validation failed", map[string][]string{}
		for _, f := range p.Errors {
			out.Errors[f.Location] = append(out.Errors[f.Location], f.Message)
		}
	}
	return "application/json", p.Status, out
}

func (b *documentBuilder) dnsimpleRefusals(op *operation, o *huma.Operation) {
	refusal := func(d string) *huma.Response {
		return &huma.Response{Description: d, Content: map[string]*huma.MediaType{"application/json": {Schema: b.schema(reflect.TypeFor[dnsimpleError]())}}}
	}
	o.Responses["401"] = refusal("Authentication failed")
	o.Responses["404"] = refusal("No such account of this profile, or no such webhook")
	if op.body != nil || len(op.query) > 0 {
		o.Responses["400"] = refusal("Validation failed: messages by field in `errors`")
	}
}
