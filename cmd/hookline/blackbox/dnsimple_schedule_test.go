package blackbox

import (
	"testing"
	"time"
)

// P12, D-11, D-6: ten attempts within two hours, growing, then exhausted, and the endpoint is not suppressed by ten.
func TestP12Exponential(t *testing.T) {
	t.Parallel()
	r, n, k, ep := dnsimpleRig(t, always(500))
	id := n.publish(t, zoneEvent("zone.create", 1)).only(t)
	r.settle(t)
	equal(t, "max_attempts", n.delivery(t, id).MaxAttempts, 10)
	for range 9 {
		r.nextAttempt(t, n, id, k)
	}
	n.hasStatus(t, id, "exhausted", "schedule_used_up", 10)
	log := n.attempts(t, "delivery_id", id)
	equal(t, "attempts", len(log), 10)
	var before time.Duration
	for i := 1; i < len(log); i++ {
		gap, base := log[i].StartedAt.Sub(log[i-1].FinishedAt), 12*time.Second<<(i-1)
		if gap < base || gap > base+base/10+2*time.Second {
			t.Errorf("wait %d: got %v, want %v to 10 %% more", i, gap, base)
		}
		if float64(gap) < 1.3*float64(before) {
			t.Errorf("wait %d: %v after %v, want at least 1.3 times as long", i, gap, before)
		}
		before = gap
	}
	if whole := log[9].StartedAt.Sub(log[0].StartedAt); whole > 2*time.Hour {
		t.Errorf("the last attempt starts %v after the first, want at most 2 h", whole)
	}
	r.advance(t, 24*time.Hour)
	sameBytes(t, k.exactly(t, 10), "")
	e := n.getEndpoint(t, ep.ID)
	equal(t, "endpoint", row(e.Status, e.ConsecutiveFailures), row("enabled", 10))
}

// suppress lets two events 5 s apart fail until the endpoint is suppressed (P13) and returns their deliveries.
func (r *rig) suppress(t testing.TB, n *tenant, k *sink, ep endpoint) []string {
	t.Helper()
	k.answers(always(500))
	ids := []string{n.publish(t, zoneEvent("zone.create", 1)).only(t)}
	r.advance(t, 5*time.Second)
	ids = append(ids, n.publish(t, zoneEvent("zone.create", 2)).only(t))
	for n.getEndpoint(t, ep.ID).Status == "enabled" {
		made, next := 0, time.Time{}
		for _, id := range ids {
			d := n.delivery(t, id)
			made += d.AttemptsMade
			if d.NextAttemptAt != nil && (next.IsZero() || d.NextAttemptAt.Before(next)) {
				next = *d.NextAttemptAt
			}
		}
		if made > 15 || next.IsZero() {
			t.Fatalf("%d failures in a row and the endpoint is still enabled (next attempt %v)", made, next)
		}
		r.settle(t)
		r.advanceTo(t, next)
	}
	return ids
}

// P13, D-13, D-16, R-1: suppressed at the 15th failure in a row, over all deliveries; what falls due later is skipped.
func TestP13Suppressed(t *testing.T) {
	t.Parallel()
	r, n, k, ep := dnsimpleRig(t, always(500))
	ids := r.suppress(t, n, k, ep)
	k.exactly(t, 15)
	log := n.attempts(t, "endpoint_id", ep.ID)
	equal(t, "attempts", len(log), 15)
	e := n.getEndpoint(t, ep.ID)
	equal(t, "status", e.Status, "suppressed")
	if e.SuppressedAt == nil || e.DisabledAt != nil || e.SuppressedAt.Sub(log[14].FinishedAt).Abs() > 2*time.Second {
		t.Fatalf("suppressed_at %v, disabled_at %v, the 15th failure at %v", e.SuppressedAt, e.DisabledAt, log[14].FinishedAt)
	}
	r.advance(t, 24*time.Hour)
	k.exactly(t, 15)
	made := 0
	for _, id := range ids {
		d := n.delivery(t, id)
		equal(t, "delivery", row(d.Status, d.Reason), row("skipped", "suppressed"))
		made += d.AttemptsMade
	}
	equal(t, "attempts over both", made, 15)
}

// P14, D-13: one 200 starts the count anew.
func TestP14Reset(t *testing.T) {
	t.Parallel()
	r, n, k, ep := dnsimpleRig(t, nil)
	// Requests 1 to 14 fail, 15 is taken, all later ones fail.
	k.answers(func(req request) answer {
		if req.n == 15 {
			return answer{status: 200}
		}
		return answer{status: 500}
	})
	failures := func() int { return n.getEndpoint(t, ep.ID).ConsecutiveFailures }
	walk := func(want int) {
		t.Helper()
		id := n.publish(t, zoneEvent("zone.create", 1)).only(t)
		r.settle(t)
		for range want - 1 {
			r.nextAttempt(t, n, id, k)
		}
	}
	walk(10)
	walk(4)
	equal(t, "failures in a row", failures(), 14)
	ids := n.deliveries(t, "status", "pending")
	equal(t, "pending", len(ids), 1)
	r.nextAttempt(t, n, ids[0].ID, k)
	equal(t, "failures after a 200", failures(), 0)
	walk(10)
	walk(4)
	e := n.getEndpoint(t, ep.ID)
	equal(t, "endpoint after 14 more", row(e.Status, e.ConsecutiveFailures), row("enabled", 14))
	ids = n.deliveries(t, "status", "pending")
	r.nextAttempt(t, n, ids[0].ID, k)
	equal(t, "endpoint after one more", n.getEndpoint(t, ep.ID).Status, "suppressed")
	r.advance(t, 3*time.Hour)
	k.exactly(t, 30)
}

// P15, R-2, R-4: what was published while suppressed is not sent by clearing; what is new is sent at once.
func TestP15ClearSuppression(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"clear-suppression", "enable"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			r, n, k, ep := dnsimpleRig(t, always(500))
			pending := r.suppress(t, n, k, ep)
			k.answers(always(200))
			var blocked []string
			for i := range 3 {
				blocked = append(blocked, n.publish(t, zoneEvent("zone.delete", 10+i)).only(t))
			}
			r.settle(t)
			k.exactly(t, 15)
			e := n.act(t, ep.ID, verb)
			equal(t, "endpoint", row(e.Status, e.SuppressedAt == nil, e.ConsecutiveFailures), row("enabled", true, 0))
			r.settle(t)
			k.exactly(t, 15)
			for _, id := range blocked {
				n.hasStatus(t, id, "skipped", "suppressed", 0)
			}
			fresh := n.publish(t, zoneEvent("zone.create", 20))
			r.settle(t)
			got := k.exactly(t, 16)
			equal(t, "the new event", checkDNSimple(t, got[15]).RequestID, fresh.ID)
			going := 0
			for _, id := range pending {
				if n.delivery(t, id).Status == "pending" {
					going++
				}
			}
			r.advance(t, 3*time.Hour)
			k.exactly(t, 16+going) // those still pending go on
			for _, id := range blocked {
				n.hasStatus(t, id, "skipped", "suppressed", 0)
			}
		})
	}
}
