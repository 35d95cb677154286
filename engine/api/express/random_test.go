package express

import (
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Requests put together at random from good and hostile parts, several on a connection: wherever the front would see
// another end of a head or a body than net/http, the answers differ.
func TestRandomRequestsAnswerAsNetHTTP(t *testing.T) {
	plain, front := start(t, false, http.HandlerFunc(mirror)), start(t, true, http.HandlerFunc(mirror))
	mostly := func(good string, odd ...string) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			if rapid.IntRange(0, 9).Draw(t, "odd") > 0 {
				return good
			}
			return rapid.SampledFrom(odd).Draw(t, "which")
		})
	}
	first := mostly("POST /x/a HTTP/1.1", "POST /x/unread HTTP/1.1", "POST /x/none HTTP/1.1", "POST /x/odd?q HTTP/1.1", "POST /y HTTP/1.1", "GET /x/a HTTP/1.1",
		"POST /x/a HTTP/1.0", "POST /x/refuse HTTP/1.1", "POST  /x/a HTTP/1.1", "POST /x/a", "POST /x/a;b HTTP/1.1", "HEAD /x/large HTTP/1.1")
	host := mostly("Host: h", "Host: i", "host:h:80", "Host : h", "Host:", "X: h", "Host: h\x00")
	field := rapid.SampledFrom([]string{"Content-Length: 5", "content-length:5", "Content-Length: 6", "Content-Length: 0", "Content-Length: 05", "Content-Length: +5",
		"Content-Length : 5", "Content-Length: 5 ", "Content-Length: 5,5", "Transfer-Encoding: chunked", "Transfer-Encoding:chunked", "transfer-encoding: identity",
		"Connection: close", "Connection: keep-alive", "X: y", "x: z", "X:\ty", " folded", "Bad Name: v", "X: \xff", "X: a\rb", "Expect: 100-continue", "Upgrade: x", ""})
	end := mostly("\r\n", "\n", "\r", "\r\r\n", "\n\r\n", "\r\n\r\n", "\r\n ")
	body := mostly("hello", "", "hello!", "5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n", "\r\nhello", "GET /y HTTP/1.1\r\nHost: h\r\n\r\n")
	rapid.Check(t, func(rt *rapid.T) {
		var text strings.Builder
		for range rapid.IntRange(1, 4).Draw(rt, "requests") {
			lines := []string{first.Draw(rt, "line"), host.Draw(rt, "host")}
			lines = append(lines, mostly("Content-Length: 5", "", "Transfer-Encoding: chunked").Draw(rt, "length"))
			for range rapid.IntRange(0, 2).Draw(rt, "fields") {
				lines = append(lines, field.Draw(rt, "field"))
			}
			for _, l := range lines {
				text.WriteString(l + end.Draw(rt, "end"))
			}
			text.WriteString(end.Draw(rt, "end of the head") + body.Draw(rt, "body"))
		}
		want, got := plain.ask(t, []byte(text.String())), front.ask(t, []byte(text.String()))
		if !same(got, want) {
			rt.Errorf("%q:\ngot  %.2000v\nwant %.2000v", text.String(), got, want)
		}
	})
	t.Logf("the express way served %d of them", front.served.Load())
	if front.served.Load() == 0 {
		t.Error("nothing was served by the express way")
	}
}
