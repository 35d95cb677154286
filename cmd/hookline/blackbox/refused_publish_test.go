package blackbox

import (
	"net/http"
	"strings"
	"testing"
)

const kib = 1 << 10

// nested is a JSON object of exactly depth objects inside each other, itself included.
func nested(depth int) string {
	return strings.Repeat(`{"a":`, depth-1) + `{}` + strings.Repeat(`}`, depth-1)
}

// sized is a JSON object of exactly n bytes.
func sized(n int) string { return `{"a":"` + strings.Repeat("x", n-8) + `"}` }

// refusal is a body that must not be taken, the status and where the problem points ("" = anywhere).
type refusal struct {
	name, body string
	status     int
	at         string
}

// refusedPublishes is promise 11 for publishes: what must not be taken, and what the answer says.
func refusedPublishes() []refusal {
	deep := strings.Repeat(`[`, 100_000)
	return []refusal{
		{"empty", ``, 400, ""},
		{"not JSON", `hello`, 400, ""},
		{"cut", `{"type":"a.b","data":{`, 400, ""},
		{"two values", `{"type":"a.b","data":{}}{}`, 400, ""},
		{"trailing comma", `{"type":"a.b","data":{},}`, 400, ""},
		{"not UTF-8", "{\"type\":\"a.b\",\"data\":{\"x\":\"\xff\xfe\"}}", 400, ""},
		{"not UTF-8 in a name", "{\"type\":\"a.b\",\"data\":{\"\xc3\x28\":1}}", 400, ""},
		{"control character", "{\"type\":\"a.b\",\"data\":{\"x\":\"\x01\"}}", 400, ""},
		{"duplicate at the top", `{"type":"a.b","type":"a.b","data":{}}`, 400, "type"},
		{"duplicate in data", `{"type":"a.b","data":{"x":1,"x":1}}`, 400, ""},
		{"duplicate deep inside", `{"type":"a.b","data":{"l":[{"y":{"z":1,"z":2}}]}}`, 400, ""},
		{"duplicate by escape", `{"type":"a.b","data":{"ab":1,"a\u0062":2}}`, 400, ""},
		{"duplicate in payload", `{"type":"a.b","payload":{"x":1,"x":2}}`, 400, ""},
		{"duplicate in metadata", `{"type":"a.b","data":{},"metadata":{"x":"1","x":"2"}}`, 400, ""},
		{"depth 65", `{"type":"a.b","data":` + nested(65) + `}`, 400, "data"},
		{"depth 65 of a payload", `{"type":"a.b","payload":` + nested(65) + `}`, 400, "payload"},
		{"a hundred thousand brackets", `{"type":"a.b","payload":` + deep, 400, ""},
		{"data over 256 KiB", `{"type":"a.b","data":` + sized(256*kib+1) + `}`, 413, "data"},
		{"payload over 256 KiB", `{"type":"a.b","payload":` + sized(256*kib+1) + `}`, 413, "payload"},
		{"unknown field", `{"type":"a.b","data":{},"datas":{}}`, 422, "datas"},
		{"field in another case", `{"Type":"a.b","data":{}}`, 422, "Type"},
		{"no type", `{"data":{}}`, 422, "type"},
		{"neither data nor payload", `{"type":"a.b"}`, 422, "data"},
		{"both data and payload", `{"type":"a.b","data":{},"payload":{}}`, 422, ""},
		{"data is no object", `{"type":"a.b","data":[1]}`, 422, "data"},
		{"data is null", `{"type":"a.b","data":null}`, 422, "data"},
		{"type is no string", `{"type":7,"data":{}}`, 422, "type"},
		{"id outside the profile", `{"type":"a.b","id":"order-1","data":{}}`, 422, "id"},
		{"id with a bad character", `{"type":"a.b","id":"evt_a b","data":{}}`, 422, "id"},
		{"id too long", `{"type":"a.b","id":"evt_` + strings.Repeat("a", 125) + `","data":{}}`, 422, "id"},
		{"occurred_at no time", `{"type":"a.b","data":{},"occurred_at":"yesterday"}`, 422, "occurred_at"},
		{"order_key", `{"type":"a.b","data":{},"order_key":"k"}`, 422, "order_key"},
		{"deliver_at", `{"type":"a.b","data":{},"deliver_at":"2030-01-01T00:00:00Z"}`, 422, "deliver_at"},
	}
}

// badTypes break the grammar seg(.seg)*(:seg)? of DESIGN.md, section 3.
var badTypes = []string{
	"", ".", ":", "a.", ".a", "a..b", "a:", ":a", "a:b:c", "a:b.c:d", "a b", "a/b", "domain.*", "*", "ü", "a\n", "a.b ",
	strings.Repeat("s", 65), "a." + strings.Repeat("s", 65), strings.Repeat("seg.", 50) + "s",
}

