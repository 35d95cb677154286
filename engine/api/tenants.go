package api

import (
	"encoding/json"
	"net/http"

	"github.com/hookline/hookline/engine"
)

type tenantBody struct {
	ID               engine.Optional[string]          `json:"id" doc:"[A-Za-z0-9_-]{1,64}; made as ten_... when left out; never free again"`
	Profile          engine.Optional[string]          `json:"profile" doc:"name of a profile, see /v1/profiles; default standard"`
	Name             engine.Optional[string]          `json:"name" doc:"for people"`
	Attributes       engine.Optional[json.RawMessage] `json:"attributes" doc:"an object; which members are needed is the profile's rule (dnsimple: id, identifier, display)"`
	ManagementEvents engine.Optional[bool]            `json:"management_events" doc:"publish what becomes of its endpoints and deliveries as events of its own; default false"`
}

type tenantPatch struct {
	ID               engine.Optional[string]          `json:"id" fixed:"true"`
	Profile          engine.Optional[string]          `json:"profile" doc:"name of a profile"`
	Name             engine.Optional[string]          `json:"name" doc:"for people"`
	Attributes       engine.Optional[json.RawMessage] `json:"attributes" doc:"an object"`
	ManagementEvents engine.Optional[bool]            `json:"management_events" doc:"publish what becomes of its endpoints and deliveries as events of its own; default false"`
}

type eraseBody struct {
	Confirm string `json:"confirm" doc:"the tenant's id once more"`
}

// input is the engine's form. null means back to the default.
func (b tenantBody) input() (in engine.TenantInput, err error) {
	if b.Profile.Null {
		return in, engine.Invalid("profile", "must be a string, is null")
	}
	if b.Attributes.Set && (b.Attributes.Null || len(b.Attributes.Value) == 0) {
		b.Attributes.Value = json.RawMessage(`{}`)
	}
	if b.Attributes.Set && b.Attributes.Value[0] != '{' {
		return in, engine.Invalid("attributes", "must be an object")
	}
	in.ID = b.ID.Value
	in.Profile, in.Name = pointer(b.Profile), pointer(b.Name)
	in.Attributes, in.ManagementEvents = pointer(b.Attributes), pointer(b.ManagementEvents)
	return in, nil
}

func pointer[T any](o engine.Optional[T]) *T {
	if !o.Set {
		return nil
	}
	return &o.Value
}

func tenantOperations() []*operation {
	return []*operation{
		{method: http.MethodPost, path: "/v1/tenants", id: "create-tenant", tag: "Tenants", status: 201,
			summary: "Create a tenant", answer: engine.Tenant{}, body: tenantBody{},
			handle: func(c *call) error {
				var in tenantBody
				if err := c.decode(&in); err != nil {
					return err
				}
				if in.ID.Set && !in.ID.Null && in.ID.Value == "" {
					return engine.Invalid("id", "is empty: want 1 to 64 of A-Z a-z 0-9 _ -, or leave it out")
				}
				tenant, err := in.input()
				if err != nil {
					return err
				}
				return one(c)(c.svc.CreateTenant(c.r.Context(), c.by, tenant))
			}},
		{method: http.MethodGet, path: "/v1/tenants", id: "list-tenants", tag: "Tenants", status: 200,
			summary: "List tenants, newest first", answer: engine.Page[engine.Tenant]{}, query: dated(paging()),
			handle: func(c *call) error {
				in, err := c.list()
				if err != nil {
					return err
				}
				p, err := c.reading.Tenants(c.r.Context(), in)
				return answerPage(c, p, err)
			}},
		{method: http.MethodGet, path: tenantPath, id: "get-tenant", tag: "Tenants", status: 200,
			summary: "Get one tenant", answer: engine.Tenant{}, query: dated(nil),
			handle: func(c *call) error {
				return one(c)(c.reading.Tenant(c.r.Context(), c.tenant()))
			}},
		{method: http.MethodPatch, path: tenantPath, id: "update-tenant", tag: "Tenants", status: 200, need: needAdmin,
			summary: "Change a tenant (merge patch)", answer: engine.Tenant{}, body: tenantPatch{},
			handle: func(c *call) error {
				var in tenantPatch
				if err := c.decode(&in); err != nil {
					return err
				}
				tenant, err := tenantBody(in).input()
				if err != nil {
					return err
				}
				if in.Attributes.Null { // an empty patch would keep them all
					none := json.RawMessage("null")
					tenant.Attributes = &none
				}
				return one(c)(c.svc.UpdateTenant(c.r.Context(), c.by, c.tenant(), tenant))
			}},
		{method: http.MethodDelete, path: tenantPath, id: "delete-tenant", tag: "Tenants", status: 204, need: needAdmin,
			summary: "Delete a tenant",
			doc:     "Cancels its pending deliveries (reason `tenant_deleted`) and removes its endpoints; history and keys stay. The id is never free again.",
			handle: func(c *call) error {
				return c.gone(c.svc.DeleteTenant(c.r.Context(), c.by, c.tenant()))
			}},
		{method: http.MethodPost, path: tenantPath + ":erase", id: "erase-tenant", tag: "Tenants", status: 200, need: needAdmin,
			summary: "Erase a tenant: nothing brings it back", answer: engine.Erasure{}, body: eraseBody{}, required: []string{"confirm"},
			doc: "Destroys the keys of everything that was written of the tenant, deleted or not: bodies, requests, responses, URLs, secrets, names, " +
				"filters. Pending deliveries are canceled, the tenant is deleted. Its records stay with their facts (ids, types, times, outcomes), " +
				"read `erased`, and the log still verifies. Backups lose the keys too.",
			handle: func(c *call) error {
				var in eraseBody
				if err := c.decode(&in); err != nil {
					return err
				}
				return one(c)(c.svc.EraseTenant(c.r.Context(), c.by, c.tenant(), in.Confirm))
			}},
	}
}

func profileOperations() []*operation {
	return []*operation{
		{method: http.MethodGet, path: "/v1/profiles", id: "list-profiles", tag: "Profiles", status: 200, need: needKey,
			summary: "List the profiles with their catalogues", answer: engine.Page[engine.Profile]{}, query: paging(),
			handle: func(c *call) error {
				return short(c, c.svc.Profiles())
			}},
		{method: http.MethodGet, path: "/v1/profiles/{profile}", id: "get-profile", tag: "Profiles", status: 200, need: needKey,
			summary: "Get one profile: catalogue with examples, schedule, policies", answer: engine.Profile{},
			handle: func(c *call) error {
				return one(c)(c.svc.Profile(c.path("profile")))
			}},
	}
}
