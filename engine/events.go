package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// Event returns one event with its body, by uid or id. 409 when several events share the id.
func (e *Engine) Event(ctx context.Context, tenant, id string) (Event, error) {
	return e.eventBy(ctx, tenant, id, 0)
}

func (e *Engine) eventBy(ctx context.Context, tenant, id string, at eventlog.Seq) (Event, error) {
	r, ev, err := e.findEventAt(ctx, tenant, id, at)
	if err != nil {
		return Event{}, err
	}
	o, err := e.eventObject(&r, &ev)
	if err != nil {
		return Event{}, err
	}
	if r.Sections[0].Removed {
		o.BodyRemoved = e.removed(r.Seq, tenant, o.Type)
		return o, nil
	}
	body, err := e.openSection(r.Sections[0], tenant, r.Type, 0)
	if isErased(err) {
		o.Erased = true
		return o, nil
	}
	if err != nil {
		return Event{}, storeError(err)
	}
	o.Body, o.BodyBase64 = bodyText(body)
	return o, nil
}

func (e *Engine) findEvent(ctx context.Context, tenant, id string) (r eventlog.Record, ev record.EventPublished, err error) {
	return e.findEventAt(ctx, tenant, id, 0)
}

// findEventAt is findEvent as of a seq, 0 = the present.
func (e *Engine) findEventAt(ctx context.Context, tenant, id string, at eventlog.Seq) (r eventlog.Record, ev record.EventPublished, err error) {
	if err = e.knownAt(ctx, tenant, at); err != nil {
		return r, ev, err
	}
	if err = e.seeAt(ctx, 0, at); err != nil {
		return r, ev, err
	}
	seqs, err := e.eventFilter(tenant, id)
	seqs = upTo(seqs, at)
	switch {
	case err != nil:
		return r, ev, err
	case len(seqs) == 0:
		return r, ev, notFound("event", id)
	case len(seqs) > 1:
		uids := make([]string, len(seqs))
		for i, seq := range seqs {
			uids[i] = e.id(record.PrefixEvent, seq, 0)
		}
		return r, ev, conflict("%d events have the id %q: ask by uid: %s", len(seqs), id, strings.Join(uids, ", "))
	}
	return e.eventAt(ctx, seqs[0])
}

// eventFilter finds the seqs of a tenant's events with a uid or an id.
func (e *Engine) eventFilter(tenant, id string) ([]eventlog.Seq, error) {
	if id == "" {
		return nil, nil
	}
	if ref, ok := parseID(e.epochs, record.PrefixEvent, id); ok && ref.Ord == 0 {
		_, found, err := e.cfg.History.Event(tenant, ref.Seq)
		if err != nil {
			return nil, storeError(err)
		}
		if found {
			return []eventlog.Seq{ref.Seq}, nil
		}
	}
	seqs, err := e.cfg.History.EventsByID(tenant, id)
	if err != nil {
		return nil, storeError(err)
	}
	return seqs, nil
}

func (e *Engine) eventAt(ctx context.Context, seq eventlog.Seq) (r eventlog.Record, ev record.EventPublished, err error) {
	if r, err = e.cfg.Log.Get(ctx, seq); err != nil {
		return r, ev, storeError(err)
	}
	if r.Type != record.TypeEventPublished {
		return r, ev, storeError(fmt.Errorf("engine: seq %d is no event", seq))
	}
	return r, ev, ev.Decode(r.Facts)
}

func (e *Engine) eventObject(r *eventlog.Record, ev *record.EventPublished) (Event, error) {
	o := Event{ID: ev.ID, UID: e.id(record.PrefixEvent, r.Seq, 0), Seq: uint64(r.Seq), Type: ev.Type, OccurredAt: Time(ev.OccurredAt),
		CreatedAt: Time(r.Time), Matched: e.matched(r.Seq, ev)}
	if len(r.Sections) < 2 {
		return o, nil
	}
	plain, err := e.openSection(r.Sections[1], r.Tenant, r.Type, 1)
	if isErased(err) {
		o.Erased = true
		return o, nil
	}
	if err != nil {
		return o, storeError(err)
	}
	var p record.EventPrivate
	if err := p.Decode(plain); err != nil {
		return o, storeError(err)
	}
	if len(p.Actor) > 0 {
		o.Actor = p.Actor
	}
	if len(p.Metadata) > 0 {
		o.Metadata = p.Metadata
	}
	for i, seq := range ev.Failed {
		f := FilterFailed{SubscriptionID: e.id(record.PrefixSubscription, seq, 0)}
		if i < len(p.Failed) {
			f.Error = p.Failed[i]
		}
		o.Failed = append(o.Failed, f)
	}
	return o, nil
}
