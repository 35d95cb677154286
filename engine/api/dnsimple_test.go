package api

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine"
)

// D-8 to D-16, PROVIDERS "DNSimple's REST API": exact shapes.
func TestDNSimple(t *testing.T) {
	f, net := realFace(t)
	f.must(201, "POST", "/v1/tenants", `{"id":"1010","profile":"dnsimple","attributes":{"id":1010,"identifier":"a@example.com","display":"A"}}`)
	f.must(201, "POST", "/v1/tenants", `{"id":"2020","profile":"dnsimple","attributes":{"id":2020,"identifier":"b@example.com","display":"B"}}`)
	f.must(201, "POST", "/v1/tenants", `{"id":"acme","profile":"osir"}`)
	const base = "/v2/1010/webhooks"
	for _, c := range []struct {
		target, body string
		status       int
		want         string
	}{
		{"GET " + base, "", 200, `{"data":[]}`},
		{"POST " + base, `{"url":"https://example.com/1"}`, 201, `{"data":{"id":1,"url":"https://example.com/1","suppressed_at":null}}`},
		{"POST " + base, `{"url":"https://example.com/2"}`, 201, `{"data":{"id":2,"url":"https://example.com/2","suppressed_at":null}}`},
		{"POST /v2/2020/webhooks", `{"url":"https://example.com/3"}`, 201, `{"data":{"id":1,"url":"https://example.com/3","suppressed_at":null}}`},
		{"GET " + base, "", 200, `{"data":[{"id":1,"url":"https://example.com/1","suppressed_at":null},{"id":2,"url":"https://example.com/2","suppressed_at":null}]}`},
		{"GET " + base + "?sort=id:desc", "", 200, `{"data":[{"id":2,"url":"https://example.com/2","suppressed_at":null},{"id":1,"url":"https://example.com/1","suppressed_at":null}]}`},
		{"GET " + base + "?sort=id%3Aasc", "", 200, `{"data":[{"id":1,"url":"https://example.com/1","suppressed_at":null},{"id":2,"url":"https://example.com/2","suppressed_at":null}]}`},
		{"GET " + base + "/2", "", 200, `{"data":{"id":2,"url":"https://example.com/2","suppressed_at":null}}`},
		{"GET " + base + "/0", "", 404, "{\"message\":\"Webhook `0` not found\"}"},
		{"GET " + base + "/999999999", "", 404, "{\"message\":\"Webhook `999999999` not found\"}"},
		{"DELETE " + base + "/abc", "", 404, "{\"message\":\"Webhook `abc` not found\"}"},
		{"GET /v2/2020/webhooks/2", "", 404, "{\"message\":\"Webhook `2` not found\"}"},
		{"GET /v2/acme/webhooks", "", 404, "{\"message\":\"Account `acme` not found\"}"},
		{"GET /v2/nobody/webhooks/1", "", 404, "{\"message\":\"Account `nobody` not found\"}"},
		{"DELETE " + base + "/1", "", 204, ""},
		{"GET " + base + "/1", "", 404, "{\"message\":\"Webhook `1` not found\"}"},
		{"POST " + base, `{"url":"https://example.com/4"}`, 201, `{"data":{"id":3,"url":"https://example.com/4","suppressed_at":null}}`},
		{"PUT " + base, "", 405, "{\"message\":\"method \\\"PUT\\\" is not served here, only GET, POST\"}"},
		{"POST " + base, `{"id":9,"url":"https://example.com/5","suppressed_at":"2026-01-01T00:00:00Z"}`, 201, `{"data":{"id":4,"url":"https://example.com/5","suppressed_at":null}}`},
		{"DELETE " + base + "/4/", "", 204, ""},
		{"GET " + base + "/2/", "", 200, `{"data":{"id":2,"url":"https://example.com/2","suppressed_at":null}}`},
		{"GET " + base + "/?page=2&per_page=1", "", 200, `{"data":[{"id":3,"url":"https://example.com/4","suppressed_at":null}],"pagination":{"current_page":2,"per_page":1,"total_entries":2,"total_pages":2}}`},
		{"GET " + base + "/18446744073709551616", "", 404, "{\"message\":\"Webhook `18446744073709551616` not found\"}"},
		{"GET /v2/acme/webhooks/1", "", 404, "{\"message\":\"Account `acme` not found\"}"},
		{"DELETE /v2/acme/webhooks/1", "", 404, "{\"message\":\"Account `acme` not found\"}"},
		{"POST /v2/acme/webhooks", `{"url":"https://example.com/"}`, 404, "{\"message\":\"Account `acme` not found\"}"},
		{"GET /v2/whoami", "", 200, `{"data":{"user":null,"account":null}}`},
	} {
		method, path, _ := strings.Cut(c.target, " ")
		w := f.ask(method, path, c.body)
		if got := strings.TrimSpace(w.Body.String()); w.Code != c.status || c.want != "" && got != c.want {
			t.Errorf("%s: %d %s, want %d %s", c.target, w.Code, got, c.status, c.want)
		}
	}
	for _, body := range []string{`{"url":"http://example.com/"}`, `{}`, `{"url":7}`, `{"uri":"https://example.com/"}`, `{"url":"https://10.0.0.1/"}`} {
		got := f.must(400, "POST", base, body)
		if errs := got["errors"].(map[string]any); got["message"] != "Validation failed" || len(errs) == 0 || !strings.HasPrefix(body, `{"uri`) && errs["url"] == nil {
			t.Errorf("%s: %v", body, got)
		}
	}
	f.must(400, "POST", base, `{"url":`)

	// D-13, D-16: suppressed_at is set after 15 failures over all deliveries, and null once it is cleared.
	net.status.Store(500)
	for range 2 {
		f.must(202, "POST", "/v1/tenants/1010/events", `{"type":"zone.create","data":{"zone":{"id":1}}}`)
	}
	f.must(200, "POST", "/v1/dev/clock:advance", `{"by":"2h"}`)
	one := f.must(200, "GET", base+"/2", "")
	if at := str(t, one, "data", "suppressed_at"); !strings.HasPrefix(at, "2026-03-01T1") {
		t.Errorf("suppressed_at: %s", at)
	}
	ep := str(t, f.must(200, "GET", "/v1/tenants/1010/endpoints", ""), "data", 1, "id")
	f.must(200, "POST", "/v1/tenants/1010/endpoints/"+ep+":clear-suppression", "")
	if one := f.must(200, "GET", base+"/2", ""); one["data"].(map[string]any)["suppressed_at"] != nil {
		t.Errorf("after clearing: %v", one)
	}
}

