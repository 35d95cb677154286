package blackbox

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// A list says that the server does not answer, and goes on when it does; what is shown is in the address: it outlives a
// reload, and Back goes back.
func TestPortalStates(t *testing.T) {
	r := &rig{rcv: newReceiver(t), server: startServer(t, serveOptions{listen: freeAddress(t)})}
	n := r.tenant(t, "acme", "osir")
	k := r.rcv.sink("hooks", always(500))
	n.endpoint(t, k, nil)
	p := n.publish(t, event{typ: "invoice.paid", data: `{"invoice":"INV-1","amount":100,"currency":"EUR"}`})
	n.awaitStatus(t, p.only(t), "pending", "", 1, soon)
	b := newBrowser(t)
	b.portal(r.server, "acme")
	b.sees(k.path, "rejected")

	r.stop(t)
	b.click("link", "Logs")
	b.sees("No answer from the server", "Try again")
	r.start(t)
	b.click("button", "Try again")
	b.sees("Rejected · 500", "invoice.paid")

	b.fill("Outcome", "timed_out")
	b.sees("No attempts match")
	b.do("reload", chromedp.Reload())
	b.sees("No attempts match")
	if got := eval[string](b, `document.querySelector("select[aria-label=Outcome]").value`); got != "timed_out" {
		t.Errorf("after a reload the filter is %q", got)
	}
	b.click("link", "Endpoints")
	b.sees("Add endpoint")
	eval[bool](b, `(history.back(), true)`)
	b.sees("No attempts match")
	b.click("button", "Clear filters")
	b.sees("Rejected · 500")
	poll(t, soon, func() string {
		if at := eval[string](b, "location.hash"); at != "#/logs" {
			return fmt.Sprintf("the address is %s", at)
		}
		return ""
	})
}
