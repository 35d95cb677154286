package blackbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

// fields are the members of a JSON object in a request.
type fields map[string]any

// tenant is one customer on one server; it follows the server over restarts.
type tenant struct {
	s  *server
	id string
}

// dnsimpleAccount are the attributes a dnsimple tenant needs (D-8).
func dnsimpleAccount() fields {
	return fields{"id": 4711, "identifier": "owner@example.com", "display": "Own example"}
}

// tenant makes a tenant through the API.
func (s *server) tenant(t testing.TB, id, profile string) *tenant {
	t.Helper()
	attributes := fields{}
	if profile == "dnsimple" {
		attributes = dnsimpleAccount()
	}
	var got struct{ ID, Profile string }
	s.api.post(t, http.StatusCreated, "/v1/tenants",
		fields{"id": id, "profile": profile, "name": "Account " + id, "attributes": attributes}, &got)
	equal(t, "tenant id", got.ID, id)
	equal(t, "tenant profile", got.Profile, profile)
	return &tenant{s: s, id: id}
}

// path is the tenant's part of the API, with more appended.
func (n *tenant) path(more ...string) string {
	return "/v1/tenants/" + n.id + strings.Join(more, "")
}

// endpoint adds an endpoint for a sink; more are further members, or replace url.
func (n *tenant) endpoint(t testing.TB, k *sink, more fields) endpoint {
	t.Helper()
	body := fields{"url": k.url}
	for name, v := range more {
		body[name] = v
	}
	var e endpoint
	n.s.api.post(t, http.StatusCreated, n.path("/endpoints"), body, &e)
	if e.ID == "" || e.URL != body["url"] || e.Status != "enabled" || e.DisabledAt != nil || e.SuppressedAt != nil {
		t.Fatalf("new endpoint: %+v", e)
	}
	return e
}

func (n *tenant) getEndpoint(t testing.TB, id string) endpoint {
	t.Helper()
	var e endpoint
	n.s.api.get(t, n.path("/endpoints/", id), &e)
	return e
}

func (n *tenant) secret(t testing.TB, id string) string {
	t.Helper()
	var got struct{ Secret string }
	n.s.api.get(t, n.path("/endpoints/", id, "/secret"), &got)
	return got.Secret
}

// act calls one of the endpoint's verbs and returns the endpoint.
func (n *tenant) act(t testing.TB, id, verb string) endpoint {
	t.Helper()
	var e endpoint
	n.s.api.post(t, http.StatusOK, n.path("/endpoints/", id, ":", verb), nil, &e)
	return e
}

// test sends a test event and returns the attempt.
func (n *tenant) test(t testing.TB, endpointID, eventType string) attempt {
	t.Helper()
	var a attempt
	n.s.api.post(t, http.StatusOK, n.path("/endpoints/", endpointID, ":test"), fields{"event_type": eventType}, &a)
	return a
}

// event is a publish. data, payload, actor and metadata are JSON text that goes out as it stands.
type event struct {
	typ, id, key, occurredAt       string
	data, payload, actor, metadata string
}

