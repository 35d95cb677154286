package history

import (
	"fmt"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

const (
	dayMS = 24 * 60 * 60 * 1000
	// sampleRecords is how many records one sample of record times stands for.
	sampleRecords = 256
)

// fold is what applying keeps between records. It belongs to the follower's goroutine.
type fold struct {
	window window
	keys   *keyFilter
	day    int64 // whose predecessors' idempotency keys are dropped; -1 = none yet
	key    []byte
	val    values

	published   record.EventPublished
	finished    record.AttemptFinished
	interrupted record.AttemptInterrupted
	created     record.DeliveryCreated
	ended       record.DeliveriesEnded
	released    record.DeliveryReleased
}

func newFold(records, matches int) fold {
	return fold{window: window{make([]slot, records), matches}, keys: new(keyFilter), day: -1}
}

// Apply implements projection.View.
func (h *History) Apply(w *projection.Batch, b *eventlog.Batch) error {
	if err := h.begin(); err != nil {
		return err
	}
	for i := range b.Records {
		r := &b.Records[i]
		if err := h.fold.apply(w, r); err != nil {
			return fmt.Errorf("history: record %d, %s: %w", r.Seq, record.Name(r.Type), err)
		}
	}
	return nil
}

// begin fills the filter of idempotency keys before the first record is applied, when the store is all there is.
func (h *History) begin() error {
	if h.fold.keys.ready.Load() {
		return nil
	}
	return h.fold.keys.load(h.store)
}

// RecallRecords implements projection.Recaller.
func (h *History) RecallRecords() eventlog.Seq { return h.fold.window.size() }

// Recall implements projection.Recaller: it fills the window.
func (h *History) Recall(b *eventlog.Batch) error {
	if err := h.begin(); err != nil {
		return err
	}
	var nowhere projection.Batch
	for i := range b.Records {
		r := &b.Records[i]
		switch r.Type {
		case record.TypeEventPublished, record.TypeDeliveryCreated, record.TypeDeliverySkipped,
			record.TypeDeliveryCanceled, record.TypeAttemptFinished:
			if err := h.fold.apply(&nowhere, r); err != nil {
				return fmt.Errorf("history: record %d, %s: %w", r.Seq, record.Name(r.Type), err)
			}
		}
	}
	return nil
}

func (f *fold) apply(w *projection.Batch, r *eventlog.Record) error {
	f.pass(w, r)
	switch r.Type {
	case record.TypeEventPublished:
		return f.eventPublished(w, r)
	case record.TypeAttemptFinished:
		return f.attemptFinished(w, r)
	case record.TypeEndpointTested:
		return f.endpointTested(w, r)
	case record.TypeAttemptInterrupted:
		return f.attemptInterrupted(w, r)
	case record.TypeDeliveryCreated:
		return f.deliveryCreated(w, r)
	case record.TypeDeliverySkipped:
		return f.deliveriesEnded(w, r, record.Skipped)
	case record.TypeDeliveryCanceled:
		return f.deliveriesEnded(w, r, record.Canceled)
	case record.TypeDeliveryReleased:
		return f.deliveryReleased(w, r)
	case record.TypeEndpointCreated:
		f.key = appendTenantSeq(f.key[:0], keyEndpoint, r.Tenant, r.Seq)
		w.Set(f.key, nil)
	}
	return nil
}

// pass does what every record does, whatever its type: the window moves on, time is sampled, old idempotency keys go.
func (f *fold) pass(w *projection.Batch, r *eventlog.Record) {
	if s := f.window.leave(r.Seq); s != nil {
		for ord, endpoint := range s.endpoints {
			if endpoint != 0 {
				f.setWaiting(w, string(s.tenant), endpoint, record.Ref{Seq: s.seq, Ord: uint16(ord)})
			}
		}
		s.waiting = 0
	}
	if r.Seq%sampleRecords == 0 {
		f.key = appendSeq(appendTime(f.key[:0], r.Time), r.Seq)
		w.Set(f.key, nil)
	}
	if day := max(r.Time, 0) / dayMS; day > f.day {
		f.day = day
		if day > 1 {
			w.DeleteRange(appendDay(nil, 0), appendDay(nil, day-1))
		}
	}
}

func (f *fold) eventPublished(w *projection.Batch, r *eventlog.Record) error {
	p := &f.published
	if err := p.Decode(r.Facts); err != nil {
		return err
	}
	f.val = f.val[:0]
	f.val.i(r.Time)
	f.val.s(p.Type)
	f.val.u(uint64(len(p.Matches)))
	for i := range p.Matches {
		f.val.u(uint64(p.Matches[i].Endpoint))
	}
	f.key = appendTenantSeq(f.key[:0], keyEvent, r.Tenant, r.Seq)
	w.Set(f.key, f.val)

	f.key = appendSeq(appendEventID(f.key[:0], r.Tenant, p.ID), r.Seq)
	w.Set(f.key, nil)

	if p.HasDedupe {
		f.val = f.val[:0]
		(&dedupeValue{seq: r.Seq, time: r.Time, fingerprint: p.Fingerprint}).append(&f.val)
		day := max(r.Time, 0) / dayMS
		f.keys.add(day, p.Dedupe)
		f.key = appendDedupe(f.key[:0], day, r.Tenant, p.Dedupe)
		w.Set(f.key, f.val)
	}
	for i := range p.Matches {
		f.create(w, r, p.Matches[i].Endpoint, record.Ref{Seq: r.Seq, Ord: uint16(i)}, creation{
			event: r.Seq, max: p.Matches[i].MaxAttempts, due: max(p.NotBefore, r.Time), id: p.ID, typ: p.Type,
		})
	}
	f.wait(w, r, len(p.Matches), func(i int) eventlog.Seq { return p.Matches[i].Endpoint })
	return nil
}

func (f *fold) deliveryCreated(w *projection.Batch, r *eventlog.Record) error {
	c := &f.created
	if err := c.Decode(r.Facts); err != nil {
		return err
	}
	f.create(w, r, c.Endpoint, record.Ref{Seq: r.Seq}, creation{
		event: c.Event, max: c.MaxAttempts, due: r.Time, resendOf: c.ResendOf, id: c.EventID, typ: c.EventType,
	})
	f.wait(w, r, 1, func(int) eventlog.Seq { return c.Endpoint })
	f.val = f.val[:0]
	f.val.u(uint64(c.Endpoint))
	f.key = appendSeq(appendSeq(append(f.key[:0], keyCreatedByEvent), c.Event), r.Seq)
	w.Set(f.key, f.val)
	f.val.u(uint64(c.Event))
	f.key = appendTenantSeq(f.key[:0], keyCreated, r.Tenant, r.Seq)
	w.Set(f.key, f.val)
	return nil
}

// creation is what a delivery's first version holds.
type creation struct {
	event    eventlog.Seq
	max      uint8
	due      int64
	resendOf record.Ref
	id, typ  string
}

func (f *fold) create(w *projection.Batch, r *eventlog.Record, endpoint eventlog.Seq, ref record.Ref, c creation) {
	f.val = f.val[:0]
	f.val.u8(versionCreated)
	f.val.i(int64(r.Seq - c.event))
	f.val.u(uint64(c.max))
	f.val.i(c.due - r.Time)
	f.val.i(r.Time)
	f.val.u(uint64(c.resendOf.Seq))
	f.val.u(uint64(c.resendOf.Ord))
	f.val.s(c.id)
	f.val.s(c.typ)
	f.setVersion(w, endpoint, ref, r.Seq)
}

// wait notes n deliveries that a record created as waiting.
func (f *fold) wait(w *projection.Batch, r *eventlog.Record, n int, endpoint func(int) eventlog.Seq) {
	s := f.window.open(r.Seq, r.Tenant)
	for i := range n {
		if n <= f.window.matches {
			s.add(endpoint(i))
		} else {
			f.setWaiting(w, r.Tenant, endpoint(i), record.Ref{Seq: r.Seq, Ord: uint16(i)})
		}
	}
}

func (f *fold) setWaiting(w *projection.Batch, tenant string, endpoint eventlog.Seq, ref record.Ref) {
	f.setBoth(w, waitingDeliveries(), tenant, endpoint, ref)
}

// setBoth writes a delivery's keys in a list.
func (f *fold) setBoth(w *projection.Batch, l scopes, tenant string, endpoint eventlog.Seq, ref record.Ref) {
	f.key = appendEndpointRef(f.key[:0], l.endpoint, endpoint, ref)
	w.Set(f.key, nil)
	f.key = appendTenantRef(f.key[:0], l.tenant, tenant, ref)
	f.val = f.val[:0]
	f.val.u(uint64(endpoint))
	w.Set(f.key, f.val)
}

// end notes that a delivery does not wait any more.
func (f *fold) end(w *projection.Batch, r *eventlog.Record, endpoint eventlog.Seq, ref record.Ref, status record.Status) {
	if !f.window.ended(ref, r.Seq) {
		l := waitingDeliveries()
		f.key = appendEndpointRef(f.key[:0], l.endpoint, endpoint, ref)
		w.Delete(f.key)
		f.key = appendTenantRef(f.key[:0], l.tenant, r.Tenant, ref)
		w.Delete(f.key)
	}
	if status != record.Succeeded {
		f.setBoth(w, endedDeliveries(), r.Tenant, endpoint, ref)
	}
}

// setVersion writes f.val as what the record seq says about a delivery.
func (f *fold) setVersion(w *projection.Batch, endpoint eventlog.Seq, ref record.Ref, seq eventlog.Seq) {
	f.key = appendDelivery(f.key[:0], endpoint, ref, seq)
	w.Set(f.key, f.val)
}

func (f *fold) attemptFinished(w *projection.Batch, r *eventlog.Record) error {
	a := &f.finished
	if err := a.Decode(r.Facts); err != nil {
		return err
	}
	f.attempt(w, r)
	f.val = f.val[:0]
	f.val.u8(versionAttempt)
	f.val.u8(byte(a.Status))
	f.val.u8(byte(a.Reason))
	f.val.u(uint64(a.Number))
	if a.Status == record.Pending {
		f.val.i(a.NextDue)
	}
	f.setVersion(w, a.Endpoint, a.Delivery, r.Seq)
	if a.Status != record.Pending {
		f.end(w, r, a.Endpoint, a.Delivery, a.Status)
	}
	return nil
}

func (f *fold) endpointTested(w *projection.Batch, r *eventlog.Record) error {
	if err := f.finished.Decode(r.Facts); err != nil {
		return err
	}
	f.finished.Delivery, f.finished.Event = record.Ref{}, 0
	f.attempt(w, r)
	return nil
}

// acknowledged is transports.Acknowledged, for ever: the number stands in records.
const acknowledged = 1

// attempt writes the attempt in f.finished.
func (f *fold) attempt(w *projection.Batch, r *eventlog.Record) {
	a := &f.finished
	f.setAttempt(w, r, allAttempts())
	if a.Outcome != acknowledged {
		f.setAttempt(w, r, failedAttempts())
	}
}

func (f *fold) setAttempt(w *projection.Batch, r *eventlog.Record, l scopes) {
	a := &f.finished
	f.val = f.val[:0]
	f.val.u(uint64(a.Endpoint))
	n := len(f.val)
	(&attemptValue{
		outcome: a.Outcome, trigger: a.Trigger, number: a.Number, delivery: a.Delivery, event: a.Event,
		started: a.StartedAt, took: a.TookMS, time: r.Time,
	}).append(&f.val, r.Seq)
	f.key = appendTenantSeq(f.key[:0], l.tenant, r.Tenant, r.Seq)
	w.Set(f.key, f.val)
	f.key = appendEndpointSeq(f.key[:0], l.endpoint, a.Endpoint, r.Seq)
	w.Set(f.key, f.val[n:])
}

func (f *fold) attemptInterrupted(w *projection.Batch, r *eventlog.Record) error {
	a := &f.interrupted
	if err := a.Decode(r.Facts); err != nil {
		return err
	}
	f.val = f.val[:0]
	f.val.u8(versionInterrupted)
	if a.Held {
		f.val.u8(1)
	} else {
		f.val.u8(0)
	}
	f.val.u(uint64(a.Number))
	f.val.i(a.Due)
	f.setVersion(w, a.Endpoint, a.Delivery, r.Seq)
	return nil
}

func (f *fold) deliveriesEnded(w *projection.Batch, r *eventlog.Record, status record.Status) error {
	e := &f.ended
	if err := e.Decode(r.Facts); err != nil {
		return err
	}
	for _, ref := range e.Deliveries {
		f.val = append(f.val[:0], versionEnded, byte(status), byte(e.Reason))
		f.setVersion(w, e.Endpoint, ref, r.Seq)
		f.end(w, r, e.Endpoint, ref, status)
	}
	return nil
}

func (f *fold) deliveryReleased(w *projection.Batch, r *eventlog.Record) error {
	if err := f.released.Decode(r.Facts); err != nil {
		return err
	}
	f.val = f.val[:0]
	f.val.u8(versionReleased)
	f.val.i(r.Time)
	f.setVersion(w, f.released.Endpoint, f.released.Delivery, r.Seq)
	return nil
}
