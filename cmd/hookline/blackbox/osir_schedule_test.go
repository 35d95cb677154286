package blackbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// osirRig is a manual clock, an osir tenant and one endpoint that takes everything.
func osirRig(t testing.TB, s script, more fields) (*rig, *tenant, *sink, endpoint) {
	t.Helper()
	r := manualRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", s)
	return r, n, k, n.endpoint(t, k, more)
}

// P7, O-14, O-11, O-20: 500 for ever, walked step by step: five attempts, never early, same id, body and signature.
func TestP7Schedule(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(500), fields{"secret": "whsec_test_secret"})
	d := r.exhaustOSIR(t, n, k)
	log := n.attempts(t, "delivery_id", d.ID)
	checkGaps(t, log, osirGaps)
	for _, a := range log {
		equal(t, "attempt", row(a.Outcome, a.ErrorKind, a.status(), a.Trigger, a.EndpointID), row("rejected", "status", 500, "schedule", ep.ID))
		equal(t, "finished_at under the manual clock", a.FinishedAt, a.StartedAt)
	}
	got := k.exactly(t, 5)
	for _, one := range got {
		checkOSIR(t, one, "whsec_test_secret")
	}
	sameBytes(t, got, osirSignature)
	r.advance(t, 48*time.Hour)
	k.exactly(t, 5)
}

// P7 again by one single advance: the attempts stand at the same times (the clock stops at every due time on its way).
func TestP7OneAdvance(t *testing.T) {
	t.Parallel()
	r, n, k, _ := osirRig(t, always(500), nil)
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	r.advance(t, 27*time.Hour)
	k.exactly(t, 5)
	checkGaps(t, n.attempts(t, "delivery_id", id), osirGaps)
	n.hasStatus(t, id, "exhausted", "schedule_used_up", 5)
}

// P8, O-15, O-16: used up, so disabled; the next event is not sent, then or later, and is visible as skipped.
func TestP8DisabledAfterFive(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(500), nil)
	d := r.exhaustOSIR(t, n, k)
	e := n.getEndpoint(t, ep.ID)
	equal(t, "status", e.Status, "disabled")
	if e.DisabledAt == nil || e.DisabledReason == "" {
		t.Fatalf("disabled endpoint without time or reason: %+v", e)
	}
	log := n.attempts(t, "delivery_id", d.ID)
	if late := e.DisabledAt.Sub(log[4].FinishedAt); late < 0 || late > 2*time.Second {
		t.Fatalf("disabled_at %v after the fifth failure", late)
	}
	id := n.publish(t, sample("domain.renewed", 2)).only(t)
	r.settle(t)
	n.hasStatus(t, id, "skipped", "disabled", 0)
	r.advance(t, 48*time.Hour)
	k.exactly(t, 5)
	n.hasStatus(t, id, "skipped", "disabled", 0)
	equal(t, "attempts logged", len(n.attempts(t, "endpoint_id", ep.ID)), 5)
}

// P9, O-12: the third attempt is taken, and that is the end of it.
func TestP9ThirdTime(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, inOrder(500, 500, 200), nil)
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	equal(t, "consecutive_failures", n.getEndpoint(t, ep.ID).ConsecutiveFailures, 1)
	r.nextAttempt(t, n, id, k)
	r.nextAttempt(t, n, id, k)
	n.hasStatus(t, id, "succeeded", "", 3)
	r.advance(t, 48*time.Hour)
	k.exactly(t, 3)
	checkGaps(t, n.attempts(t, "delivery_id", id), osirGaps[:2])
	e := n.getEndpoint(t, ep.ID)
	equal(t, "status", e.Status, "enabled")
	equal(t, "consecutive_failures", e.ConsecutiveFailures, 0)
}

// P10: five events that fail once each do not disable the endpoint.
func TestP10OnceEach(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(500), nil)
	for i := range 5 {
		n.publish(t, sample(osirTypes[i], i))
	}
	r.settle(t)
	k.exactly(t, 5)
	k.answers(always(200))
	r.advance(t, 5*time.Minute+time.Second)
	k.exactly(t, 10)
	for _, d := range n.deliveries(t, "endpoint_id", ep.ID) {
		n.hasStatus(t, d.ID, "succeeded", "", 2)
	}
	r.advance(t, 48*time.Hour)
	k.exactly(t, 10)
	equal(t, "status", n.getEndpoint(t, ep.ID).Status, "enabled")
}

