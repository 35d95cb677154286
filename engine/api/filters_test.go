package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/engine"
	"github.com/hookline/hookline/engine/profile"
)

const zoneEvent = `"event":{"type":"zone_record.created","data":{"zone":{"name":"example.com"},"record":{"ttl":3600}}}`

// Any text is answered: what is no filter says where and why, what is one says what it costs and what it makes of an event.
func TestCheckFilter(t *testing.T) {
	f, _ := realFace(t)
	f.must(201, "POST", "/v1/tenants", `{"id":"acme","profile":"osir","name":"Acme"}`)
	got := f.must(200, "POST", "/v1/filters:check", `{"filter":"data.zone.name == \"example.com\" and\n data.record.ttl = 5"}`)
	if got["valid"] != false || str(t, got, "errors", 0, "suggestion") != "write == to compare" || str(t, got, "errors", 0, "line") != "2" || str(t, got, "errors", 0, "column") != "18" {
		t.Error(got)
	}
	if text := str(t, got, "errors", 0, "text"); text != " data.record.ttl = 5\n                 ^" {
		t.Errorf("%q", text)
	}
	got = f.must(200, "POST", "/v1/filters:check", `{"filter":"data.zone.name endsWith \".com\" and data.record.ttl < 60",`+zoneEvent+`}`)
	if got["valid"] != true || got["max_cost_us"] != 5000.0 || got["cost_us"].(float64) < 1 || str(t, got, "clauses", 1, "text") != "data.record.ttl < 60" {
		t.Error(got)
	}
	if str(t, got, "explanation", "matched") != "false" || str(t, got, "explanation", "text") != "it does not match, because `data.record.ttl < 60` is false (data.record.ttl is 3600)" {
		t.Error(got)
	}
	// D-4: the catalogue of the tenant's profile is a warning, and an error to who is strict.
	body := `"filter":"type == \"domain.registred\"","tenant":"acme","event_types":["domain.*"]`
	got = f.must(200, "POST", "/v1/filters:check", "{"+body+"}")
	if got["valid"] != true || str(t, got, "warnings", 0, "suggestion") != "did you mean domain.registered?" {
		t.Error(got)
	}
	got = f.must(200, "POST", "/v1/filters:check", `{"filter":"type == \"domain.registred\"","profile":"osir","strict":true}`)
	if got["valid"] != false || !strings.Contains(str(t, got, "errors", 0, "message"), "there is no event type") {
		t.Error(got)
	}
	for _, text := range []string{"", "(", "\\u0000", strings.Repeat("(", 5000), "ü", "true"} {
		got := f.must(200, "POST", "/v1/filters:check", `{"filter":"`+text+`"}`)
		if got["valid"] != (text == "true") || got["valid"] == false && str(t, got, "errors", 0, "message") == "" {
			t.Errorf("%.20q: %v", text, got)
		}
	}
}

// Any text is answered within 10 ms, by any built-in catalogue.
func TestCheckFilterIsQuick(t *testing.T) {
	const quick = 50 * time.Millisecond // the bound is 10 ms on a quiet machine; what grows with the square takes seconds
	for _, p := range profile.Builtin() {
		for _, src := range []string{`data.zone.nmae == "x"`, strings.Repeat(`data.zone.nmae > 5 or `, 80) + "zone.nmae", strings.Repeat(`data.zone.nmae > 5 or `, 80) + "true",
			strings.Repeat("(", 5000), strings.Repeat(`type=="a" or `, 150) + "true"} {
			least := time.Hour
			for range 8 { // a busy machine errs upwards only
				start := time.Now()
				if _, err := engine.CheckFilter(&engine.FilterInput{Filter: src}, p, nil); err != nil {
					t.Fatal(err)
				}
				if least = min(least, time.Since(start)); least <= quick {
					break
				}
			}
			if least > quick {
				t.Errorf("%s: %.40q takes %v", p.Name, src, least)
			}
		}
	}
}

