package blackbox

import (
	"net/http"
	"testing"
	"time"
)

// A delivery ends by a person, once: cancel, and what is refused with 409 afterwards.
func TestCancel(t *testing.T) {
	t.Parallel()
	r, n, k, _ := osirRig(t, always(500), nil)
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	n.hasStatus(t, id, "pending", "", 1)
	resend, cancel := n.path("/deliveries/", id, ":resend"), n.path("/deliveries/", id, ":cancel")
	r.api.call(t, http.StatusConflict, "POST", resend, nil) // pending: it is still being tried
	var d delivery
	r.api.post(t, 200, cancel, fields{}, &d)
	equal(t, "canceled", row(d.ID, d.Status, d.Reason), row(id, "canceled", "canceled_by_user"))
	r.api.call(t, http.StatusConflict, "POST", resend, nil)
	r.api.call(t, http.StatusConflict, "POST", cancel, nil)
	r.api.call(t, http.StatusNotFound, "POST", n.path("/deliveries/dlv_none:cancel"), nil)
	r.api.call(t, http.StatusNotFound, "POST", n.path("/deliveries/dlv_none:resend"), nil)
	r.api.call(t, 422, "POST", resend, fields{"why": "x"})
	r.advance(t, 48*time.Hour)
	k.exactly(t, 1)
	n.hasStatus(t, id, "canceled", "canceled_by_user", 1)

	k.answers(always(200))
	done := n.publish(t, sample("domain.registered", 2)).only(t)
	r.settle(t)
	r.api.call(t, http.StatusConflict, "POST", n.path("/deliveries/", done, ":cancel"), nil)
	n.hasStatus(t, done, "succeeded", "", 1)
}

// Promise 5 and LESSONS (work for a deleted endpoint): deleting an endpoint ends its deliveries, visibly and for good.
func TestEndpointDelete(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(500), nil)
	var ids []string
	for i := range 3 {
		ids = append(ids, n.publish(t, sample("domain.registered", i)).only(t))
	}
	r.settle(t)
	r.api.delete(t, http.StatusNoContent, n.path("/endpoints/", ep.ID))
	r.api.call(t, http.StatusNotFound, "GET", n.path("/endpoints/", ep.ID), nil)
	r.api.call(t, http.StatusNotFound, "GET", n.path("/endpoints/", ep.ID, "/secret"), nil)
	r.api.call(t, http.StatusNotFound, "DELETE", n.path("/endpoints/", ep.ID), nil)
	equal(t, "endpoints", len(list[endpoint](t, r.api, n.path("/endpoints"))), 0)
	equal(t, "subscriptions", len(list[subscription](t, r.api, n.path("/subscriptions"))), 0)
	for _, id := range ids {
		n.hasStatus(t, id, "canceled", "endpoint_deleted", 1)
	}
	equal(t, "matches afterwards", len(n.publish(t, sample("domain.registered", 9)).Matched), 0)
	r.advance(t, 48*time.Hour)
	k.exactly(t, 3)
	equal(t, "attempts kept", len(n.attempts(t)), 3)
	if got := r.api.do(t, "POST", n.path("/deliveries/", ids[0], ":resend"), nil); got.status != 409 && got.status != 404 {
		t.Errorf("resend to a deleted endpoint: %d, want 409", got.status)
	}
	r.kill9(t)
	r.start(t)
	r.restarted()
	r.advance(t, 48*time.Hour)
	k.exactly(t, 3)
	n.hasStatus(t, ids[0], "canceled", "endpoint_deleted", 1)
}

