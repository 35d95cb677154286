package transporttest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/transports"
)

// O-13, P16: no whole head within the timeout is timed_out, wherever the receiver hangs, and ends within a little.
func testHangs(t *testing.T, s *suite) {
	silent := func(x *Exchange) bool { <-x.Stopped; return false }
	for name, r := range map[string]*Receiver{
		"no answer":     s.receiver(t, silent),
		"body not read": newReceiver(t, serverTLS(s.ca.Issue(t, time.Now().Add(time.Hour), "127.0.0.1")), OK(), silent),
		"half a head": s.receiver(t, func(x *Exchange) bool {
			_, _ = x.Write([]byte("HTTP/1.1 200 OK\r\nContent-"))
			<-x.Stopped
			return false
		}),
		"a dripping head": s.receiver(t, func(x *Exchange) bool {
			_, err := x.Write([]byte("HTTP/1.1 200 OK\r\nX-A: "))
			for err == nil {
				select {
				case <-x.Stopped:
					return false
				case <-time.After(10 * time.Millisecond):
					_, err = x.Write([]byte("b"))
				}
			}
			return false
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := newRequest(r.URL, repeat("x", 8<<20-1<<10))
			req.Timeout = 700 * time.Millisecond
			tr := s.transport(t)
			start := time.Now()
			res := deliver(t, tr, req)
			late(transports.KindTimeoutResponse).check(t, res)
			within(t, time.Since(start), req.Timeout)
			if res.Took < req.Timeout {
				t.Errorf("took %s, before the timeout of %s", res.Took, req.Timeout)
			}
			if !strings.Contains(res.Error, req.Timeout.String()) {
				t.Errorf("error %q does not name the timeout", res.Error)
			}
		})
	}
}

// within allows what a loaded machine needs on top.
func within(t *testing.T, took, limit time.Duration) {
	t.Helper()
	if took > limit+2*time.Second {
		t.Errorf("ended after %s, limit was %s", took, limit)
	}
}

// API "outcomes": a hang-up or reset before a head is unreachable, connection_reset, and nothing is sent again.
func testResets(t *testing.T, s *suite) {
	reset := func(x *Exchange) bool {
		_ = x.TCP.SetLinger(0)
		_ = x.TCP.Close()
		return false
	}
	for name, h := range map[string]Handler{
		"hang-up":  func(*Exchange) bool { return false },
		"reset":    reset,
		"half way": func(x *Exchange) bool { _, _ = x.Write([]byte("HTTP/1.1 200 OK\r\nX-A: b")); return false },
		"reset half way": func(x *Exchange) bool {
			_, _ = x.Write([]byte("HTTP/1.1 200 OK\r\nX-A: b"))
			return reset(x)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.receiver(t, h)
			res := deliver(t, s.transport(t), newRequest(r.URL, "{}"))
			unreachable(transports.KindConnectionReset).check(t, res)
			if n := r.Requests(); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

func testRefusedPort(t *testing.T, s *suite) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := "https://" + l.Addr().String() + "/"
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	unreachable(transports.KindConnectRefused).check(t, deliver(t, s.transport(t), newRequest(target, "{}")))
}

// Section 11: TLS >= 1.2, verified against the system's roots and those given, by name.
func testTLS(t *testing.T, s *suite) {
	hour := time.Now().Add(time.Hour)
	good := s.ca.Issue(t, hour, "127.0.0.1")
	change := func(f func(*tls.Config)) *tls.Config {
		c := serverTLS(good)
		f(c)
		return c
	}
	for name, c := range map[string]struct {
		cfg  *tls.Config
		want want
	}{
		"good":               {serverTLS(good), yes(false)},
		"TLS 1.2":            {change(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), yes(false)},
		"TLS 1.1":            {change(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }), unreachable(transports.KindTLSOther)},
		"another CA":         {serverTLS(NewCA(t).Issue(t, hour, "127.0.0.1")), unreachable(transports.KindTLSUntrusted)},
		"expired":            {serverTLS(s.ca.Issue(t, time.Now().Add(-time.Minute), "127.0.0.1")), unreachable(transports.KindTLSUntrusted)},
		"another name":       {serverTLS(s.ca.Issue(t, hour, "receiver.example")), unreachable(transports.KindTLSName)},
		"another protocol":   {change(func(c *tls.Config) { c.NextProtos = []string{"imap"} }), unreachable(transports.KindTLSOther)},
		"HTTP/2 offered":     {change(func(c *tls.Config) { c.NextProtos = []string{"h2", "http/1.1"} }), yes(false)},
		"client certificate": {change(func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }), unreachable(transports.KindTLSOther)},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReceiverTLS(t, c.cfg, OK())
			c.want.check(t, deliver(t, s.transport(t), newRequest(r.URL, "{}")))
		})
	}
	t.Run("no TLS at all", func(t *testing.T) {
		addr := listen(t, func(c net.Conn, stopped <-chan struct{}) {
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			<-stopped
		})
		unreachable(transports.KindTLSOther).check(t, deliver(t, s.transport(t), newRequest("https://"+addr, "{}")))
	})
	t.Run("hang-up", func(t *testing.T) {
		addr := listen(t, func(c net.Conn, _ <-chan struct{}) {
			_, _ = c.Read(make([]byte, 64<<10)) // the whole hello, so that closing does not reset
		})
		unreachable(transports.KindConnectionReset).check(t, deliver(t, s.transport(t), newRequest("https://"+addr, "{}")))
	})
}

