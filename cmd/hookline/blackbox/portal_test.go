package blackbox

import (
	"strings"
	"testing"
)

// The steps of OSIR's page, by a customer in a browser: Add Endpoint (O-3), Send Test Event (O-17), Logs (O-18), Replay (O-19).
func TestPortalSteps(t *testing.T) {
	r := realRig(t)
	n := r.tenant(t, "acme", "osir")
	k := r.rcv.sink("hooks", always(200))
	b := newBrowser(t)
	b.portal(r.server, "acme")
	b.sees("No endpoints yet")
	if at := eval[string](b, "location.href"); strings.Contains(at, "hk") || strings.Contains(at, "#h") {
		t.Errorf("the link's token stays in the address: %s", at)
	}
	b.shot("portal-empty")

	b.click("button", "Add endpoint")
	b.sees("Only the ones I choose", "Address")
	b.fill("Address", "http://example.com/hooks")
	b.sees("Only https:// is taken")
	b.fill("Address", k.url)
	b.sees("Looks right")
	b.click("choice", "domain.registered")
	b.click("choice", "invoice.paid")
	b.shot("portal-add")
	b.click("button", "Save endpoint")
	b.sees("Saved.", "Signing secret", "whsec_")
	b.shot("portal-saved")

	b.click("link", "Send test event")
	b.sees("Event type", "harbour-lights.example")
	b.fill("Data", `{"domain":"edited.example","n":1.50}`)
	b.click("button", "Send test event")
	b.sees("Result", "Acknowledged · 200", "x-osir-signature")
	got := k.exactly(t, 1)
	if body := string(got[0].body); !strings.HasSuffix(body, `"data":{"domain":"edited.example","n":1.50}}`) {
		t.Errorf("the receiver got %s", body)
	}
	b.click("button", "Verify signature")
	b.sees("matches the present secret")
	b.shot("portal-test")

	k.answers(always(500))
	p := n.publish(t, event{typ: "domain.registered", data: `{"domain":"a.example"}`})
	n.awaitStatus(t, p.only(t), "pending", "", 1, soon)
	b.clickNth("link", "Logs", 1) // the endpoint's; the first is in the bar on top
	b.sees("Rejected · 500", "Acknowledged · 200")
	b.shot("portal-logs")
	b.fill("Outcome", "failed")
	poll(t, soon, func() string {
		if text := b.text(); strings.Contains(text, "Acknowledged · 200") || !strings.Contains(text, "Rejected · 500") {
			return text
		}
		return ""
	})
	b.click("link", "domain.registered")
	b.sees("Why it failed", "Request", "Response", "500 Internal Server Error", "a.example")
	b.shot("portal-attempt")
	b.click("button", "Delivery")
	b.sees("Attempt 1", "Attempt 2", "30m after the one before, if that fails", "Attempt 5")
	b.shot("portal-delivery")
	b.click("link", "Logs")
	b.sees("Rejected · 500")
	b.fill("Event type", "invoice.created")
	b.fill("Time", "24h")
	b.sees("No attempts match")
	b.click("button", "Clear filters")
	b.sees("Rejected · 500")

	// The delivery uses its attempts up, which disables the endpoint; it is enabled, and the event replayed.
	id := n.endpointIDs(t)[0]
	r.api.patch(t, 200, n.path("/endpoints/", id), fields{"schedule": []string{"1ms"}}, nil)
	p = n.publish(t, event{typ: "invoice.paid", data: `{"invoice":"INV-1","amount":100,"currency":"EUR"}`})
	n.awaitStatus(t, p.only(t), "exhausted", "schedule_used_up", 2, soon)
	skipped := n.publish(t, event{typ: "invoice.paid", data: `{"invoice":"INV-2","amount":200,"currency":"EUR"}`})
	n.awaitStatus(t, skipped.only(t), "skipped", "disabled", 0, soon)
	b.portal(r.server, "acme")
	b.sees("Disabled because a delivery used up all its attempts.")
	b.shot("portal-endpoints")
	b.click("link", k.url)
	b.sees("Nothing is sent to it")
	b.shot("portal-disabled")
	k.answers(always(200))
	b.click("button", "Enable")
	b.click("link", "Replay")
	b.sees("every attempt of the schedule failed")
	b.shot("portal-replay")
	had := k.count()
	b.clickNth("button", "Replay", 0)
	b.sees("1 event sent again.")
	sameBytes(t, k.await(t, had+1, soon)[had-1:], "X-Osir-Signature")
	b.click("button", "Replay all failed…")
	b.sees("1 event will be sent again")
	b.shot("portal-replay-all")
	b.click("button", "Replay 1 event")
	b.sees("Replays in bulk", "1 of 1 event sent again", "Done")
	k.await(t, had+2, soon)
	b.click("link", "Receiver code")
	b.sees("x-osir-signature", "timingSafeEqual")
	b.shot("portal-code")
	b.click("link", "Event types")
	b.sees("A domain was registered for the account.")
	b.shot("portal-types")
}

func (n *tenant) endpointIDs(t testing.TB) (ids []string) {
	t.Helper()
	for _, e := range list[endpoint](t, n.s.api, n.path("/endpoints")) {
		ids = append(ids, e.ID)
	}
	return ids
}
