package blackbox

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Promise 6: what nobody subscribed to is kept, listed, found by id and uid, and can be delivered later.
func TestUnmatchedIsKept(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n := r.tenant(t, "acme", "osir")
	p := n.publish(t, sample("domain.registered", 1))
	equal(t, "matches", len(p.Matched), 0)
	n.publish(t, sample("domain.renewed", 2))
	all := n.events(t)
	equal(t, "events, newest first", row(len(all), all[0].Type, all[1].Type), row(2, "domain.renewed", "domain.registered"))
	equal(t, "by type", n.events(t, "type", "domain.registered")[0].UID, p.UID)
	for _, name := range []string{p.ID, p.UID} {
		var e kept
		r.api.get(t, n.path("/events/", name), &e)
		equal(t, "event", row(e.ID, e.UID, e.Type), row(p.ID, p.UID, "domain.registered"))
	}
	k := r.rcv.sink("later", always(200))
	ep := n.endpoint(t, k, fields{"event_types": []string{"server.created"}}) // would not match either
	var d delivery
	r.api.post(t, http.StatusAccepted, n.path("/events/", p.UID, ":deliver"), fields{"endpoint_id": ep.ID}, &d)
	equal(t, "delivery", row(d.EventUID, d.EndpointID), row(p.UID, ep.ID))
	r.settle(t)
	k.exactly(t, 1)
	n.hasStatus(t, d.ID, "succeeded", "", 1)
	n.act(t, ep.ID, "disable")
	r.api.call(t, http.StatusConflict, "POST", n.path("/events/", p.UID, ":deliver"), fields{"endpoint_id": ep.ID})
}

// Cursors: while others write, every item that was there at the start comes exactly once, newest first.
func TestCursorsUnderWrites(t *testing.T) {
	t.Parallel()
	r := realRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	n.endpoint(t, k, nil)
	there := map[string]bool{}
	for i := range 60 {
		there[n.publish(t, sample("a.b", i)).UID] = true
	}
	k.await(t, 60, late)
	poll(t, late, func() string { // an attempt is there once its record is, not when its request arrives
		if got := len(n.attempts(t)); got < 60 {
			return row(got, "of 60 attempts recorded")
		}
		return ""
	})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := 1000; ; i++ {
			select {
			case <-stop:
				return
			case <-tick.C:
				_, _ = r.api.send("POST", n.path("/events"), sample("a.b", i).json())
			}
		}
	})
	defer wg.Wait()
	defer close(stop)
	for _, what := range []string{"/events", "/deliveries", "/attempts"} {
		for _, limit := range []int{3, 50, 250} {
			seen := map[string]bool{}
			cursor, found := "", 0
			for {
				var p page[struct {
					UID, ID  string
					EventUID string `json:"event_uid"`
				}]
				r.api.get(t, n.path(what, fmt.Sprintf("?limit=%d&cursor=%s", limit, cursor)), &p)
				if len(p.Data) > limit {
					t.Fatalf("%s: %d items with limit=%d", what, len(p.Data), limit)
				}
				for _, it := range p.Data {
					name := it.ID
					if what == "/events" {
						name = it.UID
					}
					if seen[name] {
						t.Fatalf("%s, limit=%d: %s came twice", what, limit, name)
					}
					seen[name] = true
					if there[it.UID] || there[it.EventUID] {
						found++
					}
				}
				if p.Next == nil || *p.Next == "" {
					break
				}
				cursor = *p.Next
			}
			if what == "/attempts" { // they name their event by id only
				found = min(len(seen), 60)
			}
			equal(t, row("of the first 60 in", what, "with limit", limit), found, 60)
		}
	}
}

// Read your writes: X-Log-Seq stands on every answer, and a read with X-Min-Seq sees that write; one from the future is 503.
func TestReadYourWrites(t *testing.T) {
	t.Parallel()
	r, n, _, ep := osirRig(t, always(200), nil)
	seqOf := func(got *reply) uint64 {
		t.Helper()
		seq, err := strconv.ParseUint(got.header.Get("X-Log-Seq"), 10, 64)
		if err != nil || seq == 0 {
			t.Fatalf("%s: X-Log-Seq %q", got.asked, got.header.Get("X-Log-Seq"))
		}
		return seq
	}
	for i := range 50 {
		got := r.api.call(t, 202, "POST", n.path("/events"), sample("a.b", i).json())
		var p published
		got.into(t, &p)
		if seq := seqOf(got); seq < p.Seq {
			t.Fatalf("X-Log-Seq %d of a publish with seq %d", seq, p.Seq)
		}
		var newest page[kept]
		seen := r.api.do(t, "GET", n.path("/events?limit=1"), nil, "X-Min-Seq: "+got.header.Get("X-Log-Seq"))
		seen.into(t, &newest)
		equal(t, "newest event", newest.Data[0].UID, p.UID)
		if seqOf(seen) < p.Seq {
			t.Fatalf("X-Log-Seq %d of a read after seq %d", seqOf(seen), p.Seq)
		}
		equal(t, "its delivery", r.api.do(t, "GET", n.path("/deliveries/", p.only(t)), nil).status, 200)
	}
	for _, path := range []string{n.path("/endpoints"), n.path("/endpoints/", ep.ID), "/v1/tenants", "/v1/log/status"} {
		seqOf(r.api.get(t, path, nil))
	}
	seqOf(r.api.call(t, 404, "GET", n.path("/endpoints/none"), nil))
	seqOf(r.api.call(t, 422, "POST", n.path("/events"), `{"type":"a..b","data":{}}`))
	began := time.Now()
	got := r.api.do(t, "GET", n.path("/events"), nil, "X-Min-Seq: 1000000000")
	if took := time.Since(began); got.status != 503 || took > soon {
		t.Errorf("a read of what has not happened: %d after %v, want 503 after about 2 s", got.status, took)
	}
}

// Filters of the lists: each parameter selects, and together they narrow.
func TestListSelections(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n := r.tenant(t, "acme", "osir")
	good, bad := r.rcv.sink("good", always(200)), r.rcv.sink("bad", always(500))
	eg, eb := n.endpoint(t, good, nil), n.endpoint(t, bad, nil)
	p := n.publish(t, sample("domain.registered", 1))
	r.settle(t)
	middle := r.advance(t, time.Hour)
	n.publish(t, sample("domain.renewed", 2))
	r.settle(t)
	for query, want := range map[string]int{
		"endpoint_id=" + eg.ID: 2, "endpoint_id=" + eb.ID: 2, "event_id=" + p.ID: 2, "event_type=domain.renewed": 2,
		"status=succeeded": 2, "status=pending": 2, "status=exhausted": 0, "status=pending&endpoint_id=" + eg.ID: 0,
		"from=" + middle.Format(time.RFC3339): 2, "to=" + middle.Format(time.RFC3339): 2,
	} {
		var got page[delivery]
		r.api.get(t, n.path("/deliveries?", query), &got)
		equal(t, query, len(got.Data), want)
	}
	for query, want := range map[string]int{
		"outcome=acknowledged": 2, "outcome=rejected": 4, "endpoint_id=" + eb.ID: 4, "outcome=timed_out": 0,
	} {
		var got page[attempt]
		r.api.get(t, n.path("/attempts?", query), &got)
		equal(t, query, len(got.Data), want)
	}
}
