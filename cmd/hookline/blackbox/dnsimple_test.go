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

// P12, D-11, D-6: ten attempts within two hours, growing, then exhausted, and the endpoint is not suppressed by ten.
func TestP12Exponential(t *testing.T) {
	t.Parallel()
	r, n, k, ep := dnsimpleRig(t, always(500))
	id := n.publish(t, zoneEvent("zone.create", 1)).only(t)
	r.settle(t)
	equal(t, "max_attempts", n.delivery(t, id).MaxAttempts, 10)
	for range 9 {
		r.nextAttempt(t, n, id, k)
	}
	n.hasStatus(t, id, "exhausted", "schedule_used_up", 10)
	log := n.attempts(t, "delivery_id", id)
	equal(t, "attempts", len(log), 10)
	var before time.Duration
	for i := 1; i < len(log); i++ {
		gap, base := log[i].StartedAt.Sub(log[i-1].FinishedAt), 12*time.Second<<(i-1)
		if gap < base || gap > base+base/10+2*time.Second {
			t.Errorf("wait %d: got %v, want %v to 10 %% more", i, gap, base)
		}
		if float64(gap) < 1.3*float64(before) {
			t.Errorf("wait %d: %v after %v, want at least 1.3 times as long", i, gap, before)
		}
		before = gap
	}
	if whole := log[9].StartedAt.Sub(log[0].StartedAt); whole > 2*time.Hour {
		t.Errorf("the last attempt starts %v after the first, want at most 2 h", whole)
	}
	r.advance(t, 24*time.Hour)
	sameBytes(t, k.exactly(t, 10), "")
	e := n.getEndpoint(t, ep.ID)
	equal(t, "endpoint", row(e.Status, e.ConsecutiveFailures), row("enabled", 10))
}

// suppress lets two events 5 s apart fail until the endpoint is suppressed (P13) and returns their deliveries.
func (r *rig) suppress(t testing.TB, n *tenant, k *sink, ep endpoint) []string {
	t.Helper()
	k.answers(always(500))
	ids := []string{n.publish(t, zoneEvent("zone.create", 1)).only(t)}
	r.advance(t, 5*time.Second)
	ids = append(ids, n.publish(t, zoneEvent("zone.create", 2)).only(t))
	for n.getEndpoint(t, ep.ID).Status == "enabled" {
		made, next := 0, time.Time{}
		for _, id := range ids {
			d := n.delivery(t, id)
			made += d.AttemptsMade
			if d.NextAttemptAt != nil && (next.IsZero() || d.NextAttemptAt.Before(next)) {
				next = *d.NextAttemptAt
			}
		}
		if made > 15 || next.IsZero() {
			t.Fatalf("%d failures in a row and the endpoint is still enabled (next attempt %v)", made, next)
		}
		r.settle(t)
		r.advanceTo(t, next)
	}
	return ids
}

// P13, D-13, D-16, R-1: suppressed at the 15th failure in a row, over all deliveries; what falls due later is skipped.
func TestP13Suppressed(t *testing.T) {
	t.Parallel()
	r, n, k, ep := dnsimpleRig(t, always(500))
	ids := r.suppress(t, n, k, ep)
	k.exactly(t, 15)
	log := n.attempts(t, "endpoint_id", ep.ID)
	equal(t, "attempts", len(log), 15)
	e := n.getEndpoint(t, ep.ID)
	equal(t, "status", e.Status, "suppressed")
	if e.SuppressedAt == nil || e.DisabledAt != nil || e.SuppressedAt.Sub(log[14].FinishedAt).Abs() > 2*time.Second {
		t.Fatalf("suppressed_at %v, disabled_at %v, the 15th failure at %v", e.SuppressedAt, e.DisabledAt, log[14].FinishedAt)
	}
	r.advance(t, 24*time.Hour)
	k.exactly(t, 15)
	made := 0
	for _, id := range ids {
		d := n.delivery(t, id)
		equal(t, "delivery", row(d.Status, d.Reason), row("skipped", "suppressed"))
		made += d.AttemptsMade
	}
	equal(t, "attempts over both", made, 15)
}

