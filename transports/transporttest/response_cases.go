package transporttest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/transports"
)

// O-12, D-10, P11: the transport says yes to 200 only; the status is told for all.
func testStatuses(t *testing.T, s *suite) {
	r := s.receiver(t, func(x *Exchange) bool {
		code, _ := strconv.Atoi(x.Field("x-status"))
		if code == 204 || code == 304 {
			return Answer(fmt.Sprintf("HTTP/1.1 %d \r\n\r\n", code))(x)
		}
		return Answer(fmt.Sprintf("HTTP/1.1 %d Whatever\r\nContent-Length: 4\r\n\r\nbody", code))(x)
	})
	tr := s.transport(t)
	for code, w := range map[int]want{
		200: yes(false), 201: no(201), 202: no(202), 204: no(204), 206: no(206), 400: no(400), 401: no(401), 404: no(404),
		410: no(410), 413: no(413), 429: no(429), 500: no(500), 503: no(503), 599: no(599), 999: no(999),
		300: {transports.Rejected, transports.KindRedirect, 300, false}, 304: {transports.Rejected, transports.KindRedirect, 304, false},
	} {
		req := newRequest(r.URL, "{}")
		req.Headers = append(req.Headers, transports.Header{Name: "x-status", Value: strconv.Itoa(code)})
		res := deliver(t, tr, req)
		w.check(t, res)
		if w.kind != transports.KindRedirect && code != 204 && string(res.Body) != "body" {
			t.Errorf("%d: body %q", code, res.Body)
		}
	}
}

// Section 11, P11: a redirect is a rejection; its target gets nothing and its body is not read.
func testNoRedirect(t *testing.T, s *suite) {
	target := s.receiver(t, OK())
	r := s.receiver(t, func(x *Exchange) bool {
		Answer("HTTP/1.1 " + x.Field("x-status") + " Moved\r\nLocation: " + target.URL + "\r\nContent-Length: 5\r\n\r\n")(x)
		<-x.Stopped // the body never comes
		return false
	})
	tr := s.transport(t)
	for _, code := range []int{301, 302, 303, 307, 308} {
		req := newRequest(r.URL, "{}")
		req.Headers = append(req.Headers, transports.Header{Name: "x-status", Value: strconv.Itoa(code)})
		res := deliver(t, tr, req)
		want{transports.Rejected, transports.KindRedirect, code, false}.check(t, res)
		if v, _ := field(res, "location"); v != target.URL {
			t.Errorf("location %q", v)
		}
	}
	if n := target.Requests(); n != 0 {
		t.Errorf("the redirect's target got %d requests", n)
	}
}

