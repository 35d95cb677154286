package blackbox

import (
	"testing"
	"time"
)

// saying answers with a status and one header.
func saying(status int, name, value string) script {
	return func(request) answer { return answer{status: status, header: map[string]string{name: value}} }
}

// RFC 9110, 10.2.3: a receiver's Retry-After, seconds or a date, puts the next attempt off where the profile says so
// (standard), shows in next_attempt_at, and never brings it forward; both seeds keep to their schedules.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n, k := r.tenant(t, "acme", "standard"), r.rcv.sink("r", saying(503, "Retry-After", "600"))
	seed, ks := r.tenant(t, "seed", "osir"), r.rcv.sink("seed", saying(503, "Retry-After", "600"))
	n.endpoint(t, k, nil)
	seed.endpoint(t, ks, nil)
	id := n.publish(t, sample("a.b", 1)).only(t)
	of := seed.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	wait := func(n *tenant, id string) time.Duration {
		d := n.delivery(t, id)
		return d.NextAttemptAt.Sub(d.Attempts[len(d.Attempts)-1].FinishedAt)
	}
	equal(t, "asked for 600 s", wait(n, id), 600*time.Second)
	equal(t, "a seed", wait(seed, of), 5*time.Minute)
	k.answers(saying(429, "Retry-After", "1"))
	r.nextAttempt(t, n, id, k)
	if got := wait(n, id); got < 5*time.Minute {
		t.Errorf("asked for 1 s, the schedule says 5 m: %v", got)
	}
	at := n.delivery(t, id).NextAttemptAt.Add(3 * time.Hour).UTC().Truncate(time.Second)
	k.answers(saying(503, "Retry-After", at.Format("Mon, 02 Jan 2006 15:04:05 GMT")))
	r.nextAttempt(t, n, id, k)
	equal(t, "by date", n.delivery(t, id).NextAttemptAt.UTC(), at)
	k.answers(saying(503, "Retry-After", "99999999"))
	r.nextAttempt(t, n, id, k)
	equal(t, "the cap", wait(n, id), 24*time.Hour)
}

// 410 disables an endpoint where the profile says so (standard), by the reason gone; a seed tries again.
func TestGone(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n, k := r.tenant(t, "acme", "standard"), r.rcv.sink("r", always(410))
	seed, ks := r.tenant(t, "seed", "osir"), r.rcv.sink("seed", always(410))
	ep, other := n.endpoint(t, k, nil), seed.endpoint(t, ks, nil)
	id := n.publish(t, sample("a.b", 1)).only(t)
	of := seed.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	got := n.getEndpoint(t, ep.ID)
	equal(t, "endpoint", row(got.Status, got.DisabledReason), row("disabled", "gone"))
	equal(t, "outcome", n.delivery(t, id).Attempts[0].Outcome, "gone")
	equal(t, "a seed's endpoint", seed.getEndpoint(t, other.ID).Status, "enabled")
	equal(t, "a seed's outcome", seed.delivery(t, of).Attempts[0].Outcome, "rejected")
	r.advance(t, time.Hour)
	n.hasStatus(t, id, "skipped", "disabled", 1)
	k.exactly(t, 1)
}
