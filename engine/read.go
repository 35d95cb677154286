package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/transports"
)

// ViewWait is how long a list waits for its view before it answers 503.
const ViewWait = 2 * time.Second

// seeAll waits until the view has everything that was durable when the request came, or what the caller wants to see.
// While the disk is low views pause: then a list tells what they have (see HeadSeq), rather than nothing.
func (e *Engine) seeAll(ctx context.Context, min uint64) error {
	head := e.durable.Load().seq
	ctx, cancel := context.WithTimeout(ctx, ViewWait)
	defer cancel()
	if eventlog.Seq(min) > head {
		if err := e.cfg.Log.Wait(ctx, eventlog.Seq(min)-1); err != nil {
			return &Error{Code: CodeUnavailable, Detail: fmt.Sprintf("seq %d is not in the log yet: the head is %d", min, head)}
		}
		head = eventlog.Seq(min)
	}
	if e.lowSpace() && eventlog.Seq(min) <= e.cfg.Follower.Seq() {
		return nil
	}
	if err := e.cfg.Follower.WaitFor(ctx, head); err != nil {
		if e.lowSpace() && eventlog.Seq(min) <= e.cfg.Follower.Seq() { // since this began
			return nil
		}
		return &Error{Code: CodeUnavailable, Detail: fmt.Sprintf("the history view is at seq %d and does not have seq %d yet; try again", e.cfg.Follower.Seq(), head)}
	}
	return nil
}

func (e *Engine) viewSeqs() map[string]uint64 {
	return e.cfg.Views.seqs()
}

// list prepares a history query: the tenant exists, the view has caught up, limit and cursor are good.
func (e *Engine) list(ctx context.Context, tenant string, in *ListInput, kind byte) (history.Page, error) {
	limit, err := in.limit()
	if err != nil {
		return history.Page{}, err
	}
	pos, err := decodeCursor(kind, in.Cursor)
	if err != nil {
		return history.Page{}, err
	}
	if err := e.knownAt(ctx, tenant, in.asOf); err != nil {
		return history.Page{}, err
	}
	if err := e.seeAt(ctx, in.MinSeq, in.asOf); err != nil {
		return history.Page{}, err
	}
	return history.Page{Limit: limit, After: pos, Ascending: in.Ascending, AsOf: in.asOf}, nil
}

// known is for what outlives a tenant: its history is kept when it is deleted.
func (e *Engine) known(ctx context.Context, tenant string) error {
	if e.seen(tenant) {
		return nil
	}
	return e.do(ctx, func(s *sequencer) error {
		if !s.st.TenantTaken(tenant) {
			return notFound("tenant", tenant)
		}
		return nil
	})
}

func unixMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func nextCursor(kind byte, pos history.Position) *string {
	if pos == nil {
		return nil
	}
	return encodeCursor(kind, pos)
}

// ref parses a filter that names an object of this log; a well-formed id that is none selects nothing.
func (e *Engine) ref(location, prefix, id string) (record.Ref, error) {
	if id == "" {
		return record.Ref{}, nil
	}
	r, ok := parseID(e.epochs, prefix, id)
	if !ok {
		return r, Invalid(location, "no %s... id of this server: %q", prefix, id)
	}
	return r, nil
}

// Deliveries lists deliveries, newest first.
func (e *Engine) Deliveries(ctx context.Context, tenant string, in ListInput) (Page[Delivery], error) {
	out := Page[Delivery]{Data: []Delivery{}}
	page, err := e.list(ctx, tenant, &in, 'd')
	if err != nil {
		return out, err
	}
	q := history.DeliveryQuery{Tenant: tenant, Type: in.EventType, FromMS: unixMS(in.From), ToMS: unixMS(in.To), Page: page}
	ep, err := e.ref("endpoint_id", record.PrefixEndpoint, in.EndpointID)
	if err != nil {
		return out, err
	}
	q.Endpoint = ep.Seq
	if status, err := statusNamed(in.Status); err != nil {
		return out, err
	} else if status != 0 {
		q.Status = []record.Status{status}
	}
	events, err := e.eventFilter(tenant, in.EventID)
	if err != nil {
		return out, err
	}
	if events = upTo(events, in.asOf); in.EventID != "" && len(events) == 0 {
		return out, nil
	}
	read := deliveryReader(e.cfg.History.Deliveries)
	if len(events) > 1 {
		read = e.deliveriesOf(events)
	} else if len(events) == 1 {
		q.Event = events[0]
	}
	if in.Metadata != "" {
		return e.deliveriesWith(ctx, q, read, []byte(in.Metadata))
	}
	rows, next, err := read(ctx, q)
	if err != nil {
		return out, storeError(err)
	}
	for i := range rows {
		out.Data = append(out.Data, e.deliveryObject(&rows[i]))
	}
	out.NextCursor = nextCursor('d', next)
	return out, nil
}

