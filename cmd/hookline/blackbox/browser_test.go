package blackbox

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is one tab. Pages are used as people use them: by what stands on buttons and labels, with a mouse that clicks
// where they are. Browser tests do not run in parallel: one browser at a time.
type browser struct {
	t   testing.TB
	ctx context.Context

	mu     sync.Mutex
	faults []string // exceptions, and refusals of the content security policy
}

func newBrowser(t testing.TB) *browser {
	t.Helper()
	needs(t, "chromium", "chromium")
	opts := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.WindowSize(1280, 860),
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-dev-shm-usage", true))
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(allocator)
	b := &browser{t: t, ctx: ctx}
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		cancel()
		stopAllocator()
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.faults) > 0 {
			t.Errorf("the page had faults: %s", strings.Join(b.faults, "\n"))
		}
	})
	if err := chromedp.Listen(ctx, b.heard); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return b
}

func (b *browser) heard(ev any) {
	fault := ""
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		fault = e.ExceptionDetails.Text + " " + e.ExceptionDetails.URL
		if e.ExceptionDetails.Exception != nil {
			fault += " " + e.ExceptionDetails.Exception.Description
		}
	case *log.EventEntryAdded:
		if e.Entry.Source == "security" || strings.Contains(e.Entry.Text, "Content Security Policy") {
			fault = e.Entry.Text
		}
	}
	if fault != "" {
		b.mu.Lock()
		b.faults = append(b.faults, fault)
		b.mu.Unlock()
	}
}

func (b *browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, late)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.text())
	}
}

// eval is the value of an expression in the page, as JSON.
func eval[T any](b *browser, expression string) (v T) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, late)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func (b *browser) open(url string) {
	b.t.Helper()
	b.do("open "+url, chromedp.Navigate(url))
}

// shown is what stands on the page, what is in fields included.
const shown = `[document.body.innerText, ...[...document.querySelectorAll("textarea, input")].map((e) => e.value)].join("\n")`

func (b *browser) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, soon)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](shown))
	if err != nil {
		return err.Error()
	}
	return text
}

// sees waits until all of these stand on the page.
func (b *browser) sees(words ...string) {
	b.t.Helper()
	poll(b.t, 2*soon, func() string {
		text := b.text()
		for _, w := range words {
			if !strings.Contains(text, w) {
				return fmt.Sprintf("the page lacks %q:\n%s", w, text)
			}
		}
		return ""
	})
}

// find is the script that finds a control by what people call it, inside the dialog if one is open.
const find = `((kind, name, nth) => {
	const open = [...document.querySelectorAll("dialog[open]")].pop() ?? document;
	const seen = (e) => e.getClientRects().length > 0;
	const called = (e) => (e.getAttribute("aria-label") ?? e.textContent).replace(/\s+/g, " ").trim();
	let all;
	if (kind === "field") {
		all = [...open.querySelectorAll("label")].filter((l) => called(l) === name || called(l) === name + "optional").map((l) => l.control).filter(Boolean)
			.concat([...open.querySelectorAll("input, textarea, select")].filter((e) => e.getAttribute("aria-label") === name));
	} else {
		all = [...open.querySelectorAll({button: "button, a.button, summary", link: "a", choice: "label"}[kind])].filter((e) => called(e) === name || (kind === "choice" && called(e).startsWith(name)));
	}
	const e = all.filter((e) => seen(e) && !e.disabled)[nth];
	if (e) e.scrollIntoView({block: "center"});
	return e;
})`

func args(v ...any) string {
	text, _ := json.Marshal(v) // strings and numbers always marshal
	return strings.TrimSuffix(strings.TrimPrefix(string(text), "["), "]")
}

// click clicks a button, link or choice of that name where it is, once it is there.
func (b *browser) click(kind, name string) { b.t.Helper(); b.clickNth(kind, name, 0) }

func (b *browser) clickNth(kind, name string, nth int) {
	b.t.Helper()
	type place struct{ X, Y float64 }
	var at place
	poll(b.t, 2*soon, func() string {
		at = eval[place](b, `(() => { const e = `+find+`(`+args(kind, name, nth)+`); if (!e) return {x: -1, y: -1};
			const r = e.getClientRects()[0]; const x = r.x + r.width/2, y = r.y + r.height/2; const hit = document.elementFromPoint(x, y);
			return hit && (e.contains(hit) || hit.contains(e) || hit.closest("li, tr")?.contains(e)) ? {x, y} : {x: -1, y: -1}; })()`)
		if at.X < 0 {
			return fmt.Sprintf("no %s %q to click:\n%s", kind, name, b.text())
		}
		return ""
	})
	b.do("click "+name, chromedp.MouseClickXY(at.X, at.Y))
}

// fill puts text into the field of that label, as typing would.
func (b *browser) fill(label, text string) {
	b.t.Helper()
	poll(b.t, 2*soon, func() string {
		if eval[bool](b, `(() => { const e = `+find+`("field", `+args(label)+`, 0); if (!e) return false; e.focus();
			const kind = e.tagName === "TEXTAREA" ? HTMLTextAreaElement : e.tagName === "SELECT" ? HTMLSelectElement : HTMLInputElement;
			Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(e, `+args(text)+`);
			e.dispatchEvent(new Event("input", {bubbles: true})); e.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`) {
			return ""
		}
		return fmt.Sprintf("no field %q:\n%s", label, b.text())
	})
}

// shot writes a picture of the whole page, when HOOKLINE_SCREENSHOTS names a folder.
func (b *browser) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("HOOKLINE_SCREENSHOTS")
	if dir == "" {
		return
	}
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"desktop", 1280, 860}, {"phone", 390, 844}} {
		b.do("size", chromedp.EmulateViewport(size.width, size.height))
		for _, theme := range []string{"light", "dark"} {
			eval[bool](b, `(scrollTo(0, 0), document.documentElement.dataset.theme = "`+theme+`", true)`)
			time.Sleep(350 * time.Millisecond) // transitions; pictures are no test
			ctx, cancel := context.WithTimeout(b.ctx, late)
			picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			cancel()
			if err != nil {
				b.t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%s-%s.png", name, size.name, theme)), picture, 0o644); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	b.do("size", chromedp.EmulateViewport(1280, 860))
	eval[bool](b, `(document.documentElement.dataset.theme = "system", true)`)
}

// portal opens the customer portal of a tenant by a new link.
func (b *browser) portal(s *server, tenant string) {
	b.t.Helper()
	var link struct{ URL string }
	s.api.post(b.t, 201, "/v1/tenants/"+tenant+"/portal-sessions", nil, &link)
	b.open("about:blank") // a change of the fragment alone loads no page
	b.open(link.URL)
}
