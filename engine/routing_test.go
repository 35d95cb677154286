package engine

import (
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/engine/state"
	"github.com/hookline/hookline/eventlog"
)

// Routing never lags a subscription change: while subscriptions change, every event that is published carries the
// route_version of the state that it is appended to, and matches exactly what that state selects; a publish that begins
// after the answer to a change is routed by it.
func TestRoutingNeverLags(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	ep := r.endpoint("acc", EndpointInput{EventTypes: Some([]string{"domain.renewed"})})
	other := r.endpoint("acc", EndpointInput{})
	ctx := t.Context()
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			in := []PublishInput{{Type: "domain.registered", Data: []byte(`{"a":1}`)}, {Type: "domain.renewed", Data: []byte(`{"a":1}`)}}
			for !stop.Load() {
				res, err := r.Publish(ctx, "acc", in)
				if err != nil || res[0].Err != nil {
					t.Error(err, res)
					return
				}
			}
		}()
	}
	for range 60 {
		sub := must(r.CreateSubscription(ctx, Actor{}, "acc", SubscriptionInput{EndpointID: Some(ep.ID), EventTypes: Some([]string{"domain.registered"})}))(t)
		if p := r.publish("acc", PublishInput{Type: "domain.registered"}); len(p.Matched) != 2 {
			t.Errorf("right after the subscription: %+v", p.Matched)
		}
		must(r.UpdateSubscription(ctx, Actor{}, "acc", sub.ID, SubscriptionInput{EndpointID: Some(other.ID)}))(t)
		if p := r.publish("acc", PublishInput{Type: "domain.registered"}); len(p.Matched) != 1 || len(p.Matched[0].SubscriptionIDs) != 2 {
			t.Errorf("right after its change: %+v", p.Matched)
		}
		if err := r.DeleteSubscription(ctx, Actor{}, "acc", sub.ID); err != nil {
			t.Fatal(err)
		}
		if p := r.publish("acc", PublishInput{Type: "domain.registered"}); len(p.Matched) != 1 || len(p.Matched[0].SubscriptionIDs) != 1 {
			t.Errorf("right after its end: %+v", p.Matched)
		}
	}
	stop.Store(true)
	wg.Wait()
	r.checkRoutes()
	r.checkFold()
}

// checkRoutes folds the log and compares every event's matches with the subscriptions of the state before it.
func (r *rig) checkRoutes() {
	r.t.Helper()
	st, ctx := state.New(), r.t.Context()
	for rec, err := range r.log.Read(ctx, 0) {
		if err != nil {
			r.t.Fatal(err)
		}
		if rec.Type == record.TypeEventPublished {
			r.checkRoute(st, &rec)
		}
		if err := st.Apply(&rec); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) checkRoute(st *state.State, rec *eventlog.Record) {
	var ev record.EventPublished
	if err := ev.Decode(rec.Facts); err != nil {
		r.t.Fatal(err)
	}
	tenant, _ := st.Tenant(rec.Tenant)
	if ev.RouteVersion != tenant.RouteVersion {
		r.t.Fatalf("seq %d was routed by version %d, the state has %d", rec.Seq, ev.RouteVersion, tenant.RouteVersion)
	}
	var want, got []eventlog.Seq
	for _, p := range tenant.Subscriptions {
		if slices.Contains(p.EventTypes, ev.Type) || slices.Contains(p.EventTypes, "*") {
			want = append(want, p.Seq)
		}
	}
	for _, m := range ev.Matches {
		got = append(got, m.Subscriptions...)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		r.t.Fatalf("seq %d matched subscriptions %v, want %v", rec.Seq, got, want)
	}
}

// Patches of a tenant at the same time: each sets what it names, none undoes another.
func TestTenantPatchesDoNotUndoEachOther(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	var wg sync.WaitGroup
	for i := range 16 {
		name := string(rune('a' + i))
		wg.Add(1)
		go func() {
			defer wg.Done()
			patch := json.RawMessage(`{"` + name + `":true}`)
			if _, err := r.UpdateTenant(t.Context(), Actor{}, "acc", TenantInput{Attributes: &patch}); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	var got map[string]bool
	if err := json.Unmarshal(must(r.Tenant(t.Context(), "acc"))(t).Attributes, &got); err != nil || len(got) != 16 {
		t.Fatalf("%v, attributes %v, want all 16", err, got)
	}
	r.checkFold()
}
