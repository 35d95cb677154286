package blackbox

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type issuedKey struct {
	ID, Name, Scope, Prefix, Key     string
	Tenant                           *string
	CreatedAt                        time.Time `json:"created_at"`
	ExpiresAt, LastUsedAt, RevokedAt *time.Time
}

func (r *rig) issue(t testing.TB, body fields) (issuedKey, *client) {
	t.Helper()
	var k issuedKey
	r.api.post(t, 201, "/v1/keys", body, &k)
	return k, r.api.as(k.Key)
}

// Who may do what (issue on providers, API.md "403 scope; 404 across tenants"): each scope does its own and no more, is
// shown by prefix only, outlives a restart and ends when it is revoked.
func TestKeyScopes(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	r.api.post(t, 201, "/v1/tenants", fields{"id": "acme", "profile": "osir"}, nil)
	r.api.post(t, 201, "/v1/tenants", fields{"id": "other", "profile": "osir"}, nil)
	event := fields{"type": "domain.registered", "data": fields{"domain": "a.example"}}

	pub, publisher := r.issue(t, fields{"name": "billing", "scope": "publish"})
	_, reader := r.issue(t, fields{"name": "grafana", "scope": "read"})
	_, customer := r.issue(t, fields{"name": "Acme", "scope": "tenant", "tenant": "acme"})
	if !strings.HasPrefix(pub.Key, pub.Prefix) || len(pub.Prefix) > 12 || len(pub.Key) < 50 {
		t.Errorf("key %q, prefix %q", pub.Key, pub.Prefix)
	}
	publisher.call(t, 202, "POST", "/v1/tenants/acme/events", event)
	publisher.call(t, 403, "GET", "/v1/tenants/acme/events", nil)
	publisher.call(t, 403, "POST", "/v1/tenants", fields{"id": "x"})
	reader.call(t, 200, "GET", "/v1/tenants/acme/events", nil)
	reader.call(t, 200, "GET", "/metrics", nil)
	reader.call(t, 403, "POST", "/v1/tenants/acme/events", event)
	var ep struct{ ID string }
	customer.post(t, 201, "/v1/tenants/acme/endpoints", fields{"url": "https://127.0.0.1:9/x", "event_types": []string{"invoice.paid"}}, &ep)
	customer.call(t, 200, "GET", "/v1/tenants/acme/endpoints/"+ep.ID+"/secret", nil)
	reader.call(t, 403, "GET", "/v1/tenants/acme/endpoints/"+ep.ID+"/secret", nil)
	customer.call(t, 403, "POST", "/v1/tenants/acme/events", event)
	customer.call(t, 403, "DELETE", "/v1/tenants/acme", nil)
	customer.call(t, 403, "GET", "/v1/keys", nil)
	customer.call(t, 403, "GET", "/v1/tenants", nil)
	if a, b := customer.call(t, 404, "GET", "/v1/tenants/other/endpoints", nil), r.api.call(t, 404, "GET", "/v1/tenants/nobody/endpoints", nil); strings.ReplaceAll(
		string(a.body), "other", "nobody") != string(b.body) {
		t.Errorf("another tenant looks unlike one that does not exist: %s, %s", a.body, b.body)
	}
	customer.call(t, 404, "GET", "/v1/tenants/other/endpoints/"+ep.ID, nil)

	r.stop(t)
	r.start(t)
	publisher, customer = r.api.as(pub.Key), r.api.as(customer.key)
	publisher.call(t, 202, "POST", "/v1/tenants/acme/events", event)
	customer.call(t, 200, "GET", "/v1/tenants/acme/endpoints/"+ep.ID, nil)
	var shown issuedKey
	r.api.get(t, "/v1/keys/"+pub.ID, &shown)
	if shown.Key != "" || shown.Name != "billing" || shown.Prefix != pub.Prefix {
		t.Errorf("shown: %+v", shown)
	}
	r.api.call(t, 204, "DELETE", "/v1/keys/"+pub.ID, nil)
	publisher.call(t, 401, "POST", "/v1/tenants/acme/events", event)
	r.api.call(t, 204, "DELETE", "/v1/keys/"+pub.ID, nil)
	r.stop(t)
	r.start(t)
	r.api.as(pub.Key).call(t, 401, "POST", "/v1/tenants/acme/events", event)
	r.api.call(t, 204, "DELETE", "/v1/tenants/acme", nil)
	r.api.as(customer.key).call(t, 401, "GET", "/v1/whoami", nil)
	noneOnDisk(t, r.data, pub.Key, customer.key)
}

