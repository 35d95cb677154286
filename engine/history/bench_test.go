package history

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// benchEpoch is the record time that generated logs begin at, Unix ms.
const benchEpoch = 1_700_000_000_000

var benchTypes = []string{"domain.registered", "domain.renewed", "server.created", "server.started", "invoice.paid"}

// benchID has the form of an id minted at publish: it rises with time.
func benchID(n int) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(benchEpoch)<<16+uint64(n))
	binary.BigEndian.PutUint64(b[8:], uint64(n)*0x9e3779b97f4a7c15)
	return fmt.Sprintf("evt_%X", b[:13])
}

// benchLog holds n events of one tenant, each acknowledged by one of its endpoints at the first try, a few apart, in
// batches of 100 records.
func benchLog(tb testing.TB, n, endpoints int, dedupe bool) *memlog.Log {
	tb.Helper()
	log := memlog.New(memlog.Options{Now: func() int64 { return benchEpoch }})
	w, err := log.Acquire(context.Background(), "bench")
	if err != nil {
		tb.Fatal(err)
	}
	var batch []eventlog.Record
	flush := func() {
		if err := w.Append(batch).Wait(context.Background()); err != nil {
			tb.Fatal(err)
		}
		batch = batch[:0:0]
	}
	seq := w.Next()
	add := func(t eventlog.Type, facts []byte) eventlog.Seq {
		batch = append(batch, eventlog.Record{Type: t, Time: benchEpoch + int64(seq)/20, Tenant: "tenant-one", Facts: facts})
		seq++
		if len(batch) == 100 {
			flush()
		}
		return seq - 1
	}
	eps := make([]eventlog.Seq, endpoints)
	for i := range eps {
		e := record.Endpoint{Number: uint64(i + 1), Transport: "https"}
		eps[i] = add(record.TypeEndpointCreated, e.AppendFacts(nil))
	}
	type flight struct {
		ref      record.Ref
		endpoint eventlog.Seq
		id, typ  string
	}
	var flying []flight
	finish := func() {
		f := flying[0]
		flying = flying[1:]
		a := record.AttemptFinished{
			Delivery: f.ref, Event: f.ref.Seq, Endpoint: f.endpoint, Number: 1, Trigger: record.TriggerSchedule,
			StartedAt: benchEpoch + int64(seq)/20 - 2, TookMS: 2, Outcome: acknowledged, StatusCode: 200,
			Timings: [5]uint32{0, 0, 0, 900, 20}, Status: record.Succeeded, EventID: f.id, EventType: f.typ,
		}
		add(record.TypeAttemptFinished, a.AppendFacts(nil))
	}
	for i := range n {
		p := record.EventPublished{
			ID: benchID(i), Type: benchTypes[i%len(benchTypes)], Profile: 1, RouteVersion: 1, OccurredAt: benchEpoch,
			BodyLen: 1024, HasDedupe: dedupe, Matches: []record.Match{{
				Endpoint: eps[i*7919%endpoints], MaxAttempts: 5, Subscriptions: []eventlog.Seq{9}}},
		}
		binary.BigEndian.PutUint64(p.Dedupe[:], uint64(i+1)*0x9e3779b97f4a7c15)
		s := add(record.TypeEventPublished, p.AppendFacts(nil))
		flying = append(flying, flight{record.Ref{Seq: s}, p.Matches[0].Endpoint, p.ID, p.Type})
		if len(flying) > 32 {
			finish()
		}
	}
	for len(flying) > 0 {
		finish()
	}
	if len(batch) > 0 {
		flush()
	}
	return log
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func openHistory(tb testing.TB, dir string, log eventlog.Log) *History {
	tb.Helper()
	store, err := projection.Open(context.Background(), projection.Options{
		Dir: dir, Version: LayoutVersion, Log: log, Logger: quiet()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
	})
	return New(store)
}

func foldAll(tb testing.TB, h *History, log eventlog.Log) {
	tb.Helper()
	if _, err := projection.Fold(context.Background(), projection.FoldOptions{Log: log, Store: h.store, View: h}); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkApply folds single-attempt histories (event.published with one match, attempt.finished), flush included, and
// tells what an event costs: time, keys that are left and bytes on disk.
// Goal: at least 150 000 records a second on one core (-cpu 1).
func BenchmarkApply(b *testing.B) {
	for _, c := range []struct {
		name      string
		endpoints int
	}{{"endpoints=1", 1}, {"endpoints=10", 10}, {"endpoints=1000", 1000}} {
		b.Run(c.name, func(b *testing.B) {
			const events = 250_000
			log := benchLog(b, events, c.endpoints, false)
			b.ReportAllocs()
			for b.Loop() {
				dir := b.TempDir()
				h := openHistory(b, dir, log)
				start := cpuTime(b)
				foldAll(b, h, log)
				b.ReportMetric(float64(cpuTime(b)-start)/events, "cpu-ns/event")
				b.ReportMetric(float64(countKeys(b, h.store))/events, "keys/event")
				if err := h.store.Close(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(tableBytes(b, dir))/events, "disk-B/event")
			}
		})
	}
}

// cpuTime is what the process has used so far, compactions included: others on the machine do not count.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func countKeys(tb testing.TB, store *projection.Store) (n int) {
	tb.Helper()
	it, err := store.Iter(nil, nil)
	if err != nil {
		tb.Fatal(err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		n++
	}
	if err := it.Close(); err != nil {
		tb.Fatal(err)
	}
	return n
}

// tableBytes is the size of a store's tables.
func tableBytes(tb testing.TB, dir string) (n int64) {
	tb.Helper()
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, t := range tables {
		info, err := os.Stat(t)
		if err != nil {
			tb.Fatal(err)
		}
		n += info.Size()
	}
	return n
}
