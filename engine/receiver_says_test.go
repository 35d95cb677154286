package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/profile"
	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/transports"
)

// heedful is a made-up provider that heeds what receivers say.
const heedful = `
name: heedful
version: 1
title: Heedful
event_id: any
payload:
  - data: data
headers:
  - content-type: application/json
signature:
  scheme: hmac_sha256_hex
  header: x-signed
acknowledge:
  status: [200]
schedule:
  waits: [10s, 10s, 10s]
retry_after: {honour: true, cap: 1h}
gone: disable
failure_policy:
  suppress_after: 10
  warn_at: [50, 70, 90]
events:
  - name: note.added
    description: A note was added.
    example: '{"note":1}'
`

func heedfulRig(t testing.TB) *rig {
	t.Helper()
	p, err := profile.Load("heedful.yaml", []byte(heedful))
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *Config) { c.Profiles = append(c.Profiles, p) })
	r.tenant("acme", "heedful")
	return r
}

// answering answers every request with a status and headers.
func (r *rig) answering(code int, headers ...transports.Header) {
	r.net.answers(func(int, *transports.Request) (transports.Result, error) {
		res := status(code)
		res.Headers = headers
		return res, nil
	})
}

// RFC 9110, 10.2.3: seconds or a date in any of its three forms; what cannot be read is none.
func TestRetryAt(t *testing.T) {
	const now = 1_767_225_600_123 // 2026-01-01T00:00:00.123Z
	for value, want := range map[string]int64{
		"120": now + 120_000, "0": now, " 7 ": now + 7000, "99999999999999999999": now + maxRetrySeconds*1000,
		"Thu, 01 Jan 2026 00:02:00 GMT": 1_767_225_720_000, "Thursday, 01-Jan-26 00:02:00 GMT": 1_767_225_720_000,
		"Thu Jan  1 00:02:00 2026": 1_767_225_720_000, "Thu, 01 Jan 1950 00:00:00 GMT": 0,
		"": 0, "-1": 0, "1.5": 0, "soon": 0, "12s": 0, "+3": 0,
	} {
		if got := retryAt([]transports.Header{{Name: "server", Value: "9"}, {Name: "retry-after", Value: value}}, now); got != want {
			t.Errorf("%q: %d, want %d", value, got, want)
		}
	}
	if got := retryAt([]transports.Header{{Name: "x", Value: "9"}}, now); got != 0 {
		t.Errorf("without the header: %d", got)
	}
}

func FuzzRetryAt(f *testing.F) {
	for _, s := range []string{"120", "Thu, 01 Jan 2026 00:02:00 GMT", "x", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if at := retryAt([]transports.Header{{Name: "retry-after", Value: value}}, 1000); at < 0 {
			t.Errorf("%q: %d", value, at)
		}
	})
}

// Retry-After puts off, within its cap and the schedule's limit, and never brings forward.
func TestDecideHeedsRetryAfter(t *testing.T) {
	for _, c := range []struct {
		cap, asks, limit, want int64 // ms after the end of the attempt; limit after the first start
	}{
		{0, 3_600_000, 0, 300_000},
		{7_200_000, 0, 0, 300_000},
		{7_200_000, 1_000, 0, 300_000},
		{7_200_000, 600_000, 0, 600_000},
		{7_200_000, 9_000_000, 0, 7_200_000},
		{7_200_000, 9_000_000, 400_000, 400_000},
		{200_000, 9_000_000, 0, 300_000},
	} {
		m := osirMoment()
		m.first, m.finished, m.retryAt, m.retryCap = 1000, 1000, 1000+c.asks, c.cap
		m.schedule.Limit = time.Duration(c.limit) * time.Millisecond
		if got := decide(m); got.due != 1000+c.want || got.status != record.Pending {
			t.Errorf("%+v: due %d ms after, want %d", c, got.due-1000, c.want)
		}
	}
}

