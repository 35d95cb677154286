package api

import (
	"net/http"
	"time"

	"github.com/hookline/hookline/engine"
)

type keyBody struct {
	Name      string                  `json:"name" doc:"who uses it, 1 to 256 bytes"`
	Scope     string                  `json:"scope" enum:"admin,publish,read,tenant" doc:"admin: everything; publish: publish events; read: read everything but secrets; tenant: manage and read one tenant's endpoints, subscriptions and deliveries, not publish"`
	Tenant    engine.Optional[string] `json:"tenant" doc:"the only tenant that the key is good for; needed for the scope tenant, may be given for publish and read"`
	ExpiresAt engine.Optional[string] `json:"expires_at" doc:"RFC 3339, at least a minute away; default never"`
}

func keyOperations() []*operation {
	return []*operation{
		{method: http.MethodPost, path: "/v1/keys", id: "create-key", tag: "Keys", status: 201,
			summary: "Issue an API key", answer: engine.Key{}, body: keyBody{}, required: []string{"name", "scope"},
			doc: "The key itself is in this answer only; what is stored is its SHA-256.",
			handle: func(c *call) error {
				var in keyBody
				if err := c.decode(&in); err != nil {
					return err
				}
				key := engine.KeyInput{Name: in.Name, Scope: in.Scope, Tenant: in.Tenant.Value}
				if in.Tenant.Set && !in.Tenant.Null && in.Tenant.Value == "" {
					return engine.Invalid("tenant", "is empty: give a tenant's id, or leave it out for all")
				}
				if in.ExpiresAt.Set && !in.ExpiresAt.Null {
					t, err := time.Parse(time.RFC3339Nano, in.ExpiresAt.Value)
					if err != nil {
						return engine.Invalid("expires_at", "%q is no RFC 3339 time, e.g. 2026-01-31T08:00:00Z", clip(in.ExpiresAt.Value))
					}
					key.ExpiresAt = t
				}
				c.w.Header().Set("Cache-Control", "no-store")
				return one(c)(c.svc.IssueKey(c.r.Context(), c.by, key))
			}},
		{method: http.MethodGet, path: "/v1/keys", id: "list-keys", tag: "Keys", status: 200, need: needAdmin,
			summary: "List issued keys, newest first", answer: engine.Page[engine.Key]{}, query: paging(),
			doc: "Revoked ones included. The configured admin key is not one of them: it is replaced by starting with another.",
			handle: func(c *call) error {
				in, err := c.list()
				if err != nil {
					return err
				}
				p, err := c.svc.IssuedKeys(c.r.Context(), in)
				return answerPage(c, p, err)
			}},
		{method: http.MethodGet, path: "/v1/keys/{key}", id: "get-key", tag: "Keys", status: 200, need: needAdmin,
			summary: "Get one issued key", answer: engine.Key{},
			handle: func(c *call) error {
				return one(c)(c.svc.IssuedKey(c.r.Context(), c.path("key")))
			}},
		{method: http.MethodDelete, path: "/v1/keys/{key}", id: "revoke-key", tag: "Keys", status: 204,
			summary: "Revoke a key, at once and for ever",
			handle: func(c *call) error {
				_, err := c.svc.RevokeKey(c.r.Context(), c.by, c.path("key"))
				return c.gone(err)
			}},
		{method: http.MethodGet, path: "/v1/whoami", id: "whoami", tag: "Keys", status: 200, need: needKey,
			summary: "Who this key is, and what it may do", answer: whoAmI{},
			handle: func(c *call) error {
				o := whoAmI{ID: c.who.ID, Scope: c.who.Scope.String()}
				if c.who.Bound() {
					o.Tenant = &c.who.Tenant
				}
				if c.who.ExpiresAt != 0 {
					t := engine.Time(c.who.ExpiresAt)
					o.ExpiresAt = &t
				}
				return c.json(http.StatusOK, o)
			}},
	}
}

func auditOperations() []*operation {
	query := paging(append(span(), parameter{name: "order", doc: "asc = oldest first", enum: []string{"asc", "desc"}})...)
	return []*operation{
		{method: http.MethodGet, path: "/v1/audit", id: "list-changes", tag: "Audit", status: 200,
			summary: "Every change that people, policies and the configuration made, newest first", answer: engine.Page[engine.Change]{}, query: query,
			doc: "Who changed what and when, from the log. What is sealed is not shown.",
			handle: func(c *call) error {
				in, err := c.list()
				if err != nil {
					return err
				}
				p, err := c.svc.Audit(c.r.Context(), "", in)
				return answerPage(c, p, err)
			}},
		{method: http.MethodGet, path: tenantPath + "/audit", id: "list-tenant-changes", tag: "Audit", status: 200,
			summary: "Every change of one tenant, newest first", answer: engine.Page[engine.Change]{}, query: query,
			handle: func(c *call) error {
				return list(c, c.svc.Audit)
			}},
	}
}

type whoAmI struct {
	ID        string       `json:"id" doc:"admin_key, or the id of the key or portal session"`
	Scope     string       `json:"scope" enum:"admin,publish,read,tenant"`
	Tenant    *string      `json:"tenant" doc:"the only tenant it may touch; null = all"`
	ExpiresAt *engine.Time `json:"expires_at"`
}