func (e *Engine) deliveryObject(r *history.DeliveryRow) Delivery {
	d := Delivery{ID: e.id(record.PrefixDelivery, r.Ref.Seq, r.Ref.Ord), EventID: r.EventID, EventUID: e.id(record.PrefixEvent, r.Event, 0),
		EventType: r.EventType, EndpointID: e.id(record.PrefixEndpoint, r.Endpoint, 0), Status: r.Status.String(),
		Reason: textOrNull(r.Reason.String()), AttemptsMade: int(r.Made), MaxAttempts: int(r.MaxAttempts), CreatedAt: Time(r.CreatedMS)}
	if r.Status == record.Pending {
		d.NextAttemptAt = ptr(Time(r.NextDue))
	}
	if r.ResendOf != (record.Ref{}) {
		d.ResendOf = ptr(e.id(record.PrefixDelivery, r.ResendOf.Seq, r.ResendOf.Ord))
	}
	return d
}

// deliveryRow finds a delivery of a tenant by its id.
func (e *Engine) deliveryRow(ctx context.Context, tenant, id string) (history.DeliveryRow, error) {
	return e.deliveryRowAt(ctx, tenant, id, 0)
}

// deliveryRowAt is deliveryRow as of a seq, 0 = the present.
func (e *Engine) deliveryRowAt(ctx context.Context, tenant, id string, at eventlog.Seq) (history.DeliveryRow, error) {
	if err := e.knownAt(ctx, tenant, at); err != nil {
		return history.DeliveryRow{}, err
	}
	ref, ok := parseID(e.epochs, record.PrefixDelivery, id)
	if !ok {
		return history.DeliveryRow{}, notFound("delivery", id)
	}
	if err := e.seeAt(ctx, 0, at); err != nil {
		return history.DeliveryRow{}, err
	}
	row, found, err := e.cfg.History.DeliveryAsOf(tenant, ref, at)
	if err != nil {
		return row, storeError(err)
	}
	if !found {
		return row, notFound("delivery", id)
	}
	return row, nil
}

// Delivery returns one delivery with its attempts, oldest first.
func (e *Engine) Delivery(ctx context.Context, tenant, id string) (Delivery, error) {
	return e.deliveryBy(ctx, tenant, id, 0)
}

func (e *Engine) deliveryBy(ctx context.Context, tenant, id string, at eventlog.Seq) (Delivery, error) {
	row, err := e.deliveryRowAt(ctx, tenant, id, at)
	if err != nil {
		return Delivery{}, err
	}
	d := e.deliveryObject(&row)
	rows, _, err := e.cfg.History.Attempts(ctx, history.AttemptQuery{Tenant: tenant, Delivery: row.Ref,
		Page: history.Page{Limit: MaxLimit, Ascending: true, AsOf: at}})
	if err != nil {
		return Delivery{}, storeError(err)
	}
	d.Attempts = []Attempt{}
	for _, r := range rows {
		a, err := e.attemptAt(ctx, r.Seq)
		if err != nil {
			return Delivery{}, err
		}
		d.Attempts = append(d.Attempts, a)
	}
	return d, nil
}

// Attempts lists finished attempts, tests included, newest first unless Ascending.
func (e *Engine) Attempts(ctx context.Context, tenant string, in ListInput) (Page[Attempt], error) {
	out := Page[Attempt]{Data: []Attempt{}}
	page, err := e.list(ctx, tenant, &in, 'a')
	if err != nil {
		return out, err
	}
	q := history.AttemptQuery{Tenant: tenant, FromMS: unixMS(in.From), ToMS: unixMS(in.To), Page: page}
	ep, err := e.ref("endpoint_id", record.PrefixEndpoint, in.EndpointID)
	if err != nil {
		return out, err
	}
	q.Endpoint = ep.Seq
	if q.Delivery, err = e.ref("delivery_id", record.PrefixDelivery, in.DeliveryID); err != nil {
		return out, err
	}
	if in.Outcome == "failed" {
		q.Failed = true
	} else if q.Outcome, err = outcome(in.Outcome); err != nil {
		return out, err
	}
	if in.EventID != "" {
		events, err := e.eventFilter(tenant, in.EventID)
		if events = upTo(events, in.asOf); err != nil || len(events) == 0 {
			return out, err
		}
		q.Event, q.Sharing = events[0], events[1:]
	}
	find := e.cfg.History.Attempts
	if in.EventType != "" {
		find = e.attemptsOfType(in.EventType)
	}
	rows, next, err := find(ctx, q)
	if err != nil {
		return out, storeError(err)
	}
	for _, r := range rows {
		a, err := e.attemptAt(ctx, r.Seq)
		if err != nil {
			return out, err
		}
		out.Data = append(out.Data, a)
	}
	out.NextCursor = nextCursor('a', next)
	return out, nil
}

func outcome(name string) (uint8, error) {
	if name == "" {
		return 0, nil
	}
	for o := transports.Acknowledged; o <= transports.Gone; o++ {
		if o.String() == name {
			return uint8(o), nil
		}
	}
	return 0, Invalid("outcome", "%q is none of acknowledged, rejected, unreachable, timed_out, gone", name)
}
