package blackbox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// A tenant's session reaches nothing of another tenant, route by route: every operation of the document is asked with the
// other tenant's name, and with the other's ids under the own name.
func TestPortalSessionIsolation(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	own, other := r.tenant(t, "acme", "osir"), r.tenant(t, "other", "osir")
	k := r.rcv.sink("hooks", always(500))
	own.endpoint(t, k, nil)
	e := other.endpoint(t, k, fields{"description": "secret-of-other"})
	p := other.publish(t, event{typ: "domain.registered", data: `{"domain":"secret-of-other.example"}`})
	other.awaitStatus(t, p.only(t), "pending", "", 1, soon)
	var link struct{ Token string }
	r.api.post(t, 201, "/v1/tenants/acme/portal-sessions", nil, &link)
	var session struct{ Token string }
	r.api.as("").call(t, 200, "POST", "/v1/portal-sessions:open", fields{"token": link.Token}).into(t, &session)
	ids := strings.NewReplacer("{endpoint}", e.ID, "{event}", p.UID, "{delivery}", p.only(t), "{attempt}", other.attempts(t)[0].ID,
		"{subscription}", list[struct{ ID string }](t, r.api, other.path("/subscriptions"))[0].ID, "{recovery}", "rec_1", "{session}", "pss_1", "{key}", "key_1", "{name}", "osir", "{id}", "1")

	nobody := r.api.as("")
	asked := 0
	for path, methods := range documentPaths(t, r.api) {
		for method := range methods {
			method = strings.ToUpper(method)
			tenants := strings.Contains(path, "{tenant}") || strings.Contains(path, "{account}")
			for _, name := range []string{"other", "acme"} {
				if !tenants && name == "acme" {
					continue
				}
				target := ids.Replace(strings.NewReplacer("{tenant}", name, "{account}", name).Replace(path))
				var body any
				if method != "GET" && method != "DELETE" {
					body = fields{}
				}
				if path == "/v1/stream" || path == "/v1/portal-sessions:open" {
					continue // endless; and how a session begins
				}
				got, err := nobody.send(method, target, body, "Cookie: __Host-hookline="+session.Token, "Sec-Fetch-Site: same-origin")
				if err != nil {
					t.Fatal(err)
				}
				asked++
				if strings.Contains(string(got.body), "secret-of-other") || strings.Contains(string(got.body), "whsec_") {
					t.Errorf("%s %s shows what is another tenant's: %s", method, target, clip(got.body))
				}
				if tenants && name == "other" && got.status != http.StatusNotFound {
					t.Errorf("%s %s of another tenant: %d, want 404", method, target, got.status)
				}
			}
		}
	}
	if asked < 50 {
		t.Errorf("only %d routes asked", asked)
	}
	got := other.getEndpoint(t, e.ID)
	if got.Status != "enabled" || len(other.deliveries(t)) != 1 {
		t.Errorf("another tenant's endpoint was changed: %+v", got)
	}
}

// withoutCookies is a way to a server on which its cookies are lost, as in a browser that takes none.
func withoutCookies(t *testing.T, base string) string {
	t.Helper()
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport,
		ModifyResponse: func(r *http.Response) error { r.Header.Del("Set-Cookie"); return nil },
	})
	t.Cleanup(func() {
		front.Close()
		transport.CloseIdleConnections()
	})
	return front.URL
}

func documentPaths(t *testing.T, c *client) map[string]map[string]json.RawMessage {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	c.get(t, "/openapi.json", &doc)
	return doc.Paths
}

// In the browser: a used link says so, the session lasts over a reload without anything in storage, and its end is told.
func TestPortalSessionInBrowser(t *testing.T) {
	r := realRig(t)
	r.tenant(t, "acme", "dnsimple")
	var link struct{ ID, URL string }
	r.api.post(t, 201, "/v1/tenants/acme/portal-sessions", nil, &link)
	b := newBrowser(t)
	b.open(link.URL)
	b.sees("No endpoints yet", "DNSimple")
	b.open(r.api.base + "/portal")
	b.sees("No endpoints yet")
	for what, script := range map[string]string{
		"cookies that scripts see": "document.cookie", "local storage": "JSON.stringify(Object.values(localStorage))", "session storage": "JSON.stringify(Object.values(sessionStorage))",
	} {
		if got := eval[string](b, script); got != "" && got != "[]" {
			t.Errorf("%s: %s, want nothing", what, got)
		}
	}
	b.open("about:blank")
	b.open(link.URL)
	b.sees("This link is used up")
	b.shot("portal-link-used")
	b.open("about:blank")
	b.open(r.api.base + "/portal")
	b.sees("No endpoints yet") // the session before goes on
	r.api.call(t, 204, "DELETE", "/v1/tenants/acme/portal-sessions/"+link.ID, nil)
	b.click("link", "Logs")
	b.sees("Your session is over")

	// A browser that keeps no cookie is told so, rather than that its link was used.
	r.api.post(t, 201, "/v1/tenants/acme/portal-sessions", nil, &link)
	_, token, _ := strings.Cut(link.URL, "/portal")
	b.open(withoutCookies(t, r.api.base) + "/portal" + token)
	b.sees("The session was not kept")
}
