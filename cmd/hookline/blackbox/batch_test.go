package blackbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// batchItem is one result: a publish's answer or a problem.
type batchItem struct {
	published
	problem
}

// batch publishes several events and demands as many results.
func (n *tenant) batch(t testing.TB, body, contentType string, want int) []batchItem {
	t.Helper()
	var got struct{ Results []json.RawMessage }
	n.s.api.post(t, http.StatusAccepted, n.path("/events:batch"), body, &got, "Content-Type: "+contentType)
	equal(t, "results", len(got.Results), want)
	items := make([]batchItem, want)
	for i, raw := range got.Results {
		if err := json.Unmarshal(raw, &items[i].published); err != nil {
			t.Fatalf("result %d: %v: %s", i, err, raw)
		}
		var p problem
		if json.Unmarshal(raw, &p) == nil && p.Status >= 400 {
			items[i].problem = p
		}
	}
	return items
}

// events:batch, as JSON and as NDJSON: results in order, each an answer or a problem; the good ones are accepted.
func TestBatch(t *testing.T) {
	t.Parallel()
	good := sample("invoice.paid", 1)
	keyed := sample("invoice.paid", 2)
	keyed.key = "in-batch"
	clash := keyed
	clash.data = `{"other":1}`
	spaced := event{typ: "invoice.paid", data: `{"b" : 1,  "a":2}`}
	items := []struct {
		text   string
		status int // 0: accepted
		dup    bool
	}{
		{text: good.json()},
		{text: `{"type":"a..b","data":{}}`, status: 422},
		{text: keyed.json()},
		{text: keyed.json(), dup: true},
		{text: clash.json(), status: 409},
		{text: `{"type":"a.b","data":{"x":1,"x":2}}`, status: 400},
		{text: `{"type":"a.b","data":{},"nonsense":1}`, status: 422},
		{text: event{typ: "a.b", data: sized(256*kib + 1)}.json(), status: 413},
		{text: event{typ: "a.b", data: nested(65)}.json(), status: 400},
		{text: spaced.json()},
	}
	texts := make([]string, len(items))
	for i, it := range items {
		texts[i] = it.text
	}
	for name, form := range map[string]struct{ body, contentType string }{
		"json":   {`{"events":[` + strings.Join(texts, ",") + `]}`, "application/json"},
		"ndjson": {strings.Join(texts, "\n") + "\n", "application/x-ndjson"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, n, k, _ := osirRig(t, always(200), nil)
			var last uint64
			for i, got := range n.batch(t, form.body, form.contentType, len(items)) {
				equal(t, row("status of item", i), got.problem.Status, items[i].status)
				if items[i].status != 0 {
					if got.Title == "" || got.Detail == "" {
						t.Errorf("item %d: a problem without title or detail: %+v", i, got.problem)
					}
					continue
				}
				equal(t, row("duplicate of item", i), got.Duplicate, items[i].dup)
				if !items[i].dup {
					if got.Seq <= last {
						t.Errorf("item %d: seq %d after %d, want the order of the batch", i, got.Seq, last)
					}
					last = got.Seq
				}
			}
			r.settle(t)
			got := k.exactly(t, 3)
			found := false
			for _, one := range got {
				found = found || strings.HasSuffix(string(one.body), `"data":`+spaced.data+`}`)
			}
			if !found {
				t.Errorf("no body ends in the bytes of %s", spaced.data)
			}
			equal(t, "events kept", len(n.events(t)), 3)
		})
	}
}

// The batch's own bounds: 1 000 events, 8 MiB; the whole is refused and nothing of it kept. A pretty-printed payload passes.
func TestBatchBounds(t *testing.T) {
	t.Parallel()
	r, n, k, _ := osirRig(t, always(200), fields{"event_types": []string{"the.one"}})
	small := sample("a.b", 1).json()
	big := event{typ: "a.b", data: sized(250 * kib)}.json()
	for name, c := range map[string]struct {
		body, contentType string
		status            int
	}{
		"1001 events":       {`{"events":[` + strings.Join(repeated(1001, small), ",") + `]}`, "application/json", 413},
		"1001 lines":        {strings.Join(repeated(1001, small), "\n"), "application/x-ndjson", 413},
		"over 8 MiB":        {`{"events":[` + strings.Join(repeated(34, big), ",") + `]}`, "application/json", 413},
		"over 8 MiB, lines": {strings.Join(repeated(34, big), "\n"), "application/x-ndjson", 413},
		"malformed":         {`{"events":[` + small + `,`, "application/json", 400},
		"unknown member":    {`{"events":[],"event":1}`, "application/json", 422},
		"events no list":    {`{"events":{}}`, "application/json", 422},
	} {
		t.Run(name, func(t *testing.T) {
			r.api.call(t, c.status, "POST", n.path("/events:batch"), c.body, "Content-Type: "+c.contentType)
		})
	}
	equal(t, "events kept", len(n.events(t)), 0)
	pretty := "{\n  \"name\": \"x\",\n  \"list\": [\n    1\n  ]\n}"
	n.batch(t, `{"events":[{"type":"the.one","payload": `+pretty+` }]}`, "application/json", 1)
	r.settle(t)
	equal(t, "body", string(k.exactly(t, 1)[0].body), pretty)
	for _, got := range n.batch(t, `{"events":[`+strings.Join(repeated(1000, small), ",")+`]}`, "application/json", 1000) {
		equal(t, "status", got.problem.Status, 0)
	}
	equal(t, "events kept", len(n.events(t)), 1001)
}