// Pages of the list of webhooks put together are the list, in either order, whatever their size.
func TestDNSimplePages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, per := rapid.IntRange(0, 250).Draw(t, "webhooks"), rapid.IntRange(1, maxWebhooksPerPage).Draw(t, "per page")
		all := make([]webhook, n)
		for i := range all {
			all[i].ID = uint64(i + 1)
		}
		var got []webhook
		p := pagination{PerPage: per, TotalPages: 1}
		for p.CurrentPage < p.TotalPages {
			p.CurrentPage++
			part := p.cut(all)
			if p.TotalEntries != n || len(part) > per || n > 0 && len(part) == 0 {
				t.Fatalf("%+v: %d items", p, len(part))
			}
			got = append(got, part...)
		}
		if len(got) != n {
			t.Fatalf("%d items in %d pages of %d, want %d", len(got), p.TotalPages, per, n)
		}
		for i, w := range got {
			if w.ID != uint64(i+1) {
				t.Fatalf("item %d is %d", i, w.ID)
			}
		}
		p.CurrentPage = p.TotalPages + rapid.IntRange(1, 1<<62).Draw(t, "beyond")
		if part := p.cut(all); part == nil || len(part) > 0 {
			t.Fatalf("a page after the last one: %v", part)
		}
	})
}