// What beside the filter is wrong is refused by name.
func TestCheckFilterRefuses(t *testing.T) {
	f, _ := realFace(t)
	f.must(201, "POST", "/v1/tenants", `{"id":"acme","profile":"osir","name":"Acme"}`)
	for _, c := range []struct {
		verb, body string
		status     int
		at, say    string
	}{
		{"check", `{}`, 422, "filter", "missing"},
		{"check", `{"filter":5}`, 422, "filter", "string"},
		{"check", `{"filter":"true","fliter":"x"}`, 422, "fliter", "filter"},
		{"check", `{"filter":"true","event":5}`, 422, "event", "object"},
		{"check", `{"filter":"true","event":{"data":{}}}`, 422, "event.type", "missing"},
		{"check", `{"filter":"true","event":{"type":"a..b"}}`, 422, "event.type", "empty segment"},
		{"check", `{"filter":"true","event":{"type":"a","occurred_at":"yesterday"}}`, 422, "event.occurred_at", "RFC 3339"},
		{"check", `{"filter":"true","event":{"type":"a","tpye":"b"}}`, 422, "event.tpye", "type"},
		{"check", `{"filter":"true","event":{"type":"a","data":{"a":1,"a":2}}}`, 400, "", "twice"},
		{"check", `{"filter":"true","event":{"type":"a","data":{"a":"` + strings.Repeat("x", 300_000) + `"}}}`, 413, "", "262144"},
		{"check", `{"filter":"true","event_types":[]}`, 422, "event_types", "1 to 200"},
		{"check", `{"filter":"true","tenant":"nobody"}`, 404, "", "nobody"},
		{"check", `{"filter":"true","profile":"nobody"}`, 422, "profile", "nobody"},
		{"check", `{"filter":"true","event_id":"evt_1"}`, 422, "tenant", "missing"},
		{"check", `{"filter":"true","tenant":"acme","event_id":"evt_1"}`, 404, "", "evt_1"},
		{"check", `{"filter":"true","endpoint_id":"ep_1"}`, 422, "endpoint_id", ":explain"},
		{"explain", `{"filter":"true"}`, 422, "event", "missing"},
		{"explain", `{"filter":"true","strict":true}`, 422, "strict", ":check"},
		{"explain", `{` + zoneEvent + `}`, 422, "filter", "missing"},
		{"explain", `{"tenant":"acme","event_id":"evt_1",` + zoneEvent + `}`, 422, "event_id", "event"},
		{"explain", `{"tenant":"acme","endpoint_id":"ep_1",` + zoneEvent + `}`, 404, "", "ep_1"},
	} {
		w := f.ask("POST", "/v1/filters:"+c.verb, c.body)
		p := problemIn(t, w.Body.String())
		at := ""
		if len(p.Errors) > 0 {
			at = p.Errors[0].Location
		}
		if w.Code != c.status || c.at != "" && at != c.at || !strings.Contains(w.Body.String(), c.say) {
			t.Errorf("%s %.80s: %d %s", c.verb, c.body, w.Code, w.Body)
		}
	}
}

// Every subscription of a tenant explains itself, for an event that is made up and for one of the log; a key of another
// tenant sees nothing.
func TestExplainSubscriptions(t *testing.T) {
	f, _ := realFace(t)
	f.must(201, "POST", "/v1/tenants", `{"id":"acme","profile":"osir","name":"Acme"}`)
	var eps []string
	for _, fields := range []string{`"event_types":["zone_record.*"],"filter":"data.zone.name == \"example.com\""`, `"event_types":["domain.*"]`,
		`"event_types":["zone_record.*"],"filter":"data.record.ttl > \"x\""`, `"event_types":["*"]`} {
		eps = append(eps, str(t, f.must(201, "POST", "/v1/tenants/acme/endpoints", `{"url":"https://example.com/hooks",`+fields+`}`), "id"))
	}
	published := f.must(202, "POST", "/v1/tenants/acme/events?explain=true", `{"type":"zone_record.created","data":{"zone":{"name":"example.com"},"record":{"ttl":3600}}}`)
	if n := len(published["unmatched"].([]any)); n != 2 {
		t.Errorf("%d unmatched", n)
	}
	want := []string{
		"it matches, because `data.zone.name == \"example.com\"` is true (data.zone.name is \"example.com\")",
		"it does not match, because its event types do not select zone_record.created",
		"it cannot be evaluated: line 1, column 17: data.record.ttl > \"x\": compares 3600 (a number) with \"x\" (a string); > takes two numbers or two strings",
		"it matches, because its event types select zone_record.created and it has no filter",
	}
	for _, about := range []string{zoneEvent, fmt.Sprintf(`"event_id":%q`, published["uid"])} {
		got := f.must(200, "POST", "/v1/filters:explain", `{"tenant":"acme",`+about+`}`)
		for i, w := range want {
			if str(t, got, "subscriptions", i, "endpoint_id") != eps[i] || str(t, got, "subscriptions", i, "explanation", "text") != w {
				t.Errorf("%s, subscription %d: %v", about, i, str(t, got, "subscriptions", i))
			}
		}
		got = f.must(200, "POST", "/v1/filters:explain", `{"tenant":"acme","endpoint_id":"`+eps[2]+`",`+about+`}`)
		if list := got["subscriptions"].([]any); len(list) != 1 || str(t, got, "subscriptions", 0, "explanation", "error", "column") != "17" {
			t.Error(got)
		}
	}
	got := f.must(200, "GET", "/v1/tenants/acme/events/"+str(t, published, "uid"), "")
	if failed := got["failed"].([]any); len(failed) != 1 || !strings.Contains(str(t, failed, 0, "error"), "compares 3600 (a number)") {
		t.Error(got)
	}
	if w := f.ask("GET", "/metrics", ""); !strings.Contains(w.Body.String(), "hookline_filter_failures_total 1\n") {
		t.Error("the failure is not counted")
	}
	why := f.must(200, "POST", "/v1/tenants/acme/events/"+str(t, published, "uid")+":why", `{"endpoint_id":"`+eps[0]+`"}`)
	if why["matched"] != true || str(t, why, "subscriptions", 0, "filter") != `data.zone.name == "example.com"` || str(t, why, "deliveries", 0, "endpoint_id") != eps[0] {
		t.Error(why)
	}
	f.must(422, "POST", "/v1/tenants/acme/events/"+str(t, published, "uid")+":why", `{}`)
	f.must(404, "POST", "/v1/tenants/acme/events/evt_none:why", `{"endpoint_id":"`+eps[0]+`"}`)
	got = f.must(200, "POST", "/v1/filters:explain", `{"filter":"not (data.record.ttl > 60)",`+zoneEvent+`}`)
	if str(t, got, "explanation", "clauses", 0, "seen", 0, "value") != "3600" || str(t, got, "explanation", "matched") != "false" {
		t.Error(got)
	}
	if got = f.must(200, "POST", "/v1/filters:explain", `{"filter":"data.",`+zoneEvent+`}`); got["valid"] != false || got["explanation"] != nil {
		t.Error(got)
	}
}

