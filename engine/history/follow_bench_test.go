package history

import (
	"context"
	"fmt"
	"testing"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/memlog"
	"github.com/hookline/hookline/eventlog/projection"
)

// BenchmarkFollow follows a log that grows by some records at a time, each time a commit of its own: parts that are written
// again as they grow cost most when that is few. At 20 000 events a second a commit is of about 800 records.
func BenchmarkFollow(b *testing.B) {
	for _, c := range []struct{ endpoints, records, events int }{{1, 2, 10_000}, {1, 40, 50_000}, {1, 800, 200_000}, {1000, 2, 10_000}, {1000, 40, 50_000}, {1000, 800, 200_000}} {
		b.Run(fmt.Sprintf("endpoints=%d/records=%d", c.endpoints, c.records), func(b *testing.B) {
			ctx := context.Background()
			var all []eventlog.Record
			for r, err := range benchLog(b, c.events, c.endpoints, false).Read(ctx, 1) {
				if err != nil {
					b.Fatal(err)
				}
				all = append(all, r)
			}
			for b.Loop() {
				log := memlog.New(memlog.Options{Now: func() int64 { return benchEpoch }})
				w, err := log.Acquire(ctx, "bench")
				if err != nil {
					b.Fatal(err)
				}
				dir := b.TempDir()
				h := openHistory(b, dir, log)
				f, err := projection.NewFollower(projection.FollowerOptions{Log: log, Store: h.store, View: h, Gather: -1, Logger: quiet()})
				if err != nil {
					b.Fatal(err)
				}
				f.Start()
				start := cpuTime(b)
				for from := 0; from < len(all); from += c.records {
					part := all[from:min(from+c.records, len(all))]
					if err := w.Append(part).Wait(ctx); err != nil {
						b.Fatal(err)
					}
					if err := f.WaitFor(ctx, w.Next()-1); err != nil {
						b.Fatal(err)
					}
				}
				if err := f.Stop(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(cpuTime(b)-start)/float64(c.events), "cpu-ns/event")
				if err := h.store.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
