package engine

import (
	"strings"
	"testing"
)

// An attempt whose tenant's keys are destroyed while it is under way is recorded with its facts, and not made again: the
// receiver has it. What was sealed reads as erased. So it is with a test.
func TestKeysDestroyedDuringAttempt(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	ep := r.endpoint("acc", EndpointInput{})
	release := r.held()
	p := r.publish("acc", PublishInput{Type: "domain.registered"})
	r.requested(1)
	tested := make(chan Attempt, 1)
	go func() {
		a, err := r.TestEndpoint(t.Context(), Actor{}, "acc", ep.ID, TestInput{EventType: "domain.registered"})
		if err != nil {
			t.Error(err)
		}
		tested <- a
	}()
	r.requested(2)
	if err := r.keyring.Erase("acc"); err != nil {
		t.Fatal(err)
	}
	release(200)
	a := <-tested
	r.advance(0)
	d := r.wantEnd("acc", p, "succeeded", "", 1)
	for _, a := range []Attempt{a, d.Attempts[0]} {
		if a.Outcome != "acknowledged" || a.Number != 1 || a.Error == nil || !strings.HasPrefix(*a.Error, "erased") || a.Response != nil || a.Request.URL != "" {
			t.Errorf("attempt %+v, want its facts and nothing that was sealed", a)
		}
	}
	r.requested(2)
	if n := r.Metrics().Interrupted; n != 0 {
		t.Errorf("%d interruptions", n)
	}
	r.checkFold()
	r.stop()
	r.removeDerived()
	r.start()
	r.advance(0)
	r.requested(2)
	r.wantEnd("acc", p, "succeeded", "", 1)
}
