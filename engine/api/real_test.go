package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// The whole round of a customer: tenant, endpoint, publish, delivery, attempts, resend, and what is refused on the way.
func TestRound(t *testing.T) {
	f, net := realFace(t)
	tenant := f.must(201, "POST", "/v1/tenants", `{"id":"acme","profile":"osir","name":"Acme","attributes":{"plan":"gold"}}`)
	if str(t, tenant, "attributes", "plan") != "gold" || tenant["management_events"] != false {
		t.Fatal(tenant)
	}
	f.must(409, "POST", "/v1/tenants", `{"id":"acme","profile":"osir"}`)
	f.must(422, "POST", "/v1/tenants/acme/endpoints", `{"url":"http://example.com/"}`)
	ep := f.must(201, "POST", "/v1/tenants/acme/endpoints", `{"url":"https://example.com/hooks","event_types":["domain.*"],"secret":"12345678"}`)
	id := str(t, ep, "id")
	if ep["secret"] != "12345678" || ep["status"] != "enabled" {
		t.Fatal(ep)
	}
	path := "/v1/tenants/acme/endpoints/" + id
	if got := f.must(200, "GET", path, ""); got["secret"] != nil {
		t.Fatal("the secret is shown", got)
	}
	if got := f.must(200, "GET", path+"/secret", ""); got["secret"] != "12345678" {
		t.Fatal(got)
	}
	if got := f.must(200, "PATCH", path, `{"timeout":"7s","description":"x"}`); got["timeout"] != "7s" {
		t.Fatal(got)
	}
	if got := f.must(200, "PATCH", path, `{"timeout":null}`); got["timeout"] != nil || got["description"] != "x" {
		t.Fatal("merge patch:", got)
	}

	net.status.Store(500)
	p := f.must(202, "POST", "/v1/tenants/acme/events?explain=true", `{"type":"domain.registered","data":{"domain":"own.example"}}`, "Idempotency-Key: k1")
	again := f.must(202, "POST", "/v1/tenants/acme/events", `{"type":"domain.registered","data":{"domain":"own.example"},"idempotency_key":"k1"}`)
	if again["duplicate"] != true || again["uid"] != p["uid"] || str(t, again, "matched", 0, "delivery_id") != str(t, p, "matched", 0, "delivery_id") {
		t.Fatalf("first %v, again %v", p, again)
	}
	f.must(409, "POST", "/v1/tenants/acme/events", `{"type":"domain.registered","data":{"domain":"other.example"},"idempotency_key":"k1"}`)
	delivery := "/v1/tenants/acme/deliveries/" + str(t, p, "matched", 0, "delivery_id")
	f.must(200, "POST", "/v1/dev/clock:advance", `{"by":"27h"}`)
	d := f.must(200, "GET", delivery, "")
	if d["status"] != "exhausted" || len(d["attempts"].([]any)) != 5 {
		t.Fatal(d)
	}
	if got := f.must(200, "GET", path, ""); got["status"] != "disabled" {
		t.Fatal("O-15: five failures disable the endpoint:", got)
	}
	f.must(409, "POST", delivery+":resend", "")
	f.must(200, "POST", path+":enable", "{}")
	net.status.Store(200)
	resent := f.must(202, "POST", delivery+":resend", "")
	if str(t, resent, "resend_of") != str(t, d, "id") {
		t.Fatal(resent)
	}
	f.must(200, "POST", "/v1/dev/clock:advance", `{"by":"1ms"}`)
	all := f.must(200, "GET", "/v1/tenants/acme/attempts?endpoint_id="+id+"&order=asc", "")["data"].([]any)
	if len(all) != 6 || str(t, all, 0, "trigger") != "schedule" || str(t, all, 5, "trigger") != "resend" {
		t.Fatalf("P18: six attempts in order, got %v", all)
	}
	body := str(t, all, 0, "request", "body")
	if !strings.Contains(body, `"data":{"domain":"own.example"}`) || body != str(t, all, 5, "request", "body") {
		t.Fatal("the body sent:", body)
	}
	tested := f.must(200, "POST", path+":test", `{"event_type":"invoice.paid"}`)
	if tested["delivery_id"] != nil || tested["trigger"] != "test" {
		t.Fatal(tested)
	}
	f.must(422, "POST", path+":test", `{"event_type":"no.such"}`)
	f.must(204, "DELETE", path, "")
	f.must(404, "GET", path, "")
	f.must(204, "DELETE", "/v1/tenants/acme", "")
	f.must(409, "POST", "/v1/tenants", `{"id":"acme","profile":"osir"}`)
}

