package https

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hookline/hookline/transports"
)

// Transport makes attempts over HTTPS. See the package comment for what it promises.
type Transport struct {
	opts    Options
	policy  *Policy
	targets targets
	tls     *tls.Config
	pool    *pool
	bufs    buffers

	running context.Context // canceled by Close
	stop    context.CancelFunc

	mu     sync.RWMutex // held for reading while an attempt enters; Close waits on it before attempts
	closed bool
	under  sync.WaitGroup // attempts under way
}

var _ transports.Transport = (*Transport)(nil)

// New makes a Transport; the caller closes it. It fails on invalid options, an unreadable system trust store or a
// TrustPEM without a certificate.
func New(o Options) (*Transport, error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("https: the system's trusted certificates: %w", err)
	}
	if len(o.TrustPEM) > 0 && !roots.AppendCertsFromPEM(o.TrustPEM) {
		return nil, errors.New("https: trust_pem holds no certificate: give a PEM file with CERTIFICATE blocks")
	}
	policy := NewPolicy(o.AllowCIDR, o.AllowHTTP)
	t := &Transport{
		opts: o, policy: policy, targets: targets{policy: policy},
		pool: newPool(o.MaxIdle, o.MaxIdlePerHost),
		tls: &tls.Config{
			RootCAs:                     roots,
			MinVersion:                  tls.VersionTLS12,
			NextProtos:                  []string{"http/1.1"},
			ClientSessionCache:          tls.NewLRUClientSessionCache(sessionCacheSize),
			DynamicRecordSizingDisabled: true, // a body fits one record where it can: one write, one system call
		},
	}
	t.running, t.stop = context.WithCancel(context.Background())
	return t, nil
}

// CheckTarget is the Policy's.
func (t *Transport) CheckTarget(target string, httpsOnly bool) error {
	return t.policy.CheckTarget(target, httpsOnly)
}

// CloseIdle closes the connections nobody uses right now.
func (t *Transport) CloseIdle() { t.pool.closeIdle() }

// Close takes no more attempts, interrupts those under way (they return an error wrapping transports.ErrInterrupted
// unless an answer is already there) and waits for them. It may be called again.
func (t *Transport) Close() error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.stop()
	t.pool.shutdown()
	t.under.Wait()
	return nil
}

// enter counts an attempt in, unless the transport is closed.
func (t *Transport) enter() bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.closed {
		return false
	}
	t.under.Add(1)
	return true
}

// Deliver makes one attempt. ctx may only cut it short: canceled before an answer is there it is an error wrapping
// transports.ErrInterrupted, and so is a ctx deadline well before Request.Timeout. Without a Timeout, ctx's deadline is
// the budget.
func (t *Transport) Deliver(ctx context.Context, req *transports.Request) (transports.Result, error) {
	if !t.enter() {
		return transports.Result{}, fmt.Errorf("%w: the https transport is closed", transports.ErrInterrupted)
	}
	defer t.under.Done()
	a := attempt{t: t, ctx: ctx, req: req, start: time.Now(), budget: req.Timeout}
	if a.budget <= 0 {
		end, ok := ctx.Deadline()
		if !ok {
			return transports.Result{}, fmt.Errorf("%w: no timeout: set one, e.g. 30 s", ErrRequest)
		}
		a.budget = max(end.Sub(a.start), time.Nanosecond)
	}
	a.deadline = a.start.Add(a.budget)
	res, err := a.run()
	if err != nil {
		return transports.Result{}, err
	}
	res.Timings = a.timings
	res.Took = time.Since(a.start)
	return res, nil
}
