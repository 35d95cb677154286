package state

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/schedule"
	"github.com/hookline/hookline/eventlog"
)

func drawWorld(t *rapid.T) *world {
	w := newWorld(t)
	w.profile("osir", 5*time.Minute)
	w.profile("dnsimple", 12*time.Second, 24*time.Second)
	w.tenant("ten_0", 1)
	w.endpoint("ten_0", nil)
	for range rapid.IntRange(1, 150).Draw(t, "steps") {
		w.step(t)
	}
	return w
}

var chain = eventlog.Hash{1, 2, 3}

func snapshotOf(t fataler, s *State) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Encode(&b, chain); err != nil {
		t.Fatalf("Encode: %v", err)
	}
	return b.Bytes()
}

func restored(t fataler, snapshot []byte) *State {
	t.Helper()
	s, c, err := Decode(snapshot)
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	if c != chain {
		t.Fatalf("chain %x, want %x", c, chain)
	}
	return s
}

// Promise 3: the state that lived through a history, the fold of its records, and a snapshot anywhere in it with the
// fold of the rest are the same, with the same digest.
func TestStateIsTheFold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		sameState(t, "fold", w.fold(New(), w.recs), w.s)

		cut := rapid.IntRange(0, len(w.recs)).Draw(t, "cut")
		before := w.fold(New(), w.recs[:cut])
		after := restored(t, snapshotOf(t, before))
		sameState(t, "snapshot", after, before)
		sameState(t, "snapshot and the rest", w.fold(after, w.recs[cut:]), w.s)
		sameState(t, "snapshot of the live state", restored(t, snapshotOf(t, w.s)), w.s)
	})
}

// The histories of these tests are worth something: every type of record occurs in them.
func TestWorldKnowsEveryType(t *testing.T) {
	seen := map[eventlog.Type]bool{}
	histories := rapid.Custom(func(t *rapid.T) []eventlog.Record { return drawWorld(t).recs })
	for seed := range 200 {
		for _, r := range histories.Example(seed) {
			seen[r.Type] = true
		}
	}
	for n := range 1 << 16 {
		if typ := eventlog.Type(n); record.Name(typ) != "" && !seen[typ] {
			t.Errorf("no history has %s", record.Name(typ))
		}
	}
}

// The digest kept up to date is the digest counted anew, and the counts and lists agree with each other.
func TestDigestAndCountsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			w.step(t)
			checkSums(t, w.s)
		}
	})
}

