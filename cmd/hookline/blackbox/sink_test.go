package blackbox

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// take keeps the request and asks the script for the answer.
func (k *sink) take(r request) answer {
	k.mu.Lock()
	k.got = append(k.got, r)
	r.n = len(k.got)
	k.got[r.n-1].n = r.n
	s := k.script
	k.mu.Unlock()
	return s(r)
}

// answers replaces the script; requests already taken keep their answer.
func (k *sink) answers(s script) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.script = s
}

func (k *sink) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.got)
}

// requests is everything the sink has got so far.
func (k *sink) requests() []request {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.got)
}

// await waits until the sink has got at least n requests.
func (k *sink) await(t testing.TB, n int, within time.Duration) []request {
	t.Helper()
	poll(t, within, func() string {
		if got := k.count(); got < n {
			return fmt.Sprintf("%s got %d requests, want %d", k.path, got, n)
		}
		return ""
	})
	return k.requests()
}

// exactly demands n requests so far: for moments when nothing can be on its way.
func (k *sink) exactly(t testing.TB, n int) []request {
	t.Helper()
	if got := k.count(); got != n {
		t.Fatalf("%s got %d requests, want exactly %d", k.path, got, n)
	}
	return k.requests()
}

// only waits for n requests and then for a moment in which no other may come: for the real clock.
func (k *sink) only(t testing.TB, n int, within time.Duration) []request {
	t.Helper()
	k.await(t, n, within)
	stays(t, 300*time.Millisecond, func() string {
		if got := k.count(); got > n {
			return fmt.Sprintf("%s got %d requests, want exactly %d", k.path, got, n)
		}
		return ""
	})
	return k.requests()
}

// sameBytes demands one body and one value of the header (if any is named) in all requests.
func sameBytes(t testing.TB, got []request, header string) {
	t.Helper()
	for i, r := range got[1:] {
		if !bytes.Equal(r.body, got[0].body) {
			t.Fatalf("body of request %d differs:\n%s\n%s", i+2, got[0].body, r.body)
		}
		if header != "" {
			equal(t, header+" of request "+row(i+2), r.header.Get(header), got[0].header.Get(header))
		}
	}
}

// plainPost demands what every profile's request owes: POST, JSON, a length, no encoding, no header that makes clients
// repeat a request (O-8, D-17, and the rule against Idempotency-Key going out).
func plainPost(t testing.TB, r request) {
	t.Helper()
	equal(t, "method", r.method, "POST")
	equal(t, "content-type", r.header.Get("Content-Type"), "application/json")
	equal(t, "content-length", r.length, int64(len(r.body)))
	if len(r.transferred) > 0 {
		t.Fatalf("transfer-encoding %v, want none", r.transferred)
	}
	if enc := r.header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		t.Fatalf("content-encoding %q, want none", enc)
	}
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key", "Authorization", "Cookie"} {
		if v := r.header.Get(name); v != "" {
			t.Fatalf("header %s went out: %q", name, v)
		}
	}
	ua := r.header.Get("User-Agent")
	if ua == "" || strings.HasPrefix(ua, "Go-http-client") || strings.HasPrefix(ua, "fasthttp") {
		t.Fatalf("user-agent %q, want one of our own", ua)
	}
}
