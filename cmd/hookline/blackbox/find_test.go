package blackbox

import (
	"fmt"
	"net/http"
	"testing"
)

// Events and deliveries are found by type, status, endpoint, id, text in metadata (which is sealed), and for having
// matched nothing (promise 6): the same over any page size, while others write.
func TestFind(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(200), fields{"event_types": []string{"domain.*"}})
	lost := map[string]bool{}
	for i := range 20 {
		e := sample([]string{"domain.registered", "invoice.paid"}[i%2], i)
		e.metadata = fmt.Sprintf(`{"order":"o-%02d","by":"secretly-kept"}`, i)
		if p := n.publish(t, e); i%2 == 1 {
			lost[p.UID] = true
		}
	}
	r.settle(t)
	k.exactly(t, 10)
	uids := func(query ...string) map[string]bool {
		t.Helper()
		all := map[string]bool{}
		path := n.path("/events") + "?limit=7"
		for i := 0; i < len(query); i += 2 {
			path += "&" + query[i] + "=" + query[i+1]
		}
		for next := ""; ; {
			var p page[kept]
			r.api.get(t, path+next, &p)
			for _, e := range p.Data {
				if all[e.UID] {
					t.Fatalf("%v: %s twice", query, e.UID)
				}
				all[e.UID] = true
			}
			n.publish(t, sample("server.created", 1000+len(all))) // somebody writes between the pages
			if p.Next == nil {
				return all
			}
			next = "&cursor=" + *p.Next
		}
	}
	got := uids("matched", "false", "type", "invoice.paid")
	equal(t, "unmatched", fmt.Sprint(got), fmt.Sprint(lost))
	equal(t, "matched", len(uids("matched", "true")), 10)
	equal(t, "by metadata", len(uids("metadata", "o-1")), 10)
	equal(t, "by metadata that is nowhere", len(uids("metadata", "o-99")), 0)
	equal(t, "by endpoint", len(uids("endpoint_id", ep.ID)), 10)
	equal(t, "by status", len(uids("status", "succeeded")), 10)
	equal(t, "by another status", len(uids("status", "exhausted")), 0)
	one := n.events(t, "metadata", "o-07")
	equal(t, "one", len(one), 1)
	equal(t, "by id", n.events(t, "id", one[0].ID)[0].UID, one[0].UID)
	equal(t, "by uid", n.events(t, "id", one[0].UID)[0].UID, one[0].UID)
	equal(t, "deliveries by metadata", len(n.deliveries(t, "metadata", "o-0", "status", "succeeded")), 5)
	r.api.post(t, http.StatusAccepted, n.path("/events/", one[0].UID, ":deliver"), fields{"endpoint_id": ep.ID}, nil)
	r.settle(t)
	equal(t, "by endpoint, delivered afterwards", len(uids("endpoint_id", ep.ID)), 11)
	for query, field := range map[string]string{"matched=perhaps": "matched", "metadata=": "metadata", "status=lost": "status", "id=": "id", "meta=x": "meta"} {
		if p := r.api.call(t, 422, "GET", n.path("/events?", query), nil).problem(t); !p.names(field) {
			t.Errorf("%s: %+v", query, p)
		}
	}
	r.stop(t)
	if file := fileWith(t, r.data, []byte("secretly-kept")); file != "" {
		t.Errorf("%s holds metadata in plain text", file)
	}
}