// A timeout before the connection stands is timeout_connect.
func testSilentHandshake(t *testing.T, s *suite) {
	addr := listen(t, func(_ net.Conn, stopped <-chan struct{}) { <-stopped })
	req := newRequest("https://"+addr, "{}")
	req.Timeout = 500 * time.Millisecond
	tr := s.transport(t)
	start := time.Now()
	res := deliver(t, tr, req)
	late(transports.KindTimeoutConnect).check(t, res)
	within(t, time.Since(start), req.Timeout)
}

// Section 11, promise 10: what the operator has not opened is not connected to, however it is written; http only if allowed.
func testGuard(t *testing.T, s *suite) {
	r := s.receiver(t, OK())
	port := r.URL[strings.LastIndexByte(r.URL, ':')+1:]
	closed := s.factory(t, Config{TrustPEM: s.ca.PEM})
	for _, target := range []string{
		r.URL, "https://[::1]:" + port, "https://[::ffff:127.0.0.1]:" + port, "https://0.0.0.0:" + port, "https://[::]:" + port,
		"https://169.254.169.254/latest", "https://10.0.0.1", "https://[fe80::1]", "https://[64:ff9b::7f00:1]", "https://localhost:" + port,
		"https://user:pass@127.0.0.1:" + port, "https://127.1:" + port, "https://2130706433:" + port, "ftp://127.0.0.1/", "https://", "nonsense",
	} {
		unreachable(transports.KindRefusedAddress).check(t, deliver(t, closed, newRequest(target, "{}")))
	}
	plain := NewReceiverTLS(t, nil, OK())
	unreachable(transports.KindRefusedAddress).check(t, deliver(t, s.transport(t), newRequest(plain.URL, "{}")))
	if n := r.Connections() + plain.Connections(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	open := s.factory(t, Config{AllowCIDR: Loopback(), AllowHTTP: true})
	yes(false).check(t, deliver(t, open, newRequest(plain.URL, "{}")))
}

// A name without an address. The .onion zone never leaves the machine (RFC 7686).
func testDNS(t *testing.T, s *suite) {
	unreachable(transports.KindDNS).check(t, deliver(t, s.transport(t), newRequest("https://receiver.onion/in", "{}")))
}

// Promise 9: canceled by us is an error, at once, and never a Result; a ctx that ends with the timeout changes nothing.
func testCancel(t *testing.T, s *suite) {
	arrived := make(chan struct{}, 2)
	r := s.receiver(t, func(x *Exchange) bool {
		arrived <- struct{}{}
		<-x.Stopped
		return false
	})
	tr := s.transport(t)
	reason := errors.New("shutting down")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-arrived
		cancel(reason)
	}()
	start := time.Now()
	res, err := tr.Deliver(ctx, newRequest(r.URL, "{}"))
	if !errors.Is(err, transports.ErrInterrupted) || !errors.Is(err, reason) {
		t.Errorf("canceled: result %s, error %v; want an error wrapping ErrInterrupted and the cause", res.Outcome, err)
	}
	within(t, time.Since(start), 0)

	if _, err := tr.Deliver(ctx, newRequest(r.URL, "{}")); !errors.Is(err, transports.ErrInterrupted) {
		t.Errorf("canceled before: error %v", err)
	}
	req := newRequest(r.URL, "{}")
	req.Timeout = 400 * time.Millisecond
	bounded, stop := context.WithTimeout(t.Context(), req.Timeout)
	defer stop()
	res, err = tr.Deliver(bounded, req)
	if err != nil {
		t.Fatal(fmt.Errorf("ctx ends with the timeout: %w", err))
	}
	late(transports.KindTimeoutResponse).check(t, res)
	if n := r.Requests(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}