// Wrong parameters of a list are named, with the bound.
func TestDNSimpleQuery(t *testing.T) {
	f, _ := realFace(t)
	f.must(201, "POST", "/v1/tenants", `{"id":"1010","profile":"dnsimple","attributes":{"id":1010,"identifier":"a@example.com","display":"A"}}`)
	for _, c := range []struct{ query, field, say string }{
		{"sort=name:asc", "sort", `"name:asc" is none of id:asc, id:desc`},
		{"sort=id:up", "sort", "is none of"},
		{"sort=id:asc&sort=id:desc", "sort", "give it once"},
		{"page=0", "page", "1 or more"},
		{"page=two", "page", `"two" is no whole number`},
		{"per_page=-1", "per_page", "1 or more"},
		{"per_page=101", "per_page", "101 is more than 100"},
		{"per_page=99999999999999999999", "per_page", "whole number"},
		{"pgae=1", "pgae", "did you mean page?"},
	} {
		got := f.must(400, "GET", "/v2/1010/webhooks?"+c.query, "")
		if said := str(t, got, "errors", c.field, 0); got["message"] != "Validation failed" || !strings.Contains(said, c.say) {
			t.Errorf("%s: %v, want %q at %s", c.query, got, c.say, c.field)
		}
	}
	for _, query := range []string{"sort=id", "page=1", "per_page=100", "page=7&per_page=1&sort=id:desc"} {
		f.must(200, "GET", "/v2/1010/webhooks?"+query, "")
	}
}

// Every refusal of this face is a JSON object with a message: DNSimple's clients decode nothing else.
func TestDNSimpleRefusals(t *testing.T) {
	for _, c := range []struct {
		code   engine.Code
		status int
		errors string
	}{
		{engine.CodeMalformed, 400, ""}, {engine.CodeInvalid, 400, "map[url:[is bad]]"}, {engine.CodeConflict, 400, ""}, {engine.CodeNotFound, 404, ""},
		{engine.CodeTooLarge, 413, ""}, {engine.CodeRateLimited, 429, ""}, {engine.CodeUnavailable, 503, ""}, {engine.CodeDiskLow, 507, ""},
	} {
		e := &engine.Error{Code: c.code, Detail: "is so"}
		if c.errors != "" {
			e = engine.Invalid("url", "is bad")
		}
		p, _ := problemOf(e)
		contentType, status, body := dnsimpleRefusal(p)
		got := body.(dnsimpleError)
		if contentType != "application/json" || status != c.status || got.Message == "" || c.errors != "" && fmt.Sprint(got.Errors) != c.errors {
			t.Errorf("%v: %s %d %+v", c.code, contentType, status, got)
		}
	}
	f, _ := realFace(t)
	f.must(201, "POST", "/v1/tenants", `{"id":"1010","profile":"dnsimple","attributes":{"id":1010,"identifier":"a@example.com","display":"A"}}`)
	for _, c := range []struct{ target, body, header string }{
		{"GET /v2", "", ""}, {"GET /v2/", "", ""}, {"GET /v2/1010", "", ""}, {"GET /v2/1010/domains", "", ""}, {"GET /v2/1010//webhooks", "", ""},
		{"PATCH /v2/1010/webhooks/1", `{}`, ""}, {"POST /v2/1010/webhooks/1:enable", "", ""}, {"POST /v2/whoami", "", ""},
		{"POST /v2/1010/webhooks", "", ""}, {"POST /v2/1010/webhooks", `{"url":`, ""}, {"POST /v2/1010/webhooks", `[]`, ""},
		{"POST /v2/1010/webhooks", `{"url":"https://a.example","url":"https://b.example"}`, ""},
		{"POST /v2/1010/webhooks", "{\"url\":\"\xff\"}", ""}, {"POST /v2/1010/webhooks", `{"url":"https://a.example","secret":"12345678"}`, ""},
		{"POST /v2/1010/webhooks", strings.Repeat(" ", maxBody+1), ""}, {"POST /v2/1010/webhooks", `{}`, "Content-Encoding: gzip"},
		{"GET /v2/1010/webhooks", "", "Authorization: Basic YTpi"}, {"GET /v2/1010/webhooks?%zz", "", ""},
		{"GET /v2/1010/webhooks/" + url.PathEscape(strings.Repeat("`", 300)), "", ""},
	} {
		method, path, _ := strings.Cut(c.target, " ")
		var headers []string
		if c.header != "" {
			headers = append(headers, c.header)
		}
		w := f.ask(method, path, c.body, headers...)
		if w.Code < 400 || w.Code > 499 || w.Header().Get("Content-Type") != "application/json" || !strings.HasPrefix(w.Body.String(), `{"message":"`) || w.Body.Len() > 500 {
			t.Errorf("%.80s: %d %s", c.target, w.Code, w.Body)
		}
	}
}

