package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/transports"
)

// managed makes a tenant with management_events: true.
func (r *rig) managed(id, profileName string) {
	r.t.Helper()
	r.tenant(id, profileName)
	must(r.UpdateTenant(context.Background(), Actor{"test"}, id, TenantInput{ManagementEvents: ptr(true)}))(r.t)
}

// types are those of a tenant's events, oldest first.
func (r *rig) types(tenant string) string {
	r.t.Helper()
	var all []string
	for _, e := range must(r.Events(context.Background(), tenant, ListInput{Ascending: true, Limit: MaxLimit}))(r.t).Data {
		all = append(all, e.Type)
	}
	return strings.Join(all, " ")
}

// failing answers requests to some targets with 500, all others with 200.
func (r *rig) failing(part string) {
	r.net.answers(func(_ int, q *transports.Request) (transports.Result, error) {
		if part != "" && strings.Contains(q.Target, part) {
			return status(500), nil
		}
		return status(200), nil
	})
}

// bodies are what a target got, oldest first.
func (r *rig) bodiesTo(part string) (all []string) {
	for _, q := range r.net.requests() {
		if strings.Contains(q.Target, part) {
			all = append(all, string(q.Body))
		}
	}
	return all
}

// O-15 with management events: the fifth failure, the disabling and both events stand in one batch; another endpoint gets
// them; the operational events' own deliveries to the disabled endpoint are skipped and told no further.
func TestOperationalEvents(t *testing.T) {
	r := newRig(t, nil)
	r.managed("acme", "osir")
	bad := r.endpoint("acme", EndpointInput{URL: Some("https://bad.example/"), Schedule: Some([]string{"1s"})})
	r.endpoint("acme", EndpointInput{URL: Some("https://watch.example/"), EventTypes: Some([]string{"endpoint.*", "delivery.*"})})
	r.failing("bad")
	p := r.publish("acme", PublishInput{Type: "invoice.paid"})
	r.advance(time.Minute)
	if got, want := r.types("acme"), "invoice.paid delivery.exhausted endpoint.disabled"; got != want {
		t.Fatalf("events: %s, want %s", got, want)
	}
	got := r.bodiesTo("watch")
	if len(got) != 2 {
		t.Fatalf("the watcher got %q", got)
	}
	var body struct {
		ID, Type string
		Data     struct {
			Endpoint struct {
				ID, URL, Status string
				DisabledReason  string `json:"disabled_reason"`
				DisabledAt      *Time  `json:"disabled_at"`
			}
			Delivery struct {
				ID       string
				EventUID string `json:"event_uid"`
				Reason   string
				Made     int `json:"attempts_made"`
			}
		}
	}
	for _, text := range got {
		if err := json.Unmarshal([]byte(text), &body); err != nil {
			t.Fatal(err)
		}
		d := body.Data
		if d.Endpoint.ID != bad.ID || d.Endpoint.URL != "https://bad.example/" || d.Endpoint.Status != "disabled" || d.Endpoint.DisabledAt == nil ||
			d.Endpoint.DisabledReason != "delivery_exhausted" || d.Delivery.ID != p.Matched[0].DeliveryID || d.Delivery.EventUID != p.UID ||
			d.Delivery.Reason != "schedule_used_up" || d.Delivery.Made != 2 || !strings.HasPrefix(body.ID, "evt_") {
			t.Errorf("told: %s", text)
		}
	}
	ctx := context.Background()
	must(r.EnableEndpoint(ctx, Actor{"test"}, "acme", bad.ID))(t)
	r.advance(0)                                                  // it fails once more
	must(r.EnableEndpoint(ctx, Actor{"test"}, "acme", bad.ID))(t) // sets the count back, opens nothing, tells nothing
	must(r.DisableEndpoint(ctx, Actor{"test"}, "acme", bad.ID))(t)
	r.advance(time.Minute)
	if got, want := r.types("acme"), "invoice.paid delivery.exhausted endpoint.disabled endpoint.enabled endpoint.disabled"; got != want {
		t.Errorf("events: %s, want %s", got, want)
	}
	r.checkFold()
	r.stop()
	r.removeDerived()
	r.start()
	if got := r.types("acme"); !strings.HasSuffix(got, "endpoint.enabled endpoint.disabled") {
		t.Errorf("after a rebuild: %s", got)
	}
}

