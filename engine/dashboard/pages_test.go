package dashboard

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, p *Pages, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func pages(t *testing.T) *Pages {
	t.Helper()
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var (
	asset    = regexp.MustCompile(`(?:src|href)="(/ui/[^"]*)"`)
	imported = regexp.MustCompile(`(?:from|import)\s*"\./([^"]+)"`)
)

// firstLoad is every file that a browser fetches to show a page: what the page names, and what those scripts import.
func firstLoad(t *testing.T, p *Pages, page string) map[string]int {
	t.Helper()
	sizes := map[string]int{}
	var visit func(path string)
	visit = func(path string) {
		if _, done := sizes[path]; done {
			return
		}
		w := get(t, p, path, "Accept-Encoding: gzip")
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d", path, w.Code)
		}
		sizes[path] = w.Body.Len()
		text := string(plain(t, w))
		for _, m := range asset.FindAllStringSubmatch(text, -1) {
			if path == page {
				visit(m[1])
			}
		}
		if strings.HasSuffix(path, ".js") {
			for _, m := range imported.FindAllStringSubmatch(text, -1) {
				visit("/ui/" + m[1])
			}
		}
	}
	visit(page)
	return sizes
}

func plain(t *testing.T, w *httptest.ResponseRecorder) []byte {
	t.Helper()
	if w.Header().Get("Content-Encoding") != "gzip" {
		return w.Body.Bytes()
	}
	r, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// First load is at most 60 KiB compressed, of each page, and all of it comes from here.
func TestFirstLoad(t *testing.T) {
	p := pages(t)
	for _, page := range []string{"/", "/portal"} {
		sum := 0
		for path, size := range firstLoad(t, p, page) {
			t.Logf("%s: %s %d bytes", page, path, size)
			sum += size
		}
		if sum > 60<<10 || sum < 10<<10 {
			t.Errorf("%s loads %d bytes, want at most %d: load what is rare when it is needed", page, sum, 60<<10)
		}
		t.Logf("%s: %d bytes in all", page, sum)
	}
}

// The policy starts from nothing and has no unsafe source; scripts cannot make markup of text.
func TestPolicy(t *testing.T) {
	p := pages(t)
	for _, path := range []string{"/", "/portal", "/ui/app.css", "/ui/portal.js"} {
		h := get(t, p, path).Header()
		csp := h.Get("Content-Security-Policy")
		for _, say := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self';", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(csp, say) {
				t.Errorf("%s: no %s in %q", path, say, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "http") || strings.Contains(csp, "*") {
			t.Errorf("%s: %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", path, h)
		}
	}
	for _, f := range p.files {
		if strings.HasPrefix(f.kind, "text/html") && (bytes.Contains(f.plain, []byte("<style")) || bytes.Contains(f.plain, []byte(" style=")) || bytes.Contains(f.plain, []byte("<script>"))) {
			t.Error("a page has inline code, which its policy refuses")
		}
	}
}

// Only the portal is shown in frames, and only in those of the origins that are named.
func TestFrames(t *testing.T) {
	p, err := New(Options{PortalFrames: []string{"https://app.example.com", "https://app.example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/portal": "frame-ancestors 'self' https://app.example.com https://app.example.org", "/": "frame-ancestors 'none'", "/ui/portal.js": "frame-ancestors 'none'",
	} {
		if csp := get(t, p, path).Header().Get("Content-Security-Policy"); !strings.HasSuffix(csp, want) {
			t.Errorf("%s: %q, want it to end %q", path, csp, want)
		}
	}
}

// A browser that has a file is told so; one that takes no gzip gets it plain; what is none of ours is not found.
func TestServing(t *testing.T) {
	p := pages(t)
	first := get(t, p, "/ui/app.css", "Accept-Encoding: gzip, br")
	if first.Header().Get("Content-Encoding") != "gzip" || !strings.HasPrefix(first.Header().Get("Content-Type"), "text/css") {
		t.Errorf("%v", first.Header())
	}
	bare := get(t, p, "/ui/app.css")
	if bare.Header().Get("Content-Encoding") != "" || !bytes.Equal(bare.Body.Bytes(), plain(t, first)) {
		t.Errorf("plain and compressed differ: %v", bare.Header())
	}
	again := get(t, p, "/ui/app.css", "If-None-Match: "+first.Header().Get("Etag"))
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("asked again: %d with %d bytes", again.Code, again.Body.Len())
	}
	for _, path := range []string{"/ui/", "/ui/none.js", "/ui/portal.html", "/portal/", "/app.css", "/ui/../pages.go"} {
		if w := get(t, p, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
	if _, err := from(fstest.MapFS{"dist/portal.html": {}}, Options{}); err == nil || !strings.Contains(err.Error(), operatorPage) {
		t.Errorf("dist without a page: %v", err)
	}
}

// What is committed is what the sources make. Where what the build needs was never fetched it is left to make verify.
func TestBuiltFromSources(t *testing.T) {
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("npm is not here")
	}
	if _, err := os.Stat("ui/node_modules"); err != nil && os.Getenv("HOOKLINE_NEEDS_ALL") == "" {
		t.Skip("what the build needs has not been fetched: run engine/dashboard/build.sh once")
	}
	if out, err := exec.Command("./build.sh", "--check").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
