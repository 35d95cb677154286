package blackbox

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// rate_limit: attempts a second, by engine time; what is over it waits and none is dropped; another endpoint of the same
// tenant does not wait.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	r, n, limited, ep := osirRig(t, always(200), fields{"rate_limit": 4})
	free := r.rcv.sink("free", always(200))
	n.endpoint(t, free, nil)
	for i := range 30 {
		n.publish(t, sample("domain.registered", i))
	}
	r.settle(t)
	limited.exactly(t, 1)
	free.exactly(t, 30)
	r.advance(t, 2*time.Second)
	limited.exactly(t, 9)
	r.kill9(t)
	r.start(t)
	r.restarted()
	var got struct {
		Limit *int `json:"rate_limit"`
	}
	r.api.get(t, n.path("/endpoints/", ep.ID), &got)
	if got.Limit == nil || *got.Limit != 4 {
		t.Fatalf("rate_limit after a restart: %v", got.Limit)
	}
	r.advance(t, 10*time.Second)
	limited.exactly(t, 30)
	free.exactly(t, 30)
	equal(t, "left", len(n.deliveries(t, "status", "pending")), 0)
	for _, bad := range []any{0, -1, 10_001, "4"} {
		if p := r.api.call(t, 422, "PATCH", n.path("/endpoints/", ep.ID), fields{"rate_limit": bad}).problem(t); !p.names("rate_limit") {
			t.Errorf("%v: %+v", bad, p)
		}
	}
	r.api.patch(t, 200, n.path("/endpoints/", ep.ID), fields{"rate_limit": nil}, &got)
	if got.Limit != nil {
		t.Errorf("rate_limit taken away: %d", *got.Limit)
	}
}

// By the real clock too: 20 at 10 a second take some two seconds.
func TestRateLimitRealClock(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	n.endpoint(t, k, fields{"rate_limit": 10})
	for i := range 20 {
		n.publish(t, sample("domain.registered", i))
	}
	got := k.await(t, 20, late)
	if took := got[19].at.Sub(got[0].at); took < 1800*time.Millisecond || took > 5*time.Second {
		t.Errorf("20 at 10/s took %v, want 1.9 s", took)
	}
}

// Custom headers: sent with attempts and tests, shown back, never in place of what hookline sets.
func TestCustomHeaders(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(200), fields{"headers": fields{"X-Team": "red", "Authorization": "Bearer of-the-customer"}})
	n.publish(t, sample("domain.registered", 1))
	r.settle(t)
	n.test(t, ep.ID, "invoice.paid")
	for _, q := range k.exactly(t, 2) {
		if q.header.Get("X-Team") != "red" || q.header.Get("Authorization") != "Bearer of-the-customer" || len(q.header.Get("X-Osir-Signature")) != 64 {
			t.Errorf("headers %v", q.header)
		}
	}
	for _, a := range n.attempts(t) {
		if !a.hasHeader("x-team", "red") {
			t.Errorf("attempt shows %v", a.Request.Headers)
		}
	}
	var shown struct{ Headers map[string]string }
	r.api.patch(t, 200, n.path("/endpoints/", ep.ID), fields{"headers": fields{"Authorization": nil, "X-More": "1"}}, &shown)
	equal(t, "patched", row(len(shown.Headers), shown.Headers["X-Team"], shown.Headers["X-More"]), row(2, "red", "1"))
	for name, value := range map[string]string{"Host": "elsewhere.example", "content-length": "3", "Content-Type": "text/plain", "transfer-encoding": "chunked",
		"Connection": "close", "X-OSIR-Signature": "0", "Idempotency-Key": "k", "User-Agent": "x", "two words": "x", "x-cr": "a\r\nb", "x-long": strings.Repeat("x", 4097)} {
		p := r.api.call(t, 422, "PATCH", n.path("/endpoints/", ep.ID), fields{"headers": fields{name: value}}).problem(t)
		if !p.names("headers." + name) {
			t.Errorf("%s: %+v", name, p)
		}
	}
	for _, bad := range []any{[]string{"x"}, fields{"x": 1}, "x"} {
		if p := r.api.call(t, 422, "PATCH", n.path("/endpoints/", ep.ID), fields{"headers": bad}).problem(t); !p.names("headers") {
			t.Errorf("%v: %+v", bad, p)
		}
	}
	r.stop(t)
	if found := fileWith(t, r.data, []byte("of-the-customer")); found != "" {
		t.Fatalf("%s holds a header's value in plain text", found)
	}
	r.start(t)
	r.restarted()
	r.api.get(t, n.path("/endpoints/", ep.ID), &shown)
	equal(t, "after a restart", shown.Headers["X-Team"], "red")

	most := fields{"X-Team": nil, "X-More": nil} // as many and as long as are taken
	for i := range 20 {
		most[fmt.Sprintf("x-own-%d", i)] = strings.Repeat("v", 4096)
	}
	r.api.patch(t, 200, n.path("/endpoints/", ep.ID), fields{"headers": most}, nil)
	had := k.count()
	n.publish(t, sample("domain.registered", 2))
	r.settle(t)
	got := k.exactly(t, had+1)[had]
	for i := range 20 {
		equal(t, "length of a header", len(got.header.Get(fmt.Sprintf("x-own-%d", i))), 4096)
	}
	r.api.call(t, 422, "PATCH", n.path("/endpoints/", ep.ID), fields{"headers": fields{"x-own-20": "v"}})
}
