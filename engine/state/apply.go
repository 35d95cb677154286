package state

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// Apply folds one record. Its sections must be loaded when record.NeedsSections says so. An error leaves the state
// unusable.
func (s *State) Apply(r *eventlog.Record) error {
	if r.Seq != s.Seq+1 {
		return s.inconsistent(r, "seq %d was expected", s.Seq+1)
	}
	if record.NeedsSections(r.Type) && len(r.Sections) == 0 {
		return s.inconsistent(r, "its sections are missing")
	}
	if err := s.apply(r); err != nil {
		return err
	}
	s.Seq, s.Time = r.Seq, r.Time
	return nil
}

func (s *State) apply(r *eventlog.Record) error {
	switch r.Type {
	case record.TypeEventPublished:
		return s.published(r)
	case record.TypeAttemptFinished:
		return s.attemptFinished(r)
	case record.TypeAttemptInterrupted:
		return s.attemptInterrupted(r)
	case record.TypeDeliverySkipped, record.TypeDeliveryCanceled:
		return s.deliveriesEnded(r)
	case record.TypeDeliveryCreated:
		return s.deliveryCreated(r)
	case record.TypeDeliveryReleased:
		return s.deliveryReleased(r)
	case record.TypeRecoveryStarted:
		return s.recoveryStarted(r)
	case record.TypeRecoveryAdvanced:
		return s.recoveryAdvanced(r)
	case record.TypeRecoveryEnded:
		return s.recoveryEnded(r)
	case record.TypeEndpointTested:
		return nil
	case record.TypeBodyRemoved:
		return s.bodyRemoved(r)
	case record.TypeEndpointHandshakeFinished:
		return s.handshakeFinished(r)
	case record.EpochStarted:
		return s.epochStarted(r)
	case record.TypeProfileDefined:
		return s.profileDefined(r)
	case record.TypeKeyCreated:
		return s.keyCreated(r)
	case record.TypeKeyIssued:
		return s.keyIssued(r)
	case record.TypeKeyRevoked, record.TypeKeyUsed:
		return s.keyChanged(r)
	case record.TypePortalSessionCreated:
		return s.sessionCreated(r)
	case record.TypePortalSessionOpened, record.TypePortalSessionEnded:
		return s.sessionChanged(r)
	case record.TypeTenantCreated, record.TypeTenantUpdated, record.TypeTenantDeleted:
		return s.tenantChanged(r)
	case record.TypeTenantErased:
		return s.tenantErased(r)
	case record.TypeEndpointCreated, record.TypeEndpointUpdated:
		return s.endpointSet(r)
	case record.TypeEndpointDeleted, record.TypeEndpointDisabled, record.TypeEndpointEnabled,
		record.TypeEndpointSuppressed, record.TypeEndpointSuppressionCleared, record.TypeEndpointSecretRotated:
		return s.endpointChanged(r)
	case record.TypeSubscriptionCreated, record.TypeSubscriptionUpdated, record.TypeSubscriptionDeleted:
		return s.subscriptionChanged(r)
	}
	return s.inconsistent(r, "this build does not know the record's type %d", r.Type)
}

func (s *State) published(r *eventlog.Record) error {
	p := &s.event
	if err := p.Decode(r.Facts); err != nil {
		return err
	}
	for i := range p.Matches {
		e := s.endpoints[p.Matches[i].Endpoint]
		if e == nil {
			return s.inconsistent(r, "matched endpoint %d is not there", p.Matches[i].Endpoint)
		}
		s.addDelivery(e, Delivery{Seq: r.Seq, Ord: uint16(i), Event: r.Seq, Due: max(r.Time, p.NotBefore)})
	}
	for _, seq := range p.Failed {
		if sub := s.subscriptions[seq]; sub != nil {
			sub.Failures, sub.LastFailure = sub.Failures+1, r.Seq
			s.rehashSubscription(sub)
		}
	}
	return nil
}

func (s *State) deliveryCreated(r *eventlog.Record) error {
	var c record.DeliveryCreated
	if err := c.Decode(r.Facts); err != nil {
		return err
	}
	e := s.endpoints[c.Endpoint]
	if e == nil {
		return s.inconsistent(r, "endpoint %d is not there", c.Endpoint)
	}
	flags := uint8(flagResend)
	if c.Recovery != 0 {
		flags |= flagRecovery
	}
	s.addDelivery(e, Delivery{Seq: r.Seq, Event: c.Event, Due: r.Time, flags: flags})
	return nil
}

