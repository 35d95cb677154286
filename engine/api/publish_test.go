package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookline/hookline/engine"
)

// problemIn demands a problem and returns it.
func problemIn(t testing.TB, text string) Problem {
	t.Helper()
	var p Problem
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if p.Status < 400 || p.Title == "" || p.Detail == "" || p.Errors == nil {
		t.Fatalf("no problem: %s", text)
	}
	return p
}

// Promise 8: data and payload reach the engine byte for byte, white space and key order included.
func TestPublishHandsOver(t *testing.T) {
	f := newFace(t)
	data := `{ "z":1.50,"a" : [ 1e3 , "\u00e4ä" ] }`
	w := f.ask("POST", "/v1/tenants/acme/events?explain=true", ` { "data":`+data+` ,"type":"a.b:c","id":"evt_1","occurred_at":"2026-01-31T08:00:00.5+01:00",
		"actor":{"id":"1"},"metadata":{"k":"v"},"idempotency_key":"k\u0031"} `)
	if w.Code != 202 {
		t.Fatal(w.Code, w.Body)
	}
	p := f.engine.published[0]
	if string(p.Data) != data || len(p.Payload) != 0 || p.Type != "a.b:c" || p.ID != "evt_1" || p.IdempotencyKey != "k1" || !p.Explain ||
		string(p.Actor) != `{"id":"1"}` || string(p.Metadata) != `{"k":"v"}` || p.OccurredAtRaw != "2026-01-31T08:00:00.5+01:00" ||
		!p.OccurredAt.Equal(time.Date(2026, 1, 31, 7, 0, 0, 5e8, time.UTC)) {
		t.Fatalf("%+v", p)
	}
	if got, want := w.Body.String(), `{"id":"evt_1","uid":"evu_1","seq":1,"duplicate":false,"matched":[],"unmatched":[]}`+"\n"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	for _, payload := range []string{`"text"`, `null`, `[1, 2]`, `{"a": 1}`, `-0.0`, `true`} {
		if w := f.ask("POST", "/v1/tenants/acme/events", "{\"type\":\"a\",\"payload\":\n\t"+payload+"\n}"); w.Code != 202 {
			t.Fatal(w.Code, w.Body)
		}
		if p := f.engine.published[0]; string(p.Payload) != payload || len(p.Data) != 0 {
			t.Fatalf("%s: %+v", payload, p)
		}
	}
	// null stands for a field left out.
	if w := f.ask("POST", "/v1/tenants/acme/events", `{"type":"a","data":{},"id":null,"actor":null,"metadata":null,"idempotency_key":null,"occurred_at":null,"order_key":null}`); w.Code != 202 {
		t.Fatal(w.Code, w.Body)
	}
	if p := f.engine.published[0]; p.ID != "" || len(p.Actor)+len(p.Metadata) != 0 || p.IdempotencyKey != "" || !p.OccurredAt.IsZero() {
		t.Fatalf("%+v", p)
	}
}

func nested(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }

type refusedItem struct {
	name, body string
	status     int
	at, say    string
}

func refusedItems() []refusedItem {
	return []refusedItem{
		{"not an object", `[]`, 422, "body", "is a list"},
		{"no type", `{"data":{}}`, 422, "type", "missing"},
		{"empty type", `{"type":"","data":{}}`, 422, "type", "empty"},
		{"type a number", `{"type":1,"data":{}}`, 422, "type", "must be a string, is a number"},
		{"no data", `{"type":"a"}`, 422, "data", "exactly one"},
		{"both", `{"type":"a","data":{},"payload":1}`, 422, "data", "exactly one"},
		{"data null", `{"type":"a","data":null}`, 422, "data", "is null"},
		{"data a list", `{"type":"a","data":[]}`, 422, "data", "is a list"},
		{"metadata a string", `{"type":"a","data":{},"metadata":"x"}`, 422, "metadata", "object"},
		{"unknown field", `{"type":"a","data":{},"idempotencyKey":"x"}`, 422, "idempotencyKey", "did you mean idempotency_key"},
		{"other case", `{"Type":"a","data":{}}`, 422, "Type", "did you mean type"},
		{"far from any", `{"type":"a","data":{},"xyzzy":1}`, 422, "xyzzy", "known are type, data"},
		{"order_key", `{"type":"a","data":{},"order_key":"x"}`, 422, "order_key", "not available yet"},
		{"deliver_at", `{"type":"a","data":{},"deliver_at":"2026-01-31T08:00:00Z"}`, 422, "deliver_at", "not available yet"},
		{"occurred_at", `{"type":"a","data":{},"occurred_at":"yesterday"}`, 422, "occurred_at", "RFC 3339"},
		{"occurred_at long ago", `{"type":"a","data":{},"occurred_at":"0001-01-01T00:00:00Z"}`, 422, "occurred_at", "1970"},
		{"half a pair in id", `{"type":"a","data":{},"id":"\ud800"}`, 422, "id", "surrogate"},
		{"empty id", `{"type":"a","data":{},"id":""}`, 422, "id", "empty"},
		{"duplicate key", `{"type":"a","type":"a","data":{}}`, 400, "type", "twice"},
		{"duplicate key in data", `{"type":"a","data":{"x":[{"k":1,"k":1}]}}`, 400, "data.x[0].k", "twice"},
		{"duplicate key, escaped", `{"type":"a","data":{"k":1,"\u006b":1}}`, 400, "data.k", "twice"},
		{"not UTF-8", "{\"type\":\"a\",\"data\":{\"k\":\"\xff\"}}", 400, "data.k", "UTF-8"},
		{"depth 65", `{"type":"a","data":` + nested(65) + `}`, 400, "data", "64 levels"},
		{"depth 65 in actor", `{"type":"a","data":{},"actor":` + nested(65) + `}`, 400, "actor", "64 levels"},
		{"data one byte over", `{"type":"a","data":{"k":"` + strings.Repeat("x", maxData-7) + `"}}`, 413, "data", "262144"},
		{"payload one byte over", `{"type":"a","payload":"` + strings.Repeat("x", maxData-1) + `"}`, 413, "payload", "262144"},
	}
}

