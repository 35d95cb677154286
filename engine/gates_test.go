package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/transports"
)

// always answers every request with one status.
func always(code int) func(int, *transports.Request) (transports.Result, error) {
	return func(int, *transports.Request) (transports.Result, error) { return status(code), nil }
}

// until waits for what happens in other goroutines.
func (r *rig) until(what string, f func() bool) {
	r.t.Helper()
	for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("%s: not within 10 s", what)
		}
	}
}

func (r *rig) requested(n int) {
	r.t.Helper()
	r.until("requests", func() bool { return len(r.net.requests()) >= n })
	if got := len(r.net.requests()); got != n {
		r.t.Fatalf("%d requests, want %d", got, n)
	}
}

// wantEnd checks a delivery's status, reason and count of attempts.
func (r *rig) wantEnd(tenant string, p Published, status, reason string, made int) Delivery {
	r.t.Helper()
	d := r.delivery(tenant, p.Matched[0].DeliveryID)
	got := ""
	if d.Reason != nil {
		got = *d.Reason
	}
	if d.Status != status || got != reason || len(d.Attempts) != made {
		r.t.Fatalf("delivery is %s (%q) with %d attempts, want %s (%q) with %d", d.Status, got, len(d.Attempts), status, reason, made)
	}
	return d
}

func wantCode(t *testing.T, err error, code Code) {
	t.Helper()
	if e := (*Error)(nil); !errors.As(err, &e) || e.Code != code {
		t.Fatalf("error %v, want one of code %d", err, code)
	}
}

// R-1, D-13: a failing endpoint gets at most 14 requests and a lane's more; what waits in the lane then ends without an
// attempt, what is due later ends when it falls due; the suppression is in the batch of the fifteenth failure.
func TestSuppressionEndsTheLane(t *testing.T) {
	const lane, events = 4, 40
	r := newRig(t, nil)
	together := make(chan struct{}, lane)
	r.net.answers(func(int, *transports.Request) (transports.Result, error) {
		together <- struct{}{} // some are always in flight when a result is applied
		time.Sleep(time.Millisecond)
		<-together
		return status(500), nil
	})
	r.tenant("acc", "dnsimple")
	ep := r.endpoint("acc", EndpointInput{Concurrency: Some(lane)})
	in := make([]PublishInput, events)
	for i := range in {
		in[i] = PublishInput{Type: "domain.create", Data: []byte(`{"a":1}`)}
	}
	res := must(r.Publish(t.Context(), "acc", in))(t)
	r.advance(0)
	n := len(r.net.requests())
	if n < 15 || n > 14+lane {
		t.Fatalf("%d requests, want 15 to %d", n, 14+lane)
	}
	if got := must(r.Endpoint(t.Context(), "acc", ep.ID))(t); got.Status != "suppressed" || got.ConsecutiveFailures != n {
		t.Fatalf("endpoint is %s after %d failures, want suppressed after %d", got.Status, got.ConsecutiveFailures, n)
	}
	r.advance(3 * time.Hour)
	attempts := 0
	for _, p := range res {
		d := r.delivery("acc", p.Published.Matched[0].DeliveryID)
		if d.Status != "skipped" || *d.Reason != "suppressed" {
			t.Fatalf("delivery %+v, want skipped", d)
		}
		attempts += len(d.Attempts)
	}
	if attempts != n || len(r.net.requests()) != n {
		t.Fatalf("%d attempts and %d requests, want %d", attempts, len(r.net.requests()), n)
	}
	r.wantSameBatch(record.TypeEndpointSuppressed, 15)
	r.checkFold()
}

// O-15: the fifth failure and the disabling are one batch.
func TestDisablingIsInTheBatchOfTheFailure(t *testing.T) {
	r := newRig(t, nil)
	r.net.answers(always(500))
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{})
	r.publish("acc", PublishInput{Type: "domain.registered"})
	r.advance(27 * time.Hour)
	r.wantSameBatch(record.TypeEndpointDisabled, 5)
}

// wantSameBatch checks that the n-th attempt.finished and a record of the given type stand together in a batch.
func (r *rig) wantSameBatch(typ eventlog.Type, n int) {
	r.t.Helper()
	attempts := 0
	for b, err := range r.log.ReadBatches(context.Background(), 0) {
		if err != nil {
			r.t.Fatal(err)
		}
		nth, found := false, false
		for i := range b.Records {
			if b.Records[i].Type == record.TypeAttemptFinished {
				attempts++
				nth = nth || attempts == n
			}
			found = found || b.Records[i].Type == typ
		}
		if nth != found {
			r.t.Fatalf("batch %d to %d has attempt %d: %t, has %s: %t", b.First, b.Last(), n, nth, record.Name(typ), found)
		}
	}
	if attempts < n {
		r.t.Fatalf("%d attempts in the log, want %d", attempts, n)
	}
}

