package engine

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookline/hookline/eventlog/projection"
)

// Below low water nothing is accepted and nothing starts; what is under way is recorded, reads go on, and afterwards
// everything goes on by itself.
func TestDiskLow(t *testing.T) {
	var low atomic.Bool
	r := newRig(t, func(c *Config) { c.LowSpace = low.Load })
	r.tenant("acc", "osir")
	ep := r.endpoint("acc", EndpointInput{Concurrency: Some(1)})
	release := r.held()
	flying := r.publish("acc", PublishInput{Type: "domain.registered"})
	waiting := r.publish("acc", PublishInput{Type: "domain.renewed"})
	r.requested(1)
	low.Store(true)
	r.until("the engine notices", func() bool { return r.Metrics().DiskLow })
	_, err := r.Publish(t.Context(), "acc", []PublishInput{{Type: "domain.renewed", Data: []byte(`{"a":1}`)}})
	wantCode(t, err, CodeDiskLow)
	_, err = r.DisableEndpoint(t.Context(), Actor{}, "acc", ep.ID)
	wantCode(t, err, CodeDiskLow)
	_, err = r.TestEndpoint(t.Context(), Actor{}, "acc", ep.ID, TestInput{EventType: "domain.renewed"})
	wantCode(t, err, CodeDiskLow)
	release(200)
	r.until("the one under way is recorded", func() bool { return r.delivery("acc", flying.Matched[0].DeliveryID).Status == "succeeded" })
	r.wantEnd("acc", waiting, "pending", "", 0)
	r.requested(1)
	low.Store(false)
	r.until("the other one follows", func() bool { return r.delivery("acc", waiting.Matched[0].DeliveryID).Status == "succeeded" })
	r.requested(2)
	r.checkFold()
}

// pausedBy makes the view's follower pause while the disk is low, as the server does.
func pausedBy(low *atomic.Bool) func(*Config) {
	return func(c *Config) {
		c.LowSpace = low.Load
		c.Views, _ = NewViews(projection.FollowerOptions{Log: c.Log, Store: c.Store, Paused: low.Load, PauseCheck: time.Millisecond})
	}
}

// Views pause first. Lists go on: they tell what the view has, up to the seq that HeadSeq (X-Log-Seq) says; who wants to
// see more than that hears so.
func TestListsWhileDiskIsLow(t *testing.T) {
	var low atomic.Bool
	r := newRig(t, pausedBy(&low))
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{})
	release := r.held()
	p := r.publish("acc", PublishInput{Type: "domain.registered"})
	r.requested(1)
	must(r.Deliveries(t.Context(), "acc", ListInput{}))(t)
	applied := r.HeadSeq()
	low.Store(true)
	release(200)
	r.until("the attempt is durable", func() bool { return must(r.LogStatus(t.Context()))(t).HeadSeq > applied })
	head := must(r.LogStatus(t.Context()))(t).HeadSeq
	began := time.Now()
	page := must(r.Deliveries(t.Context(), "acc", ListInput{}))(t)
	if len(page.Data) != 1 || page.Data[0].Status != "pending" || r.HeadSeq() != applied {
		t.Errorf("%+v at seq %d, want the delivery pending at seq %d", page.Data, r.HeadSeq(), applied)
	}
	if e := must(r.Event(t.Context(), "acc", p.UID))(t); e.Body == nil {
		t.Errorf("the event is %+v, want its body", e)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("reading took %s", took)
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := r.Deliveries(short, "acc", ListInput{MinSeq: head})
	wantCode(t, err, CodeUnavailable)
	low.Store(false)
	r.until("lists tell all", func() bool {
		return must(r.Deliveries(t.Context(), "acc", ListInput{}))(t).Data[0].Status == "succeeded"
	})
	if got := r.HeadSeq(); got < head {
		t.Errorf("HeadSeq is %d, want at least %d", got, head)
	}
}

// An advance of the manual clock is refused at once while nothing may start, also one that was under way.
func TestAdvanceWhileNothingStarts(t *testing.T) {
	var low atomic.Bool
	r := newRig(t, func(c *Config) { c.LowSpace = low.Load })
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{})
	release := r.held()
	r.publish("acc", PublishInput{Type: "domain.registered"})
	r.requested(1)
	under := make(chan error, 1)
	go func() {
		_, err := r.AdvanceClock(t.Context(), time.Hour)
		under <- err
	}()
	low.Store(true)
	wantCode(t, <-under, CodeDiskLow)
	_, err := r.AdvanceClock(t.Context(), time.Hour)
	wantCode(t, err, CodeDiskLow)
	low.Store(false)
	release(200)
	r.until("the engine notices", func() bool { return !r.Metrics().DiskLow })
	now := must(r.AdvanceClock(t.Context(), 0))(t)
	if want := Time(rigStart.UnixMilli()); now != want {
		t.Errorf("the clock is at %v, want it at %v still", now, want)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = r.Drain(t.Context())
	}()
	r.until("draining", r.draining)
	_, err = r.AdvanceClock(t.Context(), time.Hour)
	wantCode(t, err, CodeUnavailable)
	<-drained
}

// What fell due while the disk was low goes at the restart rate afterwards, not in one burst.
func TestOverdueAfterDiskLow(t *testing.T) {
	const rate, overdue = 20, 12
	var low atomic.Bool
	r := newRig(t, func(c *Config) { c.LowSpace, c.RestartRate, c.ManualClock = low.Load, rate, false })
	r.net.answers(always(500))
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{Concurrency: Some(MaxConcurrency), Schedule: Some([]string{"3s", "24h"})})
	in := make([]PublishInput, overdue)
	for i := range in {
		in[i] = PublishInput{Type: "domain.registered", Data: []byte(`{"a":1}`)}
	}
	must(r.Publish(t.Context(), "acc", in))(t)
	r.requested(overdue)
	low.Store(true)
	r.until("the engine notices", func() bool { return r.Metrics().DiskLow })
	time.Sleep(3 * time.Second) // all fall due, and more
	r.requested(overdue)
	low.Store(false)
	r.until("they start again", func() bool { return len(r.net.requests()) > overdue })
	began := time.Now()
	r.requested(2 * overdue)
	if took, least := time.Since(began), time.Second*(overdue-2)/rate; took < least {
		t.Errorf("%d overdue deliveries took %s, want at least %s", overdue, took, least)
	}
	r.checkFold()
}
