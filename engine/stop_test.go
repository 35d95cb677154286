package engine

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/transports"
)

// A drain waits no longer than it may: what hangs is counted, nothing of it is recorded, and it is due after the next
// start, with the same number.
func TestDrainWithAHangingAttempt(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{Concurrency: Some(1)})
	release := r.held()
	p := r.publish("acc", PublishInput{Type: "domain.registered"})
	waiting := r.publish("acc", PublishInput{Type: "domain.renewed"})
	r.requested(1)
	head := r.HeadSeq()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if n := must(r.Drain(ctx))(t); n != 1 {
		t.Fatalf("%d interrupted attempts are counted, want 1", n)
	}
	if got := r.HeadSeq(); got != head {
		t.Fatalf("head is %d, was %d: something was recorded", got, head)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	release(200) // too late: nobody hears it
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.advance(0)
	d := r.wantEnd("acc", p, "succeeded", "", 1)
	if d.Attempts[0].Number != 1 {
		t.Fatalf("attempt %+v, want number 1", d.Attempts[0])
	}
	r.wantEnd("acc", waiting, "succeeded", "", 1)
	r.requested(3)
	r.checkFold()
}

// A drain that nobody cuts short ends after the longest timeout in flight, not the longest there is, and its grace.
func TestDrainLimitIsTheLongestTimeoutInFlight(t *testing.T) {
	r := newRig(t, nil)
	r.grace = 20 * time.Millisecond
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{EventTypes: Some([]string{"domain.registered"}), Timeout: Some("1s")})
	r.endpoint("acc", EndpointInput{EventTypes: Some([]string{"domain.renewed"}), Timeout: Some("60s")})
	r.publish("acc", PublishInput{Type: "domain.renewed"}) // was in flight
	r.advance(0)
	release := r.held()
	defer release(200)
	r.publish("acc", PublishInput{Type: "domain.registered"})
	r.requested(2)
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // the profile's own timeout is 30 s
	defer cancel()
	if n := must(r.Drain(ctx))(t); n != 1 {
		t.Errorf("%d interrupted attempts are counted, want 1", n)
	}
	if took := time.Since(began); took < time.Second || ctx.Err() != nil {
		t.Errorf("the drain took %s, want a little more than the 1 s of the attempt in flight", took)
	}
}

func (r *rig) draining() (yes bool) {
	_ = r.do(context.Background(), func(s *sequencer) error { yes = s.draining; return nil })
	return yes
}

// A clean stop waits for what is under way, starts nothing, and leaves nothing to repeat (promise 4).
func TestCleanStopRepeatsNothing(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{Concurrency: Some(2)})
	release := r.held()
	for range 5 {
		r.publish("acc", PublishInput{Type: "domain.registered"})
	}
	r.requested(2)
	drained := make(chan int, 1)
	go func() {
		n, _ := r.Drain(context.Background())
		drained <- n
	}()
	r.until("draining", r.draining)
	late := r.publish("acc", PublishInput{Type: "domain.renewed"}) // stored, not started
	release(200)
	if n := <-drained; n != 0 {
		t.Fatalf("%d interrupted", n)
	}
	r.requested(2)
	r.stop()
	r.start()
	r.advance(0)
	r.requested(6)
	r.wantEnd("acc", late, "succeeded", "", 1)
	r.checkFold()
}

// An attempt that a dying plugin breaks off during a drain is counted like one that the drain breaks off.
func TestDrainCountsWhatAPluginBroke(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{})
	die := make(chan struct{})
	r.net.answers(func(n int, req *transports.Request) (transports.Result, error) { <-die; return broken(n, req) })
	r.publish("acc", PublishInput{Type: "domain.registered"})
	r.requested(1)
	go func() {
		for !r.draining() {
			time.Sleep(time.Millisecond)
		}
		close(die)
	}()
	if n := must(r.Drain(t.Context()))(t); n != 1 {
		t.Fatalf("%d interrupted attempts are counted, want 1", n)
	}
}

