package history

import (
	"context"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
)

// BenchmarkLists lists 50 rows of a history of HISTORY_BENCH_EVENTS events (default 200 000; 1 000 000 for the goal:
// p99 <= 10 ms), pages taken all over the list (kind 0: the first one).
func BenchmarkLists(b *testing.B) {
	n := 200_000
	if s := os.Getenv("HISTORY_BENCH_EVENTS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	for _, endpoints := range []int{1, 10, 1000} {
		log := benchLog(b, n, endpoints, true)
		head, _ := log.Head(context.Background())
		h := openHistory(b, b.TempDir(), log)
		foldAll(b, h, log)
		time.Sleep(3 * time.Second) // compactions that the fold left behind
		ctx, tenant := context.Background(), "tenant-one"
		endpoint := eventlog.Seq(2)
		deliveries := func(q DeliveryQuery) func(Page) (int, error) {
			q.Tenant = tenant
			return func(p Page) (int, error) {
				q.Page = p
				rows, _, err := h.Deliveries(ctx, q)
				return len(rows), err
			}
		}
		attempts := func(q AttemptQuery) func(Page) (int, error) {
			q.Tenant = tenant
			return func(p Page) (int, error) {
				q.Page = p
				rows, _, err := h.Attempts(ctx, q)
				return len(rows), err
			}
		}
		for _, c := range []struct {
			name string
			list func(Page) (int, error)
			kind byte
			rows int
		}{
			{"events", func(p Page) (int, error) {
				rows, _, err := h.Events(ctx, EventQuery{Tenant: tenant, Page: p})
				return len(rows), err
			}, positionEvents, 50},
			{"deliveries", deliveries(DeliveryQuery{}), positionDeliveries, 50},
			{"deliveries of an endpoint", deliveries(DeliveryQuery{Endpoint: endpoint}), positionDeliveries, 50},
			{"deliveries of a type", deliveries(DeliveryQuery{Type: "invoice.paid"}), positionDeliveries, 50},
			{"deliveries of an hour", deliveries(DeliveryQuery{FromMS: benchEpoch, ToMS: benchEpoch + 3_600_000}), positionDeliveries, 50},
			{"deliveries pending (none)", deliveries(DeliveryQuery{Status: []record.Status{record.Pending}}), positionDeliveries, 0},
			{"deliveries pending, newest (none)", deliveries(DeliveryQuery{Status: []record.Status{record.Pending}}), 0, 0},
			{"deliveries exhausted (none)", deliveries(DeliveryQuery{Status: []record.Status{record.Exhausted}}), positionDeliveries, 0},
			{"attempts", attempts(AttemptQuery{}), positionAttempts, 50},
			{"attempts of an endpoint", attempts(AttemptQuery{Endpoint: endpoint}), positionAttempts, 50},
			{"attempts rejected (none)", attempts(AttemptQuery{Outcome: 2}), positionAttempts, 0},
		} {
			b.Run(c.name+"/endpoints="+strconv.Itoa(endpoints), func(b *testing.B) {
				var took []time.Duration
				for i := 0; b.Loop(); i++ {
					page := Page{}
					at := 2000 + eventlog.Seq(uint64(i)*0x9e3779b97f4a7c15>>1)%(head.Seq-2000)
					start := time.Now()
					if c.kind != 0 {
						page.After = newPosition(c.kind, record.Ref{Seq: at})
					}
					got, err := c.list(page)
					if err != nil {
						b.Fatal(err)
					}
					if got > c.rows {
						b.Fatalf("%d rows", got)
					}
					took = append(took, time.Since(start))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
			})
		}
	}
}
