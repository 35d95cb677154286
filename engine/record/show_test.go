package record_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// Every kind of record that this build knows is shown with its facts decoded.
func TestShow(t *testing.T) {
	for _, s := range samples() {
		for _, typ := range s.types {
			got, err := record.Show(&eventlog.Record{Type: typ, Facts: s.value.AppendFacts(nil)}, nil)
			if _, isHex := got.(string); err != nil || isHex {
				t.Errorf("%s is not shown: %v %v", record.Name(typ), got, err)
			}
		}
	}
	a := record.AttemptFinished{Delivery: record.Ref{Seq: 7, Ord: 1}, Outcome: 3, Kind: record.KindNumber("dns"), StartedAt: 1_767_225_600_000,
		Status: record.Pending, Trigger: record.TriggerSchedule, EventType: "a.b", StatusCode: 0}
	got, err := record.Show(&eventlog.Record{Type: record.TypeAttemptFinished, Facts: a.AppendFacts(nil)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, say := range []string{`"outcome":"unreachable"`, `"kind":"dns"`, `"started_at":"2026-01-01T00:00:00.000Z"`, `"status":"pending"`, `"trigger":"schedule"`,
		`"delivery":{"ord":1,"seq":7}`, `"event_type":"a.b"`, `"next_due":null`} {
		if !strings.Contains(string(text), say) {
			t.Errorf("no %s in %s", say, text)
		}
	}
	warned, err := record.Show(&eventlog.Record{Type: record.TypeProfileDefined, Facts: (&record.ProfileDefined{WarnAt: []uint8{50, 70}}).AppendFacts(nil)}, nil)
	if text, _ := json.Marshal(warned); err != nil || !strings.Contains(string(text), `"warn_at":[50,70]`) {
		t.Errorf("percentages are shown as %s: %v", text, err)
	}
	if _, err := record.Show(&eventlog.Record{Type: record.TypeAttemptFinished, Facts: []byte{9}}, nil); err == nil {
		t.Error("damaged facts are shown")
	}
	if got, err := record.Show(&eventlog.Record{Type: 999, Facts: []byte{1, 2}}, nil); err != nil || got != "0102" {
		t.Errorf("an unknown kind: %v %v", got, err)
	}
}

// With ids everything that facts refer to is shown by its id, and no hash.
func TestShowIDs(t *testing.T) {
	ids := func(prefix string, r record.Ref) string { return fmt.Sprint(prefix, r.Seq, "-", r.Ord) }
	show := func(typ eventlog.Type, f facts) string {
		got, err := record.Show(&eventlog.Record{Type: typ, Facts: f.AppendFacts(nil)}, ids)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	a := &record.AttemptFinished{Delivery: record.Ref{Seq: 7, Ord: 1}, Endpoint: 5, Outcome: 1}
	for _, say := range []string{`"delivery_id":"dlv_7-1"`, `"endpoint_id":"ep_5-0"`, `"event_uid":null`, `"outcome":"acknowledged"`} {
		if text := show(record.TypeAttemptFinished, a); !strings.Contains(text, say) {
			t.Errorf("no %s in %s", say, text)
		}
	}
	e := &record.EventPublished{HasDedupe: true, Matches: []record.Match{{Endpoint: 5, Subscriptions: []eventlog.Seq{6}}}}
	text := show(record.TypeEventPublished, e)
	if !strings.Contains(text, `"subscription_ids":["sub_6-0"]`) || strings.Contains(text, "fingerprint") {
		t.Error(text)
	}
	if text := show(record.TypeKeyIssued, &record.KeyIssued{Scope: record.ScopeRead}); strings.Contains(text, "hash") {
		t.Error(text)
	}
}
