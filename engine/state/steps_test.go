package state

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/eventlog"
)

// step draws one thing that may happen next. What it needs and does not find does not happen.
func (w *world) step(t *rapid.T) {
	w.now += rapid.Int64Range(0, 1000).Draw(t, "ms")
	switch op := rapid.IntRange(0, 21).Draw(t, "op"); {
	case op == 0:
		w.profile(rapid.SampledFrom([]string{"osir", "dnsimple"}).Draw(t, "profile"), drawWaits(t)...)
	case op == 1:
		w.stepTenant(t)
	case op == 2:
		if rapid.Bool().Draw(t, "access") {
			w.stepAccess(t)
		} else {
			w.stepSystem(t)
		}
	case op <= 6:
		w.stepEndpoint(t)
	case op <= 8:
		w.stepSubscription(t)
	case op <= 12:
		w.stepPublish(t)
	case op >= 20:
		w.stepRecovery(t)
	default:
		w.stepDelivery(t)
	}
}

func drawWaits(t *rapid.T) []time.Duration {
	n := rapid.IntRange(0, 4).Draw(t, "waits")
	waits := make([]time.Duration, n)
	for i := range waits {
		waits[i] = time.Duration(rapid.IntRange(0, 86_400_000).Draw(t, "wait")) * time.Millisecond
	}
	return waits
}

// stepRetention removes bodies under one of two rules, but those that are needed.
func (w *world) stepRetention(t *rapid.T) {
	rule := record.BodyRule{AgeMS: 1}
	if rapid.Bool().Draw(t, "of a tenant") {
		rule.Tenant, rule.EventType = "ten_0", "a.*"
	}
	var after eventlog.Seq
	var also []eventlog.Seq
	if x := RemovalOf(w.s.Removals(), rule); x != nil {
		after = x.Upto
		needed := w.s.NeededBy(rule.Tenant, 0, after)
		also = slices.DeleteFunc(slices.Clone(x.Waiting), func(e eventlog.Seq) bool { return slices.Contains(needed, e) })
	}
	upto := after + eventlog.Seq(rapid.Uint64Range(0, uint64(w.s.Seq-after)).Draw(t, "upto"))
	w.add(record.TypeBodyRemoved, "", &record.BodyRemoved{Rule: rule, After: after, Upto: upto, Kept: w.s.NeededBy(rule.Tenant, after, upto), Also: also})
}

func (w *world) stepSystem(t *rapid.T) {
	if rapid.Bool().Draw(t, "retention") {
		w.stepRetention(t)
		return
	}
	if rapid.Bool().Draw(t, "key") {
		w.add(record.TypeKeyCreated, "", &record.KeyCreated{Hash: [32]byte{rapid.Byte().Draw(t, "hash")}})
		return
	}
	r := eventlog.Record{Seq: w.s.Seq + 1, Type: record.EpochStarted, Time: w.now,
		Facts: eventlog.AppendEpochFacts(nil, eventlog.Epoch{Number: uint64(len(w.s.epochs) + 1), Tag: rapid.Uint32().Draw(t, "tag"), Owner: "o"})}
	if err := w.s.Apply(&r); err != nil {
		t.Fatalf("epoch: %v", err)
	}
	w.recs = append(w.recs, r)
}

func (w *world) someTenant(t *rapid.T) *Tenant {
	var ids []string
	w.s.Tenants(func(t *Tenant) { ids = append(ids, t.ID) })
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	return w.s.tenants[rapid.SampledFrom(ids).Draw(t, "tenant")]
}

func (w *world) someProfile(t *rapid.T) eventlog.Seq {
	if len(w.s.profiles) == 0 {
		return w.profile("osir", time.Second)
	}
	name := rapid.SampledFrom(w.s.profiles).Draw(t, "profile").Name
	p, _ := w.s.LatestProfile(name)
	return p.Seq
}

func (w *world) stepTenant(t *rapid.T) {
	have := w.someTenant(t)
	switch op := rapid.IntRange(0, 4).Draw(t, "tenant op"); {
	case have == nil || op <= 1:
		if id := fmt.Sprintf("ten_%d", rapid.IntRange(1, 8).Draw(t, "id")); !w.s.TenantTaken(id) {
			w.tenant(id, w.someProfile(t))
		}
	case op == 2:
		for _, e := range slices.Clone(have.Endpoints) {
			w.endAll(e, record.TypeDeliveryCanceled)
		}
		how := rapid.IntRange(0, 2).Draw(t, "how")
		if how < 2 {
			w.add(record.TypeTenantDeleted, have.ID, nil, "who")
		}
		if how > 0 { // at once, or after the deletion
			w.add(record.TypeTenantErased, have.ID, nil, "who")
		}
	default:
		w.add(record.TypeTenantUpdated, have.ID, &record.Tenant{Profile: w.someProfile(t), ManagementEvents: rapid.Bool().Draw(t, "management")},
			rapid.String().Draw(t, "private"))
	}
}

