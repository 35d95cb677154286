package blackbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// markup is what must never become any: each would call boom() if some page made an element, an attribute, a link or a
// script of it.
func markup() []string {
	all := []string{
		`<script>boom()</script>`, `</script><script>boom()</script>`, `<img src=x onerror=boom()>`, `<svg onload=boom()>`, `<svg/onload=boom()//`,
		`"><img src=x onerror=boom()>`, `'><img src=x onerror=boom()>`, `" onmouseover="boom()" x="`, `' onfocus='boom()' autofocus='`,
		`javascript:boom()`, `JaVaScRiPt:boom()`, "java\tscript:boom()", `data:text/html,<script>boom()</script>`, `<a href="javascript:boom()">x</a>`,
		`<iframe srcdoc="<script>parent.boom()</script>">`, `<iframe src=javascript:boom()>`, `<object data=javascript:boom()>`, `<embed src=javascript:boom()>`,
		`<body onload=boom()>`, `<input autofocus onfocus=boom()>`, `<select autofocus onfocus=boom()>`, `<textarea autofocus onfocus=boom()>`,
		`<details open ontoggle=boom()>`, `<video><source onerror=boom()>`, `<audio src=x onerror=boom()>`, `<marquee onstart=boom()>`,
		`<style>@import 'javascript:boom()'</style>`, `<link rel=stylesheet href=javascript:boom()>`, `<meta http-equiv=refresh content="0;url=javascript:boom()">`,
		`<math><mtext></p><style><img src=x onerror=boom()></style>`, `<svg><script>boom()</script></svg>`, `<svg><animate onbegin=boom() attributeName=x>`,
		`<template><script>boom()</script></template>`, `<form action=javascript:boom()><button>`, `<button formaction=javascript:boom()>x`,
		`<base href=javascript:boom()//>`, `<noscript><p title="</noscript><img src=x onerror=boom()>">`, `<!--><img src=x onerror=boom()>-->`,
		`<![CDATA[><script>boom()</script>]]>`, `<?xml version="1.0"?><script>boom()</script>`, `<x onclick=boom()>click`, `<div style="background:url(javascript:boom())">`,
		`{{constructor.constructor('boom()')()}}`, `${boom()}`, `#{boom()}`, `<%= boom() %>`, `__proto__`, `constructor`, `dangerouslySetInnerHTML`,
		`{"dangerouslySetInnerHTML":{"__html":"<img src=x onerror=boom()>"}}`, `\u003cscript\u003eboom()\u003c/script\u003e`, `&lt;script&gt;boom()&lt;/script&gt;`,
		`&#x3C;img src=x onerror=boom()&#x3E;`, `%3Cscript%3Eboom()%3C/script%3E`, `]]><script>boom()</script>`, `*/boom()/*`, `';boom();//`, `";boom();//`, "`;boom();//",
		`</textarea><script>boom()</script>`, `</title><script>boom()</script>`, `</pre><script>boom()</script>`, `<img src=x:x onerror="boom()">`, `<image href=x onerror=boom()>`,
	}
	return append(all, "\u202e<script>boom()</script>\u2066", "a\u0000b\u001b[31m\u200b\ufeff")
}

// What customers, publishers and receivers write stays text, wherever it is shown: in bodies, headers, descriptions, ids,
// addresses. What would be invisible or turn the direction of writing is shown by its name.
func TestPortalHostileText(t *testing.T) {
	r := realRig(t)
	n := r.tenant(t, "acme", "standard")
	payloads := markup()
	if len(payloads) < 60 {
		t.Fatalf("%d payloads, want 60 at least", len(payloads))
	}
	data := map[string]any{}
	for i, p := range payloads {
		data[fmt.Sprintf("k%d", i)] = p
		data[p] = i
	}
	text, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	k := r.rcv.sink("hooks", func(request) answer {
		return answer{status: 500, body: strings.Join(payloads, "\n"), header: map[string]string{"X-Hostile": `<img src=x onerror=boom()>`, "Content-Type": "text/html"}}
	})
	e := n.endpoint(t, k, fields{"url": k.url + `?q=<script>boom()</script>&r="onload=boom()`, "description": `<img src=x onerror=boom()> ` + "\u202e" + `gpj.exe`,
		"headers": fields{"x-own": `"><script>boom()</script>`}})
	p := n.publish(t, event{typ: "example.created", data: string(text)})
	n.awaitStatus(t, p.only(t), "pending", "", 1, soon)

	b := newBrowser(t)
	b.portal(r.server, "acme")
	b.sees("RLO", "gpj.exe")
	watch := `(window.booms = 0, window.boom = () => { window.booms++ }, true)`
	eval[bool](b, watch)
	quiet := func(where string, elements string) {
		t.Helper()
		for _, what := range []struct{ name, script string }{
			{"executions", "window.booms"},
			{"elements made of text", `document.querySelectorAll("#app img, #app iframe, #app script, #app object, #app embed, #app form[action], #app a[href^='javascript'], #app [onerror], #app [onload], #app [onfocus]").length`},
		} {
			if got := eval[int](b, what.script); got != 0 {
				t.Errorf("%s: %d %s", where, got, what.name)
			}
		}
		b.sees(elements)
	}
	quiet("endpoints", "gpj.exe")
	eval[bool](b, `(location.hash = "#/endpoints/`+e.ID+`", true)`)
	b.sees("Signing secret")
	quiet("endpoint", `"><script>boom()</script>`)
	b.shot("portal-hostile-endpoint")
	a := n.attempts(t)[0]
	eval[bool](b, `(location.hash = "#/endpoints/`+e.ID+`/logs?attempt=`+a.ID+`", true)`)
	b.sees("Response", "x-hostile")
	for _, form := range []string{"Laid out", "As sent"} {
		b.click("button", form)
		quiet("attempt, "+form, `<svg onload=boom()>`)
		b.sees("ESC", "NUL", "RLO")
	}
	b.shot("portal-hostile-attempt")
	eval[bool](b, `(location.hash = "#/endpoints/`+e.ID+`/edit", true)`)
	b.sees("Save changes")
	quiet("edit", `"><script>boom()</script>`)
	for _, field := range []string{"outcome", "type", "event", "age", "endpoint", "attempt", "find", "status", "lang"} {
		for _, bad := range []string{`<img src=x onerror=boom()>`, `javascript:boom()`, `__proto__`, `%`} {
			eval[bool](b, `(location.hash = "#/logs?`+field+`=" + encodeURIComponent(`+args(bad)+`), true)`)
		}
	}
	b.sees("Logs")
	quiet("logs by a hostile address", "Logs")
	b.do("focus", chromedp.KeyEvent("\t\t\t\t"))
	quiet("after moving about by keyboard", "Logs")
}
