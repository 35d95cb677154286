package history

import (
	"context"
	"errors"
	"slices"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
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
//
// Deliveries that are pending, or that ended otherwise than succeeded, have lists of their own, so that few of them are
// found quickly among many; an AsOf in the past looks for pending ones among all.
func (h *History) Deliveries(ctx context.Context, q DeliveryQuery) (rows []DeliveryRow, next Position, err error) {
	span, err := h.span(q.Page, positionDeliveries, q.FromMS, q.ToMS)
	if err != nil || span.empty() {
		return nil, nil, err
	}
	if ok, err := h.owns(q.Tenant, q.Endpoint); !ok || err != nil {
		return nil, nil, err
	}
	// The checkpoint is read before the iterator is made: what that sees is at or after it.
	checkpoint := h.Checkpoint()
	c, err := h.deliveryCursor(span.desc, span.asOf)
	if err != nil {
		return nil, nil, err
	}
	from, err := h.candidates(ctx, &q, span, checkpoint, c)
	if err == nil {
		rows, next, err = q.collect(ctx, span.limit, c, from)
		if cerr := from.close(); err == nil {
			err = cerr
		}
	}
	if cerr := c.close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, nil, err
	}
	return rows, next, nil
}

// owns says whether an endpoint is, or was, the tenant's; 0 stands for all of them.
func (h *History) owns(tenant string, endpoint eventlog.Seq) (bool, error) {
	if endpoint == 0 {
		return true, nil
	}
	_, found, err := h.store.Get(appendTenantSeq(nil, keyEndpoint, tenant, endpoint), nil)
	return found, err
}

// checkEvery is how many keys are walked between two looks at the context.
const checkEvery = 1024

// collect reads candidates until the page is full, and one more to know whether there is one.
func (q *DeliveryQuery) collect(ctx context.Context, limit int, c *deliveryCursor, from stream) (rows []DeliveryRow, next Position, err error) {
	for n := 1; ; n++ {
		endpoint, ref, ok := from.next()
		if !ok {
			return rows, nil, nil
		}
		if n%checkEvery == 0 && ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		if q.Endpoint != 0 && endpoint != q.Endpoint || !c.read(endpoint, ref) || !q.matches(c) {
			continue
		}
		if len(rows) == limit {
			return rows, newPosition(positionDeliveries, rows[len(rows)-1].Ref), nil
		}
		rows = append(rows, c.full())
	}
}

func (q *DeliveryQuery) matches(c *deliveryCursor) bool {
	return (len(q.Status) == 0 || slices.Contains(q.Status, c.row.Status)) &&
		(q.Type == "" || string(c.typ) == q.Type) &&
		within(c.row.CreatedMS, q.FromMS, q.ToMS)
}

// candidates chooses the shortest list that has everything wanted in it.
func (h *History) candidates(ctx context.Context, q *DeliveryQuery, s span, checkpoint eventlog.Seq, c *deliveryCursor) (stream, error) {
	switch {
	case q.Event != 0:
		all, err := h.eventDeliveries(q.Tenant, q.Event)
		if s.desc {
			slices.Reverse(all)
		}
		return &listStream{all: all, span: s}, err
	case q.only(record.Exhausted, record.Skipped, record.Canceled):
		return c.refs(endedDeliveries(), q.Tenant, q.Endpoint, s)
	case q.only(record.Pending) && q.AsOf == 0 && checkpoint > h.fold.window.size():
		bound := checkpoint - h.fold.window.size() // the newest that may have left the window
		old, young := s, s
		if b := (record.Ref{Seq: bound, Ord: maxOrd}); before(b, old.hi) {
			old.hi = b
		}
		if b := (record.Ref{Seq: bound + 1}); before(young.lo, b) {
			young.lo = b
		}
		first, err := c.refs(waitingDeliveries(), q.Tenant, q.Endpoint, old)
		if err != nil {
			return nil, err
		}
		second, err := c.maybePending(ctx, q, young)
		if err != nil {
			return nil, errors.Join(err, first.close())
		}
		if s.desc {
			first, second = second, first
		}
		return &chain{first, second}, nil
	}
	return c.everything(ctx, q, s)
}

// everything is a stream without regard to status.
func (c *deliveryCursor) everything(ctx context.Context, q *DeliveryQuery, s span) (stream, error) {
	switch {
	case s.empty():
		return none{}, nil
	case q.Endpoint != 0:
		return c.all(q.Endpoint, s), nil
	}
	return c.allOf(q.Tenant, q.Type, s, func() error { return context.Cause(ctx) })
}

// maybePending is a stream of young deliveries without those that were acknowledged, as far as that is quickly seen: the
// few attempts since then are one short walk, a look at each delivery is some 10 µs.
func (c *deliveryCursor) maybePending(ctx context.Context, q *DeliveryQuery, s span) (stream, error) {
	if s.empty() || q.Endpoint != 0 {
		return c.everything(ctx, q, s)
	}
	letter := allAttempts().tenant
	it, err := c.it.Clone(appendTenantSeq(nil, letter, q.Tenant, s.lo.Seq), appendTenantSeq(nil, letter, q.Tenant, maxSeq))
	if err != nil {
		return nil, err
	}
	done := map[record.Ref]bool{}
	for ok := it.First(); ok; ok = it.Next() {
		f := fields{b: it.Value()}
		f.u()
		var a attemptValue
		if err := a.decode(f.b, lastSeq(it.Key())); err != nil {
			return nil, errors.Join(err, it.Close())
		}
		if a.outcome == acknowledged {
			done[a.delivery] = true
		}
	}
	if err := it.Close(); err != nil {
		return nil, err
	}
	t, err := c.allOf(q.Tenant, q.Type, s, func() error { return context.Cause(ctx) })
	if err != nil {
		return nil, err
	}
	t.skip = done
	return t, nil
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

// eventDelivery is a delivery of an event.
type eventDelivery struct {
	endpoint eventlog.Seq
	ref      record.Ref
}

// listStream yields what is in a list.
type listStream struct {
	all  []eventDelivery
	span span
}

func (l *listStream) next() (endpoint eventlog.Seq, ref record.Ref, ok bool) {
	for len(l.all) > 0 {
		d := l.all[0]
		l.all = l.all[1:]
		if !before(d.ref, l.span.lo) && !before(l.span.hi, d.ref) {
			return d.endpoint, d.ref, true
		}
	}
	return 0, ref, false
}

func (l *listStream) close() error { return nil }

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
	it, err := h.store.Iter(appendSeq([]byte{keyCreatedByEvent}, event), appendSeq([]byte{keyCreatedByEvent}, event+1))
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
