package blackbox

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"
)

// Promise 7: endpoints that hang (100 of them, 500 with HOOKLINE_SLOW=1, with work in every slot of their lanes and more
// waiting) delay no other, in another tenant or in the same. Not parallel: it judges latency.
func TestHangingEndpointsDelayNobody(t *testing.T) {
	r := realRig(t)
	never := make(chan struct{})
	bad, good := r.tenant(t, "bad", "osir"), r.tenant(t, "good", "osir")
	hanging := r.rcv.sink("hanging", held(never))
	many := 100
	if os.Getenv("HOOKLINE_SLOW") == "1" {
		many = 500
	}
	for range many {
		bad.endpoint(t, hanging, fields{"event_types": []string{"the.flood"}, "timeout": "60s"})
	}
	same, other := r.rcv.sink("same", always(200)), r.rcv.sink("other", always(200))
	bad.endpoint(t, same, fields{"event_types": []string{"server.created"}})
	good.endpoint(t, other, nil)
	for i := range 10 {
		equal(t, "matches", len(bad.publish(t, sample("the.flood", i)).Matched), many)
	}
	hanging.await(t, many, late)
	for i := range 20 {
		for _, c := range []struct {
			n *tenant
			k *sink
		}{{bad, same}, {good, other}} {
			had, began := c.k.count(), time.Now()
			c.n.publish(t, sample("server.created", i))
			got := c.k.await(t, had+1, soon)[had]
			if took := got.at.Sub(began); took > time.Second {
				t.Errorf("event %d reached %s after %v, want at most 1 s", i, c.k.path, took)
			}
		}
	}
	// At most a lane's width reached each hanging endpoint: the default is 8.
	if got := hanging.count(); got > many*8 {
		t.Errorf("the hanging endpoints got %d requests at once, want at most %d", got, many*8)
	}
	// Management stays quick too, and ending what hangs needs no patience.
	began := time.Now()
	r.api.delete(t, http.StatusNoContent, bad.path())
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("deleting the hanging tenant took %v", took)
	}
	r.kill9(t)
}

// A lane is as wide as its endpoint says, never wider, and the order of publishing does not decide who waits.
func TestConcurrencyIsKept(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	release := make(chan struct{})
	n := r.tenant(t, "acme", "osir")
	narrow, wide := r.rcv.sink("narrow", held(release)), r.rcv.sink("wide", held(release))
	n.endpoint(t, narrow, fields{"concurrency": 1})
	n.endpoint(t, wide, fields{"concurrency": 20})
	for i := range 20 {
		n.publish(t, sample("a.b", i))
	}
	wide.await(t, 20, soon)
	narrow.only(t, 1, soon)
	close(release)
	narrow.only(t, 20, late)
	poll(t, soon, func() string {
		if got := len(n.deliveries(t, "status", "succeeded")); got != 40 {
			return fmt.Sprintf("%d deliveries succeeded, want 40", got)
		}
		return ""
	})
}
