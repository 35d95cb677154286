package blackbox

import (
	"regexp"
	"strings"
	"testing"
)

// repeated is n times the same entry.
func repeated(n int, entry string) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = entry
	}
	return list
}

// refusedEndpoint is one member of an endpoint that must not be taken, and where the 422 points.
type refusedEndpoint struct {
	name string
	set  fields
	at   string
}

func refusedEndpoints(good string) []refusedEndpoint {
	authority := strings.TrimPrefix(good, "https://")
	return []refusedEndpoint{
		{"no url", fields{"url": nil}, "url"},
		{"empty url", fields{"url": ""}, "url"},
		{"http", fields{"url": "http://" + authority}, "url"},
		{"another scheme", fields{"url": "ftp://" + authority}, "url"},
		{"no host", fields{"url": "https:///x"}, "url"},
		{"relative", fields{"url": "/x"}, "url"},
		{"userinfo", fields{"url": "https://me:secret@" + authority}, "url"},
		{"user alone", fields{"url": "https://me@" + authority}, "url"},
		{"port out of range", fields{"url": "https://example.com:70000/"}, "url"},
		{"private address", fields{"url": "https://10.0.0.1/"}, "url"},
		{"private address, 192.168", fields{"url": "https://192.168.1.1:8443/x"}, "url"},
		{"metadata address", fields{"url": "https://169.254.169.254/latest"}, "url"},
		{"unspecified address", fields{"url": "https://0.0.0.0/"}, "url"},
		{"IPv6 loopback", fields{"url": "https://[::1]/"}, "url"},
		{"IPv6 private", fields{"url": "https://[fd00::1]/"}, "url"},
		{"IPv6 mapped private", fields{"url": "https://[::ffff:10.0.0.1]/"}, "url"},
		{"IPv6 NAT64 of a private one", fields{"url": "https://[64:ff9b::a00:1]/"}, "url"},
		{"multicast", fields{"url": "https://224.0.0.1/"}, "url"},
		{"control character", fields{"url": "https://example.com/a\nb"}, "url"},
		{"unknown field", fields{"uri": "x"}, "uri"},
		{"no event types", fields{"event_types": []string{}}, "event_types"},
		{"bad event type", fields{"event_types": []string{"domain.registered", "a..b"}}, "event_types"},
		{"star inside", fields{"event_types": []string{"domain.*.done"}}, "event_types"},
		{"star as a part", fields{"event_types": []string{"dom*"}}, "event_types"},
		{"secret of 7 bytes", fields{"secret": "1234567"}, "secret"},
		{"secret of 257 bytes", fields{"secret": strings.Repeat("s", 257)}, "secret"},
		{"secret with a control character", fields{"secret": "12345678\n"}, "secret"},
		{"concurrency 0", fields{"concurrency": 0}, "concurrency"},
		{"concurrency 257", fields{"concurrency": 257}, "concurrency"},
		{"timeout below 1s", fields{"timeout": "999ms"}, "timeout"},
		{"timeout above 60s", fields{"timeout": "61s"}, "timeout"},
		{"timeout no duration", fields{"timeout": "soon"}, "timeout"},
		{"empty schedule", fields{"schedule": []string{}}, "schedule"},
		{"51 waits", fields{"schedule": repeated(51, "1s")}, "schedule"},
		{"wait above 30 days", fields{"schedule": []string{"720h1s"}}, "schedule"},
		{"negative wait", fields{"schedule": []string{"-1s"}}, "schedule"},
		{"unknown transport", fields{"transport": "pigeon"}, "transport"},
		{"unknown setting", fields{"settings": fields{"nonsense": 1}}, "settings"},
	}
}

// O-3, promise 10 and 11, section 11: endpoints that must not be taken, on create and on update; nothing is stored.
func TestRefusedEndpoints(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	standing := n.endpoint(t, k, nil)
	before := string(r.api.get(t, n.path("/endpoints/", standing.ID), nil).body)
	for _, c := range refusedEndpoints(k.url) {
		t.Run(c.name, func(t *testing.T) {
			body := fields{"url": k.url}
			for name, v := range c.set {
				if body[name] = v; v == nil {
					delete(body, name)
				}
			}
			if p := r.api.call(t, 422, "POST", n.path("/endpoints"), body).problem(t); !p.names(c.at) {
				t.Errorf("create: errors %+v, want location %s", p.Errors, c.at)
			}
			if c.name == "no url" {
				return // a merge patch may leave it out
			}
			if p := r.api.call(t, 422, "PATCH", n.path("/endpoints/", standing.ID), c.set).problem(t); !p.names(c.at) {
				t.Errorf("update: errors %+v, want location %s", p.Errors, c.at)
			}
		})
	}
	equal(t, "endpoints", len(list[endpoint](t, r.api, n.path("/endpoints"))), 1)
	equal(t, "the endpoint that was there", string(r.api.get(t, n.path("/endpoints/", standing.ID), nil).body), before)
	for _, secret := range []string{"12345678", strings.Repeat("s", 256), "ééééé"} {
		ep := n.endpoint(t, k, fields{"secret": secret})
		equal(t, "secret", n.secret(t, ep.ID), secret)
	}
	n.endpoint(t, k, fields{"concurrency": 256, "timeout": "60s", "schedule": repeated(50, "720h")})
	n.endpoint(t, k, fields{"concurrency": 1, "timeout": "1s", "event_types": []string{"*"}})
}