// 404 across tenants: another tenant's ids are unknown, whatever the call.
func TestOtherTenant(t *testing.T) {
	f, _ := realFace(t)
	for _, id := range []string{"a", "b"} {
		f.must(201, "POST", "/v1/tenants", `{"id":"`+id+`","profile":"osir"}`)
	}
	ep := str(t, f.must(201, "POST", "/v1/tenants/a/endpoints", `{"url":"https://example.com/"}`), "id")
	sub := str(t, f.must(200, "GET", "/v1/tenants/a/subscriptions", ""), "data", 0, "id")
	p := f.must(202, "POST", "/v1/tenants/a/events", `{"type":"domain.registered","data":{}}`)
	event, delivery := str(t, p, "uid"), str(t, p, "matched", 0, "delivery_id")
	for _, target := range []string{
		"GET endpoints/" + ep, "PATCH endpoints/" + ep, "DELETE endpoints/" + ep, "GET endpoints/" + ep + "/secret",
		"POST endpoints/" + ep + ":enable", "POST endpoints/" + ep + ":disable", "POST endpoints/" + ep + ":rotate-secret",
		"POST endpoints/" + ep + ":clear-suppression", "POST endpoints/" + ep + ":test", "GET subscriptions/" + sub, "PATCH subscriptions/" + sub,
		"DELETE subscriptions/" + sub, "GET events/" + event, "POST events/" + event + ":deliver", "GET deliveries/" + delivery,
		"POST deliveries/" + delivery + ":resend", "POST deliveries/" + delivery + ":cancel", "POST deliveries/" + delivery + ":release",
	} {
		method, path, _ := strings.Cut(target, " ")
		body := "{}"
		switch {
		case strings.HasSuffix(path, ":test"):
			body = `{"event_type":"invoice.paid"}`
		case strings.HasSuffix(path, ":deliver"):
			body = `{"endpoint_id":"` + ep + `"}`
		}
		for _, tenant := range []string{"b", "nobody"} {
			if w := f.ask(method, "/v1/tenants/"+tenant+"/"+path, body); w.Code != 404 {
				t.Errorf("%s of tenant %s: %d %s", target, tenant, w.Code, w.Body)
			}
		}
	}
	for _, list := range []string{"endpoints", "subscriptions", "events", "deliveries", "attempts"} {
		if got := f.must(200, "GET", "/v1/tenants/b/"+list, "")["data"].([]any); len(got) != 0 {
			t.Errorf("%s of the other tenant: %v", list, got)
		}
		if w := f.ask("GET", "/v1/tenants/nobody/"+list, ""); w.Code != 404 {
			t.Errorf("%s of nobody: %d", list, w.Code)
		}
	}
}

// Pages by cursor neither repeat nor miss an item, on every list.
func TestPages(t *testing.T) {
	f, _ := realFace(t)
	f.must(201, "POST", "/v1/tenants", `{"id":"a","profile":"osir"}`)
	for i := range 7 {
		f.must(201, "POST", "/v1/tenants/a/endpoints", fmt.Sprintf(`{"url":"https://example.com/%d","event_types":["domain.registered"]}`, i))
	}
	f.must(202, "POST", "/v1/tenants/a/events:batch", `{"events":[{"type":"domain.registered","data":{}},{"type":"b.c","data":{}},{"type":"b.c","data":{}}]}`)
	f.must(200, "POST", "/v1/dev/clock:advance", `{"by":"1ms"}`)
	for list, want := range map[string]int{
		"/v1/tenants/a/endpoints": 7, "/v1/tenants/a/subscriptions": 7, "/v1/tenants/a/events": 3, "/v1/tenants/a/deliveries": 7,
		"/v1/tenants/a/attempts": 7, "/v1/tenants": 1, "/v1/profiles": 6, "/v1/transports": 1,
	} {
		seen := map[string]bool{}
		cursor, pages := "", 0
		for {
			p := f.must(200, "GET", list+"?limit=2&cursor="+cursor, "")
			for _, item := range p["data"].([]any) {
				text, err := json.Marshal(item)
				if err != nil {
					t.Fatal(err)
				}
				if seen[string(text)] {
					t.Errorf("%s: twice: %s", list, text)
				}
				seen[string(text)] = true
			}
			pages++
			if p["next_cursor"] == nil {
				break
			}
			cursor = p["next_cursor"].(string)
		}
		if len(seen) != want || pages < (want+1)/2 {
			t.Errorf("%s: %d items on %d pages, want %d", list, len(seen), pages, want)
		}
		if w := f.ask("GET", list+"?cursor=nonsense", ""); w.Code != 422 {
			t.Errorf("%s: a made-up cursor: %d", list, w.Code)
		}
	}
}

// X-Log-Seq of a write, sent back as X-Min-Seq, is seen by the next read.
func TestReadYourWrites(t *testing.T) {
	f, _ := realFace(t)
	f.must(201, "POST", "/v1/tenants", `{"id":"a","profile":"osir"}`)
	for range 20 {
		w := f.ask("POST", "/v1/tenants/a/events", `{"type":"a.b","data":{}}`)
		var p struct{ UID, Seq any }
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 202 {
			t.Fatal(w.Code, w.Body)
		}
		got := f.must(200, "GET", "/v1/tenants/a/events?limit=1", "", "X-Min-Seq: "+w.Header().Get("X-Log-Seq"))
		if str(t, got, "data", 0, "uid") != fmt.Sprint(p.UID) {
			t.Fatalf("published %v, listed %v", p, got)
		}
	}
}
