package https

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/hookline/hookline/transports"
)

const (
	maxCandidates = 8               // addresses of one name that are tried
	minPerAddress = 2 * time.Second // what one address gets of the budget while others wait
)

// dial makes a fresh connection: look up, check every address, connect to them in turn, TLS.
func (t *Transport) dial(ctx context.Context, e *endpoint, deadline time.Time, tm *transports.Timings) (*conn, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	stop := context.AfterFunc(t.running, cancel)
	defer stop()

	addrs, err := t.lookup(ctx, e, tm)
	if err != nil {
		return nil, err
	}
	if addrs, err = t.policy.reachable(addrs); err != nil {
		return nil, err
	}
	start := time.Now()
	tcp, err := t.connect(ctx, addrs, e.port)
	tm.Connect = time.Since(start)
	if err != nil {
		return nil, err
	}
	c, err := newConn(e.key, tcp, &t.bufs)
	if err != nil {
		_ = tcp.Close()
		return nil, err
	}
	if e.tls {
		if err := t.handshake(ctx, c, e, tm); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (t *Transport) lookup(ctx context.Context, e *endpoint, tm *transports.Timings) ([]netip.Addr, error) {
	if e.addr.IsValid() {
		return []netip.Addr{e.addr}, nil
	}
	start := time.Now()
	addrs, err := t.opts.Resolver.LookupNetIP(ctx, "ip", e.host)
	tm.DNS = time.Since(start)
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no address", Name: e.host, IsNotFound: true}
	}
	if err != nil {
		return nil, &dnsError{host: e.host, err: err}
	}
	return addrs, nil
}

// dnsError marks a failed lookup; its text leaves out which name server was asked, that is the operator's business.
type dnsError struct {
	host string
	err  error
}

func (e *dnsError) Unwrap() error { return e.err }

func (e *dnsError) Error() string {
	var d *net.DNSError
	if errors.As(e.err, &d) && d.IsNotFound {
		return fmt.Sprintf("host %s has no address in DNS: check its spelling and its A and AAAA records", e.host)
	}
	return fmt.Sprintf("looking up host %s failed: its name servers do not answer properly", e.host)
}

// reachable leaves the addresses that may be connected to; if none may, the first refusal is the error.
func (p *Policy) reachable(addrs []netip.Addr) ([]netip.Addr, error) {
	var refusal error
	ok := make([]netip.Addr, 0, len(addrs))
	for _, a := range addrs {
		if err := p.guard.check(a); err != nil {
			if refusal == nil {
				refusal = err
			}
			continue
		}
		if len(ok) < maxCandidates {
			ok = append(ok, a.Unmap())
		}
	}
	if len(ok) == 0 {
		return nil, refusal
	}
	return ok, nil
}

// connect tries the addresses one after the other; each but the last gets its share of the budget, at least
// minPerAddress. When this process is out of descriptors the idle connections are given up for one more try.
func (t *Transport) connect(ctx context.Context, addrs []netip.Addr, port uint16) (*net.TCPConn, error) {
	var first error
	for i := 0; i < len(addrs); i++ {
		c, err := t.connectOne(ctx, netip.AddrPortFrom(addrs[i], port), len(addrs)-i)
		if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
			t.CloseIdle()
			c, err = t.connectOne(ctx, netip.AddrPortFrom(addrs[i], port), len(addrs)-i)
		}
		if err == nil {
			return c, nil
		}
		if first == nil || ours(err) {
			first = err
		}
		if ctx.Err() != nil {
			return nil, err
		}
	}
	return nil, first
}

func (t *Transport) connectOne(ctx context.Context, ap netip.AddrPort, left int) (*net.TCPConn, error) {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		share := max(time.Until(deadline)/time.Duration(left), minPerAddress)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, share)
		defer cancel()
	}
	d := net.Dialer{KeepAlive: -1} // idle connections are short-lived, busy ones have a deadline
	c, err := d.DialContext(ctx, "tcp", ap.String())
	if err != nil {
		return nil, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		_ = c.Close()
		return nil, fmt.Errorf("https: connection to %s is no TCP connection", ap)
	}
	return tcp, nil
}

// tlsError marks a failure after TCP stood and before TLS did.
type tlsError struct{ err error }

func (e *tlsError) Unwrap() error { return e.err }
func (e *tlsError) Error() string { return "TLS: " + e.err.Error() }

func (t *Transport) handshake(ctx context.Context, c *conn, e *endpoint, tm *transports.Timings) error {
	start := time.Now()
	cfg := t.tls.Clone()
	cfg.ServerName = e.host
	tc := tls.Client(c.wire, cfg)
	err := tc.HandshakeContext(ctx)
	tm.TLS = time.Since(start)
	if err != nil {
		return &tlsError{err}
	}
	c.nc = tc
	return nil
}
