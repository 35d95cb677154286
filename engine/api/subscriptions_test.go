package api

import (
	"fmt"
	"strconv"
	"testing"
)

// Versions, shadow mode, promotion and rolling back over HTTP: each answer's version is the seq from which it holds, and
// X-Log-Seq is not below it.
func TestSubscriptionVersions(t *testing.T) {
	f, _ := realFace(t)
	f.must(201, "POST", "/v1/tenants", `{"id":"acme","profile":"osir","name":"Acme"}`)
	ep := str(t, f.must(201, "POST", "/v1/tenants/acme/endpoints", `{"url":"https://receiver.example/x","event_types":["none"]}`), "id")
	made := f.must(201, "POST", "/v1/tenants/acme/subscriptions", `{"endpoint_id":"`+ep+`","filter":"data.n > 1","mode":"shadow","note":"try it"}`)
	path := "/v1/tenants/acme/subscriptions/" + str(t, made, "id")
	if made["mode"] != "shadow" || made["failures"] != 0.0 || made["last_failure"] != nil || str(t, made, "shadow", "matched") != "0" {
		t.Error(made)
	}
	publish := func(n string) map[string]any {
		t.Helper()
		return f.must(202, "POST", "/v1/tenants/acme/events", `{"type":"domain.registered","data":{"n":`+n+`}}`)
	}
	publish("2")
	bad := publish(`"two"`)
	got := f.must(200, "GET", path, "")
	if str(t, got, "shadow", "matched") != "1" || str(t, got, "shadow", "failed") != "1" || got["failures"] != 1.0 ||
		str(t, got, "last_failure", "event_uid") != bad["uid"] || str(t, got, "last_failure", "error") == "" {
		t.Error(got)
	}
	w := f.ask("POST", path+":promote", `{"note":"good"}`)
	live := f.must(200, "GET", path, "")
	if seq, _ := strconv.ParseFloat(w.Header().Get("X-Log-Seq"), 64); w.Code != 200 || live["mode"] != "live" || live["shadow"] != nil || live["failures"] != 0.0 || seq < live["version"].(float64) {
		t.Errorf("%d, X-Log-Seq %s: %s", w.Code, w.Header().Get("X-Log-Seq"), w.Body)
	}
	if p := publish("2"); len(p["matched"].([]any)) != 1 {
		t.Error(p)
	}
	f.must(200, "PATCH", path, `{"filter":"data.n > 9"}`)
	f.must(200, "POST", path+":rollback", fmt.Sprintf(`{"version":%.0f,"note":"too few"}`, live["version"]))
	list := f.must(200, "GET", path+"/versions", "")
	if data := list["data"].([]any); len(data) != 4 || str(t, list, "data", 0, "note") != "too few" || str(t, list, "data", 0, "filter") != "data.n > 1" ||
		str(t, list, "data", 0, "restores") != fmt.Sprint(live["version"]) || str(t, list, "data", 3, "mode") != "shadow" || str(t, list, "data", 3, "by") != "admin_key" {
		t.Error(list)
	}
	for _, c := range []struct {
		method, target, body string
		status               int
	}{
		{"POST", path + ":rollback", `{}`, 422},
		{"POST", path + ":rollback", `{"version":0}`, 422},
		{"POST", path + ":rollback", `{"version":1}`, 422},
		{"POST", path + ":rollback", `{"version":"1"}`, 422},
		{"PATCH", path, `{"mode":"dark"}`, 422},
		{"GET", "/v1/tenants/acme/subscriptions/sub_1/versions", "", 404},
		{"POST", "/v1/tenants/acme/subscriptions/sub_1:promote", "", 404},
	} {
		f.must(c.status, c.method, c.target, c.body)
	}
}
