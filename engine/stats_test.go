package engine

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/hookline/hookline/transports"
)

// answersInTurn makes the receiver say 200 and 500 by turns.
func answersInTurn(n int, _ *transports.Request) (transports.Result, error) {
	return status(200 + 300*(n%2)), nil
}

// Statistics count attempts of the span by outcome, tests aside, and tell what waits and since when.
func TestStats(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acme", "osir")
	r.tenant("other", "osir")
	ep := r.endpoint("acme", EndpointInput{})
	quiet := r.endpoint("other", EndpointInput{})
	stats := func(in StatsInput) Stats {
		t.Helper()
		return must(r.EndpointStats(t.Context(), "acme", ep.ID, in))(t)
	}
	if s := stats(StatsInput{}); s.SuccessRate != nil || s.LastAttempt != nil || s.Latency != nil || s.Backlog != 0 || s.OldestPendingAt != nil || !s.Complete {
		t.Fatalf("of an endpoint that got nothing: %+v", s)
	}
	r.net.answers(answersInTurn) // the first fails
	for range 4 {
		r.publish("acme", PublishInput{Type: "domain.registered"})
		r.advance(time.Second)
	}
	must(r.TestEndpoint(t.Context(), Actor{}, "acme", ep.ID, TestInput{EventType: "domain.renewed"}))(t)
	s := stats(StatsInput{Step: time.Hour})
	if s.Attempts != (AttemptCounts{Acknowledged: 2, Rejected: 2}) || *s.SuccessRate != 0.5 || s.Backlog != 2 || s.LastAttempt == nil || s.LastAttempt.Outcome != "acknowledged" {
		t.Errorf("%+v", s)
	}
	if s.OldestPendingAt == nil || time.UnixMilli(int64(*s.OldestPendingAt)).Sub(rigStart) > time.Second {
		t.Errorf("oldest pending %v, want the first event's", s.OldestPendingAt)
	}
	if s.Latency == nil || len(s.Steps) != 24 || s.Steps[23].Attempts != s.Attempts || s.Steps[0].Attempts.total() != 0 {
		t.Errorf("steps %+v", s.Steps)
	}
	r.advance(48 * time.Hour)
	if s := stats(StatsInput{}); s.Attempts.total() != 0 || s.LastAttempt == nil || s.SuccessRate != nil {
		t.Errorf("two days later: %+v, want none, and the last attempt still", s)
	}
	all := must(r.Stats(t.Context(), StatsInput{From: rigStart, To: rigStart.Add(time.Minute)}))(t)
	if all.Attempts != (AttemptCounts{Acknowledged: 2, Rejected: 2}) || len(all.Worst) != 1 || all.Worst[0].EndpointID != ep.ID || all.Worst[0].Failed != 2 || all.Worst[0].Tenant != "acme" {
		t.Errorf("of all tenants: %+v", all)
	}
	if all.Endpoints.Enabled+all.Endpoints.Disabled != 2 {
		t.Errorf("endpoints %+v", all.Endpoints)
	}
	for _, in := range []StatsInput{{From: rigStart, To: rigStart}, {Step: time.Second}, {Step: time.Millisecond}} {
		if _, err := r.EndpointStats(t.Context(), "acme", ep.ID, in); code(err) != CodeInvalid {
			t.Errorf("%+v: %v, want it refused", in, err)
		}
	}
	if _, err := r.EndpointStats(t.Context(), "acme", quiet.ID, StatsInput{}); code(err) != CodeNotFound {
		t.Errorf("another tenant's endpoint: %v, want 404", err)
	}
}

// Attempts are found by type, event, time and outcome, and one alone by its id; a page by type goes on where it ended.
func TestAttemptFilters(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acme", "osir")
	r.tenant("other", "osir")
	r.endpoint("acme", EndpointInput{})
	r.net.answers(answersInTurn)
	types := []string{"domain.registered", "invoice.paid", "domain.registered", "invoice.paid", "domain.registered"}
	var events []Published
	for _, typ := range types {
		events = append(events, r.publish("acme", PublishInput{Type: typ}))
		r.advance(time.Second)
	}
	find := func(in ListInput) (found []string) {
		t.Helper()
		for {
			p := must(r.Attempts(t.Context(), "acme", in))(t)
			for _, a := range p.Data {
				found = append(found, a.EventID)
			}
			if p.NextCursor == nil {
				return found
			}
			in.Cursor = *p.NextCursor
		}
	}
	ids := func(at ...int) (want []string) {
		for _, i := range at {
			want = append(want, events[i].ID)
		}
		return want
	}
	for _, c := range []struct {
		name string
		in   ListInput
		want []string
	}{
		{"type", ListInput{EventType: "domain.registered"}, ids(4, 2, 0)},
		{"type, one a page", ListInput{EventType: "domain.registered", Limit: 1}, ids(4, 2, 0)},
		{"type, oldest first, two a page", ListInput{EventType: "invoice.paid", Limit: 2, Ascending: true}, ids(1, 3)},
		{"no such type", ListInput{EventType: "server.started"}, nil},
		{"event by id", ListInput{EventID: events[3].ID}, ids(3)},
		{"event by uid", ListInput{EventID: events[3].UID}, ids(3)},
		{"no such event", ListInput{EventID: "evt_none"}, nil},
		{"failed", ListInput{Outcome: "failed"}, ids(4, 2, 0)},
		{"acknowledged", ListInput{Outcome: "acknowledged"}, ids(3, 1)},
		{"time", ListInput{From: rigStart.Add(900 * time.Millisecond), To: rigStart.Add(2900 * time.Millisecond)}, ids(2, 1)},
	} {
		if got := find(c.in); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	page := must(r.Attempts(t.Context(), "acme", ListInput{Limit: 1}))(t)
	one := must(r.Attempt(t.Context(), "acme", page.Data[0].ID))(t)
	if one.ID != page.Data[0].ID || one.EventID != page.Data[0].EventID || one.Response == nil {
		t.Errorf("one attempt: %+v", one)
	}
	for tenant, id := range map[string]string{"other": one.ID, "acme": "att_nonsense"} {
		if _, err := r.Attempt(t.Context(), tenant, id); code(err) != CodeNotFound {
			t.Errorf("attempt %s of %s: %v, want 404", id, tenant, err)
		}
	}
	if _, err := r.Attempt(t.Context(), "acme", r.id("att", 1, 0)); code(err) != CodeNotFound {
		t.Errorf("a record that is no attempt: %v, want 404", err)
	}
}

// A test event carries the given data byte for byte, within the bounds of publishing (O-17).
func TestTestData(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acme", "osir")
	ep := r.endpoint("acme", EndpointInput{})
	test := func(data string) (Attempt, error) {
		return r.TestEndpoint(context.Background(), Actor{}, "acme", ep.ID, TestInput{EventType: "domain.renewed", Data: json.RawMessage(data)})
	}
	a := must(test(`{"domain": "mine.example", "n":1.0}`))(t)
	if a.Request.Body == nil || (*a.Request.Body)[len(*a.Request.Body)-len(`"data":{"domain": "mine.example", "n":1.0}}`):] != `"data":{"domain": "mine.example", "n":1.0}}` {
		t.Errorf("sent %v", a.Request.Body)
	}
	for data, want := range map[string]Code{`[]`: CodeInvalid, `"x"`: CodeInvalid, `{"x":"` + string(make([]byte, MaxData)) + `"}`: CodeTooLarge} {
		if _, err := test(data); code(err) != want {
			t.Errorf("data of %d bytes: %v, want code %v", len(data), err, want)
		}
	}
}
