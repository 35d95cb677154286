package engine

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookline/hookline/transports"
)

// recoverRig is a tenant whose only endpoint failed n events: their deliveries are exhausted.
func recoverRig(t testing.TB, n int) (*rig, Endpoint, *atomic.Bool) {
	r := newRig(t, nil)
	r.tenant("acme", "dnsimple")
	healthy := new(atomic.Bool)
	r.net.answers(func(int, *transports.Request) (transports.Result, error) {
		if healthy.Load() {
			return status(200), nil
		}
		return status(500), nil
	})
	ep := r.endpoint("acme", EndpointInput{Schedule: Some([]string{"0s"})})
	r.failEvents(n)
	return r, ep, healthy
}

// failEvents publishes n events and lets their deliveries exhaust; the endpoint is opened again where they suppressed it.
func (r *rig) failEvents(n int) {
	r.t.Helper()
	for i := range n {
		r.publish("acme", PublishInput{Type: []string{"zone.create", "zone.delete"}[i%2]})
		r.advance(time.Second)
		if i%5 == 4 {
			r.clear()
		}
	}
	r.clear()
}

func (r *rig) clear() {
	r.t.Helper()
	ctx := context.Background()
	for _, ep := range must(r.Endpoints(ctx, "acme", ListInput{}))(r.t).Data {
		must(r.ClearSuppression(ctx, Actor{"test"}, "acme", ep.ID))(r.t)
	}
}

func (r *rig) recover(ep Endpoint, in RecoverInput) RecoverAccepted {
	r.t.Helper()
	return must(r.Recover(context.Background(), Actor{"test"}, "acme", ep.ID, in))(r.t)
}

func (r *rig) recovery(a RecoverAccepted) Recovery {
	r.t.Helper()
	return must(r.Recovery(context.Background(), "acme", *a.RecoveryID))(r.t)
}

func (r *rig) deliveries(in ListInput) (all []Delivery) {
	r.t.Helper()
	in.Limit = MaxLimit
	for {
		p := must(r.Deliveries(context.Background(), "acme", in))(r.t)
		all = append(all, p.Data...)
		if p.NextCursor == nil {
			return all
		}
		in.Cursor = *p.NextCursor
	}
}

// LESSONS, replay: counted first, exact, each once, linked to what it stands for; a second one finds nothing.
func TestRecover(t *testing.T) {
	r, ep, healthy := recoverRig(t, 23)
	healthy.Store(true)
	if dry := r.recover(ep, RecoverInput{DryRun: true}); dry.Matched != 23 || dry.RecoveryID != nil {
		t.Fatalf("dry run: %+v", dry)
	}
	if got := must(r.Recoveries(context.Background(), "acme", ListInput{}))(t); len(got.Data) != 0 {
		t.Fatalf("a dry run left %+v", got.Data)
	}
	a := r.recover(ep, RecoverInput{})
	r.advance(time.Second)
	x := r.recovery(a)
	if a.Matched != 23 || x.State != "done" || x.Created != 23 || x.FinishedAt == nil || x.Cursor == nil || x.EndpointID != ep.ID {
		t.Fatalf("matched %d: %+v", a.Matched, x)
	}
	of := map[string]bool{}
	for _, d := range r.deliveries(ListInput{Status: "succeeded"}) {
		if d.ResendOf == nil || of[*d.ResendOf] || d.MaxAttempts != 2 {
			t.Errorf("delivery %+v stands for none, or one twice", d)
			continue
		}
		of[*d.ResendOf] = true
	}
	for _, d := range r.deliveries(ListInput{Status: "exhausted"}) {
		if !of[d.ID] {
			t.Errorf("%s was not recovered", d.ID)
		}
	}
	if again := r.recover(ep, RecoverInput{}); again.Matched != 0 {
		t.Errorf("a second recover matches %d", again.Matched)
	}
	r.advance(time.Second)
	r.checkFold()
	if n := len(r.deliveries(ListInput{})); n != 46 {
		t.Errorf("%d deliveries, want 46", n)
	}
}

