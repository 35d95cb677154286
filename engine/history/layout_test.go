package history

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
	"github.com/hookline/hookline/eventlog/projection"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// facter is a record's facts.
type facter interface{ AppendFacts([]byte) []byte }

// smallLog is a log with every kind of record that history reads. Seq 1 is the epoch.
func smallLog(tb testing.TB) *memlog.Log {
	tb.Helper()
	log := memlog.New(memlog.Options{Now: func() int64 { return benchEpoch }})
	w, err := log.Acquire(context.Background(), "small")
	if err != nil {
		tb.Fatal(err)
	}
	at := int64(benchEpoch)
	var batch []eventlog.Record
	for _, r := range []struct {
		typ   eventlog.Type
		facts facter
	}{
		{record.TypeEndpointCreated, &record.Endpoint{Number: 1, Transport: "https"}}, // 2
		{record.TypeEndpointCreated, &record.Endpoint{Number: 2, Transport: "https"}}, // 3
		{record.TypeEventPublished, &record.EventPublished{ID: "evt_1", Type: "a.b", HasDedupe: true, Dedupe: [16]byte{0xd}, Fingerprint: [16]byte{0xf},
			Matches: []record.Match{{Endpoint: 2, MaxAttempts: 5}, {Endpoint: 3, MaxAttempts: 5}}}}, // 4
		{record.TypeEventPublished, &record.EventPublished{ID: "evt_2", Type: "a.c"}}, // 5
		{record.TypeAttemptFinished, &record.AttemptFinished{Delivery: record.Ref{Seq: 4}, Event: 4, Endpoint: 2, Number: 1, Trigger: record.TriggerSchedule,
			StartedAt: benchEpoch + 1, TookMS: 3, Outcome: 1, Status: record.Succeeded, EventID: "evt_1", EventType: "a.b"}}, // 6
		{record.TypeAttemptFinished, &record.AttemptFinished{Delivery: record.Ref{Seq: 4, Ord: 1}, Event: 4, Endpoint: 3, Number: 1, Trigger: record.TriggerSchedule,
			StartedAt: benchEpoch + 1, TookMS: 4, Outcome: 2, Status: record.Pending, NextDue: benchEpoch + 300_000, EventID: "evt_1", EventType: "a.b"}}, // 7
		{record.TypeAttemptInterrupted, &record.AttemptInterrupted{Delivery: record.Ref{Seq: 4, Ord: 1}, Endpoint: 3, Number: 2, Due: benchEpoch + 301_000, Held: true}},       // 8
		{record.TypeDeliveryReleased, &record.DeliveryReleased{Delivery: record.Ref{Seq: 4, Ord: 1}, Endpoint: 3}},                                                             // 9
		{record.TypeDeliverySkipped, &record.DeliveriesEnded{Endpoint: 3, Reason: record.ReasonSuppressed, Deliveries: []record.Ref{{Seq: 4, Ord: 1}}}},                        // 10
		{record.TypeDeliveryCreated, &record.DeliveryCreated{Event: 4, EventID: "evt_1", EventType: "a.b", Endpoint: 3, ResendOf: record.Ref{Seq: 4, Ord: 1}, MaxAttempts: 5}}, // 11
		{record.TypeEndpointTested, &record.AttemptFinished{Endpoint: 2, Number: 1, Trigger: record.TriggerTest, StartedAt: benchEpoch + 7, TookMS: 1, Outcome: 4}},            // 12
		{record.TypeDeliveryCanceled, &record.DeliveriesEnded{Endpoint: 3, Reason: record.ReasonCanceledByUser, Deliveries: []record.Ref{{Seq: 11}}}},                          // 13
	} {
		at++
		batch = append(batch, eventlog.Record{Type: r.typ, Time: at, Tenant: "ten", Facts: r.facts.AppendFacts(nil)})
	}
	if err := w.Append(batch).Wait(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return log
}

// openSmall folds smallLog with a window that it outgrows.
func openSmall(tb testing.TB, log eventlog.Log) *History {
	tb.Helper()
	store, err := projection.Open(context.Background(), projection.Options{Dir: "views", Memory: projection.NewMemory(), Logger: quiet()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
	})
	h := newHistory(store, layout{window: 4, matches: 8, soon: 4, partRun: 8, partBytes: 100, partLists: 100})
	foldAll(tb, h, log)
	return h
}

// TestLayoutIsGolden: keys and values stay what they are, or LayoutVersion rises, so that a directory of another build is
// made anew. Run with -rewrite after raising it.
func TestLayoutIsGolden(t *testing.T) {
	h := openSmall(t, smallLog(t))
	var got strings.Builder
	fmt.Fprintf(&got, "layout version %d\n", LayoutVersion)
	it, err := h.store.Iter(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		fmt.Fprintf(&got, "%c %x = %x\n", it.Key()[0], it.Key()[1:], it.Value())
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "layout.golden")
	if *rewrite {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the layout has changed: raise LayoutVersion, then run this test with -rewrite\n%s", got.String())
	}
}

// TestDeliveryThroughTime: one delivery, as of every seq of its life (R-1, R-6; plugin_fault is visible on it).
func TestDeliveryThroughTime(t *testing.T) {
	h := openSmall(t, smallLog(t))
	ref := record.Ref{Seq: 4, Ord: 1}
	for _, c := range []struct {
		asOf    eventlog.Seq
		status  record.Status
		reason  record.Reason
		made    uint16
		due     int64
		version eventlog.Seq
	}{
		{4, record.Pending, 0, 0, benchEpoch + 3, 4},
		{6, record.Pending, 0, 0, benchEpoch + 3, 4},
		{7, record.Pending, 0, 1, benchEpoch + 300_000, 7},
		{8, record.Pending, record.ReasonPluginFault, 1, benchEpoch + 301_000, 8},
		{9, record.Pending, 0, 1, benchEpoch + 8, 9},
		{10, record.Skipped, record.ReasonSuppressed, 1, 0, 10},
		{13, record.Skipped, record.ReasonSuppressed, 1, 0, 10},
	} {
		rows, _, err := h.Deliveries(t.Context(), DeliveryQuery{Tenant: "ten", Endpoint: 3, Page: Page{AsOf: c.asOf, Ascending: true}})
		if err != nil || len(rows) == 0 {
			t.Fatal(rows, err)
		}
		want := DeliveryRow{Endpoint: 3, Ref: ref, Event: 4, EventID: "evt_1", EventType: "a.b", Status: c.status, Reason: c.reason,
			Made: c.made, MaxAttempts: 5, NextDue: c.due, CreatedMS: benchEpoch + 3, Version: c.version}
		if rows[0] != want {
			t.Errorf("as of %d\n got %+v\nwant %+v", c.asOf, rows[0], want)
		}
	}
	resent, found, err := h.DeliveryAny("ten", record.Ref{Seq: 11})
	if err != nil || !found || resent.ResendOf != ref || resent.Status != record.Canceled || resent.Event != 4 {
		t.Errorf("the resent one: %+v %v %v", resent, found, err)
	}
}

// TestOtherTenantsRows: a tenant sees nothing by another's endpoint, event, delivery or id.
func TestOtherTenantsRows(t *testing.T) {
	h := openSmall(t, smallLog(t))
	ctx, other := t.Context(), "other"
	for _, q := range []DeliveryQuery{{}, {Endpoint: 3}, {Event: 4}, {Status: []record.Status{record.Skipped}}, {Endpoint: 3, Status: []record.Status{record.Skipped}}} {
		q.Tenant = other
		if rows, _, err := h.Deliveries(ctx, q); err != nil || len(rows) != 0 {
			t.Errorf("%+v: %v %v", q, rows, err)
		}
		q.Tenant = "ten"
		if rows, _, err := h.Deliveries(ctx, q); err != nil || len(rows) == 0 {
			t.Errorf("%+v: %v %v, so that this test shows nothing", q, rows, err)
		}
	}
	for _, q := range []AttemptQuery{{}, {Endpoint: 2}, {Event: 4}, {Delivery: record.Ref{Seq: 4}}, {Outcome: 2}, {Endpoint: 3, Outcome: 2}} {
		q.Tenant = other
		if rows, _, err := h.Attempts(ctx, q); err != nil || len(rows) != 0 {
			t.Errorf("%+v: %v %v", q, rows, err)
		}
		q.Tenant = "ten"
		if rows, _, err := h.Attempts(ctx, q); err != nil || len(rows) == 0 {
			t.Errorf("%+v: %v %v, so that this test shows nothing", q, rows, err)
		}
	}
}

// TestTimesByTheSamples: lists between two times are exactly the rows of that time, wherever the samples of record times
// (every 256 records) lie.
func TestTimesByTheSamples(t *testing.T) {
	h := openSmall(t, benchLog(t, 1500, 3, false))
	all, _, err := h.Events(t.Context(), EventQuery{Tenant: "tenant-one", Page: Page{Limit: 5000, Ascending: true}})
	if err != nil || len(all) != 1500 {
		t.Fatal(len(all), err)
	}
	first, last := all[0].TimeMS, all[len(all)-1].TimeMS
	for from := first - 1; from <= last+1; from += 13 {
		for _, to := range []int64{0, from, from + 1, from + 40, last + 2} {
			want := 0
			for _, e := range all {
				if e.TimeMS >= from && (to == 0 || e.TimeMS < to) {
					want++
				}
			}
			events, _, err := h.Events(t.Context(), EventQuery{Tenant: "tenant-one", FromMS: from, ToMS: to, Page: Page{Limit: 5000}})
			if err != nil || len(events) != want {
				t.Fatalf("from %d to %d: %d events, want %d %v", from, to, len(events), want, err)
			}
			deliveries, _, err := h.Deliveries(t.Context(), DeliveryQuery{Tenant: "tenant-one", FromMS: from, ToMS: to, Page: Page{Limit: 5000}})
			if err != nil || len(deliveries) != want {
				t.Fatalf("from %d to %d: %d deliveries, want %d %v", from, to, len(deliveries), want, err)
			}
		}
	}
}
