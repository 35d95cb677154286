package history

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
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
	letter := byte(keyAttempt)
	if q.Outcome != 0 && q.Outcome != acknowledged {
		letter = keyFailed
	}
	c, err := h.attemptCursor(letter, span.desc)
	if err != nil {
		return err
	}
	row := func(endpoint eventlog.Seq, at record.Ref) (bool, error) {
		if ok, err := c.read(endpoint, at.Seq); !ok || err != nil {
			return true, err
		}
		if q.Outcome != 0 && c.row.Outcome != q.Outcome || !within(c.row.TimeMS, q.FromMS, q.ToMS) {
			return true, nil
		}
		return each(c.row), nil
	}
	if q.Delivery != (record.Ref{}) || q.Event != 0 {
		err = h.walkAttemptsOf(ctx, &q, span, row)
	} else {
		var sources []source
		if sources, err = h.sources(q.Tenant, q.Endpoint, span.desc, false); err == nil {
			err = (&merge{span: span, sources: sources, index: c}).run(ctx, row)
		}
	}
	if cerr := c.it.Close(); err == nil {
		err = cerr
	}
	return err
}

// walkAttemptsOf calls row for the attempts of a delivery or an event: few enough to be put in order here.
func (h *History) walkAttemptsOf(ctx context.Context, q *AttemptQuery, span span,
	row func(eventlog.Seq, record.Ref) (bool, error)) error {
	deliveries, err := h.deliveriesOf(q)
	if err != nil {
		return err
	}
	c, err := h.deliveryCursor(false, span.asOf)
	if err != nil {
		return err
	}
	type place struct{ endpoint, seq eventlog.Seq }
	var all []place
	for _, d := range deliveries {
		for seq := range c.attempts(d.endpoint, d.ref) {
			if at := (record.Ref{Seq: seq}); !before(at, span.lo) && !before(span.hi, at) {
				all = append(all, place{d.endpoint, seq})
			}
		}
	}
	if err := c.close(); err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b place) int { return cmp.Compare(a.seq, b.seq) })
	if span.desc {
		slices.Reverse(all)
	}
	for _, p := range all {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if more, err := row(p.endpoint, record.Ref{Seq: p.seq}); err != nil || !more {
			return err
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

// attemptCursor walks a or f keys.
type attemptCursor struct {
	it     *projection.Iter
	letter byte
	desc   bool
	key    []byte

	// As in deliveryCursor.
	place    cursorPlace
	endpoint eventlog.Seq
	at       eventlog.Seq

	row AttemptRow
}

func (h *History) attemptCursor(letter byte, desc bool) (*attemptCursor, error) {
	it, err := h.store.Iter([]byte{letter}, []byte{letter + 1})
	if err != nil {
		return nil, err
	}
	return &attemptCursor{it: it, letter: letter, desc: desc}, nil
}

// step implements index. Attempts have no ordinal: their refs have 0.
func (c *attemptCursor) step(endpoint eventlog.Seq, at record.Ref) (record.Ref, bool) {
	seq := at.Seq
	switch {
	case c.place == past && c.endpoint == endpoint && c.desc && at.Seq == c.at-1:
	case c.place == past && c.endpoint == endpoint && !c.desc && at == record.Ref{Seq: c.at, Ord: 1}:
	case c.desc:
		c.key = append(appendEndpointSeq(c.key[:0], c.letter, endpoint, seq), 0)
		c.it.SeekLT(c.key)
	default:
		if at.Ord > 0 {
			seq++
		}
		c.key = appendEndpointSeq(c.key[:0], c.letter, endpoint, seq)
		c.it.SeekGE(c.key)
	}
	c.place = astray
	if !c.it.Valid() || len(c.it.Key()) != endpointLen+8 || lastSeq(c.it.Key()[:endpointLen]) != endpoint {
		return at, false
	}
	c.place, c.endpoint, c.at = ahead, endpoint, lastSeq(c.it.Key())
	return record.Ref{Seq: c.at}, true
}

// read reads an attempt into c.row. It says false when there is none.
func (c *attemptCursor) read(endpoint, seq eventlog.Seq) (bool, error) {
	if c.place != ahead || c.endpoint != endpoint || c.at != seq {
		if at, ok := c.step(endpoint, record.Ref{Seq: seq}); !ok || at.Seq != seq {
			return false, c.it.Err()
		}
	}
	var a attemptValue
	if err := a.decode(c.it.Value(), seq); err != nil {
		return false, fmt.Errorf("attempt %d: %w", seq, err)
	}
	c.row = AttemptRow{
		Seq: seq, Endpoint: endpoint, Delivery: a.delivery, Event: a.event, Number: a.number, Trigger: a.trigger,
		Outcome: a.outcome, StartedMS: a.started, TookMS: a.took, TimeMS: a.time,
	}
	if c.desc {
		c.it.Prev()
	} else {
		c.it.Next()
	}
	c.place = past
	return true, nil
}
