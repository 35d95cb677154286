package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hookline/hookline/filters"
	"pgregory.net/rapid"
)

func (r *rig) zone(name string, ttl any) Published {
	return r.publish("acc", PublishInput{Type: "zone_record.created", Data: json.RawMessage(fmt.Sprintf(`{"zone":{"name":%q},"ttl":%v}`, name, ttl))})
}

func (r *rig) simulate(in SimulateInput) FilterSimulated {
	r.t.Helper()
	in.Tenant = "acc"
	return must(r.SimulateFilter(context.Background(), in))(r.t)
}

// A filter is tried on what was published: matched, missed, failed, samples of each, what changes against the one that is
// saved, and how much it would deliver.
func TestSimulate(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{EventTypes: Some([]string{"zone_record.*"}), Filter: Some(`data.zone.name == "a.example"`)})
	sub := must(r.Subscriptions(t.Context(), "acc", ListInput{}))(t).Data[0]
	var a, b []Published
	for i := range 30 {
		a = append(a, r.zone("a.example", i))
		b = append(b, r.zone("b.example", i))
	}
	bad := r.zone("b.example", `"sixty"`)
	other := r.publish("acc", PublishInput{Type: "domain.registered"})
	r.advance(24 * time.Hour)

	got := r.simulate(SimulateInput{Filter: `data.zone.name == "b.example" and data.ttl < 20`, HasFilter: true, EventTypes: []string{"zone_record.*"}, SubscriptionID: sub.ID})
	if !got.Valid || got.Events != 62 || got.Matched != 20 || got.Missed != 41 || got.OtherTypes != 1 || got.Failed != 1 || got.Erased != 0 {
		t.Errorf("%+v", got)
	}
	if d := got.Diff; d == nil || d.Text != "+20 -30 of 62" || d.Matched != 30 || d.Failed != 0 || d.AddedSamples[0].UID != b[19].UID || d.RemovedSamples[0].UID != a[29].UID {
		t.Errorf("%+v", d)
	}
	if s := got.Samples; len(s.Matched) != 10 || s.Matched[0].UID != b[19].UID || s.Matched[9].UID != b[10].UID || len(s.Missed) != 10 || s.Missed[0].UID != b[29].UID ||
		len(s.Failed) != 1 || s.Failed[0].ID != bad.ID || s.Failed[0].Error == "" || s.Failed[0].Type != "zone_record.created" {
		t.Errorf("%+v", s)
	}
	if got.SpanS != 86400 || got.DeliveriesPerDay == nil || *got.DeliveriesPerDay != 20 || got.MatchRate != 20.0/62 {
		t.Errorf("%v s, %v a day, rate %v", got.SpanS, *got.DeliveriesPerDay, got.MatchRate)
	}
	// What is saved can be tried as it is, on fewer events, without a filter too.
	if got := r.simulate(SimulateInput{SubscriptionID: sub.ID, Last: 4}); got.Events != 4 || got.Matched != 1 || got.Missed != 3 || got.Diff.Text != "+0 -0 of 4" || got.Truncated {
		t.Errorf("%+v", got)
	}
	if got := r.simulate(SimulateInput{EventTypes: []string{"domain.*"}}); got.Matched != 1 || got.OtherTypes != 61 || got.Samples.Matched[0].UID != other.UID || got.Diff != nil {
		t.Errorf("%+v", got)
	}
	if got := r.simulate(SimulateInput{Filter: `data.ttl <`, HasFilter: true}); got.Valid || len(got.Errors) != 1 || got.Errors[0].Line != 1 || got.Events != 0 {
		t.Errorf("%+v", got)
	}
}

// A time range is looked at from its beginning to its end; one that has more events than may be looked at says so.
func TestSimulateRange(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	for i := range 10 {
		r.zone("a.example", i)
		r.advance(time.Hour)
	}
	got := r.simulate(SimulateInput{Filter: "data.ttl >= 4", HasFilter: true, From: rigStart.Add(2 * time.Hour), To: rigStart.Add(8 * time.Hour)})
	if got.Events != 6 || got.Matched != 4 || got.SpanS != 6*3600 || *got.DeliveriesPerDay != 16 || got.Truncated {
		t.Errorf("%+v", got)
	}
	if got := r.simulate(SimulateInput{Filter: "true", HasFilter: true, To: rigStart}); got.Events != 0 || got.Oldest != nil || got.DeliveriesPerDay != nil {
		t.Errorf("%+v", got)
	}
}

// What was erased is neither matched nor missed.
func TestSimulateErased(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	r.zone("a.example", 1)
	r.zone("a.example", 2)
	if err := r.keyring.Erase("acc"); err != nil {
		t.Fatal(err)
	}
	if got := r.simulate(SimulateInput{Filter: "data.ttl == 1", HasFilter: true}); got.Events != 2 || got.Erased != 2 || got.Matched+got.Missed+got.Failed != 0 || got.MatchRate != 0 {
		t.Errorf("%+v", got)
	}
	// Types alone need no content.
	if got := r.simulate(SimulateInput{EventTypes: []string{"zone_record.created"}}); got.Matched != 2 || got.Erased != 0 {
		t.Errorf("%+v", got)
	}
}

