package blackbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func (n *tenant) subscribe(t testing.TB, endpointID, filter string, types ...string) subscription {
	t.Helper()
	var s subscription
	body := fields{"endpoint_id": endpointID, "event_types": types}
	if filter != "" {
		body["filter"] = filter
	}
	n.s.api.post(t, http.StatusCreated, n.path("/subscriptions"), body, &s)
	equal(t, "new subscription", row(s.ID != "", s.EndpointID, s.EventTypes, s.Filter), row(true, endpointID, types, filter))
	return s
}

// Subscriptions: made, read, changed, removed; one delivery an endpoint however many of them match.
func TestSubscriptions(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(200), fields{"event_types": []string{"domain.registered"}})
	first := list[subscription](t, r.api, n.path("/subscriptions"))[0]
	equal(t, "the endpoint's first", row(first.EndpointID, first.EventTypes), row(ep.ID, []string{"domain.registered"}))
	second := n.subscribe(t, ep.ID, "", "domain.*")
	third := n.subscribe(t, ep.ID, `data.n == 7`, "*")

	p := n.publish(t, sample("domain.registered", 7))
	equal(t, "matches", len(p.Matched), 1)
	got := p.Matched[0]
	equal(t, "subscription_id, the oldest", got.SubscriptionID, first.ID)
	want := []string{first.ID, second.ID, third.ID}
	slices.Sort(want)
	ids := slices.Clone(got.SubscriptionIDs)
	slices.Sort(ids)
	equal(t, "subscription_ids", strings.Join(ids, " "), strings.Join(want, " "))
	r.settle(t)
	k.exactly(t, 1)

	one := n.path("/subscriptions/", second.ID)
	r.api.call(t, http.StatusConflict, "PATCH", n.path("/endpoints/", ep.ID), fields{"event_types": []string{"a.b"}})
	r.api.call(t, http.StatusConflict, "PATCH", n.path("/endpoints/", ep.ID), fields{"filter": "data.n == 1"})
	r.api.patch(t, 200, n.path("/endpoints/", ep.ID), fields{"description": "still works"}, nil)
	var changed, read subscription
	r.api.patch(t, 200, one, fields{"event_types": []string{"server.created"}, "filter": `data.n > 3`}, &changed)
	r.api.get(t, one, &read)
	equal(t, "after the change", row(read), row(changed))
	equal(t, "changed", row(changed.EventTypes, changed.Filter), row([]string{"server.created"}, "data.n > 3"))
	var bare map[string]any
	r.api.patch(t, 200, one, fields{"filter": nil}, &bare)
	equal(t, "filter removed by null", fmt.Sprint(bare["filter"]), "<nil>")
	r.api.call(t, 422, "PATCH", one, fields{"event_types": []string{}})
	r.api.call(t, 422, "POST", n.path("/subscriptions"), fields{"endpoint_id": ep.ID, "event_types": []string{}})
	r.api.call(t, 422, "POST", n.path("/subscriptions"), fields{"endpoint_id": ep.ID, "event_type": "a.b"})
	missing := r.api.do(t, "POST", n.path("/subscriptions"), fields{"endpoint_id": "ep_none", "event_types": []string{"a.b"}})
	if missing.status != 404 && missing.status != 422 {
		t.Errorf("subscription of an endpoint that does not exist: %d, want 404 or 422", missing.status)
	}

	r.api.delete(t, http.StatusNoContent, n.path("/subscriptions/", first.ID))
	r.api.call(t, http.StatusNotFound, "GET", n.path("/subscriptions/", first.ID), nil)
	r.api.delete(t, http.StatusNoContent, n.path("/subscriptions/", third.ID))
	equal(t, "left", len(list[subscription](t, r.api, n.path("/subscriptions"))), 1)
	r.api.patch(t, 200, n.path("/endpoints/", ep.ID), fields{"event_types": []string{"invoice.paid"}}, nil) // the only one again
	equal(t, "matches now", len(n.publish(t, sample("invoice.paid", 1)).Matched), 1)
	r.api.delete(t, http.StatusNoContent, one)
	equal(t, "without any", len(n.publish(t, sample("invoice.paid", 1)).Matched), 0)
}

