package https_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookline/hookline/transports"
	"github.com/hookline/hookline/transports/https"
	"github.com/hookline/hookline/transports/transporttest"
)

// names is a resolver without a network.
type names map[string][]string

func (n names) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	if host == "slow.example" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	list, ok := n[host]
	if !ok {
		return nil, errors.New("server misbehaving at 10.0.0.53")
	}
	var out []netip.Addr
	for _, a := range list {
		out = append(out, netip.MustParseAddr(a))
	}
	return out, nil
}

func newTransport(t *testing.T, o https.Options) *https.Transport {
	t.Helper()
	tr, err := https.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

// Section 11: names are judged by what they resolve to when connecting (DNS rebinding included), and the next address is
// tried where one does not answer.
func TestResolved(t *testing.T) {
	ca := transporttest.NewCA(t)
	r := transporttest.NewReceiverTLS(t, nil, transporttest.OK())
	port := r.URL[strings.LastIndexByte(r.URL, ':') : len(r.URL)-len("/in")]
	tr := newTransport(t, https.Options{
		AllowCIDR: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("127.0.0.9/32")}, AllowHTTP: true, TrustPEM: ca.PEM,
		Resolver: names{
			"good.example": {"127.0.0.1"}, "second.example": {"127.0.0.9", "127.0.0.1"}, "mixed.example": {"169.254.169.254", "10.0.0.1", "::ffff:127.0.0.1"},
			"private.example": {"10.0.0.1", "127.0.0.2"}, "none.example": {},
		},
	})
	for host, want := range map[string]transports.ErrorKind{
		"good.example": "", "second.example": "", "mixed.example": "", "private.example": transports.KindRefusedAddress,
		"none.example": transports.KindDNS, "unknown.example": transports.KindDNS, "slow.example": transports.KindTimeoutConnect,
	} {
		req := exampleRequest("http://"+host+port+"/", nil)
		if host == "slow.example" {
			req.Timeout = 200 * time.Millisecond
		}
		res, err := tr.Deliver(t.Context(), req)
		if err != nil || res.Kind != want || (res.Outcome == transports.TimedOut) != (host == "slow.example") {
			t.Errorf("%s: %s %q %v, want kind %q", host, res.Outcome, res.Kind, err, want)
		}
		if strings.Contains(res.Error, "10.0.0.53") {
			t.Errorf("%s: %q names our name server", host, res.Error)
		}
		if want == "" && res.Timings.DNS <= 0 {
			t.Errorf("%s: no time for DNS", host)
		}
	}
}

// Close interrupts what is under way, at once and without a Result, and takes nothing more.
func TestClose(t *testing.T) {
	ca := transporttest.NewCA(t)
	const n = 10
	arrived := make(chan struct{}, n)
	r := transporttest.NewReceiver(t, ca, func(x *transporttest.Exchange) bool {
		arrived <- struct{}{}
		<-x.Stopped
		return false
	})
	tr := newTransport(t, https.Options{AllowCIDR: transporttest.Loopback(), TrustPEM: ca.PEM})
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if res, err := tr.Deliver(context.Background(), exampleRequest(r.URL, nil)); !errors.Is(err, transports.ErrInterrupted) {
				t.Errorf("%s, %v; want ErrInterrupted", res.Outcome, err)
			}
		})
	}
	for range n {
		<-arrived
	}
	start := time.Now()
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("closing took %s", d)
	}
	if _, err := tr.Deliver(context.Background(), exampleRequest(r.URL, nil)); !errors.Is(err, transports.ErrInterrupted) {
		t.Errorf("after Close: %v", err)
	}
	if err := tr.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// Attempts and Close in any order: no deadlock, no panic, every attempt ends.
