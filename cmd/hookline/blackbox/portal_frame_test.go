package blackbox

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A provider's own page shows the portal in a frame where --portal-frame names its origin, with its session; nobody else's
// page does, and the dashboard is shown in none.
func TestPortalInAFrame(t *testing.T) {
	ours, strange := newHost(t), newHost(t)
	r := &rig{rcv: newReceiver(t), server: startServer(t, serveOptions{args: []string{"--portal-frame", ours.origin, "--log-level", "debug"}})}
	n := r.tenant(t, "acme", "osir")
	n.endpoint(t, r.rcv.sink("hooks", always(200)), nil)
	link := func() (l struct{ ID, URL string }) {
		r.api.post(t, 201, n.path("/portal-sessions"), nil, &l)
		return l
	}
	opened := func(id string) bool {
		for _, s := range list[struct {
			ID       string
			OpenedAt *time.Time `json:"opened_at"`
		}](t, r.api, n.path("/portal-sessions")) {
			if s.ID == id {
				return s.OpenedAt != nil
			}
		}
		t.Fatalf("no session %s", id)
		return false
	}
	b := newBrowser(t)
	refused := link()
	strange.shows(refused.URL)
	b.open(strange.origin)
	b.sees("the host's page")
	poll(t, late, func() string { // the frame has been loaded, as an error page of the browser's
		if got := eval[int](b, `window.loads`); got == 0 {
			return "the frame is not loaded yet"
		}
		return ""
	})
	allowed := link()
	ours.shows(allowed.URL)
	b.open(ours.origin)
	poll(t, late, func() string {
		if !opened(allowed.ID) {
			return "the portal in the frame opened no session"
		}
		// The list is asked for by the session's cookie: the frame has no key.
		if log := r.processLog(); !strings.Contains(log, `"route":"get-endpoint-stats","status":200`) {
			return "the portal in the frame shows no endpoints"
		}
		return ""
	})
	if opened(refused.ID) { // by now it would be
		t.Error("a page of an origin that is not named shows the portal")
	}
	b.mu.Lock() // that the strange page was refused is what was wanted
	b.faults = nil
	b.mu.Unlock()
}

// host is somebody's page with a frame in it.
type host struct {
	origin string
	target atomic.Pointer[string]
}

func newHost(t *testing.T) *host {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &host{origin: "http://" + l.Addr().String()}
	server := &http.Server{Handler: h}
	ended := make(chan struct{})
	go func() { _ = server.Serve(l); close(ended) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	return h
}

// shows says what the frame shows from now on; before the page is opened.
func (h *host) shows(url string) { h.target.Store(&url) }

func (h *host) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprintf(w, `<!doctype html><title>host</title><script>window.loads = 0</script><p>the host's page</p><iframe src=%q width=900 height=600 onload="window.loads++"></iframe>`, *h.target.Load())
}