// What the receiver asks for shows as next_attempt_at, and is kept to; where the profile does not say so, nothing of it
// counts (both seeds).
func TestRetryAfter(t *testing.T) {
	r := heedfulRig(t)
	r.tenant("strict", "osir")
	for _, tenant := range []string{"acme", "strict"} {
		r.endpoint(tenant, EndpointInput{})
	}
	r.answering(503, transports.Header{Name: "retry-after", Value: "120"})
	id := r.publish("acme", PublishInput{Type: "note.added"}).Matched[0].DeliveryID
	strict := r.publish("strict", PublishInput{Type: "invoice.paid"}).Matched[0].DeliveryID
	r.advance(0)
	due := func(tenant, id string) time.Duration {
		return time.UnixMilli(int64(*r.delivery(tenant, id).NextAttemptAt)).Sub(rigStart)
	}
	if got := due("acme", id); got != 2*time.Minute {
		t.Errorf("next attempt after %v, want 2m", got)
	}
	if got := due("strict", strict); got != 5*time.Minute {
		t.Errorf("of a profile that does not heed it: after %v, want 5m", got)
	}
	r.answering(429, transports.Header{Name: "retry-after", Value: rigStart.Add(10 * time.Minute).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")})
	r.advance(119 * time.Second)
	if n := r.delivery("acme", id).AttemptsMade; n != 1 {
		t.Fatalf("%d attempts before the time the receiver asked for", n)
	}
	r.advance(time.Second)
	if got := due("acme", id); got != 10*time.Minute {
		t.Errorf("by date: next attempt after %v, want 10m", got)
	}
	r.answering(500)
	r.advance(8 * time.Minute)
	if got := due("acme", id); got != 10*time.Minute+10*time.Second {
		t.Errorf("without the header: after %v, want 10m10s", got)
	}
	r.checkFold()
}

// 410 where the profile gives it that meaning: outcome gone, and the endpoint is disabled for that reason at once.
func TestGone(t *testing.T) {
	r := heedfulRig(t)
	ep := r.endpoint("acme", EndpointInput{})
	r.answering(410)
	id := r.publish("acme", PublishInput{Type: "note.added"}).Matched[0].DeliveryID
	r.advance(0)
	got := must(r.Endpoint(context.Background(), "acme", ep.ID))(t)
	if got.Status != "disabled" || *got.DisabledReason != "gone" {
		t.Errorf("endpoint %s, %v", got.Status, got.DisabledReason)
	}
	r.advance(time.Minute)
	d := r.delivery("acme", id)
	if d.Status != "skipped" || *d.Reason != "disabled" || d.Attempts[0].Outcome != "gone" || len(r.net.requests()) != 1 {
		t.Errorf("delivery %s, %d requests, %+v", d.Status, len(r.net.requests()), d.Attempts)
	}
	r.checkFold()
}

// rate_limit delays and never drops, by engine time; it holds up nobody else, counts over a restart and is lifted at once.
func TestEndpointRateLimit(t *testing.T) {
	r := newRig(t, nil)
	r.tenant("acme", "osir")
	slow := r.endpoint("acme", EndpointInput{RateLimit: Some(2), URL: Some("https://slow.example/")})
	r.endpoint("acme", EndpointInput{URL: Some("https://free.example/")})
	for range 20 {
		r.publish("acme", PublishInput{Type: "invoice.paid"})
	}
	counts := func() string {
		slow, free := 0, 0
		for _, q := range r.net.requests() {
			if strings.Contains(q.Target, "slow") {
				slow++
			} else {
				free++
			}
		}
		return fmt.Sprint(slow, " ", free)
	}
	r.advance(0)
	if got := counts(); got != "1 20" {
		t.Errorf("at once: %s, want 1 20", got)
	}
	r.advance(2 * time.Second)
	if got := counts(); got != "5 20" {
		t.Errorf("after 2 s: %s, want 5 20", got)
	}
	r.stop()
	r.start()
	r.advance(0)
	r.advance(time.Second)
	if got := counts(); got != "8 20" {
		t.Errorf("a restart and a second later: %s, want 8 20", got)
	}
	patched := must(r.UpdateEndpoint(context.Background(), Actor{"test"}, "acme", slow.ID, EndpointInput{RateLimit: Optional[int]{Set: true, Null: true}}))(t)
	r.advance(time.Second)
	if got := counts(); got != "20 20" || patched.RateLimit != nil {
		t.Errorf("once it is lifted: %s, want 20 20", got)
	}
	for _, bad := range []int{0, -1, 10_001} {
		_, err := r.UpdateEndpoint(context.Background(), Actor{"test"}, "acme", slow.ID, EndpointInput{RateLimit: Some(bad)})
		if e, ok := err.(*Error); !ok || e.Fields[0].Location != "rate_limit" {
			t.Errorf("%d: %v", bad, err)
		}
	}
	r.checkFold()
}

func headersInput(text string) (h Optional[map[string]*string]) {
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		panic(err)
	}
	return h
}

// Custom headers: sent with every attempt and test, shown back, merged by a patch; those of the profile win.
func TestHeaders(t *testing.T) {
	r := heedfulRig(t)
	ctx := context.Background()
	ep := r.endpoint("acme", EndpointInput{Headers: headersInput(`{"X-Team":"red","Authorization":"Bearer a b","x-gone":null}`)})
	want := func(what string, got map[string]string, pairs ...string) {
		t.Helper()
		if len(got) != len(pairs)/2 {
			t.Errorf("%s: %v", what, got)
		}
		for i := 0; i < len(pairs); i += 2 {
			if got[pairs[i]] != pairs[i+1] {
				t.Errorf("%s: %s is %q, want %q", what, pairs[i], got[pairs[i]], pairs[i+1])
			}
		}
	}
	want("created", ep.Headers, "X-Team", "red", "Authorization", "Bearer a b")
	id := r.publish("acme", PublishInput{Type: "note.added"}).Matched[0].DeliveryID
	r.advance(0)
	must(r.TestEndpoint(ctx, Actor{"test"}, "acme", ep.ID, TestInput{EventType: "note.added"}))(t)
	for i, q := range r.net.requests() {
		sent := map[string]string{}
		for _, h := range q.Headers {
			if _, twice := sent[h.Name]; twice {
				t.Errorf("request %d has %s twice", i, h.Name)
			}
			sent[h.Name] = h.Value
		}
		if sent["x-team"] != "red" || sent["authorization"] != "Bearer a b" || sent["x-signed"] == "" || sent["content-type"] != "application/json" {
			t.Errorf("request %d: %v", i, sent)
		}
	}
	if got := r.delivery("acme", id).Attempts[0].Request.Headers["x-team"]; len(got) != 1 || got[0] != "red" {
		t.Errorf("shown of the attempt: %v", got)
	}
	patch := func(text string) Endpoint {
		return must(r.UpdateEndpoint(ctx, Actor{"test"}, "acme", ep.ID, EndpointInput{Headers: headersInput(text)}))(t)
	}
	want("patched", patch(`{"x-team":"blue","Authorization":null,"X-More":"1"}`).Headers, "x-team", "blue", "X-More", "1")
	want("nothing changed", patch(`{}`).Headers, "x-team", "blue", "X-More", "1")
	want("taken away", patch(`null`).Headers)
	for text, location := range map[string]string{
		`{"Host":"a"}`: "headers.Host", `{"user-agent":"a"}`: "headers.user-agent", `{"X-Signed":"a"}`: "headers.X-Signed",
		`{"Idempotency-Key":"a"}`: "headers.Idempotency-Key", `{"a b":"c"}`: "headers.a b", `{"":"c"}`: "headers.", `{"x":""}`: "headers.x",
		`{"x":"a\nb"}`: "headers.x", `{"x":"é"}`: "headers.x", `{"x":" a"}`: "headers.x", `{"x":"1","X":"2"}`: "headers.x",
		`{"x":"` + strings.Repeat("v", MaxHeaderValue+1) + `"}`: "headers.x", `{"webhook-id":"1"}`: "headers.webhook-id",
	} {
		_, err := r.UpdateEndpoint(ctx, Actor{"test"}, "acme", ep.ID, EndpointInput{Headers: headersInput(text)})
		if e, ok := err.(*Error); !ok || e.Code != CodeInvalid || e.Fields[0].Location != location {
			t.Errorf("%.60s: %v, want a fault at %s", text, err, location)
		}
	}
	many := map[string]*string{}
	for i := range MaxHeaders + 1 {
		many[fmt.Sprintf("x-%d", i)] = ptr("v")
	}
	if _, err := r.UpdateEndpoint(ctx, Actor{"test"}, "acme", ep.ID, EndpointInput{Headers: Some(many)}); code(err) != CodeInvalid {
		t.Errorf("%d headers: %v", len(many), err)
	}
	delete(many, "x-0")
	if _, err := r.UpdateEndpoint(ctx, Actor{"test"}, "acme", ep.ID, EndpointInput{Headers: Some(many)}); err != nil {
		t.Errorf("%d headers: %v", len(many), err)
	}
	r.checkFold()
}

// A header that the profile came to set since wins over the endpoint's own.
func TestSignedHeadersWin(t *testing.T) {
	got := withOwn([]transports.Header{{Name: "x-signed", Value: "s"}}, ownHeaders(map[string]string{"X-Signed": "mine", "X-B": "2", "x-a": "1"}))
	if fmt.Sprint(got) != "[{x-signed s} {x-b 2} {x-a 1}]" {
		t.Errorf("%v", got)
	}
}
