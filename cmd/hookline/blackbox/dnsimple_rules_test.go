package blackbox

import (
	"fmt"
	"testing"
	"time"
)

// D-1, D-6, promise 7: an event goes to every URL of its account, whatever its name, and to none of another; the identifier
// is the event's at all of them and at every retry, and who fails is alone in that.
func TestD1EveryURLOfTheAccount(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n, other := r.tenant(t, "1010", "dnsimple"), r.tenant(t, "2020", "dnsimple")
	first, failing, third := r.rcv.sink("first", always(200)), r.rcv.sink("failing", inOrder(500, 503, 200)), r.rcv.sink("third", always(200))
	for _, k := range []*sink{first, failing, third} {
		createWebhook(t, r.api, "/v2/1010/webhooks", k.url)
	}
	outside := r.rcv.sink("outside", always(200))
	createWebhook(t, r.api, "/v2/2020/webhooks", outside.url)

	p := n.publish(t, zoneEvent("zone_record.create", 1))
	equal(t, "matches", len(p.Matched), 3)
	r.settle(t)
	first.exactly(t, 1)
	third.exactly(t, 1)
	r.advance(t, 2*time.Hour)
	all := append(append(failing.exactly(t, 3), first.exactly(t, 1)...), third.exactly(t, 1)...)
	sameBytes(t, all, "")
	equal(t, "request_identifier", checkDNSimple(t, all[0]).RequestID, p.ID)
	outside.exactly(t, 0)
	equal(t, "events of the other account", len(other.events(t)), 0)
}

// D-4, D-7, D-8: names with and without a state, several objects in data, actors as DNSimple has them: all go out as they
// came in; what is no actor is refused by name, and nothing is stored.
func TestD8ActorsAndObjects(t *testing.T) {
	t.Parallel()
	r, n, k, _ := dnsimpleRig(t, always(200))
	const objects = `{"domain":{"id":10,"name":"a.example"},"registrant":{"id":7},"extra":[1,{"b":null}]}`
	for i, actor := range []string{
		`{"id":"","entity":"dnsimple","pretty":""}`, `{"id":"system","entity":"system","pretty":"support@example.com"}`, ownActor,
	} {
		name := []string{"domain.transfer:started", "domain.transfer", "dnssec.rotation_complete"}[i]
		n.publish(t, event{typ: name, data: objects, actor: actor})
		r.settle(t)
		b := checkDNSimple(t, k.exactly(t, i+1)[i])
		equal(t, "name, data and actor", row(b.Name, string(b.Data), string(b.Actor)), row(name, objects, actor))
	}
	for _, actor := range []string{`{"id":7,"entity":"user","pretty":"x"}`, `{"entity":"user","pretty":"x"}`, `"system"`, `[]`} {
		e := event{typ: "domain.create", data: objects, actor: actor}
		p := r.api.call(t, 422, "POST", n.path("/events"), e.json()).problem(t)
		if !p.names("actor") {
			t.Errorf("actor %s: %+v, want location actor", actor, p.Errors)
		}
	}
	r.settle(t)
	k.exactly(t, 3)
	equal(t, "events stored", len(n.events(t)), 3)
}

// D-10, D-13: whatever is no 200 counts against the endpoint, an answer or none: the fifteenth in a row suppresses it.
func TestD13WhatCounts(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]answer{
		"201": {status: 201}, "204": {status: 204}, "302": {status: 302, header: map[string]string{"Location": "/elsewhere"}}, "404": {status: 404},
		"410": {status: 410}, "429": {status: 429, header: map[string]string{"Retry-After": "1"}}, "hang-up": {hangUp: true}, "no HTTP": {raw: "hello\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := manualRig(t)
			n, k := r.tenant(t, "1010", "dnsimple"), r.rcv.sink("r", func(request) answer { return a })
			ep := n.endpoint(t, k, fields{"concurrency": 1})
			for i := range 15 {
				equal(t, "before failure "+row(i+1), n.getEndpoint(t, ep.ID).Status, "enabled")
				n.publish(t, zoneEvent("zone.create", i))
				r.settle(t)
			}
			e := n.getEndpoint(t, ep.ID)
			equal(t, "endpoint", row(e.Status, e.SuppressedAt != nil, e.DisabledAt == nil, e.ConsecutiveFailures), row("suppressed", true, true, 15))
			k.exactly(t, 15)
		})
	}
}

