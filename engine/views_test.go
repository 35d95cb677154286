package engine

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/hookline/hookline/eventlog/projection"
)

// historyStands is an engine whose history applies nothing.
func historyStands(c *Config) {
	c.Follower, _ = projection.NewFollower(projection.FollowerOptions{Log: c.Log, Store: c.Store, View: c.History,
		Paused: func() bool { return true }, PauseCheck: time.Millisecond})
}

// The idempotency keys do not wait for history: with a history that applies nothing at all a start is ready, knows the
// keys that were used before, and memory lets go of those that their view has.
func TestHistoryBehind(t *testing.T) {
	r := newRig(t, historyStands)
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{})
	first := r.publish("acc", PublishInput{Type: "domain.registered", IdempotencyKey: "k", Data: json.RawMessage(`{}`)})
	for range 2 {
		r.stop()
		r.start()
		if !r.Ready() {
			t.Fatal("not ready")
		}
		again := r.publish("acc", PublishInput{Type: "domain.registered", IdempotencyKey: "k", Data: json.RawMessage(`{}`)})
		if !again.Duplicate || again.UID != first.UID {
			t.Errorf("the same key again: %+v, want a duplicate of %s", again, first.UID)
		}
		r.publish("acc", PublishInput{Type: "domain.registered"})
		head := r.durable.Load().seq
		if err := r.Engine.cfg.KeysFollower.WaitFor(t.Context(), head); err != nil {
			t.Fatal(err)
		}
		evict := func(s *sequencer) error { evictCommand{}.run(s); return nil }
		for range 2 { // it stays one step behind the view
			if err := r.do(t.Context(), evict); err != nil {
				t.Fatal(err)
			}
		}
		if n := r.sequencer.dedupe.size.Load(); n != 0 {
			t.Errorf("memory holds %d keys that the view has", n)
		}
		views := must(r.LogStatus(t.Context()))(t).Views
		if views["history"] != 0 || views["idempotency"] < uint64(head) {
			t.Errorf("views at %v, want history at 0 and idempotency at %d or more", views, head)
		}
	}
	r.checkFold()
}
