package demo

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/hookline/hookline/cmd/hookline/demo/client"
)

// setUp makes what is absent: tenants with fixed ids, and each hook as an endpoint that is known by its description.
func (d *Demo) setUp(ctx context.Context, api *client.Client) error {
	for _, r := range d.receivers {
		if err := d.setUpCustomer(ctx, api, r); err != nil {
			return err
		}
	}
	return d.kept.save(d.o.Dir)
}

type endpoint struct {
	ID          string `json:"id"`
	URL         string `json:"url"`
	Description string `json:"description"`
	Status      string `json:"status"`
}

func (d *Demo) setUpCustomer(ctx context.Context, api *client.Client, r *receiver) error {
	c := r.customer
	if err := makeTenant(ctx, api, c); err != nil {
		return err
	}
	base := "/v1/tenants/" + c.tenant + "/endpoints"
	var have []endpoint
	if err := client.Each(ctx, api, base, func(e endpoint) error { have = append(have, e); return nil }); err != nil {
		return err
	}
	for i := range c.hooks {
		h := &c.hooks[i]
		var e endpoint
		if at := slices.IndexFunc(have, func(e endpoint) bool { return e.Description == h.name }); at >= 0 {
			e = have[at]
			if err := d.adopt(ctx, api, base, r, h, &e); err != nil {
				return err
			}
		} else if err := api.Do(ctx, http.MethodPost, base, h.create(r.url(h), d.kept.secret(c.tenant+"/"+h.name)), &e); err != nil {
			return fmt.Errorf("demo: endpoint %s of %s: %w", h.name, c.tenant, err)
		}
		if d.o.Live != nil {
			d.o.Live.name(e.ID, h.name)
		}
		if e.Status != "enabled" {
			d.say("endpoint %s of %s is %s: enable it with POST %s/%s:enable", h.name, c.tenant, e.Status, base, e.ID)
		}
	}
	return nil
}

// makeTenant creates a tenant; 409 says that it exists.
func makeTenant(ctx context.Context, api *client.Client, c *customer) error {
	in := map[string]any{"id": c.tenant, "profile": c.profile, "name": c.name}
	if c.attributes != nil {
		in["attributes"] = c.attributes
	}
	if err := api.Do(ctx, http.MethodPost, "/v1/tenants", in, nil); err != nil && client.Status(err) != http.StatusConflict {
		return fmt.Errorf("demo: tenant %s: %w", c.tenant, err)
	}
	return nil
}

func (h *hook) create(url, secret string) map[string]any {
	in := map[string]any{"url": url, "description": h.name, "secret": secret}
	if h.eventTypes != nil {
		in["event_types"] = h.eventTypes
	}
	if h.filter != "" {
		in["filter"] = h.filter
	}
	return in
}

// adopt brings an endpoint that exists and its receiver together: the port may be another one, and the secret may have
// been rotated by somebody who tries the API.
func (d *Demo) adopt(ctx context.Context, api *client.Client, base string, r *receiver, h *hook, e *endpoint) error {
	path := base + "/" + e.ID
	if e.URL != r.url(h) {
		if err := api.Do(ctx, http.MethodPatch, path, map[string]string{"url": r.url(h)}, e); err != nil {
			return fmt.Errorf("demo: endpoint %s of %s: %w", h.name, r.customer.tenant, err)
		}
	}
	var s struct {
		Secret string `json:"secret"`
	}
	if err := api.Do(ctx, http.MethodGet, path+"/secret", nil, &s); err != nil {
		return fmt.Errorf("demo: secret of endpoint %s of %s: %w", h.name, r.customer.tenant, err)
	}
	d.kept.Secrets[r.customer.tenant+"/"+h.name] = s.Secret
	r.setSecret(h.name, s.Secret)
	return nil
}
