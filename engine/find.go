package engine

import (
	"cmp"
	"context"
	"slices"

	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// Some of what a list is searched for stands in no index: text in metadata is sealed, and is looked for record by record.
// Such a page looks at no more than findLimit rows, so that one request costs a bounded time: it may have fewer items
// than asked for, or none, and a cursor to go on with.
const (
	findLimit = 5000
	findChunk = 250 // rows read from the view at once
)

// eventReader reads rows of events as history.History does.
type eventReader func(context.Context, history.EventQuery) ([]history.EventRow, history.Position, error)

// eventSearch is what of a search no index answers.
type eventSearch struct {
	asOf     eventlog.Seq // 0 = the present
	matched  *bool
	endpoint eventlog.Seq
	status   record.Status
	metadata []byte
	has      map[eventlog.Seq]bool // of the rows at hand: those whose metadata holds it
}

func (s *eventSearch) empty() bool {
	return s.matched == nil && s.endpoint == 0 && s.status == 0 && len(s.metadata) == 0
}

func (e *Engine) eventSearch(in *ListInput) (s eventSearch, err error) {
	s.asOf, s.matched, s.metadata = in.asOf, in.Matched, []byte(in.Metadata)
	ep, err := e.ref("endpoint_id", record.PrefixEndpoint, in.EndpointID)
	if err != nil {
		return s, err
	}
	s.endpoint = ep.Seq
	s.status, err = statusNamed(in.Status)
	return s, err
}

func statusNamed(name string) (record.Status, error) {
	if name == "" {
		return 0, nil
	}
	status := record.ParseStatus(name)
	if status == 0 {
		return 0, Invalid("status", "%q is none of pending, succeeded, exhausted, skipped, canceled", name)
	}
	return status, nil
}

// Events lists events, matched or not, newest first.
func (e *Engine) Events(ctx context.Context, tenant string, in ListInput) (Page[Event], error) {
	out := Page[Event]{Data: []Event{}}
	page, err := e.list(ctx, tenant, &in, 'e')
	if err != nil {
		return out, err
	}
	search, err := e.eventSearch(&in)
	if err != nil {
		return out, err
	}
	q := history.EventQuery{Tenant: tenant, Type: in.EventType, FromMS: unixMS(in.From), ToMS: unixMS(in.To), Page: page}
	read := eventReader(e.cfg.History.Events)
	if in.EventID != "" {
		if read, err = e.eventsNamed(tenant, in.EventID, in.asOf); err != nil {
			return out, err
		}
	}
	limit := page.Limit
	if !search.empty() {
		q.Limit = findChunk
	}
	for looked := 0; ; {
		rows, next, err := read(ctx, q)
		if err != nil {
			return out, storeError(err)
		}
		if err := e.searchMetadata(ctx, &search, rows); err != nil {
			return out, err
		}
		for i := range rows {
			looked++
			o, ok, err := e.found(ctx, tenant, &rows[i], &search)
			if err != nil {
				return out, err
			}
			if ok {
				out.Data = append(out.Data, o)
			}
			if last := i == len(rows)-1; (len(out.Data) == limit || looked >= findLimit) && !(last && next == nil) {
				out.NextCursor = nextCursor('e', history.PositionOfEvent(rows[i].Seq))
				return out, nil
			}
		}
		if next == nil {
			return out, nil
		}
		q.After = next
	}
}

// eventsNamed reads the events that have a uid or an id, as the view reads all of them.
func (e *Engine) eventsNamed(tenant, id string, at eventlog.Seq) (eventReader, error) {
	seqs, err := e.eventFilter(tenant, id)
	if err != nil {
		return nil, err
	}
	seqs = upTo(seqs, at)
	slices.Sort(seqs)
	return func(_ context.Context, q history.EventQuery) (rows []history.EventRow, next history.Position, err error) {
		after, begun, err := q.After.Event()
		if err != nil {
			return nil, nil, err
		}
		for i := range seqs {
			seq := seqs[i]
			if !q.Ascending {
				seq = seqs[len(seqs)-1-i]
			}
			if begun && (seq == after || q.Ascending == (seq < after)) {
				continue
			}
			row, ok, err := e.cfg.History.Event(tenant, seq)
			if err != nil {
				return nil, nil, err
			}
			if !ok || q.Type != "" && row.Type != q.Type || q.FromMS != 0 && row.TimeMS < q.FromMS || q.ToMS != 0 && row.TimeMS >= q.ToMS {
				continue
			}
			rows = append(rows, row)
		}
		return rows, nil, nil
	}, nil
}

// found makes the object of an event that the search selects.
func (e *Engine) found(ctx context.Context, tenant string, r *history.EventRow, s *eventSearch) (o Event, ok bool, err error) {
	if s.matched != nil && *s.matched != (r.Matches > 0) || len(s.metadata) > 0 && !s.has[r.Seq] {
		return o, false, nil
	}
	if s.endpoint != 0 || s.status != 0 {
		q := history.DeliveryQuery{Tenant: tenant, Event: r.Seq, Endpoint: s.endpoint, Page: history.Page{Limit: 1, AsOf: s.asOf}}
		if s.status != 0 {
			q.Status = []record.Status{s.status}
		}
		rows, _, err := e.cfg.History.Deliveries(ctx, q)
		if err != nil || len(rows) == 0 {
			return o, false, storeError(err)
		}
	}
	rec, ev, err := e.eventAt(ctx, r.Seq)
	if err != nil {
		return o, false, err
	}
	o, err = e.eventObject(&rec, &ev)
	return o, err == nil, err
}

// deliveryReader reads rows of deliveries as history.History does.
type deliveryReader func(context.Context, history.DeliveryQuery) ([]history.DeliveryRow, history.Position, error)

// deliveriesOf reads the deliveries of several events, which share an id, as the view reads one's: a page from each, of
// which the first by ref are the page of all.
func (e *Engine) deliveriesOf(events []eventlog.Seq) deliveryReader {
	return func(ctx context.Context, q history.DeliveryQuery) (rows []history.DeliveryRow, next history.Position, err error) {
		one := q
		one.Limit++ // one more than the page says that there is another
		for _, one.Event = range events {
			some, _, err := e.cfg.History.Deliveries(ctx, one)
			if err != nil {
				return nil, nil, err
			}
			rows = append(rows, some...)
			slices.SortFunc(rows, func(a, b history.DeliveryRow) int {
				order := cmp.Or(cmp.Compare(a.Ref.Seq, b.Ref.Seq), cmp.Compare(a.Ref.Ord, b.Ref.Ord))
				if !q.Ascending {
					order = -order
				}
				return order
			})
			rows = rows[:min(len(rows), one.Limit)]
		}
		if len(rows) > q.Limit {
			rows = rows[:q.Limit]
			next = history.PositionOfDelivery(rows[q.Limit-1].Ref)
		}
		return rows, next, nil
	}
}

// deliveriesWith lists deliveries of events whose metadata holds a text.
func (e *Engine) deliveriesWith(ctx context.Context, q history.DeliveryQuery, read deliveryReader, text []byte) (Page[Delivery], error) {
	out := Page[Delivery]{Data: []Delivery{}}
	limit := q.Limit
	q.Limit = findChunk
	for looked := 0; ; {
		rows, next, err := read(ctx, q)
		if err != nil {
			return out, storeError(err)
		}
		seqs := make([]eventlog.Seq, len(rows))
		for i := range rows {
			seqs[i] = rows[i].Event
		}
		has, err := e.haveMetadata(ctx, seqs, text)
		if err != nil {
			return out, err
		}
		for i := range rows {
			looked++
			if has[rows[i].Event] {
				out.Data = append(out.Data, e.deliveryObject(&rows[i]))
			}
			if last := i == len(rows)-1; (len(out.Data) == limit || looked >= findLimit) && !(last && next == nil) {
				out.NextCursor = nextCursor('d', history.PositionOfDelivery(rows[i].Ref))
				return out, nil
			}
		}
		if next == nil {
			return out, nil
		}
		q.After = next
	}
}