// Accept and Content-Type do not matter: whatever they say, this face reads and answers JSON.
func TestDNSimpleTolerance(t *testing.T) {
	f, _ := realFace(t)
	f.must(201, "POST", "/v1/tenants", `{"id":"1010","profile":"dnsimple","attributes":{"id":1010,"identifier":"a@example.com","display":"A"}}`)
	for i, h := range []string{"Accept: text/html", "Accept: application/vnd.api+json", "Content-Type: text/plain", "Content-Type: application/json; charset=utf-8", "Content-Type:"} {
		w := f.ask("POST", "/v2/1010/webhooks", `{"url":"https://example.com/"}`, h)
		if want := fmt.Sprintf(`{"data":{"id":%d,"url":"https://example.com/","suppressed_at":null}}`, i+1); w.Code != 201 || strings.TrimSpace(w.Body.String()) != want ||
			w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", h, w.Code, w.Body)
		}
	}
}

// whoami gives a client the number for its paths: that of the account its key is bound to, and of no other key.
func TestDNSimpleWhoami(t *testing.T) {
	f, _ := realFace(t)
	for _, body := range []string{
		`{"id":"1010","profile":"dnsimple","attributes":{"id":77,"identifier":"a@example.com","display":"A"}}`,
		`{"id":"0099","profile":"dnsimple","attributes":{"id":78,"identifier":"b@example.com","display":"B"}}`,
		`{"id":"named","profile":"dnsimple","attributes":{"id":79,"identifier":"c@example.com","display":"C"}}`,
		`{"id":"hosted","profile":"osir"}`,
	} {
		f.must(201, "POST", "/v1/tenants", body)
	}
	const nobody = `{"data":{"user":null,"account":null}}`
	for _, c := range []struct{ scope, tenant, want string }{
		{"tenant", "1010", `{"data":{"user":null,"account":{"id":1010,"email":"a@example.com","name":"A","created_at":"2026-03-01T12:00:00.000Z"}}}`},
		{"read", "0099", `{"data":{"user":null,"account":{"id":78,"email":"b@example.com","name":"B","created_at":"2026-03-01T12:00:00.000Z"}}}`},
		{"tenant", "named", `{"data":{"user":null,"account":{"id":79,"email":"c@example.com","name":"C","created_at":"2026-03-01T12:00:00.000Z"}}}`},
		{"tenant", "hosted", nobody}, {"publish", "1010", nobody}, {"read", "", nobody}, {"admin", "", nobody},
	} {
		body := fmt.Sprintf(`{"name":"n","scope":%q}`, c.scope)
		if c.tenant != "" {
			body = fmt.Sprintf(`{"name":"n","scope":%q,"tenant":%q}`, c.scope, c.tenant)
		}
		key := str(t, f.must(201, "POST", "/v1/keys", body), "key")
		auth := "Authorization: Bearer " + key
		w := f.ask("GET", "/v2/whoami", "", auth)
		if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || got != c.want {
			t.Errorf("%s of %q: %d %s, want %s", c.scope, c.tenant, w.Code, got, c.want)
		}
		if c.tenant == "1010" {
			continue
		}
		if w := f.ask("GET", "/v2/1010/webhooks", "", auth); c.tenant != "" && (w.Code != 404 || strings.TrimSpace(w.Body.String()) != "{\"message\":\"Account `1010` not found\"}") {
			t.Errorf("%s of %q looks at 1010: %d %s", c.scope, c.tenant, w.Code, w.Body)
		}
	}
}
