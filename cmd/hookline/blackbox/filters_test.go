package blackbox

import (
	"strings"
	"testing"
)

// checked and explained are what these tests read of the answers.
type (
	checked struct {
		Valid  bool `json:"valid"`
		Errors []struct {
			Line       int    `json:"line"`
			Column     int    `json:"column"`
			Message    string `json:"message"`
			Suggestion string `json:"suggestion"`
		} `json:"errors"`
		CostUS      int        `json:"cost_us"`
		Explanation *becauseOf `json:"explanation"`
	}
	explained struct {
		Valid         bool       `json:"valid"`
		Explanation   *becauseOf `json:"explanation"`
		Subscriptions []struct {
			SubscriptionID string    `json:"subscription_id"`
			Explanation    becauseOf `json:"explanation"`
		} `json:"subscriptions"`
	}
	becauseOf struct {
		Matched bool   `json:"matched"`
		Text    string `json:"text"`
	}
	whyAnswer struct {
		Matched       bool   `json:"matched"`
		Text          string `json:"text"`
		Subscriptions []struct {
			Filter      *string   `json:"filter"`
			Explanation becauseOf `json:"explanation"`
		} `json:"subscriptions"`
	}
)

// Any text is an input to filters:check: it answers whether it is a filter, with the place of what is wrong.
func TestFiltersCheck(t *testing.T) {
	t.Parallel()
	r, n, _, _ := osirRig(t, always(200), nil)
	for text, want := range map[string]string{
		`data.n == 7`:             "",
		`data.n = 7`:              "write == to compare",
		"data.n == 7 and\n\ttyp":  "did you mean type?",
		"":                        "leave the filter out",
		strings.Repeat("(", 3000): "use several subscriptions",
		"\x00\u0001\U0010FFFF":    "",
	} {
		var c checked
		r.api.post(t, 200, "/v1/filters:check", fields{"filter": text, "tenant": n.id}, &c)
		if c.Valid != (text == `data.n == 7`) || !c.Valid && (len(c.Errors) != 1 || c.Errors[0].Line < 1 || c.Errors[0].Column < 1 || c.Errors[0].Message == "" || !strings.Contains(c.Errors[0].Suggestion, want)) {
			t.Errorf("%.40q: %+v", text, c)
		}
	}
	var c checked
	r.api.post(t, 200, "/v1/filters:check", fields{"filter": "data.n > 3", "event": fields{"type": "domain.registered", "data": fields{"n": 7}}}, &c)
	if !c.Valid || c.CostUS < 1 || c.Explanation == nil || !c.Explanation.Matched {
		t.Errorf("%+v", c)
	}
}

// Why an event went to an endpoint, or did not, is answered from the log: after the subscription changed, and after a restart.
func TestWhy(t *testing.T) {
	t.Parallel()
	r, n, k, ep := osirRig(t, always(200), fields{"event_types": []string{"domain.registered"}, "filter": "data.n == 7"})
	matched, missed := n.publish(t, sample("domain.registered", 7)), n.publish(t, sample("domain.registered", 8))
	r.settle(t)
	k.exactly(t, 1)
	r.api.patch(t, 200, n.path("/endpoints/", ep.ID), fields{"filter": "data.n == 8"}, nil)
	var now explained
	r.api.post(t, 200, "/v1/filters:explain", fields{"tenant": n.id, "event_id": missed.UID}, &now)
	if len(now.Subscriptions) != 1 || !now.Subscriptions[0].Explanation.Matched {
		t.Errorf("as subscriptions are now: %+v", now)
	}
	r.kill9(t)
	r.start(t)
	r.restarted()
	for uid, want := range map[string]string{matched.UID: "`data.n == 7` is true (data.n is 7)", missed.UID: "`data.n == 7` is false (data.n is 8)"} {
		var w whyAnswer
		r.api.post(t, 200, n.path("/events/", uid, ":why"), fields{"endpoint_id": ep.ID}, &w)
		if w.Matched != (uid == matched.UID) || len(w.Subscriptions) != 1 || w.Subscriptions[0].Explanation.Matched != w.Matched ||
			!strings.Contains(w.Subscriptions[0].Explanation.Text, want) || w.Matched != strings.Contains(w.Text, "is succeeded") {
			t.Errorf("%s: %+v", uid, w)
		}
	}
}
