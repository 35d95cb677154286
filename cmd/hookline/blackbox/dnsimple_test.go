package blackbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

const ownActor = `{"id":"88","entity":"user","pretty":"someone@example.com"}`

// zoneEvent is an event of DNSimple's kind with made-up data.
func zoneEvent(typ string, i int) event {
	return event{typ: typ, data: fmt.Sprintf(`{"zone":{"id":%d,"name":"z%d.example","reverse":false}}`, i, i), actor: ownActor}
}

// dnsimpleRig is a manual clock, a dnsimple tenant and one endpoint.
func dnsimpleRig(t testing.TB, s script) (*rig, *tenant, *sink, endpoint) {
	t.Helper()
	r := manualRig(t)
	n, k := r.tenant(t, "1010", "dnsimple"), r.rcv.sink("r", s)
	return r, n, k, n.endpoint(t, k, nil)
}

// dnsimpleBody is D-3 to D-8.
type dnsimpleBody struct {
	Name       string          `json:"name"`
	APIVersion string          `json:"api_version"`
	RequestID  string          `json:"request_identifier"`
	Data       json.RawMessage `json:"data"`
	Account    json.RawMessage `json:"account"`
	Actor      json.RawMessage `json:"actor"`
}

// checkDNSimple demands D-3 to D-8, D-15 and D-17 of one request and returns its body.
func checkDNSimple(t testing.TB, r request) dnsimpleBody {
	t.Helper()
	plainPost(t, r)
	for name := range r.header {
		if low := strings.ToLower(name); strings.Contains(low, "sign") || strings.Contains(low, "hmac") {
			t.Fatalf("header %s: DNSimple signs nothing", name)
		}
	}
	var members map[string]json.RawMessage
	var b dnsimpleBody
	if err := json.Unmarshal(r.body, &members); err != nil {
		t.Fatalf("body: %v: %s", err, r.body)
	}
	if err := json.Unmarshal(r.body, &b); err != nil {
		t.Fatalf("body: %v: %s", err, r.body)
	}
	if len(members) != 6 || b.Name == "" || b.APIVersion != "v2" || !uuidForm.MatchString(b.RequestID) || b.Data == nil || b.Account == nil || b.Actor == nil {
		t.Fatalf("body: want name, api_version v2, a UUID, data, account and actor: %s", r.body)
	}
	return b
}

// D-3 to D-8, D-17: the envelope around an event, and its default actor.
func TestDNSimpleEnvelope(t *testing.T) {
	t.Parallel()
	r, n, k, _ := dnsimpleRig(t, always(200))
	data := `{ "zone" : {"name":"z.example", "id":1e0} }`
	n.publish(t, event{typ: "zone.create", data: data, actor: ownActor, id: "0b2f5a04-7c5e-4d2b-a1a6-6c1f5d2e9a11"})
	n.publish(t, event{typ: "zone.delete", data: data})
	n.publish(t, event{typ: "never.heard_of:it", data: data})
	r.settle(t)
	bodies := map[string]dnsimpleBody{}
	for _, got := range k.exactly(t, 3) {
		b := checkDNSimple(t, got)
		bodies[b.Name] = b
		equal(t, "data of "+b.Name, string(b.Data), data)
		sameJSON(t, "account", b.Account, []byte(`{"id":4711,"identifier":"owner@example.com","display":"Own example"}`))
	}
	equal(t, "request_identifier as given", bodies["zone.create"].RequestID, "0b2f5a04-7c5e-4d2b-a1a6-6c1f5d2e9a11")
	sameJSON(t, "actor as given", bodies["zone.create"].Actor, []byte(ownActor))
	sameJSON(t, "actor by default", bodies["zone.delete"].Actor, []byte(`{"id":"system","entity":"system","pretty":""}`))
	equal(t, "an unknown name goes out (D-9)", bodies["never.heard_of:it"].Name, "never.heard_of:it")
}

