package history

import (
	"context"

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
	walk, err := h.rows(ctx, nil, allRows(), q.Tenant, 0, first, span.hi.Seq, span.desc)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if cerr := walk.close(); cerr != nil {
			rows, next, err = nil, nil, cerr
		}
	}()
	for r := walk.next(); r != nil; r = walk.next() {
		if r.kind != rowEvent || q.Type != "" && string(r.typ) != q.Type || !within(r.time, q.FromMS, q.ToMS) {
			continue
		}
		if len(rows) == span.limit {
			return rows, newPosition(positionEvents, record.Ref{Seq: rows[len(rows)-1].Seq}), nil
		}
		rows = append(rows, r.eventRow())
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
	r, err := h.tenantRow(tenant, seq)
	if err != nil || r == nil || r.kind != rowEvent {
		return row, false, err
	}
	return r.eventRow(), true, nil
}