func TestSimulateRefuses(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	for _, c := range []struct {
		in   SimulateInput
		code Code
		at   string
	}{
		{SimulateInput{HasFilter: true, Filter: "true"}, CodeInvalid, "tenant"},
		{SimulateInput{Tenant: "acc"}, CodeInvalid, "filter"},
		{SimulateInput{Tenant: "acc", HasFilter: true, Filter: "true", Last: MaxSimulated + 1}, CodeInvalid, "last"},
		{SimulateInput{Tenant: "acc", HasFilter: true, Filter: "true", Last: 5, From: rigStart}, CodeInvalid, "last"},
		{SimulateInput{Tenant: "acc", HasFilter: true, Filter: "true", From: rigStart, To: rigStart}, CodeInvalid, "to"},
		{SimulateInput{Tenant: "acc", HasFilter: true, Filter: "true", EventTypes: []string{}}, CodeInvalid, "event_types"},
		{SimulateInput{Tenant: "acc", SubscriptionID: "sub_none"}, CodeNotFound, ""},
		{SimulateInput{Tenant: "nobody", HasFilter: true, Filter: "true"}, CodeNotFound, ""},
	} {
		_, err := r.SimulateFilter(t.Context(), c.in)
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code || c.at != "" && e.Fields[0].Location != c.at {
			t.Errorf("%+v: %v", c.in, err)
		}
	}
}

// It reports as it goes, and ends with its caller, also while it rests.
func TestSimulateReportsAndEnds(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	for i := range 300 {
		r.zone("a.example", i)
	}
	var told []SimulateProgress
	r.simulate(SimulateInput{Filter: "data.ttl < 100", HasFilter: true, Progress: func(p SimulateProgress) error { told = append(told, p); return nil }})
	if n := len(told); n < 2 || told[0].Total != 300 || told[n-1] != (SimulateProgress{Done: 300, Total: 300, Matched: 100}) {
		t.Errorf("%+v", told)
	}
	gone := errors.New("gone")
	if _, err := r.SimulateFilter(t.Context(), SimulateInput{Tenant: "acc", Filter: "data.ttl < 100", HasFilter: true, Progress: func(SimulateProgress) error { return gone }}); !errors.Is(err, gone) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := r.SimulateFilter(ctx, SimulateInput{Tenant: "acc", Filter: "data.ttl < 100", HasFilter: true, Progress: func(SimulateProgress) error { cancel(); return nil }})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if r.simulations.Load() != 0 || len(r.simulating) != 0 {
		t.Error("a simulation that ended holds its slot")
	}
}

// What a simulation says of an event is what routing said when it was published (rapid: filters and events of all kinds).
func TestSimulateIsRouting(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Quota = 10_000 })
	r.tenant("acc", "osir")
	rapid.Check(t, func(rt *rapid.T) {
		src := rapid.SampledFrom([]string{`data.n > 3`, `data.zone.name == "a"`, `has(data.n)`, `data.n in [1, 2]`, `metadata.m == 1`, `actor.id == "x"`, `id startsWith "evt"`,
			`type == "domain.registered"`, `data.zone.name startsWith "a" and data.n < 2`}).Draw(rt, "filter")
		if _, err := filters.Compile(src); err != nil {
			rt.Fatal(err)
		}
		ep := must(r.CreateEndpoint(t.Context(), Actor{"test"}, "acc", EndpointInput{URL: Some("https://receiver.example/x"), Filter: Some(src), EventTypes: Some([]string{"domain.*", "zone"})}))(t)
		n := rapid.IntRange(1, 8).Draw(rt, "events")
		matched, failed := 0, 0
		for range n {
			data := rapid.SampledFrom([]string{`{"n":1}`, `{"n":5}`, `{"n":"5"}`, `{"zone":{"name":"a"},"n":1}`, `{"zone":{"name":"b"}}`, `{"zone":"a"}`, `{}`}).Draw(rt, "data")
			p := r.publish("acc", PublishInput{Type: rapid.SampledFrom([]string{"domain.registered", "zone", "other"}).Draw(rt, "type"), Data: json.RawMessage(data),
				Metadata: json.RawMessage(rapid.SampledFrom([]string{`{}`, `{"m":1}`}).Draw(rt, "metadata")), Actor: json.RawMessage(`{"id":"x"}`)})
			matched += len(p.Matched)
			failed += len(must(r.Event(t.Context(), "acc", p.UID))(t).Failed)
		}
		got := r.simulate(SimulateInput{Filter: src, HasFilter: true, EventTypes: []string{"domain.*", "zone"}, Last: n})
		if got.Events != n || got.Matched != matched || got.Failed != failed {
			rt.Fatalf("%s: %d matched and %d failed when published, simulated %+v", src, matched, failed, got)
		}
		if err := r.DeleteEndpoint(t.Context(), Actor{"test"}, "acc", ep.ID); err != nil {
			rt.Fatal(err)
		}
	})
}

// A body that retention removed is counted apart as well, beside those that are there.
func TestSimulateRemovedBodies(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	r.zone("a.example", 1)
	r.zone("a.example", 2)
	r.advance(time.Hour)
	r.enforce(BodyRule{Age: 30 * time.Minute})
	r.zone("a.example", 1)
	got := r.simulate(SimulateInput{Filter: "data.ttl == 1", HasFilter: true})
	if got.Events != 3 || got.Erased != 2 || got.Matched != 1 || got.Missed+got.Failed != 0 || got.MatchRate != 1 {
		t.Errorf("%+v", got)
	}
}