// Promise 11: bad publishes are refused with their reason, and leave no trace, not even a record.
func TestRefusedPublishes(t *testing.T) {
	t.Parallel()
	r, n, k, _ := osirRig(t, always(200), nil)
	cases := refusedPublishes()
	for _, typ := range badTypes {
		cases = append(cases, refusal{"type " + clip([]byte(typ)), event{typ: typ, data: `{}`}.json(), 422, "type"})
	}
	var before, after logStatus
	r.api.get(t, "/v1/log/status", &before)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := r.api.call(t, c.status, "POST", n.path("/events"), c.body).problem(t)
			if c.at != "" && !p.names(c.at) {
				t.Errorf("errors %+v, want one with location %s", p.Errors, c.at)
			}
			if strings.HasSuffix(c.name, "_key") || strings.HasSuffix(c.name, "_at") {
				if !p.says("not available yet") {
					t.Errorf("want \"not available yet\": %+v", p)
				}
			}
		})
	}
	t.Run("keys that differ", func(t *testing.T) {
		r.api.call(t, 422, "POST", n.path("/events"), `{"type":"a.b","data":{},"idempotency_key":"a"}`, "Idempotency-Key: b")
	})
	t.Run("unknown tenant", func(t *testing.T) {
		r.api.call(t, 404, "POST", "/v1/tenants/nobody/events", `{"type":"a.b","data":{}}`)
	})
	r.api.get(t, "/v1/log/status", &after)
	equal(t, "head_seq", after.HeadSeq, before.HeadSeq)
	equal(t, "events stored", len(n.events(t)), 0)
	r.settle(t)
	k.exactly(t, 0)
}

// The bounds themselves are inside: 256 KiB, depth 64, long types and ids, odd but lawful JSON; bytes stay as they are.
func TestAcceptedAtTheBounds(t *testing.T) {
	t.Parallel()
	r, n, k, _ := osirRig(t, always(200), nil)

	cases := []struct {
		name string
		e    event
	}{
		{"256 KiB of data", event{typ: "a.b", data: sized(256 * kib)}},
		{"256 KiB of payload", event{typ: "a.b", payload: sized(256 * kib)}},
		{"depth 64", event{typ: "a.b", data: nested(64)}},
		{"depth 64 of a payload", event{typ: "a.b", payload: nested(64)}},
		{"segment of 64", event{typ: strings.Repeat("s", 64) + ".A-z_0:" + strings.Repeat("t", 64), data: `{}`}},
		{"type of 200 bytes", event{typ: strings.Repeat("seg.", 49) + "last", data: `{}`}},
		{"one segment", event{typ: "ping", data: `{}`}},
		{"numbers as text", event{typ: "a.b", data: `{"n":1.0000000000000000000000001,"big":123456789012345678901234567890,"e":1E+2,"z":-0.0}`}},
		{"order and spaces", event{typ: "a.b", data: "{ \"z\" : 1,\n\t\"a\":\"\\u00e9\\/<>&\", \"é\": [ ] }"}},
		{"same name in different objects", event{typ: "a.b", data: `{"a":{"a":{"a":1}},"b":{"a":1}}`}},
		{"payload that is no object", event{typ: "a.b", payload: `[1, 2,  3]`}},
		{"payload that is a string", event{typ: "a.b", payload: `"just text"`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			had := k.count()
			id := n.publish(t, c.e).only(t)
			r.settle(t)
			got := string(k.exactly(t, had+1)[had].body)
			if c.e.payload != "" {
				equal(t, "body", got, c.e.payload)
			} else if !strings.HasSuffix(got, `"data":`+c.e.data+`}`) {
				t.Errorf("data changed on its way: %s", clip([]byte(got)))
			}
			n.hasStatus(t, id, "succeeded", "", 1)
		})
	}
}

// API.md: without a key 401, before the body is looked at; a client that never sends the body it announced is answered too.
func TestUnauthorised(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n := r.tenant(t, "acme", "osir")
	for _, key := range []string{"", "wrong", r.key + "x", r.key[:len(r.key)-1]} {
		other := r.api.as(key)
		for _, path := range []string{n.path("/events"), "/v1/tenants", "/v1/nothing/here", n.path("/events:batch"), "/v1/dev/clock:advance"} {
			other.call(t, 401, "POST", path, `{"broken`)
		}
		for _, path := range []string{"/metrics", "/v1/stats", "/v1/stream", "/v1/log/status", "/v1/tenants/nobody"} {
			equal(t, "GET "+path, other.do(t, "GET", path, nil).status, 401)
		}
		for _, path := range []string{"/healthz", "/readyz", "/openapi.json", "/"} {
			equal(t, "GET "+path, other.do(t, "GET", path, nil).status, 200)
		}
	}
	conn := r.dial(t)
	writeText(t, conn, "POST "+n.path("/events")+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
	if line := firstLine(t, conn, soon); !strings.Contains(line, " 401 ") {
		t.Errorf("answer to a body that never comes: %q, want 401", line)
	}
	equal(t, "events", len(n.events(t)), 0)
}

// Everything under a path that does not exist, or by a method that it does not have, is a problem too.
func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n := r.tenant(t, "acme", "osir")
	for _, path := range []string{
		"/v1/nothing", n.path("/nothing"), n.path("/endpoints/ep_00000000000000000000000000"), n.path("/deliveries/dlv_x"),
		n.path("/events/evt_none"), n.path("/subscriptions/sub_x"), "/v1/profiles/nobody", "/v1/tenants/nobody/endpoints", n.path("/recoveries/x"),
	} {
		r.api.call(t, http.StatusNotFound, "GET", path, nil)
	}
	got := r.api.do(t, "PUT", n.path("/events"), `{}`)
	if got.status != http.StatusMethodNotAllowed && got.status != http.StatusNotFound {
		t.Errorf("PUT: %d, want 405", got.status)
	}
}