// A filter that is most likely a mistake is saved with warnings, and refused where strict is asked for.
func TestSaveWithWarnings(t *testing.T) {
	f, _ := realFace(t)
	f.must(201, "POST", "/v1/tenants", `{"id":"acme","profile":"osir","name":"Acme"}`)
	const wrong = `"event_types":["domain.*"],"filter":"type == \"domain.registred\""`
	const endpoints, subscriptions = "/v1/tenants/acme/endpoints", "/v1/tenants/acme/subscriptions"
	w := f.ask("POST", endpoints+"?strict=true", `{"url":"https://example.com/hooks",`+wrong+`}`)
	if p := problemIn(t, w.Body.String()); w.Code != 422 || len(p.Errors) != 1 || p.Errors[0].Location != "filter" || !strings.Contains(p.Errors[0].Message, "did you mean domain.registered?") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	ep := f.must(201, "POST", endpoints, `{"url":"https://example.com/hooks",`+wrong+`}`)
	if str(t, ep, "filter_warnings", 0, "suggestion") != "did you mean domain.registered?" {
		t.Error(ep)
	}
	path := endpoints + "/" + str(t, ep, "id")
	if got := f.must(200, "GET", path, ""); got["filter_warnings"] != nil {
		t.Error("warnings are of the change, not of the object:", got)
	}
	f.must(422, "PATCH", path+"?strict=true", `{"event_types":["doman.*"]}`)
	if got := f.must(200, "PATCH", path+"?strict=true", `{"filter":null}`); got["filter_warnings"] != nil {
		t.Error(got)
	}
	if got := f.must(200, "PATCH", path, `{"event_types":["doman.*"]}`); str(t, got, "filter_warnings", 0, "line") != "0" {
		t.Error(got)
	}
	sub := f.must(201, "POST", subscriptions+"?strict=true", `{"endpoint_id":"`+str(t, ep, "id")+`","event_types":["domain.*"],"filter":"type == \"domain.registered\""}`)
	f.must(422, "PATCH", subscriptions+"/"+str(t, sub, "id")+"?strict=true", `{"event_types":["invoice.*"]}`) // its filter does not fit them
	if got := f.must(200, "PATCH", subscriptions+"/"+str(t, sub, "id"), `{"event_types":["invoice.*"]}`); !strings.Contains(str(t, got, "filter_warnings", 0, "message"), "do not select") {
		t.Error(got)
	}
	f.must(422, "POST", subscriptions, `{"endpoint_id":"`+str(t, ep, "id")+`","filter":"data."}`)
	f.must(404, "PATCH", subscriptions+"/sub_none?strict=true", `{"filter":"true"}`)
}

// A key of one tenant asks about that tenant only.
func TestFilterTenants(t *testing.T) {
	f := newFace(t)
	f.engine.principals = map[string]engine.Principal{"tenant-acme": {ID: "key_t", Scope: engine.ScopeTenant, Tenant: "acme"}}
	for body, status := range map[string]int{`{"filter":"true","tenant":"acme"}`: 200, `{"filter":"true"}`: 200, `{"filter":"true","tenant":"other"}`: 404} {
		if w := f.ask("POST", "/v1/filters:check", body, "Authorization: Bearer tenant-acme"); w.Code != status {
			t.Errorf("%s: %d, want %d", body, w.Code, status)
		}
	}
}
