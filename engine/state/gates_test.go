package state

import (
	"testing"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

func gatedWorld(t *testing.T) (w *world, e *Endpoint, d *Delivery) {
	w = newWorld(t)
	w.tenant("a", w.profile("p", time.Minute, time.Minute))
	seq := w.endpoint("a", nil)
	w.publish("a", seq)
	h, _ := w.s.Pending.Find(w.refs[0])
	return w, w.s.endpoints[seq], w.s.Pending.At(h)
}

// R-1, D-16: the gates are independent: either one blocks, each opens by itself, and the status tells the person's
// first. Enabling opens both.
func TestGates(t *testing.T) {
	w, e, _ := gatedWorld(t)
	change := &record.EndpointChange{Endpoint: e.Seq, Reason: record.ReasonByUser}
	for i, step := range []struct {
		typ     eventlog.Type
		status  string
		reason  record.Reason
		blocked bool
	}{
		{record.TypeEndpointSuppressed, "suppressed", record.ReasonSuppressed, true},
		{record.TypeEndpointDisabled, "disabled", record.ReasonDisabled, true},
		{record.TypeEndpointSuppressionCleared, "disabled", record.ReasonDisabled, true},
		{record.TypeEndpointSuppressed, "disabled", record.ReasonDisabled, true},
		{record.TypeEndpointEnabled, "enabled", record.ReasonNone, false},
		{record.TypeEndpointSuppressed, "suppressed", record.ReasonSuppressed, true},
		{record.TypeEndpointSuppressionCleared, "enabled", record.ReasonNone, false},
	} {
		at := w.now
		w.add(step.typ, "a", change)
		if reason, blocked := e.Blocked(); e.Status() != step.status || reason != step.reason || blocked != step.blocked {
			t.Errorf("step %d: %s, %s, blocked %v, want %+v", i, e.Status(), reason, blocked, step)
		}
		if step.typ == record.TypeEndpointSuppressed && e.SuppressedAt != at {
			t.Errorf("step %d: suppressed at %d, want the record's time %d", i, e.SuppressedAt, at)
		}
		if step.typ == record.TypeEndpointDisabled && (e.DisabledAt != at || e.DisabledReason != record.ReasonByUser) {
			t.Errorf("step %d: disabled at %d, reason %s", i, e.DisabledAt, e.DisabledReason)
		}
	}
}

// D-12, R-4: a closed gate moves no timer. Opened before the next attempt is due, the delivery goes on with its number
// and time unchanged.
func TestGatesMoveNoTimer(t *testing.T) {
	w, e, d := gatedWorld(t)
	w.finish(d.Ref(), e.Seq, 1, 2, record.Pending)
	before := *d
	for _, typ := range []eventlog.Type{record.TypeEndpointDisabled, record.TypeEndpointSuppressed, record.TypeEndpointEnabled} {
		w.add(typ, "a", &record.EndpointChange{Endpoint: e.Seq})
		if *d != before {
			t.Errorf("after %s the delivery is %+v, was %+v", record.Name(typ), *d, before)
		}
	}
}

// D-13, R-3, R-4: failures count in the order of the log over all deliveries; a 200 begins anew, one that comes late to
// a closed gate too, and lifts nothing; enable and clear begin anew; tests and interruptions are neutral (R-5, promise 9).
func TestConsecutiveFailures(t *testing.T) {
	w, e, _ := gatedWorld(t)
	w.publish("a", e.Seq)
	first, second := w.refs[0], w.refs[1]
	change := &record.EndpointChange{Endpoint: e.Seq}
	for i, step := range []struct {
		do   func()
		want uint32
	}{
		{func() { w.finish(first, e.Seq, 1, 2, record.Pending) }, 1},
		{func() { w.finish(second, e.Seq, 1, 4, record.Pending) }, 2},
		{func() {
			w.add(record.TypeEndpointTested, "a", &record.AttemptFinished{Endpoint: e.Seq, Number: 1, Trigger: record.TriggerTest, Outcome: 2}, "p", "b")
		}, 2},
		{func() {
			w.add(record.TypeAttemptInterrupted, "a", &record.AttemptInterrupted{Delivery: first, Endpoint: e.Seq, Number: 2, Interruptions: 1, Due: w.now})
		}, 2},
		{func() { w.add(record.TypeEndpointSuppressed, "a", change) }, 2},
		{func() { w.finish(first, e.Seq, 2, 2, record.Pending) }, 3},
		{func() { w.finish(first, e.Seq, 3, outcomeAcknowledged, record.Succeeded) }, 0},
		{func() { w.finish(second, e.Seq, 2, 2, record.Pending) }, 1},
		{func() { w.add(record.TypeEndpointSuppressionCleared, "a", change) }, 0},
		{func() { w.finish(second, e.Seq, 3, 2, record.Exhausted) }, 1},
		{func() { w.finish(second, e.Seq, 3, 2, record.Canceled) }, 2}, // in flight when its delivery ended
		{func() { w.add(record.TypeEndpointEnabled, "a", change) }, 0},
	} {
		step.do()
		if e.Failures != step.want {
			t.Errorf("step %d: %d failures in a row, want %d", i, e.Failures, step.want)
		}
		if i == 6 && e.SuppressedAt == 0 {
			t.Error("a late 200 lifted the gate")
		}
	}
	if w.s.Pending.Len() != 0 || e.Pending != 0 {
		t.Errorf("%d pending, the endpoint counts %d", w.s.Pending.Len(), e.Pending)
	}
}

// An interruption is no attempt: number and schedule stay, the wait is its own; a counted attempt or a release begins
// the count of interruptions anew. The first attempt's start is kept for the time limit, whoever broke it off.
func TestInterruptions(t *testing.T) {
	w, e, d := gatedWorld(t)
	r := d.Ref()
	interrupt := func(n uint8, held bool) {
		w.add(record.TypeAttemptInterrupted, "a", &record.AttemptInterrupted{Delivery: r, Endpoint: e.Seq, Number: 1, Interruptions: n, Due: 5000 + int64(n),
			Held: held, FirstStarted: 4242, Plugin: 7})
	}
	interrupt(1, false)
	if d.Made != 0 || d.Interruptions != 1 || d.Due != 5001 || d.First != 4242 || d.Held() {
		t.Errorf("after an interruption: %+v", *d)
	}
	interrupt(10, true)
	if d.Made != 0 || !d.Held() || d.Due != 5010 || d.Plugin != 7 || d.First != 4242 {
		t.Errorf("after the tenth: %+v", *d)
	}
	at := w.now
	w.add(record.TypeDeliveryReleased, "a", &record.DeliveryReleased{Delivery: r, Endpoint: e.Seq})
	if d.Held() || d.Interruptions != 0 || d.Due != at {
		t.Errorf("released at %d: %+v", at, *d)
	}
	interrupt(10, true)
	w.finish(r, e.Seq, 1, 2, record.Pending)
	if d.Held() || d.Interruptions != 0 || d.Made != 1 || d.First != 4242 {
		t.Errorf("after a counted attempt: %+v", *d)
	}
}
