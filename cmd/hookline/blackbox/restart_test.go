package blackbox

import (
	"net/http"
	"syscall"
	"testing"
	"time"
)

// Promise 2, O-14: stopped between all attempts, now cleanly, now by kill -9: due times and numbers stay as they were, and
// the schedule ends where it would have.
func TestRestartKeepsSchedule(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(500), nil)
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	for made := 1; made < 5; made++ {
		before := n.hasStatus(t, id, "pending", "", made)
		if made%2 == 1 {
			r.stop(t)
		} else {
			r.kill9(t)
		}
		r.start(t)
		r.restarted()
		after := n.hasStatus(t, id, "pending", "", made)
		equal(t, "next_attempt_at after the restart", *after.NextAttemptAt, *before.NextAttemptAt)
		equal(t, "failures in a row", n.getEndpoint(t, ep.ID).ConsecutiveFailures, made)
		r.nextAttempt(t, n, id, k)
	}
	n.hasStatus(t, id, "exhausted", "schedule_used_up", 5)
	equal(t, "status", n.getEndpoint(t, ep.ID).Status, "disabled")
	checkGaps(t, n.attempts(t, "delivery_id", id), osirGaps)
	sameBytes(t, k.exactly(t, 5), osirSignature)
	r.kill9(t)
	r.start(t)
	r.restarted()
	e := n.getEndpoint(t, ep.ID)
	equal(t, "after the last restart", row(e.Status, e.DisabledReason != ""), row("disabled", true))
	r.advance(t, 48*time.Hour)
	k.exactly(t, 5)
}

// R-9, D-11: due within the two hours, missed because the engine was down: made at the restart; nothing later is.
func TestR9OverdueAtRestart(t *testing.T) {
	t.Parallel()
	r, n, k, _ := dnsimpleRig(t, always(500))
	id := n.publish(t, zoneEvent("zone.create", 1)).only(t)
	r.settle(t)
	for range 4 {
		r.nextAttempt(t, n, id, k)
	}
	first := n.attempts(t, "delivery_id", id)[0]
	r.kill9(t)
	r.start(t, "HOOKLINE_CLOCK_START="+first.StartedAt.Add(3*time.Hour).Format(time.RFC3339Nano))
	r.restarted()
	k.await(t, 6, soon) // what is due at now runs without an advance
	r.settle(t)
	d := n.hasStatus(t, id, "exhausted", "time_limit", 6)
	r.advance(t, 24*time.Hour)
	k.exactly(t, 6)
	last := n.attempts(t, "delivery_id", d.ID)[5]
	if gone := last.StartedAt.Sub(first.StartedAt); gone < 3*time.Hour {
		t.Errorf("the overdue attempt is logged %v after the first, want 3 h or more", gone)
	}
}

// R-9 by the real clock: the first overdue attempt starts within 5 s of the start, and no attempt is lost or early.
func TestR9RealClock(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*server, testing.TB){"SIGTERM": (*server).stop, "SIGKILL": (*server).kill9} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := realRig(t)
			n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", inOrder(500, 500, 200))
			n.endpoint(t, k, fields{"schedule": []string{"2s", "1s"}})
			id := n.publish(t, sample("domain.registered", 1)).only(t)
			due := *n.awaitStatus(t, id, "pending", "", 1, soon).NextAttemptAt
			end(r.server, t)
			poll(t, soon, func() string { // down until the attempt is overdue
				if left := time.Until(due); left > 0 {
					return row("due in", left)
				}
				return ""
			})
			k.exactly(t, 1)
			began := time.Now()
			r.start(t)
			k.await(t, 2, 5*time.Second-time.Since(began))
			n.awaitStatus(t, id, "succeeded", "", 3, soon)
			k.only(t, 3, soon)
			log := n.attempts(t, "delivery_id", id)
			if early := due.Sub(log[1].StartedAt); early > 0 {
				t.Errorf("attempt 2 started %v before it was due", early)
			}
			if gap := log[2].StartedAt.Sub(log[1].FinishedAt); gap < time.Second || gap > 3*time.Second {
				t.Errorf("attempt 3 started %v after attempt 2, want 1 s", gap)
			}
		})
	}
}

