package profile_test

import (
	"strings"
	"testing"

	"github.com/hookline/hookline/engine/profile"
)

// what hookline publishes itself has names of its own, or the provider's where the profile says so; an endpoint
// stands in its data as the profile says.
func TestOperationalNames(t *testing.T) {
	for name, want := range map[string]map[string]string{
		"osir": {profile.EndpointCreated: "", profile.EndpointDeleted: "", profile.EndpointDisabled: "endpoint.disabled",
			profile.EndpointCleared: "endpoint.suppression_cleared", profile.DeliveryExhausted: "delivery.exhausted"},
		"dnsimple": {profile.EndpointCreated: "webhook.create", profile.EndpointDeleted: "webhook.delete", profile.EndpointSuppressed: "endpoint.suppressed"},
	} {
		p := builtin(t, name)
		for event, typ := range want {
			if got := p.OperationalType(event); got != typ {
				t.Errorf("%s: %s is %q, want %q", name, event, got, typ)
			}
			if typ != "" && !p.Operational(typ) {
				t.Errorf("%s: %s is not known as one of hookline's own", name, typ)
			}
		}
		for _, other := range []string{"", "invoice.paid", "endpoint", "webhook.update"} {
			if p.Operational(other) {
				t.Errorf("%s: %q is said to be one of hookline's own", name, other)
			}
		}
	}
}

func TestOperationalData(t *testing.T) {
	ep := &profile.OperationalEndpoint{ID: "ep_1", Number: 7, URL: `https://a.example/?q="x"`, Status: "suppressed", SuppressedAt: 1_767_225_600_123, ConsecutiveFailures: 15}
	for name, want := range map[string]string{
		"osir": `{"endpoint":{"id":"ep_1","url":"https://a.example/?q=\"x\"","status":"suppressed","disabled_at":null,"disabled_reason":null,` +
			`"suppressed_at":"2026-01-01T00:00:00.123Z","consecutive_failures":15},"percent":50}`,
		"dnsimple": `{"webhook":{"id":7,"url":"https://a.example/?q=\"x\"","suppressed_at":"2026-01-01T00:00:00.123Z"},"percent":50}`,
	} {
		got, err := builtin(t, name).OperationalData(ep, profile.OperationalMember{Name: "percent", Value: 50})
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, want)
		}
	}
	ep.DisabledAt, ep.DisabledReason = 1_767_225_600_000, "gone"
	if got, _ := builtin(t, "osir").OperationalData(ep); !strings.Contains(string(got), `"disabled_at":"2026-01-01T00:00:00.000Z","disabled_reason":"gone"`) {
		t.Errorf("disabled: %s", got)
	}
	if _, err := builtin(t, "osir").OperationalData(ep, profile.OperationalMember{Name: "x", Value: func() {}}); err == nil {
		t.Error("what is no JSON is taken")
	}
}

// Mistakes name the field and what is known.
func TestOperationalMistakes(t *testing.T) {
	content := `
name: p
version: 1
title: P
event_id: any
payload: [{data: data}]
headers: [{content-type: application/json}]
signature: {scheme: none}
acknowledge: {status: [200]}
schedule: {waits: [1m]}
operational_events: `
	for yaml, say := range map[string]string{
		`{names: [{endpoint.disable: a.b}]}`:                    "endpoint.disabled",
		`{names: [{endpoint.disabled: "a b"}]}`:                 "segments",
		`{names: []}`:                                           "items",
		`{endpoint: {members: [{id: id}]}}`:                     "key",
		`{endpoint: {key: "a b", members: [{id: id}]}}`:         "A-Z",
		`{endpoint: {key: e, members: [{id: identity}]}}`:       "number",
		`{endpoint: {key: e, members: [{"a b": id}]}}`:          "field name",
		`{endpoint: {key: e, members: [{a: id}, {a: number}]}}`: "twice",
		`{name: x}`: "names",
	} {
		_, err := profile.Load("p.yaml", []byte(content+yaml+"\nevents: [{name: a.b, description: d, example: '{}'}]\n"))
		if err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%s: %v, want a word on %q", yaml, err, say)
		}
	}
	if _, err := profile.Load("p.yaml", []byte(content+`{endpoint: {key: e, members: [{n: number}]}}`+"\nevents: [{name: a.b, description: d, example: '{}'}]\n")); err != nil {
		t.Error(err)
	}
}
