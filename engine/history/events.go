package history

import (
	"context"
	"fmt"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// EventQuery selects events of a tenant. Zero values select everything.
type EventQuery struct {
	Tenant       string // required
	Type         string // exactly
	FromMS, ToMS int64  // record time: from inclusive, to exclusive
	Page
}

// EventRow is an event: the record at Seq says the rest.
type EventRow struct {
	Seq     eventlog.Seq
	Type    string
	TimeMS  int64 // record time, Unix ms
	Matches int   // deliveries that it was published with
}

// Events lists events, newest first unless Ascending. next is nil at the end.
func (h *History) Events(ctx context.Context, q EventQuery) (rows []EventRow, next Position, err error) {
	span, err := h.span(q.Page, positionEvents, q.FromMS, q.ToMS)
	if err != nil || span.empty() {
		return nil, nil, err
	}
	first := span.lo.Seq
	if span.lo.Ord > 0 { // behind an event, which has no ordinals
		first++
	}
	if first > span.hi.Seq {
		return nil, nil, nil
	}
	lower := appendTenantSeq(nil, keyEvent, q.Tenant, first)
	upper := append(appendTenantSeq(nil, keyEvent, q.Tenant, span.hi.Seq), 0)
	it, err := h.store.Iter(lower, upper)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if cerr := it.Close(); err == nil && cerr != nil {
			rows, next, err = nil, nil, cerr
		}
	}()
	begin, move := it.First, it.Next
	if span.desc {
		begin, move = it.Last, it.Prev
	}
	var e eventValue
	for ok, n := begin(), 1; ok; ok, n = move(), n+1 {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		if err := e.decode(it.Value()); err != nil {
			return nil, nil, fmt.Errorf("event %d: %w", lastSeq(it.Key()), err)
		}
		if q.Type != "" && string(e.typ) != q.Type || !within(e.time, q.FromMS, q.ToMS) {
			continue
		}
		if len(rows) == span.limit {
			return rows, newPosition(positionEvents, record.Ref{Seq: rows[len(rows)-1].Seq}), nil
		}
		rows = append(rows, EventRow{Seq: lastSeq(it.Key()), Type: string(e.typ), TimeMS: e.time, Matches: e.count})
	}
	return rows, nil, nil
}

// EventsByID returns the seqs of a tenant's events with an id, oldest first: ids of a publisher's own may repeat.
func (h *History) EventsByID(tenant, id string) (seqs []eventlog.Seq, err error) {
	lower := appendEventID(nil, tenant, id)
	it, err := h.store.Iter(lower, append(appendSeq(lower[:len(lower):len(lower)], maxSeq), 0))
	if err != nil {
		return nil, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		seqs = append(seqs, lastSeq(it.Key()))
	}
	return seqs, it.Close()
}

// Event returns one event of a tenant. found is false when the seq is not an event of that tenant.
func (h *History) Event(tenant string, seq eventlog.Seq) (row EventRow, found bool, err error) {
	value, found, err := h.store.Get(appendTenantSeq(nil, keyEvent, tenant, seq), nil)
	if err != nil || !found {
		return row, false, err
	}
	var e eventValue
	if err := e.decode(value); err != nil {
		return row, false, fmt.Errorf("event %d: %w", seq, err)
	}
	return EventRow{Seq: seq, Type: string(e.typ), TimeMS: e.time, Matches: e.count}, true, nil
}
