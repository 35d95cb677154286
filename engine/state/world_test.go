package state

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/eventlog"
)

type facter interface{ AppendFacts([]byte) []byte }

// fataler is a *testing.T, *testing.B or *rapid.T.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// world writes a valid history, as the sequencer would, and lives it: s is armed, and follows every record.
type world struct {
	t    fataler
	s    *State
	recs []eventlog.Record
	now  int64
	refs []record.Ref // of every delivery ever made, for attempts that come late
}

func newWorld(t fataler) *world {
	w := &world{t: t, s: New(), now: 1_700_000_000_000}
	w.s.Pending.Arm()
	return w
}

// try applies a record that is not kept.
func (w *world) try(typ eventlog.Type, tenant string, f facter, sections ...string) error {
	r := w.record(typ, tenant, f, sections...)
	return w.s.Apply(&r)
}

func (w *world) record(typ eventlog.Type, tenant string, f facter, sections ...string) eventlog.Record {
	r := eventlog.Record{Seq: w.s.Seq + 1, Type: typ, Time: w.now, Tenant: tenant}
	if f != nil {
		r.Facts = f.AppendFacts(nil)
	}
	for _, sec := range sections {
		r.Sections = append(r.Sections, eventlog.NewSection([]byte(sec)))
	}
	return r
}

// add appends a record to the history. The world's clock goes on by 1 ms.
func (w *world) add(typ eventlog.Type, tenant string, f facter, sections ...string) eventlog.Seq {
	w.t.Helper()
	r := w.record(typ, tenant, f, sections...)
	if err := w.s.Apply(&r); err != nil {
		w.t.Fatalf("a valid record is refused: %v", err)
	}
	w.recs = append(w.recs, r)
	w.now++
	return r.Seq
}

func (w *world) profile(name string, waits ...time.Duration) eventlog.Seq {
	return w.add(record.TypeProfileDefined, "", &record.ProfileDefined{Name: name, Version: uint32(len(w.s.profiles) + 1), TimeoutMS: 30_000,
		Schedule: schedule.Schedule{Waits: waits, Jitter: 0.25, Limit: time.Hour}}, "content of "+name)
}

func (w *world) tenant(id string, profile eventlog.Seq) {
	w.add(record.TypeTenantCreated, id, &record.Tenant{Profile: profile}, "name of "+id)
}

func (w *world) endpoint(tenant string, own *schedule.Schedule) eventlog.Seq {
	t, _ := w.s.Tenant(tenant)
	return w.add(record.TypeEndpointCreated, tenant, &record.Endpoint{Number: t.NextNumber, Transport: "https", Schedule: own}, "url", "secret")
}

func (w *world) publish(tenant string, endpoints ...eventlog.Seq) eventlog.Seq {
	ev := record.EventPublished{ID: "evt_1", Type: "a.b"}
	for _, e := range endpoints {
		ev.Matches = append(ev.Matches, record.Match{Endpoint: e, MaxAttempts: 3})
	}
	seq := w.add(record.TypeEventPublished, tenant, &ev)
	for i := range endpoints {
		w.refs = append(w.refs, record.Ref{Seq: seq, Ord: uint16(i)})
	}
	return seq
}

func (w *world) finish(r record.Ref, endpoint eventlog.Seq, number int, outcome uint8, status record.Status) {
	w.add(record.TypeAttemptFinished, w.tenantOf(endpoint), &record.AttemptFinished{Delivery: r, Endpoint: endpoint, Number: uint16(number),
		StartedAt: w.now - 5, TookMS: 4, Outcome: outcome, Status: status, NextDue: w.now + 300_000})
}

func (w *world) tenantOf(endpoint eventlog.Seq) string {
	if e := w.s.endpoints[endpoint]; e != nil {
		return e.Tenant.ID
	}
	return "gone"
}

// endAll ends an endpoint's pending deliveries and its recovery, as a deletion must.
func (w *world) endAll(e *Endpoint, typ eventlog.Type) {
	if x := e.Recovery; x != nil {
		w.add(record.TypeRecoveryEnded, e.Tenant.ID, &record.RecoveryEnded{Recovery: x.Seq, State: record.RecoveryStopped, Reason: record.ReasonEndpointDeleted})
	}
	ended := record.DeliveriesEnded{Endpoint: e.Seq, Reason: record.ReasonEndpointDeleted}
	for _, r := range w.pending() {
		if h, _ := w.s.Pending.Find(r); w.s.EndpointOf(w.s.Pending.At(h)) == e {
			ended.Deliveries = append(ended.Deliveries, r)
		}
	}
	if len(ended.Deliveries) > 0 {
		w.add(typ, e.Tenant.ID, &ended)
	}
}