// Atomic: a cause and its event have neighbouring seqs in one batch of the log.
func TestOperationalEventsStandBesideTheirCause(t *testing.T) {
	r := newRig(t, nil)
	r.managed("acme", "osir")
	ep := r.endpoint("acme", EndpointInput{})
	must(r.DisableEndpoint(context.Background(), Actor{"test"}, "acme", ep.ID))(t)
	found := false
	for b, err := range r.log.ReadBatches(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Records {
			if i > 0 && b.Records[i-1].Type == 23 && b.Records[i].Type == 40 {
				found = true
			}
		}
	}
	if !found {
		t.Error("no batch has endpoint.disabled and behind it event.published")
	}
}

// D-13 with warnings at 50, 70 and 90 percent: told once each, then the suppression; clearing is told too. Off by default:
// nothing of it without management_events.
func TestOperationalWarnings(t *testing.T) {
	for _, on := range []bool{true, false} {
		r := heedfulRig(t)
		if on {
			must(r.UpdateTenant(context.Background(), Actor{"test"}, "acme", TenantInput{ManagementEvents: ptr(true)}))(t)
		}
		ep := r.endpoint("acme", EndpointInput{URL: Some("https://bad.example/"), EventTypes: Some([]string{"note.*"}), Concurrency: Some(1)})
		r.endpoint("acme", EndpointInput{URL: Some("https://watch.example/"), EventTypes: Some([]string{"endpoint.*"})})
		r.failing("bad")
		for range 10 {
			r.publish("acme", PublishInput{Type: "note.added"})
			r.advance(0)
		}
		must(r.ClearSuppression(context.Background(), Actor{"test"}, "acme", ep.ID))(t)
		r.advance(0)
		want := "note.added note.added note.added note.added note.added endpoint.failing note.added note.added endpoint.failing note.added " +
			"note.added endpoint.failing note.added endpoint.suppressed endpoint.suppression_cleared"
		if !on {
			want = strings.TrimSpace(strings.Repeat("note.added ", 10))
		}
		if got := r.types("acme"); got != want {
			t.Errorf("on %v: %s, want %s", on, got, want)
		}
		told := strings.Join(r.bodiesTo("watch"), "\n")
		for _, percent := range []int{50, 70, 90} {
			if strings.Count(told, fmt.Sprintf(`"percent":%d`, percent)) != map[bool]int{true: 1}[on] {
				t.Errorf("on %v: the warning at %d: %s", on, percent, told)
			}
		}
		r.checkFold()
	}
}

