package state

import (
	"bytes"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// alias is a string that shares a buffer, as decoders make them.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func published(ev *record.EventPublished, endpoint eventlog.Seq) []byte {
	ev.ID, ev.Type = "evt_01hzzzzzzzzzzzzzzzzzzzzzzz", "domain.registered"
	ev.Matches = append(ev.Matches[:0], record.Match{Endpoint: endpoint, MaxAttempts: 5, Subscriptions: []eventlog.Seq{endpoint + 1}})
	return ev.AppendFacts(nil)
}

// crowded is a state with n pending deliveries over 100 endpoints, due over a day.
func crowded(t fataler, n int) *State {
	w := newWorld(t)
	w.tenant("a", w.profile("p", time.Minute))
	var endpoints []eventlog.Seq
	for range 100 {
		endpoints = append(endpoints, w.endpoint("a", nil))
	}
	s := w.fold(New(), w.recs)
	r := eventlog.Record{Type: record.TypeEventPublished, Tenant: "a", Time: w.now}
	var ev record.EventPublished
	for i := range n {
		ev.NotBefore = w.now + int64(i*7919%86_400_000)
		r.Facts, r.Seq = published(&ev, endpoints[i%len(endpoints)]), s.Seq+1
		if err := s.Apply(&r); err != nil {
			t.Fatalf("Apply: %v", err)
		}
	}
	return s
}

// 1M pending retries cost at most 100 MiB, the due queue included.
func TestMillionPendingFitIn100MiB(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const n = 1_000_000
	before := heap()
	s := crowded(t, n)
	s.Pending.Arm()
	used := float64(heap()-before) / (1 << 20)
	t.Logf("%d pending deliveries: %.1f MiB, %.0f bytes each", s.Pending.Len(), used, used*(1<<20)/n)
	if s.Pending.Len() != n || used > 100 {
		t.Errorf("%d pending deliveries cost %.1f MiB, want %d in at most 100", s.Pending.Len(), used, n)
	}
	runtime.KeepAlive(s)
}

// The hot path: an event that one endpoint takes at the first try is two records. Goal: 1M records/s.
func BenchmarkApplyPublishedFinished(b *testing.B) {
	for _, c := range []struct {
		name    string
		backlog int
		armed   bool
	}{{"alone", 0, true}, {"beside 1M pending", 1_000_000, true}, {"rebuild beside 1M pending", 1_000_000, false}} {
		b.Run(c.name, func(b *testing.B) {
			s := crowded(b, c.backlog)
			if c.armed {
				s.Pending.Arm()
			}
			endpoint := s.tenants["a"].Endpoints[0].Seq
			var ev record.EventPublished
			pub := eventlog.Record{Type: record.TypeEventPublished, Tenant: "a", Time: s.Time, Facts: published(&ev, endpoint)}
			fin := eventlog.Record{Type: record.TypeAttemptFinished, Tenant: "a", Time: s.Time}
			a := record.AttemptFinished{Endpoint: endpoint, Number: 1, StartedAt: s.Time, Outcome: outcomeAcknowledged, Status: record.Succeeded,
				EventID: "evt_01hzzzzzzzzzzzzzzzzzzzzzzz", EventType: "domain.registered"}
			b.ReportAllocs()
			for b.Loop() {
				pub.Seq = s.Seq + 1
				if err := s.Apply(&pub); err != nil {
					b.Fatal(err)
				}
				a.Delivery, a.Event, fin.Seq = record.Ref{Seq: pub.Seq}, pub.Seq, pub.Seq+1
				fin.Facts = a.AppendFacts(fin.Facts[:0])
				if err := s.Apply(&fin); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// A failing endpoint's way: each attempt changes the endpoint's count and the delivery's due time.
func BenchmarkApplyRetry(b *testing.B) {
	s := crowded(b, 1000)
	s.Pending.Arm()
	var refs []record.Ref
	s.Pending.All(func(_ uint32, d *Delivery) bool { refs = append(refs, d.Ref()); return true })
	endpoint := s.tenants["a"].Endpoints[0].Seq
	r := eventlog.Record{Type: record.TypeAttemptFinished, Tenant: "a", Time: s.Time}
	a := record.AttemptFinished{Endpoint: endpoint, Number: 1, StartedAt: s.Time, Outcome: 2, Status: record.Pending}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		a.Delivery, a.NextDue, r.Seq = refs[i%len(refs)], s.Time+int64(i*7919%86_400_000), s.Seq+1
		r.Facts = a.AppendFacts(r.Facts[:0])
		if err := s.Apply(&r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkSnapshot(b *testing.B) {
	s := crowded(b, 200_000)
	snapshot := snapshotOf(b, s)
	b.Run("encode", func(b *testing.B) {
		b.SetBytes(int64(len(snapshot)))
		var buf bytes.Buffer
		for b.Loop() {
			buf.Reset()
			if err := s.Encode(&buf, chain); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(snapshot)))
		for b.Loop() {
			if _, _, err := Decode(snapshot); err != nil {
				b.Fatal(err)
			}
		}
	})
}