// What is selected: by status, type and time of creation; not what is tried or was taken since; of several of one event
// the newest.
func TestRecoverSelects(t *testing.T) {
	r, ep, healthy := recoverRig(t, 6)
	ctx := context.Background()
	middle := time.UnixMilli(r.clock.Now())
	must(r.DisableEndpoint(ctx, Actor{"test"}, "acme", ep.ID))(t)
	for range 3 {
		r.publish("acme", PublishInput{Type: "zone.create"}) // skipped
	}
	r.advance(time.Second)
	must(r.EnableEndpoint(ctx, Actor{"test"}, "acme", ep.ID))(t)
	count := func(in RecoverInput) uint64 {
		t.Helper()
		in.DryRun = true
		return r.recover(ep, in).Matched
	}
	for _, c := range []struct {
		in   RecoverInput
		want uint64
	}{
		{RecoverInput{}, 9},
		{RecoverInput{Status: []string{"exhausted"}}, 6},
		{RecoverInput{Status: []string{"skipped", "skipped"}}, 3},
		{RecoverInput{EventTypes: []string{"zone.create"}}, 6},
		{RecoverInput{EventTypes: []string{"zone.*"}}, 9},
		{RecoverInput{EventTypes: []string{"domain.*"}}, 0},
		{RecoverInput{Since: middle}, 3},
		{RecoverInput{Until: middle}, 6},
		{RecoverInput{Until: middle, EventTypes: []string{"zone.delete"}}, 3},
	} {
		if got := count(c.in); got != c.want {
			t.Errorf("%+v matches %d, want %d", c.in, got, c.want)
		}
	}
	all := r.deliveries(ListInput{Status: "exhausted"})
	resend := func(d Delivery) { must(r.ResendDelivery(ctx, Actor{"test"}, "acme", d.ID))(t); r.advance(time.Second) }
	resend(all[0]) // fails again: the newest stands for the event
	if got := count(RecoverInput{}); got != 9 {
		t.Errorf("after a resend that failed too: %d, want 9", got)
	}
	if got := count(RecoverInput{Until: middle}); got != 6 {
		t.Errorf("before it, the one that failed first: %d, want 6", got)
	}
	healthy.Store(true)
	resend(all[1])
	if got := count(RecoverInput{}); got != 8 {
		t.Errorf("after a resend that was taken: %d, want 8", got)
	}
	for _, in := range []RecoverInput{{Status: []string{"succeeded"}}, {Status: []string{}}, {Rate: -1}, {Rate: 10_001}, {EventTypes: []string{}},
		{EventTypes: []string{"a b"}}, {Since: middle, Until: middle.Add(-1)}} {
		if _, err := r.Recover(ctx, Actor{"test"}, "acme", ep.ID, in); code(err) != CodeInvalid {
			t.Errorf("%+v: %v, want invalid", in, err)
		}
	}
}

func code(err error) Code {
	if e, ok := err.(*Error); ok {
		return e.Code
	}
	return 0
}

// A rate holds by engine time, exactly, and only one recovery of an endpoint runs; a stop in between loses nothing, a
// cancel ends it and leaves what is there.
func TestRecoverRate(t *testing.T) {
	r, ep, healthy := recoverRig(t, 20)
	healthy.Store(true)
	ctx := context.Background()
	a := r.recover(ep, RecoverInput{Rate: 2})
	r.advance(0)
	if x := r.recovery(a); x.State != "running" || x.Created != 1 || *x.Rate != 2 {
		t.Fatalf("at once: %+v", x)
	}
	if _, err := r.Recover(ctx, Actor{"test"}, "acme", ep.ID, RecoverInput{}); code(err) != CodeConflict {
		t.Errorf("a second one: %v, want a conflict", err)
	}
	r.advance(2 * time.Second)
	if x := r.recovery(a); x.Created != 5 {
		t.Errorf("after 2 s at 2/s: %d created, want 5", x.Created)
	}
	r.stop()
	r.start()
	r.advance(0)
	if x := r.recovery(a); x.Created != 5 {
		t.Errorf("after a restart: %d created, want 5", x.Created)
	}
	r.advance(3 * time.Second)
	if x := r.recovery(a); x.Created != 11 {
		t.Errorf("after 5 s at 2/s: %d created, want 11", x.Created)
	}
	x := must(r.CancelRecovery(ctx, Actor{"test"}, "acme", *a.RecoveryID))(t)
	if x.State != "canceled" || *x.Reason != "canceled_by_user" || x.FinishedAt == nil {
		t.Errorf("canceled: %+v", x)
	}
	if _, err := r.CancelRecovery(ctx, Actor{"test"}, "acme", *a.RecoveryID); code(err) != CodeConflict {
		t.Errorf("canceled twice: %v, want a conflict", err)
	}
	r.advance(time.Minute)
	if n := len(r.deliveries(ListInput{Status: "succeeded"})); n != 11 {
		t.Errorf("%d were delivered, want 11", n)
	}
	if rest := r.recover(ep, RecoverInput{Rate: 10_000}); rest.Matched != 9 {
		t.Errorf("the rest: %d, want 9", rest.Matched)
	}
	r.advance(time.Second)
	r.checkFold()
}

