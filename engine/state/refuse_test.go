package state

import (
	"errors"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// A record that does not fit the state is refused with ErrInconsistent: the log or the build is wrong, and going on
// would make another state than the one that the decisions were made on.
func TestApplyRefuses(t *testing.T) {
	const nobody = eventlog.Seq(1 << 40)
	type attempt struct {
		name     string
		typ      eventlog.Type
		tenant   string
		facts    facter
		sections []string
	}
	setup := func() (w *world, e, sub eventlog.Seq) {
		w = newWorld(t)
		w.tenant("a", w.profile("p", time.Minute))
		w.tenant("b", 1)
		w.tenant("deleted", 1)
		w.add(record.TypeTenantDeleted, "deleted", nil)
		e = w.endpoint("a", nil)
		sub = w.add(record.TypeSubscriptionCreated, "a", &record.Subscription{Endpoint: e}, "f")
		w.publish("a", e)
		return w, e, sub
	}
	_, e, sub := setup()
	two := []string{"1", "2"}
	change, strange := &record.EndpointChange{Endpoint: e}, &record.EndpointChange{Endpoint: nobody}
	var list []attempt
	for name, typ := range map[string]eventlog.Type{"disable": record.TypeEndpointDisabled, "enable": record.TypeEndpointEnabled,
		"suppress": record.TypeEndpointSuppressed, "clear": record.TypeEndpointSuppressionCleared, "rotate": record.TypeEndpointSecretRotated,
		"delete": record.TypeEndpointDeleted} {
		list = append(list, attempt{name + ": no such endpoint", typ, "a", strange, two}, attempt{name + ": another tenant's endpoint", typ, "b", change, two})
	}
	list = append(list, []attempt{
		{"publish to nobody", record.TypeEventPublished, "a", &record.EventPublished{Matches: []record.Match{{Endpoint: nobody}}}, nil},
		{"delivery to nobody", record.TypeDeliveryCreated, "a", &record.DeliveryCreated{Endpoint: nobody}, nil},
		{"skip what is not pending", record.TypeDeliverySkipped, "a", &record.DeliveriesEnded{Endpoint: e, Deliveries: []record.Ref{{Seq: nobody}}}, nil},
		{"cancel what is not pending", record.TypeDeliveryCanceled, "a", &record.DeliveriesEnded{Endpoint: e, Deliveries: []record.Ref{{Seq: nobody}}}, nil},
		{"release what is not pending", record.TypeDeliveryReleased, "a", &record.DeliveryReleased{Delivery: record.Ref{Seq: nobody}}, nil},
		{"delete an endpoint with pending deliveries", record.TypeEndpointDeleted, "a", change, nil},
		{"delete a tenant with pending deliveries", record.TypeTenantDeleted, "a", nil, nil},
		{"create a tenant twice", record.TypeTenantCreated, "a", &record.Tenant{Profile: 1}, two},
		{"create a deleted tenant", record.TypeTenantCreated, "deleted", &record.Tenant{Profile: 1}, two},
		{"update no tenant", record.TypeTenantUpdated, "c", &record.Tenant{Profile: 1}, two},
		{"update a deleted tenant", record.TypeTenantUpdated, "deleted", &record.Tenant{Profile: 1}, two},
		{"delete a deleted tenant", record.TypeTenantDeleted, "deleted", nil, nil},
		{"a key of no tenant", record.TypeKeyIssued, "c", &record.KeyIssued{}, two},
		{"a key of a deleted tenant", record.TypeKeyIssued, "deleted", &record.KeyIssued{}, two},
		{"remove bodies of the future", record.TypeBodyRemoved, "", &record.BodyRemoved{Rule: record.BodyRule{AgeMS: 1}, Upto: nobody}, nil},
		{"remove bodies with a gap", record.TypeBodyRemoved, "", &record.BodyRemoved{Rule: record.BodyRule{AgeMS: 1}, After: 1, Upto: 2}, nil},
		{"revoke no key", record.TypeKeyRevoked, "", &record.KeyChange{Key: nobody}, nil},
		{"a session of no tenant", record.TypePortalSessionCreated, "c", &record.PortalSession{}, nil},
		{"open no session", record.TypePortalSessionOpened, "a", &record.PortalSessionChange{Session: nobody}, nil},
		{"end no session", record.TypePortalSessionEnded, "a", &record.PortalSessionChange{Session: nobody}, nil},
		{"erase no tenant", record.TypeTenantErased, "c", nil, nil},
		{"erase a tenant with pending deliveries", record.TypeTenantErased, "a", nil, nil},
		{"delete no tenant", record.TypeTenantDeleted, "c", nil, nil},
		{"a tenant of no profile", record.TypeTenantUpdated, "a", &record.Tenant{Profile: nobody}, two},
		{"endpoint of no tenant", record.TypeEndpointCreated, "c", &record.Endpoint{}, two},
		{"endpoint of a deleted tenant", record.TypeEndpointCreated, "deleted", &record.Endpoint{}, two},
		{"endpoint without a secret", record.TypeEndpointCreated, "a", &record.Endpoint{}, two[:1]},
		{"update no endpoint", record.TypeEndpointUpdated, "a", &record.Endpoint{Endpoint: nobody}, two[:1]},
		{"update another tenant's endpoint", record.TypeEndpointUpdated, "b", &record.Endpoint{Endpoint: e}, two[:1]},
		{"subscribe nobody", record.TypeSubscriptionCreated, "a", &record.Subscription{Endpoint: nobody}, two[:1]},
		{"subscribe another tenant's endpoint", record.TypeSubscriptionCreated, "b", &record.Subscription{Endpoint: e}, two[:1]},
		{"update no subscription", record.TypeSubscriptionUpdated, "a", &record.Subscription{Subscription: nobody, Endpoint: e}, two[:1]},
		{"update another tenant's subscription", record.TypeSubscriptionUpdated, "b", &record.Subscription{Subscription: sub, Endpoint: e}, two[:1]},
		{"delete no subscription", record.TypeSubscriptionDeleted, "a", &record.Subscription{Subscription: nobody}, nil},
		{"delete another tenant's subscription", record.TypeSubscriptionDeleted, "b", &record.Subscription{Subscription: sub}, nil},
		{"a type of a later build", 999, "a", nil, nil},
		{"no type", 0, "a", nil, nil},
	}...)
	for _, a := range list {
		t.Run(a.name, func(t *testing.T) {
			w, _, _ := setup()
			seq := w.s.Seq
			if err := w.try(a.typ, a.tenant, a.facts, a.sections...); !errors.Is(err, ErrInconsistent) {
				t.Fatalf("%v, want ErrInconsistent", err)
			}
			if w.s.Seq != seq {
				t.Errorf("seq went on from %d to %d", seq, w.s.Seq)
			}
		})
	}
}

// Records come one after the other: a hole, a repetition or a step back is refused, and so is one whose sections were
// not loaded though the fold keeps them.
func TestApplyRefusesWrongSeqAndMissingSections(t *testing.T) {
	w := newWorld(t)
	w.profile("p", time.Minute)
	for _, seq := range []eventlog.Seq{0, 1, 3, 1 << 60} {
		r := w.record(record.TypeTenantCreated, "a", &record.Tenant{Profile: 1}, "n")
		r.Seq = seq
		if err := w.s.Apply(&r); !errors.Is(err, ErrInconsistent) {
			t.Errorf("seq %d after 1: %v, want ErrInconsistent", seq, err)
		}
	}
	for n := range 1 << 16 {
		if typ := eventlog.Type(n); record.NeedsSections(typ) {
			if err := w.try(typ, "a", nil); !errors.Is(err, ErrInconsistent) {
				t.Errorf("%s without sections: %v, want ErrInconsistent", record.Name(typ), err)
			}
		}
	}
}

// Facts that do not decode are told as such, whatever the type.
func TestApplyRefusesMalformedFacts(t *testing.T) {
	for n := range 1 << 16 {
		typ := eventlog.Type(n)
		switch {
		case record.Name(typ) == "", typ == record.TypeTenantDeleted, typ == record.TypeTenantErased, typ == record.TypeEndpointTested: // the fold reads no facts
			continue
		}
		w := newWorld(t)
		w.tenant("a", w.profile("p", time.Minute))
		r := w.record(typ, "a", nil, "1", "2")
		if typ == record.TypeTenantCreated {
			r.Tenant = "b"
		}
		r.Facts = []byte{200, 1, 2}
		if err := w.s.Apply(&r); !errors.Is(err, record.ErrMalformed) && !errors.Is(err, eventlog.ErrCorrupt) {
			t.Errorf("%s: %v, want ErrMalformed", record.Name(typ), err)
		}
	}
}

// Fold passes over what the snapshot has, loads sections only where the fold keeps them, and tells what could not be
// loaded.
func TestFold(t *testing.T) {
	w := newWorld(t)
	w.tenant("a", w.profile("p", time.Minute))
	e := w.endpoint("a", nil)
	w.publish("a", e)
	batch := eventlog.Batch{First: 1}
	for _, r := range w.recs {
		bare := r
		bare.Sections = nil
		for _, sec := range r.Sections {
			bare.Sections = append(bare.Sections, eventlog.Section{Sum: sec.Sum, Len: sec.Len})
		}
		batch.Records = append(batch.Records, bare)
	}
	var asked []eventlog.Seq
	get := func(seq eventlog.Seq) (eventlog.Record, error) {
		asked = append(asked, seq)
		return w.recs[seq-1], nil
	}
	s := w.fold(New(), w.recs[:2])
	if err := s.Fold(&batch, get); err != nil {
		t.Fatal(err)
	}
	sameState(t, "fold of a batch begun before", s, w.s)
	if len(asked) != 1 || asked[0] != e {
		t.Errorf("sections of %v were loaded, want those of %d alone", asked, e)
	}
	lost := errors.New("lost")
	err := New().Fold(&batch, func(eventlog.Seq) (eventlog.Record, error) { return eventlog.Record{}, lost })
	if !errors.Is(err, lost) {
		t.Errorf("%v, want %v", err, lost)
	}
}

// What the fold keeps is its own: the log's buffers are used again after a batch.
func TestApplyKeepsNoBuffers(t *testing.T) {
	w := newWorld(t)
	w.tenant("a", w.profile("p", time.Minute))
	e := w.endpoint("a", nil)
	w.add(record.TypeSubscriptionCreated, "a", &record.Subscription{Endpoint: e, EventTypes: []string{"a.b"}}, "f")
	w.publish("a", e)
	w.add(record.TypeEndpointSecretRotated, "a", &record.EndpointChange{Endpoint: e}, "new secret")

	s := New()
	for i := range w.recs {
		r := w.recs[i]
		r.Facts = append([]byte(nil), r.Facts...)
		r.Sections = append([]eventlog.Section(nil), r.Sections...)
		tenant := []byte(r.Tenant)
		for j := range r.Sections {
			r.Sections[j].Data = append([]byte(nil), r.Sections[j].Data...)
		}
		r.Tenant = alias(tenant)
		if err := s.Apply(&r); err != nil {
			t.Fatal(err)
		}
		scribble(r.Facts)
		scribble(tenant)
		for _, sec := range r.Sections {
			scribble(sec.Data)
		}
	}
	sameState(t, "after the buffers were used again", s, w.s)
}

func scribble(b []byte) {
	for i := range b {
		b[i] = '#'
	}
}
