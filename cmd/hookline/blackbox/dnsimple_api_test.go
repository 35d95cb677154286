package blackbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"testing"
)

// webhook is the object of DNSimple's REST API.
type webhook struct {
	ID           int64   `json:"id"`
	URL          string  `json:"url"`
	SuppressedAt *string `json:"suppressed_at"`
}

func webhooks(t testing.TB, c *client, path string) []webhook {
	t.Helper()
	var got struct{ Data []webhook }
	r := c.get(t, path, &got)
	if got.Data == nil {
		t.Fatalf("GET %s: want data[]: %s", path, clip(r.body))
	}
	return got.Data
}

func createWebhook(t testing.TB, c *client, path, url string) webhook {
	t.Helper()
	var got struct{ Data json.RawMessage }
	c.post(t, http.StatusCreated, path, fields{"url": url}, &got)
	var w webhook
	if err := json.Unmarshal(got.Data, &w); err != nil {
		t.Fatalf("webhook: %v: %s", err, got.Data)
	}
	sameJSON(t, "webhook", got.Data, fmt.Appendf(nil, `{"id":%d,"url":%q,"suppressed_at":null}`, w.ID, url))
	return w
}

// v2Error demands one of DNSimple's error answers, exactly.
func v2Error(t testing.TB, r *reply, status int, message string) {
	t.Helper()
	var got struct{ Message string }
	r.into(t, &got)
	equal(t, r.asked, row(r.status, got.Message), row(status, message))
}

// P20 in the shapes of DNSimple's API, by raw HTTP: create, list, sort, get, unknown, delete, refusals.
func TestP20V2Face(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n := r.tenant(t, "2020", "dnsimple")
	base := "/v2/2020/webhooks"
	equal(t, "webhooks at first", len(webhooks(t, r.api, base)), 0)
	var made []webhook
	for i := range 3 {
		w := createWebhook(t, r.api, base, r.rcv.sink(fmt.Sprintf("w%d", i), always(200)).url)
		equal(t, "id, counted from 1", w.ID, int64(i+1))
		made = append(made, w)
	}
	for query, want := range map[string][]webhook{
		"": made, "?sort=id:asc": made, "?sort=id:desc": {made[2], made[1], made[0]},
	} {
		if got := webhooks(t, r.api, base+query); !reflect.DeepEqual(got, want) {
			t.Errorf("list%s: got %v, want %v", query, got, want)
		}
	}
	var one struct{ Data webhook }
	r.api.get(t, base+"/2", &one)
	equal(t, "get", one.Data, made[1])
	v2Error(t, r.api.do(t, "GET", base+"/0", nil), 404, "Webhook `0` not found")
	v2Error(t, r.api.do(t, "DELETE", base+"/99", nil), 404, "Webhook `99` not found")
	v2Error(t, r.api.as("").do(t, "GET", base, nil), 401, "Authentication failed")
	v2Error(t, r.api.as("wrong").do(t, "POST", base, `{"url":`), 401, "Authentication failed")

	plainURL := r.api.do(t, "POST", base, fields{"url": "http://example.com/"})
	v2Error(t, plainURL, 400, "Validation failed")
	var refusal struct{ Errors map[string][]string }
	plainURL.into(t, &refusal)
	if len(refusal.Errors["url"]) == 0 {
		t.Errorf("refusal without errors.url: %s", plainURL.body)
	}

	r.api.delete(t, http.StatusNoContent, base+"/2")
	if got, want := webhooks(t, r.api, base), []webhook{made[0], made[2]}; !reflect.DeepEqual(got, want) {
		t.Errorf("after the delete: got %v, want %v", got, want)
	}
	equal(t, "matches", len(n.publish(t, zoneEvent("zone.create", 1)).Matched), 2) // D-1: every URL, no selection
	equal(t, "the next id", createWebhook(t, r.api, base, made[1].URL).ID, int64(4))

	r.tenant(t, "2021", "dnsimple")
	v2Error(t, r.api.do(t, "GET", "/v2/2021/webhooks/1", nil), 404, "Webhook `1` not found")
	equal(t, "first id of another account", createWebhook(t, r.api, "/v2/2021/webhooks", made[0].URL).ID, int64(1))
}

// D-16: suppressed_at shows in both faces, and ids survive a restart.
func TestV2SuppressedAt(t *testing.T) {
	t.Parallel()
	r, n, k, ep := dnsimpleRig(t, always(500))
	r.suppress(t, n, k, ep)
	w := webhooks(t, r.api, "/v2/1010/webhooks")
	if len(w) != 1 || w[0].SuppressedAt == nil {
		t.Fatalf("webhooks: got %+v, want one with suppressed_at", w)
	}
	r.kill9(t)
	r.start(t)
	if again := webhooks(t, r.api, "/v2/1010/webhooks"); !reflect.DeepEqual(again, w) {
		t.Errorf("after a restart: got %+v, want %+v", again, w)
	}
	n.act(t, ep.ID, "clear-suppression")
	if w = webhooks(t, r.api, "/v2/1010/webhooks"); w[0].SuppressedAt != nil {
		t.Errorf("suppressed_at after clearing: %v", *w[0].SuppressedAt)
	}
}

// What an endpoint has beyond DNSimple's object stays in /v1; tenants of other profiles have no account here.
func TestV2ShowsItsOwnOnly(t *testing.T) {
	t.Parallel()
	r := manualRig(t)
	n := r.tenant(t, "4040", "dnsimple")
	k := r.rcv.sink("w", always(200))
	ep := n.endpoint(t, k, fields{"secret": "never to be seen", "description": "ours", "event_types": []string{"zone.create"},
		"filter": `data.zone.name == "z1.example"`, "timeout": "7s"})
	want := fmt.Sprintf(`{"id":1,"url":%q,"suppressed_at":null}`, k.url)
	for path, shape := range map[string]string{"": `{"data":[%s]}`, "/": `{"data":[%s]}`, "/1": `{"data":%s}`, "/1/": `{"data":%s}`,
		"?page=1": `{"data":[%s],"pagination":{"current_page":1,"per_page":30,"total_entries":1,"total_pages":1}}`} {
		sameJSON(t, path, r.api.get(t, "/v2/4040/webhooks"+path, nil).body, fmt.Appendf(nil, shape, want))
	}
	n.act(t, ep.ID, "disable") // a gate that DNSimple does not know
	sameJSON(t, "disabled", r.api.get(t, "/v2/4040/webhooks/1", nil).body, fmt.Appendf(nil, `{"data":%s}`, want))

	other := r.tenant(t, "hosted", "osir")
	other.endpoint(t, k, nil)
	for _, c := range []struct{ method, path string }{{"GET", ""}, {"GET", "/1"}, {"DELETE", "/1"}, {"POST", ""}} {
		v2Error(t, r.api.do(t, c.method, "/v2/hosted/webhooks"+c.path, nil), 404, "Account `hosted` not found")
	}
	equal(t, "endpoints", len(list[endpoint](t, r.api, other.path("/endpoints"))), 1)
	v2Error(t, r.api.do(t, "PATCH", "/v2/4040/webhooks/1", fields{}), 405, `method "PATCH" is not served here, only DELETE, GET`)
}
