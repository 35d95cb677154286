package engine

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/eventlog"
)

func (r *rig) subscription(in SubscriptionInput) Subscription {
	r.t.Helper()
	return must(r.CreateSubscription(r.t.Context(), Actor{"test"}, "acc", in))(r.t)
}

func (r *rig) versions(id string) []VersionOfSubscription {
	r.t.Helper()
	return must(r.SubscriptionVersions(r.t.Context(), "acc", id, ListInput{}))(r.t).Data
}

func (r *rig) number(n string) Published {
	r.t.Helper()
	return r.publish("acc", PublishInput{Type: "domain.registered", Data: json.RawMessage(`{"n":` + n + `}`)})
}

func matchedBy(p Published, id string) bool {
	return slices.ContainsFunc(p.Matched, func(m Matched) bool { return slices.Contains(m.SubscriptionIDs, id) })
}

// Every change of a subscription is a version: when, by whom, why, and what it was. Rolling back makes a new one with the
// old content, which holds from its own seq on; P2.
func TestSubscriptionVersions(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	ctx := t.Context()
	ep := r.endpoint("acc", EndpointInput{EventTypes: Some([]string{"other"})})
	sub := r.subscription(SubscriptionInput{EndpointID: Some(ep.ID), Filter: Some("data.n == 1"), Note: Some("first")})
	r.advance(time.Minute)
	second := must(r.UpdateSubscription(ctx, Actor{"key_x"}, "acc", sub.ID, SubscriptionInput{Filter: Some("data.n == 2"), EventTypes: Some([]string{"domain.*"})}))(t)
	if sub.Version >= second.Version || sub.Mode != "live" || sub.Shadow != nil || sub.LastFailure != nil {
		t.Errorf("%+v %+v", sub, second)
	}
	if p := r.number("1"); matchedBy(p, sub.ID) {
		t.Error("the old filter still routes")
	}
	third := must(r.RollbackSubscription(ctx, Actor{"test"}, "acc", sub.ID, RollbackInput{Version: sub.Version, Note: "as it was"}))(t)
	if p := r.number("1"); !matchedBy(p, sub.ID) || p.Seq <= third.Version || *third.Filter != "data.n == 1" || !slices.Equal(third.EventTypes, []string{"*"}) {
		t.Errorf("rolled back: %+v %+v", third, p)
	}
	got := r.versions(sub.ID)
	if len(got) != 3 || got[0].Version != third.Version || *got[0].Restores != sub.Version || *got[0].Note != "as it was" || *got[0].Filter != "data.n == 1" {
		t.Fatalf("%+v", got)
	}
	if v := got[1]; v.Version != second.Version || *v.By != "key_x" || v.Note != nil || v.Restores != nil || !slices.Equal(v.EventTypes, []string{"domain.*"}) || v.Time-got[2].Time != 60_000 {
		t.Errorf("%+v", v)
	}
	if v := got[2]; v.Version != sub.Version || *v.By != "test" || *v.Note != "first" || v.EndpointID != ep.ID || v.Mode != "live" {
		t.Errorf("%+v", v)
	}
	page := must(r.SubscriptionVersions(ctx, "acc", sub.ID, ListInput{Limit: 2}))(t)
	rest := must(r.SubscriptionVersions(ctx, "acc", sub.ID, ListInput{Limit: 2, Cursor: *page.NextCursor}))(t)
	if len(page.Data) != 2 || len(rest.Data) != 1 || rest.Data[0].Version != sub.Version || rest.NextCursor != nil {
		t.Errorf("%+v %+v", page, rest)
	}
	// A deleted one can be looked up, and nothing else of it done.
	if err := r.DeleteSubscription(ctx, Actor{"test"}, "acc", sub.ID); err != nil {
		t.Fatal(err)
	}
	if got := r.versions(sub.ID); len(got) != 3 {
		t.Errorf("%+v", got)
	}
	if _, err := r.RollbackSubscription(ctx, Actor{}, "acc", sub.ID, RollbackInput{Version: sub.Version}); codeOf(err) != CodeNotFound {
		t.Error(err)
	}
	r.checkFold()
}

