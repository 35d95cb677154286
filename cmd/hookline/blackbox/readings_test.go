package blackbox

import (
	"net/http"
	"testing"
	"time"
)

// a gate is tested when an attempt falls due. Closed then, the delivery ends skipped, without an attempt.
func TestR1GateAtDue(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(500), nil)
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	due := *n.hasStatus(t, id, "pending", "", 1).NextAttemptAt
	n.act(t, ep.ID, "disable")
	r.advanceTo(t, due.Add(-time.Millisecond))
	n.hasStatus(t, id, "pending", "", 1) // not before it is due
	r.advanceTo(t, due)
	n.hasStatus(t, id, "skipped", "disabled", 1)
	n.act(t, ep.ID, "enable")
	r.advance(t, 48*time.Hour)
	k.exactly(t, 1)
	n.hasStatus(t, id, "skipped", "disabled", 1)
}

// the two gates are independent; clearing one leaves the other, and disabled is what shows.
func TestR1TwoGates(t *testing.T) {
	t.Parallel()
	r, n, k, ep := dnsimpleRig(t, always(500))
	r.suppress(t, n, k, ep)
	e := n.act(t, ep.ID, "disable")
	equal(t, "both closed", row(e.Status, e.DisabledAt != nil, e.SuppressedAt != nil), row("disabled", true, true))
	e = n.act(t, ep.ID, "clear-suppression")
	equal(t, "suppression cleared", row(e.Status, e.DisabledAt != nil, e.SuppressedAt != nil), row("disabled", true, false))
	e = n.act(t, ep.ID, "enable")
	equal(t, "enabled", row(e.Status, e.DisabledAt != nil, e.SuppressedAt != nil), row("enabled", false, false))
}

// a burst at a failing endpoint: at most 14 + the lane's width reach it before suppression takes hold.
func TestR1BurstBound(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n, k := r.tenant(t, "1010", "dnsimple"), r.rcv.sink("r", always(500))
	ep := n.endpoint(t, k, fields{"concurrency": 4})
	for i := range 60 {
		n.publish(t, zoneEvent("zone.create", i))
	}
	r.settle(t)
	if got := k.count(); got < 15 || got > 18 {
		t.Errorf("the endpoint got %d requests, want 15 to 18", got)
	}
	equal(t, "status", n.getEndpoint(t, ep.ID).Status, "suppressed")
	equal(t, "attempts logged", len(n.attempts(t, "endpoint_id", ep.ID)), k.count())
	r.advance(t, 3*time.Hour)
	equal(t, "skipped at the end", len(n.deliveries(t, "status", "skipped")), 60)
}

// what is in flight when a gate closes finishes; its late 200 completes the delivery and opens nothing.
func TestR3InFlightFinishes(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	release := make(chan struct{})
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", held(release))
	ep := n.endpoint(t, k, nil)
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	k.await(t, 1, soon)
	n.act(t, ep.ID, "disable")
	close(release)
	n.awaitStatus(t, id, "succeeded", "", 1, soon)
	equal(t, "status", n.getEndpoint(t, ep.ID).Status, "disabled")
}

// and promise 6: skipped is not lost: it can be resent and recovered, once the gate is open.
func TestR2SkippedCanBeSent(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(200), nil)
	n.act(t, ep.ID, "disable")
	var ids []string
	for i := range 4 {
		ids = append(ids, n.publish(t, sample("domain.registered", i)).only(t))
	}
	r.settle(t)
	for _, id := range ids {
		n.hasStatus(t, id, "skipped", "disabled", 0)
		r.api.call(t, http.StatusConflict, "POST", n.path("/deliveries/", id, ":resend"), nil)
	}
	n.act(t, ep.ID, "enable")
	r.advance(t, 48*time.Hour)
	k.exactly(t, 0)
	n.resend(t, ids[0])
	r.settle(t)
	k.exactly(t, 1)
	for _, id := range ids[1:] {
		n.resend(t, id)
	}
	r.settle(t)
	k.exactly(t, 4)
}

// enabling sets the count of failures to zero and lets pending deliveries go on by their own schedule.
func TestR4EnableResets(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(500), nil)
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	r.nextAttempt(t, n, id, k)
	equal(t, "failures before", n.getEndpoint(t, ep.ID).ConsecutiveFailures, 2)
	n.act(t, ep.ID, "disable")
	equal(t, "failures after enable", n.act(t, ep.ID, "enable").ConsecutiveFailures, 0)
	k.answers(always(200))
	r.nextAttempt(t, n, id, k)
	n.hasStatus(t, id, "succeeded", "", 3)
}

// a succeeded delivery can be resent; it starts at 1 with its full schedule and the same bytes.
func TestR6ResendOfSucceeded(t *testing.T) {
	t.Parallel()
	r, n, k, _ := osirRig(t, inOrder(200, 500), nil)
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	n.hasStatus(t, id, "succeeded", "", 1)
	r.advance(t, time.Hour)
	again := n.resend(t, id)
	r.settle(t)
	n.hasStatus(t, again.ID, "pending", "", 1)
	for range 4 {
		r.nextAttempt(t, n, again.ID, k)
	}
	n.hasStatus(t, again.ID, "exhausted", "schedule_used_up", 5)
	n.hasStatus(t, id, "succeeded", "", 1)
	checkGaps(t, n.attempts(t, "delivery_id", again.ID), osirGaps)
	sameBytes(t, k.exactly(t, 6), osirSignature)
}
