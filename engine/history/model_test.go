package history

import (
	"cmp"
	"slices"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// model answers every query by reading all records from the first on: slow and plain, to compare with.
type model struct {
	deliveries []modelDelivery // by ref
	at         map[record.Ref]int
	attempts   []modelAttempt // by seq
	events     []modelEvent   // by seq
	endpoints  map[eventlog.Seq]string
	changes    []modelChange // by seq
}

type modelChange struct {
	seq    eventlog.Seq
	tenant string
	ms     int64
}

type modelDelivery struct {
	tenant string
	DeliveryRow
}

type modelAttempt struct {
	tenant string
	AttemptRow
}

type modelEvent struct {
	tenant, id string
	EventRow
}

// modelOf folds the records up to asOf.
func modelOf(records []eventlog.Record, asOf eventlog.Seq) *model {
	m := &model{endpoints: map[eventlog.Seq]string{}, at: map[record.Ref]int{}}
	for _, r := range records {
		if r.Seq > asOf {
			break
		}
		if err := m.apply(r); err != nil {
			panic(err)
		}
	}
	return m
}

func (m *model) delivery(ref record.Ref) *modelDelivery {
	i, ok := m.at[ref]
	if !ok {
		panic("no such delivery")
	}
	return &m.deliveries[i]
}

func (m *model) create(d modelDelivery) {
	m.at[d.Ref] = len(m.deliveries)
	m.deliveries = append(m.deliveries, d)
}

func (m *model) apply(r eventlog.Record) error {
	if asked, err := askedFor(&r); err != nil {
		return err
	} else if asked {
		m.changes = append(m.changes, modelChange{r.Seq, r.Tenant, r.Time})
	}
	switch r.Type {
	case record.TypeEndpointCreated:
		m.endpoints[r.Seq] = r.Tenant
	case record.TypeEventPublished:
		var p record.EventPublished
		if err := p.Decode(r.Facts); err != nil {
			return err
		}
		m.events = append(m.events, modelEvent{r.Tenant, p.ID, EventRow{r.Seq, p.Type, r.Time, len(p.Matches)}})
		for i, x := range p.Matches {
			m.create(modelDelivery{r.Tenant, DeliveryRow{
				Endpoint: x.Endpoint, Ref: record.Ref{Seq: r.Seq, Ord: uint16(i)}, Event: r.Seq, EventID: p.ID,
				EventType: p.Type, Status: record.Pending, MaxAttempts: x.MaxAttempts, NextDue: max(r.Time, p.NotBefore),
				CreatedMS: r.Time, Version: r.Seq}})
		}
	case record.TypeDeliveryCreated:
		var c record.DeliveryCreated
		if err := c.Decode(r.Facts); err != nil {
			return err
		}
		m.create(modelDelivery{r.Tenant, DeliveryRow{
			Endpoint: c.Endpoint, Ref: record.Ref{Seq: r.Seq}, Event: c.Event, EventID: c.EventID, EventType: c.EventType,
			Status: record.Pending, MaxAttempts: c.MaxAttempts, NextDue: r.Time, ResendOf: c.ResendOf, CreatedMS: r.Time,
			Version: r.Seq}})
	case record.TypeAttemptFinished, record.TypeEndpointTested:
		var a record.AttemptFinished
		if err := a.Decode(r.Facts); err != nil {
			return err
		}
		m.attempts = append(m.attempts, modelAttempt{r.Tenant, AttemptRow{
			Seq: r.Seq, Endpoint: a.Endpoint, Delivery: a.Delivery, Event: a.Event, Number: a.Number, Trigger: a.Trigger,
			Outcome: a.Outcome, StartedMS: a.StartedAt, TookMS: a.TookMS, TimeMS: r.Time}})
		if r.Type == record.TypeAttemptFinished {
			d := m.delivery(a.Delivery)
			d.Version, d.Status, d.Reason, d.NextDue, d.Made = r.Seq, a.Status, a.Reason, a.NextDue, a.Number
		}
	case record.TypeAttemptInterrupted:
		var a record.AttemptInterrupted
		if err := a.Decode(r.Facts); err != nil {
			return err
		}
		d := m.delivery(a.Delivery)
		d.Version, d.NextDue, d.Reason = r.Seq, a.Due, record.ReasonNone
		if a.Held {
			d.Reason = record.ReasonPluginFault
		}
	case record.TypeDeliverySkipped, record.TypeDeliveryCanceled:
		var e record.DeliveriesEnded
		if err := e.Decode(r.Facts); err != nil {
			return err
		}
		for _, ref := range e.Deliveries {
			d := m.delivery(ref)
			d.Version, d.Status, d.Reason, d.NextDue = r.Seq, record.Skipped, e.Reason, 0
			if r.Type == record.TypeDeliveryCanceled {
				d.Status = record.Canceled
			}
		}
	case record.TypeDeliveryReleased:
		var x record.DeliveryReleased
		if err := x.Decode(r.Facts); err != nil {
			return err
		}
		d := m.delivery(x.Delivery)
		d.Version, d.Reason, d.NextDue = r.Seq, record.ReasonNone, r.Time
	}
	return nil
}

// askedFor says whether a record belongs to an audit.
func askedFor(r *eventlog.Record) (bool, error) {
	switch r.Type {
	case record.TypeDeliveryCreated:
		var c record.DeliveryCreated
		err := c.Decode(r.Facts)
		return c.Recovery == 0, err
	case record.TypeDeliveryCanceled:
		var e record.DeliveriesEnded
		err := e.Decode(r.Facts)
		return e.Reason == record.ReasonCanceledByUser, err
	}
	return record.Changes(r.Type), nil
}

func (m *model) listChanges(q ChangeQuery) (seqs []eventlog.Seq) {
	for _, c := range m.changes {
		if (q.Tenant == "" || c.tenant == q.Tenant) && between(c.ms, q.FromMS, q.ToMS) {
			seqs = append(seqs, c.seq)
		}
	}
	return ordered(seqs, q.Page)
}

func between(ms, from, to int64) bool { return (from == 0 || from <= ms) && (to == 0 || ms < to) }

func (m *model) listEvents(q EventQuery) (rows []EventRow) {
	for _, e := range m.events {
		if e.tenant == q.Tenant && (q.Type == "" || e.Type == q.Type) && between(e.TimeMS, q.FromMS, q.ToMS) {
			rows = append(rows, e.EventRow)
		}
	}
	return ordered(rows, q.Page)
}

func (m *model) listDeliveries(q DeliveryQuery) (rows []DeliveryRow) {
	for _, d := range m.deliveries {
		if d.tenant == q.Tenant && (q.Endpoint == 0 || d.Endpoint == q.Endpoint) && (q.Event == 0 || d.Event == q.Event) &&
			(q.Type == "" || d.EventType == q.Type) && (len(q.Status) == 0 || slices.Contains(q.Status, d.Status)) &&
			between(d.CreatedMS, q.FromMS, q.ToMS) {
			rows = append(rows, d.DeliveryRow)
		}
	}
	return ordered(rows, q.Page)
}

func (m *model) listAttempts(q AttemptQuery) (rows []AttemptRow) {
	for _, a := range m.attempts {
		if a.tenant == q.Tenant && (q.Endpoint == 0 || a.Endpoint == q.Endpoint) && (q.Event == 0 || a.Event == q.Event) &&
			(q.Delivery == (record.Ref{}) || a.Delivery == q.Delivery) && (q.Outcome == 0 || a.Outcome == q.Outcome) &&
			between(a.TimeMS, q.FromMS, q.ToMS) {
			rows = append(rows, a.AttemptRow)
		}
	}
	return ordered(rows, q.Page)
}

// ordered turns oldest first into what the page wants.
func ordered[T any](rows []T, p Page) []T {
	if !p.Ascending {
		slices.Reverse(rows)
	}
	return rows
}

func (m *model) eventsByID(tenant, id string) (seqs []eventlog.Seq) {
	for _, e := range m.events {
		if e.tenant == tenant && e.id == id {
			seqs = append(seqs, e.Seq)
		}
	}
	slices.SortFunc(seqs, cmp.Compare)
	return seqs
}
