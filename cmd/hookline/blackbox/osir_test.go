package blackbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// osirTypes is the catalogue of O-5.
var osirTypes = []string{
	"domain.registered", "domain.transferred", "domain.renewed", "domain.expired", "domain.deleted",
	"server.created", "server.started", "server.stopped", "server.deleted", "server.resized",
	"invoice.created", "invoice.paid", "payment.failed",
}

const osirSignature = "x-osir-signature"

// osirExample is the event of the vector in O-11.
var osirExample = event{
	typ: "domain.registered", id: "evt_1234567890", occurredAt: "2021-12-20T11:33:20Z",
	data: `{"domain":"example.com","registrant":"user@email.com","expiration":"2025-01-01"}`,
}

// sample is an event of the given type with made-up data.
func sample(typ string, n int) event {
	return event{typ: typ, data: fmt.Sprintf(`{"n":%d,"domain":"n%d.example"}`, n, n)}
}

// checkOSIR demands O-6 to O-11 of one request.
func checkOSIR(t testing.TB, r request, secret string) {
	t.Helper()
	plainPost(t, r)
	var body map[string]json.RawMessage
	if err := json.Unmarshal(r.body, &body); err != nil {
		t.Fatalf("body: %v: %s", err, r.body)
	}
	for _, name := range []string{"id", "type", "created", "data"} {
		if body[name] == nil {
			t.Fatalf("body without %s: %s", name, r.body)
		}
	}
	equal(t, "members of the body", len(body), 4)
	if !strings.HasPrefix(string(body["id"]), `"evt_`) {
		t.Fatalf("id %s, want evt_...", body["id"])
	}
	var created int64
	if err := json.Unmarshal(body["created"], &created); err != nil || created <= 0 {
		t.Fatalf("created %s, want integer Unix seconds", body["created"])
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(r.body)
	equal(t, osirSignature, r.header.Get(osirSignature), hex.EncodeToString(mac.Sum(nil)))
	equal(t, "values of "+osirSignature, len(r.header.Values(osirSignature)), 1)
}

// P1, O-1, O-6 to O-12, O-18 and promise 1. Not parallel: it judges latency.
func TestP1HappyPath(t *testing.T) {
	r := realRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	ep := n.endpoint(t, k, fields{"event_types": []string{"domain.registered"}, "secret": "whsec_test_secret"})
	began := time.Now()
	p := n.publish(t, osirExample)
	got := k.only(t, 1, soon)[0]
	if took := got.at.Sub(began); took > time.Second {
		t.Errorf("the POST came after %v, want at most 1 s", took)
	}
	checkOSIR(t, got, "whsec_test_secret")
	equal(t, "duplicate", p.Duplicate, false)
	d := n.awaitStatus(t, p.only(t), "succeeded", "", 1, soon)
	equal(t, "endpoint of the match", p.Matched[0].EndpointID, ep.ID)
	equal(t, "event of the delivery", d.EventID+" "+d.EventUID+" "+d.EventType, "evt_1234567890 "+p.UID+" domain.registered")
	equal(t, "max_attempts", d.MaxAttempts, 5)
	equal(t, "attempts in the delivery", len(d.Attempts), 1)
	log := n.attempts(t, "delivery_id", d.ID)
	equal(t, "attempts in the log", len(log), 1)
	a := log[0]
	equal(t, "attempt", row(a.Number, a.Trigger, a.Outcome, a.status(), a.Request.Method, a.Request.URL, a.EndpointID),
		row(1, "schedule", "acknowledged", 200, "POST", ep.URL, ep.ID))
	equal(t, "request body in the log", a.Request.Body, string(got.body))
	if !a.hasHeader(osirSignature, got.header.Get(osirSignature)) || !a.hasHeader("content-type", "application/json") {
		t.Errorf("request headers in the log: %v", a.Request.Headers)
	}
	for _, name := range []string{"dns", "connect", "tls", "wait", "body"} {
		if _, ok := a.Timings[name]; !ok {
			t.Errorf("timings_ms without %s: %v", name, a.Timings)
		}
	}
}

// P2, O-9 to O-11: the document's vector, byte for byte.
func TestP2Vector(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	n.endpoint(t, k, fields{"event_types": []string{"domain.registered"}, "secret": "whsec_test_secret"})
	n.publish(t, osirExample)
	r.settle(t)
	got := k.exactly(t, 1)[0]
	equal(t, "body", string(got.body), `{"id":"evt_1234567890","type":"domain.registered","created":1640000000,"data":`+osirExample.data+`}`)
	equal(t, osirSignature, got.header.Get(osirSignature), "c9cb0e50f8087a3e628449816a6e5e5c88a46826f565408f90f56b01c82bbbc2")
}

// P3, O-3, D-2: https only, on create and on update, even when the operator allows http; nothing is stored.
func TestP3OnlyHTTPS(t *testing.T) {
	t.Parallel()
	r := &rig{rcv: newReceiver(t), server: startServer(t, serveOptions{manual: true, args: []string{"--allow-http"}})}
	for _, profile := range []string{"osir", "dnsimple"} {
		t.Run(profile, func(t *testing.T) {
			n, k := r.tenant(t, profile, profile), r.rcv.sink(profile, always(200))
			for _, scheme := range []string{"http:", "HTTP:"} {
				url := scheme + strings.TrimPrefix(k.url, "https:")
				p := r.api.call(t, 422, "POST", n.path("/endpoints"), fields{"url": url}).problem(t)
				if !p.names("url") {
					t.Errorf("errors of %s: %+v, want location url", url, p.Errors)
				}
			}
			equal(t, "endpoints stored", len(list[endpoint](t, r.api, n.path("/endpoints"))), 0)
			ep := n.endpoint(t, k, nil)
			r.api.patch(t, 422, n.path("/endpoints/", ep.ID), fields{"url": "http:" + strings.TrimPrefix(k.url, "https:")}, nil)
			equal(t, "url after the refused update", n.getEndpoint(t, ep.ID).URL, k.url)
			var moved endpoint
			r.api.patch(t, 200, n.path("/endpoints/", ep.ID), fields{"url": k.url + "-moved"}, &moved)
			equal(t, "url after an update", moved.URL, k.url+"-moved")
		})
	}
}

// P4, O-4 and promise 6: exactly the selected types go out; all thirteen events are kept.
func TestP4ExactTypes(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n, k := r.tenant(t, "acme", "osir"), r.rcv.sink("r", always(200))
	chosen := []string{"server.created", "payment.failed"}
	n.endpoint(t, k, fields{"event_types": chosen})
	for i, typ := range osirTypes {
		want := 0
		if slices.Contains(chosen, typ) {
			want = 1
		}
		equal(t, "matches of "+typ, len(n.publish(t, sample(typ, i)).Matched), want)
	}
	r.settle(t)
	var types []string
	for _, got := range k.exactly(t, 2) {
		var body struct{ Type string }
		if err := json.Unmarshal(got.body, &body); err != nil {
			t.Fatal(err)
		}
		types = append(types, body.Type)
	}
	slices.Sort(types)
	equal(t, "types received", strings.Join(types, " "), "payment.failed server.created")
	equal(t, "events kept", len(n.events(t)), 13)
}

// P5, O-2, O-10: one body, three secrets, three signatures.
func TestP5FanOut(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n := r.tenant(t, "acme", "osir")
	type target struct {
		k      *sink
		secret string
	}
	var targets []target
	for i, given := range []string{"whsec_test_secret", "ein Geheimnis äöü", ""} {
		k, more := r.rcv.sink(fmt.Sprintf("r%d", i), always(200)), fields{}
		if given != "" {
			more["secret"] = given
		}
		ep := n.endpoint(t, k, more)
		secret := n.secret(t, ep.ID)
		if given != "" {
			equal(t, "secret as given", secret, given)
		}
		if len(secret) < 8 || ep.Secret != secret {
			t.Fatalf("secret %q at creation, %q when asked for", ep.Secret, secret)
		}
		targets = append(targets, target{k, secret})
	}
	equal(t, "matches", len(n.publish(t, sample("invoice.paid", 1)).Matched), 3)
	r.settle(t)
	var all []request
	signatures := map[string]bool{}
	for _, to := range targets {
		got := to.k.exactly(t, 1)[0]
		checkOSIR(t, got, to.secret)
		all = append(all, got)
		signatures[got.header.Get(osirSignature)] = true
	}
	sameBytes(t, all, "")
	equal(t, "different signatures", len(signatures), 3)
}

// P6, O-2: what is one account's is 404 in the other, by every path.
func TestP6Isolation(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	a, b := r.tenant(t, "a", "osir"), r.tenant(t, "b", "osir")
	ka, kb := r.rcv.sink("a", always(200)), r.rcv.sink("b", always(200))
	ea, eb := a.endpoint(t, ka, nil), b.endpoint(t, kb, nil)
	var last published
	for i := range 10 {
		last = a.publish(t, sample("server.created", i))
	}
	r.settle(t)
	ka.exactly(t, 10)
	kb.exactly(t, 0)
	sub := list[subscription](t, r.api, a.path("/subscriptions"))[0]
	for _, p := range []string{
		"/endpoints/" + ea.ID, "/endpoints/" + ea.ID + "/secret", "/events/" + last.ID, "/events/" + last.UID,
		"/deliveries/" + last.only(t), "/subscriptions/" + sub.ID,
	} {
		r.api.get(t, a.path(p), nil)
		r.api.call(t, http.StatusNotFound, "GET", b.path(p), nil)
	}
	for _, p := range []string{"/endpoints/" + ea.ID + ":disable", "/deliveries/" + last.only(t) + ":resend", "/endpoints/" + ea.ID + ":rotate-secret"} {
		r.api.call(t, http.StatusNotFound, "POST", b.path(p), nil)
	}
	r.api.call(t, http.StatusNotFound, "POST", b.path("/events/", last.UID, ":deliver"), fields{"endpoint_id": eb.ID})
	r.api.call(t, http.StatusNotFound, "POST", a.path("/events/", last.UID, ":deliver"), fields{"endpoint_id": eb.ID})
	r.api.call(t, http.StatusNotFound, "DELETE", b.path("/endpoints/", ea.ID), nil)
	equal(t, "deliveries of b", len(b.deliveries(t)), 0)
	equal(t, "events of b", len(b.events(t)), 0)
	equal(t, "attempts of b", len(b.attempts(t)), 0)
	equal(t, "status of a's endpoint", a.getEndpoint(t, ea.ID).Status, "enabled")
}