// P14, D-13: one 200 starts the count anew.
func TestP14Reset(t *testing.T) {
	t.Parallel()
	r, n, k, ep := dnsimpleRig(t, nil)
	// Requests 1 to 14 fail, 15 is taken, all later ones fail.
	k.answers(func(req request) answer {
		if req.n == 15 {
			return answer{status: 200}
		}
		return answer{status: 500}
	})
	failures := func() int { return n.getEndpoint(t, ep.ID).ConsecutiveFailures }
	walk := func(want int) {
		t.Helper()
		id := n.publish(t, zoneEvent("zone.create", 1)).only(t)
		r.settle(t)
		for range want - 1 {
			r.nextAttempt(t, n, id, k)
		}
	}
	walk(10)
	walk(4)
	equal(t, "failures in a row", failures(), 14)
	ids := n.deliveries(t, "status", "pending")
	equal(t, "pending", len(ids), 1)
	r.nextAttempt(t, n, ids[0].ID, k)
	equal(t, "failures after a 200", failures(), 0)
	walk(10)
	walk(4)
	e := n.getEndpoint(t, ep.ID)
	equal(t, "endpoint after 14 more", row(e.Status, e.ConsecutiveFailures), row("enabled", 14))
	ids = n.deliveries(t, "status", "pending")
	r.nextAttempt(t, n, ids[0].ID, k)
	equal(t, "endpoint after one more", n.getEndpoint(t, ep.ID).Status, "suppressed")
	r.advance(t, 3*time.Hour)
	k.exactly(t, 30)
}

// P15, R-2, R-4: what was published while suppressed is not sent by clearing; what is new is sent at once.
func TestP15ClearSuppression(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"clear-suppression", "enable"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			r, n, k, ep := dnsimpleRig(t, always(500))
			pending := r.suppress(t, n, k, ep)
			k.answers(always(200))
			var blocked []string
			for i := range 3 {
				blocked = append(blocked, n.publish(t, zoneEvent("zone.delete", 10+i)).only(t))
			}
			r.settle(t)
			k.exactly(t, 15)
			e := n.act(t, ep.ID, verb)
			equal(t, "endpoint", row(e.Status, e.SuppressedAt == nil, e.ConsecutiveFailures), row("enabled", true, 0))
			r.settle(t)
			k.exactly(t, 15)
			for _, id := range blocked {
				n.hasStatus(t, id, "skipped", "suppressed", 0)
			}
			fresh := n.publish(t, zoneEvent("zone.create", 20))
			r.settle(t)
			got := k.exactly(t, 16)
			equal(t, "the new event", checkDNSimple(t, got[15]).RequestID, fresh.ID)
			going := 0
			for _, id := range pending {
				if n.delivery(t, id).Status == "pending" {
					going++
				}
			}
			r.advance(t, 3*time.Hour)
			k.exactly(t, 16+going) // those still pending go on
			for _, id := range blocked {
				n.hasStatus(t, id, "skipped", "suppressed", 0)
			}
		})
	}
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

// management events are off by default; on, a create goes to the endpoints after the change, a delete to those left.
func TestR10ManagementEvents(t *testing.T) {
	t.Parallel()
	r, n, k, _ := dnsimpleRig(t, always(200))
	other := r.rcv.sink("other", always(200))
	ep := n.endpoint(t, other, nil)
	r.settle(t)
	equal(t, "events with it off", len(n.events(t)), 0)
	r.api.delete(t, http.StatusNoContent, n.path("/endpoints/", ep.ID))
	r.api.patch(t, 200, n.path(), fields{"management_events": true}, nil)
	ep = n.endpoint(t, other, nil)
	r.settle(t)
	equal(t, "name of the create at the old one", checkDNSimple(t, k.exactly(t, 1)[0]).Name, "webhook.create")
	equal(t, "name of the create at the new one", checkDNSimple(t, other.exactly(t, 1)[0]).Name, "webhook.create")
	r.api.delete(t, http.StatusNoContent, n.path("/endpoints/", ep.ID))
	r.settle(t)
	equal(t, "name of the delete", checkDNSimple(t, k.exactly(t, 2)[1]).Name, "webhook.delete")
	other.exactly(t, 1)
}
