package history

import (
	"context"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
)

// world writes random but valid histories to a log, as the engine might: it is the source of the property tests.
type world struct {
	t     *rapid.T
	log   *memlog.Log
	w     eventlog.Writer
	batch []eventlog.Record
	next  eventlog.Seq
	now   int64

	tenants   []string
	endpoints []*worldEndpoint
	live      []*worldDelivery // pending
	ended     []*worldDelivery
}

type worldEndpoint struct {
	tenant  string
	seq     eventlog.Seq
	deleted bool
}

type worldDelivery struct {
	ref      record.Ref
	event    eventlog.Seq
	endpoint *worldEndpoint
	id, typ  string
	made     uint16
	held     bool
	canceled bool
}

func newWorld(t *rapid.T) *world {
	w := &world{t: t, now: benchEpoch, tenants: []string{"a", "ab", "tenant-three"}}
	w.log = memlog.New(memlog.Options{Now: func() int64 { return w.now }})
	w.acquire()
	return w
}

func (w *world) acquire() {
	writer, err := w.log.Acquire(context.Background(), "world")
	if err != nil {
		w.t.Fatal(err)
	}
	w.w, w.next = writer, writer.Next()
}

func pick[T any](w *world, label string, from []T) T {
	return from[rapid.IntRange(0, len(from)-1).Draw(w.t, label)]
}

func (w *world) add(t eventlog.Type, tenant string, facts []byte) eventlog.Seq {
	w.batch = append(w.batch, eventlog.Record{Type: t, Time: w.now, Tenant: tenant, Facts: facts})
	w.next++
	return w.next - 1
}