// Promise 4a and 9: killed while an attempt is in flight: the same attempt number is made again, with the same bytes, and
// the interrupted one is not counted.
func TestKilledInFlight(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	never := make(chan struct{})
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", held(never))
	n.endpoint(t, k, nil)
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	k.await(t, 1, soon)
	plugins := r.children()
	r.kill9(t)
	r.noOrphans(t, plugins)
	k.answers(always(200))
	r.start(t)
	n.awaitStatus(t, id, "succeeded", "", 1, 2*soon)
	sameBytes(t, k.only(t, 2, soon), osirSignature)
	log := n.attempts(t, "delivery_id", id)
	equal(t, "attempts", len(log), 1)
	equal(t, "number", log[0].Number, 1)
}

// Promise 4: a clean stop waits for what is in flight, records it, exits 0 and sends nothing twice.
func TestSIGTERMDrains(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	release := make(chan struct{})
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", held(release))
	n.endpoint(t, k, nil)
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	k.await(t, 1, soon)
	plugins := r.children()
	time.AfterFunc(time.Second, func() { close(release) })
	began := time.Now()
	r.stop(t)
	if took := time.Since(began); took < 900*time.Millisecond {
		t.Errorf("the stop took %v: it did not wait for the attempt in flight", took)
	}
	r.noOrphans(t, plugins)
	r.start(t)
	n.awaitStatus(t, id, "succeeded", "", 1, soon)
	k.only(t, 1, soon)
}

// A second SIGTERM ends the drain at once: what was in flight is not counted, and made again (promise 4a).
func TestSecondSIGTERM(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	never := make(chan struct{})
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", held(never))
	n.endpoint(t, k, nil) // 30 s
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	k.await(t, 1, soon)
	r.signal(t, syscall.SIGTERM)
	time.Sleep(500 * time.Millisecond) // as a person would; what comes within 200 ms is the same stop
	began := time.Now()
	r.stop(t)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the second signal took %v", took)
	}
	k.answers(always(200))
	r.start(t)
	n.awaitStatus(t, id, "succeeded", "", 1, soon)
	equal(t, "number", n.attempts(t, "delivery_id", id)[0].Number, 1)
}

// Promise 3: everything survives a restart: tenants, endpoints with their secrets, subscriptions, events, deliveries.
func TestRestartKeepsEverything(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(200), fields{
		"secret": "whsec_test_secret", "event_types": []string{"domain.*"}, "filter": `data.n > 1`,
		"description": "kept", "concurrency": 3, "timeout": "7s", "schedule": []string{"1s", "90s"},
	})
	for i := range 5 {
		n.publish(t, sample("domain.registered", i))
	}
	r.settle(t)
	k.exactly(t, 3)
	look := func() string {
		var text string
		for _, path := range []string{"/v1/tenants", n.path("/endpoints"), n.path("/endpoints/", ep.ID, "/secret"), n.path("/subscriptions"), n.path("/events"), n.path("/deliveries"), n.path("/attempts")} {
			text += string(r.api.get(t, path, nil).body) + "\n"
		}
		return text
	}
	before := look()
	r.kill9(t)
	r.start(t)
	equal(t, "everything, after kill -9", look(), before)
	r.stop(t)
	r.start(t)
	equal(t, "everything, after SIGTERM", look(), before)
	r.restarted()
	equal(t, "routing goes on", len(n.publish(t, sample("domain.renewed", 9)).Matched), 1)
	equal(t, "the filter too", len(n.publish(t, sample("domain.renewed", 0)).Matched), 0)
	r.settle(t)
	checkOSIR(t, k.exactly(t, 4)[3], "whsec_test_secret")
}

// API.md: a data directory made under the manual clock opens only with it, and the clock's call exists only there.
func TestClockMark(t *testing.T) {
	t.Parallel()
	s := startServer(t, serveOptions{manual: true})
	s.stop(t)
	s.opts.manual = false
	s.launch(t)
	equal(t, "exit code with the real clock", s.awaitExit(t, late), 1)
	s.opts.manual = true
	s.start(t)
	other := startServer(t, serveOptions{})
	other.api.call(t, http.StatusNotFound, "POST", "/v1/dev/clock:advance", fields{"by": "1m"})
}
