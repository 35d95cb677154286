package state

import (
	"errors"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/record"
)

// An endpoint has one running recovery at most, keeps it until its end is a record, and a tenant keeps the newest that
// have ended: the digest knows of these alone.
func TestRecoveries(t *testing.T) {
	w := newWorld(t)
	w.profile("p", time.Minute)
	w.tenant("a", 1)
	e := w.endpoint("a", nil)
	start := &record.RecoveryStarted{Endpoint: e, Upto: 3, Matched: 2, Statuses: []record.Status{record.Exhausted}}
	end := func(seq *record.RecoveryEnded) { w.add(record.TypeRecoveryEnded, "a", seq) }
	running := w.add(record.TypeRecoveryStarted, "a", start, "who")
	for what, err := range map[string]error{
		"a second one":                w.try(record.TypeRecoveryStarted, "a", start, "who"),
		"one of another tenant":       w.try(record.TypeRecoveryStarted, "b", start, "who"),
		"one of no endpoint":          w.try(record.TypeRecoveryStarted, "a", &record.RecoveryStarted{Endpoint: 99}, "who"),
		"an advance of another":       w.try(record.TypeRecoveryAdvanced, "a", &record.RecoveryAdvanced{Recovery: 99}),
		"the end of another tenant's": w.try(record.TypeRecoveryEnded, "b", &record.RecoveryEnded{Recovery: running}),
		"the endpoint's end":          w.try(record.TypeEndpointDeleted, "a", &record.EndpointChange{Endpoint: e}),
	} {
		if !errors.Is(err, ErrInconsistent) {
			t.Errorf("%s while it runs: %v, want ErrInconsistent", what, err)
		}
	}
	w.add(record.TypeDeliveryCreated, "a", &record.DeliveryCreated{Event: 1, Endpoint: e, Recovery: running})
	w.add(record.TypeRecoveryAdvanced, "a", &record.RecoveryAdvanced{Recovery: running, Cursor: record.Ref{Seq: 7}, CursorMS: 5, Created: 1, NextAt: 9})
	if x, ok := w.s.Recovery("a", running); !ok || x.Created != 1 || x.Cursor.Seq != 7 || x.NextAt != 9 || w.s.endpoints[e].Unattempted != 1 {
		t.Errorf("after a page: %+v, %d unattempted", x, w.s.endpoints[e].Unattempted)
	}
	end(&record.RecoveryEnded{Recovery: running, State: record.RecoveryDone})
	if err := w.try(record.TypeRecoveryEnded, "a", &record.RecoveryEnded{Recovery: running}); !errors.Is(err, ErrInconsistent) {
		t.Errorf("a second end: %v, want ErrInconsistent", err)
	}
	for range KeptRecoveries {
		end(&record.RecoveryEnded{Recovery: w.add(record.TypeRecoveryStarted, "a", start, "who"), State: record.RecoveryCanceled})
	}
	if _, ok := w.s.Recovery("a", running); ok || len(w.s.tenants["a"].Recoveries) != KeptRecoveries {
		t.Errorf("%d are kept, the oldest among them: %v, want %d without it", len(w.s.tenants["a"].Recoveries), ok, KeptRecoveries)
	}
	sameState(t, "fold", w.fold(New(), w.recs), w.s)
	sameState(t, "snapshot", restored(t, snapshotOf(t, w.s)), w.s)
	w.endAll(w.s.endpoints[e], record.TypeDeliveryCanceled)
	w.add(record.TypeEndpointDeleted, "a", &record.EndpointChange{Endpoint: e})
	w.add(record.TypeTenantDeleted, "a", nil)
	sameState(t, "snapshot of a deleted tenant", restored(t, snapshotOf(t, w.s)), w.s)
}