// A blocked endpoint refuses; one that is blocked while a recovery runs stops it with the reason, and so does its end.
func TestRecoverStops(t *testing.T) {
	ctx := context.Background()
	for reason, block := range map[string]func(*rig, Endpoint){
		"disabled":         func(r *rig, ep Endpoint) { must(r.DisableEndpoint(ctx, Actor{"test"}, "acme", ep.ID))(r.t) },
		"suppressed":       func(r *rig, _ Endpoint) { r.advance(20 * time.Second) },
		"endpoint_deleted": func(r *rig, ep Endpoint) { must(0, r.DeleteEndpoint(ctx, Actor{"test"}, "acme", ep.ID))(r.t) },
		"tenant_deleted":   func(r *rig, _ Endpoint) { must(0, r.DeleteTenant(ctx, Actor{"test"}, "acme"))(r.t) },
	} {
		t.Run(reason, func(t *testing.T) {
			r, ep, _ := recoverRig(t, 20)
			a := r.recover(ep, RecoverInput{Rate: 1})
			r.advance(time.Second)
			block(r, ep)
			x := r.recovery(a)
			if x.State != "stopped" || x.Reason == nil || *x.Reason != reason || x.FinishedAt == nil || x.Created == 0 || x.Created == 20 {
				t.Errorf("%+v", x)
			}
			if _, err := r.Recover(ctx, Actor{"test"}, "acme", ep.ID, RecoverInput{}); reason[0] == 'd' && code(err) != CodeConflict {
				t.Errorf("recover of a blocked endpoint: %v, want a conflict", err)
			}
			r.advance(time.Hour)
			if n := len(r.deliveries(ListInput{Status: "pending"})); n != 0 {
				t.Errorf("%d deliveries in limbo", n)
			}
			r.checkFold()
		})
	}
}

// Many pages, each used up at once; the window holds a recovery back while nothing of it is attempted, and what fails
// does not.
func TestRecoverPages(t *testing.T) {
	r, ep, healthy := recoverRig(t, 0)
	ctx := context.Background()
	const n = 3*recoverWindow + 17
	must(r.DisableEndpoint(ctx, Actor{"test"}, "acme", ep.ID))(t)
	for i := 0; i < n; i += MaxBatchEvents {
		in := make([]PublishInput, min(MaxBatchEvents, n-i))
		for j := range in {
			in[j] = PublishInput{Type: "zone.create", Data: []byte(fmt.Sprintf(`{"n":%d}`, i+j))}
		}
		must(r.Publish(ctx, "acme", in))(t)
	}
	r.advance(time.Second)
	must(r.EnableEndpoint(ctx, Actor{"test"}, "acme", ep.ID))(t)
	healthy.Store(true)
	release := make(chan struct{})
	r.net.answers(func(int, *transports.Request) (transports.Result, error) { <-release; return status(200), nil })
	a := r.recover(ep, RecoverInput{})
	for x := r.recovery(a); x.Created+recoverPage <= recoverWindow; x = r.recovery(a) {
		runtime.Gosched() // pages are read and created while nothing is answered
	}
	if x := r.recovery(a); x.Created > recoverWindow || x.State != "running" {
		t.Errorf("while nothing is answered: %+v, want at most %d created", x, recoverWindow)
	}
	close(release)
	r.advance(time.Second)
	if x := r.recovery(a); a.Matched != n || x.Created != n || x.State != "done" {
		t.Fatalf("matched %d of %d: %+v", a.Matched, n, x)
	}
	got := map[string]bool{}
	for _, req := range r.net.requests() {
		got[string(req.Body)] = true
	}
	if len(got) != n || len(r.net.requests()) != n {
		t.Errorf("%d requests with %d bodies, want %d of each", len(r.net.requests()), len(got), n)
	}
	resends := r.deliveries(ListInput{Status: "succeeded"})
	slices.Reverse(resends)
	if len(resends) != n || !slices.IsSortedFunc(resends, func(a, b Delivery) int { return int(a.CreatedAt - b.CreatedAt) }) {
		t.Errorf("%d succeeded, want %d", len(resends), n)
	}
	r.checkFold()
}
