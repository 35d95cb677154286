package blackbox

import (
	"os/exec"
	"strings"
	"testing"
)

// What "Copy as curl" copies makes the same request again, byte for byte, whatever stands in it.
func TestPortalCurl(t *testing.T) {
	needs(t, "curl", "curl")
	r := realRig(t)
	n := r.tenant(t, "acme", "standard")
	k := r.rcv.sink("hooks", always(500))
	e := n.endpoint(t, k, fields{"url": k.url + "?a=it's&b=$HOME", "headers": fields{"x-odd": `it's "$(id)" \ here`}})
	p := n.publish(t, event{typ: "example.created", data: `{"id":"it's","text":"\"$(id)\" \\n ` + "`id`" + ` %s é 日本 !! ","n":1.50}`})
	n.awaitStatus(t, p.only(t), "pending", "", 1, soon)
	b := newBrowser(t)
	b.portal(r.server, "acme")
	b.at("#/endpoints/" + e.ID + "/logs?attempt=" + n.attempts(t)[0].ID)
	b.sees("Copy as curl")
	eval[bool](b, `(Object.defineProperty(navigator, "clipboard", {value: {writeText: async (text) => { window.copied = text; }}}), true)`)
	b.click("button", "Copy as curl")
	b.sees("Copied")
	command, ok := strings.CutPrefix(eval[string](b, "window.copied"), "curl ")
	if !ok {
		t.Fatalf("copied %q", command)
	}
	judged(t, exec.Command("bash", "-c", "curl --silent --show-error --cacert '"+caFile(t, t.TempDir())+"' "+command))
	got := k.exactly(t, 2)
	sameBytes(t, got, "Webhook-Signature")
	for _, name := range []string{"Content-Type", "User-Agent", "Webhook-Id", "Webhook-Timestamp", "X-Odd"} {
		if first, again := got[0].header.Values(name), got[1].header.Values(name); len(first) != 1 || len(again) != 1 || first[0] != again[0] {
			t.Errorf("%s: %q, by curl %q", name, first, again)
		}
	}
}
