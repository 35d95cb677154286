package history

import (
	"context"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
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

// recoverChunk is how many deliveries are read at once.
const recoverChunk = 500

// Recoverable reads a page of at most limit rows. It looks at a bounded number of deliveries, so that a page may have
// fewer rows, or none, and not be the end.
func (h *History) Recoverable(ctx context.Context, q RecoverQuery, limit int) (p RecoverPage, err error) {
	p.Cursor = q.After
	page := Page{Limit: min(limit, recoverChunk), Ascending: true, AsOf: q.Upto}
	if q.After.Seq != 0 {
		page.After = PositionOfDelivery(q.After)
	}
	rows, next, err := h.Deliveries(ctx, DeliveryQuery{Tenant: q.Tenant, Endpoint: q.Endpoint, Status: q.Status, FromMS: q.FromMS, ToMS: q.ToMS, Page: page})
	if err != nil {
		return p, err
	}
	for i := range rows {
		p.Cursor, p.CursorMS = rows[i].Ref, rows[i].CreatedMS
		if !q.Types(rows[i].EventType) {
			continue
		}
		again, err := h.deliveredAgain(ctx, &q, &rows[i])
		if err != nil {
			return p, err
		}
		if !again {
			p.Rows = append(p.Rows, rows[i])
		}
	}
	p.End = next == nil
	return p, nil
}

// deliveredAgain says whether a later delivery stands in for this one.
func (h *History) deliveredAgain(ctx context.Context, q *RecoverQuery, r *DeliveryRow) (bool, error) {
	later := DeliveryQuery{Tenant: q.Tenant, Endpoint: q.Endpoint, Event: r.Event,
		Page: Page{Limit: recoverChunk, Ascending: true, AsOf: q.Upto, After: PositionOfDelivery(r.Ref)}}
	for {
		rows, next, err := h.Deliveries(ctx, later)
		if err != nil {
			return false, err
		}
		for i := range rows {
			if rows[i].Status == record.Pending || rows[i].Status == record.Succeeded || q.selects(&rows[i]) {
				return true, nil
			}
		}
		if next == nil {
			return false, nil
		}
		later.After = next
	}
}

// selects says whether a delivery of the same event is selected by what it is itself. Its type is the event's.
func (q *RecoverQuery) selects(r *DeliveryRow) bool {
	for _, s := range q.Status {
		if r.Status == s {
			return within(r.CreatedMS, q.FromMS, q.ToMS)
		}
	}
	return false
}