// what is published to a blocked endpoint ends as skipped, is refused a resend while blocked, and is not
// revived by the enabling.
func TestPublishedWhileBlocked(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	ep := r.endpoint("acc", EndpointInput{})
	must(r.DisableEndpoint(t.Context(), Actor{}, "acc", ep.ID))(t)
	p := r.publish("acc", PublishInput{Type: "domain.registered"})
	r.advance(time.Hour)
	d := r.wantEnd("acc", p, "skipped", "disabled", 0)
	_, err := r.ResendDelivery(t.Context(), Actor{}, "acc", d.ID)
	wantCode(t, err, CodeConflict)
	_, err = r.DeliverEvent(t.Context(), Actor{}, "acc", p.UID, ep.ID)
	wantCode(t, err, CodeConflict)
	must(r.EnableEndpoint(t.Context(), Actor{}, "acc", ep.ID))(t)
	r.advance(48 * time.Hour)
	r.requested(0)
	again := must(r.ResendDelivery(t.Context(), Actor{}, "acc", d.ID))(t)
	r.advance(0)
	r.requested(1)
	if got := r.delivery("acc", again.ID); got.Status != "succeeded" || *got.ResendOf != d.ID {
		t.Fatalf("the resend is %+v", got)
	}
	r.wantEnd("acc", p, "skipped", "disabled", 0)
	r.checkFold()
}

// an attempt in flight when a gate closes finishes and is recorded; its 200 completes the delivery and does not
// open the gate.
func TestLateAnswerAfterDisable(t *testing.T) {
	r := newRig(t, nil)
	late := make(chan struct{})
	r.net.answers(func(int, *transports.Request) (transports.Result, error) { <-late; return status(200), nil })
	r.tenant("acc", "osir")
	ep := r.endpoint("acc", EndpointInput{Concurrency: Some(1)})
	first := r.publish("acc", PublishInput{Type: "domain.registered"})
	second := r.publish("acc", PublishInput{Type: "domain.renewed"})
	r.requested(1)
	must(r.DisableEndpoint(t.Context(), Actor{}, "acc", ep.ID))(t)
	r.until("the one that waits is skipped", func() bool {
		return r.delivery("acc", second.Matched[0].DeliveryID).Status == "skipped" // it needs no free slot for that
	})
	close(late)
	r.advance(0)
	r.wantEnd("acc", first, "succeeded", "", 1)
	r.wantEnd("acc", second, "skipped", "disabled", 0)
	if got := must(r.Endpoint(t.Context(), "acc", ep.ID))(t); got.Status != "disabled" {
		t.Fatalf("endpoint is %s, want disabled", got.Status)
	}
	r.requested(1)
	r.checkFold()
}

// D-12, R-4: disabled and enabled again between two attempts, the delivery goes on: number and time unchanged, count of
// failures from 0.
func TestEnabledBeforeTheNextAttempt(t *testing.T) {
	r := newRig(t, nil)
	r.net.answers(always(500))
	r.tenant("acc", "dnsimple")
	ep := r.endpoint("acc", EndpointInput{})
	p := r.publish("acc", PublishInput{Type: "domain.create"})
	r.advance(5 * time.Second)
	due := *r.delivery("acc", p.Matched[0].DeliveryID).NextAttemptAt
	must(r.DisableEndpoint(t.Context(), Actor{}, "acc", ep.ID))(t)
	r.advance(5 * time.Second)
	if got := must(r.EnableEndpoint(t.Context(), Actor{}, "acc", ep.ID))(t); got.ConsecutiveFailures != 0 {
		t.Fatalf("%d failures after enable", got.ConsecutiveFailures)
	}
	r.advance(5 * time.Second)
	d := r.delivery("acc", p.Matched[0].DeliveryID)
	if len(d.Attempts) != 2 || d.Attempts[1].Number != 2 || d.Attempts[1].StartedAt != due {
		t.Fatalf("attempts %+v, want the second at %v", d.Attempts, due)
	}
	must(r.DisableEndpoint(t.Context(), Actor{}, "acc", ep.ID))(t)
	r.advance(time.Hour)
	r.wantEnd("acc", p, "skipped", "disabled", 2)
	r.checkFold()
}

// The two gates are independent: clearing a suppression leaves a person's disabling.
func TestGatesAreIndependent(t *testing.T) {
	r := newRig(t, nil)
	r.net.answers(always(500))
	r.tenant("acc", "dnsimple")
	ep := r.endpoint("acc", EndpointInput{Concurrency: Some(1)})
	for range 15 {
		r.publish("acc", PublishInput{Type: "domain.create"})
	}
	r.advance(0)
	if got := must(r.DisableEndpoint(t.Context(), Actor{}, "acc", ep.ID))(t); got.SuppressedAt == nil || got.DisabledAt == nil || got.Status != "disabled" {
		t.Fatalf("endpoint %+v, want both gates closed", got)
	}
	got := must(r.ClearSuppression(t.Context(), Actor{}, "acc", ep.ID))(t)
	if got.SuppressedAt != nil || got.DisabledAt == nil || got.ConsecutiveFailures != 0 {
		t.Fatalf("endpoint %+v, want disabled alone", got)
	}
}
