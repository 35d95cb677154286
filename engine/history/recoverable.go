package history

import (
	"bytes"
	"context"
	"errors"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// RecoverQuery selects the deliveries of an endpoint that a recovery makes anew, as they stood when Upto was the newest
// record: exhausted or skipped, and no later delivery of the same event to the endpoint is pending, succeeded, or
// selected itself. So an event is selected once, however often it failed.
type RecoverQuery struct {
	Tenant       string // required
	Endpoint     eventlog.Seq
	Upto         eventlog.Seq
	Status       []record.Status // of exhausted and skipped
	Types        func(eventType string) bool
	FromMS, ToMS int64      // record time of the creation: from inclusive, to exclusive
	After        record.Ref // begin behind this delivery; zero = at the oldest
}

// RecoverPage is a part of what is selected, oldest first.
type RecoverPage struct {
	Rows     []DeliveryRow
	Cursor   record.Ref // the next page begins behind it
	CursorMS int64      // when the delivery there was created
	End      bool       // there is no further one
}

// recoverLook is how many deliveries one page looks at.
const recoverLook = 20_000

// Recoverable reads a page of at most limit rows. It looks at a bounded number of deliveries, so that a page may have
// fewer rows, or none, and not be the end.
func (h *History) Recoverable(ctx context.Context, q RecoverQuery, limit int) (p RecoverPage, err error) {
	p.Cursor, p.End = q.After, true
	looked := 0
	err = h.recoverable(ctx, &q, func(c *deliveryCursor, selected bool) bool {
		if len(p.Rows) == limit || looked == recoverLook {
			p.End = false
			return false
		}
		looked++
		p.Cursor, p.CursorMS = c.row.Ref, c.row.CreatedMS
		if selected {
			p.Rows = append(p.Rows, c.full())
		}
		return true
	})
	return p, err
}

// CountRecoverable counts what is selected.
func (h *History) CountRecoverable(ctx context.Context, q RecoverQuery) (n uint64, err error) {
	err = h.recoverable(ctx, &q, func(_ *deliveryCursor, selected bool) bool {
		if selected {
			n++
		}
		return true
	})
	return n, err
}

// recoverable walks the endpoint's deliveries that ended without success, oldest first, and tells of each whether it is
// selected, until visit returns false. The delivery is in the cursor.
func (h *History) recoverable(ctx context.Context, q *RecoverQuery, visit func(c *deliveryCursor, selected bool) bool) (err error) {
	page := Page{Ascending: true, AsOf: q.Upto}
	if q.After.Seq != 0 {
		page.After = PositionOfDelivery(q.After)
	}
	span, err := h.span(page, positionDeliveries, q.FromMS, q.ToMS)
	if err != nil || span.empty() {
		return err
	}
	if ok, err := h.owns(q.Tenant, q.Endpoint); !ok || err != nil {
		return err
	}
	c, err := h.deliveryCursor(span.asOf)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	l, err := h.laterDeliveries(c, q)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	from, err := c.refs(endedDeliveries(), q.Tenant, q.Endpoint, span)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.close()) }()
	for n := 1; ; n++ {
		d, ok := from.next()
		if !ok {
			return c.err
		}
		if n%checkEvery == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !c.read(d) {
			continue
		}
		selected := q.selects(&c.row) && q.Types(string(c.typ))
		if selected {
			again, err := l.standIn(c.row.Event, d.ref)
			if err != nil {
				return err
			}
			selected = !again
		}
		if !visit(c, selected) {
			return c.err
		}
	}
}

// laterDeliveries finds the deliveries that were created after others of the same event.
type laterDeliveries struct {
	q   *RecoverQuery
	it  *projection.Iter // over v keys
	c   *deliveryCursor
	key []byte
}

// laterDeliveries reads the same state of the store as the cursor.
func (h *History) laterDeliveries(like *deliveryCursor, q *RecoverQuery) (*laterDeliveries, error) {
	it, err := like.it.Clone([]byte{keyCreatedByEvent}, []byte{keyCreatedByEvent + 1})
	if err != nil {
		return nil, err
	}
	c, err := h.deliveryCursor(like.asOf)
	if err != nil {
		return nil, errors.Join(err, it.Close())
	}
	return &laterDeliveries{q: q, it: it, c: c}, nil
}

func (l *laterDeliveries) close() error { return errors.Join(l.it.Close(), l.c.close()) }

// standIn says whether a later delivery of the event stands in for one: it is pending, succeeded, or selected itself.
func (l *laterDeliveries) standIn(event eventlog.Seq, ref record.Ref) (bool, error) {
	l.key = appendSeq(appendSeq(append(l.key[:0], keyCreatedByEvent), event), ref.Seq+1)
	for ok := l.it.SeekGE(l.key); ok && bytes.HasPrefix(l.it.Key(), l.key[:endpointLen]); ok = l.it.Next() {
		seq := lastSeq(l.it.Key())
		f := fields{b: l.it.Value()}
		endpoint := eventlog.Seq(f.u())
		if err := f.end("delivery of an event"); err != nil {
			return false, err
		}
		if endpoint != l.q.Endpoint || seq > l.c.asOf || !l.c.read(candidate{endpoint: endpoint, ref: record.Ref{Seq: seq}}) {
			continue
		}
		if s := l.c.row.Status; s == record.Pending || s == record.Succeeded || l.q.selects(&l.c.row) {
			return true, nil
		}
	}
	return false, l.c.err
}

// selects says whether a delivery is selected by what it is itself, but for its type.
func (q *RecoverQuery) selects(r *DeliveryRow) bool {
	for _, s := range q.Status {
		if r.Status == s {
			return within(r.CreatedMS, q.FromMS, q.ToMS)
		}
	}
	return false
}
