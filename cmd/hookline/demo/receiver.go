package demo

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookline/hookline/cmd/hookline/demo/authority"
)

// maxBody bounds what a receiver reads, in bytes: four times the server's own cap of a payload.
const maxBody = 1 << 20

// Counts are what the receivers saw. On purpose are answers that the demo spoiled by itself.
type Counts struct {
	Requests  uint64 // in all
	Accepted  uint64 // verified and answered 200
	Refused   uint64 // signature or envelope not as the provider's document says: a defect
	OnPurpose uint64 // answered 500, or hung up
	Slow      uint64 // answered 200 after a while; counted in Accepted too
}

// receiver is one customer's: a port of its own, a path for each hook.
type receiver struct {
	customer *customer
	seed     uint64
	base     string // https://127.0.0.1:port
	server   *http.Server
	serving  sync.WaitGroup
	stop     context.CancelFunc // ends slow answers
	refused  func(key string, err error)

	mu      sync.Mutex
	secrets map[string]string // by hook
	seen    map[string]uint64 // requests by hook

	counts struct{ requests, accepted, refused, onPurpose, slow atomic.Uint64 }
}

// startReceiver listens at a remembered port, or at a free one when that is 0 or taken.
func startReceiver(ca *authority.Authority, c *customer, port int, r *receiver) (int, error) {
	ip := net.IPv4(127, 0, 0, 1)
	cert, err := ca.Leaf(ip)
	if err != nil {
		return 0, err
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(ip.String(), strconv.Itoa(port)))
	if err != nil && port != 0 {
		ln, err = net.Listen("tcp", net.JoinHostPort(ip.String(), "0"))
	}
	if err != nil {
		return 0, fmt.Errorf("demo: receiver of %s: %w", c.tenant, err)
	}
	port = ln.Addr().(*net.TCPAddr).Port
	ctx, cancel := context.WithCancel(context.Background())
	r.customer, r.stop, r.base = c, cancel, "https://"+ln.Addr().String()
	r.seen = map[string]uint64{}
	r.server = &http.Server{
		Handler:           http.HandlerFunc(r.serve),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       5 * time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // a server that is killed leaves broken handshakes: no news
	}
	conf := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	r.serving.Go(func() { r.server.Serve(tls.NewListener(ln, conf)) })
	return port, nil
}

// close waits up to 3 s for answers under way.
func (r *receiver) close() error {
	r.stop()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	err := r.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = r.server.Close()
	}
	r.serving.Wait()
	return err
}

func (r *receiver) url(h *hook) string { return r.base + "/" + h.name }

func (r *receiver) setSecret(hook, secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets[hook] = secret
}

func (r *receiver) serve(w http.ResponseWriter, req *http.Request) {
	r.counts.requests.Add(1)
	var h *hook
	for i := range r.customer.hooks {
		if req.URL.Path == "/"+r.customer.hooks[i].name {
			h = &r.customer.hooks[i]
		}
	}
	if h == nil || req.Method != http.MethodPost {
		http.NotFound(w, req)
		return
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(http.MaxBytesReader(w, req.Body, maxBody)); err != nil {
		return
	}
	key := r.customer.tenant + "/" + h.name
	r.mu.Lock()
	secret, n := r.secrets[h.name], r.seen[h.name]
	r.seen[h.name]++
	r.mu.Unlock()
	f, wait := fateOf(r.seed, key, n, h.temper)
	switch f {
	case failing:
		r.counts.onPurpose.Add(1)
		http.Error(w, "the demo fails on purpose", http.StatusInternalServerError)
		return
	case hangingUp:
		r.counts.onPurpose.Add(1)
		panic(http.ErrAbortHandler) // net/http's way to drop the connection without an answer
	case slow:
		r.counts.slow.Add(1)
		if !pause(req.Context(), wait) {
			return
		}
	}
	if err := r.check(req.Header, body.Bytes(), secret); err != nil {
		r.counts.refused.Add(1)
		r.refused(key, err)
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	r.counts.accepted.Add(1)
	io.WriteString(w, "OK")
}

func (r *receiver) check(h http.Header, body []byte, secret string) error {
	if ct := h.Get("Content-Type"); ct != "application/json" { // O-8, D-17
		return fmt.Errorf("content-type %q: want application/json", ct)
	}
	if r.customer.profile == "osir" {
		return checkOSIR(h, body, secret)
	}
	return checkDNSimple(h, body)
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
