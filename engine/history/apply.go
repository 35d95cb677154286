package history

import (
	"fmt"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// sampleRecords is how many records one sample of record times stands for.
const sampleRecords = 256

// fold is what applying keeps between records. It belongs to the follower's goroutine.
type fold struct {
	window window
	lists  lists
	// waitsFrom is window.waitsFrom as of the commit under way, or the one before.
	waitsFrom eventlog.Seq
	key       []byte
	val       values

	published   record.EventPublished
	finished    record.AttemptFinished
	interrupted record.AttemptInterrupted
	created     record.DeliveryCreated
	ended       record.DeliveriesEnded
	released    record.DeliveryReleased
	subscribed  record.Subscription
}

func newFold(l layout) fold {
	return fold{window: window{slots: make([]slot, l.window), matches: l.matches}, lists: newLists(l)}
}

// Apply implements projection.View.
func (h *History) Apply(w *projection.Batch, b *eventlog.Batch) error {
	h.fold.lists.apply()
	return h.fold.records(w, b)
}

// Finish implements projection.Finisher.
func (h *History) Finish(w *projection.Batch) error {
	h.fold.lists.finish(w)
	h.waitsFrom.Store(uint64(h.fold.waitsFrom)) // of the commit before, which is done
	h.fold.waitsFrom = h.fold.window.waitsFrom()
	return nil
}

// RecallRecords implements projection.Recaller.
func (h *History) RecallRecords() eventlog.Seq {
	return max(h.fold.window.size(), h.fold.lists.partRun)
}

// Recall implements projection.Recaller: it fills the window and opens the parts of the present run.
func (h *History) Recall(b *eventlog.Batch) error {
	var nowhere projection.Batch
	err := h.fold.records(&nowhere, b)
	h.fold.lists.recall()
	return err
}

func (f *fold) records(w *projection.Batch, b *eventlog.Batch) error {
	for i := range b.Records {
		r := &b.Records[i]
		if err := f.apply(w, r); err != nil {
			return fmt.Errorf("history: record %d, %s: %w", r.Seq, record.Name(r.Type), err)
		}
	}
	return nil
}

func (f *fold) apply(w *projection.Batch, r *eventlog.Record) error {
	f.pass(w, r)
	if record.Changes(r.Type) {
		f.change(w, r)
	}
	switch r.Type {
	case record.TypeSubscriptionCreated, record.TypeSubscriptionUpdated:
		return f.subscriptionSet(w, r)
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

// pass does what every record does, whatever its type: runs end, the window moves on, time is sampled.
func (f *fold) pass(w *projection.Batch, r *eventlog.Record) {
	f.lists.pass(w, r.Seq)
	f.window.last = r.Seq
	if s := f.window.leave(r.Seq); s != nil {
		for ord, endpoint := range s.endpoints {
			if endpoint != 0 {
				f.setWaiting(w, s.tenant, endpoint, record.Ref{Seq: s.seq, Ord: uint16(ord)})
			}
		}
		s.waiting = 0
	}
	if r.Seq%sampleRecords == 0 {
		f.key = appendSeq(appendTime(f.key[:0], r.Time), r.Seq)
		w.Set(f.key, nil)
	}
}

func (f *fold) eventPublished(w *projection.Batch, r *eventlog.Record) error {
	p := &f.published
	if err := p.Decode(r.Facts); err != nil {
		return err
	}
	f.lists.row(w, listKey{letter: allRows().tenant, tenant: r.Tenant}, rowEvent, r).putEvent(p)
	f.key = appendSeq(appendEventID(f.key[:0], r.Tenant, p.ID), r.Seq)
	w.Set(f.key, nil)
	for i := range p.Matches {
		f.create(w, r, p.Matches[i].Endpoint, &creation{
			ord: uint16(i), event: r.Seq, max: p.Matches[i].MaxAttempts, due: max(p.NotBefore, r.Time), id: p.ID, typ: p.Type,
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
	if c.Recovery == 0 { // a recovery is one change, whatever number of deliveries it creates
		f.change(w, r)
	}
	f.create(w, r, c.Endpoint, &creation{
		event: c.Event, max: c.MaxAttempts, due: r.Time, resendOf: c.ResendOf, id: c.EventID, typ: c.EventType,
	})
	f.wait(w, r, 1, func(int) eventlog.Seq { return c.Endpoint })
	f.lists.row(w, listKey{letter: allRows().tenant, tenant: r.Tenant}, rowLater, r).putLater(c.Endpoint, c.Event)
	f.val = f.val[:0]
	f.val.u(uint64(c.Endpoint))
	f.key = appendSeq(appendSeq(append(f.key[:0], keyCreatedByEvent), c.Event), r.Seq)
	w.Set(f.key, f.val)
	return nil
}

func (f *fold) create(w *projection.Batch, r *eventlog.Record, endpoint eventlog.Seq, c *creation) {
	f.lists.row(w, listKey{letter: allRows().endpoint, endpoint: endpoint}, rowCreated, r).putCreated(c)
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
	if f.soon(r, a) {
		f.attempt(w, r, rowSuccess)
	} else {
		f.attempt(w, r, rowAttempt)
		f.val = f.val[:0]
		f.val.u8(versionAttempt)
		f.val.u8(byte(a.Status))
		f.val.u8(byte(a.Reason))
		f.val.u(uint64(a.Number))
		if a.Status == record.Pending {
			f.val.i(a.NextDue)
		}
		f.setVersion(w, a.Endpoint, a.Delivery, r.Seq)
	}
	if a.Status != record.Pending {
		f.end(w, r, a.Endpoint, a.Delivery, a.Status)
	}
	return nil
}

// soonRecords is how far behind its creation a delivery's success is looked for in the rows, when nothing else is known of
// it: that is read for one delivery that still waits.
const soonRecords = 2048

// soon says that an attempt ends its delivery the way most do: it succeeded soon after its creation. Then its row
// is all that is written, and whoever reads the delivery looks for it there.
func (f *fold) soon(r *eventlog.Record, a *record.AttemptFinished) bool {
	return a.Status == record.Succeeded && a.Reason == record.ReasonNone && a.Delivery.Seq < r.Seq &&
		a.Delivery.Seq+f.lists.soon > r.Seq
}

func (f *fold) endpointTested(w *projection.Batch, r *eventlog.Record) error {
	if err := f.finished.Decode(r.Facts); err != nil {
		return err
	}
	f.finished.Delivery, f.finished.Event = record.Ref{}, 0
	f.attempt(w, r, rowAttempt)
	return nil
}

// acknowledged is transports.Acknowledged, for ever: the number stands in records.
const acknowledged = 1

// attempt writes the attempt in f.finished.
func (f *fold) attempt(w *projection.Batch, r *eventlog.Record, kind rowKind) {
	f.setAttempt(w, r, allRows(), kind)
	if f.finished.Outcome != acknowledged {
		f.setAttempt(w, r, failedAttempts(), kind)
	}
}

func (f *fold) setAttempt(w *projection.Batch, r *eventlog.Record, l scopes, kind rowKind) {
	a := &f.finished
	f.lists.row(w, listKey{letter: l.endpoint, endpoint: a.Endpoint}, kind, r).putAttempt(a)
	p := f.lists.row(w, listKey{letter: l.tenant, tenant: r.Tenant}, kind, r)
	p.rows.u(uint64(a.Endpoint))
	p.putAttempt(a)
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
	if e.Reason == record.ReasonCanceledByUser {
		f.change(w, r)
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
