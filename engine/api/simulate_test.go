package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// A back-test over HTTP: one answer, or progress and the answer as lines or as server-sent events.
func TestSimulateFilter(t *testing.T) {
	f, _ := realFace(t)
	f.must(201, "POST", "/v1/tenants", `{"id":"acme","profile":"osir","name":"Acme"}`)
	f.must(201, "POST", "/v1/tenants/acme/endpoints", `{"url":"https://receiver.example/x","filter":"data.n < 3"}`)
	sub := str(t, f.must(200, "GET", "/v1/tenants/acme/subscriptions", ""), "data", 0, "id")
	for i := range 10 {
		f.must(202, "POST", "/v1/tenants/acme/events", fmt.Sprintf(`{"type":"domain.registered","data":{"n":%d}}`, i))
	}
	ask := `{"tenant":"acme","filter":"data.n > 5 or data.n == 0","subscription_id":"` + sub + `","last":9}`
	got := f.must(200, "POST", "/v1/filters:simulate", ask)
	if got["events"] != 9.0 || got["matched"] != 4.0 || got["missed"] != 5.0 || str(t, got, "diff", "text") != "+4 -2 of 9" || str(t, got, "samples", "matched", 0, "type") != "domain.registered" {
		t.Error(got)
	}
	w := f.ask("POST", "/v1/filters:simulate", ask, "Accept: application/x-ndjson")
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	var last struct{ Result map[string]any }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Result["matched"] != 4.0 || w.Header().Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%v %s", err, w.Body)
	}
	if lines[0] != `{"progress":{"done":9,"total":9,"matched":4,"failed":0}}` {
		t.Error(lines[0])
	}
	w = f.ask("POST", "/v1/filters:simulate", ask, "Accept: text/event-stream")
	if text := w.Body.String(); !strings.HasPrefix(text, "event: progress\ndata: {") || !strings.Contains(text, "\n\nevent: result\ndata: {\"valid\":true,") || !strings.HasSuffix(text, "}\n\n") {
		t.Error(text)
	}
	got = f.must(200, "POST", "/v1/filters:simulate", `{"tenant":"acme","filter":"data.n ="}`)
	if got["valid"] != false || str(t, got, "errors", 0, "suggestion") != "write == to compare" {
		t.Error(got)
	}
	for _, c := range []struct {
		body   string
		status int
		at     string
	}{
		{`{"filter":"true"}`, 422, "tenant"},
		{`{"tenant":"acme"}`, 422, "filter"},
		{`{"tenant":"acme","filter":"true","last":0}`, 422, "last"},
		{`{"tenant":"acme","filter":"true","last":100001}`, 422, "last"},
		{`{"tenant":"acme","filter":"true","from":"yesterday"}`, 422, "from"},
		{`{"tenant":"acme","filter":"true","since":"yesterday"}`, 422, "since"},
		{`{"tenant":"acme","filter":"true","event_types":["*.x"]}`, 422, "event_types"},
		{`{"tenant":"acme","filter":"true","subscription_id":"sub_1"}`, 404, ""},
		{`{"tenant":"nobody","filter":"true"}`, 404, ""},
	} {
		for _, accept := range []string{"application/json", "application/x-ndjson"} { // refused as ever: nothing has been sent
			w := f.ask("POST", "/v1/filters:simulate", c.body, "Accept: "+accept)
			p := problemIn(t, w.Body.String())
			if w.Code != c.status || c.at != "" && (len(p.Errors) == 0 || p.Errors[0].Location != c.at) {
				t.Errorf("%s: %d %s", c.body, w.Code, w.Body)
			}
		}
	}
}