func (w *world) pending() []record.Ref {
	var out []record.Ref
	w.s.Pending.All(func(_ uint32, d *Delivery) bool { out = append(out, d.Ref()); return true })
	slices.SortFunc(out, func(a, b record.Ref) int { return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Ord, b.Ord)) })
	return out
}

// fold is a fresh state of the first n records.
func (w *world) fold(s *State, recs []eventlog.Record) *State {
	w.t.Helper()
	for i := range recs {
		if err := s.Apply(&recs[i]); err != nil {
			w.t.Fatalf("fold: %v", err)
		}
	}
	return s
}

// dump tells everything that a state decides by, entity by entity, in an order of its own.
func dump(s *State) []string {
	out := []string{fmt.Sprintf("seq %d time %d epochs %v", s.Seq, s.Time, s.epochs)}
	if s.key != nil {
		out = append(out, fmt.Sprintf("key %x", *s.key))
	}
	for _, k := range s.keys {
		out = append(out, fmt.Sprintf("key %d %s %d %+v %d %d %s", k.Seq, k.Tenant, k.CreatedAt, k.KeyIssued, k.RevokedAt, k.UsedAt, k.Private.Data))
	}
	for _, p := range s.sessions {
		out = append(out, fmt.Sprintf("session %d %s %d %+v %d %x %d", p.Seq, p.Tenant, p.CreatedAt, p.PortalSession, p.OpenedAt, p.TokenHash, p.ExpiresAt))
	}
	for _, p := range s.profiles {
		out = append(out, fmt.Sprintf("profile %d %+v %s", p.Seq, p.ProfileDefined, p.Content.Data))
	}
	for _, t := range s.tenants {
		line := fmt.Sprintf("tenant %s %d %d %d %v %v %s %d %d %d endpoints", t.ID, t.Seq, t.CreatedAt, t.Profile, t.ManagementEvents, t.Deleted,
			t.Private.Data, t.PrivateType, t.RouteVersion, t.NextNumber)
		for _, e := range t.Endpoints {
			line += fmt.Sprintf(" %d", e.Seq)
		}
		line += " subscriptions"
		for _, p := range t.Subscriptions {
			line += fmt.Sprintf(" %d", p.Seq)
		}
		out = append(out, line)
	}
	for _, e := range s.endpoints {
		config := e.Config
		config.Schedule = nil
		out = append(out, fmt.Sprintf("endpoint %d %s %d %d %+v %s %d %s %d %d %d %d %d %d pending %d unattempted %d %+v", e.Seq, e.Tenant.ID, e.CreatedAt, e.Version, config,
			e.Private.Data, e.PrivateType, e.Secret.Data, e.SecretType, e.SecretSection, e.DisabledAt, e.DisabledReason, e.SuppressedAt, e.Failures,
			e.Pending, e.Unattempted, *s.PolicyOfEndpoint(e)))
	}
	for _, p := range s.subscriptions {
		out = append(out, fmt.Sprintf("subscription %d %d %d %d %q %s %d %v %d %d", p.Seq, p.Version, p.CreatedAt, p.Endpoint.Seq, p.EventTypes, p.Private.Data, p.PrivateType,
			p.Shadow, p.Failures, p.LastFailure))
	}
	for _, t := range s.tenants {
		for _, x := range t.Recoveries {
			kept := *x
			kept.Tenant, kept.hash = nil, Digest{}
			out = append(out, fmt.Sprintf("recovery of %s %+v", t.ID, kept))
		}
	}
	s.Pending.All(func(_ uint32, d *Delivery) bool {
		out = append(out, fmt.Sprintf("delivery %d/%d %d to %d due %d first %d made %d interrupted %d plugin %d held %v resend %v %+v", d.Seq, d.Ord, d.Event,
			s.EndpointOf(d).Seq, d.Due, d.First, d.Made, d.Interruptions, d.Plugin, d.Held(), d.Resend(), *s.PolicyOf(d)))
		return true
	})
	slices.Sort(out)
	return out
}

// sameState fails with the first lines that differ.
func sameState(t fataler, what string, got, want *State) {
	t.Helper()
	a, b := dump(got), dump(want)
	if !slices.Equal(a, b) {
		only := func(x, y []string) string {
			return strings.Join(slices.DeleteFunc(slices.Clone(x), func(s string) bool { return slices.Contains(y, s) }), "\n")
		}
		t.Fatalf("%s: the states differ\n got %s\nwant %s", what, only(a, b), only(b, a))
	}
	if got.Digest() != want.Digest() {
		t.Fatalf("%s: digest %s, want %s", what, got.Digest(), want.Digest())
	}
}
