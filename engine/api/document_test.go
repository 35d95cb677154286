package api

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

type openAPI struct {
	OpenAPI    string `json:"openapi"`
	Paths      map[string]map[string]documented
	Components struct {
		Schemas map[string]map[string]any `json:"schemas"`
	} `json:"components"`
}

type documented struct {
	OperationID string `json:"operationId"`
	Summary     string
	Tags        []string
	Parameters  []struct{ Name, In string }
	RequestBody *struct{ Content map[string]map[string]any }
	Responses   map[string]struct{ Content map[string]map[string]any }
}

func readDocument(t *testing.T) (doc openAPI, raw []byte) {
	t.Helper()
	f := newFace(t)
	w := f.ask("GET", "/openapi.json", "", "Authorization: ")
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc, w.Body.Bytes()
}

// Every operation of the table is in the document, as its own path, and nothing else is.
func TestDocumentIsTheTable(t *testing.T) {
	doc, raw := readDocument(t)
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("openapi %s", doc.OpenAPI)
	}
	count := 0
	for _, op := range operations() {
		if op.tag == "" {
			continue
		}
		count++
		d, ok := doc.Paths[op.path][strings.ToLower(op.method)]
		if !ok || d.OperationID != op.id || d.Summary == "" {
			t.Errorf("%s %s: documented as %+v", op.method, op.path, d)
			continue
		}
		for rest := op.path; strings.Contains(rest, "{"); {
			_, after, _ := strings.Cut(rest, "{")
			name, tail, _ := strings.Cut(after, "}")
			rest = tail
			if !slices.ContainsFunc(d.Parameters, func(p struct{ Name, In string }) bool { return p.Name == name && p.In == "path" }) {
				t.Errorf("%s: path parameter %s is not documented", op.path, name)
			}
		}
		if op.body != nil != (d.RequestBody != nil) && !op.custom {
			t.Errorf("%s %s: request body documented: %v", op.method, op.path, d.RequestBody != nil)
		}
		if op.tag != dnsimpleTag && !op.open && d.Responses["default"].Content["application/problem+json"] == nil {
			t.Errorf("%s %s: no problem documented", op.method, op.path)
		}
	}
	for _, methods := range doc.Paths {
		count -= len(methods)
	}
	if count != 0 {
		t.Errorf("%d operations more in the table than in the document", count)
	}
	checkRefs(t, doc, raw)
}

// checkRefs demands that every $ref leads somewhere.
func checkRefs(t *testing.T, doc openAPI, raw []byte) {
	t.Helper()
	for _, part := range strings.Split(string(raw), `"$ref":"`)[1:] {
		ref, _, _ := strings.Cut(part, `"`)
		name, ok := strings.CutPrefix(ref, "#/components/schemas/")
		if !ok || doc.Components.Schemas[name] == nil {
			t.Errorf("$ref %s leads nowhere", ref)
		}
	}
}

// What the documented objects say about null and types is what is sent.
func TestDocumentedObjects(t *testing.T) {
	doc, _ := readDocument(t)
	property := func(schema, name string) string {
		text, err := json.Marshal(doc.Components.Schemas[schema]["properties"].(map[string]any)[name])
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, c := range []struct{ schema, name, say string }{
		{"Endpoint", "disabled_at", `"date-time"`}, {"Endpoint", "disabled_at", `"null"`}, {"Endpoint", "event_types", `"null"`},
		{"Endpoint", "created_at", `"type":"string"`}, {"Delivery", "next_attempt_at", `"null"`}, {"Attempt", "response", `"null"`},
		{"Attempt", "response", "AttemptResponse"}, {"Delivery", "status", `"pending"`}, {"PageEndpoint", "next_cursor", `"null"`},
		{"Published", "matched", "Matched"}, {"Problem", "errors", "FieldError"}, {"PublishBody", "data", `"object"`},
	} {
		if got := property(c.schema, c.name); !strings.Contains(got, c.say) {
			t.Errorf("%s.%s: %s, want %s", c.schema, c.name, got, c.say)
		}
	}
	for _, c := range []struct{ schema, name string }{{"Endpoint", "created_at"}, {"PageEndpoint", "data"}, {"Published", "matched"}, {"Delivery", "id"}} {
		if got := property(c.schema, c.name); strings.Contains(got, `"null"`) {
			t.Errorf("%s.%s is never null: %s", c.schema, c.name, got)
		}
	}
	body, err := json.Marshal(doc.Paths["/v1/tenants/{tenant}/endpoints"]["post"].RequestBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, say := range []string{`"required":["url"]`, `"additionalProperties":false`, `"concurrency":{"description"`} {
		if !strings.Contains(string(body), say) {
			t.Errorf("create-endpoint: no %s in %s", say, body)
		}
	}
}

// METRICS.md lists exactly what /metrics shows of our own.
func TestMetricsDocumented(t *testing.T) {
	f := newFace(t)
	f.ask("GET", "/v1/tenants/acme", "")
	w := f.ask("GET", "/metrics", "")
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Fatal(w.Code, w.Header())
	}
	for _, line := range []string{"hookline_events_published_total 7", `hookline_attempts_total{outcome="acknowledged"} 3`, `hookline_view_seq{view="history"} 41`,
		`hookline_transport_up{transport="https"} 1`, `hookline_http_requests_total{code="200",route="get-tenant"} 1`, "go_goroutines"} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("no %s", line)
		}
	}
	text, err := os.ReadFile("METRICS.md")
	if err != nil {
		t.Fatal(err)
	}
	var shown, listed []string
	for _, line := range strings.Split(w.Body.String(), "\n") {
		if name, ok := strings.CutPrefix(line, "# TYPE hookline_"); ok {
			shown = append(shown, "hookline_"+strings.Fields(name)[0])
		}
	}
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "| `hookline_"); ok {
			name, _, _ := strings.Cut(rest, "`")
			listed = append(listed, "hookline_"+name)
		}
	}
	always := func(name string) bool { return name != "hookline_deliveries_total" } // the engine of this test has none
	slices.Sort(shown)
	slices.Sort(listed)
	listed = slices.DeleteFunc(listed, func(n string) bool { return !always(n) })
	if !slices.Equal(shown, listed) {
		t.Errorf("shown  %v\nlisted %v", shown, listed)
	}
}
