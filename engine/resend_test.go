package engine

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/hookline/hookline/transports"
)

func headerOf(req *transports.Request, name string) string {
	i := slices.IndexFunc(req.Headers, func(h transports.Header) bool { return h.Name == name })
	if i < 0 {
		return ""
	}
	return req.Headers[i].Value
}

// R-6, P18: exhausted, enabled, resent: a new delivery of the same event, numbered from 1, with the same id, bytes and
// signature; the endpoint's log has all six attempts.
func TestResend(t *testing.T) {
	r := newRig(t, nil)
	r.net.answers(always(500))
	r.tenant("acc", "osir")
	ep := r.endpoint("acc", EndpointInput{})
	p := r.publish("acc", PublishInput{Type: "domain.registered"})
	_, err := r.ResendDelivery(t.Context(), Actor{}, "acc", p.Matched[0].DeliveryID)
	wantCode(t, err, CodeConflict) // pending
	r.advance(27 * time.Hour)
	old := r.wantEnd("acc", p, "exhausted", "schedule_used_up", 5)
	must(r.EnableEndpoint(t.Context(), Actor{}, "acc", ep.ID))(t)
	r.net.answers(nil)
	d := must(r.ResendDelivery(t.Context(), Actor{}, "acc", old.ID))(t)
	if d.Status != "pending" || *d.ResendOf != old.ID || d.MaxAttempts != 5 || d.ID == old.ID {
		t.Fatalf("the answer is %+v", d)
	}
	r.advance(0)
	d = r.delivery("acc", d.ID)
	if d.Status != "succeeded" || len(d.Attempts) != 1 || d.Attempts[0].Number != 1 || d.Attempts[0].Trigger != "resend" {
		t.Fatalf("the resend is %+v", d)
	}
	all := r.net.requests()
	if len(all) != 6 {
		t.Fatalf("%d requests, want 6", len(all))
	}
	for i := range all {
		if all[i].EventID != p.ID || !bytes.Equal(all[i].Body, all[0].Body) || headerOf(&all[i], "x-osir-signature") != headerOf(&all[0], "x-osir-signature") {
			t.Errorf("request %d differs from the first: %+v", i+1, all[i])
		}
	}
	page := must(r.Attempts(t.Context(), "acc", ListInput{EndpointID: ep.ID, Ascending: true}))(t)
	if len(page.Data) != 6 {
		t.Fatalf("%d attempts in the endpoint's log, want 6", len(page.Data))
	}
	must(r.ResendDelivery(t.Context(), Actor{}, "acc", d.ID))(t) // a succeeded one too
	r.advance(0)
	r.requested(7)
	r.checkFold()
}

// tests are neutral for every counter, allowed on a blocked endpoint, never retried, and shown among the attempts
// only.
func TestTestEvents(t *testing.T) {
	r := newRig(t, nil)
	r.net.answers(always(500))
	r.tenant("acc", "dnsimple")
	ep := r.endpoint("acc", EndpointInput{Filter: Some(`type == "never"`)})
	ids := map[string]bool{}
	for i := range 20 {
		if i == 10 {
			must(r.DisableEndpoint(t.Context(), Actor{}, "acc", ep.ID))(t)
		}
		a := must(r.TestEndpoint(t.Context(), Actor{}, "acc", ep.ID, TestInput{EventType: "domain.create"}))(t)
		if a.Number != 1 || a.Trigger != "test" || a.DeliveryID != nil || a.Response == nil || a.Response.Status != 500 || ids[a.EventID] {
			t.Fatalf("test %d: %+v", i+1, a)
		}
		ids[a.EventID] = true
	}
	_, err := r.TestEndpoint(t.Context(), Actor{}, "acc", ep.ID, TestInput{EventType: "no.such.type"})
	wantCode(t, err, CodeInvalid)
	r.advance(3 * time.Hour)
	r.requested(20)
	if got := must(r.Endpoint(t.Context(), "acc", ep.ID))(t); got.SuppressedAt != nil || got.ConsecutiveFailures != 0 {
		t.Fatalf("endpoint %+v: tests were counted", got)
	}
	if n := len(must(r.Events(t.Context(), "acc", ListInput{}))(t).Data) + len(must(r.Deliveries(t.Context(), "acc", ListInput{}))(t).Data); n != 0 {
		t.Fatalf("%d events and deliveries, want none", n)
	}
	if n := len(must(r.Attempts(t.Context(), "acc", ListInput{EndpointID: ep.ID}))(t).Data); n != 20 {
		t.Fatalf("%d attempts, want 20", n)
	}
	r.net.answers(func(int, *transports.Request) (transports.Result, error) {
		return transports.Result{}, transports.ErrInterrupted
	})
	_, err = r.TestEndpoint(t.Context(), Actor{}, "acc", ep.ID, TestInput{EventType: "domain.create"})
	wantCode(t, err, CodeUnavailable) // our fault: nothing is recorded
	r.checkFold()
}
