package transporttest

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/transports"
)

// Config is what a test asks of the transport it gets.
type Config struct {
	AllowCIDR []netip.Prefix
	AllowHTTP bool
	TrustPEM  []byte
}

// Factory makes the transport under test; it must be gone when t has ended.
type Factory func(t *testing.T, c Config) transports.Transport

// Run proves the promises of an HTTPS transport, one subtest a promise.
func Run(t *testing.T, f Factory) {
	s := &suite{factory: f, ca: NewCA(t)}
	for _, c := range []struct {
		name string
		test func(*testing.T, *suite)
	}{
		{"BytesOnTheWire", testBytesOnTheWire},
		{"Options", testOptions},
		{"HeaderInjection", testHeaderInjection},
		{"Statuses", testStatuses},
		{"NoRedirect", testNoRedirect},
		{"Informational", testInformational},
		{"SwitchingProtocols", testSwitchingProtocols},
		{"Bodies", testBodies},
		{"BodyDripsPastDeadline", testBodyDrips},
		{"ResponseHeaders", testResponseHeaders},
		{"BadHeads", testBadHeads},
		{"Hangs", testHangs},
		{"Resets", testResets},
		{"RefusedPort", testRefusedPort},
		{"TLS", testTLS},
		{"SilentHandshake", testSilentHandshake},
		{"Guard", testGuard},
		{"DNS", testDNS},
		{"Cancel", testCancel},
		{"KeepAlive", testKeepAlive},
		{"NeverSentTwice", testNeverSentTwice},
		{"DeadIdleConnection", testDeadIdleConnection},
		{"EarlyAnswer", testEarlyAnswer},
		{"Concurrency", testConcurrency},
		{"NoisyNeighbour", testNoisyNeighbour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, s)
		})
	}
}

type suite struct {
	factory Factory
	ca      *CA
}

// transport makes one that trusts the suite's CA and may go to loopback.
func (s *suite) transport(t *testing.T) transports.Transport {
	t.Helper()
	return s.factory(t, Config{AllowCIDR: Loopback(), TrustPEM: s.ca.PEM})
}

// Loopback is what a test opens to reach its receivers.
func Loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

func (s *suite) receiver(t *testing.T, h Handler) *Receiver {
	t.Helper()
	return NewReceiver(t, s.ca, h)
}

// patience is the timeout where none is to be reached.
const patience = 20 * time.Second

func newRequest(target, body string) *transports.Request {
	return &transports.Request{
		Target: target, Body: []byte(body), Timeout: patience, EventID: "evt_1234567890",
		Headers: []transports.Header{{Name: "content-type", Value: "application/json"}, {Name: "user-agent", Value: "hookline-test/1"}},
	}
}

// deliver expects a Result.
func deliver(t *testing.T, tr transports.Transport, req *transports.Request) transports.Result {
	t.Helper()
	res, err := tr.Deliver(t.Context(), req)
	if err != nil {
		t.Fatalf("error %v, want a result", err)
	}
	if res.Took <= 0 || res.Took > req.Timeout+time.Second {
		t.Errorf("took %s with a timeout of %s", res.Took, req.Timeout)
	}
	return res
}

// want is what a case expects of a Result.
type want struct {
	outcome   transports.Outcome
	kind      transports.ErrorKind
	status    int
	truncated bool
}

func (w want) check(t *testing.T, res transports.Result) {
	t.Helper()
	got := want{res.Outcome, res.Kind, res.Status, res.Truncated}
	if got != w {
		t.Errorf("outcome, kind, status, truncated:\n got %s\nwant %s\nerror text: %s", got, w, res.Error)
	}
	if w.outcome == transports.Acknowledged && res.Error != "" {
		t.Errorf("acknowledged with error text %q", res.Error)
	}
	if w.outcome != transports.Acknowledged && res.Error == "" {
		t.Error("not acknowledged and no error text")
	}
}

func (w want) String() string {
	return fmt.Sprintf("%s %q %d %t", w.outcome, w.kind, w.status, w.truncated)
}

func yes(truncated bool) want {
	return want{transports.Acknowledged, transports.KindNone, 200, truncated}
}

func no(status int) want { return want{transports.Rejected, transports.KindStatus, status, false} }

func unreachable(k transports.ErrorKind) want {
	return want{outcome: transports.Unreachable, kind: k}
}

func late(k transports.ErrorKind) want { return want{outcome: transports.TimedOut, kind: k} }

// sameBytes reports where two bodies begin to differ instead of printing them.
func sameBytes(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	n := 0
	for n < len(got) && n < len(want) && got[n] == want[n] {
		n++
	}
	t.Errorf("%s: %d bytes, want %d, equal up to %d", what, len(got), len(want), n)
}

// field finds a response header.
func field(res transports.Result, name string) (string, bool) {
	for _, h := range res.Headers {
		if h.Name == name {
			return h.Value, true
		}
	}
	return "", false
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }

func serverTLS(cert tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}
