package transporttest

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hookline/hookline/transports"
)

// O-8, O-11, D-17, promise 8: the body byte for byte, the fields as given, a Content-Length and nothing that hookline did not
// put there.
func testBytesOnTheWire(t *testing.T, s *suite) {
	type seen struct {
		line   string
		fields [][2]string
		body   []byte
	}
	got := make(chan seen, 1)
	r := s.receiver(t, func(x *Exchange) bool {
		got <- seen{x.Line, append([][2]string(nil), x.Fields...), append([]byte(nil), x.Body...)}
		return OK()(x)
	})
	tr := s.transport(t)
	host := strings.TrimSuffix(strings.TrimPrefix(r.URL, "https://"), "/in")
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, 1000, 4096, 16<<10 - 200, 16 << 10, 16<<10 + 1, 100_000, 256 << 10} {
		body := make([]byte, size)
		for i := range body {
			body[i] = byte(rnd.Uint32())
		}
		req := newRequest(r.URL+"/a%20b?x=1&y=%C3%BC", string(body))
		req.Headers = append(req.Headers, transports.Header{Name: "X-Odd_Name", Value: "a, b;c=\"d\"\tä"}, transports.Header{Name: "x-empty", Value: ""})
		yes(false).check(t, deliver(t, tr, req))
		x := <-got
		if x.line != "POST /in/a%20b?x=1&y=%C3%BC HTTP/1.1" {
			t.Errorf("request line %q", x.line)
		}
		want := [][2]string{{"Host", host}}
		for _, h := range req.Headers {
			want = append(want, [2]string{h.Name, h.Value})
		}
		want = append(want, [2]string{"Content-Length", strconv.Itoa(size)})
		if len(x.fields) != len(want) {
			t.Fatalf("fields %q, want %q", x.fields, want)
		}
		for i := range want {
			if x.fields[i] != want[i] {
				t.Errorf("field %d is %q, want %q", i, x.fields[i], want[i])
			}
		}
		sameBytes(t, "body", x.body, body)
	}
	if n := r.Requests(); n != 9 {
		t.Errorf("%d requests, want 9: one an attempt", n)
	}
}

// A header that could end its line, frame the message or steer the connection is our fault, so an error, and nothing is sent.
func testHeaderInjection(t *testing.T, s *suite) {
	r := s.receiver(t, OK())
	tr := s.transport(t)
	for _, h := range []transports.Header{
		{Name: "x-a", Value: "b\r\nx-evil: 1"}, {Name: "x-a", Value: "b\nc"}, {Name: "x-a", Value: "b\x00"}, {Name: "x-a\r\nx-b", Value: "c"},
		{Name: "x a", Value: "b"}, {Name: "", Value: "b"}, {Name: "x:a", Value: "b"}, {Name: "x-a", Value: " b"},
		{Name: "host", Value: "evil.example"}, {Name: "Content-Length", Value: "0"}, {Name: "transfer-encoding", Value: "chunked"},
		{Name: "connection", Value: "close"}, {Name: "expect", Value: "100-continue"}, {Name: "Idempotency-Key", Value: "k"},
		{Name: "x-idempotency-key", Value: "k"}, {Name: "upgrade", Value: "h2c"}, {Name: "te", Value: "trailers"},
	} {
		req := newRequest(r.URL, "{}")
		req.Headers = []transports.Header{h}
		if res, err := tr.Deliver(t.Context(), req); err == nil {
			t.Errorf("%q: result %s, want an error", h, res.Outcome)
		}
	}
	if n := r.Requests(); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}

// Every body arrives exactly once, whole, under concurrency, and each answer goes to its own attempt.
func testConcurrency(t *testing.T, s *suite) {
	r := s.receiver(t, func(x *Exchange) bool {
		return Answer("HTTP/1.1 200 OK\r\nContent-Length: " + strconv.Itoa(len(x.Body)) + "\r\n\r\n" + string(x.Body))(x)
	})
	tr := s.transport(t)
	const callers, each = 64, 20
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				body := []byte(repeat(strconv.Itoa(c*each+i)+",", 1+(c*i)%400))
				res, err := tr.Deliver(t.Context(), newRequest(r.URL, string(body)))
				if err != nil || res.Outcome != transports.Acknowledged || !bytes.Equal(res.Body, body) {
					t.Errorf("caller %d: %s, %v, body of %d bytes, want %d", c, res.Outcome, err, len(res.Body), len(body))
					return
				}
			}
		})
	}
	wg.Wait()
	if n := r.Requests(); n != callers*each {
		t.Errorf("%d requests, want %d", n, callers*each)
	}
	if n := r.Connections(); n > callers {
		t.Errorf("%d connections for %d callers", n, callers)
	}
}

// A question for consent is OPTIONS with the fields as given and no body; the answer's fields come back. Any other method
// is our own mistake, and nothing is sent.
func testOptions(t *testing.T, s *suite) {
	lines := make(chan string, 2)
	r := s.receiver(t, func(x *Exchange) bool {
		lines <- x.Line + " " + x.Field("webhook-request-origin") + " " + strconv.Itoa(len(x.Body))
		return Answer("HTTP/1.1 200 OK\r\nWebHook-Allowed-Origin: *\r\nContent-Length: 0\r\n\r\n")(x)
	})
	tr := s.transport(t)
	req := newRequest(r.URL+"/a?b", "")
	req.Method = "OPTIONS"
	req.Headers = append(req.Headers, transports.Header{Name: "webhook-request-origin", Value: "events.example.com"})
	res := deliver(t, tr, req)
	yes(false).check(t, res)
	if got := <-lines; got != "OPTIONS /in/a?b HTTP/1.1 events.example.com 0" {
		t.Errorf("received %q", got)
	}
	if !slices.Contains(res.Headers, transports.Header{Name: "webhook-allowed-origin", Value: "*"}) {
		t.Errorf("headers of the answer: %v", res.Headers)
	}
	yes(false).check(t, deliver(t, tr, newRequest(r.URL, "{}"))) // the next attempt is a POST again
	if got := <-lines; got != "POST /in HTTP/1.1  2" {
		t.Errorf("received %q", got)
	}
	req.Method = "DELETE"
	if _, err := tr.Deliver(t.Context(), req); err == nil {
		t.Error("DELETE was sent")
	}
}
