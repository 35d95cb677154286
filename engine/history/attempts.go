package history

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// AttemptQuery selects finished attempts of a tenant, test attempts included. Zero values select everything.
type AttemptQuery struct {
	Tenant       string // required
	Endpoint     eventlog.Seq
	Delivery     record.Ref
	Event        eventlog.Seq
	Sharing      []eventlog.Seq // other events that will do as well as Event: those that share its id
	Outcome      uint8          // transports.Outcome
	Failed       bool           // any outcome but acknowledged
	FromMS, ToMS int64          // record time: from inclusive, to exclusive
	Page
}

// AttemptRow is a finished attempt: the record at Seq says the rest.
type AttemptRow struct {
	Seq       eventlog.Seq
	Endpoint  eventlog.Seq
	Delivery  record.Ref   // zero for a test
	Event     eventlog.Seq // zero for a test
	Number    uint16
	Trigger   record.Trigger
	Outcome   uint8
	StartedMS int64  // Unix ms
	TookMS    uint32 // finished at StartedMS + TookMS
	TimeMS    int64  // record time, Unix ms
}

// Position is where a page ends whose last row this is.
func (a *AttemptRow) Position() Position {
	return newPosition(positionAttempts, record.Ref{Seq: a.Seq})
}

// Attempts lists attempts by their records, newest first unless Ascending. next is nil at the end.
func (h *History) Attempts(ctx context.Context, q AttemptQuery) (rows []AttemptRow, next Position, err error) {
	limit := q.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	err = h.EachAttempt(ctx, q, func(a AttemptRow) bool {
		if len(rows) == limit {
			next = rows[len(rows)-1].Position()
			return false
		}
		rows = append(rows, a)
		return true
	})
	if err != nil {
		return nil, nil, err
	}
	return rows, next, nil
}

// EachAttempt calls each for the attempts of a query in order, until it returns false; Limit does not count. Statistics
// read this way.
func (h *History) EachAttempt(ctx context.Context, q AttemptQuery, each func(AttemptRow) bool) error {
	span, err := h.span(q.Page, positionAttempts, q.FromMS, q.ToMS)
	if err != nil || span.empty() {
		return err
	}
	if ok, err := h.owns(q.Tenant, q.Endpoint); !ok || err != nil {
		return err
	}
	wanted := func(row AttemptRow) bool {
		if q.Outcome != 0 && row.Outcome != q.Outcome || q.Failed && row.Outcome == acknowledged || !within(row.TimeMS, q.FromMS, q.ToMS) {
			return true
		}
		return each(row)
	}
	if q.Delivery != (record.Ref{}) || q.Event != 0 {
		return h.walkAttemptsOf(ctx, &q, span, wanted)
	}
	return h.walkAttempts(ctx, &q, span, wanted)
}

// walkAttempts reads the attempts of an endpoint or a tenant.
func (h *History) walkAttempts(ctx context.Context, q *AttemptQuery, s span, each func(AttemptRow) bool) (err error) {
	l := allRows()
	if q.Failed || q.Outcome != 0 && q.Outcome != acknowledged {
		l = failedAttempts()
	}
	first := s.lo.Seq
	if s.lo.Ord > 0 { // behind an attempt, which has no ordinals
		first++
	}
	rows, err := h.rows(ctx, nil, l, q.Tenant, q.Endpoint, first, s.hi.Seq, s.desc)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, rows.close()) }()
	for r := rows.next(); r != nil; r = rows.next() {
		if r.isAttempt() && !each(r.attempt(q.Endpoint)) {
			return nil
		}
	}
	return nil
}

// walkAttemptsOf reads the attempts of a delivery or an event: few enough to be put in order here.
func (h *History) walkAttemptsOf(ctx context.Context, q *AttemptQuery, s span, each func(AttemptRow) bool) (err error) {
	deliveries, err := h.deliveriesOf(q)
	if err != nil {
		return err
	}
	c, err := h.deliveryCursor(s.asOf)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, c.close()) }()
	type place struct{ endpoint, seq eventlog.Seq }
	var all []place
	for _, d := range deliveries {
		for _, seq := range c.attempts(d.endpoint, d.ref) {
			if at := (record.Ref{Seq: seq}); !before(at, s.lo) && !before(s.hi, at) { // an attempt has no ordinals
				all = append(all, place{d.endpoint, seq})
			}
		}
	}
	slices.SortFunc(all, func(a, b place) int { return cmp.Compare(a.seq, b.seq) })
	if s.desc {
		slices.Reverse(all)
	}
	for _, p := range all {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		near := c.near.of(p.endpoint)
		if near == nil {
			return nil // close tells why
		}
		r := near.find(p.endpoint, p.seq)
		if r == nil || !r.isAttempt() {
			return cmp.Or(near.bad, fmt.Errorf("%w: attempt %d is not listed", ErrMalformed, p.seq))
		}
		if !each(r.attempt(p.endpoint)) {
			return nil
		}
	}
	return nil
}

// deliveriesOf are the deliveries whose attempts are wanted.
func (h *History) deliveriesOf(q *AttemptQuery) ([]candidate, error) {
	var all []candidate
	if q.Delivery != (record.Ref{}) {
		endpoint, err := h.endpointOf(q.Tenant, q.Delivery)
		if err != nil || endpoint == 0 {
			return nil, err
		}
		d := candidate{endpoint: endpoint, ref: q.Delivery}
		if q.Event == 0 {
			all = []candidate{d}
		} else if row, found, err := h.Delivery(endpoint, q.Delivery); err != nil {
			return nil, err
		} else if found && (row.Event == q.Event || slices.Contains(q.Sharing, row.Event)) {
			all = []candidate{d}
		}
	} else {
		for _, event := range append([]eventlog.Seq{q.Event}, q.Sharing...) {
			more, err := h.eventDeliveries(q.Tenant, event)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
	}
	return slices.DeleteFunc(all, func(d candidate) bool { return q.Endpoint != 0 && d.endpoint != q.Endpoint }), nil
}

// attempts are the seqs of a delivery's finished attempts, newest first.
func (c *deliveryCursor) attempts(endpoint eventlog.Seq, ref record.Ref) (seqs []eventlog.Seq) {
	near := c.near.of(endpoint)
	if c.created(near, endpoint, ref) == nil {
		return nil
	}
	if s, ok := near.success(ref); ok && s.seq <= c.asOf {
		seqs = append(seqs, s.seq)
	}
	for version, v := range c.versions(endpoint, ref) {
		if len(v) > 0 && v[0] == versionAttempt {
			seqs = append(seqs, version)
		}
	}
	return seqs
}
