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
	checkpoint, waitsFrom := h.Checkpoint(), eventlog.Seq(h.waitsFrom.Load())
	c, err := h.deliveryCursor(span.asOf)
	if err != nil {
		return nil, nil, err
	}
	from, err := h.candidates(ctx, &q, span, checkpoint, waitsFrom, c)
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

// collect reads candidates until the page is full, and one more to know whether there is one.
func (q *DeliveryQuery) collect(ctx context.Context, limit int, c *deliveryCursor, from stream) (rows []DeliveryRow, next Position, err error) {
	for n := 1; ; n++ {
		d, ok := from.next()
		if !ok {
			return rows, nil, nil
		}
		if n%checkEvery == 0 && ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		if q.Endpoint != 0 && d.endpoint != q.Endpoint || !c.read(d) || !q.matches(c) {
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
func (h *History) candidates(ctx context.Context, q *DeliveryQuery, s span, checkpoint, waitsFrom eventlog.Seq, c *deliveryCursor) (stream, error) {
	switch {
	case q.Event != 0:
		all, err := h.eventDeliveries(q.Tenant, q.Event)
		if s.desc {
			slices.Reverse(all)
		}
		return &listStream{all: all, span: s}, err
	case q.only(record.Exhausted, record.Skipped, record.Canceled):
		return c.refs(endedDeliveries(), q.Tenant, q.Endpoint, s)
	case q.only(record.Pending) && q.AsOf == 0 && (checkpoint > h.fold.window.size() || waitsFrom > 1):
		bound := max(checkpoint-min(checkpoint, h.fold.window.size()), waitsFrom-min(waitsFrom, 1)) // up to here w keys say all
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
		second, err := h.maybePending(ctx, q, young, c)
		if err != nil {
			return nil, errors.Join(err, first.close())
		}
		if s.desc {
			first, second = second, first
		}
		return &chain{first, second}, nil
	}
	return h.everything(ctx, q, s, c)
}

// everything is a stream without regard to status.
func (h *History) everything(ctx context.Context, q *DeliveryQuery, s span, c *deliveryCursor) (stream, error) {
	switch {
	case s.empty():
		return none{}, nil
	case q.Endpoint != 0:
		return c.all(q.Endpoint, s), nil
	}
	return h.allOf(ctx, q, s, c)
}

// allOf is everything of a tenant. An event at either end of the span may have deliveries within.
func (h *History) allOf(ctx context.Context, q *DeliveryQuery, s span, c *deliveryCursor) (*tenantStream, error) {
	rows, err := h.rows(ctx, c.it, allRows(), q.Tenant, 0, s.lo.Seq, s.hi.Seq, s.desc)
	if err != nil {
		return nil, err
	}
	return &tenantStream{rows: rows, span: s, typ: q.Type}, nil
}

// maybePending is a stream of young deliveries without those that were acknowledged, as far as that is quickly seen: the
// few attempts since then are one short walk, a look at each delivery is some 10 µs.
func (h *History) maybePending(ctx context.Context, q *DeliveryQuery, s span, c *deliveryCursor) (stream, error) {
	if s.empty() {
		return none{}, nil
	}
	since, err := h.rows(ctx, c.it, allRows(), q.Tenant, q.Endpoint, s.lo.Seq, maxSeq, false)
	if err != nil {
		return nil, err
	}
	done := map[record.Ref]bool{}
	for r := since.next(); r != nil; r = since.next() {
		if r.isAttempt() && r.outcome == acknowledged {
			done[r.ref] = true
		}
	}
	if err := since.close(); err != nil {
		return nil, err
	}
	if q.Endpoint != 0 {
		e := c.all(q.Endpoint, s)
		e.skip = done
		return e, nil
	}
	t, err := h.allOf(ctx, q, s, c)
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

// listStream yields what is in a list.
type listStream struct {
	all  []candidate
	span span
}

func (l *listStream) next() (d candidate, ok bool) {
	for len(l.all) > 0 {
		d, l.all = l.all[0], l.all[1:]
		if !before(d.ref, l.span.lo) && !before(l.span.hi, d.ref) {
			return d, true
		}
	}
	return d, false
}

func (l *listStream) close() error { return nil }

// eventDeliveries are all deliveries of a tenant's event, oldest first.
func (h *History) eventDeliveries(tenant string, event eventlog.Seq) (all []candidate, err error) {
	r, err := h.tenantRow(tenant, event)
	if err != nil || r == nil || r.kind != rowEvent {
		return nil, err
	}
	for i := range r.count {
		all = append(all, candidate{endpoint: eventlog.Seq(r.endpoints.u()), ref: record.Ref{Seq: event, Ord: uint16(i)}})
	}
	it, err := h.store.Iter(appendSeq([]byte{keyCreatedByEvent}, event), appendSeq([]byte{keyCreatedByEvent}, event+1))
	if err != nil {
		return nil, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		f := fields{b: it.Value()}
		all = append(all, candidate{endpoint: eventlog.Seq(f.u()), ref: record.Ref{Seq: lastSeq(it.Key())}})
		if err := f.end("delivery of an event"); err != nil {
			_ = it.Close()
			return nil, err
		}
	}
	return all, it.Close()
}