// after a start the overdue ones begin at once, oldest first, and go on at the restart rate, by the wall clock;
// what is new does not wait behind them.
func TestRestartRate(t *testing.T) {
	const rate, overdue = 20, 12
	r := newRig(t, nil)
	r.net.answers(always(500))
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{Concurrency: Some(MaxConcurrency)})
	var ids []string
	for range overdue {
		ids = append(ids, r.publish("acc", PublishInput{Type: "domain.registered"}).ID)
		r.advance(time.Second)
	}
	r.stop()
	r.cfg = func(c *Config) { c.RestartRate, c.ClockStart = rate, rigStart.Add(time.Hour) }
	r.net.answers(nil)
	began := time.Now()
	r.start()
	fresh := r.publish("acc", PublishInput{Type: "domain.renewed"})
	r.until("the new one is sent", func() bool { return r.delivery("acc", fresh.Matched[0].DeliveryID).Status == "succeeded" })
	if n, most := len(r.net.requests())-overdue-1, int(time.Since(began).Seconds()*rate)+1; n > most {
		t.Errorf("%d overdue ones were sent by then, want at most %d", n, most)
	}
	r.advance(0)
	if took, least := time.Since(began), time.Second*(overdue-1)/rate; took < least {
		t.Errorf("%d overdue deliveries took %s, want at least %s", overdue, took, least)
	}
	got := r.net.requests()[overdue:]
	if len(got) != overdue+1 {
		t.Fatalf("%d requests after the start, want %d", len(got), overdue+1)
	}
	if i := slices.IndexFunc(got, func(q transports.Request) bool { return q.EventID == ids[0] }); i < 0 || i > 3 { // a slow machine lets some go together
		t.Errorf("the oldest one is number %d, want it among the first", i+1)
	}
	r.checkFold()
}

// failing is a log whose writer fails when it is told to.
type failing struct {
	eventlog.Log
	broken atomic.Bool
}

type failingWriter struct {
	eventlog.Writer
	log *failing
}

var errBroken = errors.New("the disk of a test broke")

func (l *failing) Acquire(ctx context.Context, owner string) (eventlog.Writer, error) {
	w, err := l.Log.Acquire(ctx, owner)
	return &failingWriter{w, l}, err
}

func (w *failingWriter) Append(records []eventlog.Record) *eventlog.Commit {
	if !w.log.broken.Load() {
		return w.Writer.Append(records)
	}
	c := eventlog.NewCommit(0, 0)
	c.Complete(errBroken)
	return c
}

// When an append fails the publisher hears 503, the engine is dead, and no attempt is started any more: its result could
// not be recorded. Nothing of it is lost.
func TestAppendFails(t *testing.T) {
	var log *failing
	real := func(c *Config) {
		c.ManualClock = false
		log = &failing{Log: c.Log}
		c.Log = log
	}
	r := newRig(t, real)
	r.net.answers(always(500))
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{Schedule: Some([]string{"700ms", "24h"})})
	p := r.publish("acc", PublishInput{Type: "domain.registered"})
	r.until("the first attempt is recorded", func() bool { return r.delivery("acc", p.Matched[0].DeliveryID).AttemptsMade == 1 })
	log.broken.Store(true)
	_, err := r.Publish(t.Context(), "acc", []PublishInput{{Type: "domain.renewed", Data: []byte(`{"lost":1}`)}})
	wantCode(t, err, CodeUnavailable)
	<-r.Dead()
	if !errors.Is(r.Err(), errBroken) || r.Ready() {
		t.Fatalf("Err is %v, Ready %t", r.Err(), r.Ready())
	}
	_, err = r.Endpoints(t.Context(), "acc", ListInput{})
	wantCode(t, err, CodeUnavailable)
	time.Sleep(time.Second) // the retry falls due, and more
	r.requested(1)
	if _, err := r.Drain(t.Context()); !errors.Is(err, errBroken) {
		t.Errorf("Drain: %v", err)
	}
	if err := errors.Join(r.Close(), r.store.Close()); err != nil {
		t.Fatal(err)
	}
	r.net.answers(nil)
	r.start()
	r.until("delivered after the next start", func() bool { return r.delivery("acc", p.Matched[0].DeliveryID).Status == "succeeded" })
	if n := len(must(r.Events(t.Context(), "acc", ListInput{}))(t).Data); n != 1 {
		t.Errorf("%d events, want the one that was accepted", n)
	}
	r.requested(2)
	r.checkFold()
}
