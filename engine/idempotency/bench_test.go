package idempotency

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
	"github.com/hookline/hookline/eventlog/projection"
)

const benchEvents = 200_000

// benchKeys is the view of a log of publishes, each with an attempt's record behind it.
func benchKeys(b *testing.B, keyed bool) (*Keys, *memlog.Log) {
	log := memlog.New(memlog.Options{Now: func() int64 { return start }})
	w, err := log.Acquire(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	var batch []eventlog.Record
	for i := range benchEvents {
		p := record.EventPublished{ID: "evt_01HX0000000000000000000000", Type: "domain.registered", Matches: []record.Match{{Endpoint: 2, MaxAttempts: 5}}, HasDedupe: keyed}
		binary.BigEndian.PutUint64(p.Dedupe[:], uint64(i+1)*0x9e3779b97f4a7c15)
		batch = append(batch, eventlog.Record{Type: record.TypeEventPublished, Time: start, Tenant: "ten", Facts: p.AppendFacts(nil)},
			eventlog.Record{Type: record.TypeAttemptFinished, Time: start, Tenant: "ten"})
		if len(batch) == 200 || i == benchEvents-1 {
			if err := w.Append(batch).Wait(b.Context()); err != nil {
				b.Fatal(err)
			}
			batch = nil
		}
	}
	store, err := projection.Open(b.Context(), projection.Options{Dir: b.TempDir(), Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	return New(store), log
}

// BenchmarkApply is what an event costs the view: with an idempotency key, and without one.
func BenchmarkApply(b *testing.B) {
	for _, keyed := range []bool{true, false} {
		b.Run(fmt.Sprintf("keyed=%t", keyed), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				k, log := benchKeys(b, keyed)
				b.StartTimer()
				began := time.Now()
				k.follow(b, log, 0)
				b.ReportMetric(float64(time.Since(began).Nanoseconds())/benchEvents, "ns/event")
				k.close(b)
			}
		})
	}
}

// BenchmarkDedupe asks for keys that are new, as most are.
func BenchmarkDedupe(b *testing.B) {
	k, log := benchKeys(b, true)
	defer k.close(b)
	k.follow(b, log, 0)
	b.ReportAllocs()
	b.ResetTimer()
	hash := [16]byte{1}
	for i := 0; b.Loop(); i++ {
		binary.BigEndian.PutUint32(hash[3:], uint32(i))
		if d, err := k.Dedupe("ten", hash, start+3_600_000); err != nil || d.Found {
			b.Fatal(d, err)
		}
	}
}