// noneOnDisk fails when a secret stands in a file of the data directory, or in the process log.
func noneOnDisk(t testing.TB, dir string, secrets ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, s := range secrets {
			if bytes.Contains(raw, []byte(s)) {
				t.Errorf("%s holds the secret %.8s...", path, s)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Wrong input names field and fix; a key runs out by engine time.
func TestKeysRefused(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	r.api.post(t, 201, "/v1/tenants", fields{"id": "acme", "profile": "osir"}, nil)
	for _, c := range []struct {
		body     fields
		location string
	}{
		{fields{"name": "", "scope": "read"}, "name"},
		{fields{"scope": "read"}, "name"},
		{fields{"name": "x"}, "scope"},
		{fields{"name": "x", "scope": "root"}, "scope"},
		{fields{"name": "x", "scope": "tenant"}, "tenant"},
		{fields{"name": "x", "scope": "tenant", "tenant": "nobody"}, "tenant"},
		{fields{"name": "x", "scope": "admin", "tenant": "acme"}, "tenant"},
		{fields{"name": "x", "scope": "read", "expires_at": "soon"}, "expires_at"},
		{fields{"name": "x", "scope": "read", "expires_at": clockStart}, "expires_at"},
		{fields{"name": "x", "scope": "read", "scopes": []string{}}, "scopes"},
	} {
		p := r.api.call(t, 422, "POST", "/v1/keys", c.body).problem(t)
		if len(p.Errors) == 0 || p.Errors[0].Location != c.location {
			t.Errorf("%v: %+v, want location %s", c.body, p, c.location)
		}
	}
	r.api.call(t, 404, "GET", "/v1/keys/key_0", nil)
	r.api.call(t, 404, "DELETE", "/v1/keys/key_0", nil)
	_, c := r.issue(t, fields{"name": "short", "scope": "read", "expires_at": "2026-01-01T01:00:00Z"})
	c.call(t, 200, "GET", "/v1/whoami", nil)
	r.advance(t, time.Hour)
	c.call(t, 401, "GET", "/v1/whoami", nil)
}

// A portal session: one link, one session, of one tenant, for its time; a browser's cookie does the same.
func TestPortalSession(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	r.api.post(t, 201, "/v1/tenants", fields{"id": "acme", "profile": "osir"}, nil)
	type session struct{ ID, URL, Token string }
	var link, open session
	r.api.post(t, 201, "/v1/tenants/acme/portal-sessions", fields{"expires_in": "30m"}, &link)
	if !strings.HasSuffix(link.URL, "/portal#"+link.Token) {
		t.Errorf("link %q", link.URL)
	}
	nobody := r.api.as("")
	answer := nobody.call(t, 200, "POST", "/v1/portal-sessions:open", fields{"token": link.Token})
	answer.into(t, &open)
	nobody.call(t, 404, "POST", "/v1/portal-sessions:open", fields{"token": link.Token})
	cookie := answer.header.Get("Set-Cookie")
	for _, want := range []string{"__Host-", "HttpOnly", "Secure", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %s", cookie, want)
		}
	}
	customer := r.api.as(open.Token)
	customer.call(t, 200, "GET", "/v1/tenants/acme/endpoints", nil)
	customer.call(t, 403, "POST", "/v1/tenants/acme/portal-sessions", fields{})
	name, _, _ := strings.Cut(cookie, ";")
	if got, err := nobody.send("GET", "/v1/tenants/acme", nil, "Cookie: "+name); err != nil || got.status != 200 {
		t.Errorf("by cookie: %v %+v", err, got)
	}
	if got, err := nobody.send("POST", "/v1/tenants/acme/endpoints", fields{"url": "https://127.0.0.1:9/"}, "Cookie: "+name); err != nil || got.status != http.StatusForbidden {
		t.Errorf("a change by cookie from nowhere: %v %+v", err, got)
	}
	r.advance(t, 30*time.Minute)
	customer.call(t, 401, "GET", "/v1/whoami", nil)

	var stale session
	r.api.post(t, 201, "/v1/tenants/acme/portal-sessions", nil, &stale)
	r.advance(t, 5*time.Minute)
	nobody.call(t, 404, "POST", "/v1/portal-sessions:open", fields{"token": stale.Token})

	var ended session
	r.api.post(t, 201, "/v1/tenants/acme/portal-sessions", fields{}, &ended)
	nobody.call(t, 200, "POST", "/v1/portal-sessions:open", fields{"token": ended.Token}).into(t, &open)
	r.api.call(t, 204, "DELETE", "/v1/tenants/acme/portal-sessions/"+ended.ID, nil)
	r.api.as(open.Token).call(t, 401, "GET", "/v1/whoami", nil)
	noneOnDisk(t, r.data, link.Token, open.Token)
	for _, bad := range []string{"1s", "25h", "soon", "-1h"} {
		r.api.call(t, 422, "POST", "/v1/tenants/acme/portal-sessions", fields{"expires_in": bad})
	}
}

// Every change is in the audit with who made it: the admin, a key, a portal session, or a policy (nobody).
func TestAudit(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(200), nil)
	issued, customer := r.issue(t, fields{"name": "Acme's own", "scope": "tenant", "tenant": n.id})
	customer.call(t, 200, "PATCH", n.path("/endpoints/", ep.ID), fields{"description": "secretly described"})
	customer.call(t, 200, "POST", n.path("/endpoints/", ep.ID, ":rotate-secret"), nil)
	customer.call(t, 200, "POST", n.path("/endpoints/", ep.ID, ":disable"), nil)
	r.api.call(t, 200, "POST", n.path("/endpoints/", ep.ID, ":enable"), nil)
	r.exhaustOSIR(t, n, k)
	type change struct {
		Seq    uint64
		Type   string
		By     *string
		ByName *string `json:"by_name"`
		Data   map[string]any
	}
	var got page[change]
	r.api.get(t, n.path("/audit?order=asc"), &got)
	want := []struct{ typ, by string }{
		{"tenant.created", "admin_key"}, {"endpoint.created", "admin_key"}, {"subscription.created", "admin_key"}, {"key.issued", "admin_key"},
		{"endpoint.updated", issued.ID}, {"endpoint.secret_rotated", issued.ID}, {"endpoint.disabled", issued.ID}, {"endpoint.enabled", "admin_key"},
		{"endpoint.disabled", ""},
	}
	var types []string
	for _, c := range got.Data {
		types = append(types, c.Type)
	}
	equal(t, "number of changes "+strings.Join(types, " "), len(got.Data), len(want))
	for i, c := range got.Data {
		by := ""
		if c.By != nil {
			by = *c.By
		}
		if c.Type != want[i].typ || by != want[i].by || (by == issued.ID) != (c.ByName != nil) {
			t.Errorf("change %d: %s by %s, want %+v", i, c.Type, by, want[i])
		}
	}
	if got.Data[6].Data["endpoint_id"] != ep.ID || got.Data[8].Data["reason"] != "delivery_exhausted" {
		t.Errorf("what was changed: %+v, %+v", got.Data[6], got.Data[8])
	}
	var all page[change]
	text := string(r.api.get(t, "/v1/audit?limit=2", &all).body)
	if len(all.Data) != 2 || all.Next == nil || all.Data[0].Seq != got.Data[8].Seq || strings.Contains(text, "secretly") {
		t.Errorf("all changes: %s", text)
	}
	customer.call(t, 403, "GET", "/v1/audit", nil)
	customer.call(t, 200, "GET", n.path("/audit"), nil)
}
