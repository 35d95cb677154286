package engine

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/eventlog"
)

// entries tells what a view routes by.
func (v *tenantView) entries() (out []string) {
	for rule := range v.index.All() {
		source := ""
		if rule.Filter != nil {
			source = rule.Filter.String()
		}
		out = append(out, fmt.Sprint(rule.Key, rule.Types.Strings(), source, *rule.Value.(*viewSubscription)))
	}
	return out
}

// A view that follows from the one before it and the changes is the one that the state gives, whatever changed.
func TestViewFollowsChanges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t, nil)
		defer r.stop()
		ctx := t.Context()
		r.tenant("acc", "osir")
		eps := []string{r.endpoint("acc", EndpointInput{}).ID, r.endpoint("acc", EndpointInput{}).ID}
		subs := func() (ids []string) {
			for _, s := range must(r.Subscriptions(ctx, "acc", ListInput{Limit: MaxLimit}))(t).Data {
				ids = append(ids, s.ID)
			}
			return ids
		}
		must(r.view(ctx, "acc"))(t)
		types := rapid.SampledFrom([][]string{{"*"}, {"domain.*"}, {"domain.registered"}, {"domain.renewed", "zone.*"}})
		filter := rapid.SampledFrom([]string{"", `data.a == 1`, `data.a in [1, 2]`})
		for range rapid.IntRange(1, 12).Draw(rt, "changes") {
			for range rapid.IntRange(1, 3).Draw(rt, "at once") {
				ep := rapid.SampledFrom(eps).Draw(rt, "endpoint")
				ids := subs()
				var err error
				switch n := rapid.IntRange(0, 7).Draw(rt, "kind"); {
				case n == 0:
					_, err = r.CreateSubscription(ctx, Actor{}, "acc", SubscriptionInput{EndpointID: Some(ep), EventTypes: Some(types.Draw(rt, "types")), Filter: Some(filter.Draw(rt, "filter"))})
				case n == 1 && len(ids) > 0:
					_, err = r.UpdateSubscription(ctx, Actor{}, "acc", rapid.SampledFrom(ids).Draw(rt, "sub"), SubscriptionInput{Filter: Some(filter.Draw(rt, "filter"))})
				case n == 2 && len(ids) > 0:
					_, err = r.UpdateSubscription(ctx, Actor{}, "acc", rapid.SampledFrom(ids).Draw(rt, "sub"), SubscriptionInput{EndpointID: Some(ep), EventTypes: Some(types.Draw(rt, "types"))})
				case n == 3 && len(ids) > 0:
					err = r.DeleteSubscription(ctx, Actor{}, "acc", rapid.SampledFrom(ids).Draw(rt, "sub"))
				case n == 4:
					_, err = r.UpdateEndpoint(ctx, Actor{}, "acc", ep, EndpointInput{Schedule: Some([]string{"1s", "2s"}[:rapid.IntRange(1, 2).Draw(rt, "waits")])})
				case n == 5 && len(eps) > 1:
					err = r.DeleteEndpoint(ctx, Actor{}, "acc", ep)
					eps = slices.DeleteFunc(eps, func(id string) bool { return id == ep })
				case n == 6:
					eps = append(eps, r.endpoint("acc", EndpointInput{EventTypes: Some(types.Draw(rt, "types"))}).ID)
				case n == 7:
					_, err = r.UpdateTenant(ctx, Actor{}, "acc", TenantInput{Name: ptr("another")})
				}
				if err != nil {
					rt.Fatal(err)
				}
			}
			v := must(r.view(ctx, "acc"))(t)
			want := must(r.nextView(ctx, "acc", nil))(t)
			if v.version != want.version || !slices.Equal(v.entries(), want.entries()) {
				rt.Fatalf("version %d\n%q\nwant version %d\n%q", v.version, v.entries(), want.version, want.entries())
			}
		}
	})
}

// Publishers that come while a view is made wait for that one, and there is no view of what is no tenant.
func TestViewIsMadeOnce(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	r.endpoint("acc", EndpointInput{})
	r.dropView("acc")
	var wg sync.WaitGroup
	views := make([]*tenantView, 32)
	for i := range views {
		wg.Go(func() { views[i] = must(r.view(t.Context(), "acc"))(t) })
	}
	wg.Wait()
	if n := len(slices.Compact(views)); n != 1 {
		t.Errorf("%d views were made", n)
	}
	_, err := r.view(t.Context(), "nobody")
	wantCode(t, err, CodeNotFound)
	if _, ok := r.views.Load("nobody"); ok || r.seen("nobody") {
		t.Error("a tenant that is not there is remembered")
	}
}

// BenchmarkChangeOneSubscription: a tenant with 100 000 subscriptions; one op changes the filter of one and publishes.
func BenchmarkChangeOneSubscription(b *testing.B) {
	const endpoints, each = 100, 1000
	r := newRig(b, nil)
	r.tenant("acc", "osir")
	ctx := b.Context()
	var wg sync.WaitGroup
	var last string
	for n := range endpoints {
		ep := r.endpoint("acc", EndpointInput{EventTypes: Some([]string{"zone.created"})})
		for i := range each {
			wg.Go(func() {
				typ := fmt.Sprintf("bulk.t%d", i) // so that routing, which is the filters' matter, asks few of them
				if n == 0 && i == 0 {
					typ = "domain.registered"
				}
				s := must(r.CreateSubscription(ctx, Actor{}, "acc", SubscriptionInput{EndpointID: Some(ep.ID), EventTypes: Some([]string{typ}),
					Filter: Some(fmt.Sprintf(`data.customer == "c%d"`, n*each+i))}))(b)
				if n == 0 && i == 0 {
					last = s.ID
				}
			})
		}
		wg.Wait()
	}
	began := time.Now()
	must(r.view(ctx, "acc"))(b)
	b.Logf("the first view of %d subscriptions took %s", endpoints*each, time.Since(began))
	var seq eventlog.Seq
	for n := 0; b.Loop(); n++ {
		must(r.UpdateSubscription(ctx, Actor{}, "acc", last, SubscriptionInput{Filter: Some(fmt.Sprintf(`data.customer == "d%d"`, n))}))(b)
		p := r.publish("acc", PublishInput{Type: "domain.registered", Data: fmt.Appendf(nil, `{"customer":"d%d"}`, n)})
		if len(p.Matched) != 1 || eventlog.Seq(p.Seq) <= seq {
			b.Fatalf("published %+v", p)
		}
		seq = eventlog.Seq(p.Seq)
	}
}
