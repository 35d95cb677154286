package blackbox

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// axe is the script that judges accessibility, from what the dashboard's build has pinned.
func axe(t testing.TB) string {
	t.Helper()
	needs(t, "nodejs npm", "node", "npm")
	dir := filepath.FromSlash("../../../engine/dashboard")
	build := exec.Command("./build.sh", "--types") // fetches what is pinned
	build.Dir = dir
	judged(t, build)
	text, err := os.ReadFile(filepath.Join(dir, "ui", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// judge demands that axe finds nothing against WCAG 2.2 AA on the present screen, in light and dark.
func (b *browser) judge(axe, where string) {
	b.t.Helper()
	for _, theme := range []string{"light", "dark"} {
		eval[bool](b, `(document.documentElement.dataset.theme = "`+theme+`", document.getAnimations().forEach((a) => a instanceof CSSTransition && a.finish()), true)`)
		eval[bool](b, `(`+"() => {"+axe+"; return true; })()")
		out, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
			.then((r) => JSON.stringify(r.violations.map((v) => ({id: v.id, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " " + (n.any[0]?.message ?? ""))}))))`, chromedp.EvalAwaitPromise))
		if err != nil {
			b.t.Fatal(err)
		}
		var found []struct {
			ID, Help string
			Nodes    []string
		}
		if err := json.Unmarshal([]byte(out), &found); err != nil {
			b.t.Fatal(err)
		}
		for _, v := range found {
			b.t.Errorf("%s, %s: %s: %s\n  %s", where, theme, v.ID, v.Help, strings.Join(v.Nodes, "\n  "))
		}
	}
}

// reflows demands that the present screen fits a phone: nothing but what scrolls by itself is wider (WCAG 1.4.10).
func (b *browser) reflows(where string) {
	b.t.Helper()
	b.do("phone", chromedp.EmulateViewport(390, 844))
	if wide := eval[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
		b.t.Errorf("%s is %d pixels wider than a phone", where, wide)
	}
	b.do("desktop", chromedp.EmulateViewport(1280, 860))
}

// Every screen passes axe for WCAG 2.2 AA, fits a phone, and what a mouse reaches a keyboard reaches too.
func TestAccessible(t *testing.T) {
	r := realRig(t)
	n := r.tenant(t, "acme", "osir")
	k := r.rcv.sink("hooks", always(500))
	e := n.endpoint(t, k, fields{"schedule": []string{"1ms"}, "headers": fields{"x-own": "1"}})
	p := n.publish(t, event{typ: "domain.registered", data: `{"domain":"a.example"}`})
	d := p.only(t)
	n.awaitStatus(t, d, "exhausted", "schedule_used_up", 2, soon)
	script := axe(t)
	b := newBrowser(t)
	b.open(r.api.base + "/portal")
	b.sees("Your session is over")
	b.judge(script, "no session")
	b.portal(r.server, "acme")
	a := n.attempts(t)[0]
	for _, s := range []struct{ hash, sees string }{
		{"#/endpoints", "24 h"}, {"#/endpoints/new", "Only the ones I choose"}, {"#/endpoints/" + e.ID, "Signing secret"}, {"#/endpoints/" + e.ID + "/edit", "Save changes"},
		{"#/endpoints/" + e.ID + "/logs?attempt=" + a.ID, "Why it failed"}, {"#/logs?outcome=gone", "No attempts match"}, {"#/endpoints/" + e.ID + "/test", "counts for nothing"},
		{"#/endpoints/" + e.ID + "/replay", "every attempt of the schedule failed"}, {"#/endpoints/" + e.ID + "/code", "timingSafeEqual"}, {"#/types?type=invoice.paid", "INV-2026-00418"},
	} {
		b.at(s.hash)
		b.sees(s.sees)
		b.judge(script, "portal "+s.hash)
		b.reflows("portal " + s.hash)
	}
	b.at("#/endpoints/" + e.ID + "/replay")
	b.click("button", "Replay all failed…")
	b.sees("1 event will be sent again")
	b.judge(script, "dialog")

	b.open("about:blank")
	b.open(r.api.base + "/")
	b.sees("API key")
	b.judge(script, "sign in")
	b.fill("API key", r.key)
	b.do("enter", chromedp.KeyEvent("\r")) // the form takes Enter
	for _, s := range []struct{ hash, sees string }{
		{"#/overview", "Most failed attempts"}, {"#/tail", "Waiting for records"}, {"#/tenants", "Account acme"}, {"#/tenants/acme/events", "1 endpoint"},
		{"#/tenants/acme/events/" + p.UID, "Where it went"}, {"#/tenants/acme/deliveries/" + d, "Attempt 2"}, {"#/keys", "No keys issued"},
	} {
		b.at(s.hash)
		b.sees(s.sees)
		b.judge(script, "dashboard "+s.hash)
		b.reflows("dashboard " + s.hash)
	}

	// By keyboard alone: from the top, Tab comes to a link of the menu; Enter follows it.
	b.at("#/overview")
	b.sees("Most failed attempts")
	eval[bool](b, `(document.activeElement.blur(), true)`)
	for range 12 {
		if eval[string](b, `document.activeElement.textContent`) == "Tenants" {
			break
		}
		b.do("tab", chromedp.KeyEvent("\t"))
	}
	b.do("enter", chromedp.KeyEvent("\r"))
	b.sees("Customers of the provider")
}