// Selectors: a plain name is itself only, domain.* is everything below, states included, * is everything.
func TestSelectors(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n := r.tenant(t, "acme", "osir") // names outside its catalogue are deliverable
	targets := map[string]string{}
	for i, sel := range []string{"domain", "domain.*", "domain.register", "domain.register:started", "domain.register.*", "*"} {
		targets[n.endpoint(t, r.rcv.sink(fmt.Sprint("s", i), always(200)), fields{"event_types": []string{sel}}).ID] = sel
	}
	for typ, want := range map[string]string{
		"domain":                  "* domain",
		"domain.register":         "* domain.* domain.register",
		"domain.register:started": "* domain.* domain.register:started",
		"domain.register.done":    "* domain.* domain.register.*",
		"domain.a.b.c:d":          "* domain.*",
		"domains.register":        "*",
		"Domain.register":         "*",
		"zone.create":             "*",
	} {
		var got []string
		for _, m := range n.publish(t, event{typ: typ, data: `{}`}).Matched {
			got = append(got, targets[m.EndpointID])
		}
		slices.Sort(got)
		equal(t, typ, strings.Join(got, " "), want)
	}
}

// Filters route: what they see, and that a missing path is no error.
func TestFiltersRoute(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	e := event{
		typ: "domain.registered", id: "evt_filter1", occurredAt: "2026-01-01T10:00:00Z",
		data:  `{"zone":{"name":"example.com","tags":["a","b"],"ttl":3600},"price":12.5,"free":false}`,
		actor: `{"id":"u1","kind":"person"}`, metadata: `{"region":"eu"}`,
	}
	for i, c := range []struct {
		filter string
		want   bool
	}{
		{`data.zone.name == "example.com"`, true},
		{`data.zone.name == "example.org"`, false},
		{`data.zone.name in ["example.org", "example.com"]`, true},
		{`data.zone.name startsWith "exam"`, true},
		{`data.zone.ttl >= 3600 && data.price < 13`, true},
		{`data.free == false`, true},
		{`type == "domain.registered"`, true},
		{`type startsWith "server."`, false},
		{`actor.kind == "person"`, true},
		{`metadata.region == "us"`, false},
		{`id == "evt_filter1"`, true},
		{`data.missing.deeper.still == nil`, true},
		{`data.missing.deeper == "x"`, false},
		{`data.zone.name matches "^exam.*com$"`, true},
		{`"b" in data.zone.tags`, true},
	} {
		t.Run(c.filter, func(t *testing.T) {
			ep := n.endpoint(t, k, fields{"filter": c.filter})
			e.id = "evt_filter1"
			e.typ = "domain.registered"
			e.key = fmt.Sprint("filter-", i)
			var p published
			r.api.post(t, 202, n.path("/events?explain=true"), e.json(), &p)
			equal(t, "matched", len(p.Matched) == 1, c.want)
			if !c.want {
				if len(p.Unmatched) != 1 || p.Unmatched[0].EndpointID != ep.ID || p.Unmatched[0].Reason == "" {
					t.Errorf("unmatched: got %+v, want the endpoint with a reason", p.Unmatched)
				}
			}
			r.api.delete(t, 204, n.path("/endpoints/", ep.ID))
		})
	}
}

// Routing never lags a subscription change: the very next publish sees it, every time.
func TestRoutingFollowsAtOnce(t *testing.T) {
	t.Parallel()
	r, n, _, ep := osirRig(t, always(200), fields{"filter": `data.n == 0`})
	for i := range 40 {
		r.api.patch(t, 200, n.path("/endpoints/", ep.ID), fields{"filter": fmt.Sprintf(`data.n == %d`, i)}, nil)
		equal(t, row("match of the new filter", i), len(n.publish(t, sample("a.b", i)).Matched), 1)
		equal(t, row("match of the old filter", i-1), len(n.publish(t, sample("a.b", i-1)).Matched), 0)
	}
	r.api.patch(t, 200, n.path("/endpoints/", ep.ID), fields{"filter": nil}, nil)
	equal(t, "without a filter", len(n.publish(t, sample("a.b", 1000)).Matched), 1)
}
