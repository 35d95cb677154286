package blackbox

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// API.md, Identity: the same publish again is the first answer with "duplicate": true; another one under its name is 409.
func TestIdempotency(t *testing.T) {
	t.Parallel()
	r, n, k, _ := osirRig(t, always(200), nil)
	base := event{typ: "invoice.paid", data: `{"n":1}`, actor: `{"id":"a"}`, metadata: `{"m":"1"}`, occurredAt: "2026-01-01T00:00:00Z"}
	with := func(change func(*event)) event { e := base; change(&e); return e }
	cases := []struct {
		name          string
		first, second event
		header        [2]string // Idempotency-Key of each
		conflict      bool
		fresh         bool // the second is an event of its own
	}{
		{name: "no key, no id", first: base, second: base, fresh: true},
		{name: "key field", first: with(func(e *event) { e.key = "k1" }), second: with(func(e *event) { e.key = "k1" })},
		{name: "key header", first: base, second: base, header: [2]string{"k2", "k2"}},
		{name: "header, then field", first: base, second: with(func(e *event) { e.key = "k3" }), header: [2]string{"k3", ""}},
		{name: "header and field agree", first: with(func(e *event) { e.key = "k4" }), second: with(func(e *event) { e.key = "k4" }), header: [2]string{"k4", "k4"}},
		{name: "other key", first: base, second: base, header: [2]string{"k5", "k6"}, fresh: true},
		{name: "type and id", first: with(func(e *event) { e.id = "evt_a1" }), second: with(func(e *event) { e.id = "evt_a1" })},
		{name: "id, another type", first: with(func(e *event) { e.id = "evt_a2" }), second: with(func(e *event) { e.id, e.typ = "evt_a2", "invoice.created" }), fresh: true},
		{name: "id, other data", first: with(func(e *event) { e.id = "evt_a3" }), second: with(func(e *event) { e.id, e.data = "evt_a3", `{"n":2}` }), conflict: true},
		{name: "key, other data", first: with(func(e *event) { e.key = "k7" }), second: with(func(e *event) { e.key, e.data = "k7", `{"n":2}` }), conflict: true},
		{name: "key, other bytes of the same data", first: with(func(e *event) { e.key = "k8" }), second: with(func(e *event) { e.key, e.data = "k8", `{"n": 1}` }), conflict: true},
		{name: "key, other type", first: with(func(e *event) { e.key = "k9" }), second: with(func(e *event) { e.key, e.typ = "k9", "invoice.created" }), conflict: true},
		{name: "key, other actor", first: with(func(e *event) { e.key = "k10" }), second: with(func(e *event) { e.key, e.actor = "k10", `{"id":"b"}` }), conflict: true},
		{name: "key, other metadata", first: with(func(e *event) { e.key = "k11" }), second: with(func(e *event) { e.key, e.metadata = "k11", `{"m":"2"}` }), conflict: true},
		{name: "key, other occurred_at", first: with(func(e *event) { e.key = "k12" }), second: with(func(e *event) { e.key, e.occurredAt = "k12", "2026-01-02T00:00:00Z" }), conflict: true},
		{name: "key, payload instead of data", first: with(func(e *event) { e.key = "k13" }), second: with(func(e *event) { e.key, e.payload, e.data = "k13", `{"n":1}`, "" }), conflict: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			headers := func(key string) []string {
				if key == "" {
					return nil
				}
				return []string{"Idempotency-Key: " + key}
			}
			first := n.publish(t, c.first, headers(c.header[0])...)
			equal(t, "duplicate of the first", first.Duplicate, false)
			r.settle(t)
			had := k.count()
			if c.conflict {
				r.api.call(t, http.StatusConflict, "POST", n.path("/events"), c.second.json(), headers(c.header[1])...)
			} else {
				second := n.publish(t, c.second, headers(c.header[1])...)
				equal(t, "duplicate", second.Duplicate, !c.fresh)
				if !c.fresh {
					sameAnswer(t, second, first)
				}
			}
			r.settle(t)
			want := had
			if c.fresh {
				want++
			}
			k.exactly(t, want)
		})
	}
}

// sameAnswer demands the first answer again: ids, place in the log and matches.
func sameAnswer(t testing.TB, second, first published) {
	t.Helper()
	equal(t, "answer to a duplicate", row(second.ID, second.UID, second.Seq, fmt.Sprintf("%+v", second.Matched)),
		row(first.ID, first.UID, first.Seq, fmt.Sprintf("%+v", first.Matched)))
}

// Exact over restarts: after SIGTERM and after kill -9, by key and by (type, id), and until 24 h have passed.
func TestIdempotencyAcrossRestart(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(200), nil)
	var events []event
	var answers []published
	for i := range 20 {
		e := sample("invoice.paid", i)
		if i%2 == 0 {
			e.key = fmt.Sprintf("key-%d", i)
		} else {
			e.id = fmt.Sprintf("evt_%d", i)
		}
		events, answers = append(events, e), append(answers, n.publish(t, e))
	}
	r.settle(t)
	k.exactly(t, 20)
	again := func() {
		t.Helper()
		for i, e := range events {
			p := n.publish(t, e)
			equal(t, "duplicate", p.Duplicate, true)
			sameAnswer(t, p, answers[i])
			e.data = `{"other":true}`
			r.api.call(t, http.StatusConflict, "POST", n.path("/events"), e.json())
		}
		r.settle(t)
		k.exactly(t, 20)
	}
	again()
	r.kill9(t)
	r.start(t)
	r.restarted()
	again()
	r.stop(t)
	r.start(t)
	r.restarted()
	n.act(t, ep.ID, "disable") // the first answer, not a new decision
	again()
	n.act(t, ep.ID, "enable")
	r.advance(t, 24*time.Hour+time.Minute)
	equal(t, "duplicate after the window", n.publish(t, events[0]).Duplicate, false)
}

// The same key from many publishers at once is one event.
func TestIdempotencyConcurrent(t *testing.T) {
	t.Parallel()
	r, n, k, _ := osirRig(t, always(200), nil)
	e := sample("invoice.paid", 1)
	e.key = "one"
	replies := make([]*reply, 16)
	errs := make([]error, len(replies))
	var wg sync.WaitGroup
	for i := range replies {
		wg.Go(func() { replies[i], errs[i] = r.api.send("POST", n.path("/events"), e.json()) })
	}
	wg.Wait()
	uids, firsts := map[string]bool{}, 0
	for i, got := range replies {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		var p published
		got.into(t, &p)
		equal(t, "status", got.status, http.StatusAccepted)
		uids[p.UID] = true
		if !p.Duplicate {
			firsts++
		}
	}
	equal(t, "different uids, first answers", row(len(uids), firsts), row(1, 1))
	r.settle(t)
	k.exactly(t, 1)
}
