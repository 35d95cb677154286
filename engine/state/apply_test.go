package state

import (
	"testing"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// What a subscription's filter failed on is counted from the log, until the subscription changes; the digest has it, a
// snapshot brings it back.
func TestFailuresOfSubscription(t *testing.T) {
	w := newWorld(t)
	w.profile("p")
	w.tenant("a", 1)
	e := w.endpoint("a", nil)
	sub := w.add(record.TypeSubscriptionCreated, "a", &record.Subscription{Endpoint: e, EventTypes: []string{"a"}}, "f")
	fresh := w.s.Digest()
	fail := func() eventlog.Seq {
		return w.add(record.TypeEventPublished, "a", &record.EventPublished{ID: "evt", Type: "a", Profile: 1, Failed: []eventlog.Seq{sub, 99}})
	}
	fail()
	last := fail()
	p, _ := w.s.Subscription("a", sub)
	if p.Failures != 2 || p.LastFailure != last || p.Version != sub || w.s.Digest() == fresh {
		t.Fatalf("%+v", p)
	}
	if p, _ := restored(t, snapshotOf(t, w.s)).Subscription("a", sub); p.Failures != 2 || p.LastFailure != last {
		t.Errorf("restored %+v", p)
	}
	version := w.add(record.TypeSubscriptionUpdated, "a", &record.Subscription{Subscription: sub, Endpoint: e, EventTypes: []string{"b"}, Shadow: true}, "g")
	if p.Failures != 0 || p.LastFailure != 0 || p.Version != version || !p.Shadow {
		t.Errorf("changed %+v", p)
	}
	if p, _ := restored(t, snapshotOf(t, w.s)).Subscription("a", sub); p.Version != version || !p.Shadow {
		t.Errorf("restored %+v", p)
	}
}
