package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/transports"
)

// reads is what Engine and Past answer alike.
type reads interface {
	Tenant(context.Context, string) (Tenant, error)
	Tenants(context.Context, ListInput) (Page[Tenant], error)
	Endpoints(context.Context, string, ListInput) (Page[Endpoint], error)
	Endpoint(context.Context, string, string) (Endpoint, error)
	Subscriptions(context.Context, string, ListInput) (Page[Subscription], error)
	Events(context.Context, string, ListInput) (Page[Event], error)
	Deliveries(context.Context, string, ListInput) (Page[Delivery], error)
	Delivery(context.Context, string, string) (Delivery, error)
	Attempts(context.Context, string, ListInput) (Page[Attempt], error)
}

// answers asks everything and writes down what comes, refusals included.
func answers(ctx context.Context, from reads) string {
	var b strings.Builder
	note := func(what string, v any, err error) {
		text, _ := json.Marshal(v)
		fmt.Fprintf(&b, "%s: %s %v\n", what, text, err)
	}
	all, err := from.Tenants(ctx, ListInput{})
	note("tenants", all, err)
	for _, id := range []string{"acc", "other"} {
		t, err := from.Tenant(ctx, id)
		note(id, t, err)
		eps, err := from.Endpoints(ctx, id, ListInput{})
		note("endpoints", eps, err)
		for _, ep := range eps.Data {
			one, err := from.Endpoint(ctx, id, ep.ID)
			note("endpoint", one, err)
		}
		subs, err := from.Subscriptions(ctx, id, ListInput{Ascending: true})
		note("subscriptions", subs, err)
		events, err := from.Events(ctx, id, ListInput{Limit: 3})
		note("events", events, err)
		for _, status := range []string{"", "pending", "exhausted", "canceled"} {
			ds, err := from.Deliveries(ctx, id, ListInput{Status: status})
			note("deliveries "+status, ds, err)
			for _, d := range ds.Data {
				one, err := from.Delivery(ctx, id, d.ID)
				note("delivery", one, err)
			}
		}
		attempts, err := from.Attempts(ctx, id, ListInput{Outcome: "failed"})
		note("attempts", attempts, err)
	}
	return b.String()
}

// Time travel: every read as of a seq answers what it answered when that was the newest record, over restarts and with
// snapshots and without.
func TestReadsOfThePast(t *testing.T) {
	r := newRig(t, nil)
	ctx := t.Context()
	r.net.answers(func(n int, _ *transports.Request) (transports.Result, error) { return status(500), nil })
	then := map[uint64]string{}
	look := func() { then[r.HeadSeq()] = answers(ctx, r.Engine) }
	r.tenant("acc", "dnsimple")
	look()
	ep := r.endpoint("acc", EndpointInput{EventTypes: Some([]string{"domain.*"})})
	look()
	first := r.publish("acc", PublishInput{Type: "domain.create"})
	r.advance(0)
	look()
	r.tenant("other", "standard")
	r.advance(time.Hour)
	look()
	must(r.UpdateEndpoint(ctx, Actor{}, "acc", ep.ID, EndpointInput{URL: Some("https://elsewhere.example/"), Filter: Some(`data.domain == "x"`)}))(t)
	r.publish("acc", PublishInput{Type: "domain.create"})
	look()
	r.stop() // a snapshot
	r.start()
	look()
	must(r.DisableEndpoint(ctx, Actor{}, "acc", ep.ID))(t)
	r.advance(10 * time.Hour)
	look()
	must(r.UpdateTenant(ctx, Actor{}, "acc", TenantInput{Name: ptr("another name")}))(t)
	look()
	if err := r.DeleteEndpoint(ctx, Actor{}, "acc", ep.ID); err != nil {
		t.Fatal(err)
	}
	look()
	if err := r.DeleteTenant(ctx, Actor{}, "other"); err != nil {
		t.Fatal(err)
	}
	r.publish("acc", PublishInput{Type: "domain.delete"})

	check := func(how string) {
		t.Helper()
		for seq, want := range then {
			past := must(r.AsOf(ctx, AsOf{Seq: seq}))(t)
			if got := answers(ctx, past); got != want {
				t.Errorf("%s: as of %d:\n%s\nwant\n%s", how, seq, got, want)
			}
		}
	}
	check("live")
	r.stop()
	r.removeDerived()
	r.start()
	check("rebuilt")
	if _, err := must(r.AsOf(ctx, AsOf{Seq: first.Seq - 1}))(t).Event(ctx, "acc", first.UID); !isCode(err, CodeNotFound) {
		t.Errorf("an event before it was published: %v", err)
	}
	if ev := must(must(r.AsOf(ctx, AsOf{Seq: first.Seq}))(t).Event(ctx, "acc", first.UID))(t); ev.Body == nil {
		t.Errorf("an event without its body: %+v", ev)
	}
}