// json is the body of the publish; members left empty are absent.
func (e event) json() string {
	parts := []string{`"type":` + quoted(e.typ)}
	for _, m := range []struct{ name, value string }{{"id", e.id}, {"idempotency_key", e.key}, {"occurred_at", e.occurredAt}} {
		if m.value != "" {
			parts = append(parts, quoted(m.name)+":"+quoted(m.value))
		}
	}
	for _, m := range []struct{ name, value string }{{"data", e.data}, {"payload", e.payload}, {"actor", e.actor}, {"metadata", e.metadata}} {
		if m.value != "" {
			parts = append(parts, quoted(m.name)+":"+m.value)
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func quoted(s string) string {
	text, _ := json.Marshal(s) // strings always marshal
	return string(text)
}

// publish publishes and demands 202.
func (n *tenant) publish(t testing.TB, e event, headers ...string) published {
	t.Helper()
	var p published
	r := n.s.api.post(t, http.StatusAccepted, n.path("/events"), e.json(), &p, headers...)
	if p.ID == "" || p.UID == "" || p.Seq == 0 || p.Matched == nil {
		t.Fatalf("publish: want id, uid, seq and matched[]: %s", clip(r.body))
	}
	if e.id != "" {
		equal(t, "event id", p.ID, e.id)
	}
	return p
}

// only is the delivery of an event that matched one endpoint.
func (p published) only(t testing.TB) string {
	t.Helper()
	if len(p.Matched) != 1 || p.Matched[0].DeliveryID == "" {
		t.Fatalf("want one matched delivery, got %+v", p.Matched)
	}
	return p.Matched[0].DeliveryID
}

func (n *tenant) delivery(t testing.TB, id string) delivery {
	t.Helper()
	var d delivery
	n.s.api.get(t, n.path("/deliveries/", id), &d)
	equal(t, "delivery id", d.ID, id)
	return d
}

func (n *tenant) deliveries(t testing.TB, query ...string) []delivery {
	t.Helper()
	return list[delivery](t, n.s.api, n.path("/deliveries"), query...)
}

// attempts are in the order they happened.
func (n *tenant) attempts(t testing.TB, query ...string) []attempt {
	t.Helper()
	return list[attempt](t, n.s.api, n.path("/attempts"), append([]string{"order", "asc"}, query...)...)
}

func (n *tenant) events(t testing.TB, query ...string) []kept {
	t.Helper()
	return list[kept](t, n.s.api, n.path("/events"), query...)
}

// resend asks for a delivery to be made again and returns the new one.
func (n *tenant) resend(t testing.TB, deliveryID string) delivery {
	t.Helper()
	var d delivery
	n.s.api.post(t, http.StatusAccepted, n.path("/deliveries/", deliveryID, ":resend"), nil, &d)
	if d.ID == "" || d.ID == deliveryID {
		t.Fatalf("resend of %s: want a new delivery, got %+v", deliveryID, d)
	}
	equal(t, "resend_of", d.ResendOf, deliveryID)
	return d
}

// hasStatus demands a delivery's state at once: status, reason and finished attempts. No limbo: a pending delivery has a
// due time, any other has none (promise 5).
func (n *tenant) hasStatus(t testing.TB, id, status, reason string, made int) delivery {
	t.Helper()
	d := n.delivery(t, id)
	if d.Status != status || d.Reason != reason || d.AttemptsMade != made {
		t.Fatalf("delivery %s: got %s %q after %d attempts, want %s %q after %d", id, d.Status, d.Reason, d.AttemptsMade, status, reason, made)
	}
	if (d.NextAttemptAt != nil) != (status == "pending") {
		t.Fatalf("delivery %s: %s with next_attempt_at %v", id, d.Status, d.NextAttemptAt)
	}
	return d
}

// awaitStatus is hasStatus for the real clock: it waits for the status first.
func (n *tenant) awaitStatus(t testing.TB, id, status, reason string, made int, within time.Duration) delivery {
	t.Helper()
	poll(t, within, func() string {
		if d := n.delivery(t, id); d.Status != status || d.AttemptsMade < made {
			return fmt.Sprintf("delivery %s is %s after %d attempts, want %s after %d", id, d.Status, d.AttemptsMade, status, made)
		}
		return ""
	})
	return n.hasStatus(t, id, status, reason, made)
}

// sameJSON compares two JSON texts by what they mean.
func sameJSON(t testing.TB, what string, got, want []byte) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("%s: %v: %s", what, err, clip(got))
	}
	if err := json.Unmarshal(want, &b); err != nil {
		t.Fatalf("%s: %v: %s", what, err, clip(want))
	}
	if !reflect.DeepEqual(a, b) {
		t.Fatalf("%s: got %s, want %s", what, clip(got), clip(want))
	}
}
