package blackbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
)

// managed switches a tenant's operational events on.
func (n *tenant) managed(t testing.TB) {
	t.Helper()
	var got struct {
		On bool `json:"management_events"`
	}
	n.s.api.patch(t, 200, n.path(), fields{"management_events": true}, &got)
	equal(t, "management_events", got.On, true)
}

// types are those of the tenant's events, oldest first.
func (n *tenant) types(t testing.TB) string {
	t.Helper()
	var all []string
	for _, e := range n.events(t) {
		all = append(all, e.Type)
	}
	slices.Reverse(all)
	return fmt.Sprint(all)
}

// O-15 told: what the engine and a person do to an endpoint, and what was given up, is published into the tenant's own
// stream, where a subscription selects it; it survives a restart.
func TestOperationalEvents(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(500), fields{"event_types": []string{"domain.*"}})
	watch := r.rcv.sink("watch", always(200))
	n.endpoint(t, watch, fields{"event_types": []string{"endpoint.*", "delivery.exhausted"}})
	n.managed(t)
	failed := r.exhaustOSIR(t, n, k)
	r.settle(t)
	equal(t, "events", n.types(t), "[domain.registered delivery.exhausted endpoint.disabled]")
	for _, q := range watch.exactly(t, 2) {
		checkOSIR(t, q, n.secret(t, list[endpoint](t, r.api, n.path("/endpoints"))[0].ID))
		var b struct {
			Data struct {
				Endpoint struct {
					ID, Status string
					Reason     string `json:"disabled_reason"`
				}
				Delivery struct{ ID string }
			}
		}
		if err := json.Unmarshal(q.body, &b); err != nil {
			t.Fatal(err)
		}
		equal(t, "told", row(b.Data.Endpoint.ID, b.Data.Endpoint.Status, b.Data.Endpoint.Reason, b.Data.Delivery.ID),
			row(ep.ID, "disabled", "delivery_exhausted", failed.ID))
	}
	n.act(t, ep.ID, "enable")
	n.act(t, ep.ID, "disable")
	r.settle(t)
	r.kill9(t)
	r.start(t)
	r.restarted()
	r.settle(t)
	equal(t, "events", n.types(t), "[domain.registered delivery.exhausted endpoint.disabled endpoint.enabled endpoint.disabled]")
	watch.exactly(t, 4)
	r.stop(t)
	r.logOK(t, "rebuild", "--check")
}

// R-10 and D-13: with management_events a dnsimple account is told of its webhooks by DNSimple's names, and warned on the
// way to the suppression; without it, of nothing.
func TestOperationalEventsDNSimple(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n := r.tenant(t, "4711", "dnsimple")
	one, two := r.rcv.sink("one", always(200)), r.rcv.sink("two", always(500))
	quiet := r.tenant(t, "quiet", "dnsimple")
	quiet.endpoint(t, r.rcv.sink("quiet", always(200)), nil)
	n.managed(t)
	n.endpoint(t, one, nil)
	r.settle(t)
	ep := n.endpoint(t, two, nil)
	r.settle(t)
	first := one.exactly(t, 2)
	for i, q := range first {
		b := checkDNSimple(t, q)
		equal(t, "name", b.Name, "webhook.create")
		sameJSON(t, "data", b.Data, fmt.Appendf(nil, `{"webhook":{"id":%d,"url":"%s","suppressed_at":null}}`, i+1, []string{one.url, two.url}[i]))
		sameJSON(t, "actor", b.Actor, []byte(`{"id":"system","entity":"system","pretty":""}`))
	}
	two.exactly(t, 1)
	for i := range 3 { // 14 more failures in a row: 15 suppress
		n.publish(t, zoneEvent("zone.create", i))
	}
	r.advance(t, 2*time.Hour)
	equal(t, "endpoint", n.getEndpoint(t, ep.ID).Status, "suppressed")
	r.api.delete(t, 204, "/v2/4711/webhooks/2")
	r.settle(t)
	var told []string
	for _, q := range one.requests() {
		told = append(told, checkDNSimple(t, q).Name)
	}
	slices.Sort(told)
	told = slices.DeleteFunc(told, func(name string) bool { return name == "zone.create" || name == "endpoint.failing" })
	equal(t, "told", fmt.Sprint(told), "[endpoint.suppressed webhook.create webhook.create webhook.delete]")
	last := one.requests()
	var gone struct{ Webhook webhook }
	if err := json.Unmarshal(checkDNSimple(t, last[len(last)-1]).Data, &gone); err != nil {
		t.Fatal(err)
	}
	equal(t, "deleted", row(gone.Webhook.ID, gone.Webhook.URL, gone.Webhook.SuppressedAt != nil), row(2, two.url, true))
	equal(t, "events of an account without it", len(quiet.events(t)), 0)
}
