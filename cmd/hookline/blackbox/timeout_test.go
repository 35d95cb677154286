package blackbox

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// P16, O-13: 29 s is in time, 31 s is not, and the next attempt is counted from the end. Real clock, real 30 s.
func TestP16ThirtySeconds(t *testing.T) {
	slow(t)
	r := realRig(t)
	n := r.tenant(t, "acme", "osir")
	after := func(d time.Duration) script {
		return func(request) answer {
			release := make(chan struct{})
			time.AfterFunc(d, func() { close(release) })
			return answer{status: 200, hold: release}
		}
	}
	in, out := r.rcv.sink("in-time", after(29*time.Second)), r.rcv.sink("too-late", after(31*time.Second))
	n.endpoint(t, in, fields{"event_types": []string{"server.started"}})
	n.endpoint(t, out, fields{"event_types": []string{"server.stopped"}})
	good, bad := n.publish(t, sample("server.started", 1)).only(t), n.publish(t, sample("server.stopped", 1)).only(t)
	n.awaitStatus(t, good, "succeeded", "", 1, 35*time.Second)
	d := n.awaitStatus(t, bad, "pending", "", 1, 10*time.Second)
	a := n.attempts(t, "delivery_id", bad)[0]
	equal(t, "attempt", row(a.Outcome, a.Response == nil), row("timed_out", true))
	if took := a.FinishedAt.Sub(a.StartedAt); took < 30*time.Second || took > 31500*time.Millisecond {
		t.Errorf("a timed out attempt of %v, want 30 s", took)
	}
	if gap := d.NextAttemptAt.Sub(a.FinishedAt); gap < 5*time.Minute || gap > 5*time.Minute+50*time.Millisecond {
		t.Errorf("next attempt %v after the end, want 300 s", gap)
	}
	in.exactly(t, 1)
	out.exactly(t, 1)
}

// P16 under the manual clock, with the endpoint's own timeout: timed out after exactly that long, next from its end.
func TestP16OwnTimeout(t *testing.T) {
	t.Parallel()
	never := make(chan struct{})
	r, n, k, _ := osirRig(t, held(never), fields{"timeout": "1s"})
	id := n.publish(t, sample("server.stopped", 1)).only(t)
	r.settle(t)
	k.exactly(t, 1)
	d := n.hasStatus(t, id, "pending", "", 1)
	a := n.attempts(t, "delivery_id", id)[0]
	equal(t, "attempt", row(a.Outcome, a.ErrorKind, a.Response == nil), row("timed_out", "timeout_response", true))
	equal(t, "finished_at - started_at", a.FinishedAt.Sub(a.StartedAt), time.Second)
	equal(t, "next attempt after the end", d.NextAttemptAt.Sub(a.FinishedAt), 5*time.Minute)
	k.answers(always(200))
	r.nextAttempt(t, n, id, k)
	n.hasStatus(t, id, "succeeded", "", 2)
}

// O-12, O-13 and the outcomes of API.md: what a receiver or the network can do, and what it is called.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n := r.tenant(t, "acme", "osir")
	strange, err := stranger()
	if err != nil {
		t.Fatal(err)
	}
	ca, err := trusted()
	if err != nil {
		t.Fatal(err)
	}
	unknownCA, wrongName := newReceiverWith(t, strange.leaf(t, "127.0.0.1")), newReceiverWith(t, ca.leaf(t, "elsewhere.example"))
	nobody := "https://" + freeAddress(t) + "/x"
	target := r.rcv.sink("target", always(200))
	big := make([]byte, 200<<10)
	for i := range big {
		big[i] = 'b'
	}
	raw := func(text string) script { return func(request) answer { return answer{raw: text} } }
	cases := []struct {
		name, url string // url: instead of a sink
		script    script
		outcome   string
		kinds     string // acceptable error kinds
		status    int
		truncated bool
	}{
		{name: "hang-up", script: func(request) answer { return answer{hangUp: true} }, outcome: "unreachable", kinds: "connection_reset"},
		{name: "refused", url: nobody, outcome: "unreachable", kinds: "connect_refused"},
		{name: "unknown-authority", url: unknownCA.base + "/x", outcome: "unreachable", kinds: "tls_untrusted"},
		{name: "wrong-name", url: wrongName.base + "/x", outcome: "unreachable", kinds: "tls_name"},
		{name: "not-http", script: raw("SSH-2.0-surprise\r\n\r\n"), outcome: "unreachable", kinds: "protocol"},
		{name: "redirect", script: func(request) answer {
			return answer{status: 302, header: map[string]string{"Location": target.url}}
		}, outcome: "rejected", kinds: "redirect", status: 302},
		{name: "gone", script: always(410), outcome: "rejected", kinds: "status", status: 410},
		{name: "switching", script: raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), outcome: "rejected", kinds: "status protocol redirect", status: 101},
		{name: "big", script: func(request) answer { return answer{status: 200, body: string(big)} }, outcome: "acknowledged", status: 200, truncated: true},
		{name: "dripping", script: func(request) answer { return answer{status: 200, body: "some", drip: true} }, outcome: "acknowledged", status: 200, truncated: true},
		{name: "cut", script: raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), outcome: "acknowledged", status: 200, truncated: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			k := r.rcv.sink(c.name, c.script)
			if c.url != "" {
				k.url = c.url
			}
			ep := n.endpoint(t, k, fields{"timeout": "1s"})
			n.publish(t, sample("server.stopped", 1))
			r.settle(t)
			log := n.attempts(t, "endpoint_id", ep.ID)
			equal(t, "attempts", len(log), 1)
			a := log[0]
			equal(t, "outcome", a.Outcome, c.outcome)
			equal(t, "status", a.status(), c.status)
			if !oneOf(a.ErrorKind, c.kinds) {
				t.Errorf("error_kind %q, want %s", a.ErrorKind, c.kinds)
			}
			if a.Response != nil {
				equal(t, "truncated", a.Response.Truncated, c.truncated)
				if len(a.Response.Body) > 64<<10 {
					t.Errorf("%d bytes of the response kept, want at most 64 KiB", len(a.Response.Body))
				}
			}
			r.api.delete(t, http.StatusNoContent, n.path("/endpoints/", ep.ID))
		})
	}
	target.exactly(t, 0)
}

// oneOf says whether word is among words; without words it must be empty.
func oneOf(word, words string) bool {
	if words == "" {
		return word == ""
	}
	for w := range strings.FieldsSeq(words) {
		if w == word {
			return true
		}
	}
	return false
}
