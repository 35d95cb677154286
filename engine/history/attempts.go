package history

import (
	"bytes"
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
	Outcome      uint8 // transports.Outcome
	FromMS, ToMS int64 // record time: from inclusive, to exclusive
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

// Attempts lists attempts by their records, newest first unless Ascending. next is nil at the end.
func (h *History) Attempts(ctx context.Context, q AttemptQuery) (rows []AttemptRow, next Position, err error) {
	limit := q.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	err = h.EachAttempt(ctx, q, func(a AttemptRow) bool {
		if len(rows) == limit {
			next = newPosition(positionAttempts, record.Ref{Seq: rows[len(rows)-1].Seq})
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
		if q.Outcome != 0 && row.Outcome != q.Outcome || !within(row.TimeMS, q.FromMS, q.ToMS) {
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
	l := allAttempts()
	if q.Outcome != 0 && q.Outcome != acknowledged {
		l = failedAttempts()
	}
	first, last := s.lo.Seq, s.hi.Seq
	if s.lo.Ord > 0 { // behind an attempt, which has no ordinals
		first++
	}
	if first > last {
		return nil
	}
	var lower, upper []byte
	if q.Endpoint != 0 {
		lower = appendEndpointSeq(nil, l.endpoint, q.Endpoint, first)
		upper = append(appendEndpointSeq(nil, l.endpoint, q.Endpoint, last), 0)
	} else {
		lower = appendTenantSeq(nil, l.tenant, q.Tenant, first)
		upper = append(appendTenantSeq(nil, l.tenant, q.Tenant, last), 0)
	}
	it, err := h.store.Iter(lower, upper)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, it.Close()) }()
	w := walk{it: it, desc: s.desc}
	for n := 1; w.next(); n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		value, endpoint := it.Value(), q.Endpoint
		if endpoint == 0 {
			f := fields{b: value}
			endpoint = eventlog.Seq(f.u())
			value = f.b
		}
		row, err := attemptRow(endpoint, lastSeq(it.Key()), value)
		if err != nil {
			return err
		}
		if !each(row) {
			return nil
		}
	}
	return nil
}

func attemptRow(endpoint, seq eventlog.Seq, value []byte) (AttemptRow, error) {
	var a attemptValue
	if err := a.decode(value, seq); err != nil {
		return AttemptRow{}, fmt.Errorf("attempt %d: %w", seq, err)
	}
	return AttemptRow{
		Seq: seq, Endpoint: endpoint, Delivery: a.delivery, Event: a.event, Number: a.number, Trigger: a.trigger,
		Outcome: a.outcome, StartedMS: a.started, TookMS: a.took, TimeMS: a.time,
	}, nil
}

// walkAttemptsOf reads the attempts of a delivery or an event: few enough to be put in order here.
func (h *History) walkAttemptsOf(ctx context.Context, q *AttemptQuery, s span, each func(AttemptRow) bool) (err error) {
	deliveries, err := h.deliveriesOf(q)
	if err != nil {
		return err
	}
	c, err := h.deliveryCursor(false, s.asOf)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, c.close()) }()
	type place struct{ endpoint, seq eventlog.Seq }
	var all []place
	for _, d := range deliveries {
		for seq := range c.attempts(d.endpoint, d.ref) {
			if at := (record.Ref{Seq: seq}); !before(at, s.lo) && !before(s.hi, at) {
				all = append(all, place{d.endpoint, seq})
			}
		}
	}
	slices.SortFunc(all, func(a, b place) int { return cmp.Compare(a.seq, b.seq) })
	if s.desc {
		slices.Reverse(all)
	}
	letter := allAttempts().endpoint
	it, err := c.it.Clone([]byte{letter}, []byte{letter + 1})
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, it.Close()) }()
	var key []byte
	for _, p := range all {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		key = appendEndpointSeq(key[:0], letter, p.endpoint, p.seq)
		if !it.SeekGE(key) || !bytes.Equal(it.Key(), key) {
			return cmp.Or(it.Err(), fmt.Errorf("%w: attempt %d is not listed", ErrMalformed, p.seq))
		}
		row, err := attemptRow(p.endpoint, p.seq, it.Value())
		if err != nil {
			return err
		}
		if !each(row) {
			return nil
		}
	}
	return nil
}

// deliveriesOf are the deliveries whose attempts are wanted.
func (h *History) deliveriesOf(q *AttemptQuery) ([]eventDelivery, error) {
	var all []eventDelivery
	if q.Delivery != (record.Ref{}) {
		endpoint, err := h.endpointOf(q.Tenant, q.Delivery)
		if err != nil || endpoint == 0 {
			return nil, err
		}
		d := eventDelivery{endpoint, q.Delivery}
		if q.Event == 0 {
			all = []eventDelivery{d}
		} else if row, found, err := h.Delivery(endpoint, q.Delivery); err != nil {
			return nil, err
		} else if found && row.Event == q.Event {
			all = []eventDelivery{d}
		}
	} else {
		var err error
		if all, err = h.eventDeliveries(q.Tenant, q.Event); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(all, func(d eventDelivery) bool { return q.Endpoint != 0 && d.endpoint != q.Endpoint }), nil
}

// attempts yields the seqs of a delivery's finished attempts, oldest first. The cursor must walk upwards.
func (c *deliveryCursor) attempts(endpoint eventlog.Seq, ref record.Ref) func(yield func(eventlog.Seq) bool) {
	return func(yield func(eventlog.Seq) bool) {
		if at, ok := c.step(endpoint, ref); !ok || at != ref {
			return
		}
		c.place = astray
		for c.it.Valid() {
			e, at, version, ok := c.parse()
			if !ok || e != endpoint || at != ref {
				return
			}
			if v := c.it.Value(); version <= c.asOf && len(v) > 0 && v[0] == versionAttempt && !yield(version) {
				return
			}
			c.it.Next()
		}
	}
}
