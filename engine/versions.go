package engine

import (
	"context"
	"errors"

	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// versionRecord is a record that made a subscription what it was.
type versionRecord struct {
	eventlog.Record
	facts   record.Subscription
	private record.SubscriptionPrivate
	erased  bool
}

// SubscriptionVersions lists what a subscription was, newest first: also one that is deleted.
func (e *Engine) SubscriptionVersions(ctx context.Context, tenant, id string, in ListInput) (Page[VersionOfSubscription], error) {
	out := Page[VersionOfSubscription]{Data: []VersionOfSubscription{}}
	page, err := e.list(ctx, tenant, &in, 's')
	if err != nil {
		return out, err
	}
	ref, ok := parseID(e.epochs, record.PrefixSubscription, id)
	if !ok || ref.Ord != 0 {
		return out, notFound("subscription", id)
	}
	first, err := e.versionAt(ctx, tenant, ref.Seq, ref.Seq)
	if err != nil && !errors.Is(err, eventlog.ErrTrimmed) {
		return out, err
	}
	if err == nil && first == nil {
		return out, notFound("subscription", id)
	}
	seqs, next, err := e.cfg.History.Versions(ctx, history.VersionQuery{Subscription: ref.Seq, Page: page})
	if err != nil {
		return out, storeError(err)
	}
	var by []Change
	for _, seq := range seqs {
		v, err := e.versionAt(ctx, tenant, ref.Seq, seq)
		if errors.Is(err, eventlog.ErrTrimmed) {
			next = nil // what is older is gone as well
			break
		}
		if err != nil {
			return out, err
		}
		if v == nil {
			return out, notFound("subscription", id)
		}
		out.Data = append(out.Data, e.versionObject(v))
		by = append(by, Change{By: out.Data[len(out.Data)-1].By})
	}
	if err := e.nameActors(ctx, by); err != nil {
		return out, err
	}
	for i := range by {
		out.Data[i].ByName = by[i].ByName
	}
	out.NextCursor = nextCursor('s', next)
	return out, nil
}

func (e *Engine) versionObject(v *versionRecord) VersionOfSubscription {
	out := VersionOfSubscription{Version: uint64(v.Seq), Time: Time(v.Time), By: textOrNull(v.private.By), Note: textOrNull(v.private.Note),
		EndpointID: e.id(record.PrefixEndpoint, v.facts.Endpoint, 0), EventTypes: v.facts.EventTypes, Filter: textOrNull(v.private.Filter),
		Mode: modeOf(v.facts.Shadow), Erased: v.erased}
	if v.facts.Restores != 0 {
		out.Restores = ptr(uint64(v.facts.Restores))
	}
	return out
}

// versionAt reads a version of a tenant's subscription; nil when the seq is none. ErrTrimmed is passed on as it is.
func (e *Engine) versionAt(ctx context.Context, tenant string, subscription, seq eventlog.Seq) (*versionRecord, error) {
	r, err := e.cfg.Log.Get(ctx, seq)
	switch {
	case errors.Is(err, eventlog.ErrTrimmed):
		return nil, err
	case errors.Is(err, eventlog.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, storeError(err)
	}
	v := &versionRecord{Record: r}
	switch {
	case r.Tenant != tenant || r.Type != record.TypeSubscriptionCreated && r.Type != record.TypeSubscriptionUpdated:
		return nil, nil
	case r.Type == record.TypeSubscriptionCreated && r.Seq != subscription:
		return nil, nil
	}
	if err := v.facts.Decode(r.Facts); err != nil {
		return nil, storeError(err)
	}
	if r.Type == record.TypeSubscriptionUpdated && v.facts.Subscription != subscription {
		return nil, nil
	}
	err = e.openJSON(r.Sections[0], tenant, r.Type, 0, &v.private)
	if v.erased = isErased(err); err != nil && !v.erased {
		return nil, storeError(err)
	}
	return v, nil
}

// RollbackInput names a version to go back to.
type RollbackInput struct {
	Version uint64
	Note    string
}

// RollbackSubscription makes a new version with the event types, the filter and the mode of an old one.
func (e *Engine) RollbackSubscription(ctx context.Context, by Actor, tenant, id string, in RollbackInput) (Subscription, error) {
	if err := checkNote(in.Note); err != nil {
		return Subscription{}, err
	}
	if _, err := e.Subscription(ctx, tenant, id); err != nil {
		return Subscription{}, err
	}
	ref, _ := parseID(e.epochs, record.PrefixSubscription, id)
	old, err := e.versionAt(ctx, tenant, ref.Seq, eventlog.Seq(in.Version))
	switch {
	case errors.Is(err, eventlog.ErrTrimmed):
		return Subscription{}, gone("version %d was trimmed from the log by retention", in.Version)
	case err != nil:
		return Subscription{}, err
	case old == nil:
		return Subscription{}, Invalid("version", "%d is none of this subscription's: see its versions", in.Version)
	case old.erased:
		return Subscription{}, conflict("the content of version %d was erased", in.Version)
	}
	if err := checkFilter(old.private.Filter); err != nil { // by this build's bounds
		return Subscription{}, err
	}
	sec, err := e.sealJSON(tenant, record.TypeSubscriptionUpdated, 0, record.SubscriptionPrivate{Filter: old.private.Filter, By: by.Name, Note: in.Note})
	if err != nil {
		return Subscription{}, err
	}
	return e.changeSubscription(ctx, tenant, id, func(s *sequencer, facts *record.Subscription) (eventlog.Section, error) {
		if p, _ := s.st.Subscription(tenant, ref.Seq); p.Version == old.Seq {
			return sec, conflict("version %d is the present one", in.Version)
		}
		facts.EventTypes, facts.Shadow, facts.Restores = old.facts.EventTypes, old.facts.Shadow, old.Seq
		return sec, nil
	})
}

// PromoteSubscription lets a subscription in shadow mode deliver. One that does so already stays as it is.
func (e *Engine) PromoteSubscription(ctx context.Context, by Actor, tenant, id, note string) (Subscription, error) {
	now, err := e.Subscription(ctx, tenant, id)
	if err != nil || now.Mode == ModeLive {
		return now, err
	}
	return e.UpdateSubscription(ctx, by, tenant, id, SubscriptionInput{Mode: Some(ModeLive), Note: Some(note)})
}

// changeSubscription appends a new version, which edit makes of the present one.
func (e *Engine) changeSubscription(ctx context.Context, tenant, id string,
	edit func(s *sequencer, facts *record.Subscription) (eventlog.Section, error)) (Subscription, error) {
	var out sealedSubscription
	err := e.change(ctx, func(s *sequencer) error {
		p, err := s.subscription(tenant, id)
		if err != nil {
			return err
		}
		facts := record.Subscription{Subscription: p.Seq, Endpoint: p.Endpoint.Seq, EventTypes: p.EventTypes, Shadow: p.Shadow}
		sec, err := edit(s, &facts)
		if err != nil {
			return err
		}
		s.appendFacts(record.TypeSubscriptionUpdated, tenant, &facts, sec)
		out = s.sealedSubscription(p)
		return nil
	})
	if err != nil {
		return Subscription{}, err
	}
	return e.presentSubscription(out)
}
