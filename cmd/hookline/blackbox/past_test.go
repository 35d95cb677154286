package blackbox

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// Time travel: as_of answers what was answered then, by seq and by time, over the API and the command line, also after a
// rebuild from nothing but the log.
func TestTimeTravel(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n := r.tenant(t, "acme", "osir")
	k := r.rcv.sink("r", func(request) answer { return answer{status: 500} })
	ep := n.endpoint(t, k, nil)
	p := n.publish(t, event{typ: "a.b", data: `{"n":1}`})
	then := r.advance(t, time.Minute)
	paths := []string{"/v1/tenants", n.path(""), n.path("/endpoints"), n.path("/endpoints/", ep.ID), n.path("/subscriptions"), n.path("/events"),
		n.path("/events/", p.UID), n.path("/deliveries"), n.path("/deliveries/", p.Matched[0].DeliveryID), n.path("/attempts")}
	was := map[string]string{}
	var seq string
	for _, path := range paths {
		got := r.api.get(t, path, nil)
		was[path], seq = string(got.body), got.header.Get("X-Log-Seq")
	}
	r.advance(t, time.Hour)
	r.api.patch(t, http.StatusOK, n.path("/endpoints/", ep.ID), fields{"description": "changed", "filter": "data.n == 2"}, nil)
	n.act(t, ep.ID, "disable")
	r.tenant(t, "later", "osir")
	n.publish(t, event{typ: "a.b", data: `{"n":2}`})
	r.advance(t, time.Hour)

	check := func(how string) {
		t.Helper()
		for _, path := range paths {
			for _, asOf := range []string{seq, then.Format(time.RFC3339Nano)} {
				got := r.api.get(t, path+"?as_of="+asOf, nil)
				if string(got.body) != was[path] || got.header.Get("X-As-Of-Seq") != seq {
					t.Errorf("%s: %s as of %s (%s):\n%s\nwant\n%s", how, path, asOf, got.header.Get("X-As-Of-Seq"), clip(got.body), clip([]byte(was[path])))
				}
			}
		}
	}
	check("live")
	equal(t, "a tenant that came later", r.api.do(t, "GET", "/v1/tenants/later?as_of="+seq, nil).status, http.StatusNotFound)
	env := []string{"HOOKLINE_SERVER=http://" + r.addr, "HOOKLINE_ADMIN_KEY=" + r.key}
	cli := runCLI(t, r.dir, "", env, "endpoints", "get", "acme", ep.ID, "--as-of", seq, "-o", "json")
	if equal(t, "exit code", cli.code, 0); strings.TrimSpace(cli.out) != strings.TrimSpace(was[n.path("/endpoints/", ep.ID)]) {
		t.Errorf("endpoints get --as-of: %s", cli.text())
	}

	var d struct {
		FromSeq uint64   `json:"from_seq"`
		Text    []string `json:"text"`
	}
	r.api.get(t, "/v1/log/diff?from="+seq, &d)
	text := strings.Join(d.Text, "\n")
	for _, say := range []string{`description "" -> "changed"`, `filter null -> "data.n == 2"`, `status "enabled" -> "disabled"`, "tenant later was created", "1 event.published"} {
		if !strings.Contains(text, say) {
			t.Errorf("diff says\n%s\nwant %s", text, say)
		}
	}
	head := r.api.get(t, "/v1/log/status", nil).header.Get("X-Log-Seq")
	live := runCLI(t, r.dir, "", env, "log", "diff", seq, head)
	equal(t, "words of the command line", strings.TrimSpace(live.out), text)
	for query, field := range map[string]string{"": "from", "?from=0": "from", "?from=1&to=x": "to", "?from=99999": "from", "?from=3&to=2": "from"} {
		if p := r.api.call(t, http.StatusUnprocessableEntity, "GET", "/v1/log/diff"+query, nil).problem(t); !p.names(field) {
			t.Errorf("diff%s: %+v, want location %s", query, p, field)
		}
	}

	r.stop(t)
	offline := r.logOK(t, "diff", seq, head)
	equal(t, "words offline", strings.TrimSpace(offline.out), text)
	var derived struct {
		Derived []string `json:"derived"`
	}
	if err := json.Unmarshal([]byte(r.logOK(t, "stat", "-o", "json").out), &derived); err != nil {
		t.Fatal(err)
	}
	for _, path := range derived.Derived {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	r.start(t)
	r.restarted()
	check("rebuilt")
}