func TestRollbackRefuses(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	r.tenant("other", "osir")
	ctx := t.Context()
	ep := r.endpoint("acc", EndpointInput{})
	a, b := r.subscription(SubscriptionInput{EndpointID: Some(ep.ID)}), r.subscription(SubscriptionInput{EndpointID: Some(ep.ID)})
	b = must(r.UpdateSubscription(ctx, Actor{}, "acc", b.ID, SubscriptionInput{Filter: Some("true")}))(t)
	for _, c := range []struct {
		tenant, id string
		in         RollbackInput
		code       Code
	}{
		{"acc", a.ID, RollbackInput{Version: b.Version}, CodeInvalid}, // another one's
		{"acc", a.ID, RollbackInput{Version: 1}, CodeInvalid},         // another record
		{"acc", a.ID, RollbackInput{Version: 1 << 40}, CodeInvalid},   // not written yet
		{"acc", a.ID, RollbackInput{Version: a.Version}, CodeConflict},
		{"acc", b.ID, RollbackInput{Version: b.Version}, CodeConflict},
		{"acc", b.ID, RollbackInput{Version: a.Version, Note: strings.Repeat("x", MaxNote+1)}, CodeInvalid},
		{"other", a.ID, RollbackInput{Version: a.Version}, CodeNotFound},
		{"acc", "sub_none", RollbackInput{Version: a.Version}, CodeNotFound},
	} {
		if _, err := r.RollbackSubscription(ctx, Actor{}, c.tenant, c.id, c.in); codeOf(err) != c.code {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := r.SubscriptionVersions(ctx, "other", a.ID, ListInput{}); codeOf(err) != CodeNotFound {
		t.Error(err) // 404 across tenants
	}
	if _, err := r.CreateSubscription(ctx, Actor{}, "acc", SubscriptionInput{EndpointID: Some(ep.ID), Mode: Some("dark")}); codeOf(err) != CodeInvalid {
		t.Error(err)
	}
}

// A subscription in shadow mode is evaluated and counted and delivers nothing, until it is promoted: from its record's seq
// on. Its counts begin anew with each version.
func TestShadow(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	ctx := t.Context()
	ep := r.endpoint("acc", EndpointInput{EventTypes: Some([]string{"other"})})
	sub := r.subscription(SubscriptionInput{EndpointID: Some(ep.ID), Filter: Some("data.n > 1"), Mode: Some(ModeShadow)})
	if sub.Mode != "shadow" || sub.Shadow == nil || sub.Shadow.Matched != 0 {
		t.Fatalf("%+v", sub)
	}
	counts := func() ShadowCounts {
		s := must(r.Subscription(ctx, "acc", sub.ID))(t)
		if s.Shadow == nil {
			t.Fatalf("%+v", s)
		}
		return *s.Shadow
	}
	for _, n := range []string{"1", "2", "3", `"x"`} {
		if p := r.number(n); len(p.Matched) != 0 {
			t.Errorf("%s was delivered: %+v", n, p)
		}
	}
	if c := counts(); c.Matched != 2 || c.Failed != 1 {
		t.Errorf("%+v", c)
	}
	if m := r.Metrics(); m.ShadowMatched != 2 || m.FilterFailures != 1 || m.Pending != 0 {
		t.Errorf("%+v", m)
	}
	explained := must(r.Publish(ctx, "acc", []PublishInput{{Type: "domain.registered", Data: json.RawMessage(`{"n":5}`), Explain: true}}))(t)[0].Published
	if u := explained.Unmatched[len(explained.Unmatched)-1]; u.SubscriptionID != sub.ID || !strings.HasPrefix(u.Reason, "in shadow mode, which delivers nothing: it matches") {
		t.Errorf("%+v", explained.Unmatched)
	}
	if w := must(r.Why(ctx, "acc", explained.UID, ep.ID))(t); w.Matched || w.Subscriptions[0].Mode != "shadow" || !strings.HasPrefix(w.Subscriptions[0].Explanation.Text, "in shadow mode") {
		t.Errorf("%+v", w)
	}
	// Another change of the tenant's routing leaves the counts; one of its own begins them anew.
	r.endpoint("acc", EndpointInput{EventTypes: Some([]string{"other"})})
	r.number("7")
	if c := counts(); c.Matched != 4 {
		t.Errorf("%+v", c)
	}
	must(r.UpdateSubscription(ctx, Actor{}, "acc", sub.ID, SubscriptionInput{Filter: Some("data.n > 2")}))(t)
	r.number("2")
	r.number("3")
	if c := counts(); c.Matched != 1 {
		t.Errorf("%+v", c)
	}
	r.checkFold()

	live := must(r.PromoteSubscription(ctx, Actor{"test"}, "acc", sub.ID, "looks right"))(t)
	if live.Mode != "live" || live.Shadow != nil || *live.Filter != "data.n > 2" {
		t.Errorf("%+v", live)
	}
	if p := r.number("3"); !matchedBy(p, sub.ID) || p.Seq <= live.Version {
		t.Errorf("%+v", p)
	}
	if again := must(r.PromoteSubscription(ctx, Actor{"test"}, "acc", sub.ID, ""))(t); again.Version != live.Version {
		t.Errorf("promoted twice: %+v", again)
	}
	var modes []string
	for _, v := range r.versions(sub.ID) {
		modes = append(modes, v.Mode)
	}
	if !slices.Equal(modes, []string{"live", "shadow", "shadow"}) || *r.versions(sub.ID)[0].Note != "looks right" {
		t.Errorf("%v", modes)
	}
	if _, kept := r.shadows.kept.Load(eventlog.Seq(sub.Version)); kept {
		t.Error("the counts of what is live now are kept")
	}
	r.checkFold()
}

// What a filter fails on is recorded with the event and told by the subscription: how often, when last, on which event and
// why. It comes from the log: a start without anything else knows it too; promise 3.
func TestSubscriptionTellsFailures(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	ctx := t.Context()
	ep := r.endpoint("acc", EndpointInput{EventTypes: Some([]string{"other"})})
	sub := r.subscription(SubscriptionInput{EndpointID: Some(ep.ID), Filter: Some("data.n > 1")})
	r.number("5")
	r.number(`"x"`)
	r.advance(time.Hour)
	last := r.number(`"y"`)
	check := func() {
		t.Helper()
		for _, s := range []Subscription{must(r.Subscription(ctx, "acc", sub.ID))(t), must(r.Subscriptions(ctx, "acc", ListInput{}))(t).Data[0]} {
			f := s.LastFailure
			if s.Failures != 2 || f == nil || f.EventUID != last.UID || !strings.Contains(f.Error, `data.n`) || f.At != Time(rigStart.Add(time.Hour).UnixMilli()) {
				t.Fatalf("%+v %+v", s, f)
			}
		}
	}
	check()
	r.checkFold()
	r.stop()
	r.start() // from its snapshot
	check()
	r.stop()
	r.removeDerived()
	r.start() // from the log alone
	check()
	if s := must(r.UpdateSubscription(ctx, Actor{}, "acc", sub.ID, SubscriptionInput{Filter: Some(`data.n == "y"`)}))(t); s.Failures != 0 || s.LastFailure != nil {
		t.Errorf("%+v", s)
	}
}

// A change of an endpoint's only subscription leaves its mode.
func TestEndpointPatchKeepsShadow(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	ctx := t.Context()
	ep := r.endpoint("acc", EndpointInput{})
	sub := must(r.Subscriptions(ctx, "acc", ListInput{}))(t).Data[0]
	must(r.UpdateSubscription(ctx, Actor{}, "acc", sub.ID, SubscriptionInput{Mode: Some(ModeShadow)}))(t)
	must(r.UpdateEndpoint(ctx, Actor{}, "acc", ep.ID, EndpointInput{Filter: Some("data.n == 1")}))(t)
	if s := must(r.Subscription(ctx, "acc", sub.ID))(t); s.Mode != "shadow" || *s.Filter != "data.n == 1" {
		t.Errorf("%+v", s)
	}
	if p := r.number("1"); len(p.Matched) != 0 {
		t.Errorf("%+v", p)
	}
}

// What was erased is told as erased, and is nothing to roll back to.
func TestVersionsErased(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	ep := r.endpoint("acc", EndpointInput{})
	sub := r.subscription(SubscriptionInput{EndpointID: Some(ep.ID), Filter: Some("data.n == 1")})
	if err := r.keyring.Erase("acc"); err != nil {
		t.Fatal(err)
	}
	v := r.versions(sub.ID)
	if len(v) != 1 || !v[0].Erased || v[0].Filter != nil || v[0].By != nil || !slices.Equal(v[0].EventTypes, []string{"*"}) {
		t.Errorf("%+v", v)
	}
	if _, err := r.RollbackSubscription(t.Context(), Actor{}, "acc", sub.ID, RollbackInput{Version: sub.Version}); err == nil || errors.Is(err, eventlog.ErrCorrupt) {
		t.Error(err)
	}
}
