package blackbox

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// cycles is how often the torture test kills the server.
func cycles(t testing.TB) int {
	t.Helper()
	text := os.Getenv("HOOKLINE_TORTURE")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("HOOKLINE_TORTURE=%q: want a number of cycles from 1", text)
	}
	return n
}

// Promises 1, 3, 4 and 5: kill -9 under load, again and again. Everything acknowledged is delivered; what was taken twice
// was in flight when the server was killed; no delivery is in limbo; no plugin survives its host; the log verifies; the
// state folds to the same digest. Not parallel: duplicates are judged by time.
func TestTortureKill9UnderLoad(t *testing.T) {
	r := realRig(t)
	n := r.tenant(t, "acme", "osir")
	var takers []*taker
	for _, name := range []string{"a", "b", "c"} {
		k := newTaker(r.rcv, name, 10)
		n.endpoint(t, k.sink, fields{"schedule": []string{"1s", "1s", "1s", "1s", "1s"}})
		takers = append(takers, k)
	}
	l := startLoad(n, 3, 5*time.Millisecond)
	var kills []time.Time
	for range cycles(t) {
		runFor(2 * time.Second)
		plugins := r.children()
		kills = append(kills, time.Now())
		r.kill9(t)
		r.noOrphans(t, plugins)
		r.start(t)
		l.api.Store(r.api)
	}
	ledger := l.end(t)
	if len(ledger) < 20*len(kills) {
		t.Errorf("only %d events were acknowledged in %d cycles", len(ledger), len(kills))
	}
	awaitAll(t, takers, ledger)
	poll(t, late, func() string {
		if p := n.deliveries(t, "status", "pending"); len(p) > 0 {
			return row(len(p), "deliveries are still pending; one:", p[0])
		}
		return ""
	})
	for _, k := range takers {
		count, unexcused := k.extra(kills, time.Second)
		t.Logf("%s: %d events, %d taken twice over %d kills", k.sink.path, k.taken(), count, len(kills))
		for _, u := range unexcused {
			t.Errorf("%s took an event twice although no kill was near: %s", k.sink.path, u)
		}
	}
	equal(t, "events kept", len(n.events(t)), len(ledger))
	all := n.deliveries(t)
	equal(t, "deliveries", len(all), len(takers)*len(ledger))
	for _, d := range all {
		if d.Status != "succeeded" || d.AttemptsMade < 1 || d.AttemptsMade > 2 {
			t.Errorf("delivery %s of %s: %s %q after %d attempts", d.ID, d.EventID, d.Status, d.Reason, d.AttemptsMade)
		}
	}
	checkLog(t, r)
	equal(t, "events after everything derived was deleted", len(n.events(t)), len(ledger))
}

func awaitAll(t testing.TB, takers []*taker, ledger map[string]string) {
	t.Helper()
	for _, k := range takers {
		poll(t, 2*late, func() string {
			if id := k.missing(ledger); id != "" {
				return row("acknowledged", id, "never reached", k.sink.path, "(of", len(ledger), ")")
			}
			return ""
		})
	}
}

// checkLog stops the server, verifies and rebuilds its log, deletes what is derived, and starts and stops again: the same
// digest. The server runs again afterwards.
func checkLog(t testing.TB, r *rig) {
	t.Helper()
	r.stop(t)
	r.logOK(t, "verify")
	r.logOK(t, "rebuild", "--check")
	st := r.stat(t)
	removeDerived(t, r.server, st)
	r.start(t)
	r.stop(t)
	equal(t, "state_digest", r.stat(t).StateDigest, st.StateDigest)
	r.logOK(t, "rebuild", "--check")
	r.start(t)
}

// After a kill -9 without any load the log is whole: no false alarm.
func TestVerifyAfterKill9(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	n, k := r.tenant(t, "acme", "osir"), newTaker(r.rcv, "r", 0)
	n.endpoint(t, k.sink, nil)
	l := startLoad(n, 2, time.Millisecond)
	runFor(time.Second)
	r.kill9(t)
	r.logOK(t, "verify")
	st := r.stat(t)
	r.start(t)
	l.api.Store(r.api)
	ledger := l.end(t)
	awaitAll(t, []*taker{k}, ledger)
	var now logStatus
	r.api.get(t, "/v1/log/status", &now)
	if now.HeadSeq < st.HeadSeq || now.FirstSeq != 1 {
		t.Errorf("log status: %+v, before the start head_seq was %d", now, st.HeadSeq)
	}
}