// P11, D-10: 200 only; redirects are not followed.
func TestP11Only200(t *testing.T) {
	t.Parallel()
	r, n, k, _ := dnsimpleRig(t, nil)
	target := r.rcv.sink("target", always(200))
	statuses := []int{201, 202, 204, 301, 400, 500, 503, 200}
	k.answers(func(req request) answer {
		a := answer{status: statuses[min(req.n, len(statuses))-1]}
		if a.status == 301 {
			a.header = map[string]string{"Location": target.url}
		}
		return a
	})
	id := n.publish(t, zoneEvent("zone.create", 1)).only(t)
	r.settle(t)
	for range 7 {
		r.nextAttempt(t, n, id, k)
	}
	n.hasStatus(t, id, "succeeded", "", 8)
	for i, a := range n.attempts(t, "delivery_id", id) {
		outcome := "rejected"
		if i == 7 {
			outcome = "acknowledged"
		}
		equal(t, "attempt", row(a.Number, a.status(), a.Outcome), row(i+1, statuses[i], outcome))
	}
	r.advance(t, 3*time.Hour)
	got := k.exactly(t, 8)
	sameBytes(t, got, "")
	checkDNSimple(t, got[7])
	target.exactly(t, 0)
}

// D-12: disabled and enabled again before the next attempt is due: number and time are unchanged.
func TestD12EnabledInTime(t *testing.T) {
	t.Parallel()
	r, n, k, ep := dnsimpleRig(t, always(500))
	id := n.publish(t, zoneEvent("zone.create", 1)).only(t)
	r.settle(t)
	r.nextAttempt(t, n, id, k)
	before := n.hasStatus(t, id, "pending", "", 2)
	equal(t, "status", n.act(t, ep.ID, "disable").Status, "disabled")
	r.advance(t, time.Second)
	equal(t, "status", n.act(t, ep.ID, "enable").Status, "enabled")
	after := n.hasStatus(t, id, "pending", "", 2)
	equal(t, "next_attempt_at", *after.NextAttemptAt, *before.NextAttemptAt)
	r.nextAttempt(t, n, id, k)
	log := n.attempts(t, "delivery_id", id)
	equal(t, "number", log[2].Number, 3)
	equal(t, "started_at", log[2].StartedAt, *before.NextAttemptAt)
}

// one request_identifier under several names is several events; R-8: x and x:state are different names.
func TestR7R8NamesAndIdentifiers(t *testing.T) {
	t.Parallel()
	r, n, k, _ := dnsimpleRig(t, always(200))
	exact := r.rcv.sink("exact", always(200))
	n.endpoint(t, exact, fields{"event_types": []string{"domain.register"}})
	const shared = "5f4dcc3b-5aa7-465d-8327-deb882cf99aa"
	for _, typ := range []string{"domain.register:started", "domain.register", "domain.create"} {
		e := zoneEvent(typ, 1)
		e.id = shared
		equal(t, "duplicate of "+typ, n.publish(t, e).Duplicate, false)
	}
	r.settle(t)
	var names []string
	for _, got := range k.exactly(t, 3) {
		b := checkDNSimple(t, got)
		names = append(names, b.Name)
		equal(t, "request_identifier", b.RequestID, shared)
	}
	slices.Sort(names)
	equal(t, "names", strings.Join(names, " "), "domain.create domain.register domain.register:started")
	equal(t, "name at the exact one", checkDNSimple(t, exact.exactly(t, 1)[0]).Name, "domain.register")
	// An id that several events share is no path (409), its uids are.
	p := r.api.call(t, http.StatusConflict, "GET", n.path("/events/", shared), nil).problem(t)
	for _, e := range n.events(t) {
		if !p.says(e.UID) {
			t.Errorf("the 409 does not list %s: %+v", e.UID, p)
		}
		r.api.get(t, n.path("/events/", e.UID), nil)
	}
}

// management events are off by default.
func TestR10ManagementEvents(t *testing.T) {
	t.Parallel()
	r, n, k, _ := dnsimpleRig(t, always(200))
	other := r.rcv.sink("other", always(200))
	ep := n.endpoint(t, other, nil)
	r.settle(t)
	r.api.delete(t, http.StatusNoContent, n.path("/endpoints/", ep.ID))
	r.settle(t)
	equal(t, "events", len(n.events(t)), 0)
	k.exactly(t, 0)
}