func isCode(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// A time stands for the newest record that is not later. Beyond the head, in the future and before the first record there
// is nothing to read.
func TestPointsOfTheLog(t *testing.T) {
	r := newRig(t, nil)
	ctx := t.Context()
	r.tenant("acc", "osir")
	before := r.HeadSeq()
	r.advance(time.Hour)
	r.tenant("later", "osir")
	for _, c := range []struct {
		at   AsOf
		want uint64
		code Code
	}{
		{AsOf{Seq: before}, before, 0},
		{AsOf{Seq: r.HeadSeq()}, r.HeadSeq(), 0},
		{AsOf{Seq: r.HeadSeq() + 1}, 0, CodeInvalid},
		{AsOf{Time: rigStart}, before, 0},
		{AsOf{Time: rigStart.Add(time.Hour - 1)}, before, 0},
		{AsOf{Time: rigStart.Add(time.Hour)}, r.HeadSeq(), 0},
		{AsOf{Time: rigStart.Add(-time.Millisecond)}, 0, CodeInvalid},
		{AsOf{Time: rigStart.Add(2 * time.Hour)}, 0, CodeInvalid},
	} {
		p, err := r.AsOf(ctx, c.at)
		switch {
		case c.code != 0 && !isCode(err, c.code):
			t.Errorf("%+v: %v", c.at, err)
		case c.code == 0 && (err != nil || uint64(p.Seq) != c.want):
			t.Errorf("%+v: %+v %v, want %d", c.at, p, err, c.want)
		}
	}
	for ms := rigStart.UnixMilli() - 1; ms < rigStart.UnixMilli()+2; ms++ { // law: SeqAt is what a walk finds
		want := eventlog.Seq(0)
		for rec, err := range r.log.Read(ctx, 0) {
			if err == nil && rec.Time <= ms {
				want = rec.Seq
			}
		}
		if got := must(SeqAt(ctx, r.log, ms))(t); got != want {
			t.Errorf("SeqAt(%d) = %d, want %d", ms, got, want)
		}
	}
}

// Who stops waiting gives up the fold; those who wait for the same state share it; the states used last are kept.
func TestPastsAreSharedAndBounded(t *testing.T) {
	r := newRig(t, nil)
	ctx := t.Context()
	for i := range 20 {
		r.tenant(fmt.Sprint("t", i), "osir")
	}
	head := eventlog.Seq(r.HeadSeq())
	done := make(chan error)
	for range 8 {
		go func() {
			_, err := r.pasts.at(ctx, head)
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for seq := head; seq > head-15; seq-- {
		must(r.pasts.at(ctx, seq))(t)
	}
	if n := len(r.pasts.kept); n != pastStates {
		t.Errorf("%d states are kept, want %d", n, pastStates)
	}
	for range pastFolds { // no slot is free
		r.pasts.slots <- struct{}{}
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := r.pasts.at(gone, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that is gone: %v", err)
	}
	for range pastFolds {
		<-r.pasts.slots
	}
	if st := must(r.pasts.at(ctx, 3))(t); st.Seq != 3 {
		t.Errorf("the state at 3 is at %d", st.Seq)
	}
}

// The newest two snapshots stay; older ones get sparser with their age.
func TestOlderSnapshotsAreThinned(t *testing.T) {
	var seqs []eventlog.Seq // newest first
	for i := eventlog.Seq(1); i <= 200; i++ {
		seqs = append([]eventlog.Seq{i * SnapshotEvery}, seqs...)
		out := map[int]bool{}
		for _, k := range surplus(seqs, make([]int64, len(seqs))) {
			out[k] = true
		}
		kept := seqs[:0:0]
		for k, s := range seqs {
			if !out[k] {
				kept = append(kept, s)
			}
		}
		seqs = kept
	}
	if len(seqs) != keepSnapshots || seqs[0] != 200*SnapshotEvery || seqs[1] != 199*SnapshotEvery {
		t.Fatalf("kept %v", seqs)
	}
	for i := 1; i < len(seqs); i++ { // no stretch without one is longer than what lies between it and the head, about
		if gap, age := seqs[i-1]-seqs[i], seqs[0]-seqs[i]; gap > age/2+2*SnapshotEvery {
			t.Errorf("between %d and %d there is none", seqs[i], seqs[i-1])
		}
	}
	if out := surplus([]eventlog.Seq{9, 8, 7, 6}, []int64{1, 1, keepSnapshotBytes, 1}); len(out) != 1 {
		t.Errorf("too many bytes: %v go, want one", out)
	}
}

// What an attempt was made by stays true, whatever was changed since: secret, filter, profile, schedule.
func TestInForceAtAnAttempt(t *testing.T) {
	r := newRig(t, nil)
	ctx := t.Context()
	r.net.answers(func(n int, _ *transports.Request) (transports.Result, error) { return status(500), nil })
	r.tenant("acc", "standard")
	ep := r.endpoint("acc", EndpointInput{Schedule: Some([]string{"1m", "2m"}), Filter: Some(`data.a == 1`)})
	p := r.publish("acc", PublishInput{Type: "a.b", Data: []byte(`{"a":1}`)})
	r.advance(0)
	must(r.RotateSecret(ctx, Actor{}, "acc", ep.ID, RotateInput{}))(t)
	rotated := r.HeadSeq()
	must(r.UpdateEndpoint(ctx, Actor{}, "acc", ep.ID, EndpointInput{Schedule: Some([]string{"5h"}), Filter: Some(`data.a == 2`)}))(t)
	r.advance(time.Minute)
	ds := must(r.Deliveries(ctx, "acc", ListInput{EventID: p.UID}))(t)
	d := r.delivery("acc", ds.Data[0].ID)
	if len(d.Attempts) != 2 {
		t.Fatalf("%d attempts, want 2", len(d.Attempts))
	}
	one := must(r.Attempt(ctx, "acc", d.Attempts[0].ID))(t).InForce
	two := must(r.Attempt(ctx, "acc", d.Attempts[1].ID))(t).InForce
	if one == nil || two == nil {
		t.Fatal("nothing was in force")
	}
	for i, f := range []*InForce{one, two} {
		if f.Profile != "standard" || f.ProfileVersion != 1 || strings.Join(f.Schedule, " ") != "1m0s 2m0s" || len(f.Subscriptions) != 1 {
			t.Errorf("attempt %d: %+v", i+1, f)
		}
	}
	if one.SecretVersion >= rotated || two.SecretVersion != rotated || one.EndpointVersion >= rotated || two.EndpointVersion <= rotated {
		t.Errorf("versions: %+v, %+v, rotated at %d", one, two, rotated)
	}
	if *one.Subscriptions[0].Filter != "data.a == 1" || *two.Subscriptions[0].Filter != "data.a == 2" {
		t.Errorf("filters: %v, %v", *one.Subscriptions[0].Filter, *two.Subscriptions[0].Filter)
	}
}

// What changed between two points is said in words and field by field, live and offline alike.
func TestDiffLog(t *testing.T) {
	r := newRig(t, nil)
	ctx := t.Context()
	r.tenant("acc", "osir")
	ep := r.endpoint("acc", EndpointInput{})
	gone := r.endpoint("acc", EndpointInput{})
	from := AsOf{Seq: r.HeadSeq()}
	must(r.UpdateEndpoint(ctx, Actor{}, "acc", ep.ID, EndpointInput{URL: Some("https://new.example/"), Filter: Some(`data.a == 1`)}))(t)
	must(r.RotateSecret(ctx, Actor{}, "acc", ep.ID, RotateInput{}))(t)
	if err := r.DeleteEndpoint(ctx, Actor{}, "acc", gone.ID); err != nil {
		t.Fatal(err)
	}
	r.tenant("other", "osir")
	r.publish("acc", PublishInput{Type: "domain.registered"})
	r.advance(0)
	to := AsOf{Seq: r.HeadSeq()}
	d := must(r.DiffLog(ctx, from, to))(t)
	text := strings.Join(d.Text, "\n")
	for _, say := range []string{"tenant other of tenant other was created", "endpoint " + ep.ID + " of tenant acc was changed",
		`url "https://receiver.example/hook" -> "https://new.example/"`, `filter null -> "data.a == 1"`, "secret",
		"endpoint " + gone.ID + " of tenant acc was deleted", "1 event.published", "1 endpoint.deleted"} {
		if say = strings.Replace(say, "tenant other of tenant other", "tenant other", 1); !strings.Contains(text, say) {
			t.Errorf("%s\nwant %s", text, say)
		}
	}
	if strings.Contains(text, "tenant acc was changed") && strings.Contains(text, "\ntenant acc") {
		t.Errorf("%s\ntenant acc itself did not change", text)
	}
	offline := must(Offline{Log: r.log, Keyring: r.keyring, Dir: r.dir}.DiffLog(ctx, from, to))(t)
	a, _ := json.Marshal(d)
	b, _ := json.Marshal(offline)
	if string(a) != string(b) {
		t.Errorf("offline: %s\nlive: %s", b, a)
	}
	if none := must(r.DiffLog(ctx, to, to))(t); len(none.Changes) != 0 || len(none.Text) != 1 {
		t.Errorf("nothing changed: %+v", none)
	}
	if _, err := r.DiffLog(ctx, to, from); !isCode(err, CodeInvalid) {
		t.Errorf("turned round: %v", err)
	}
	if _, err := r.DiffLog(ctx, from, AsOf{Seq: 1 << 40}); !isCode(err, CodeInvalid) {
		t.Errorf("beyond the head: %v", err)
	}
}