func (s *State) addDelivery(e *Endpoint, d Delivery) {
	d.endpoint, d.policy = e.handle, s.policies.use(e.policy)
	e.Pending++
	s.unattempted(&d, 1)
	s.digest.add(s.hashDelivery(&d))
	s.Pending.add(d)
}

func (s *State) removeDelivery(h uint32) {
	d := s.Pending.At(h)
	s.handles[d.endpoint].Pending--
	s.unattempted(d, -1)
	s.countHeld(d, -1)
	s.digest.sub(s.hashDelivery(d))
	s.policies.release(d.policy)
	s.Pending.remove(h)
}

// changeDelivery moves a delivery that stays pending to its next due time.
func (s *State) changeDelivery(h uint32, change func(d *Delivery)) {
	d := s.Pending.At(h)
	s.digest.sub(s.hashDelivery(d))
	s.unattempted(d, -1)
	s.countHeld(d, -1)
	s.Pending.dequeue(h)
	change(d)
	s.unattempted(d, 1)
	s.countHeld(d, 1)
	s.digest.add(s.hashDelivery(d))
	if s.Pending.armed {
		s.Pending.enqueue(h)
	}
}

func (s *State) attemptFinished(r *eventlog.Record) error {
	var a record.AttemptFinished
	if err := a.Decode(r.Facts); err != nil {
		return err
	}
	if e := s.endpoints[a.Endpoint]; e != nil {
		failures := e.Failures + 1
		if a.Outcome == outcomeAcknowledged {
			failures = 0
		}
		if failures != e.Failures {
			e.Failures = failures
			s.rehashEndpoint(e)
		}
	}
	h, ok := s.Pending.Find(a.Delivery)
	if !ok {
		return nil // ended meanwhile: the attempt is history, nothing follows from it
	}
	if a.Status != record.Pending {
		s.removeDelivery(h)
		return nil
	}
	s.changeDelivery(h, func(d *Delivery) {
		d.Made, d.Due, d.Interruptions = a.Number, a.NextDue, 0
		d.flags &^= flagHeld
		if d.First == 0 {
			d.First = a.StartedAt
		}
	})
	return nil
}

const outcomeAcknowledged = 1 // transports.Acknowledged; the number is the wire's and for ever

func (s *State) attemptInterrupted(r *eventlog.Record) error {
	var a record.AttemptInterrupted
	if err := a.Decode(r.Facts); err != nil {
		return err
	}
	h, ok := s.Pending.Find(a.Delivery)
	if !ok {
		return nil
	}
	s.changeDelivery(h, func(d *Delivery) {
		d.Due, d.Interruptions, d.Plugin = a.Due, a.Interruptions, a.Plugin
		d.flags &^= flagHeld
		if a.Held {
			d.flags |= flagHeld
		}
		if d.First == 0 {
			d.First = a.FirstStarted
		}
	})
	return nil
}

func (s *State) deliveriesEnded(r *eventlog.Record) error {
	if err := s.ended.Decode(r.Facts); err != nil {
		return err
	}
	for _, ref := range s.ended.Deliveries {
		h, ok := s.Pending.Find(ref)
		if !ok {
			return s.inconsistent(r, "delivery %d/%d is not pending", ref.Seq, ref.Ord)
		}
		s.removeDelivery(h)
	}
	return nil
}

func (s *State) deliveryReleased(r *eventlog.Record) error {
	var c record.DeliveryReleased
	if err := c.Decode(r.Facts); err != nil {
		return err
	}
	h, ok := s.Pending.Find(c.Delivery)
	if !ok {
		return s.inconsistent(r, "delivery %d/%d is not pending", c.Delivery.Seq, c.Delivery.Ord)
	}
	s.changeDelivery(h, func(d *Delivery) {
		d.Due, d.Interruptions = r.Time, 0
		d.flags &^= flagHeld
	})
	return nil
}

func (s *State) epochStarted(r *eventlog.Record) error {
	e, err := eventlog.DecodeEpochFacts(r.Facts)
	if err != nil {
		return err
	}
	s.epochs = append(s.epochs, Epoch{First: r.Seq, Tag: e.Tag})
	return nil
}