// At most five informational answers are passed over; a flood ends at once and costs nothing.
func testInformational(t *testing.T, s *suite) {
	hint := "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
	r := s.receiver(t, func(x *Exchange) bool {
		n, err := strconv.Atoi(x.Field("x-hints"))
		if err != nil { // a flood, until nobody listens
			for {
				if _, err := x.Write([]byte(hint)); err != nil {
					return false
				}
			}
		}
		_, err = x.Write([]byte(repeat(hint, n) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
		return err == nil
	})
	tr := s.transport(t)
	for hints, w := range map[string]want{"1": yes(false), "5": yes(false), "6": unreachable(transports.KindProtocol), "flood": unreachable(transports.KindProtocol)} {
		req := newRequest(r.URL, "{}")
		req.Headers = append(req.Headers, transports.Header{Name: "x-hints", Value: hints})
		w.check(t, deliver(t, tr, req))
	}
}

// 101 is Rejected, and what follows it is not read (net/http would read for ever).
func testSwitchingProtocols(t *testing.T, s *suite) {
	r := s.receiver(t, func(x *Exchange) bool {
		Answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nbytes of x")(x)
		<-x.Stopped
		return false
	})
	res := deliver(t, s.transport(t), newRequest(r.URL, "{}"))
	no(101).check(t, res)
	if len(res.Body) != 0 {
		t.Errorf("body %q was read", res.Body)
	}
}

// O-13: the status decides; bodies are kept to 64 KiB as they came, whatever their framing.
func testBodies(t *testing.T, s *suite) {
	full := repeat("0123456789abcdef", transports.MaxResponseBody/16)
	bomb := gzipBomb(t)
	length := func(n int) string { return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", n) }
	chunked := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	plain := "HTTP/1.1 200 OK\r\n\r\n"
	for _, c := range []struct {
		name, answer, body string
		keep, truncated    bool
	}{
		{"empty", length(0), "", true, false},
		{"short", length(5) + "hello", "hello", true, false},
		{"at the cap", length(len(full)) + full, full, true, false},
		{"over the cap", length(len(full)+1) + full + "x", full, true, true},
		{"far over the cap", length(1<<40) + full + full, full, true, true},
		{"cut", length(10) + "hello", "hello", false, true},
		{"cut before the first byte", length(10), "", false, true},
		{"chunked", chunked + "5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nTrailer: x\r\n\r\n", "hello world", true, false},
		{"chunked, bare line feeds", chunked + "5\nhello\n0\n\n", "hello", true, false},
		{"chunked at the cap", chunked + "10000\r\n" + full + "\r\n0\r\n\r\n", full, true, false},
		{"chunked over the cap", chunked + "8000\r\n" + full[:32<<10] + "\r\n8001\r\n" + full[:32<<10] + "x\r\n0\r\n\r\n", full[:32<<10] + full[:32<<10], true, true},
		{"chunked, huge chunk", chunked + "7fffffffffffffff\r\n" + full + "x", full, true, true},
		{"chunked, cut", chunked + "5\r\nhel", "hel", false, true},
		{"chunked, no last chunk", chunked + "5\r\nhello\r\n", "hello", false, true},
		{"chunked, bad size", chunked + "5\r\nhello\r\nzz\r\n", "hello", true, true},
		{"chunked, negative size", chunked + "-5\r\nhello\r\n", "", true, true},
		{"chunked, size too long", chunked + "5" + repeat(" ", 10<<10) + "\r\nhello\r\n0\r\n\r\n", "", true, true},
		{"until the end", plain + "hello", "hello", false, false},
		{"until the end, over the cap", plain + full + "x", full, false, true},
		{"gzip stays gzip", length(len(bomb)) + bomb, bomb, true, false},
		{"two lengths that differ", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "", true, true},
		{"two equal lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nContent-Length: 5\r\n\r\nhello", "hello", true, false},
		{"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", "", true, true},
		{"length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "", true, true},
		{"unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\nhello", "", true, true},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello", "hello", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.receiver(t, func(x *Exchange) bool {
				_, err := x.Write([]byte(c.answer))
				return err == nil && c.keep
			})
			start := time.Now()
			res := deliver(t, s.transport(t), newRequest(r.URL, "{}"))
			yes(c.truncated).check(t, res)
			sameBytes(t, "body", res.Body, []byte(c.body))
			if d := time.Since(start); d > patience/2 {
				t.Errorf("took %s: it waited for what does not come", d)
			}
			if n := r.Requests(); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

func gzipBomb(t *testing.T) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(make([]byte, 8<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A 200 whose body then drips past the deadline is acknowledged, with what came until then.
func testBodyDrips(t *testing.T, s *suite) {
	r := s.receiver(t, func(x *Exchange) bool {
		_, _ = x.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"))
		for {
			if _, err := x.Write([]byte("x")); err != nil {
				return false
			}
			select {
			case <-x.Stopped:
				return false
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	req := newRequest(r.URL, "{}")
	req.Timeout = 500 * time.Millisecond
	res := deliver(t, s.transport(t), req)
	yes(true).check(t, res)
	if len(res.Body) == 0 || len(res.Body) > 100 {
		t.Errorf("%d bytes of body", len(res.Body))
	}
	if res.Took < req.Timeout-50*time.Millisecond {
		t.Errorf("took %s, before the deadline of %s", res.Took, req.Timeout)
	}
}

// Names become lower-case, values lose outer blanks and nothing else, repeated fields stay apart and in order.
func testResponseHeaders(t *testing.T, s *suite) {
	r := s.receiver(t, Answer("HTTP/1.1 200 OK\nX-A:  b  \r\nSet-Cookie: one\r\nset-cookie: two\r\nX-Latin: \xe4\r\nX-Folded: a\r\n  b\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n"))
	res := deliver(t, s.transport(t), newRequest(r.URL, "{}"))
	yes(false).check(t, res)
	want := []transports.Header{
		{Name: "x-a", Value: "b"}, {Name: "set-cookie", Value: "one"}, {Name: "set-cookie", Value: "two"}, {Name: "x-latin", Value: "\xe4"},
		{Name: "x-folded", Value: "a b"}, {Name: "x-empty", Value: ""}, {Name: "content-length", Value: "0"},
	}
	if fmt.Sprintf("%q", res.Headers) != fmt.Sprintf("%q", want) {
		t.Errorf("headers\n got %q\nwant %q", res.Headers, want)
	}
}

// Without a whole, well-formed head there is no status (O-13).
func testBadHeads(t *testing.T, s *suite) {
	for name, answer := range map[string]string{
		"another protocol":      "SSH-2.0-OpenSSH_9.9\r\n",
		"HTTP/2 in clear":       "\x00\x00\x12\x04\x00\x00\x00\x00\x00",
		"HTTP/2 version":        "HTTP/2.0 200 OK\r\n\r\n",
		"no code":               "HTTP/1.1\r\n\r\n",
		"two digits":            "HTTP/1.1 20\r\n\r\n",
		"four digits":           "HTTP/1.1 2000 OK\r\n\r\n",
		"code below 100":        "HTTP/1.1 099 OK\r\n\r\n",
		"letters":               "HTTP/1.1 2OO OK\r\n\r\n",
		"no colon":              "HTTP/1.1 200 OK\r\nX-A\r\n\r\n",
		"blank before colon":    "HTTP/1.1 200 OK\r\nX-A : b\r\n\r\n",
		"no name":               "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
		"folded first":          "HTTP/1.1 200 OK\r\n b\r\n\r\n",
		"control character":     "HTTP/1.1 200 OK\r\nX-A: b\x00c\r\n\r\n",
		"carriage return alone": "HTTP/1.1 200 OK\r\nX-A: b\rX-B: c\r\n\r\n",
		"head over 64 KiB":      "HTTP/1.1 200 OK\r\n" + repeat("X-A: "+repeat("b", 1000)+"\r\n", 70) + "\r\n",
		"one endless line":      "HTTP/1.1 200 OK\r\nX-A: " + repeat("b", 200<<10),
		"too many fields":       "HTTP/1.1 200 OK\r\n" + repeat("a:\r\n", 1001) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := s.receiver(t, func(x *Exchange) bool {
				_, _ = x.Write([]byte(answer))
				<-x.Stopped
				return false
			})
			res := deliver(t, s.transport(t), newRequest(r.URL, "{}"))
			unreachable(transports.KindProtocol).check(t, res)
			if strings.Contains(res.Error, "bbbb") {
				t.Error("the error text repeats what the receiver sent")
			}
		})
	}
}
