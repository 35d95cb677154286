package engine

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/transports"
)

// enforce looks at rules once, as the background does.
func (r *rig) enforce(rules ...BodyRule) {
	r.t.Helper()
	if err := CheckRetention(rules); err != nil {
		r.t.Fatal(err)
	}
	r.Engine.cfg.Retention = rules
	x := retention{e: r.Engine, log: r.log, clean: make([]eventlog.Seq, len(rules))}
	x.look()
}

func (r *rig) event(tenant, uid string) Event {
	r.t.Helper()
	return must(r.Event(r.t.Context(), tenant, uid))(r.t)
}

// Bodies go by age, of a tenant and of an event type; what is asked about one says which rule took it, and sending it again
// is refused with that. Facts, metadata, the chain and the digest stay.
func TestBodiesGoByRule(t *testing.T) {
	r := newRig(t, func(*Config) {})
	ctx := t.Context()
	r.tenant("acc", "standard")
	r.tenant("other", "standard")
	ep := r.endpoint("acc", EndpointInput{})
	published := map[string]Published{}
	for _, c := range [][2]string{{"acc", "domain.create"}, {"acc", "domain.delete"}, {"acc", "invoice.paid"}, {"other", "domain.create"}} {
		published[c[0]+" "+c[1]] = r.publish(c[0], PublishInput{Type: c[1], Metadata: json.RawMessage(`{"find":"me"}`)})
	}
	r.advance(time.Hour)
	young := r.publish("acc", PublishInput{Type: "domain.create"})
	r.advance(0)
	before := must(r.LogStatus(ctx))(t)
	r.enforce(BodyRule{Tenant: "acc", EventType: "domain.*", Age: 30 * time.Minute})

	gone := published["acc domain.create"]
	for name, p := range published {
		tenant, _, _ := strings.Cut(name, " ")
		ev := r.event(tenant, p.UID)
		if removed := strings.HasPrefix(name, "acc domain."); removed != (ev.BodyRemoved != nil) || removed != (ev.Body == nil) {
			t.Errorf("%s: body %v, removed %+v", name, ev.Body, ev.BodyRemoved)
		}
		if string(ev.Metadata) != `{"find":"me"}` {
			t.Errorf("%s: metadata %s", name, ev.Metadata)
		}
	}
	if rule := r.event("acc", gone.UID).BodyRemoved.Rule; rule != "bodies of domain.* of tenant acc older than 30m0s" {
		t.Errorf("rule %q", rule)
	}
	if r.event("acc", young.UID).Body == nil {
		t.Error("a young body is gone")
	}
	d := r.delivery("acc", gone.Matched[0].DeliveryID)
	if a := d.Attempts[0]; a.BodyRemoved == nil || a.Request.Body != nil || a.Response != nil || a.Erased {
		t.Errorf("an attempt of it: %+v", a)
	}
	if one := must(r.Attempt(ctx, "acc", d.Attempts[0].ID))(t); one.BodyRemoved == nil || one.InForce == nil {
		t.Errorf("the attempt alone: %+v", one)
	}
	for what, ask := range map[string]func() error{
		"resend":  func() error { _, err := r.ResendDelivery(ctx, Actor{}, "acc", d.ID); return err },
		"deliver": func() error { _, err := r.DeliverEvent(ctx, Actor{}, "acc", gone.UID, ep.ID); return err },
		"why":     func() error { _, err := r.Why(ctx, "acc", gone.UID, ep.ID); return err },
	} {
		if err := ask(); !isCode(err, CodeGone) || !strings.Contains(err.Error(), "older than 30m0s") {
			t.Errorf("%s: %v, want 410 that names the rule", what, err)
		}
	}
	after := must(r.LogStatus(ctx))(t)
	if after.HeadSeq != before.HeadSeq+1 {
		t.Errorf("%d records were appended, want one", after.HeadSeq-before.HeadSeq)
	}
	r.enforce(BodyRule{Tenant: "acc", EventType: "domain.*", Age: 30 * time.Minute})
	if again := r.HeadSeq(); again != after.HeadSeq {
		t.Errorf("a rule that finds nothing appended %d records", again-after.HeadSeq)
	}
	r.checkFold()
	r.stop()
	r.removeDerived()
	r.start()
	r.checkFold()
	if r.event("acc", gone.UID).BodyRemoved == nil {
		t.Error("after a rebuild nothing says that the body was removed")
	}
}