// flush appends what waits as one batch.
func (w *world) flush() {
	if len(w.batch) == 0 {
		return
	}
	if err := w.w.Append(w.batch).Wait(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	w.batch = nil
}

// steps writes n random records and more, in batches of random size.
func (w *world) steps(n int) {
	for range n {
		w.step()
		if rapid.IntRange(0, 3).Draw(w.t, "cut") == 0 {
			w.flush()
		}
	}
	w.flush()
}

func (w *world) step() {
	switch d := rapid.IntRange(0, 60).Draw(w.t, "time"); {
	case d == 60:
		w.now += int64(rapid.IntRange(1, 30).Draw(w.t, "hours")) * 3_600_000
	case d > 20:
		w.now += int64(d)
	}
	switch op := rapid.IntRange(0, 30).Draw(w.t, "op"); {
	case op == 0 || len(w.endpoints) == 0:
		w.createEndpoint()
	case op == 1 && rapid.IntRange(0, 3).Draw(w.t, "delete") == 0:
		w.deleteEndpoint()
	case op == 2:
		w.testEndpoint()
	case op == 3:
		w.resend()
	case op == 4:
		w.endSome()
	case op == 5:
		w.interrupt()
	case op == 6:
		w.release()
	case op == 7: // what the view does not know
		w.add(pick(w, "type", []eventlog.Type{record.TypeTenantUpdated, 9999}), w.tenants[0], []byte{7, 7, 7})
	case op < 18 || len(w.live) == 0:
		w.publish()
	default:
		w.attempt()
	}
}

func (w *world) createEndpoint() {
	e := &worldEndpoint{tenant: pick(w, "tenant", w.tenants)}
	e.seq = w.add(record.TypeEndpointCreated, e.tenant, (&record.Endpoint{Number: 1, Transport: "https"}).AppendFacts(nil))
	w.endpoints = append(w.endpoints, e)
}

func (w *world) deleteEndpoint() {
	e := pick(w, "endpoint", w.endpoints)
	if e.deleted {
		return
	}
	e.deleted = true
	w.add(record.TypeEndpointDeleted, e.tenant, (&record.EndpointChange{Endpoint: e.seq}).AppendFacts(nil))
	w.end(record.TypeDeliveryCanceled, record.ReasonEndpointDeleted, e, len(w.live))
}

func (w *world) publish() {
	tenant := pick(w, "tenant", w.tenants)
	p := record.EventPublished{
		ID:   fmt.Sprintf("id-%d", rapid.IntRange(0, 20).Draw(w.t, "id")),
		Type: pick(w, "type", []string{"a.b", "a.b:c", "z"}),
	}
	if rapid.IntRange(0, 5).Draw(w.t, "later") == 0 {
		p.NotBefore = w.now + 5000
	}
	var created []*worldDelivery
	for _, e := range w.endpoints {
		if e.tenant == tenant && !e.deleted && rapid.IntRange(0, 2).Draw(w.t, "match") > 0 {
			p.Matches = append(p.Matches, record.Match{Endpoint: e.seq, MaxAttempts: 3, Subscriptions: []eventlog.Seq{1}})
			created = append(created, &worldDelivery{endpoint: e, id: p.ID, typ: p.Type})
		}
	}
	seq := w.add(record.TypeEventPublished, tenant, p.AppendFacts(nil))
	for i, d := range created {
		d.ref, d.event = record.Ref{Seq: seq, Ord: uint16(i)}, seq
	}
	w.live = append(w.live, created...)
}

func (w *world) resend() {
	if len(w.ended) == 0 {
		return
	}
	old := pick(w, "resend", w.ended)
	if old.endpoint.deleted {
		return
	}
	d := &worldDelivery{event: old.event, endpoint: old.endpoint, id: old.id, typ: old.typ}
	c := record.DeliveryCreated{Event: d.event, EventID: d.id, EventType: d.typ, Endpoint: d.endpoint.seq, MaxAttempts: 2}
	if rapid.Bool().Draw(w.t, "linked") {
		c.ResendOf = old.ref
	}
	d.ref.Seq = w.add(record.TypeDeliveryCreated, d.endpoint.tenant, c.AppendFacts(nil))
	w.live = append(w.live, d)
}

// take removes a delivery from the pending ones.
func (w *world) take(d *worldDelivery) {
	w.live = slices.DeleteFunc(w.live, func(x *worldDelivery) bool { return x == d })
	w.ended = append(w.ended, d)
}

func (w *world) attempt() {
	d := pick(w, "delivery", w.live)
	if len(w.ended) > 0 && rapid.IntRange(0, 9).Draw(w.t, "late") == 0 {
		d = w.ended[len(w.ended)-1] // it was in flight when its endpoint was deleted
		if !d.canceled {
			return
		}
	}
	d.made++
	took := uint32(rapid.IntRange(0, 9).Draw(w.t, "took"))
	a := record.AttemptFinished{
		Delivery: d.ref, Event: d.event, Endpoint: d.endpoint.seq, Number: d.made, Trigger: record.TriggerSchedule,
		StartedAt: w.now - int64(took) - 1, TookMS: took, Outcome: uint8(rapid.IntRange(1, 4).Draw(w.t, "outcome")),
		EventID: d.id, EventType: d.typ,
	}
	switch {
	case d.canceled:
		a.Status, a.Reason = record.Canceled, record.ReasonEndpointDeleted
	case a.Outcome == acknowledged:
		a.Status = record.Succeeded
		w.take(d)
	case d.made >= 3:
		a.Status, a.Reason = record.Exhausted, record.ReasonScheduleUsedUp
		w.take(d)
	default:
		a.Status, a.NextDue = record.Pending, w.now+1000*int64(d.made)
	}
	w.add(record.TypeAttemptFinished, d.endpoint.tenant, a.AppendFacts(nil))
}

func (w *world) testEndpoint() {
	e := pick(w, "endpoint", w.endpoints)
	a := record.AttemptFinished{
		Endpoint: e.seq, Number: 1, Trigger: record.TriggerTest, StartedAt: w.now - 3, TookMS: 3,
		Outcome: uint8(rapid.IntRange(1, 4).Draw(w.t, "outcome")), EventID: "test", EventType: "a.b",
	}
	w.add(record.TypeEndpointTested, e.tenant, a.AppendFacts(nil))
}

func (w *world) interrupt() {
	if len(w.live) == 0 {
		return
	}
	d := pick(w, "delivery", w.live)
	d.held = rapid.Bool().Draw(w.t, "held")
	a := record.AttemptInterrupted{Delivery: d.ref, Endpoint: d.endpoint.seq, Number: d.made + 1, Due: w.now + 77, Held: d.held}
	w.add(record.TypeAttemptInterrupted, d.endpoint.tenant, a.AppendFacts(nil))
}

func (w *world) release() {
	for _, d := range w.live {
		if d.held {
			d.held = false
			r := record.DeliveryReleased{Delivery: d.ref, Endpoint: d.endpoint.seq}
			w.add(record.TypeDeliveryReleased, d.endpoint.tenant, r.AppendFacts(nil))
			return
		}
	}
}

// endSome skips a few of an endpoint's pending deliveries, or cancels them.
func (w *world) endSome() {
	n := rapid.IntRange(1, 3).Draw(w.t, "n")
	if rapid.Bool().Draw(w.t, "skip") {
		w.end(record.TypeDeliverySkipped, record.ReasonSuppressed, pick(w, "endpoint", w.endpoints), n)
	} else {
		w.end(record.TypeDeliveryCanceled, record.ReasonCanceledByUser, pick(w, "endpoint", w.endpoints), n)
	}
}

func (w *world) end(t eventlog.Type, reason record.Reason, e *worldEndpoint, n int) {
	r := record.DeliveriesEnded{Endpoint: e.seq, Reason: reason}
	for _, d := range slices.Clone(w.live) {
		if d.endpoint == e && len(r.Deliveries) < n {
			r.Deliveries = append(r.Deliveries, d.ref)
			d.canceled = t == record.TypeDeliveryCanceled
			w.take(d)
		}
	}
	if len(r.Deliveries) > 0 {
		w.add(t, e.tenant, r.AppendFacts(nil))
	}
}

// records reads the whole log.
func (w *world) records() (all []eventlog.Record) {
	for r, err := range w.log.Read(context.Background(), 0) {
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}
