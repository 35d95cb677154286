package engine

import (
	"testing"
	"time"

	"github.com/hookline/hookline/transports"
)

// held makes the transport wait before it answers; the returned function lets all go with a status.
func (r *rig) held() (release func(code int)) {
	gate, code := make(chan struct{}), 0
	r.net.answers(func(int, *transports.Request) (transports.Result, error) { <-gate; return status(code), nil })
	return func(c int) { code = c; close(gate) }
}

// A delivery is canceled wherever it is: waiting in its lane, between two attempts, or with an attempt under way, which
// then is recorded and changes nothing about the end.
func TestCancelAnywhere(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{Concurrency: Some(1)})
	release := r.held()
	flying := r.publish("acc", PublishInput{Type: "domain.registered"})
	waiting := r.publish("acc", PublishInput{Type: "domain.renewed"})
	after := r.publish("acc", PublishInput{Type: "domain.expired"})
	r.requested(1)
	for _, p := range []Published{flying, waiting} {
		d := must(r.CancelDelivery(t.Context(), Actor{}, "acc", p.Matched[0].DeliveryID))(t)
		if d.Status != "canceled" || *d.Reason != "canceled_by_user" {
			t.Fatalf("canceled: %+v", d)
		}
		_, err := r.CancelDelivery(t.Context(), Actor{}, "acc", d.ID)
		wantCode(t, err, CodeConflict)
		_, err = r.ResendDelivery(t.Context(), Actor{}, "acc", d.ID)
		wantCode(t, err, CodeConflict)
	}
	release(500)
	r.advance(0)
	r.wantEnd("acc", flying, "canceled", "canceled_by_user", 1)
	r.wantEnd("acc", waiting, "canceled", "canceled_by_user", 0)
	r.wantEnd("acc", after, "pending", "", 1)
	must(r.CancelDelivery(t.Context(), Actor{}, "acc", after.Matched[0].DeliveryID))(t)
	r.advance(48 * time.Hour)
	r.wantEnd("acc", after, "canceled", "canceled_by_user", 1)
	r.requested(2)
	r.checkFold()
}

// Deliveries that were overdue at the start wait for the restart rate; there too one may be canceled.
func TestCancelWhileParked(t *testing.T) {
	r := newRig(t, func(c *Config) { c.RestartRate = 1 })
	r.net.answers(always(500))
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{})
	var all []Published
	for range 3 {
		all = append(all, r.publish("acc", PublishInput{Type: "domain.registered"}))
	}
	r.advance(0)
	r.stop()
	r.cfg = func(c *Config) { c.RestartRate, c.ClockStart = 1, rigStart.Add(time.Hour) }
	r.net.answers(nil)
	r.start()
	must(r.CancelDelivery(t.Context(), Actor{}, "acc", all[2].Matched[0].DeliveryID))(t)
	r.advance(0)
	r.requested(5)
	r.wantEnd("acc", all[0], "succeeded", "", 2)
	r.wantEnd("acc", all[1], "succeeded", "", 2)
	r.wantEnd("acc", all[2], "canceled", "canceled_by_user", 1)
	r.checkFold()
}

// D-13 counts attempts, over all deliveries: one whose delivery was canceled meanwhile is the fifteenth like any other.
func TestCanceledDeliveryCountsForSuppression(t *testing.T) {
	r := newRig(t, nil)
	r.net.answers(always(500))
	r.tenant("acc", "dnsimple")
	ep := r.endpoint("acc", EndpointInput{})
	for range 14 {
		r.publish("acc", PublishInput{Type: "domain.create"})
		r.advance(0)
	}
	release := r.held()
	p := r.publish("acc", PublishInput{Type: "domain.create"})
	r.requested(15)
	must(r.CancelDelivery(t.Context(), Actor{}, "acc", p.Matched[0].DeliveryID))(t)
	release(500)
	r.advance(0)
	r.wantEnd("acc", p, "canceled", "canceled_by_user", 1)
	if got := must(r.Endpoint(t.Context(), "acc", ep.ID))(t); got.Status != "suppressed" {
		t.Fatalf("endpoint is %s after %d failures, want suppressed", got.Status, got.ConsecutiveFailures)
	}
	r.checkFold()
}

// Deleting an endpoint or its tenant ends all its deliveries; attempts under way are recorded; the next endpoint has
// nothing of it.
func TestDeleteWithAttemptsUnderWay(t *testing.T) {
	for _, c := range []struct {
		reason string
		remove func(r *rig, ep Endpoint) error
	}{
		{"endpoint_deleted", func(r *rig, ep Endpoint) error { return r.DeleteEndpoint(r.t.Context(), Actor{}, "acc", ep.ID) }},
		{"tenant_deleted", func(r *rig, _ Endpoint) error { return r.DeleteTenant(r.t.Context(), Actor{}, "acc") }},
	} {
		t.Run(c.reason, func(t *testing.T) {
			r := newRig(t, nil)
			r.tenant("acc", "osir")
			r.tenant("other", "osir")
			ep := r.endpoint("acc", EndpointInput{Concurrency: Some(1)})
			r.net.answers(always(500))
			retry := r.publish("acc", PublishInput{Type: "domain.registered"})
			r.advance(0)
			release := r.held()
			flying := r.publish("acc", PublishInput{Type: "domain.registered"})
			waiting := r.publish("acc", PublishInput{Type: "domain.registered"})
			r.requested(2)
			if err := c.remove(r, ep); err != nil {
				t.Fatal(err)
			}
			r.endpoint("other", EndpointInput{Concurrency: Some(1)}) // takes the handle
			fresh := r.publish("other", PublishInput{Type: "domain.registered"})
			r.requested(3)
			release(200)
			r.advance(48 * time.Hour)
			r.wantEnd("acc", retry, "canceled", c.reason, 1)
			r.wantEnd("acc", flying, "canceled", c.reason, 1)
			r.wantEnd("acc", waiting, "canceled", c.reason, 0)
			r.wantEnd("other", fresh, "succeeded", "", 1)
			r.requested(3)
			if n := r.Metrics().InFlight; n != 0 {
				t.Errorf("%d attempts in flight", n)
			}
			r.checkFold()
			r.stop()
			r.start()
			r.checkFold()
		})
	}
}
