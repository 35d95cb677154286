package api

import (
	"cmp"
	"net/http"
	"strings"
	"testing"

	"github.com/hookline/hookline/engine"
)

// What each operation needs, written out: a new one has to be added here by somebody who thought about it.
func TestNeeds(t *testing.T) {
	want := map[need]string{
		needKey:     "list-profiles get-profile whoami dnsimple-whoami get-checkpoint",
		needPublish: "publish-event publish-batch",
		needRead: "check-filter explain-filter simulate-filter why-event list-events get-event get-tenant stream-records list-endpoints get-endpoint list-subscriptions get-subscription list-subscription-versions list-deliveries get-delivery " +
			"list-attempts dnsimple-list-webhooks dnsimple-get-webhook list-portal-sessions list-tenant-changes " +
			"list-recoveries get-recovery get-attempt prove-attempt get-endpoint-stats",
		needReadAll: "get-stats list-tenants list-changes get-log-status diff-log list-transports get-metrics list-backups",
		needManage: "get-endpoint-secret create-endpoint update-endpoint delete-endpoint enable-endpoint disable-endpoint clear-suppression-endpoint " +
			"rotate-endpoint-secret test-endpoint create-subscription update-subscription delete-subscription rollback-subscription promote-subscription resend-delivery cancel-delivery " +
			"release-delivery deliver-event dnsimple-create-webhook dnsimple-delete-webhook end-portal-session " +
			"recover-endpoint cancel-recovery",
		needAdmin: "create-tenant update-tenant delete-tenant create-key list-keys get-key revoke-key create-portal-session advance-clock " +
			"release-log release-transport create-backup erase-tenant rotate-master-key",
	}
	known := map[string]need{}
	for n, ids := range want {
		for _, id := range strings.Fields(ids) {
			known[id] = n
		}
	}
	for _, op := range operations() {
		if op.open {
			continue
		}
		have := cmp.Or(op.need, needOf(op))
		if n, ok := known[op.id]; !ok || n != have {
			t.Errorf("%s (%s %s) needs %d, this test says %d", op.id, op.method, op.path, have, n)
		}
		delete(known, op.id)
	}
	for id := range known {
		t.Errorf("there is no operation %s", id)
	}
}

// A key may do what its scope grants and nothing else: 403 with the scope that would, 404 for another tenant whatever
// is asked of it, and the engine is not asked.
func TestScopes(t *testing.T) {
	f := newFace(t)
	f.engine.principals = map[string]engine.Principal{
		"publish": {ID: "key_p", Scope: engine.ScopePublish}, "publish-acme": {ID: "key_pa", Scope: engine.ScopePublish, Tenant: "acme"},
		"read": {ID: "key_r", Scope: engine.ScopeRead}, "read-acme": {ID: "key_ra", Scope: engine.ScopeRead, Tenant: "acme"},
		"tenant-acme": {ID: "key_t", Scope: engine.ScopeTenant, Tenant: "acme"}, "admin": {ID: "key_a", Scope: engine.ScopeAdmin},
	}
	const event = `{"type":"a","data":{}}`
	for _, c := range []struct {
		call, body string
		ok         string // the keys that may
		missing    string // the keys that are told 404
	}{
		{"POST /v1/tenants/acme/events", event, "publish publish-acme admin", ""},
		{"POST /v1/tenants/other/events", event, "publish admin", "publish-acme read-acme tenant-acme"},
		{"GET /v1/tenants/acme", "", "read read-acme tenant-acme admin", ""},
		{"GET /v1/tenants/other/deliveries", "", "read admin", "publish-acme read-acme tenant-acme"},
		{"GET /v1/tenants/acme/deliveries", "", "read read-acme tenant-acme admin", ""},
		{"POST /v1/tenants/acme/endpoints/ep_1:enable", "", "tenant-acme admin", ""},
		{"POST /v1/tenants/other/endpoints/ep_1:enable", "", "admin", "publish-acme read-acme tenant-acme"},
		{"GET /v1/transports", "", "read admin", ""},
		{"POST /v1/dev/clock:advance", `{"by":"1s"}`, "admin", ""},
		{"GET /v1/whoami", "", "publish publish-acme read read-acme tenant-acme admin", ""},
	} {
		for key := range f.engine.principals {
			f.engine.asked, f.engine.published = nil, nil
			method, path, _ := strings.Cut(c.call, " ")
			w := f.ask(method, path, c.body, "Authorization: Bearer "+key)
			has := func(list string) bool { return strings.Contains(" "+list+" ", " "+key+" ") }
			switch {
			case has(c.ok):
				if w.Code >= 300 {
					t.Errorf("%s with %s: %d %s", c.call, key, w.Code, w.Body)
				}
				continue
			case has(c.missing):
				if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `no tenant \"other\" here`) {
					t.Errorf("%s with %s: %d %s, want 404", c.call, key, w.Code, w.Body)
				}
			default:
				if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "scope") {
					t.Errorf("%s with %s: %d %s, want 403", c.call, key, w.Code, w.Body)
				}
			}
			if len(f.engine.asked)+len(f.engine.published) > 0 {
				t.Errorf("%s with %s: the engine was asked %v", c.call, key, f.engine.asked)
			}
		}
	}
}

// A session's cookie reads from anywhere, and changes something from a page of ours only (no cross-site request forgery).
func TestSessionCookie(t *testing.T) {
	f := newFace(t)
	f.engine.principals = map[string]engine.Principal{"hks_1": {ID: "pss_1", Scope: engine.ScopeTenant, Tenant: "acme"}}
	cookie := "Cookie: " + sessionCookie + "=hks_1"
	for _, c := range []struct {
		call    string
		headers []string
		status  int
	}{
		{"GET /v1/tenants/acme", nil, 200},
		{"POST /v1/tenants/acme/endpoints/ep_1:enable", nil, 403},
		{"POST /v1/tenants/acme/endpoints/ep_1:enable", []string{"Sec-Fetch-Site: same-origin"}, 200},
		{"POST /v1/tenants/acme/endpoints/ep_1:enable", []string{"Sec-Fetch-Site: cross-site", "Origin: http://example.com"}, 403},
		{"POST /v1/tenants/acme/endpoints/ep_1:enable", []string{"Origin: http://example.com"}, 200}, // the host of httptest
		{"POST /v1/tenants/acme/endpoints/ep_1:enable", []string{"Origin: http://evil.example"}, 403},
		{"POST /v1/tenants/acme/endpoints/ep_1:enable", []string{"Origin: null"}, 403},
		{"GET /v1/tenants/acme", []string{"Authorization: Basic eA=="}, 401},
		{"GET /v1/tenants/acme", []string{"Cookie: " + sessionCookie + "=hks_2"}, 401},
	} {
		method, path, _ := strings.Cut(c.call, " ")
		w := f.ask(method, path, "", append([]string{"Authorization: ", cookie}, c.headers...)...)
		if w.Code != c.status {
			t.Errorf("%s with %v: %d %s, want %d", c.call, c.headers, w.Code, w.Body, c.status)
		}
	}
}
