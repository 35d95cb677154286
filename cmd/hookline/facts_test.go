package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// Every kind of record that this build knows is shown with its facts decoded.
func TestFacts(t *testing.T) {
	for n := range eventlog.Type(1000) {
		if record.Name(n) == "" || n == record.EpochStarted {
			continue
		}
		if factsType(n) == nil {
			t.Errorf("log cat does not decode %s", record.Name(n))
		}
	}
	a := record.AttemptFinished{Delivery: record.Ref{Seq: 7, Ord: 1}, Outcome: 3, Kind: record.KindNumber("dns"), StartedAt: 1_767_225_600_000,
		Status: record.Pending, Trigger: record.TriggerSchedule, EventType: "a.b", StatusCode: 0}
	got, err := factsOf(&eventlog.Record{Type: record.TypeAttemptFinished, Facts: a.AppendFacts(nil)})
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
	if _, err := factsOf(&eventlog.Record{Type: record.TypeAttemptFinished, Facts: []byte{9}}); err == nil {
		t.Error("damaged facts are shown")
	}
	if got, err := factsOf(&eventlog.Record{Type: 999, Facts: []byte{1, 2}}); err != nil || got != "0102" {
		t.Errorf("an unknown kind: %v %v", got, err)
	}
}
