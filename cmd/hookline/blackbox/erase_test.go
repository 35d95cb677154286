package blackbox

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Erasure: of 1 000 secrets published, none can be read afterwards: not by the API, not in any file of the data directory
// or of the backups, not in the process log. (That the master key opens none either is a test of cmd/hookline.) The log still verifies and folds to the same, and the records stay with their facts.
func TestErasedForGood(t *testing.T) {
	t.Parallel()
	const canaries = 1000
	canary := func(i int) string { return fmt.Sprintf("canary-%04d-7f3a", i) }
	r, place := backedUpRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", func(request) answer {
		return answer{status: 500, body: canary(1)}
	})
	n.endpoint(t, k, fields{"secret": canary(2), "description": canary(3), "filter": `data.c != "` + canary(4) + `"`})
	other := r.tenant(t, "other", "osir")
	other.publish(t, event{typ: "a.b", data: `{"kept":true}`})
	var uid string
	for i := range canaries {
		p := n.publish(t, event{typ: "a.b", data: `{"c":"` + canary(i) + `"}`, metadata: `{"m":"` + canary(i) + `"}`})
		uid = p.UID
	}
	r.settle(t)
	k.exactly(t, canaries-1) // one was filtered out
	r.backUp(t)
	before := fmt.Sprint(r.statusOf(t).HeadSeq)
	cli := runCLI(t, r.dir, "", []string{"HOOKLINE_SERVER=http://" + r.addr, "HOOKLINE_ADMIN_KEY=" + r.key}, "tenants", "erase", "acme")
	equal(t, "exit code without --confirm", cli.code, 2)
	r.api.call(t, http.StatusUnprocessableEntity, "POST", "/v1/tenants/acme:erase", fields{"confirm": "yes"})
	cli = runCLI(t, r.dir, "", []string{"HOOKLINE_SERVER=http://" + r.addr, "HOOKLINE_ADMIN_KEY=" + r.key}, "tenants", "erase", "acme", "--confirm", "acme")
	if cli.code != 0 || !strings.Contains(cli.out, "refreshed") {
		t.Fatalf("tenants erase: exit %d, %s", cli.code, cli.text())
	}
	var ev struct {
		Erased   bool    `json:"erased"`
		Type     string  `json:"type"`
		Body     *string `json:"body"`
		Metadata any     `json:"metadata"`
	}
	r.api.get(t, n.path("/events/", uid), &ev)
	if !ev.Erased || ev.Body != nil || ev.Metadata != nil || ev.Type != "a.b" {
		t.Errorf("an erased event reads %+v", ev)
	}
	for _, list := range []string{"/events?limit=250", "/attempts?limit=250", "/deliveries?limit=250", "/audit"} {
		if body := string(r.api.get(t, n.path(list), nil).body); strings.Contains(body, "canary") || !strings.Contains(body, `"data":[{`) {
			t.Errorf("%s after the erasure: %s", list, clip([]byte(body)))
		}
	}
	for _, path := range []string{"/v1/tenants?as_of=", "/v1/tenants/acme?as_of=", "/v1/tenants/acme/endpoints?as_of=", "/v1/tenants/acme/subscriptions?as_of="} {
		if body := string(r.api.get(t, path+before, nil).body); strings.Contains(body, "canary") || !strings.Contains(body, `"erased":true`) {
			t.Errorf("%s before the erasure: %s", path, clip([]byte(body)))
		}
	}
	equal(t, "events of the other tenant", len(other.events(t)), 1)
	r.stop(t)

	back := restored(t, r.server, place) // from a backup that was made before the erasure
	for _, dir := range []string{r.dir, place, back.dir} {
		if file := fileWith(t, dir, []byte("canary-")); file != "" {
			t.Errorf("%s holds a canary in readable form", file)
		}
	}
	r.logOK(t, "verify")
	r.logOK(t, "rebuild", "--check")
	back.start(t) // the log of before meets the keyring of after
	back.api.call(t, http.StatusNotFound, "GET", "/v1/tenants/acme", nil)
	back.stop(t)
	back.logOK(t, "rebuild", "--check")
}
