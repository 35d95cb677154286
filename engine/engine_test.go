package engine

import (
	"context"
	"testing"
	"time"

	"github.com/hookline/hookline/transports"
)

// P1 in small: published, delivered once, recorded, and the state is the fold of the log.
func TestDeliversOnce(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	ep := r.endpoint("acc", EndpointInput{EventTypes: Some([]string{"domain.registered"}), Secret: Some("whsec_test_secret")})
	p := r.publish("acc", PublishInput{Type: "domain.registered", ID: "evt_1234567890"})
	if len(p.Matched) != 1 || p.Matched[0].EndpointID != ep.ID {
		t.Fatalf("matched %+v", p.Matched)
	}
	r.advance(0)
	d := r.delivery("acc", p.Matched[0].DeliveryID)
	if d.Status != "succeeded" || d.AttemptsMade != 1 || len(d.Attempts) != 1 || d.NextAttemptAt != nil {
		t.Fatalf("delivery %+v", d)
	}
	if n := len(r.net.requests()); n != 1 {
		t.Fatalf("%d requests", n)
	}
	r.checkFold()
}

// P7, P8, O-14, O-15: five attempts by the document's gaps, then disabled in the same batch; a later event is skipped.
func TestOSIRScheduleEndsInDisabled(t *testing.T) {
	r := newRig(t, nil)
	r.net.answers(func(int, *transports.Request) (transports.Result, error) { return status(500), nil })
	r.tenant("acc", "osir")
	ep := r.endpoint("acc", EndpointInput{})
	p := r.publish("acc", PublishInput{Type: "domain.registered"})
	r.advance(27 * time.Hour)
	d := r.delivery("acc", p.Matched[0].DeliveryID)
	if d.Status != "exhausted" || d.AttemptsMade != 5 || *d.Reason != "schedule_used_up" {
		t.Fatalf("delivery %+v", d)
	}
	want := []time.Duration{0, 5 * time.Minute, 35 * time.Minute, 2*time.Hour + 35*time.Minute, 26*time.Hour + 35*time.Minute}
	for i, a := range d.Attempts {
		if got := time.UnixMilli(int64(a.StartedAt)).Sub(rigStart); got != want[i] {
			t.Errorf("attempt %d started after %s, want %s", a.Number, got, want[i])
		}
	}
	got := must(r.Endpoint(context.Background(), "acc", ep.ID))(t)
	if got.Status != "disabled" || *got.DisabledReason != "delivery_exhausted" {
		t.Fatalf("endpoint %+v", got)
	}
	later := r.publish("acc", PublishInput{Type: "domain.renewed"})
	r.advance(48 * time.Hour)
	if d := r.delivery("acc", later.Matched[0].DeliveryID); d.Status != "skipped" || *d.Reason != "disabled" {
		t.Fatalf("delivery %+v", d)
	}
	if n := len(r.net.requests()); n != 5 {
		t.Fatalf("%d requests, want 5", n)
	}
	r.checkFold()
}

// Promise 3: everything but log and keyring may be deleted; schedules and digest stay.
func TestRestartKeepsSchedulesAndDigest(t *testing.T) {
	r := newRig(t, nil)
	r.net.answers(func(int, *transports.Request) (transports.Result, error) { return status(500), nil })
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{})
	p := r.publish("acc", PublishInput{Type: "domain.registered"})
	r.advance(time.Minute)
	before := r.delivery("acc", p.Matched[0].DeliveryID)
	digest := must(r.LogStatus(context.Background()))(t).StateDigest
	for _, derived := range []bool{false, true} {
		r.stop()
		if derived {
			r.removeDerived()
		}
		r.start()
		if got := must(r.LogStatus(context.Background()))(t).StateDigest; got != digest {
			t.Fatalf("digest %s, want %s (derived state removed: %t)", got, digest, derived)
		}
		after := r.delivery("acc", p.Matched[0].DeliveryID)
		if *after.NextAttemptAt != *before.NextAttemptAt || after.AttemptsMade != 1 || after.ID != before.ID {
			t.Fatalf("delivery after restart %+v, before %+v", after, before)
		}
	}
	r.advance(5 * time.Minute)
	if n := len(r.net.requests()); n != 2 {
		t.Fatalf("%d requests, want 2", n)
	}
}
