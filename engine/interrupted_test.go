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
// held after the tenth, then every 6 h, and at once on :release.
func TestInterruptedAttempts(t *testing.T) {
	alone := &script{answer: broken}
	r := newRig(t, func(c *Config) {
		tr := c.Transports["https"]
		tr.Alone = alone
		c.Transports["https"] = tr
	})
	r.net.answers(broken)
	r.tenant("acc", "dnsimple")
	ep := r.endpoint("acc", EndpointInput{})
	p := r.publish("acc", PublishInput{Type: "domain.create"})
	id := p.Matched[0].DeliveryID
	r.advance(0)
	requests := func() int { return len(r.net.requests()) + len(alone.requests()) }
	waits := []time.Duration{time.Second, 5 * time.Second, 30 * time.Second}
	for len(waits) < 9 {
		waits = append(waits, 5*time.Minute)
	}
	waits = append(waits, 6*time.Hour, 6*time.Hour)
	for i, wait := range waits {
		d := r.delivery("acc", id)
		if held := d.Reason != nil && *d.Reason == "plugin_fault"; d.Status != "pending" || d.AttemptsMade != 0 || held != (i >= 9) {
			t.Fatalf("after interruption %d: %+v", i+1, d)
		}
		r.advance(wait - time.Millisecond)
		if n := requests(); n != i+1 {
			t.Fatalf("%d requests %s after interruption %d, want %d", n, wait-time.Millisecond, i+1, i+1)
		}
		r.advance(time.Millisecond)
		if n := requests(); n != i+2 {
			t.Fatalf("%d requests %s after interruption %d, want %d", n, wait, i+1, i+2)
		}
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