// dnsimple's names and its webhook object; create goes to the endpoints existing after the change, delete to those
// left; the actor is the system.
func TestOperationalEventsByProfile(t *testing.T) {
	r := newRig(t, nil)
	r.managed("acme", "dnsimple")
	r.endpoint("acme", EndpointInput{URL: Some("https://one.example/")})
	two := r.endpoint("acme", EndpointInput{URL: Some("https://two.example/")})
	r.advance(0)
	if err := r.DeleteEndpoint(context.Background(), Actor{"test"}, "acme", two.ID); err != nil {
		t.Fatal(err)
	}
	r.advance(0)
	names := func(part string) (all []string) {
		for _, text := range r.bodiesTo(part) {
			var b struct {
				Name  string
				Actor json.RawMessage
				Data  json.RawMessage
			}
			if err := json.Unmarshal([]byte(text), &b); err != nil {
				t.Fatal(err)
			}
			if string(b.Actor) != `{"id":"system","entity":"system","pretty":""}` {
				t.Errorf("actor %s", b.Actor)
			}
			all = append(all, b.Name+" "+string(b.Data))
		}
		return all
	}
	const made1, made2 = `webhook.create {"webhook":{"id":1,"url":"https://one.example/","suppressed_at":null}}`,
		`webhook.create {"webhook":{"id":2,"url":"https://two.example/","suppressed_at":null}}`
	const gone2 = `webhook.delete {"webhook":{"id":2,"url":"https://two.example/","suppressed_at":null}}`
	if got, want := fmt.Sprint(names("one")), fmt.Sprint([]string{made1, made2, gone2}); got != want {
		t.Errorf("the first got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(names("two")), fmt.Sprint([]string{made2}); got != want {
		t.Errorf("the second got %s, want %s", got, want)
	}
	r.checkFold()
}

// No loops: an endpoint that refuses operational events alone, between ordinary ones that it takes, is told of no further.
func TestOperationalEventsDoNotLoop(t *testing.T) {
	r := heedfulRig(t)
	must(r.UpdateTenant(context.Background(), Actor{"test"}, "acme", TenantInput{ManagementEvents: ptr(true)}))(t)
	r.endpoint("acme", EndpointInput{})
	bad := true
	r.net.answers(func(_ int, q *transports.Request) (transports.Result, error) {
		if bad || strings.Contains(string(q.Body), `"endpoint"`) {
			return status(500), nil
		}
		return status(200), nil
	})
	for range 5 {
		r.publish("acme", PublishInput{Type: "note.added"})
		r.advance(0)
	}
	bad = false
	for range 200 {
		r.publish("acme", PublishInput{Type: "note.added"})
		r.advance(10 * time.Second)
	}
	if n := strings.Count(r.types("acme"), "endpoint.") + strings.Count(r.types("acme"), "delivery."); n != 1 {
		t.Errorf("%d operational events, want the first warning alone: %s", n, r.types("acme"))
	}
	r.checkFold()
}

// A patch that does not name it leaves it as it is; null turns it off.
func TestManagementEventsIsKept(t *testing.T) {
	r := newRig(t, nil)
	ctx := context.Background()
	name, profileName := "n", "osir"
	made := must(r.CreateTenant(ctx, Actor{"test"}, TenantInput{ID: "acme", Profile: &profileName, ManagementEvents: ptr(true)}))(t)
	patched := must(r.UpdateTenant(ctx, Actor{"test"}, "acme", TenantInput{Name: &name}))(t)
	off := must(r.UpdateTenant(ctx, Actor{"test"}, "acme", TenantInput{ManagementEvents: ptr(false)}))(t)
	if !made.ManagementEvents || !patched.ManagementEvents || off.ManagementEvents {
		t.Errorf("made %v, patched %v, off %v", made.ManagementEvents, patched.ManagementEvents, off.ManagementEvents)
	}
}

// A filter that cannot be evaluated is told of once for each version of its subscription, in one batch with the event, and
// never about itself.
func TestSubscriptionFailingEvent(t *testing.T) {
	r := newRig(t, nil)
	r.managed("acme", "osir")
	ctx := t.Context()
	ep := r.endpoint("acme", EndpointInput{EventTypes: Some([]string{"invoice.*", "subscription.failing"}), Filter: Some("data.n > 1")})
	r.endpoint("acme", EndpointInput{URL: Some("https://watch.example/"), EventTypes: Some([]string{"subscription.failing"})})
	first := r.publish("acme", PublishInput{Type: "invoice.paid", Data: []byte(`{"n":"x"}`)})
	r.publish("acme", PublishInput{Type: "invoice.paid", Data: []byte(`{"n":"y"}`)})
	r.advance(0)
	if got := r.types("acme"); got != "invoice.paid subscription.failing invoice.paid" {
		t.Error(got)
	}
	sub := must(r.Subscriptions(ctx, "acme", ListInput{EndpointID: ep.ID}))(t).Data[0]
	told := r.bodiesTo("watch")
	if len(told) != 1 {
		t.Fatal(told)
	}
	for _, want := range []string{`"id":"` + sub.ID + `"`, `"event_uid":"` + first.UID + `"`, `"event_type":"invoice.paid"`, `"mode":"live"`, `compares`, ep.ID} {
		if !strings.Contains(told[0], want) {
			t.Errorf("%s lacks %s", told[0], want)
		}
	}
	if sub.Failures != 3 { // the operational event has no n either: counted, and told no further
		t.Errorf("%+v", sub)
	}
	must(r.UpdateEndpoint(ctx, Actor{}, "acme", ep.ID, EndpointInput{Filter: Some("data.n > 2")}))(t)
	r.publish("acme", PublishInput{Type: "invoice.paid", Data: []byte(`{"n":"z"}`)})
	r.advance(0)
	if told := r.bodiesTo("watch"); len(told) != 2 {
		t.Error(told)
	}
	r.checkFold()
}