func (w *world) someEndpoint(t *rapid.T) *Endpoint {
	all := slices.Sorted(maps.Keys(w.s.endpoints))
	if len(all) == 0 {
		return nil
	}
	return w.s.endpoints[rapid.SampledFrom(all).Draw(t, "endpoint")]
}

func (w *world) stepEndpoint(t *rapid.T) {
	var own *schedule.Schedule
	if rapid.IntRange(0, 2).Draw(t, "own schedule") == 0 {
		own = &schedule.Schedule{Waits: drawWaits(t)}
	}
	e := w.someEndpoint(t)
	op := rapid.IntRange(0, 11).Draw(t, "endpoint op")
	if e == nil || op <= 2 {
		if ten := w.someTenant(t); ten != nil {
			w.endpoint(ten.ID, own)
		}
		return
	}
	tenant, change := e.Tenant.ID, record.EndpointChange{Endpoint: e.Seq, Reason: record.ReasonByUser}
	switch op {
	case 3:
		w.add(record.TypeEndpointUpdated, tenant, &record.Endpoint{Endpoint: e.Seq, Number: e.Config.Number, Transport: rapid.SampledFrom([]string{"https", "other"}).Draw(t, "transport"),
			Concurrency: rapid.Uint16Range(0, 256).Draw(t, "concurrency"), Schedule: own}, rapid.String().Draw(t, "private"))
	case 4:
		w.endAll(e, record.TypeDeliveryCanceled)
		w.add(record.TypeEndpointDeleted, tenant, &change, "who")
	case 5:
		w.add(record.TypeEndpointDisabled, tenant, &change)
	case 6:
		w.add(record.TypeEndpointSuppressed, tenant, &change)
	case 7:
		w.add(record.TypeEndpointEnabled, tenant, &change)
	case 8:
		w.add(record.TypeEndpointSuppressionCleared, tenant, &change)
	case 10:
		change.Reason = record.ReasonHandshake
		w.add(record.TypeEndpointDisabled, tenant, &change)
	case 11:
		w.add(record.TypeEndpointHandshakeFinished, tenant, &record.EndpointHandshake{Endpoint: e.Seq, Granted: rapid.Bool().Draw(t, "granted"),
			Rate: rapid.Uint32().Draw(t, "rate")})
	case 9:
		change.Until = rapid.Int64Range(0, 2*max(w.s.Time, 1)).Draw(t, "until")
		w.add(record.TypeEndpointSecretRotated, tenant, &change, rapid.String().Draw(t, "secret"))
	}
}

func (w *world) stepSubscription(t *rapid.T) {
	all := slices.Sorted(maps.Keys(w.s.subscriptions))
	op := rapid.IntRange(0, 3).Draw(t, "subscription op")
	e := w.someEndpoint(t)
	if e == nil {
		return
	}
	facts := record.Subscription{Endpoint: e.Seq, EventTypes: []string{"a.*", rapid.StringN(0, 9, 20).Draw(t, "type")}, Shadow: rapid.Bool().Draw(t, "shadow")}
	if len(all) == 0 || op <= 1 {
		w.add(record.TypeSubscriptionCreated, e.Tenant.ID, &facts, "filter")
		return
	}
	p := w.s.subscriptions[rapid.SampledFrom(all).Draw(t, "subscription")]
	facts.Subscription, facts.Endpoint = p.Seq, p.Endpoint.Seq
	if op == 2 {
		w.add(record.TypeSubscriptionUpdated, p.Endpoint.Tenant.ID, &facts, rapid.String().Draw(t, "private"))
		return
	}
	facts.EventTypes = nil
	w.add(record.TypeSubscriptionDeleted, p.Endpoint.Tenant.ID, &facts, "who")
}