func TestPublishRefuses(t *testing.T) {
	f := newFace(t)
	cases := append(refusedItems(),
		refusedItem{"empty", ``, 400, "body", "empty"},
		refusedItem{"white space", " \n ", 400, "body", "empty"},
		refusedItem{"malformed", `{"type":"a","data":{]}`, 400, "data", "line 1, column 21"},
		refusedItem{"cut", `{"type":"a","data":{"k":`, 400, "data.k", "ends"},
		refusedItem{"trailing", `{"type":"a","data":{}} {}`, 400, "body", "end of the text"},
		refusedItem{"body over 1 MiB", `{"type":"a","data":{},"metadata":{"k":"` + strings.Repeat("x", 1<<20) + `"}}`, 413, "body", "1048576"},
		refusedItem{"a megabyte of brackets", `{"type":"a","data":` + strings.Repeat("[", 1<<19), 400, "data", "4096"},
	)
	for _, c := range cases {
		w := f.ask("POST", "/v1/tenants/acme/events", c.body)
		p := problemIn(t, w.Body.String())
		if w.Code != c.status || p.Status != c.status || !strings.HasPrefix(p.Errors[0].Location, c.at) || !strings.Contains(p.Errors[0].Message, c.say) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
		if ct := w.Header().Get("Content-Type"); ct != "application/problem+json" {
			t.Errorf("%s: %s", c.name, ct)
		}
	}
	if len(f.engine.asked) > 0 {
		t.Fatalf("the engine was asked: %v", f.engine.asked)
	}
	// The bounds themselves are taken.
	for _, body := range []string{
		`{"type":"a","data":` + nested(64) + `}`,
		`{"type":"a","data":{"k":"` + strings.Repeat("x", maxData-8) + `"}}`,
		`{"type":"a","payload":"` + strings.Repeat("x", maxData-2) + `"}`,
	} {
		if w := f.ask("POST", "/v1/tenants/acme/events", body); w.Code != 202 {
			t.Errorf("%.40s: %d %s", body, w.Code, w.Body)
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	f := newFace(t)
	for _, c := range []struct {
		header, field string
		status        int
		key           string
	}{
		{"k", "", 202, "k"},
		{"", `,"idempotency_key":"k"`, 202, "k"},
		{"k", `,"idempotency_key":"k"`, 202, "k"},
		{"k", `,"idempotency_key":"l"`, 422, ""},
		{"caf\xe9", "", 422, ""}, // no text: the field could not hold it either
		{"", `,"idempotency_key":""`, 422, ""},
		{"", "", 202, ""},
	} {
		f.engine.published = nil
		w := f.ask("POST", "/v1/tenants/acme/events", `{"type":"a","data":{}`+c.field+`}`, "Idempotency-Key: "+c.header)
		if w.Code != c.status || w.Code == 202 && f.engine.published[0].IdempotencyKey != c.key {
			t.Errorf("%+v: %d %s", c, w.Code, w.Body)
		}
	}
	if w := f.ask("POST", "/v1/tenants/acme/events:batch", `{"events":[{"type":"a","data":{}}]}`, "Idempotency-Key: k"); w.Code != 422 {
		t.Errorf("batch: %d %s", w.Code, w.Body)
	}
}

// Each item's fault is its own, in order; the good ones are taken.
func TestBatchItems(t *testing.T) {
	refused := refusedItems()
	var events []string
	for _, c := range refused {
		events = append(events, c.body, `{"type":"ok","data":{}}`)
	}
	f := newFace(t)
	for name, body := range map[string]string{
		"application/json":                        `{"events":[` + strings.Join(events, ",") + `]}`,
		"application/x-ndjson":                    strings.Join(events, "\n"),
		"application/x-ndjson ; charset=\"utf8\"": "\n" + strings.Join(events, "\r\n \n") + "\n",
	} {
		w := f.ask("POST", "/v1/tenants/acme/events:batch", body, "Content-Type: "+name)
		if w.Code != 202 {
			t.Fatalf("%s: %d %s", name, w.Code, w.Body)
		}
		var got struct{ Results []json.RawMessage }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Results) != 2*len(refused) {
			t.Fatalf("%s: %v, %d results", name, err, len(got.Results))
		}
		for i, c := range refused {
			p := problemIn(t, string(got.Results[2*i]))
			if p.Status != c.status || !strings.HasPrefix(p.Errors[0].Location, c.at) || !strings.Contains(p.Errors[0].Message, c.say) {
				t.Errorf("%s, %s: %s", name, c.name, got.Results[2*i])
			}
			if !strings.Contains(string(got.Results[2*i+1]), `"uid":"evu_1"`) {
				t.Errorf("%s, after %s: %s", name, c.name, got.Results[2*i+1])
			}
		}
	}
}

func TestBatchRefuses(t *testing.T) {
	f := newFace(t)
	many := func(n int, sep string) string {
		return strings.TrimSuffix(strings.Repeat(`{"type":"a","data":{}}`+sep, n), sep)
	}
	for _, c := range []struct {
		name, kind, body string
		status           int
		at               string
	}{
		{"empty", "json", ``, 400, "body"},
		{"not an object", "json", `[]`, 422, "body"},
		{"no events", "json", `{}`, 422, "events"},
		{"none", "json", `{"events":[]}`, 422, "events"},
		{"events no list", "json", `{"events":{}}`, 422, "events"},
		{"unknown field", "json", `{"event":[]}`, 422, "event"},
		{"events twice", "json", `{"events":[{"type":"a","data":{}}],"events":[]}`, 400, ""},
		{"malformed in an item", "json", `{"events":[{"type":"a","data":{}},{"type":"b","data":{x}}]}`, 400, "events[1].data"},
		{"trailing", "json", `{"events":[{"type":"a","data":{}}]}]`, 400, "body"},
		{"1001", "json", `{"events":[` + many(1001, ",") + `]}`, 413, "events"},
		{"1001 lines", "x-ndjson", many(1001, "\n"), 413, "events"},
		{"no lines", "x-ndjson", " \n\n", 422, "events"},
		{"over 8 MiB", "json", `{"events":[` + strings.Repeat(" ", 8<<20) + `]}`, 413, "body"},
	} {
		w := f.ask("POST", "/v1/tenants/acme/events:batch", c.body, "Content-Type: application/"+c.kind)
		p := problemIn(t, w.Body.String())
		if w.Code != c.status || c.at != "" && p.Errors[0].Location != c.at {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
	if len(f.engine.asked) > 0 {
		t.Fatalf("the engine was asked: %v", f.engine.asked)
	}
	if w := f.ask("POST", "/v1/tenants/acme/events:batch", `{"events":[`+many(1000, ",")+`]}`); w.Code != 202 {
		t.Errorf("1000: %d %s", w.Code, w.Body)
	}
	// A line that is no JSON is its own fault.
	w := f.ask("POST", "/v1/tenants/acme/events:batch", `{"type":"a","data":{}}`+"\n{\"type\":\n"+`{"type":"b","data":{}} x`+"\n"+`{"type":"c","data":{}}`, "Content-Type: application/x-ndjson")
	var got struct{ Results []struct{ Status int } }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || fmt.Sprint(got.Results) != "[{0} {400} {400} {0}]" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// The answer made by hand is what encoding/json would make of it.
func TestPublishedAnswer(t *testing.T) {
	for _, p := range []engine.Published{
		{ID: "evt_1", UID: "evu_1", Seq: 1<<63 + 1, Matched: []engine.Matched{}, Unmatched: []engine.Unmatched{}},
		{ID: "a\"\\\n\x00\x7fä漢😀", Duplicate: true, Matched: []engine.Matched{{EndpointID: "ep_1", DeliveryID: "dlv_1", SubscriptionID: "sub_1", SubscriptionIDs: []string{"sub_1", "sub_2"}},
			{EndpointID: "ep_2", SubscriptionIDs: []string{}}}, Unmatched: []engine.Unmatched{{SubscriptionID: "sub_3", EndpointID: "ep_3", Reason: "data.n == 1 is false, n = 2 <&>"}, {}}},
	} {
		var got engine.Published
		text := appendPublished(nil, &p, true)
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", p) {
			t.Errorf("got %+v, want %+v", got, p)
		}
	}
	if got := string(appendString(nil, "a\xffb\xc3")); got != "\"a\uFFFDb\uFFFD\"" {
		t.Errorf("broken UTF-8: %q", got)
	}
}

// An engine that answers other than it was asked must not lead to a 202.
func TestPublishIncomplete(t *testing.T) {
	f := newFace(t)
	for _, results := range [][]engine.PublishResult{nil, {{}}, {{Published: &engine.Published{}, Err: engine.Invalid("x", "y")}}} {
		f.engine.results = func([]engine.PublishInput) []engine.PublishResult { return results }
		if w := f.ask("POST", "/v1/tenants/acme/events", `{"type":"a","data":{}}`); w.Code != 500 {
			t.Errorf("%v: %d", results, w.Code)
		}
	}
}
