package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hookline/hookline/engine"
)

func TestBodiesRefused(t *testing.T) {
	f := newFace(t)
	for _, c := range []struct {
		target, body string
		status       int
		at, say      string
	}{
		{"POST /v1/tenants/acme/endpoints", ``, 400, "body", "empty"},
		{"POST /v1/tenants/acme/endpoints", `[]`, 422, "body", "is a list"},
		{"POST /v1/tenants/acme/endpoints", `"x" x`, 400, "body", "end of the text"},
		{"POST /v1/tenants/acme/endpoints", `{}`, 422, "url", "missing"},
		{"POST /v1/tenants/acme/endpoints", `{"url":null}`, 422, "url", "missing"},
		{"POST /v1/tenants/acme/endpoints", `{"url":7}`, 422, "url", "must be a string, is the number 7"},
		{"POST /v1/tenants/acme/endpoints", `{"url":"x","event_types":"a"}`, 422, "event_types", "must be a list of strings, is a string"},
		{"POST /v1/tenants/acme/endpoints", `{"url":"x","event_types":["a",1]}`, 422, "event_types", "is a list that holds a number"},
		{"POST /v1/tenants/acme/endpoints", `{"url":"x","headers":{"a":["b"]}}`, 422, "headers", "is an object that holds an array"},
		{"POST /v1/tenants/acme/endpoints", `{"url":"x","concurrency":1.5}`, 422, "concurrency", "must be a whole number, is the number 1.5"},
		{"POST /v1/tenants/acme/endpoints", `{"url":"x","concurrency":"8"}`, 422, "concurrency", "is a string"},
		{"POST /v1/tenants/acme/endpoints", `{"url":"x","eventTypes":["a"]}`, 422, "eventTypes", "did you mean event_types"},
		{"POST /v1/tenants/acme/endpoints", `{"url":"x","URL":"y"}`, 422, "URL", "did you mean url"},
		{"POST /v1/tenants/acme/endpoints", `{"url":"\udc00"}`, 422, "url", "surrogate"},
		{"POST /v1/tenants/acme/endpoints", `{"url":"a","url":"b"}`, 400, "url", "twice"},
		{"POST /v1/tenants/acme/endpoints", `{"url":"a","settings":{"k":{"a":1,"a":2}}}`, 400, "settings.k.a", "twice"},
		{"POST /v1/tenants/acme/endpoints", "{\"url\":\"\xff\"}", 400, "url", "UTF-8"},
		{"POST /v1/tenants/acme/endpoints", `{"url":"a","settings":` + nested(65) + `}`, 400, "settings", "64 levels"},
		{"POST /v1/tenants/acme/endpoints", `{"url":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "body", "1048576"},
		{"PATCH /v1/tenants/acme", `{"id":"b"}`, 422, "id", "cannot be changed"},
		{"PATCH /v1/tenants/acme/subscriptions/s", `{"endpoint_id":"b"}`, 422, "endpoint_id", "cannot be changed"},
		{"POST /v1/tenants", `{"profile":"osir","management_events":"no"}`, 422, "management_events", "must be true or false"},
		{"POST /v1/tenants", `{"profile":null}`, 422, "profile", "null"},
		{"POST /v1/tenants", `{"id":"","profile":"osir"}`, 422, "id", "empty"},
		{"POST /v1/tenants", `{"profile":"osir","attributes":[]}`, 422, "attributes", "object"},
		{"POST /v1/tenants/acme/endpoints/e:enable", `{"x":1}`, 422, "x", "none is taken here"},
		{"POST /v1/tenants/acme/endpoints/e:test", `{}`, 422, "event_type", "missing"},
		{"POST /v1/tenants/acme/endpoints/e:test", `{"event_type":null}`, 422, "event_type", "is null"},
		{"POST /v1/tenants/acme/endpoints/e:rotate-secret", `{"secret":""}`, 422, "secret", "empty"},
		{"POST /v1/tenants/acme/events/e:deliver", `{"endpoint":"x"}`, 422, "endpoint", "did you mean endpoint_id"},
	} {
		method, path, _ := strings.Cut(c.target, " ")
		w := f.ask(method, path, c.body)
		p := problemIn(t, w.Body.String())
		if w.Code != c.status || !strings.HasPrefix(p.Errors[0].Location, c.at) || !strings.Contains(p.Errors[0].Message, c.say) {
			t.Errorf("%s %.60s: %d %s", c.target, c.body, w.Code, w.Body)
		}
	}
	if len(f.engine.asked) > 0 {
		t.Fatalf("the engine was asked: %v", f.engine.asked)
	}
	// All wrong fields are told at once.
	w := f.ask("POST", "/v1/tenants/acme/endpoints", `{"secret":1,"filter":2,"x":3}`)
	if p := problemIn(t, w.Body.String()); len(p.Errors) != 4 {
		t.Errorf("want secret, filter, x and url: %s", w.Body)
	}
	// Each of them once.
	w = f.ask("POST", "/v1/tenants/acme/endpoints/e:test", `{"event_type":null}`)
	if p := problemIn(t, w.Body.String()); len(p.Errors) != 1 {
		t.Errorf("want one fault: %s", w.Body)
	}
}

// A merge patch tells absent, null and a value apart (RFC 7396).
func TestPatchInput(t *testing.T) {
	f := newFace(t)
	f.ask("PATCH", "/v1/tenants/acme/endpoints/e", `{"filter":null,"timeout":"5s","settings":{"b":1,"a":2},"event_types":[],"concurrency":3}`)
	in := f.engine.endpoint
	if !in.Filter.Set || !in.Filter.Null || in.Timeout.Value != "5s" || in.URL.Set || in.Schedule.Set || string(in.Settings.Value) != `{"b":1,"a":2}` ||
		!in.EventTypes.Set || in.EventTypes.Null || len(in.EventTypes.Value) != 0 || in.Concurrency.Value != 3 {
		t.Fatalf("%+v", in)
	}
	f.ask("POST", "/v1/tenants", `{"profile":"osir","name":null,"attributes":null}`)
	if in := f.engine.tenant; in.Name == nil || *in.Name != "" || in.Attributes == nil || string(*in.Attributes) != `{}` || in.ManagementEvents != nil || in.ID != "" {
		t.Fatalf("%+v", in)
	}
	if got := strings.Join(f.engine.asked, ";"); got != "check true;update endpoint e of acme;create tenant by admin_key" {
		t.Fatal(got)
	}
}

// What an error says is for callers: no names of our rooms, no field named twice.
func TestMessagesForCallers(t *testing.T) {
	f, _ := realFace(t)
	f.must(201, "POST", "/v1/tenants", `{"id":"acme","profile":"osir"}`)
	for _, c := range []struct{ path, body, detail string }{
		{"/v1/tenants/acme/events", `{"type":"a..b","data":{}}`, `type: event type "a..b" has an empty segment`},
		{"/v1/tenants/acme/events:batch", `{"type":"a.b","data":{}}`, "type: unknown field: known are events; for one event a line set Content-Type: application/x-ndjson"},
		{"/v1/tenants/acme/endpoints", `{"url":"https://a.example/","event_types":["a*"]}`, `event_types: event type "a*": * stands alone`},
		{"/v1/tenants", `{"profile":"dnsimple"}`, "attributes.id: is missing; give an integer"},
	} {
		p := f.must(422, "POST", c.path, c.body)
		if got := str(t, p, "detail"); !strings.HasPrefix(got, c.detail) {
			t.Errorf("%s %s: %q, want %q", c.path, c.body, got, c.detail)
		}
	}
}

// null for the attributes as a whole removes them all; where the profile needs some, that is refused.
func TestPatchAttributesNull(t *testing.T) {
	f, _ := realFace(t)
	f.must(201, "POST", "/v1/tenants", `{"id":"acme","profile":"osir","attributes":{"plan":"gold"}}`)
	if got := f.must(200, "PATCH", "/v1/tenants/acme", `{"attributes":{}}`); str(t, got, "attributes", "plan") != "gold" {
		t.Fatal(got)
	}
	got := f.must(200, "PATCH", "/v1/tenants/acme", `{"attributes":null}`)
	if left, ok := got["attributes"].(map[string]any); !ok || len(left) != 0 {
		t.Fatal(got)
	}
	f.must(201, "POST", "/v1/tenants", `{"id":"1010","profile":"dnsimple","attributes":{"id":1010,"identifier":"a@example.com","display":"A"}}`)
	f.must(422, "PATCH", "/v1/tenants/1010", `{"attributes":null}`)
}

// FuzzDecode: no body panics, whatever it is; what is taken is JSON that encoding/json takes as well.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{}`, `{"url":"x","event_types":["a"],"headers":{"a":"b"},"settings":{},"concurrency":1}`, `{"url":null}`, `{"a":1}`, `[`, `{"url":"\ud800"}`, `{"headers":{"a":1}}`} {
		f.Add([]byte(seed))
	}
	face := newFace(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		face.engine.endpoint = engine.EndpointInput{}
		w := face.ask("PATCH", "/v1/tenants/acme/endpoints/e", string(body))
		switch w.Code {
		case 200:
			if !json.Valid(body) {
				t.Fatalf("taken: %q", body)
			}
		case 400, 413, 422:
			problemIn(t, w.Body.String())
		default:
			t.Fatalf("%d for %q", w.Code, body)
		}
	})
}

// FuzzPublish: no publish panics; what is taken has its data byte for byte.
func FuzzPublish(f *testing.F) {
	for _, c := range refusedItems() {
		if len(c.body) < 1000 {
			f.Add([]byte(c.body))
		}
	}
	f.Add([]byte(`{"type":"a","data":{"k":[1,2,{"x":null}]}}`))
	f.Add([]byte(`{"type":"a","payload":"x","occurred_at":"2026-01-31T08:00:00Z"}`))
	face := newFace(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		face.engine.published = nil
		w := face.ask("POST", "/v1/tenants/acme/events", string(body))
		switch w.Code {
		case 202:
			p := face.engine.published[0]
			if !json.Valid(body) || !strings.Contains(string(body), string(p.Data)+string(p.Payload)) || len(p.Data)+len(p.Payload) == 0 {
				t.Fatalf("taken: %q as %+v", body, p)
			}
		case 400, 413, 422:
			problemIn(t, w.Body.String())
		default:
			t.Fatalf("%d for %q", w.Code, body)
		}
	})
}