func (w *world) stepPublish(t *rapid.T) {
	ten := w.someTenant(t)
	if ten == nil {
		return
	}
	ev := record.EventPublished{ID: "evt", Type: "a.b", Profile: ten.Profile, RouteVersion: ten.RouteVersion, BodyLen: 7}
	for _, e := range ten.Endpoints {
		if rapid.IntRange(0, 2).Draw(t, "match") > 0 {
			ev.Matches = append(ev.Matches, record.Match{Endpoint: e.Seq, MaxAttempts: 5, Subscriptions: []eventlog.Seq{1}})
		}
	}
	for _, p := range ten.Subscriptions {
		if rapid.IntRange(0, 5).Draw(t, "failed") == 0 {
			ev.Failed = append(ev.Failed, p.Seq)
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "later") == 0 {
		ev.NotBefore = w.now + rapid.Int64Range(-5, 5000).Draw(t, "wait")
	}
	seq := w.add(record.TypeEventPublished, ten.ID, &ev)
	for i := range ev.Matches {
		w.refs = append(w.refs, record.Ref{Seq: seq, Ord: uint16(i)})
	}
}

func (w *world) stepRecovery(t *rapid.T) {
	e := w.someEndpoint(t)
	if e == nil {
		return
	}
	tenant, x := e.Tenant.ID, e.Recovery
	if x == nil {
		w.add(record.TypeRecoveryStarted, tenant, &record.RecoveryStarted{Endpoint: e.Seq, Upto: w.s.Seq, Matched: rapid.Uint64Range(0, 9).Draw(t, "matched"),
			Statuses: []record.Status{record.Exhausted}, EventTypes: []string{rapid.StringN(0, 9, 20).Draw(t, "type")}, Rate: rapid.Uint32Range(0, 9).Draw(t, "rate")}, "who")
		return
	}
	if rapid.Bool().Draw(t, "end") {
		w.add(record.TypeRecoveryEnded, tenant, &record.RecoveryEnded{Recovery: x.Seq, State: rapid.SampledFrom([]record.RecoveryState{
			record.RecoveryDone, record.RecoveryCanceled, record.RecoveryStopped}).Draw(t, "state"), Reason: record.ReasonDisabled})
		return
	}
	created := x.Created
	for range rapid.IntRange(0, 3).Draw(t, "deliveries") {
		seq := w.add(record.TypeDeliveryCreated, tenant, &record.DeliveryCreated{Event: 1, Endpoint: e.Seq, MaxAttempts: 2, Recovery: x.Seq})
		w.refs = append(w.refs, record.Ref{Seq: seq})
		created++
	}
	w.add(record.TypeRecoveryAdvanced, tenant, &record.RecoveryAdvanced{Recovery: x.Seq, Cursor: record.Ref{Seq: w.s.Seq, Ord: 3}, CursorMS: w.now,
		Created: created, NextAt: w.now + 100})
}

func (w *world) stepDelivery(t *rapid.T) {
	if h, ok := w.s.Pending.PopDue(w.now); ok { // attempts under way, whose places no record knows
		w.s.Pending.Fly(h)
	}
	if e := w.someEndpoint(t); e != nil && rapid.IntRange(0, 9).Draw(t, "resend") == 0 {
		seq := w.add(record.TypeDeliveryCreated, e.Tenant.ID, &record.DeliveryCreated{Event: 1, Endpoint: e.Seq, MaxAttempts: 2}, "who")
		w.refs = append(w.refs, record.Ref{Seq: seq})
		return
	}
	all := w.pending()
	if len(all) == 0 || rapid.IntRange(0, 11).Draw(t, "late") == 0 {
		w.stepLate(t)
		return
	}
	r := rapid.SampledFrom(all).Draw(t, "delivery")
	h, _ := w.s.Pending.Find(r)
	d := *w.s.Pending.At(h)
	e := w.s.EndpointOf(&d)
	switch rapid.IntRange(0, 9).Draw(t, "delivery op") {
	case 0:
		w.add(record.TypeAttemptInterrupted, e.Tenant.ID, &record.AttemptInterrupted{Delivery: r, Endpoint: e.Seq, Number: d.Made + 1,
			Interruptions: d.Interruptions + 1, Due: w.now + 1000, Held: rapid.Bool().Draw(t, "held"), FirstStarted: w.now - 3, Plugin: 77})
	case 1:
		if d.Held() {
			w.add(record.TypeDeliveryReleased, e.Tenant.ID, &record.DeliveryReleased{Delivery: r, Endpoint: e.Seq})
		}
	case 2:
		w.endAll(e, rapid.SampledFrom([]eventlog.Type{record.TypeDeliverySkipped, record.TypeDeliveryCanceled}).Draw(t, "how"))
	case 3, 4, 5, 6:
		w.finish(r, e.Seq, int(d.Made)+1, outcomeAcknowledged, record.Succeeded)
	case 7:
		w.finish(r, e.Seq, int(d.Made)+1, 2, record.Exhausted)
	default:
		w.finish(r, e.Seq, int(d.Made)+1, rapid.SampledFrom([]uint8{2, 3, 4}).Draw(t, "outcome"), record.Pending)
	}
}

// stepLate is an attempt whose delivery has ended meanwhile, its endpoint perhaps too; or a test event.
func (w *world) stepLate(t *rapid.T) {
	if len(w.refs) == 0 || rapid.Bool().Draw(t, "test") {
		w.add(record.TypeEndpointTested, "any", &record.AttemptFinished{Number: 1, Trigger: record.TriggerTest}, "private", "body")
		return
	}
	r := rapid.SampledFrom(w.refs).Draw(t, "late delivery")
	if _, ok := w.s.Pending.Find(r); ok {
		return
	}
	endpoint := eventlog.Seq(1 << 40)
	if e := w.someEndpoint(t); e != nil {
		endpoint = e.Seq
	}
	w.finish(r, endpoint, 1, rapid.SampledFrom([]uint8{1, 2, 3, 4}).Draw(t, "outcome"), record.Canceled)
}
