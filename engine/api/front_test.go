package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestPublishes(t *testing.T) {
	for path, want := range map[string]bool{
		"/v1/tenants/acme/events": true, "/v1/tenants/acme/events:batch": true, "/v1/tenants//events": false, "/v1/tenants/events": false,
		"/v1/tenants/a/b/events": false, "/v1/tenants/acme/events/": false, "/v1/tenants/acme/events/evu_1:deliver": false,
		"/v1/tenants/acme/endpoints": false, "/v2/acme/webhooks": false, "/": false, "": false,
	} {
		if publishes(path) != want {
			t.Errorf("%q: %v", path, !want)
		}
	}
}

// The express way answers a publish as net/http does: status, header fields and body, whether it is taken or refused.
func TestFrontAnswersAsHTTPServer(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	s.Use(newInstant())
	plain, front := s.HTTPServer(""), s.Front("")
	ask := map[string]func(text string) string{"plain": asker(t, plain.Serve, plain.Shutdown), "front": asker(t, front.Serve, front.Shutdown)}
	const events, batch, key = "/v1/tenants/acme/events", "/v1/tenants/acme/events:batch", "Authorization: Bearer " + testKey
	post := func(path, body string, lines ...string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: h\r\n" + strings.Join(append(lines, fmt.Sprintf("Content-Length: %d", len(body))), "\r\n") + "\r\n\r\n" + body
	}
	for _, c := range []struct{ want, text string }{
		{"202 ", post(events, publishText(), key)},
		{"202 ", post(events+"?explain=true", publishText(), key, "Idempotency-Key: a")},
		{"202 ", post(batch, `{"events":[`+publishText()+`]}`, key)},
		{"202 ", post(batch, publishText(), key, "Content-Type: application/x-ndjson")},
		{"400 ", post(events, "{", key)},
		{"400 ", post(events, "", key)},
		{"401 ", post(events, publishText())},
		{"401 ", post(events, "")},
		{"401 ", post(events, publishText(), "Authorization: Bearer wrong")},
		{"401 ", "POST " + events + " HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"}, // before its body
		{"413 ", post(events, `{"data":{"a":"`+strings.Repeat("a", 256<<10)+`"}}`, key)},
		{"413 ", post(events, `{"data":{"a":"`+strings.Repeat("a", 1<<20)+`"}}`, key)},
		{"422 ", post(events, "{}", key)},
		{"422 ", post(events, publishText(), key, "Content-Encoding: gzip")},
		{"422 ", post(events+"?as_of=1", strings.Repeat(publishText(), 100), key)},
		{"422 ", post(events, publishText(), key, "X-Min-Seq: x")},
	} {
		want, got := ask["plain"](c.text), ask["front"](c.text)
		if got != want || !strings.HasPrefix(got, c.want) {
			t.Errorf("%.200q:\ngot  %s\nwant %s", c.text, got, want)
		}
	}
}

// asker serves and returns what sends one request on a connection of its own and tells the answer, all but its Date.
func asker(t *testing.T, serve func(net.Listener) error, shutdown func(context.Context) error) func(text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- serve(l) }()
	t.Cleanup(func() {
		if err := shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-done; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
	return func(text string) string {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%.200q: %v", text, err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.Header.Get("Date") == "" {
			t.Errorf("%.200q: error %v, Date %q", text, err, resp.Header.Get("Date"))
		}
		resp.Header.Del("Date")
		return fmt.Sprint(resp.Status, " closes ", resp.Close, " ", resp.Header, " ", string(body))
	}
}
