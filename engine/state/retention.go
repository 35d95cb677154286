package state

import (
	"cmp"
	"slices"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// Removal is what retention has removed of bodies under one rule: of one tenant and event type, or of all.
type Removal struct {
	record.BodyRemoved                // the newest one; Upto covers everything before it
	Seq                eventlog.Seq   // of the newest record
	At                 int64          // its time, Unix ms
	Waiting            []eventlog.Seq // events up to Upto whose bodies are kept for pending deliveries, rising
	hash               Digest
}

// Removals are what retention has removed, by rule. They are shared: replaced, never changed.
func (s *State) Removals() []*Removal { return s.removals }

// Covers says whether the body of an event is gone under this rule.
func (x *Removal) Covers(event eventlog.Seq, tenant, eventType string) bool {
	if event > x.Upto || !x.Rule.Selects(tenant, eventType) {
		return false
	}
	_, waits := slices.BinarySearch(x.Waiting, event)
	return !waits
}

// RemovedBy finds a rule under which the body of an event is gone; nil = it is there.
func RemovedBy(removals []*Removal, event eventlog.Seq, tenant, eventType string) *Removal {
	for _, x := range removals {
		if x.Covers(event, tenant, eventType) {
			return x
		}
	}
	return nil
}

func compareRules(a, b record.BodyRule) int {
	return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.EventType, b.EventType))
}

// RemovalOf is what was removed under a rule for the same tenant and event type; nil = nothing.
func RemovalOf(removals []*Removal, rule record.BodyRule) *Removal {
	i, ok := findRemoval(removals, rule)
	if !ok {
		return nil
	}
	return removals[i]
}

func findRemoval(removals []*Removal, rule record.BodyRule) (int, bool) {
	return slices.BinarySearchFunc(removals, rule, func(x *Removal, rule record.BodyRule) int { return compareRules(x.Rule, rule) })
}

func (s *State) bodyRemoved(r *eventlog.Record) error {
	list, was, is, err := AddRemoval(s.removals, r)
	if err != nil {
		return err
	}
	if was != nil {
		s.digest.sub(was.hash)
	}
	s.removals = list
	s.digest.add(is.hash)
	return nil
}

// Allows says which sections of a record may be gone under this rule, bit 0 the first.
func (x *Removal) Allows(r *eventlog.Record) uint16 {
	all := record.BodyRemoved{Rule: x.Rule, Upto: x.Upto, Kept: x.Waiting}
	sections, _ := all.Removes(r) // what cannot be decoded, no rule selects
	return sections
}

// AddRemoval makes the list with one record body.removed more; the list before stays as it is. was is what stood for the
// same tenant and event type; nil = nothing.
func AddRemoval(before []*Removal, r *eventlog.Record) (list []*Removal, was, x *Removal, err error) {
	x = &Removal{Seq: r.Seq, At: r.Time}
	if err := x.Decode(r.Facts); err != nil {
		return nil, nil, nil, err
	}
	x.Rule.Tenant, x.Rule.EventType = cloned(x.Rule.Tenant), cloned(x.Rule.EventType)
	i, had := findRemoval(before, x.Rule)
	after, waiting := eventlog.Seq(0), []eventlog.Seq(nil)
	if had {
		was = before[i]
		after, waiting = was.Upto, was.Waiting
	}
	if x.After != after || x.Upto < after || x.Upto >= r.Seq {
		return nil, nil, nil, inconsistentRecord(r, "it begins after %d and ends at %d; the rule has come to %d", x.After, x.Upto, after)
	}
	for _, seq := range waiting {
		if _, gone := slices.BinarySearch(x.Also, seq); !gone {
			x.Waiting = append(x.Waiting, seq)
		}
	}
	x.Waiting = append(x.Waiting, x.Kept...) // all after those before
	x.hash = hashOf(appendRemoval(nil, x))
	list = slices.Clone(before)
	if had {
		list[i] = x
	} else {
		list = slices.Insert(list, i, x)
	}
	return list, was, x, nil
}

func cloned(s string) string { return string([]byte(s)) }

// NeededBy are the events of pending deliveries with a seq in (after, upto], of a tenant or ("") of all, rising, each once.
func (s *State) NeededBy(tenant string, after, upto eventlog.Seq) (events []eventlog.Seq) {
	s.Pending.All(func(_ uint32, d *Delivery) bool {
		if d.Event > after && d.Event <= upto && (tenant == "" || s.EndpointOf(d).Tenant.ID == tenant) {
			events = append(events, d.Event)
		}
		return true
	})
	slices.Sort(events)
	return slices.Compact(events)
}

func appendRemoval(b []byte, x *Removal) []byte {
	b = append(b, kindRemoval)
	b = au(b, uint64(x.Seq))
	b = ai(b, x.At)
	b = as(b, string(x.AppendFacts(nil)))
	b = au(b, uint64(len(x.Waiting)))
	for _, seq := range x.Waiting {
		b = au(b, uint64(seq))
	}
	return b
}

func (d *snapshotReader) removal() {
	x := &Removal{Seq: eventlog.Seq(d.u()), At: d.i()}
	if err := x.Decode([]byte(d.str())); err != nil {
		panic(err)
	}
	for range d.u() {
		x.Waiting = append(x.Waiting, eventlog.Seq(d.u()))
	}
	x.hash = hashOf(appendRemoval(nil, x))
	d.s.removals = append(d.s.removals, x)
	d.s.digest.add(x.hash)
}
