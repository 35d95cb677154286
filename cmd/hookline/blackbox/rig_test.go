package blackbox

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// rig is the usual set-up: one server, one receiver.
type rig struct {
	*server
	rcv *receiver
	now time.Time // of the manual clock, as last told
}

// manualRig runs under the manual clock.
func manualRig(t testing.TB) *rig {
	t.Helper()
	return &rig{rcv: newReceiver(t), server: startServer(t, serveOptions{manual: true})}
}

// realRig runs under the real clock.
func realRig(t testing.TB) *rig {
	t.Helper()
	return &rig{rcv: newReceiver(t), server: startServer(t, serveOptions{})}
}

// advance moves the manual clock; everything due up to then has been attempted and is durable when it returns.
func (r *rig) advance(t testing.TB, by time.Duration) time.Time {
	t.Helper()
	var got struct{ Now time.Time }
	r.api.post(t, http.StatusOK, "/v1/dev/clock:advance", fields{"by": by.String()}, &got)
	if !r.now.IsZero() && got.Now.Sub(r.now) < by {
		t.Fatalf("advance by %v: from %v to %v", by, r.now, got.Now)
	}
	r.now = got.Now
	return got.Now
}

// settle lets everything that is due at this moment happen.
func (r *rig) settle(t testing.TB) { t.Helper(); r.advance(t, time.Millisecond) }

// advanceTo moves the manual clock to a point in time, if that lies ahead.
func (r *rig) advanceTo(t testing.TB, at time.Time) {
	t.Helper()
	if r.now.IsZero() {
		r.settle(t)
	}
	if by := at.Sub(r.now); by > 0 {
		r.advance(t, by)
	}
}

// restarted tells the rig that the clock may stand elsewhere now.
func (r *rig) restarted() { r.now = time.Time{} }

// nextAttempt walks the only busy delivery of a sink to its next attempt: nothing until 1 ms before it is due (never
// early), exactly one when the clock reaches it.
func (r *rig) nextAttempt(t testing.TB, n *tenant, deliveryID string, k *sink) delivery {
	t.Helper()
	d := n.delivery(t, deliveryID)
	if d.Status != "pending" || d.NextAttemptAt == nil {
		t.Fatalf("delivery %s: %s (%s) due %v after %d attempts, want it pending", d.ID, d.Status, d.Reason, d.NextAttemptAt, d.AttemptsMade)
	}
	had := k.count()
	r.advanceTo(t, d.NextAttemptAt.Add(-time.Millisecond))
	k.exactly(t, had)
	r.advanceTo(t, *d.NextAttemptAt)
	k.exactly(t, had+1)
	after := n.delivery(t, deliveryID)
	equal(t, "attempts_made", after.AttemptsMade, d.AttemptsMade+1)
	return after
}

// osirGaps are the waits of O-14, from the end of one attempt to the start of the next.
var osirGaps = []time.Duration{5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 24 * time.Hour}

// checkGaps demands attempts numbered from 1, each starting not before its wait is over and at most 2 s after.
func checkGaps(t testing.TB, list []attempt, want []time.Duration) {
	t.Helper()
	equal(t, "number of attempts", len(list), len(want)+1)
	for i, a := range list {
		equal(t, fmt.Sprintf("number of attempt %d", i+1), a.Number, i+1)
		if a.FinishedAt.Before(a.StartedAt) {
			t.Fatalf("attempt %d finished at %v, before it started at %v", i+1, a.FinishedAt, a.StartedAt)
		}
		if i == 0 {
			continue
		}
		if gap := a.StartedAt.Sub(list[i-1].FinishedAt); gap < want[i-1] || gap > want[i-1]+2*time.Second {
			t.Fatalf("gap before attempt %d: got %v, want %v to 2 s more", i+1, gap, want[i-1])
		}
	}
}

// exhaustOSIR publishes one event, fails it five times by the schedule and returns the exhausted delivery.
func (r *rig) exhaustOSIR(t testing.TB, n *tenant, k *sink) delivery {
	t.Helper()
	had := k.count()
	k.answers(always(http.StatusInternalServerError))
	id := n.publish(t, event{typ: "domain.registered", data: `{"domain":"own.example"}`}).only(t)
	r.settle(t)
	for range 4 {
		r.nextAttempt(t, n, id, k)
	}
	k.exactly(t, had+5)
	return n.hasStatus(t, id, "exhausted", "schedule_used_up", 5)
}
