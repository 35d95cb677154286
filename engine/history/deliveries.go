package history

import (
	"context"
	"slices"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// DeliveryQuery selects deliveries of a tenant. Zero values select everything.
type DeliveryQuery struct {
	Tenant       string // required
	Endpoint     eventlog.Seq
	Event        eventlog.Seq
	Type         string // exactly
	Status       []record.Status
	FromMS, ToMS int64 // record time of the creation: from inclusive, to exclusive
	Page
}

// Deliveries lists deliveries by the record that created them, newest first unless Ascending. next is nil at the end.
func (h *History) Deliveries(ctx context.Context, q DeliveryQuery) (rows []DeliveryRow, next Position, err error) {
	span, err := h.span(q.Page, positionDeliveries, q.FromMS, q.ToMS)
	if err != nil {
		return nil, nil, err
	}
	// The checkpoint is read before the iterator is made: what that sees is at or after it.
	checkpoint := h.Checkpoint()
	c, err := h.deliveryCursor(span.desc, span.asOf)
	if err != nil {
		return nil, nil, err
	}
	row := func(endpoint eventlog.Seq, at record.Ref) (bool, error) {
		if !c.read(endpoint, at) || !q.matches(c) {
			return c.err == nil, c.err
		}
		if len(rows) == span.limit {
			next = newPosition(positionDeliveries, rows[len(rows)-1].Ref)
			return false, nil
		}
		rows = append(rows, c.full())
		return true, nil
	}
	if q.Event != 0 {
		err = h.walkEvent(ctx, q.Tenant, q.Event, q.Endpoint, span, row)
	} else {
		err = h.walkDeliveries(ctx, &q, merge{span: span, index: c}, checkpoint, c, row)
	}
	if cerr := c.close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, nil, err
	}
	return rows, next, nil
}

func (q *DeliveryQuery) matches(c *deliveryCursor) bool {
	return (len(q.Status) == 0 || slices.Contains(q.Status, c.row.Status)) &&
		(q.Type == "" || string(c.typ) == q.Type) &&
		within(c.row.CreatedMS, q.FromMS, q.ToMS)
}

// walkDeliveries chooses the shortest list that has all the wanted statuses in it, and walks it over the endpoints.
func (h *History) walkDeliveries(ctx context.Context, q *DeliveryQuery, m merge, checkpoint eventlog.Seq, c *deliveryCursor,
	row func(eventlog.Seq, record.Ref) (bool, error)) (err error) {
	if m.sources, err = h.sources(q.Tenant, q.Endpoint, m.span.desc, true); err != nil {
		return err
	}
	var x *refCursor
	switch {
	case q.only(record.Exhausted, record.Skipped, record.Canceled):
		x, err = c.refs(keyEnded)
		m.index = x
	case q.only(record.Pending) && q.AsOf == 0:
		x, err = c.refs(keyWaiting)
		w := waitingIndex{old: x, young: c, desc: m.span.desc}
		if n := h.fold.window.size(); checkpoint > n {
			w.bound = checkpoint - n
		}
		m.index = &w
	}
	if err != nil {
		return err
	}
	if x == nil {
		return m.run(ctx, row)
	}
	defer x.it.Close()
	if err := m.run(ctx, row); err != nil {
		return err
	}
	return x.it.Err()
}

// only says that nothing but some of these statuses is wanted.
func (q *DeliveryQuery) only(these ...record.Status) bool {
	for _, s := range q.Status {
		if !slices.Contains(these, s) {
			return false
		}
	}
	return len(q.Status) > 0
}

// refCursor walks x or w keys: refs of an endpoint.
type refCursor struct {
	it     *projection.Iter
	letter byte
	desc   bool
	key    []byte
}

// refs returns a cursor over the same state of the store as c's.
func (c *deliveryCursor) refs(letter byte) (*refCursor, error) {
	it, err := c.it.Clone([]byte{letter}, []byte{letter + 1})
	if err != nil {
		return nil, err
	}
	return &refCursor{it: it, letter: letter, desc: c.desc}, nil
}

// step implements index.
func (c *refCursor) step(endpoint eventlog.Seq, at record.Ref) (record.Ref, bool) {
	c.key = appendEndpointRef(c.key[:0], c.letter, endpoint, at)
	if c.desc {
		c.key = append(c.key, 0) // `at` itself is before it
		c.it.SeekLT(c.key)
	} else {
		c.it.SeekGE(c.key)
	}
	if !c.it.Valid() || len(c.it.Key()) != deliveryLen || lastSeq(c.it.Key()[:endpointLen]) != endpoint {
		return at, false
	}
	return refAt(c.it.Key()[endpointLen:]), true
}

// waitingIndex finds deliveries that may be pending: old ones by their w keys, those created by the records after bound
// among all.
type waitingIndex struct {
	old   *refCursor
	young *deliveryCursor
	bound eventlog.Seq // the last old seq
	desc  bool
}

// step implements index.
func (w *waitingIndex) step(endpoint eventlog.Seq, at record.Ref) (record.Ref, bool) {
	if w.desc {
		if at.Seq > w.bound {
			if ref, ok := w.young.step(endpoint, at); ok && ref.Seq > w.bound {
				return ref, true
			}
			at = record.Ref{Seq: w.bound, Ord: maxOrd}
		}
		return w.old.step(endpoint, at)
	}
	if at.Seq <= w.bound {
		if ref, ok := w.old.step(endpoint, at); ok && ref.Seq <= w.bound {
			return ref, true
		}
		at = record.Ref{Seq: w.bound + 1}
	}
	return w.young.step(endpoint, at)
}

// eventDelivery is a delivery of an event.
type eventDelivery struct {
	endpoint eventlog.Seq
	ref      record.Ref
}

// eventDeliveries are all deliveries of a tenant's event, oldest first.
func (h *History) eventDeliveries(tenant string, event eventlog.Seq) (all []eventDelivery, err error) {
	value, found, err := h.store.Get(appendTenantSeq(nil, keyEvent, tenant, event), nil)
	if err != nil || !found {
		return nil, err
	}
	var e eventValue
	if err := e.decode(value); err != nil {
		return nil, err
	}
	for i := range e.count {
		all = append(all, eventDelivery{eventlog.Seq(e.endpoints.u()), record.Ref{Seq: event, Ord: uint16(i)}})
	}
	if err := e.endpoints.end("event"); err != nil {
		return nil, err
	}
	lower := appendSeq([]byte{keyByEvent}, event)
	it, err := h.store.Iter(lower, appendSeq([]byte{keyByEvent}, event+1))
	if err != nil {
		return nil, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		f := fields{b: it.Value()}
		all = append(all, eventDelivery{eventlog.Seq(f.u()), record.Ref{Seq: lastSeq(it.Key())}})
		if err := f.end("delivery of an event"); err != nil {
			_ = it.Close()
			return nil, err
		}
	}
	return all, it.Close()
}

// walkEvent calls row for an event's deliveries within a span, in its order.
func (h *History) walkEvent(ctx context.Context, tenant string, event, endpoint eventlog.Seq, span span,
	row func(eventlog.Seq, record.Ref) (bool, error)) error {
	all, err := h.eventDeliveries(tenant, event)
	if err != nil {
		return err
	}
	if span.desc {
		slices.Reverse(all)
	}
	for _, d := range all {
		if endpoint != 0 && d.endpoint != endpoint || before(d.ref, span.lo) || before(span.hi, d.ref) {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if more, err := row(d.endpoint, d.ref); err != nil || !more {
			return err
		}
	}
	return nil
}