func (s *State) profileDefined(r *eventlog.Record) error {
	p := &Profile{Seq: r.Seq, Content: keep(r.Sections[0])}
	if err := p.Decode(r.Facts); err != nil {
		return err
	}
	p.Name = strings.Clone(p.Name)
	old, had := s.LatestProfile(p.Name)
	s.addProfile(p)
	if !had {
		return nil
	}
	for _, t := range s.tenants { // tenants follow their profile; pending deliveries keep what they began with
		if t.Profile != old.Seq || t.Deleted {
			continue
		}
		t.Profile = r.Seq
		if err := s.setPolicies(r, t); err != nil {
			return err
		}
		s.rerouted(t, r)
	}
	return nil
}

func (s *State) addProfile(p *Profile) {
	s.profiles = append(s.profiles, p)
	s.policies.use(s.policies.add(Policy{Source: p.Seq, Schedule: p.Schedule}))
	s.digest.add(hashOf(s.appendProfile(nil, p)))
}

func (s *State) keyCreated(r *eventlog.Record) error {
	var k record.KeyCreated
	if err := k.Decode(r.Facts); err != nil {
		return err
	}
	s.setKey(k.Hash)
	return nil
}

func (s *State) setKey(k [32]byte) {
	if s.key != nil {
		s.digest.sub(hashOf(appendKey(nil, *s.key)))
	}
	s.key = &k
	s.digest.add(hashOf(appendKey(nil, k)))
}

func (s *State) tenantChanged(r *eventlog.Record) error {
	t := s.tenants[r.Tenant]
	if r.Type == record.TypeTenantCreated {
		if t != nil {
			return s.inconsistent(r, "tenant %q exists", r.Tenant)
		}
		t = &Tenant{ID: strings.Clone(r.Tenant), Seq: r.Seq, CreatedAt: r.Time, NextNumber: 1}
		s.tenants[t.ID] = t
	}
	if t == nil || t.Deleted {
		return s.inconsistent(r, "tenant %q is not there", r.Tenant)
	}
	if r.Type == record.TypeTenantDeleted {
		if err := s.deleteTenant(r, t); err != nil {
			return err
		}
	} else {
		var f record.Tenant
		if err := f.Decode(r.Facts); err != nil {
			return err
		}
		t.Profile, t.ManagementEvents = f.Profile, f.ManagementEvents
		t.Private, t.PrivateType = keep(r.Sections[0]), r.Type
		if err := s.setPolicies(r, t); err != nil {
			return err
		}
	}
	t.RouteVersion = uint64(r.Seq)
	s.rehashTenant(t)
	return nil
}

func (s *State) deleteTenant(r *eventlog.Record, t *Tenant) error {
	for len(t.Endpoints) > 0 {
		if err := s.removeEndpoint(r, t.Endpoints[len(t.Endpoints)-1]); err != nil {
			return err
		}
	}
	t.Deleted = true
	s.endAccess(r)
	return nil
}

// tenantErased deletes a tenant that is not deleted yet, and notes that its keys are destroyed: what is kept of it stays
// sealed for ever.
func (s *State) tenantErased(r *eventlog.Record) error {
	t := s.tenants[r.Tenant]
	if t == nil || t.Erased {
		return s.inconsistent(r, "tenant %q is not there, or erased", r.Tenant)
	}
	if !t.Deleted {
		if err := s.deleteTenant(r, t); err != nil {
			return err
		}
	}
	t.Erased, t.ErasedAt = true, r.Time
	t.RouteVersion = uint64(r.Seq)
	s.rehashTenant(t)
	return nil
}

func keep(sec eventlog.Section) eventlog.Section {
	sec.Data = bytes.Clone(sec.Data)
	return sec
}

func removeFrom[T comparable](list []T, v T) []T {
	if i := slices.Index(list, v); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

func (s *State) rehashTenant(t *Tenant) {
	s.digest.sub(t.hash)
	t.hash = hashOf(s.appendTenant(nil, t))
	s.digest.add(t.hash)
}

// Fold applies the records of a batch, loading sections where the fold needs them.
func (s *State) Fold(b *eventlog.Batch, get func(eventlog.Seq) (eventlog.Record, error)) error {
	for i := range b.Records {
		r := &b.Records[i]
		if r.Seq <= s.Seq {
			continue // the batch began before the snapshot's seq
		}
		if record.NeedsSections(r.Type) {
			full, err := get(r.Seq)
			if err != nil {
				return fmt.Errorf("sections of seq %d: %w", r.Seq, err)
			}
			r = &full
		}
		if err := s.Apply(r); err != nil {
			return err
		}
	}
	return nil
}