func checkSums(t *rapid.T, s *State) {
	var want Digest
	for _, p := range s.profiles {
		want.add(hashOf(s.appendProfile(nil, p)))
	}
	if s.key != nil {
		want.add(hashOf(appendKey(nil, *s.key)))
	}
	for _, k := range s.keys {
		want.add(hashOf(appendIssuedKey(nil, k)))
	}
	for _, p := range s.sessions {
		want.add(hashOf(appendSession(nil, p)))
	}
	endpoints, subscriptions := 0, 0
	for _, ten := range s.tenants {
		want.add(hashOf(s.appendTenant(nil, ten)))
		running := map[*Recovery]bool{}
		for _, e := range ten.Endpoints {
			if e.Recovery != nil {
				running[e.Recovery] = true
			}
		}
		for _, x := range ten.Recoveries {
			want.add(hashOf(appendRecovery(nil, x)))
			if got, ok := s.Recovery(ten.ID, x.Seq); !ok || got != x || running[x] != (x.EndedAt == 0) {
				t.Fatalf("recovery %d: found %v, its endpoint has it %v, ended at %d", x.Seq, ok, running[x], x.EndedAt)
			}
			delete(running, x)
		}
		if len(running) != 0 {
			t.Fatalf("recoveries that no tenant has: %v", running)
		}
		endpoints, subscriptions = endpoints+len(ten.Endpoints), subscriptions+len(ten.Subscriptions)
		for _, e := range ten.Endpoints {
			if s.endpoints[e.Seq] != e || s.handles[e.Handle()] != e || e.Tenant != ten {
				t.Fatalf("endpoint %d is not where it should be", e.Seq)
			}
			own := slices.DeleteFunc(slices.Clone(ten.Subscriptions), func(p *Subscription) bool { return p.Endpoint != e })
			if !slices.Equal(own, e.Subscriptions) {
				t.Fatalf("endpoint %d has subscriptions %v, want %v", e.Seq, e.Subscriptions, own)
			}
			want.add(hashOf(s.appendEndpoint(nil, e)))
		}
		for _, p := range ten.Subscriptions {
			if s.subscriptions[p.Seq] != p || p.Endpoint.Tenant != ten || s.endpoints[p.Endpoint.Seq] != p.Endpoint {
				t.Fatalf("subscription %d is not where it should be", p.Seq)
			}
			want.add(hashOf(appendSubscription(nil, p)))
		}
	}
	if endpoints != s.Endpoints() || subscriptions != len(s.subscriptions) {
		t.Fatalf("%d endpoints of %d, %d subscriptions of %d have a tenant", endpoints, s.Endpoints(), subscriptions, len(s.subscriptions))
	}
	held, heldBy, users := map[string]int{}, map[string]int{}, map[uint32]int{}
	pending, unattempted := map[*Endpoint]int{}, map[*Endpoint]int{}
	s.Pending.All(func(_ uint32, d *Delivery) bool {
		pending[s.EndpointOf(d)]++
		if d.flags&flagRecovery != 0 && d.Made == 0 {
			unattempted[s.EndpointOf(d)]++
		}
		if d.Held() {
			held[s.EndpointOf(d).Config.Transport]++
		}
		users[d.policy]++
		want.add(s.hashDelivery(d))
		return true
	})
	for _, e := range s.endpoints {
		users[e.policy]++
		heldBy[e.Config.Transport] += e.Held
	}
	for _, p := range s.profiles {
		i, _ := s.policies.find(p.Seq)
		users[i]++
	}
	checkPolicies(t, s, users)
	for _, carrier := range []string{"https", "other"} {
		if s.HeldBy(carrier) != held[carrier] || heldBy[carrier] != held[carrier] {
			t.Fatalf("%d deliveries are held by %s, %d by its endpoints' counts, %d are counted", held[carrier], carrier, heldBy[carrier], s.HeldBy(carrier))
		}
	}
	for _, e := range s.endpoints {
		if e.Pending != pending[e] || e.Unattempted != unattempted[e] {
			t.Fatalf("endpoint %d counts %d pending, %d unattempted, has %d, %d", e.Seq, e.Pending, e.Unattempted, pending[e], unattempted[e])
		}
	}
	for _, x := range s.removals {
		want.add(hashOf(appendRemoval(nil, x)))
	}
	if s.Digest() != want {
		t.Fatalf("digest %s, counted anew %s", s.Digest(), want)
	}
}

// checkPolicies: the schedules kept are those that something uses.
func checkPolicies(t *rapid.T, s *State, users map[uint32]int) {
	for i := range s.policies.list {
		if got := s.policies.list[i].users; got != users[uint32(i)] {
			t.Fatalf("policy %d counts %d users, has %d", i, got, users[uint32(i)])
		}
	}
	if len(s.policies.index) != len(users) || len(s.policies.free)+len(users) != len(s.policies.list) {
		t.Fatalf("%d policies are kept in %d places, %d of them free; %d are used", len(s.policies.index), len(s.policies.list), len(s.policies.free), len(users))
	}
}

// Schedules that nobody uses any more are let go: an endpoint may be patched for ever.
func TestPoliciesAreLetGo(t *testing.T) {
	w := newWorld(t)
	w.profile("p", time.Minute)
	w.tenant("a", 1)
	e := w.endpoint("a", &schedule.Schedule{Waits: []time.Duration{time.Second}})
	pending := w.publish("a", e)
	for i := range 1000 {
		w.add(record.TypeEndpointUpdated, "a", &record.Endpoint{Endpoint: e, Number: 1, Transport: "https",
			Schedule: &schedule.Schedule{Waits: []time.Duration{time.Duration(i) * time.Second}}}, "url")
	}
	if n := len(w.s.policies.list); n > 4 {
		t.Errorf("%d policies are kept, want those of the profile, the endpoint and the delivery", n)
	}
	h, _ := w.s.Pending.Find(record.Ref{Seq: pending})
	if got := w.s.PolicyOf(w.s.Pending.At(h)).Schedule.Waits[0]; got != time.Second {
		t.Errorf("the pending delivery waits %s, want what it began with", got)
	}
	sameState(t, "snapshot", restored(t, snapshotOf(t, w.s)), w.s)
}