// O-21: a failing event does not hold up the next one to the same endpoint.
func TestO21NoHeadOfLine(t *testing.T) {
	t.Parallel()
	r, n, k, _ := osirRig(t, inOrder(500, 200), nil)
	first := n.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	second := n.publish(t, sample("domain.registered", 2)).only(t)
	r.settle(t)
	k.exactly(t, 2)
	n.hasStatus(t, first, "pending", "", 1)
	n.hasStatus(t, second, "succeeded", "", 1)
}

// P17, O-17, R-5: a test event for each type is one signed request and is shown with its answer; it counts for nothing,
// is allowed on a blocked endpoint, ignores filters, and is no event and no delivery.
func TestP17TestEvents(t *testing.T) {
	t.Parallel()
	thanks := func(request) answer {
		return answer{status: 200, body: "thanks", header: map[string]string{"X-Answer": "yes"}}
	}
	r, n, k, ep := osirRig(t, thanks, fields{"event_types": []string{"invoice.paid"}, "filter": `data.never == "matched"`, "secret": "whsec_test_secret"})
	ids := map[string]bool{}
	send := func(typ string, status int) {
		t.Helper()
		had := k.count()
		a := n.test(t, ep.ID, typ)
		got := k.exactly(t, had+1)[had]
		checkOSIR(t, got, "whsec_test_secret")
		var body struct {
			ID, Type string
			Data     map[string]any
		}
		if err := json.Unmarshal(got.body, &body); err != nil || body.Type != typ || len(body.Data) == 0 {
			t.Fatalf("test of %s: want its type and a sample payload (%v): %s", typ, err, got.body)
		}
		ids[body.ID] = true
		equal(t, "attempt", row(a.Trigger, a.Number, a.status(), a.Request.URL, a.EventType, a.DeliveryID == nil),
			row("test", 1, status, ep.URL, typ, true))
		equal(t, "shown request", a.Request.Body, string(got.body))
		if !a.hasHeader(osirSignature, got.header.Get(osirSignature)) {
			t.Fatalf("shown headers: %v", a.Request.Headers)
		}
		if status == 200 && (a.Response.Body != "thanks" || row(a.Response.Headers["x-answer"]) != "[yes]") {
			t.Fatalf("shown response: %+v", a.Response)
		}
	}
	for _, typ := range osirTypes {
		send(typ, 200)
	}
	equal(t, "different event ids", len(ids), 13)
	k.answers(always(500))
	for i := range 20 {
		send(osirTypes[i%13], 500)
	}
	e := n.getEndpoint(t, ep.ID)
	equal(t, "endpoint after 20 failing tests", row(e.Status, e.ConsecutiveFailures), row("enabled", 0))
	n.act(t, ep.ID, "disable")
	send("invoice.paid", 500)
	r.advance(t, 48*time.Hour)
	k.exactly(t, 34)
	log := n.attempts(t, "endpoint_id", ep.ID)
	equal(t, "attempts logged", len(log), 34)
	equal(t, "trigger of the first", log[0].Trigger, "test")
	equal(t, "events", len(n.events(t)), 0)
	equal(t, "deliveries", len(n.deliveries(t)), 0)
	r.api.call(t, 422, "POST", n.path("/endpoints/", ep.ID, ":test"), fields{"event_type": "no.such_type"})
	k.exactly(t, 34)
}

// P18, O-18 to O-20, R-4, R-6: used up, enabled, resent: one request with the same bytes, and six attempts in order.
func TestP18Replay(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(500), fields{"secret": "whsec_test_secret"})
	d := r.exhaustOSIR(t, n, k)
	r.api.call(t, http.StatusConflict, "POST", n.path("/deliveries/", d.ID, ":resend"), nil)
	equal(t, "status", n.act(t, ep.ID, "enable").Status, "enabled")
	k.answers(always(200))
	r.advance(t, time.Hour)
	k.exactly(t, 5)
	again := n.resend(t, d.ID)
	equal(t, "event of the new delivery", again.EventID+again.EventUID, d.EventID+d.EventUID)
	r.settle(t)
	got := k.exactly(t, 6)
	sameBytes(t, got, osirSignature)
	n.hasStatus(t, again.ID, "succeeded", "", 1)
	n.hasStatus(t, d.ID, "exhausted", "schedule_used_up", 5)
	want := []string{"1 schedule 500", "2 schedule 500", "3 schedule 500", "4 schedule 500", "5 schedule 500", "1 resend 200"}
	log := n.attempts(t, "endpoint_id", ep.ID)
	equal(t, "attempts logged", len(log), len(want))
	for i, a := range log {
		equal(t, fmt.Sprintf("attempt %d", i+1), fmt.Sprintf("%d %s %d", a.Number, a.Trigger, a.status()), want[i])
	}
}