func TestCloseRace(t *testing.T) {
	ca := transporttest.NewCA(t)
	r := transporttest.NewReceiver(t, ca, transporttest.OK())
	for range 20 {
		tr := newTransport(t, https.Options{AllowCIDR: transporttest.Loopback(), TrustPEM: ca.PEM})
		var wg sync.WaitGroup
		first := make(chan struct{}, 8)
		for range 8 {
			wg.Go(func() {
				for {
					res, err := tr.Deliver(context.Background(), exampleRequest(r.URL, nil))
					select {
					case first <- struct{}{}:
					default:
					}
					if err != nil {
						if !errors.Is(err, transports.ErrInterrupted) {
							t.Errorf("error %v", err)
						}
						return
					}
					if res.Outcome != transports.Acknowledged {
						t.Errorf("%s %s: closing counted against the receiver", res.Outcome, res.Error)
					}
				}
			})
		}
		<-first
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	}
}

func TestSettings(t *testing.T) {
	o := https.Options{AllowCIDR: transporttest.Loopback(), AllowHTTP: true, TrustPEM: []byte("x"), MaxIdle: 5, IdleTimeout: time.Second}
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	back, err := https.ParseOptions(raw)
	if err != nil || back.AllowCIDR[0] != o.AllowCIDR[0] || !back.AllowHTTP || string(back.TrustPEM) != "x" || back.MaxIdle != 5 || back.IdleTimeout != time.Second {
		t.Errorf("%+v, %v", back, err)
	}
	for _, s := range []string{`{"allow_htpp":true}`, `[]`, `{} {}`, `{"allow_cidr":["10.0.0.0"]}`} {
		if _, err := https.ParseOptions([]byte(s)); err == nil {
			t.Errorf("%s: accepted", s)
		}
	}
	for _, o := range []https.Options{{MaxIdle: -1}, {MaxIdle: 1, MaxIdlePerHost: 2}, {IdleTimeout: -1}, {TrustPEM: []byte("no certificate")}, {AllowCIDR: []netip.Prefix{{}}}} {
		if _, err := https.New(o); err == nil {
			t.Errorf("%+v: accepted", o)
		}
	}
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal(https.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	full, _ := json.Marshal(https.Options{AllowCIDR: transporttest.Loopback(), AllowHTTP: true, TrustPEM: []byte("x"), MaxIdle: 1, MaxIdlePerHost: 1, IdleTimeout: 1, MaxAnnouncedIdle: 1})
	if err := json.Unmarshal(full, &fields); err != nil {
		t.Fatal(err)
	}
	for name := range fields {
		if schema.Properties[name] == nil {
			t.Errorf("schema lacks %s", name)
		}
	}
	if len(fields) != len(schema.Properties) {
		t.Errorf("%d settings, %d in the schema", len(fields), len(schema.Properties))
	}
}

// CloseIdle ends what idles and nothing else; the caps hold.
func TestIdleConnections(t *testing.T) {
	ca := transporttest.NewCA(t)
	arrived, gate := make(chan struct{}), make(chan struct{})
	r := transporttest.NewReceiver(t, ca, func(x *transporttest.Exchange) bool {
		arrived <- struct{}{}
		<-gate
		return transporttest.OK()(x)
	})
	tr := newTransport(t, https.Options{AllowCIDR: transporttest.Loopback(), TrustPEM: ca.PEM, MaxIdlePerHost: 3})
	round := func(n int) {
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				if res, err := tr.Deliver(context.Background(), exampleRequest(r.URL, nil)); err != nil || res.Outcome != transports.Acknowledged {
					t.Errorf("%s %v", res.Error, err)
				}
			})
		}
		for range n { // all at once: each has a connection of its own
			<-arrived
		}
		for range n {
			gate <- struct{}{}
		}
		wg.Wait()
	}
	round(8)
	round(3)
	if n := r.Connections(); n != 8 {
		t.Errorf("%d connections after 8 and 3 attempts at once, want 8: three were kept", n)
	}
	tr.CloseIdle()
	round(1)
	if n := r.Connections(); n != 9 {
		t.Errorf("%d connections after CloseIdle, want 9", n)
	}
}
