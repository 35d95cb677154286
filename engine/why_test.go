package engine

import (
	"errors"
	"strings"
	"testing"
)

// P2: why an event went to an endpoint, or did not, is answered from the log by the subscriptions as they were, whatever
// became of them since.
func TestWhy(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acc", "osir")
	ctx := t.Context()
	ep := r.endpoint("acc", EndpointInput{EventTypes: Some([]string{"domain.*"}), Filter: Some(`data.a == 1`)})
	other := r.endpoint("acc", EndpointInput{EventTypes: Some([]string{"invoice.paid"})})
	second := must(r.CreateSubscription(ctx, Actor{}, "acc", SubscriptionInput{EndpointID: Some(ep.ID), EventTypes: Some([]string{"domain.*"}), Filter: Some(`data.a > "x"`)}))(t)
	matched := r.publish("acc", PublishInput{Type: "domain.registered", Data: []byte(`{"a":1}`)})
	missed := r.publish("acc", PublishInput{Type: "domain.registered", Data: []byte(`{"a":2}`)})

	// What comes after changes nothing about what was.
	must(r.UpdateEndpoint(ctx, Actor{}, "acc", other.ID, EndpointInput{EventTypes: Some([]string{"*"})}))(t)
	must(r.UpdateSubscription(ctx, Actor{}, "acc", second.ID, SubscriptionInput{EndpointID: Some(other.ID), Filter: Some(`true`)}))(t)
	late := r.endpoint("acc", EndpointInput{})
	moved := r.publish("acc", PublishInput{Type: "domain.registered", Data: []byte(`{"a":2}`)})
	if err := r.DeleteEndpoint(ctx, Actor{}, "acc", ep.ID); err != nil {
		t.Fatal(err)
	}
	afterwards := r.publish("acc", PublishInput{Type: "domain.registered", Data: []byte(`{"a":1}`)})

	for _, c := range []struct {
		event, endpoint string
		matched         bool
		subs            int
		say             []string
	}{
		{matched.UID, ep.ID, true, 2, []string{"it matched when it was published; delivery dlv_", "`data.a == 1` is true", "cannot be evaluated"}},
		{missed.UID, ep.ID, false, 2, []string{"no subscription of the endpoint took it", "`data.a == 1` is false (data.a is 2)", "cannot be evaluated"}},
		{matched.UID, other.ID, false, 1, []string{"no subscription of the endpoint took it", "event types do not select domain.registered"}},
		{matched.UID, late.ID, false, 0, []string{"created after the event was published"}},
		{moved.UID, ep.ID, false, 1, []string{"`data.a == 1` is false"}},
		{moved.UID, other.ID, true, 2, []string{"it matched", "`true` is true", "has no filter"}},
		{afterwards.UID, ep.ID, false, 0, []string{"deleted before the event was published"}},
		{afterwards.UID, late.ID, true, 1, []string{"it matched"}},
	} {
		w := must(r.Why(ctx, "acc", c.event, c.endpoint))(t)
		text := w.Text
		for _, s := range w.Subscriptions {
			text += "\n" + s.Explanation.Text
		}
		if w.Matched != c.matched || len(w.Subscriptions) != c.subs || w.Matched != (len(w.Deliveries) > 0) {
			t.Errorf("%s, %s: %+v", c.event, c.endpoint, w)
		}
		for _, say := range c.say {
			if !strings.Contains(text, say) {
				t.Errorf("%s, %s: %s\nwant %s", c.event, c.endpoint, text, say)
			}
		}
	}
	for _, ids := range [][2]string{{"evt_none", ep.ID}, {matched.UID, "ep_none"}, {matched.UID, second.ID}} {
		var e *Error
		if _, err := r.Why(ctx, "acc", ids[0], ids[1]); !errors.As(err, &e) || e.Code != CodeNotFound {
			t.Errorf("%v: %v", ids, err)
		}
	}
}
