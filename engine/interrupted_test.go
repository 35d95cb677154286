package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/transports"
)

func broken(int, *transports.Request) (transports.Result, error) {
	return transports.Result{}, fmt.Errorf("%w: of a test", transports.ErrInterrupted)
}

// Interrupted attempts are ours: uncounted, made again after 1 s, 5 s, 30 s, then every 5 min; alone after the third;
// held after the tenth, then every 6 h, and at once on :release. By the wall clock: a manual one that stands still does
// not keep them, and its advances do not hurry them; they wait for the short ones.
func TestInterruptedAttempts(t *testing.T) {
	const hurry = 1000
	alone := &script{answer: broken}
	r := newRig(t, func(c *Config) {
		tr := c.Transports["https"]
		tr.Alone = alone
		c.Transports["https"] = tr
		c.ownWait = func(d time.Duration) time.Duration {
			if d == 6*time.Hour {
				return d
			}
			return d / hurry
		}
	})
	r.net.answers(broken)
	r.tenant("acc", "dnsimple")
	ep := r.endpoint("acc", EndpointInput{})
	began := time.Now()
	p := r.publish("acc", PublishInput{Type: "domain.create"})
	id := p.Matched[0].DeliveryID
	r.advance(0)
	requests := func() int { return len(r.net.requests()) + len(alone.requests()) }
	if n := requests(); n < 4 {
		t.Fatalf("%d requests when an advance has waited for the short waits, want 4", n)
	}
	r.until("it is held", func() bool { return requests() == 10 && r.delivery("acc", id).Reason != nil })
	if took, least := time.Since(began), (36*time.Second+6*5*time.Minute)/hurry; took < least {
		t.Errorf("it took %s, want at least %s", took, least)
	}
	if d := r.delivery("acc", id); d.Status != "pending" || d.AttemptsMade != 0 || *d.Reason != "plugin_fault" || int64(*d.NextAttemptAt) != rigStart.UnixMilli()+heldWait {
		t.Fatalf("held: %+v, want it due in 6 h", d)
	}
	r.advance(24 * time.Hour)
	if n := requests(); n != 10 {
		t.Fatalf("%d requests after an advance, want 10: it does not hurry waits of our own", n)
	}
	if n := len(r.net.requests()); n != 3 {
		t.Fatalf("%d requests among the others, want 3", n)
	}
	if got := must(r.Endpoint(t.Context(), "acc", ep.ID))(t); got.ConsecutiveFailures != 0 || got.Status != "enabled" {
		t.Fatalf("the endpoint is blamed: %+v", got)
	}
	r.checkFold()
	r.stop()
	r.net.answers(nil)
	r.start()
	must(r.ReleaseDelivery(t.Context(), Actor{}, "acc", id))(t)
	r.advance(0)
	d := r.wantEnd("acc", p, "succeeded", "", 1)
	if d.Attempts[0].Number != 1 {
		t.Fatalf("attempt %+v, want number 1", d.Attempts[0])
	}
	_, err := r.ReleaseDelivery(t.Context(), Actor{}, "acc", id)
	wantCode(t, err, CodeConflict)
	r.checkFold()
}

// What a broken build of a plugin left held, however much, is released when another build starts.
func TestAnotherBuildReleasesAll(t *testing.T) {
	const events = eventlog.MaxBatchRecords + 1000
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{Concurrency: Some(MaxConcurrency)})
	r.sequencer.enqueue(drainCommand{make(chan time.Duration, 1)}) // nothing is started
	in := make([]PublishInput, MaxBatchEvents)
	for i := range in {
		in[i] = PublishInput{Type: "domain.registered", Data: []byte(`{"a":1}`)}
	}
	for n := 0; n < events; n += len(in) {
		must(r.Publish(t.Context(), "acc", in))(t)
	}
	var refs []record.Ref
	ep := eventlog.Seq(0)
	hold := func(s *sequencer) error {
		for _, ref := range refs[:min(len(refs), 1000)] {
			s.appendFacts(record.TypeAttemptInterrupted, "acc", &record.AttemptInterrupted{Delivery: ref, Endpoint: ep, Number: 1,
				Interruptions: heldAfter, Due: s.now + heldWait, Held: true, FirstStarted: s.now})
		}
		refs = refs[min(len(refs), 1000):]
		return nil
	}
	if err := r.do(t.Context(), func(s *sequencer) error {
		s.st.Pending.All(func(_ uint32, d *state.Delivery) bool {
			refs, ep = append(refs, d.Ref()), s.st.EndpointOf(d).Seq
			return true
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	n := len(refs)
	for len(refs) > 0 {
		if err := r.do(t.Context(), hold); err != nil {
			t.Fatal(err)
		}
	}
	r.stop()
	r.start() // the same build: they stay held
	r.advance(time.Hour)
	r.requested(0)
	r.stop()
	r.cfg = func(c *Config) { c.Transports["https"] = Transport{Submitter: r.net, Checksum: 7} }
	r.start()
	r.advance(0)
	r.until("all are released and delivered", func() bool { return r.Metrics().Deliveries["succeeded"] == int64(n) })
	r.requested(n)
	r.checkFold()
}
