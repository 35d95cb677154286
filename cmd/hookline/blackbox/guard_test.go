package blackbox

import (
	"net"
	"testing"
	"time"
)

// Promise 10, section 11: a name that resolves to a forbidden address is taken at creation (names are not resolved then)
// and refused when connecting, for attempts and for test events alike: not one connection is made.
func TestGuardAtConnect(t *testing.T) {
	t.Parallel()
	if addrs, err := net.LookupHost("localhost"); err != nil || len(addrs) == 0 {
		t.Fatalf("this machine does not resolve localhost: %v", err)
	}
	r := &rig{rcv: newReceiver(t), server: startServer(t, serveOptions{manual: true, guarded: true})}
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	r.api.call(t, 422, "POST", n.path("/endpoints"), fields{"url": k.url}) // the literal, at creation
	k.url = "https://localhost:" + r.rcv.port() + k.path
	ep := n.endpoint(t, k, nil)
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	n.hasStatus(t, id, "pending", "", 1)
	a := n.attempts(t, "delivery_id", id)[0]
	equal(t, "attempt", row(a.Outcome, a.ErrorKind, a.Response == nil), row("unreachable", "refused_address", true))
	a = n.test(t, ep.ID, "domain.registered")
	equal(t, "test event", row(a.Outcome, a.ErrorKind, a.Response == nil), row("unreachable", "refused_address", true))
	r.advance(t, 5*time.Minute)
	n.hasStatus(t, id, "pending", "", 2)
	k.exactly(t, 0)
	equal(t, "connections", r.rcv.connections.Load(), int64(0))
}

// With the range allowed the same name is delivered to, under the name's certificate.
func TestGuardAllowed(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	k.url = "https://localhost:" + r.rcv.port() + k.path
	n.endpoint(t, k, nil)
	id := n.publish(t, sample("domain.registered", 1)).only(t)
	r.settle(t)
	equal(t, "host", k.exactly(t, 1)[0].host, "localhost:"+r.rcv.port())
	n.hasStatus(t, id, "succeeded", "", 1)
}

// The environment's proxy is not used (section 11).
func TestNoProxyFromEnvironment(t *testing.T) {
	t.Parallel()
	nowhere := "http://" + freeAddress(t)
	r := &rig{rcv: newReceiver(t), server: startServer(t, serveOptions{manual: true, env: []string{
		"HTTPS_PROXY=" + nowhere, "https_proxy=" + nowhere, "ALL_PROXY=" + nowhere, "NO_PROXY=",
	}})}
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	n.endpoint(t, k, nil)
	n.publish(t, sample("domain.registered", 1))
	r.settle(t)
	k.exactly(t, 1)
}