// A digest says what is, not how it came to be: when all deliveries of some time have ended well, it is what it was.
func TestDigestComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.profile("p", time.Minute)
		w.tenant("a", 1)
		e := []eventlog.Seq{w.endpoint("a", nil), w.endpoint("a", nil)}
		before := w.s.Digest()
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			w.publish("a", e[:rapid.IntRange(0, 2).Draw(t, "matches")]...)
		}
		if len(w.refs) > 0 && w.s.Digest() == before {
			t.Fatal("pending deliveries do not show in the digest")
		}
		for _, r := range rapid.Permutation(w.refs).Draw(t, "order") {
			h, _ := w.s.Pending.Find(r)
			endpoint := w.s.EndpointOf(w.s.Pending.At(h)).Seq
			if rapid.Bool().Draw(t, "fails first") {
				w.finish(r, endpoint, 1, 2, record.Pending)
			}
			w.finish(r, endpoint, 2, outcomeAcknowledged, record.Succeeded)
		}
		if w.s.Digest() != before || w.s.Pending.Len() != 0 {
			t.Fatalf("digest %s with %d pending, was %s", w.s.Digest(), w.s.Pending.Len(), before)
		}
	})
}

// Whatever changes an entity changes the digest.
func TestDigestSeesEveryChange(t *testing.T) {
	w := newWorld(t)
	w.profile("p", time.Minute)
	w.tenant("a", 1)
	e := w.endpoint("a", nil)
	sub := w.add(record.TypeSubscriptionCreated, "a", &record.Subscription{Endpoint: e, EventTypes: []string{"a"}}, "f")
	w.publish("a", e)
	r := w.refs[0]
	change := &record.EndpointChange{Endpoint: e}
	for what, do := range []func(){
		func() { w.add(record.TypeKeyCreated, "", &record.KeyCreated{}) },
		func() { w.profile("q") },
		func() { w.add(record.TypeTenantUpdated, "a", &record.Tenant{Profile: 1, ManagementEvents: true}, "n") },
		func() {
			w.add(record.TypeEndpointUpdated, "a", &record.Endpoint{Endpoint: e, Number: 1, Transport: "https"}, "url2")
		},
		func() { w.add(record.TypeEndpointDisabled, "a", change) },
		func() { w.add(record.TypeEndpointSuppressed, "a", change) },
		func() { w.add(record.TypeEndpointEnabled, "a", change) },
		func() {
			w.add(record.TypeEndpointHandshakeFinished, "a", &record.EndpointHandshake{Endpoint: e, Granted: true})
		},
		func() {
			w.add(record.TypeEndpointHandshakeFinished, "a", &record.EndpointHandshake{Endpoint: e, Granted: true, Rate: 1})
		},
		func() { w.add(record.TypeEndpointSecretRotated, "a", change, "s2") },
		func() {
			w.add(record.TypeEndpointSecretRotated, "a", &record.EndpointChange{Endpoint: e, Until: 1 << 60}, "s3")
		},
		func() {
			w.add(record.TypeSubscriptionUpdated, "a", &record.Subscription{Subscription: sub, Endpoint: e, EventTypes: []string{"b"}}, "f")
		},
		func() { w.finish(r, e, 1, 2, record.Pending) },
		func() {
			w.add(record.TypeAttemptInterrupted, "a", &record.AttemptInterrupted{Delivery: r, Endpoint: e, Number: 2, Interruptions: 1, Due: 9, Held: true, Plugin: 1})
		},
		func() { w.add(record.TypeDeliveryReleased, "a", &record.DeliveryReleased{Delivery: r, Endpoint: e}) },
		func() {
			w.add(record.TypeDeliverySkipped, "a", &record.DeliveriesEnded{Endpoint: e, Deliveries: []record.Ref{r}})
		},
		func() { w.add(record.TypeEndpointDeleted, "a", change) },
		func() { w.add(record.TypeTenantDeleted, "a", nil) },
		func() { w.add(record.TypeTenantErased, "a", nil) },
	} {
		before := w.s.Digest()
		do()
		if w.s.Digest() == before {
			t.Errorf("change %d leaves the digest as it was", what)
		}
	}
}