// What a pending delivery needs stays however old it is, and goes once it is not needed any more. A recovery makes nothing
// of what is gone.
func TestPendingDeliveriesKeepTheirBodies(t *testing.T) {
	r := newRig(t, func(*Config) {})
	ctx := t.Context()
	r.net.answers(func(int, *transports.Request) (transports.Result, error) { return status(500), nil })
	r.tenant("acc", "standard")
	ep := r.endpoint("acc", EndpointInput{Schedule: Some([]string{"2h", "2h"})})
	p := r.publish("acc", PublishInput{Type: "a.b", Data: json.RawMessage(`{"n":1}`)})
	other := r.publish("acc", PublishInput{Type: "a.b"})
	r.advance(time.Hour)
	must(r.CancelDelivery(ctx, Actor{}, "acc", other.Matched[0].DeliveryID))(t)
	rule := BodyRule{Age: 30 * time.Minute}
	r.enforce(rule)
	if r.event("acc", p.UID).Body == nil {
		t.Fatal("the body of a pending delivery is gone")
	}
	if r.event("acc", other.UID).Body != nil {
		t.Error("the body of a canceled delivery stays")
	}
	r.stop() // what waits is known after a start
	r.start()
	r.advance(2 * time.Hour)
	var bodies []string // of the event, in the order of its attempts
	for _, req := range r.net.requests() {
		if req.EventID == p.ID {
			bodies = append(bodies, string(req.Body))
		}
	}
	if len(bodies) != 2 || bodies[0] != bodies[1] {
		t.Errorf("the attempts sent %q", bodies)
	}
	r.enforce(rule)
	if r.event("acc", p.UID).Body == nil {
		t.Fatal("the body of a delivery with one retry to go is gone")
	}
	r.advance(2 * time.Hour)
	if d := r.delivery("acc", p.Matched[0].DeliveryID); d.Status != "exhausted" {
		t.Fatalf("the delivery is %s", d.Status)
	}
	r.enforce(rule)
	if ev := r.event("acc", p.UID); ev.Body != nil || ev.BodyRemoved == nil {
		t.Errorf("a body that nobody needs any more stays: %+v", ev)
	}
	must(r.EnableEndpoint(ctx, Actor{}, "acc", ep.ID))(t)
	rec := must(r.Recover(ctx, Actor{}, "acc", ep.ID, RecoverInput{}))(t)
	r.advance(time.Minute)
	if x := must(r.Recovery(ctx, "acc", *rec.RecoveryID))(t); x.State != "done" || x.Created != 0 {
		t.Errorf("a recovery of what is gone: %+v", x)
	}
	r.checkFold()
}

// The oldest go when all bodies together take too much.
func TestBodiesGoBySize(t *testing.T) {
	r := newRig(t, func(*Config) {})
	r.tenant("acc", "standard")
	var all []Published
	for range 40 {
		all = append(all, r.publish("acc", PublishInput{Type: "a.b", Data: json.RawMessage(`{"x":"` + strings.Repeat("x", 100_000) + `"}`)}))
	}
	r.enforce(BodyRule{Size: 1 << 20})
	n := must(r.log.SectionBytes(1, eventlog.Seq(r.HeadSeq())))(t)
	if n > 1<<20+64<<10 || n < 1<<19 { // with what is no body: profiles, names
		t.Errorf("%d bytes are left, want about 1 MiB", n)
	}
	kept := 0
	for i, p := range all {
		ev := r.event("acc", p.UID)
		if ev.Body != nil {
			kept++
		} else if kept > 0 {
			t.Errorf("event %d is gone, an older one is there", i)
		}
	}
	if kept < 8 {
		t.Errorf("%d bodies are left", kept)
	}
}

// After a crash between the record and the bytes the next start goes on with the bytes.
func TestRemovalGoesOnAfterACrash(t *testing.T) {
	r := newRig(t, func(*Config) {})
	r.tenant("acc", "standard")
	p := r.publish("acc", PublishInput{Type: "a.b"})
	r.advance(time.Hour)
	x := retention{e: r.Engine, log: r.log}
	if removal, _, err := x.decide(record.BodyRule{AgeMS: 1}, eventlog.Seq(p.Seq)); err != nil || removal == nil {
		t.Fatal(removal, err)
	}
	if r.event("acc", p.UID).Body == nil {
		t.Fatal("the body is gone before its time")
	}
	r.stop()
	r.start()
	x = retention{e: r.Engine, log: r.log}
	x.resume()
	if ev := r.event("acc", p.UID); ev.Body != nil || ev.BodyRemoved == nil {
		t.Errorf("the body is there: %+v", ev)
	}
}

// In the background, by the engine's clock.
func TestRetentionRuns(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Retention = []BodyRule{{Age: time.Hour}} })
	r.tenant("acc", "standard")
	p := r.publish("acc", PublishInput{Type: "a.b"})
	r.advance(2 * time.Hour)
	r.until("the body is gone", func() bool { return r.event("acc", p.UID).BodyRemoved != nil })
	r.until("it is counted", func() bool { return r.Metrics().BodiesRemoved == 1 })
}

func TestRulesThatCannotBe(t *testing.T) {
	for say, rules := range map[string][]BodyRule{
		"needs an age or a size": {{}},
		"above 0":                {{Age: -1}},
		"whole ms":               {{Age: 1500 * time.Microsecond}},
		"is for all bodies":      {{Tenant: "a", Size: 1}},
		"keep one":               {{Tenant: "a", Age: 1e9}, {Tenant: "a", Age: 2e9}},
	} {
		if err := CheckRetention(rules); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%+v: %v, want %q", rules, err, say)
		}
	}
}