// lineAndColumn finds the place of a filter error in words or as 1:5.
var lineAndColumn = regexp.MustCompile(`(?is)line\s+\d+.*col(umn)?\s+\d+|\b\d+:\d+\b`)

// Filters that must not be taken: the answer names line and column, nothing is stored, the old filter goes on.
func TestRefusedFilters(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	standing := n.endpoint(t, k, fields{"filter": `data.n == 1`})
	for name, filter := range map[string]string{
		"syntax":            `data.n ==`,
		"unknown name":      `dato.n == 1`,
		"not boolean":       `"text"`,
		"range":             `len(1..100000) > 1`,
		"nested predicates": `all(data.a, any(data.b, # > 1))`,
		"text repetition":   `repeat("x", 1000000) == "x"`,
		"dynamic regex":     `"x" matches data.pattern`,
		"deep nesting":      strings.Repeat("(", 1000) + "true" + strings.Repeat(")", 1000),
		"over 2 KiB":        `data.a == "` + strings.Repeat("x", 2100) + `"`,
		"second line":       "data.n == 1 &&\n  data.m ==== 2",
	} {
		t.Run(name, func(t *testing.T) {
			p := r.api.call(t, 422, "POST", n.path("/endpoints"), fields{"url": k.url, "filter": filter}).problem(t)
			if !p.names("filter") {
				t.Errorf("errors %+v, want location filter", p.Errors)
			}
			text := p.Detail
			for _, e := range p.Errors {
				text += "\n" + e.Message + "\n" + e.Location
			}
			if name != "over 2 KiB" && !lineAndColumn.MatchString(text) {
				t.Errorf("no line and column in %q", text)
			}
			r.api.call(t, 422, "PATCH", n.path("/endpoints/", standing.ID), fields{"filter": filter})
		})
	}
	equal(t, "endpoints", len(list[endpoint](t, r.api, n.path("/endpoints"))), 1)
	equal(t, "matches of the old filter", len(n.publish(t, sample("a.b", 1)).Matched), 1)
	equal(t, "others", len(n.publish(t, sample("a.b", 2)).Matched), 0)
}

// Tenants and lists: what must not be taken.
func TestRefusedTenantsAndLists(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n := r.tenant(t, "acme", "osir")
	account := func(without string) fields { a := dnsimpleAccount(); delete(a, without); return a }
	wrong := dnsimpleAccount()
	wrong["id"] = "4711"
	for name, c := range map[string]struct {
		body   any
		status int
		at     string
	}{
		"bad id":            {fields{"id": "a b", "profile": "osir", "name": "x"}, 422, "id"},
		"id too long":       {fields{"id": strings.Repeat("a", 65), "profile": "osir", "name": "x"}, 422, "id"},
		"existing id":       {fields{"id": "acme", "profile": "osir", "name": "x"}, 409, ""},
		"unknown profile":   {fields{"id": "b", "profile": "nobody", "name": "x"}, 422, "profile"},
		"unknown field":     {fields{"id": "b", "profile": "osir", "name": "x", "plan": "gold"}, 422, "plan"},
		"no attributes":     {fields{"id": "1", "profile": "dnsimple", "name": "x"}, 422, "attributes"},
		"no account id":     {fields{"id": "1", "profile": "dnsimple", "name": "x", "attributes": account("id")}, 422, "id"},
		"no identifier":     {fields{"id": "1", "profile": "dnsimple", "name": "x", "attributes": account("identifier")}, 422, "identifier"},
		"no display":        {fields{"id": "1", "profile": "dnsimple", "name": "x", "attributes": account("display")}, 422, "display"},
		"account id a text": {fields{"id": "1", "profile": "dnsimple", "name": "x", "attributes": wrong}, 422, "id"},
		"malformed":         {`{"id":`, 400, ""},
		"duplicate key":     {`{"id":"b","id":"c","profile":"osir","name":"x"}`, 400, "id"},
	} {
		t.Run(name, func(t *testing.T) {
			p := r.api.call(t, c.status, "POST", "/v1/tenants", c.body).problem(t)
			if c.at != "" && !p.names(c.at) {
				t.Errorf("errors %+v, want location %s", p.Errors, c.at)
			}
		})
	}
	for _, query := range []string{"limit=251", "limit=-1", "limit=many", "cursor=nonsense", "from=yesterday"} {
		t.Run(query, func(t *testing.T) {
			for _, path := range []string{"/events", "/deliveries", "/attempts"} {
				got := r.api.do(t, "GET", n.path(path)+"?"+query, nil)
				if got.status != 422 && got.status != 400 {
					t.Fatalf("%s: %d, want 422: %s", got.asked, got.status, clip(got.body))
				}
				got.problem(t)
			}
		})
	}
	for _, path := range []string{"/events", "/deliveries", "/endpoints"} {
		for _, asOf := range []string{"0", "soon", "99999999", "2099-01-01T00:00:00Z"} {
			if p := r.api.call(t, 422, "GET", n.path(path)+"?as_of="+asOf, nil).problem(t); !p.names("as_of") {
				t.Errorf("as_of=%s of %s: %+v, want location as_of", asOf, path, p)
			}
		}
	}
	r.api.get(t, n.path("/events?limit=250"), nil)
	equal(t, "tenants", len(list[fields](t, r.api, "/v1/tenants")), 1)
}