// R-5, D-13: a test event is neutral for the count both ways, and goes to a suppressed endpoint too.
func TestR5NeutralForSuppression(t *testing.T) {
	t.Parallel()
	r, n, k, ep := dnsimpleRig(t, always(500))
	for range 20 {
		n.test(t, ep.ID, "zone.create")
	}
	e := n.getEndpoint(t, ep.ID)
	equal(t, "after 20 failing tests", row(e.Status, e.ConsecutiveFailures), row("enabled", 0))
	for i := range 14 {
		n.publish(t, zoneEvent("zone.create", i))
		r.settle(t)
	}
	k.answers(always(200))
	equal(t, "test", n.test(t, ep.ID, "zone.create").Outcome, "acknowledged")
	k.answers(always(500))
	equal(t, "failures after a test that was taken", n.getEndpoint(t, ep.ID).ConsecutiveFailures, 14)
	n.publish(t, zoneEvent("zone.create", 15))
	r.settle(t)
	equal(t, "status", n.getEndpoint(t, ep.ID).Status, "suppressed")
	k.answers(always(200))
	had := k.count()
	equal(t, "test", n.test(t, ep.ID, "zone.delete").Outcome, "acknowledged")
	checkDNSimple(t, k.exactly(t, had+1)[had])
	equal(t, "status after a test", n.getEndpoint(t, ep.ID).Status, "suppressed")
}

// R-3, D-13: an attempt in flight while its endpoint is suppressed finishes; its late 200 completes the delivery and does
// not lift the suppression.
func TestR3LateAnswerWhileSuppressed(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	release := make(chan struct{})
	n := r.tenant(t, "1010", "dnsimple")
	k := r.rcv.sink("r", func(req request) answer {
		if req.n == 1 {
			return answer{status: 200, hold: release}
		}
		return answer{status: 500}
	})
	ep := n.endpoint(t, k, nil)
	late := n.publish(t, zoneEvent("zone.create", 0)).only(t)
	k.await(t, 1, soon)
	for i := range 15 {
		n.publish(t, zoneEvent("zone.create", i+1))
	}
	poll(t, soon, func() string {
		if e := n.getEndpoint(t, ep.ID); e.Status != "suppressed" {
			return fmt.Sprintf("the endpoint is %s after %d failures", e.Status, e.ConsecutiveFailures)
		}
		return ""
	})
	close(release)
	n.awaitStatus(t, late, "succeeded", "", 1, soon)
	e := n.getEndpoint(t, ep.ID)
	equal(t, "endpoint", row(e.Status, e.SuppressedAt != nil), row("suppressed", true))
}

// D-14, O-20, promise 4 (a): an attempt that a crash interrupts is made again, with the same number, identifier and bytes.
func TestD14DuplicateAfterCrash(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	n := r.tenant(t, "1010", "dnsimple")
	never := make(chan struct{})
	k := r.rcv.sink("r", held(never))
	n.endpoint(t, k, nil)
	p := n.publish(t, zoneEvent("zone.create", 1))
	k.await(t, 1, soon)
	r.kill9(t)
	k.answers(always(200))
	r.start(t)
	n.awaitStatus(t, p.only(t), "succeeded", "", 1, 10*time.Second)
	got := k.only(t, 2, soon)
	sameBytes(t, got, "")
	equal(t, "request_identifier", checkDNSimple(t, got[1]).RequestID, p.ID)
	log := n.attempts(t)
	equal(t, "attempts", row(len(log), log[0].Number, log[0].Outcome), row(1, 1, "acknowledged"))
}
