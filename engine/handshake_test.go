package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/transports"
)

// consenting is a transport whose receiver answers questions with headers, and everything else with 200.
func consenting(headers ...transports.Header) func(int, *transports.Request) (transports.Result, error) {
	return func(_ int, req *transports.Request) (transports.Result, error) {
		res := status(200)
		if req.Method == "OPTIONS" {
			res.Headers = headers
		}
		return res, nil
	}
}

func handshakeRig(t *testing.T) *rig {
	r := newRig(t, nil)
	p := ownProfile(t, "gone: disable", "gone: disable\nhandshake: {origin: events.example.com, rate: 120}")
	must(r.DefineProfiles(t.Context(), []*profile.Profile{p}))(t)
	r.tenant("acc", "acme")
	return r
}

func (r *rig) status(id string) string {
	r.t.Helper()
	o := must(r.Endpoint(r.t.Context(), "acc", id))(r.t)
	if o.DisabledReason != nil {
		return o.Status + " " + *o.DisabledReason
	}
	return o.Status
}

var yes = []transports.Header{{Name: "webhook-allowed-origin", Value: "events.example.com"}, {Name: "webhook-allowed-rate", Value: "60"}}

// Nothing is sent before the receiver has consented; what was published meanwhile is skipped. The question has no body,
// no signature and no event. The granted rate holds, over a restart too.
func TestHandshake(t *testing.T) {
	r := handshakeRig(t)
	r.net.answers(consenting(yes...))
	ep := r.endpoint("acc", EndpointInput{})
	if ep.Status != "disabled" || *ep.DisabledReason != "handshake" {
		t.Fatalf("new: %+v", ep)
	}
	r.advance(0)
	ask := r.net.requests()[0]
	if got := headerOf(&ask, "webhook-request-origin") + " " + headerOf(&ask, "webhook-request-rate") + " " + headerOf(&ask, "webhook-signature"); ask.Method != "OPTIONS" || got != "events.example.com 120 " || len(ask.Body) != 0 {
		t.Errorf("asked by %s %q with %d bytes", ask.Method, got, len(ask.Body))
	}
	if got := r.status(ep.ID); got != "enabled" {
		t.Fatalf("after the answer: %s", got)
	}
	if got := must(r.Endpoint(t.Context(), "acc", ep.ID))(t).GrantedRate; got == nil || *got != 60 {
		t.Errorf("granted %v a minute", got)
	}
	for restart := range 2 {
		if restart == 1 {
			r.stop()
			r.removeDerived()
			r.start()
		}
		before := len(r.net.requests())
		for range 3 {
			r.publish("acc", PublishInput{Type: "order.created"})
		}
		r.advance(0)
		r.advance(999 * time.Millisecond)
		if got := len(r.net.requests()) - before; got != 1 {
			t.Errorf("%d attempts within the first second of 60 a minute", got)
		}
		r.advance(2 * time.Second)
		if got := len(r.net.requests()) - before; got != 3 {
			t.Errorf("%d attempts in three seconds", got)
		}
	}
	r.checkFold()
}

// A no leaves it disabled; enabling asks again. A new URL needs a consent of its own. A person's own decision is not
// undone by a receiver's yes.
func TestHandshakeRefused(t *testing.T) {
	r := handshakeRig(t)
	r.net.answers(consenting())
	ep := r.endpoint("acc", EndpointInput{})
	r.advance(0)
	if got := r.status(ep.ID); got != "disabled handshake_refused" {
		t.Fatalf("after a no: %s", got)
	}
	d := r.publish("acc", PublishInput{Type: "order.created"}).Matched[0].DeliveryID
	r.advance(0)
	if got := r.delivery("acc", d); got.Status != "skipped" {
		t.Errorf("published meanwhile: %+v", got)
	}
	r.net.answers(consenting(yes...))
	if o := must(r.EnableEndpoint(t.Context(), Actor{}, "acc", ep.ID))(t); o.Status != "disabled" || *o.DisabledReason != "handshake" {
		t.Errorf("enabled: %+v", o)
	}
	r.advance(0)
	if got := r.status(ep.ID); got != "enabled" {
		t.Errorf("after a yes: %s", got)
	}
	must(r.UpdateEndpoint(t.Context(), Actor{}, "acc", ep.ID, EndpointInput{Description: Some("the same address")}))(t)
	if got := r.status(ep.ID); got != "enabled" {
		t.Errorf("patched: %s", got)
	}
	r.net.answers(consenting())
	must(r.UpdateEndpoint(t.Context(), Actor{}, "acc", ep.ID, EndpointInput{URL: Some("https://other.example/")}))(t)
	r.advance(0)
	if got := r.status(ep.ID); got != "disabled handshake_refused" {
		t.Errorf("moved: %s", got)
	}
	must(r.DisableEndpoint(t.Context(), Actor{}, "acc", ep.ID))(t)
	if got := r.status(ep.ID); got != "disabled by_user" {
		t.Errorf("disabled: %s", got)
	}
	r.net.answers(consenting(yes...))
	must(r.UpdateEndpoint(t.Context(), Actor{}, "acc", ep.ID, EndpointInput{URL: Some("https://third.example/")}))(t)
	r.advance(0)
	if got := r.status(ep.ID); got != "disabled by_user" {
		t.Errorf("disabled by a person, then a yes: %s", got)
	}
	must(r.EnableEndpoint(t.Context(), Actor{}, "acc", ep.ID))(t)
	if got := r.status(ep.ID); got != "enabled" {
		t.Errorf("enabled with a consent that is there: %s", got)
	}
	r.checkFold()
}

// A question that our side broke off is asked again: at the next start, and while it runs. An answer about the URL of
// before counts for nothing.
func TestHandshakeInterrupted(t *testing.T) {
	r := handshakeRig(t)
	r.net.answers(func(int, *transports.Request) (transports.Result, error) {
		return transports.Result{}, transports.ErrInterrupted
	})
	ep := r.endpoint("acc", EndpointInput{})
	r.advance(0)
	if got := r.status(ep.ID); got != "disabled handshake" {
		t.Fatalf("interrupted: %s", got)
	}
	r.net.answers(consenting(yes...))
	r.stop()
	r.start()
	r.advance(0)
	if got := r.status(ep.ID); got != "enabled" {
		t.Fatalf("after a restart: %s", got)
	}
	release := make(chan struct{})
	r.net.answers(func(_ int, req *transports.Request) (transports.Result, error) {
		if strings.Contains(req.Target, "slow") {
			<-release
			return consenting(yes...)(0, req)
		}
		return status(200), nil // no consent
	})
	must(r.UpdateEndpoint(t.Context(), Actor{}, "acc", ep.ID, EndpointInput{URL: Some("https://slow.example/")}))(t)
	must(r.UpdateEndpoint(t.Context(), Actor{}, "acc", ep.ID, EndpointInput{URL: Some("https://fast.example/")}))(t)
	close(release)
	r.advance(0)
	if got := r.status(ep.ID); got != "disabled handshake_refused" {
		t.Errorf("the old address said yes, the new one no: %s", got)
	}
	r.checkFold()
}