// An attempt in flight when its endpoint is deleted: nothing follows it.
func TestEndpointDeleteInFlight(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	release := make(chan struct{})
	failLater := func(request) answer { return answer{status: 500, hold: release} }
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", failLater)
	ep := n.endpoint(t, k, fields{"schedule": []string{"1s", "1s"}})
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	k.await(t, 1, soon)
	r.api.delete(t, http.StatusNoContent, n.path("/endpoints/", ep.ID))
	close(release)
	poll(t, soon, func() string {
		if d := n.delivery(t, id); d.Status != "canceled" || d.Reason != "endpoint_deleted" {
			return row("delivery is", d.Status, d.Reason)
		}
		return ""
	})
	stays(t, 1500*time.Millisecond, func() string {
		if got := k.count(); got != 1 {
			return row("requests", got, "want 1")
		}
		return ""
	})
}

// Deleting a tenant ends its deliveries, keeps its history, and its id is never free again.
func TestTenantDelete(t *testing.T) {
	t.Parallel()
	r, n, k, _ := osirRig(t, always(500), nil)
	other := r.tenant(t, "other", "osir")
	ko := r.rcv.sink("other", always(200))
	other.endpoint(t, ko, nil)
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	r.api.delete(t, http.StatusNoContent, n.path())
	check := func() {
		t.Helper()
		n.hasStatus(t, id, "canceled", "tenant_deleted", 1)
		equal(t, "endpoints", len(list[endpoint](t, r.api, n.path("/endpoints"))), 0)
		r.api.call(t, http.StatusConflict, "POST", "/v1/tenants", fields{"id": n.id, "profile": "osir", "name": "again"})
		for _, path := range []string{"/events", "/endpoints"} {
			body := any(fields{"type": "a.b", "data": fields{}})
			if path == "/endpoints" {
				body = fields{"url": k.url}
			}
			if got := r.api.do(t, "POST", n.path(path), body); got.status != 404 && got.status != 409 {
				t.Errorf("POST %s of a deleted tenant: %d, want 404 or 409", path, got.status)
			}
		}
		r.advance(t, 48*time.Hour)
		k.exactly(t, 1)
	}
	check()
	r.kill9(t)
	r.start(t)
	r.restarted()
	check()
	other.publish(t, sample("domain.registered", 2))
	r.settle(t)
	ko.exactly(t, 1)
}

// Secrets (O-10, R-11): given or made, changed at once by rotation; a delivery's later attempts are signed with the new one.
func TestRotateSecret(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(500), fields{"secret": "whsec_test_secret"})
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	var rotated endpoint
	r.api.post(t, 200, n.path("/endpoints/", ep.ID, ":rotate-secret"), nil, &rotated)
	if len(rotated.Secret) < 8 || rotated.Secret == "whsec_test_secret" {
		t.Fatalf("rotated secret %q", rotated.Secret)
	}
	equal(t, "secret when asked for", n.secret(t, ep.ID), rotated.Secret)
	equal(t, "secret in the endpoint", n.getEndpoint(t, ep.ID).Secret, "") // only from .../secret
	r.nextAttempt(t, n, id, k)
	got := k.exactly(t, 2)
	checkOSIR(t, got[0], "whsec_test_secret")
	checkOSIR(t, got[1], rotated.Secret)
	sameBytes(t, got, "")
	r.kill9(t)
	r.start(t)
	equal(t, "secret after a restart", n.secret(t, ep.ID), rotated.Secret)
}

// Promise 8: the body is rendered at publish: what changes afterwards (the account's name) changes no attempt.
func TestBodyIsRenderedOnce(t *testing.T) {
	t.Parallel()
	r, n, k, _ := dnsimpleRig(t, always(500))
	id := n.publish(t, zoneEvent("zone.create", 1)).only(t)
	r.settle(t)
	changed := dnsimpleAccount()
	changed["display"] = "Another name"
	r.api.patch(t, 200, n.path(), fields{"attributes": changed}, nil)
	r.nextAttempt(t, n, id, k)
	sameBytes(t, k.exactly(t, 2), "")
	n.publish(t, zoneEvent("zone.create", 2))
	r.settle(t)
	sameJSON(t, "account of the next event", checkDNSimple(t, k.exactly(t, 3)[2]).Account, []byte(`{"id":4711,"identifier":"owner@example.com","display":"Another name"}`))
}
