package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/transports"
)

// inOutage makes an engine by the real clock whose log is unavailable: `flying` attempts were under way, wait in their
// lanes behind them as many deliveries, and one retry falls due meanwhile. The results of those under way are here.
func inOutage(t *testing.T, flying int) (r *rig, all []Published) {
	r = newRig(t, func(c *Config) { c.ManualClock = false })
	r.outage.patience = 20 * time.Millisecond
	r.net.answers(always(500))
	r.tenant("acc", "osir")
	retried := r.endpoint("acc", EndpointInput{Schedule: Some([]string{"50ms"}), EventTypes: Some([]string{"domain.expired"})})
	r.endpoint("acc", EndpointInput{Concurrency: Some(flying), EventTypes: Some([]string{"domain.registered"})})
	all = append(all, r.publish("acc", PublishInput{Type: "domain.expired"}))
	r.requested(1)
	r.until("the first attempt is applied", func() bool { return r.attemptsMade(retried.ID) == 1 })
	release := r.held()
	for range 2 * flying {
		all = append(all, r.publish("acc", PublishInput{Type: "domain.registered"}))
	}
	r.until("all slots are taken", func() bool { return len(r.net.requests()) >= flying })
	before := len(r.net.requests())
	r.log.Interrupt()
	answered := make(chan error, 1)
	go func() {
		_, err := r.Publish(t.Context(), "acc", []PublishInput{{Type: "domain.renewed", Data: []byte(`{"unknown":1}`)}})
		answered <- err
	}()
	r.until("the outage is noticed", func() bool { return !r.Ready() && r.Metrics().LogUnavailable })
	wantCode(t, <-answered, CodeUnavailable)
	r.net.answers(nil)
	release(200)
	if n := len(r.net.requests()); n > before+1 { // the retry may have been due before that
		t.Fatalf("%d requests, %d before the outage", n, before)
	}
	return r, all
}

func (r *rig) attemptsMade(string) int {
	page, err := r.Attempts(context.Background(), "acc", ListInput{})
	if err != nil {
		return 0
	}
	return len(page.Data)
}

// An outage of the log: no attempt starts, nothing is answered, lists tell what is durable, the results of the attempts
// under way wait; then everything goes on where it was, nothing is lost and nothing is sent twice.
func TestOutage(t *testing.T) {
	const flying = 40
	r, all := inOutage(t, flying)
	sent := len(r.net.requests())
	_, err := r.Publish(t.Context(), "acc", []PublishInput{{Type: "domain.renewed", Data: []byte(`{"refused":1}`)}})
	wantCode(t, err, CodeUnavailable)
	_, err = r.Endpoints(t.Context(), "acc", ListInput{})
	wantCode(t, err, CodeUnavailable)
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := r.Endpoints(short, "acc", ListInput{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a request with a deadline of its own: %v", err)
	}
	if page := must(r.Deliveries(t.Context(), "acc", ListInput{Status: "succeeded"}))(t); len(page.Data) != 0 {
		t.Errorf("%d deliveries are told to have succeeded, before that is durable", len(page.Data))
	}
	time.Sleep(100 * time.Millisecond) // the retry falls due
	if n := len(r.net.requests()); n != sent {
		t.Fatalf("%d requests, %d when the outage was noticed", n, sent)
	}
	r.log.Resume(nil)
	r.until("ready again", r.Ready)
	for _, p := range all {
		r.until("all are delivered", func() bool { return r.delivery("acc", p.Matched[0].DeliveryID).Status == "succeeded" })
	}
	r.requested(1 + len(all))
	if page := must(r.Events(t.Context(), "acc", ListInput{Limit: MaxLimit}))(t); len(page.Data) != len(all)+1 {
		t.Errorf("%d events, want the %d accepted ones and the one whose outcome was unknown", len(page.Data), len(all))
	}
	if m := r.Metrics(); m.LogUnavailable || m.Interrupted != 0 {
		t.Errorf("after the outage: %+v", m)
	}
	r.publish("acc", PublishInput{Type: "domain.renewed"})
	r.checkFold()
}

// An outage that ends in a fence ends the engine; what it had not recorded is made again by the next one.
func TestOutageEndsInFence(t *testing.T) {
	r, all := inOutage(t, 2)
	r.log.Resume(eventlog.ErrFenced)
	<-r.Dead()
	if !errors.Is(r.Err(), eventlog.ErrFenced) {
		t.Fatalf("Err is %v", r.Err())
	}
	if err := errors.Join(r.Close(), r.store.Close()); err != nil {
		t.Fatal(err)
	}
	r.start()
	for _, p := range all {
		r.until("all are delivered", func() bool { return r.delivery("acc", p.Matched[0].DeliveryID).Status == "succeeded" })
	}
	r.checkFold()
}

// A stop during an outage does not wait for its end, and counts what may be sent again.
func TestStopDuringOutage(t *testing.T) {
	const flying = 3
	r, _ := inOutage(t, flying)
	r.until("the results are here", func() bool { return r.Metrics().InFlight <= 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if n := must(r.Drain(ctx))(t); n < flying || n > flying+1 {
		t.Errorf("%d attempts are counted, want %d, or one more by the retry", n, flying)
	}
	if err := errors.Join(r.Close(), r.store.Close()); err != nil {
		t.Fatal(err)
	}
	r.log.Resume(errBroken)
	r.net.answers(func(int, *transports.Request) (transports.Result, error) { return status(200), nil })
	r.start()
	r.until("ready", r.Ready)
	r.checkFold()
}