// `state_digest` ignores epoch records: a restart alone changes nothing.
func TestDigestIgnoresEpochs(t *testing.T) {
	w := newWorld(t)
	w.profile("p")
	before := w.s.Digest()
	r := eventlog.Record{Seq: 2, Type: record.EpochStarted, Time: w.now, Facts: eventlog.AppendEpochFacts(nil, eventlog.Epoch{Number: 2, Tag: 9})}
	if err := w.s.Apply(&r); err != nil {
		t.Fatal(err)
	}
	if w.s.Digest() != before {
		t.Error("an epoch changed the digest")
	}
	for seq, want := range map[eventlog.Seq]uint32{2: 9, 3: 9, 1 << 40: 9} {
		if tag, ok := TagAt(w.s.Epochs(), seq); !ok || tag != want {
			t.Errorf("TagAt(%d) = %d, %v, want %d", seq, tag, ok, want)
		}
	}
	if tag, ok := TagAt(w.s.Epochs(), 1); ok {
		t.Errorf("a record before all epochs has tag %d", tag)
	}
}

// A new version of a profile is its tenants' at once: new deliveries begin with its schedule, pending ones keep the one
// they began with; an endpoint's own schedule stays, tenants of other profiles are not touched.
func TestTenantsFollowTheirProfile(t *testing.T) {
	w := newWorld(t)
	p1, q1 := w.profile("p", time.Minute), w.profile("q", time.Hour)
	w.tenant("a", p1)
	w.tenant("b", q1)
	own := schedule.Schedule{Waits: []time.Duration{7 * time.Second}}
	plain, mine, other := w.endpoint("a", nil), w.endpoint("a", &own), w.endpoint("b", nil)
	w.publish("a", plain, mine)
	routed := func(id string) uint64 { ten, _ := w.s.Tenant(id); return ten.RouteVersion }
	a, b := routed("a"), routed("b")

	p2 := w.profile("p", 2*time.Minute, 3*time.Minute)
	w.publish("a", plain, mine)
	w.publish("b", other)

	for i, want := range []Policy{
		{p1, schedule.Schedule{Waits: []time.Duration{time.Minute}, Jitter: 0.25, Limit: time.Hour}},
		{mine, own},
		{p2, schedule.Schedule{Waits: []time.Duration{2 * time.Minute, 3 * time.Minute}, Jitter: 0.25, Limit: time.Hour}},
		{mine, own},
		{q1, schedule.Schedule{Waits: []time.Duration{time.Hour}, Jitter: 0.25, Limit: time.Hour}},
	} {
		h, _ := w.s.Pending.Find(w.refs[i])
		got := w.s.PolicyOf(w.s.Pending.At(h))
		if got.Source != want.Source || got.Schedule.MaxAttempts() != want.Schedule.MaxAttempts() || got.Schedule.Waits[0] != want.Schedule.Waits[0] {
			t.Errorf("delivery %d began with %+v, want %+v", i, got, want)
		}
	}
	ten, _ := w.s.Tenant("a")
	if ten.Profile != p2 || routed("a") != uint64(p2) || routed("a") == a {
		t.Errorf("tenant a has profile %d, route version %d, want both %d", ten.Profile, routed("a"), p2)
	}
	if routed("b") != b {
		t.Error("a tenant of another profile was touched")
	}
	sameState(t, "fold", w.fold(New(), w.recs), w.s)
}
