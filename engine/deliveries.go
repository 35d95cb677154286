package engine

import (
	"context"

	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// ResendDelivery makes a new delivery of the same event to the same endpoint: same id, bytes and signature, numbered
// from 1, full schedule. 409 on a blocked endpoint, and for a delivery that is pending or canceled.
func (e *Engine) ResendDelivery(ctx context.Context, by Actor, tenant, id string) (Delivery, error) {
	row, err := e.deliveryRow(ctx, tenant, id)
	if err != nil {
		return Delivery{}, err
	}
	if row.Status == record.Pending || row.Status == record.Canceled {
		return Delivery{}, conflict("the delivery is %s: only succeeded, exhausted and skipped ones are resent", row.Status)
	}
	return e.createDelivery(ctx, by, tenant, record.DeliveryCreated{Event: row.Event, EventID: row.EventID, EventType: row.EventType,
		Endpoint: row.Endpoint, ResendOf: row.Ref})
}

// DeliverEvent brings an event to an endpoint, whether it matched then or not (promise 6).
func (e *Engine) DeliverEvent(ctx context.Context, by Actor, tenant, event, endpointID string) (Delivery, error) {
	r, ev, err := e.findEvent(ctx, tenant, event)
	if err != nil {
		return Delivery{}, err
	}
	ref, ok := parseID(e.epochs, record.PrefixEndpoint, endpointID)
	if !ok {
		return Delivery{}, Invalid("endpoint_id", "no endpoint %q here", endpointID)
	}
	return e.createDelivery(ctx, by, tenant, record.DeliveryCreated{Event: r.Seq, EventID: ev.ID, EventType: ev.Type, Endpoint: ref.Seq})
}

func (e *Engine) createDelivery(ctx context.Context, by Actor, tenant string, c record.DeliveryCreated) (Delivery, error) {
	who, err := e.who(tenant, record.TypeDeliveryCreated, by)
	if err != nil {
		return Delivery{}, err
	}
	var seq eventlog.Seq
	var row history.DeliveryRow
	err = e.change(ctx, func(s *sequencer) error {
		ep, ok := s.st.Endpoint(tenant, c.Endpoint)
		if !ok {
			return notFound("endpoint", s.id(record.PrefixEndpoint, c.Endpoint, 0))
		}
		if err := s.bodyGone(c.Event, tenant, c.EventType); err != nil {
			return err
		}
		if _, blocked := ep.Blocked(); blocked {
			return conflict("the endpoint is %s: enable it first", ep.Status())
		}
		c.MaxAttempts = uint8(s.st.PolicyOfEndpoint(ep).Schedule.MaxAttempts())
		seq = s.appendFacts(record.TypeDeliveryCreated, tenant, &c, who...)
		row = history.DeliveryRow{Ref: record.Ref{Seq: seq}, Endpoint: c.Endpoint, Event: c.Event, EventID: c.EventID, EventType: c.EventType,
			Status: record.Pending, MaxAttempts: c.MaxAttempts, NextDue: s.now, ResendOf: c.ResendOf, CreatedMS: s.now}
		return nil
	})
	if err != nil {
		return Delivery{}, err
	}
	return e.deliveryObject(&row), nil
}

// CancelDelivery ends a pending delivery. An attempt under way finishes and is recorded.
func (e *Engine) CancelDelivery(ctx context.Context, by Actor, tenant, id string) (Delivery, error) {
	return e.pendingCommand(ctx, by, tenant, id, record.TypeDeliveryCanceled, func(s *sequencer, h uint32, d *state.Delivery, who []eventlog.Section) error {
		ended := record.DeliveriesEnded{Endpoint: s.st.EndpointOf(d).Seq, Reason: record.ReasonCanceledByUser, Deliveries: []record.Ref{d.Ref()}}
		s.bodies.end(d)
		s.detach(h)
		s.appendFacts(record.TypeDeliveryCanceled, tenant, &ended, who...)
		s.e.count.canceled.Add(1)
		return nil
	})
}

// ReleaseDelivery ends a hold by plugin_fault: it is due at once.
func (e *Engine) ReleaseDelivery(ctx context.Context, by Actor, tenant, id string) (Delivery, error) {
	return e.pendingCommand(ctx, by, tenant, id, record.TypeDeliveryReleased, func(s *sequencer, h uint32, d *state.Delivery, who []eventlog.Section) error {
		if !d.Held() || d.Flying() {
			return conflict("the delivery is not held by plugin_fault")
		}
		s.release(h, d, who)
		return nil
	})
}

func (s *sequencer) release(h uint32, d *state.Delivery, who []eventlog.Section) {
	s.detach(h)
	s.appendFacts(record.TypeDeliveryReleased, s.st.EndpointOf(d).Tenant.ID,
		&record.DeliveryReleased{Delivery: d.Ref(), Endpoint: s.st.EndpointOf(d).Seq}, who...)
}

// releaseHeld lets go, at the start and when a build has changed, of what another build of a plugin failed.
func (s *sequencer) releaseHeld() {
	builds := make(map[string]uint32, len(s.e.cfg.Transports))
	for name, t := range s.e.cfg.Transports {
		builds[name] = t.build()
	}
	var refs releaseCommand
	s.st.Pending.All(func(_ uint32, d *state.Delivery) bool {
		if d.Held() && d.Plugin != builds[s.st.EndpointOf(d).Config.Transport] {
			refs = append(refs, d.Ref())
		}
		return true
	})
	if len(refs) > 0 {
		s.enqueue(refs)
	}
}

// releaseCommand releases held deliveries, a batch's part at a time: there may be more than one batch of the log takes.
type releaseCommand []record.Ref

const releaseBatch = 1000

func (c releaseCommand) run(s *sequencer) {
	n := min(len(c), releaseBatch)
	for _, ref := range c[:n] {
		if h, ok := s.st.Pending.Find(ref); ok && s.st.Pending.At(h).Held() && !s.st.Pending.At(h).Flying() {
			s.release(h, s.st.Pending.At(h), nil)
		}
	}
	if len(c) > n {
		s.enqueue(c[n:])
	}
}

func (e *Engine) pendingCommand(ctx context.Context, by Actor, tenant, id string, typ eventlog.Type,
	fn func(s *sequencer, h uint32, d *state.Delivery, who []eventlog.Section) error) (Delivery, error) {
	row, err := e.deliveryRow(ctx, tenant, id)
	if err != nil {
		return Delivery{}, err
	}
	who, err := e.who(tenant, typ, by)
	if err != nil {
		return Delivery{}, err
	}
	err = e.change(ctx, func(s *sequencer) error {
		h, ok := s.st.Pending.Find(row.Ref)
		if !ok {
			return conflict("the delivery is not pending any more")
		}
		return fn(s, h, s.st.Pending.At(h), who)
	})
	if err != nil {
		return Delivery{}, err
	}
	return e.Delivery(ctx, tenant, id)
}
