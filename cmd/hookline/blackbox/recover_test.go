package blackbox

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// recovery is a recovery as the API shows it.
type recovery struct {
	ID         string     `json:"id"`
	EndpointID string     `json:"endpoint_id"`
	State      string     `json:"state"`
	Reason     string     `json:"reason"`
	Matched    int        `json:"matched"`
	Created    int        `json:"created"`
	StartedAt  time.Time  `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
}

// recover asks for a recovery and returns its id, "" after a dry run, and what it matched.
func (n *tenant) recover(t testing.TB, endpointID string, body fields) (id string, matched int) {
	t.Helper()
	var got struct {
		ID      *string `json:"recovery_id"`
		Matched int     `json:"matched"`
	}
	n.s.api.post(t, http.StatusAccepted, n.path("/endpoints/", endpointID, ":recover"), body, &got)
	if got.ID == nil {
		return "", got.Matched
	}
	return *got.ID, got.Matched
}

func (n *tenant) recovery(t testing.TB, id string) (x recovery) {
	t.Helper()
	n.s.api.get(t, n.path("/recoveries/", id), &x)
	return x
}

// skip publishes n events while the endpoint is disabled, and waits until they are skipped.
func (r *rig) skip(t testing.TB, n *tenant, ep endpoint, count int) {
	t.Helper()
	n.act(t, ep.ID, "disable")
	for from := 0; from < count; from += 500 {
		var lines strings.Builder
		for i := from; i < min(from+500, count); i++ {
			fmt.Fprintln(&lines, sample("domain.registered", i).json())
		}
		n.batch(t, lines.String(), "application/x-ndjson", min(500, count-from))
	}
	poll(t, late, func() string {
		if left := len(n.deliveries(t, "status", "pending")); left > 0 {
			return row(left, "are pending")
		}
		return ""
	})
	n.act(t, ep.ID, "enable")
}

// O-19, R-2, R-6: what an endpoint missed is counted, delivered again once, by the same bytes, and then nothing is left.
func TestRecover(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(500), nil)
	failed := r.exhaustOSIR(t, n, k)
	n.act(t, ep.ID, "enable")
	for i := range 3 {
		n.publish(t, sample("invoice.paid", i))
	}
	n.act(t, ep.ID, "disable")
	r.settle(t)
	n.publish(t, sample("invoice.created", 9))
	r.settle(t)
	verb := n.path("/endpoints/", ep.ID, ":recover")
	r.api.call(t, http.StatusConflict, "POST", verb, fields{}) // blocked
	n.act(t, ep.ID, "enable")
	k.answers(always(200))
	r.settle(t)
	dryID, dry := n.recover(t, ep.ID, fields{"dry_run": true, "status": []string{"exhausted"}})
	equal(t, "dry run", row(dryID, dry), row("", 1))
	had := k.count()
	id, matched := n.recover(t, ep.ID, fields{})
	r.settle(t)
	x := n.recovery(t, id)
	equal(t, "recovery", row(x.State, x.Reason, x.Matched, x.Created, x.EndpointID, x.FinishedAt != nil), row("done", "", matched, matched, ep.ID, true))
	got := k.exactly(t, had+matched)
	same := slices.IndexFunc(got[had:], func(q request) bool { return bytes.Equal(q.body, got[0].body) })
	if same < 0 {
		t.Fatalf("the body of the first event is not among those delivered again")
	}
	sameBytes(t, []request{got[0], got[had+same]}, "x-osir-signature")
	again := n.deliveries(t, "status", "succeeded")
	equal(t, "delivered again", len(again) >= matched, true)
	equal(t, "the oldest stands for", again[len(again)-1].ResendOf, failed.ID)
	equal(t, "recoveries", list[recovery](t, r.api, n.path("/recoveries"))[0].ID, id)
	_, matched = n.recover(t, ep.ID, fields{})
	equal(t, "left", matched, 0)
	r.api.call(t, http.StatusConflict, "POST", n.path("/recoveries/", id, ":cancel"), nil)
	r.api.call(t, http.StatusNotFound, "GET", n.path("/recoveries/rec_none"), nil)
	for field, bad := range map[string]any{"status": []string{"pending"}, "rate": 10_001, "event_types": []string{}, "since": "yesterday"} {
		if p := r.api.call(t, 422, "POST", verb, fields{field: bad}).problem(t); !p.names(field) {
			t.Errorf("%s: %+v", field, p)
		}
	}
	r.stop(t)
	r.logOK(t, "rebuild", "--check")
}

// Promises 2 to 4: a recovery that a kill -9 interrupts goes on where its last page ended: each delivery is made anew
// exactly once.
func TestRecoverSurvivesKill(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	ep := n.endpoint(t, k, nil)
	const count = 3000
	r.skip(t, n, ep, count)
	id, matched := n.recover(t, ep.ID, fields{"rate": 1500})
	equal(t, "matched", matched, count)
	for _, created := range []int{1, 800, 1700} {
		poll(t, late, func() string {
			if x := n.recovery(t, id); x.Created < created {
				return row("created", x.Created)
			}
			return ""
		})
		r.kill9(t)
		r.start(t)
	}
	poll(t, late, func() string {
		if x := n.recovery(t, id); x.State != "done" || x.Created != count {
			return row(x)
		}
		if left := len(n.deliveries(t, "status", "pending")); left > 0 {
			return row(left, "are pending")
		}
		return ""
	})
	of := map[string]bool{}
	for _, d := range n.deliveries(t, "status", "succeeded") {
		if d.ResendOf == "" || of[d.ResendOf] {
			t.Fatalf("delivery %s is made anew of %q, twice %v", d.ID, d.ResendOf, of[d.ResendOf])
		}
		of[d.ResendOf] = true
	}
	equal(t, "made anew", len(of), count)
	r.stop(t)
	r.logOK(t, "rebuild", "--check")
}

// An endpoint that is blocked while a recovery runs stops it, visibly; a person cancels one.
func TestRecoverEnds(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(200), nil)
	n.act(t, ep.ID, "disable")
	for i := range 10 {
		n.publish(t, sample("domain.registered", i))
	}
	r.settle(t)
	n.act(t, ep.ID, "enable")
	id, _ := n.recover(t, ep.ID, fields{"rate": 1})
	r.api.call(t, http.StatusConflict, "POST", n.path("/endpoints/", ep.ID, ":recover"), fields{})
	r.advance(t, 2*time.Second)
	n.act(t, ep.ID, "disable")
	x := n.recovery(t, id)
	equal(t, "blocked", row(x.State, x.Reason, x.Matched, x.Created), row("stopped", "disabled", 10, 3))
	r.advance(t, time.Minute)
	n.act(t, ep.ID, "enable")
	id, matched := n.recover(t, ep.ID, fields{"rate": 1})
	equal(t, "matched", matched, 7)
	r.advance(t, time.Second)
	r.api.post(t, http.StatusOK, n.path("/recoveries/", id, ":cancel"), nil, &x)
	equal(t, "canceled", row(x.State, x.Reason, x.Created, x.FinishedAt != nil), row("canceled", "canceled_by_user", 2, true))
	r.advance(t, time.Minute)
	k.exactly(t, 5)
	r.restarted()
	r.kill9(t)
	r.start(t)
	equal(t, "after a restart", row(n.recovery(t, id).State, n.recovery(t, id).Created), row("canceled", 2))
	r.advance(t, time.Minute)
	k.exactly(t, 5)
}
